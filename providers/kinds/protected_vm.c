/* Kind ProtectedVirtualMachine: a VM's protection, its recovery points, and the pass that exports its key. The source VM
 * may be gone; then it is never protected anew. The export belongs here and to the key, not to the restore.
 *
 * Facts: state, itemId, live (protected item), points [{id, time, snapshot, vault, confidential, customerKey,
 * securityType}], source {state, live, power, des}, jobs [job facts], exports [job facts that left a key, newest first,
 * with accountId when declared staging accounts tell it]. */
#include "protected_vm.h"

#include "../azure/blob.h"
#include "../azure/vault.h"
#include "order.h"

#define SOURCE_EXPORT_TIME "one field report: 08:32 to 08:58 (Azure Backup support runbook, March 2026)"

/* --- observing ------------------------------------------------------------------------------------------------------------ */

static const char *tier_word(enum tier_state tier)
{
    return tier == TIER_VALID ? "valid" : tier == TIER_GONE ? "gone" : "absent";
}

static struct value *point_facts(struct arena *a, const struct value *body)
{
    struct value *f = value_map(a);
    struct backup_point p;

    backup_read_point(a, body, &p);
    value_set_string(a, f, "id", p.id);
    if (p.time_ms != TIME_NONE)
        value_set_string(a, f, "time", time_format(a, p.time_ms));
    value_set_string(a, f, "snapshot", tier_word(p.snapshot));
    value_set_string(a, f, "vault", tier_word(p.vault));
    value_set_bool(a, f, "confidential", p.confidential);
    value_set_bool(a, f, "customerKey", p.customer_key);
    value_set_string(a, f, "securityType", p.security_type);
    value_set_bool(a, f, "softDeleted", p.soft_deleted);
    if (p.expiry_ms != TIME_NONE)
        value_set_string(a, f, "expires", time_format(a, p.expiry_ms));
    return f;
}

static int observe_source(struct call *c, const struct observer *o, struct azure *az, struct value *facts, struct err *err)
{
    struct value *source, *live, *view;
    char *id = source_vm_id(o->arena, o->document);

    if (arm_get(az, c, o->arena, id, API_COMPUTE, &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the source VM", err, &source));
    } else {
        source = facts_new(o->arena, "present");
        value_set(o->arena, source, "live", live);
        value_set_string(o->arena, source, "des",
                         value_str_at(live, "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"));
        if (arm_get(az, c, o->arena, arena_printf(o->arena, "%s/instanceView", id), API_COMPUTE, &view, err) == 0)
            value_set_string(o->arena, source, "power", vm_power(view));
        else if (err->class != ERR_NOT_FOUND && err->class != ERR_DENIED)
            return -(int)err->class;
    }
    value_set_string(o->arena, source, "id", id);
    value_set(o->arena, facts, "source", source);
    return 0;
}

/* The id of a staging account of which the job gives the name only: some restore declared from this VM names it. */
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

/* An export that somebody has cleaned up since is none. What cannot be seen counts as there: reading it will tell. */
static int export_is_there(struct call *c, const struct observer *o, struct azure *az, const struct backup_job *job, bool *ret,
                           struct err *err)
{
    struct blob_place place = {
        .endpoint = arena_printf(o->arena, "https://%s%s", job->storage_account, azure_cloud(az)->blob_suffix),
        .account = job->storage_account,
        .container = job->config_container,
        .name = job->encryption_blob,
    };

    *ret = true;
    if (blob_exists(az, c, o->arena, &place, ret, err) == 0 || err->class == ERR_DENIED || err->class == ERR_TRANSIENT)
        return 0;
    return -(int)err->class;
}

static int observe_jobs(struct call *c, const struct observer *o, struct azure *az, struct value *facts, struct err *err)
{
    const struct value *vault = view_facts(o->view, document_target(o->document, "spec.vault"));
    const struct value *list = value_get(vault, "jobs");
    const char *vault_id = reference_id(o->arena, o->document, "spec.vault", recovery_vault_id);
    struct value *jobs = value_set(o->arena, facts, "jobs", value_list(o->arena)),
                 *exports = value_set(o->arena, facts, "exports", value_list(o->arena));

    for (size_t i = 0; i < value_count(list); i++) {
        struct value *body, *f;
        struct backup_job job;
        bool there;

        backup_read_job(o->arena, value_item(list, i), &job);
        if (!str_eq_nocase(job.vm, value_str_at(o->document->spec, "source.name")))
            continue;
        TRY(backup_get_job(az, c, o->arena, vault_id, job.id, &body, err));
        backup_read_job(o->arena, body, &job);
        f = job_to_facts(o->arena, &job);
        value_push(o->arena, jobs, f);
        if (job.state != JOB_FAILED || !job.encryption_blob || !job.config_container || !job.storage_account)
            continue;
        TRY(export_is_there(c, o, az, &job, &there, err));
        if (!there)
            continue;
        value_set_string(o->arena, f, "accountId", account_id(o->arena, o->document, job.storage_account));
        value_push(o->arena, exports, f);
    }
    return 0;
}

static int observe_item(struct call *c, const struct observer *o, struct azure *az, struct value **ret, struct err *err)
{
    const char *vault_id = reference_id(o->arena, o->document, "spec.vault", recovery_vault_id);
    struct value *item, *list, *points;
    const char *item_id;

    if (!vault_id)
        return err_set(err, ERR_INVALID, "spec.vault gives no ARM id");
    if (backup_find_item(az, c, o->arena, vault_id, source_vm_id(o->arena, o->document), &item, err) < 0)
        return facts_from_error(o->arena, "looking for the protected item", err, ret);
    item_id = value_str_at(item, "id");
    if (backup_list_points(az, c, o->arena, item_id, &list, err) < 0)
        return facts_from_error(o->arena, "listing recovery points", err, ret);
    *ret = facts_new(o->arena, "present");
    value_set_string(o->arena, *ret, "itemId", item_id);
    value_set(o->arena, *ret, "live", item);
    points = value_set(o->arena, *ret, "points", value_list(o->arena));
    for (size_t i = 0; i < value_count(list); i++)
        value_push(o->arena, points, point_facts(o->arena, value_item(list, i)));
    return observe_jobs(c, o, az, *ret, err);
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const struct document *vault = document_target(o->document, "spec.vault");
    struct value *facts = NULL;

    if (vault && !str_eq(view_state(o->view, vault), "present"))
        facts = facts_new(o->arena, str_eq(view_state(o->view, vault), "absent") ? "absent" : "unseen");
    else
        TRY(observe_item(c, o, az, &facts, err));
    value_set_string(o->arena, facts, "vaultId", reference_id(o->arena, o->document, "spec.vault", recovery_vault_id));
    TRY(observe_source(c, o, az, facts, err));
    *ret = facts;
    return 0;
}

/* --- what others ask --------------------------------------------------------------------------------------------------------- */

const struct value *protected_vm_point(const struct view *v, const struct document *pvm, const char *id)
{
    const struct value *points = value_get(view_facts(v, pvm), "points");

    for (size_t i = 0; i < value_count(points); i++)
        if (str_eq(value_str_at(value_item(points, i), "id"), id))
            return value_item(points, i);
    return NULL;
}

static const struct value *newest_point(const struct view *v, const struct document *pvm, bool vault_tier)
{
    const struct value *points = value_get(view_facts(v, pvm), "points"), *best = NULL;

    for (size_t i = 0; i < value_count(points); i++) {
        const struct value *p = value_item(points, i);

        if (vault_tier && !str_eq(value_str_at(p, "vault"), "valid"))
            continue;
        if (!best || time_parse(value_str_at(p, "time")) > time_parse(value_str_at(best, "time")))
            best = p;
    }
    return best;
}

const struct value *protected_vm_newest_vault_point(const struct view *v, const struct document *pvm)
{
    return newest_point(v, pvm, true);
}

const char *protected_vm_source_state(const struct view *v, const struct document *pvm)
{
    const struct value *source = value_get(view_facts(v, pvm), "source");

    if (!str_eq(value_str_at(source, "state"), "present"))
        return value_str_at(source, "state") ? value_str_at(source, "state") : "unseen";
    return str_eq_nocase(value_str_at(source, "power"), "running") ? "running" : "stopped";
}

const char *protected_vm_region(const struct view *v, const struct document *pvm)
{
    const char *live = value_str_at(view_facts(v, document_target(pvm, "spec.vault")), "live.location");

    return live ? live : kind_location(pvm);
}

/* --- steps --------------------------------------------------------------------------------------------------------------------- */

static bool stale(const struct view *v, const struct document *doc, const char *field, bool vault_tier, struct steps *out)
{
    int64_t allowed = duration_parse(value_str_at(doc->spec, arena_printf(v->arena, "readiness.%s", field)));
    const struct value *point = newest_point(v, doc, vault_tier);
    int64_t at = point ? time_parse(value_str_at(point, "time")) : TIME_NONE;

    if (allowed < 0 || (at != TIME_NONE && v->now_ms - at <= allowed))
        return false;
    steps_block(out, doc, field, "look at the backup jobs of this VM and at its policy",
                "readiness: the newest %srecovery point %s, allowed are %s", vault_tier ? "vault-tier " : "",
                at == TIME_NONE ? "does not exist" : arena_printf(v->arena, "is %s old", duration_format(v->arena, v->now_ms - at)),
                duration_format(v->arena, allowed));
    return true;
}

static bool protection_broken(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *state = value_str_at(view_facts(v, doc), "live.properties.protectionState");

    if (str_eq_nocase(state, "Protected") || str_eq_nocase(state, "IRPending"))
        return false;
    steps_block(out, doc, "protection", "resume the protection in the vault; reinstate changes nothing on a backup",
                "the source VM exists and its protection is %s", state ? state : "not to be seen");
    return true;
}

static void assert_policy(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *want = value_get(doc->spec, "policy"), *have = value_at(view_facts(v, doc), "live.properties.policyName");

    if (want && !diff_same(want, have, DIFF_NOCASE))
        step_change(out,
                    steps_block(out, doc, "policy", "put the VM under the declared policy in the vault, or declare the one it has",
                                "the VM is under another backup policy than declared"),
                    "live.properties.policyName", have, want, NULL);
}

/* The lost key that elects this VM as its exporter; NULL when none does. */
static const struct document *key_to_export(const struct view *v, const struct document *doc, struct export_election *ret)
{
    const struct document *key;
    size_t at = 0;

    while ((key = referrer_next(doc, "Key", &at))) {
        if (!key_lost(v, key))
            continue;
        *ret = export_elect(v, key);
        if (ret->protected_vm == doc)
            return key;
    }
    return NULL;
}

static struct job_match export_match(const struct view *v, const struct document *doc, const struct export_election *e)
{
    const struct value *point = protected_vm_point(v, doc, e->order.point);

    return (struct job_match){
        .vm = value_str_at(doc->spec, "source.name"),
        .type = RESTORE_DISKS,
        .point_ms = time_parse(value_str_at(point, "time")),
        .target_group = e->restored_vm ? value_str_at(e->restored_vm->spec, "target.resourceGroup") : NULL,
        .since_ms = e->order.not_before_ms,
    };
}

static size_t count_state(const struct value *jobs, const char *state)
{
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++)
        n += str_eq(value_str_at(value_item(jobs, i), "state"), state);
    return n;
}

enum { ATTEMPTS_MAX = 3 };

/* A job that failed without leaving a key: once more if its error says so, else a person. true: a step was added. */
static bool block_failed_export(const struct document *doc, struct steps *out, const struct value *jobs)
{
    size_t failed = count_state(jobs, "failed");
    const struct value *last = value_item(jobs, 0);
    const char *code = value_str_at(last, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    if (failed == 0 || count_state(jobs, "running") || (job_retryable(last) && failed < ATTEMPTS_MAX))
        return false;
    steps_block(out, doc, "export-key", known ? known->action : "look at the job in the portal; the code is not in the table of errors",
                "restore job %s failed with %s and left no key%s%s", value_str_at(last, "job"), code ? code : "an unnamed error",
                known ? ": " : "", known ? known->meaning : "");
    return true;
}

static void steps_export(const struct view *v, const struct document *doc, struct steps *out, const struct export_election *e)
{
    const struct document *rvm = e->restored_vm;
    const struct reference *staging = document_reference(rvm, "spec.target.stagingAccount");
    const char *item = value_str_at(view_facts(v, doc), "itemId");
    struct job_match match = export_match(v, doc, e);
    struct value *jobs = jobs_matching(v->arena, value_get(view_facts(v, doc), "jobs"), &match), *detail;
    struct step *step;

    if (block_failed_export(doc, out, jobs))
        return;
    step = steps_add(out, doc, ACTION_EXPORT_KEY, NULL,
                     count_state(jobs, "running")
                         ? "an export pass for %s is running: it is adopted"
                         : "%s is lost; a restore of disks from this point fails and leaves Azure Backup's copy of the key",
                     e->key->address);
    step->scope = item;
    step->scenario = str_eq(protected_vm_source_state(v, doc), "present") ? "N-17" : "N-30";
    step->precondition = "no export of this key from this point is running or usable, seen twice";
    step->postcondition = "a failed restore job names the blob that holds the key";
    step->estimate_ms = 26 * MINUTE_MS;
    step->estimate_source = SOURCE_EXPORT_TIME;
    step->unverified = "that a disks restore exports the key, and what it leaves behind (no recording of a failing pass is public)";
    step->foretold = "the job will show Failed: that is intended, do not cancel it";
    detail = value_map(v->arena);
    value_set_string(v->arena, detail, "recoveryPoint", e->order.point);
    value_set_string(v->arena, detail, "orderedBy", e->order.activation->name);
    value_set_string(v->arena, detail, "stagingAccount", staging ? staging->id : NULL);
    step->detail = detail;
    step_writes(out, step, "POST", "/recoveryPoints/%s/restore", e->order.point);
    step_right(out, step, value_str_at(view_facts(v, doc), "vaultId"),
               "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action", false,
               "Backup Operator");
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *source = value_str_at(view_facts(v, doc), "source.state");
    struct export_election e;
    size_t before = out->count;

    if (steps_unseen(v, doc, out))
        return;
    if (!str_eq(view_state(v, doc), "present")) {
        steps_block(out, doc, NULL,
                    str_eq(source, "present") ? "protect the VM with an enhanced policy"
                                              : "check the names; without a backup nothing can be restored",
                    "the vault holds no protected item of this VM");
        return;
    }
    if (str_eq(source, "present")) {
        if (!protection_broken(v, doc, out) && !stale(v, doc, "newestVaultPoint", true, out))
            stale(v, doc, "newestPoint", false, out);
        assert_policy(v, doc, out);
    }
    if (key_to_export(v, doc, &e) && !e.export && e.order.state == ORDER_IN_FORCE && e.order.exports) {
        const struct value *point = protected_vm_point(v, doc, e.order.point);

        if (point && str_eq(value_str_at(point, "vault"), "valid"))
            steps_export(v, doc, out, &e);
    }
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL,
                  str_eq(source, "present") ? "protected as declared"
                                            : "the source VM is gone: its backup is kept, it is never protected anew");
}

/* --- acting ---------------------------------------------------------------------------------------------------------------------- */

/* A key that is being recovered is for a while neither among the keys nor among the deleted ones. */
static int key_still_lost(struct call *c, const struct job_run *run, struct err *err)
{
    const struct export_election *e = run->ctx;
    const struct value *key = view_facts(run->actor->view, e->key);
    const char *base = value_str_at(key, "base"), *name = value_str_at(key, "name");
    struct value *found = NULL;

    if (!base || !str_eq(value_str_at(key, "storeState"), "present"))
        return 0;
    if (vault_get_key(run->az, c, run->actor->arena, base, name, NULL, &found, err) < 0 && err->class != ERR_NOT_FOUND)
        return -(int)err->class;
    if (!found && vault_get_deleted_key(run->az, c, run->actor->arena, base, name, &found, err) < 0 && err->class != ERR_NOT_FOUND)
        return -(int)err->class;
    if (!found)
        return 0;
    err_set(err, ERR_CONFLICT, "%s is not lost after all: a look %s later finds it", e->key->address,
            duration_format(run->actor->arena, run->settle_ms));
    return err_advise(err, "plan again; nothing was triggered");
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct document *doc = actor->step->document;
    const struct view *v = actor->view;
    struct export_election e;
    struct backup_job job;
    struct job_run run;
    struct value *before;

    if (!key_to_export(v, doc, &e) || !e.restored_vm)
        return err_set(err, ERR_CONFLICT, "nothing is to be exported any more");
    run = (struct job_run){
        .az = kind_azure(actor->provider, doc),
        .vault_id = value_str_at(view_facts(v, doc), "vaultId"),
        .item_id = actor->step->scope,
        .match = export_match(v, doc, &e),
        .settle_ms = v->settings->settle_ms,
        .bound_ms = restored_vm_timeout(e.restored_vm, "export", v->settings->export_bound_ms),
        .actor = actor,
        .while_running = "will show Failed: intended, do not cancel",
        .still_due = key_still_lost,
        .ctx = &e,
        /* Disks, because they have no name to collide with and their jobs name the container. No set is named. */
        .request =
            {
                .type = RESTORE_DISKS,
                .point = e.order.point,
                .source_vm_id = value_str_at(view_facts(v, doc), "source.id"),
                .region = protected_vm_region(v, doc),
                .storage_account_id = reference_id(actor->arena, e.restored_vm, "spec.target.stagingAccount", NULL),
                .target_group_id = arm_id_parent(actor->arena, restored_vm_id(actor->arena, e.restored_vm), 4),
            },
    };
    before = jobs_matching(actor->arena, value_get(view_facts(v, doc), "jobs"), &run.match);
    TRY(job_run_once(c, &run, count_state(before, "failed"), &job, err));
    if (job.state == JOB_COMPLETED || job.state == JOB_COMPLETED_WITH_WARNINGS) {
        err_set(err, ERR_CONFLICT, "job %s completed: the key was fine after all, and restored disks are in %s", job.id,
                job.target_group ? job.target_group : "the target group");
        return err_advise(err, "plan again; the disks are kept and nothing is restored over them");
    }
    if (job.encryption_blob) {
        actor_say(actor, "job %s failed as foretold (%s) and left the key in storage account %s", job.id,
                  job.error_code ? job.error_code : "no code", job.storage_account ? job.storage_account : "?");
        return 0;
    }
    err_set(err, ERR_BLOCKED, "job %s ended %s with %s and left no key", job.id, job.status, job.error_code ? job.error_code : "no code");
    return err_advise(err, "%s", job.error_text ? job.error_text : "look at the job in the portal");
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items, size_t *count)
{
    const struct value *point = protected_vm_newest_vault_point(v, doc);
    int64_t at = point ? time_parse(value_str_at(point, "expires")) : TIME_NONE;
    struct deadline d = {.at_ms = at, .what = arena_printf(a, "the newest vault-tier recovery point of %s expires", doc->name)};

    if (at != TIME_NONE && at - v->now_ms < 30 * DAY_MS)
        arena_push(a, *items, *count, d);
}

const struct kind protected_vm_kind = {
    .name = "ProtectedVirtualMachine",
    .summary = "A VM's protection: its recovery points and their age, and the pass that exports its key. The VM itself may be gone.",
    .observe = observe,
    .steps = steps,
    .act = act,
    .deadlines = deadlines,
};
