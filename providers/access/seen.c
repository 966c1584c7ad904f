/* Knows where rights that nobody has declared can be seen: access policies in their vault, assignments in what a
 * KeyAccess of the same store has read. Must not know what a restore makes of them. */
#include "seen.h"

#include "hsm_rights.h"
#include "set_identity.h"

static const struct document *store_of(const struct document *key)
{
    return key ? document_target(key, "spec.store") : NULL;
}

/* The object id of a service, from any KeyAccess that has looked it up; of a set, from its body. */
static const char *principal_seen(const struct view *v, enum key_user user, const struct value *set_live)
{
    if (user == KEY_USER_DES)
        return set_principal(set_live);
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *principals =
            str_eq(doc->kind, "KeyAccess") ? value_get(view_facts(v, doc), "principals") : NULL;

        for (size_t k = 0; k < value_count(principals); k++)
            if (value_int_at(value_item(principals, k), "user", KEY_USER_DES) == (int64_t)user &&
                value_str_at(value_item(principals, k), "objectId"))
                return value_str_at(value_item(principals, k), "objectId");
    }
    return NULL;
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
    return of_key && !rbac_conditioned(v->arena, assignments, object_id) ? SEEN_LACKING : SEEN_UNKNOWN;
}

enum seen_right right_seen(const struct view *v, const struct document *key, enum key_user user,
                           const struct value *set_live)
{
    const char *object_id = principal_seen(v, user, set_live);
    const struct document *store = store_of(key);
    const struct value *live = value_get(view_facts(v, store), "live");
    enum seen_right found = SEEN_UNKNOWN;

    if (!object_id || !store)
        return SEEN_UNKNOWN;
    if (str_eq(store->kind, "KeyVault") && live && !value_bool_at(live, "properties.enableRbacAuthorization", false))
        return value_count(policy_missing(v->arena, live, object_id, key_rights[user].policy)) ? SEEN_LACKING
                                                                                               : SEEN_HELD;
    for (size_t i = 0; found != SEEN_HELD && i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        enum seen_right here = SEEN_UNKNOWN;

        if (str_eq(doc->kind, "KeyAccess") && store_of(document_target(doc, "spec.key")) == store)
            here = seen_by(v, doc, key, user, object_id);
        found = here != SEEN_UNKNOWN ? here : found;
    }
    return found;
}
