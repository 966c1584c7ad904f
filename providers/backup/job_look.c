/* Knows how a machine's restore jobs are looked at, and waits for those of others: Azure restores an item once at a
 * time, and a second restore beside a job that cannot be told from ours would be one too many. Must not trigger
 * anything. */
#include "job_look.h"

#include <stdio.h>

int jobs_look(struct azure *az, struct call *c, struct arena *a, const struct jobs_wanted *wanted, struct value **ret,
              struct err *err)
{
    const struct job_match *match = wanted->match;
    const char *vault_id = wanted->vault_id;
    struct value *found = value_list(a);
    const struct value *list;
    /* A job that runs may have begun before the order; whole hours, so that the looks of many share one list. */
    int64_t from_ms = (call_now_ms(c) - wanted->back_ms) / HOUR_MS * HOUR_MS;

    if (match->since_ms < from_ms)
        from_ms = match->since_ms;
    TRY(backup_list_jobs_lately(az, c, a, vault_id, from_ms, call_now_ms(c), &list, err));
    /* Details cost a GET each, so jobs of other machines are not asked for them. */
    for (size_t i = 0; i < value_count(list); i++) {
        struct backup_job job;
        const struct value *body;
        struct value *facts;

        if (backup_job_of_another(value_item(list, i), match->group, match->vm))
            continue;
        backup_read_job(a, value_item(list, i), &job);
        if (job_whose(job_to_facts(a, &job), match->group, match->vm) == JOB_OF_ANOTHER)
            continue;
        TRY(backup_job_details(az, c, a, vault_id, value_item(list, i), &body, err));
        backup_read_job(a, body, &job);
        facts = job_to_facts(a, &job);
        if (!job_says_all(facts))
            job_complete(a, facts, job_of_id(match->seen, job.id));
        if (job_whose(facts, match->group, match->vm) != JOB_OF_ANOTHER &&
            backup_operation_of(body) != OPERATION_OTHER)
            value_push(a, found, facts);
    }
    *ret = found;
    return 0;
}

static int stopped_by(struct arena *a, const struct value *job, const char *why, struct err *err)
{
    err_set(err, ERR_BLOCKED, "%s stands against another restore of this machine: %s", job_words(a, job), why);
    return err_advise(err, "a person looks at that job; nothing was triggered");
}

/* A job of ours that runs or is done decides, whatever else there is. */
static bool ours_is_there(struct arena *a, const struct value *jobs, const struct job_match *match)
{
    const struct value *ours = jobs_matching(a, jobs, match);

    for (size_t i = 0; i < value_count(ours); i++)
        if (!job_failed(value_item(ours, i)))
            return true;
    return false;
}

int jobs_stand_against(struct arena *a, const struct value *jobs, const struct job_match *match, struct err *err)
{
    const char *why;
    const struct value *job = job_standing(jobs, match, true, &why);

    if (job) {
        stopped_by(a, job, why, err);
        /* As Azure itself would call it: whoever can wait does. */
        snprintf(err->code, sizeof(err->code), "%s", JOB_IN_PROGRESS);
        return -(int)err->class;
    }
    job = job_standing(jobs, match, false, &why);
    return job ? stopped_by(a, job, why, err) : 0;
}

int jobs_none_other(struct azure *az, struct call *c, const struct actor *actor, const char *vault_id,
                    const struct job_match *match, int64_t back_ms, struct err *err)
{
    struct value *jobs;

    TRY(jobs_look(az, c, actor->arena, &(struct jobs_wanted){vault_id, match, back_ms}, &jobs, err));
    return jobs_stand_against(actor->arena, jobs, match, err);
}

int jobs_await_others(struct azure *az, struct call *c, const struct actor *actor, const char *vault_id,
                      const struct job_match *match, int64_t bound_ms, struct err *err)
{
    int64_t end_ms = call_now_ms(c) + bound_ms;

    for (;;) {
        const struct value *job;
        struct backup_job ended;
        struct value *jobs;
        const char *why;

        TRY(jobs_look(az, c, actor->arena, &(struct jobs_wanted){vault_id, match, bound_ms}, &jobs, err));
        if (ours_is_there(actor->arena, jobs, match))
            return 0;
        job = job_standing(jobs, match, false, &why);
        if (job)
            return stopped_by(actor->arena, job, why, err);
        job = job_standing(jobs, match, true, &why);
        if (!job)
            return 0;
        actor_say(actor, "%s runs; %s, so it is waited for", job_words(actor->arena, job), why);
        if (backup_follow_job(az, c, actor->arena,
                              &(struct backup_following){.vault_id = vault_id,
                                                         .job = value_str_at(job, "job"),
                                                         .bound_ms = end_ms - call_now_ms(c)},
                              &ended, err) < 0) {
            /* Nobody adopts what is not ours. */
            if (err->class == ERR_BLOCKED) {
                err_set(err, ERR_BLOCKED, "%s is still running after %s", job_words(actor->arena, job),
                        duration_format(actor->arena, bound_ms));
                err_advise(err,
                           "it is not ours, and one restore of an item runs at a time; run again when it has ended");
            }
            return err_note(err, "waiting for another restore of this machine");
        }
        actor_say(actor, "job %s has ended: %s", ended.id, ended.status);
        /* The list of jobs lags behind a job's own end. */
        TRY(actor_wait(actor, c, actor->view->settings->settle_ms, "the job list", err));
    }
}
