/* Triggering a restore at most once although Azure offers no idempotency key: look, settle, look again,
 * take a claim, trigger. */
#ifndef REINSTATE_JOB_RUN_H
#define REINSTATE_JOB_RUN_H

#include "../../reconciler/kind.h"
#include "../azure/backup.h"
#include "claim.h"
#include "job_look.h"

struct job_run {
    struct azure *az;
    const char *vault_id, *item_id;
    struct restore_request request;
    struct claim_subject claim;
    struct job_match match;
    int64_t settle_ms, bound_ms;
    const char *ordered;  /* the RestoredVirtualMachine whose order this is done for: its name */
    const struct document *order; /* which Activation orders it; once that is withdrawn, nothing is triggered */
    int64_t not_after_ms; /* of the order: nothing is triggered later */
    const struct value *seen; /* the machine's jobs (facts) as they were when this attempt was decided on */
    size_t failed_before; /* jobs of ours that had failed when this attempt was decided on */
    bool adopt_only;      /* a job was seen to run, or the order is no longer in force: nothing is triggered */
    bool mark_adopted; /* a claim is to say that the order took over a job which began before it */
    bool must_read; /* we read what the job leaves in the staging account: without that right it is not triggered */
    const struct actor *actor;
    const char *while_running; /* said once, when the job runs: what it will look like */
    /* May suspend. Asked between the second look and the claim: is what this job would mend still broken? An error
     * stops it. What was seen once may have been the lag of a repair that somebody else has just made. */
    int (*still_due)(struct call *c, const struct job_run *run, struct err *err);
    const void *ctx; /* for still_due */
};

/* May suspend. Looks at the jobs of every status; when none of ours is running or done, waits `settle`, looks a second
 * time, takes a claim, and only then triggers. Follows whatever job there is to its end. *ret is the finished job.
 * Whether one more may be tried after a failure is the steps' decision (`failed_before`). */
must_use int job_run_once(struct call *c, const struct job_run *run, struct backup_job *ret, struct err *err);

#endif
