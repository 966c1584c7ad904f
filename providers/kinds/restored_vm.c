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
#include "restored_vm_steps.h"
#include "../documents/id_fields.h"
#include "../documents/things.h"
#include "restored_vm.h"

#include "../access/set_rights.h"
#include "../azure/bulk.h"
#include "../azure/shared.h"
#include "../restore/conclude.h"
#include "../restore/platform.h"
#include "../backup/points.h"
#include "../backup/protection.h"
#include "../restore/place.h"
#include "../backup/order.h"
#include "../restore/jobs.h"
#include "../restore/left.h"

/* --- observing ---------------------------------------------------------------------------------------------------- */

/* By what the documents say alone: a key that has this machine's backup as a source is looked at beside it. */
static const struct document *key_declared_at(const struct observer *o, const char *url)
{
    const char *thing = url ? thing_of_url(o->arena, o->document, url) : NULL;
    const struct index_entry *at = NULL;
    const struct document *key;

    while (thing && (key = desired_next(o->view->desired, "Key", &at)))
        if (key->stands_for && str_eq_nocase(key->stands_for, thing))
            return key;
    return NULL;
}

/* A set that is given by its id has no document to look at it. */
static int observe_set(struct call *c, const struct observer *o, struct azure *az, struct value *facts, struct err *err)
{
    const struct reference *ref = document_reference(o->document, "spec.diskEncryptionSet");
    const struct value *live;
    struct value *set;

    if (!ref || ref->target || !ref->id)
        return 0;
    if (bulk_get(az, c, o->arena,
                 &(struct arm_wanted){.path = ref->id, .api = API_DISK, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                 &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the disk encryption set named", err, &set));
    } else {
        set = facts_new(o->arena, "present");
        value_link(o->arena, set, "live", live);
        TRY(set_rights_observe_own(c, o, az, key_declared_at(o, value_str_at(live, "properties.activeKey.keyUrl")),
                                   set, err));
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

    if (bulk_get(az, c, o->arena, &(struct arm_wanted){.path = id, .api = API_COMPUTE, .since_ms = call_span_ms(c)},
                 &live, err) < 0) {
        TRY(facts_from_error(o->arena, "reading the VM at the target", err, &facts));
    } else {
        facts = facts_new(o->arena, "present");
        value_link(o->arena, facts, "live", live);
        /* Whether it is as declared depends on the point it came from. */
        if (o->near)
            value_set_bool(o->arena, facts, "asks", true);
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
        restored_vm_steps_protect(v, s, out, NULL);
        steps_add(out, s->doc, ACTION_NONE, NULL, "the VM is there as declared");
        return;
    }
    if (value_bool_at(view_facts(v, s->pvm), "brief", false)) {
        steps_add(out, s->doc, ACTION_NONE, NULL, "on standby");
        return;
    }
    step = steps_add(out, s->doc, ACTION_NONE, NULL,
                     "on standby; sent right now, %s from %s (%s%s); order it with: reinstate activate -f ... %s",
                     dx_outcome_words(p.outcome), restored_vm_describe_point(v, s),
                     p.row ? "" : "no row of the scenario table fits what was seen: ",
                     p.row ? p.row->state : dx_facts_words(v->arena, &s->named), s->doc->name);
    step->scenario = dx_scenario(&p);
    note_foreign_set(s, out, step);
    if (s->point)
        restored_vm_notes(v, s, out, step, true);
}

static void steps_in_force(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *completed = restored_vm_job(s->jobs, "completed");
    const char *differs;

    if (completed) {
        restored_vm_steps_completed(v, s, out, completed);
        return;
    }
    if (restored_vm_job(s->jobs, "running")) {
        restored_vm_steps_restore(v, s, out);
        return;
    }
    if (situation_type(s->doc) == RESTORE_NEW_VM && str_eq(view_state(v, s->doc), "present")) {
        const struct value *failed = value_item(restored_vm_jobs_of_order(v, s), 0);

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
        restored_vm_steps_protect(v, s, out, NULL);
        restored_vm_steps_there_already(v, s, out);
        return;
    }
    if (restored_vm_other_job(v, s->doc, s->doc->name, value_get(view_facts(v, s->pvm), "jobs"), &s->match, out))
        return;
    if (restored_vm_revoked(s, out) || restored_vm_steps_failed(v, s, out) || restored_vm_beside_source(v, s, out) ||
        restored_vm_refused(v, s, out))
        return;
    restored_vm_steps_restore(v, s, out);
}

static void steps_expired(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *completed = restored_vm_job(s->jobs, "completed");

    if (completed) {
        restored_vm_steps_completed(v, s, out, completed);
        return;
    }
    steps_block(out, s->doc, NULL, arena_printf(v->arena, "order anew: reinstate activate -f ... %s", s->doc->name),
                "%s expired at %s and was not carried out%s", s->order.activation->address,
                time_format(v->arena, s->order.not_after_ms),
                restored_vm_job(s->jobs, "running") ? "; a job of it still runs" : "");
}

static void steps_withheld(const struct view *v, const struct situation *s, struct steps *out)
{
    /* What runs already is followed; a restore that runs in Azure does not stop for an annotation. */
    if (restored_vm_job(s->jobs, "running"))
        restored_vm_steps_restore(v, s, out);
    else
        steps_block(out, s->doc, NULL,
                    arena_printf(v->arena, "remove the annotation %s from %s",
                                 s->order.activation->suspended ? "reinstate/suspend" : "reinstate/mode: observe",
                                 s->order.activation->address),
                    "%s orders it and is %s: nothing of that order is triggered", s->order.activation->address,
                    s->order.activation->suspended ? "suspended" : "observed only");
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
            restored_vm_steps_restore(v, s, out);
        else
            steps_standby(v, s, out);
        break;
    case ORDER_WITHHELD:
        steps_withheld(v, s, out);
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
    /* Who has given an order asks why nothing is done for it. */
    for (size_t i = before; i < out->count; i++)
        out->items[i]->matters = s->order.state != ORDER_NONE;
    if (out->count > before)
        restore_left_notes(v, s, out, out->items[out->count - 1]);
}

/* A machine's network stands in its subscription (Microsoft Learn, "Create, change, or delete a network interface"). */
static void check_subnet(const struct document *doc, const char *target, struct diags *faults)
{
    const struct reference *subnet = document_reference(doc, "spec.target.subnet");
    const char *there = subnet && subnet->id ? arm_id_part(faults->arena, subnet->id, "subscriptions") : NULL;

    if (there && target && !str_eq_nocase(there, target))
        diags_add(faults, SEVERITY_WARNING, &subnet->origin,
                  "declare a subnet in the target's subscription, or that subscription as spec.target.subscription",
                  "the subnet is in subscription %s, the target in %s: a machine and its network stand in one, so an "
                  "order would be blocked",
                  there, target);
}

/* "replace" exchanges the disks of the source VM, so that there is only one right target. */
static void check_replace(const struct document *doc, struct diags *faults)
{
    const struct document *pvm = document_target(doc, "spec.from");
    const char *target = doc->connection ? restored_vm_id(faults->arena, doc) : NULL,
               *source = pvm && pvm->connection ? source_vm_id(faults->arena, pvm) : NULL;

    if (!str_eq(value_str_at(doc->spec, "restore"), "replace"))
        return;
    if (target && source && !arm_id_equal(target, source))
        diags_add(faults, SEVERITY_WARNING, value_origin(value_get(doc->spec, "target")),
                  "declare the source VM's own group and name as the target, or restore: new-vm",
                  "%s replaces the disks of %s, and its target is %s: an order would be blocked", doc->address, source,
                  target);
}

/* A set and the disks made with it stand in one subscription, which manifests alone show. */
static void check_declared(const struct document *doc, struct diags *faults)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *id = reference_id(a, doc, "spec.diskEncryptionSet", disk_encryption_set_id);
    const char *target = doc->connection ? arm_id_part(a, restored_vm_id(a, doc), "subscriptions") : NULL;
    const char *set = id ? arm_id_part(a, id, "subscriptions") : NULL;
    size_t before = faults->n_errors;

    id_fields_check(doc, faults);
    if (faults->n_errors > before)
        return;
    check_subnet(doc, target, faults);
    check_replace(doc, faults);
    if (target && set && !str_eq_nocase(set, target))
        diags_add(faults, SEVERITY_WARNING, &document_reference(doc, "spec.diskEncryptionSet")->origin,
                  "declare a set in the target's subscription",
                  "the disk encryption set is in subscription %s, the target in %s: a set and its disks stand in one, "
                  "so an order would be blocked",
                  set, target);
}

/* The vault that is to protect it serves later disasters: tonight's restore does not rely on it. */
static const char *const mentions[] = {"spec.protect", NULL};

const struct kind restored_vm_kind = {
    .name = "RestoredVirtualMachine",
    .mentions = mentions,
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
