/* Knows what a restore job says of itself and whose it is. Pure. Must not know how one is triggered, nor why. */
#include "jobs.h"

#include <stdlib.h>

static const char *const state_words[] = {
    [JOB_RUNNING] = "running",     [JOB_CANCELLING] = "cancelling",
    [JOB_COMPLETED] = "completed", [JOB_COMPLETED_WITH_WARNINGS] = "completed",
    [JOB_FAILED] = "failed",       [JOB_CANCELLED] = "cancelled",
    [JOB_UNKNOWN] = "unknown",
};

static const char *const type_words[] = {
    [RESTORE_NEW_VM] = "new-vm",   [RESTORE_DISKS] = "disks",
    [RESTORE_REPLACE] = "replace", [RESTORE_CROSS_REGION] = "cross-region",
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
    value_set_string(a, f, "sourceGroup", job->source_group);
    value_set_string(a, f, "sourceVm", job->source_vm);
    set_time(a, f, "start", job->start_ms);
    set_time(a, f, "end", job->end_ms);
    if (!job->detailed)
        return f;
    value_set_string(a, f, "type", type_words[job->type]);
    set_time(a, f, "point", job->point_ms);
    value_set_string(a, f, "pointText", job->point_text);
    value_set_string(a, f, "targetVm", job->target_vm);
    value_set_string(a, f, "targetGroup", job->target_group);
    value_set_string(a, f, "account", job->storage_account);
    value_set_string(a, f, "container", job->config_container);
    value_set_string(a, f, "blob", job->encryption_blob);
    value_set_string(a, f, "code", job->error_code);
    value_set_string(a, f, "text", job->error_text);
    return f;
}

void job_complete(struct arena *a, struct value *job, const struct value *known)
{
    static const char *const texts[] = {"point", "targetVm", "targetGroup"};

    if (!known)
        return;
    /* The claim names the very point; the text of the job says no more. */
    if (!value_str_at(job, "point") && value_str_at(known, "point"))
        value_remove(job, "pointText");
    for (size_t i = 0; i < COUNT(texts); i++)
        if (!value_str_at(job, texts[i]))
            value_set_string(a, job, texts[i], value_str_at(known, texts[i]));
    if (!value_str_at(job, "type") || str_eq(value_str_at(job, "type"), type_words[RESTORE_UNKNOWN]))
        value_set_string(a, job, "type", value_str_at(known, "type"));
}

bool job_says_all(const struct value *job)
{
    return value_str_at(job, "point") && value_str_at(job, "type") &&
           !str_eq(value_str_at(job, "type"), type_words[RESTORE_UNKNOWN]);
}

const struct value *job_of_id(const struct value *jobs, const char *id)
{
    for (size_t i = 0; id && i < value_count(jobs); i++)
        if (str_eq_nocase(value_str_at(value_item(jobs, i), "job"), id))
            return value_item(jobs, i);
    return NULL;
}

enum time_fit job_point_fit(const struct value *job, int64_t point_ms)
{
    const char *text = value_str_at(job, "pointText");
    int64_t job_ms = time_parse(value_str_at(job, "point"));

    if (point_ms == TIME_NONE)
        return job_ms == TIME_NONE ? TIME_FITS_PERHAPS : TIME_FITS_NOT;
    if (text)
        return time_text_fit(text, point_ms);
    if (job_ms == TIME_NONE)
        return TIME_FITS_PERHAPS;
    /* The job's bag has whole seconds, the recovery point fractions. */
    return llabs(job_ms - point_ms) < 2 * SECOND_MS ? TIME_FITS : TIME_FITS_NOT;
}

/* Whether a failed job is an export: it failed for its key and left the key. A job that failed for a missing right, or
 * with a set on another key, is an ordinary failed restore, whatever it left. */
static bool is_export(const struct value *job)
{
    const char *code = value_str_at(job, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    return str_eq(value_str_at(job, "state"), "failed") && value_str_at(job, "blob") &&
           !(known && known->cure == CURE_PERMISSION) &&
           !str_eq(code, "UserErrorInputDESKeyDoesNotMatchWithOriginalKey");
}

bool job_lasts(const struct value *job)
{
    const char *state = value_str_at(job, "state");

    return str_eq(state, "running") || str_eq(state, "cancelling") || str_eq(state, "unknown");
}

/* Under way at some time since then, whoever began it and when. */
static bool alive_since(const struct value *job, int64_t since_ms)
{
    int64_t start = time_parse(value_str_at(job, "start")), end = time_parse(value_str_at(job, "end"));

    if (since_ms == INT64_MAX)
        return false;
    /* A job that does not say when it ended may still run, so it counts. */
    if (end == TIME_NONE && (start == TIME_NONE || str_eq(value_str_at(job, "state"), "unknown")))
        return true;
    return (job_lasts(job) && !str_eq(value_str_at(job, "state"), "unknown")) || start >= since_ms ||
           (end != TIME_NONE && end >= since_ms);
}

int64_t job_remaining_ms(const struct value *job, int64_t estimate_ms, int64_t now_ms)
{
    int64_t start = time_parse(value_str_at(job, "start")), left;

    if (start == TIME_NONE || start > now_ms || estimate_ms < 0)
        return estimate_ms;
    left = estimate_ms - (now_ms - start);
    return left > MINUTE_MS ? left : MINUTE_MS;
}

bool job_cancelled(const struct value *job)
{
    return str_eq(value_str_at(job, "state"), "cancelled") || str_eq(value_str_at(job, "state"), "cancelling");
}

bool job_failed(const struct value *job)
{
    return str_eq(value_str_at(job, "state"), "failed") || job_cancelled(job);
}

enum job_whose job_whose(const struct value *job, const char *group, const char *vm)
{
    const char *of_group = value_str_at(job, "sourceGroup"), *of_vm = value_str_at(job, "sourceVm"),
               *name = value_str_at(job, "vm");

    if (of_group && of_vm)
        return str_eq_nocase(of_group, group) && str_eq_nocase(of_vm, vm) ? JOB_OF_MACHINE : JOB_OF_ANOTHER;
    return name && !str_eq_nocase(name, vm) ? JOB_OF_ANOTHER : JOB_OF_NOBODY_KNOWS;
}

/* One that runs is adopted, whoever began it. One that has ended is the order's own if it began under the order, or if
 * a claim says so: what somebody began before, for another reason, does not carry this order out. */
static bool of_order(const struct value *job, const struct job_match *m)
{
    const char *state = value_str_at(job, "state");
    int64_t start = time_parse(value_str_at(job, "start"));

    return str_eq(state, "running") || str_eq(state, "unknown") || (start != TIME_NONE && start >= m->since_ms) ||
           (m->own && str_eq_nocase(value_str_at(job, "job"), m->own));
}

static bool of_others(const struct value *job, const struct job_match *m)
{
    for (size_t i = 0; i < value_count(m->others); i++)
        if (str_eq_nocase(value_str(value_item(m->others, i)), value_str_at(job, "job")))
            return true;
    return false;
}

static bool looks_like_ours(const struct value *job, const struct job_match *m)
{
    const char *group = value_str_at(job, "targetGroup"), *vm = value_str_at(job, "targetVm");

    if (of_others(job, m) || job_whose(job, m->group, m->vm) != JOB_OF_MACHINE || !alive_since(job, m->since_ms))
        return false;
    if (!str_eq(value_str_at(job, "type"), type_words[m->type]) || job_point_fit(job, m->point_ms) != TIME_FITS)
        return false;
    if (m->not_exports && is_export(job))
        return false;
    /* Older answers do not name the target's group. */
    if (group && m->target_group && !str_eq_nocase(group, m->target_group))
        return false;
    return !m->target_vm || str_eq_nocase(vm, m->target_vm);
}

static bool job_matches(const struct value *job, const struct job_match *m)
{
    return looks_like_ours(job, m) && of_order(job, m);
}

static bool is_declared(const struct value *job, const struct value *declared)
{
    const char *group = value_str_at(job, "targetGroup"), *vm = value_str_at(job, "targetVm"),
               *type = value_str_at(job, "type");

    for (size_t i = 0; i < value_count(declared); i++) {
        const struct value *one = value_item(declared, i);

        if (str_eq(type, value_str_at(one, "type")) && (!group || str_eq_nocase(group, value_str_at(one, "group"))) &&
            (!str_eq(type, type_words[RESTORE_NEW_VM]) || str_eq_nocase(vm, value_str_at(one, "vm"))))
            return true;
    }
    return false;
}

/* Why an ended job that does not read as ours may have been ours all the same; NULL: it cannot have been. */
static const char *untold(const struct value *job, const struct job_match *m)
{
    bool made_vm = str_eq(value_str_at(job, "type"), type_words[RESTORE_NEW_VM]);

    if (job_whose(job, m->group, m->vm) == JOB_OF_NOBODY_KNOWS)
        return "it does not say which machine it restored";
    if (str_eq(value_str_at(job, "type"), type_words[RESTORE_CROSS_REGION]))
        return job_failed(job) ? NULL : "it restored this machine into the paired region";
    /* What failed and exported a key left no machine; but from a point that nobody can read it may be what is about
     * to be tried. */
    if (is_export(job))
        return str_eq(value_str_at(job, "type"), type_words[m->type]) &&
                       job_point_fit(job, m->point_ms) == TIME_FITS_PERHAPS
                   ? "it exported a key, and the time of its point cannot be read exactly"
                   : NULL;
    if (!value_str_at(job, "type") || str_eq(value_str_at(job, "type"), type_words[RESTORE_UNKNOWN]))
        return "it does not say what it restored";
    if (job_point_fit(job, m->point_ms) == TIME_FITS_PERHAPS)
        return value_str_at(job, "pointText") ? "the time of its point cannot be read exactly"
                                              : "it does not say from which point";
    if (made_vm && m->type == RESTORE_NEW_VM && !value_str_at(job, "targetVm"))
        return "it does not say which VM it made";
    if (looks_like_ours(job, m))
        return "it does just what is ordered, began before the order, and no claim names it for this order";
    /* A failed job left no second machine, and a restore of disks makes none. */
    return made_vm && !job_failed(job) && !is_declared(job, m->declared) ? "it restored this machine to another target"
                                                                         : NULL;
}

const struct value *job_standing(const struct value *jobs, const struct job_match *m, bool running,
                                 const char **ret_why)
{
    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);
        if (job_whose(job, m->group, m->vm) == JOB_OF_ANOTHER || job_matches(job, m) || job_lasts(job) != running ||
            !alive_since(job, m->since_ms))
            continue;
        *ret_why = running ? "Azure restores an item once at a time" : untold(job, m);
        if (*ret_why)
            return job;
    }
    return NULL;
}

const char *job_words(struct arena *a, const struct value *job)
{
    const char *type = value_str_at(job, "type"), *group = value_str_at(job, "targetGroup"),
               *vm = value_str_at(job, "targetVm");
    const char *point = value_str_at(job, "point"), *text = value_str_at(job, "pointText"),
               *start = value_str_at(job, "start");

    return arena_printf(a, "job %s (%s, started %s, %s to %s%s%s, point %s%s%s)", value_str_at(job, "job"),
                        value_str_at(job, "status") ? value_str_at(job, "status") : "without a status",
                        start ? start : "at no known time", type ? type : "unknown",
                        group ? group : "a group not named", vm && !str_eq(vm, "vmName") ? "/" : "",
                        vm && !str_eq(vm, "vmName") ? vm : "",
                        point  ? point
                        : text ? "\""
                               : "not named",
                        point || !text ? "" : text, point || !text ? "" : "\"");
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
                (best == value_count(jobs) || time_parse(value_str_at(value_item(jobs, i), "start")) >
                                                  time_parse(value_str_at(value_item(jobs, best), "start"))))
                best = i;
        if (best == value_count(jobs))
            break;
        taken[best] = true;
        value_push(a, found, value_item(jobs, best));
    }
    return found;
}

const struct azure_error *job_error(const struct value *job)
{
    const char *code = value_str_at(job, "code");

    return code ? azure_error_meant(code, value_str_at(job, "text")) : NULL;
}

bool job_retryable(const struct value *job)
{
    const struct azure_error *known = job_error(job);

    /* Whatever it is called: the service judged the key unusable. */
    if (value_str_at(job, "blob") && !(known && known->cure == CURE_PERMISSION))
        return false;
    return known && (known->cure == CURE_REPEAT || known->cure == CURE_WAIT || known->cure == CURE_PERMISSION);
}
