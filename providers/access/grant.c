/* Knows how rights are read and added, and who the principals are that get them. Never removes or narrows any. */
#include "grant.h"

#include "../../reconciler/format/crypt.h"
#include <string.h>

#include "../azure/directory.h"
#include "../azure/bulk.h"
#include "../azure/shared.h"
#include "../azure/vault.h"
#include "hsm_rights.h"
#include "set_identity.h"

char *role_definition_id(struct arena *a, const char *subscription, const char *role_id)
{
    return arena_printf(a, "/subscriptions/%s/providers/Microsoft.Authorization/roleDefinitions/%s", subscription,
                        role_id);
}

char *role_assignment_name(struct arena *a, const char *scope, const char *principal, const char *role_id)
{
    /* The namespace is this project's own; changing it would make every assignment appear twice. */
    static const char namespace_uuid[] = "b7c2b0b4-5b2c-5f0e-9d3c-6f3a1d0f7a11";
    char name[UUID_TEXT];

    crypt_uuid5(namespace_uuid, str_lower(a, arena_printf(a, "%s|%s|%s", scope, principal, role_id)), name);
    return arena_strdup(a, name);
}

/* The code has two meanings: a role that a write names wrongly, and one that is not there (any more)
 * when it is read. */
static bool role_is_gone(const struct err *err)
{
    return err->http_status == 404 && str_eq_nocase(err->code, "RoleDefinitionDoesNotExist");
}

static int assignment_facts(struct azure *az, struct call *c, struct arena *a, const struct value *item,
                            struct value *out, struct err *err)
{
    const char *role = value_str_at(item, "properties.roleDefinitionId");
    const char *condition = value_str_at(item, "properties.condition");
    const struct value *definition;
    struct value *f = value_map(a);

    value_set_string(a, f, "principalId", value_str_at(item, "properties.principalId"));
    value_set_string(a, f, "roleDefinitionId", role);
    value_set_string(a, f, "scope", value_str_at(item, "properties.scope"));
    value_set_string(a, f, "createdOn", value_str_at(item, "properties.createdOn"));
    value_set_string(a, f, "principalType", value_str_at(item, "properties.principalType"));
    if (condition && *condition)
        value_set_string(a, f, "condition", condition);
    value_push(a, out, f);
    if (!role || role_by_id(role))
        return 0;
    /* A role not in the table, or a custom one: what it permits is read, never guessed. */
    if (arm_get_shared(
            az, c, a,
            &(struct arm_wanted){.path = role, .api = API_AUTHORIZATION, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
            &definition, err) < 0)
        return err->class == ERR_NOT_FOUND || err->class == ERR_DENIED || role_is_gone(err) ? 0 : -(int)err->class;
    if (value_at(definition, "properties.permissions"))
        value_link(a, f, "permissions", value_at(definition, "properties.permissions"));
    return 0;
}

static int assignments_make(struct azure *az, struct call *c, struct arena *a, const char *scope, struct value **ret,
                            struct err *err)
{
    struct value *list, *out = value_list(a);

    TRY(arm_list_where(
        az, c, a,
        &(struct arm_wanted){.path = arena_printf(a, "%s/providers/Microsoft.Authorization/roleAssignments", scope),
                             .api = API_AUTHORIZATION,
                             .query = "$filter=atScope()"},
        &list, err));
    for (size_t i = 0; i < value_count(list); i++)
        TRY(assignment_facts(az, c, a, value_item(list, i), out, err));
    *ret = out;
    return 0;
}

static int listed_make(struct azure *az, struct call *c, struct arena *a, const char *scope, struct value **ret,
                       struct err *err)
{
    struct value *list, *out = value_list(a);

    TRY(bulk_assignments(az, c, a, scope, &list, err));
    for (size_t i = 0; i < value_count(list); i++)
        TRY(assignment_facts(az, c, a, value_item(list, i), out, err));
    *ret = list ? out : value_null(a);
    return 0;
}

int role_assignments_listed(struct azure *az, struct call *c, struct arena *a, const char *scope,
                            const struct value **ret, struct err *err)
{
    TRY(shared_made(az, c, a, listed_make,
                    &(struct arm_wanted){.path = scope,
                                         .key = arena_printf(a, "role assignments listed for %s", scope),
                                         .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                    ret, err));
    if (value_is(*ret, VALUE_NULL))
        *ret = NULL;
    return 0;
}

int role_assignments_read(struct azure *az, struct call *c, struct arena *a, const char *scope,
                          const struct value **ret, struct err *err)
{
    return shared_made(az, c, a, assignments_make,
                       &(struct arm_wanted){.path = scope,
                                            .key = arena_printf(a, "role assignments at %s", scope),
                                            .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                       ret, err);
}

struct value *role_assignment_body(struct arena *a, const char *scope, const char *principal, const char *role_id)
{
    struct value *body = value_map(a), *properties = value_set(a, body, "properties", value_map(a));

    value_set_string(a, properties, "roleDefinitionId",
                     role_definition_id(a, arm_id_part(a, scope, "subscriptions"), role_id));
    value_set_string(a, properties, "principalId", principal);
    /* Told, so that a new identity which the directory has not replicated yet is accepted. */
    value_set_string(a, properties, "principalType", "ServicePrincipal");
    return body;
}

struct value *access_policy_body(struct arena *a, const char *tenant, const char *principal,
                                 const struct value *permissions)
{
    struct value *body = value_map(a), *entry = value_map(a), *policies = value_list(a);

    value_set_string(a, entry, "tenantId", tenant);
    value_set_string(a, entry, "objectId", principal);
    value_set(a, value_set(a, entry, "permissions", value_map(a)), "keys", value_copy(a, permissions));
    value_push(a, policies, entry);
    value_set(a, value_set(a, body, "properties", value_map(a)), "accessPolicies", policies);
    return body;
}

int role_assignment_put(struct azure *az, struct call *c, struct arena *a, const char *scope, const char *principal,
                        const char *role_id, struct err *err)
{
    static const int64_t waits_ms[] = {10 * SECOND_MS, 20 * SECOND_MS, 40 * SECOND_MS, 80 * SECOND_MS, 150 * SECOND_MS};
    char *id = arena_printf(a, "%s/providers/Microsoft.Authorization/roleAssignments/%s", scope,
                            role_assignment_name(a, scope, principal, role_id));
    struct value *body = role_assignment_body(a, scope, principal, role_id);
    struct arm_operation op;

    for (size_t i = 0;; i++) {
        if (arm_send(az, c, a,
                     &(struct arm_sending){.method = HTTP_PUT,
                                           .path = id,
                                           .api = API_AUTHORIZATION,
                                           .body = body,
                                           .repeat = ARM_REPEATABLE},
                     &op, err) == 0 ||
            str_eq_nocase(err->code, "RoleAssignmentExists"))
            return 0;
        if (!str_eq_nocase(err->code, "PrincipalNotFound") || i == COUNT(waits_ms))
            return -(int)err->class;
        TRY(call_sleep_ms(c, waits_ms[i], "the directory to know the new identity", err));
    }
}

int access_policy_add(struct azure *az, struct call *c, struct arena *a, const char *vault_id, const char *principal,
                      const struct value *permissions, struct err *err)
{
    struct value *body = access_policy_body(a, azure_tenant(az), principal, permissions);
    struct arm_operation op;

    return arm_send(az, c, a,
                    &(struct arm_sending){.method = HTTP_PUT,
                                          .path = arena_printf(a, "%s/accessPolicies/add", vault_id),
                                          .api = API_KEYVAULT,
                                          .body = body,
                                          .repeat = ARM_REPEATABLE},
                    &op, err);
}

static int well_known_id(struct call *c, const struct observer *o, struct azure *az, const char *name, struct value *p,
                         struct err *err)
{
    const struct cloud *cloud = azure_cloud(az);
    const char *app = str_eq(name, "BackupManagementService") ? cloud->backup_app_id : cloud->orchestrator_app_id;
    const char *object_id;

    if (!app) {
        value_set(o->arena, p, "why",
                  value_format(o->arena, "the application id of %s in cloud %s is not published; declare its objectId",
                               name, cloud->name));
        return 0;
    }
    if (directory_service_principal(az, c, o->arena, app, &object_id, err) == 0) {
        value_set_string(o->arena, p, "objectId", object_id);
        return 0;
    }
    if (str_eq(err->code, "AADSTS7000112"))
        value_set(o->arena, p, "why",
                  value_format(o->arena,
                               "%s (%s, AADSTS7000112), whatever it holds; someone with directory rights enables it: "
                               "az ad sp update --id %s --set accountEnabled=true",
                               err->text, name, app));
    else if (err->class == ERR_NOT_FOUND)
        value_set(o->arena, p, "why",
                  value_format(o->arena,
                               "the tenant has no service principal of application %s (%s); someone with directory "
                               "rights creates it once: "
                               "az ad sp create --id %s",
                               app, name, app));
    else if (err->class == ERR_DENIED && err->http_status == 403)
        value_set(o->arena, p, "why",
                  value_format(o->arena, "the directory cannot be read (%s); declare the objectId of %s instead",
                               err->text, name));
    else
        return -(int)err->class;
    return 0;
}

int grant_principal(struct call *c, const struct observer *o, const char *path, struct value *p, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const struct value *declared = value_at(o->document->root, path);
    const struct reference *des = document_reference(o->document, arena_printf(o->arena, "%s.diskEncryptionSet", path));
    struct value *live;

    if (value_str_at(declared, "wellKnown"))
        return well_known_id(c, o, az, value_str_at(declared, "wellKnown"), p, err);
    value_set_string(o->arena, p, "objectId", value_str_at(declared, "objectId"));
    if (des && des->target) {
        const struct value *facts = view_facts(o->view, des->target);

        value_set_string(o->arena, p, "objectId", value_str_at(facts, "principalId"));
        if (value_get(facts, "further"))
            value_link(o->arena, p, "further", value_get(facts, "further"));
        value_set_string(o->arena, p, "why", value_str_at(facts, "identityWhy"));
    } else if (des && des->id) {
        if (arm_get(az, c, o->arena, des->id, API_DISK, &live, err) == 0) {
            struct value *facts = facts_new(o->arena, "present");

            value_set(o->arena, facts, "live", live);
            TRY(set_identity_observe(c, az, o->arena, NULL, facts, err));
            value_set_string(o->arena, p, "objectId", value_str_at(facts, "principalId"));
            if (value_get(facts, "further"))
                value_link(o->arena, p, "further", value_get(facts, "further"));
            value_set_string(o->arena, p, "why", value_str_at(facts, "identityWhy"));
        } else if (err->class == ERR_NOT_FOUND || err->http_status == 403) {
            value_set(o->arena, p, "why",
                      value_format(o->arena, "the disk encryption set cannot be read: %s", err->text));
        } else {
            return -(int)err->class;
        }
    }
    return 0;
}

const char *grant_identity_path(struct arena *a, size_t i)
{
    return i == 0 ? "principalId" : i == 1 ? "second principalId" : arena_printf(a, "principalId %zu", i + 1);
}

bool grant_names_identity(const char *path)
{
    return str_find_nocase(path, "principalId") != NULL;
}

int grant_service(struct call *c, const struct observer *o, const char *name, struct value *p, struct err *err)
{
    return well_known_id(c, o, kind_azure(o->provider, o->document), name, p, err);
}

bool grant_shared(const struct view *v, const struct document *doc, struct steps *out, const struct document *other,
                  const char *label)
{
    const char *id = arena_printf(v->arena, "%s#grant%s%s", other->address, label ? "." : "", label ? label : "");
    const struct step *made = v->steps ? steps_find(v->steps, id) : NULL;
    struct step *step;

    if (!made)
        return false;
    step =
        steps_add(out, doc, ACTION_WAIT, NULL, "%s declares the same grant: it is one, and made there", other->address);
    step->scope = made->scope;
    step->postcondition = "read back: the principal holds the role";
    step->estimate_ms = 0;
    step_need(out, step, made->id);
    return true;
}

/* --- local roles of a managed HSM --------------------------------------------------------------------------------- */

static const struct value *definition_of(const struct value *definitions, const char *role)
{
    for (size_t i = 0; i < value_count(definitions); i++) {
        const struct value *one = value_item(definitions, i);

        if (str_eq_nocase(value_str_at(one, "name"), arm_id_name(role)) ||
            str_eq_nocase(value_str_at(one, "properties.roleName"), role))
            return one;
    }
    return NULL;
}

/* They are the HSM's, but who holds rights on its keys only may list them there only. */
static int definitions_read(struct azure *az, struct call *c, struct arena *a, const char *base, struct value **ret,
                            struct err *err)
{
    if (hsm_list_definitions(az, c, a, base, "/", ret, err) == 0)
        return 0;
    return err->http_status == 403 ? hsm_list_definitions(az, c, a, base, "/keys", ret, err) : -(int)err->class;
}

static bool listed_already(const struct value *list, const char *name)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str_at(value_item(list, i), "name"), name))
            return true;
    return false;
}

static void sift(struct arena *a, const struct value *listed, const char *scope, struct value *out)
{
    for (size_t i = 0; i < value_count(listed); i++) {
        const struct value *item = value_item(listed, i);
        const char *name = value_str_at(item, "name");
        struct value *f;

        if (!hsm_scope_covers(value_str_at(item, "properties.scope"), scope) || listed_already(out, name))
            continue;
        f = value_map(a);
        value_set_string(a, f, "name", name);
        value_set_string(a, f, "principalId", value_str_at(item, "properties.principalId"));
        value_set_string(a, f, "roleDefinitionId", value_str_at(item, "properties.roleDefinitionId"));
        value_set_string(a, f, "scope", value_str_at(item, "properties.scope"));
        value_push(a, out, f);
    }
}

static int add_custom_actions(struct azure *az, struct call *c, struct arena *a, const char *base,
                              struct value *assignments, struct err *err)
{
    struct value *definitions = NULL;

    for (size_t i = 0; i < value_count(assignments); i++) {
        struct value *f = value_item(assignments, i);
        const char *role = value_str_at(f, "roleDefinitionId");
        struct value *actions;

        if (!role || hsm_role_by_id(role))
            continue;
        /* Without the right to list role definitions we cannot tell what a custom role allows. It then counts as no
         * right: a right that is wrongly believed in would let a restore fail. */
        if (!definitions && definitions_read(az, c, a, base, &definitions, err) < 0) {
            if (err->http_status != 403)
                return -(int)err->class;
            definitions = value_list(a);
        }
        actions = value_at(definition_of(definitions, role), "properties.permissions.0.dataActions");
        if (actions)
            value_set(a, f, "dataActions", actions);
    }
    return 0;
}

int local_assignments_read(struct azure *az, struct call *c, struct arena *a, const char *base, const char *scope,
                           struct local_assignments *ret, struct err *err)
{
    const char *const scopes[] = {"/", "/keys", scope};
    struct local_assignments all = {.list = value_list(a), .unseen = value_list(a)};
    struct value *listed;

    for (size_t i = 0; i < COUNT(scopes); i++) {
        bool own = i == 2;

        if (!own && (!hsm_scope_covers(scopes[i], scope) || str_eq_nocase(scopes[i], scope)))
            continue;
        if (hsm_list_assignments(az, c, a, base, scopes[i], &listed, err) == 0) {
            sift(a, listed, scope, all.list);
            continue;
        }
        if (own || err->http_status != 403)
            return -(int)err->class;
        value_push(a, all.unseen, value_string(a, scopes[i]));
    }
    TRY(add_custom_actions(az, c, a, base, all.list, err));
    *ret = all;
    return 0;
}

int local_role_find(struct azure *az, struct call *c, struct arena *a, const char *base, const char *role,
                    struct local_role *ret, struct err *err)
{
    const struct hsm_role *known = hsm_role_by_id(role) ? hsm_role_by_id(role) : hsm_role_by_name(role);
    const struct value *definition;
    struct value *definitions;

    if (!known) {
        TRY(definitions_read(az, c, a, base, &definitions, err));
        definition = definition_of(definitions, role);
        *ret = (struct local_role){.id = value_str_at(definition, "name"),
                                   .actions = value_at(definition, "properties.permissions.0.dataActions")};
        return 0;
    }
    *ret = (struct local_role){.id = known->id};
    return 0;
}

int local_role_put(struct azure *az, struct call *c, struct arena *a, const struct hsm_grant *grant, struct err *err)
{
    struct hsm_grant named = *grant;

    /* The HSM is part of the name's scope, so that the same grant in two HSMs has two names. */
    named.name = role_assignment_name(a, arena_printf(a, "%s%s", grant->base, grant->scope), grant->principal,
                                      grant->role_id);
    return hsm_put_assignment(az, c, a, &named, err);
}
