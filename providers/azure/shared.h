/* Reads that many tasks want at the same time: fifty VMs of one vault ask for one list, and it is fetched once, kept
 * once, and looked through once. What is handed out is the answer itself: it is only read, lives as long as the
 * reader's arena, and is dropped when a newer answer has taken its place and its last reader is done. */
#ifndef REINSTATE_AZURE_SHARED_H
#define REINSTATE_AZURE_SHARED_H

#include "../../reconciler/base/index.h"
#include "arm.h"

enum { SHARED_FRESH_MS = 2 * SECOND_MS };

/* May suspend. As arm_list_where and arm_get, but an answer that was asked for at or after `since_ms` by another task
 * will do, and one that is being fetched is waited for. What was asked for before the latest write of this connection
 * will not, unless `wanted` says so. An error is told to all that waited for it. `key` says which lists are the same; a
 * query may hold the time. */
must_use int arm_list_shared(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                             const struct value **ret, struct err *err);
must_use int arm_get_shared(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                            const struct value **ret, struct err *err);
/* As arm_get_view: what bears no id of its own. */
must_use int arm_view_shared(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                             const struct value **ret, struct err *err);
/* Something has passed: what was read before will do for nobody. */
void shared_forget(struct azure *az);
/* The same if, by what Azure says, time has passed that no clock here has counted, since Azure's latest Date was so far
 * ahead of the spans: once for all who notice it, since each of hundreds would else have the others read all anew. */
void shared_forget_if_asleep(struct azure *az, struct call *c, int64_t ahead_ms);
/* Makes what is handed out from reads of its own; may suspend. */
typedef int shared_make(struct azure *az, struct call *c, struct arena *a, const char *subject, struct value **ret,
                        struct err *err);
/* May suspend. The same of what `make` makes of the subject that stands in place of a path. `key` is its own. */
must_use int shared_made(struct azure *az, struct call *c, struct arena *a, shared_make *make,
                         const struct arm_wanted *wanted, const struct value **ret, struct err *err);
/* What was read of `id` last, however old, writes or not; NULL: nothing. For what no longer changes. */
const struct value *arm_seen(const struct azure *az, struct arena *a, const char *id);

/* Puts one item of a list into `x` under every name by which it is asked for; names may be made in `a`. */
typedef void shared_names(struct arena *a, struct index *x, const struct value *item);
/* A list that is looked through by name. */
struct named_list {
    shared_names *names;
    struct list_bound bound; /* zero: all of it */
    const struct index *items; /* out: INDEX_NOCASE */
};
/* May suspend. As arm_list_shared, found by name: the index is made once for an answer, however many ask. It lives as
 * long as `a`. */
must_use int arm_list_named(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                            struct named_list *list, struct err *err);

#endif
