/* Knows how a plan becomes a list of what a person does: which steps have commands, which are held back and by what,
 * and what only people can do. Must not know a shell. */
#include "runbook.h"

static const char *const verb_names[RUNBOOK_VERB_COUNT] = {
    [RUNBOOK_JOB] = "restore-job",
    [RUNBOOK_EXPORTED_KEY] = "restore-exported-key",
    [RUNBOOK_KEY_FILE] = "restore-key-file",
    [RUNBOOK_ESCROWED_KEY] = "restore-escrowed-key",
    [RUNBOOK_ESCROW_KEY] = "escrow-key",
    [RUNBOOK_RECOVER_KEY] = "recover-key",
    [RUNBOOK_KEY_ATTRIBUTES] = "set-key-attributes",
    [RUNBOOK_NEW_KEY] = "create-key",
    [RUNBOOK_SEE_KEY] = "see-key",
    [RUNBOOK_STORE] = "write-key-store",
    [RUNBOOK_SET] = "write-disk-encryption-set",
    [RUNBOOK_SEE_SET] = "see-disk-encryption-set",
    [RUNBOOK_ROLE] = "assign-role",
    [RUNBOOK_POLICY] = "add-access-policy",
    [RUNBOOK_HSM_ROLE] = "assign-local-role",
    [RUNBOOK_WRITE] = "write",
    [RUNBOOK_PAUSE] = "pause",
    [RUNBOOK_START_VM] = "start-vm",
    [RUNBOOK_SEE_VM] = "see-vm",
};

const char *runbook_verb_name(enum runbook_verb verb)
{
    return verb >= 0 && verb < RUNBOOK_VERB_COUNT ? verb_names[verb] : "unknown";
}

/* --- what holds a step back --------------------------------------------------------------------------------------- */

static const struct runbook_entry *entry_of(const struct runbook_entry *entries, size_t count, const char *step_id)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(entries[i].step->id, step_id))
            return &entries[i];
    return NULL;
}

static const char *barred_by_policy(struct arena *a, const struct step *step)
{
    const struct ruling *r = action_writes(step->action) ? step_withheld(step) : NULL;

    if (!r)
        return action_writes(step->action) && step->verdict >= VERDICT_OBSERVE_ONLY && !step->n_rulings
                   ? "policy does not allow it"
                   : NULL;
    if (r->verdict == VERDICT_REQUIRE_APPROVAL)
        return arena_printf(
            a, "rule %s asks for a named approval: make the runbook again with --approve %s=NAME once it is given",
            r->rule, r->rule);
    return arena_printf(a, "rule %s %s it", r->rule, r->verdict == VERDICT_DENY ? "denies" : "only observes");
}

/* What was concluded of the step, and of the documents it rests on. What runs already is followed to its
 * end all the same. */
static const char *barred_by_conclusion(const struct view *v, const struct step *step)
{
    if (step->action == ACTION_BLOCKED)
        return step->next ? step->next : "a person decides";
    for (size_t i = 0; v->conclusions && !step->adopts && i < step->n_on; i++) {
        const struct conclusion *under = &v->conclusions[step->on[i]->index];

        if (under->verdict == PROSPECT_BLOCKED)
            return arena_printf(v->arena, "%s is blocked: %s", step->on[i]->address, under->block->reason);
    }
    return NULL;
}

/* The steps before this one are in `entries` already: what only this runbook holds back, for want of an approval or of
 * a command, holds back what comes after it. */
static const char *barred(const struct view *v, const struct step *step, const struct runbook_entry *entries,
                          size_t count)
{
    const struct runbook_entry *barrier = NULL;
    const char *why = barred_by_conclusion(v, step);

    if (!why)
        why = barred_by_policy(v->arena, step);
    for (size_t i = 0; !why && i < step->n_needs; i++) {
        const struct runbook_entry *need = entry_of(entries, count, step->needs[i]);

        if (step->needs_any && need && !need->barred)
            return NULL;
        if (need && need->barred)
            barrier = barrier ? barrier : need;
    }
    if (barrier)
        why = arena_printf(v->arena, "step %zu comes first, and is held back", barrier->number);
    return why;
}

/* --- what only people do ------------------------------------------------------------------------------------------ */

static bool any_action(const struct runbook_entry *entries, size_t count, enum action action)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].step->action == action && !entries[i].barred)
            return true;
    return false;
}

static bool any_hsm(const struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (key_store_is_hsm(plan->steps.items[i]->document))
            return true;
    return false;
}

static const char *const *people(struct arena *a, const struct plan *plan, const struct runbook_entry *entries,
                                 size_t count, size_t *ret_count)
{
    const char **list = NULL;
    size_t n = 0;

    if (any_action(entries, count, ACTION_EXPORT_KEY) || any_action(entries, count, ACTION_RESTORE_KEY))
        arena_push(a, list, n,
                   "When the VM runs: delete the exported key (securedvmencryptioninfo*.json) from the staging "
                   "account, and look for copies that "
                   "its soft delete and versions keep. Whoever can read it and may restore keys in this subscription "
                   "has the key.");
    if (any_action(entries, count, ACTION_RESTORE_VM)) {
        arena_push(a, list, n,
                   "Look into the restored machine: file system, application, clock, name, addresses. Azure says that "
                   "it runs, not that it "
                   "works.");
        arena_push(a, list, n, "Point users to it: DNS, load balancers, firewalls, monitoring. Put it under backup.");
    }
    if (any_action(entries, count, ACTION_GRANT))
        arena_push(a, list, n, "Remove grants of identities that no longer exist; the tool only adds.");
    if (any_hsm(plan))
        arena_push(a, list, n,
                   "A new managed HSM opens old key backups only after it is activated with the old security domain, "
                   "by a quorum of "
                   "the people who hold its keys.");
    if (count)
        arena_push(a, list, n,
                   "Write down who did what and when: the tool's journal does not know of it. Then: reinstate drift");
    *ret_count = n;
    return list;
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static const char *subscription_of(struct arena *a, const struct step *step, const struct runbook_command *commands,
                                   size_t n)
{
    static const char *const members[] = {"vault", "id", "store", "scope", "hsm"};
    const char *found = NULL;

    for (size_t i = 0; i < n && !found; i++)
        for (size_t k = 0; k < COUNT(members) && !found; k++) {
            const char *id = value_str_at(commands[i].with, members[k]);

            found = id ? arm_id_part(a, id, "subscriptions") : NULL;
        }
    return found ? found : kind_subscription(step->document);
}

struct runbook runbook_make(const struct view *v, const struct plan *plan, void *provider)
{
    struct runbook rb = {.arena = v->arena, .plan = plan};
    struct runbook_entry *entries = NULL;

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = plan->steps.items[i];
        struct azure *az = kind_azure(provider, step->document);
        struct runbook_entry e = {.step = step, .number = rb.count + 1};
        const char *why = NULL;

        if (az && !rb.cloud) {
            rb.cloud = azure_cloud(az);
            rb.tenant = azure_tenant(az);
            rb.azure = step->document->connection ? step->document->connection->spec : NULL;
        }
        if (step->action == ACTION_NONE)
            continue;
        e.barred = barred(v, step, entries, rb.count);
        if (!e.barred)
            e.commands = runbook_commands(v, step, provider, &e.n_commands, &why);
        if (!e.barred && !e.n_commands)
            e.barred = why;
        e.subscription = subscription_of(v->arena, step, e.commands, e.n_commands);
        arena_push(v->arena, entries, rb.count, e);
    }
    /* A document whose connection nobody made names its cloud itself. */
    for (size_t i = 0; !rb.cloud && i < rb.count; i++)
        if (entries[i].step->document->connection) {
            rb.azure = entries[i].step->document->connection->spec;
            rb.cloud = cloud_builtin(value_str_at(rb.azure, "cloud"));
        }
    if (!rb.cloud)
        rb.cloud = cloud_builtin("AzurePublic");
    rb.entries = entries;
    rb.people = people(v->arena, plan, entries, rb.count, &rb.n_people);
    return rb;
}

struct value *runbook_to_value(struct arena *a, const struct runbook *rb)
{
    struct value *v = value_map(a), *entries = value_list(a), *persons = value_list(a);

    for (size_t i = 0; i < rb->count; i++) {
        const struct runbook_entry *e = &rb->entries[i];
        struct value *one = value_map(a), *commands = value_list(a);

        value_set_int(a, one, "number", (int64_t)e->number);
        value_set(a, one, "step", step_to_value(a, e->step));
        value_set_string(a, one, "subscription", e->subscription);
        value_set_string(a, one, "heldBackBy", e->barred);
        for (size_t k = 0; k < e->n_commands; k++) {
            struct value *command = value_map(a);

            value_set_string(a, command, "do", runbook_verb_name(e->commands[k].verb));
            value_set(a, command, "with", value_copy(a, e->commands[k].with));
            value_push(a, commands, command);
        }
        value_set(a, one, "commands", commands);
        value_push(a, entries, one);
    }
    for (size_t i = 0; i < rb->n_people; i++)
        value_push(a, persons, value_string(a, rb->people[i]));
    value_set(a, v, "entries", entries);
    value_set(a, v, "people", persons);
    return v;
}

const char *runbook_api(const struct runbook *rb, enum azure_api api)
{
    return azure_api_declared(rb->azure, api);
}
