/* Knows how the restore jobs of a machine, and the exports they left, are looked at. Must not know what is due because
 * of them. */
#include "protected_vm.h"

#include "../backup/points.h"

#include "../azure/blob.h"
#include "../restore/claims.h"

#define RECENT_MS (8 * (int64_t)DAY_MS)

/* The id of a staging account, of which a job gives only the name: taken from a restore declared from this VM. */
static const char *account_id(struct arena *a, const struct document *pvm, const char *name)
{
    const struct document *rvm;
    size_t at = 0;

    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        const struct reference *ref = document_reference(rvm, "spec.target.stagingAccount");

        if (ref && ref->id && str_eq_nocase(arm_id_name(ref->id), name))
            return arena_strdup(a, ref->id);
    }
    return NULL;
}

/* An export that somebody has cleaned up since is none: "gone". "denied" is a right that we lack; whether what could
 * not be seen for other reasons is there, reading it will tell. */
static int export_seen(struct call *c, const struct observer *o, struct azure *az, const struct backup_job *job,
                       const char *endpoint, const char **ret, struct err *err)
{
    struct blob_place place = {
        .endpoint = endpoint,
        .account = job->storage_account,
        .container = job->config_container,
        .name = job->encryption_blob,
    };
    bool there = true;

    if (blob_exists(az, c, o->arena, &place, &there, err) == 0)
        *ret = there ? "there" : "gone";
    else if (err->class == ERR_DENIED || err->class == ERR_TRANSIENT)
        *ret = err->class == ERR_DENIED ? "denied" : "unseen";
    else
        return -(int)err->class;
    return 0;
}

/* A key that a job has exported is usable as long as it is there, and looked after until it is gone. */
static int observe_export(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                          const struct backup_job *job, struct value *job_facts, struct err *err)
{
    int64_t oldest_ms = call_now_ms(c) - o->view->settings->export_lookback_ms;
    struct value *left;
    const char *seen = "unseen", *id, *endpoint;

    if (job->state != JOB_FAILED || !job->encryption_blob || !job->config_container || !job->storage_account)
        return 0;
    id = account_id(o->arena, o->document, job->storage_account);
    TRY(blob_endpoint(az, c, o->arena, id, job->storage_account, &endpoint, err));
    TRY(export_seen(c, o, az, job, endpoint, &seen, err));
    value_set_string(o->arena, job_facts, "endpoint", endpoint);
    if (str_eq(seen, "gone")) {
        value_set_bool(o->arena, job_facts, "blobGone", true);
        return 0;
    }
    left = value_copy(o->arena, job_facts);
    value_set_string(o->arena, left, "seen", seen);
    value_push(o->arena, value_get(facts, "leftovers"), left);
    if (job->start_ms != TIME_NONE && job->start_ms < oldest_ms)
        return 0;
    value_set_string(o->arena, job_facts, "accountId", id);
    /* Where a token is refused, the account's own key may do: that is tried on declared accounts only. */
    if (str_eq(seen, "denied") && !value_get(job_facts, "accountId"))
        value_push(o->arena, value_get(facts, "unreadable"), left);
    else
        value_push(o->arena, value_get(facts, "exports"), job_facts);
    return 0;
}

/* One list for all VMs of a vault; one that no document declares is asked here. */
static int vault_jobs(struct call *c, const struct observer *o, struct azure *az, const char *vault_id,
                      struct value *facts, const struct value **ret, struct err *err)
{
    const struct document *vault = document_target(o->document, "spec.vault");
    int64_t now = call_now_ms(c), since = protected_vm_jobs_since(o->view->settings, now);
    const struct value *list = NULL;

    *ret = value_get(view_facts(o->view, vault), "jobs");
    if (vault)
        return 0;
    if (backup_list_restore_jobs(az, c, o->arena, vault_id, since, now, &list, err) < 0) {
        if (err->class != ERR_DENIED || err->http_status != 403)
            return err_note(err, "listing the vault's restore jobs");
        /* Without them nobody knows whether a restore runs or is done. */
        value_set_string(o->arena, facts, "state", "unseen");
        value_set_string(o->arena, facts, "why",
                         arena_printf(o->arena, "listing the vault's restore jobs: %s", err->text));
        value_set_string(o->arena, facts, "jobsWhy", value_str_at(facts, "why"));
    }
    *ret = list;
    return 0;
}

/* Orders last some days; what has failed may have left a key, and what runs stands in the way, however old. */
static bool worth_details(const struct backup_job *job, int64_t now_ms)
{
    return job->start_ms == TIME_NONE || job->start_ms >= now_ms - RECENT_MS || job->state == JOB_FAILED ||
           backup_job_lasts(job);
}

int protected_vm_observe_jobs(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                              struct err *err)
{
    const char *vault_id = reference_id(o->arena, o->document, "spec.vault", recovery_vault_id);
    struct job_match match = protected_vm_match(o->view, o->document);
    struct value *jobs = value_set(o->arena, facts, "jobs", value_list(o->arena)), *told = NULL;
    const struct value *list;

    value_set(o->arena, facts, "exports", value_list(o->arena));
    value_set(o->arena, facts, "unreadable", value_list(o->arena));
    value_set(o->arena, facts, "leftovers", value_list(o->arena));
    TRY(vault_jobs(c, o, az, vault_id, facts, &list, err));
    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *body;
        struct value *f;
        struct backup_job job;
        enum job_whose whose;

        if (backup_job_of_another(value_item(list, i), match.group, match.vm))
            continue;
        backup_read_job(o->arena, value_item(list, i), &job);
        if (job_whose(job_to_facts(o->arena, &job), match.group, match.vm) == JOB_OF_ANOTHER ||
            !worth_details(&job, call_now_ms(c)))
            continue;
        TRY(backup_job_details(az, c, o->arena, vault_id, value_item(list, i), &body, err));
        if (backup_operation_of(body) == OPERATION_OTHER)
            continue;
        backup_read_job(o->arena, body, &job);
        f = job_to_facts(o->arena, &job);
        whose = job_whose(f, match.group, match.vm);
        if (whose != JOB_OF_ANOTHER)
            value_push(o->arena, jobs, f);
        if (whose == JOB_OF_MACHINE && !job_says_all(f))
            TRY(claims_tell_job(c, o, az, value_get(facts, "points"), &told, f, err));
        if (whose == JOB_OF_MACHINE)
            TRY(observe_export(c, o, az, facts, &job, f, err));
    }
    return 0;
}
