/* Knows role assignments, role definitions and permissions at any scope. What an assignment allows is access.c's. */
#include "internal.h"

#include <string.h>

static const char kind_prefix[] = "/providers/Microsoft.Authorization/";
enum { REPLICATION_MS = 2 * MINUTE_MS };

/* --- showing ------------------------------------------------------------------------------------------------------ */

/* The subscription of a scope, as the definition's id wants it. */
static const char *definition_id(struct arena *a, const char *scope, const char *guid)
{
    const char *at = str_starts_nocase(scope, "/subscriptions/") ? scope + strlen("/subscriptions/") : NULL;

    if (!at)
        return arena_printf(a, "/providers/Microsoft.Authorization/roleDefinitions/%s", guid);
    return arena_printf(a, "/subscriptions/%.*s/providers/Microsoft.Authorization/roleDefinitions/%s",
                        (int)strcspn(at, "/"), at, guid);
}

static struct value *show_assignment(struct sim *s, struct arena *a, const struct value *v)
{
    static const char *const kept[] = {"condition", "conditionVersion", "description",
                                       "delegatedManagedIdentityResourceId"};
    struct value *shown = value_map(a), *p = value_set(a, shown, "properties", value_map(a));
    const char *scope = value_str_at(v, "scope"), *name = value_str_at(v, "name"),
               *created = value_str_at(v, "created");
    const struct role *role = role_known(s, value_str_at(v, "role"));
    const char *type = value_str_at(v, "principalType");
    struct value *author = value_string(a, value_str_at(v, "createdBy"));

    value_set_string(a, p, "roleDefinitionId", definition_id(a, scope, role ? role->guid : ""));
    value_set_string(a, p, "principalId", principal_id(s, value_str_at(v, "principal")));
    value_set_string(a, p, "principalType", type ? type : "ServicePrincipal");
    value_set_string(a, p, "scope", scope);
    for (size_t i = 0; i < COUNT(kept); i++)
        value_set(a, p, kept[i], value_get(v, kept[i]) ? value_copy(a, value_get(v, kept[i])) : value_null(a));
    value_set_string(a, p, "createdOn", created);
    value_set_string(a, p, "updatedOn", created);
    value_set(a, p, "createdBy", author);
    value_set(a, p, "updatedBy", author);
    value_set_string(a, shown, "id",
                     arena_printf(a, "%s%sroleAssignments/%s", str_eq(scope, "/") ? "" : scope, kind_prefix, name));
    value_set_string(a, shown, "type", "Microsoft.Authorization/roleAssignments");
    value_set_string(a, shown, "name", name);
    return shown;
}

static void push_parts(struct arena *a, struct value *map, const char *key, const char *parts)
{
    struct value *list = value_set(a, map, key, value_list(a));

    while (*parts) {
        size_t n = strcspn(parts, "|");

        value_push(a, list, value_string_n(a, parts, n));
        parts += n + (parts[n] == '|');
    }
}

static struct value *show_permissions(struct arena *a, const struct role *role)
{
    struct value *v = value_map(a);

    push_parts(a, v, "actions", role->actions);
    push_parts(a, v, "notActions", role->not_actions);
    push_parts(a, v, "dataActions", role->data_actions);
    push_parts(a, v, "notDataActions", "");
    return v;
}

static struct value *show_definition(struct arena *a, const char *scope, const struct role *role)
{
    struct value *shown = value_map(a), *p = value_set(a, shown, "properties", value_map(a));

    value_set_string(a, p, "roleName", role->name);
    value_set_string(a, p, "type", role_find(role->guid) ? "BuiltInRole" : "CustomRole");
    value_set_string(a, p, "description", role->name);
    value_push(a, value_set(a, p, "assignableScopes", value_list(a)), value_string(a, "/"));
    value_push(a, value_set(a, p, "permissions", value_list(a)), show_permissions(a, role));
    value_set_string(a, p, "createdOn", "2020-05-20T20:55:19.2398470Z");
    value_set_string(a, p, "updatedOn", "2021-11-11T20:14:31.8443056Z");
    value_set(a, p, "createdBy", value_null(a));
    value_set(a, p, "updatedBy", value_null(a));
    value_set_string(a, shown, "id", definition_id(a, scope, role->guid));
    value_set_string(a, shown, "type", "Microsoft.Authorization/roleDefinitions");
    value_set_string(a, shown, "name", role->guid);
    return shown;
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static const char *quoted(struct arena *a, const char *filter)
{
    const char *open = strchr(filter, '\'');

    return open ? arena_strndup(a, open + 1, strcspn(open + 1, "'")) : "";
}

/* atScope(): here and above. principalId, assignedTo(): here, above and below. Nothing: all three. */
static void list_assignments(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope)
{
    struct arena *a = r->arena;
    const char *filter = request_query(r, "$filter"), *principal = NULL;
    struct value *all = state_list(s, "roleAssignments"), *items = value_list(a);
    bool at_scope = filter && str_find_nocase(filter, "atScope()");

    if (!require_rbac(s, r, out, scope, "Microsoft.Authorization/roleAssignments/read"))
        return;
    if (filter && (str_find_nocase(filter, "principalId eq") || str_find_nocase(filter, "assignedTo(")))
        principal = quoted(a, filter);
    if (filter && *filter && !at_scope && !principal) {
        answer_arm_error(a, out, 400, false, "UnsupportedQuery", "The filter '%s' is not supported.", filter);
        return;
    }
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *where = value_str_at(v, "scope");
        bool above = scope_covers(where, scope), beneath = scope_covers(scope, where);

        if (still_hidden(s, value_str_at(v, "created")))
            continue;
        if ((above || (beneath && !at_scope)) &&
            (!principal || (str_find_nocase(filter, "assignedTo(")
                                ? principal_is(s, value_str_at(v, "principal"), principal)
                                : str_eq_nocase(principal_id(s, value_str_at(v, "principal")), principal))))
            value_push(a, items, show_assignment(s, a, v));
    }
    arm_page(s, r, out, items);
}

/* Index of an assignment by its name, SIZE_MAX if none. */
static size_t find_assignment(struct sim *s, const char *name)
{
    struct value *all = state_list(s, "roleAssignments");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "name"), name))
            return i;
    return SIZE_MAX;
}

static void get_assignment(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                           const char *name)
{
    size_t at = find_assignment(s, name);
    const struct value *v = value_item(state_list(s, "roleAssignments"), at);

    if (!require_rbac(s, r, out, scope, "Microsoft.Authorization/roleAssignments/read"))
        return;
    if (!v || !scope_covers(scope, value_str_at(v, "scope")) || !scope_covers(value_str_at(v, "scope"), scope))
        answer_arm_error(r->arena, out, 404, false, "RoleAssignmentNotFound", "The role assignment '%s' is not found.",
                         name);
    else
        answer_json(r->arena, out, 200, show_assignment(s, r->arena, v));
}

/* --- changing ----------------------------------------------------------------------------------------------------- */

static bool guid_shaped(const char *s)
{
    size_t n = 0;

    for (; s[n]; n++)
        if (n == 8 || n == 13 || n == 18 || n == 23 ? s[n] != '-' : !strchr("0123456789abcdefABCDEF", s[n]))
            return false;
    return n == 36;
}

/* The resource that holds the scope must exist; a key below a vault need not. */
static bool scope_exists(struct sim *s, const char *scope)
{
    const char *below = str_find_nocase(scope, "/providers/Microsoft.KeyVault/vaults/"),
               *keys = below ? str_find_nocase(below, "/keys/") : NULL;
    char id[1024];
    size_t n = keys ? (size_t)(keys - scope) : strlen(scope);

    if (n >= sizeof(id))
        return false;
    memcpy(id, scope, n);
    id[n] = '\0';
    return resource_find(s, id) ||
           (str_starts_nocase(id, "/subscriptions/") && !strchr(id + strlen("/subscriptions/"), '/'));
}

/* A freshly made identity is not yet everywhere in the directory: without its type the service looks
 * there and misses it. */
static bool principal_seen(struct sim *s, const char *principal, const char *type)
{
    const struct value *p = principal_find(s, principal);
    int64_t created = time_parse(value_str_at(p, "created"));

    if (type)
        return true;
    return p && (created == TIME_NONE || created + REPLICATION_MS <= s->now_ms);
}

/* True when something stands against the assignment; the answer then says what. */
static bool conflict(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                     const char *name, const char *principal, const struct role *role)
{
    struct value *all = state_list(s, "roleAssignments");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *where = value_str_at(v, "scope");
        bool same = str_eq_nocase(principal_id(s, value_str_at(v, "principal")), principal) &&
                    role_known(s, value_str_at(v, "role")) == role && scope_covers(where, scope) &&
                    scope_covers(scope, where);
        bool named = str_eq_nocase(value_str_at(v, "name"), name);

        if (named && !same) {
            answer_arm_error(r->arena, out, 400, false, "RoleAssignmentUpdateNotPermitted",
                             "Tenant, application, principal and scope of a role assignment cannot be changed.");
            return true;
        }
        if (same && !named) {
            answer_arm_error(r->arena, out, 409, false, "RoleAssignmentExists",
                             "The role assignment already exists. The ID of the existing role "
                             "assignment is %.8s%.4s%.4s%.4s%.12s.",
                             value_str_at(v, "name"), value_str_at(v, "name") + 9, value_str_at(v, "name") + 14,
                             value_str_at(v, "name") + 19, value_str_at(v, "name") + 24);
            return true;
        }
    }
    return false;
}

static void store_assignment(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                             const char *name, const struct role *role)
{
    static const char *const kept[] = {"principalType", "condition", "conditionVersion", "description"};
    const struct value *p = value_get(r->json, "properties");
    size_t at = find_assignment(s, name);
    struct value *v = value_item(state_list(s, "roleAssignments"), at), *shown;

    if (!v) {
        v = value_map(r->arena);
        value_set_string(r->arena, v, "principal", value_str_at(p, "principalId"));
        value_set_string(r->arena, v, "role", role->guid);
        value_set_string(r->arena, v, "scope", scope);
        value_set_string(r->arena, v, "name", name);
        value_set_string(r->arena, v, "created", time_format(r->arena, s->now_ms));
        value_set_string(r->arena, v, "createdBy", r->principal);
        v = state_push(s, "roleAssignments", v);
    }
    for (size_t i = 0; i < COUNT(kept); i++)
        value_set_string(s->arena, v, kept[i], value_str_at(p, kept[i]));
    state_changed(s);
    shown = show_assignment(s, r->arena, v);
    /* Who made it is not known yet when the answer is written. */
    value_set(r->arena, value_get(shown, "properties"), "createdBy", value_null(r->arena));
    answer_json(r->arena, out, 201, shown);
}

/* The role Key Vault Data Access Administrator carries a condition: it grants these key roles only, and release is
 * not among them. */
static bool condition_met(struct sim *s, const char *caller, const char *scope, const struct role *wanted)
{
    static const char limited[] = "Key Vault Data Access Administrator";
    static const char *const grantable[] = {"Key Vault Administrator", "Key Vault Crypto Officer",
                                            "Key Vault Crypto Service Encryption User", "Key Vault Crypto User",
                                            "Key Vault Reader"};
    struct value *all = state_list(s, "roleAssignments");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const struct role *held = role_known(s, value_str_at(v, "role"));

        if (!held || !principal_is(s, value_str_at(v, "principal"), caller) || !assignment_acts(s, v) ||
            !scope_covers(value_str_at(v, "scope"), scope) ||
            !role_allows(held, "Microsoft.Authorization/roleAssignments/write", false))
            continue;
        if (!str_eq(held->name, limited))
            return true;
        for (size_t k = 0; k < COUNT(grantable); k++)
            if (str_eq(grantable[k], wanted->name))
                return true;
    }
    return false;
}

/* A subscription bears so many assignments at and below itself, orphaned ones too. */
static bool subscription_full(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                              const char *name)
{
    enum { OF_A_SUBSCRIPTION = 4000 };
    const struct value *all = state_list(s, "roleAssignments");
    const char *rest = str_starts_nocase(scope, "/subscriptions/") ? scope + strlen("/subscriptions/") : "";
    const char *subscription = arena_printf(r->arena, "/subscriptions/%.*s", (int)strcspn(rest, "/"), rest);
    size_t n = 0;

    if (!*rest || find_assignment(s, name) != SIZE_MAX)
        return false;
    for (size_t i = 0; i < value_count(all); i++)
        n += scope_covers(subscription, value_str_at(value_item(all, i), "scope"));
    if (n < OF_A_SUBSCRIPTION)
        return false;
    answer_arm_error(r->arena, out, 400, false, "RoleAssignmentLimitExceeded",
                     "No more role assignments can be created: the subscription has reached its limit of %d.",
                     OF_A_SUBSCRIPTION);
    return true;
}

static void put_assignment(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                           const char *name)
{
    struct arena *a = r->arena;
    const struct value *p = value_get(r->json, "properties");
    const char *principal = value_str_at(p, "principalId"), *definition = value_str_at(p, "roleDefinitionId");
    const struct role *role = role_known(s, definition);

    if (!require_rbac(s, r, out, scope, "Microsoft.Authorization/roleAssignments/write"))
        return;
    if (!scope_exists(s, scope))
        arm_not_found(s, r, out, scope);
    else if (!guid_shaped(name))
        answer_arm_error(a, out, 400, false, "InvalidRoleAssignmentId",
                         "The role assignment ID '%s' is not valid: it must be a GUID.", name);
    else if (!principal || !definition)
        answer_arm_error(a, out, 400, false, "InvalidCreateRoleAssignmentRequest",
                         "The request must give roleDefinitionId and principalId.");
    else if (!role || !strstr(definition, role->guid))
        answer_arm_error(a, out, 404, false, "RoleDefinitionDoesNotExist",
                         "The specified role definition with ID '%s' does not exist.", definition);
    else if (!condition_met(s, r->principal, scope, role))
        answer_arm_error(a, out, 403, false, "AuthorizationFailed",
                         "The client '%s' with object id '%s' has an authorization with ABAC condition that is not "
                         "fulfilled to perform action "
                         "'Microsoft.Authorization/roleAssignments/write' over scope '%s'.",
                         r->principal, r->principal, scope);
    else if (!principal_seen(s, principal, value_str_at(p, "principalType")))
        answer_arm_error(a, out, 400, false, "PrincipalNotFound",
                         "Principal %s does not exist in the directory %s. A principal that was just "
                         "created may not have been replicated yet: give its principalType.",
                         principal, value_str_at(s->spec, "tenant"));
    else if (!conflict(s, r, out, scope, name, principal, role) && !subscription_full(s, r, out, scope, name))
        store_assignment(s, r, out, scope, name, role);
}

static void delete_assignment(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                              const char *name)
{
    struct value *all = state_list(s, "roleAssignments");
    size_t at = find_assignment(s, name);

    if (!require_rbac(s, r, out, scope, "Microsoft.Authorization/roleAssignments/delete"))
        return;
    if (at == SIZE_MAX) {
        answer_empty(out, 204);
        return;
    }
    answer_json(r->arena, out, 200, show_assignment(s, r->arena, value_item(all, at)));
    list_remove(all, at);
    state_changed(s);
}

/* --- definitions and permissions ---------------------------------------------------------------------------------- */

static void answer_definitions(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                               const char *name)
{
    struct arena *a = r->arena;
    struct value *items = value_list(a);
    const char *filter = request_query(r, "$filter"),
               *wanted = filter && str_find_nocase(filter, "roleName eq") ? quoted(a, filter) : NULL;
    const struct role *role;

    if (*name) {
        role = role_known(s, name);
        if (role)
            answer_json(a, out, 200, show_definition(a, scope, role));
        else
            answer_arm_error(a, out, 404, false, "RoleDefinitionDoesNotExist",
                             "The specified role definition with ID '%s' does not exist.", name);
        return;
    }
    for (size_t i = 0; (role = role_any(s, i)) != NULL; i++)
        if (!wanted || str_eq_nocase(role->name, wanted))
            value_push(a, items, show_definition(a, scope, role));
    arm_page(s, r, out, items);
}

static void answer_permissions(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope)
{
    struct arena *a = r->arena;
    struct value *all = state_list(s, "roleAssignments"), *items = value_list(a);

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);

        if (principal_is(s, value_str_at(v, "principal"), r->principal) &&
            scope_covers(value_str_at(v, "scope"), scope) && assignment_acts(s, v))
            value_push(a, items, show_permissions(a, role_known(s, value_str_at(v, "role"))));
    }
    arm_page(s, r, out, items);
}

void arm_authorization_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *scope = at ? request_path(r, at) : "/", *what = request_segment(r, at + 2),
               *name = request_segment(r, at + 3);
    bool get = request_is(r, "GET");

    if (str_eq_nocase(what, "roleAssignments") && get && behind == 3)
        list_assignments(s, r, out, scope);
    else if (str_eq_nocase(what, "roleAssignments") && get && behind == 4)
        get_assignment(s, r, out, scope, name);
    else if (str_eq_nocase(what, "roleAssignments") && request_is(r, "PUT") && behind == 4)
        put_assignment(s, r, out, scope, name);
    else if (str_eq_nocase(what, "roleAssignments") && request_is(r, "DELETE") && behind == 4)
        delete_assignment(s, r, out, scope, name);
    else if (str_eq_nocase(what, "roleDefinitions") && get && behind <= 4)
        answer_definitions(s, r, out, scope, name);
    else if (str_eq_nocase(what, "permissions") && get && behind == 3)
        answer_permissions(s, r, out, scope);
    else
        arm_bad_path(r, out);
}
