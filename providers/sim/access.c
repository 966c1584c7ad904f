/* Knows who may do what: built-in roles, role assignments that act late, access policies.
 * Must not know which request asks. */
#include "data.h"

#include <stdio.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"

#define SUPPORT "Microsoft.Authorization/*/read|Microsoft.Resources/subscriptions/resourceGroups/read"
#define VAULT_READ                                                                                                     \
    SUPPORT                                                                                                            \
        "|Microsoft.KeyVault/deletedVaults/read|Microsoft.KeyVault/locations/*/read|Microsoft.KeyVault/vaults/*/read"
#define RSV "Microsoft.RecoveryServices/Vaults/"
#define ITEMS RSV "backupFabrics/protectionContainers/"
#define BACKUP_READ                                                                                                    \
    SUPPORT "|" RSV "read|" RSV "backupJobs/read|" RSV "backupJobs/operationResults/read|" RSV                         \
            "backupProtectedItems/read|" RSV "backupProtectionContainers/read|" RSV "backupPolicies/read|" RSV         \
            "backupOperations/read|" RSV "backupOperationResults/read|" RSV "backupstorageconfig/read|" RSV            \
            "backupconfig/read|" RSV "backupUsageSummaries/read|" RSV "usages/read|" RSV                               \
            "backupResourceGuardProxies/read|" ITEMS "read|" ITEMS "operationResults/read|" ITEMS                      \
            "protectedItems/read|" ITEMS "protectedItems/operationResults/read|" ITEMS                                 \
            "protectedItems/operationsStatus/read|" ITEMS "protectedItems/recoveryPoints/read"
#define BACKUP_OPERATE                                                                                                 \
    BACKUP_READ "|Microsoft.Network/virtualNetworks/read|Microsoft.Storage/storageAccounts/read|" RSV                  \
                "backupJobs/*|" RSV "backupOperationResults/*|" RSV "backupProtectableItems/*|" RSV                    \
                "backupValidateOperation/action|" RSV "backupTriggerValidateOperation/action|" RSV                     \
                "backupValidateOperationResults/read|" RSV "backupValidateOperationsStatuses/read|" RSV                \
                "backupFabrics/refreshContainers/action|" RSV "backupFabrics/operationResults/read|" ITEMS             \
                "protectedItems/backup/action|" ITEMS "protectedItems/write|" ITEMS                                    \
                "protectedItems/recoveryPoints/restore/action"
#define BLOBS "Microsoft.Storage/storageAccounts/blobServices/containers/"
#define KEYS "Microsoft.KeyVault/vaults/keys/"

/* The roles a confidential VM's recovery meets, with those of their actions that this simulator ever asks for. */
static const struct role roles[] = {
    {"e147488a-f6f5-4113-8e2d-b22465e65bf6", "Key Vault Crypto Service Encryption User", "", "",
     KEYS "read|" KEYS "wrap/action|" KEYS "unwrap/action"},
    {"08bbd89e-9f13-488c-ac41-acfcb10c90ab", "Key Vault Crypto Service Release User", "", "", KEYS "release/action"},
    {"12338af0-0e69-4776-bea7-57ae8d297424", "Key Vault Crypto User", "", "",
     KEYS "read|" KEYS "update/action|" KEYS "backup/action|" KEYS "encrypt/action|" KEYS "decrypt/action|" KEYS
          "wrap/action|" KEYS "unwrap/action|" KEYS "sign/action|" KEYS "verify/action"},
    {"14b46e9e-c2b7-41b4-b07b-48a6ebf60603", "Key Vault Crypto Officer", VAULT_READ, "",
     KEYS "*|Microsoft.KeyVault/vaults/keyrotationpolicies/*"},
    {"00482a5a-887f-4fb3-b363-3b7fe8e74483", "Key Vault Administrator", VAULT_READ, "", "Microsoft.KeyVault/vaults/*"},
    {"21090545-7ca7-4776-b22c-e363652d74d2", "Key Vault Reader", VAULT_READ, "", "Microsoft.KeyVault/vaults/*/read"},
    {"8b54135c-b56d-4d72-a534-26097cfdc8d8", "Key Vault Data Access Administrator",
     SUPPORT "|Microsoft.Authorization/roleAssignments/write|Microsoft.Authorization/roleAssignments/"
             "delete|Microsoft.KeyVault/vaults/*/read",
     "", ""},
    {"f25e0fa2-a7c8-4377-a976-54943a77a395", "Key Vault Contributor", SUPPORT "|Microsoft.KeyVault/*",
     "Microsoft.KeyVault/locations/deletedVaults/purge/action|Microsoft.KeyVault/hsmPools/*|Microsoft.KeyVault/"
     "managedHsms/*",
     ""},
    {"a68e7c17-0ab2-4c09-9a58-125dae29748c", "Key Vault Purge Operator",
     SUPPORT "|Microsoft.KeyVault/deletedVaults/read|Microsoft.KeyVault/locations/deletedVaults/read|"
             "Microsoft.KeyVault/locations/deletedVaults/purge/action",
     "", ""},
    {"18500a29-7fe2-46b2-a342-b16a415e101d", "Managed HSM contributor",
     "Microsoft.KeyVault/managedHSMs/*|Microsoft.KeyVault/deletedManagedHsms/read|Microsoft.KeyVault/locations/"
     "deletedManagedHsms/*",
     "", ""},
    {"2a2b9908-6ea1-4ae2-8e65-a410df84e7d1", "Storage Blob Data Reader", BLOBS "read", "", BLOBS "blobs/read"},
    {"ba92f5b4-2d11-453d-a403-e96b0029c9fe", "Storage Blob Data Contributor",
     BLOBS "read|" BLOBS "write|" BLOBS "delete", "",
     BLOBS "blobs/read|" BLOBS "blobs/write|" BLOBS "blobs/delete|" BLOBS "blobs/add/action|" BLOBS
           "blobs/move/action"},
    {"81a9662b-bebf-436f-a333-f67b29880f12", "Storage Account Key Operator Service Role",
     "Microsoft.Storage/storageAccounts/listkeys/action|Microsoft.Storage/storageAccounts/regeneratekey/action", "",
     ""},
    {"17d1049b-9a84-46fb-8f53-869881c3d3ab", "Storage Account Contributor",
     SUPPORT "|Microsoft.Storage/storageAccounts/*", "", ""},
    {"e5e2a7ff-d759-4cd2-bb51-3152d37e2eb1", "Storage Account Backup Contributor",
     SUPPORT "|Microsoft.Storage/storageAccounts/read|" BLOBS "read|" BLOBS "write", "", ""},
    {"a795c7a0-d4a2-40c1-ae25-d81f01202912", "Backup Reader", BACKUP_READ, "", ""},
    {"00c29273-979b-4161-815c-10b084fb9324", "Backup Operator", BACKUP_OPERATE, "", ""},
    {"5e467623-bb1f-42f4-a55d-6e525e11384b", "Backup Contributor",
     BACKUP_OPERATE "|" RSV "write|" RSV "backupFabrics/protectionContainers/*|" RSV "backupPolicies/*|" RSV
                    "backupstorageconfig/*|" RSV "backupconfig/*|" RSV "usages/*",
     "", ""},
    {"4d97b98b-1d4f-4787-a291-c67834d212e7", "Network Contributor", SUPPORT "|Microsoft.Network/*", "", ""},
    {"9980e02c-c2be-4d73-94e8-173b1dc7cf3c", "Virtual Machine Contributor",
     SUPPORT
     "|Microsoft.Compute/locations/*|Microsoft.Compute/virtualMachines/*|Microsoft.Compute/disks/"
     "write|Microsoft.Compute/disks/read|"
     "Microsoft.Compute/disks/delete|Microsoft.Network/networkInterfaces/*|Microsoft.Network/virtualNetworks/read|"
     "Microsoft.Network/virtualNetworks/subnets/join/action|" ITEMS "protectedItems/*/read|" ITEMS
     "protectedItems/read|" RSV
     "read|Microsoft.Storage/storageAccounts/listKeys/action|Microsoft.Storage/storageAccounts/read",
     "", ""},
    {"acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", "*/read", "", ""},
    {"b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", "*",
     "Microsoft.Authorization/*/Delete|Microsoft.Authorization/*/Write|Microsoft.Authorization/elevateAccess/Action",
     ""},
    {"8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", "*", "", ""},
    {"18d7d88d-d35e-4fb5-a5c3-7773c20a72d9", "User Access Administrator", "*/read|Microsoft.Authorization/*", "", ""},
    {"f58310d9-a9f6-439a-9e8d-f62e7b41a168", "Role Based Access Control Administrator",
     "*/read|Microsoft.Authorization/roleAssignments/write|Microsoft.Authorization/roleAssignments/delete", "", ""},
};

const struct role *role_at(size_t i)
{
    return i < COUNT(roles) ? &roles[i] : NULL;
}

const struct role *role_find(const char *name_or_id)
{
    const char *slash = name_or_id ? strrchr(name_or_id, '/') : NULL, *guid = slash ? slash + 1 : name_or_id;

    for (size_t i = 0; i < COUNT(roles); i++)
        if (str_eq_nocase(roles[i].guid, guid) || str_eq_nocase(roles[i].name, name_or_id))
            return &roles[i];
    return NULL;
}

static bool role_is(const struct role *role, const char *name_or_id)
{
    const char *slash = name_or_id ? strrchr(name_or_id, '/') : NULL;

    return str_eq_nocase(role->guid, slash ? slash + 1 : name_or_id) || str_eq_nocase(role->name, name_or_id);
}

const struct role *role_known(const struct sim *s, const char *name_or_id)
{
    const struct role *role = role_find(name_or_id);

    for (size_t i = 0; name_or_id && !role && i < s->n_roles; i++)
        role = role_is(&s->roles[i], name_or_id) ? &s->roles[i] : NULL;
    return role;
}

const struct role *role_any(const struct sim *s, size_t i)
{
    return i < COUNT(roles) ? &roles[i] : i - COUNT(roles) < s->n_roles ? &s->roles[i - COUNT(roles)] : NULL;
}

static const char *joined(struct arena *a, const struct value *list)
{
    const char *text = "";

    for (size_t i = 0; i < value_count(list); i++)
        text = arena_printf(a, "%s%s%s", text, *text ? "|" : "", value_str(value_item(list, i)));
    return text;
}

void roles_read(struct sim *s)
{
    const struct value *all = value_get(s->spec, "roleDefinitions");

    s->n_roles = value_count(all);
    s->roles = arena_array(s->own, struct role, s->n_roles + 1);
    for (size_t i = 0; i < s->n_roles; i++) {
        const struct value *v = value_item(all, i);

        s->roles[i] = (struct role){.guid = arena_strdup(s->own, value_str_at(v, "id")),
                                    .name = arena_strdup(s->own, value_str_at(v, "name")),
                                    .actions = joined(s->own, value_get(v, "actions")),
                                    .not_actions = joined(s->own, value_get(v, "notActions")),
                                    .data_actions = joined(s->own, value_get(v, "dataActions"))};
    }
}

/* One pattern of `n` bytes: '*' is any text, slashes too. A slash-star-slash in the middle also covers nothing at all:
 * a vault's reader roles hold vaults-star-read and do read the vault itself. */
static bool action_matches(const char *pattern, size_t n, const char *action)
{
    for (; n; pattern++, n--, action++) {
        if (n > 1 && *pattern == '/' && pattern[1] == '*' && n > 2 && pattern[2] == '/' &&
            action_matches(pattern + 2, n - 2, action))
            return true;
        if (*pattern == '*') {
            for (const char *at = action;; at++) {
                if (action_matches(pattern + 1, n - 1, at))
                    return true;
                if (!*at)
                    return false;
            }
        }
        if (!*action || strncasecmp(pattern, action, 1) != 0)
            return false;
    }
    return !*action;
}

static bool any_matches(const char *patterns, const char *action)
{
    while (*patterns) {
        size_t n = strcspn(patterns, "|");

        if (action_matches(patterns, n, action))
            return true;
        patterns += n + (patterns[n] == '|');
    }
    return false;
}

bool role_allows(const struct role *role, const char *action, bool data)
{
    if (data)
        return any_matches(role->data_actions, action);
    return any_matches(role->actions, action) && !any_matches(role->not_actions, action);
}

bool assignment_acts(struct sim *s, const struct value *assignment)
{
    int64_t created = time_parse(value_str_at(assignment, "created"));

    return created == TIME_NONE || created + behaviour_ms(s, "roleDelay", 4 * MINUTE_MS) <= s->now_ms;
}

bool access_rbac(struct sim *s, const char *principal, const char *scope, const char *action, bool data)
{
    struct value *all = state_list(s, "roleAssignments");

    for (size_t i = 0; principal && i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const struct role *role = role_known(s, value_str_at(v, "role"));

        if (role && principal_is(s, value_str_at(v, "principal"), principal) &&
            scope_covers(value_str_at(v, "scope"), scope) && role_allows(role, action, data) && assignment_acts(s, v))
            return true;
    }
    return false;
}

/* --- keys --------------------------------------------------------------------------------------------------------- */

/* How a key permission is called in role definitions. */
static const char *const key_actions[][2] = {
    {"get", KEYS "read"},
    {"list", KEYS "read"},
    {"wrapKey", KEYS "wrap/action"},
    {"unwrapKey", KEYS "unwrap/action"},
    {"backup", KEYS "backup/action"},
    {"restore", KEYS "restore/action"},
    {"recover", KEYS "recover/action"},
    {"release", KEYS "release/action"},
    {"update", KEYS "update/action"},
    {"create", KEYS "create/action"},
    {"rotate", KEYS "rotate/action"},
    {"getrotationpolicy", "Microsoft.KeyVault/vaults/keyrotationpolicies/read"},
    {"setrotationpolicy", "Microsoft.KeyVault/vaults/keyrotationpolicies/write"},
    {"import", KEYS "import/action"},
    {"delete", KEYS "delete"},
    {"purge", KEYS "purge/action"},
};

void access_policy_added(struct sim *s, const char *vault_id, const char *object_id, const char *permission,
                         int64_t delay_ms)
{
    struct value *v = value_map(s->arena);

    value_set_string(s->arena, v, "vault", vault_id);
    value_set_string(s->arena, v, "objectId", object_id);
    value_set_string(s->arena, v, "permission", permission);
    value_set_string(s->arena, v, "since", time_format(s->arena, s->now_ms));
    value_set_int(s->arena, v, "delay", delay_ms);
    state_push(s, "policyTimes", v);
}

static bool policy_acts(struct sim *s, const char *vault_id, const char *object_id, const char *permission)
{
    struct value *all = state_list(s, "policyTimes");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        int64_t delay = value_int_at(v, "delay", 0);

        if (str_eq_nocase(value_str_at(v, "vault"), vault_id) &&
            str_eq_nocase(value_str_at(v, "objectId"), object_id) &&
            str_eq_nocase(value_str_at(v, "permission"), permission) &&
            time_parse(value_str_at(v, "since")) + delay > s->now_ms)
            return false;
    }
    return true;
}

static bool policy_allows(struct sim *s, const char *principal, const struct value *vault, const char *permission)
{
    const struct value *policies = value_at(vault, "properties.accessPolicies");

    for (size_t i = 0; i < value_count(policies); i++) {
        const struct value *entry = value_item(policies, i), *keys = value_at(entry, "permissions.keys");

        /* An entry for an application on somebody's behalf, or of a tenant that the vault has left,
         * does nothing by itself. */
        if (!principal_is(s, value_str_at(entry, "objectId"), principal) || value_str_at(entry, "applicationId") ||
            (value_str_at(entry, "tenantId") &&
             !str_eq_nocase(value_str_at(entry, "tenantId"), value_str_at(vault, "properties.tenantId"))))
            continue;
        for (size_t k = 0; k < value_count(keys); k++) {
            const char *given = value_str(value_item(keys, k));

            /* "all" leaves purge out. */
            if ((str_eq_nocase(given, permission) ||
                 (str_eq_nocase(given, "all") && !str_eq_nocase(permission, "purge"))) &&
                policy_acts(s, value_str_at(vault, "id"), value_str_at(entry, "objectId"), given))
                return true;
        }
    }
    return false;
}

bool access_key(struct sim *s, const char *principal, const struct value *vault, const char *key,
                const char *permission)
{
    char scope[1024];
    const char *id = value_str_at(vault, "id");

    if (!principal || !id || !firewall_lets_principal(s, principal, vault))
        return false;
    if (hsm_is(vault))
        return hsm_allows(s, principal, vault, key, permission);
    if (!value_bool_at(vault, "properties.enableRbacAuthorization", false))
        return policy_allows(s, principal, vault, permission);
    snprintf(scope, sizeof(scope), "%s%s%s", id, key ? "/keys/" : "", key ? key : "");
    for (size_t i = 0; i < COUNT(key_actions); i++)
        if (str_eq_nocase(key_actions[i][0], permission))
            return access_rbac(s, principal, scope, key_actions[i][1], true);
    return false;
}

bool require_rbac(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                  const char *action)
{
    if (access_rbac(s, r->principal, scope, action, false))
        return true;
    answer_arm_error(r->arena, out, 403, true, "AuthorizationFailed",
                     "The client '%s' with object id '%s' does not have authorization to perform action '%s' over "
                     "scope '%s' or the scope is "
                     "invalid. If access was granted recently, sign in again.",
                     r->principal, r->principal, action, scope);
    return false;
}
