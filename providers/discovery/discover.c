/* Knows where to look for what belongs to a protected VM: its recovery points tell what it is, the VM or whoever uses
 * it names the disk encryption set, the set names the key, the key's address names the store. Reads only. Must not know
 * what a document looks like (documents.c). What is denied is told as a note, never taken for absent. */
#include "looking.h"
#include "../azure/defaults.h"
#include "discover.h"

#include "../azure/key_id.h"
#include "../azure/resource_graph.h"
#include "../azure/vault.h"
#include "found.h"
#include "../access/grant.h"
#include "../access/set_identity.h"

/* --- disk encryption sets ----------------------------------------------------------------------------------------- */

/* What Azure Backup and the portal call the things they make for a VM. */
static bool made_for(struct arena *a, const char *user, const char *vm_id)
{
    const char *name = arm_id_name(vm_id), *points = arm_id_part(a, user, "restorePointCollections");

    if (str_starts_nocase(points, arena_printf(a, "AzureBackup_%s_", name)))
        return true;
    return arm_id_part(a, user, "disks") &&
           str_eq_nocase(arm_id_part(a, user, "resourceGroups"), arm_id_part(a, vm_id, "resourceGroups")) &&
           (str_starts_nocase(arm_id_name(user), arena_printf(a, "%s_OsDisk", name)) ||
            str_starts_nocase(arm_id_name(user), arena_printf(a, "%s_disk1", name)));
}

/* The confidential sets of a subscription that can be read. */
static int look_candidates(struct call *c, const struct looking *l, const char *subscription, struct value **ret,
                           struct err *err)
{
    const char *quoted = resource_graph_quote(l->a, subscription);

    if (!quoted)
        return err_set(err, ERR_INVALID, "\"%.60s\" is no subscription", subscription ? subscription : "");
    return resource_graph_query(
        l->az, c, l->a,
        arena_printf(l->a,
                     "Resources | where type =~ 'microsoft.compute/diskencryptionsets' and subscriptionId =~ %s and "
                     "properties.encryptionType =~ 'ConfidentialVmEncryptedWithCustomerKey' | project id, name",
                     quoted),
        ret, err);
}

/* A VM that is gone has left disks or snapshots behind, which still name their set. */
static int look_users(struct call *c, const struct looking *l, struct value *machine, const struct value *candidates,
                      struct err *err)
{
    const char *vm_id = value_str_at(machine, "id"), *match = NULL, *by = NULL;
    size_t matches = 0;

    for (size_t i = 0; i < value_count(candidates); i++) {
        const char *set = value_str_at(value_item(candidates, i), "id");
        struct value *users;

        if (arm_list(l->az, c, l->a, arena_printf(l->a, "%s/associatedResources", set), API_DISK, &users, err) <
            0) {
            if (err->class == ERR_CANCELLED)
                return -(int)err->class;
            continue;
        }
        for (size_t k = 0; k < value_count(users); k++)
            if (made_for(l->a, value_str(value_item(users, k)), vm_id)) {
                matches += !arm_id_equal(match, set);
                match = set;
                by = value_str(value_item(users, k));
            }
    }
    if (matches == 1) {
        value_set_string(l->a, machine, "des", match);
        found_note(l->a, l->found, value_str_at(machine, "name"),
                   "the VM is gone; its disk encryption set is told by %s, which uses it", by);
    }
    return 0;
}

static int look_lost_sets(struct call *c, const struct looking *l, struct err *err)
{
    const struct value *machines = value_get(l->found, "machines");
    struct value *by_subscription = value_map(l->a), *candidates;

    for (size_t i = 0; i < value_count(machines); i++) {
        struct value *m = value_item(machines, i);
        const char *subscription = arm_id_part(l->a, value_str_at(m, "id"), "subscriptions");

        if (value_str_at(m, "des") || str_eq(value_str_at(m, "encryption"), "platform-key") ||
            str_eq(value_str_at(m, "state"), "present"))
            continue;
        candidates = value_get(by_subscription, subscription);
        if (!candidates) {
            if (look_candidates(c, l, subscription, &candidates, err) < 0) {
                if (err->class == ERR_CANCELLED)
                    return -(int)err->class;
                found_note(l->a, l->found, NULL, "the disk encryption sets of subscription %s cannot be listed: %s",
                           subscription, err->text);
                candidates = value_list(l->a);
            }
            value_set(l->a, by_subscription, subscription, candidates);
        }
        TRY(look_users(c, l, m, candidates, err));
    }
    return 0;
}

static int look_sets(struct call *c, const struct looking *l, struct err *err)
{
    const struct value *machines = value_get(l->found, "machines");
    struct value *sets = value_get(l->found, "sets"), *live;

    for (size_t i = 0; i < value_count(machines); i++) {
        const char *id = value_str_at(value_item(machines, i), "des");
        struct value *set;

        if (!id || looking_found_by(sets, "id", id))
            continue;
        set = value_map(l->a);
        value_set_string(l->a, set, "id", id);
        value_push(l->a, sets, set);
        if (arm_get(l->az, c, l->a, id, API_DISK, &live, err) < 0) {
            TRY(looking_failed(l, set, "reading the disk encryption set", err));
            continue;
        }
        value_set_string(l->a, set, "state", "present");
        value_set(l->a, set, "live", live);
        value_set_string(l->a, set, "key", key_url_plain(l->a, value_str_at(live, "properties.activeKey.keyUrl")));
    }
    return 0;
}

/* --- stores and keys ---------------------------------------------------------------------------------------------- */

struct store_type {
    const char *type, *deleted, *deleted_id;
};
static const struct store_type store_types[] = {
    [STORE_VAULT] = {"Microsoft.KeyVault/vaults", "deletedVaults", "properties.vaultId"},
    [STORE_HSM] = {"Microsoft.KeyVault/managedHSMs", "deletedManagedHSMs", "properties.mhsmId"},
};

/* In whatever subscription or resource group: the name is unique in the world. */
static int store_by_name(struct call *c, const struct looking *l, const struct store_type *type, const char *name,
                         const char **ret, struct err *err)
{
    const char *quoted = resource_graph_quote(l->a, name);
    struct value *rows;

    *ret = NULL;
    if (!quoted)
        return 0;
    TRY(resource_graph_query(l->az, c, l->a,
                             arena_printf(l->a, "Resources | where type =~ '%s' and name =~ %s | project id",
                                          str_lower(l->a, type->type), quoted),
                             &rows, err));
    *ret = value_count(rows) == 1 ? value_str_at(value_item(rows, 0), "id") : NULL;
    return 0;
}

/* A vault lies in the region of the set, where it is asked for by its name; an HSM may be at home in another one, so
 * all are listed. */
static int deleted_read(struct call *c, const struct looking *l, const struct store_type *type,
                        const struct value *store, const struct value *set, struct value **ret, struct err *err)
{
    const char *location = value_str_at(set, "live.location"), *name = value_str_at(store, "name");
    const char *id = value_str_at(store, "id");
    const char *subscription = arm_id_part(l->a, id ? id : value_str_at(set, "id"), "subscriptions");
    const char *provider = arena_printf(l->a, "/subscriptions/%s/providers/Microsoft.KeyVault", subscription);
    struct value *all;

    if (type == &store_types[STORE_VAULT])
        return arm_get(l->az, c, l->a,
                       arena_printf(l->a, "%s/locations/%s/%s/%s", provider, location, type->deleted, name),
                       API_KEYVAULT, ret, err);
    TRY(arm_list(l->az, c, l->a, arena_printf(l->a, "%s/%s", provider, type->deleted), API_KEYVAULT, &all, err));
    *ret = looking_found_by(all, "name", name);
    return *ret ? 0 : err_set(err, ERR_NOT_FOUND, "no deleted store %s", name);
}

/* If the deleted stores may not be listed, the store's state stays as it was: it must not be called gone for good. */
static int store_among_deleted(struct call *c, const struct looking *l, const struct store_type *type,
                               struct value *store, const struct value *set, struct err *err)
{
    struct value *deleted;

    if (!value_str_at(set, "live.location"))
        return 0;
    if (deleted_read(c, l, type, store, set, &deleted, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    value_set_string(l->a, store, "state", "deleted");
    value_set_string(l->a, store, "id", value_str_at(deleted, type->deleted_id));
    value_set(l->a, store, "deleted", deleted);
    return 0;
}

static int look_store(struct call *c, const struct looking *l, const struct key_url *url, const struct value *set,
                      struct value **ret, struct err *err)
{
    const struct store_type *type = &store_types[url->kind];
    struct value *stores = value_get(l->found, "stores"), *store = looking_found_by(stores, "base", url->base), *live;
    const char *id = value_str_at(set, "live.properties.activeKey.sourceVault.id");

    *ret = store;
    if (store)
        return 0;
    store = value_map(l->a);
    value_set_string(l->a, store, "base", url->base);
    value_set_string(l->a, store, "name", url->store);
    value_set_string(l->a, store, "kind", url->kind == STORE_HSM ? "ManagedHsm" : "KeyVault");
    value_set_string(l->a, store, "state", "unknown");
    value_push(l->a, stores, store);
    *ret = store;
    if (!str_eq_nocase(arm_id_name(id), url->store) && store_by_name(c, l, type, url->store, &id, err) < 0)
        TRY(looking_failed(l, store, "looking for the store by its name", err));
    if (!id)
        return store_among_deleted(c, l, type, store, set, err);
    value_set_string(l->a, store, "id", id);
    if (arm_get(l->az, c, l->a, id, API_KEYVAULT, &live, err) < 0) {
        TRY(looking_failed(l, store, "reading the store of the key", err));
        return str_eq(value_str_at(store, "state"), "absent") ? store_among_deleted(c, l, type, store, set, err) : 0;
    }
    value_set_string(l->a, store, "state", "present");
    value_set(l->a, store, "live", live);
    return 0;
}

/* On the vault, if the set's own right stands there: such grants outlive the key. */
static int look_scope(struct call *c, const struct looking *l, struct value *key, const struct value *store,
                      const struct value *set, struct err *err)
{
    const char *id = value_str_at(store, "id"), *principal = set_principal(value_get(set, "live"));
    const struct value *assignments;

    if (!principal || !azure_vault_checks_roles(value_get(store, "live")))
        return 0;
    if (role_assignments_read(l->az, c, l->a, arena_printf(l->a, "%s/keys/%s", id, value_str_at(key, "name")),
                              &assignments, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        found_note(l->a, l->found, value_str_at(key, "name"), "who may use the key cannot be read: %s", err->text);
        return 0;
    }
    for (size_t i = 0; i < value_count(assignments); i++) {
        const struct value *assignment = value_item(assignments, i);

        if (str_eq_nocase(value_str_at(assignment, "principalId"), principal) &&
            arm_id_equal(value_str_at(assignment, "scope"), id))
            value_set_string(l->a, key, "scope", "vault");
    }
    return 0;
}

static int look_key(struct call *c, const struct looking *l, struct value *key, const struct value *store,
                    struct err *err)
{
    const char *base = value_str_at(key, "base"), *name = value_str_at(key, "name");
    struct value *live;

    if (!str_eq(value_str_at(store, "state"), "present"))
        return 0;
    if (vault_get_key(l->az, c, l->a, base, name, value_str_at(key, "version"), &live, err) == 0) {
        value_set_string(l->a, key, "state", "present");
        value_set(l->a, key, "live", live);
        return 0;
    }
    TRY(looking_failed(l, key, "reading the key", err));
    if (!str_eq(value_str_at(key, "state"), "absent"))
        return 0;
    if (vault_get_deleted_key(l->az, c, l->a, base, name, &live, err) == 0)
        value_set_string(l->a, key, "state", "deleted");
    else if (err->class != ERR_NOT_FOUND)
        return looking_failed(l, key, "looking for the key among the deleted ones", err);
    return 0;
}

/* A set that was rotated onto the newest version: points from before may need an older one, and what the set tells of
 * its previous keys is the better evidence. A version in the document would overrule it. */
static int look_newest(struct call *c, const struct looking *l, struct value *key, const struct value *set,
                       struct err *err)
{
    struct value *newest;

    if (!value_count(value_at(set, "live.properties.previousKeys")) || !str_eq(value_str_at(key, "state"), "present"))
        return 0;
    if (vault_get_key(l->az, c, l->a, value_str_at(key, "base"), value_str_at(key, "name"), NULL, &newest, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    value_set_bool(l->a, key, "rotated",
                   str_eq_nocase(vault_kid_version(value_str_at(newest, "key.kid")), value_str_at(key, "version")));
    return 0;
}

static int look_keys(struct call *c, const struct looking *l, struct err *err)
{
    const struct value *sets = value_get(l->found, "sets");
    struct value *keys = value_get(l->found, "keys"), *store;

    for (size_t i = 0; i < value_count(sets); i++) {
        const struct value *set = value_item(sets, i);
        const char *address = value_str_at(set, "key");
        struct key_url url;
        struct value *key;

        if (!address || looking_found_by(keys, "url", address))
            continue;
        if (cloud_parse_key_url(l->a, azure_cloud(l->az), address, &url, err) < 0) {
            found_note(l->a, l->found, arm_id_name(value_str_at(set, "id")), "its key is not understood: %s",
                       err->text);
            continue;
        }
        key = value_map(l->a);
        value_set_string(l->a, key, "url", address);
        value_set_string(l->a, key, "base", url.base);
        value_set_string(l->a, key, "name", url.name);
        value_set_string(l->a, key, "version", url.version);
        value_set_string(l->a, key, "state", "unknown");
        value_push(l->a, keys, key);
        TRY(look_store(c, l, &url, set, &store, err));
        TRY(look_key(c, l, key, store, err));
        TRY(look_newest(c, l, key, set, err));
        TRY(look_scope(c, l, key, store, set, err));
    }
    return 0;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void begin(const struct looking *l, const char *vault_id, const struct value *vault)
{
    static const char *const lists[] = {"machines", "sets", "stores", "keys", "notes"};
    const struct cloud *cloud = azure_cloud(l->az);
    const char *tenant = azure_tenant(l->az);

    /* A cloud of the operator's own file is no word of the language. */
    value_set_string(l->a, l->found, "cloud", cloud_builtin(cloud->name) ? cloud->name : NULL);
    value_set_string(l->a, l->found, "tenant", tenant && *tenant ? tenant : NULL);
    value_set_string(l->a, l->found, "subscription", arm_id_part(l->a, vault_id, "subscriptions"));
    value_set_string(l->a, l->found, "location", value_str_at(vault, "location"));
    value_set_string(l->a, l->found, "vault", vault_id);
    value_set_bool(l->a, l->found, "orchestrator", cloud->orchestrator_app_id != NULL);
    value_set_bool(l->a, l->found, "backup", cloud->backup_app_id != NULL);
    for (size_t i = 0; i < COUNT(lists); i++)
        value_set(l->a, l->found, lists[i], value_list(l->a));
}

/* " and subscriptionId in~ (...)"; "": wherever it is. */
static const char *within(struct arena *a, const struct discovery_request *r)
{
    const char *list = "";

    for (size_t i = 0; i < r->n_subscriptions; i++) {
        const char *quoted = resource_graph_quote(a, r->subscriptions[i]);

        if (quoted)
            list = arena_printf(a, "%s%s%s", list, *list ? ", " : "", quoted);
    }
    return *list ? arena_printf(a, " and subscriptionId in~ (%s)", list) : "";
}

/* The ARM id of the vault that is meant. */
static int vault_find(struct azure *az, struct call *c, struct arena *a, const struct discovery_request *r,
                      const char **ret, struct err *err)
{
    const char *name = resource_graph_quote(a, r->vault_name);
    const char *fabric = r->item ? str_find_nocase(r->item, "/backupFabrics/") : NULL;
    struct value *rows;

    *ret = r->vault_id;
    if (!r->vault_id && !r->vault_name && fabric)
        *ret = arena_strndup(a, r->item, (size_t)(fabric - r->item));
    if (*ret)
        return 0;
    if (!name)
        return err_set(err, ERR_INVALID, "\"%s\" is no name of a Recovery Services vault",
                       r->vault_name ? r->vault_name : "");
    TRY(resource_graph_query(
        az, c, a,
        arena_printf(a, "Resources | where type =~ 'microsoft.recoveryservices/vaults' and name =~ %s%s | project id",
                     name, within(a, r)),
        &rows, err));
    if (value_count(rows) == 1) {
        *ret = value_str_at(value_item(rows, 0), "id");
        return 0;
    }
    err_set(err, ERR_NOT_FOUND,
            value_count(rows) ? "more than one Recovery Services vault is called %s"
                              : "no Recovery Services vault %s can be seen",
            r->vault_name);
    return err_advise(err, "give its ARM id (export --vault ID, forecast --discover ID): "
                           "/subscriptions/.../resourceGroups/.../providers/Microsoft.RecoveryServices/vaults/NAME");
}

int discover_estate(struct azure *az, struct call *c, struct arena *a, const struct discovery_request *request,
                    struct discovery *ret, struct err *err)
{
    struct looking l = {.az = az, .a = a, .found = value_map(a)};
    struct value *vault;
    const char *id;

    TRY(vault_find(az, c, a, request, &id, err));
    TRY(arm_get(az, c, a, id, API_RECOVERY_VAULT, &vault, err));
    begin(&l, id, vault);
    TRY(looking_items(c, &l, id, request->item, err));
    TRY(looking_machines(c, &l, err));
    looking_leave_out_ordinary(&l);
    TRY(look_lost_sets(c, &l, err));
    TRY(look_sets(c, &l, err));
    TRY(look_keys(c, &l, err));
    discovery_write(a, l.found, ret);
    return 0;
}
