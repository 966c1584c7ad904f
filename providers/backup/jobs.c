/* Knows what a restore job says of itself and whose it is. Pure. Must not know how one is triggered, nor why. */
#include "jobs.h"

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
