/* Knows how steps become a plan: their order, their digest, how a saved plan differs from a fresh one. Must not know
 * why steps are there nor read anything: documents and facts are only hashed. */
#include "plan.h"

#include <stdlib.h>
#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../format/crypt.h"
#include "../format/json.h"
#include "graph.h"

/* --- order -------------------------------------------------------------------------------------------------------- */

/* Steps by id, so that ten thousand of them are no trouble. */
struct place {
    const char *id;
    size_t at;
};

static int place_before(const void *a, const void *b)
{
    const struct place *x = a, *y = b;
    int by_id = strcmp(x->id, y->id);

    return by_id ? by_id : (x->at > y->at) - (x->at < y->at);
}

static int place_is(const void *id, const void *place)
{
    return strcmp(id, ((const struct place *)place)->id);
}

static struct place *places_make(struct arena *a, const struct steps *steps)
{
    struct place *places = arena_array(a, struct place, steps->count + 1);

    for (size_t i = 0; i < steps->count; i++)
        places[i] = (struct place){.id = steps->items[i]->id, .at = i};
    qsort(places, steps->count, sizeof(*places), place_before);
    return places;
}

/* Needs on steps that do not exist are satisfied already: they are dropped. */
static struct graph *needs_graph(struct arena *a, const struct steps *steps, const struct place *places)
{
    struct graph *g = graph_new(a, steps->count);

    for (size_t i = 0; i < steps->count; i++) {
        struct step *step = steps->items[i];
        const char **kept = arena_array(a, const char *, step->n_needs + 1);
        size_t n = 0;

        for (size_t j = 0; j < step->n_needs; j++) {
            const struct place *p = bsearch(step->needs[j], places, steps->count, sizeof(*places), place_is);

            if (!p)
                continue;
            kept[n++] = step->needs[j];
            graph_edge(g, i, p->at);
        }
        step->needs = kept;
        step->n_needs = n;
    }
    return g;
}

static const char *circle_words(struct arena *a, const struct steps *steps, const size_t *circle, size_t length)
{
    const char *words = steps->items[circle[0]]->id;

    for (size_t i = 1; i <= length; i++)
        words = arena_printf(a, "%s -> %s", words, steps->items[circle[i % length]]->id);
    return words;
}

bool plan_circles_block(struct arena *a, struct steps *steps)
{
    const size_t *const *cycles, *lengths;
    struct graph *g = needs_graph(a, steps, places_make(a, steps));
    size_t n = graph_cycles(g, &cycles, &lengths);

    for (size_t i = 0; i < n; i++) {
        const char *words = circle_words(a, steps, cycles[i], lengths[i]);

        for (size_t k = 0; k < lengths[i]; k++)
            step_make_blocked(steps->items[cycles[i][k]], NULL,
                              arena_printf(a, "%s; the steps need each other in a circle: %s",
                                           steps->items[cycles[i][k]]->reason, words),
                              "make one of these changes by hand, then run again");
        /* Without these needs the rest has an order. */
        for (size_t k = 0; k < lengths[i]; k++)
            steps->items[cycles[i][k]]->n_needs = 0;
    }
    return n > 0;
}

static int circle_report(struct arena *a, const struct graph *g, const struct steps *steps, struct err *err)
{
    const size_t *const *cycles, *lengths;

    graph_cycles(g, &cycles, &lengths);
    return err_set(err, ERR_INVALID, "steps need each other in a circle: %s",
                   circle_words(a, steps, cycles[0], lengths[0]));
}

static int steps_order(struct arena *a, const struct steps *steps, struct steps *ret, struct err *err)
{
    size_t *order = arena_array(a, size_t, steps->count + 1);
    struct place *places = places_make(a, steps);
    struct graph *g;

    for (size_t i = 1; i < steps->count; i++)
        if (str_eq(places[i - 1].id, places[i].id))
            return err_set(err, ERR_INVALID, "two steps are called %s", places[i].id);
    g = needs_graph(a, steps, places);
    if (!graph_order(g, order))
        return circle_report(a, g, steps, err);
    *ret = (struct steps){.arena = a, .items = arena_array(a, struct step *, steps->count + 1), .count = steps->count};
    for (size_t i = 0; i < steps->count; i++)
        ret->items[i] = steps->items[order[i]];
    steps_index(ret);
    return 0;
}

/* --- digests ------------------------------------------------------------------------------------------------------ */

static void digest_take(void *ctx, const char *s, size_t n)
{
    crypt_digest_add(ctx, s, n);
}

/* The facts of a large estate are longer than any text may be, and a text that is cut off has the digest of another. */
static void digest_begin(struct text *t)
{
    text_init(t, TEXT_CEILING);
    t->spill = digest_take;
    t->spill_ctx = crypt_digest_new();
}

static const char *digest_end(struct arena *a, struct text *t)
{
    char hex[SHA256_HEX];

    crypt_digest_add(t->spill_ctx, text_str(t), t->len);
    crypt_digest_hex(t->spill_ctx, hex);
    return arena_printf(a, "sha256:%s", hex);
}

static const char *value_digest(struct arena *a, const struct value *v)
{
    struct text text cleanup(text_release);

    digest_begin(&text);
    json_write(&text, v ? v : value_null(a), JSON_CANONICAL);
    return digest_end(a, &text);
}

/* What will be done and what policy says to it. Left out: wording and estimates, which move with the clock, and what an
 * approval changes, since approvals are bound to this very digest. */
static struct value *step_essence(struct value *v)
{
    static const char *const passing[] = {"reason", "estimateSeconds", "estimateSource", "unverified",
                                          "next",   "foretold",        "notes",          "verdict", "loses"};
    struct value *rulings = value_get(v, "rulings");

    for (size_t i = 0; i < COUNT(passing); i++)
        value_remove(v, passing[i]);
    for (size_t i = 0; i < value_count(rulings); i++) {
        value_remove(value_item(rulings, i), "approvedBy");
        value_remove(value_item(rulings, i), "evidence");
        value_remove(value_item(rulings, i), "message");
    }
    return v;
}

/* The digest of a map of these, without ever making it: a step is forgotten when it is written. */
static const char *plan_digest(struct arena *a, const struct plan *p)
{
    struct text text cleanup(text_release);

    digest_begin(&text);
    text_printf(&text, "{\"facts\":\"%s\",\"inputs\":\"%s\",", p->facts_digest, p->inputs_digest);
    if (p->policy_digest)
        text_printf(&text, "\"policy\":\"%s\",", p->policy_digest);
    text_add(&text, "\"steps\":[");
    for (size_t i = 0; i < p->steps.count; i++) {
        struct arena *scratch cleanup(arena_freep) = arena_new();

        text_add(&text, i ? "," : "");
        json_write(&text, step_essence(step_to_value(scratch, p->steps.items[i])), JSON_CANONICAL);
    }
    text_add(&text, "]}");
    return digest_end(a, &text);
}

/* Documents, however many steps each of them has. */
static size_t unseen_count(struct arena *a, const struct steps *steps)
{
    struct index *seen = index_new(a, INDEX_EXACT);
    size_t n = 0;

    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = steps->items[i];

        if (!step->unseen || index_find(seen, step->document->address))
            continue;
        index_put(seen, step->document->address, step);
        n++;
    }
    return n;
}

int plan_make(struct arena *a, struct steps *steps, const struct plan_inputs *inputs, const struct plan **ret,
              struct err *err)
{
    struct plan *p = arena_new_of(a, struct plan);

    TRY(steps_order(a, steps, &p->steps, err));
    p->made_ms = inputs->now_ms;
    p->inputs_digest = value_digest(a, inputs->documents);
    p->policy_digest = inputs->pinned ? value_digest(a, inputs->pinned) : NULL;
    p->facts_digest = value_digest(a, inputs->facts);
    p->digest = plan_digest(a, p);
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct step *step = p->steps.items[i];

        p->n_changes += step->action != ACTION_NONE;
        p->n_blocked += step->action == ACTION_BLOCKED;
        p->n_denied += step->verdict >= VERDICT_OBSERVE_ONLY;
        p->n_approvals += step->verdict == VERDICT_REQUIRE_APPROVAL;
    }
    p->n_unseen = unseen_count(a, &p->steps);
    *ret = p;
    return 0;
}

/* --- when --------------------------------------------------------------------------------------------------------- */

bool plan_is_difference(const struct plan *p, const struct step *step)
{
    bool follows = step->action == ACTION_WAIT || step->action == ACTION_VERIFY;

    for (size_t i = 0; i < p->steps.count && follows; i++) {
        const struct step *other = p->steps.items[i];

        if (other->document == step->document && (action_writes(other->action) || other->action == ACTION_BLOCKED))
            return false;
    }
    return step->action != ACTION_NONE;
}

const struct deadline *plan_deadlines(struct arena *a, const struct plan *p)
{
    struct deadline *sorted = arena_array(a, struct deadline, p->n_deadlines + 1);

    /* Insertion keeps equal times in their order; there are few. */
    for (size_t i = 0; i < p->n_deadlines; i++) {
        size_t at = i;

        for (; at > 0 && sorted[at - 1].at_ms > p->deadlines[i].at_ms; at--)
            sorted[at] = sorted[at - 1];
        sorted[at] = p->deadlines[i];
    }
    return sorted;
}

/* --- what is ordered ---------------------------------------------------------------------------------------------- */

static void mark_needed(const struct plan *plan, const struct step *step, struct index *wanted)
{
    if (index_find(wanted, step->id))
        return;
    index_put(wanted, step->id, step);
    for (size_t k = 0; k < step->n_needs; k++) {
        const struct step *need = steps_find(&plan->steps, step->needs[k]);

        if (need)
            mark_needed(plan, need, wanted);
    }
}

const struct plan *plan_ordered(struct arena *a, const struct plan *p, const char *order)
{
    struct index *wanted = index_new(a, INDEX_EXACT);
    struct plan *some = arena_new_of(a, struct plan);

    for (size_t i = 0; i < p->steps.count; i++) {
        const char *by = value_str_at(p->steps.items[i]->detail, "orderedBy");

        if (by && (!order || str_eq(by, order)))
            mark_needed(p, p->steps.items[i], wanted);
    }
    *some = *p;
    some->steps = (struct steps){.arena = a};
    for (size_t i = 0; i < p->steps.count; i++)
        if (index_find(wanted, p->steps.items[i]->id))
            arena_push(a, some->steps.items, some->steps.count, p->steps.items[i]);
    steps_index(&some->steps);
    return some;
}

/* --- saved plans -------------------------------------------------------------------------------------------------- */

static struct value *deadlines_to_value(struct arena *a, const struct plan *p)
{
    const struct deadline *sorted = plan_deadlines(a, p);
    struct value *list = value_list(a);

    for (size_t i = 0; i < p->n_deadlines; i++) {
        struct value *v = value_map(a);

        value_set_string(a, v, "at", time_format(a, sorted[i].at_ms));
        value_set_string(a, v, "what", sorted[i].what);
        value_push(a, list, v);
    }
    return list;
}

/* Which plan it is, made of what: all but its steps. */
static struct value *head_to_value(struct arena *a, const struct plan *p, struct value *summary)
{
    struct value *v = value_map(a);

    value_set_int(a, v, "formatVersion", PLAN_FORMAT_VERSION);
    value_set_string(a, v, "made", time_format(a, p->made_ms));
    value_set_string(a, v, "digest", p->digest);
    value_set_string(a, v, "inputsDigest", p->inputs_digest);
    if (p->policy_digest)
        value_set_string(a, v, "policyDigest", p->policy_digest);
    value_set_string(a, v, "factsDigest", p->facts_digest);
    if (summary)
        value_set(a, v, "summary", summary);
    value_set(a, v, "deadlines", deadlines_to_value(a, p));
    return v;
}

struct value *plan_head_to_value(struct arena *a, const struct plan *p)
{
    return head_to_value(a, p, NULL);
}

struct value *plan_to_value(struct arena *a, const struct plan *p)
{
    struct value *v, *summary = value_map(a), *steps = value_list(a);

    value_set_int(a, summary, "steps", (int64_t)p->steps.count);
    value_set_int(a, summary, "changes", (int64_t)p->n_changes);
    value_set_int(a, summary, "due", (int64_t)plan_due(a, p));
    value_set_int(a, summary, "blocked", (int64_t)p->n_blocked);
    value_set_int(a, summary, "unseen", (int64_t)p->n_unseen);
    value_set_int(a, summary, "denied", (int64_t)p->n_denied);
    value_set_int(a, summary, "approvals", (int64_t)p->n_approvals);
    for (size_t i = 0; i < p->steps.count; i++)
        value_push(a, steps, step_to_value(a, p->steps.items[i]));
    v = head_to_value(a, p, summary);
    value_set(a, v, "steps", steps);
    return v;
}

static const char *seal_of(struct arena *a, const struct value *saved)
{
    struct value *v = value_copy(a, saved);

    value_remove(v, "seal");
    return value_digest(a, v);
}

struct value *plan_to_saved(struct arena *a, const struct plan *p)
{
    struct value *v = plan_to_value(a, p);

    value_set_string(a, v, "seal", seal_of(a, v));
    return v;
}

/* Known only after apply: in memory a type of its own, in a saved plan {"$unknown": true}. */
static bool unknown(const struct value *v)
{
    return value_is(v, VALUE_UNKNOWN) || (value_count(v) == 1 && value_bool_at(v, "$unknown", false));
}

static const struct change *change_find(const struct step *step, const char *path)
{
    for (size_t i = 0; i < step->n_changes; i++)
        if (str_eq(step->changes[i].path, path))
            return &step->changes[i];
    return NULL;
}

static const char *changes_differ(struct arena *a, const struct value *saved, const struct step *fresh)
{
    const struct value *changes = value_get(saved, "changes");

    for (size_t i = 0; i < value_count(changes); i++) {
        const struct value *old = value_item(changes, i), *after = value_get(old, "after");
        const char *path = value_str_at(old, "path");
        const struct change *now = change_find(fresh, path);

        if (!now)
            return arena_printf(a, "%s no longer changes %s", fresh->id, path ? path : "what it did");
        if (!value_equal(value_get(old, "before"), now->before))
            return arena_printf(a, "%s: %s has another value now than when the plan was saved", fresh->id, path);
        if (!unknown(after) && !value_equal(after, now->after))
            return arena_printf(a, "%s would now set %s to another value", fresh->id, path);
    }
    if (value_count(changes) != fresh->n_changes)
        return arena_printf(a, "%s now changes more than the saved plan shows", fresh->id);
    return NULL;
}

/* Whatever member of a step the sentences above do not know by name. As JSON, since an unknown value has a type of
 * its own in memory. */
static const char *essence_differs(struct arena *a, const struct value *saved, const struct step *fresh)
{
    const struct value *now = step_essence(step_to_value(a, fresh)), *then = step_essence(value_copy(a, saved));
    const struct value *both[] = {now, then};

    for (size_t k = 0; k < COUNT(both); k++)
        for (size_t i = 0; i < value_count(both[k]); i++) {
            const char *name = both[k]->map.members[i].key;

            if (!str_eq(value_digest(a, value_get(now, name)), value_digest(a, value_get(then, name))))
                return arena_printf(a, "%s has other %s in the saved plan than now", fresh->id, name);
        }
    return NULL;
}

static const char *step_differs(struct arena *a, const struct value *saved, const struct step *fresh)
{
    const struct value *needs = value_get(saved, "needs");
    const char *scope = value_str_at(saved, "scope"), *differs;

    if (!str_eq(value_str_at(saved, "action"), action_name(fresh->action)))
        return arena_printf(a, "%s is now %s", fresh->id, action_name(fresh->action));
    if (!str_eq_nocase(scope, fresh->scope))
        return arena_printf(a, "%s would now be done to %s", fresh->id, fresh->scope ? fresh->scope : "another thing");
    for (size_t i = 0; i < fresh->n_needs; i++)
        if (!str_eq(value_str(value_item(needs, i)), fresh->needs[i]))
            return arena_printf(a, "%s now needs %s", fresh->id, fresh->needs[i]);
    if (value_count(needs) != fresh->n_needs)
        return arena_printf(a, "%s no longer needs %s", fresh->id, value_str(value_item(needs, fresh->n_needs)));
    differs = changes_differ(a, saved, fresh);
    return differs ? differs : essence_differs(a, saved, fresh);
}

static const struct value *saved_find(const struct value *steps, const char *id)
{
    for (size_t i = 0; i < value_count(steps); i++)
        if (str_eq(value_str_at(value_item(steps, i), "id"), id))
            return value_item(steps, i);
    return NULL;
}

/* Differences that no step shows: other facts behind the same steps, or other words that people read
 * before they say yes. */
static const char *rest_differs(struct arena *a, const struct value *saved, const struct plan *fresh)
{
    if (!str_eq(value_str_at(saved, "factsDigest"), fresh->facts_digest))
        return "Azure has changed since it was made, though the same steps follow";
    if (!str_eq(value_str_at(saved, "digest"), fresh->digest))
        return "its digest is not that of its steps";
    if (!str_eq(value_str_at(saved, "seal"), seal_of(a, saved)))
        return "it was edited after it was saved";
    return NULL;
}

const char *plan_differs(struct arena *a, const struct value *saved, const struct plan *fresh)
{
    const struct value *steps = value_get(saved, "steps");
    int64_t version = value_int_at(saved, "formatVersion", 0);

    if (version != PLAN_FORMAT_VERSION || !value_is(steps, VALUE_LIST))
        return arena_printf(a, "the saved plan is not of format version %d", PLAN_FORMAT_VERSION);
    if (!str_eq(value_str_at(saved, "inputsDigest"), fresh->inputs_digest))
        return "the manifests or the policy are not those the plan was made from";
    if (!str_eq(value_str_at(saved, "policyDigest"), fresh->policy_digest))
        return "it was made under another --policy than this run obeys";
    for (size_t i = 0; i < value_count(steps); i++) {
        const struct value *step = value_item(steps, i);
        const char *id = value_str_at(step, "id"), *differs;
        const struct step *now = id ? steps_find(&fresh->steps, id) : NULL;

        /* A document that was as declared may have nothing said about it any more; what it needs now is found below. */
        if (!now && str_eq(value_str_at(step, "action"), action_name(ACTION_NONE)))
            continue;
        if (!now)
            return arena_printf(a, "%s is no longer needed", id ? id : "a step without an id");
        differs = step_differs(a, step, now);
        if (differs)
            return differs;
    }
    for (size_t i = 0; i < fresh->steps.count; i++)
        if (fresh->steps.items[i]->action != ACTION_NONE && !saved_find(steps, fresh->steps.items[i]->id))
            return arena_printf(a, "%s is not in the saved plan", fresh->steps.items[i]->id);
    return rest_differs(a, saved, fresh);
}
