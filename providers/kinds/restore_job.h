/* Triggering a restore exactly once. */
#ifndef REINSTATE_RESTORE_JOB_H
#define REINSTATE_RESTORE_JOB_H

#include "../backup/job_look.h"
#include "common.h"

struct job_run {
    struct azure *az;
    const char *vault_id, *item_id;
    struct job_match match;
    struct restore_request request;
    int64_t settle_ms, bound_ms;
    int64_t not_after_ms; /* of the order: nothing is triggered later */
    bool adopt_only;      /* a job was seen to run, or the order is no longer in force: nothing is triggered */
    const struct actor *actor;
    const char *while_running; /* said once, when the job runs: what it will look like */
    /* May suspend. Asked between the second look and the trigger: is what this job would mend still broken? An error
     * stops it. What was seen once may have been the lag of a repair that somebody else has just made. */
    int (*still_due)(struct call *c, const struct job_run *run, struct err *err);
    const void *ctx; /* for still_due */
};

/* May suspend. Looks at the jobs of every status; when none of ours is running or done, waits `settle`, looks a second
 * time, and only then triggers. Follows whatever job there is to its end. *ret is the finished job. A job that failed
 * in an earlier attempt is not counted here: whether one more may be tried is the steps' decision (`failed_before`). */
must_use int job_run_once(struct call *c, const struct job_run *run, size_t failed_before, struct backup_job *ret, struct err *err);

#endif
