/* Knows how rights are read and added. Never removes or narrows any. */
#include "grant.h"

#include "../../reconciler/format/crypt.h"
#include "rights_needed.h"

char *role_definition_id(struct arena *a, const char *subscription, const char *role_id)
{
    return arena_printf(a, "/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/%s", subscription, role_id);
}

char *role_assignment_name(struct arena *a, const char *scope, const char *principal, const char *role_id)
{
    /* The namespace is this project's own; changing it would make every assignment appear twice. */
    static const char namespace_uuid[] = "b7c2b0b4-5b2c-5f0e-9d3c-6f3a1d0f7a11";
    char name[UUID_TEXT];

    crypt_uuid5(namespace_uuid, str_lower(a, arena_printf(a, "%s|%s|%s", scope, principal, role_id)), name);
    return arena_strdup(a, name);
}

static int assignment_facts(struct azure *az, struct call *c, struct arena *a, const struct value *item, struct value *out, struct err *err)
{
    const char *role = value_str_at(item, "properties.roleDefinitionId");
    struct value *definition, *f = value_map(a);

    value_set_string(a, f, "principalId", value_str_at(item, "properties.principalId"));
    value_set_string(a, f, "roleDefinitionId", role);
    value_set_string(a, f, "scope", value_str_at(item, "properties.scope"));
    value_set_string(a, f, "createdOn", value_str_at(item, "properties.createdOn"));
    value_push(a, out, f);
    if (!role || role_by_id(role))
        return 0;
    /* A role not in the table, or a custom one: what it permits is read, never guessed. */
    if (arm_get(az, c, a, role, API_AUTHORIZATION, &definition, err) < 0)
        return err->class == ERR_NOT_FOUND || err->class == ERR_DENIED ? 0 : -(int)err->class;
    if (value_at(definition, "properties.permissions"))
        value_set(a, f, "permissions", value_at(definition, "properties.permissions"));
    return 0;
}

int role_assignments_read(struct azure *az, struct call *c, struct arena *a, const char *scope, struct value **ret, struct err *err)
{
    struct value *list, *out = value_list(a);

    TRY(arm_list(az, c, a, arena_printf(a, "%s/providers/Microsoft.Authorization/roleAssignments", scope), API_AUTHORIZATION,
                 "$filter=atScope()", &list, err));
    for (size_t i = 0; i < value_count(list); i++)
        TRY(assignment_facts(az, c, a, value_item(list, i), out, err));
    *ret = out;
    return 0;
}

struct value *role_assignment_body(struct arena *a, const char *scope, const char *principal, const char *role_id)
{
    struct value *body = value_map(a), *properties = value_set(a, body, "properties", value_map(a));

    value_set_string(a, properties, "roleDefinitionId", role_definition_id(a, arm_id_part(a, scope, "subscriptions"), role_id));
    value_set_string(a, properties, "principalId", principal);
    /* Told, so that a new identity which the directory has not replicated yet is accepted. */
    value_set_string(a, properties, "principalType", "ServicePrincipal");
    return body;
}

struct value *access_policy_body(struct arena *a, const char *tenant, const char *principal, const struct value *permissions)
{
    struct value *body = value_map(a), *entry = value_map(a), *policies = value_list(a);

    value_set_string(a, entry, "tenantId", tenant);
    value_set_string(a, entry, "objectId", principal);
    value_set(a, value_set(a, entry, "permissions", value_map(a)), "keys", value_copy(a, permissions));
    value_push(a, policies, entry);
    value_set(a, value_set(a, body, "properties", value_map(a)), "accessPolicies", policies);
    return body;
}

int role_assignment_put(struct azure *az, struct call *c, struct arena *a, const char *scope, const char *principal, const char *role_id,
                        struct err *err)
{
    static const int64_t waits_ms[] = {10 * SECOND_MS, 20 * SECOND_MS, 40 * SECOND_MS, 80 * SECOND_MS, 150 * SECOND_MS};
    char *id = arena_printf(a, "%s/providers/Microsoft.Authorization/roleAssignments/%s", scope,
                            role_assignment_name(a, scope, principal, role_id));
    struct value *body = role_assignment_body(a, scope, principal, role_id);
    struct arm_operation op;

    for (size_t i = 0;; i++) {
        if (arm_send(az, c, a, HTTP_PUT, id, API_AUTHORIZATION, body, ARM_REPEATABLE, &op, err) == 0 ||
            str_eq_nocase(err->code, "RoleAssignmentExists"))
            return 0;
        if (!str_eq_nocase(err->code, "PrincipalNotFound") || i == COUNT(waits_ms))
            return -(int)err->class;
        TRY(call_sleep_ms(c, waits_ms[i], "the directory to know the new identity", err));
    }
}

int access_policy_add(struct azure *az, struct call *c, struct arena *a, const char *vault_id, const char *tenant, const char *principal,
                      const struct value *permissions, struct err *err)
{
    struct value *body = access_policy_body(a, tenant, principal, permissions);
    struct arm_operation op;

    return arm_send(az, c, a, HTTP_PUT, arena_printf(a, "%s/accessPolicies/add", vault_id), API_KEYVAULT, body, ARM_REPEATABLE, &op, err);
}
