/* Kind RestoredVirtualMachine: where and how a VM would come back. By itself it is on standby; an Activation orders it.
 * The second restore is decided against in ../backup/job_run.c; whether one is due at all is decided here:
 *
 *   order       our jobs since notBefore   VM at target   source          ->
 *   none        -                          -              -               standby (or: present as declared)
 *   in force    running                    -              -               adopt the job
 *   in force    completed                  gone           -               done for good: nothing
 *   in force    completed                  there          -               started, if declared running and it is not
 *   in force    failed                     -              -               again, if its error says so, at most three
 * times in force    none                       there          -               satisfied, or blocked when it is another
 * machine in force    none                       gone           healed/healthy  nothing, unless declared besides in
 * force    none                       gone           lost            restore expired     not completed              -
 * -               blocked
 *
 * Facts: state, id, live, des, power, subnets [id] where its network interfaces can be read, set {state, live} of a set
 * given by its id. */
#include "../documents/id_fields.h"
#include "restored_vm.h"

#include "../azure/bulk.h"
#include "../azure/key_id.h"
#include "../restore/conclude.h"
#include "../restore/platform.h"
#include "../backup/points.h"
#include "../backup/protection.h"
#include "../restore/claims.h"
#include "../restore/place.h"
#include "../backup/order.h"
#include "../restore/jobs.h"
#include "../restore/estimate.h"
#include "../restore/left.h"
#include "../restore/obstacles.h"

#include <stdlib.h>

/* --- observing ---------------------------------------------------------------------------------------------------- */

/* A set that is given by its id has no document to look at it. */
static int observe_set(struct call *c, const struct observer *o, struct azure *az, struct value *facts, struct err *err)
{
    const struct reference *ref = document_reference(o->document, "spec.diskEncryptionSet");
    struct value *set, *live;

    if (!ref || !ref->id)
        return 0;
    if (arm_get(az, c, o->arena, ref->id, API_DISK, &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the disk encryption set named", err, &set));
    } else {
        set = facts_new(o->arena, "present");
        value_set(o->arena, set, "live", live);
    }
    value_set(o->arena, facts, "set", set);
    return 0;
}

/* A VM's network interfaces say which subnet it is in. An interface that we may not read is left out. */
static int observe_network(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                           struct err *err)
{
    const struct value *interfaces = value_at(facts, "live.properties.networkProfile.networkInterfaces");
    struct value *subnets = value_list(o->arena), *nic;

    if (!document_reference(o->document, "spec.target.subnet"))
        return 0;
    for (size_t i = 0; i < value_count(interfaces); i++) {
        const char *id = value_str_at(value_item(interfaces, i), "id");
        const struct value *configurations;

        if (!id || arm_get(az, c, o->arena, id, API_NETWORK, &nic, err) < 0) {
            if (id && err->class == ERR_CANCELLED)
                return -(int)err->class;
            return 0;
        }
        configurations = value_at(nic, "properties.ipConfigurations");
        for (size_t k = 0; k < value_count(configurations); k++)
            value_push(o->arena, subnets,
                       value_string(o->arena, value_str_at(value_item(configurations, k), "properties.subnet.id")));
    }
    if (value_count(subnets))
        value_set(o->arena, facts, "subnets", subnets);
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    char *id = restored_vm_id(o->arena, o->document);
    const struct value *live, *view;
    struct value *facts;

    if (bulk_get(az, c, o->arena, id, API_COMPUTE, call_span_ms(c), &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the VM at the target", err, &facts));
    } else {
        facts = facts_new(o->arena, "present");
        value_link(o->arena, facts, "live", live);
        value_set_string(
            o->arena, facts, "des",
            value_str_at(live, "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"));
        if (bulk_instance_view(az, c, o->arena, id, call_span_ms(c), &view, err) == 0)
            value_set_string(o->arena, facts, "power", vm_power(view));
        else if (err->class == ERR_CANCELLED)
            return -(int)err->class;
    }
    value_set_string(o->arena, facts, "id", id);
    TRY(observe_network(c, o, az, facts, err));
    TRY(observe_set(c, o, az, facts, err));
    TRY(restore_place_observe(c, o, az, facts, err));
    TRY(platform_observe(c, o, az, protected_vm_region(o->view, document_target(o->document, "spec.from")), facts,
                         err));
    TRY(protection_observe_restored(c, o, az, facts, err));
    *ret = facts;
    return 0;
}

/* --- steps -------------------------------------------------------------------------------------------------------- */

static bool from_snapshot(const struct situation *s)
{
    return restored_vm_tier(s, s->given != DX_GIVEN_NOTHING) == DX_SNAPSHOT_ONLY;
}

static const char *tier_words(const struct view *v, const struct situation *s)
{
    if (s->now.tier != DX_VAULT)
        return protected_vm_tier_words(v->arena, s->point);
    if (s->now.snapshot != DX_SNAPSHOT_TOO)
        return protected_vm_tier_words(v->arena, s->point);
    return from_snapshot(s) ? "both tiers; Azure takes the snapshot"
                            : "both tiers; Azure takes the vault tier, because another set is named";
}

static const char *describe_point(const struct view *v, const struct situation *s)
{
    if (!s->point)
        return "no usable recovery point";
    return arena_printf(v->arena, "point %s of %s (%s%s)", value_str_at(s->point, "id"),
                        protected_vm_point_time(s->point), tier_words(v, s),
                        protected_vm_threat_words(v->arena, s->point));
}

static void estimate(const struct situation *s, struct step *step)
{
    step->estimate_ms = restored_vm_estimate_of(s, s->given != DX_GIVEN_NOTHING, &step->estimate_source);
}

/* A restored VM is put under protection once it is there and verified. */
static void steps_protect(const struct view *v, const struct situation *s, struct steps *out, const char *after)
{
    struct step *step = situation_type(s->doc) == RESTORE_DISKS ? NULL : protection_step_restored(v, s->doc, out);

    if (step && step->action != ACTION_BLOCKED)
        step_need(out, step, after);
}

/* The declared set is on a key in another store than the disk's, which no step before the restore changes: what an
 * order would come to is told before somebody needs it. */
static void note_foreign_set(const struct situation *s, struct steps *out, struct step *step)
{
    struct dx_prediction named = diagnose(&s->named, s->article);

    if (s->given == DX_GIVEN_FOREIGN_KEY && s->des && named.row && named.outcome != DX_SUCCEEDS)
        step_note(out, step, "the restore with %s is foreseen to fail: %s: %s%s%s", s->des->address, named.row->id,
                  named.row->state, named.code ? ", " : "", named.code ? named.code : "");
}

static void steps_standby(const struct view *v, const struct situation *s, struct steps *out)
{
    struct dx_prediction p = diagnose(&s->now, s->article);
    struct step *step;

    /* For a request that names no set the table may have no row; for one that names the declared set, as an order
     * would, it often has. */
    if (!p.row)
        p = diagnose(&s->named, s->article);

    if (str_eq(view_state(v, s->doc), "present") && !restored_vm_differs(v, s)) {
        steps_protect(v, s, out, NULL);
        steps_add(out, s->doc, ACTION_NONE, NULL, "the VM is there as declared");
        return;
    }
    step = steps_add(out, s->doc, ACTION_NONE, NULL,
                     "on standby; sent right now, %s from %s (%s%s); order it with: reinstate activate -f ... %s",
                     dx_outcome_words(p.outcome), describe_point(v, s),
                     p.row ? "" : "no row of the scenario table fits what was seen: ",
                     p.row ? p.row->state : dx_facts_words(v->arena, &s->named), s->doc->name);
    step->scenario = dx_scenario(&p);
    note_foreign_set(s, out, step);
    if (s->point)
        restored_vm_notes(v, s, out, step, true);
}

static struct step *steps_start(const struct view *v, const struct situation *s, struct steps *out, const char *why)
{
    struct step *step = steps_add(out, s->doc, ACTION_START_VM, NULL, "%s", why);
    struct value *detail = value_map(v->arena);

    step->scope = restored_vm_id(v->arena, s->doc);
    step->scenario = situation_type(s->doc) == RESTORE_NEW_VM && s->now.encryption == DX_CMK ? "N-26" : NULL;
    value_set_string(v->arena, detail, "orderedBy", s->order.activation->name);
    step->detail = detail;
    step->estimate_ms = 3 * MINUTE_MS;
    step_writes(out, step, "POST", "%s/start", step->scope);
    step_right(out, step, step->scope, "Microsoft.Compute/virtualMachines/start/action", false,
               "Virtual Machine Contributor");
    restored_vm_needs(v, s, out, step);
    return step;
}

static void steps_verify(struct steps *out, const struct situation *s, struct step *restore)
{
    struct step *step =
        situation_type(s->doc) == RESTORE_DISKS
            ? steps_add(out, s->doc, ACTION_VERIFY, NULL, "the restored disks are looked for in the target group")
            : steps_add(out, s->doc, ACTION_VERIFY, NULL, "the VM is read back: provisioned%s%s",
                        s->now.encryption == DX_PMK ? "" : ", confidential, on the declared set",
                        restored_vm_runs(s->doc) ? ", running" : "");

    step->scope = restore->scope;
    step->detail = restore->detail;
    step->estimate_ms = 10 * SECOND_MS;
    step_need(out, step, restore->id);
}

/* Confidential data disks are refused (row D-02), which takes the point's own word or a source VM to look at. */
static void note_data_disks(const struct situation *s, struct steps *out, struct step *step)
{
    if (s->now.encryption == DX_CMK && s->now.source_vm != DX_SOURCE_THERE &&
        !value_get(s->point, "encryptedDataDisks"))
        step_note(out, step,
                  "whether the VM had confidential data disks cannot be seen: the point does not speak of them, and "
                  "its VM is %s",
                  s->now.source_vm == DX_SOURCE_GONE ? "gone" : "not to be seen");
}

/* Azure Backup restores an item once at a time: what else is ordered from the same backup goes first
 * or later, not beside it. */
static void one_at_a_time(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    const struct document *other;
    size_t at = 0;

    /* What runs already waits for nothing. */
    while (!step->adopts && (other = referrer_next(s->pvm, "RestoredVirtualMachine", &at))) {
        const struct index_entry *of = NULL;
        const struct step *its;

        while (other->index < s->doc->index && (its = steps_next(v->steps, other, &of)))
            if (its->action == ACTION_RESTORE_VM)
                step_after(out, step, its->id);
    }
}

/* Which set the request names. An adopted job was given what it was given; should it fail for the key, the restore
 * after it names one. */
static void change_of_set(const struct view *v, const struct situation *s, struct steps *out, struct step *step,
                          const struct value *running)
{
    const char *path = "securedVMDetails.securedVMOsDiskEncryptionSetId";
    struct dx_prediction then = diagnose(&s->then, s->article);

    if (running && s->des_id)
        step_change(out, step, path, NULL, value_unknown(v->arena),
                    "as the running job was given it; a restore after it only if that one fails and is mended");
    if (!running)
        step_change(out, step, path, NULL,
                    s->given == DX_GIVEN_NOTHING ? value_string(v->arena, "not sent")
                                                 : value_string(v->arena, s->des_id),
                    s->given == DX_GIVEN_NOTHING ? "the original set is used"
                    : s->made_anew ? "the original set is gone: this one bears its id and has another identity"
                    : then.row     ? arena_printf(v->arena, "%s: %s", then.row->id, then.row->state)
                                   : "the original set is gone or not known");
}

static void steps_restore(const struct view *v, const struct situation *s, struct steps *out)
{
    struct dx_prediction now = diagnose(&s->now, s->article), then = diagnose(&s->then, s->article);
    const struct value *running = restored_vm_job(s->jobs, "running");
    bool fails = now.row && now.outcome != DX_SUCCEEDS;
    struct value *detail = value_map(v->arena);
    struct step *step;

    step =
        running
            ? steps_add(out, s->doc, ACTION_RESTORE_VM, NULL, "restore job %s runs already: it is adopted",
                        value_str_at(running, "job"))
            : steps_add(out, s->doc, ACTION_RESTORE_VM, NULL, "ordered by %s from %s%s%s%s%s",
                        s->order.activation->name, describe_point(v, s), fails ? "; without the steps before it " : "",
                        fails ? dx_outcome_words(now.outcome) : "", fails ? ": " : "", fails ? now.row->state : "");
    step->scope = restored_vm_id(v->arena, s->doc);
    step->adopts = value_str_at(running, "job");
    step->scenario = dx_scenario(&now);
    step->precondition = "no restore job of this order is running or done, seen twice; key, set and grants as declared";
    step->postcondition = situation_type(s->doc) == RESTORE_DISKS
                              ? "the restore job is completed and its disks are in the target group"
                              : "the restore job is completed and the VM is there";
    estimate(s, step);
    step->estimate_ms = job_remaining_ms(running, step->estimate_ms, v->now_ms);
    if (then.row && then.row->confidence != DX_DOCUMENTED)
        step->unverified =
            arena_printf(v->arena, "row %s: %s", then.row->id, dx_confidence_words(then.row->confidence));
    if (!then.row)
        step->unverified = arena_printf(v->arena, "the outcome: no row of the scenario table fits what was seen: %s",
                                        dx_facts_words(v->arena, &s->then));
    if (!running)
        note_data_disks(s, out, step);
    if (then.reading)
        step->foretold = then.reading;
    change_of_set(v, s, out, step, running);
    if (!running && situation_type(s->doc) == RESTORE_REPLACE)
        step_change(out, step, "properties.storageProfile.osDisk.managedDisk.id",
                    value_at(view_facts(v, s->doc), "live.properties.storageProfile.osDisk.managedDisk.id"),
                    value_unknown(v->arena), "the disks of the VM that is there are exchanged");
    value_set_string(v->arena, detail, "recoveryPoint", s->order.point);
    value_set_string(v->arena, detail, "orderedBy", s->order.activation->name);
    step->detail = detail;
    for (size_t i = 0; i < then.n_notes; i++)
        step_note(out, step, "%s: %s", then.notes[i]->id, then.notes[i]->state);
    step_writes(out, step, "POST", "/recoveryPoints/%s/restore", s->order.point);
    /* What is triggered is claimed; so is a job taken over that began before the order. */
    if (!running || time_parse(value_str_at(running, "start")) < s->order.since_ms)
        claim_writes(v, s->doc, out, step);
    restored_vm_rights(v, s, out, step);
    restored_vm_needs(v, s, out, step);
    one_at_a_time(v, s, out, step);
    if (!running) {
        restored_vm_note_other_job(v, value_get(view_facts(v, s->pvm), "jobs"), &s->match, out, step);
        restored_vm_notes(v, s, out, step, false);
    }
    if (situation_type(s->doc) == RESTORE_REPLACE && restored_vm_runs(s->doc)) {
        const char *restore = step->id;

        step = steps_start(v, s, out, "declared is a running VM, and disks are replaced while it is stopped");
        step_need(out, step, restore);
    }
    steps_verify(out, s, step);
    steps_protect(v, s, out, out->items[out->count - 1]->id);
}

static void steps_completed(const struct view *v, const struct situation *s, struct steps *out, const struct value *job)
{
    const char *power = value_str_at(view_facts(v, s->doc), "power"), *warnings = restored_vm_warnings(v->arena, job);
    const char *differs;

    if (!str_eq(view_state(v, s->doc), "present") && situation_type(s->doc) == RESTORE_NEW_VM) {
        if (warnings) {
            steps_block(
                out, s->doc, "verify",
                arena_printf(
                    v->arena,
                    "look at the details of job %s in the portal, and in group %s for disks that it made instead of a "
                    "VM; then make the VM of them, or order anew from now: reinstate activate -f ... %s",
                    value_str_at(job, "job"), s->match.target_group, s->doc->name),
                "job %s of this order ended with warnings (%s), and there is no VM at the target: none may ever have "
                "been made; "
                "nothing is restored twice",
                value_str_at(job, "job"), warnings);
            return;
        }
        steps_add(out, s->doc, ACTION_NONE, NULL,
                  "the order was carried out by job %s at %s; the VM was removed since, and stays removed",
                  value_str_at(job, "job"),
                  value_str_at(job, "end") ? value_str_at(job, "end") : value_str_at(job, "start"));
        return;
    }
    differs = situation_type(s->doc) != RESTORE_DISKS ? restored_vm_differs(v, s) : NULL;
    if (differs) {
        steps_block(out, s->doc, "verify", "a person looks at the VM and at the job; nothing is restored twice",
                    "job %s completed, and the VM is not as declared: %s", value_str_at(job, "job"), differs);
        return;
    }
    if (restored_vm_runs(s->doc) && situation_type(s->doc) != RESTORE_DISKS && !str_eq_nocase(power, "running")) {
        const char *withheld = restore_not_releasable(v, s);

        /* Started again and again it would be refused its key each time. */
        if (power && withheld)
            steps_block(out, s->doc, "start-vm",
                        arena_printf(v->arena, RELEASE_ADVICE "; az vm start --ids '%s' tries it all the same",
                                     restored_vm_id(v->arena, s->doc)),
                        "the VM is restored and %s; declared is running, and %s", power, withheld);
        else if (str_eq_nocase(power, "starting"))
            steps_block(out, s->doc, "start-vm", "run again in some minutes",
                        "the VM is restored and starting already; it is not started twice");
        else if (power)
            steps_protect(
                v, s, out,
                steps_start(v, s, out, arena_printf(v->arena, "the VM is restored and %s; declared is running", power))
                    ->id);
        else
            steps_block(out, s->doc, "verify",
                        "run again; if it stays so, see whether we may read the VM's instance view",
                        "the VM is restored; declared is running, and whether it runs cannot be seen");
        return;
    }
    if (restored_vm_should_be_off(v, s->doc) && situation_type(s->doc) != RESTORE_DISKS) {
        steps_block(out, s->doc, "verify", arena_printf(v->arena, STOP_ADVICE, restored_vm_id(v->arena, s->doc)),
                    "the VM is restored and runs; declared is deallocated");
        return;
    }
    steps_protect(v, s, out, NULL);
    steps_add(out, s->doc, ACTION_NONE, NULL, "the order was carried out by job %s; %s", value_str_at(job, "job"),
              situation_type(s->doc) == RESTORE_DISKS ? "its disks are in the target group"
                                                      : "the VM is there as declared");
}

/* All failed jobs of this order, also those that failed for their key and left it. */
static const struct value *jobs_of_order(const struct view *v, const struct situation *s)
{
    struct job_match all = s->match;

    all.not_exports = false;
    return jobs_matching(v->arena, value_get(view_facts(v, s->pvm), "jobs"), &all);
}

/* The key lives, so nothing is recovered, enabled or restored: what is left is another set, on the version
 * that is in use now. */
static const char *before_rotation_advice(const struct view *v, const struct situation *s)
{
    const char *version =
        key_url_version(v->arena, value_str_at(view_facts(v, s->des), "live.properties.activeKey.keyUrl"));

    return arena_printf(
        v->arena,
        "declare another disk encryption set (another id than %s) on the rotated key version %s as its "
        "diskEncryptionSet, and Policy.spec.article: \"2026-07\", whose edition describes that; the key itself is not "
        "touched; then order anew",
        arm_id_name(s->original_des), version ? version : "that this one is on");
}

static void block_before_rotation(const struct view *v, const struct situation *s, struct steps *out,
                                  const struct value *last)
{
    steps_block(out, s->doc, NULL, before_rotation_advice(v, s),
                "restore job %s of this order failed with %s: the point is from before the rotation of its set, and a "
                "plain restore "
                "from it is tried once only; it may have left the key in the staging account",
                value_str_at(last, "job"), value_str_at(last, "code") ? value_str_at(last, "code") : "no name")
        ->scenario = "N-04";
}

/* What it left of the key, and the documents that lead on from there. */
static void block_failed_for_key(const struct view *v, const struct situation *s, struct steps *out,
                                 const struct value *last)
{
    const char *code = value_str_at(last, "code"), *account = value_str_at(last, "account"),
               *blob = value_str_at(last, "blob");
    const char *container = value_str_at(last, "container");
    const char *left =
        !blob ? ""
              : arena_printf(v->arena, "; it left Azure Backup's copy of the key in storage account %s (%s/%s)",
                             account ? account : "?", container ? container : "?", blob);

    steps_block(
        out, s->doc, NULL,
        s->key
            ? "name a new disk encryption set on the original key version in the declaration (another id than the "
              "original "
              "set), from a point in the vault tier; then order anew"
            : arena_printf(
                  v->arena,
                  "write the documents that the way on needs: a Key whose sources are [azureBackup: {from: [%s]}], a "
                  "DiskEncryptionSet on it, a KeyAccess for it, and name the set in %s; the key then comes from this "
                  "job's copy, without another failure",
                  s->pvm->name, s->doc->address),
        "restore job %s of this order failed for the key with %s%s, and no grant, key or set that is declared has "
        "changed since%s",
        value_str_at(last, "job"), code ? code : "no name",
        s->key && s->now.key == DX_KEY_PRESENT
            ? ", although the key is there (the editions of Microsoft's article differ on what the service takes)"
            : "",
        left);
}

/* Whoever cancelled it had a reason that Azure does not tell. */
static void block_cancelled(const struct view *v, const struct situation *s, struct steps *out,
                            const struct value *last)
{
    const char *end = value_str_at(last, "end");
    bool going_on = job_lasts(last);

    steps_block(
        out, s->doc, NULL,
        arena_printf(
            v->arena,
            "ask who cancelled it and why (the vault's activity log names them); when it is still to be restored, "
            "order anew from now: reinstate activate -f ... %s",
            s->doc->name),
        "restore job %s of this order %s%s%s by a person or a service at Azure, and is not tried again by itself; "
        "target "
        "group %s may hold what it left",
        value_str_at(last, "job"), going_on ? "is being cancelled" : "was cancelled", end && !going_on ? " at " : "",
        end && !going_on ? end : "", s->match.target_group);
}

/* It exported the key, and the claim of this restore is seen to be of another job or not there: then
 * it was the pass. */
static bool claimed_as_pass(const struct view *v, const struct situation *s, const struct value *job)
{
    const struct value *claims = value_at(view_facts(v, s->doc), "place.claims"), *own = value_get(claims, "restore");
    const char *of = value_str_at(own, "job");

    return value_str_at(job, "blob") && str_eq(value_str_at(claims, "state"), "present") &&
           (!own || (of && !str_eq_nocase(of, value_str_at(job, "job"))));
}

/* Which failures count: a restore of disks cannot be told by itself from the export pass, of which there is one. */
static size_t failures_of(const struct view *v, const struct situation *s, const struct value *jobs)
{
    bool like_pass = situation_type(s->doc) == RESTORE_DISKS && s->key;
    size_t failures = restored_vm_failures(jobs);
    bool pass = like_pass && s->given == DX_GIVEN_NOTHING;

    for (size_t i = 0; like_pass && !pass && i < value_count(jobs); i++)
        pass = job_failed(value_item(jobs, i)) && claimed_as_pass(v, s, value_item(jobs, i));
    return pass && failures ? failures - 1 : failures;
}

/* All grants are there, and old enough or tried often enough. Only of the service's own check it is not told which
 * role contents it. */
static void steps_refused(const struct view *v, const struct situation *s, struct steps *out, const struct value *job)
{
    const char *code = value_str_at(job, "code");
    bool service = str_find_nocase(code, "PermissionsNotConfigured") != NULL;
    const char *when =
        restored_vm_refused_in_vain(v, s, job) ? "and were made long enough before" : "and it was tried time and again";

    steps_block(
        out, s->doc, NULL,
        service
            ? "declare a wider role for it in the KeyAccess (role: Key Vault Administrator for the Backup Management "
              "Service), or let the service through the vault's firewall; then apply again"
            : "look for what else keeps it out: the key store's firewall or network perimeter, a deny assignment, a "
              "condition "
              "on the role; the grants themselves are there, and a wider role would not help",
        service ? "restore job %s failed with %s although all declared grants are there %s: the service may want more "
                  "than the "
                  "narrowest role that allows it (unverified on Azure)"
                : "restore job %s failed with %s although all declared grants are there %s",
        value_str_at(job, "job"), code, when);
}

/* Whether the last failure was for a right that no KeyAccess declares: then we cannot see whether it was given since,
 * and must not try again blindly. */
static bool refused_unseen(const struct view *v, const struct situation *s, const struct value *job)
{
    const struct azure_error *known = job_error(job);

    return known && known->cure == CURE_PERMISSION && !restored_vm_granted(v, s, job);
}

/* Decides on one more try after failures. There is none while the cause lasts or is not known, because each failed
 * restore leaves disks, and maybe a key. */
static bool steps_failed(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *jobs = jobs_of_order(v, s), *last = value_item(jobs, 0);
    const char *code = value_str_at(last, "code"), *text = value_str_at(last, "text");
    const struct azure_error *known = job_error(last);
    size_t failures = failures_of(v, s, jobs);
    bool for_key = value_str_at(last, "blob") || (known && (known->cure == CURE_KEY || known->cure == CURE_SET));

    if (restored_vm_job(s->jobs, "running") || !failures)
        return false;
    if (job_cancelled(last)) {
        block_cancelled(v, s, out, last);
        return true;
    }
    if (restored_vm_before_rotation(s) && for_key) {
        block_before_rotation(v, s, out, last);
        return true;
    }
    if (restored_vm_refused_in_vain(v, s, last)) {
        steps_refused(v, s, out, last);
        return true;
    }
    if (((job_retryable(last) && !refused_unseen(v, s, last)) || restored_vm_mended_since(v, s, last)) &&
        failures < RESTORE_ATTEMPTS_MAX)
        return false;
    /* Tried as often as late grants deserve: the refusal stands, whatever the job left behind. */
    if (known && known->cure == CURE_PERMISSION && !refused_unseen(v, s, last)) {
        steps_refused(v, s, out, last);
        return true;
    }
    if (for_key) {
        block_failed_for_key(v, s, out, last);
        return true;
    }
    steps_block(out, s->doc, NULL,
                known ? known->action : "look at the job in the portal; the code is not in the table of errors",
                "restore job %s failed with %s%s%s%s%s; target group %s may hold what it left",
                value_str_at(last, "job"), code ? code : "an unnamed error", known ? ": " : "",
                known ? known->meaning : "", text ? ": " : "", text ? text : "", s->match.target_group);
    return true;
}

/* The newest completed job that made the VM at the target; NULL: none is known. */
static const struct value *job_of_target(const struct view *v, const struct situation *s)
{
    const struct value *jobs = value_get(view_facts(v, s->pvm), "jobs"), *newest = NULL;

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);

        if (str_eq(value_str_at(job, "state"), "completed") && str_eq(value_str_at(job, "type"), "new-vm") &&
            str_eq_nocase(value_str_at(job, "targetVm"), s->match.target_vm) &&
            str_eq_nocase(value_str_at(job, "targetGroup"), s->match.target_group) &&
            (!newest || time_parse(value_str_at(job, "start")) > time_parse(value_str_at(newest, "start"))))
            newest = job;
    }
    return newest;
}

/* Nothing in Azure ties a VM to a recovery point but the job that made it. */
static void steps_there_already(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *job = job_of_target(v, s);
    const char *power = value_str_at(view_facts(v, s->doc), "power");

    /* No job proves that this VM is ours. It is not started, because it may be somebody else's, and it is not called as
     * declared while it stands still. */
    if (restored_vm_runs(s->doc) && !str_eq_nocase(power, "running"))
        steps_finding(
            out, s->doc, "power",
            arena_printf(v->arena, "look at it, then start it: az vm start --ids '%s'",
                         restored_vm_id(v->arena, s->doc)),
            "the VM at the target is %s, and declared is running; no job of %s made it, so it is not started here",
            power ? power : "in a power state that cannot be seen", s->order.activation->address);
    if (!job || s->match.point_ms == TIME_NONE || job_point_fit(job, s->match.point_ms) != TIME_FITS_NOT) {
        steps_add(out, s->doc, ACTION_NONE, NULL,
                  "a VM that satisfies the declaration is at the target already; nothing in Azure ties it to a "
                  "recovery point");
        return;
    }
    /* The block stands aside, so that what else is declared of the machine is still done. */
    steps_block(out, s->doc, "point",
                "nothing is restored over it: withdraw the order if this is the VM that is wanted; else declare "
                "another target name, or "
                "remove the VM, and order anew",
                "%s is not carried out: the VM at the target comes from job %s, from the point of %s; the order asks "
                "for point %s of %s",
                s->order.activation->address, value_str_at(job, "job"), value_str_at(job, "point"), s->order.point,
                protected_vm_point_time(s->point))
        ->aside = true;
}

static void steps_in_force(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *completed = restored_vm_job(s->jobs, "completed");
    const char *differs;

    if (completed) {
        steps_completed(v, s, out, completed);
        return;
    }
    if (restored_vm_job(s->jobs, "running")) {
        steps_restore(v, s, out);
        return;
    }
    if (situation_type(s->doc) == RESTORE_NEW_VM && str_eq(view_state(v, s->doc), "present")) {
        const struct value *failed = value_item(jobs_of_order(v, s), 0);

        differs = restored_vm_differs(v, s);
        if (differs && failed)
            steps_block(out, s->doc, NULL,
                        "a person removes what it left, or another target name is declared; nothing is deleted here",
                        "restore job %s ended with %s and left a VM of the target's name; %s",
                        value_str_at(failed, "job"),
                        value_str_at(failed, "code") ? value_str_at(failed, "code") : "no code", differs);
        else if (differs)
            steps_block(out, s->doc, NULL, "declare another target name: nothing is restored over a VM that is there",
                        "a VM of the target's name is there, without a job of this order, and %s", differs);
        if (differs)
            return;
        steps_protect(v, s, out, NULL);
        steps_there_already(v, s, out);
        return;
    }
    if (restored_vm_other_job(v, s->doc, s->doc->name, value_get(view_facts(v, s->pvm), "jobs"), &s->match, out))
        return;
    if (restored_vm_revoked(s, out) || steps_failed(v, s, out) || restored_vm_beside_source(v, s, out) ||
        restored_vm_refused(v, s, out))
        return;
    steps_restore(v, s, out);
}

static void steps_expired(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *completed = restored_vm_job(s->jobs, "completed");

    if (completed) {
        steps_completed(v, s, out, completed);
        return;
    }
    steps_block(out, s->doc, NULL, arena_printf(v->arena, "order anew: reinstate activate -f ... %s", s->doc->name),
                "%s expired at %s and was not carried out%s", s->order.activation->address,
                time_format(v->arena, s->order.not_after_ms),
                restored_vm_job(s->jobs, "running") ? "; a job of it still runs" : "");
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t before = out->count;
    const struct situation *s;

    if (steps_unseen(v, doc, out))
        return;
    if (str_eq(view_state(v, document_target(doc, "spec.from")), "unseen")) {
        steps_block(out, doc, NULL, arena_printf(v->arena, "see %s", document_target(doc, "spec.from")->address),
                    "its backup cannot be seen");
        return;
    }
    s = situation_of(v, doc);
    switch (s->order.state) {
    case ORDER_OVERLAPPING:
        steps_block(out, doc, NULL, "withdraw one of them", "%s and %s order the same VM at the same time",
                    s->order.activation->address, s->order.other->address);
        break;
    case ORDER_IN_FORCE:
        steps_in_force(v, s, out);
        break;
    case ORDER_EXPIRED:
        steps_expired(v, s, out);
        break;
    case ORDER_WITHDRAWN:
        if (restored_vm_job(s->jobs, "running"))
            steps_restore(v, s, out);
        else
            steps_standby(v, s, out);
        break;
    case ORDER_WITHHELD:
        /* What runs already is followed; a restore that runs in Azure does not stop for an annotation. */
        if (restored_vm_job(s->jobs, "running"))
            steps_restore(v, s, out);
        else
            steps_block(out, doc, NULL,
                        arena_printf(v->arena, "remove the annotation %s from %s",
                                     s->order.activation->suspended ? "reinstate/suspend" : "reinstate/mode: observe",
                                     s->order.activation->address),
                        "%s orders it and is %s: nothing of that order is triggered", s->order.activation->address,
                        s->order.activation->suspended ? "suspended" : "observed only");
        break;
    case ORDER_FUTURE:
        note_foreign_set(s, out,
                         steps_add(out, doc, ACTION_NONE, NULL, "ordered by %s, in force from %s",
                                   s->order.activation->name, time_format(v->arena, s->order.not_before_ms)));
        break;
    case ORDER_NONE:
        steps_standby(v, s, out);
        break;
    }
    if (out->count > before)
        restore_left_notes(v, s, out, out->items[out->count - 1]);
}

/* A set and the disks made with it stand in one subscription, which manifests alone show. */
static void check_declared(const struct document *doc, struct diags *faults)
{
    struct arena *a = faults->arena;
    const char *id = reference_id(a, doc, "spec.diskEncryptionSet", disk_encryption_set_id);
    const char *target = doc->azure ? arm_id_part(a, restored_vm_id(a, doc), "subscriptions") : NULL;
    const char *set = id ? arm_id_part(a, id, "subscriptions") : NULL;

    id_fields_check(doc, faults);
    if (target && set && !str_eq_nocase(set, target))
        diags_add(faults, SEVERITY_WARNING, &document_reference(doc, "spec.diskEncryptionSet")->origin,
                  "declare a set in the target's subscription",
                  "the disk encryption set is in subscription %s, the target in %s: a set and its disks stand in one, "
                  "so an order would be blocked",
                  set, target);
}

const struct kind restored_vm_kind = {
    .name = "RestoredVirtualMachine",
    .summary = "Where and how a VM would come back. On standby until an Activation orders it.",
    .check = check_declared,
    .identity = restored_vm_id,
    .observe = observe,
    .conclude = conclude_restore,
    .steps = steps,
    .act = restored_vm_act,
    .readback_ms =
        10 * MINUTE_MS, /* Azure Backup and new machines are shown latest of all (pulumi/pulumi-azure-native 3089) */
};
