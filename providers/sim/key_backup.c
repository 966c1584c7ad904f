/* Knows the backup of a key: the blob that only this service reads, and where it may be restored. Must not know rights.
 */
#include "data.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

enum { BACKUP_PLAIN = 9600, HSM_BACKUP_PLAIN = 18000 };

static const char backup_magic[] = "&AzureKeyVaultKeyBackupV1.microsoft.com";

/* The same as it was when it was deleted; a world may give no more than the entry itself. */
static const struct value *deleted_resource(struct sim *s, const char *store)
{
    const struct value *gone = store_deleted(s, store);

    return value_get(gone, "resource") ? value_get(gone, "resource") : gone;
}

/* What a store's backups are bound to. A purged vault is remembered by the backups that were made with its keys: vault
 * and VM share the region, and an unnamed subscription is the backup's own. */
static char *store_binding(struct sim *s, struct arena *a, const char *store)
{
    const struct value *vault = vault_by_name(s, store), *backups = state_list(s, "backups");
    const char *id, *location;

    if (!vault)
        vault = store_deleted(s, store);
    if (hsm_is(vault))
        return arena_printf(a, "hsm|%s", hsm_security_domain(a, vault));
    for (size_t i = 0; !vault && i < value_count(backups); i++)
        if (str_eq_nocase(value_str_at(value_item(backups, i), "wrappedWith.key.store"), store))
            vault = resource_find(s, value_str_at(value_item(backups, i), "vault"));
    id = value_str_at(vault, "properties.vaultId");
    if (!id)
        id = value_str_at(vault, "id");
    location = value_str_at(vault, "location");
    if (!location)
        location = value_str_at(vault, "properties.location");
    return arena_printf(a, "vault|%s|%s", str_lower(a, world_id_part(a, id ? id : "", "/subscriptions/")),
                        region_geography(a, location));
}

/* --- backups ------------------------------------------------------------------------------------------------------ */

/* Those of the key's versions whose ids are among `keep`. */
static struct value *only_versions(struct arena *a, const struct value *key, const struct value *keep)
{
    const struct value *all = value_get(key, "versions");
    struct value *ret = value_list(a);

    for (size_t i = 0; i < value_count(all); i++)
        for (size_t k = 0; k < value_count(keep); k++)
            if (str_eq_nocase(value_str_at(value_item(all, i), "id"), value_str(value_item(keep, k))))
                value_push(a, ret, value_copy(a, value_item(all, i)));
    return ret;
}

static void seal_key(struct sim *s, const struct value *key, const struct value *keep, struct text *ret_raw)
{
    struct arena *a = arena_new();
    const char *store = value_str_at(key, "store");
    bool hsm = str_starts(store_binding(s, a, store), "hsm|");
    struct value *content = value_copy(a, key);
    const struct value *policy =
        key_release_policy(a, key, vault_by_name(s, store) ? vault_by_name(s, store) : deleted_resource(s, store));
    unsigned char sealing[32];
    struct text plain;
    struct secret sealed;

    if (policy)
        value_set(a, content, "releasePolicy", value_copy(a, policy));
    if (keep)
        value_set(a, content, "versions", only_versions(a, key, keep));
    value_remove(content, "restored");
    value_remove(content, "settles");
    value_remove(content, "deletedDate");
    value_remove(content, "scheduledPurgeDate");
    value_set_string(a, content, "state", "active");
    text_init(&plain, TEXT_CEILING);
    json_write(&plain, content, JSON_COMPACT);
    while (plain.len < (hsm ? HSM_BACKUP_PLAIN : BACKUP_PLAIN))
        text_add_char(&plain, ' ');
    secret_init(&sealed);
    crypt_derive("key backup", s->seed, sealing);
    crypt_seal(sealing, store_binding(s, a, store), plain.s, plain.len, &sealed);
    if (hsm) {
        hsm_wrap_backup(s, &sealed, ret_raw);
    } else {
        text_add_n(ret_raw, backup_magic, sizeof(backup_magic) - 1);
        text_add_n(ret_raw, sealed.bytes, sealed.len);
    }
    secret_release(&sealed);
    text_release(&plain);
    arena_free(a);
}

struct value *key_of_version(struct sim *s, const char *store, const char *name, const char *version)
{
    struct value *all = state_list(s, "keys"), *found = NULL;

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *key = value_item(all, i);

        if (key_is(key, store, name) && key_version(key, version) && (!found || !key_in_state(key, "purged")))
            found = key;
    }
    return found;
}

bool key_backup_of_versions(struct sim *s, const char *store, const char *name, const char *version,
                            const struct value *keep, struct text *ret_raw)
{
    const struct value *found = key_of_version(s, store, name, version);

    if (found)
        seal_key(s, found, keep, ret_raw);
    return found != NULL;
}

bool key_backup_of_version(struct sim *s, const char *store, const char *name, const char *version,
                           struct text *ret_raw)
{
    return key_backup_of_versions(s, store, name, version, NULL, ret_raw);
}

void key_backup_blob(struct sim *s, const char *store, const char *name, struct text *ret_raw)
{
    key_backup_of_version(s, store, name, NULL, ret_raw);
}

/* The sealed part of a vault's backup. */
static bool unwrap_backup(const struct secret *blob, struct secret *ret)
{
    size_t magic = sizeof(backup_magic) - 1;

    if (blob->len <= magic || memcmp(blob->bytes, backup_magic, magic) != 0)
        return false;
    secret_set(ret, blob->bytes + magic, blob->len - magic);
    return true;
}

struct value *key_open_backup(struct sim *s, struct arena *a, const struct value *vault, const struct secret *blob)
{
    unsigned char sealing[32];
    struct secret plain, sealed;
    struct value *ret = NULL;
    struct err ignored;

    secret_init(&sealed);
    if (hsm_is(vault) ? !hsm_unwrap_backup(blob, &sealed) : !unwrap_backup(blob, &sealed)) {
        secret_release(&sealed);
        return NULL;
    }
    secret_init(&plain);
    crypt_derive("key backup", s->seed, sealing);
    if (crypt_open(sealing, store_binding(s, a, value_str_at(vault, "name")), sealed.bytes, sealed.len, &plain,
                   &ignored) < 0 ||
        json_parse(a, plain.bytes, plain.len, &ret, &ignored) < 0)
        ret = NULL;
    secret_release(&sealed);
    secret_release(&plain);
    return ret;
}
