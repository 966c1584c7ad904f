/* Knows what tells a revoked key, an impostor and a mistyped declaration from each other. Must not know
 * what is done about it. */
#include "standing.h"

#include "shown.h"

#include <stdlib.h>

#include "../azure/key_id.h"
#include "../azure/vault.h"
#include "key_facts.h"
#include "original.h"

/* --- which key ---------------------------------------------------------------------------------------------------- */

/* How well a document fits that version of its key: 3, it names the version; 2, it names none; 1,
 * it names another one. */
static int fit_of(const struct document *doc, const char *version)
{
    const char *its = value_str_at(doc->spec, "version");

    return !its ? 2 : version && str_eq_nocase(its, version) ? 3 : 1;
}

const struct document *key_document_at(const struct view *v, const char *url)
{
    const char *version = url ? key_url_version(v->arena, url) : NULL;
    const struct document *best = NULL, *doc;
    const struct index_entry *at = NULL;

    while (url && (doc = key_at_next(v, url, &at)))
        if (!best || fit_of(doc, version) > fit_of(best, version))
            best = doc;
    return best;
}

/* --- revoked ------------------------------------------------------------------------------------------------------ */

/* The version that a document without one means: what an ordered point needs, else what is live now.
 * NULL: nobody can tell. */
static const char *version_meant(const struct view *v, const struct document *key)
{
    const char *declared = value_str_at(key->spec, "version");
    struct key_need need;

    if (declared)
        return declared;
    need = key_needed(v, key);
    return need.version || need.conflict ? need.version : value_str_at(view_facts(v, key), "newest");
}

const char *key_revoked(const struct view *v, const struct document *key)
{
    /* Which version is meant is asked only where some document revokes one. */
    return key && key_version_revoked(v, key, NULL) ? key_version_revoked(v, key, version_meant(v, key)) : NULL;
}

/* --- words -------------------------------------------------------------------------------------------------------- */

static int newest_first(const void *x, const void *y)
{
    const struct value *a = *(const struct value *const *)x, *b = *(const struct value *const *)y;
    int64_t one = value_int_at(a, "created", 0), other = value_int_at(b, "created", 0);

    return one < other ? 1 : one > other ? -1 : 0;
}

const char *key_versions_words(struct arena *a, const struct value *versions)
{
    enum { TOLD_MAX = 6 };
    size_t n = value_count(versions);
    const struct value **items = arena_array(a, const struct value *, n + 1);
    const char *words = "";

    for (size_t i = 0; i < n; i++)
        items[i] = value_item(versions, i);
    qsort(items, n, sizeof(*items), newest_first);
    for (size_t i = 0; i < n && i < TOLD_MAX; i++)
        words = arena_printf(a, "%s%s%s (created %s)", words, i ? ", " : "", value_str_at(items[i], "version"),
                             time_format(a, value_int_at(items[i], "created", 0) * SECOND_MS));
    return n > TOLD_MAX ? arena_printf(a, "%s and %zu older ones", words, n - TOLD_MAX) : words;
}

/* --- the conclusion ----------------------------------------------------------------------------------------------- */

static struct key_standing revoked_standing(const struct view *v, const char *reason)
{
    return (struct key_standing){
        .stand = KEY_REVOKED,
        .words = arena_printf(
            v->arena,
            "the key is revoked (%s): no set is made on it, nobody is granted anything on it, nothing is restored with "
            "it, and it is not brought back",
            reason),
        .next = "order a recovery point whose disk another key wraps; or declare a new key with a set on it, which a "
                "restore may be "
                "given where policy follows the edition of 2026-07 (row R-08) and the revoked key can still be read",
    };
}

/* `what`: which of the declared key is missing, "not version …". */
static struct key_standing impostor_standing(const struct view *v, const char *what, const char *why)
{
    return (struct key_standing){
        .stand = KEY_IMPOSTOR,
        .words = arena_printf(v->arena,
                              "a key of this name is there, but %s: the name was taken by another key, so the old one "
                              "cannot be restored here%s%s",
                              what, why ? "; " : "", why ? why : ""),
        .next = KEY_TAKEN_ADVICE,
    };
}

static struct key_standing unseen_standing(const struct view *v, const struct document *key, const char *version,
                                           int64_t last_ms)
{
    const struct value *versions = value_get(view_facts(v, key), "versions"), *best = NULL;
    const char *by = NULL, *meant = key_used_instead(v, key, &by);
    struct key_standing s = {.stand = KEY_NEVER_SEEN};

    for (size_t i = 0; !meant && i < value_count(versions); i++) {
        int64_t created = value_int_at(value_item(versions, i), "created", 0);

        if (created * SECOND_MS <= last_ms && (!best || created > value_int_at(best, "created", 0)))
            best = value_item(versions, i);
    }
    s.meant = meant ? meant : value_str_at(best, "version");
    s.words = arena_printf(
        v->arena, "the declared version %s was never seen; the key has %s%s%s%s", version,
        key_versions_words(v->arena, versions), meant ? "; the set in use points to " : "", meant ? meant : "",
        meant ? arena_printf(v->arena, " (%s)", by)
              : arena_printf(v->arena, "; the newest not later than the newest recovery point is %s", s.meant));
    s.next = arena_printf(v->arena, "a person compares, and corrects spec.version of %s: most likely %s is meant",
                          key->address, s.meant);
    return s;
}

/* The key came back from a copy that was taken before this version was made, or that holds the
 * disk's own version only. */
static struct key_standing left_out_standing(const struct view *v, const struct document *key, const char *version,
                                             const struct document *other)
{
    return (struct key_standing){
        .stand = KEY_IMPOSTOR,
        .words = arena_printf(
            v->arena,
            "the key is there without version %s: it has %s, as %s declares; a copy that lacks this version took the "
            "name, so it cannot be restored beside it",
            version, key_versions_words(v->arena, value_get(view_facts(v, key), "versions")), other->address),
        .next = arena_printf(v->arena,
                             "declare another key vault for %s: a copy of a point that is wrapped with this version "
                             "brings it back there; "
                             "nothing is deleted here",
                             key->address),
    };
}

static struct key_standing misnamed_standing(const struct view *v, const struct document *key, const char *url,
                                             const char *by)
{
    const char *version = key_url_version(v->arena, url);
    struct key_id id;
    bool parsed = key_id_parse(v->arena, url, &id);

    return (struct key_standing){
        .stand = KEY_MISNAMED,
        .meant = version,
        .words = arena_printf(v->arena,
                              "the declared name %s is not that of the key: version %s is seen at %s (%s), and a "
                              "version is one key's alone",
                              value_str_at(view_facts(v, key), "name"), version, url, by),
        .next = arena_printf(v->arena, "a person compares, and corrects spec.keyName of %s: most likely %s is meant",
                             key->address, parsed ? id.name : url),
    };
}

/* The time that a key without a declared version must be as old as: that of the ordered point, else of the newest point
 * of the backups it is wanted for, unless a set in use is on it, as the set of a machine that was just put on a new key
 * is. TIME_NONE: a key of any age will do; so it is for a new key beside the old one, which the edition of 2026-07 lets
 * a restore name (row R-08). */
static int64_t needed_at_ms(const struct view *v, const struct document *key)
{
    struct key_need need = key_needed(v, key);
    const char *by;

    if (str_eq(v->settings->article, "2026-07") && !key_source_declared(key, "azureBackup"))
        return TIME_NONE;
    if (need.point_ms != TIME_NONE)
        return need.point_ms;
    return key_used_instead(v, key, &by) ? TIME_NONE : key_last_use_ms(v, key);
}

/* A key keeps its versions. If none is as old as the recovery points, another key has taken the name of
 * the one they need. */
static struct key_standing undeclared_standing(const struct view *v, const struct document *key)
{
    const struct value *versions = value_get(view_facts(v, key), "versions");
    const char *what;
    int64_t needed_ms;

    if (!str_eq(view_state(v, key), "present") || !value_count(versions))
        return (struct key_standing){0};
    needed_ms = needed_at_ms(v, key);
    if (needed_ms == TIME_NONE || key_oldest_before(versions, needed_ms))
        return (struct key_standing){0};
    what = arena_printf(v->arena,
                        "none of its versions is as old as the recovery point of %s that it is needed for: it has %s",
                        time_format(v->arena, needed_ms), key_versions_words(v->arena, versions));
    return impostor_standing(v, what, NULL);
}

static struct key_standing missing_standing(const struct view *v, const char *version, const char *why)
{
    return impostor_standing(v, arena_printf(v->arena, "not version %s", version), why);
}

struct key_standing key_standing_of(const struct view *v, const struct document *key, const char *version)
{
    const struct value *versions = value_get(view_facts(v, key), "versions");
    const char *declared = key ? value_str_at(key->spec, "version") : NULL, *revoked = key_revoked(v, key), *shown, *by;
    const struct document *other;
    const char *otherwise;

    if (revoked)
        return revoked_standing(v, revoked);
    version = version ? version : declared;
    otherwise = key && version ? key_misnamed(v, key, version, &by) : NULL;
    if (otherwise)
        return misnamed_standing(v, key, otherwise, by);
    if (key && !version)
        return undeclared_standing(v, key);
    if (!key || !key_version_missing(v, key, version))
        return (struct key_standing){0};
    shown = key_shown_by(v, key, version);
    if (shown || !str_eq_nocase(version, declared) || !versions)
        return missing_standing(v, version, shown);
    other = key_declared_beside(v, key);
    if (other)
        return left_out_standing(v, key, version, other);
    if (key_never_seen(v, key, version))
        return unseen_standing(v, key, version, key_last_use_ms(v, key));
    return missing_standing(v, version, NULL);
}

/* --- what relies on it -------------------------------------------------------------------------------------------- */

static bool asks_for(const struct view *v, const struct document *doc, const struct document *key)
{
    const struct document *store = document_target(key, "spec.store");
    const struct reference *ref = document_reference(doc, "spec.key");
    const char *id;

    if (str_eq(doc->kind, "DiskEncryptionSet") || str_eq(doc->kind, "KeyAccess"))
        return ref && (ref->target == key || key_url_of(v, key, ref->url));
    if (str_eq(doc->kind, "KeyVaultAccessPolicy"))
        return store && document_target(doc, "spec.vault") == store;
    if (str_eq(doc->kind, "ManagedHsmRoleAssignment"))
        return store && document_target(doc, "spec.hsm") == store;
    id = str_eq(doc->kind, "RoleAssignment") && store && str_eq(store->kind, "KeyVault") ? key_vault_id(v->arena, store)
                                                                                         : NULL;
    return id && str_starts_nocase(value_str_at(doc->spec, "scope"), id);
}

bool key_relied_on(const struct view *v, const struct document *key)
{
    for (size_t i = 0; i < v->desired->count; i++)
        if (asks_for(v, v->desired->documents[i], key))
            return true;
    return false;
}

/* --- grants ------------------------------------------------------------------------------------------------------- */

/* A grant for a whole store serves its other keys too: it is held up only where every declared one is. */
void key_guard_grant(const struct view *v, struct steps *out, struct step *step, const struct document *store,
                     const char *key_name)
{
    const struct document *barred = NULL, *doc;
    size_t at = 0;

    while (store && (doc = referrer_next(store, "Key", &at))) {
        const char *name = value_str_at(view_facts(v, doc), "name");

        if (document_target(doc, "spec.store") != store || (key_name && !str_eq_nocase(name, key_name)))
            continue;
        if (key_standing_of(v, doc, NULL).stand == KEY_STANDS)
            return;
        barred = barred ? barred : doc;
    }
    step_on(out, step, barred);
}
