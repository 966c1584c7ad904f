/* Knows the three principals of a confidential VM's key and what each must be able to do. */
#include "rights.h"

#include "../../reconciler/base/text.h"

#define KEYS "Microsoft.KeyVault/vaults/keys/"

const struct key_rights key_rights[KEY_USER_COUNT] = {
    [KEY_USER_DES] =
        {
            .who = "the disk encryption set's identity",
            .loses = "disks cannot be made or attached",
            .policy = {"get", "wrapKey", "unwrapKey"},
            .data_actions = {KEYS "read", KEYS "wrap/action", KEYS "unwrap/action"},
            .role = "Key Vault Crypto Service Encryption User",
            .role_id = "e147488a-f6f5-4113-8e2d-b22465e65bf6",
        },
    [KEY_USER_ORCHESTRATOR] =
        {
            .who = "the Confidential VM Orchestrator",
            .loses = "the VM cannot get its key and does not start",
            .policy = {"get", "release"},
            .data_actions = {KEYS "release/action"},
            .role = "Key Vault Crypto Service Release User",
            .role_id = "08bbd89e-9f13-488c-ac41-acfcb10c90ab",
        },
    [KEY_USER_BACKUP] =
        {
            .who = "the Backup Management Service",
            .loses = "backups stop keeping the key, and restores fail",
            .policy = {"get", "list", "backup"},
            .data_actions = {KEYS "read", KEYS "backup/action"},
            /* The narrowest built-in role that holds both. That Backup's own check accepts it is unverified on Azure;
             * the published grant is Key Vault Administrator. */
            .role = "Key Vault Crypto User",
            .role_id = "12338af0-0e69-4776-bea7-57ae8d297424",
        },
};

const struct role_facts known_roles[] = {
    {"Key Vault Crypto Service Encryption User",
     "e147488a-f6f5-4113-8e2d-b22465e65bf6",
     {KEYS "read", KEYS "wrap/action", KEYS "unwrap/action"}},
    {"Key Vault Crypto Service Release User", "08bbd89e-9f13-488c-ac41-acfcb10c90ab", {KEYS "release/action"}},
    {"Key Vault Crypto User",
     "12338af0-0e69-4776-bea7-57ae8d297424",
     {KEYS "read", KEYS "update/action", KEYS "backup/action", KEYS "encrypt/action", KEYS "wrap/action",
      KEYS "unwrap/action"}},
    {"Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", {KEYS "*"}},
    {"Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483", {"Microsoft.KeyVault/vaults/*"}},
    {"Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2", {"Microsoft.KeyVault/vaults/*/read"}},
};
const size_t n_known_roles = COUNT(known_roles);

const struct role_facts *role_by_id(const char *id)
{
    for (size_t i = 0; id && i < n_known_roles; i++)
        if (str_eq_nocase(arm_id_name(id), known_roles[i].id))
            return &known_roles[i];
    return NULL;
}

const struct role_facts *role_by_name(const char *name)
{
    for (size_t i = 0; name && i < n_known_roles; i++)
        if (str_eq_nocase(name, known_roles[i].name))
            return &known_roles[i];
    return NULL;
}

bool rbac_role_held(const struct value *assignments, const char *object_id, const char *role_id, int64_t *ret_since)
{
    for (size_t i = 0; i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);

        if (!str_eq_nocase(value_str_at(one, "principalId"), object_id) || value_str_at(one, "condition") ||
            !str_eq_nocase(
                arm_id_name(value_str_at(one, "roleDefinitionId") ? value_str_at(one, "roleDefinitionId") : ""),
                role_id))
            continue;
        *ret_since = time_parse(value_str_at(one, "createdOn"));
        return true;
    }
    return false;
}

bool policy_entry_acts(const struct value *live, const struct value *entry)
{
    const char *tenant = value_str_at(live, "properties.tenantId"), *own = value_str_at(entry, "tenantId"),
               *application = value_str_at(entry, "applicationId");

    return (!tenant || !own || str_eq_nocase(own, tenant)) &&
           (!application || !*application || str_eq(application, "00000000-0000-0000-0000-000000000000"));
}

const char *policy_idle(struct arena *a, const struct value *live, const char *object_id)
{
    const struct value *policies = value_at(live, "properties.accessPolicies");
    const char *text = NULL;

    for (size_t i = 0; object_id && i < value_count(policies); i++) {
        const struct value *entry = value_item(policies, i);
        const char *application = value_str_at(entry, "applicationId"), *tenant = value_str_at(entry, "tenantId");

        if (!str_eq_nocase(value_str_at(entry, "objectId"), object_id) || policy_entry_acts(live, entry))
            continue;
        text = arena_printf(
            a, "%s%s%s", text ? text : "", text ? "; " : "",
            application && *application
                ? arena_printf(a, "an entry for %s counts only when application %s asks on its behalf", object_id,
                               application)
                : arena_printf(a, "an entry for %s is of tenant %s, which is not the vault's", object_id, tenant));
    }
    return text;
}

bool rbac_held_on_condition(const struct value *assignments, const char *object_id, const char *role_id,
                            const char *scope)
{
    for (size_t i = 0; object_id && i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);
        const char *role = value_str_at(one, "roleDefinitionId");

        if (value_str_at(one, "condition") && str_eq_nocase(value_str_at(one, "principalId"), object_id) && role &&
            str_eq_nocase(arm_id_name(role), role_id) && arm_id_equal(value_str_at(one, "scope"), scope))
            return true;
    }
    return false;
}

const char *rbac_group_with(const struct value *assignments, const char *role_id)
{
    for (size_t i = 0; i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);
        const char *role = value_str_at(one, "roleDefinitionId");

        if (role && str_eq_nocase(value_str_at(one, "principalType"), "Group") && !value_str_at(one, "condition") &&
            str_eq_nocase(arm_id_name(role), role_id))
            return value_str_at(one, "principalId");
    }
    return NULL;
}

const char *rbac_conditioned(struct arena *a, const struct value *assignments, const char *object_id)
{
    const char *text = NULL;

    for (size_t i = 0; object_id && i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);
        const char *role = value_str_at(one, "roleDefinitionId");
        const struct role_facts *known = role_by_id(role);

        if (!value_str_at(one, "condition") || !str_eq_nocase(value_str_at(one, "principalId"), object_id))
            continue;
        text = arena_printf(a, "%s%s%s at %s holds under a condition: whether it lets the key be used cannot be told",
                            text ? text : "", text ? "; " : "", known ? known->name : arm_id_name(role ? role : "?"),
                            value_str_at(one, "scope"));
    }
    return text;
}

struct value *policy_missing(struct arena *a, const struct value *live, const char *object_id,
                             const char *const *needed)
{
    const struct value *policies = value_at(live, "properties.accessPolicies");
    struct value *missing = value_list(a);

    for (; *needed; needed++) {
        bool has = false;

        for (size_t i = 0; i < value_count(policies); i++) {
            const struct value *keys = value_at(value_item(policies, i), "permissions.keys");

            if (!str_eq_nocase(value_str_at(value_item(policies, i), "objectId"), object_id) ||
                !policy_entry_acts(live, value_item(policies, i)))
                continue;
            for (size_t j = 0; j < value_count(keys); j++)
                has |= str_eq_nocase(value_str(value_item(keys, j)), *needed) ||
                       str_eq_nocase(value_str(value_item(keys, j)), "all");
        }
        if (!has)
            value_push(a, missing, value_string(a, *needed));
    }
    return missing;
}

static struct value *as_permissions(struct arena *a, const struct value *assignment)
{
    const struct role_facts *role = role_by_id(value_str_at(assignment, "roleDefinitionId"));
    struct value *one = value_map(a), *list = value_list(a);
    struct value *actions = value_list(a);

    for (size_t i = 0; role && i < COUNT(role->data_actions) && role->data_actions[i]; i++)
        value_push(a, actions, value_string(a, role->data_actions[i]));
    value_set(a, one, "dataActions", actions);
    value_push(a, list, one);
    return value_get(assignment, "permissions") ? value_get(assignment, "permissions") : list;
}

struct value *rbac_missing(struct arena *a, const struct value *assignments, const char *object_id,
                           const char *const *needed, int64_t *ret_since)
{
    struct value *missing = value_list(a);
    int64_t since = TIME_NONE;

    for (; *needed; needed++) {
        int64_t first = TIME_NONE;
        bool has = false;

        /* Where several assignments grant the same, the oldest counts: it acts already. */
        for (size_t i = 0; i < value_count(assignments); i++) {
            const struct value *one = value_item(assignments, i);
            int64_t created = time_parse(value_str_at(one, "createdOn"));

            if (!str_eq_nocase(value_str_at(one, "principalId"), object_id) || value_str_at(one, "condition") ||
                !arm_permits(as_permissions(a, one), *needed, true))
                continue;
            if (!has || created < first)
                first = created;
            has = true;
        }
        if (!has)
            value_push(a, missing, value_string(a, *needed));
        else if (first > since)
            since = first;
    }
    *ret_since = since;
    return missing;
}

bool rbac_groups_may_give(struct arena *a, const struct value *assignments, const char *object_id,
                          const char *const *needed)
{
    struct value *as_member = value_list(a);
    bool any = false;
    int64_t ignored;

    for (size_t i = 0; object_id && i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);
        struct value *own = value_copy(a, one);

        if (str_eq_nocase(value_str_at(one, "principalType"), "Group")) {
            value_set_string(a, own, "principalId", object_id);
            any = any || !value_str_at(one, "condition");
        }
        value_push(a, as_member, own);
    }
    return any && value_count(rbac_missing(a, as_member, object_id, needed, &ignored)) == 0;
}
