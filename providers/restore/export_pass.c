/* The pass that exports a lost key: a restore of disks that is expected to fail, one for each key. It belongs to the
 * source VM's protection and to the key, not to the restore. Must not elect the exporter: election.c does. */
#include "export_beside.h"
#include "../backup/job_run.h"
#include "election.h"
#include "../backup/points.h"
#include "claims.h"
#include "../backup/order.h"
#include "../keys/lost.h"
#include "../keys/refused.h"
#include "../keys/revived.h"
#include "../documents/spends.h"
#include "jobs.h"
#include "obstacles.h"
#include "left.h"
#include "export_pass.h"

#define SOURCE_EXPORT_TIME "one field report: 08:32 to 08:58 (Azure Backup support runbook, March 2026)"

/* --- steps -------------------------------------------------------------------------------------------------------- */

/* The lost key that elects this VM as its exporter; NULL when none does. */
static const struct document *key_to_export(const struct view *v, const struct document *doc,
                                            struct export_election *ret)
{
    const struct document *key, *store;
    size_t at = 0;

    while ((key = referrer_next(doc, "Key", &at))) {
        store = document_target(key, "spec.store");
        /* Without a store that could take the copy it would only lie about; an HSM's may not even
         * be openable by anybody. */
        if (!key_wants_export(v, key) || (store && view_prospect(v, store) == PROSPECT_BLOCKED))
            continue;
        *ret = export_elect(v, key);
        if (ret->protected_vm == doc)
            return key;
    }
    return NULL;
}

static const struct value *running_of(const struct value *jobs)
{
    for (size_t i = 0; i < value_count(jobs); i++)
        if (str_eq(value_str_at(value_item(jobs, i), "state"), "running"))
            return value_item(jobs, i);
    return NULL;
}

static size_t count_state(const struct value *jobs, const char *state)
{
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++)
        n += str_eq(value_str_at(value_item(jobs, i), "state"), state);
    return n;
}

enum { ATTEMPTS_MAX = 3 };

/* Microsoft's article names no set in this pass, its support people name one, and either may be what the service wants:
 * a pass that failed for its key and left none is made once more with a set named, the source VM's own or else the
 * declared one. NULL: neither set is there, or a second pass is not due. */
static const char *set_to_name(const struct view *v, const struct document *doc, const struct export_election *e,
                               const struct value *jobs)
{
    const struct value *source = value_get(view_facts(v, doc), "source"), *last = value_item(jobs, 0);
    const struct document *declared = e->restored_vm ? document_target(e->restored_vm, "spec.diskEncryptionSet") : NULL;
    const char *code = value_str_at(last, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    if (count_state(jobs, "failed") != 1 || value_str_at(last, "blob") || !known ||
        (known->cure != CURE_KEY && known->cure != CURE_SET))
        return NULL;
    if (str_eq(value_str_at(source, "set.state"), "present"))
        return value_str_at(source, "des");
    return declared && str_eq(view_state(v, declared), "present")
               ? reference_id(v->arena, e->restored_vm, "spec.diskEncryptionSet", disk_encryption_set_id)
               : NULL;
}

/* At most one pass for an order: what it left is used up or of no use. */
static const char *export_anew(const struct view *v, const struct document *rvm)
{
    return arena_printf(
        v->arena, "withdraw the present order and give a new one, under another name: reinstate activate -f ... %s",
        rvm->name);
}

/* A job that failed without leaving a key: once more if its error says so, else a person. true: a step was added. */
static bool block_failed_export(const struct view *v, const struct document *doc, const struct export_election *e,
                                struct steps *out, const struct value *jobs, bool can_name_set)
{
    size_t failed = restored_vm_failures(jobs);
    const struct value *last = value_item(jobs, 0);
    const char *code = value_str_at(last, "code");
    const struct azure_error *known = job_error(last);
    const struct value *unusable =
        value_str_at(last, "blob") ? key_refusal_of(v, e->key, key_export_told_by(v->arena, last)) : NULL;

    if (failed == 0 || count_state(jobs, "running") || (job_retryable(last) && failed < ATTEMPTS_MAX) || can_name_set)
        return false;
    if (job_cancelled(last))
        steps_block(out, doc, "export-key",
                    arena_printf(v->arena,
                                 "ask who cancelled it and why (the vault's activity log names them); then %s",
                                 export_anew(v, e->restored_vm)),
                    "restore job %s, the pass of this order, %s at Azure by a person or a service, and is not tried "
                    "again by itself",
                    value_str_at(last, "job"), job_lasts(last) ? "is being cancelled" : "was cancelled");
    else if (unusable)
        steps_block(out, doc, "export-key", export_anew(v, e->restored_vm),
                    "%s; an order makes one pass, so this one has none left", key_refusal_words(v->arena, unusable));
    else if (value_bool_at(last, "blobGone", false))
        steps_block(out, doc, "export-key", export_anew(v, e->restored_vm),
                    "restore job %s exported the key, and the export is gone from storage account %s: an order makes "
                    "one pass, so this one "
                    "has none left",
                    value_str_at(last, "job"), value_str_at(last, "account"));
    else
        steps_block(out, doc, "export-key",
                    known ? known->action : "look at the job in the portal; the code is not in the table of errors",
                    "restore job %s failed with %s and left no key%s%s", value_str_at(last, "job"),
                    code ? code : "an unnamed error", known ? ": " : "", known ? known->meaning : "");
    return true;
}

/* What stands in the way of the restore that pays for the pass. true: a step was added. */
static bool block_hindered_export(const struct view *v, const struct document *doc, struct steps *out,
                                  const struct export_election *e)
{
    struct obstacle claim;

    if (e->obstacle) {
        export_note_others(v, e, out,
                           steps_block(out, doc, "export-key", e->obstacle->next,
                                       "%s is lost and cannot be exported: %s", e->key->address, e->obstacle->reason));
        return true;
    }
    if (!claim_stands(v, situation_of(v, e->restored_vm), true, &claim) || !claim.stops)
        return false;
    steps_block(out, doc, "export-key", claim.next, "%s is lost and is not exported: %s", e->key->address,
                claim.reason);
    return true;
}

/* The pass is done for the machine whose point is wrapped with the key, and for the ordered ones whose set uses it, or
 * a version of it that comes back with it. */
static void serve_ordered(const struct view *v, const struct export_election *e, struct steps *out, struct step *step)
{
    if (e->order.state == ORDER_IN_FORCE)
        step_serves(out, step, e->restored_vm);
    order_serve(v, e->key, out, step);
    key_serve_with(v, e->key, out, step);
}

/* A pass whose restore has become impossible while it waited would fail in vain: the machine that it is made for, its
 * place, set and grants are looked at with the key, right before the trigger. */
static void look_at_machine(const struct view *v, const struct export_election *e, struct steps *out,
                            struct step *step)
{
    const struct situation *s = situation_of(v, e->restored_vm);

    step_look(out, step, e->restored_vm);
    for (size_t i = 0; i < s->n_grants; i++)
        step_look(out, step, s->grants[i]);
}

const char *export_wanting(const struct view *v, const struct document *pvm)
{
    const struct value *facts = view_facts(v, pvm), *jobs = value_get(facts, "jobs"),
                       *unreadable = value_get(facts, "unreadable");
    const char *words = NULL;

    for (size_t i = 0; i < value_count(jobs); i++)
        if (value_bool_at(value_item(jobs, i), "blobGone", false))
            words = arena_printf(v->arena, "%s%sjob %s exported the key, and that is gone from storage account %s",
                                 words ? words : "", words ? "; " : "", value_str_at(value_item(jobs, i), "job"),
                                 value_str_at(value_item(jobs, i), "account"));
    for (size_t i = 0; i < value_count(unreadable); i++)
        words = arena_printf(v->arena,
                             "%s%sjob %s exported a key into storage account %s, which we may not read: with Storage "
                             "Blob Data Reader there it could be used, and this pass would be spared",
                             words ? words : "", words ? "; " : "", value_str_at(value_item(unreadable, i), "job"),
                             value_str_at(value_item(unreadable, i), "account"));
    return words;
}

/* What there is of exports already, and why none of it spares the pass. */
static void note_exports_passed_over(const struct view *v, const struct document *doc, const struct document *key,
                                     struct steps *out, struct step *step)
{
    const struct value *older = value_get(view_facts(v, doc), "exports");
    const char *wanting = export_wanting(v, doc);

    for (size_t i = 0; i < value_count(older); i++) {
        const struct value *one = value_item(older, i),
                           *refusal = key_refusal_of(v, key, key_export_told_by(v->arena, one));
        const char *point = value_str_at(one, "point");

        if (refusal)
            step_note(out, step, "%s", key_refusal_words(v->arena, refusal));
        else
            step_note(
                out, step,
                "what job %s exported is of another point (%s) than the one ordered: it may lack the version or be of "
                "another key, and is not used",
                value_str_at(one, "job"), point ? point : "time unreadable");
    }
    if (wanting)
        step_note(out, step, "%s", wanting);
    step_note(out, step, "exports were looked for among the jobs of the last %s (--export-lookback)",
              duration_format(v->arena, v->settings->export_lookback_ms));
}

/* What stands against a pass. true: a step says so. A pass that runs already is followed whatever stands beside it. */
static bool block_export(const struct view *v, const struct document *doc, struct steps *out,
                         const struct export_election *e, const struct job_match *match, const struct value *jobs,
                         const char *named)
{
    bool runs = running_of(jobs) != NULL;

    if (!runs &&
        restored_vm_other_job(v, doc, e->restored_vm->name, value_get(view_facts(v, doc), "jobs"), match, out))
        return true;
    return block_failed_export(v, doc, e, out, jobs, named != NULL) ||
           (!runs && (block_hindered_export(v, doc, out, e) || export_beside_blocks(v, doc, out, e)));
}

/* What the step does. `named`: the set that the request names; NULL: none. */
static struct step *add_export(const struct view *v, const struct document *doc, struct steps *out,
                               const struct export_election *e, const struct value *running, const char *named)
{
    const struct reference *staging = document_reference(e->restored_vm, "spec.target.stagingAccount");
    struct value *detail = value_map(v->arena);
    struct step *step = steps_add(
        out, doc, ACTION_EXPORT_KEY, NULL,
        running ? "an export pass for %s is running: it is adopted"
        : named
            ? "%s is lost; a pass that named no disk encryption set failed and left no key: once more, with one named"
            : "%s is lost; a restore of disks from this point fails and leaves Azure Backup's copy of the key",
        e->key->address);
    step->scope = value_str_at(view_facts(v, doc), "itemId");
    step->precondition = "no export of this key from this point is running or usable, seen twice";
    step->postcondition = "a failed restore job names the blob that holds the key";
    spends_add(out, step, azure_job_allowance(), step->scope);
    step->estimate_ms = job_remaining_ms(running, 26 * MINUTE_MS, v->now_ms);
    step->estimate_source = SOURCE_EXPORT_TIME;
    step->unverified =
        "that a disks restore exports the key, and what it leaves behind (no recording of a failing pass is public)";
    step->foretold = "the job will show Failed: that is intended, do not cancel it";
    step->fails = true;
    step_leaves(out, step, "the exported key and what the failing restore makes, in %s",
                staging ? arm_id_name(staging->id) : "its staging account");
    value_set_string(v->arena, detail, "recoveryPoint", e->order.point);
    value_set_string(v->arena, detail, "orderedBy", e->order.activation->name);
    value_set_string(v->arena, detail, "stagingAccount", staging ? staging->id : NULL);
    step->detail = detail;
    step->elected = true;
    step->adopts = value_str_at(running, "job");
    return step;
}

static void steps_export(const struct view *v, const struct document *doc, struct steps *out,
                         const struct export_election *e, const char *scenario)
{
    const struct value *all = value_get(view_facts(v, doc), "jobs"), *running;
    struct job_match match = export_match(v, doc, e->restored_vm, &e->order);
    struct value *jobs = jobs_matching(v->arena, all, &match);
    const char *named = set_to_name(v, doc, e, jobs);
    struct step *step;

    if (block_export(v, doc, out, e, &match, jobs, named))
        return;
    running = running_of(jobs);
    step = add_export(v, doc, out, e, running, named);
    step->scenario = scenario;
    /* A second failing pass is no matter of course: this change is what policy asks a name for. */
    if (named)
        step_change(out, step, "securedVMDetails.securedVMOsDiskEncryptionSetId", NULL, value_string(v->arena, named),
                    "Microsoft's article names none in this pass, its support runbook of March 2026 names one");
    key_note_revived(v, e->key, out, step);
    key_note_left_out(v, e->key, out, step);
    restored_vm_note_other_job(v, all, &match, out, step);
    note_exports_passed_over(v, doc, e->key, out, step);
    export_note_others(v, e, out, step);
    serve_ordered(v, e, out, step);
    if (!step->adopts)
        look_at_machine(v, e, out, step);
    /* The copy needs a place to go to, so the pass waits for its store to be made or to come back. */
    if (!step->adopts)
        view_need(v, out, step, document_target(e->key, "spec.store"));
    step_writes(out, step, "POST", "/recoveryPoints/%s/restore", e->order.point);
    if (!running)
        export_claim_writes(v, e->key, e->restored_vm, out, step);
    step_right(out, step, value_str_at(view_facts(v, doc), "vaultId"),
               "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/"
               "restore/action",
               false, "Backup Operator");
}

void protected_vm_export_steps(const struct view *v, const struct document *doc, struct steps *out)
{
    struct export_election e;
    struct dx_prediction plain;
    const struct value *point;
    const struct situation *s;

    if (!key_to_export(v, doc, &e) || e.export)
        return;
    if (e.useless)
        return;
    /* What runs is adopted, even if its order has ended since. */
    if (!e.running && (e.order.state != ORDER_IN_FORCE || !e.order.exports))
        return;
    /* A pass that is foreseen to complete would export nothing. */
    s = situation_of(v, e.restored_vm);
    plain = diagnose(&s->now, s->article);
    if (!e.running && plain.row && plain.outcome == DX_SUCCEEDS)
        return;
    point = protected_vm_point(v, doc, e.order.point);
    if (e.running || (point && str_eq(value_str_at(point, "vault"), "valid")))
        steps_export(v, doc, out, &e, dx_scenario(&plain));
}

/* --- acting ------------------------------------------------------------------------------------------------------- */

/* Disks, because they have no name to collide with and their jobs name the container. */
static struct restore_request export_request(const struct view *v, const struct document *doc,
                                             const struct export_election *e)
{
    struct job_match match = export_match(v, doc, e->restored_vm, &e->order);

    return (struct restore_request){
        .type = RESTORE_DISKS,
        .point = e->order.point,
        .source_vm_id = value_str_at(view_facts(v, doc), "source.id"),
        .region = protected_vm_region(v, doc),
        .storage_account_id = reference_id(v->arena, e->restored_vm, "spec.target.stagingAccount", NULL),
        .target_group_id = arm_id_parent(v->arena, restored_vm_id(v->arena, e->restored_vm), 4),
        .des_id = set_to_name(v, doc, e, jobs_matching(v->arena, value_get(view_facts(v, doc), "jobs"), &match)),
    };
}

bool protected_vm_export_request(const struct view *v, const struct document *doc, struct restore_request *ret,
                                 struct job_match *ret_match)
{
    struct export_election e;

    if (!key_to_export(v, doc, &e) || !e.restored_vm)
        return false;
    *ret = export_request(v, doc, &e);
    *ret_match = export_match(v, doc, e.restored_vm, &e.order);
    return true;
}

/* Where a pass fails, the job may name what it left only a while after its end. */
static int await_names(struct call *c, const struct job_run *run, struct backup_job *job, struct err *err)
{
    enum { LOOKS = 4 };

    for (int i = 0; i < LOOKS && job->state == JOB_FAILED && !job->encryption_blob; i++) {
        struct value *body;

        actor_say(run->actor, "job %s has failed and names no exported key yet; looking again in %s", job->id,
                  duration_format(run->actor->arena, run->settle_ms));
        TRY(actor_wait(run->actor, c, run->settle_ms, "the failed job to name the exported key", err));
        TRY(backup_get_job(run->az, c, run->actor->arena, run->vault_id, job->id, &body, err));
        backup_read_job(run->actor->arena, body, job);
    }
    return 0;
}

static struct job_run export_run(const struct actor *actor, const struct export_pass *pass)
{
    const struct document *doc = actor->step->document;
    const struct view *v = actor->view;
    const struct export_election *e = &pass->elected;

    return (struct job_run){
        .az = kind_azure(actor->provider, doc),
        .vault_id = value_str_at(view_facts(v, doc), "vaultId"),
        .item_id = actor->step->scope,
        .match = export_match(v, doc, e->restored_vm, &e->order),
        .claim = export_claim(v, doc, e->key, &e->order),
        .seen = value_get(view_facts(v, doc), "jobs"),
        .settle_ms = v->settings->settle_ms,
        .bound_ms = restored_vm_timeout(e->restored_vm, "export", v->settings->export_bound_ms),
        .ordered = e->restored_vm->name,
        .order = e->order.activation,
        .not_after_ms = e->order.not_after_ms,
        .adopt_only = e->running || e->order.state != ORDER_IN_FORCE,
        .must_read = true,
        .actor = actor,
        .while_running = "will show Failed: intended, do not cancel",
        .still_due = export_still_due,
        .ctx = pass,
        .request = export_request(v, doc, e),
    };
}

/* The pass has ended: it was meant to fail and to leave the key. */
static int export_ended(const struct actor *actor, const struct backup_job *job, struct err *err)
{
    if (job->encryption_blob) {
        actor_say(actor, "job %s failed as foretold (%s) and left the key in storage account %s", job->id,
                  job->error_code ? job->error_code : "no code", job->storage_account ? job->storage_account : "?");
        return 0;
    }
    err_set(err, ERR_BLOCKED, "job %s ended %s with %s and left no key", job->id, job->status,
            job->error_code ? job->error_code : "no code");
    return err_advise(err, "%s", job->error_text ? job->error_text : "look at the job in the portal");
}

int protected_vm_export_act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct value *left = NULL;
    struct export_pass pass = {.left = &left};
    struct backup_job job;
    struct job_run run;
    struct value *before;

    if (!key_to_export(actor->view, actor->step->document, &pass.elected) || !pass.elected.restored_vm)
        return err_set(err, ERR_CONFLICT, "nothing is to be exported any more");
    run = export_run(actor, &pass);
    before = jobs_matching(actor->arena, run.seen, &run.match);
    TRY(jobs_await_others(run.az, c, actor, run.vault_id, &run.match, run.bound_ms, err));
    TRY(export_left_meanwhile(c, &run, &left, err));
    run.failed_before = count_state(before, "failed");
    if (!left && job_run_once(c, &run, &job, err) < 0 && !left)
        return -(int)err->class;
    if (left) {
        actor_say(actor, "%s has left an exported key meanwhile: it is used, and nothing is triggered",
                  job_words(actor->arena, left));
        /* What another machine left is seen once that machine is looked at again. */
        return job_whose(left, run.match.group, run.match.vm) == JOB_OF_MACHINE
                   ? 0
                   : err_set(err, ERR_CONFLICT, "%s has exported the key", job_words(actor->arena, left));
    }
    TRY(await_names(c, &run, &job, err));
    if (job.state == JOB_COMPLETED || job.state == JOB_COMPLETED_WITH_WARNINGS) {
        err_set(err, ERR_CONFLICT, "job %s completed: the key was fine after all, and restored disks are in %s", job.id,
                job.target_group ? job.target_group : "the target group");
        return err_advise(err, "plan again; the disks are kept and nothing is restored over them");
    }
    restore_left_say(c, actor, run.az, situation_of(actor->view, pass.elected.restored_vm), &job);
    return export_ended(actor, &job, err);
}
