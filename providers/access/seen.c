/* Knows where rights that nobody has declared can be seen: access policies in their vault, assignments in what a
 * KeyAccess of the same store has read. Must not know what a restore makes of them. */
#include "seen.h"

#include <string.h>

#include "grants.h"
#include "hsm_rights.h"
#include "set_identity.h"

static const struct document *store_of(const struct document *key)
{
    return key ? document_target(key, "spec.store") : NULL;
}

static void put_store(const struct view *v, const struct document *access, struct arena *a, struct index *x)
{
    const struct document *store = store_of(document_target(access, "spec.key"));

    (void)v;
    (void)a;
    index_put(x, store ? store->address : NULL, access);
}

static const struct view_names by_store = {.kind = "KeyAccess", .declared = true, .put = put_store};

static const char *service_in(const struct value *list, enum key_user user)
{
    for (size_t k = 0; k < value_count(list); k++)
        if (value_int_at(value_item(list, k), "user", KEY_USER_DES) == (int64_t)user &&
            value_str_at(value_item(list, k), "objectId"))
            return value_str_at(value_item(list, k), "objectId");
    return NULL;
}

static const char *well_known(enum key_user user)
{
    return user == KEY_USER_BACKUP ? "BackupManagementService" : "ConfidentialVmOrchestrator";
}

/* As a grant that is spelled out has looked it up. */
static const char *service_of_single(const struct view *v, enum key_user user)
{
    static const char *const kinds[] = {"RoleAssignment", "ManagedHsmRoleAssignment"};
    const char *found = NULL;

    for (size_t i = 0; i < COUNT(kinds) && !found; i++) {
        const struct index_entry *at = NULL;
        const struct document *doc;

        while (!found && (doc = desired_next(v->desired, kinds[i], &at)))
            if (str_eq(value_str_at(doc->spec, "principal.wellKnown"), well_known(user)))
                found = value_str_at(view_facts(v, doc), "objectId");
    }
    return found;
}

const char *user_seen(const struct view *v, enum key_user user, const struct value *set)
{
    const struct index_entry *at = NULL;
    const struct document *doc;
    const char *found = NULL;

    if (user == KEY_USER_DES)
        return value_str_at(set, "principalId") ? value_str_at(set, "principalId")
                                                : set_principal(value_get(set, "live"));
    while (!found && (doc = desired_next(v->desired, "KeyAccess", &at))) {
        const struct value *facts = view_facts(v, doc);

        found = service_in(value_get(facts, "principals"), user);
        found = found ? found : service_in(value_get(facts, "others"), user);
    }
    return found ? found : service_of_single(v, user);
}

/* No condition and no group may give it what it lacks. */
static bool told(const struct view *v, const struct value *assignments, const char *object_id, enum key_user user)
{
    return !rbac_conditioned(v->arena, assignments, object_id) &&
           !rbac_groups_may_give(v->arena, assignments, object_id, key_rights[user].data_actions);
}

/* In the assignments that this KeyAccess has read. Those on the key alone it has seen only where it is
 * about that key alone. */
static enum seen_right seen_by(const struct view *v, const struct document *access, const struct document *key,
                               enum key_user user, const char *object_id)
{
    const struct value *facts = view_facts(v, access), *assignments = value_get(facts, "assignments"), *missing;
    bool of_key = document_target(access, "spec.key") == key;
    const char *model = value_str_at(facts, "model"), *name = value_str_at(key->spec, "keyName");
    int64_t since;

    if (!assignments)
        return SEEN_UNKNOWN;
    if (str_eq(model, "local-rbac")) {
        missing = hsm_missing(v->arena, assignments, object_id, hsm_key_scope(v->arena, name ? name : key->name),
                              hsm_key_rights[user].data_actions);
        of_key = of_key && value_count(value_get(facts, "unseenScopes")) == 0;
    } else {
        missing = rbac_missing(v->arena, assignments, object_id, key_rights[user].data_actions, &since);
        of_key = of_key && str_eq(value_str_at(access->spec, "scope"), "key");
    }
    if (value_count(missing) == 0)
        return SEEN_HELD;
    return of_key && told(v, assignments, object_id, user) ? SEEN_LACKING : SEEN_UNKNOWN;
}

/* In the assignments that a role which is spelled out has read, at its scope and above. */
static enum seen_right seen_by_single(const struct view *v, const struct document *grant, const struct document *key,
                                      enum key_user user, const char *object_id)
{
    const struct value *facts = view_facts(v, grant), *assignments = value_get(facts, "assignments"), *missing;
    const char *name = value_str_at(key->spec, "keyName"), *scope = value_str_at(facts, "scope");
    bool local = str_eq(grant->kind, "ManagedHsmRoleAssignment"), of_key = scope && str_find_nocase(scope, "/keys/");
    int64_t since;

    if (!assignments || !(local || str_eq(grant->kind, "RoleAssignment")))
        return SEEN_UNKNOWN;
    missing = local ? hsm_missing(v->arena, assignments, object_id, hsm_key_scope(v->arena, name ? name : key->name),
                                  hsm_key_rights[user].data_actions)
                    : rbac_missing(v->arena, assignments, object_id, key_rights[user].data_actions, &since);
    if (value_count(missing) == 0)
        return SEEN_HELD;
    return of_key && told(v, assignments, object_id, user) ? SEEN_LACKING : SEEN_UNKNOWN;
}

static enum seen_right seen_of(const struct view *v, const struct document *key, enum key_user user,
                               const char *object_id)
{
    const struct document *store = store_of(key);
    const struct value *live = value_get(view_facts(v, store), "live");
    const struct document *const *grants;
    struct grant_place place;
    enum seen_right found = SEEN_UNKNOWN;
    const struct index_entry *at = NULL;
    const struct document *doc;
    size_t n = 0;

    if (!object_id || !store)
        return SEEN_UNKNOWN;
    if (str_eq(store->kind, "KeyVault") && live && !value_bool_at(live, "properties.enableRbacAuthorization", false))
        return value_count(policy_missing(v->arena, live, object_id, key_rights[user].policy)) ? SEEN_LACKING
                                                                                               : SEEN_HELD;
    while (found != SEEN_HELD && (doc = view_next(v, &by_store, store->address, &at))) {
        enum seen_right here = seen_by(v, doc, key, user, object_id);

        found = here != SEEN_UNKNOWN ? here : found;
    }
    place = (struct grant_place){.key = key->stands_for, .store = store->stands_for};
    grants = found == SEEN_HELD ? NULL : grants_at(v, &place, &n);
    for (size_t i = 0; grants && i < n && found != SEEN_HELD; i++) {
        enum seen_right here = seen_by_single(v, grants[i], key, user, object_id);

        found = here != SEEN_UNKNOWN ? here : found;
    }
    return found;
}

/* As its document has looked, because no other one grants the set its right. */
static enum seen_right seen_by_set(const struct document *key, const struct value *set, const char *object_id)
{
    const struct value *own = value_get(set, "own");

    if (!object_id || !str_eq_nocase(value_str_at(own, "principalId"), object_id) ||
        !str_eq(value_str_at(own, "key"), key->address))
        return SEEN_UNKNOWN;
    return value_count(value_get(own, "missing")) ? SEEN_LACKING : SEEN_HELD;
}

enum seen_right right_seen(const struct view *v, const struct document *key, enum key_user user,
                           const struct value *set)
{
    const char *object_id = user_seen(v, user, set);
    const struct value *further = user == KEY_USER_DES ? value_get(set, "further") : NULL;
    enum seen_right found;

    if (user == KEY_USER_DES && !object_id && str_eq(value_str_at(set, "state"), "absent") &&
        !value_str_at(set, "identityState"))
        return SEEN_LACKING;
    found = user == KEY_USER_DES ? seen_by_set(key, set, object_id) : SEEN_UNKNOWN;
    found = found == SEEN_UNKNOWN ? seen_of(v, key, user, object_id) : found;
    /* It may act by any of them. */
    for (size_t i = 0; i < value_count(further) && found != SEEN_LACKING; i++) {
        enum seen_right here = seen_of(v, key, user, value_str(value_item(further, i)));

        found = here == SEEN_HELD ? found : here;
    }
    return found;
}

/* --- what is declared --------------------------------------------------------------------------------------------- */

/* `principal`: as a document declares it; `path` leads to it. */
static bool is_user(const struct view *v, const struct document *doc, const char *path, enum key_user user,
                    const struct document *set, const char *object_id)
{
    const struct value *principal = value_at(doc->root, path);
    const char *known = value_str_at(principal, "wellKnown"), *id = value_str_at(principal, "objectId");
    const struct reference *ref = document_reference(doc, arena_printf(v->arena, "%s.diskEncryptionSet", path));

    if (id)
        return str_eq_nocase(id, object_id);
    if (user == KEY_USER_DES)
        return ref && set && ref->target == set;
    return str_eq(known, well_known(user));
}

/* What it grants reaches this key. */
static bool reaches(const struct view *v, const struct document *access, const struct document *key)
{
    const struct document *other = document_target(access, "spec.key");
    const char *scope = value_str_at(access->spec, "scope");

    return other == key || (other && store_of(other) && store_of(other) == store_of(key) &&
                            (str_eq(scope, "vault") || str_eq(scope, "all-keys") ||
                             str_eq(value_str_at(view_facts(v, access), "model"), "access-policies")));
}

static bool names_user(const struct view *v, const struct document *access, enum key_user user,
                       const struct document *set, const char *object_id)
{
    size_t n = value_count(value_get(access->spec, "principals"));

    for (size_t k = 0; k < n; k++)
        if (is_user(v, access, arena_printf(v->arena, "spec.principals.%zu", k), user, set, object_id))
            return true;
    return false;
}

/* What single grants add up to, for one user of one key. */
struct sum {
    const char *principal;                 /* its object id, or a stand-in for one that is yet to be made */
    struct value *roles, *local, *allowed; /* assignments of each model, and permissions */
    bool untold;                           /* by a role of which nobody here knows what it holds */
};

static void sum_role(const struct view *v, const struct document *grant, struct sum *sum)
{
    const struct value *facts = view_facts(v, grant), *seen = value_get(facts, "assignments");
    const char *role = value_str_at(grant->spec, "role"), *id = NULL;
    bool local = str_eq(grant->kind, "ManagedHsmRoleAssignment");
    struct value *one = value_map(v->arena), *all = local ? sum->local : sum->roles;

    for (size_t i = 0; i < value_count(seen); i++)
        value_push(v->arena, all, value_copy(v->arena, value_item(seen, i)));
    if (local) {
        const struct hsm_role *known = hsm_role_by_name(role) ? hsm_role_by_name(role) : hsm_role_by_id(role);

        id = known ? known->id : NULL;
    } else {
        const struct role_facts *known = role_by_name(role) ? role_by_name(role) : role_by_id(role);

        id = known ? known->id : NULL;
    }
    /* One that is assigned already is among those that were seen, with what it holds. */
    sum->untold = sum->untold || (!id && !str_eq(view_state(v, grant), "present"));
    value_set_string(v->arena, one, "principalId", sum->principal);
    value_set_string(v->arena, one, "roleDefinitionId", id);
    value_set_string(v->arena, one, "scope", value_str_at(grant->spec, "scope"));
    value_push(v->arena, all, one);
}

static bool allows(const struct value *allowed, const char *permission)
{
    for (size_t i = 0; i < value_count(allowed); i++)
        if (str_eq_nocase(value_str(value_item(allowed, i)), permission) ||
            str_eq_nocase(value_str(value_item(allowed, i)), "all"))
            return true;
    return false;
}

/* By access policies: what the vault shows already, and what is declared to be added. */
static bool policies_suffice(const struct view *v, const struct document *key, enum key_user user,
                             const struct sum *sum)
{
    const struct value *live = value_get(view_facts(v, store_of(key)), "live");
    const struct value *missing = policy_missing(v->arena, live, sum->principal, key_rights[user].policy);
    bool all = value_count(sum->allowed) > 0;

    for (size_t i = 0; i < value_count(missing); i++)
        all = all && allows(sum->allowed, value_str(value_item(missing, i)));
    return all;
}

/* Above every subscription: which of them it reaches cannot be seen here. */
static bool is_above(const struct document *grant)
{
    return str_eq(grant->kind, "RoleAssignment") &&
           !str_starts_nocase(value_str_at(grant->spec, "scope"), "/subscriptions/");
}

/* The scope of an Azure role that ends in another key of the store. */
static bool is_of_another_key(const struct document *grant, const char *key_name)
{
    const char *at = str_eq(grant->kind, "RoleAssignment")
                         ? str_find_nocase(value_str_at(grant->spec, "scope"), "/keys/")
                         : NULL;
    size_t n = strlen(key_name);

    at = at ? at + strlen("/keys/") : NULL;
    return at && (!str_starts_nocase(at, key_name) || (at[n] && at[n] != '/'));
}

/* The single grants to this user that reach the key give it, together, what it needs: one that is too weak, or on
 * another key, is no right. */
static bool singles_suffice(const struct view *v, const struct document *key, enum key_user user,
                            const struct document *set, const char *object_id)
{
    struct sum sum = {.principal = object_id ? object_id : "(yet to be made)",
                      .roles = value_list(v->arena),
                      .local = value_list(v->arena),
                      .allowed = value_list(v->arena)};
    const char *slash = key->stands_for ? strrchr(key->stands_for, '|') : NULL,
               *name = value_str_at(key->spec, "keyName") ? value_str_at(key->spec, "keyName") : key->name;
    const struct grant_place place = {
        .key = key->stands_for,
        .store = slash ? arena_strndup(v->arena, key->stands_for, (size_t)(slash - key->stands_for)) : NULL,
        .store_id = key_store_of(v->arena, key),
    };
    const struct document *const *grants, *doc;
    const struct index_entry *at = NULL;
    const struct value *added;
    int64_t since;
    size_t n;

    grants = grants_at(v, &place, &n);
    for (size_t i = 0; i < n; i++) {
        added = value_get(grants[i]->spec, "keyPermissions");
        if (added && object_id && str_eq_nocase(value_str_at(grants[i]->spec, "objectId"), object_id))
            for (size_t k = 0; k < value_count(added); k++)
                value_push(v->arena, sum.allowed, value_copy(v->arena, value_item(added, k)));
        else if (!added && grant_is_single(grants[i]) && !is_of_another_key(grants[i], name) &&
                 is_user(v, grants[i], "spec.principal", user, set, object_id))
            sum_role(v, grants[i], &sum);
    }
    while ((doc = desired_next(v->desired, "RoleAssignment", &at)))
        if (is_above(doc) && is_user(v, doc, "spec.principal", user, set, object_id))
            sum_role(v, doc, &sum);
    return sum.untold || policies_suffice(v, key, user, &sum) ||
           (value_count(sum.roles) &&
            !value_count(rbac_missing(v->arena, sum.roles, sum.principal, key_rights[user].data_actions, &since))) ||
           (value_count(sum.local) &&
            !value_count(hsm_missing(v->arena, sum.local, sum.principal, hsm_key_scope(v->arena, name),
                                     hsm_key_rights[user].data_actions)));
}

bool right_declared(const struct view *v, const struct document *key, enum key_user user, const struct document *set)
{
    return right_declared_to(v, key, user, set, user_seen(v, user, view_facts(v, set)));
}

bool right_declared_to(const struct view *v, const struct document *key, enum key_user user, const struct document *set,
                       const char *object_id)
{
    const struct document *store = store_of(key), *doc;
    const struct index_entry *at = NULL;

    while (store && (doc = view_next(v, &by_store, store->address, &at)))
        if (reaches(v, doc, key) && names_user(v, doc, user, set, object_id))
            return true;
    for (at = NULL; !store && (doc = desired_next(v->desired, "KeyAccess", &at));)
        if (reaches(v, doc, key) && names_user(v, doc, user, set, object_id))
            return true;
    return singles_suffice(v, key, user, set, object_id);
}
