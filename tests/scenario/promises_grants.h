/* The promise of grants: none beyond the declared, none on a key that is declared revoked or that is another key. */
#ifndef REINSTATE_TEST_PROMISES_GRANTS_H
#define REINSTATE_TEST_PROMISES_GRANTS_H

#include "seen.h"

/* --- grants ------------------------------------------------------------------------------------------------------- */

static inline const struct value *world_resource(const struct value *world, const char *group, const char *type,
                                                 const char *name)
{
    const struct value *all = value_at(world, "spec.resources");
    struct arena *a = arena_new();
    const char *end = arena_printf(a, "/%s/%s", type, name),
               *in = group ? arena_printf(a, "/resourceGroups/%s/", group) : "/";
    const struct value *found = NULL;

    for (size_t i = 0; !found && i < value_count(all); i++)
        if (str_ends_nocase(value_str_at(value_item(all, i), "id"), end) &&
            str_find_nocase(value_str_at(value_item(all, i), "id"), in))
            found = value_item(all, i);
    arena_free(a);
    return found;
}

static inline bool identity_holds(const struct value *resource, const char *principal)
{
    const struct value *assigned = value_at(resource, "identity.userAssignedIdentities");

    if (str_eq_nocase(value_str_at(resource, "identity.principalId"), principal) ||
        str_eq_nocase(value_str_at(resource, "properties.principalId"), principal))
        return true;
    for (size_t i = 0; i < value_count(assigned); i++)
        if (str_eq_nocase(value_str_at(assigned->map.members[i].value, "principalId"), principal))
            return true;
    return false;
}

static inline bool well_known(const struct value *world, const char *name, const char *principal)
{
    const struct value *all = value_at(world, "spec.principals");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq(value_str_at(value_item(all, i), "wellKnown"), name) &&
            str_eq_nocase(value_str_at(value_item(all, i), "objectId"), principal))
            return true;
    return false;
}

/* A user-assigned identity is named by the set's id of it; its principal stands in the identity's own body. */
static inline bool user_assigned_of(const struct value *world, const struct value *set, const char *principal)
{
    const struct value *assigned = value_at(set, "identity.userAssignedIdentities");

    for (size_t i = 0; i < value_count(assigned); i++) {
        const char *id = assigned->map.members[i].key, *name = strrchr(id, '/');

        if (name && identity_holds(world_resource(world, NULL, "userAssignedIdentities", name + 1), principal))
            return true;
    }
    return false;
}

/* One that the set is declared with is granted its rights before the set gets it, which a run that stops never does. */
static inline bool user_assigned_declared(const struct value *world, const struct value *doc, const char *principal)
{
    const struct value *all = value_at(doc, "spec.identity.userAssigned");

    for (size_t i = 0; i < value_count(all); i++) {
        const char *name = value_str(value_item(all, i)) ? strrchr(value_str(value_item(all, i)), '/') : NULL;

        if (name && identity_holds(world_resource(world, NULL, "userAssignedIdentities", name + 1), principal))
            return true;
    }
    return false;
}

/* `one` as a document declares a principal. */
static inline bool is_principal(const struct seen *s, const struct value *one, const char *principal)
{
    const struct value *given = value_get(one, "diskEncryptionSet");
    const char *set = value_str(given) ? value_str(given) : value_str_at(given, "id");

    if (str_eq_nocase(value_str_at(one, "objectId"), principal) ||
        str_eq_nocase(value_str_at(one, "principalId"), principal))
        return true;
    if (value_str_at(one, "wellKnown") && well_known(s->after, value_str_at(one, "wellKnown"), principal))
        return true;
    for (size_t k = 0; set && k < value_count(s->documents); k++) {
        const struct value *doc = value_item(s->documents, k);
        const char *named = value_str_at(doc, "spec.setName") ? value_str_at(doc, "spec.setName")
                                                              : value_str_at(doc, "metadata.name");
        const struct value *live;

        if (!str_eq(value_str_at(doc, "kind"), "DiskEncryptionSet") ||
            (!str_eq(value_str_at(doc, "metadata.name"), set) &&
             !str_ends_nocase(set, arena_printf(s->arena, "/%s", named))))
            continue;
        live = world_resource(s->after, value_str_at(doc, "spec.resourceGroup"), "diskEncryptionSets", named);
        if (identity_holds(live, principal) || user_assigned_of(s->after, live, principal) ||
            user_assigned_declared(s->after, doc, principal))
            return true;
    }
    return false;
}

static inline bool declared_principal(const struct seen *s, const struct value *access, const char *principal)
{
    const struct value *all = value_at(access, "spec.principals");

    for (size_t i = 0; i < value_count(all); i++)
        if (is_principal(s, value_item(all, i), principal))
            return true;
    return false;
}

static inline const struct value *declared(const struct seen *s, const char *kind, const char *name)
{
    for (size_t i = 0; name && i < value_count(s->documents); i++) {
        const struct value *doc = value_item(s->documents, i);

        if (str_eq(value_str_at(doc, "kind"), kind) && str_eq(value_str_at(doc, "metadata.name"), name))
            return doc;
    }
    return NULL;
}

/* The name of a key's store, as its document has it or as its id ends. */
static inline const char *store_named(const struct value *key)
{
    const char *id = value_str_at(key, "spec.store.id"), *slash = id ? strrchr(id, '/') : NULL;

    return slash ? slash + 1 : value_str_at(key, "spec.store");
}

/* Why nothing may be granted on the key that this KeyAccess names; NULL: it may. */
static inline const char *key_refuses(const struct seen *s, const struct value *key)
{
    const char *store = store_named(key), *version = value_str_at(key, "spec.version");
    const char *name =
        value_str_at(key, "spec.keyName") ? value_str_at(key, "spec.keyName") : value_str_at(key, "metadata.name");
    const struct value *all = value_at(s->after, "spec.keys");
    bool live = false, found = false;

    if (value_at(key, "spec.revoked"))
        return "a key that is declared revoked";
    for (size_t i = 0; version && i < value_count(all); i++) {
        const struct value *one = value_item(all, i), *versions = value_get(one, "versions");

        if (!str_eq_nocase(value_str_at(one, "store"), store) || !str_eq_nocase(value_str_at(one, "name"), name) ||
            !str_eq(value_str_at(one, "state") ? value_str_at(one, "state") : "active", "active"))
            continue;
        live = true;
        for (size_t k = 0; k < value_count(versions); k++)
            found = found || str_eq(value_str_at(value_item(versions, k), "id"), version);
    }
    return live && !found ? "a key of that name that is not the declared one" : NULL;
}

/* The Key that a KeyAccess names, or whose address it gives. */
static inline const struct value *key_of_access(const struct seen *s, const struct value *access)
{
    const char *url = value_str_at(access, "spec.key.url");

    for (size_t i = 0; url && i < value_count(s->documents); i++) {
        const struct value *doc = value_item(s->documents, i);
        const char *name =
            value_str_at(doc, "spec.keyName") ? value_str_at(doc, "spec.keyName") : value_str_at(doc, "metadata.name");

        if (str_eq(value_str_at(doc, "kind"), "Key") &&
            str_find_nocase(url, arena_printf(s->arena, "//%s.", store_named(doc))) &&
            str_find_nocase(url, arena_printf(s->arena, "/keys/%s/", name)))
            return doc;
    }
    return declared(s, "Key", value_str_at(access, "spec.key"));
}

/* NULL: some document declares it. `url` holds the store's name, in a path or a host. */
static inline const char *undeclared_grant(const struct seen *s, const char *url, const char *principal)
{
    const char *why = "what no document declares";

    for (size_t i = 0; i < value_count(s->documents); i++) {
        const struct value *doc = value_item(s->documents, i), *key = key_of_access(s, doc);
        const char *store = store_named(key), *hsm = value_str_at(doc, "spec.hsm"), *refused;

        if (str_eq(value_str_at(doc, "kind"), "ManagedHsmRoleAssignment") &&
            is_principal(s, value_at(doc, "spec.principal"), principal) &&
            str_find_nocase(url, arena_printf(s->arena, "//%s.", hsm)))
            return NULL;
        /* Grants spelled out, one by one. */
        if ((str_eq(value_str_at(doc, "kind"), "KeyVaultAccessPolicy") &&
             str_eq_nocase(value_str_at(doc, "spec.objectId"), principal)) ||
            (str_eq(value_str_at(doc, "kind"), "RoleAssignment") &&
             is_principal(s, value_at(doc, "spec.principal"), principal) &&
             str_find_nocase(url, arena_printf(s->arena, "%s/providers/Microsoft.Authorization/",
                                               value_str_at(doc, "spec.scope")))))
            return NULL;
        if (!str_eq(value_str_at(doc, "kind"), "KeyAccess") || !key || !store)
            continue;
        if (!str_find_nocase(url, arena_printf(s->arena, "/%s/", store)) &&
            !str_find_nocase(url, arena_printf(s->arena, "//%s.", store)))
            continue;
        if (!declared_principal(s, doc, principal))
            continue;
        refused = key_refuses(s, key);
        if (!refused)
            return NULL;
        why = refused;
    }
    return why;
}

static inline const char *promise_grants(const struct seen *s)
{
    for (size_t i = 0; i < value_count(s->exchanges); i++) {
        const struct value *e = value_item(s->exchanges, i), *p = value_at(e, "request_body.properties");
        const struct value *entries = value_get(p, "accessPolicies");
        const char *principal = value_str_at(p, "principalId"), *why = NULL;

        if (sent_to_read(e) || !taken(e))
            continue;
        if (principal && str_find_nocase(sent_url(e), "/roleAssignments/"))
            why = undeclared_grant(s, sent_url(e), principal);
        for (size_t k = 0; !why && str_find_nocase(sent_url(e), "/accessPolicies/") && k < value_count(entries); k++) {
            principal = value_str_at(value_item(entries, k), "objectId");
            why = undeclared_grant(s, sent_url(e), principal);
        }
        if (why)
            return arena_printf(s->arena, "%s is granted by %s: %s", principal, sent_url(e), why);
    }
    return NULL;
}

#endif
