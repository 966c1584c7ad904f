/* Knows why a restore that is ordered is not carried out: what it needs and lacks, the source that heals or still runs.
 * Pure. Must not know how one is triggered. */
#include "../azure/key_id.h"
#include "../backup/points.h"
#include "../keys/key_facts.h"
#include "../restore/access_needed.h"
#include "../restore/obstacles.h"
#include "../restore/platform.h"
#include "restored_vm.h"

/* --- what is known ------------------------------------------------------------------------------------------------ */

/* A new VM was asked for in a zone and a subnet. A property that cannot be seen is neither reported as different nor
 * called as declared. */
static const char *place_differs(const struct view *v, const struct situation *s)
{
    const struct value *facts = view_facts(v, s->doc), *zones = value_at(facts, "live.zones"),
                       *subnets = value_get(facts, "subnets");
    const char *zone = value_str_at(s->doc->spec, "zone"),
               *subnet = reference_id(v->arena, s->doc, "spec.target.subnet", NULL);

    if (situation_type(s->doc) != RESTORE_NEW_VM)
        return NULL;
    if (zone && !str_eq(value_str(value_item(zones, 0)), zone))
        return arena_printf(v->arena, "it is in %s%s, and declared is zone %s",
                            value_count(zones) ? "zone " : "no zone",
                            value_count(zones) ? value_str(value_item(zones, 0)) : "", zone);
    for (size_t i = 0; subnet && i < value_count(subnets); i++)
        if (!arm_id_equal(value_str(value_item(subnets, i)) ? value_str(value_item(subnets, i)) : "", subnet))
            return arena_printf(v->arena, "it is in subnet %s, and declared is %s", value_str(value_item(subnets, i)),
                                subnet);
    return NULL;
}

const char *restored_vm_version_differs(const struct view *v, const struct situation *s)
{
    const char *wanted = s->des ? value_str(key_wanted_url(v, s->des, "spec.key")) : NULL;
    const char *have = value_str_at(view_facts(v, s->des), "live.properties.activeKey.keyUrl");

    /* A set that is concluded to be as declared, as one in use that nobody re-points, is so for its machine too. */
    if (view_prospect(v, s->des) == PROSPECT_SATISFIED)
        return NULL;
    if (s->now.encryption == DX_PMK || !wanted || !have || !key_url_version(v->arena, wanted) ||
        key_same_version(wanted, have))
        return NULL;
    return arena_printf(v->arena, "its disk encryption set is on %s, and declared is %s", have, wanted);
}

const char *restored_vm_differs(const struct view *v, const struct situation *s)
{
    const char *place = place_differs(v, s);
    const struct value *facts = view_facts(v, s->doc), *live = value_get(facts, "live");
    const char *des = value_str_at(facts, "des");

    if (!str_eq_nocase(value_str_at(live, "properties.provisioningState"), "Succeeded"))
        return arena_printf(v->arena, "its provisioning state is %s",
                            value_str_at(live, "properties.provisioningState"));
    if (place)
        return place;
    if (s->now.encryption == DX_PMK)
        return s->des_id && !arm_id_equal(des ? des : "", s->des_id)
                   ? arena_printf(
                         v->arena,
                         "declared is the set %s, but the point is of a platform-managed key, and the VM is on %s",
                         arm_id_name(s->des_id), des ? arm_id_name(des) : "no set")
                   : NULL;
    if (!str_eq_nocase(value_str_at(live, "properties.securityProfile.securityType"), "ConfidentialVM"))
        return "it is no confidential VM";
    if (s->des_id && !arm_id_equal(des ? des : "", s->des_id))
        return arena_printf(v->arena, "its disk encryption set is %s", des ? des : "none");
    return NULL;
}

bool restored_vm_runs(const struct document *doc)
{
    return str_eq(value_str_at(doc->spec, "verify.powerState"), "running");
}

bool restored_vm_should_be_off(const struct view *v, const struct document *doc)
{
    return str_eq(value_str_at(doc->spec, "verify.powerState"), "deallocated") &&
           str_eq_nocase(value_str_at(view_facts(v, doc), "power"), "running");
}

/* --- what stands against it --------------------------------------------------------------------------------------- */

static bool serves(const struct step *step, const struct document *doc)
{
    for (size_t i = 0; i < step->n_serves; i++)
        if (step->serves[i] == doc)
            return true;
    return false;
}

/* A pass for a key that this machine has no use for only comes first, as Azure restores an item once at a time; it
 * may well fail. */
static void need_backup(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    const struct index_entry *at = NULL;
    const struct step *other;

    step_on(out, step, s->pvm);
    while ((other = steps_next(v->steps, s->pvm, &at))) {
        if (other->aside || !step_pends(other))
            continue;
        if (other->action == ACTION_EXPORT_KEY && !serves(other, s->doc))
            step_after(out, step, other->id);
        else
            step_need(out, step, other->id);
    }
}

void restored_vm_needs(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    need_backup(v, s, out, step);
    /* Azure holds the key of a platform-key machine: no key of ours, and nobody's approval of it, holds it up. */
    if (s->now.encryption == DX_PMK)
        return;
    view_need(v, out, step, s->key);
    if (s->original_key != s->key)
        view_need(v, out, step, s->original_key);
    view_need(v, out, step, s->des);
    for (size_t i = 0; i < s->n_grants; i++)
        access_need(v, s, out, step, s->grants[i]);
}

/* The step that withholds what the restore needs; `ret_doc`: of which of its needs. NULL: none. */
static const struct step *blocked_need(const struct view *v, const struct situation *s, const struct document **ret_doc)
{
    const struct document *const docs[] = {s->key, s->des};
    const struct step *block;

    for (size_t i = 0; s->now.encryption != DX_PMK && i < COUNT(docs); i++)
        if (docs[i] && view_prospect(v, docs[i]) == PROSPECT_BLOCKED) {
            *ret_doc = docs[i];
            return view_block(v, docs[i]);
        }
    for (size_t i = 0; s->now.encryption != DX_PMK && i < s->n_grants; i++)
        if (access_prospect_for(v, s, s->grants[i], &block) == PROSPECT_BLOCKED) {
            *ret_doc = s->grants[i];
            return block;
        }
    return NULL;
}

void restored_vm_rights(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    const struct reference *staging = document_reference(s->doc, "spec.target.stagingAccount");
    const char *group = arm_id_parent(v->arena, restored_vm_id(v->arena, s->doc), 4);
    const char *subnet = reference_id(v->arena, s->doc, "spec.target.subnet", NULL);

    step_right(out, step, value_str_at(view_facts(v, s->pvm), "vaultId"),
               "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/"
               "restore/action",
               false, "Backup Operator");
    if (situation_type(s->doc) == RESTORE_REPLACE)
        step_right(out, step, restored_vm_id(v->arena, s->doc), "Microsoft.Compute/virtualMachines/write", false,
                   "Virtual Machine Contributor");
    if (situation_type(s->doc) == RESTORE_NEW_VM)
        step_right(out, step, group, "Microsoft.Compute/virtualMachines/write", false, "Contributor");
    if (situation_type(s->doc) == RESTORE_NEW_VM && subnet)
        step_right(out, step, subnet, "Microsoft.Network/virtualNetworks/subnets/join/action", false,
                   "Network Contributor");
    step_right(out, step, group, "Microsoft.Compute/disks/write", false, "Contributor");
    if (staging && staging->id)
        step_right(out, step, staging->id, "Microsoft.Storage/storageAccounts/read", false,
                   "Storage Account Contributor");
}

static bool obstacles_stop(const struct view *v, const struct situation *s, struct steps *out)
{
    size_t n = 0;
    const struct obstacle *found = restore_obstacles(v, s, &n);
    bool stopped = false;

    for (size_t i = 0; i < n; i++)
        if (found[i].stops) {
            steps_block(out, s->doc, found[i].id, found[i].next, "%s", found[i].reason);
            stopped = true;
        }
    return stopped;
}

void restored_vm_notes(const struct view *v, const struct situation *s, struct steps *out, struct step *step,
                       bool stopping)
{
    size_t n = 0;
    const struct obstacle *found = restore_obstacles(v, s, &n);

    for (size_t i = 0; i < n; i++)
        if (found[i].stops == stopping)
            step_note(out, step, "%s%s%s%s", stopping ? "a restore would be refused: " : "", found[i].reason,
                      stopping ? "; " : "", stopping ? found[i].next : "");
}

bool restored_vm_revoked(const struct situation *s, struct steps *out)
{
    struct dx_prediction then = diagnose(&s->then, s->article);

    if (s->then.key != DX_KEY_REVOKED || s->now.encryption == DX_PMK)
        return false;
    steps_block(out, s->doc, NULL, dx_remedy_words(then.remedies[0]), "ordered, but %s (%s)", then.row->state,
                s->revoked)
        ->scenario = dx_scenario(&then);
    return true;
}

static bool block_pointless(const struct view *v, const struct situation *s, struct steps *out)
{
    if (str_eq(view_state(v, s->pvm), "absent"))
        steps_block(out, s->doc, NULL, arena_printf(v->arena, "see %s", s->pvm->address), "no recovery point of %s: %s",
                    s->pvm->name, protected_vm_absent_words(v, s->pvm));
    else
        steps_block(out, s->doc, NULL,
                    arena_printf(v->arena, "list the points: reinstate activate -f ... %s --list", s->doc->name),
                    "the vault has no recovery point %s of %s", s->order.point ? s->order.point : "in the vault tier",
                    s->pvm->name);
    return true;
}

bool restored_vm_refused(const struct view *v, const struct situation *s, struct steps *out)
{
    struct dx_prediction now = diagnose(&s->now, s->article), then = diagnose(&s->then, s->article);
    const struct document *of = NULL;
    const struct step *blocked = blocked_need(v, s, &of);
    struct step *step;
    bool stopped;

    if (!s->point)
        return block_pointless(v, s, out);
    if (!s->order.exports && s->now.encryption == DX_CMK && (!then.row || then.outcome != DX_SUCCEEDS)) {
        steps_block(
            out, s->doc, "exports-forbidden",
            "declare the Key, its DiskEncryptionSet and KeyAccess, so that the key can be looked at; or set exports: "
            "allowed in the Activation",
            "%s forbids exports, and a restore that fails for its key leaves a copy of it in the staging account: %s",
            s->order.activation->address, then.row ? then.row->state : "what Azure will do with this one is not known");
        return true;
    }
    /* All at once: a person should not meet them one after the other. */
    stopped = obstacles_stop(v, s, out);
    if (stopped)
        restored_vm_notes(v, s, out, out->items[out->count - 1], false);
    if (blocked) {
        step = steps_block(out, s->doc, NULL, blocked->next, "ordered, but %s is blocked: %s", of->address,
                           blocked->reason);
        /* What is wrong with the set named is what a person has to mend, before all that its absence brings about. */
        step->scenario = s->then.fault != DX_FAULT_NONE ? dx_scenario(&then) : dx_scenario(&now);
        return true;
    }
    if (!dx_may_restore(&then)) {
        const char *advice = situation_grant_advice(v, s);

        step = steps_block(
            out, s->doc, NULL,
            advice ? advice : arena_printf(v->arena, "%s (%s)", dx_remedy_words(then.remedies[0]), then.row->source),
            "ordered, but %s: %s%s%s", then.row->refused ? "refused" : "foreseen to fail", then.row->state,
            then.code ? ", " : "", then.code ? then.code : "");
        step->scenario = then.row->id;
        return true;
    }
    return stopped;
}

static struct step *steps_start_source(const struct view *v, const struct situation *s, struct steps *out,
                                       const char *source_id)
{
    struct step *step =
        steps_add(out, s->doc, ACTION_START_VM, "source",
                  "the key of the source VM is back and the VM stands still; healSource: start is declared");
    struct value *detail = value_map(v->arena);

    step->scope = source_id;
    value_set_string(v->arena, detail, "orderedBy", s->order.activation->name);
    step->detail = detail;
    step->estimate_ms = 3 * MINUTE_MS;
    step_writes(out, step, "POST", "%s/start", source_id);
    step_right(out, step, source_id, "Microsoft.Compute/virtualMachines/start/action", false,
               "Virtual Machine Contributor");
    restored_vm_needs(v, s, out, step);
    platform_hold_shut(v, out, out->count - 1);
    return step;
}

/* The source is healed, so the order is rightly not carried out. A person is told until the source runs. */
static void steps_source_there(const struct view *v, const struct situation *s, struct steps *out, const char *source)
{
    const char *id = value_str_at(view_facts(v, s->pvm), "source.id");
    bool key_returns = view_prospect(v, s->key) == PROSPECT_PENDING || view_prospect(v, s->des) == PROSPECT_PENDING;
    const char *power = value_str_at(view_facts(v, s->pvm), "source.power"), *next, *but;
    bool stopped = str_eq(source, "stopped"), moving = str_eq(source, "running") && !str_eq_nocase(power, "running");
    struct step *step;

    if (stopped && id && str_eq(value_str_at(s->doc->spec, "healSource"), "start")) {
        steps_start_source(v, s, out, id);
        return;
    }
    if (key_returns || (str_eq(source, "running") && !moving)) {
        steps_add(out, s->doc, ACTION_NONE, NULL,
                  "the source VM is there (%s) and its key %s: the source is healed, nothing is restored; declare "
                  "evenIfSourceHealthy to "
                  "restore all the same%s",
                  str_eq(source, "unseen") ? "whether it runs cannot be seen"
                  : moving                 ? power
                                           : source,
                  key_returns ? "comes back with the steps above" : "is usable",
                  stopped ? "; start the source when its key is back" : "");
        return;
    }
    next = stopped  ? arena_printf(v->arena,
                                   "start it: az vm start --ids '%s' (healSource: start does it); or declare "
                                    "besideSource, and evenIfSourceHealthy, to restore all the same",
                                  id ? id : s->pvm->name)
           : moving ? "wait until it runs or stands still, then look again"
                    : "give the credential the right to read the source VM's instance view";
    but = stopped  ? "but it stands still: no VM runs"
          : moving ? arena_printf(v->arena, "but it is %s: whether a VM will run is not known yet", power)
                   : "but whether it runs cannot be seen";
    step = steps_block(out, s->doc, "source", next,
                       "%s orders %s, and it was not restored: its source VM %s is healed, its key is usable, %s",
                       s->order.activation->address, s->doc->name, id ? arm_id_name(id) : s->pvm->name, but);
    step->scope = id;
    /* What it depends on is healed on, and watched, all the same. */
    step->aside = true;
}

/* The source heals by itself when its own set and key are there, now or after the steps planned. */
static bool source_heals(const struct view *v, const struct situation *s)
{
    const char *source = protected_vm_source_state(v, s->pvm);

    if (str_eq(source, "absent") || value_bool_at(s->doc->spec, "evenIfSourceHealthy", false))
        return false;
    if (s->now.encryption == DX_PMK)
        return str_eq(source, "running");
    return s->then.key == DX_KEY_PRESENT && s->original_des &&
           (s->then.des == DX_DES_INTACT || s->then.des == DX_DES_ROTATED);
}

bool restored_vm_beside_source(const struct view *v, const struct situation *s, struct steps *out)
{
    const char *source = protected_vm_source_state(v, s->pvm);
    bool there = str_eq(value_str_at(view_facts(v, s->pvm), "source.state"), "present");
    bool beside = value_bool_at(s->doc->spec, "besideSource", false);

    /* Whose disks are replaced has to be there; ../restore/obstacles.c says in which state. */
    if (situation_type(s->doc) == RESTORE_REPLACE)
        return false;
    /* What is asked is what would be on the day on which it is lost. */
    if (v->if_ordered == SUPPOSE_LOSS)
        return false;
    if (source_heals(v, s)) {
        steps_source_there(v, s, out, source);
        return true;
    }
    if (str_eq(source, "running") && !beside) {
        steps_block(out, s->doc, NULL, "declare besideSource: true, or stop the source VM",
                    "the source VM is %s; two machines with one identity are restored only when declared",
                    value_str_at(view_facts(v, s->pvm), "source.power"));
        return true;
    }
    if (str_eq(source, "unseen") && !(there && beside)) {
        steps_block(out, s->doc, NULL, "give the credential the right to read the source VM",
                    "whether the source VM still runs cannot be seen");
        return true;
    }
    return false;
}
