/* Knows how recorded answers become the world they were given in: each resource, key, principal is put in as a person
 * would write it, less what the service adds by itself. Must not know which operation is checked. */
#include "simcheck_world.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../providers/sim/internal.h"

#define STORES                                                                                                         \
    "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-stores/providers/Microsoft.KeyVault/"

/* --- small things ------------------------------------------------------------------------------------------------- */

bool cannot(struct situation *t, const char *why)
{
    t->why_not = why;
    return false;
}

const char *part(const struct situation *t, size_t i)
{
    return i < t->n_parts ? t->parts[i] : "";
}

char *path_head(const struct situation *t, size_t n)
{
    struct text text;
    char *ret;

    text_init(&text, TEXT_CEILING);
    for (size_t i = 0; i < n && i < t->n_parts; i++)
        text_printf(&text, "/%s", t->parts[i]);
    ret = arena_strdup(t->a, text_str(&text));
    text_release(&text);
    return ret;
}

const char *query_value(const struct situation *t, const char *name)
{
    const char *query = strchr(value_str_at(t->x, "uri"), '?'),
               *at = query ? str_find_nocase(query, arena_printf(t->a, "%s=", name)) : NULL;

    return at ? arena_strndup(t->a, at + strlen(name) + 1, strcspn(at + strlen(name) + 1, "&")) : NULL;
}

struct value *world_list(struct situation *t, const char *name)
{
    struct value *list = value_get(t->spec, name);

    return list ? list : value_set(t->a, t->spec, name, value_list(t->a));
}

/* --- resources ---------------------------------------------------------------------------------------------------- */

bool has_resource(struct situation *t, const char *id)
{
    const struct value *all = world_list(t, "resources");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "id"), id))
            return true;
    return false;
}

struct value *add_stub(struct situation *t, const char *id, const char *location)
{
    struct value *v = value_map(t->a);

    if (has_resource(t, id))
        return v;
    add_group_of(t, id);
    value_set_string(t->a, v, "id", id);
    value_set_string(t->a, v, "location", location ? location : "eastus");
    value_set(t->a, v, "properties", value_map(t->a));
    value_push(t->a, world_list(t, "resources"), v);
    return v;
}

void add_group_of(struct situation *t, const char *id)
{
    const char *group = str_find_nocase(id, "/resourceGroups/"),
               *end = group ? strchr(group + strlen("/resourceGroups/"), '/') : NULL;

    if (end)
        add_stub(t, arena_strndup(t->a, id, (size_t)(end - id)), NULL);
}

/* What a service adds to a resource by itself; all else a world says. */
static const char *const derived[][2] = {
    {"", "name"},
    {"", "type"},
    {"", "etag"},
    {"", "systemData"},
    {"properties", "provisioningState"},
    {"properties", "uniqueId"},
    {"properties", "timeCreated"},
    {"properties", "vmId"},
    {"properties", "vaultUri"},
    {"properties", "primaryEndpoints"},
    {"properties", "instanceView"},
    {"properties", "lastKeyRotationTimestamp"},
};

void add_resource(struct situation *t, const struct value *shown)
{
    const char *id = value_str_at(shown, "id");
    struct value *v = value_copy(t->a, shown), *identity = value_get(v, "identity");

    if (!id || has_resource(t, id))
        return;
    for (size_t i = 0; i < COUNT(derived); i++)
        value_remove(*derived[i][0] ? value_get(v, derived[i][0]) : v, derived[i][1]);
    if (str_eq(value_str_at(identity, "type"), "SystemAssigned") && str_find_nocase(id, "/diskEncryptionSets/")) {
        value_remove(identity, "principalId");
        value_remove(identity, "tenantId");
    }
    add_group_of(t, id);
    value_push(t->a, world_list(t, "resources"), v);
    if (str_find_nocase(id, "/diskEncryptionSets/"))
        add_key_of_set(t, shown);
}

/* --- key stores and keys ------------------------------------------------------------------------------------------ */

static bool is_hsm(const struct situation *t)
{
    return str_ends_nocase(t->host, ".managedhsm.azure.net");
}

static char *store_name(const struct situation *t)
{
    return arena_strndup(t->a, t->host, strcspn(t->host, "."));
}

void add_store(struct situation *t, const struct value *attributes)
{
    const char *level = value_str_at(attributes, "recoveryLevel");
    const char *region = value_str(value_get(value_get(t->x, "response_headers"), "x-ms-keyvault-region"));
    struct value *v =
        add_stub(t, arena_printf(t->a, STORES "%s/%s", is_hsm(t) ? "managedHSMs" : "vaults", store_name(t)), region);
    struct value *p = value_get(v, "properties");

    if (!p)
        return;
    if (!is_hsm(t))
        value_set_bool(t->a, p, "enableRbacAuthorization", true);
    value_set_int(t->a, p, "softDeleteRetentionInDays", value_int_at(attributes, "recoverableDays", 90));
    if (level && !strstr(level, "Purgeable"))
        value_set_bool(t->a, p, "enablePurgeProtection", true);
}

static void set_time(struct arena *a, struct value *to, const char *member, const struct value *from,
                     const char *seconds)
{
    int64_t n = value_int_at(from, seconds, -1);

    if (n >= 0)
        value_set_string(a, to, member, time_format(a, n * SECOND_MS));
}

/* The version's id, or one made of the key's name: a list of keys does not tell it. */
static char *version_of(struct arena *a, const char *kid, char **ret_name)
{
    const char *keys = strstr(kid, "/keys/"), *name = keys ? keys + strlen("/keys/") : "", *slash = strchr(name, '/');

    *ret_name = arena_strndup(a, name, strcspn(name, "/"));
    return slash && slash[1] ? arena_strdup(a, slash + 1) : arena_strdup(a, "0123456789abcdef0123456789abcdef");
}

static struct value *key_entry(struct situation *t, const char *store, const char *name)
{
    struct value *all = world_list(t, "keys"), *key;

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "store"), store) &&
            str_eq_nocase(value_str_at(value_item(all, i), "name"), name))
            return value_item(all, i);
    key = value_map(t->a);
    value_set_string(t->a, key, "store", store);
    value_set_string(t->a, key, "name", name);
    value_set(t->a, key, "versions", value_list(t->a));
    value_push(t->a, all, key);
    return key;
}

static void take_version(struct situation *t, struct value *key, const struct value *shown, const char *id)
{
    const struct value *attributes = value_get(shown, "attributes");
    struct value *version = value_map(t->a);

    value_set_string(t->a, version, "id", id);
    value_set_bool(t->a, version, "enabled", value_bool_at(attributes, "enabled", true));
    set_time(t->a, version, "created", attributes, "created");
    set_time(t->a, version, "updated", attributes, "updated");
    set_time(t->a, version, "expires", attributes, "exp");
    set_time(t->a, version, "notBefore", attributes, "nbf");
    if (value_get(shown, "tags"))
        value_set(t->a, version, "tags", value_copy(t->a, value_get(shown, "tags")));
    value_push(t->a, value_get(key, "versions"), version);
}

bool add_key(struct situation *t, const struct value *shown, const char *state)
{
    static const char *const same[][2] = {{"key.key_ops", "keyOps"}, {"release_policy", "releasePolicy"}};
    const char *kid = value_str_at(shown, "key.kid") ?: value_str_at(shown, "kid"),
               *type = value_str_at(shown, "key.kty");
    const char *modulus = value_str_at(shown, "key.n"), *platform = value_str_at(shown, "attributes.hsmPlatform");
    char *name, *id;
    struct value *key;

    if (!kid || !strstr(kid, "/keys/"))
        return cannot(t, "the recording does not show the key");
    if (type && str_starts(type, "EC"))
        return cannot(t, "elliptic-curve keys: confidential virtual machines use RSA");
    add_store(t, value_get(shown, "attributes"));
    id = version_of(t->a, kid, &name);
    key = key_entry(t, store_name(t), name);
    value_set_string(t->a, key, "state", state);
    value_set_string(t->a, key, "type", type ? type : platform && str_eq(platform, "0") ? "RSA" : "RSA-HSM");
    value_set_int(t->a, key, "size", modulus && strlen(modulus) <= 344 ? 2048 : 3072);
    value_set_bool(t->a, key, "exportable", value_bool_at(shown, "attributes.exportable", false));
    for (size_t i = 0; i < COUNT(same); i++)
        if (value_at(shown, same[i][0]))
            value_set(t->a, key, same[i][1], value_copy(t->a, value_at(shown, same[i][0])));
    set_time(t->a, key, "deletedDate", shown, "deletedDate");
    set_time(t->a, key, "scheduledPurgeDate", shown, "scheduledPurgeDate");
    take_version(t, key, shown, id);
    return true;
}

void add_key_of_set(struct situation *t, const struct value *set)
{
    const char *url = value_str_at(set, "properties.activeKey.keyUrl"),
               *vault = value_str_at(set, "properties.activeKey.sourceVault.id");
    struct value *key, *version, *v;
    const char *host, *store, *id;
    char *name;

    if (!url || !str_starts_nocase(url, "https://"))
        return;
    host = url + strlen("https://");
    store = arena_strndup(t->a, host, strcspn(host, "."));
    v = add_stub(t, vault ? vault : arena_printf(t->a, STORES "vaults/%s", store), value_str_at(set, "location"));
    if (value_get(v, "properties")) {
        value_set_bool(t->a, value_get(v, "properties"), "enablePurgeProtection", true);
        value_set_bool(t->a, value_get(v, "properties"), "enableRbacAuthorization", true);
    }
    id = version_of(t->a, url, &name);
    key = key_entry(t, store, name);
    value_set_string(t->a, key, "state", "active");
    value_set_string(t->a, key, "type", "RSA-HSM");
    if (str_eq(value_str_at(set, "properties.encryptionType"), "ConfidentialVmEncryptedWithCustomerKey"))
        value_set_string(t->a, key, "releasePolicy", "confidential-vm");
    value_push(t->a, value_get(key, "versions"), version = value_map(t->a));
    value_set_string(t->a, version, "id", id);
}

/* --- who ---------------------------------------------------------------------------------------------------------- */

void add_principal(struct situation *t, const char *object_id, const char *app_id, const char *name, const char *type)
{
    struct value *all = world_list(t, "principals"), *v = value_map(t->a);

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "objectId"), object_id))
            return;
    value_set_string(t->a, v, "objectId", object_id);
    value_set_string(t->a, v, "appId", app_id);
    value_set_string(t->a, v, "displayName", name);
    value_set_string(t->a, v, "name", object_id);
    value_set_string(t->a, v, "type", type);
    value_push(t->a, all, v);
}

void add_identities(struct situation *t, const struct value *identity)
{
    const struct value *all = value_get(identity, "userAssignedIdentities");

    for (size_t i = 0; value_is(all, VALUE_MAP) && i < all->map.count; i++) {
        const char *id = all->map.members[i].key, *principal = arena_printf(t->a, "1dea0000-0000-4000-8000-%012zu", i);
        struct value *v = value_map(t->a);

        if (has_resource(t, id))
            continue;
        value_set_string(t->a, value_get(add_stub(t, id, NULL), "properties"), "principalId", principal);
        add_principal(t, principal, NULL, arena_printf(t->a, "identity %zu", i), "ManagedIdentity");
        value_set_string(t->a, v, "principal", principal);
        value_set_string(t->a, v, "role",
                         "e147488a-f6f5-4113-8e2d-b22465e65bf6"); /* Key Vault Crypto Service Encryption User */
        value_set_string(t->a, v, "scope", "/subscriptions/00000000-0000-0000-0000-000000000000");
        value_push(t->a, world_list(t, "roleAssignments"), v);
    }
}

void add_assignment(struct situation *t, const struct value *shown)
{
    static const char *const same[][2] = {{"createdOn", "created"},           {"createdBy", "createdBy"},
                                          {"description", "description"},     {"condition", "condition"},
                                          {"principalType", "principalType"}, {"conditionVersion", "conditionVersion"}};
    const struct value *p = value_get(shown, "properties");
    const struct role *role = role_find(value_str_at(p, "roleDefinitionId"));
    struct value *v = value_map(t->a);

    /* Roles that no recovery meets are not in the simulator; others of the same list stand for them. */
    if (!role)
        return;
    value_set_string(t->a, v, "principal", value_str_at(p, "principalId"));
    value_set_string(t->a, v, "role", role->guid);
    value_set_string(t->a, v, "scope", value_str_at(p, "scope"));
    value_set_string(t->a, v, "name", value_str_at(shown, "name"));
    for (size_t i = 0; i < COUNT(same); i++)
        value_set_string(t->a, v, same[i][1], value_str_at(p, same[i][0]));
    value_push(t->a, world_list(t, "roleAssignments"), v);
}

const struct value *earlier_body(const struct situation *t, const char *id)
{
    const struct value *ret = NULL;

    for (size_t i = 0; i < t->at; i++) {
        const struct value *x = value_item(t->lines, i), *body = value_get(x, "response_body");
        const char *uri = value_str_at(x, "uri"), *behind = uri ? str_find_nocase(uri, id) : NULL;

        if (!behind || (behind[strlen(id)] != '?' && behind[strlen(id)]))
            continue;
        if (str_eq(value_str_at(x, "method"), "DELETE"))
            ret = NULL;
        else if (value_int_at(x, "status", 0) < 300 && value_str_at(body, "id"))
            ret = body;
    }
    return ret;
}
