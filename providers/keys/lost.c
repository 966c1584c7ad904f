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

static bool same_lost_key(const struct view *v, const struct document *key, const struct document *other)
{
    return other != key && key_lost(v, other);
}

const struct document *key_comes_with(const struct view *v, const struct document *key)
{
    const struct document *first = NULL, *other;
    const struct index_entry *at = NULL;
    struct key_need need = key_needed(v, key);
    int64_t latest_ms = need.point_ms;

    if (!key_lost(v, key) || need.point_ms == TIME_NONE)
        return NULL;
    while ((other = key_same_next(v, key, &at))) {
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
