/* Knows what has shown a key's version, in its store, in sets and in history, and what names another version or another
 * key instead. Must not know what follows from that. */
#include "shown.h"

#include "standing.h"

#include "../azure/key_id.h"
#include "key_documents.h"
#include "../azure/vault.h"

bool key_url_of(const struct view *v, const struct document *key, const char *url)
{
    const struct value *facts = view_facts(v, key);

    return url && key_url_is(url, value_str_at(facts, "base"), value_str_at(facts, "name"));
}

static bool names_version(const struct view *v, const struct document *key, const char *url, const char *version)
{
    return key_url_of(v, key, url) && str_eq_nocase(key_url_version(v->arena, url), version);
}

bool key_version_listed(const struct value *versions, const char *version)
{
    for (size_t i = 0; version && i < value_count(versions); i++)
        if (str_eq_nocase(value_str_at(value_item(versions, i), "version"), version))
            return true;
    return false;
}

/* A set as Azure shows it was on that version, now or before. */
static bool set_shows(const struct view *v, const struct document *key, const struct value *set, const char *version)
{
    const struct value *previous = value_at(set, "properties.previousKeys");

    if (names_version(v, key, value_str_at(set, "properties.activeKey.keyUrl"), version))
        return true;
    for (size_t i = 0; i < value_count(previous); i++)
        if (names_version(v, key, value_str_at(value_item(previous, i), "keyUrl"), version))
            return true;
    return false;
}

static bool history_shows(const struct view *v, const struct document *key, const struct value *history,
                          const char *version)
{
    for (size_t i = 0; i < value_count(history); i++)
        if (names_version(v, key, value_str_at(value_item(history, i), "key"), version))
            return true;
    return false;
}

const char *key_shown_by(const struct view *v, const struct document *key, const char *version)
{
    const struct value *blobs = value_at(view_facts(v, key), "escrow.blobs");

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *facts = view_facts(v, doc);

        if (str_eq(doc->kind, "DiskEncryptionSet") && set_shows(v, key, value_get(facts, "live"), version))
            return arena_printf(v->arena, "%s has been on it", doc->address);
        if (!str_eq(doc->kind, "ProtectedVirtualMachine"))
            continue;
        if (set_shows(v, key, value_at(facts, "source.set.live"), version))
            return arena_printf(v->arena, "the set of %s has been on it", doc->name);
        if (history_shows(v, key, value_get(facts, "history"), version))
            return arena_printf(v->arena, "the history of %s names it", doc->name);
    }
    for (size_t i = 0; i < value_count(blobs); i++)
        if (str_eq_nocase(value_str_at(value_item(blobs, i), "version"), version) ||
            str_find_nocase(
                value_str_at(value_item(blobs, i), "versions") ? value_str_at(value_item(blobs, i), "versions") : "",
                version))
            return "a backup in its escrow holds it";
    return NULL;
}

/* The version that a set in use is on, where the key has it. */
static const char *in_use(const struct view *v, const struct document *key, const struct value *set)
{
    const char *url = value_str_at(set, "properties.activeKey.keyUrl"), *version = key_url_version(v->arena, url);

    return key_url_of(v, key, url) && key_version_listed(value_get(view_facts(v, key), "versions"), version) ? version
                                                                                                             : NULL;
}

const char *key_used_instead(const struct view *v, const struct document *key, const char **ret_by)
{
    const char *version = NULL;

    for (size_t i = 0; !version && i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *facts = view_facts(v, doc);

        *ret_by = doc->address;
        if (str_eq(doc->kind, "DiskEncryptionSet"))
            version = in_use(v, key, value_get(facts, "live"));
        else if (str_eq(doc->kind, "ProtectedVirtualMachine"))
            version = in_use(v, key, value_at(facts, "source.set.live"));
    }
    return version;
}

static int64_t newest_point_ms(const struct view *v, const struct document *pvm)
{
    const struct value *points = value_get(view_facts(v, pvm), "points");
    int64_t newest = TIME_NONE;

    for (size_t i = 0; i < value_count(points); i++) {
        int64_t at = time_parse(value_str_at(value_item(points, i), "time"));

        newest = at > newest ? at : newest;
    }
    return newest;
}

int64_t key_last_use_ms(const struct view *v, const struct document *key)
{
    const struct document *des, *rvm;
    int64_t last = TIME_NONE, at_ms;
    size_t at = 0;

    for (size_t i = 0; i < key->n_references; i++) {
        const struct document *pvm = key->references[i].target;

        at_ms = pvm && str_eq(pvm->kind, "ProtectedVirtualMachine") ? newest_point_ms(v, pvm) : TIME_NONE;
        last = at_ms > last ? at_ms : last;
    }
    while ((des = referrer_next(key, "DiskEncryptionSet", &at))) {
        size_t at_vm = 0;

        while ((rvm = referrer_next(des, "RestoredVirtualMachine", &at_vm))) {
            at_ms = newest_point_ms(v, document_target(rvm, "spec.from"));
            last = at_ms > last ? at_ms : last;
        }
    }
    return last;
}

static bool otherwise_named(const struct view *v, const struct document *key, const char *url, const char *version)
{
    const char *name = value_str_at(view_facts(v, key), "name");
    struct key_id id;

    return url && name && str_find_nocase(url, version) && key_id_parse(v->arena, url, &id) &&
           str_eq_nocase(id.version, version) && !str_eq_nocase(id.name, name);
}

/* The address at which a set as Azure shows it is, or was, on that version under another name. */
static const char *set_names(const struct view *v, const struct document *key, const struct value *set,
                             const char *version)
{
    const struct value *previous = value_at(set, "properties.previousKeys");
    const char *url = value_str_at(set, "properties.activeKey.keyUrl");

    for (size_t i = 0; !otherwise_named(v, key, url, version); i++) {
        if (i == value_count(previous))
            return NULL;
        url = value_str_at(value_item(previous, i), "keyUrl");
    }
    return url;
}

static const char *history_names(const struct view *v, const struct document *key, const struct value *history,
                                 const char *version)
{
    for (size_t i = 0; i < value_count(history); i++)
        if (otherwise_named(v, key, value_str_at(value_item(history, i), "key"), version))
            return value_str_at(value_item(history, i), "key");
    return NULL;
}

/* The key that bears the declared name is seen to have the version. */
static bool has_version(const struct view *v, const struct document *key, const char *version)
{
    const struct value *facts = view_facts(v, key);

    return str_eq(view_state(v, key), "present") &&
           (key_version_listed(value_get(facts, "versions"), version) ||
            str_eq_nocase(vault_kid_version(value_str_at(facts, "live.key.kid")), version));
}

const char *key_misnamed(const struct view *v, const struct document *key, const char *version, const char **ret_by)
{
    const char *url = NULL;

    version = version ? version : value_str_at(key->spec, "version");
    if (has_version(v, key, version))
        return NULL;
    for (size_t i = 0; version && !url && i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *facts = view_facts(v, doc);

        if (ret_by)
            *ret_by = doc->address;
        if (str_eq(doc->kind, "DiskEncryptionSet"))
            url = set_names(v, key, value_get(facts, "live"), version);
        else if (str_eq(doc->kind, "ProtectedVirtualMachine"))
            url = set_names(v, key, value_at(facts, "source.set.live"), version);
        if (!url && str_eq(doc->kind, "ProtectedVirtualMachine"))
            url = history_names(v, key, value_get(facts, "history"), version);
    }
    return url;
}

const struct document *key_declared_beside(const struct view *v, const struct document *key)
{
    const struct value *versions = value_get(view_facts(v, key), "versions");

    const struct index_entry *at = NULL;
    const struct document *doc;

    while ((doc = key_same_next(v, key, &at)))
        if (doc != key && key_version_listed(versions, value_str_at(doc->spec, "version")))
            return doc;
    return NULL;
}

bool key_oldest_before(const struct value *versions, int64_t ms)
{
    for (size_t i = 0; ms != TIME_NONE && i < value_count(versions); i++) {
        int64_t created = value_int_at(value_item(versions, i), "created", 0);

        if (created > 0 && created * SECOND_MS <= ms)
            return true;
    }
    return false;
}

bool key_version_missing(const struct view *v, const struct document *key, const char *version)
{
    const struct value *facts = view_facts(v, key), *versions = value_get(facts, "versions");

    return str_eq(view_state(v, key), "present") && !key_version_listed(versions, version) &&
           !str_eq_nocase(vault_kid_version(value_str_at(facts, "live.key.kid")), version) &&
           (versions || str_eq_nocase(value_str_at(facts, "missing"), version));
}

bool key_never_seen(const struct view *v, const struct document *key, const char *version)
{
    const struct value *versions = value_get(view_facts(v, key), "versions");
    const char *by;

    if (!versions || !key_version_missing(v, key, version) || key_misnamed(v, key, version, &by) ||
        key_shown_by(v, key, version) || key_declared_beside(v, key))
        return false;
    /* A key that is younger than every point cannot have wrapped any of their disks. */
    return key_used_instead(v, key, &by) || key_oldest_before(versions, key_last_use_ms(v, key));
}
