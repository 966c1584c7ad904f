/* Knows how what was found becomes documents: names that are valid, without collision and the same at every run; fields
 * only as they were observed, so that what is well plans empty. Pure. Must not look at anything (discover.c). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "writer.h"
#include "../azure/defaults.h"
#include "../azure/geography.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/crypt.h"

enum { NAME_MAX_CHARS = 80, TAG_CHARS = 8 };

/* --- names -------------------------------------------------------------------------------------------------------- */

static bool name_char(char ch, bool edge)
{
    bool alnum = (ch >= '0' && ch <= '9') || (ch >= 'A' && ch <= 'Z') || (ch >= 'a' && ch <= 'z');

    return alnum || (!edge && ch && strchr("._-", ch));
}

/* What a document may be called: as in Azure wherever that is a valid name. */
static char *valid_name(struct arena *a, const char *text)
{
    char *name = arena_strdup(a, text ? text : "");
    size_t n;

    while (*name && !name_char(*name, true))
        name++;
    n = strlen(name) > NAME_MAX_CHARS ? NAME_MAX_CHARS : strlen(name);
    while (n > 0 && !name_char(name[n - 1], true) && name[n - 1] != '_')
        n--;
    name[n] = '\0';
    for (char *p = name; *p; p++)
        if (!name_char(*p, false))
            *p = '-';
    return *name ? name : arena_strdup(a, "unnamed");
}

static char *tag_of(struct arena *a, const char *id)
{
    const char *folded = str_lower(a, id);
    char digest[SHA256_HEX];

    crypt_sha256_hex(folded, strlen(folded), digest);
    return arena_strndup(a, digest, TAG_CHARS);
}

/* Of things that would have the same name each gets a tag of its own id, so that none is renamed when another one comes
 * or goes. */
static const char *name_in(struct arena *a, const struct value *list, const struct value *thing, const char *id,
                           const char *name)
{
    char *mine = valid_name(a, value_str_at(thing, name));

    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *other = value_item(list, i);

        if (other != thing && str_eq_nocase(valid_name(a, value_str_at(other, name)), mine))
            return arena_printf(a, "%s-%s", mine, tag_of(a, value_str_at(thing, id)));
    }
    return mine;
}

/* --- the writer --------------------------------------------------------------------------------------------------- */

/* The same wherever the same subscription is met, and another one elsewhere: what is found behind two vaults is loaded
 * together. */
static const char *azure_name(const struct writer *w)
{
    static const char *const members[] = {"cloud", "tenant", "subscription"};
    const char *whole = "";

    for (size_t i = 0; i < COUNT(members); i++) {
        const char *one = value_str_at(w->found, members[i]);

        whole = arena_printf(w->a, "%s/%s", whole, one ? one : "");
    }
    return arena_printf(w->a, "azure-%s", tag_of(w->a, whole));
}

static struct value *document_add(const struct writer *w, const char *kind, const char *name)
{
    const char *azure = azure_name(w);
    struct value *doc = value_map(w->a), *metadata = value_map(w->a), *spec = value_map(w->a);

    value_set_string(w->a, doc, "apiVersion", "reinstate/v1");
    value_set_string(w->a, doc, "kind", kind);
    value_set_string(w->a, metadata, "name", name);
    value_set(w->a, doc, "metadata", metadata);
    value_set(w->a, doc, "spec", spec);
    value_push(w->a, w->documents, doc);
    if (!str_eq(kind, "Azure"))
        value_set_string(w->a, spec, "azure", azure);
    return spec;
}

/* Writes the resource group, and subscription and name where they differ from what would be assumed. */
static void set_place(const struct writer *w, struct value *spec, const char *id, const char *name_field,
                      const char *name)
{
    const char *subscription = arm_id_part(w->a, id, "subscriptions");

    value_set_string(w->a, spec, "resourceGroup", arm_id_part(w->a, id, "resourceGroups"));
    if (!str_eq(arm_id_name(id), name))
        value_set_string(w->a, spec, name_field, arm_id_name(id));
    if (!str_eq_nocase(subscription, value_str_at(w->found, "subscription")))
        value_set_string(w->a, spec, "subscription", subscription);
}

/* Each thing says where it is: a vault that is found behind two backup vaults is then written alike. What cannot be
 * seen is taken to be in the backup vault's region. */
static void set_location(const struct writer *w, struct value *spec, const char *location)
{
    value_set_string(w->a, spec, "location",
                     azure_region(w->a, location ? location : value_str_at(w->found, "location")));
}

static const char *store_name(const struct writer *w, const struct value *store)
{
    return name_in(w->a, value_get(w->found, "stores"), store, "base", "name");
}

static const char *key_name(const struct writer *w, const struct value *key)
{
    return name_in(w->a, value_get(w->found, "keys"), key, "url", "name");
}

static const char *set_name(const struct writer *w, const struct value *set)
{
    return name_in(w->a, value_get(w->found, "sets"), set, "id", "name");
}

static const char *machine_name(const struct writer *w, const struct value *machine)
{
    return name_in(w->a, value_get(w->found, "machines"), machine, "id", "name");
}

/* --- documents ---------------------------------------------------------------------------------------------------- */

static void write_azure(const struct writer *w)
{
    static const char *const fields[] = {"cloud", "tenant", "subscription"};
    struct value *spec = document_add(w, "Azure", azure_name(w));

    for (size_t i = 0; i < COUNT(fields); i++)
        value_set_string(w->a, spec, fields[i], value_str_at(w->found, fields[i]));
}

/* What both sorts of stores say alike, and what only a key vault does. */
static void write_store(const struct writer *w, struct value *spec, const struct value *live, bool vault)
{
    static const char *const acls[] = {"defaultAction", "bypass"};
    struct value *network = value_map(w->a);

    if (vault)
        value_set_string(w->a, spec, "permissionModel",
                         azure_vault_checks_roles(live) ? "azure-rbac" : "access-policies");
    if (value_bool_at(live, "properties.enablePurgeProtection", false))
        value_set_bool(w->a, spec, "purgeProtection", true);
    if (vault && value_bool_at(live, "properties.enableSoftDelete", false))
        value_set_bool(w->a, spec, "softDelete", true);
    if (value_int_at(live, "properties.softDeleteRetentionInDays", 0))
        value_set_int(w->a, spec, "retentionDays", value_int_at(live, "properties.softDeleteRetentionInDays", 0));
    for (size_t i = 0; i < COUNT(acls); i++)
        value_set_string(w->a, network, acls[i], value_str_at(value_at(live, "properties.networkAcls"), acls[i]));
    value_set_string(w->a, network, "publicNetworkAccess", value_str_at(live, "properties.publicNetworkAccess"));
    if (value_count(network))
        value_set(w->a, spec, "network", network);
}

static void write_stores(const struct writer *w)
{
    const struct value *stores = value_get(w->found, "stores");

    for (size_t i = 0; i < value_count(stores); i++) {
        const struct value *store = value_item(stores, i), *live = value_get(store, "live");
        const char *kind = value_str_at(store, "kind"), *name = store_name(w, store);
        struct value *spec;

        if (!writer_declarable(store))
            continue;
        spec = document_add(w, kind, name);
        set_place(w, spec, value_str_at(store, "id"), str_eq(kind, "KeyVault") ? "vaultName" : "hsmName", name);
        set_location(w, spec, value_str_at(live, "location"));
        if (live)
            write_store(w, spec, live, str_eq(kind, "KeyVault"));
    }
}

/* The machines whose set uses this key, by their documents' names. */
static struct value *machines_of(const struct writer *w, const struct value *key)
{
    const struct value *machines = value_get(w->found, "machines"), *sets = value_get(w->found, "sets");
    struct value *names = value_list(w->a);

    for (size_t i = 0; i < value_count(machines); i++) {
        const struct value *m = value_item(machines, i), *set = writer_thing_by(sets, "id", value_str_at(m, "des"));

        if (str_eq_nocase(value_str_at(set, "key"), value_str_at(key, "url")))
            value_push(w->a, names, value_string(w->a, machine_name(w, m)));
    }
    return names;
}

static void write_keys(const struct writer *w)
{
    const struct value *keys = value_get(w->found, "keys");

    for (size_t i = 0; i < value_count(keys); i++) {
        const struct value *key = value_item(keys, i), *store = writer_store_of(w, key);
        struct value *spec, *sources, *source, *from;

        if (!writer_declarable(store))
            continue;
        spec = document_add(w, "Key", key_name(w, key));
        value_set_string(w->a, spec, "store", store_name(w, store));
        value_set_string(w->a, spec, "keyName", value_str_at(key, "name"));
        if (!value_bool_at(key, "rotated", false))
            value_set_string(w->a, spec, "version", value_str_at(key, "version"));
        sources = value_set(w->a, spec, "sources", value_list(w->a));
        source = value_map(w->a);
        value_set(w->a, source, "recover", value_map(w->a));
        value_push(w->a, sources, source);
        from = machines_of(w, key);
        if (!value_count(from))
            continue;
        source = value_map(w->a);
        value_set(w->a, value_set(w->a, source, "azureBackup", value_map(w->a)), "from", from);
        value_push(w->a, sources, source);
    }
}

static void write_identity(const struct writer *w, struct value *spec, const struct value *live)
{
    const char *type = value_str_at(live, "identity.type");
    const struct value *assigned = value_at(live, "identity.userAssignedIdentities");
    struct value *identity = value_map(w->a), *ids = value_list(w->a);

    if (!type || str_eq_nocase(type, "None"))
        return;
    value_set_string(w->a, identity, "type",
                     !str_find_nocase(type, "SystemAssigned") ? "UserAssigned"
                     : str_find_nocase(type, "UserAssigned")  ? "SystemAssigned, UserAssigned"
                                                              : "SystemAssigned");
    for (size_t i = 0; value_is(assigned, VALUE_MAP) && i < assigned->map.count; i++)
        value_push(w->a, ids, value_string(w->a, assigned->map.members[i].key));
    if (value_count(ids))
        value_set(w->a, identity, "userAssigned", ids);
    value_set(w->a, spec, "identity", identity);
}

static void write_sets(const struct writer *w)
{
    const struct value *sets = value_get(w->found, "sets"), *keys = value_get(w->found, "keys");

    for (size_t i = 0; i < value_count(sets); i++) {
        const struct value *set = value_item(sets, i), *live = value_get(set, "live");
        const struct value *key = writer_thing_by(keys, "url", value_str_at(set, "key"));
        const char *name = set_name(w, set);
        struct value *spec, *url = value_map(w->a);

        if (!writer_set_declared(set))
            continue;
        spec = document_add(w, "DiskEncryptionSet", name);
        set_place(w, spec, value_str_at(set, "id"), "setName", name);
        set_location(w, spec, value_str_at(live, "location"));
        value_set_string(w->a, spec, "encryptionType", value_str_at(live, "properties.encryptionType"));
        value_set_string(w->a, url, "url", value_str_at(set, "key"));
        value_set(w->a, spec, "key",
                  writer_declarable(writer_store_of(w, key)) ? value_string(w->a, key_name(w, key)) : url);
        if (!value_bool_at(live, "properties.rotationToLatestKeyVersionEnabled", false))
            value_set_string(w->a, spec, "rotation", "pinned");
        write_identity(w, spec, live);
    }
}

static void principal_add(const struct writer *w, struct value *principals, const char *member, const char *name)
{
    struct value *principal = value_map(w->a);

    value_set_string(w->a, principal, member, name);
    value_push(w->a, principals, principal);
}

/* The same key, of whatever version; or any key of the same store. */
static bool same_key(const struct value *key, const struct value *other, bool any_name)
{
    return str_eq_nocase(value_str_at(key, "base"), value_str_at(other, "base")) &&
           (any_name || str_eq_nocase(value_str_at(key, "name"), value_str_at(other, "name")));
}

static bool first_version(const struct value *keys, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (same_key(value_item(keys, k), value_item(keys, i), false))
            return false;
    return true;
}

/* Grants on the vault have one owner: with several keys in it each key's document asks for its own key, which the
 * vault's grants satisfy all the same. */
static const char *scope_of(const struct value *keys, const struct value *key)
{
    for (size_t i = 0; i < value_count(keys); i++)
        if (same_key(key, value_item(keys, i), true) && !same_key(key, value_item(keys, i), false))
            return NULL;
    return value_str_at(key, "scope");
}

/* Declares every principal that a confidential VM needs, even one that lacks its rights now: that is just what a
 * forecast must show. */
static void write_access(const struct writer *w)
{
    const struct value *keys = value_get(w->found, "keys"), *sets = value_get(w->found, "sets");

    for (size_t i = 0; i < value_count(keys); i++) {
        const struct value *key = value_item(keys, i);
        struct value *spec, *principals;

        if (!writer_declarable(writer_store_of(w, key)) || !first_version(keys, i))
            continue;
        spec = document_add(w, "KeyAccess", arena_printf(w->a, "%s-users", key_name(w, key)));
        value_set_string(w->a, spec, "key", key_name(w, key));
        value_set_string(w->a, spec, "purpose", "confidential-vm");
        value_set_string(w->a, spec, "scope", scope_of(keys, key));
        principals = value_list(w->a);
        value_set(w->a, spec, "principals", principals);
        for (size_t k = 0; k < value_count(sets); k++)
            if (same_key(key, writer_thing_by(keys, "url", value_str_at(value_item(sets, k), "key")), false))
                principal_add(w, principals, "diskEncryptionSet", set_name(w, value_item(sets, k)));
        if (value_bool_at(w->found, "orchestrator", true))
            principal_add(w, principals, "wellKnown", "ConfidentialVmOrchestrator");
        if (value_bool_at(w->found, "backup", true))
            principal_add(w, principals, "wellKnown", "BackupManagementService");
    }
}

static const char *vault_name(const struct writer *w)
{
    return valid_name(w->a, arm_id_name(value_str_at(w->found, "vault")));
}

static void write_vault(const struct writer *w)
{
    struct value *spec = document_add(w, "RecoveryServicesVault", vault_name(w));

    set_place(w, spec, value_str_at(w->found, "vault"), "vaultName", vault_name(w));
    set_location(w, spec, NULL);
}

static void write_machines(const struct writer *w)
{
    const struct value *machines = value_get(w->found, "machines");

    for (size_t i = 0; i < value_count(machines); i++) {
        const struct value *m = value_item(machines, i);
        const char *id = value_str_at(m, "id"), *subscription = arm_id_part(w->a, id, "subscriptions");
        struct value *spec = document_add(w, "ProtectedVirtualMachine", machine_name(w, m)), *source = value_map(w->a);

        value_set_string(w->a, spec, "vault", vault_name(w));
        value_set_string(w->a, source, "resourceGroup", arm_id_part(w->a, id, "resourceGroups"));
        value_set_string(w->a, source, "name", arm_id_name(id));
        if (!str_eq_nocase(subscription, value_str_at(w->found, "subscription")))
            value_set_string(w->a, source, "subscription", subscription);
        value_set(w->a, spec, "source", source);
        value_set_string(w->a, spec, "policy", value_str_at(m, "policy"));
    }
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static int by_id(const void *x, const void *y)
{
    const struct value *const *one = x, *const *other = y;
    const char *const members[] = {"url", "base", "id"};

    for (size_t i = 0; i < COUNT(members); i++) {
        const char *p = value_str_at(*one, members[i]), *q = value_str_at(*other, members[i]);

        if (p && q && strcasecmp(p, q) != 0)
            return strcasecmp(p, q);
    }
    return 0;
}

static void sort(struct value *list)
{
    if (value_count(list) > 1)
        qsort(list->list.items, list->list.count, sizeof(*list->list.items), by_id);
}

static void give_sets_names(const struct writer *w)
{
    const struct value *sets = value_get(w->found, "sets");

    for (size_t i = 0; i < value_count(sets); i++)
        value_set_string(w->a, value_item(sets, i), "name", arm_id_name(value_str_at(value_item(sets, i), "id")));
}

void discovery_write(struct arena *a, const struct value *found, struct discovery *ret)
{
    struct writer w = {.a = a, .found = value_copy(a, found), .documents = value_list(a)};

    give_sets_names(&w);
    sort(value_get(w.found, "machines"));
    sort(value_get(w.found, "sets"));
    sort(value_get(w.found, "stores"));
    sort(value_get(w.found, "keys"));
    write_azure(&w);
    write_stores(&w);
    write_keys(&w);
    write_sets(&w);
    write_access(&w);
    write_vault(&w);
    write_machines(&w);
    writer_tell_machines(&w);
    writer_tell_sets(&w);
    writer_tell_keys(&w);
    *ret = (struct discovery){.documents = w.documents, .notes = value_get(w.found, "notes"), .found = w.found};
}

/* A VM's name has 64 characters at most. */
static char *restored_name(struct arena *a, const char *document, const char *vm_id)
{
    return strlen(document) > 61 ? arena_printf(a, "%.52s-%s-dr", document, tag_of(a, vm_id))
                                 : arena_printf(a, "%s-dr", document);
}

void discovery_restore_to(struct arena *a, struct discovery *d, const char *group, const char *subnet,
                          const char *staging)
{
    struct writer w = {.a = a, .found = d->found, .documents = d->documents};
    const struct value *machines = value_get(w.found, "machines"), *sets = value_get(w.found, "sets");

    for (size_t i = 0; i < value_count(machines); i++) {
        const struct value *m = value_item(machines, i), *set = writer_thing_by(sets, "id", value_str_at(m, "des"));
        const char *name = machine_name(&w, m);
        struct value *spec = document_add(&w, "RestoredVirtualMachine", arena_printf(a, "%s-dr", name)),
                     *target = value_map(a), *subnet_ref = value_map(a), *staging_ref = value_map(a);

        value_set_string(a, spec, "from", name);
        value_set_string(a, spec, "restore", "new-vm");
        if (writer_set_declared(set))
            value_set_string(a, spec, "diskEncryptionSet", set_name(&w, set));
        value_set(a, spec, "target", target);
        value_set_string(a, target, "resourceGroup", group);
        value_set_string(a, target, "name", restored_name(a, name, value_str_at(m, "id")));
        value_set_string(a, subnet_ref, "id", subnet);
        value_set(a, target, "subnet", subnet_ref);
        value_set_string(a, staging_ref, "id", staging);
        value_set(a, target, "stagingAccount", staging_ref);
    }
    d->restores = true;
}

char *discovery_note(struct arena *a, const struct value *note)
{
    const char *about = value_str_at(note, "about");

    return str_shown(a, arena_printf(a, "%s%s%s", about ? about : "", about ? ": " : "", value_str_at(note, "text")));
}
