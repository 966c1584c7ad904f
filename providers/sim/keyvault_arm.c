/* Knows key vaults as resources: creation, settings that only go one way, access policies, soft delete and recovery of
 * the vault. Must not know keys. */
#include "data.h"

#include <ctype.h>
#include <string.h>

static const char vault_type[] = "Microsoft.KeyVault/vaults";
enum { DNS_MS = 25 * SECOND_MS };

/* A new store's name is registered first; then it is ready. */
void keyvault_advance(struct sim *s)
{
    static const char *const types[] = {vault_type, "Microsoft.KeyVault/managedHSMs"};
    struct value *v;

    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t at = 0; (v = resource_next(s, "", types[t], &at)) != NULL;) {
            int64_t ready = time_parse(value_str_at(v, "registeredAt"));

            if (ready == TIME_NONE || ready > s->now_ms)
                continue;
            value_remove(v, "registeredAt");
            value_set_string(s->arena, value_get(v, "properties"), "provisioningState", "Succeeded");
            state_changed(s);
        }
}

/* Deleted managed HSMs stand in the same list. */
static bool is_deleted_vault(const struct value *gone)
{
    return !hsm_is(gone) && !str_eq(value_str_at(gone, "state"), "purged");
}

static size_t find_deleted(struct sim *s, const char *subscription, const char *name)
{
    struct value *all = state_list(s, "deletedVaults");

    for (size_t i = 0; i < value_count(all); i++) {
        const char *id = value_str_at(value_item(all, i), "id"), *slash = id ? strrchr(id, '/') : NULL;

        if (slash && str_eq_nocase(slash + 1, name) && is_deleted_vault(value_item(all, i)) &&
            (!subscription || scope_covers(arena_printf(s->arena, "/subscriptions/%s", subscription), id)))
            return i;
    }
    return SIZE_MAX;
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

enum { POLICIES_MAX = 1024 };

/* Says what is wrong with the wanted properties of a vault, or NULL. */
static const char *refusal(const struct value *old, const struct value *wanted)
{
    const struct value *was = value_get(old, "properties");
    const struct value *purge = value_get(wanted, "enablePurgeProtection"),
                       *soft = value_get(wanted, "enableSoftDelete");
    int64_t days = value_int_at(wanted, "softDeleteRetentionInDays", 90);

    if (value_is(purge, VALUE_BOOL) && !purge->b)
        return "The property \"enablePurgeProtection\" cannot be set to false. Once it is enabled it cannot be undone.";
    if (value_is(soft, VALUE_BOOL) && !soft->b && value_bool_at(was, "enableSoftDelete", false))
        return "The property \"enableSoftDelete\" cannot be set to false once the vault has it.";
    if (days < 7 || days > 90)
        return "The property \"softDeleteRetentionInDays\" must be between 7 and 90.";
    if (was && value_get(wanted, "softDeleteRetentionInDays") &&
        days != value_int_at(was, "softDeleteRetentionInDays", 90))
        return "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.";
    if (value_count(value_get(wanted, "accessPolicies")) > POLICIES_MAX)
        return "A vault holds at most 1024 access policies.";
    return NULL;
}

/* Notes which permissions the new list grants that the old one did not; they act once `delay_ms` has passed. */
static void note_permissions(struct sim *s, const char *id, const struct value *old, const struct value *fresh,
                             int64_t delay_ms)
{
    for (size_t i = 0; i < value_count(fresh); i++) {
        const struct value *entry = value_item(fresh, i), *keys = value_at(entry, "permissions.keys");
        const char *oid = value_str_at(entry, "objectId");

        for (size_t k = 0; k < value_count(keys); k++) {
            const char *permission = value_str(value_item(keys, k));
            bool had = false;

            for (size_t j = 0; j < value_count(old); j++) {
                const struct value *before = value_item(old, j), *held = value_at(before, "permissions.keys");

                for (size_t m = 0; str_eq_nocase(value_str_at(before, "objectId"), oid) && m < value_count(held); m++)
                    had |= str_eq_nocase(value_str(value_item(held, m)), permission);
            }
            if (!had && oid && permission)
                access_policy_added(s, id, oid, permission, delay_ms);
        }
    }
}

static void note_new_permissions(struct sim *s, const char *id, const struct value *old, const struct value *fresh)
{
    note_permissions(s, id, old, fresh, behaviour_ms(s, "policyDelay", 30 * SECOND_MS));
}

static void merge(struct arena *a, struct value *into, const struct value *from)
{
    for (size_t i = 0; value_is(from, VALUE_MAP) && i < from->map.count; i++)
        if (!str_eq(from->map.members[i].key, "vaultUri") && !str_eq(from->map.members[i].key, "createMode"))
            value_set(a, into, from->map.members[i].key, value_copy(a, from->map.members[i].value));
}

static void otherwise(struct arena *a, struct value *map, const char *key, struct value *v)
{
    if (!value_get(map, key))
        value_set(a, map, key, v);
}

static void create(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct arena *a = r->arena;
    const struct value *wanted = value_get(r->json, "properties");
    struct value *v = value_map(a), *p = value_map(a);

    if (!value_str_at(r->json, "location") || !value_get(wanted, "sku") || !value_str_at(wanted, "tenantId")) {
        answer_arm_error(a, out, 400, false, "BadRequest",
                         "A vault needs location, properties.sku and properties.tenantId.");
        return;
    }
    value_set_string(a, v, "id", id);
    value_set_string(a, v, "name", strrchr(id, '/') + 1);
    value_set_string(a, v, "type", vault_type);
    value_set_string(a, v, "location", value_str_at(r->json, "location"));
    value_set(a, v, "tags", value_get(r->json, "tags") ? value_copy(a, value_get(r->json, "tags")) : value_map(a));
    value_set(a, v, "properties", p);
    merge(a, p, wanted);
    otherwise(a, p, "accessPolicies", value_list(a));
    otherwise(a, p, "enableSoftDelete", value_bool(a, true));
    otherwise(a, p, "softDeleteRetentionInDays", value_int(a, 90));
    otherwise(a, p, "enabledForDeployment", value_bool(a, false));
    otherwise(a, p, "publicNetworkAccess", value_string(a, "Enabled"));
    /* Since 2026-02-01 a vault that is made without a word about it checks roles (Microsoft
     * Learn, access control default). */
    if (strcmp(request_query(r, "api-version"), "2026-02-01") >= 0)
        otherwise(a, p, "enableRbacAuthorization", value_bool(a, true));
    value_set_string(a, p, "provisioningState", "RegisteringDns");
    value_set_string(a, v, "registeredAt", time_format(a, s->now_ms + DNS_MS));
    note_new_permissions(s, id, NULL, value_get(p, "accessPolicies"));
    answer_json(a, out, 200, resource_show(s, a, resource_store(s, id, v)));
}

/* Brings a soft-deleted vault back; its role assignments stay lost. */
static void recover(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id, size_t at)
{
    struct value *all = state_list(s, "deletedVaults"), *gone = value_item(all, at),
                 *v = value_copy(r->arena, value_get(gone, "resource"));

    /* A world may describe a deleted vault without more than its properties. */
    if (!v) {
        v = value_copy(r->arena, gone);
        value_set_string(r->arena, v, "name", strrchr(id, '/') + 1);
        value_set_string(r->arena, v, "type", vault_type);
        otherwise(r->arena, v, "properties", value_map(r->arena));
        value_remove(v, "deletionDate");
        value_remove(v, "scheduledPurgeDate");
    }
    if (!str_eq_nocase(value_str_at(gone, "id"), id) || !deleted_lies_in(gone, value_str_at(r->json, "location"))) {
        answer_arm_error(r->arena, out, 409, false, "ConflictError",
                         "The deleted vault '%s' belongs to another group, region or subscription.", id);
        return;
    }
    list_remove(all, at);
    value_set_string(r->arena, v, "registeredAt", time_format(r->arena, s->now_ms + DNS_MS));
    value_set_string(r->arena, value_get(v, "properties"), "provisioningState", "RegisteringDns");
    store_grants_after(s, v);
    note_permissions(s, id, NULL, value_at(v, "properties.accessPolicies"),
                     behaviour_ms(s, "recoveredPolicyDelay", 0));
    answer_json(r->arena, out, 200, resource_show(s, r->arena, resource_store(s, id, v)));
}

static void change(struct sim *s, const struct sim_request *r, struct sim_answer *out, struct value *v)
{
    struct value *p = value_get(v, "properties");
    const struct value *wanted = value_get(r->json, "properties"), *policies = value_get(wanted, "accessPolicies");

    if (policies)
        note_new_permissions(s, value_str_at(v, "id"), value_get(p, "accessPolicies"), policies);
    merge(s->arena, p, wanted);
    if (value_get(r->json, "tags"))
        value_set(s->arena, v, "tags", value_copy(s->arena, value_get(r->json, "tags")));
    state_changed(s);
    answer_json(r->arena, out, 200, resource_show(s, r->arena, v));
}

static bool name_valid(const char *name)
{
    size_t n = strlen(name);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)name[i]) && name[i] != '-')
            return false;
    return n >= 3 && n <= 24 && isalpha((unsigned char)name[0]) && name[n - 1] != '-' && !strstr(name, "--");
}

/* Vault names are unique in the world, also those of deleted ones. */
static bool name_taken(struct sim *s, const char *id)
{
    const char *name = strrchr(id, '/') + 1;
    struct value *v;

    for (size_t at = 0; (v = resource_next(s, "", vault_type, &at)) != NULL;)
        if (str_eq_nocase(value_str_at(v, "name"), name))
            return true;
    return find_deleted(s, NULL, name) != SIZE_MAX;
}

static void put_vault(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct arena *a = r->arena;
    struct value *old = resource_find(s, id);
    const struct value *wanted = value_get(r->json, "properties");
    const char *problem = refusal(old, wanted), *mode = value_str_at(wanted, "createMode");
    size_t deleted = find_deleted(s, request_segment(r, 1), strrchr(id, '/') + 1);

    if (!require_rbac(s, r, out, id, "Microsoft.KeyVault/vaults/write"))
        return;
    if (!group_exists(s, request_segment(r, 1), request_segment(r, 3)))
        arm_not_found(s, r, out, id);
    else if (!r->json)
        answer_arm_error(a, out, 400, true, "InvalidRequestContent", "The request's body is no JSON.");
    else if (old && str_eq_nocase(mode, "recover"))
        answer_arm_error(a, out, 409, false, "ConflictError", "The vault '%s' is not deleted.", id);
    else if (str_eq_nocase(mode, "recover") && deleted == SIZE_MAX)
        answer_arm_error(a, out, 404, false, "DeletedVaultNotFound", "There is no deleted vault of the name '%s'.",
                         strrchr(id, '/') + 1);
    else if (str_eq_nocase(mode, "recover"))
        recover(s, r, out, id, deleted);
    else if (problem)
        answer_arm_error(a, out, 400, false, "BadRequest", "%s", problem);
    else if (old)
        change(s, r, out, old);
    else if (!name_valid(strrchr(id, '/') + 1))
        answer_arm_error(a, out, 400, false, "VaultNameNotValid",
                         "The vault name '%s' is invalid. A vault's name must be between 3-24 alphanumeric characters. "
                         "The name must begin with a letter, end with a letter or digit, and not contain consecutive "
                         "hyphens.",
                         strrchr(id, '/') + 1);
    else if (name_taken(s, id))
        answer_arm_error(a, out, 409, false, "VaultAlreadyExists", "The vault name '%s' is already in use.",
                         strrchr(id, '/') + 1);
    else
        create(s, r, out, id);
}

static void patch_vault(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct value *old = resource_find(s, id);
    const char *problem = refusal(old, value_get(r->json, "properties"));

    if (!require_rbac(s, r, out, id, "Microsoft.KeyVault/vaults/write"))
        return;
    if (!old)
        arm_not_found(s, r, out, id);
    else if (problem)
        answer_arm_error(r->arena, out, 400, false, "BadRequest", "%s", problem);
    else
        change(s, r, out, old);
}

static void delete_vault(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct arena *a = r->arena;
    struct value *v = resource_find(s, id), *gone = value_map(a);
    int64_t days = value_int_at(v, "properties.softDeleteRetentionInDays", 90);

    if (!require_rbac(s, r, out, id, "Microsoft.KeyVault/vaults/delete"))
        return;
    if (!v) {
        answer_empty(out, 204);
        return;
    }
    value_set_string(a, gone, "id", id);
    value_set_string(a, gone, "location", value_str_at(v, "location"));
    value_set_string(a, gone, "deletionDate", time_format(a, s->now_ms));
    value_set_string(a, gone, "scheduledPurgeDate", time_format(a, s->now_ms + days * DAY_MS));
    value_set(a, gone, "resource", value_copy(a, v));
    state_push(s, "deletedVaults", gone);
    resource_remove(s, id);
    answer_empty(out, 200);
}

/* --- access policies ---------------------------------------------------------------------------------------------- */

static bool list_holds(const struct value *list, const char *word)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str(value_item(list, i)), word))
            return true;
    return false;
}

/* One kind of permissions ("keys") of an entry: add joins, replace sets, remove takes away. */
static void change_permissions(struct sim *s, struct value *permissions, const char *kind, const struct value *given,
                               const char *how)
{
    struct value *held = value_get(permissions, kind);

    if (!value_is(held, VALUE_LIST) || str_eq_nocase(how, "replace"))
        held = value_set(s->arena, permissions, kind, value_list(s->arena));
    for (size_t i = 0; i < value_count(given); i++) {
        const char *word = value_str(value_item(given, i));

        if (!str_eq_nocase(how, "remove") && !list_holds(held, word))
            value_push(s->arena, held, value_string(s->arena, word));
        for (size_t k = value_count(held); str_eq_nocase(how, "remove") && k-- > 0;)
            if (str_eq_nocase(value_str(value_item(held, k)), word))
                list_remove(held, k);
    }
}

/* Object, application and tenant together make an entry. */
static bool same_entry(const struct value *entry, const struct value *given)
{
    const char *application = value_str_at(entry, "applicationId"), *tenant = value_str_at(entry, "tenantId");

    return str_eq_nocase(value_str_at(entry, "objectId"), value_str_at(given, "objectId")) &&
           str_eq_nocase(application ? application : "", value_str_at(given, "applicationId") ?: "") &&
           (!tenant || str_eq_nocase(tenant, value_str_at(given, "tenantId")));
}

static void change_policy(struct sim *s, struct value *policies, const struct value *given, const char *how)
{
    static const char *const kinds[] = {"keys", "secrets", "certificates", "storage"};
    const char *oid = value_str_at(given, "objectId");
    struct value *entry = NULL, *permissions;

    for (size_t i = 0; i < value_count(policies); i++)
        if (same_entry(value_item(policies, i), given))
            entry = value_item(policies, i);
    if (!entry && str_eq_nocase(how, "remove"))
        return;
    if (!entry) {
        entry = value_map(s->arena);
        value_set_string(s->arena, entry, "tenantId", value_str_at(given, "tenantId"));
        value_set_string(s->arena, entry, "objectId", oid);
        value_set_string(s->arena, entry, "applicationId", value_str_at(given, "applicationId"));
        value_set(s->arena, entry, "permissions", value_map(s->arena));
        value_push(s->arena, policies, entry);
    }
    permissions = value_get(entry, "permissions");
    for (size_t i = 0; i < COUNT(kinds); i++)
        if (value_get(value_get(given, "permissions"), kinds[i]))
            change_permissions(s, permissions, kinds[i], value_get(value_get(given, "permissions"), kinds[i]), how);
}

static void put_policies(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id,
                         const char *how)
{
    struct arena *a = r->arena;
    struct value *v = resource_find(s, id), *policies = value_at(v, "properties.accessPolicies"), *before, *body;
    const struct value *given = value_at(r->json, "properties.accessPolicies");

    if (!require_rbac(s, r, out, id, "Microsoft.KeyVault/vaults/accessPolicies/write"))
        return;
    if (!v) {
        arm_not_found(s, r, out, id);
        return;
    }
    if (!value_count(given) || !policies ||
        (!str_eq_nocase(how, "add") && !str_eq_nocase(how, "replace") && !str_eq_nocase(how, "remove"))) {
        answer_arm_error(a, out, 400, false, "BadRequest",
                         "The access policies to change are missing or the operation is not add, replace or remove.");
        return;
    }
    for (size_t i = 0; i < value_count(given); i++)
        if (!value_str_at(value_item(given, i), "objectId") ||
            !str_eq_nocase(value_str_at(value_item(given, i), "tenantId"), value_str_at(v, "properties.tenantId"))) {
            answer_arm_error(a, out, 400, false, "BadRequest",
                             "An access policy needs an objectId and the tenantId of its vault.");
            return;
        }
    before = value_copy(a, policies);
    for (size_t i = 0; i < value_count(given); i++)
        change_policy(s, policies, value_item(given, i), how);
    if (value_count(policies) > POLICIES_MAX && value_count(policies) > value_count(before)) {
        value_set(s->arena, value_get(v, "properties"), "accessPolicies", value_copy(s->arena, before));
        answer_arm_error(a, out, 400, false, "BadRequest", "A vault holds at most %d access policies.", POLICIES_MAX);
        return;
    }
    note_new_permissions(s, id, before, policies);
    state_changed(s);
    body = value_map(a);
    value_set_string(a, body, "id", arena_printf(a, "%s/accessPolicies/", id));
    value_set_string(a, body, "type", "Microsoft.KeyVault/vaults/accessPolicies");
    value_set(a, value_set(a, body, "properties", value_map(a)), "accessPolicies", value_copy(a, policies));
    answer_json(a, out, 200, body);
}

/* --- deleted vaults ----------------------------------------------------------------------------------------------- */

static struct value *show_deleted(struct arena *a, const struct value *gone)
{
    const char *id = value_str_at(gone, "id"), *name = strrchr(id, '/') + 1, *location = value_str_at(gone, "location");
    struct value *v = value_map(a), *p = value_map(a);
    const char *behind = id + strlen("/subscriptions/");
    const struct value *tags = value_at(gone, "resource.tags");

    value_set_string(a, v, "id",
                     arena_printf(a, "/subscriptions/%.*s/providers/Microsoft.KeyVault/locations/%s/deletedVaults/%s",
                                  (int)strcspn(behind, "/"), behind, location ? location : "", name));
    value_set_string(a, v, "name", name);
    value_set_string(a, v, "type", "Microsoft.KeyVault/deletedVaults");
    value_set(a, v, "properties", p);
    value_set_string(a, p, "vaultId", id);
    value_set_string(a, p, "location", location);
    value_set(a, p, "tags", tags ? value_copy(a, tags) : value_map(a));
    if (value_bool_at(gone, "resource.properties.enablePurgeProtection",
                      value_bool_at(gone, "properties.enablePurgeProtection", false)))
        value_set_bool(a, p, "purgeProtectionEnabled", true);
    value_set_string(a, p, "deletionDate", value_str_at(gone, "deletionDate"));
    value_set_string(a, p, "scheduledPurgeDate", value_str_at(gone, "scheduledPurgeDate"));
    return v;
}

static void answer_deleted(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *name)
{
    struct arena *a = r->arena;
    struct value *all = state_list(s, "deletedVaults"), *items = value_list(a);
    const char *scope = request_path(r, 2);
    size_t at = name ? find_deleted(s, request_segment(r, 1), name) : SIZE_MAX;

    if (!require_rbac(s, r, out, scope,
                      name ? "Microsoft.KeyVault/locations/deletedVaults/read"
                           : "Microsoft.KeyVault/deletedVaults/read"))
        return;
    if (name && (at == SIZE_MAX || !deleted_lies_in(value_item(all, at), request_segment(r, arm_provider_at(r) + 3)))) {
        answer_arm_error(a, out, 404, false, "DeletedVaultNotFound", "There is no deleted vault of the name '%s'.",
                         name);
        return;
    }
    if (name) {
        answer_json(a, out, 200, show_deleted(a, value_item(all, at)));
        return;
    }
    for (size_t i = 0; i < value_count(all); i++)
        if (scope_covers(scope, value_str_at(value_item(all, i), "id")) && is_deleted_vault(value_item(all, i)))
            value_push(a, items, show_deleted(a, value_item(all, i)));
    arm_page(s, r, out, items);
}

void arm_keyvault_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *what = request_segment(r, at + 2), *id = request_path(r, at + 4);
    bool get = request_is(r, "GET"), vaults = str_eq_nocase(what, "vaults");

    if (hsm_arm_answer(s, r, out))
        return;
    if (get && str_eq_nocase(what, "deletedVaults") && behind == 3)
        answer_deleted(s, r, out, NULL);
    else if (get && str_eq_nocase(request_segment(r, at + 4), "deletedVaults") && behind == 6)
        answer_deleted(s, r, out, request_segment(r, at + 5));
    else if (get && vaults && behind == 3)
        answer_resources(s, r, out, request_path(r, at), vault_type);
    else if (get && vaults && behind == 4)
        answer_resource(s, r, out, id);
    else if (vaults && behind == 4 && request_is(r, "PUT"))
        put_vault(s, r, out, id);
    else if (vaults && behind == 4 && request_is(r, "PATCH"))
        patch_vault(s, r, out, id);
    else if (vaults && behind == 4 && request_is(r, "DELETE"))
        delete_vault(s, r, out, id);
    else if (vaults && behind == 6 && request_is(r, "PUT") &&
             str_eq_nocase(request_segment(r, at + 4), "accessPolicies"))
        put_policies(s, r, out, id, request_segment(r, at + 5));
    else
        arm_bad_path(r, out);
}
