/* Knows the World document: what a reader may leave out, which facts contradict each other, how the state goes back
 * into a document that continues where it stopped. Must not know requests. */
#include "data.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"

static const char name_space[] = "3a2f0b59-0d0c-5a39-8f3c-54a6f1f2c9d7";

/* --- addresses: a world holds no host of ours --------------------------------------------------------------------- */

struct address { const char *token, *azure, *ours; };

static void addresses(const struct sim *s, struct address ret[5])
{
    ret[0] = (struct address){"{arm}", "https://management.azure.com", s->ep.arm};
    ret[1] = (struct address){"{vault}", ".vault.azure.net", s->ep.vault_suffix};
    ret[2] = (struct address){"{hsm}", ".managedhsm.azure.net", s->ep.hsm_suffix};
    ret[3] = (struct address){"{blob}", ".blob.core.windows.net", s->ep.blob_suffix};
    ret[4] = (struct address){"{graph}", "https://graph.microsoft.com", s->ep.graph};
}

static const char *replaced(struct arena *a, const char *s, const char *from, const char *to)
{
    const char *at = str_find_nocase(s, from);

    return at ? arena_printf(a, "%.*s%s%s", (int)(at - s), s, to, at + strlen(from)) : s;
}

/* Only strings that are addresses as a whole are touched. */
static const char *address_in(struct sim *s, struct arena *a, const char *text)
{
    struct address all[5];
    const char *before = text;

    if (!str_starts_nocase(text, "https://") && text[0] != '{')
        return text;
    addresses(s, all);
    for (size_t i = 0; i < COUNT(all); i++) {
        text = replaced(a, text, all[i].token, all[i].ours);
        if (text == before)
            text = replaced(a, text, all[i].azure, all[i].ours);
        if (text != before)
            break;
    }
    return text;
}

static const char *address_out(struct sim *s, struct arena *a, const char *text)
{
    struct address all[5];

    if (!str_starts_nocase(text, "https://"))
        return text;
    addresses(s, all);
    for (size_t i = 0; i < COUNT(all); i++) {
        const char *with = replaced(a, text, all[i].ours, all[i].token);

        if (with != text)
            return with;
    }
    return text;
}

void world_readdress(struct sim *s, struct arena *a, struct value *v, bool in)
{
    if (value_is(v, VALUE_STRING) && v->str.len < 16384 && strlen(v->str.s) == v->str.len) {
        const char *text = in ? address_in(s, a, v->str.s) : address_out(s, a, v->str.s);

        if (text != v->str.s) {
            v->str.s = arena_strdup(a, text);
            v->str.len = strlen(text);
        }
    }
    for (size_t i = 0; i < value_count(v); i++)
        world_readdress(s, a, v->type == VALUE_LIST ? v->list.items[i] : v->map.members[i].value, in);
}

/* --- defaults ----------------------------------------------------------------------------------------------------- */

static struct value *member_map(struct arena *a, struct value *map, const char *key)
{
    struct value *v = value_get(map, key);

    return value_is(v, VALUE_MAP) ? v : value_set(a, map, key, value_map(a));
}

static void default_string(struct arena *a, struct value *map, const char *key, const char *s)
{
    if (!value_get(map, key))
        value_set_string(a, map, key, s);
}

static char *stable_guid(struct arena *a, struct sim *s, const char *what, const char *id)
{
    char guid[UUID_TEXT], *name = arena_printf(a, "%llu|%s|%s", (unsigned long long)s->seed, what, str_lower(a, id));

    crypt_uuid5(name_space, name, guid);
    return arena_strdup(a, guid);
}

static void complete_vault(struct sim *s, struct value *v)
{
    struct arena *a = s->arena;
    struct value *p = member_map(a, v, "properties");

    default_string(a, p, "tenantId", value_str_at(s->spec, "tenant"));
    if (!value_get(p, "sku")) {
        struct value *sku = value_set(a, p, "sku", value_map(a));

        value_set_string(a, sku, "family", "A");
        value_set_string(a, sku, "name", "premium");
    }
    if (!value_get(p, "accessPolicies"))
        value_set(a, p, "accessPolicies", value_list(a));
    if (!value_get(p, "enableSoftDelete"))
        value_set_bool(a, p, "enableSoftDelete", true);
    if (!value_get(p, "softDeleteRetentionInDays"))
        value_set_int(a, p, "softDeleteRetentionInDays", 90);
    default_string(a, p, "publicNetworkAccess", "Enabled");
}

static const char *store_suffix(struct sim *s, const char *store)
{
    return store_is_hsm(s, store) ? s->ep.hsm_suffix : s->ep.vault_suffix;
}

/* A set's key may be written as {store, name, version} or "store/name/version": no host of ours
 * belongs into a world. */
static void complete_set_key(struct sim *s, struct value *at)
{
    struct arena *a = s->arena;
    const struct value *key = value_get(at, "key");
    const char *url = value_str_at(at, "keyUrl"), *slash = url ? strchr(url, '/') : NULL;

    if (key) {
        const char *store = value_str_at(key, "store");

        value_set_string(a, at, "keyUrl",
                         arena_printf(a, "https://%s%s/keys/%s/%s", store ?: "", store_suffix(s, store),
                                      value_str_at(key, "name") ?: "", value_str_at(key, "version") ?: ""));
        value_remove(at, "key");
    } else if (slash && !str_starts_nocase(url, "https://")) {
        const char *store = arena_strndup(a, url, (size_t)(slash - url));

        value_set_string(a, at, "keyUrl",
                         arena_printf(a, "https://%s%s/keys/%s", store, store_suffix(s, store), slash + 1));
    }
}

static void complete_des(struct sim *s, struct value *v)
{
    struct arena *a = s->arena;
    struct value *identity = value_get(v, "identity"), *previous = value_at(v, "properties.previousKeys");
    const char *type = value_str_at(identity, "type");

    complete_set_key(s, value_at(v, "properties.activeKey"));
    compute_show_assigned(s, s->arena, identity);
    for (size_t i = 0; i < value_count(previous); i++)
        complete_set_key(s, value_item(previous, i));
    if (type && str_find_nocase(type, "SystemAssigned") &&
        str_eq(value_str_at(v, "properties.provisioningState"), "Succeeded")) {
        default_string(a, identity, "principalId", stable_guid(a, s, "identity", value_str_at(v, "id")));
        default_string(a, identity, "tenantId", value_str_at(s->spec, "tenant"));
    }
}

static struct value *status_of(struct sim *s, const char *code, const char *display)
{
    struct value *status = value_map(s->arena);

    value_set_string(s->arena, status, "code", code);
    value_set_string(s->arena, status, "level", "Info");
    value_set_string(s->arena, status, "displayStatus", display);
    return status;
}

struct value *vm_statuses(struct sim *s, const char *power)
{
    struct value *statuses = value_list(s->arena),
                 *done = status_of(s, "ProvisioningState/succeeded", "Provisioning succeeded");

    value_set_string(s->arena, done, "time", time_format(s->arena, s->now_ms));
    value_push(s->arena, statuses, done);
    value_push(s->arena, statuses,
               status_of(s, arena_printf(s->arena, "PowerState/%s", power), arena_printf(s->arena, "VM %s", power)));
    return statuses;
}

/* What the service counts from the making of a thing that the world begins with. */
static void complete_birth(struct sim *s, struct value *p)
{
    default_string(s->arena, p, "timeCreated", time_format(s->arena, s->now_ms - 30 * DAY_MS));
}

static void complete_vm(struct sim *s, struct value *v)
{
    struct arena *a = s->arena;
    struct value *p = member_map(a, v, "properties"), *state = value_get(v, "powerState");

    default_string(a, p, "vmId", stable_guid(a, s, "vm", value_str_at(v, "id")));
    complete_birth(s, p);
    if (!value_at(p, "instanceView.statuses"))
        value_set(a, member_map(a, p, "instanceView"), "statuses",
                  vm_statuses(s, value_str(state) ? value_str(state) : "running"));
    value_remove(v, "powerState");
}

/* A managed identity that the resources carry, or are, is in the directory too. */
static void register_identity(struct sim *s, const struct value *v)
{
    bool itself = str_eq_nocase(value_str_at(v, "type"), "Microsoft.ManagedIdentity/userAssignedIdentities");
    const char *oid = value_str_at(v, itself ? "properties.principalId" : "identity.principalId");
    const char *application = itself ? value_str_at(v, "properties.clientId") : NULL;
    struct value *p;

    if (!oid || principal_find(s, oid))
        return;
    p = value_map(s->arena);
    value_set_string(s->arena, p, "name", value_str_at(v, "name"));
    value_set_string(s->arena, p, "objectId", oid);
    value_set_string(s->arena, p, "appId", application ? application : stable_guid(s->arena, s, "application", oid));
    value_set_string(s->arena, p, "type", "ManagedIdentity");
    value_set_string(s->arena, p, "resource", value_str_at(v, "id"));
    state_push(s, "identities", p);
}

static void complete_resource(struct sim *s, struct value *v)
{
    struct arena *a = s->arena;
    const char *id = value_str_at(v, "id"), *type = resource_type(a, id), *slash = strrchr(id, '/');

    default_string(a, v, "name", slash ? slash + 1 : id);
    default_string(a, v, "type", type);
    default_string(a, member_map(a, v, "properties"), "provisioningState", "Succeeded");
    if (str_eq_nocase(type, "Microsoft.KeyVault/vaults"))
        complete_vault(s, v);
    if (hsm_is(v))
        hsm_complete(s, v);
    if (str_eq_nocase(type, "Microsoft.Compute/diskEncryptionSets"))
        complete_des(s, v);
    if (str_eq_nocase(type, "Microsoft.Compute/virtualMachines"))
        complete_vm(s, v);
    if (str_eq_nocase(type, "Microsoft.Compute/disks")) {
        complete_birth(s, value_get(v, "properties"));
        default_string(a, value_get(v, "properties"), "uniqueId", stable_guid(a, s, "disk", id));
        default_string(a, member_map(a, value_get(v, "properties"), "creationData"), "createOption", "FromImage");
    }
    register_identity(s, v);
}

/* What was granted before the world begins acts at once: it is given a date long past. */
static void complete_assignments(struct sim *s)
{
    struct value *all = state_list(s, "roleAssignments");

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *v = value_item(all, i);
        const char *principal = value_str_at(v, "principal"), *role = value_str_at(v, "role"),
                   *scope = value_str_at(v, "scope");

        default_string(s->arena, v, "created", time_format(s->arena, s->now_ms - 30 * DAY_MS));
        if (principal && role && scope)
            default_string(
                s->arena, v, "name",
                stable_guid(s->arena, s, "assignment", arena_printf(s->arena, "%s|%s|%s", principal, role, scope)));
    }
}

/* --- contradictions ----------------------------------------------------------------------------------------------- */

static void fault(struct diags *d, const struct value *v, const char *instead, const char *what, const char *which)
{
    diags_add(d, SEVERITY_ERROR, v ? value_origin(v) : NULL, instead, "%s: %s", which ? which : "world", what);
}

static void check_resources(struct sim *s, struct diags *d)
{
    struct value *all = state_list(s, "resources");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *id = value_str_at(v, "id"), *inside = id ? str_find_nocase(id, "/providers/") : NULL;

        if (!id || !str_starts_nocase(id, "/subscriptions/")) {
            fault(d, v, "/subscriptions/…/resourceGroups/…", "a resource needs an ARM id", id);
            continue;
        }
        if (resource_find(s, id) != v)
            fault(d, v, NULL, "this resource is given twice", id);
        if (inside && str_find_nocase(id, "/resourceGroups/") &&
            !resource_find(s, arena_strndup(s->arena, id, (size_t)(inside - id))))
            fault(d, v, "add the resource group to the world", "the resource's group is not in the world", id);
    }
}

/* Is there a vault or managed HSM of this name, alive or deleted? */
static bool store_known(struct sim *s, const char *name)
{
    static const char *const types[] = {"Microsoft.KeyVault/vaults", "Microsoft.KeyVault/managedHSMs"};
    struct value *deleted = state_list(s, "deletedVaults"), *v;

    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t at = 0; (v = resource_next(s, "", types[t], &at)) != NULL;)
            if (str_eq_nocase(value_str_at(v, "name"), name))
                return true;
    for (size_t i = 0; i < value_count(deleted); i++) {
        const char *id = value_str_at(value_item(deleted, i), "id"), *slash = id ? strrchr(id, '/') : NULL;

        if (slash && str_eq_nocase(slash + 1, name))
            return true;
    }
    return false;
}

static void check_keys(struct sim *s, struct diags *d)
{
    struct value *all = state_list(s, "keys");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *store = value_str_at(v, "store"), *name = value_str_at(v, "name");

        if (!store || !name || !store_known(s, store)) {
            fault(d, v, "add the vault to the world's resources", "the key's store is not in the world", name);
            continue;
        }
        if (!value_count(value_get(v, "versions")))
            fault(d, v, NULL, "a key has at least one version", name);
        for (size_t k = 0; k < i; k++)
            if (str_eq_nocase(value_str_at(value_item(all, k), "store"), store) &&
                str_eq_nocase(value_str_at(value_item(all, k), "name"), name) &&
                !str_eq(value_str_at(value_item(all, k), "state"), "purged") &&
                !str_eq(value_str_at(v, "state"), "purged"))
                fault(d, v, NULL, "this key is given twice", name);
    }
}

/* A world knows every key that its backups were wrapped with, even purged ones: the backup keeps a copy. */
static bool key_known(struct sim *s, const char *store, const char *name)
{
    struct value *all = state_list(s, "keys");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "store"), store) &&
            str_eq_nocase(value_str_at(value_item(all, i), "name"), name))
            return true;
    return false;
}

static void check_backups(struct sim *s, struct diags *d)
{
    struct value *all = state_list(s, "backups");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i), *key = value_at(v, "wrappedWith.key");

        if (!resource_find(s, value_str_at(v, "vault")))
            fault(d, v, "add the Recovery Services vault to the world's resources",
                  "the backup's vault is not in the world", value_str_at(v, "vault"));
        if (key && !key_known(s, value_str_at(key, "store"), value_str_at(key, "name")))
            fault(d, v, "add the key, state: purged if it is gone", "the backup's key is not in the world",
                  value_str_at(key, "name"));
    }
}

static void check_sets(struct sim *s, struct diags *d)
{
    struct value *v;

    for (size_t at = 0; (v = resource_next(s, "", "Microsoft.Compute/diskEncryptionSets", &at)) != NULL;) {
        const char *url = value_str_at(v, "properties.activeKey.keyUrl"), *host = url ? url + strlen("https://") : NULL;

        if (!url || !str_starts_nocase(url, "https://") ||
            !store_known(s, arena_strndup(s->arena, host, strcspn(host, "./"))))
            fault(d, v, "add the vault to the world", "the disk encryption set's vault is not in the world",
                  value_str_at(v, "id"));
    }
}

static void check_access(struct sim *s, struct diags *d)
{
    struct value *all = state_list(s, "roleAssignments"), *people = state_list(s, "principals");

    for (size_t i = 0; i < value_count(people); i++) {
        const char *oid = value_str_at(value_item(people, i), "objectId");

        if (!oid || principal_find(s, oid) != value_item(people, i))
            fault(d, value_item(people, i), NULL, "a principal needs an objectId of its own", oid);
    }
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *principal = value_str_at(v, "principal"), *role = value_str_at(v, "role");

        if (!role_known(s, role))
            fault(d, v, "the name or GUID of a built-in role, or of one of roleDefinitions", "no such role is known",
                  role);
        /* An object id whose principal is gone is an orphan, as it exists in Azure. */
        if (!principal_find(s, principal) && (!principal || strlen(principal) != UUID_TEXT - 1))
            fault(d, v, "a name of spec.principals or an object id", "no such principal", principal);
    }
}

/* Local assignments of managed HSMs: the name is made when it is left out. */
static void check_hsm_access(struct sim *s, struct diags *d)
{
    struct value *all = state_list(s, "hsmRoleAssignments");

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *v = value_item(all, i);
        const char *store = value_str_at(v, "store"), *role = value_str_at(v, "role"),
                   *scope = value_str_at(v, "scope");
        const char *principal = value_str_at(v, "principal");

        if (!store_is_hsm(s, store))
            fault(d, v, "add the managed HSM to the world's resources",
                  "the assignment's managed HSM is not in the world", store);
        if (!hsm_role_known(s, store, role))
            fault(d, v, "a built-in role of managed HSMs, or one of hsmRoleDefinitions", "no such role is known", role);
        if (!principal_find(s, principal) && (!principal || strlen(principal) != UUID_TEXT - 1))
            fault(d, v, "a name of spec.principals or an object id", "no such principal", principal);
        default_string(s->arena, v, "name",
                       stable_guid(s->arena, s, "local assignment",
                                   arena_printf(s->arena, "%s|%s|%s|%s", store, principal, role, scope)));
    }
}

void world_complete(struct sim *s, struct diags *diags)
{
    struct value *resources;

    if (!value_is(s->spec, VALUE_MAP)) {
        fault(diags, s->spec, NULL, "a World needs a spec", NULL);
        return;
    }
    s->now_ms = time_parse(value_str_at(s->spec, "now"));
    s->seed = (uint64_t)value_int_at(s->spec, "seed", 1);
    if (s->now_ms == TIME_NONE)
        fault(diags, s->spec, "2026-11-23T03:00:00Z", "now must be a time", NULL);
    world_readdress(s, s->arena, s->spec, true);
    resources = state_list(s, "resources");
    check_resources(s, diags);
    if (diags->n_errors)
        return;
    /* Names and types first: a set asks what kind of store its key is in. */
    for (size_t i = 0; i < value_count(resources); i++) {
        const char *id = value_str_at(value_item(resources, i), "id");

        default_string(s->arena, value_item(resources, i), "name", world_id_name(id));
        default_string(s->arena, value_item(resources, i), "type", resource_type(s->arena, id));
    }
    found_forget(s);
    for (size_t i = 0; i < value_count(resources); i++)
        complete_resource(s, value_item(resources, i));
    roles_read(s);
    complete_assignments(s);
    check_keys(s, diags);
    check_backups(s, diags);
    check_sets(s, diags);
    check_access(s, diags);
    check_hsm_access(s, diags);
    stores_advance(s);
    s->dirty = false;
}
