/* Concluding: what follows from facts that were observed: steps, what holds them up, what policy says of them, and the
 * plan. Of a look all documents are concluded, for a step of a run only what it rests on. Pure. Must not know how facts
 * are observed. */
#include "demand.h"
#include "internal.h"

static const struct value *facts_of(const void *ctx, const struct document *doc)
{
    return view_facts(ctx, doc);
}

/* Suspended documents, those under observation, what is a part of them, and documents beside the selection keep their
 * differences, but nothing is done about them. */
static void steps_withhold(struct steps *steps, size_t from, const struct document *doc)
{
    for (size_t i = from; i < steps->count; i++) {
        struct step *step = steps->items[i];

        /* What runs in Azure does not stop for an annotation: it is followed. */
        if (!step_alters(step) && step->action != ACTION_WAIT)
            continue;
        if (doc->withheld)
            step_withhold(steps, step, doc->withheld);
        else
            step_make_blocked(
                step, NULL,
                arena_printf(steps->arena, "%s; %s is not among what was selected", step->reason, doc->address),
                "run without the selection (-l, --target), or with one that holds it too");
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
    if (doc->withheld || desired_beside(view->desired, doc))
        steps_withhold(c->steps, from, doc);
    conclude_hold(c, from);
    conclude_document(c, doc, from);
}

/* One conclusion in the making. */
struct making {
    const struct engine *engine;
    struct view *view;
    struct concluding c;
    size_t from; /* where the steps of the document in its turn begin */
};

static void make(void *ctx, const struct document *doc)
{
    struct making *m = ctx;

    m->from = m->c.steps->count;
    steps_of(m->engine, m->view, doc, &m->c);
}

static void undo(void *ctx, const struct document *doc)
{
    struct making *m = ctx;

    steps_cut(m->c.steps, m->from);
    m->c.all[doc->index] = (struct conclusion){.verdict = PROSPECT_SATISFIED};
}

static bool asked(void *ctx, const struct document *doc)
{
    return demand_met(ctx, doc);
}

/* `only`: that document and what it rests on is concluded at once, all else when somebody asks for it; NULL: all is. */
static struct steps *steps_made(struct making *m, struct arena *a, const struct document *only)
{
    static const struct demand_hooks hooks = {.make = make, .undo = undo};
    struct view *view = m->view;
    const struct desired *d = view->desired;
    struct steps *steps = arena_new_of(a, struct steps);

    m->c = (struct concluding){
        .steps = steps, .all = arena_array(a, struct conclusion, d->count + 1), .relies = relies, .ctx = m->engine};
    *steps = (struct steps){.arena = a};
    view->demand = only ? demand_new(a, d, &m->c, &hooks, m) : NULL;
    if (only)
        *steps = (struct steps){.arena = a, .asked = asked, .asked_ctx = view->demand, .desired = d};
    steps_index(steps);
    view->steps = steps;
    view->conclusions = NULL;
    view->concluded = NULL;
    if (m->engine->kinds->conclude)
        view->concluded = m->engine->kinds->conclude(view);
    view->conclusions = m->c.all;
    for (size_t i = 0; !only && i < d->count; i++)
        steps_of(m->engine, view, d->documents[i], &m->c);
    if (only)
        demand_met(view->demand, only);
    conclude_ask(&m->c);
    while (plan_circles_block(a, steps))
        continue;
    conclude_vain(&m->c);
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

/* `options` NULL: policy is not asked, and what it was seen to deny stays denied. The view lives as long as `a`. */
static struct steps *steps_judged(const struct engine *e, struct arena *a, struct view *view,
                                  const struct policy_options *options, const struct document *only)
{
    struct making *m = arena_new_of(a, struct making);
    struct steps *steps;

    *m = (struct making){.engine = e, .view = view};
    if (options)
        view->n_refused = 0;
    do {
        steps = steps_made(m, a, only);
        if (!options)
            break;
        policy_judge(e->policy, options, steps, facts_of, view);
        conclude_vain(&m->c);
    } while (refusals_grow(a, view, steps));
    steps_beside_drop(view, steps);
    return steps;
}

static struct steps *steps_now(const struct engine *e, struct arena *a, struct view *view, int64_t now_ms)
{
    struct policy_options options = {
        .approvals = e->approvals, .n_approvals = e->n_approvals, .pinned = e->pinned, .now_ms = now_ms};

    view->now_ms = now_ms;
    return steps_judged(e, a, view, &options, NULL);
}

/* What was planned, or has joined, keeps its place in the budget for as long as the run lasts: else what comes up could
 * take it, and the run would do more than the budget lets it. What the world has made needless gives its place back. */
static bool has_a_place(const struct step_outcome *slot)
{
    return slot->step->verdict < VERDICT_OBSERVE_ONLY && slot->state != STEP_NOT_NEEDED &&
           slot->state != STEP_OVERTAKEN;
}

static bool held(const void *outcome, const struct step *step)
{
    const struct step_outcome *slot = index_get(((const struct outcome *)outcome)->by_id, step->id);

    return slot && has_a_place(slot);
}

struct steps *engine_steps_in_run(const struct engine *e, struct arena *a, struct view *view, int64_t now_ms,
                                  const struct outcome *run, const struct document *of, bool approved)
{
    struct policy_options options = {
        .pinned = e->pinned, .now_ms = now_ms, .held = held, .unapproved = run_unapproved, .ctx = run};
    struct view *own = arena_new_of(a, struct view);
    struct arena *kept = view->arena;
    struct steps *steps;

    if (approved) {
        options.approvals = e->approvals;
        options.n_approvals = e->n_approvals;
    }
    for (size_t i = 0; i < run->count; i++)
        if (has_a_place(&run->steps[i]))
            policy_hold(&options, run->steps[i].step);
    *own = *view;
    own->now_ms = now_ms;
    own->arena = a;
    steps = steps_judged(e, a, own, &options, of);
    *view = *own;
    view->arena = kept;
    return steps;
}

void engine_suppose(const struct engine *e, struct arena *a, const struct view *view, enum supposing what,
                    const char *const *points, struct view *ret)
{
    *ret = *view;
    ret->if_ordered = what;
    ret->ordered_points = points;
    steps_judged(e, a, ret, NULL, NULL);
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
    TRY(plan_make(a, steps, &(struct plan_inputs){view->now_ms, documents, e->pinned, facts}, &made, err));
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
