/* Looking: observes every document, level by level and concurrently within one, and concludes steps, verdicts and the
 * plan from what was seen. Sends reads only. Must not know any Azure type. */
#include "engine.h"

#include "internal.h"

/* --- observing ---------------------------------------------------------------------------------------------------- */

const struct kind *engine_kind(const struct engine *e, const struct document *doc)
{
    for (size_t i = 0; i < e->kinds->count; i++)
        if (str_eq(e->kinds->items[i]->name, doc->kind))
            return e->kinds->items[i];
    return NULL;
}

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

/* --- concluding --------------------------------------------------------------------------------------------------- */

static const struct value *facts_of(const void *ctx, const struct document *doc)
{
    return view_facts(ctx, doc);
}

/* Suspended documents, those under observation and those beside the selection keep their differences, but nothing is
 * done about them. */
static void steps_withhold(struct steps *steps, size_t from, const struct document *doc)
{
    for (size_t i = from; i < steps->count; i++) {
        struct step *step = steps->items[i];

        /* What runs in Azure does not stop for an annotation: it is followed. */
        if (!step_alters(step) && step->action != ACTION_WAIT)
            continue;
        if (doc->suspended)
            step->reason = arena_printf(steps->arena, "%s; suspended: %s", step->reason, doc->suspended);
        else if (!doc->observe_only)
            step->reason =
                arena_printf(steps->arena, "%s; %s is not among what -l selects", step->reason, doc->address);
        step->next = doc->suspended      ? "remove the annotation reinstate/suspend"
                     : doc->observe_only ? "remove the annotation reinstate/mode: observe"
                                         : "run without -l, or with labels that select it too";
        step->action = ACTION_BLOCKED;
        step->n_writes = 0;
    }
}

static bool relies(const void *ctx, const struct document *doc, const struct reference *ref)
{
    const struct kind *kind = engine_kind(ctx, doc);

    for (const char *const *m = kind ? kind->mentions : NULL; m && *m; m++)
        if (str_starts_nocase(ref->path, *m))
            return false;
    return !ref->spoken;
}

/* A document whose read failed is blocked here, so that no kind draws conclusions from an answer that never came. */
static void block_unread(const struct view *view, const struct document *doc, struct steps *out)
{
    const char *why = value_str_at(view_facts(view, doc), "why"), *fix = value_str_at(view_facts(view, doc), "fix");

    steps_add(out, doc, ACTION_BLOCKED, NULL, "cannot be seen, which is not the same as absent: %s",
              why ? why : "it was not looked at")
        ->next = fix ? arena_printf(out->arena, "%s; nothing is concluded about it until then", fix)
                     : "mend what hinders the read, then run again; nothing is concluded about it until then";
}

/* Counted by itself: what cannot be seen may be as declared. */
static void mark_unseen(struct steps *steps, size_t from)
{
    for (size_t i = from; i < steps->count; i++)
        steps->items[i]->unseen = steps->items[i]->action == ACTION_BLOCKED;
}

/* One document after the other, lower ones first: its steps, what holds them up, and what that
 * makes of the document. */
static void steps_of(const struct engine *e, struct view *view, const struct document *doc, const struct concluding *c)
{
    const struct kind *kind = engine_kind(e, doc);
    size_t from = c->steps->count;

    if (!kind || !kind->steps)
        return;
    if (kind->conclude)
        c->all[doc->index].own = kind->conclude(view, doc);
    if (value_bool_at(view_facts(view, doc), "failed", false))
        block_unread(view, doc, c->steps);
    else
        kind->steps(view, doc, c->steps);
    if (str_eq(view_state(view, doc), "unseen"))
        mark_unseen(c->steps, from);
    if (doc->suspended || doc->observe_only || desired_beside(view->desired, doc))
        steps_withhold(c->steps, from, doc);
    conclude_hold(c, from);
    conclude_document(c, doc, from);
}

static struct steps *steps_made(const struct engine *e, struct arena *a, struct view *view, struct concluding *c)
{
    const struct desired *d = view->desired;
    struct steps *steps = arena_new_of(a, struct steps);

    *c = (struct concluding){
        .steps = steps, .all = arena_array(a, struct conclusion, d->count + 1), .relies = relies, .ctx = e};
    steps->arena = a;
    view->steps = steps;
    view->conclusions = NULL;
    view->concluded = NULL;
    if (e->kinds->conclude)
        view->concluded = e->kinds->conclude(view);
    view->conclusions = c->all;
    for (size_t i = 0; i < d->count; i++)
        steps_of(e, view, d->documents[i], c);
    while (plan_circles_block(a, steps))
        continue;
    conclude_vain(c);
    return steps;
}

/* Remembers the elected steps that policy denies, so that the kinds elect another document. false: all of them were
 * known already. */
static bool refusals_grow(struct arena *a, struct view *view, const struct steps *steps)
{
    const struct step **kept = arena_array(a, const struct step *, view->n_refused + steps->count + 1);
    size_t n = 0;

    while (n < view->n_refused) {
        kept[n] = view->refused[n];
        n++;
    }
    for (size_t i = 0; i < steps->count; i++)
        if (steps->items[i]->elected && step_refused(steps->items[i]) &&
            !view_refusal(view, steps->items[i]->document, steps->items[i]->action))
            kept[n++] = steps->items[i];
    if (n == view->n_refused)
        return false;
    view->refused = kept;
    view->n_refused = n;
    return true;
}

/* What is beside the selection has had its say in what was concluded; nothing is done or told of it. */
static void steps_beside_drop(const struct view *view, struct steps *steps)
{
    size_t kept = 0;

    if (!view->desired->beside)
        return;
    for (size_t i = 0; i < steps->count; i++)
        if (!desired_beside(view->desired, steps->items[i]->document))
            steps->items[kept++] = steps->items[i];
    steps->count = kept;
    steps_index(steps);
}

/* `options` NULL: policy is not asked, and what it was seen to deny stays denied. */
static struct steps *steps_judged(const struct engine *e, struct arena *a, struct view *view,
                                  const struct policy_options *options)
{
    struct concluding c;
    struct steps *steps;

    if (options)
        view->n_refused = 0;
    do {
        steps = steps_made(e, a, view, &c);
        if (!options)
            break;
        policy_judge(e->policy, options, steps, facts_of, view);
        conclude_vain(&c);
    } while (refusals_grow(a, view, steps));
    steps_beside_drop(view, steps);
    return steps;
}

static struct steps *steps_now(const struct engine *e, struct arena *a, struct view *view, int64_t now_ms)
{
    struct policy_options options = {
        .approvals = e->approvals, .n_approvals = e->n_approvals, .pinned = e->pinned, .now_ms = now_ms};

    view->now_ms = now_ms;
    return steps_judged(e, a, view, &options);
}

/* What was planned, or has joined, keeps its place in the budget for as long as the run lasts: else what comes up could
 * take it, and the run would do more than the budget lets it. What the world has made needless gives its place back. */
static bool has_a_place(const struct step_outcome *slot)
{
    return slot->step->verdict < VERDICT_OBSERVE_ONLY && slot->state != STEP_NOT_NEEDED &&
           slot->state != STEP_OVERTAKEN;
}

struct steps *engine_steps_in_run(const struct engine *e, struct arena *a, struct view *view, int64_t now_ms,
                                  const struct outcome *run, bool approved)
{
    const struct step **held = arena_array(a, const struct step *, run->count + 1);
    struct policy_options options = {
        .pinned = e->pinned, .now_ms = now_ms, .held = held, .unapproved = run_unapproved, .ctx = run};

    if (approved) {
        options.approvals = e->approvals;
        options.n_approvals = e->n_approvals;
    }
    for (size_t i = 0; i < run->count; i++)
        if (has_a_place(&run->steps[i]))
            held[options.n_held++] = run->steps[i].step;
    view->now_ms = now_ms;
    return steps_judged(e, a, view, &options);
}

void engine_suppose(const struct engine *e, struct arena *a, const struct view *view, enum supposing what,
                    const char *const *points, struct view *ret)
{
    *ret = *view;
    ret->if_ordered = what;
    ret->ordered_points = points;
    steps_judged(e, a, ret, NULL);
}

int engine_conclude(const struct engine *e, struct arena *a, struct view *view, const struct plan **ret,
                    struct err *err)
{
    struct steps *steps = steps_now(e, a, view, view->now_ms);
    struct value *documents = value_list(a), *facts = value_map(a);
    struct plan *plan;
    const struct plan *made;

    for (size_t i = 0; i < view->desired->count; i++) {
        const struct document *doc = view->desired->documents[i];

        value_push(a, documents, (struct value *)doc->root);
        if (view->facts[i])
            value_add(a, facts, doc->address, view->facts[i]);
    }
    TRY(plan_make(a, steps, view->now_ms, documents, e->pinned, facts, &made, err));
    plan = arena_new_of(a, struct plan);
    *plan = *made;
    for (size_t i = 0; i < view->desired->count; i++) {
        const struct kind *kind = engine_kind(e, view->desired->documents[i]);
        struct deadline *items = (struct deadline *)plan->deadlines;

        if (kind && kind->deadlines && !desired_beside(view->desired, view->desired->documents[i]))
            kind->deadlines(view, view->desired->documents[i], a, &items, &plan->n_deadlines);
        plan->deadlines = items;
    }
    *ret = plan;
    return 0;
}

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
