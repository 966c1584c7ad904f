/* Reads that many tasks want at the same time: fifty VMs of one vault ask for one list, and it is fetched once. */
#ifndef REINSTATE_AZURE_SHARED_H
#define REINSTATE_AZURE_SHARED_H

#include "arm.h"

enum { SHARED_FRESH_MS = 2 * SECOND_MS };

/* May suspend. As arm_list and arm_get, but an answer that was asked for at or after `since_ms` by another task will do, and
 * one that is being fetched is waited for. What was asked for before the latest write of this connection never will. An
 * error is told to all that waited for it. `key` says which lists are the same; a query may hold the time. */
must_use int arm_list_shared(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api, const char *query,
                             const char *key, int64_t since_ms, struct value **ret, struct err *err);
must_use int arm_get_shared(struct azure *az, struct call *c, struct arena *a, const char *id, enum azure_api api, int64_t since_ms,
                            struct value **ret, struct err *err);
/* As arm_get_view: what bears no id of its own. */
must_use int arm_view_shared(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api, int64_t since_ms,
                             struct value **ret, struct err *err);
/* What was read of `id` last, however old, writes or not; NULL: nothing. For what no longer changes. Valid until the task suspends. */
const struct value *arm_seen(const struct azure *az, const char *id);

#endif
