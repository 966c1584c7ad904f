/* Looking at a machine's restore jobs as they are now, and waiting for those that are not ours. All may suspend. */
#ifndef REINSTATE_JOB_LOOK_H
#define REINSTATE_JOB_LOOK_H

#include "../../reconciler/kind.h"
#include "jobs.h"

/* Which jobs are looked at. */
struct jobs_wanted {
    const char *vault_id;
    const struct job_match *match;
    int64_t back_ms; /* alive since match->since_ms, or so long ago */
};
/* *ret: the facts of all those jobs that are of the machine, or may be. */
must_use int jobs_look(struct azure *az, struct call *c, struct arena *a, const struct jobs_wanted *wanted,
                       struct value **ret, struct err *err);
/* Before a trigger: whatever else restores this machine is waited for, `bound_ms` at most, and what has ended and may
 * have been ours stops it (ERR_BLOCKED), named with its job. Nothing is waited for when a job of ours runs or is done
 * already. */
must_use int jobs_await_others(struct azure *az, struct call *c, const struct actor *actor, const char *vault_id,
                               const struct job_match *match, int64_t bound_ms, struct err *err);
/* What Azure calls it when it refuses a restore because another one of the machine runs. */
#define JOB_IN_PROGRESS "UserErrorRestoreOperationInProgress"
/* Pure: whether one of these jobs stands against a trigger. */
must_use int jobs_stand_against(struct arena *a, const struct value *jobs, const struct job_match *match,
                                struct err *err);
/* The same without waiting: the last look before a trigger. What could be waited for has the code JOB_IN_PROGRESS. */
must_use int jobs_none_other(struct azure *az, struct call *c, const struct actor *actor, const char *vault_id,
                             const struct job_match *match, int64_t back_ms, struct err *err);

#endif
