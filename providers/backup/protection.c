/* Knows when a VM is to be put under protection, and what stays with a person: undeleting an item, another policy for
 * one that is protected (a shorter retention would lose points), a protection that is paused. Must not stop or change a
 * protection. */
#include "protection.h"

#include "../azure/backup.h"
#include "../azure/geography.h"
#include "points.h"

const char *protection_policy_id(struct arena *a, const char *vault_id, const char *declared)
{
    if (!declared || !vault_id)
        return NULL;
    return declared[0] == '/' ? declared : arena_printf(a, "%s/backupPolicies/%s", vault_id, declared);
}

int protection_observe_policy(struct call *c, const struct observer *o, struct azure *az, const char *policy_id,
                              struct value **ret, struct err *err)
{
    struct value *live;

    if (backup_get_policy(az, c, o->arena, policy_id, &live, err) < 0)
        return facts_from_error(o->arena, "reading the backup policy", err, ret);
    *ret = facts_new(o->arena, "present");
    value_set(o->arena, *ret, "live", live);
    return 0;
}

/* Where the vault lies, as far as it can be read: a vault protects the VMs of its own region only. */
static int observe_region(struct call *c, const struct observer *o, struct azure *az, const char *vault,
                          struct value *found, struct err *err)
{
    struct value *live;

    if (arm_get(az, c, o->arena, vault, API_RECOVERY_VAULT, &live, err) == 0)
        value_set_string(o->arena, found, "region", value_str_at(live, "location"));
    else if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    return 0;
}

int protection_observe_restored(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                                struct err *err)
{
    const char *vault = reference_id(o->arena, o->document, "spec.protect.vault", recovery_vault_id);
    const char *policy = protection_policy_id(o->arena, vault, value_str_at(o->document->spec, "protect.policy"));
    struct value *found, *seen;
    const struct value *item;

    if (!policy)
        return 0;
    found = value_set(o->arena, facts, "protection", value_map(o->arena));
    value_set_string(o->arena, found, "vaultId", vault);
    value_set_string(o->arena, found, "policyId", policy);
    TRY(protection_observe_policy(c, o, az, policy, &seen, err));
    value_set(o->arena, found, "policy", seen);
    TRY(observe_region(c, o, az, vault, found, err));
    if (!str_eq(value_str_at(facts, "state"), "present"))
        return 0;
    if (backup_find_item(az, c, o->arena, vault, restored_vm_id(o->arena, o->document), &item, err) < 0) {
        TRY(facts_from_error(o->arena, "looking for the restored VM's protected item", err, &seen));
    } else {
        seen = facts_new(o->arena, "present");
        value_link(o->arena, seen, "live", item);
    }
    value_set(o->arena, found, "item", seen);
    return 0;
}

static const char *elsewhere(const struct view *v, const struct document *doc, const char *vaults)
{
    const char *vms = protected_vm_region(v, document_target(doc, "spec.from"));

    if (!vaults || !vms || str_eq_nocase(azure_region(v->arena, vaults), azure_region(v->arena, vms)))
        return NULL;
    return arena_printf(v->arena, "the vault declared for it is in %s, the VM in %s", vaults, vms);
}

struct step *protection_step_restored(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = value_get(view_facts(v, doc), "protection");
    struct protection p = {
        .vault_id = value_str_at(facts, "vaultId"),
        .vm_id = restored_vm_id(v->arena, doc),
        .policy_id = value_str_at(facts, "policyId"),
        .item = value_at(facts, "item.live"),
        .item_unseen = str_eq(value_str_at(facts, "item.state"), "unseen"),
        .policy = value_get(facts, "policy"),
        .elsewhere = elsewhere(v, doc, value_str_at(facts, "region")),
    };
    const struct document *vault = document_target(doc, "spec.protect.vault");
    struct step *step = p.policy_id ? protection_step(doc, out, &p) : NULL;

    if (step)
        step_on(out, step, vault);
    if (step && vault && vault->withheld)
        step_withhold(out, step, vault->withheld);
    return step;
}

/* Why the declared policy cannot protect a confidential VM; NULL: it can. */
static const char *policy_unfit(const struct protection *p, const char **ret_next)
{
    const char *state = value_str_at(p->policy, "state"), *type = value_str_at(p->policy, "live.properties.policyType");

    *ret_next = "declare a vault in the VM's region: a vault protects no others";
    if (p->elsewhere)
        return p->elsewhere;
    *ret_next = "make it in the vault, an enhanced one (V2), or declare another; reinstate makes no policies";
    if (str_eq(state, "absent"))
        return "the declared backup policy does not exist";
    if (!str_eq(state, "present")) {
        *ret_next = "give the credential the right to read the vault's policies";
        return "the declared backup policy cannot be seen";
    }
    *ret_next = "declare an enhanced policy (V2): confidential VMs can be protected by no other";
    return str_eq_nocase(type, "V2") ? NULL : "the declared backup policy is no enhanced one";
}

static struct step *step_protect(const struct document *doc, struct steps *out, const struct protection *p, bool resume)
{
    const char *next, *unfit = policy_unfit(p, &next);
    struct value *detail = value_map(out->arena);
    struct step *step;

    if (unfit)
        return steps_finding(out, doc, "protect", next, "the VM is not protected, and %s", unfit);
    step = steps_add(out, doc, resume ? ACTION_UPDATE : ACTION_CREATE, "protect",
                     resume ? "the protection was stopped, and policy %s is declared: it is resumed"
                            : "the VM is not protected; policy %s is declared",
                     arm_id_name(p->policy_id));
    /* New points are for later disasters: the restore of tonight does not wait for them. */
    step->aside = true;
    step->scope = backup_item_path(out->arena, p->vault_id, p->vm_id);
    step->postcondition = "the item is protected; its first point comes with the next backup";
    step->estimate_ms = 2 * MINUTE_MS;
    value_set_string(out->arena, detail, "policy", p->policy_id);
    value_set_string(out->arena, detail, "virtualMachine", p->vm_id);
    step->detail = detail;
    step_change(out, step, "properties.policyId", value_at(p->item, "properties.policyId"),
                value_string(out->arena, p->policy_id), NULL);
    /* Points kept for ever may be dropped by it, so that policy asks for a name. */
    if (resume)
        step_change(out, step, "properties.protectionState", value_at(p->item, "properties.protectionState"),
                    value_string(out->arena, "Protected"),
                    "the policy's retention applies to the points that are there");
    else
        step_writes(out, step, "POST", "%s/backupFabrics/Azure/refreshContainers", p->vault_id);
    step_writes(out, step, "PUT", "%s/backupFabrics/Azure/protectionContainers/", p->vault_id);
    step_right(out, step, p->vault_id,
               "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/write", false,
               "Backup Operator");
    return step;
}

struct step *protection_step(const struct document *doc, struct steps *out, const struct protection *p)
{
    const char *state = value_str_at(p->item, "properties.protectionState"),
               *have = value_str_at(p->item, "properties.policyName");

    if (p->item_unseen)
        return steps_finding(out, doc, "protect", "give the credential the right to read the vault's items",
                             "whether the VM is protected cannot be seen");
    if (!p->item)
        return step_protect(doc, out, p, false);
    if (value_bool_at(p->item, "properties.isScheduledForDeferredDelete", false))
        return steps_block(out, doc, "protect", "a person undeletes the protected item in the vault, or lets it go",
                           "the VM's protected item is soft-deleted");
    if (str_eq_nocase(state, "ProtectionStopped"))
        return step_protect(doc, out, p, true);
    if (!str_eq_nocase(state, "Protected") && !str_eq_nocase(state, "IRPending"))
        return steps_finding(out, doc, "protect", "look at the item in the vault: a person resumes or repairs it",
                             "the VM's protection is %s", state ? state : "not to be seen");
    if (have && *have && !str_eq_nocase(have, arm_id_name(p->policy_id)))
        return steps_finding(
            out, doc, "policy",
            "put the VM under the declared policy in the vault, or declare the one it has: another retention "
            "may drop recovery points, so a person decides",
            "the VM is under backup policy %s, declared is %s", have, arm_id_name(p->policy_id));
    return NULL;
}

int protection_act(struct call *c, const struct actor *actor, struct azure *az, const char *vault_id, const char *vm_id,
                   const char *policy_id, struct err *err)
{
    int64_t bound = actor->view->settings->poll_bound_ms;
    struct backup_job job;

    /* A VM that the vault has never seen is found first. */
    if (actor->step->action == ACTION_CREATE)
        TRY(backup_refresh(az, c, actor->arena, vault_id, bound, err));
    TRY(backup_protect(az, c, actor->arena, &(struct backup_protection){vault_id, vm_id, policy_id}, bound, &job, err));
    if (job.state == JOB_COMPLETED || job.state == JOB_COMPLETED_WITH_WARNINGS) {
        actor_say(actor, "protected by policy %s", arm_id_name(policy_id));
        return 0;
    }
    err_set(err, ERR_BLOCKED, "protecting ended %s with %s", job.status, job.error_code ? job.error_code : "no code");
    if (job.error_code && azure_error_find(job.error_code))
        return err_advise(err, "%s: %s", azure_error_find(job.error_code)->meaning,
                          azure_error_find(job.error_code)->action);
    return err_advise(err, "%s", job.error_text ? job.error_text : "look at the job in the portal");
}
