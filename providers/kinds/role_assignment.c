/* Kind RoleAssignment: one Azure role for one principal at one scope, spelled out.
 *
 * Facts: state (present: assigned here or above), scope, objectId, roleId, since, why; vaultAbsent: the id of the vault
 * that the scope speaks of, where there is none; model: by what the vault decides, where it was read. */
#include <string.h>

#include "../azure/defaults.h"
#include "../documents/id_fields.h"
#include "../../reconciler/format/crypt.h"
#include "../access/grant.h"
#include "../access/grants.h"
#include "../access/room.h"
#include "../keys/standing.h"
#include "../access/rights.h"
#include "../access/set_identity.h"

static bool is_guid(const char *s)
{
    size_t n = s ? strlen(s) : 0;

    return n == UUID_TEXT - 1 && strspn(s, "0123456789abcdefABCDEF-") == n;
}

static int role_id(struct call *c, const struct observer *o, struct azure *az, const char *scope, struct value *facts,
                   struct err *err)
{
    const char *role = value_str_at(o->document->spec, "role");
    const struct role_facts *known = role_by_name(role);
    struct text query cleanup(text_release) = {.ceiling = 4096};
    struct value *found;

    if (known || is_guid(role)) {
        value_set_string(o->arena, facts, "roleId", known ? known->id : role);
        return 0;
    }
    text_add(&query, "$filter=");
    text_add_percent(&query, arena_printf(o->arena, "roleName eq '%s'", role));
    if (arm_list_where(
            az, c, o->arena,
            &(struct arm_wanted){
                .path = arena_printf(o->arena, "%s/providers/Microsoft.Authorization/roleDefinitions", scope),
                .api = API_AUTHORIZATION,
                .query = text_str(&query)},
            &found, err) < 0) {
        if (err->http_status != 403)
            return -(int)err->class;
        value_set_string(o->arena, facts, "why", err->text);
    } else if (value_count(found) == 0) {
        value_set(o->arena, facts, "why", value_format(o->arena, "there is no role named %s at this scope", role));
    } else {
        value_set_string(o->arena, facts, "roleId", value_str_at(value_item(found, 0), "name"));
    }
    return 0;
}

/* The role lets keys be used, which Azure's roles do only where the store asks them. One that reads alone acts on the
 * vault's resource as well, whatever the store asks. */
static bool uses_keys(const struct value *facts)
{
    const struct role_facts *role = role_by_id(value_str_at(facts, "roleId"));

    for (size_t i = 0; role && i < COUNT(role->data_actions) && role->data_actions[i]; i++)
        if (!str_ends_nocase(role->data_actions[i], "/read"))
            return true;
    return false;
}

/* Reading the assignments at a vault shows neither whether the vault is there nor whether it goes by roles. So the
 * vault is read too: a role would be written in vain, or refused. */
static int observe_vault(struct call *c, const struct observer *o, struct azure *az, const char *scope,
                         struct value *facts, struct err *err)
{
    const char *type = str_find_nocase(scope, "/providers/Microsoft.KeyVault/vaults/"), *rest;
    struct value *live;

    if (!type || (str_eq(value_str_at(facts, "state"), "present") && !uses_keys(facts)))
        return 0;
    rest = strchr(type + strlen("/providers/Microsoft.KeyVault/vaults/"), '/');
    if (rest)
        scope = arena_strndup(o->arena, scope, (size_t)(rest - scope));
    if (arm_get(az, c, o->arena, scope, API_KEYVAULT, &live, err) == 0) {
        value_set_string(o->arena, facts, "model", azure_vault_checks_roles(live) ? "azure-rbac" : "access-policies");
        return 0;
    }
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    if (err->class == ERR_NOT_FOUND)
        value_set_string(o->arena, facts, "vaultAbsent", scope);
    return 0;
}

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const char *scope = value_str_at(o->document->spec, "scope");
    struct value *facts = facts_new(o->arena, "absent");
    const struct value *assignments;

    value_set_string(o->arena, facts, "scope", scope);
    TRY(grant_principal(c, o, "spec.principal", facts, err));
    TRY(role_id(c, o, az, scope, facts, err));
    if (role_assignments_read(az, c, o->arena, scope, &assignments, err) < 0) {
        TRY(facts_from_error(o->arena, "reading role assignments", err, ret));
        return 0;
    }
    value_link(o->arena, facts, "assignments", assignments);
    value_set_bool(
        o->arena, facts, "onCondition",
        rbac_held_on_condition(assignments, value_str_at(facts, "objectId"), value_str_at(facts, "roleId"), scope));
    for (size_t i = 0; i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);

        if (!str_eq_nocase(value_str_at(one, "principalId"), value_str_at(facts, "objectId")) ||
            !value_str_at(facts, "objectId") || value_str_at(one, "condition") ||
            !str_eq_nocase(arm_id_name(value_str_at(one, "roleDefinitionId")), value_str_at(facts, "roleId")))
            continue;
        value_set_string(o->arena, facts, "state", "present");
        value_set_string(o->arena, facts, "since", value_str_at(one, "createdOn"));
    }
    TRY(observe_vault(c, o, az, scope, facts, err));
    if (str_eq(value_str_at(facts, "state"), "absent"))
        TRY(room_observe_roles(c, az, o->arena, scope, facts, err));
    *ret = facts;
    return 0;
}

/* The same principal, or the identity of the same set that is yet to be made. */
static bool same_principal(const struct document *doc, const struct value *facts, const struct document *des,
                           const struct value *other)
{
    const struct document *own = document_target(doc, "spec.principal.diskEncryptionSet");
    const char *mine = value_str_at(facts, "objectId"), *theirs = value_str_at(other, "objectId");

    return mine && theirs ? str_eq_nocase(mine, theirs) : !mine && !theirs && own && own == des;
}

/* By the principal, else by the set whose identity it will be, and where; NULL: neither is known. */
static const char *grant_name(struct arena *a, const struct value *principal, const struct document *des,
                              const char *scope)
{
    const char *id = value_str_at(principal, "objectId");

    return scope && (id || des) ? arena_printf(a, "%s|%s", id ? id : des->address, scope) : NULL;
}

static void put_grants(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc), *principals = value_get(facts, "principals");
    const char *scope = value_str_at(facts, "scope");

    if (str_eq(doc->kind, "RoleAssignment"))
        index_put(x, grant_name(a, facts, document_target(doc, "spec.principal.diskEncryptionSet"), scope), doc);
    for (size_t i = 0; str_eq(doc->kind, "KeyAccess") && i < value_count(principals); i++) {
        const char *path = arena_printf(a, "spec.principals.%zu.diskEncryptionSet", i);

        index_put(x, grant_name(a, value_item(principals, i), document_target(doc, path), scope), doc);
    }
}

static const struct view_names by_grant = {.put = put_grants};

/* A document before this one that declares the very same grant: principal, scope and role. *ret_label:
 * which of a KeyAccess. */
static const struct document *other_owner(const struct view *v, const struct document *doc, const char **ret_label)
{
    const struct value *facts = view_facts(v, doc);
    const struct index_entry *at = NULL;
    const struct document *d;
    const char *mine = grant_name(v->arena, facts, document_target(doc, "spec.principal.diskEncryptionSet"),
                                  value_str_at(facts, "scope"));

    *ret_label = NULL;
    while ((d = view_next(v, &by_grant, mine, &at))) {
        const struct value *other = view_facts(v, d), *principals = value_get(other, "principals");

        if (d->index >= doc->index || !str_eq_nocase(value_str_at(other, "scope"), value_str_at(facts, "scope")))
            continue;
        if (str_eq(d->kind, "RoleAssignment") &&
            same_principal(doc, facts, document_target(d, "spec.principal.diskEncryptionSet"), other) &&
            str_eq_nocase(value_str_at(other, "roleId"), value_str_at(facts, "roleId")))
            return d;
        for (size_t j = 0; str_eq(d->kind, "KeyAccess") && j < value_count(principals); j++) {
            const struct value *p = value_item(principals, j);
            const char *path = arena_printf(v->arena, "spec.principals.%zu.diskEncryptionSet", j);
            const char *role = value_str_at(value_item(value_get(d->spec, "principals"), j), "role");

            *ret_label = value_str_at(p, "label");
            if (same_principal(doc, facts, document_target(d, path), p) &&
                (role ? str_eq_nocase(role, value_str_at(doc->spec, "role"))
                      : str_eq(key_rights[value_int_at(p, "user", 0)].role_id, value_str_at(facts, "roleId"))))
                return d;
        }
        *ret_label = NULL;
    }
    return NULL;
}

/* The store whose id the scope begins with, and the key at its end, if it is that of one. */
static void guard_keys(const struct view *v, struct steps *out, struct step *step)
{
    const struct index_entry *at = NULL;
    const struct document *store;

    while ((store = desired_next(v->desired, "KeyVault", &at))) {
        const char *id = key_vault_id(v->arena, store), *rest;

        if (!id || !str_starts_nocase(step->scope, id))
            continue;
        rest = step->scope + strlen(id);
        if (!*rest || str_starts_nocase(rest, "/keys/"))
            key_guard_grant(v, out, step, store, *rest ? rest + strlen("/keys/") : NULL);
    }
}

/* The vault of the scope is gone, and no document brings it back. */
static bool vault_missing(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *vault = value_str_at(view_facts(v, doc), "vaultAbsent");

    for (size_t i = 0; vault && i < v->desired->count; i++) {
        const struct document *store = v->desired->documents[i];

        if (str_eq(store->kind, "KeyVault") && arm_id_equal(key_vault_id(v->arena, store), vault) &&
            view_prospect(v, store) != PROSPECT_BLOCKED)
            return false;
    }
    if (vault)
        steps_block(out, doc, NULL, "correct spec.scope, or declare the KeyVault that is to be there",
                    "the vault %s, on which the role is declared, does not exist", arm_id_name(vault));
    return vault != NULL;
}

/* The permission model of the store in the scope: the live store's, else the declared one. NULL: there is no store in
 * it, or its model cannot be seen. */
static const char *model_of(const struct view *v, const struct document *doc)
{
    const char *scope = value_str_at(doc->spec, "scope"), *model = value_str_at(view_facts(v, doc), "model");
    const struct index_entry *at = NULL;
    const struct document *store;

    if (str_find_nocase(scope, "/providers/Microsoft.KeyVault/managedHSMs/"))
        return "local-rbac";
    while (!model && (store = desired_next(v->desired, "KeyVault", &at))) {
        const char *id = key_vault_id(v->arena, store);
        size_t n = id ? strlen(id) : 0;

        if (n && str_starts_nocase(scope, id) && (!scope[n] || scope[n] == '/') &&
            !str_eq(view_state(v, store), "unseen"))
            model = value_str_at(store->spec, "permissionModel");
    }
    return model;
}

/* Azure takes a role on a store that asks none, and then the key is refused all the same. */
static bool store_asks_no_role(const struct view *v, const struct document *doc, struct steps *out)
{
    const char *model = uses_keys(view_facts(v, doc)) ? model_of(v, doc) : NULL;

    if (str_eq(model, "access-policies"))
        steps_block(out, doc, NULL, "declare a KeyVaultAccessPolicy or a KeyAccess instead",
                    "the vault lives by access policies, where Azure roles on keys have no effect");
    else if (str_eq(model, "local-rbac"))
        steps_block(out, doc, NULL, "declare a ManagedHsmRoleAssignment or a KeyAccess instead",
                    "a managed HSM lives by local roles, where Azure roles on keys have no effect");
    else
        return false;
    return true;
}

/* It is there: what is left until it acts, of which the other document tells where it declares the grant. */
static void steps_held(const struct view *v, const struct document *doc, struct steps *out,
                       const struct document *other)
{
    const struct value *facts = view_facts(v, doc);
    size_t before = out->count;

    if (!other && grant_is_of_keys(v, doc))
        grant_wait_single(v, doc, out, GRANT_ROLE, NULL, value_str_at(facts, "objectId"),
                          time_parse(value_str_at(facts, "since")));
    if (out->count == before)
        steps_add(out, doc, ACTION_NONE, NULL, other ? "as declared; %s declares the same grant" : "as declared",
                  other ? other->address : "");
}

static void steps_due(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    const struct document *des = document_target(doc, "spec.principal.diskEncryptionSet"), *other;
    const char *object_id = value_str_at(facts, "objectId"), *label;
    struct step *step;

    if (steps_unseen(v, doc, out) || store_asks_no_role(v, doc, out))
        return;
    other = other_owner(v, doc, &label);
    if (str_eq(view_state(v, doc), "present")) {
        steps_held(v, doc, out, other);
        return;
    }
    if (other && grant_shared(v, doc, out, other, label))
        return;
    if (!value_str_at(facts, "roleId") || (!object_id && !(des && view_prospect(v, des) == PROSPECT_PENDING))) {
        steps_block(out, doc, NULL, "check role and principal", "role or principal cannot be resolved%s%s",
                    value_str_at(facts, "why") ? ": " : "",
                    value_str_at(facts, "why") ? value_str_at(facts, "why") : "");
        return;
    }
    if (value_bool_at(facts, "onCondition", false)) {
        steps_block(out, doc, NULL, "a person removes the condition, or that assignment",
                    "the principal holds the role under a condition: whether it acts cannot be told");
        return;
    }
    if (vault_missing(v, doc, out) || room_lacks(v, doc, out))
        return;
    step = steps_add(out, doc, ACTION_GRANT, NULL, "the principal does not hold the role %s here or above",
                     value_str_at(doc->spec, "role"));
    step->scope = value_str_at(facts, "scope");
    step_change(out, step, "principalId", NULL, object_id ? value_string(v->arena, object_id) : value_unknown(v->arena),
                NULL);
    step_change(out, step, "role", NULL, value_get(doc->spec, "role"), NULL);
    step_writes(out, step, "PUT", "%s/providers/Microsoft.Authorization/roleAssignments/", step->scope);
    step_right(out, step, step->scope, "Microsoft.Authorization/roleAssignments/write", false,
               "Role Based Access Control Administrator");
    grant_for_set(v, out, step, des, object_id);
    grant_needs_place(v, out, step);
    guard_keys(v, out, step);
    if (grant_is_of_keys(v, doc))
        grant_wait_single(v, doc, out, GRANT_ROLE, step, object_id, TIME_NONE);
}

/* A set that is to act by an identity which gets no rights is not written: Azure refuses it. */
static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    size_t before = out->count;

    steps_due(v, doc, out);
    for (size_t i = before; i < out->count; i++)
        if (out->items[i]->action == ACTION_BLOCKED && grant_is_of_keys(v, doc))
            set_after_grant(v, out, value_str_at(view_facts(v, doc), "objectId"), out->items[i]);
}

static int act(struct call *c, const struct actor *actor, struct err *err)
{
    const struct value *facts = view_facts(actor->view, actor->step->document);

    /* Where another document declares the grant it has made it by now, and nothing is waited for. */
    if (actor->step->action == ACTION_WAIT)
        return grant_wait_act(c, actor, err);
    if (!value_str_at(facts, "objectId"))
        return err_set(err, ERR_CONFLICT, "the principal's object id is not known yet");
    return role_assignment_put(kind_azure(actor->provider, actor->step->document), c, actor->arena, actor->step->scope,
                               value_str_at(facts, "objectId"), value_str_at(facts, "roleId"), err);
}

const struct kind role_assignment_kind = {
    .name = "RoleAssignment",
    .summary = "One Azure role for one principal at one scope, spelled out; inherited assignments count.",
    .check = id_fields_check,
    .observe = observe,
    .steps = steps,
    .act = act,
};
