/* Knows what each evidence of a key version is worth and how two of them are compared. Must not know what is done with
 * the answer. */
#include "original.h"

#include "../azure/key_id.h"
#include "../documents/found.h"
#include "shown.h"

/* What one evidence says. `firm`: it speaks of the time of the point itself, so two firm ones that differ contradict
 * each other. */
struct finding {
    const char *url, *version, *also, *words;
    const char *refuted; /* a version it cannot be, and why not; NULL */
    bool firm;
};

static const char *key_name(struct arena *a, const char *url)
{
    struct key_id id;

    return key_id_parse(a, url, &id) ? id.name : NULL;
}

static const char *key_base(struct arena *a, const char *url)
{
    struct key_id id;

    return key_id_parse(a, url, &id) ? id.base : NULL;
}

/* --- creation time ------------------------------------------------------------------------------------------------ */

const struct value *version_at(const struct value *versions, int64_t ms)
{
    const struct value *best = NULL;

    for (size_t i = 0; i < value_count(versions); i++) {
        const struct value *item = value_item(versions, i);
        int64_t created = value_int_at(item, "created", 0);

        if (created > 0 && created * SECOND_MS <= ms && (!best || created > value_int_at(best, "created", 0)))
            best = item;
    }
    return best;
}

static struct finding by_creation(const struct view *v, const struct document *key, int64_t point_ms)
{
    const struct value *item =
        key && point_ms != TIME_NONE ? version_at(value_get(view_facts(v, key), "versions"), point_ms) : NULL;

    if (!item)
        return (struct finding){0};
    return (struct finding){
        .version = value_str_at(item, "version"),
        .words = arena_printf(v->arena, "the newest version that was there when the point was taken (created %s)",
                              time_format(v->arena, value_int_at(item, "created", 0) * SECOND_MS)),
    };
}

/* --- own history -------------------------------------------------------------------------------------------------- */

/* The newest record not later than `ms`; NULL. */
static const struct value *record_at(const struct value *history, int64_t ms)
{
    const struct value *best = NULL;
    int64_t best_ms = TIME_NONE;

    for (size_t i = 0; i < value_count(history); i++) {
        int64_t at = time_parse(value_str_at(value_item(history, i), "time"));

        if (at == TIME_NONE || at > ms || (best && at < best_ms))
            continue;
        best = value_item(history, i);
        best_ms = at;
    }
    return best;
}

static struct finding by_history(const struct view *v, const struct document *pvm, int64_t point_ms)
{
    const struct value *history = value_get(view_facts(v, pvm), "history");
    const struct value *then = record_at(history, point_ms == TIME_NONE ? v->now_ms : point_ms),
                       *now = record_at(history, v->now_ms);
    struct finding f = {.url = value_str_at(then, "key"), .firm = true};
    const char *latest = key_url_version(v->arena, value_str_at(now, "key"));

    f.version = key_url_version(v->arena, f.url);
    if (!f.version)
        return (struct finding){0};
    if (!str_eq(latest, f.version))
        f.also = latest;
    f.words = arena_printf(v->arena, "own history, as of %s", value_str_at(then, "time"));
    return f;
}

/* --- the set ------------------------------------------------------------------------------------------------------ */

/* The set the VM is on, or was when it was last seen: as the source VM names it, else as the history does. */
static const struct value *set_live(const struct view *v, const struct document *pvm)
{
    const struct value *facts = view_facts(v, pvm), *live = value_at(facts, "source.set.live");
    const struct value *record = record_at(value_get(facts, "history"), v->now_ms);
    const char *id = value_str_at(facts, "source.des");

    if (live)
        return live;
    if (!id)
        id = value_str_at(record, "set");
    return value_get(view_facts(v, set_document_at(v, id)), "live");
}

/* Before its last rotation the set was on one of its previous keys. With several of them their order is told by when
 * they were created, if that is to be seen. */
static const char *previous_key(const struct view *v, const struct document *key, const struct value *previous,
                                int64_t point_ms)
{
    const struct value *versions = key ? value_get(view_facts(v, key), "versions") : NULL;
    struct value *known = value_list(v->arena);
    const struct value *best;

    if (value_count(previous) == 1)
        return value_str_at(value_item(previous, 0), "keyUrl");
    for (size_t i = 0; i < value_count(previous); i++) {
        const char *version = key_url_version(v->arena, value_str_at(value_item(previous, i), "keyUrl"));

        for (size_t j = 0; j < value_count(versions); j++)
            if (str_eq_nocase(value_str_at(value_item(versions, j), "version"), version))
                value_push(v->arena, known, value_item(versions, j));
    }
    best = value_count(known) == value_count(previous) ? version_at(known, point_ms) : NULL;
    for (size_t i = 0; best && i < value_count(previous); i++)
        if (str_eq_nocase(key_url_version(v->arena, value_str_at(value_item(previous, i), "keyUrl")),
                          value_str_at(best, "version")))
            return value_str_at(value_item(previous, i), "keyUrl");
    return NULL;
}

static const char *address_of(struct arena *a, const struct value *seen)
{
    const char *base = value_str_at(seen, "base"), *name = value_str_at(seen, "name");

    return base && name ? key_url_plain(a, arena_printf(a, "%s/keys/%s", base, name)) : NULL;
}

/* The versions that were seen of a key: by a look at the keys that a key's machines have moved on to, or by its own
 * document. */
static void put_versions(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc), *others = value_get(facts, "others");

    for (size_t i = 0; i < value_count(others); i++) {
        const struct value *other = value_item(others, i);
        struct value *one = value_list(a);

        value_push(a, one, (struct value *)other);
        index_put(x, value_int_at(other, "created", 0) ? address_of(a, other) : NULL, one);
    }
    index_put(x, value_get(facts, "versions") ? address_of(a, facts) : NULL, value_get(facts, "versions"));
}

static const struct view_names versions_seen = {.kind = "Key", .put = put_versions};

int64_t key_made_after(const struct view *v, const struct document *key, const char *url, const char *version,
                       int64_t point_ms)
{
    const struct value *versions = value_get(view_facts(v, key), "versions");
    struct key_id id;

    if (!key && !versions && key_id_parse(v->arena, url, &id)) {
        const struct index_entry *found =
            view_find(v, &versions_seen, arena_printf(v->arena, "%s/keys/%s", id.base, id.name));

        versions = found ? found->thing : NULL;
    }
    for (size_t i = 0; point_ms != TIME_NONE && i < value_count(versions); i++) {
        int64_t created_ms = value_int_at(value_item(versions, i), "created", 0) * SECOND_MS;

        if (str_eq_nocase(value_str_at(value_item(versions, i), "version"), version))
            return created_ms > point_ms ? created_ms : TIME_NONE;
    }
    return TIME_NONE;
}

/* The set has come to its active key only after the point was taken: `turned_ms` says so, else that key's age. */
static struct finding by_previous(const struct view *v, const struct document *key, const struct value *set,
                                  int64_t turned_ms, int64_t point_ms)
{
    const char *active = value_str_at(set, "properties.activeKey.keyUrl");
    int64_t made_ms = key_made_after(v, key, active, key_url_version(v->arena, active), point_ms);
    struct finding f = {
        .url = previous_key(v, key, value_at(set, "properties.previousKeys"), point_ms),
        .also = key_url_version(v->arena, active),
        .firm = turned_ms != TIME_NONE,
    };

    f.words = arena_printf(v->arena,
                           f.firm ? "the set's previous key, there until %s"
                                  : "the set's previous key: its active one was made at %s",
                           time_format(v->arena, f.firm ? turned_ms : made_ms));
    if (key_made_after(v, key, f.url, key_url_version(v->arena, f.url), point_ms) == TIME_NONE)
        f.version = key_url_version(v->arena, f.url);
    if (!f.version && made_ms != TIME_NONE)
        f.refuted = arena_printf(v->arena, "the set is on version %s, which was made only at %s, after the point",
                                 f.also, time_format(v->arena, made_ms));
    return f;
}

static struct finding by_set(const struct view *v, const struct document *pvm, const struct document *key,
                             int64_t point_ms)
{
    const struct value *set = set_live(v, pvm);
    struct finding f = {.url = value_str_at(set, "properties.activeKey.keyUrl")};
    int64_t turned_ms = time_parse(value_str_at(set, "properties.lastKeyRotationTimestamp"));
    bool told = turned_ms != TIME_NONE && point_ms != TIME_NONE;

    if (!f.url)
        return (struct finding){0};
    if (told && point_ms < turned_ms)
        return by_previous(v, key, set, turned_ms, point_ms);
    if (key_made_after(v, key, f.url, key_url_version(v->arena, f.url), point_ms) != TIME_NONE)
        return by_previous(v, key, set, TIME_NONE, point_ms);
    if (turned_ms == TIME_NONE && value_count(value_at(set, "properties.previousKeys")))
        return (struct finding){0};
    f.firm = told;
    f.words = told ? arena_printf(v->arena, "the set's active key, there since %s", time_format(v->arena, turned_ms))
                   : "the set's active key, which does not say since when it is";
    f.version = key_url_version(v->arena, f.url);
    return f.version ? f : (struct finding){0};
}

/* --- weighing ----------------------------------------------------------------------------------------------------- */

static bool agree(const struct finding *x, const struct finding *y)
{
    return str_eq_nocase(x->version, y->version) || str_eq_nocase(x->also, y->version) ||
           str_eq_nocase(x->version, y->also);
}

/* A finding about a key of another name than the Key document's says nothing of its versions. */
static bool other_key(const struct view *v, const struct document *key, const struct finding *f)
{
    const char *declared = key ? value_str_at(key->spec, "keyName") : NULL;

    return key && f->url && !str_eq_nocase(key_name(v->arena, f->url), declared ? declared : key->name);
}

static void take(const struct view *v, struct original_key *o, enum key_evidence evidence, const struct finding *f)
{
    if (!f->version || o->version)
        return;
    o->version = f->version;
    o->evidence = evidence;
    o->words = f->words;
    o->also = f->also;
    if (!o->name)
        o->name = key_name(v->arena, f->url);
    if (!o->base)
        o->base = key_base(v->arena, f->url);
}

static const char *disagreement(const struct view *v, const struct document *key, const struct finding *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct finding *x = &all[i];

        if (!x->version || !x->firm)
            continue;
        if (other_key(v, key, x))
            return arena_printf(v->arena, "%s is another key: %s says %s", key->address, x->words, x->url);
        for (size_t j = i + 1; j < n; j++)
            if (all[j].version && all[j].firm && !other_key(v, key, &all[j]) && !agree(x, &all[j]))
                return arena_printf(v->arena, "%s says version %s, but %s says %s", x->words, x->version, all[j].words,
                                    all[j].version);
    }
    return NULL;
}

/* Whether a rotation reaches the points taken before it the documents do not agree on (Microsoft Learn, support matrix
 * of confidential VM backup, 2026-07-02; private preview documentation, May 2023), so both versions stay candidates:
 * the one taken, and what another evidence of the point's time names. */
static void keep_second(const struct view *v, const struct document *key, struct original_key *o,
                        const struct finding *all, size_t n, bool weak_too)
{
    for (size_t i = 0; o->version && i < n; i++) {
        const struct finding *f = &all[i];

        if (!f->version || !(f->firm || weak_too) || other_key(v, key, f) || str_eq_nocase(f->version, o->version))
            continue;
        o->also = f->version;
        o->beside = arena_printf(v->arena, "%s says version %s", f->words, f->version);
        return;
    }
    if (o->also)
        o->beside = arena_printf(
            v->arena, "a rotation, which is said to reach points taken before it, has led to version %s", o->also);
}

/* What the Key document declares, as evidence. It counts neither for a point older than the declared version, nor where
 * that version was never seen: a mistyped version must not decide which key is restored. */
static struct finding by_declaration(const struct view *v, const struct document *key, int64_t point_ms)
{
    struct finding f = {
        .version = key ? value_str_at(key->spec, "version") : NULL, .words = "the Key document", .firm = true};
    int64_t made_ms = f.version ? key_made_after(v, key, NULL, f.version, point_ms) : TIME_NONE;

    if (made_ms != TIME_NONE) {
        f.also = f.version;
        f.refuted = arena_printf(v->arena, "the declared version %s was made only at %s, after the point", f.version,
                                 time_format(v->arena, made_ms));
    } else if (f.version && !key_version_revoked(v, key, f.version) && key_never_seen(v, key, f.version)) {
        f.refuted = arena_printf(v->arena, "the declared version %s was never seen", f.version);
    }
    if (f.refuted)
        f.version = NULL;
    return f;
}

struct original_key original_key_of(const struct view *v, const struct document *pvm, const struct document *key,
                                    const struct value *point)
{
    int64_t point_ms = time_parse(value_str_at(point, "time"));
    const struct value *facts = view_facts(v, key);
    enum { DECLARED, HISTORY, SET, CREATION, N };
    static const enum key_evidence kinds[N] = {
        [DECLARED] = KEY_EVIDENCE_DECLARED,
        [HISTORY] = KEY_EVIDENCE_HISTORY,
        [SET] = KEY_EVIDENCE_SET,
        [CREATION] = KEY_EVIDENCE_CREATION,
    };
    struct finding all[N] = {
        [DECLARED] = by_declaration(v, key, point_ms),
        [HISTORY] = by_history(v, pvm, point_ms),
        [SET] = by_set(v, pvm, key, point_ms),
        [CREATION] = by_creation(v, key, point_ms),
    };
    struct original_key o = {
        .base = value_str_at(facts, "base"),
        .name = value_str_at(facts, "name"),
        .words = "neither a declared version, nor own history, nor a set, nor a list of versions tells it",
        .conflict = disagreement(v, key, all, CREATION),
    };

    for (size_t i = 0; i < N; i++)
        if (!other_key(v, key, &all[i]))
            take(v, &o, kinds[i], &all[i]);
    if (all[DECLARED].refuted) {
        o.words = o.version ? o.words : all[DECLARED].refuted;
        o.also = o.also ? o.also : all[DECLARED].also;
    }
    if (all[SET].refuted && !other_key(v, key, &all[SET])) {
        o.words = o.version ? o.words : all[SET].refuted;
        o.also = o.also || str_eq_nocase(o.version, all[SET].also) ? o.also : all[SET].also;
    }
    if (!o.conflict)
        keep_second(v, key, &o, all, N, false);
    return o;
}
