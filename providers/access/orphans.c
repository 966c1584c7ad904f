/* Knows which grants only a set's identity needs, and whose identities are known. Must not know what follows. */
#include "orphans.h"

#include "hsm_rights.h"
#include "rights.h"
#include "set_identity.h"

static void put_principals(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc), *principals = value_get(facts, "principals"),
                       *further = value_get(facts, "further"), *kept = value_get(facts, "kept");

    (void)a;
    index_put(x, value_str_at(facts, "principalId"), doc);
    for (size_t k = 0; k < value_count(further); k++)
        index_put(x, value_str(value_item(further, k)), doc);
    for (size_t k = 0; k < value_count(kept); k++)
        index_put(x, value_str_at(value_item(kept, k), "principalId"), doc);
    index_put(x, set_principal(value_get(facts, "live")), doc);
    index_put(x, set_principal(value_at(facts, "source.set.live")), doc);
    for (size_t k = 0; k < value_count(principals); k++)
        index_put(x, value_str_at(value_item(principals, k), "objectId"), doc);
}

/* Is this the principal of some set that is known, or one that a KeyAccess names? */
static bool principal_known(const struct view *v, const char *id)
{
    static const struct view_names principals = {.put = put_principals};

    return view_find(v, &principals, id) != NULL;
}

/* The role that nobody but a set's identity needs. */
static bool role_of_sets(const char *role)
{
    const struct hsm_role *local = hsm_role_by_name(hsm_key_rights[KEY_USER_DES].working);

    return role && (str_eq_nocase(arm_id_name(role), key_rights[KEY_USER_DES].role_id) ||
                    (local && str_eq_nocase(arm_id_name(role), local->id)));
}

static void add(const struct view *v, struct arena *a, struct value *list, const char *id, const char *what,
                bool on_key)
{
    struct value *one;

    if (!id || principal_known(v, id))
        return;
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str_at(value_item(list, i), "principalId"), id))
            return;
    one = value_map(a);
    value_set_string(a, one, "principalId", id);
    value_set_string(a, one, "what", what);
    if (on_key)
        value_set_bool(a, one, "onKey", true);
    value_push(a, list, one);
}

static struct value *orphans_of(const struct view *v, struct arena *a, const struct document *access)
{
    const struct document *key = document_target(access, "spec.key"),
                          *store = key ? document_target(key, "spec.store") : NULL;
    const struct value *facts = view_facts(v, access), *assignments = value_get(facts, "assignments"),
                       *live = store ? value_get(view_facts(v, store), "live") : NULL,
                       *policies = value_at(live, "properties.accessPolicies");
    struct value *list = value_list(a);

    for (size_t i = 0; i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);
        const char *scope = value_str_at(one, "scope");

        if (role_of_sets(value_str_at(one, "roleDefinitionId")))
            add(v, a, list, value_str_at(one, "principalId"), "the role of a set's identity on the key",
                scope && str_find_nocase(scope, "/keys/"));
    }
    for (size_t i = 0; str_eq(value_str_at(facts, "model"), "access-policies") && i < value_count(policies); i++) {
        const char *id = value_str_at(value_item(policies, i), "objectId");

        if (id && !value_count(policy_missing(a, live, id, key_rights[KEY_USER_DES].policy)))
            add(v, a, list, id, "the rights of a set's identity on the vault's keys", false);
    }
    return list;
}

/* All that look at one scope see the same: it is gone through once. */
static const char *seen_at(struct arena *a, const struct value *facts)
{
    const char *scope = value_str_at(facts, "scope"), *model = value_str_at(facts, "model");

    return scope && model ? arena_printf(a, "%s|%s", scope, model) : NULL;
}

static void put_orphans(const struct view *v, const struct document *access, struct arena *a, struct index *x)
{
    const char *at = seen_at(a, view_facts(v, access));

    if (at && value_get(view_facts(v, access), "assignments") && !index_get(x, at))
        index_put(x, at, orphans_of(v, a, access));
}

const struct value *orphaned_grants(const struct view *v, const struct document *access)
{
    static const struct view_names scopes = {.kind = "KeyAccess", .whole = true, .put = put_orphans};
    const struct value *facts = view_facts(v, access);
    const struct index_entry *found =
        value_get(facts, "assignments") ? view_find(v, &scopes, seen_at(v->arena, facts)) : NULL;

    return found ? found->thing : orphans_of(v, v->arena, access);
}

const char *orphaned_grant_words(struct arena *a, const struct value *one)
{
    return arena_printf(a, "principal %s holds %s and is no set's identity that is known",
                        value_str_at(one, "principalId"), value_str_at(one, "what"));
}
