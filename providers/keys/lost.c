/* Knows when a key is lost. Pure. Must not know who brings it back. */
#include "lost.h"

#include "../backup/order.h"
#include "copies.h"
#include "key_facts.h"
#include "original.h"
#include "refused.h"
#include "standing.h"

bool key_store_comes(const struct view *v, const struct document *key)
{
    const char *store = value_str_at(view_facts(v, key), "storeState");

    return str_eq(store, "deleted") || str_eq(store, "settling");
}

bool key_lost(const struct view *v, const struct document *key)
{
    /* A key in a soft-deleted vault, or in one that is on its way, comes with the vault, or is looked at then. Of a key
     * whose name is mistyped nothing was seen to be lost. */
    return str_eq(view_state(v, key), "absent") && !key_store_comes(v, key) && !key_revoked(v, key) &&
           !key_misnamed(v, key, NULL, NULL);
}

/* --- several documents of one key --------------------------------------------------------------------------------- */

static bool same_lost_key(const struct view *v, const struct document *key, const struct document *other)
{
    return other != key && key_lost(v, other);
}

/* The document of another version whose ordered point is the latest: its copy holds both. NULL: none. */
static const struct document *newer_ordered(const struct view *v, const struct document *key)
{
    const struct document *first = NULL, *other;
    const struct index_entry *at = NULL;
    struct key_need need = key_needed(v, key);
    int64_t latest_ms = need.point_ms;

    while (need.point_ms != TIME_NONE && (other = key_same_next(v, key, &at))) {
        struct key_need its;

        if (!same_lost_key(v, key, other))
            continue;
        its = key_needed(v, other);
        if (its.point_ms == TIME_NONE || its.point_ms <= latest_ms || str_eq_nocase(its.version, need.version))
            continue;
        latest_ms = its.point_ms;
        first = other;
    }
    return first;
}

/* What a document declares to bring its key back by, the cheapest the highest. */
enum way { WAY_NONE, WAY_DECLARED, WAY_COPY };

static enum way way_of(const struct view *v, const struct document *key)
{
    bool lost = key_lost(v, key);

    if (key->withheld || view_refusal(v, key, lost ? ACTION_RESTORE_KEY : ACTION_RECOVER))
        return WAY_NONE;
    if (!lost)
        return key_source_declared(key, "recover") ? WAY_DECLARED : WAY_NONE;
    return key_own_copy(v, key).kind != KEY_COPY_NONE     ? WAY_COPY
           : key_source_declared(key, "azureBackup") ? WAY_DECLARED
                                                          : WAY_NONE;
}

/* `other` brings the key back for both. Of two documents of different versions of a lost key each keeps its own way. */
static bool leads(const struct view *v, const struct document *other, const struct document *key)
{
    enum way theirs = way_of(v, other), ours = way_of(v, key);
    struct key_need its = key_needed(v, other), need = key_needed(v, key);
    bool ordered = its.point_ms != TIME_NONE;

    if (!theirs || !ours)
        return theirs != WAY_NONE;
    if (key_lost(v, key) && its.version && need.version && !str_eq_nocase(its.version, need.version))
        return false;
    if (ordered != (need.point_ms != TIME_NONE))
        return ordered;
    return theirs != ours ? theirs > ours : other->index < key->index;
}

/* The store's answer is the same for all documents of one key; what is revoked brings nothing back. */
static bool gone_alike(const struct view *v, const struct document *key, const struct document *other)
{
    return other != key && !key_revoked(v, other) &&
           (key_lost(v, key) ? key_lost(v, other) : str_eq(view_state(v, other), "deleted"));
}

static const struct document *leader(const struct view *v, const struct document *key)
{
    const struct document *first = newer_ordered(v, key), *other;
    const struct index_entry *at = NULL;

    if (first)
        return first;
    while ((other = key_same_next(v, key, &at)))
        if (gone_alike(v, key, other) && leads(v, other, first ? first : key))
            first = other;
    return first;
}

const struct document *key_comes_with(const struct view *v, const struct document *key)
{
    const struct document *first = NULL, *next = key;

    if (!key_lost(v, key) && (!str_eq(view_state(v, key), "deleted") || key_revoked(v, key)))
        return NULL;
    /* Whom one comes with may itself come with another. */
    for (size_t hops = 0; next && hops < v->desired->count; hops++)
        if ((next = leader(v, next)))
            first = next;
    return first == key ? NULL : first;
}

bool key_comes_with_newer(const struct view *v, const struct document *key)
{
    return key_lost(v, key) && newer_ordered(v, key) != NULL;
}

void key_serve_with(const struct view *v, const struct document *key, struct steps *out, struct step *step)
{
    const struct index_entry *at = NULL;
    const struct document *other;

    while ((other = key_same_next(v, key, &at)))
        if (other != key && key_comes_with(v, other) == key)
            order_serve(v, other, out, step);
}

void key_note_left_out(const struct view *v, const struct document *key, struct steps *out, struct step *step)
{
    const char *version = key_needed(v, key).version;
    const struct index_entry *at = NULL;
    const struct document *other;

    while ((other = key_same_next(v, key, &at))) {
        struct key_need its;

        if (!same_lost_key(v, key, other))
            continue;
        its = key_needed(v, other);
        if (its.version && its.point_ms == TIME_NONE && !str_eq_nocase(its.version, version))
            step_note(out, step,
                      "%s declares version %s of the same key, and no order needs it yet: a copy may hold only the "
                      "versions of its "
                      "point's time, or the disk's own; it takes the name, and what it lacks cannot come back beside "
                      "it (unverified on "
                      "Azure). Ordered together, the later point pays for both",
                      other->address, its.version);
    }
}

bool key_wants_export(const struct view *v, const struct document *key)
{
    const char *elsewhere = value_str_at(key_elsewhere(v, key), "state");

    /* A store that has refused one copy of the key would refuse what a pass exports, and the pass is
     * a restore that fails. */
    return key_lost(v, key) && key_own_copy(v, key).kind == KEY_COPY_NONE && !key_refusal(v, key) &&
           !key_comes_with(v, key) && !str_eq(elsewhere, "present") && !str_eq(elsewhere, "deleted");
}

static bool as_declared(const struct view *v, const struct document *key)
{
    return str_eq(view_state(v, key), "present") && key_live(v, key) &&
           key_standing_of(v, key, key_needed(v, key).version).stand == KEY_STANDS;
}

const struct document *key_awaiting_export(const struct view *v, const struct document *pvm)
{
    const struct document *key;
    size_t at = 0;

    while ((key = referrer_next(pvm, "Key", &at)))
        if (!key_revoked(v, key) && !as_declared(v, key))
            return key;
    return NULL;
}
