/* Knows the calls of Azure Backup: finding items, points and jobs, ordering a restore once, watching a job. Must not
 * repeat an order: the service starts one job for every order it takes. */
#include <string.h>

#include "../../reconciler/base/text.h"
#include "backup.h"
#include "internal.h"
#include "shared.h"

enum { TRIGGER_BOUND_MS = 15 * MINUTE_MS, JOB_LAG_MS = 5 * MINUTE_MS, ODD_LOOKS_MAX = 10 };

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const char items_filter[] =
    "$filter=backupManagementType%20eq%20%27AzureIaasVM%27%20and%20itemType%20eq%20%27VM%27";

/* By names only when the item says nothing better: the same names exist in other subscriptions. */
static void item_names(struct arena *a, struct index *x, const struct value *item)
{
    const struct value *p = value_get(item, "properties");
    const char *source = arm_id_bare(a, value_str_at(p, "sourceResourceId")),
               *machine = arm_id_bare(a, value_str_at(p, "virtualMachineId"));

    index_put(x, source, item);
    if (!str_eq_nocase(source, machine))
        index_put(x, machine, item);
    if (!source && !machine)
        index_put(x, value_str_at(p, "containerName"), item);
}

/* A live item wins over one that is being deleted. */
static const struct value *item_live(const struct index *x, const char *name, const struct value *found)
{
    for (const struct index_entry *e = index_find(x, name); e; e = e->next)
        if (!found || value_bool_at(found, "properties.isScheduledForDeferredDelete", false))
            found = e->thing;
    return found;
}

int backup_list_items(struct azure *az, struct call *c, struct arena *a, const char *vault_id, const struct value **ret,
                      struct err *err)
{
    const char *path = arena_printf(a, "%s/backupProtectedItems", vault_id);

    return arm_list_shared(
        az, c, a,
        &(struct arm_wanted){
            .path = path, .api = API_RECOVERY, .query = items_filter, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
        ret, err);
}

int backup_find_item(struct azure *az, struct call *c, struct arena *a, const char *vault_id, const char *vm_id,
                     const struct value **ret, struct err *err)
{
    const char *path = arena_printf(a, "%s/backupProtectedItems", vault_id),
               *group = arm_id_part(a, vm_id, "resourceGroups");
    const char *names = arena_printf(a, "iaasvmcontainerv2;%s;%s", group ? group : "", arm_id_name(vm_id));
    struct arm_wanted wanted = {.path = path, .api = API_RECOVERY, .query = items_filter,
                                .since_ms = call_span_ms(c) - SHARED_FRESH_MS};
    struct named_list list = {.names = item_names};
    const struct value *found;

    TRY(arm_list_named(az, c, a, &wanted, &list, err));
    found = item_live(list.items, names, item_live(list.items, arm_id_bare(a, vm_id), NULL));
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "vault %s protects no VM %s", arm_id_name(vault_id), vm_id);
    *ret = found;
    return 0;
}

int backup_list_points(struct azure *az, struct call *c, struct arena *a, const char *item_id, const struct value **ret,
                       struct err *err)
{
    const char *path = arena_printf(a, "%s/recoveryPoints", item_id);

    return arm_list_shared(
        az, c, a,
        &(struct arm_wanted){.path = path, .api = API_RECOVERY, .since_ms = call_span_ms(c) - SHARED_FRESH_MS}, ret,
        err);
}

int backup_get_point(struct azure *az, struct call *c, struct arena *a, const char *item_id, const char *point,
                     struct value **ret, struct err *err)
{
    return arm_get(az, c, a, arena_printf(a, "%s/recoveryPoints/%s", item_id, point), API_RECOVERY, ret, err);
}

static char *jobs_filter(struct arena *a, const char *operation, int64_t since_ms, int64_t now_ms)
{
    struct text query cleanup(text_release) = {0};
    char *filter;

    /* The end lies a day ahead: a job must not be missed because this machine's clock is behind. */
    filter = arena_printf(
        a, "backupManagementType eq 'AzureIaasVM' and operation eq '%s' and startTime eq '%s' and endTime eq '%s'",
        operation, time_format_filter(a, since_ms), time_format_filter(a, now_ms + DAY_MS));
    text_init(&query, 4096);
    text_add(&query, "$filter=");
    text_add_percent(&query, filter);
    return arena_strdup(a, text_str(&query));
}

/* A filter may be ignored or understood otherwise. A job without a readable start is kept, as one that does not say of
 * which operation it is: it could be the one that runs. The second list may hold it too. */
static bool job_wanted(const struct value *job, const char *operation, int64_t since_ms, const struct value *wanted)
{
    int64_t start = time_parse(value_str_at(job, "properties.startTime"));
    enum backup_operation is = backup_operation_of(job);

    if (is == OPERATION_OTHER)
        return false;
    if (is == OPERATION_RESTORE && !str_eq_nocase(value_str_at(job, "properties.operation"), operation))
        return false;
    for (size_t i = 0; is == OPERATION_UNTOLD && i < value_count(wanted); i++)
        if (value_equal(value_item(wanted, i), job))
            return false;
    return start == TIME_NONE || start >= since_ms;
}

static const char *const restores[] = {"Restore", "CrossRegionRestore"};

/* All that ask for the jobs since one moment share one list, though the filter names the present time too. A restore
 * into the paired region is an operation of its own, and keeps the item busy like any other. `shared`: how old. */
static struct arm_wanted jobs_of(struct arena *a, const char *vault_id, const char *operation, int64_t since_ms,
                                 int64_t now_ms, const struct arm_wanted *shared)
{
    const char *path = arena_printf(a, "%s/backupJobs", vault_id);

    return (struct arm_wanted){.path = path,
                               .api = API_RECOVERY,
                               .query = jobs_filter(a, operation, since_ms, now_ms),
                               .key = arena_printf(a, "%s %s since %lld", path, operation, (long long)since_ms),
                               .since_ms = shared->since_ms,
                               .despite_writes = shared->despite_writes};
}

static int list_jobs(struct azure *az, struct call *c, struct arena *a, const char *vault_id, int64_t since_ms,
                     int64_t now_ms, const struct arm_wanted *shared, const struct value **ret, struct err *err)
{
    struct value *wanted = value_list(a);

    for (size_t k = 0; k < COUNT(restores); k++) {
        struct arm_wanted list = jobs_of(a, vault_id, restores[k], since_ms, now_ms, shared);
        const struct value *jobs = NULL;

        TRY(arm_list_shared(az, c, a, &list, &jobs, err));
        for (size_t i = 0; i < value_count(jobs); i++)
            if (job_wanted(value_item(jobs, i), restores[k], since_ms, wanted))
                value_push(a, wanted, value_item(jobs, i));
    }
    *ret = wanted;
    return 0;
}

int backup_list_restore_jobs(struct azure *az, struct call *c, struct arena *a, const char *vault_id, int64_t since_ms,
                             int64_t now_ms, const struct value **ret, struct err *err)
{
    struct arm_wanted shared = {.since_ms = call_span_ms(c) - SHARED_FRESH_MS};

    return list_jobs(az, c, a, vault_id, since_ms, now_ms, &shared, ret, err);
}

int backup_list_jobs_lately(struct azure *az, struct call *c, struct arena *a, const char *vault_id, int64_t since_ms,
                            int64_t now_ms, const struct value **ret, struct err *err)
{
    struct arm_wanted shared = {.since_ms = call_span_ms(c) - SHARED_FRESH_MS, .despite_writes = true};

    return list_jobs(az, c, a, vault_id, since_ms, now_ms, &shared, ret, err);
}

/* Details that lack something may come later: a failed job names what it left minutes after its end. They are read
 * again for a day, and then they are what there is. */
static bool says_no_more(struct call *c, struct arena *a, const struct value *seen)
{
    struct backup_job job;
    int64_t last_ms;

    backup_read_job(a, seen, &job);
    last_ms = job.end_ms != TIME_NONE ? job.end_ms : job.start_ms;
    if (job.detailed && job.type != RESTORE_UNKNOWN && (job.point_ms != TIME_NONE || job.point_text) &&
        (job.state != JOB_FAILED || job.encryption_blob))
        return true;
    return last_ms != TIME_NONE && last_ms < call_now_ms(c) - DAY_MS;
}

int backup_job_details(struct azure *az, struct call *c, struct arena *a, const char *vault_id,
                       const struct value *listed, const struct value **ret, struct err *err)
{
    const char *told = value_str_at(listed, "name"), *name = told ? told : arm_id_name(value_str_at(listed, "id")),
               *path = arena_printf(a, "%s/backupJobs/%s", vault_id, name ? name : "");
    const struct value *seen = arm_seen(az, a, path);
    const char *status = value_str_at(listed, "properties.status");

    if (!name || !*name)
        return err_set(err, ERR_PROTOCOL, "vault %s lists a job without a name, so nobody can tell what it restores",
                       arm_id_name(vault_id));
    /* What a job is about is fixed when it starts, how it ended when it ends. */
    if (seen && status && str_eq(value_str_at(seen, "properties.status"), status) && says_no_more(c, a, seen)) {
        *ret = seen;
        return 0;
    }
    return arm_get_shared(
        az, c, a,
        &(struct arm_wanted){.path = path, .api = API_RECOVERY, .since_ms = call_span_ms(c) - SHARED_FRESH_MS}, ret,
        err);
}

int backup_get_job(struct azure *az, struct call *c, struct arena *a, const char *vault_id, const char *job,
                   struct value **ret, struct err *err)
{
    return arm_get(az, c, a, arena_printf(a, "%s/backupJobs/%s", vault_id, job), API_RECOVERY, ret, err);
}

/* --- ordering ----------------------------------------------------------------------------------------------------- */

/* The last segment of a polling URL's path. */
static char *operation_id(struct arena *a, const struct arm_operation *op)
{
    const char *url = op->async_url ? op->async_url : op->location;
    char *path = url ? arena_strndup(a, url, strcspn(url, "?")) : NULL;

    return path ? arena_strdup(a, arm_id_name(path)) : NULL;
}

static char *vault_of(struct arena *a, const char *item_id)
{
    const char *fabric = str_find_nocase(item_id, "/backupFabrics/");

    return fabric ? arena_strndup(a, item_id, (size_t)(fabric - item_id)) : NULL;
}

/* The job's id: the operation's id is another one in general. */
static int job_of_operation(struct azure *az, struct call *c, struct arena *a, const char *item_id,
                            const struct arm_operation *op, const char **ret_job, struct err *err)
{
    const char *vault = vault_of(a, item_id), *id = operation_id(a, op);
    struct value *status = NULL;

    TRY(arm_follow(az, c, a, op, TRIGGER_BOUND_MS, &status, err));
    /* operationResults may end without a body. */
    if (!value_str_at(status, "properties.jobId") && vault && id)
        TRY(arm_get_view(az, c, a, arena_printf(a, "%s/backupOperations/%s", vault, id), API_RECOVERY, &status, err));
    if (!value_str_at(status, "properties.jobId"))
        return err_set(err, ERR_PROTOCOL, "the operation ended without naming a job");
    *ret_job = value_str_at(status, "properties.jobId");
    return 0;
}

int backup_validate_restore(struct azure *az, struct call *c, struct arena *a, const char *item_id,
                            const struct restore_request *r, struct value **ret, struct err *err)
{
    const char *vault = vault_of(a, item_id), *path = arena_printf(a, "%s/backupValidateOperation", vault ? vault : "");
    struct value *body = value_map(a), *p = value_set(a, body, "properties", value_map(a));
    const struct value *results;
    struct arm_operation op;
    int64_t patience_ms;
    int rc;

    value_set(a, body, "id", value_format(a, "%s/recoveryPoints/%s", item_id, r->point));
    value_set_string(a, p, "objectType", "ValidateIaasVMRestoreOperationRequest");
    value_set(a, p, "restoreRequest", value_get(backup_restore_body(a, r), "properties"));
    patience_ms = call_set_advisory(c);
    rc = arm_send(az, c, a,
                  &(struct arm_sending){
                      .method = HTTP_POST, .path = path, .api = API_RECOVERY, .body = body, .repeat = ARM_ADVISES},
                  &op, err);
    call_set_patience(c, patience_ms);
    TRY(rc);
    results = value_at(op.body, "validateOperationResponse.validationResults");
    *ret = results ? (struct value *)results : value_list(a);
    return 0;
}

/* Refused for certain only if the service's own verdict says so; everything else may have started a job. */
static bool surely_refused(const struct err *err)
{
    return err->code[0] && err->http_status == 0 && err->class != ERR_TRANSIENT && err->class != ERR_THROTTLED;
}

/* After an error inside the service, or an answer that cannot be understood, a job may run all the same: the outcome
 * counts as unknown, so that nobody triggers a second one. */
static int outcome_of_order(struct err *err)
{
    if (err->class == ERR_PROTOCOL || err->http_status >= 500 || err->http_status == 408)
        err->class = ERR_UNKNOWN_OUTCOME;
    if (err->class == ERR_UNKNOWN_OUTCOME)
        err_advise(err, "look at the vault's restore jobs before anything is ordered again");
    return err_note(err, "ordering the restore");
}

int backup_trigger_restore(struct azure *az, struct call *c, struct arena *a, const char *item_id,
                           const struct restore_request *r, const char **ret_job, struct err *err)
{
    const char *path = arena_printf(a, "%s/recoveryPoints/%s/restore", item_id, r->point);
    struct arm_operation op;

    if (arm_send(az, c, a,
                 &(struct arm_sending){.method = HTTP_POST,
                                       .path = path,
                                       .api = API_RECOVERY,
                                       .body = backup_restore_body(a, r),
                                       .repeat = ARM_ONCE},
                 &op, err) < 0)
        return outcome_of_order(err);
    if (job_of_operation(az, c, a, item_id, &op, ret_job, err) == 0)
        return 0;
    if (err->class == ERR_CANCELLED || surely_refused(err))
        return err_note(err, "ordering the restore");
    err->class = ERR_UNKNOWN_OUTCOME;
    err_note(err, "the restore was ordered and taken, but its job is not known");
    return err_advise(err, "look at the vault's restore jobs before anything is ordered again");
}

/* --- watching ----------------------------------------------------------------------------------------------------- */

/* With so many under way one list of the vault's jobs is read for all of them. */
enum { FOLLOWED_MANY = 3, FOLLOWED_EACH_MINUTE = 100, LONGEST_MINUTES = 5 };

/* Often at first, then less, and the less the more are followed: the service counts reads of jobs by the hour, and each
 * job that has ended costs one more. */
static int64_t poll_pause(int64_t elapsed_ms, size_t followed)
{
    int64_t minutes = 2 + (int64_t)followed / FOLLOWED_EACH_MINUTE;

    if (followed >= FOLLOWED_MANY)
        return (minutes < LONGEST_MINUTES ? minutes : LONGEST_MINUTES) * MINUTE_MS;
    if (elapsed_ms < 10 * MINUTE_MS)
        return 30 * SECOND_MS;
    return elapsed_ms < HOUR_MS ? MINUTE_MS : 2 * MINUTE_MS;
}

/* Trouble that passes must not end hours of waiting; a job is not readable at once after its order. */
static bool worth_waiting(const struct err *err, int64_t elapsed_ms)
{
    return err->class == ERR_TRANSIENT || err->class == ERR_THROTTLED || azure_is_odd(err) ||
           (err->class == ERR_NOT_FOUND && elapsed_ms < JOB_LAG_MS);
}

static void put_job(struct arena *a, struct index *x, const struct value *item)
{
    const char *name = value_str_at(item, "name");

    index_put(x, name ? name : arena_strdup(a, arm_id_name(value_str_at(item, "id"))), item);
}

/* With several jobs under way their states are read from one list; only what has ended is looked at
 * by itself. True: it runs. A list may be older than a job that has just been triggered. */
static bool listed_as_running(struct azure *az, struct call *c, struct arena *a, const char *vault_id, const char *job,
                              int64_t pause_ms, int64_t elapsed_ms)
{
    int64_t now = call_now_ms(c);
    struct arm_wanted shared = {.since_ms = call_span_ms(c) - pause_ms * 3 / 4, .despite_writes = true};
    const struct value *listed = NULL;
    struct backup_job seen;
    struct err ignored;

    if (*azure_followed(az) < FOLLOWED_MANY)
        return false;
    for (size_t k = 0; k < COUNT(restores); k++) {
        struct arm_wanted wanted = jobs_of(a, vault_id, restores[k], (now - DAY_MS) / DAY_MS * DAY_MS, now, &shared);
        struct named_list list = {.names = put_job};

        if (arm_list_named(az, c, a, &wanted, &list, &ignored) < 0)
            return false;
        listed = listed ? listed : index_get(list.items, job);
    }
    if (listed) {
        backup_read_job(a, listed, &seen);
        return seen.state == JOB_RUNNING || seen.state == JOB_CANCELLING;
    }
    return elapsed_ms < JOB_LAG_MS;
}

static int follow(struct azure *az, struct call *c, struct arena *a, const struct backup_following *f,
                  struct backup_job *ret, struct err *err)
{
    const char *vault_id = f->vault_id, *job = f->job;
    int64_t start_ms = call_span_ms(c);
    struct backup_job seen = {0};
    const char *path = arena_printf(a, "%s/backupJobs/%s", vault_id, job);
    int odd = 0;

    for (;;) {
        /* Hours of polling would pile up in the caller's arena. */
        struct arena *scratch cleanup(arena_freep) = arena_new();
        int64_t elapsed = call_span_ms(c) - start_ms, pause = poll_pause(elapsed, *azure_followed(az));
        const struct value *body = NULL;

        if (listed_as_running(az, c, scratch, vault_id, job, pause, elapsed)) {
            /* Nothing to be told. */
        } else if (arm_get_shared(az, c, scratch,
                                  &(struct arm_wanted){.path = path, .api = API_RECOVERY, .since_ms = call_span_ms(c)},
                                  &body, err) == 0) {
            /* Shared, so that the next look, which asks what has become of it, does not read it again. */
            backup_read_job(scratch, body, &seen);
            if (!backup_job_lasts(&seen)) {
                backup_read_job(a, body, ret);
                return 0;
            }
            odd = 0;
            if (f->progress)
                f->progress(f->ctx, &seen);
        } else if (!worth_waiting(err, elapsed) || (azure_is_odd(err) && ++odd > ODD_LOOKS_MAX)) {
            return err_note(err, "watching job %s", job);
        } else if (err->retry_after_ms > pause) {
            pause = err->retry_after_ms;
        }
        if (elapsed + pause > f->bound_ms) {
            err_set(err, ERR_BLOCKED, "job %s is still running after %s", job, duration_format(scratch, elapsed));
            return err_advise(err, "it goes on in Azure and will be adopted; run again later");
        }
        TRY(call_sleep_ms(c, pause, "a restore job", err));
    }
}

int backup_follow_job(struct azure *az, struct call *c, struct arena *a, const struct backup_following *f,
                      struct backup_job *ret, struct err *err)
{
    int rc;

    ++*azure_followed(az);
    rc = follow(az, c, a, f, ret, err);
    --*azure_followed(az);
    return rc;
}
