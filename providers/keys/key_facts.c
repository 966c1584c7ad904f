/* Knows what the facts of a Key say to those who ask: which version is meant, where it is, what it lacks. Pure. Must
 * not know how they were read. */
#include "key_facts.h"

#include <string.h>

#include "../../reconciler/format/json.h"
#include "../azure/vault.h"
#include "original.h"

struct value *key_versions(struct arena *a, const struct value *list)
{
    struct value *versions = value_list(a);

    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *item = value_item(list, i);
        struct value *v = value_map(a);

        value_set_string(a, v, "version", vault_kid_version(value_str_at(item, "kid")));
        value_set_int(a, v, "created", value_int_at(item, "attributes.created", 0));
        value_set_bool(a, v, "enabled", value_bool_at(item, "attributes.enabled", true));
        if (value_at(item, "attributes.exp"))
            value_set_int(a, v, "exp", value_int_at(item, "attributes.exp", 0));
        if (value_at(item, "attributes.nbf"))
            value_set_int(a, v, "nbf", value_int_at(item, "attributes.nbf", 0));
        value_push(a, versions, v);
    }
    return versions;
}

const char *key_wanted_version(const struct view *v, const struct document *key)
{
    struct key_need need = key_needed(v, key);

    return need.version || need.conflict ? need.version : value_str_at(view_facts(v, key), "newest");
}

/* The list of versions tells enough of one whose bundle was not read: what it lacks is the same for all of a key. */
static const struct value *live_from_list(const struct view *v, const struct value *facts, const char *version)
{
    static const char *const dated[] = {"created", "exp", "nbf"};
    const struct value *versions = value_get(facts, "versions"), *item = NULL;
    struct value *live, *attributes;

    for (size_t i = 0; i < value_count(versions) && !item; i++)
        if (str_eq_nocase(value_str_at(value_item(versions, i), "version"), version))
            item = value_item(versions, i);
    if (!item || !value_get(facts, "live"))
        return NULL;
    live = value_copy(v->arena, value_get(facts, "live"));
    attributes = value_get(live, "attributes");
    value_set(
        v->arena, value_get(live, "key"), "kid",
        value_format(v->arena, "%s/keys/%s/%s", value_str_at(facts, "base"), value_str_at(facts, "name"), version));
    value_set_bool(v->arena, attributes, "enabled", value_bool_at(item, "enabled", true));
    for (size_t i = 0; i < COUNT(dated); i++) {
        value_remove(attributes, dated[i]);
        if (value_get(item, dated[i]))
            value_set_int(v->arena, attributes, dated[i], value_int_at(item, dated[i], 0));
    }
    return live;
}

const struct value *key_live(const struct view *v, const struct document *key)
{
    const struct value *facts = view_facts(v, key), *live = value_get(facts, "live");
    const char *wanted = key_wanted_version(v, key), *have = vault_kid_version(value_str_at(live, "key.kid"));

    return !wanted || str_eq_nocase(wanted, have) ? live : live_from_list(v, facts, wanted);
}

const struct value *key_attributes(const struct view *v, const struct document *key, const char *version)
{
    const struct value *facts = view_facts(v, key), *shown = value_get(facts, "live");

    if (key && str_eq(view_state(v, key), "deleted"))
        shown = value_get(facts, "deleted");
    else if (!key || !str_eq(view_state(v, key), "present"))
        return NULL;
    if (version && !str_eq_nocase(version, vault_kid_version(value_str_at(shown, "key.kid"))))
        shown = live_from_list(v, facts, version);
    return value_get(shown, "attributes");
}

int64_t key_declared_expiry(const struct view *v, const struct document *key)
{
    int64_t at = key ? time_parse(value_str_at(key->spec, "expires")) : TIME_NONE;

    return at == TIME_NONE || at <= v->now_ms ? 0 : at / SECOND_MS;
}

int64_t key_expiry(const struct view *v, const struct document *key, const char *version)
{
    int64_t exp = value_int_at(key_attributes(v, key, version), "exp", 0), declared = key_declared_expiry(v, key);

    /* An expiry is declared of the version that is wanted, and is moved before a restore only where that prolongs. */
    return exp && declared > exp && (!version || str_eq_nocase(version, key_wanted_version(v, key))) ? declared : exp;
}

const struct value *key_shown(const struct view *v, const struct document *key)
{
    const struct value *deleted = value_get(view_facts(v, key), "deleted");

    if (!key || !str_eq(view_state(v, key), "deleted"))
        return key ? key_live(v, key) : NULL;
    /* A body without its attributes says nothing of what the key lacks. */
    return value_str_at(deleted, "key.kty") && value_get(deleted, "attributes") ? deleted : NULL;
}

/* A list of versions does not tell them; Azure's answer about a key always does. */
static bool permits(const struct value *shown, const char *operation)
{
    const struct value *all = value_at(shown, "key.key_ops");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str(value_item(all, i)), operation))
            return true;
    return !value_is(all, VALUE_LIST);
}

bool key_ops_short(const struct view *v, const struct document *key)
{
    const struct value *shown = key_shown(v, key);

    return shown && (!permits(shown, "wrapKey") || !permits(shown, "unwrapKey"));
}

const char *key_unfit(const struct view *v, const struct document *key)
{
    const struct value *shown = key_shown(v, key);

    if (!shown)
        return NULL;
    if (!str_eq_nocase(value_str_at(shown, "key.kty"), "RSA-HSM"))
        return "it is no RSA-HSM key";
    if (!value_bool_at(shown, "attributes.exportable", false))
        return "it is not exportable";
    if (!value_is(value_get(shown, "release_policy"), VALUE_MAP))
        return "it has no release policy";
    return key_ops_short(v, key) ? "its key_ops leave out wrapKey or unwrapKey, without which no disk opens" : NULL;
}

const struct value *key_elsewhere(const struct view *v, const struct document *key)
{
    const struct value *elsewhere = value_get(view_facts(v, key), "elsewhere");
    struct key_need need = key_needed(v, key);
    const char *version = value_str_at(elsewhere, "version");
    int64_t created_ms = value_int_at(elsewhere, "created", 0) * SECOND_MS;

    if (!elsewhere || (need.version && version && !str_eq_nocase(need.version, version)) ||
        (!need.version && need.point_ms != TIME_NONE && created_ms > need.point_ms))
        return NULL;
    return elsewhere;
}

const char *key_still_elsewhere(const struct view *v, const struct document *key)
{
    const struct value *elsewhere = key_elsewhere(v, key);

    return str_eq(value_str_at(elsewhere, "state"), "present") ? value_str_at(elsewhere, "base") : NULL;
}

const struct value *key_wanted_url(const struct view *v, const struct document *doc, const char *path)
{
    const struct reference *ref = document_reference(doc, path);
    const struct value *facts;
    const char *version;

    if (!ref)
        return NULL;
    if (!ref->target)
        return value_string(v->arena, ref->url);
    facts = view_facts(v, ref->target);
    version = key_wanted_version(v, ref->target);
    if (!version || !value_str_at(facts, "base"))
        return value_unknown(v->arena);
    return value_format(v->arena, "%s/keys/%s/%s", value_str_at(facts, "base"), value_str_at(facts, "name"), version);
}

const char *key_address(const struct view *v, const struct document *key)
{
    const struct value *facts = view_facts(v, key);

    return arena_printf(v->arena, "%s/keys/%s", value_str_at(facts, "base"), value_str_at(facts, "name"));
}

bool key_releases_to(struct arena *a, const struct value *bundle, const char *attest_uri)
{
    const char *data = value_str_at(bundle, "release_policy.data");
    struct secret text cleanup(secret_release) = {0};
    size_t n = strlen(attest_uri) - (str_ends_nocase(attest_uri, "/") ? 1 : 0);
    struct value *policy;
    struct err ignored;

    if (!data || crypt_base64_decode(data, strlen(data), BASE64_URL, &text, &ignored) < 0 ||
        json_parse(a, text.bytes ? text.bytes : "", text.len, &policy, &ignored) < 0)
        return false;
    for (size_t i = 0; i < value_count(value_get(policy, "anyOf")); i++) {
        const char *authority = value_str_at(value_item(value_get(policy, "anyOf"), i), "authority");

        if (str_starts_nocase(authority, arena_strndup(a, attest_uri, n)) &&
            (!authority[n] || str_eq(authority + n, "/")))
            return true;
    }
    return false;
}

void key_note_evidence(const struct view *v, const struct document *key, struct steps *out, struct step *step)
{
    struct key_need need = key_needed(v, key);

    if (need.conflict)
        step_note(out, step, "the evidence of the version disagrees: %s", need.conflict);
    else if (need.beside && !need.version)
        step_note(out, step, "which version is needed is not known (%s): %s", need.words, need.beside);
    else if (need.beside)
        step_note(out, step, "version %s is taken (%s), and another may be needed: %s", need.version, need.words,
                  need.beside);
}

int64_t key_purge_ms(const struct view *v, const struct document *key)
{
    static const int64_t year_9999 = 253402300799;
    int64_t at = value_int_at(view_facts(v, key), "deleted.scheduledPurgeDate", 0);

    return at > 0 && at <= year_9999 ? at * SECOND_MS : TIME_NONE;
}

const char *purge_words(struct arena *a, int64_t purge_ms)
{
    return purge_ms == TIME_NONE ? "when it is purged cannot be seen"
                                 : arena_printf(a, "it is purged at %s", time_format(a, purge_ms));
}
