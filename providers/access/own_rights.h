/* Whether we ourselves hold a right at a scope: asked by the preflight of a plan and by `doctor`, so that the two
 * cannot disagree. */
#ifndef REINSTATE_OWN_RIGHTS_H
#define REINSTATE_OWN_RIGHTS_H

#include "../documents/common.h"

enum own_right {
    OWN_UNSEEN, /* what we hold there cannot be read: nothing is claimed */
    OWN_HELD,
    OWN_LACKING
};

struct own_scope;
/* What has been read so far, scope by scope; each scope is read once. {.arena} begins it. */
struct own_rights {
    struct arena *arena;
    struct own_scope *scopes;
    size_t count;
    int64_t until_ms; /* by call_span_ms: later no scope is read any more, and counts as unseen; 0: no such time */
};

/* May suspend. Reads only. `right->scope` may be an ARM id, or the address of a managed HSM and below it "/keys" or a
 * key, whose rights are its own. */
must_use int own_right(struct own_rights *own, struct azure *az, struct call *c, const struct step_right *right,
                       enum own_right *ret, struct err *err);
/* Pure. That key vault was read, and lives by access policies. */
bool own_by_policy(const struct own_rights *own, const char *scope);

#endif
