/* Knows how a restore is triggered at most once although Azure offers no idempotency key: look, settle, look again, then
 * trigger, and adopt whatever is found. This is where a second restore is decided against. */
#include "restore_job.h"

#include "../azure/shared.h"

#include <stdlib.h>

static const char *const state_words[] = {
    [JOB_RUNNING] = "running", [JOB_COMPLETED] = "completed", [JOB_COMPLETED_WITH_WARNINGS] = "completed",
    [JOB_FAILED] = "failed",   [JOB_CANCELLED] = "cancelled", [JOB_UNKNOWN] = "unknown",
};

static const char *const type_words[] = {
    [RESTORE_NEW_VM] = "new-vm",
    [RESTORE_DISKS] = "disks",
    [RESTORE_REPLACE] = "replace",
    [RESTORE_UNKNOWN] = "unknown",
};

static void set_time(struct arena *a, struct value *facts, const char *key, int64_t ms)
{
    if (ms != TIME_NONE)
        value_set_string(a, facts, key, time_format(a, ms));
}

struct value *job_to_facts(struct arena *a, const struct backup_job *job)
{
    struct value *f = value_map(a);

    value_set_string(a, f, "job", job->id);
    value_set_string(a, f, "status", job->status);
    value_set_string(a, f, "state", state_words[job->state]);
    value_set_string(a, f, "vm", job->vm);
    set_time(a, f, "start", job->start_ms);
    set_time(a, f, "end", job->end_ms);
    if (!job->detailed)
        return f;
    value_set_string(a, f, "type", type_words[job->type]);
    set_time(a, f, "point", job->point_ms);
    value_set_string(a, f, "targetVm", job->target_vm);
    value_set_string(a, f, "targetGroup", job->target_group);
    value_set_string(a, f, "account", job->storage_account);
    value_set_string(a, f, "container", job->config_container);
    value_set_string(a, f, "blob", job->encryption_blob);
    value_set_string(a, f, "code", job->error_code);
    value_set_string(a, f, "text", job->error_text);
    return f;
}

/* The job's bag has whole seconds, the recovery point fractions. */
static bool same_point(int64_t job_ms, int64_t point_ms)
{
    return job_ms != TIME_NONE && point_ms != TIME_NONE && llabs(job_ms - point_ms) < 2 * SECOND_MS;
}

/* A pass that failed for its key and left it has done what passes are for. One that failed for a right is a restore that
 * failed, whatever it left besides, and so is one whose set was on another key: passes name no set. */
static bool is_export(const struct value *job)
{
    const char *code = value_str_at(job, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    return str_eq(value_str_at(job, "state"), "failed") && value_str_at(job, "blob") && !(known && known->letter == 'P') &&
           !str_eq(code, "UserErrorInputDESKeyDoesNotMatchWithOriginalKey");
}

/* Under way at some time since then: a job that an earlier order, or a clock behind ours, began before is a job all the same. */
static bool alive_since(const struct value *job, int64_t since_ms)
{
    int64_t start = time_parse(value_str_at(job, "start")), end = time_parse(value_str_at(job, "end"));

    if (since_ms == INT64_MAX)
        return false;
    return str_eq(value_str_at(job, "state"), "running") || start >= since_ms || (end != TIME_NONE && end >= since_ms);
}

/* While a job runs its bag may not say yet what it restores; what it leaves open cannot speak against the match. */
static bool may_be_open(const struct value *job, const char *field)
{
    const char *said = value_str_at(job, field);

    return str_eq(value_str_at(job, "state"), "running") && (!said || str_eq(said, "unknown"));
}

static bool job_matches(const struct value *job, const struct job_match *m)
{
    const char *group = value_str_at(job, "targetGroup"), *vm = value_str_at(job, "targetVm");

    if (!str_eq_nocase(value_str_at(job, "vm"), m->vm) || !alive_since(job, m->since_ms))
        return false;
    if (!str_eq(value_str_at(job, "type"), type_words[m->type]) && !may_be_open(job, "type"))
        return false;
    if (!same_point(time_parse(value_str_at(job, "point")), m->point_ms) && !may_be_open(job, "point"))
        return false;
    if (m->not_exports && is_export(job))
        return false;
    /* A bag that does not name the target cannot speak against the match: taking a job for ours errs on the side of not
     * restoring twice. */
    if (group && m->target_group && !str_eq_nocase(group, m->target_group))
        return false;
    return !m->target_vm || !vm || str_eq_nocase(vm, m->target_vm);
}

struct value *jobs_matching(struct arena *a, const struct value *jobs, const struct job_match *match)
{
    struct value *found = value_list(a);
    size_t left = value_count(jobs);
    bool *taken = arena_array(a, bool, left + 1);

    while (left-- > 0) {
        size_t best = value_count(jobs);

        for (size_t i = 0; i < value_count(jobs); i++)
            if (!taken[i] && job_matches(value_item(jobs, i), match) &&
                (best == value_count(jobs) ||
                 time_parse(value_str_at(value_item(jobs, i), "start")) > time_parse(value_str_at(value_item(jobs, best), "start"))))
                best = i;
        if (best == value_count(jobs))
            break;
        taken[best] = true;
        value_push(a, found, value_item(jobs, best));
    }
    return found;
}

bool job_retryable(const struct value *job)
{
    const char *code = value_str_at(job, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    return known && (known->letter == 'R' || known->letter == 'W' || known->letter == 'P');
}

/* All jobs of ours as they are now. Details cost a GET each, so only this VM's jobs are asked for them. */
static int look(struct call *c, const struct job_run *run, struct value **ret, struct err *err)
{
    struct arena *a = run->actor->arena;
    struct value *list, *detailed = value_list(a);
    /* A job that runs may have begun before the order; whole hours, so that the looks of many share one list. */
    int64_t from_ms = (call_now_ms(c) - run->bound_ms) / HOUR_MS * HOUR_MS;

    if (run->match.since_ms < from_ms)
        from_ms = run->match.since_ms;
    TRY(backup_list_restore_jobs(run->az, c, a, run->vault_id, from_ms, call_now_ms(c), &list, err));
    for (size_t i = 0; i < value_count(list); i++) {
        struct backup_job job;
        struct value *body;

        backup_read_job(a, value_item(list, i), &job);
        if (!str_eq_nocase(job.vm, run->match.vm))
            continue;
        TRY(backup_job_details(run->az, c, a, run->vault_id, value_item(list, i), &body, err));
        backup_read_job(a, body, &job);
        value_push(a, detailed, job_to_facts(a, &job));
    }
    *ret = jobs_matching(a, detailed, &run->match);
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
