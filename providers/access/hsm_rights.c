/* Knows the local roles of managed HSMs and what follows from who holds which of them where. Must not read anything. */
#include "hsm_rights.h"

#include <string.h>

#include "../../reconciler/base/text.h"

#define KEYS HSM_ACTION "keys/"

const struct hsm_role hsm_roles[] = {
    {"Managed HSM Administrator",
     "a290e904-7015-4bba-90c8-60543313cdb4",
     {HSM_ACTION "roleAssignments/read/action", HSM_ACTION "roleAssignments/write/action",
      HSM_ACTION "roleDefinitions/read/action"}},
    {"Managed HSM Crypto Officer",
     "515eb02d-2335-4d2d-92f2-b1cbdf9c3778",
     {KEYS "deletedKeys/read/action", KEYS "deletedKeys/recover/action", KEYS "deletedKeys/delete",
      HSM_ACTION "roleAssignments/read/action", HSM_ACTION "roleAssignments/write/action",
      HSM_ACTION "roleDefinitions/read/action"}},
    {"Managed HSM Crypto User",
     "21dbd100-6940-42c2-9190-5d6cb909625b",
     {KEYS "read/action", KEYS "write/action", KEYS "create", KEYS "delete", KEYS "import/action", KEYS "rotate/action",
      KEYS "backup/action", KEYS "restore/action", KEYS "release/action", KEYS "wrap/action", KEYS "unwrap/action",
      HSM_ACTION "roleAssignments/read/action", HSM_ACTION "roleDefinitions/read/action"}},
    {"Managed HSM Policy Administrator",
     "4bd23610-cdcf-4971-bdee-bdc562cc28e4",
     {HSM_ACTION "roleAssignments/read/action", HSM_ACTION "roleAssignments/write/action",
      HSM_ACTION "roleDefinitions/read/action"}},
    {"Managed HSM Crypto Auditor",
     "2c18b078-7c48-4d3a-af88-5a3a1b3f82b3",
     {KEYS "read/action", KEYS "deletedKeys/read/action", HSM_ACTION "roleAssignments/read/action",
      HSM_ACTION "roleDefinitions/read/action"}},
    {"Managed HSM Crypto Service Encryption User",
     "33413926-3206-4cdd-b39a-83574fe37a17",
     {KEYS "read/action", KEYS "wrap/action", KEYS "unwrap/action"}},
    {"Managed HSM Crypto Service Release User", "21dbd100-6940-42c2-9190-5d6cb909625c", {KEYS "release/action"}},
    {"Managed HSM Backup User", "7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", {KEYS "backup/action"}},
    {"Managed HSM Restore", "6efe6056-5259-49d2-8b3d-d3d73544b20b", {KEYS "restore/action"}},
};
const size_t n_hsm_roles = COUNT(hsm_roles);

const struct hsm_key_rights hsm_key_rights[KEY_USER_COUNT] = {
    [KEY_USER_DES] =
        {
            .data_actions = {KEYS "read/action", KEYS "wrap/action", KEYS "unwrap/action"},
            .documented = "Managed HSM Crypto User",
            .working = "Managed HSM Crypto Service Encryption User",
            .difference = "Crypto User works too, and could create, back up, restore and delete keys as well",
        },
    [KEY_USER_ORCHESTRATOR] =
        {
            .data_actions = {KEYS "release/action"},
            .documented = "Managed HSM Crypto Service Encryption User",
            .working = "Managed HSM Crypto Service Release User",
            .difference = "Crypto Service Encryption User holds no keys/release: with it alone the VM cannot get its "
                          "key and does not start",
        },
    [KEY_USER_BACKUP] =
        {
            .data_actions = {KEYS "read/action", KEYS "backup/action"},
            .documented = "Managed HSM Crypto User",
            .working = "Managed HSM Crypto User",
        },
};

const struct hsm_role *hsm_role_by_id(const char *id)
{
    for (size_t i = 0; id && i < n_hsm_roles; i++)
        if (str_eq_nocase(arm_id_name(id), hsm_roles[i].id))
            return &hsm_roles[i];
    return NULL;
}

const struct hsm_role *hsm_role_by_name(const char *name)
{
    for (size_t i = 0; name && i < n_hsm_roles; i++)
        if (str_eq_nocase(name, hsm_roles[i].name))
            return &hsm_roles[i];
    return NULL;
}

char *hsm_key_scope(struct arena *a, const char *key_name)
{
    return arena_printf(a, "/keys/%s", key_name);
}

bool hsm_scope_covers(const char *scope, const char *of)
{
    size_t n = scope ? strlen(scope) : 0;

    if (n == 0 || !of)
        return false;
    n -= scope[n - 1] == '/';
    return strncasecmp(scope, of, n) == 0 && (of[n] == '\0' || of[n] == '/');
}

static bool role_holds(const struct value *assignment, const char *action)
{
    const struct hsm_role *role = hsm_role_by_id(value_str_at(assignment, "roleDefinitionId"));
    const struct value *custom = value_get(assignment, "dataActions");

    for (size_t i = 0; role && i < COUNT(role->data_actions) && role->data_actions[i]; i++)
        if (str_eq_nocase(role->data_actions[i], action))
            return true;
    for (size_t i = 0; !role && i < value_count(custom); i++)
        if (str_eq_nocase(value_str(value_item(custom, i)), action))
            return true;
    return false;
}

static bool reaches(const struct value *assignment, const char *object_id, const char *scope)
{
    return str_eq_nocase(value_str_at(assignment, "principalId"), object_id) && object_id &&
           hsm_scope_covers(value_str_at(assignment, "scope"), scope);
}

struct value *hsm_missing(struct arena *a, const struct value *assignments, const char *object_id, const char *scope,
                          const char *const *needed)
{
    struct value *missing = value_list(a);

    for (; *needed; needed++) {
        bool has = false;

        for (size_t i = 0; i < value_count(assignments) && !has; i++)
            has = reaches(value_item(assignments, i), object_id, scope) &&
                  role_holds(value_item(assignments, i), *needed);
        if (!has)
            value_push(a, missing, value_string(a, *needed));
    }
    return missing;
}

bool hsm_role_held(const struct value *assignments, const char *object_id, const char *scope, const char *role_id)
{
    for (size_t i = 0; i < value_count(assignments); i++)
        if (reaches(value_item(assignments, i), object_id, scope) &&
            str_eq_nocase(arm_id_name(value_str_at(value_item(assignments, i), "roleDefinitionId")), role_id))
            return true;
    return false;
}

size_t hsm_assignments_at(const struct value *assignments, const char *scope)
{
    size_t n = 0;

    for (size_t i = 0; i < value_count(assignments); i++)
        n += str_eq_nocase(value_str_at(value_item(assignments, i), "scope"), scope);
    return n;
}

/* Only an Officer recovers, only a User restores: no built-in role of an HSM holds both. */
void key_right(const struct view *v, struct steps *out, struct step *step, const struct document *key,
               enum key_right what)
{
    static const struct {
        const char *vault, *hsm, *hsm_role;
    } rights[] = {
        [KEY_RIGHT_READ] = {"read", "read/action", "Managed HSM Crypto User"},
        [KEY_RIGHT_RECOVER] = {"recover/action", "deletedKeys/recover/action", "Managed HSM Crypto Officer"},
        [KEY_RIGHT_RESTORE] = {"restore/action", "restore/action", "Managed HSM Crypto User"},
        [KEY_RIGHT_CREATE] = {"create/action", "create", "Managed HSM Crypto User"},
        [KEY_RIGHT_UPDATE] = {"update/action", "write/action", "Managed HSM Crypto User"},
        [KEY_RIGHT_BACKUP] = {"backup/action", "backup/action", "Managed HSM Crypto User"},
    };
    const char *store = key_store_of(v->arena, key), *base = value_str_at(view_facts(v, key), "base");

    if (key_store_is_hsm(key) && base)
        step_right(out, step, arena_printf(v->arena, "%s/keys", base),
                   arena_printf(v->arena, KEYS "%s", rights[what].hsm), true, rights[what].hsm_role);
    else if (!key_store_is_hsm(key) && store)
        step_right(out, step, store, arena_printf(v->arena, "Microsoft.KeyVault/vaults/keys/%s", rights[what].vault),
                   true, "Key Vault Crypto Officer");
}
