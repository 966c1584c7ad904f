/* Knows the local rights of a managed HSM: its built-in roles, who holds which of them where, and the calls that read
 * and change that. Azure's own role assignments give nothing here. Must not know keys. */
#include "data.h"

#include <stdio.h>
#include <string.h>

#define DATA "Microsoft.KeyVault/managedHsm/"
#define KEYS DATA "keys/"
#define ASSIGN_READ DATA "roleAssignments/read/action"
#define ASSIGN_CHANGE DATA "roleAssignments/write/action|" DATA "roleAssignments/delete/action"
#define DEFINE_READ DATA "roleDefinitions/read/action"
#define DEFINE_CHANGE DATA "roleDefinitions/write/action|" DATA "roleDefinitions/delete/action"

static const char definition_prefix[] = "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/";

static const struct hsm_role {
    const char *guid, *name, *actions;
} roles[] = {
    {"7b127d3c-77bd-4e3e-bbe0-dbb8971fa7f8", "Managed HSM Backup User",
     DATA "backup/start/action|" DATA "backup/status/action|" KEYS "backup/action"},
    {"6efe6056-5259-49d2-8b3d-d3d73544b20b", "Managed HSM Restore",
     DATA "restore/start/action|" DATA "restore/status/action|" KEYS "restore/action"},
    {"33413926-3206-4cdd-b39a-83574fe37a17", "Managed HSM Crypto Service Encryption User",
     KEYS "read/action|" KEYS "wrap/action|" KEYS "unwrap/action"},
    {"21dbd100-6940-42c2-9190-5d6cb909625c", "Managed HSM Crypto Service Release User", KEYS "release/action"},
    {"2c18b078-7c48-4d3a-af88-5a3a1b3f82b3", "Managed HSM Crypto Auditor",
     ASSIGN_READ "|" DEFINE_READ "|" KEYS "read/action|" KEYS "deletedKeys/read/action"},
    {"4bd23610-cdcf-4971-bdee-bdc562cc28e4", "Managed HSM Policy Administrator",
     DEFINE_READ "|" DEFINE_CHANGE "|" ASSIGN_READ "|" ASSIGN_CHANGE},
    {"21dbd100-6940-42c2-9190-5d6cb909625b", "Managed HSM Crypto User",
     DEFINE_READ "|" ASSIGN_READ "|" KEYS "read/action|" KEYS "write/action|" KEYS "delete|" KEYS "create|" KEYS
                 "rotate/action|" KEYS "import/action|" KEYS "release/action|" KEYS "backup/action|" KEYS
                 "restore/action|" KEYS "encrypt/action|" KEYS "decrypt/action|" KEYS "wrap/action|" KEYS
                 "unwrap/action|" KEYS "sign/action|" KEYS "verify/action|" KEYS "derive/action|" DATA "rng/action"},
    {"515eb02d-2335-4d2d-92f2-b1cbdf9c3778", "Managed HSM Crypto Officer",
     ASSIGN_READ "|" ASSIGN_CHANGE "|" DEFINE_READ "|" DEFINE_CHANGE "|" KEYS "deletedKeys/read/action|" KEYS
                 "deletedKeys/delete|" KEYS "deletedKeys/recover/action|" KEYS "export/action"},
    {"a290e904-7015-4bba-90c8-60543313cdb4", "Managed HSM Administrator",
     ASSIGN_READ "|" ASSIGN_CHANGE "|" DEFINE_READ "|" DEFINE_CHANGE "|" DATA "securitydomain/download/action|" DATA
                 "securitydomain/download/read|" DATA "securitydomain/upload/action|" DATA
                 "securitydomain/upload/read|" DATA "securitydomain/transferkey/read|" DATA "backup/start/action|" DATA
                 "restore/start/action|" DATA "backup/status/action|" DATA "restore/status/action|" DATA
                 "settings/read/action|" DATA "settings/write/action"},
};

/* How a key permission is called here. */
static const char *const key_actions[][2] = {
    {"get", KEYS "read/action"},
    {"list", KEYS "read/action"},
    {"wrapKey", KEYS "wrap/action"},
    {"unwrapKey", KEYS "unwrap/action"},
    {"backup", KEYS "backup/action"},
    {"restore", KEYS "restore/action"},
    {"release", KEYS "release/action"},
    {"update", KEYS "write/action"},
    {"create", KEYS "create"},
    {"delete", KEYS "delete"},
    {"import", KEYS "import/action"},
    {"rotate", KEYS "rotate/action"},
    {"getDeleted", KEYS "deletedKeys/read/action"},
    {"recover", KEYS "deletedKeys/recover/action"},
    {"purge", KEYS "deletedKeys/delete"},
    {"getrotationpolicy", KEYS "read/action"},
    {"setrotationpolicy", KEYS "write/action"},
};

/* --- looking ------------------------------------------------------------------------------------------------------ */

static const struct hsm_role *role_of(const char *name_or_id)
{
    const char *slash = name_or_id ? strrchr(name_or_id, '/') : NULL, *guid = slash ? slash + 1 : name_or_id;

    for (size_t i = 0; i < COUNT(roles); i++)
        if (str_eq_nocase(roles[i].guid, guid) || str_eq_nocase(roles[i].name, name_or_id))
            return &roles[i];
    return NULL;
}

const char *hsm_role_guid(const char *name_or_id)
{
    const struct hsm_role *role = role_of(name_or_id);

    return role ? role->guid : NULL;
}

static bool role_holds(const struct hsm_role *role, const char *action)
{
    size_t n = strlen(action);

    for (const char *at = role->actions; *at;) {
        size_t m = strcspn(at, "|");

        if (m == n && strncasecmp(at, action, n) == 0)
            return true;
        at += m + (at[m] == '|');
    }
    return false;
}

/* A role of the HSM's own; they live at "/" only. */
static const struct value *custom_role(struct sim *s, const char *store, const char *name_or_id)
{
    const char *slash = name_or_id ? strrchr(name_or_id, '/') : NULL, *guid = slash ? slash + 1 : name_or_id;
    struct value *all = state_list(s, "hsmRoleDefinitions");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);

        if (str_eq_nocase(value_str_at(v, "store"), store) &&
            (str_eq_nocase(value_str_at(v, "id"), guid) || str_eq_nocase(value_str_at(v, "name"), name_or_id)))
            return v;
    }
    return NULL;
}

bool hsm_role_known(struct sim *s, const char *store, const char *name_or_id)
{
    return role_of(name_or_id) || custom_role(s, store, name_or_id);
}

static bool custom_holds(const struct value *custom, const char *action)
{
    const struct value *actions = value_get(custom, "dataActions");

    for (size_t i = 0; i < value_count(actions); i++)
        if (str_eq_nocase(value_str(value_item(actions, i)), action))
            return true;
    return false;
}

static bool acts(const struct sim *s, const struct value *assignment)
{
    int64_t created = time_parse(value_str_at(assignment, "created"));

    return created == TIME_NONE || created + behaviour_ms(s, "hsmRoleDelay", 20 * SECOND_MS) <= s->now_ms;
}

static bool of_hsm(const struct value *assignment, const struct value *hsm)
{
    return str_eq_nocase(value_str_at(assignment, "store"), value_str_at(hsm, "name"));
}

static bool may(struct sim *s, const char *principal, const struct value *hsm, const char *scope, const char *action)
{
    struct value *all = state_list(s, "hsmRoleAssignments");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *name = value_str_at(v, "role");
        const struct hsm_role *role = role_of(name);

        if (of_hsm(v, hsm) && principal_is(s, value_str_at(v, "principal"), principal) &&
            scope_covers(value_str_at(v, "scope"), scope) && acts(s, v) &&
            (role ? role_holds(role, action) : custom_holds(custom_role(s, value_str_at(hsm, "name"), name), action)))
            return true;
    }
    return false;
}

bool hsm_allows(struct sim *s, const char *principal, const struct value *hsm, const char *key, const char *permission)
{
    char scope[256];

    if (snprintf(scope, sizeof(scope), "/keys%s%s", key ? "/" : "", key ? key : "") >= (int)sizeof(scope))
        return false;
    for (size_t i = 0; i < COUNT(key_actions); i++)
        if (str_eq_nocase(key_actions[i][0], permission))
            return may(s, principal, hsm, scope, key_actions[i][1]);
    return false;
}

/* --- showing ------------------------------------------------------------------------------------------------------ */

static const char *guid_of(struct sim *s, const struct value *assignment)
{
    const char *role = value_str_at(assignment, "role"), *guid = hsm_role_guid(role);

    return guid ? guid : value_str_at(custom_role(s, value_str_at(assignment, "store"), role), "id") ?: "";
}

/* The id does not tell the scope. */
static struct value *show_assignment(struct sim *s, struct arena *a, const struct value *v)
{
    struct value *shown = value_map(a), *p = value_map(a);
    const char *name = value_str_at(v, "name");

    value_set_string(a, shown, "id", arena_printf(a, "/providers/Microsoft.Authorization/roleAssignments/%s", name));
    value_set_string(a, shown, "name", name);
    value_set_string(a, p, "principalId", principal_id(s, value_str_at(v, "principal")));
    value_set_string(a, p, "roleDefinitionId", arena_printf(a, "%s%s", definition_prefix, guid_of(s, v)));
    value_set_string(a, p, "scope", value_str_at(v, "scope"));
    value_set(a, shown, "properties", p);
    value_set_string(a, shown, "type", "Microsoft.Authorization/roleAssignments");
    return shown;
}

static struct value *show_role(struct arena *a, const char *guid, const char *name, struct value *actions,
                               const char *type)
{
    struct value *shown = value_map(a), *p = value_map(a), *permission = value_map(a);

    value_set_string(a, shown, "id", arena_printf(a, "%s%s", definition_prefix, guid));
    value_set_string(a, shown, "name", guid);
    value_push(a, value_set(a, p, "assignableScopes", value_list(a)), value_string(a, "/"));
    value_set_string(a, p, "description", "");
    value_set(a, permission, "actions", value_list(a));
    value_set(a, permission, "dataActions", actions);
    value_set(a, permission, "notActions", value_list(a));
    value_set(a, permission, "notDataActions", value_list(a));
    value_push(a, value_set(a, p, "permissions", value_list(a)), permission);
    value_set_string(a, p, "roleName", name);
    value_set_string(a, p, "type", type);
    value_set(a, shown, "properties", p);
    value_set_string(a, shown, "type", "Microsoft.Authorization/roleDefinitions");
    return shown;
}

static struct value *show_definition(struct arena *a, const struct hsm_role *role)
{
    struct value *actions = value_list(a);

    for (const char *at = role->actions; *at; at += strcspn(at, "|") + (at[strcspn(at, "|")] == '|'))
        value_push(a, actions, value_string_n(a, at, strcspn(at, "|")));
    return show_role(a, role->guid, role->name, actions, "AKVBuiltInRole");
}

static struct value *show_custom(struct arena *a, const struct value *custom)
{
    return show_role(a, value_str_at(custom, "id"), value_str_at(custom, "name"),
                     value_copy(a, value_get(custom, "dataActions")), "CustomRole");
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

struct exchange {
    struct sim *s;
    const struct sim_request *r;
    struct sim_answer *out;
    struct arena *a;
    const struct value *hsm;
    const char *scope, *name;
};

static void refuse(const struct exchange *x, int status, const char *code, const char *message)
{
    answer_arm_error(x->a, x->out, status, false, code, "%s", message);
}

static bool permitted(const struct exchange *x, const char *action)
{
    if (may(x->s, x->r->principal, x->hsm, x->scope, action))
        return true;
    refuse(x, 403, "Forbidden",
           arena_printf(x->a, "The caller %s may not perform %s at %s.", x->r->principal, action, x->scope));
    return false;
}

static size_t find(const struct exchange *x, const char *name)
{
    struct value *all = state_list(x->s, "hsmRoleAssignments");

    for (size_t i = 0; i < value_count(all); i++)
        if (of_hsm(value_item(all, i), x->hsm) && str_eq_nocase(value_str_at(value_item(all, i), "name"), name))
            return i;
    return SIZE_MAX;
}

/* Assignments at "/" and "/keys" are listed at each scope, those of one key at that key only: whoever asks has to look
 * at properties.scope, and to ask more than once. */
static void list_assignments(const struct exchange *x)
{
    struct value *all = state_list(x->s, "hsmRoleAssignments"), *body = value_map(x->a), *items = value_list(x->a);

    if (!permitted(x, ASSIGN_READ))
        return;
    for (size_t i = 0; i < value_count(all); i++)
        if (of_hsm(value_item(all, i), x->hsm) &&
            (!str_starts_nocase(value_str_at(value_item(all, i), "scope"), "/keys/") ||
             str_eq_nocase(value_str_at(value_item(all, i), "scope"), x->scope)))
            value_push(x->a, items, show_assignment(x->s, x->a, value_item(all, i)));
    value_set(x->a, body, "value", items);
    answer_json(x->a, x->out, 200, body);
}

static void one_assignment(const struct exchange *x, bool remove)
{
    struct value *all = state_list(x->s, "hsmRoleAssignments");
    size_t at = find(x, x->name);

    if (!permitted(x, remove ? DATA "roleAssignments/delete/action" : ASSIGN_READ))
        return;
    if (at == SIZE_MAX) {
        refuse(x, 404, "RoleAssignmentNotFound", arena_printf(x->a, "There is no role assignment %s.", x->name));
        return;
    }
    answer_json(x->a, x->out, 200, show_assignment(x->s, x->a, value_item(all, at)));
    if (remove) {
        list_remove(all, at);
        state_changed(x->s);
    }
}

/* Why one more cannot be made there; NULL: it can. */
static const char *full(const struct exchange *x)
{
    enum { OF_A_KEY = 10, OF_AN_HSM = 50 };
    struct value *all = state_list(x->s, "hsmRoleAssignments");
    size_t here = 0, in_all = 0;

    for (size_t i = 0; i < value_count(all); i++)
        if (of_hsm(value_item(all, i), x->hsm)) {
            bool of_key = str_starts_nocase(value_str_at(value_item(all, i), "scope"), "/keys/");

            here += str_eq_nocase(value_str_at(value_item(all, i), "scope"), x->scope);
            in_all += !of_key;
        }
    if (str_starts_nocase(x->scope, "/keys/"))
        return here >= OF_A_KEY ? "A key has at most 10 role assignments." : NULL;
    return in_all >= OF_AN_HSM ? "A managed HSM has at most 50 role assignments." : NULL;
}

static bool says_the_same(const struct exchange *x, const struct value *v, const char *principal, const char *role)
{
    return str_eq_nocase(principal_id(x->s, value_str_at(v, "principal")), principal) &&
           str_eq_nocase(guid_of(x->s, v), role) && str_eq_nocase(value_str_at(v, "scope"), x->scope);
}

static void put_assignment(const struct exchange *x)
{
    const struct value *p = value_get(x->r->json, "properties"), *custom;
    const char *principal = value_str_at(p, "principalId"), *definition = value_str_at(p, "roleDefinitionId"), *guid;
    struct value *v = value_item(state_list(x->s, "hsmRoleAssignments"), find(x, x->name));

    if (!permitted(x, DATA "roleAssignments/write/action"))
        return;
    custom = custom_role(x->s, value_str_at(x->hsm, "name"), definition);
    guid = role_of(definition) ? role_of(definition)->guid : value_str_at(custom, "id");
    if (!principal || !guid || !str_ends_nocase(definition, guid)) {
        refuse(x, 400, "BadParameter",
               "The request must give principalId and the roleDefinitionId of a role of this managed HSM.");
        return;
    }
    if (v && !says_the_same(x, v, principal, guid)) {
        refuse(x, 409, "RoleAssignmentExists", "A role assignment of this name exists for something else.");
        return;
    }
    if (!v && full(x)) {
        refuse(x, 400, "RoleAssignmentLimitExceeded", full(x));
        return;
    }
    if (!v) {
        v = value_map(x->a);
        value_set_string(x->a, v, "store", value_str_at(x->hsm, "name"));
        value_set_string(x->a, v, "principal", principal);
        value_set_string(x->a, v, "role", guid);
        value_set_string(x->a, v, "scope", x->scope);
        value_set_string(x->a, v, "name", x->name);
        value_set_string(x->a, v, "created", time_format(x->a, x->s->now_ms));
        v = state_push(x->s, "hsmRoleAssignments", v);
    }
    answer_json(x->a, x->out, 201, show_assignment(x->s, x->a, v));
}

static void answer_definitions(const struct exchange *x)
{
    struct value *body = value_map(x->a), *items = value_list(x->a), *own = state_list(x->s, "hsmRoleDefinitions");
    const char *store = value_str_at(x->hsm, "name");
    const struct hsm_role *role = role_of(x->name);
    const struct value *custom = *x->name ? custom_role(x->s, store, x->name) : NULL;

    if (!permitted(x, DEFINE_READ))
        return;
    if (*x->name && !role && !custom) {
        refuse(x, 404, "RoleDefinitionNotFound", arena_printf(x->a, "There is no role definition %s.", x->name));
    } else if (*x->name) {
        answer_json(x->a, x->out, 200, role ? show_definition(x->a, role) : show_custom(x->a, custom));
    } else {
        for (size_t i = 0; i < COUNT(roles); i++)
            value_push(x->a, items, show_definition(x->a, &roles[i]));
        for (size_t i = 0; i < value_count(own); i++)
            if (str_eq_nocase(value_str_at(value_item(own, i), "store"), store))
                value_push(x->a, items, show_custom(x->a, value_item(own, i)));
        value_set(x->a, body, "value", items);
        answer_json(x->a, x->out, 200, body);
    }
}

bool hsm_roles_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, const struct value *hsm)
{
    struct exchange x = {.s = s, .r = r, .out = out, .a = r->arena, .hsm = hsm};
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *what = request_segment(r, at + 2);
    bool get = request_is(r, "GET");

    if (at > 2 || (at && !str_eq_nocase(request_segment(r, 0), "keys")) ||
        !str_eq_nocase(request_segment(r, at + 1), "Microsoft.Authorization"))
        return false;
    x.scope = at ? request_path(r, at) : "/";
    x.name = request_segment(r, at + 3);
    if (str_eq_nocase(what, "roleDefinitions") && get && behind <= 4)
        answer_definitions(&x);
    else if (!str_eq_nocase(what, "roleAssignments"))
        return false;
    else if (get && behind == 3)
        list_assignments(&x);
    else if (behind == 4 && (get || request_is(r, "DELETE")))
        one_assignment(&x, !get);
    else if (behind == 4 && request_is(r, "PUT"))
        put_assignment(&x);
    else
        return false;
    return true;
}
