/* What a step waits for, and how a run grows. A step starts when a fresh look shows that what it needs is so, never
 * because another step has ended: a vault that is back may hold a key that is deleted, and what was granted may have
 * been taken away. What the look asks for instead joins the run when the order and the policy cover it; what they do
 * not cover stops there, named. */
#include "internal.h"

enum { WAIT_REPEATS_MAX = 5 };

void run_make_room(struct outcome *o, struct arena *a, size_t room)
{
    o->room = room;
    o->steps = arena_array(a, struct step_outcome, room + 1);
    o->by_id = index_new(a, INDEX_EXACT);
}

struct step_outcome *run_add(struct outcome *o, const struct step *step)
{
    struct step_outcome *slot = &o->steps[o->count++];

    *slot = (struct step_outcome){.step = step, .state = STEP_WAITING, .needs = step->needs, .n_needs = step->n_needs};
    index_put(o->by_id, step->id, slot);
    return slot;
}

/* The steps that a fresh look asks for of a document and what that rests on, kept for as long as the run lasts.
 * Approvals were given for the plan that was shown, and cover no more than that. */
static const struct steps *steps_kept(struct call *c, struct run *r, const struct document *of)
{
    struct view view = r->view;

    return engine_steps_in_run(r->engine, r->arena, &view, call_now_ms(c), r->outcome, of, false);
}

static int grow(struct call *c, struct run *r, const struct step *step, struct err *err)
{
    struct step_outcome *slot;

    if (r->engine->closed)
        return err_set(err, ERR_BLOCKED, "%s has come up since the plan was saved (%s): make a new plan and look at it",
                       step->id, step->reason);
    if (run_allowed(step, err) < 0) {
        char *why = arena_strdup(r->arena, err->text);

        return err_set(err, ERR_BLOCKED, "%s has come up since the plan (%s) and is not covered: %s", step->id,
                       step->reason, why);
    }
    if (r->outcome->count == r->outcome->room)
        return err_set(err, ERR_BLOCKED, "the run has grown by %d steps already; plan anew and look at it",
                       RUN_GROWTH_MAX);
    slot = run_add(r->outcome, step);
    slot->grown = true;
    run_tell(r, ENGINE_PLAN_GROWS, step, step->reason, 0);
    return run_journal(c, r, r->arena, "grow", step, NULL, err);
}

int run_grow_document(struct call *c, struct run *r, const struct document *doc, size_t *ret_grown, struct err *err)
{
    const struct steps *fresh = NULL;

    *ret_grown = 0;
    for (size_t i = 0; i < r->view.steps->count; i++) {
        const struct step *asked = r->view.steps->items[i];

        if (asked->document != doc || asked->aside || !step_pends(asked) || run_outcome(r, asked->id))
            continue;
        if (!fresh)
            fresh = steps_kept(c, r, doc);
        asked = steps_find(fresh, asked->id);
        if (!asked)
            continue;
        TRY(grow(c, r, asked, err));
        *ret_grown += 1;
    }
    return 0;
}

bool run_needs_anew(struct call *c, struct run *r, struct step_outcome *slot)
{
    const struct steps *fresh = steps_kept(c, r, slot->step->document);
    const struct step *again = steps_find(fresh, slot->step->id);
    const char **needs;
    size_t n = 0;

    if (!again || !step_pends(again) || again->action == ACTION_BLOCKED)
        return false;
    needs = arena_array(r->arena, const char *, again->n_needs + 1);
    for (size_t i = 0; i < again->n_needs; i++) {
        const struct step *need = steps_find(fresh, again->needs[i]);

        if (need && step_pends(need))
            needs[n++] = need->id;
    }
    slot->needs = needs;
    slot->n_needs = n;
    return true;
}

static bool undone(const struct step_outcome *slot)
{
    return slot && (slot->state == STEP_FAILED || slot->state == STEP_BLOCKED || slot->state == STEP_SKIPPED);
}

bool run_left_to_others(const struct run *r, const struct step *step)
{
    bool any = false;

    for (size_t i = 0; i < step->n_needs; i++) {
        const struct step *need = steps_find(r->view.steps, step->needs[i]);

        if (!need || !step_pends(need))
            continue;
        if (!undone(run_outcome(r, need->id)))
            return false;
        any = true;
    }
    return any && step->needs_any;
}

/* The need joins the run, is awaited, or cannot be. */
static enum run_gate gate_need(struct call *c, struct run *r, const struct step *need, struct err *err)
{
    struct step_outcome *have = run_outcome(r, need->id);
    const struct step *kept;
    const char *changed;

    if (!have) {
        kept = steps_find(steps_kept(c, r, need->document), need->id);
        if (kept && kept->action == ACTION_BLOCKED) {
            err_set(err, ERR_BLOCKED, "needs %s, which has come up since the plan: %s", need->id, kept->reason);
            return RUN_GATE_SHUT;
        }
        if (kept && step_withheld(kept) && (changed = run_unapproved(r->outcome, kept))) {
            err_set(err, ERR_BLOCKED, "needs %s (%s): %s, and the order approves what its plan showed", need->id,
                    kept->reason, changed);
            err_advise(err, "find out who, and why; a new run shows it in its plan, and does it if the order stands");
            return RUN_GATE_CHANGED;
        }
        return kept && grow(c, r, kept, err) < 0 ? RUN_GATE_SHUT : RUN_GATE_WAIT;
    }
    if (have->state == STEP_WAITING || have->state == STEP_RUNNING)
        return RUN_GATE_WAIT;
    if (have->state != STEP_DONE && have->state != STEP_NOT_NEEDED && have->state != STEP_OVERTAKEN) {
        err_set(err, ERR_BLOCKED, "needs %s, which was not done", need->id);
        return RUN_GATE_SHUT;
    }
    /* A wait that is due again counts from something new, such as a grant that somebody has just made. */
    if (need->action == ACTION_WAIT && have->repeats++ < WAIT_REPEATS_MAX) {
        have->state = STEP_WAITING;
        return RUN_GATE_WAIT;
    }
    err_set(err, ERR_BLOCKED, "needs %s, which was done and reads as undone: %s", need->id, need->reason);
    err_advise(err, "plan again: it shows what has undone it");
    return RUN_GATE_UNDONE;
}

enum run_gate run_gate(struct call *c, struct run *r, struct step_outcome *slot, const struct step *fresh,
                       struct err *err)
{
    const char **needs = arena_array(r->arena, const char *, fresh->n_needs + 1);
    size_t n = 0;

    for (size_t i = 0; i < fresh->n_needs; i++) {
        const struct step *need = steps_find(r->view.steps, fresh->needs[i]);
        enum run_gate gate;

        if (!need || !step_pends(need))
            continue;
        /* It starts, because another of them was done. */
        if (fresh->needs_any && undone(run_outcome(r, need->id)))
            continue;
        gate = gate_need(c, r, need, err);
        if (gate != RUN_GATE_WAIT)
            return gate;
        needs[n++] = arena_strdup(r->arena, need->id);
    }
    if (!n)
        return RUN_GATE_OPEN;
    slot->needs = needs;
    slot->n_needs = n;
    err_set(err, ERR_BLOCKED, "waits for %s", needs[0]);
    return RUN_GATE_WAIT;
}
