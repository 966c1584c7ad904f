/* Knows how what hangs on a thing, and what the scenario table says of each recovery point before and after, become one
 * answer. Must not know how the thing was named, nor what facts look like without it (impact_target.c). */
#include "impact.h"

#include <string.h>

#include "../backup/points.h"
#include "forecast.h"

/* --- one point ---------------------------------------------------------------------------------------------------- */

static struct forecast better(struct forecast x, struct forecast y)
{
    return y.restorable > x.restorable ? y : x;
}

/* As things are at one time, and what an order would come to then. */
struct moment {
    struct view v, ordered;
};

/* The forecast of the best restore declared for this VM, as the command forecast judges it; without a declared one, of
 * a plain restore. */
static struct forecast chance_of(const struct moment *m, const struct document *pvm, const struct value *point)
{
    struct forecast_options options = forecast_options_default;
    struct forecast best = {0};
    const struct document *rvm;
    bool any = false;
    size_t at = 0;

    options.ordered = &m->ordered;
    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        struct forecast f = forecast_at(&m->v, &options, pvm, rvm, point);

        best = any ? better(best, f) : f;
        any = true;
    }
    return any ? best : forecast_at(&m->v, &options, pvm, NULL, point);
}

static struct value *chance_value(const struct view *v, const struct forecast *f)
{
    struct value *c = value_map(v->arena), *path = value_list(v->arena);

    value_set_string(v->arena, c, "scenario", f->scenario);
    value_set_string(v->arena, c, "outcome", dx_outcome_words(f->prediction.outcome));
    value_set_string(v->arena, c, "code", f->prediction.code);
    value_set_string(v->arena, c, "state", f->state);
    value_set_string(v->arena, c, "restorable", restorable_word(f->restorable));
    value_set_string(v->arena, c, "as", f->outlook.rvm ? f->outlook.rvm->address : NULL);
    for (size_t i = 0; f->remedies[i]; i++)
        value_push(v->arena, path, value_string(v->arena, dx_remedy_words(f->remedies[i])));
    value_set(v->arena, c, "path", path);
    return c;
}

/* --- every point -------------------------------------------------------------------------------------------------- */

struct horizon {
    struct moment now, then, purged;
    bool purges; /* there is a time after the soft delete */
};

static const char *tier_of(const struct value *point)
{
    return str_eq(value_str_at(point, "vault"), "valid")      ? "vault"
           : str_eq(value_str_at(point, "snapshot"), "valid") ? "snapshot"
           : protected_vm_tiers_unseen(point)                 ? "unseen"
           : protected_vm_point_archived(point)               ? "archive"
                                                              : "none";
}

/* POINT_WORSE: the point comes back less surely, or in another way; it was added. POINT_UNTOLD: nobody can see how it
 * stands today, so it must not be told as unaffected. */
enum point_fate { POINT_AS_BEFORE, POINT_UNTOLD, POINT_WORSE };

static enum point_fate point_judge(const struct horizon *h, const struct document *pvm, const struct value *point,
                                   struct value *points)
{
    struct arena *a = h->now.v.arena;
    struct forecast now = chance_of(&h->now, pvm, point), then = chance_of(&h->then, pvm, point),
                    purged = h->purges ? chance_of(&h->purged, pvm, point) : then;
    struct value *f;

    if (then.restorable >= now.restorable && purged.restorable >= now.restorable &&
        then.prediction.row == now.prediction.row)
        return now.restorable == RESTORABLE_UNKNOWN ? POINT_UNTOLD : POINT_AS_BEFORE;
    f = value_map(a);
    value_set_string(a, f, "virtualMachine", pvm->name);
    value_set_string(a, f, "recoveryPoint", value_str_at(point, "id"));
    value_set_string(a, f, "time", value_str_at(point, "time"));
    value_set_string(a, f, "tier", tier_of(point));
    value_set(a, f, "now", chance_value(&h->now.v, &now));
    value_set(a, f, "then", chance_value(&h->then.v, &then));
    if (h->purges)
        value_set(a, f, "afterPurge", chance_value(&h->purged.v, &purged));
    value_push(a, points, f);
    return POINT_WORSE;
}

static void points_judge(const struct horizon *h, struct value *impact)
{
    struct arena *a = h->now.v.arena;
    struct value *points = value_set(a, impact, "points", value_list(a));
    int64_t of[POINT_WORSE + 1] = {0};

    for (size_t i = 0; i < h->now.v.desired->count; i++) {
        const struct document *pvm = h->now.v.desired->documents[i];
        const struct value *all =
            str_eq(pvm->kind, "ProtectedVirtualMachine") ? value_get(view_facts(&h->now.v, pvm), "points") : NULL;

        for (size_t k = 0; k < value_count(all); k++)
            of[point_judge(h, pvm, value_item(all, k), points)]++;
    }
    value_set_int(a, impact, "unaffected", of[POINT_AS_BEFORE]);
    value_set_int(a, impact, "untold", of[POINT_UNTOLD]);
}

/* --- what stops --------------------------------------------------------------------------------------------------- */

/* Only what is proved counts as needing; the rest may be spared. */
static struct lineage proved_only(struct arena *a, const struct lineage *l)
{
    struct lineage sure = {.nodes = l->nodes, .n_nodes = l->n_nodes};

    for (size_t i = 0; i < l->n_edges; i++)
        if (l->edges[i].proved)
            arena_push(a, sure.edges, sure.n_edges, l->edges[i]);
    return sure;
}

static void strike(const struct lineage *l, const struct impact_target *t, bool *marked)
{
    for (size_t i = 0; i < l->n_nodes; i++)
        marked[i] = impact_strikes(t, &l->nodes[i]);
    lineage_spread(l, marked);
}

static void stops_tell(const struct view *v, const struct impact_target *t, struct value *impact)
{
    struct arena *a = v->arena;
    struct lineage l = lineage_of(v), sure = proved_only(a, &l);
    bool *struck = arena_array(a, bool, l.n_nodes + 1), *surely = arena_array(a, bool, l.n_nodes + 1);
    struct value *stops = value_set(a, impact, "stops", value_list(a)),
                 *keys = value_set(a, impact, "keys", value_list(a));
    int64_t unknown = 0;

    strike(&l, t, struck);
    strike(&sure, t, surely);
    for (size_t i = 0; i < l.n_nodes; i++) {
        const struct lineage_node *n = &l.nodes[i];
        bool stands = !str_eq(n->state, "absent") && !str_eq(n->state, "unknown");
        struct value *f;

        if (struck[i] && n->kind == LINEAGE_VERSION && t->kind == LINEAGE_STORE)
            value_push(a, keys, value_string(a, n->id));
        if (!struck[i] || !stands || n->kind == LINEAGE_STORE || n->kind == LINEAGE_VERSION ||
            n->kind == LINEAGE_POINT || impact_strikes(t, n))
            continue;
        f = value_map(a);
        value_set_string(a, f, "kind", lineage_kind_words(n->kind));
        value_set_string(a, f, "name", n->name);
        value_set_string(a, f, "id", n->id);
        value_set_bool(a, f, "sure", surely[i]);
        value_push(a, stops, f);
    }
    for (size_t i = 0; i < l.n_edges; i++)
        unknown +=
            l.nodes[l.edges[i].from].kind == LINEAGE_POINT && str_starts(l.nodes[l.edges[i].to].id, LINEAGE_UNKNOWN);
    value_set_int(a, impact, "unknown", unknown);
}

/* --- until when it can be undone ---------------------------------------------------------------------------------- */

static const struct document *store_of(const struct view *v, const char *base)
{
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if ((str_eq(doc->kind, "KeyVault") || str_eq(doc->kind, "ManagedHsm")) &&
            str_eq_nocase(value_str_at(view_facts(v, doc), "base"), base))
            return doc;
    }
    return NULL;
}

/* Days for which the store keeps what was deleted; 0: not known. */
static int64_t retention_days(const struct view *v, const struct impact_target *t)
{
    int64_t days = value_int_at(view_facts(v, store_of(v, t->base)), "live.properties.softDeleteRetentionInDays", 0);

    for (size_t i = 0; !days && i < v->desired->count; i++)
        if (str_eq_nocase(value_str_at(view_facts(v, v->desired->documents[i]), "base"), t->base))
            days = value_int_at(view_facts(v, v->desired->documents[i]), "live.attributes.recoverableDays", 0);
    return days;
}

static void undo_deletion(const struct view *v, const struct impact_target *t, struct value *undo)
{
    const struct document *store = store_of(v, t->base);
    const struct value *live = value_get(view_facts(v, store), "live");
    const struct value *soft = value_at(live, "properties.enableSoftDelete"),
                       *purge = value_at(live, "properties.enablePurgeProtection");
    int64_t days = retention_days(v, t);
    bool off = value_is(soft, VALUE_BOOL) && !soft->b, hsm = store && str_eq(store->kind, "ManagedHsm");

    value_set_bool(v->arena, undo, "possible", !off);
    if (off) {
        value_set_string(v->arena, undo, "how", "soft delete is off: what is deleted is gone at once");
        return;
    }
    if (days)
        value_set_string(v->arena, undo, "until",
                         time_format(v->arena, v->now_ms / SECOND_MS * SECOND_MS + days * DAY_MS));
    value_set_string(v->arena, undo, "how",
                     t->kind == LINEAGE_STORE && hsm
                         ? "recover the managed HSM; its local role assignments may not come back with it: "
                           "look at them, and grant anew what is missing"
                     : t->kind == LINEAGE_STORE
                         ? "recover the key vault; its role assignments do not come back with it and are granted anew"
                         : "recover the key: it comes back with every version and the same URLs");
    if (live && !(value_is(purge, VALUE_BOOL) && purge->b))
        value_set_string(v->arena, undo, "risk", "purge protection is off: whoever may purge can end it sooner");
    else if (!live)
        value_set_string(v->arena, undo, "risk",
                         "the store could not be seen: whether purge protection is on is not known");
}

/* --- what is so already ------------------------------------------------------------------------------------------- */

/* The document that declares what is meant; NULL. */
static const struct document *declared(const struct view *v, const struct impact_target *t)
{
    if (t->kind == LINEAGE_STORE)
        return store_of(v, t->base);
    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *facts = view_facts(v, doc);

        if (t->kind == LINEAGE_SET
                ? str_eq(doc->kind, "DiskEncryptionSet") && arm_id_equal(disk_encryption_set_id(v->arena, doc), t->id)
                : str_eq(doc->kind, "Key") && str_eq_nocase(value_str_at(facts, "base"), t->base) &&
                      str_eq_nocase(value_str_at(facts, "name"), t->name))
            return doc;
    }
    return NULL;
}

static bool all_disabled(const struct value *facts, const char *version)
{
    const struct value *versions = value_get(facts, "versions");
    size_t n = 0;

    for (size_t i = 0; i < value_count(versions); i++) {
        if (version && !str_eq_nocase(value_str_at(value_item(versions, i), "version"), version))
            continue;
        if (value_bool_at(value_item(versions, i), "enabled", true))
            return false;
        n++;
    }
    return n > 0;
}

/* When what is soft-deleted will be purged; NULL: not said. */
static const char *purge_date(const struct view *v, const struct impact_target *t, const struct value *facts)
{
    int64_t s = value_int_at(facts, "deleted.scheduledPurgeDate", 0);

    return t->kind == LINEAGE_STORE ? value_str_at(facts, "deleted.properties.scheduledPurgeDate")
           : s                      ? time_format(v->arena, s * SECOND_MS)
                                    : NULL;
}

/* true: it is so already, and until when that can be undone is known from what is there. */
static bool already_tell(const struct view *v, const struct impact_target *t, struct value *impact, struct value *undo)
{
    const struct document *doc = declared(v, t);
    const char *state = doc ? view_state(v, doc) : NULL, *until = purge_date(v, t, view_facts(v, doc));

    if (str_eq(state, "absent")) {
        value_set_string(v->arena, impact, "already",
                         t->kind == LINEAGE_SET ? "does not exist" : "is purged, or never was there");
        value_set_bool(v->arena, undo, "possible", false);
        value_set_string(v->arena, undo, "how",
                         "it is gone already; reinstate forecast tells what the backups can bring back");
    } else if (str_eq(state, "deleted")) {
        value_set_string(v->arena, impact, "already", "is soft-deleted already");
        value_set_bool(v->arena, undo, "possible", true);
        value_set_string(v->arena, undo, "until", until);
        value_set_string(v->arena, undo, "how", "recover it before it is purged: reinstate apply -f ...");
    } else if (t->act == IMPACT_DISABLE && all_disabled(view_facts(v, doc), t->version)) {
        value_set_string(v->arena, impact, "already", "is disabled already");
        value_set_bool(v->arena, undo, "possible", true);
        value_set_string(v->arena, undo, "how", "enable the key version again, at any time");
    } else {
        return false;
    }
    return true;
}

static void undo_tell(const struct view *v, const struct impact_target *t, struct value *impact)
{
    struct value *undo = value_set(v->arena, impact, "undo", value_map(v->arena));

    if (already_tell(v, t, impact, undo))
        return;
    if (t->act == IMPACT_DISABLE) {
        value_set_bool(v->arena, undo, "possible", true);
        value_set_string(v->arena, undo, "how", "enable the key version again, at any time");
    } else if (t->kind == LINEAGE_SET) {
        value_set_bool(v->arena, undo, "possible", false);
        value_set_string(
            v->arena, undo, "how",
            "a disk encryption set has no soft delete; one made anew has a new identity, which needs its grants");
    } else {
        undo_deletion(v, t, undo);
    }
}

/* --- what cannot be seen ------------------------------------------------------------------------------------------ */

static void unseen_add(struct arena *a, struct value *list, const struct document *doc, const struct value *facts,
                       const char *why)
{
    struct value *one = value_map(a);

    value_set_string(a, one, "document", doc->address);
    why = why ? why : value_str_at(facts, "why");
    value_set_string(a, one, "why", why ? why : "it was not looked at");
    value_set_string(a, one, "fix", unseen_fix(facts, "give the credential the right to read it"));
    value_push(a, list, one);
}

/* Whatever is not seen may hang on the target: a list of the rest must not look like the whole. */
static void unseen_tell(const struct view *v, struct value *impact)
{
    struct value *list = value_set(v->arena, impact, "unseen", value_list(v->arena));

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        const struct value *facts = view_facts(v, doc), *users = value_get(facts, "associatedResources");

        /* A document that describes the run has no facts. */
        if (facts && str_eq(view_state(v, doc), "unseen"))
            unseen_add(v->arena, list, doc, facts, NULL);
        else if (str_eq(value_str_at(facts, "source.state"), "unseen"))
            unseen_add(v->arena, list, doc, value_get(facts, "source"), NULL);
        else if (str_eq(value_str(value_item(users, 0)), DES_USERS_UNLISTED))
            unseen_add(v->arena, list, doc, NULL, "what uses the disk encryption set cannot be listed");
    }
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static struct moment moment_of(const struct concluder *c, struct view v)
{
    struct moment m;

    c->conclude(c->ctx, &v, SUPPOSE_NOTHING, &m.v);
    c->conclude(c->ctx, &v, SUPPOSE_LOSS, &m.ordered);
    return m;
}

struct value *impact_of(const struct view *v, const struct impact_target *t, const struct concluder *concluder)
{
    struct value *impact = value_map(v->arena);
    struct horizon h = {
        .now = moment_of(concluder, *v),
        .then = moment_of(concluder, impact_view(v, t, false)),
        .purged = moment_of(concluder, impact_view(v, t, true)),
        .purges = t->act == IMPACT_DELETE && t->kind != LINEAGE_SET,
    };

    value_set_string(v->arena, impact, "action", t->act == IMPACT_DISABLE ? "disable" : "delete");
    value_set_string(v->arena, impact, "target", t->label);
    value_set_string(v->arena, impact, "kind",
                     t->kind == LINEAGE_VERSION && !t->version ? "key" : lineage_kind_words(t->kind));
    stops_tell(v, t, impact);
    points_judge(&h, impact);
    undo_tell(v, t, impact);
    unseen_tell(v, impact);
    value_set_bool(v->arena, impact, "dies",
                   value_count(value_get(impact, "stops")) > 0 || value_count(value_get(impact, "points")) > 0);
    return impact;
}
