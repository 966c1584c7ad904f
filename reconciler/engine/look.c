/* Looking: observes every document, level by level and concurrently within one, and concludes steps, verdicts and the
 * plan from what was seen. Sends reads only. Must not know any Azure type. */
#include "engine.h"

#include "internal.h"

/* --- observing ---------------------------------------------------------------------------------------------------- */

struct observing {
    const struct engine *engine;
    struct view *view;
    struct value **facts;
    const struct document *document;
    bool near;
    struct err err;
    bool failed;
};

static int observe_document(struct call *c, const struct engine *e, struct view *view, struct value **facts,
                            const struct document *doc, bool near, struct err *err)
{
    const struct kind *kind = engine_kind(e, doc);
    /* Forgets the conclusions and steps of the look before: they rest on older facts, and steps of a run live only as
     * long as the step that looked. */
    struct view seeing = *view;
    struct observer o = {
        .arena = view->arena, .view = &seeing, .document = doc, .provider = e->provider, .near = near};
    struct value *seen = NULL;

    if (!kind || !kind->observe)
        return 0;
    seeing.conclusions = NULL;
    seeing.concluded = NULL;
    seeing.steps = NULL;
    seeing.demand = NULL;
    if (kind->observe(c, &o, &seen, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        /* One bad answer spoils one document only: all others are still judged. */
        seen = value_map(view->arena);
        value_set_string(view->arena, seen, "state", "unseen");
        value_set_bool(view->arena, seen, "failed", true);
        value_set_string(view->arena, seen, "why", err->text);
    }
    facts[doc->index] = seen;
    view_memo_forget(view->memo, doc);
    return 0;
}

int engine_observe(struct call *c, const struct engine *e, struct view *view, struct value **facts,
                   const struct document *doc, struct err *err)
{
    return observe_document(c, e, view, facts, doc, false, err);
}

static void observe_task(struct call *c, void *arg)
{
    struct observing *o = arg;

    o->failed = observe_document(c, o->engine, o->view, o->facts, o->document, o->near, &o->err) < 0;
}

/* `which`: by document index, what is looked at again, in full; NULL: all. */
static int observe_level(struct call *c, const struct engine *e, struct look *look, size_t level, const bool *which,
                         struct err *err)
{
    const struct desired *d = look->view.desired;
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct observing *all = arena_array(scratch, struct observing, d->count);
    struct group *g = group_new(call_sched(c), "observe");
    int rc;

    for (size_t i = 0; i < d->count; i++) {
        if (d->documents[i]->level != level || (which && !which[i]))
            continue;
        all[i] = (struct observing){.engine = e,
                                    .view = &look->view,
                                    .facts = look->facts,
                                    .document = d->documents[i],
                                    .near = e->settings->near && !which};
        group_spawn(g, d->documents[i]->address, observe_task, &all[i]);
    }
    rc = group_wait(c, g, err);
    group_free(g);
    TRY(rc);
    for (size_t i = 0; i < d->count; i++) {
        if (!all[i].failed)
            continue;
        *err = all[i].err;
        return -(int)err->class;
    }
    return 0;
}

/* --- the whole look ----------------------------------------------------------------------------------------------- */

/* If every single read failed, the fault lies in the run itself, such as a credential that gets no token: the look
 * fails with it, because a plan would say the same of each document. */
static int check_any_seen(const struct engine *e, const struct look *look, struct err *err)
{
    const struct desired *d = look->view.desired;
    const char *first = NULL;

    for (size_t i = 0; i < d->count; i++) {
        const struct kind *kind = engine_kind(e, d->documents[i]);

        /* A kind without steps describes the run, and nothing of Azure. */
        if (!kind || !kind->observe || !kind->steps)
            continue;
        if (!str_eq(view_state(&look->view, d->documents[i]), "unseen"))
            return 0;
        if (!first && value_bool_at(look->facts[i], "failed", false))
            first = value_str_at(look->facts[i], "why");
    }
    return first ? err_set(err, ERR_TRANSIENT, "nothing could be seen: %s", first) : 0;
}

static int observe_levels(struct call *c, const struct engine *e, struct look *look, const bool *which,
                          struct err *err)
{
    for (size_t level = 0; level < look->view.desired->levels; level++) {
        look->view.now_ms = call_now_ms(c);
        TRY(observe_level(c, e, look, level, which, err));
    }
    return 0;
}

static int conclude_look(struct call *c, const struct engine *e, struct arena *a, struct look *look, struct err *err)
{
    TRY(check_any_seen(e, look, err));
    look->view.now_ms = call_now_ms(c);
    look->view.ahead_ms = sched_skew_ms(call_sched(c));
    return engine_conclude(e, a, &look->view, &look->plan, err);
}

/* --- what a near look leaves out ---------------------------------------------------------------------------------- */

struct reached {
    bool *marked;
    const struct document **queue; /* an estate is too deep for calls */
    size_t count, at;
};

static void reach(struct reached *r, const struct document *doc)
{
    if (!doc || r->marked[doc->index])
        return;
    r->marked[doc->index] = true;
    r->queue[r->count++] = doc;
}

static bool hangs_on_nothing(const struct document *doc)
{
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target && doc->references[i].target != doc->connection)
            return false;
    return true;
}

/* All that has to do with a document: what it hangs on, what hangs on it, and so on. What hangs on nothing, as a vault,
 * has to do with too many to lead from one to the other. */
static void reach_from(struct reached *r, const struct document *doc)
{
    reach(r, doc);
    for (size_t i = 0; i < doc->n_referrers; i++)
        reach(r, doc->referrers[i]);
    for (; r->at < r->count; r->at++) {
        const struct document *next = r->queue[r->at];

        for (size_t i = 0; i < next->n_references; i++)
            reach(r, next->references[i].target);
        for (size_t i = 0; i < next->n_referrers && !hangs_on_nothing(next); i++)
            reach(r, next->referrers[i]);
    }
}

/* Documents that were looked at in brief and have to do with one that differs, or that asks for it. */
static size_t wanted_in_full(const struct look *look, struct arena *a, bool **ret)
{
    const struct desired *d = look->view.desired;
    struct reached r = {.marked = arena_array(a, bool, d->count + 1),
                        .queue = arena_array(a, const struct document *, d->count + 1)};
    bool *reached = r.marked, differs = false;
    size_t n = 0;

    for (size_t i = 0; i < look->plan->steps.count; i++)
        if (look->plan->steps.items[i]->action != ACTION_NONE) {
            differs = true;
            reach_from(&r, look->plan->steps.items[i]->document);
        }
    for (size_t i = 0; i < d->count; i++)
        if (value_bool_at(look->facts[i], "asks", false))
            reach_from(&r, d->documents[i]);
    for (size_t i = 0; i < d->count; i++) {
        reached[i] = (reached[i] || (differs && value_bool_at(look->facts[i], "named", false))) &&
                     value_bool_at(look->facts[i], "brief", false);
        n += reached[i];
    }
    *ret = reached;
    return n;
}

static int observe_all(struct call *c, const struct engine *e, struct arena *a, struct look *look, struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    bool *which;

    TRY(observe_levels(c, e, look, NULL, err));
    TRY(conclude_look(c, e, a, look, err));
    while (e->settings->near && wanted_in_full(look, scratch, &which)) {
        TRY(observe_levels(c, e, look, which, err));
        TRY(conclude_look(c, e, a, look, err));
    }
    return 0;
}

int engine_look(struct call *c, const struct engine *e, struct arena *a, const struct desired *desired,
                struct look *ret, struct err *err)
{
    struct look look = {.facts = arena_array(a, struct value *, desired->count + 1)};
    int rc;

    look.view = (struct view){
        .arena = a,
        .desired = desired,
        .settings = e->settings,
        .facts = (const struct value *const *)look.facts,
        .memo = view_memo_new(a),
    };
    /* The tasks keep a pointer to the view, so it must already be where it stays. */
    *ret = look;
    if (e->kinds->look)
        e->kinds->look(e->provider, &ret->view, true);
    rc = observe_all(c, e, a, ret, err);
    if (e->kinds->look)
        e->kinds->look(e->provider, &ret->view, false);
    return rc;
}
