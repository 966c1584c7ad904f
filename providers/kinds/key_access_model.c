/* Knows by which permission model and role a KeyAccess grants. Must not know what is granted already. */
#include "key_access.h"

const struct value *key_access_vault(const struct view *v, const struct document *doc, const struct value *facts)
{
    const struct document *key = document_target(doc, "spec.key");
    const struct document *store = key ? document_target(key, "spec.store") : NULL;

    return store ? value_get(view_facts(v, store), "live") : value_get(facts, "vault");
}

const struct role_facts *key_access_role(const struct document *doc, size_t i, enum key_user user)
{
    const char *declared = value_str_at(value_item(value_get(doc->spec, "principals"), i), "role");

    if (!declared)
        return role_by_id(key_rights[user].role_id);
    return role_by_name(declared) ? role_by_name(declared) : role_by_id(declared);
}

bool key_access_by_hsm(const struct document *doc)
{
    return key_store_is_hsm(document_target(doc, "spec.key"));
}

const char *key_access_model(const struct view *v, const struct document *doc)
{
    const char *model = value_str_at(view_facts(v, doc), "model");
    const struct document *key = document_target(doc, "spec.key"),
                          *store = key ? document_target(key, "spec.store") : NULL;

    if (model || !store)
        return model;
    model = value_str_at(store->spec, "permissionModel");
    return model ? model : str_eq(view_state(v, store), "absent") ? "azure-rbac" : NULL;
}

bool key_access_by_rbac(const struct view *v, const struct document *doc)
{
    return str_eq(key_access_model(v, doc), "azure-rbac");
}
