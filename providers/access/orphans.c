/* Knows which grants only a set's identity needs, and whose identities are known. Must not know what follows. */
#include "orphans.h"

#include "hsm_rights.h"
#include "rights.h"
#include "set_identity.h"

/* Is this the principal of some set that is known, or one that a KeyAccess names? */
static bool principal_known(const struct view *v, const char *id)
{
    const struct desired *d = v->desired;

    for (size_t i = 0; i < d->count; i++) {
        const struct value *facts = view_facts(v, d->documents[i]), *principals = value_get(facts, "principals");

        if (str_eq_nocase(value_str_at(facts, "principalId"), id) ||
            str_eq_nocase(value_str_at(facts, "secondPrincipalId"), id) ||
            str_eq_nocase(set_principal(value_get(facts, "live")), id) ||
            str_eq_nocase(set_principal(value_at(facts, "source.set.live")), id))
            return true;
        for (size_t k = 0; k < value_count(principals); k++)
            if (str_eq_nocase(value_str_at(value_item(principals, k), "objectId"), id))
                return true;
    }
    return false;
}

/* The role that nobody but a set's identity needs. */
static bool role_of_sets(const char *role)
{
    const struct hsm_role *local = hsm_role_by_name(hsm_key_rights[KEY_USER_DES].working);

    return role && (str_eq_nocase(arm_id_name(role), key_rights[KEY_USER_DES].role_id) ||
                    (local && str_eq_nocase(arm_id_name(role), local->id)));
}

static void add(const struct view *v, struct value *list, const char *id, const char *what, bool on_key)
{
    struct value *one;

    if (!id || principal_known(v, id))
        return;
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str_at(value_item(list, i), "principalId"), id))
            return;
    one = value_map(v->arena);
    value_set_string(v->arena, one, "principalId", id);
    value_set_string(v->arena, one, "what", what);
    if (on_key)
        value_set_bool(v->arena, one, "onKey", true);
    value_push(v->arena, list, one);
}

struct value *orphaned_grants(const struct view *v, const struct document *access)
{
    const struct document *key = document_target(access, "spec.key"),
                          *store = key ? document_target(key, "spec.store") : NULL;
    const struct value *facts = view_facts(v, access), *assignments = value_get(facts, "assignments"),
                       *live = store ? value_get(view_facts(v, store), "live") : NULL,
                       *policies = value_at(live, "properties.accessPolicies");
    struct value *list = value_list(v->arena);

    for (size_t i = 0; i < value_count(assignments); i++) {
        const struct value *one = value_item(assignments, i);
        const char *scope = value_str_at(one, "scope");

        if (role_of_sets(value_str_at(one, "roleDefinitionId")))
            add(v, list, value_str_at(one, "principalId"), "the role of a set's identity on the key",
                scope && str_find_nocase(scope, "/keys/"));
    }
    for (size_t i = 0; str_eq(value_str_at(facts, "model"), "access-policies") && i < value_count(policies); i++) {
        const char *id = value_str_at(value_item(policies, i), "objectId");

        if (id && !value_count(policy_missing(v->arena, live, id, key_rights[KEY_USER_DES].policy)))
            add(v, list, id, "the rights of a set's identity on the vault's keys", false);
    }
    return list;
}

const char *orphaned_grant_words(struct arena *a, const struct value *one)
{
    return arena_printf(a, "principal %s holds %s and is no set's identity that is known",
                        value_str_at(one, "principalId"), value_str_at(one, "what"));
}
