/* Knows how exchanges of Resource Manager and of the directory are brought about again: resources as they were,
 * operations begun anew, who may do what. Must not know backups, keys or blobs. */
#include "simcheck_operations.h"

#include <string.h>

#include "../../providers/sim/internal.h"

/* --- resources of ARM --------------------------------------------------------------------------------------------- */

bool make_absent(struct situation *t)
{
    if (t->status == 404 && str_eq(value_str_at(t->body, "error.code"), "ResourceGroupNotFound"))
        add_stub(t, arena_printf(t->a, "/subscriptions/%s/resourceGroups/another", part(t, 1)), NULL);
    else if (t->status == 404)
        add_group_of(t, t->path);
    return t->status == 404;
}

bool make_one_resource(struct situation *t)
{
    t->powerless = t->status == 403;
    if (t->powerless)
        add_group_of(t, t->path);
    else if (!make_absent(t))
        add_resource(t, t->body);
    return true;
}

bool make_some_resources(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    if (make_absent(t))
        return true;
    add_group_of(t, t->path);
    for (size_t i = 0; i < value_count(all); i++)
        add_resource(t, value_item(all, i));
    if (!value_count(all))
        add_stub(t, arena_printf(t->a, "/subscriptions/%s/resourceGroups/another", part(t, 1)), NULL);
    return true;
}

/* The resource as it was before this request; it may not have been. */
static bool as_before(struct situation *t)
{
    const struct value *before = earlier_body(t, t->path);

    add_group_of(t, t->path);
    if (before)
        add_resource(t, before);
    return true;
}

/* "…/locations/REGION/operations/…" of the address to be polled. */
static const char *location_of_operation(const struct situation *t)
{
    const char *address = value_str(value_get(value_get(t->x, "response_headers"), "location"));
    const char *at = address ? str_find_nocase(address, "/locations/") : NULL;

    return at ? arena_strndup(t->a, at + strlen("/locations/"), strcspn(at + strlen("/locations/"), "/")) : NULL;
}

bool make_known_before(struct situation *t)
{
    if (t->status == 204)
        return as_before(t);
    if (!earlier_body(t, t->path))
        add_stub(t, t->path, location_of_operation(t));
    return as_before(t);
}

bool make_change_of_set(struct situation *t)
{
    const struct value *before = earlier_body(t, t->path), *key = value_at(t->sent, "properties.activeKey");
    struct value *wanted = value_map(t->a), *p = value_set(t->a, wanted, "properties", value_map(t->a));

    if (!before && str_eq(value_str_at(t->x, "method"), "PATCH"))
        return cannot(t, "the recording does not show the set before the change");
    as_before(t);
    value_set_string(t->a, wanted, "location", value_str_at(before ? before : t->sent, "location"));
    value_set_string(t->a, p, "encryptionType", value_str_at(before ? before : t->sent, "properties.encryptionType"));
    if (key)
        value_set(t->a, p, "activeKey", value_copy(t->a, key));
    add_key_of_set(t, wanted);
    add_identities(t, value_get(before, "identity"));
    add_identities(t, value_get(t->sent, "identity"));
    return true;
}

/* The vault as it was last shown, deleted or not. */
static const struct value *shown_before(const struct situation *t, const char *id)
{
    const struct value *ret = NULL;

    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body");

        if (str_eq_nocase(value_str_at(body, "id"), id))
            ret = body;
    }
    return ret;
}

static void add_deleted_vault(struct situation *t, const char *id, const struct value *p)
{
    const struct value *before = shown_before(t, id);
    struct value *gone = value_map(t->a);

    if (before) {
        value_set(t->a, gone, "resource", value_copy(t->a, before));
        value_remove(value_at(gone, "resource.properties"), "vaultUri");
    }
    if (value_bool_at(p, "purgeProtectionEnabled", false))
        value_set_bool(t->a, value_set(t->a, gone, "properties", value_map(t->a)), "enablePurgeProtection", true);

    add_group_of(t, id);
    value_set_string(t->a, gone, "id", id);
    value_set_string(t->a, gone, "location", value_str_at(p, "location") ?: "eastus");
    value_set_string(t->a, gone, "deletionDate", value_str_at(p, "deletionDate"));
    value_set_string(t->a, gone, "scheduledPurgeDate", value_str_at(p, "scheduledPurgeDate"));
    value_push(t->a, world_list(t, "deletedVaults"), gone);
}

/* What an earlier answer shows of the deleted vault `id`, alone or in a list: the region is part of it, and Azure
 * recovers nowhere else. */
static const struct value *shown_deleted(const struct situation *t, const char *id)
{
    const struct value *ret = NULL;

    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body"),
                           *list = value_get(body, "value");

        for (size_t k = 0; k < value_count(list); k++)
            if (str_eq_nocase(value_str_at(value_item(list, k), "properties.vaultId"), id))
                ret = value_get(value_item(list, k), "properties");
        if (str_eq_nocase(value_str_at(body, "properties.vaultId"), id))
            ret = value_get(body, "properties");
    }
    return ret;
}

bool make_change_of_vault(struct situation *t)
{
    if (!str_eq(value_str_at(t->sent, "properties.createMode"), "recover"))
        return as_before(t);
    add_deleted_vault(t, t->path, shown_deleted(t, t->path));
    return true;
}

bool make_deleted_vaults(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    for (size_t i = 0; i < value_count(all); i++)
        add_deleted_vault(t, value_str_at(value_item(all, i), "properties.vaultId"),
                          value_get(value_item(all, i), "properties"));
    if (value_str_at(t->body, "properties.vaultId"))
        add_deleted_vault(t, value_str_at(t->body, "properties.vaultId"), value_get(t->body, "properties"));
    return true;
}

bool make_account_keys(struct situation *t)
{
    const char *id = path_head(t, 8);
    const struct value *before = earlier_body(t, id);

    if (before)
        add_resource(t, before);
    else
        add_stub(t, id, NULL);
    return true;
}

/* --- operations of Compute: begun again, then asked for ----------------------------------------------------------- */

/* The exchange that began the operation of that id. */
bool make_open_origin(const struct situation *t, const char *id, struct situation *ret)
{
    static const char *const headers[] = {"azure-asyncoperation", "location"};

    for (size_t i = 0; i < t->at; i++) {
        const struct value *x = value_item(t->lines, i), *h = value_get(x, "response_headers");

        for (size_t k = 0; k < COUNT(headers) && !str_eq(value_str_at(x, "method"), "GET"); k++)
            if (str_find_nocase(value_str(value_get(h, headers[k])) ?: "", id)) {
                situation_open(ret, t->a, t->file, t->lines, i);
                ret->spec = t->spec;
                return operation_of(ret) != NULL;
            }
    }
    return false;
}

static bool prepare_origin(struct situation *t, const char *id)
{
    struct situation origin;

    if (!make_open_origin(t, id, &origin))
        return cannot(t, "polls an operation that the simulator does not begin");
    if (!operation_of(&origin)->prepare(&origin))
        return cannot(t, origin.why_not);
    return true;
}

bool make_polled(struct situation *t)
{
    return prepare_origin(t, part(t, t->n_parts - 1));
}

bool make_begin_and_poll(struct situation *t, struct sim *s)
{
    bool monitor = query_value(t, "monitor") != NULL,
         running = t->status == 202 || str_eq(value_str_at(t->body, "status"), "InProgress");
    struct situation origin;
    struct answer begun;

    if (!make_open_origin(t, part(t, t->n_parts - 1), &origin))
        return cannot(t, "polls an operation that the simulator does not begin");
    origin.audience = t->audience;
    origin.now_ms = t->now_ms;
    begun = situation_send(&origin, s, value_str_at(origin.x, "method"), origin.url, origin.request);
    t->url = answer_header_of(&begun, monitor ? "Location" : "Azure-AsyncOperation");
    t->now_ms += running ? SECOND_MS : HOUR_MS;
    return t->url || cannot(t, "the simulator did not begin the operation");
}

/* --- rights ------------------------------------------------------------------------------------------------------- */

bool make_some_assignments(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    add_group_of(t, arena_printf(t->a, "%s/", path_head(t, 4)));
    for (size_t i = 0; i < value_count(all); i++)
        add_assignment(t, value_item(all, i));
    return true;
}

/* Of the first n parts, those before the last "providers". */
static char *scope_of(const struct situation *t)
{
    size_t n = t->n_parts;

    while (n && !str_eq_nocase(t->parts[n - 1], "providers"))
        n--;
    return path_head(t, n ? n - 1 : 0);
}

bool make_one_assignment(struct situation *t)
{
    const char *scope = scope_of(t);

    if (str_find_nocase(scope, "/providers/"))
        add_stub(t, scope, NULL);
    else
        add_group_of(t, arena_printf(t->a, "%s/", scope));
    if (t->status == 204)
        return true;
    if (!role_find(value_str_at(t->body, "properties.roleDefinitionId")))
        return cannot(t, "a role that no recovery meets");
    if (str_eq(value_str_at(t->x, "method"), "PUT"))
        add_principal(t, value_str_at(t->sent, "properties.principalId"), NULL, NULL, "ServicePrincipal");
    else
        add_assignment(t, t->body);
    return true;
}

bool make_definitions(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");
    bool known = value_count(all) == 0;

    add_group_of(t, arena_printf(t->a, "/subscriptions/%s/resourceGroups/another/", part(t, 1)));
    for (size_t i = 0; i < value_count(all); i++)
        known |= role_find(value_str_at(value_item(all, i), "name")) != NULL;
    if (!all)
        known = role_find(value_str_at(t->body, "name")) != NULL;
    return known || cannot(t, "a role that no recovery meets");
}

/* --- the directory ------------------------------------------------------------------------------------------------ */

bool make_service_principals(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);

        add_principal(t, value_str_at(v, "id"), value_str_at(v, "appId"), value_str_at(v, "displayName"),
                      "ServicePrincipal");
    }
    if (value_str_at(t->body, "id"))
        add_principal(t, value_str_at(t->body, "id"), value_str_at(t->body, "appId"),
                      value_str_at(t->body, "displayName"),
                      str_eq(value_str_at(t->body, "servicePrincipalType"), "ManagedIdentity") ? "ManagedIdentity"
                                                                                               : "ServicePrincipal");
    return true;
}
