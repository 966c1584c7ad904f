/* Knows the keys of the world: stores, versions, what state a key is in, what it looks like, and its backups, which
 * only the right subscription and geography can open. Must not know requests, nor who needs a key for what. */
#include "data.h"

#include <stdio.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

enum { MODULUS_2048 = 256, MODULUS_3072 = 384 };

/* --- stores ------------------------------------------------------------------------------------------------------- */

struct value *vault_by_name(struct sim *s, const char *store)
{
    static const char *const types[] = {"Microsoft.KeyVault/vaults", "Microsoft.KeyVault/managedHSMs"};
    struct value *v;

    for (size_t t = 0; store && t < COUNT(types); t++)
        for (size_t at = 0; (v = resource_next(s, "", types[t], &at)) != NULL;)
            if (str_eq_nocase(value_str_at(v, "name"), store))
                return v;
    return NULL;
}

static bool store_purged(const struct value *gone)
{
    return str_eq(value_str_at(gone, "state"), "purged");
}

const struct value *store_deleted(struct sim *s, const char *store)
{
    struct value *all = state_list(s, "deletedVaults");
    const struct value *ret = NULL;

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *gone = value_item(all, i);

        if (str_eq_nocase(world_id_name(value_str_at(gone, "id")), store) && (!ret || store_purged(ret)))
            ret = gone;
    }
    return ret;
}

bool deleted_lies_in(const struct value *gone, const char *location)
{
    const char *own = value_str_at(gone, "location");

    return !own || !location || region_is(own, location);
}

bool store_is_hsm(struct sim *s, const char *store)
{
    const struct value *vault = vault_by_name(s, store);

    return hsm_is(vault ? vault : store_deleted(s, store));
}

bool key_url_parse(struct sim *s, struct arena *a, const char *url, const char **ret_store, const char **ret_name,
                   const char **ret_version)
{
    const char *const suffixes[] = {s->ep.vault_suffix, s->ep.hsm_suffix};
    const char *host, *rest, *name, *version;
    size_t host_len, whole_len, suffix = 0;

    if (!url || !str_starts_nocase(url, "https://"))
        return false;
    host = url + strlen("https://");
    /* Azure takes the port, doubled slashes and one at the end for what they mean. */
    whole_len = host_len = strcspn(host, "/");
    if (host_len > 4 && strncmp(host + host_len - 4, ":443", 4) == 0)
        host_len -= 4;
    for (size_t i = 0; i < COUNT(suffixes) && !suffix; i++) {
        size_t n = strlen(suffixes[i]);

        if (host_len > n && strncasecmp(host + host_len - n, suffixes[i], n) == 0)
            suffix = n;
    }
    if (!suffix)
        return false;
    rest = host + whole_len;
    rest += strspn(rest, "/");
    if (!str_starts_nocase(rest, "keys/"))
        return false;
    name = rest + strlen("keys");
    name += strspn(name, "/");
    version = name + strcspn(name, "/");
    *ret_store = arena_strndup(a, host, host_len - suffix);
    *ret_name = arena_strndup(a, name, (size_t)(version - name));
    rest = version + strspn(version, "/");
    *ret_version = *rest ? arena_strndup(a, rest, strcspn(rest, "/")) : NULL;
    return name < version;
}

/* --- keys of the world -------------------------------------------------------------------------------------------- */

bool key_is(const struct value *key, const char *store, const char *name)
{
    return str_eq_nocase(value_str_at(key, "store"), store) && str_eq_nocase(value_str_at(key, "name"), name);
}

bool key_in_state(const struct value *key, const char *state)
{
    const char *is = value_str_at(key, "state");

    return str_eq_nocase(is ? is : "active", state);
}

struct value *key_find(struct sim *s, const char *store, const char *name)
{
    struct value *all = state_list(s, "keys");

    for (size_t i = 0; i < value_count(all); i++)
        if (key_is(value_item(all, i), store, name) && !key_in_state(value_item(all, i), "purged"))
            return value_item(all, i);
    return NULL;
}

struct value *key_version(const struct value *key, const char *version)
{
    const struct value *all = value_get(key, "versions");
    struct value *newest = NULL;
    int64_t best = INT64_MIN;

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *v = value_item(all, i);
        int64_t created = time_parse(value_str_at(v, "created"));

        if (version ? str_eq_nocase(value_str_at(v, "id"), version) : created >= best) {
            newest = v;
            best = created;
        }
    }
    return newest;
}

bool key_settling(const struct sim *s, const struct value *key)
{
    int64_t until = time_parse(value_str_at(key, "settles"));

    return until != TIME_NONE && s->now_ms < until;
}

enum key_state key_state(struct sim *s, const char *store, const char *name, const char *version)
{
    const struct value *key = key_find(s, store, name), *v;
    int64_t expires, from;

    if (!vault_by_name(s, store)) {
        const struct value *gone = store_deleted(s, store);

        return gone && !store_purged(gone) ? KEY_STORE_DELETED : KEY_STORE_PURGED;
    }
    if (!key)
        return KEY_PURGED;
    if (key_in_state(key, "deleted") || key_settling(s, key))
        return KEY_SOFT_DELETED;
    v = key_version(key, version);
    if (!v)
        return KEY_REPLACED;
    if (!value_bool_at(v, "enabled", true))
        return KEY_DISABLED;
    expires = time_parse(value_str_at(v, "expires"));
    from = time_parse(value_str_at(v, "notBefore"));
    return (expires != TIME_NONE && expires <= s->now_ms) || (from != TIME_NONE && from > s->now_ms) ? KEY_EXPIRED
                                                                                                     : KEY_USABLE;
}

const char *key_state_name(enum key_state state)
{
    static const char *const names[] = {
        [KEY_USABLE] = "usable",
        [KEY_DISABLED] = "disabled",
        [KEY_EXPIRED] = "expired",
        [KEY_SOFT_DELETED] = "soft-deleted",
        [KEY_PURGED] = "purged",
        [KEY_REPLACED] = "replaced",
        [KEY_STORE_DELETED] = "store deleted",
        [KEY_STORE_PURGED] = "store purged",
    };

    return names[state];
}

static int64_t retention_days(const struct value *vault)
{
    return value_int_at(vault, "properties.softDeleteRetentionInDays", 90);
}

void key_mark_deleted(struct sim *s, struct value *key, const struct value *vault)
{
    value_set_string(s->arena, key, "state", "deleted");
    value_set_string(s->arena, key, "deletedDate", time_format(s->arena, s->now_ms));
    value_set_string(s->arena, key, "scheduledPurgeDate",
                     time_format(s->arena, s->now_ms + retention_days(vault) * DAY_MS));
    state_changed(s);
}

static void purge_keys_of(struct sim *s, const char *store)
{
    struct value *all = state_list(s, "keys");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "store"), store))
            value_set_string(s->arena, value_item(all, i), "state", "purged");
    state_changed(s);
}

/* A purged vault takes its keys along, once: a later vault of that name begins empty. */
void stores_advance(struct sim *s)
{
    struct value *all = state_list(s, "deletedVaults");

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *gone = value_item(all, i);
        int64_t purge = time_parse(value_str_at(gone, "scheduledPurgeDate"));

        if (value_bool_at(gone, "keysPurged", false) ||
            (!store_purged(gone) && (purge == TIME_NONE || purge > s->now_ms)))
            continue;
        value_set_string(s->arena, gone, "state", "purged");
        value_set_bool(s->arena, gone, "keysPurged", true);
        purge_keys_of(s, world_id_name(value_str_at(gone, "id")));
    }
}

void keys_advance(struct sim *s)
{
    struct value *all = state_list(s, "keys");

    stores_advance(s);
    for (size_t i = 0; i < value_count(all); i++) {
        struct value *key = value_item(all, i);
        int64_t purge;

        if (!key_in_state(key, "deleted"))
            continue;
        /* A world may leave the dates out: then the retention begins with it. */
        if (!value_get(key, "scheduledPurgeDate")) {
            const char *since = value_str_at(key, "deletedDate");

            key_mark_deleted(s, key, vault_by_name(s, value_str_at(key, "store")));
            if (since)
                value_set_string(s->arena, key, "deletedDate", since);
        }
        purge = time_parse(value_str_at(key, "scheduledPurgeDate"));
        if (purge != TIME_NONE && purge <= s->now_ms) {
            value_set_string(s->arena, key, "state", "purged");
            state_changed(s);
        }
    }
}

/* --- what a key looks like ---------------------------------------------------------------------------------------- */

/* One authority for each region of the store: a managed HSM may have several. */
static const char *policy_json(struct arena *a, const struct value *store)
{
    const struct value *further = value_at(store, "properties.regions");
    const char *location = value_str_at(store, "location"), *any = "";

    for (size_t i = 0; i <= value_count(further); i++) {
        const char *region = i ? value_str_at(value_item(further, i - 1), "name") : location;

        if (i && region_is(region, location))
            continue;
        any = arena_printf(a, "%s%s{\"authority\":\"%s\",\"allOf\":["
                              "{\"claim\":\"x-ms-attestation-type\",\"equals\":\"sevsnpvm\"},"
                              "{\"claim\":\"x-ms-compliance-status\",\"equals\":\"azure-compliant-cvm\"}]}",
                           any, *any ? "," : "", region_attestation(a, region));
    }
    return arena_printf(a, "{\"version\":\"1.0.0\",\"anyOf\":[%s]}", any);
}

static struct value *policy_value(struct arena *a, const char *json)
{
    struct value *policy = value_map(a);
    struct text t;

    text_init(&t, TEXT_CEILING);
    crypt_base64_encode(&t, json, strlen(json), BASE64_URL);
    value_set_string(a, policy, "contentType", "application/json; charset=utf-8");
    value_set_string(a, policy, "data", text_str(&t));
    value_set_bool(a, policy, "immutable", false);
    text_release(&t);
    return policy;
}

const struct value *key_release_policy(struct arena *a, const struct value *key, const struct value *store)
{
    const struct value *policy = value_get(key, "releasePolicy");

    if (str_eq(value_str(policy), "confidential-vm"))
        return policy_value(a, policy_json(a, store));
    return value_is(policy, VALUE_MAP) ? policy : NULL;
}

/* The same bytes for the same version everywhere: a restored key is the key it was. */
static void set_modulus(const struct sim *s, struct arena *a, struct value *shown, const char *version, size_t bytes)
{
    unsigned char modulus[MODULUS_3072];
    struct text t;

    for (size_t at = 0; at < bytes; at += 32)
        crypt_derive(arena_printf(a, "modulus|%s|%zu", version, at), s->seed, modulus + at);
    modulus[0] |= 0x80;
    modulus[bytes - 1] |= 1;
    text_init(&t, TEXT_CEILING);
    crypt_base64_encode(&t, modulus, bytes, BASE64_URL);
    value_set_string(a, shown, "n", text_str(&t));
    value_set_string(a, shown, "e", "AQAB");
    text_release(&t);
}

static void set_seconds(struct arena *a, struct value *map, const char *member, const char *time)
{
    int64_t ms = time_parse(time);

    if (ms != TIME_NONE)
        value_set_int(a, map, member, ms / SECOND_MS);
}

struct value *key_show_attributes(struct arena *a, const struct value *vault, const struct value *key,
                                  const struct value *version)
{
    struct value *ret = value_map(a);
    const char *updated = value_str_at(version, "updated"), *type = value_str_at(key, "type");
    int64_t days = retention_days(vault);

    value_set_bool(a, ret, "enabled", value_bool_at(version, "enabled", true));
    set_seconds(a, ret, "nbf", value_str_at(version, "notBefore"));
    set_seconds(a, ret, "exp", value_str_at(version, "expires"));
    set_seconds(a, ret, "created", value_str_at(version, "created"));
    set_seconds(a, ret, "updated", updated ? updated : value_str_at(version, "created"));
    value_set(a, ret, "recoveryLevel",
              value_format(a, "%s%s", days < 90 ? "CustomizedRecoverable" : "Recoverable",
                           value_bool_at(vault, "properties.enablePurgeProtection", false) ? "" : "+Purgeable"));
    value_set_int(a, ret, "recoverableDays", days);
    value_set_bool(a, ret, "exportable", value_bool_at(key, "exportable", value_get(key, "releasePolicy") != NULL));
    if (!hsm_is(vault))
        value_set_string(a, ret, "hsmPlatform", type && str_ends_nocase(type, "-HSM") ? "1" : "0");
    return ret;
}

static const char *suffix_of(struct sim *s, const struct value *key)
{
    return hsm_is(vault_by_name(s, value_str_at(key, "store"))) ? s->ep.hsm_suffix : s->ep.vault_suffix;
}

const char *key_url(struct sim *s, struct arena *a, const struct value *key, const char *version)
{
    return arena_printf(a, "https://%s%s/keys/%s%s%s", value_str_at(key, "store"), suffix_of(s, key),
                        value_str_at(key, "name"), version ? "/" : "", version ? version : "");
}

/* A version has tags of its own; a world may give them to the key as a whole. */
const struct value *key_tags(const struct value *key, const struct value *version)
{
    const struct value *own = value_get(version, "tags");

    return own ? own : value_get(key, "tags");
}

struct value *key_show(struct sim *s, struct arena *a, const struct value *vault, const struct value *key,
                                 const struct value *version)
{
    struct value *ret = value_map(a), *shown = value_map(a), *ops = value_copy(a, value_get(key, "keyOps"));
    const char *id = value_str_at(version, "id"), *type = value_str_at(key, "type");
    const struct value *policy = key_release_policy(a, key, vault);

    if (!ops) {
        ops = value_list(a);
        value_push(a, ops, value_string(a, "wrapKey"));
        value_push(a, ops, value_string(a, "unwrapKey"));
    }
    value_set_string(a, shown, "kid", key_url(s, a, key, id));
    value_set_string(a, shown, "kty", type ? type : "RSA-HSM");
    value_set(a, shown, "key_ops", ops);
    set_modulus(s, a, shown, id, value_int_at(key, "size", 3072) == 2048 ? MODULUS_2048 : MODULUS_3072);
    value_set(a, ret, "key", shown);
    value_set(a, ret, "attributes", key_show_attributes(a, vault, key, version));
    if (key_tags(key, version))
        value_set(a, ret, "tags", value_copy(a, key_tags(key, version)));
    if (policy)
        value_set(a, ret, "release_policy", value_copy(a, policy));
    return ret;
}

void key_show_deletion(struct sim *s, struct arena *a, struct value *shown, const struct value *key)
{
    value_set(a, shown, "recoveryId",
              value_format(a, "https://%s%s/deletedkeys/%s", value_str_at(key, "store"), suffix_of(s, key),
                           value_str_at(key, "name")));
    set_seconds(a, shown, "deletedDate", value_str_at(key, "deletedDate"));
    set_seconds(a, shown, "scheduledPurgeDate", value_str_at(key, "scheduledPurgeDate"));
}
