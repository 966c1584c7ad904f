/* Acting: carries a plan out, and knows which step may start when. A failed step stops what needs it and nothing else.
 * Must not know how a step is done.
 *
 * A step goes WAITING -> RUNNING -> one of DONE, NOT_NEEDED, FAILED, BLOCKED; or WAITING -> SKIPPED. */
#include "internal.h"

static bool satisfied(enum step_state state)
{
    return state == STEP_DONE || state == STEP_NOT_NEEDED || state == STEP_OVERTAKEN;
}

static bool over(enum step_state state)
{
    return state != STEP_WAITING && state != STEP_RUNNING;
}

enum readiness { READY, NOT_YET, NEVER };

/* By what the slot needs alone, without what it comes after. `ret_dead`: the need that will not be done. */
static enum readiness needs_readiness(const struct run *r, const struct step_outcome *slot,
                                      const struct step_outcome **ret_dead)
{
    const struct step_outcome *dead = NULL;
    enum readiness result = READY;
    bool any = false;

    for (size_t i = 0; i < slot->n_needs; i++) {
        const struct step_outcome *need = run_outcome(r, slot->needs[i]);

        any = any || !need || satisfied(need->state);
        if (!need || satisfied(need->state))
            continue;
        if (!over(need->state))
            result = NOT_YET;
        else if (!dead)
            dead = need;
    }
    if (!dead || (slot->step->needs_any && (any || result == NOT_YET)))
        return result;
    *ret_dead = dead;
    return NEVER;
}

static enum readiness step_readiness(struct call *c, struct run *r, struct step_outcome *slot, const char **ret_cause)
{
    const struct step_outcome *dead = NULL;
    enum readiness result = needs_readiness(r, slot, &dead);

    /* What another document will not do may have become this one's to do: two may ask for one grant. What was tried
     * and failed is final, so that one run does not go round it. */
    if (result == NEVER && dead->state != STEP_FAILED && dead->step->document != slot->step->document &&
        run_needs_anew(c, r, slot))
        result = needs_readiness(r, slot, &dead);
    if (result == NEVER)
        *ret_cause = dead->step->id;
    if (result == NEVER)
        return NEVER;
    for (size_t i = 0; i < slot->step->n_after; i++) {
        const struct step_outcome *first = run_outcome(r, slot->step->after[i]);

        if (first && !over(first->state))
            result = NOT_YET;
    }
    return result;
}

static void step_skip(struct run *r, struct step_outcome *slot, const char *why)
{
    slot->state = STEP_SKIPPED;
    err_set(&slot->err, ERR_BLOCKED, "%s", why);
    run_tell(r, ENGINE_STEP_SKIPPED, slot->step, slot->err.text, 0);
}

/* Starts what can start, and settles what never can. Called at the beginning and whenever a step has ended. */
static void run_ready(struct call *c, struct run *r)
{
    bool draining = r->engine->draining && r->engine->draining(r->engine->ctx);
    bool moved = true;

    while (moved) {
        moved = false;
        for (size_t i = 0; i < r->outcome->count; i++) {
            struct step_outcome *slot = &r->outcome->steps[i];
            struct running *running;
            const char *cause = NULL;
            enum readiness ready;

            if (slot->state != STEP_WAITING)
                continue;
            ready = step_readiness(c, r, slot, &cause);
            if (ready == NOT_YET)
                continue;
            if (ready == NEVER || draining) {
                step_skip(r, slot,
                          ready == NEVER ? arena_printf(r->arena, "needs %s, which was not done", cause)
                                         : "stopping: no further step is started");
                moved = true;
                continue;
            }
            slot->state = STEP_RUNNING;
            running = arena_new_of(r->arena, struct running);
            *running = (struct running){.run = r, .slot = slot};
            group_spawn(r->group, slot->step->id, run_step, running);
        }
    }
}

static void outcome_begin(struct arena *a, const struct look *look, struct outcome *ret)
{
    const struct plan *plan = look->plan;
    size_t n = look->view.desired->count;

    *ret = (struct outcome){.plan = plan, .gaps = value_list(a)};
    run_make_room(ret, a, plan->steps.count + RUN_GROWTH_MAX);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i]->action != ACTION_NONE)
            run_add(ret, plan->steps.items[i]);
    ret->was_so = arena_array(a, bool, n + 1);
    for (size_t i = 0; i < n; i++)
        ret->was_so[i] = look->view.conclusions && look->view.conclusions[i].verdict == PROSPECT_SATISFIED &&
                         !str_eq(view_state(&look->view, look->view.desired->documents[i]), "unseen");
}

static void outcome_block_foreseen(struct run *r)
{
    for (size_t i = 0; i < r->outcome->count; i++) {
        struct step_outcome *slot = &r->outcome->steps[i];

        if (slot->step->action == ACTION_BLOCKED) {
            err_set(&slot->err, ERR_BLOCKED, "%s", slot->step->reason);
            if (slot->step->next)
                err_advise(&slot->err, "%s", slot->step->next);
        } else if (slot->step->lacking) {
            err_set(&slot->err, ERR_BLOCKED, "we lack a right: %s", slot->step->lacking);
            err_advise(&slot->err, "have the right given and run again");
        } else if (run_allowed(slot->step, &slot->err) == 0) {
            continue;
        }
        slot->state = STEP_BLOCKED;
        run_tell(r, ENGINE_STEP_BLOCKED, slot->step, slot->err.text, 0);
    }
}

static void outcome_count(struct outcome *o)
{
    for (size_t i = 0; i < o->count; i++) {
        o->done += o->steps[i].state == STEP_DONE || o->steps[i].state == STEP_NOT_NEEDED;
        o->failed += o->steps[i].state == STEP_FAILED;
        o->blocked += o->steps[i].state == STEP_BLOCKED;
        o->skipped += o->steps[i].state == STEP_SKIPPED || o->steps[i].state == STEP_WAITING;
    }
}

/* A gap stops what leads to it; whether a plan has anything else to do. */
static bool anything_left(const struct plan *plan)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = plan->steps.items[i];

        if (action_writes(step->action) && !step->lacking && !step_withheld(step))
            return true;
    }
    return false;
}

int engine_act(struct call *c, const struct engine *e, struct arena *a, const struct look *look, struct outcome *ret,
               struct err *err)
{
    struct outcome *outcome = arena_new_of(a, struct outcome);
    struct run r = {
        .engine = e, .arena = a, .look = look, .view = look->view, .outcome = outcome, .step_over = run_ready};
    int rc;

    outcome_begin(a, look, outcome);
    outcome->begun_ms = call_now_ms(c);
    if (e->preflight && look->plan->n_changes > look->plan->n_blocked) {
        struct value *gaps = value_list(a);

        TRY(e->preflight(c, e->provider, a, look->plan, gaps, err));
        outcome->gaps = gaps;
        if (value_count(gaps) && !anything_left(look->plan)) {
            outcome->blocked = outcome->count;
            *ret = *outcome;
            return 0;
        }
    }
    outcome_block_foreseen(&r);
    r.group = group_new(call_sched(c), "act");
    run_ready(c, &r);
    rc = group_wait(c, r.group, err);
    group_free(r.group);
    outcome_count(outcome);
    outcome->ended_ms = call_now_ms(c);
    *ret = *outcome;
    return rc;
}

bool engine_changed(const struct outcome *o)
{
    for (size_t i = 0; i < o->count; i++)
        if (o->steps[i].job || (o->steps[i].state == STEP_DONE && action_writes(o->steps[i].step->action)))
            return true;
    return o->writes_taken > 0;
}

int engine_exit_code(const struct outcome *outcome)
{
    if (engine_changed(outcome) && (outcome->failed || outcome->blocked || outcome->skipped))
        return 4;
    if (outcome->blocked)
        return 3;
    if (outcome->failed || outcome->skipped)
        return 1;
    return 0;
}
