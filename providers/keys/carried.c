/* Knows what tells which key a point carries. Must not know what is done about it. */
#include "carried.h"

#include "../azure/key_id.h"
#include "original.h"
#include "refused.h"
#include "standing.h"
#include "sources.h"

/* Of job times and point times alike: they are compared to the second. */
enum { SAME_POINT_MS = 2 * SECOND_MS };

static const char *key_name(const struct view *v, const struct document *key)
{
    return value_str_at(view_facts(v, key), "name");
}

static bool same_key(const struct view *v, const struct document *x, const struct document *y)
{
    return str_eq_nocase(key_name(v, x), key_name(v, y)) &&
           str_eq_nocase(value_str_at(view_facts(v, x), "base"), value_str_at(view_facts(v, y), "base"));
}

/* --- what is shown ------------------------------------------------------------------------------------------------ */

/* A copy of this very point was restored before, and another key came back. */
static const struct value *came_back_other(const struct view *v, const struct document *key, const struct document *pvm,
                                   int64_t point_ms)
{
    const struct value *notes = value_get(view_facts(v, key), "refused");

    for (size_t i = 0; i < value_count(notes); i++) {
        const struct value *note = notes->map.members[i].value;
        int64_t at = time_parse(value_str_at(note, "point"));

        if (value_str_at(note, "other") && at != TIME_NONE && point_ms != TIME_NONE && at < point_ms + SAME_POINT_MS &&
            point_ms < at + SAME_POINT_MS && str_eq(value_str_at(note, "machine"), pvm->name))
            return note;
    }
    return NULL;
}

/* The key of that name which history or the machine's set name lies in another store. A key that was lost with its
 * store comes back in another one and keeps its versions; one of another version, or one whose own store is there, is
 * a key of its own, and its copy would take this one's name. */
static bool of_another_store(const struct view *v, const struct document *key, const struct original_key *then)
{
    const char *base = value_str_at(view_facts(v, key), "base"), *version = value_str_at(key->spec, "version");

    if (!then->base || !base || str_eq_nocase(then->base, base))
        return false;
    if (version)
        return !str_eq_nocase(version, then->version) && !str_eq_nocase(version, then->also);
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *facts = view_facts(v, doc);

        if (str_eq(doc->kind, "Key") && str_eq_nocase(value_str_at(facts, "base"), then->base) &&
            str_eq_nocase(key_name(v, doc), then->name) && str_eq(value_str_at(facts, "storeState"), "present"))
            return true;
    }
    return false;
}

static struct key_carried shown(const struct view *v, const struct document *key, const struct document *pvm,
                                int64_t point_ms)
{
    struct value *point = value_map(v->arena);
    const struct value *before = came_back_other(v, key, pvm, point_ms);
    struct original_key then;

    if (before)
        return (struct key_carried){.carries = KEY_CARRIES_OTHER,
                                    .words = key_refusal_words(v->arena, before),
                                    .next = key_refusal_lifted(v->arena, before)};
    if (point_ms == TIME_NONE)
        return (struct key_carried){.carries = KEY_CARRIES_DECLARED};
    value_set_string(v->arena, point, "time", time_format(v->arena, point_ms));
    then = original_key_of(v, pvm, NULL, point);
    if (!then.name || !then.version || (then.evidence != KEY_EVIDENCE_HISTORY && then.evidence != KEY_EVIDENCE_SET))
        return (struct key_carried){.carries = KEY_CARRIES_DECLARED};
    if (str_eq_nocase(then.name, key_name(v, key)) && !of_another_store(v, key, &then))
        return (struct key_carried){.carries = KEY_CARRIES_SHOWN, .words = then.words};
    return (struct key_carried){
        .carries = KEY_CARRIES_OTHER,
        .words = arena_printf(v->arena, "%s names key %s of %s", then.words, then.name, then.base),
    };
}

/* --- what else it may be ------------------------------------------------------------------------------------------ */

static bool url_names(const struct view *v, const struct document *key, const char *url)
{
    return url && key_url_is(url, value_str_at(view_facts(v, key), "base"), key_name(v, key));
}

/* At whatever time: the machine has been on that key. */
static bool was_on(const struct view *v, const struct document *key, const struct document *pvm)
{
    const struct value *facts = view_facts(v, pvm), *set = value_at(facts, "source.set.live");
    const struct value *history = value_get(facts, "history"), *previous = value_at(set, "properties.previousKeys");

    if (url_names(v, key, value_str_at(set, "properties.activeKey.keyUrl")))
        return true;
    for (size_t i = 0; i < value_count(previous); i++)
        if (url_names(v, key, value_str_at(value_item(previous, i), "keyUrl")))
            return true;
    for (size_t i = 0; i < value_count(history); i++)
        if (url_names(v, key, value_str_at(value_item(history, i), "key")))
            return true;
    return false;
}

/* A key that was made only after the point did not wrap its disk. */
static bool too_young(const struct view *v, const struct document *key, int64_t point_ms)
{
    const struct value *versions = value_get(view_facts(v, key), "versions");

    return point_ms != TIME_NONE && str_eq(view_state(v, key), "present") && value_count(versions) &&
           !version_at(versions, point_ms);
}

/* The worst of the keys that the point may carry instead: one that is revoked before one that is not. */
static const struct document *rival_of(const struct view *v, const struct document *key, const struct document *pvm,
                                       int64_t point_ms)
{
    const struct document *found = NULL;

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if (doc == key || !str_eq(doc->kind, "Key") || same_key(v, doc, key) ||
            (!key_backup_is(doc, pvm) && !was_on(v, doc, pvm)) || too_young(v, doc, point_ms))
            continue;
        if (key_revoked(v, doc))
            return doc;
        found = found ? found : doc;
    }
    return found;
}

struct key_carried key_carried_by(const struct view *v, const struct document *key, const struct document *pvm,
                                  int64_t point_ms)
{
    struct key_carried ret = shown(v, key, pvm, point_ms);
    const struct document *rival = ret.carries == KEY_CARRIES_DECLARED ? rival_of(v, key, pvm, point_ms) : NULL;
    const char *reason = rival ? key_revoked(v, rival) : NULL;

    if (!rival)
        return ret;
    ret.carries = KEY_CARRIES_UNKNOWN;
    ret.revoked = reason != NULL;
    ret.words = arena_printf(
        v->arena,
        "whether the point of %s of %s carries %s or %s%s%s%s is not known: neither a history nor the "
        "machine's set tells it",
        point_ms == TIME_NONE ? "an unknown time" : time_format(v->arena, point_ms), pvm->name, key->address,
        rival->address, reason ? ", which is revoked (" : "", reason ? reason : "", reason ? ")" : "");
    ret.next =
        arena_printf(v->arena,
                     "a history tells it (--history); else a person makes sure that no point of %s which is ordered is "
                     "wrapped with %s, and takes %s out of its sources",
                     pvm->name, rival->address, pvm->name);
    return ret;
}
