/* Knows which key a backup was made with, by which document it is declared, and what has become of it and of its store.
 * Must not know sets and grants. */
#include "situation_parts.h"

#include "../documents/concluded.h"

#include "../azure/geography.h"
#include "../azure/key_id.h"
#include "../azure/vault.h"
#include "../keys/standing.h"

bool situation_same_key(struct arena *a, const char *url, const char *other)
{
    struct key_id x, y;

    return key_id_parse(a, url, &x) && key_id_parse(a, other, &y) && str_eq_nocase(x.name, y.name) && x.version &&
           str_eq_nocase(x.version, y.version);
}

const char *situation_pinned_url(const struct view *v, const char *url)
{
    const char *newest = value_str_at(view_facts(v, key_document_at(v, url)), "newest");
    struct key_id id;

    return newest && key_id_parse(v->arena, url, &id) && !id.version
               ? arena_printf(v->arena, "%s/keys/%s/%s", id.base, id.name, newest)
               : url;
}

bool situation_same_set(const struct situation *s)
{
    return s->original_des && s->des_id && arm_id_equal(s->original_des, s->des_id);
}

/* The document of the key that this backup carries. It is the declared set's key, unless only other Key documents name
 * this backup as a source: a set may be on another key than the one the disk was wrapped with. */
static const struct document *key_of_backup(const struct situation *s)
{
    const struct document *first = NULL, *key;
    size_t at = 0;

    while ((key = referrer_next(s->pvm, "Key", &at))) {
        if (key == s->key)
            return key;
        first = first ? first : key;
    }
    return first ? first : s->key;
}

/* The declared set was on the original version before its last rotation: where nothing else names the set of the
 * backup, this one is it. */
static bool was_on(const struct view *v, const struct situation *s)
{
    const struct value *previous = value_at(view_facts(v, s->des), "live.properties.previousKeys");

    for (size_t i = 0; s->original_url && i < value_count(previous); i++)
        if (key_same_version(value_str_at(value_item(previous, i), "keyUrl"), s->original_url))
            return true;
    return false;
}

void situation_find_original(const struct view *v, struct situation *s)
{
    struct original_key seen = original_key_of(v, s->pvm, NULL, s->point);
    struct original_key said = original_key_of(v, s->pvm, key_of_backup(s), s->point);
    bool firm = said.conflict || seen.evidence == KEY_EVIDENCE_HISTORY ||
                (seen.evidence == KEY_EVIDENCE_SET && !situation_same_set(s));

    s->original = seen.version && firm ? seen : said;
    if (s->original.base && s->original.name && s->original.version)
        s->original_url =
            arena_printf(v->arena, "%s/keys/%s/%s", s->original.base, s->original.name, s->original.version);
    s->original_key = s->original_url ? key_document_at(v, s->original_url) : NULL;
    if (!s->original_key && !s->original_url)
        s->original_key = s->key;
    if (!s->original_des && was_on(v, s))
        s->original_des = s->des_id;
}

static bool version_listed(const struct value *versions, const char *version, const struct value **ret)
{
    for (size_t i = 0; i < value_count(versions); i++)
        if (str_eq_nocase(value_str_at(value_item(versions, i), "version"), version)) {
            *ret = value_item(versions, i);
            return true;
        }
    return false;
}

static enum dx_key key_usable(const struct view *v, const struct value *attributes)
{
    int64_t exp = value_int_at(attributes, "exp", 0), nbf = value_int_at(attributes, "nbf", 0);

    if (!value_bool_at(attributes, "enabled", true))
        return DX_KEY_DISABLED;
    if (nbf > v->now_ms / SECOND_MS)
        return DX_KEY_EARLY;
    return exp && exp <= v->now_ms / SECOND_MS ? DX_KEY_EXPIRED : DX_KEY_PRESENT;
}

enum dx_key situation_key_state(const struct view *v, const struct document *key, const char *version)
{
    const struct value *facts = view_facts(v, key), *live = value_get(facts, "live"), *listed;
    const char *state = key ? view_state(v, key) : "unseen", *have = vault_kid_version(value_str_at(live, "key.kid"));

    /* Under a mistyped name nothing was seen of the key. */
    if (key && key_misnamed(v, key, version, NULL))
        return DX_KEY_UNKNOWN;
    if (str_eq(state, "absent"))
        return DX_KEY_PURGED;
    if (str_eq(state, "deleted"))
        return DX_KEY_DELETED;
    if (!str_eq(state, "present") || !version)
        return DX_KEY_UNKNOWN;
    if (str_eq_nocase(have, version))
        return key_usable(v, value_get(live, "attributes"));
    if (version_listed(value_get(facts, "versions"), version, &listed))
        return key_usable(v, listed);
    return value_get(facts, "versions") || str_eq_nocase(value_str_at(facts, "missing"), version) ? DX_KEY_REPLACED
                                                                                                  : DX_KEY_UNKNOWN;
}

enum dx_home situation_home(const struct situation *s)
{
    if (s->original_key)
        return key_store_is_hsm(s->original_key) ? DX_HOME_HSM : DX_HOME_VAULT;
    if (!s->original_url)
        return DX_HOME_UNKNOWN;
    return str_find_nocase(s->original_url, ".managedhsm.") ? DX_HOME_HSM : DX_HOME_VAULT;
}

enum dx_store situation_store_state(const struct view *v, const struct document *key)
{
    const struct document *store = key ? document_target(key, "spec.store") : NULL;
    const char *state = value_str_at(view_facts(v, key), "storeState");
    /* The loss of a security domain is a person's word, and counts once the HSM itself is gone. */
    bool lost = store && key_store_is_hsm(key) && !value_bool_at(store->spec, "securityDomain.held", true);

    if (str_eq(state, "present"))
        return DX_STORE_PRESENT;
    if (str_eq(state, "absent"))
        return lost ? DX_STORE_DOMAIN_LOST : DX_STORE_PURGED;
    return str_eq(state, "deleted") ? DX_STORE_DELETED : DX_STORE_UNKNOWN;
}
