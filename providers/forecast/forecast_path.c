/* Knows the way from what is so to a restored machine: which remedies, in which order, and how long they take. Must not
 * know how likely it is. */
#include "forecast_path.h"

#include "../backup/points.h"
#include "../keys/copies.h"
#include "../restore/estimate.h"

/* What a remedy takes; the restore itself is apart. */
static const struct {
    enum dx_remedy remedy;
    int64_t ms;
    const char *source;
} durations[] = {
    {DX_GRANT, 10 * MINUTE_MS, "grants act within 10 min"},
    {DX_ENABLE_KEY, 30 * SECOND_MS, "a key's attributes change within seconds"},
    {DX_RECOVER_KEY, 30 * SECOND_MS, "recorded recoveries of keys"},
    {DX_RECOVER_STORE, 2 * MINUTE_MS, "recorded recoveries of vaults"},
    {DX_NEW_SET, 30 * SECOND_MS, "recorded writes of disk encryption sets"},
    {DX_OWN_COPY, MINUTE_MS, "recorded restores of keys"},
    {DX_EXPORT_PASS, 27 * MINUTE_MS, "one field report of a failing pass (26 min)"},
};

static bool in_vault(const struct value *point)
{
    return str_eq(value_str_at(point, "vault"), "valid");
}

static bool remedy_possible(const struct outlook *o, enum dx_remedy remedy)
{
    switch (remedy) {
    case DX_OWN_COPY:
        return o->key && key_own_copy(o->view, o->key).kind != KEY_COPY_NONE;
    case DX_EXPORT_PASS:
        return in_vault(o->point);
    case DX_VAULT_POINT:
        return !in_vault(o->point) && protected_vm_newest_vault_point(o->view, o->pvm);
    case DX_PERSON:
        return false;
    default:
        return true;
    }
}

/* What mends the grants behind the key: a firewall that keeps somebody out is no missing grant. None: nothing is to be.
 */
static enum dx_remedy grants_remedy(const struct outlook *o)
{
    switch (o->situation->now.grants) {
    case DX_GRANTS_OK:
        return DX_REMEDY_NONE;
    case DX_GRANTS_FIREWALL:
        return DX_OPEN_TO_AZURE;
    case DX_GRANTS_ORCHESTRATOR_SHUT:
    case DX_GRANTS_ORCHESTRATOR_UNSURE:
        return DX_OPEN_TO_GUEST;
    default:
        return DX_GRANT;
    }
}

/* What brings back the key, or the store that holds it. */
static bool mends_key(enum dx_remedy r)
{
    return r == DX_ENABLE_KEY || r == DX_KEY_VALID || r == DX_RECOVER_KEY || r == DX_RECOVER_STORE ||
           r == DX_OWN_COPY || r == DX_EXPORT_PASS;
}

/* The first of them that mends the key and is possible; none. `ret_person`: a person has to act before it. */
static enum dx_remedy key_remedy(const struct outlook *o, const enum dx_remedy *remedies, bool *ret_person)
{
    bool person = false;

    for (size_t i = 0; remedies[i]; i++) {
        person = person || remedies[i] == DX_PERSON;
        if (mends_key(remedies[i]) && remedy_possible(o, remedies[i])) {
            *ret_person = person;
            return remedies[i];
        }
    }
    *ret_person = dx_has(remedies, DX_PERSON);
    return DX_REMEDY_NONE;
}

/* The first that needs no key brought back; none. */
static enum dx_remedy other_remedy(const struct outlook *o, const enum dx_remedy *remedies)
{
    for (size_t i = 0; remedies[i]; i++)
        if (!mends_key(remedies[i]) && remedies[i] != DX_NEW_SET && remedies[i] != DX_OTHER_KEY &&
            remedy_possible(o, remedies[i]))
            return remedies[i];
    return DX_REMEDY_NONE;
}

static bool any_mends_key(const enum dx_remedy *remedies)
{
    for (size_t i = 0; remedies[i]; i++)
        if (mends_key(remedies[i]))
            return true;
    return false;
}

const enum dx_remedy *path_of(const struct outlook *o, const enum dx_remedy *remedies, bool *ret_person)
{
    enum dx_remedy *chosen = arena_array(o->arena, enum dx_remedy, DX_REMEDY_COUNT), grants = grants_remedy(o);
    enum dx_remedy first = DX_REMEDY_NONE;
    bool keyed = any_mends_key(remedies);
    size_t n = 0;

    *ret_person = false;
    if (keyed)
        first = key_remedy(o, remedies, ret_person);
    if (first)
        chosen[n++] = first;
    if ((!keyed || first) && dx_has(remedies, DX_NEW_SET))
        chosen[n++] = DX_NEW_SET;
    if (n && (dx_has(remedies, DX_RECOVER_STORE) || dx_has(chosen, DX_NEW_SET) || grants == DX_GRANT))
        chosen[n++] = DX_GRANT;
    if (n && grants && grants != DX_GRANT)
        chosen[n++] = grants;
    if (!n && (first = other_remedy(o, remedies)))
        chosen[n++] = first;
    if (!n && dx_has(remedies, DX_PERSON))
        *ret_person = true;
    return chosen;
}

bool path_names_set(const struct forecast *f)
{
    if (f->after.row)
        return f->after_given != DX_GIVEN_NOTHING;
    return dx_has(f->remedies, DX_NEW_SET) || dx_has(f->remedies, DX_EXPORT_PASS) ||
           (f->outlook.situation->given != DX_GIVEN_NOTHING && f->outlook.rvm);
}

static void estimate(struct forecast *f)
{
    const char *sources;
    int64_t ms = restored_vm_estimate_of(f->outlook.situation, path_names_set(f), &sources);

    for (const enum dx_remedy *r = f->remedies; *r; r++)
        for (size_t i = 0; i < COUNT(durations); i++)
            if (durations[i].remedy == *r) {
                ms += durations[i].ms;
                sources = arena_printf(f->outlook.arena, "%s; %s", sources, durations[i].source);
            }
    f->estimate_ms = ms;
    f->estimate_source = sources;
}

static const char *restore_words(const struct forecast *f)
{
    const struct value *point = f->outlook.point;
    bool snapshot = restored_vm_tier(f->outlook.situation, path_names_set(f)) == DX_SNAPSHOT_ONLY;

    return arena_printf(f->outlook.arena, "%s from point %s of %s (%s)",
                        path_names_set(f) ? "a restore on the declared set" : "a plain restore",
                        value_str_at(point, "id"), protected_vm_point_time(point),
                        snapshot && in_vault(point) ? "both tiers; Azure takes the snapshot"
                                                    : protected_vm_tier_words(f->outlook.arena, point));
}

static const char *remedy_words(const struct forecast *f, enum dx_remedy remedy)
{
    if (remedy == DX_EXPORT_PASS)
        return "a restore that fails and exports the key, the key restored from it";
    return remedy == DX_OWN_COPY && !remedy_possible(&f->outlook, DX_OWN_COPY)
               ? "the key restored from the copy that an earlier restore exported"
               : dx_remedy_words(remedy);
}

void path_tell(struct forecast *f, bool person)
{
    const char *words = person ? "a person first; then " : "";

    if (dx_has(f->remedies, DX_VAULT_POINT)) {
        f->path = dx_remedy_words(DX_VAULT_POINT);
        f->estimate_ms = restored_vm_estimate(DX_VAULT, &f->estimate_source);
        return;
    }
    for (const enum dx_remedy *r = f->remedies; *r; r++)
        words = arena_printf(f->outlook.arena, "%s%s; then ", words, remedy_words(f, *r));
    f->path = arena_printf(f->outlook.arena, "%s%s", words, restore_words(f));
    estimate(f);
}
