/* Kind RestoredVirtualMachine: where and how a VM would come back. By itself it is on standby; an Activation orders it.
 * The second restore is decided against in restore_job.c; whether one is due at all is decided here:
 *
 *   order       our jobs since notBefore   VM at target   source          ->
 *   none        -                          -              -               standby (or: present as declared)
 *   in force    running                    -              -               adopt the job
 *   in force    completed                  gone           -               done for good: nothing
 *   in force    completed                  there          -               started, if declared running and it is not
 *   in force    failed                     -              -               again, if its error says so, at most three times
 *   in force    none                       there          -               satisfied, or blocked when it is another machine
 *   in force    none                       gone           healed/healthy  nothing, unless declared besides
 *   in force    none                       gone           lost            restore
 *   expired     not completed              -              -               blocked
 *
 * Facts: state, id, live, des, power. */
#include "protected_vm.h"
#include "situation.h"

#define SOURCE_RESTORE_TIME "recorded: 2 min 30 s from both tiers, 35 min 38 s for 127 GB from the vault tier"

enum { ATTEMPTS_MAX = 3 };

/* --- observing --------------------------------------------------------------------------------------------------------------- */

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    char *id = restored_vm_id(o->arena, o->document);
    struct value *facts, *live, *view;

    if (arm_get(az, c, o->arena, id, API_COMPUTE, &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the VM at the target", err, &facts));
    } else {
        facts = facts_new(o->arena, "present");
        value_set(o->arena, facts, "live", live);
        value_set_string(o->arena, facts, "des",
                         value_str_at(live, "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"));
        if (arm_get(az, c, o->arena, arena_printf(o->arena, "%s/instanceView", id), API_COMPUTE, &view, err) == 0)
            value_set_string(o->arena, facts, "power", vm_power(view));
        else if (err->class != ERR_NOT_FOUND && err->class != ERR_DENIED)
            return -(int)err->class;
    }
    value_set_string(o->arena, facts, "id", id);
    *ret = facts;
    return 0;
}

/* --- what is known -------------------------------------------------------------------------------------------------------------- */

static const struct value *job_in(const struct value *jobs, const char *state)
{
    for (size_t i = 0; i < value_count(jobs); i++)
        if (str_eq(value_str_at(value_item(jobs, i), "state"), state))
            return value_item(jobs, i);
    return NULL;
}

static size_t jobs_failed(const struct value *jobs)
{
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++)
        n +=
            str_eq(value_str_at(value_item(jobs, i), "state"), "failed") || str_eq(value_str_at(value_item(jobs, i), "state"), "cancelled");
    return n;
}

/* What the VM at the target lacks of its declaration; NULL: nothing. Power is apart, since it can be mended. */
static const char *target_differs(const struct view *v, const struct situation *s)
{
    const struct value *facts = view_facts(v, s->doc), *live = value_get(facts, "live");
    const char *des = value_str_at(facts, "des");

    if (!str_eq_nocase(value_str_at(live, "properties.provisioningState"), "Succeeded"))
        return arena_printf(v->arena, "its provisioning state is %s", value_str_at(live, "properties.provisioningState"));
    if (s->now.encryption == DX_PMK)
        return NULL;
    if (!str_eq_nocase(value_str_at(live, "properties.securityProfile.securityType"), "ConfidentialVM"))
        return "it is no confidential VM";
    if (s->des_id && !arm_id_equal(des ? des : "", s->des_id))
        return arena_printf(v->arena, "its disk encryption set is %s", des ? des : "none");
    return NULL;
}

static bool wants_running(const struct document *doc)
{
    return str_eq(value_str_at(doc->spec, "verify.powerState"), "running");
}

/* --- steps ---------------------------------------------------------------------------------------------------------------------------- */

static const char *describe_point(const struct view *v, const struct situation *s)
{
    if (!s->point)
        return "no usable recovery point";
    return arena_printf(v->arena, "point %s of %s (%s)", value_str_at(s->point, "id"), value_str_at(s->point, "time"),
                        s->now.tier == DX_VAULT ? "vault tier" : "snapshot only");
}

static void steps_standby(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct dx_row *row = diagnose(&s->now);
    struct step *step;

    if (str_eq(view_state(v, s->doc), "present") && !target_differs(v, s)) {
        steps_add(out, s->doc, ACTION_NONE, NULL, "the VM is there as declared");
        return;
    }
    step = steps_add(out, s->doc, ACTION_NONE, NULL,
                     "on standby; as things stand %s from %s%s%s%s; order it with: reinstate activate -f ... %s",
                     row ? dx_outcome_words(row->outcome) : "the outcome of a restore is unknown", describe_point(v, s), row ? " (" : "",
                     row ? row->state : "", row ? ")" : "", s->doc->name);
    step->scenario = row ? row->id : NULL;
}

static void steps_verify(struct steps *out, const struct situation *s, struct step *restore)
{
    struct step *step = steps_add(out, s->doc, ACTION_VERIFY, NULL, "the VM is read back: provisioned, confidential, on the declared set%s",
                                  wants_running(s->doc) ? ", running" : "");

    step->scope = restore->scope;
    step->detail = restore->detail;
    step->estimate_ms = 10 * SECOND_MS;
    step_need(out, step, restore->id);
}

static void need_everything(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    const struct document *access;
    size_t at = 0;

    view_need(v, out, step, s->pvm);
    view_need(v, out, step, s->key);
    view_need(v, out, step, s->des);
    while (s->key && (access = referrer_next(s->key, "KeyAccess", &at)))
        view_need(v, out, step, access);
}

static const struct document *blocked_need(const struct view *v, const struct situation *s)
{
    const struct document *access;
    size_t at = 0;

    if (s->now.encryption == DX_PMK)
        return NULL;
    if (s->key && view_prospect(v, s->key) == PROSPECT_BLOCKED)
        return s->key;
    if (s->des && view_prospect(v, s->des) == PROSPECT_BLOCKED)
        return s->des;
    while (s->key && (access = referrer_next(s->key, "KeyAccess", &at)))
        if (view_prospect(v, access) == PROSPECT_BLOCKED)
            return access;
    return NULL;
}

static void restore_rights(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    const struct reference *staging = document_reference(s->doc, "spec.target.stagingAccount");
    const char *group = arm_id_parent(v->arena, restored_vm_id(v->arena, s->doc), 4);

    step_right(out, step, value_str_at(view_facts(v, s->pvm), "vaultId"),
               "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/action", false,
               "Backup Operator");
    step_right(out, step, group, "Microsoft.Compute/virtualMachines/write", false, "Contributor");
    step_right(out, step, group, "Microsoft.Compute/disks/write", false, "Contributor");
    if (staging && staging->id)
        step_right(out, step, staging->id, "Microsoft.Storage/storageAccounts/read", false, "Storage Account Contributor");
}

static void steps_restore(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct dx_row *now = diagnose(&s->now), *then = diagnose(&s->then);
    const struct value *running = job_in(s->jobs, "running");
    struct value *detail = value_map(v->arena);
    struct step *step;

    step = running
               ? steps_add(out, s->doc, ACTION_RESTORE_VM, NULL, "restore job %s runs already: it is adopted", value_str_at(running, "job"))
               : steps_add(out, s->doc, ACTION_RESTORE_VM, NULL, "ordered by %s from %s%s%s%s%s", s->order.activation->name,
                           describe_point(v, s), now && now->outcome != DX_SUCCEEDS ? "; as things stand " : "",
                           now && now->outcome != DX_SUCCEEDS ? dx_outcome_words(now->outcome) : "",
                           now && now->outcome != DX_SUCCEEDS ? ": " : "", now && now->outcome != DX_SUCCEEDS ? now->state : "");
    step->scope = restored_vm_id(v->arena, s->doc);
    step->scenario = now ? now->id : NULL;
    step->precondition = "no restore job of this order is running or done, seen twice; key, set and grants as declared";
    step->postcondition = "the restore job is completed and the VM is there";
    step->estimate_ms = s->now.tier == DX_VAULT ? 48 * MINUTE_MS : 5 * MINUTE_MS;
    step->estimate_source = SOURCE_RESTORE_TIME;
    if (then && then->confidence != DX_DOCUMENTED)
        step->unverified = arena_printf(v->arena, "row %s: %s", then->id, dx_confidence_words(then->confidence));
    if (!then)
        step->unverified = "the outcome: no row of the scenario table fits these facts";
    if (then && then->other_reading)
        step->foretold = then->other_reading;
    /* An adopted job was given what it was given. */
    if (!running)
        step_change(out, step, "securedVMDetails.securedVMOsDiskEncryptionSetId", NULL,
                    s->given == DX_GIVEN_NOTHING ? value_string(v->arena, "not sent") : value_string(v->arena, s->des_id),
                    s->given == DX_GIVEN_NOTHING ? "the original set is used" : "the original set is gone or not known");
    value_set_string(v->arena, detail, "recoveryPoint", s->order.point);
    value_set_string(v->arena, detail, "orderedBy", s->order.activation->name);
    step->detail = detail;
    step_writes(out, step, "POST", "/recoveryPoints/%s/restore", s->order.point);
    restore_rights(v, s, out, step);
    need_everything(v, s, out, step);
    steps_verify(out, s, step);
}

/* Reasons not to restore although ordered and possible to trigger. true: a step was added. */
static bool steps_refuse(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct dx_row *then = diagnose(&s->then);
    const struct document *blocked = blocked_need(v, s);
    struct step *step;

    if (!s->point) {
        steps_block(out, s->doc, NULL, "list the points: reinstate activate -f ... VM", "the vault has no recovery point %s of %s",
                    s->order.point ? s->order.point : "in the vault tier", s->pvm->name);
        return true;
    }
    if (value_bool_at(s->point, "softDeleted", false)) {
        steps_block(out, s->doc, NULL, "undelete the protected item in the vault, or order another point",
                    "recovery point %s is soft-deleted", value_str_at(s->point, "id"));
        return true;
    }
    if (blocked) {
        step = steps_block(out, s->doc, NULL, arena_printf(v->arena, "see %s", blocked->address), "ordered, but %s is blocked",
                           blocked->address);
        step->scenario = diagnose(&s->now) ? diagnose(&s->now)->id : NULL;
        return true;
    }
    if (situation_type(s->doc) == RESTORE_REPLACE) {
        steps_block(out, s->doc, NULL, "declare restore: new-vm or disks",
                    "replacing the disks of a confidential VM is not offered: the documents contradict each other");
        return true;
    }
    if (then && then->outcome != DX_SUCCEEDS) {
        step = steps_block(out, s->doc, NULL, arena_printf(v->arena, "%s (%s)", dx_remedy_words(then->remedy[0]), then->source),
                           "ordered, but foreseen to fail: %s%s%s", then->state, then->code ? ", " : "", then->code ? then->code : "");
        step->scenario = then->id;
        return true;
    }
    return false;
}

static void steps_source_there(const struct view *v, const struct situation *s, struct steps *out, const char *source)
{
    bool key_returns = s->key && view_prospect(v, s->key) == PROSPECT_PENDING;

    steps_add(out, s->doc, ACTION_NONE, NULL,
              "the source VM is there (%s) and its key %s: the source is healed, nothing is restored; declare evenIfSourceHealthy to "
              "restore all the same%s",
              source, key_returns ? "comes back with the steps above" : "is usable",
              str_eq(source, "stopped") ? "; start the source when its key is back" : "");
}

/* The source heals by itself when its own set and key are there, now or after the steps planned. */
static bool source_heals(const struct view *v, const struct situation *s)
{
    const char *source = protected_vm_source_state(v, s->pvm);

    if (str_eq(source, "absent") || value_bool_at(s->doc->spec, "evenIfSourceHealthy", false))
        return false;
    if (s->now.encryption == DX_PMK)
        return str_eq(source, "running");
    return s->then.key == DX_KEY_PRESENT && s->original_des && (s->then.des == DX_DES_INTACT || s->then.des == DX_DES_ROTATED);
}

static bool steps_beside_source(const struct view *v, const struct situation *s, struct steps *out)
{
    const char *source = protected_vm_source_state(v, s->pvm);

    if (source_heals(v, s)) {
        steps_source_there(v, s, out, source);
        return true;
    }
    if (str_eq(source, "running") && !value_bool_at(s->doc->spec, "besideSource", false)) {
        steps_block(out, s->doc, NULL, "declare besideSource: true, or stop the source VM",
                    "the source VM is running; two machines with one identity are restored only when declared");
        return true;
    }
    if (str_eq(source, "unseen")) {
        steps_block(out, s->doc, NULL, "give the credential the right to read the source VM",
                    "whether the source VM still runs cannot be seen");
        return true;
    }
    return false;
}

static void steps_completed(const struct view *v, const struct situation *s, struct steps *out, const struct value *job)
{
    const char *differs;
    struct value *detail;
    struct step *step;

    if (!str_eq(view_state(v, s->doc), "present") && situation_type(s->doc) == RESTORE_NEW_VM) {
        steps_add(out, s->doc, ACTION_NONE, NULL, "the order was carried out by job %s at %s; the VM was removed since, and stays removed",
                  value_str_at(job, "job"), value_str_at(job, "end") ? value_str_at(job, "end") : value_str_at(job, "start"));
        return;
    }
    differs = situation_type(s->doc) == RESTORE_NEW_VM ? target_differs(v, s) : NULL;
    if (differs) {
        steps_block(out, s->doc, "verify", "a person looks at the VM and at the job; nothing is restored twice",
                    "job %s completed, and the VM is not as declared: %s", value_str_at(job, "job"), differs);
        return;
    }
    if (wants_running(s->doc) && situation_type(s->doc) == RESTORE_NEW_VM &&
        !str_eq_nocase(value_str_at(view_facts(v, s->doc), "power"), "running")) {
        step = steps_add(out, s->doc, ACTION_START_VM, NULL, "the VM is restored and %s; declared is running",
                         value_str_at(view_facts(v, s->doc), "power"));
        step->scope = restored_vm_id(v->arena, s->doc);
        step->scenario = "N-26";
        detail = value_map(v->arena);
        value_set_string(v->arena, detail, "orderedBy", s->order.activation->name);
        step->detail = detail;
        step->estimate_ms = 3 * MINUTE_MS;
        step_writes(out, step, "POST", "%s/start", step->scope);
        step_right(out, step, step->scope, "Microsoft.Compute/virtualMachines/start/action", false, "Virtual Machine Contributor");
        need_everything(v, s, out, step);
        return;
    }
    steps_add(out, s->doc, ACTION_NONE, NULL, "the order was carried out by job %s; %s", value_str_at(job, "job"),
              situation_type(s->doc) == RESTORE_NEW_VM ? "the VM is there as declared" : "its disks are in the target group");
}

static bool steps_failed(const struct situation *s, struct steps *out)
{
    const struct value *last = value_item(s->jobs, 0);
    const char *code = value_str_at(last, "code");
    const struct azure_error *known = code ? azure_error_find(code) : NULL;

    if (!jobs_failed(s->jobs) || job_in(s->jobs, "running") || (job_retryable(last) && jobs_failed(s->jobs) < ATTEMPTS_MAX))
        return false;
    steps_block(out, s->doc, NULL, known ? known->action : "look at the job in the portal; the code is not in the table of errors",
                "restore job %s failed with %s%s%s; target group %s may hold what it left", value_str_at(last, "job"),
                code ? code : "an unnamed error", known ? ": " : "", known ? known->meaning : "", s->match.target_group);
    return true;
}

static void steps_in_force(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *completed = job_in(s->jobs, "completed");
    const char *differs;

    if (completed) {
        steps_completed(v, s, out, completed);
        return;
    }
    if (job_in(s->jobs, "running")) {
        steps_restore(v, s, out);
        return;
    }
    if (situation_type(s->doc) == RESTORE_NEW_VM && str_eq(view_state(v, s->doc), "present")) {
        differs = target_differs(v, s);
        if (differs)
            steps_block(out, s->doc, NULL, "declare another target name: nothing is restored over a VM that is there",
                        "a VM of the target's name is there, without a job of this order, and %s", differs);
        else
            steps_add(out, s->doc, ACTION_NONE, NULL,
                      "a VM that satisfies the declaration is at the target already; nothing in Azure ties it to a recovery point");
        return;
    }
    if (steps_failed(s, out) || steps_beside_source(v, s, out) || steps_refuse(v, s, out))
        return;
    steps_restore(v, s, out);
}

static void steps_expired(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *completed = job_in(s->jobs, "completed");

    if (completed) {
        steps_completed(v, s, out, completed);
        return;
    }
    steps_block(out, s->doc, NULL, arena_printf(v->arena, "order anew: reinstate activate -f ... %s", s->doc->name),
                "%s expired at %s and was not carried out%s", s->order.activation->address, time_format(v->arena, s->order.not_after_ms),
                job_in(s->jobs, "running") ? "; a job of it still runs" : "");
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    struct situation s;

    if (steps_unseen(v, doc, out))
        return;
    if (str_eq(view_state(v, document_target(doc, "spec.from")), "unseen")) {
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", document_target(doc, "spec.from")->address),
                    "its backup cannot be seen");
        return;
    }
    s = situation_of(v, doc);
    switch (s.order.state) {
    case ORDER_OVERLAPPING:
        steps_block(out, doc, NULL, "withdraw one of them", "%s and %s order the same VM at the same time", s.order.activation->address,
                    s.order.other->address);
        break;
    case ORDER_IN_FORCE:
        steps_in_force(v, &s, out);
        break;
    case ORDER_EXPIRED:
        steps_expired(v, &s, out);
        break;
    case ORDER_WITHDRAWN:
        if (job_in(s.jobs, "running"))
            steps_restore(v, &s, out);
        else
            steps_standby(v, &s, out);
        break;
    case ORDER_FUTURE:
        steps_add(out, doc, ACTION_NONE, NULL, "ordered by %s, in force from %s", s.order.activation->name,
                  time_format(v->arena, s.order.not_before_ms));
        break;
    case ORDER_NONE:
        steps_standby(v, &s, out);
        break;
    }
}

/* --- acting ------------------------------------------------------------------------------------------------------------------------------
 */

static int act_start(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    struct arm_operation op;

    TRY(arm_send(az, c, actor->arena, HTTP_POST, arena_printf(actor->arena, "%s/start", actor->step->scope), API_COMPUTE, NULL,
                 ARM_REPEATABLE, &op, err));
    if (arm_follow(az, c, actor->arena, &op, actor->view->settings->poll_bound_ms, NULL, err) == 0)
        return 0;
    return err_advise(
        err,
        "a restored confidential VM that does not start is most often refused its key: check the Confidential VM Orchestrator's grant, "
        "the key's release policy for this region, and that the version is enabled (see reinstate explain KeyAccess)");
}

static int act_verify(struct call *c, const struct actor *actor, struct err *err)
{
    struct situation s = situation_of(actor->view, actor->step->document);
    const char *differs;

    (void)c;
    if (situation_type(s.doc) != RESTORE_NEW_VM)
        return 0;
    if (!str_eq(view_state(actor->view, s.doc), "present"))
        return err_set(err, ERR_CONFLICT, "the restore job is completed and there is no VM at the target");
    differs = target_differs(actor->view, &s);
    if (differs)
        return err_set(err, ERR_CONFLICT, "the restored VM is not as declared: %s", differs);
    if (wants_running(s.doc) && !str_eq_nocase(value_str_at(view_facts(actor->view, s.doc), "power"), "running")) {
        err_set(err, ERR_CONFLICT, "the VM is restored but not running (%s)", value_str_at(view_facts(actor->view, s.doc), "power"));
        return err_advise(err, "apply again: it is then started");
    }
    actor_say(actor, "read back: provisioned, confidential, on the declared set%s", wants_running(s.doc) ? ", running" : "");
    return 0;
}

static int target_still_free(struct call *c, const struct job_run *run, struct err *err)
{
    struct value *found;

    if (run->request.type != RESTORE_NEW_VM)
        return 0;
    if (arm_get(run->az, c, run->actor->arena, run->request.target_vm_id, API_COMPUTE, &found, err) < 0)
        return err->class == ERR_NOT_FOUND ? 0 : -(int)err->class;
    err_set(err, ERR_CONFLICT, "a VM has appeared at the target meanwhile");
    return err_advise(err, "plan again; nothing was triggered");
}

static int act_restore(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct view *v = actor->view;
    struct situation s = situation_of(v, actor->step->document);
    struct backup_job job;
    struct job_run run = {
        .az = az,
        .vault_id = value_str_at(view_facts(v, s.pvm), "vaultId"),
        .item_id = value_str_at(view_facts(v, s.pvm), "itemId"),
        .match = s.match,
        .settle_ms = v->settings->settle_ms,
        .bound_ms = restored_vm_timeout(s.doc, "restore", v->settings->restore_bound_ms),
        .actor = actor,
        .still_due = target_still_free,
        .request =
            {
                .type = situation_type(s.doc),
                .point = s.order.point,
                .source_vm_id = value_str_at(view_facts(v, s.pvm), "source.id"),
                .region = protected_vm_region(v, s.pvm),
                .storage_account_id = reference_id(actor->arena, s.doc, "spec.target.stagingAccount", NULL),
                .target_group_id = arm_id_parent(actor->arena, restored_vm_id(actor->arena, s.doc), 4),
                .target_vm_id = restored_vm_id(actor->arena, s.doc),
                .subnet_id = reference_id(actor->arena, s.doc, "spec.target.subnet", NULL),
                .des_id = s.given == DX_GIVEN_NOTHING ? NULL : s.des_id,
                .zone = value_str_at(s.doc->spec, "zone"),
                .disk_luns = value_get(s.doc->spec, "restoreDiskLuns"),
            },
    };

    TRY(job_run_once(c, &run, jobs_failed(s.jobs), &job, err));
    if (job.state == JOB_COMPLETED || job.state == JOB_COMPLETED_WITH_WARNINGS) {
        actor_say(actor, "job %s completed", job.id);
        return 0;
    }
    err_set(err, ERR_BLOCKED, "restore job %s ended %s with %s", job.id, job.status, job.error_code ? job.error_code : "no code");
    if (job.error_code && azure_error_find(job.error_code))
        return err_advise(err, "%s: %s", azure_error_find(job.error_code)->meaning, azure_error_find(job.error_code)->action);
    return err_advise(err, "%s", job.error_text ? job.error_text : "look at the job in the portal");
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    struct azure *az = kind_azure(actor->provider, actor->step->document);

    switch (actor->step->action) {
    case ACTION_START_VM:
        return act_start(c, actor, az, err);
    case ACTION_VERIFY:
        return act_verify(c, actor, err);
    default:
        return act_restore(c, actor, az, err);
    }
}

const struct kind restored_vm_kind = {
    .name = "RestoredVirtualMachine",
    .summary = "Where and how a VM would come back. On standby until an Activation orders it.",
    .observe = observe,
    .steps = steps,
    .act = act,
};
