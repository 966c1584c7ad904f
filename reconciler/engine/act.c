/* Acting: carries a plan out. Every step is looked at again before it writes, holds a permit for just the writes it has
 * announced, and is verified by reading back. A failed step stops what needs it and nothing else.
 *
 * A step goes WAITING -> RUNNING -> one of DONE, NOT_NEEDED, FAILED, BLOCKED; or WAITING -> SKIPPED. */
#include <stdlib.h>

#include "internal.h"
#include "../run/skew.h"

struct running {
    struct run *run;
    struct step_outcome *slot;
};

static void run_ready(struct call *c, struct run *r);

void run_tell(const struct run *r, enum engine_event event, const struct step *step, const char *line,
              int64_t elapsed_ms)
{
    if (r->engine->event)
        r->engine->event(r->engine->ctx, event, step, line, elapsed_ms);
}

/* --- one step ----------------------------------------------------------------------------------------------------- */

/* The documents whose facts decide a step: its own, all it refers to, and the owners of what it needs. */
static void mark_closure(const struct document *doc, bool *marked)
{
    if (marked[doc->index])
        return;
    marked[doc->index] = true;
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target)
            mark_closure(doc->references[i].target, marked);
}

/* Lower levels first: a kind's observation may use the facts of what it refers to. `marked` NULL: all of them. */
static int observe_marked(struct call *c, struct run *r, const bool *marked, struct err *err)
{
    const struct desired *d = r->view.desired;

    for (size_t level = 0; level < d->levels; level++)
        for (size_t i = 0; i < d->count; i++)
            if ((!marked || marked[i]) && d->documents[i]->level == level)
                TRY(engine_observe(c, r->engine, &r->view, r->look->facts, d->documents[i], err));
    return 0;
}

int run_observe_again(struct call *c, struct run *r, const struct step *step, struct err *err)
{
    bool *marked = arena_array(r->arena, bool, r->view.desired->count + 1);

    mark_closure(step->document, marked);
    for (size_t i = 0; i < step->n_on; i++)
        mark_closure(step->on[i], marked);
    for (size_t i = 0; i < step->n_needs; i++) {
        const struct step *need = steps_find(&r->look->plan->steps, step->needs[i]);

        if (need)
            mark_closure(need->document, marked);
    }
    return observe_marked(c, r, marked, err);
}

static const struct change *change_find(const struct step *step, const char *path)
{
    for (size_t i = 0; i < step->n_changes; i++)
        if (str_eq(step->changes[i].path, path))
            return &step->changes[i];
    return NULL;
}

/* A value that the plan knew must be the same now; one that it did not know may have become known. */
static int still_covered(const struct step *planned, const struct step *fresh, struct err *err)
{
    const char *advice = "look at the new plan and apply again";

    if (planned->action != fresh->action || (planned->scope && !str_eq_nocase(planned->scope, fresh->scope))) {
        err_set(err, ERR_CONFLICT, "drift since the plan: %s is now %s of %s", planned->id, action_name(fresh->action),
                fresh->scope ? fresh->scope : "another thing");
        return err_advise(err, "%s", advice);
    }
    /* What is adopted writes nothing. */
    for (size_t i = 0; i < fresh->n_changes && !fresh->adopts; i++) {
        const struct change *old = change_find(planned, fresh->changes[i].path);

        if (old && (value_is(old->after, VALUE_UNKNOWN) || value_equal(old->after, fresh->changes[i].after)))
            continue;
        err_set(err, ERR_CONFLICT, "drift since the plan: %s would now also set %s", planned->id,
                fresh->changes[i].path);
        return err_advise(err, "%s", advice);
    }
    return 0;
}

int run_allowed(const struct step *step, struct err *err)
{
    const struct ruling *rule = step_withheld(step);

    if (!rule)
        return step->verdict <= VERDICT_WARN || step->n_rulings
                   ? 0
                   : err_set(err, ERR_BLOCKED, "%s by policy", verdict_name(step->verdict));
    if (step->verdict == VERDICT_REQUIRE_APPROVAL)
        return err_set(err, ERR_BLOCKED, "needs approval: rule %s%s%s; approve with --approve %s=YOUR-NAME", rule->rule,
                       rule->message ? ": " : "", rule->message ? rule->message : "", rule->rule);
    return err_set(err, ERR_BLOCKED, "%s by rule %s%s%s%s%s", verdict_name(step->verdict), rule->rule,
                   rule->message ? ": " : "", rule->message ? rule->message : "", rule->evidence ? "; " : "",
                   rule->evidence ? rule->evidence : "");
}

static struct permit permit_for(struct arena *a, const struct step *step)
{
    struct permit_write *writes = arena_array(a, struct permit_write, step->n_writes + 1);
    struct permit permit = {.step = step->id, .writes = writes, .n_writes = step->n_writes};

    for (size_t i = 0; i < step->n_writes; i++)
        for (enum http_method m = 0; m < HTTP_METHOD_COUNT; m++)
            if (str_eq(http_method_name(m), step->writes[i].method))
                writes[i] = (struct permit_write){.method = m, .fragment = step->writes[i].fragment};
    /* Each announced write may be tried a few times by the one retry owner, and no more than that. */
    permit.budget = step->n_writes * 6;
    return permit;
}

int run_journal(struct call *c, const struct run *r, struct arena *a, const char *event, const struct step *step,
                        const char *result, struct err *err)
{
    struct value *line = value_map(a);

    value_set_string(a, line, "event", event);
    value_set_string(a, line, "at", time_format(a, call_now_ms(c)));
    value_set_string(a, line, "step", step->id);
    value_set_string(a, line, "action", action_name(step->action));
    value_set_string(a, line, "plan", r->look->plan->digest);
    value_set_string(a, line, "result", result);
    for (size_t i = 0; i < step->n_rulings; i++)
        if (step->rulings[i].approved_by)
            value_set_string(a, line, "approvedBy", step->rulings[i].approved_by);
    return journal_append(r->engine->journal, line, err);
}

static void say(void *ctx, const struct step *step, const char *line)
{
    run_tell(ctx, ENGINE_STEP_SAYS, step, line, 0);
}

/* The step as the world asks for it now; NULL: the world no longer asks. */
static struct step *step_now(struct call *c, struct run *r, struct arena *a, const char *id)
{
    struct step *step = steps_find(engine_steps(r->engine, a, &r->view, call_now_ms(c)), id);

    return step && step->action != ACTION_NONE ? step : NULL;
}

static void status(void *ctx, const struct step *step, const char *line)
{
    run_tell(ctx, ENGINE_STEP_STATUS, step, line, 0);
}

static void job_begins(void *ctx, const struct step *step, const char *job)
{
    struct run *r = ctx;
    struct step_outcome *slot = run_outcome(r, step->id);

    if (slot)
        slot->job = arena_strdup(r->arena, job);
    run_tell(r, ENGINE_STEP_JOB, step, job, 0);
}

static int step_write(struct call *c, struct run *r, struct arena *a, const struct step *step, struct err *err)
{
    const struct kind *kind = engine_kind(r->engine, step->document);
    struct permit permit = permit_for(a, step);
    struct actor actor = {
        .arena = a,
        .view = &r->view,
        .step = step,
        .provider = r->engine->provider,
        .say_ctx = r,
        .say = say,
        .status = status,
        .job = job_begins,
    };
    struct view frozen = r->view;
    int rc;

    if (!kind->act)
        return err_set(err, ERR_BLOCKED, "%s has no way to do %s", kind->name, action_name(step->action));
    /* Other steps move the run's view on while this one is suspended; it acts on what it has just seen. */
    actor.view = &frozen;
    TRY(run_journal(c, r, a, "begin", step, NULL, err));
    call_set_context(c, &permit);
    rc = kind->act(c, &actor, err);
    call_set_context(c, NULL);
    r->outcome->writes_taken += permit.taken;
    return rc;
}

static int step_verified(struct call *c, struct run *r, struct arena *a, const struct step *step, struct err *err)
{
    struct run_patience patience = run_patience(r, step);
    const struct step *again;

    TRY(run_observe_again(c, r, step, err));
    for (;;) {
        again = step_now(c, r, a, step->id);
        if (!again || step->action == ACTION_VERIFY)
            return 0;
        if (again->action == ACTION_BLOCKED)
            return err_set(err, ERR_BLOCKED, "%s", again->reason);
        if (run_changed_by_another(a, step, again, err))
            return -(int)err->class;
        err_set(err, ERR_CONFLICT, "done, but reading back shows it undone: %s", again->reason);
        if (run_look_later(c, r, step, &patience, again->reason, err))
            continue;
        return err->class == ERR_CONFLICT
                   ? err_advise(err, "run plan to see the present state; nothing was tried a second time")
                   : -(int)err->class;
    }
}

/* A verification that finds a difference looks again, because Azure may show an old state and looking changes nothing;
 * every other step is tried once. */
static int step_carry_out(struct call *c, struct run *r, struct arena *a, const struct step *step, struct err *err)
{
    struct run_patience patience = run_patience(r, step);

    while (step_write(c, r, a, step, err) < 0) {
        char *seen = arena_strdup(a, err->text);

        if (step->action != ACTION_VERIFY || err->class != ERR_CONFLICT ||
            !run_look_later(c, r, step, &patience, seen, err))
            return -(int)err->class;
        (void)step_now(c, r, a, step->id);
    }
    return 0;
}

static enum step_state step_blocked(const struct step *fresh, struct err *err)
{
    err_set(err, ERR_BLOCKED, "%s", fresh->reason);
    if (fresh->next)
        err_advise(err, "%s", fresh->next);
    return STEP_BLOCKED;
}

/* The world no longer asks for the step. "Not needed any more" holds only where its document is as declared, or where
 * what is left of it was planned too; what stands against it a person has to hear; what the look asks for instead is
 * done. */
static enum step_state step_unasked(struct call *c, struct run *r, const struct step *step, struct err *err)
{
    const struct conclusion *now = &r->view.conclusions[step->document->index];
    size_t grown = 0;

    if (now->verdict == PROSPECT_BLOCKED)
        return step_blocked(now->block, err);
    if (now->verdict == PROSPECT_PENDING && run_grow_document(c, r, step->document, &grown, err) < 0)
        return STEP_BLOCKED;
    return grown ? STEP_OVERTAKEN : STEP_NOT_NEEDED;
}

/* A conflict says that the world has moved on; if it has moved to where the step was to bring it, nothing is wrong. Who
 * asked for the step may be any document, so all are looked at. What a verification finds is its verdict. */
static enum step_state step_failed(struct call *c, struct run *r, struct arena *a, const struct step *step,
                                   struct err *err)
{
    struct err ignored;

    /* A right that we lack is for a person to give, like all else that stands against a step. */
    if (err->class == ERR_BLOCKED || err->class == ERR_DENIED)
        return STEP_BLOCKED;
    if (err->class != ERR_CONFLICT || step->action == ACTION_VERIFY || observe_marked(c, r, NULL, &ignored) < 0 ||
        step_now(c, r, a, step->id))
        return STEP_FAILED;
    return step_unasked(c, r, step, err);
}

/* Looks until what the step needs is so, is due in this run, or cannot be: what was done and reads as undone is given
 * the time in which Azure may still show an older state. */
static enum run_gate pass_gate(struct call *c, struct run *r, struct arena *a, struct step_outcome *slot,
                               struct step **fresh, struct err *err)
{
    struct run_patience patience = run_patience(r, slot->step);
    enum run_gate gate;

    while ((gate = run_gate(c, r, slot, *fresh, err)) == RUN_GATE_UNDONE) {
        if (!run_look_later(c, r, slot->step, &patience, arena_strdup(a, err->text), err))
            return RUN_GATE_SHUT;
        *fresh = step_now(c, r, a, slot->step->id);
        if (!*fresh)
            return RUN_GATE_OPEN;
    }
    return gate;
}

/* The specification of how one step is done. Returns the state it ends in, or STEP_WAITING when it waits for what has
 * come up since the plan; err is filled for FAILED and BLOCKED. */
static enum step_state step_reconcile(struct call *c, struct run *r, struct arena *a, struct step_outcome *slot,
                                      struct err *err)
{
    const struct step *planned = slot->step;
    struct step *fresh;
    enum run_gate gate;

    if (run_observe_again(c, r, planned, err) < 0)
        return STEP_FAILED;
    fresh = step_now(c, r, a, planned->id);
    gate = fresh && fresh->action != ACTION_BLOCKED ? pass_gate(c, r, a, slot, &fresh, err) : RUN_GATE_OPEN;
    if (gate != RUN_GATE_OPEN)
        return gate == RUN_GATE_WAIT ? STEP_WAITING : STEP_BLOCKED;
    /* Why it starts is told by what was just seen: repairs before it may have changed what was planned for. */
    run_tell(r, ENGINE_STEP_STARTS, fresh ? fresh : planned, NULL, 0);
    /* Once a thing is there nothing asks for its verification any more; it is verified all the same. */
    if (!fresh && planned->action == ACTION_VERIFY)
        fresh = steps_find(&r->look->plan->steps, planned->id);
    if (!fresh)
        return step_unasked(c, r, planned, err);
    if (fresh->action == ACTION_BLOCKED)
        return step_blocked(fresh, err);
    if (still_covered(planned, fresh, err) < 0 || run_allowed(fresh, err) < 0)
        return STEP_BLOCKED;
    /* The waits before it may have lasted longer than they seemed: the machine may have stood still. */
    if (action_writes(fresh->action) && !fresh->adopts && skew_check(sched_skew_ms(call_sched(c)), err) < 0) {
        err_advise(err, "set the clock and run again");
        return STEP_BLOCKED;
    }
    if (step_carry_out(c, r, a, fresh, err) < 0)
        return step_failed(c, r, a, fresh, err);
    if (step_verified(c, r, a, fresh, err) < 0)
        return err->class == ERR_BLOCKED ? STEP_BLOCKED : STEP_FAILED;
    return STEP_DONE;
}

/* What came back from soft delete may lack what its declaration says beside being there. */
static void complete_recovered(struct call *c, struct run *r, const struct step *step)
{
    struct err ignored;
    size_t grown;

    if (step->action == ACTION_RECOVER)
        (void)!run_grow_document(c, r, step->document, &grown, &ignored);
}

static const char *const state_names[] = {
    [STEP_WAITING] = "waiting",       [STEP_RUNNING] = "running",     [STEP_DONE] = "done",
    [STEP_NOT_NEEDED] = "not-needed", [STEP_FAILED] = "failed",       [STEP_BLOCKED] = "blocked",
    [STEP_SKIPPED] = "skipped",       [STEP_OVERTAKEN] = "overtaken",
};

/* Nobody has cancelled what runs at Azure: this run only stops looking. */
static void step_left(struct step_outcome *slot)
{
    if (slot->job)
        err_set(&slot->err, ERR_CANCELLED,
                "not waited for any longer: job %s runs on at Azure, and the next run adopts it", slot->job);
    else
        err_set(&slot->err, ERR_CANCELLED,
                "not waited for any longer: what was sent takes its course at Azure; the next run looks first");
}

static void step_task(struct call *c, void *arg)
{
    struct running *running = arg;
    struct run *r = running->run;
    struct step_outcome *slot = running->slot;
    static const enum engine_event events[] = {
        [STEP_DONE] = ENGINE_STEP_DONE,
        [STEP_NOT_NEEDED] = ENGINE_STEP_NOT_NEEDED,
        [STEP_FAILED] = ENGINE_STEP_FAILED,
        [STEP_BLOCKED] = ENGINE_STEP_BLOCKED,
        [STEP_WAITING] = ENGINE_STEP_WAITS,
        [STEP_OVERTAKEN] = ENGINE_STEP_OVERTAKEN,
    };
    int64_t begun = call_span_ms(c);
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct err journal_err;
    bool left;

    slot->state = step_reconcile(c, r, scratch, slot, &slot->err);
    slot->elapsed_ms += call_span_ms(c) - begun;
    if (slot->state == STEP_FAILED && slot->err.class == ERR_CANCELLED)
        step_left(slot);
    if (slot->state == STEP_DONE)
        complete_recovered(c, r, slot->step);
    if (slot->state == STEP_DONE)
        slot->err = (struct err){.class = ERR_NONE};
    /* The view's steps were made in the scratch arena; nobody may find them after it is gone. */
    r->view.steps = &r->look->plan->steps;
    r->view.conclusions = r->look->view.conclusions;
    r->view.concluded = r->look->view.concluded;
    if (run_journal(c, r, scratch, "end", slot->step, state_names[slot->state], &journal_err) < 0 &&
        slot->state == STEP_DONE)
        slot->err = journal_err;
    left = slot->state == STEP_FAILED && slot->err.class == ERR_CANCELLED;
    run_tell(r, left ? ENGINE_STEP_LEFT : events[slot->state], slot->step, slot->err.text, slot->elapsed_ms);
    run_ready(c, r);
}

/* --- the order ---------------------------------------------------------------------------------------------------- */

struct step_outcome *run_outcome(const struct run *r, const char *id)
{
    for (size_t i = 0; i < r->outcome->count; i++)
        if (str_eq(r->outcome->steps[i].step->id, id))
            return &r->outcome->steps[i];
    return NULL;
}

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
    enum readiness result = READY;

    for (size_t i = 0; i < slot->n_needs; i++) {
        const struct step_outcome *need = run_outcome(r, slot->needs[i]);

        if (!need || satisfied(need->state))
            continue;
        if (over(need->state)) {
            *ret_dead = need;
            return NEVER;
        }
        result = NOT_YET;
    }
    return result;
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
            group_spawn(r->group, slot->step->id, step_task, running);
        }
    }
}

static void outcome_begin(struct arena *a, const struct plan *plan, struct outcome *ret)
{
    *ret = (struct outcome){.plan = plan, .room = plan->steps.count + RUN_GROWTH_MAX, .gaps = value_list(a)};
    ret->steps = arena_array(a, struct step_outcome, ret->room);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i]->action != ACTION_NONE)
            run_add(ret, plan->steps.items[i]);
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
    struct run r = {.engine = e, .arena = a, .look = look, .view = look->view, .outcome = outcome};
    int rc;

    outcome_begin(a, look->plan, outcome);
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
