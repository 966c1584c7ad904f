/* Knows what shows that a key was there before. Must not know what is done about it. */
#include "past.h"

#include "../azure/key_id.h"
#include "original.h"

/* --- its own document, and others of the same key ----------------------------------------------------------------- */

static bool same_key(const struct view *v, const struct document *x, const struct document *y)
{
    const struct value *one = view_facts(v, x), *other = view_facts(v, y);

    return str_eq(y->kind, "Key") && value_str_at(one, "base") &&
           str_eq_nocase(value_str_at(one, "base"), value_str_at(other, "base")) &&
           str_eq_nocase(value_str_at(one, "name"), value_str_at(other, "name"));
}

/* A source is where an earlier key comes back from, and a version is one that somebody has read; whoever revokes a
 * key had one. */
static const char *declared_by(const struct view *v, const struct document *doc)
{
    const char *version = value_str_at(doc->spec, "version");

    if (version)
        return arena_printf(v->arena, "%s declares version %s of it", doc->address, version);
    if (value_count(value_get(doc->spec, "sources")))
        return arena_printf(v->arena, "%s declares a source that it comes back from", doc->address);
    return value_get(doc->spec, "revoked") ? arena_printf(v->arena, "%s revokes it", doc->address) : NULL;
}

static void look_at_escrow(const struct view *v, const struct document *doc, struct key_past *past)
{
    const struct value *facts = view_facts(v, doc);
    const char *why = value_str_at(facts, "escrow.why");

    if (!past->was && value_count(value_at(facts, "escrow.blobs")))
        past->was = arena_printf(v->arena, "the escrow of %s holds a backup of it", doc->address);
    if (!past->unseen && str_eq(value_str_at(facts, "escrow.state"), "unseen"))
        past->unseen = arena_printf(v->arena, "the escrow of %s cannot be seen%s%s", doc->address, why ? ": " : "",
                                    why ? why : "");
}

/* --- what has used it --------------------------------------------------------------------------------------------- */

static bool names(const struct view *v, const struct document *key, const char *url)
{
    const struct value *facts = view_facts(v, key);

    return url && key_url_is(url, value_str_at(facts, "base"), value_str_at(facts, "name"));
}

static bool set_names(const struct view *v, const struct document *key, const struct value *set)
{
    const struct value *previous = value_at(set, "properties.previousKeys");

    if (names(v, key, value_str_at(set, "properties.activeKey.keyUrl")))
        return true;
    for (size_t i = 0; i < value_count(previous); i++)
        if (names(v, key, value_str_at(value_item(previous, i), "keyUrl")))
            return true;
    return false;
}

static bool history_names(const struct view *v, const struct document *key, const struct value *history)
{
    for (size_t i = 0; i < value_count(history); i++)
        if (names(v, key, value_str_at(value_item(history, i), "key")))
            return true;
    return false;
}

/* A machine that is declared to come back through a set on this key has points: their disks may be wrapped with it. */
static bool restored_through(const struct document *key, const struct document *pvm)
{
    const struct document *des, *rvm;
    size_t at = 0;

    while ((des = referrer_next(key, "DiskEncryptionSet", &at))) {
        size_t at_vm = 0;

        while ((rvm = referrer_next(des, "RestoredVirtualMachine", &at_vm)))
            if (document_target(rvm, "spec.from") == pvm)
                return true;
    }
    return false;
}

static const char *used_by(const struct view *v, const struct document *key, const struct document *doc)
{
    const struct value *facts = view_facts(v, doc);

    if (str_eq(doc->kind, "DiskEncryptionSet"))
        return set_names(v, key, value_get(facts, "live")) ? arena_printf(v->arena, "%s is on it, or was", doc->address)
                                                           : NULL;
    if (!str_eq(doc->kind, "ProtectedVirtualMachine"))
        return NULL;
    if (set_names(v, key, value_at(facts, "source.set.live")))
        return arena_printf(v->arena, "the set of %s is on it, or was", doc->name);
    if (history_names(v, key, value_get(facts, "history")))
        return arena_printf(v->arena, "the history of %s names it", doc->name);
    if (value_count(value_get(facts, "points")) && restored_through(key, doc))
        return arena_printf(v->arena, "%s has recovery points, and is declared to come back through a set on it",
                            doc->name);
    return NULL;
}

static const char *hidden_of(const struct view *v, const struct document *key, const struct document *doc)
{
    const struct reference *ref = document_reference(doc, "spec.key");
    bool set = str_eq(doc->kind, "DiskEncryptionSet") && ref && (ref->target == key || names(v, key, ref->url));
    bool machine = str_eq(doc->kind, "ProtectedVirtualMachine") && restored_through(key, doc);
    const char *why = value_str_at(view_facts(v, doc), "why");

    if (!(set || machine) || !str_eq(view_state(v, doc), "unseen"))
        return NULL;
    return arena_printf(v->arena, "%s cannot be seen%s%s", doc->address, why ? ": " : "", why ? why : "");
}

struct key_past key_past_of(const struct view *v, const struct document *key)
{
    struct key_past past = {0};

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if (doc == key || same_key(v, key, doc)) {
            past.was = past.was ? past.was : declared_by(v, doc);
            look_at_escrow(v, doc, &past);
        }
        past.was = past.was ? past.was : used_by(v, key, doc);
        past.unseen = past.unseen ? past.unseen : hidden_of(v, key, doc);
    }
    return past;
}
