/* Knows the commands of a grant: by role, by access policy, by local role of an HSM. */
#include "../access/grant.h"
#include "../access/rights.h"
#include "../azure/vault.h"
#include "../keys/store.h"
#include "../kinds/requests.h"
#include "commands.h"

/* The set whose identity a grant is for: its document, or its id. NULL: another principal. */
static const char *set_of_grant(struct making *m)
{
    const struct value *principals = value_get(m->doc->spec, "principals");
    const struct reference *one = document_reference(m->doc, "spec.principal.diskEncryptionSet");

    for (size_t i = 0; !one && i < value_count(principals); i++) {
        const struct reference *ref =
            document_reference(m->doc, arena_printf(m->a, "spec.principals.%zu.diskEncryptionSet", i));
        const char *label = !ref ? NULL : ref->target ? ref->target->name : arm_id_name(ref->id);

        if (label && str_ends_nocase(m->step->id, arena_printf(m->a, ".%s", label)))
            one = ref;
    }
    return !one ? NULL : one->target ? disk_encryption_set_id(m->a, one->target) : one->id;
}

/* Whom one command of a grant is for: `known`, or read from the set when the time comes. Returns how a body names it.
 */
static const char *principal(struct making *m, struct value *with, const char *known)
{
    making_set(m, with, "principal", known);
    if (known)
        return known;
    making_set(m, with, "principalOf", set_of_grant(m));
    return RUNBOOK_VARIABLE("principal");
}

static void grant_role(struct making *m, const char *known, const char *role, const char *role_guid)
{
    struct value *with = making_add(m, RUNBOOK_ROLE);
    const char *who = principal(m, with, known);

    making_set(m, with, "scope", m->step->scope);
    making_set(m, with, "role", role);
    making_set(m, with, "roleId", role_guid);
    if (value_str_at(with, "principal"))
        making_set(m, with, "name", role_assignment_name(m->a, m->step->scope, who, role_guid));
    value_set(m->a, with, "body", role_assignment_body(m->a, m->step->scope, who, role_guid));
}

static void grant_policy(struct making *m, const char *known, const struct value *permissions)
{
    struct azure *az = kind_azure(m->provider, m->doc);
    struct value *with = making_add(m, RUNBOOK_POLICY);
    const char *who = principal(m, with, known);

    making_set(m, with, "vault", m->step->scope);
    value_set(m->a, with, "permissions", value_copy(m->a, permissions));
    value_set(m->a, with, "body", access_policy_body(m->a, az ? azure_tenant(az) : NULL, who, permissions));
}

static void grant_local_role(struct making *m, const char *known, const char *hsm, const char *role,
                             const char *role_guid)
{
    const struct value *facts = view_facts(m->v, m->doc);
    const char *base = value_str_at(facts, "base"), *scope = value_str_at(facts, "localScope");
    struct value *with = making_add(m, RUNBOOK_HSM_ROLE);
    const char *who = principal(m, with, known);

    making_set(m, with, "hsm", hsm);
    making_set(m, with, "base", base);
    making_set(m, with, "scope", scope);
    making_set(m, with, "url", hsm_assignments_url(m->a, base, scope));
    value_set_int(m->a, with, "delay", (m->v->settings->hsm_role_delay_ms + SECOND_MS - 1) / SECOND_MS);
    making_set(m, with, "role", role);
    making_set(m, with, "roleId", role_guid);
    if (value_str_at(with, "principal"))
        making_set(m, with, "name",
                   role_assignment_name(m->a, arena_printf(m->a, "%s%s", base, scope), who, role_guid));
    value_set(m->a, with, "body", hsm_assignment_body(m->a, role_guid, who));
}

/* By local roles: one document spells a single one out, a KeyAccess asks for those that a principal lacks. */
static void grant_local(struct making *m, const char *known)
{
    const struct value *facts = view_facts(m->v, m->doc), *principals = value_get(facts, "principals");
    const struct document *key = document_target(m->doc, "spec.key");

    if (!key) {
        grant_local_role(m, known, reference_id(m->a, m->doc, "spec.hsm", managed_hsm_id),
                         value_str_at(m->doc->spec, "role"), value_str_at(facts, "roleId"));
        return;
    }
    for (size_t i = 0; i < value_count(principals); i++) {
        const struct value *p = value_item(principals, i), *grants = value_get(p, "grants");

        if (!str_ends_nocase(m->step->id, arena_printf(m->a, "#grant.%s", value_str_at(p, "label"))))
            continue;
        for (size_t k = 0; k < value_count(grants); k++)
            grant_local_role(m, known, key_store_of(m->a, key), value_str_at(value_item(grants, k), "name"),
                             value_str_at(value_item(grants, k), "id"));
    }
}

/* `known`: the identity; NULL: that of a set that is yet to be made. */
static void grant_to(struct making *m, const char *known)
{
    const char *role = value_str(making_changed(m, "role")), *id = value_str_at(view_facts(m->v, m->doc), "roleId");
    const struct role_facts *facts = role_by_name(role);
    const struct value *permissions = making_changed(m, "keyPermissions");

    if (value_str_at(view_facts(m->v, m->doc), "localScope"))
        grant_local(m, known);
    else if (permissions)
        grant_policy(m, known, permissions);
    else if (role && (facts || id))
        grant_role(m, known, role, facts ? facts->id : id);
}

void making_grant(struct making *m)
{
    struct value *with;
    bool told = false;

    if (m->step->action == ACTION_WAIT) {
        with = making_add(m, RUNBOOK_PAUSE);
        value_set_int(m->a, with, "seconds", (m->step->estimate_ms + SECOND_MS - 1) / SECOND_MS);
    }
    if (m->step->action != ACTION_GRANT)
        return;
    /* All identities that the step names: a set may act by any of them. */
    for (size_t i = 0; i < m->step->n_changes; i++)
        if (grant_names_identity(m->step->changes[i].path)) {
            told = true;
            grant_to(m, value_str(m->step->changes[i].after));
        }
    if (!told)
        grant_to(m, value_str_at(m->doc->spec, "objectId"));
}
