/* Knows what Azure Resource Manager does alike for every resource provider: how a resource is shown, lists in pages,
 * the shape of "not found". Must not know who asks for it, nor the providers' rules. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"

void arm_bad_path(const struct sim_request *r, struct sim_answer *out)
{
    answer_arm_error(r->arena, out, 404, true, "InvalidResourceType",
                     "The resource type at '%s' is not known here for this method.", r->path);
}

/* --- one resource ------------------------------------------------------------------------------------------------- */

static const char *group_of(struct arena *a, const char *id)
{
    const char *at = str_find_nocase(id, "/resourceGroups/");

    return at ? arena_strndup(a, at + strlen("/resourceGroups/"), strcspn(at + strlen("/resourceGroups/"), "/")) : NULL;
}

void arm_not_found(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct arena *a = r->arena;
    const char *group = group_of(a, id), *slash = strrchr(id, '/');

    if (group && !group_exists(s, request_segment(r, 1), group))
        answer_arm_error(a, out, 404, true, "ResourceGroupNotFound", "Resource group '%s' could not be found.", group);
    else
        answer_arm_error(a, out, 404, true, "ResourceNotFound",
                         "The Resource '%s/%s' under resource group '%s' was not found.", resource_type(a, id),
                         slash ? slash + 1 : "", group ? group : "<null>");
}

/* ".blob.core.windows.net" is ".queue.core.windows.net" and so on for an account's other services. */
static void show_storage(struct sim *s, struct arena *a, struct value *v)
{
    static const char *const services[] = {"dfs", "web", "blob", "queue", "table", "file"};
    struct value *p = value_get(v, "properties"), *endpoints = value_map(a);
    const char *name = value_str_at(v, "name"), *kind = value_str_at(v, "kind"), *suffix = s->ep.blob_suffix;
    bool second = !kind || str_eq_nocase(kind, "StorageV2");

    /* An account in a DNS zone says itself where it is. */
    if (!p || value_get(p, "primaryEndpoints"))
        return;
    for (size_t i = second ? 0 : 2; i < COUNT(services); i++)
        value_set(a, endpoints, services[i],
                  str_starts_nocase(suffix, ".blob.")
                      ? value_format(a, "https://%s.%s%s/", name, services[i], suffix + strlen(".blob"))
                      : value_format(a, "https://%s%s/", name, suffix));
    value_set(a, p, "primaryEndpoints", endpoints);
}

static const char *stable_guid(struct arena *a, const char *id)
{
    char guid[UUID_TEXT];

    crypt_uuid5("5f3c0c52-3f7b-5c0e-8a35-0a4ac1f0be21", str_lower(a, id), guid);
    return arena_strdup(a, guid);
}

/* The newest change of a vault's access policies; TIME_NONE. */
static int64_t policies_changed(struct sim *s, const char *vault_id)
{
    const struct value *all = state_list(s, "policyTimes");
    int64_t newest = TIME_NONE;

    for (size_t i = 0; i < value_count(all); i++) {
        int64_t at = time_parse(value_str_at(value_item(all, i), "since"));

        if (str_eq_nocase(value_str_at(value_item(all, i), "vault"), vault_id) && (newest == TIME_NONE || at > newest))
            newest = at;
    }
    return newest;
}

/* Who made a vault and who changed it last; a world does not say, but of changes made since. */
static void show_authors(struct sim *s, struct arena *a, struct value *v)
{
    static const char *const roles[][3] = {{"createdBy", "createdByType", "createdAt"},
                                           {"lastModifiedBy", "lastModifiedByType", "lastModifiedAt"}};
    struct value *data = value_map(a);

    int64_t changed = policies_changed(s, value_str_at(v, "id"));

    if (value_get(v, "systemData"))
        return;
    value_set(a, v, "systemData", data);
    for (size_t i = 0; i < COUNT(roles); i++) {
        value_set_string(a, data, roles[i][0], stable_guid(a, value_str_at(v, "id")));
        value_set_string(a, data, roles[i][1], "Application");
        value_set_string(a, data, roles[i][2], time_format(a, sim_start_ms(s) - 30 * DAY_MS));
    }
    if (changed != TIME_NONE)
        value_set_string(a, data, "lastModifiedAt", time_format(a, changed));
}

/* A member that the world says is null stays null: what is set below it is set nowhere. */
static struct value *member(struct arena *a, struct value *map, const char *key)
{
    struct value *v = value_get(map, key);

    if (value_is(v, VALUE_NULL))
        return value_map(a);
    return value_is(v, VALUE_MAP) ? v : value_set(a, map, key, value_map(a));
}

static void otherwise(struct arena *a, struct value *map, const char *key, const char *text)
{
    if (!value_get(map, key))
        value_set_string(a, map, key, text);
}

/* A world names what matters; the rest is what a vault of today shows by default. */
static void show_recovery_vault(struct arena *a, struct value *v)
{
    struct value *p = member(a, v, "properties"), *security = member(a, p, "securitySettings"), *soft, *redundancy;

    otherwise(a, v, "etag", "W/\"datetime'2026-08-14T01%3A49%3A10.3889877Z'\"");
    otherwise(a, p, "privateEndpointStateForBackup", "None");
    otherwise(a, p, "privateEndpointStateForSiteRecovery", "None");
    otherwise(a, p, "backupStorageVersion", "V1");
    otherwise(a, member(a, security, "immutabilitySettings"), "state", "Disabled");
    soft = member(a, security, "softDeleteSettings");
    if (!value_get(soft, "softDeleteRetentionPeriodInDays"))
        value_set_int(a, soft, "softDeleteRetentionPeriodInDays", 14);
    otherwise(a, soft, "softDeleteState", "Enabled");
    otherwise(a, soft, "enhancedSecurityState", "Enabled");
    otherwise(a, security, "multiUserAuthorization", "Disabled");
    redundancy = member(a, p, "redundancySettings");
    otherwise(a, redundancy, "standardTierStorageRedundancy", "GeoRedundant");
    otherwise(a, redundancy, "crossRegionRestore", "Disabled");
    otherwise(a, p, "publicNetworkAccess", "Enabled");
    otherwise(a, member(a, member(a, p, "restoreSettings"), "crossSubscriptionRestoreSettings"),
              "crossSubscriptionRestoreState", "Enabled");
    if (!value_get(v, "sku")) {
        otherwise(a, member(a, v, "sku"), "name", "RS0");
        otherwise(a, member(a, v, "sku"), "tier", "Standard");
    }
}

struct value *resource_show(struct sim *s, struct arena *a, const struct value *resource)
{
    struct value *v = value_copy(a, resource), *p = value_get(v, "properties");
    const char *type = value_str_at(v, "type"), *name = value_str_at(v, "name");

    value_remove(v, "registeredAt");
    value_remove(v, "madeAt");
    if (str_eq_nocase(type, "Microsoft.KeyVault/vaults") && p) {
        value_set_string(a, p, "vaultUri", arena_printf(a, "https://%s%s/", name, s->ep.vault_suffix));
        show_authors(s, a, v);
    }
    if (hsm_is(v))
        hsm_show(s, a, v);
    if (str_starts_nocase(type ?: "", "Microsoft.Network/") && !value_get(v, "etag"))
        value_set(a, v, "etag", value_format(a, "W/\"%s\"", stable_guid(a, value_str_at(v, "id"))));
    if (str_eq_nocase(type, "Microsoft.Storage/storageAccounts"))
        show_storage(s, a, v);
    if (str_eq_nocase(type, "Microsoft.RecoveryServices/vaults"))
        show_recovery_vault(a, v);
    /* A machine's state is shown on request only. */
    if (str_eq_nocase(type, "Microsoft.Compute/virtualMachines") && p)
        value_remove(p, "instanceView");
    return v;
}

bool still_hidden(struct sim *s, const char *made)
{
    int64_t made_ms = time_parse(made);

    return made_ms != TIME_NONE && made_ms + behaviour_ms(s, "readLag", 0) > s->now_ms;
}

void answer_resource(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    const struct value *v;

    if (!require_rbac(s, r, out, id, arena_printf(r->arena, "%s/read", resource_type(r->arena, id))))
        return;
    v = resource_find(s, id);
    if (v && !still_hidden(s, value_str_at(v, "madeAt")))
        answer_json(r->arena, out, 200, resource_show(s, r->arena, v));
    else
        arm_not_found(s, r, out, id);
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

static char *next_link(struct sim *s, const struct sim_request *r, size_t from)
{
    struct text t;
    char *ret;

    text_init(&t, 64 * 1024);
    text_printf(&t, "%s%s?", s->ep.arm, r->path);
    for (size_t i = 0; i < r->n_query; i++) {
        if (str_eq_nocase(r->query_names[i], "$skiptoken"))
            continue;
        text_add_percent(&t, r->query_names[i]);
        text_add_char(&t, '=');
        text_add_percent(&t, r->query_values[i]);
        text_add_char(&t, '&');
    }
    text_printf(&t, "%%24skiptoken=%zu", from);
    ret = arena_strdup(r->arena, text_str(&t));
    text_release(&t);
    return ret;
}

/* Items that are shown page by page: a list of thousands is not made anew for each of its pages. `next`: where the next
 * page begins; SIZE_MAX: nowhere. */
void arm_page_of(struct sim *s, const struct sim_request *r, struct sim_answer *out, struct value *items, size_t next)
{
    struct value *body = value_map(r->arena);

    value_set(r->arena, body, "value", items);
    if (next != SIZE_MAX)
        value_set_string(r->arena, body, "nextLink", next_link(s, r, next));
    answer_json(r->arena, out, 200, body);
}

size_t arm_page_from(const struct sim_request *r)
{
    const char *token = request_query(r, "$skiptoken");

    return token ? strtoul(token, NULL, 10) : 0;
}

size_t arm_page_size(const struct sim *s)
{
    int64_t size = value_int_at(value_get(s->spec, "behaviour"), "pageSize", 100);

    return size > 0 ? (size_t)size : 1;
}

void arm_page(struct sim *s, const struct sim_request *r, struct sim_answer *out, const struct value *items)
{
    struct arena *a = r->arena;
    struct value *page = value_list(a);
    size_t at = arm_page_from(r);

    for (size_t n = 0; n < arm_page_size(s) && at < value_count(items); n++)
        value_push(a, page, value_item(items, at++));
    arm_page_of(s, r, out, page, at < value_count(items) ? at : SIZE_MAX);
}

/* statusOnly: what a machine is doing, and of the rest no more than what names it. */
static struct value *show_status(struct arena *a, const struct value *machine)
{
    static const char *const kept[] = {"name", "id", "type", "location"};
    struct value *shown = value_map(a), *p = value_map(a), *view = value_at(machine, "properties.instanceView");

    for (size_t i = 0; i < COUNT(kept); i++)
        value_set_string(a, shown, kept[i], value_str_at(machine, kept[i]));
    if (value_str_at(machine, "properties.vmId"))
        value_set_string(a, p, "vmId", value_str_at(machine, "properties.vmId"));
    if (view)
        value_set(a, p, "instanceView", value_copy(a, view));
    value_set(a, shown, "properties", p);
    return shown;
}

void answer_resources(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                      const char *type)
{
    struct arena *a = r->arena;
    struct value *items = value_list(a), *v;
    const char *action = arena_printf(a, "%s/read", type), *group = group_of(a, scope);
    size_t at = arm_page_from(r), next = SIZE_MAX;
    bool everything = access_rbac(s, r->principal, scope, action, false),
         statuses = str_eq_nocase(type, "Microsoft.Compute/virtualMachines") &&
                    str_eq_nocase(request_query(r, "statusOnly"), "true");

    if (group && !group_exists(s, request_segment(r, 1), group)) {
        answer_arm_error(a, out, 404, true, "ResourceGroupNotFound", "Resource group '%s' could not be found.", group);
        return;
    }
    /* A caller who may not read the whole scope gets the part he may read. */
    while ((v = resource_next(s, scope, type, &at)) != NULL) {
        if (!everything && !access_rbac(s, r->principal, value_str_at(v, "id"), action, false))
            continue;
        if (value_count(items) == arm_page_size(s)) {
            next = at - 1;
            break;
        }
        value_push(a, items, statuses ? show_status(a, v) : resource_show(s, a, v));
    }
    arm_page_of(s, r, out, items, next);
}
