/* Knows how a restore is triggered at most once although Azure offers no idempotency key: look, settle, look again, then
 * trigger, and adopt whatever is found. This is where a second restore is decided against. */
#include "restore_job.h"

#include "../azure/shared.h"

/* All jobs of ours as they are now. */
static int look(struct call *c, const struct job_run *run, struct value **ret, struct err *err)
{
    struct value *jobs;

    TRY(jobs_look(run->az, c, run->actor->arena, run->vault_id, &run->match, run->bound_ms, &jobs, err));
    *ret = jobs_matching(run->actor->arena, jobs, &run->match);
    return 0;
}

/* The newest job of ours, unless all there are had failed before this attempt was decided. */
static const struct value *job_to_adopt(const struct value *jobs, size_t failed_before)
{
    for (size_t i = 0; i < value_count(jobs); i++) {
        const char *state = value_str_at(value_item(jobs, i), "state");

        if (str_eq(state, "running") || str_eq(state, "completed") || str_eq(state, "unknown"))
            return value_item(jobs, i);
    }
    return value_count(jobs) > failed_before ? value_item(jobs, 0) : NULL;
}

static void progress(void *ctx, const struct backup_job *job)
{
    const struct job_run *run = ctx;

    actor_say(run->actor, "job %s: %s, %.0f %%", job->id, job->status, job->progress);
}

/* Minutes lie between the decision and this moment. */
static int may_trigger(struct call *c, const struct job_run *run, struct err *err)
{
    if (run->adopt_only) {
        err_set(err, ERR_CONFLICT, "the job that was to be adopted is not to be seen any more");
        return err_advise(err, "plan again; nothing was triggered");
    }
    if (call_now_ms(c) <= run->not_after_ms)
        return 0;
    err_set(err, ERR_BLOCKED, "the order expired at %s, before the restore could be triggered",
            time_format(run->actor->arena, run->not_after_ms));
    return err_advise(err, "order anew: reinstate activate; nothing was triggered");
}

static int trigger(struct call *c, const struct job_run *run, size_t failed_before, const char **ret_job, struct err *err)
{
    const struct value *adopted;
    struct value *jobs;

    TRY(run->still_due(c, run, err));
    TRY(may_trigger(c, run, err));
    if (backup_trigger_restore(run->az, c, run->actor->arena, run->item_id, &run->request, ret_job, err) == 0)
        return 0;
    if (err->class != ERR_UNKNOWN_OUTCOME)
        return -(int)err->class;
    /* The answer was lost; the job may run all the same. It shows in the list after a while, or it was never taken. */
    actor_say(run->actor, "the answer to the trigger was lost; looking whether the job runs");
    TRY(call_sleep_ms(c, run->settle_ms, "the job list", err));
    TRY(look(c, run, &jobs, err));
    adopted = job_to_adopt(jobs, failed_before);
    if (!adopted)
        return err_set(err, ERR_UNKNOWN_OUTCOME,
                       "the trigger's answer was lost and no job shows %s later; run again to look once more, nothing is repeated blindly",
                       duration_format(run->actor->arena, run->settle_ms));
    *ret_job = value_str_at(adopted, "job");
    actor_say(run->actor, "job %s runs: adopted", *ret_job);
    return 0;
}

int job_run_once(struct call *c, const struct job_run *run, size_t failed_before, struct backup_job *ret, struct err *err)
{
    const struct value *adopted = NULL;
    const char *job = NULL;
    struct value *jobs;

    for (int looks = 0; looks < 2 && !adopted; looks++) {
        if (looks == 1) {
            actor_say(run->actor, "no such job; looking again in %s, because Azure's job list lags",
                      duration_format(run->actor->arena, run->settle_ms));
            /* A look may be as old as lists are shared; the two are `settle` apart all the same. */
            TRY(call_sleep_ms(c, run->settle_ms + SHARED_FRESH_MS, "the second look before a restore", err));
        }
        TRY(look(c, run, &jobs, err));
        adopted = job_to_adopt(jobs, failed_before);
    }
    if (adopted) {
        job = value_str_at(adopted, "job");
        actor_say(run->actor, "job %s is %s: adopted, nothing is triggered", job, value_str_at(adopted, "state"));
    } else {
        TRY(trigger(c, run, failed_before, &job, err));
        actor_say(run->actor, "restore triggered: job %s", job);
    }
    if (run->while_running)
        actor_say(run->actor, "job %s %s", job, run->while_running);
    return backup_follow_job(run->az, c, run->actor->arena, run->vault_id, job, run->bound_ms, progress, (void *)run, ret, err);
}
