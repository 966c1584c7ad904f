/* The part of a KeyAccess that speaks of a managed HSM, where rights are local roles.
 *
 * Facts beyond those of key_access.c: base, localScope ("/keys/NAME"), unseenScopes (above it, that we may not list),
 * customRoles, and of each principal roles [{name, id}] (as declared), grants [{name, id}] (those still to be granted),
 * lacksAfter [action] (what it lacks even then). */
#ifndef REINSTATE_KEY_ACCESS_LOCAL_H
#define REINSTATE_KEY_ACCESS_LOCAL_H

#include "../access/grant.h"

/* May suspend. The scope and who holds what there. */
must_use int local_access_observe(struct call *c, const struct observer *o, struct azure *az, struct value **ret,
                                  struct err *err);
/* Pure. What the i-th principal holds, lacks and is to be given. */
void local_access_judge(const struct observer *o, const struct value *facts, struct value *p, size_t i);

/* Pure. True if the principal holds all that is declared for it. */
bool local_access_granted(const struct value *p);
/* Pure. True if what it holds hangs on assignments on the key itself, which may not come back with a
 * key that is gone. */
bool local_access_may_be_lost(const struct view *v, const struct document *doc, const struct value *p);
struct step *local_access_grant(const struct view *v, const struct document *doc, struct steps *out, size_t i,
                                bool anew);
/* Blocks, and returns true, when the key's scope has no room for the grants. */
bool local_access_full(const struct view *v, const struct document *doc, struct steps *out);
/* Endings of "all 3 principals have what …": what was asked for, and what to beware of ("" for nothing). */
const char *local_access_asked(const struct document *doc);
const char *local_access_warning(const struct view *v, const struct document *doc);

/* May suspend. Grants what `p` still lacks. */
must_use int local_access_act(struct call *c, const struct actor *actor, const struct value *p, struct err *err);

#endif
