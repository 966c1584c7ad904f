/* Knows the steps of a restore that is due: trigger or adopt, start, verify, protect, and what they say. Must not know
 * whether it is due. */
#include "restored_vm_steps.h"

#include "../backup/points.h"
#include "../backup/protection.h"
#include "../restore/claims.h"
#include "../backup/order.h"
#include "../restore/jobs.h"
#include "../restore/estimate.h"
#include "../documents/spends.h"

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

const char *restored_vm_describe_point(const struct view *v, const struct situation *s)
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

void restored_vm_steps_protect(const struct view *v, const struct situation *s, struct steps *out, const char *after)
{
    struct step *step = situation_type(s->doc) == RESTORE_DISKS ? NULL : protection_step_restored(v, s->doc, out);

    if (step && step->action != ACTION_BLOCKED)
        step_need(out, step, after);
}

struct step *restored_vm_steps_start(const struct view *v, const struct situation *s, struct steps *out,
                                     const char *why)
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

/* What the step does, and how long it takes. */
static struct step *add_restore(const struct view *v, const struct situation *s, struct steps *out,
                                const struct value *running)
{
    struct dx_prediction now = diagnose(&s->now, s->article);
    bool fails = now.row && now.outcome != DX_SUCCEEDS;
    struct value *detail = value_map(v->arena);
    struct step *step;

    step = running
               ? steps_add(out, s->doc, ACTION_RESTORE_VM, NULL, "restore job %s runs already: it is adopted",
                           value_str_at(running, "job"))
               : steps_add(out, s->doc, ACTION_RESTORE_VM, NULL, "ordered by %s from %s%s%s%s%s",
                           s->order.activation->name, restored_vm_describe_point(v, s),
                           fails ? "; without the steps before it " : "", fails ? dx_outcome_words(now.outcome) : "",
                           fails ? ": " : "", fails ? now.row->state : "");
    step->scope = restored_vm_id(v->arena, s->doc);
    step->adopts = value_str_at(running, "job");
    step->scenario = dx_scenario(&now);
    step->precondition = "no restore job of this order is running or done, seen twice; key, set and grants as declared";
    step->postcondition = situation_type(s->doc) == RESTORE_DISKS
                              ? "the restore job is completed and its disks are in the target group"
                              : "the restore job is completed and the VM is there";
    if (!running && s->point && time_parse(value_str_at(s->point, "time")) != TIME_NONE)
        step->loses =
            arena_printf(v->arena, "the last %s, since %s",
                         duration_format(v->arena, (v->now_ms - time_parse(value_str_at(s->point, "time"))) /
                                                       MINUTE_MS * MINUTE_MS),
                         value_str_at(s->point, "time"));
    estimate(s, step);
    spends_add(out, step, azure_job_allowance(), s->point ? value_str_at(view_facts(v, s->pvm), "vaultId") : NULL);
    step->estimate_ms = job_remaining_ms(running, step->estimate_ms, v->now_ms);
    value_set_string(v->arena, detail, "recoveryPoint", s->order.point);
    value_set_string(v->arena, detail, "orderedBy", s->order.activation->name);
    step->detail = detail;
    return step;
}

/* How it is foreseen to end, once all steps before it are done, and what is not known of that. */
static void foretell(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    struct dx_prediction then = diagnose(&s->then, s->article);

    if (then.row && then.row->confidence != DX_DOCUMENTED)
        step->unverified =
            arena_printf(v->arena, "row %s: %s", then.row->id, dx_confidence_words(then.row->confidence));
    if (!then.row)
        step->unverified = arena_printf(v->arena, "the outcome: no row of the scenario table fits what was seen: %s",
                                        dx_facts_words(v->arena, &s->then));
    if (then.reading)
        step->foretold = then.reading;
    for (size_t i = 0; i < then.n_notes; i++)
        step_note(out, step, "%s: %s", then.notes[i]->id, then.notes[i]->state);
}

void restored_vm_steps_restore(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *running = restored_vm_job(s->jobs, "running");
    struct step *step = add_restore(v, s, out, running);
    const char *untold = running ? NULL : situation_grants_untold(v, s);

    const struct value *failed = running ? NULL : restored_vm_failed_before(v, s);

    if (!running)
        note_data_disks(s, out, step);
    if (failed)
        step_note(out, step, "%s", restored_vm_failed_words(v->arena, failed));
    if (untold)
        step_note(out, step, "%s", untold);
    foretell(v, s, out, step);
    change_of_set(v, s, out, step, running);
    if (!running && situation_type(s->doc) == RESTORE_REPLACE)
        step_change(out, step, "properties.storageProfile.osDisk.managedDisk.id",
                    value_at(view_facts(v, s->doc), "live.properties.storageProfile.osDisk.managedDisk.id"),
                    value_unknown(v->arena), "the disks of the VM that is there are exchanged");
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

        step =
            restored_vm_steps_start(v, s, out, "declared is a running VM, and disks are replaced while it is stopped");
        step_need(out, step, restore);
    }
    steps_verify(out, s, step);
    restored_vm_steps_protect(v, s, out, out->items[out->count - 1]->id);
}
