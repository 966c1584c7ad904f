/* Knows how backup jobs and operations are listed, shown and cancelled. Must not know how a job ends. */
#include "data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOBS "Microsoft.RecoveryServices/Vaults/backupJobs/"

/* --- operations --------------------------------------------------------------------------------------------------- */

void operation_accepted(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *path,
                        const char *status, const char *result, const char *id)
{
    const char *version = request_query(r, "api-version");

    answer_empty(out, 202);
    answer_header(r->arena, out, "Azure-AsyncOperation", "%s%s/%s/%s?api-version=%s%s", s->ep.arm, path, status, id,
                  version ? version : "", signed_tail(s, r->arena));
    answer_header(r->arena, out, "Location", "%s%s/%s/%s?api-version=%s%s", s->ep.arm, path, result, id,
                  version ? version : "", signed_tail(s, r->arena));
    answer_header(r->arena, out, "Retry-After", "60");
}

static const struct value *operation_or_404(struct sim *s, const struct sim_request *r, struct sim_answer *out,
                                            const char *vault_id, const char *id)
{
    const struct value *operation = operation_find(s, id);

    if (operation && str_eq_nocase(value_str_at(operation, "subject"), vault_id))
        return operation;
    answer_arm_error(r->arena, out, 404, false, "ResourceNotFound", "The operation '%s' does not exist.", id);
    return NULL;
}

static bool running(const struct sim *s, const struct value *operation)
{
    return s->now_ms < time_parse(value_str_at(operation, "ends"));
}

/* Says that the job was queued, never that it ended. */
void operation_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                      const char *id)
{
    struct arena *a = r->arena;
    const struct value *operation = operation_or_404(s, r, out, vault_id, id), *output = value_get(operation, "output");
    struct value *body = value_map(a), *properties;

    if (!operation)
        return;
    value_set_string(a, body, "id", id);
    value_set_string(a, body, "name", id);
    value_set_string(a, body, "status", running(s, operation) ? "InProgress" : "Succeeded");
    value_set_string(a, body, "startTime", value_str_at(operation, "started"));
    value_set_string(a, body, "endTime",
                     running(s, operation) ? "0001-01-01T00:00:00" : value_str_at(operation, "started"));
    if (!running(s, operation)) {
        properties = output ? value_copy(a, output) : value_map(a);
        if (!output) {
            value_set_string(a, properties, "objectType", "OperationStatusJobExtendedInfo");
            value_set_string(a, properties, "jobId", id);
        }
        value_set(a, body, "properties", properties);
    }
    answer_json(a, out, 200, body);
}

void operation_answer_result(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                             const struct operation_place *at)
{
    const struct value *operation = operation_or_404(s, r, out, vault_id, at->id);
    const struct value *response = value_at(operation, "output.validateOperationResponse");
    struct value *body;

    if (!operation)
        return;
    operation_accepted(s, r, out, at->path, at->status, at->result, at->id);
    if (running(s, operation))
        return;
    /* The end still carries Retry-After and a new address of the status: only the code counts. */
    for (size_t i = 0; i < out->n_headers; i++)
        if (str_eq(out->headers[i].name, "Location"))
            out->headers[i] = out->headers[--out->n_headers];
    if (response) {
        body = value_map(r->arena);
        value_set(r->arena, body, "validateOperationResponse", value_copy(r->arena, response));
        answer_json(r->arena, out, 200, body);
    } else {
        answer_empty(out, 204);
    }
}

/* --- how jobs are shown ------------------------------------------------------------------------------------------- */

/* A job's bookkeeping of ours is its member "sim"; jobs that the world began with have none. */
static bool visible(struct sim *s, const struct value *job)
{
    int64_t lag = behaviour_ms(s, "jobListLag", 20 * SECOND_MS);

    if (!value_get(job, "sim"))
        return true;
    if (lag < SECOND_MS)
        lag = SECOND_MS;
    return time_parse(value_str_at(job, "properties.startTime")) + lag <= s->now_ms;
}

static bool of_vault(const struct value *job, const char *vault_id)
{
    const char *id = value_str_at(job, "id");
    size_t n = strlen(vault_id);

    return str_starts_nocase(id, vault_id) && id[n] == '/';
}

/* How a time for people is written depends on the locale data of the service's machines (behaviour.jobTimes). */
static void show_point_time(struct sim *s, struct arena *a, struct value *bag)
{
    static const char key[] = "Recovery point time ";
    const char *us = value_str_at(bag, key), *half = us ? strrchr(us, ' ') : NULL;
    int64_t at = time_parse_text(us);
    const char *iso = at == TIME_NONE ? NULL : time_format(a, at);

    if (!half || !iso || knob_is(s, "jobTimes", "us"))
        return;
    if (knob_is(s, "jobTimes", "narrow-blank"))
        value_set(a, bag, key, value_format(a, "%.*s\xE2\x80\xAF%s", (int)(half - us), us, half + 1));
    else if (knob_is(s, "jobTimes", "24-hours"))
        value_set(a, bag, key, value_format(a, "%.2s.%.2s.%.4s %.8s", iso + 8, iso + 5, iso, iso + 11));
    else if (knob_is(s, "jobTimes", "iso"))
        value_set_string(a, bag, key, iso);
    else
        value_set(a, bag, key, value_format(a, "%.2s. Tag des Monats %.2s, %.5s Uhr", iso + 8, iso + 5, iso + 11));
}

/* How the keys of a bag are spelt is recorded for jobs that end well (behaviour.bagKeys); the blob may
 * be named late (behaviour.exportNamedAfter). */
static void show_bag(struct sim *s, struct arena *a, const struct value *job, struct value *shown)
{
    static const char *const late[] = {"Config Blob Container Name", "Secured Encryption Info Blob Name"};
    struct value *info = value_at(shown, "properties.extendedInfo"), *bag = value_get(info, "propertyBag"),
                 *spelt = value_map(a);
    int64_t end = time_parse(value_str_at(job, "properties.endTime"));

    if (!value_get(job, "sim") || !bag)
        return;
    if (str_eq(value_str_at(job, "properties.status"), "Failed") &&
        end + behaviour_ms(s, "exportNamedAfter", 0) > s->now_ms)
        for (size_t i = 0; i < COUNT(late); i++)
            value_remove(bag, late[i]);
    show_point_time(s, a, bag);
    if (knob_is(s, "bagKeys", "recorded"))
        return;
    for (size_t i = 0; i < value_count(bag); i++) {
        const struct member *m = &bag->map.members[i];
        size_t n = strlen(m->key);

        while (n && m->key[n - 1] == ' ')
            n--;
        value_set(a, spelt, knob_is(s, "bagKeys", "trimmed") ? arena_strndup(a, m->key, n) : str_lower(a, m->key),
                  m->value);
    }
    value_set(a, info, "propertyBag", spelt);
}

static struct value *show_job(struct sim *s, const struct sim_request *r, const struct value *job, bool detailed)
{
    struct arena *a = r->arena;
    struct value *ret = value_copy(a, job), *p = value_get(ret, "properties"),
                 *tasks = value_at(p, "extendedInfo.tasksList");
    int64_t start = time_parse(value_str_at(p, "startTime")), end = time_parse(value_str_at(p, "endTime"));

    value_remove(ret, "sim");
    if (!value_get(p, "duration") && start != TIME_NONE)
        value_set_string(a, p, "duration", duration_format_iso(a, (end == TIME_NONE ? s->now_ms : end) - start));
    for (size_t i = 0; item_api_is_newer(r) && i < value_count(tasks); i++)
        value_set_string(a, value_item(tasks, i), "taskType", "Normal");
    if (!detailed)
        value_remove(p, "extendedInfo");
    else
        show_bag(s, a, job, ret);
    return ret;
}

/* --- filters ------------------------------------------------------------------------------------------------------ */

struct filter {
    const char *status, *operation, *management, *job;
    int64_t from, to;
};

/* "2026-08-31 08:01:03 PM", UTC. */
static int64_t filter_time(struct arena *a, const char *text)
{
    int year, month, day, hour, minute, second, used = 0;
    char half[3];

    if (sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d %2s%n", &year, &month, &day, &hour, &minute, &second, half, &used) != 7 ||
        text[used] || hour > 12 || (!str_eq_nocase(half, "AM") && !str_eq_nocase(half, "PM")))
        return TIME_NONE;
    hour = hour % 12 + (str_eq_nocase(half, "PM") ? 12 : 0);
    return time_parse(arena_printf(a, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, hour, minute, second));
}

static bool take_clause(struct arena *a, struct filter *f, const char *name, const char *value)
{
    if (str_eq_nocase(name, "status"))
        f->status = value;
    else if (str_eq_nocase(name, "operation"))
        f->operation = value;
    else if (str_eq_nocase(name, "backupManagementType"))
        f->management = value;
    else if (str_eq_nocase(name, "jobId"))
        f->job = value;
    else if (str_eq_nocase(name, "startTime"))
        return (f->from = filter_time(a, value)) != TIME_NONE;
    else if (str_eq_nocase(name, "endTime"))
        return (f->to = filter_time(a, value)) != TIME_NONE;
    else
        return false;
    return true;
}

/* "NAME eq 'VALUE' and …"; false when it is written otherwise. */
static bool parse_filter(struct arena *a, const char *text, struct filter *f)
{
    *f = (struct filter){.from = INT64_MIN, .to = INT64_MAX};
    for (const char *at = text ? text : ""; *at;) {
        size_t name = strcspn(at, " "), value;
        const char *start = at + name + strlen(" eq '");

        if (!str_starts_nocase(at + name, " eq '"))
            return false;
        value = strcspn(start, "'");
        if (start[value] != '\'' || !take_clause(a, f, arena_strndup(a, at, name), arena_strndup(a, start, value)))
            return false;
        at = start + value + 1;
        if (*at && !str_starts_nocase(at, " and "))
            return false;
        at += *at ? strlen(" and ") : 0;
    }
    return true;
}

static bool matches(const struct filter *f, const struct value *job)
{
    const struct value *p = value_get(job, "properties");
    int64_t start = time_parse(value_str_at(p, "startTime"));

    return (!f->status || str_eq_nocase(f->status, value_str_at(p, "status"))) &&
           (!f->operation || str_eq_nocase(f->operation, value_str_at(p, "operation"))) &&
           (!f->management || str_eq_nocase(f->management, value_str_at(p, "backupManagementType"))) &&
           (!f->job || str_eq_nocase(f->job, value_str_at(job, "name"))) && start >= f->from && start <= f->to;
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

static int newest_first(const void *a, const void *b)
{
    const struct value *const *p = a, *const *q = b;
    int64_t x = time_parse(value_str_at(*p, "properties.startTime")),
            y = time_parse(value_str_at(*q, "properties.startTime"));

    return x < y ? 1 : x > y ? -1 : 0;
}

static void list_jobs(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id)
{
    struct value *all = state_list(s, "jobs"), *items = value_list(r->arena);
    struct filter filter;

    if (!parse_filter(r->arena, request_query(r, "$filter"), &filter)) {
        answer_arm_error(r->arena, out, 400, false, "BMSUserErrorInvalidInput", "The filter cannot be understood.");
        return;
    }
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *job = value_item(all, i);

        if (of_vault(job, vault_id) && visible(s, job) && matches(&filter, job))
            value_push(r->arena, items, show_job(s, r, job, false));
    }
    if (value_count(items))
        qsort(items->list.items, items->list.count, sizeof(items->list.items[0]), newest_first);
    arm_page(s, r, out, items);
}

static struct value *find_job(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                              const char *name)
{
    struct value *job = job_find(s, name);

    if (job && of_vault(job, vault_id) && visible(s, job))
        return job;
    answer_arm_error(r->arena, out, 404, false, "ResourceNotFound", "The job '%s' does not exist.", name);
    return NULL;
}

static void cancel_job(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                       struct value *job)
{
    struct value *p = value_get(job, "properties"), *own = value_get(job, "sim"), *output = value_map(r->arena);
    const char *id;

    if (!own || !str_eq(value_str_at(p, "status"), "InProgress")) {
        answer_arm_error(r->arena, out, 400, false, "BMSUserErrorInvalidInput",
                         "The job is not running and cannot be cancelled.");
        return;
    }
    value_set_string(s->arena, p, "status", "Cancelling");
    value_set_string(s->arena, own, "phase", "cancelling");
    value_set_string(s->arena, own, "due", time_format(s->arena, s->now_ms + 30 * SECOND_MS));
    state_due(&s->jobs_due_ms, s->now_ms + 30 * SECOND_MS);
    value_set_string(r->arena, output, "objectType", "OperationStatusJobExtendedInfo");
    value_set_string(r->arena, output, "jobId", value_str_at(job, "name"));
    id = operation_new(s, "cancel", vault_id, s->now_ms + 30 * SECOND_MS, output, NULL);
    operation_accepted(s, r, out, value_str_at(job, "id"), "operationsStatus", "operationResults", id);
}

void jobs_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id, size_t at)
{
    size_t left = r->n_segments - at;
    const char *name = request_segment(r, at + 1), *what = request_segment(r, at + 2), *id = request_segment(r, at + 3);
    bool get = request_is(r, "GET"), cancel = request_is(r, "POST") && left == 3 && str_eq_nocase(what, "cancel");
    struct value *job;

    if (!get && !cancel) {
        arm_bad_path(r, out);
        return;
    }
    if (!require_rbac(s, r, out, vault_id, cancel ? JOBS "cancel/action" : JOBS "read"))
        return;
    if (left == 1) {
        list_jobs(s, r, out, vault_id);
        return;
    }
    job = find_job(s, r, out, vault_id, name);
    if (!job)
        return;
    if (cancel)
        cancel_job(s, r, out, vault_id, job);
    else if (left == 2)
        answer_json(r->arena, out, 200, show_job(s, r, job, true));
    else if (left == 4 && str_eq_nocase(what, "operationsStatus"))
        operation_answer(s, r, out, vault_id, id);
    else if (left == 4 && str_eq_nocase(what, "operationResults"))
        operation_answer_result(
            s, r, out, vault_id, &(struct operation_place){value_str_at(job, "id"), "operationsStatus", what, id});
    else
        arm_bad_path(r, out);
}
