/* Knows how one step is carried out: it is looked at again before it writes, holds a permit for just the writes it has
 * announced, and is verified by reading back. Must not know which step comes next. */
#include <stdio.h>

#include "internal.h"

#include "../run/skew.h"

/* The code of the error by which a step that had begun goes back to waiting for what has come up. */
#define PUT_OFF "put-off"

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

static void say(void *ctx, const struct step *step, const char *line)
{
    run_tell(ctx, ENGINE_STEP_SAYS, step, line, 0);
}

/* The step as the world asks for it now; NULL: the world no longer asks. */
static struct step *step_now(struct call *c, struct run *r, struct arena *a, const struct step *as)
{
    const struct steps *now =
        engine_steps_in_run(r->engine, a, &r->view, call_now_ms(c), r->outcome, as->document, true);
    struct step *step = steps_find(now, as->id);

    return step && step->action != ACTION_NONE ? step : NULL;
}

static void status(void *ctx, const struct step *step, const char *line)
{
    run_tell(ctx, ENGINE_STEP_STATUS, step, line, 0);
}

static void until(void *ctx, const struct step *step, const char *what, int64_t ms)
{
    run_tell(ctx, ENGINE_STEP_UNTIL, step, what, ms);
}

static void job_begins(void *ctx, const struct step *step, const char *job, int64_t before_ms)
{
    struct run *r = ctx;
    struct step_outcome *slot = run_outcome(r, step->id);

    if (slot)
        slot->job = arena_strdup(r->arena, job);
    run_tell(r, ENGINE_STEP_JOB, step, job, before_ms);
}

static enum step_state step_blocked(const struct step *fresh, struct err *err)
{
    err_set(err, ERR_BLOCKED, "%s", fresh->reason);
    if (fresh->next)
        err_advise(err, "%s", fresh->next);
    return STEP_BLOCKED;
}

/* The step as it is asked for now, once what this run has brought back or granted has had the time to act. */
static struct step *step_settled(struct call *c, struct run *r, struct arena *a, const struct step *step,
                                 struct err *err)
{
    struct run_patience patience = run_patience(r, step);
    struct step *fresh = step_now(c, r, a, step);

    while ((!fresh || fresh->action == ACTION_BLOCKED) && run_refused_yet(r, step) &&
           run_look_later(c, r, step, &patience, "what was brought back or granted may not act yet", err))
        fresh = step_now(c, r, a, step);
    return fresh;
}

/* Looks until what the step needs is so, is due in this run, or cannot be: what was done and reads as undone is given
 * the time in which Azure may still show an older state. */
static enum run_gate pass_gate(struct call *c, struct run *r, struct arena *a, struct step_outcome *slot,
                               struct step **fresh, struct err *err)
{
    struct run_patience patience = run_patience(r, slot->step);
    enum run_gate gate;
    bool again = false;

    while ((gate = run_gate(c, r, slot, *fresh, err)) == RUN_GATE_UNDONE || (gate == RUN_GATE_CHANGED && !again)) {
        again = gate == RUN_GATE_CHANGED;
        if (again ? !run_look_once_more(c, r, slot->step, err)
                  : !run_look_later(c, r, slot->step, &patience, arena_strdup(a, err->text), err))
            return RUN_GATE_SHUT;
        *fresh = step_now(c, r, a, slot->step);
        if (!*fresh)
            return RUN_GATE_OPEN;
    }
    return gate == RUN_GATE_CHANGED ? RUN_GATE_SHUT : gate;
}

/* The view's steps were made in a scratch arena; nobody may find them after it is gone. */
static void steps_forget(struct run *r)
{
    r->view.steps = &r->look->plan->steps;
    r->view.conclusions = r->look->view.conclusions;
    r->view.concluded = r->look->view.concluded;
    r->view.refused = r->look->view.refused;
    r->view.n_refused = r->look->view.n_refused;
    r->view.demand = NULL;
}

/* The step that began, as one that is asked for now: the same thing done for the same order. */
static int still_the_same(const struct step *begun, const struct step *fresh, struct err *err)
{
    int rc = still_covered(begun, fresh, err);

    if (rc == 0 && !value_equal(begun->detail, fresh->detail))
        rc = err_set(err, ERR_CONFLICT, "%s is now asked for otherwise: %s", begun->id, fresh->reason);
    if (rc < 0)
        err->class = ERR_BLOCKED;
    return rc < 0 ? -(int)err->class : 0;
}

/* What must hold whenever a write is about to be sent, the first time or again: the order that alone approves it
 * stands, policy lets it pass now, and the clock is right, for the waits before it may have lasted longer than they
 * seemed. */
static int may_write(struct call *c, struct run *r, struct arena *a, const struct step *planned,
                     const struct step *fresh, struct err *err)
{
    TRY(run_order_stands(r, a, fresh, err));
    if (run_allowed(fresh, err) < 0) {
        if (fresh->verdict == VERDICT_REQUIRE_APPROVAL)
            run_order_over(planned, err);
        return -(int)err->class;
    }
    if (action_writes(fresh->action) && !fresh->adopts && skew_check(sched_skew_ms(call_sched(c)), err) < 0)
        return err_advise(err, "set the clock and run again");
    return 0;
}

static int concluded_anew(struct call *c, struct run *r, struct arena *a, const struct step *step, struct err *err)
{
    struct step *fresh;
    enum run_gate gate = RUN_GATE_OPEN;

    TRY(run_observe_again(c, r, step, err));
    fresh = step_settled(c, r, a, step, err);
    if (fresh && fresh->action != ACTION_BLOCKED)
        gate = pass_gate(c, r, a, run_outcome(r, step->id), &fresh, err);
    if (gate == RUN_GATE_WAIT)
        snprintf(err->code, sizeof(err->code), PUT_OFF);
    if (gate != RUN_GATE_OPEN)
        return -(int)err->class;
    if (!fresh)
        return err_set(err, ERR_CONFLICT, "the last look before it no longer asks for %s", step->id);
    if (fresh->action == ACTION_BLOCKED) {
        step_blocked(fresh, err);
        return -(int)err->class;
    }
    if (fresh->adopts && !step->adopts) {
        err_set(err, ERR_BLOCKED, "job %s runs already", fresh->adopts);
        return err_advise(err, "run again: it is adopted");
    }
    TRY(may_write(c, r, a, step, fresh, err));
    return still_the_same(step, fresh, err);
}

/* Minutes to hours of waiting lie between the look with which a step begins and the write that it waited for. */
static int look_again(void *ctx, struct call *c, const struct step *step, struct err *err)
{
    struct run *r = ctx;
    struct arena *scratch cleanup(arena_freep) = arena_new();
    int rc = concluded_anew(c, r, scratch, step, err);

    steps_forget(r);
    return rc;
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
        .until = until,
        .again = look_again,
    };
    struct view frozen = r->view;
    int rc;

    if (!kind->act)
        return err_set(err, ERR_BLOCKED, "%s has no way to do %s", kind->name, action_name(step->action));
    /* Other steps move the run's view on while this one is suspended; it acts on what it has just seen. */
    actor.view = &frozen;
    frozen.arena = a;
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
        again = step_now(c, r, a, step);
        if (!again || step->action == ACTION_VERIFY || run_left_to_others(r, again))
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

/* Whether it is tried again: a verification that finds a difference, because Azure may show an old state and looking
 * changes nothing; what was refused by a store that this run has just brought back or opened to us; and what was
 * refused because something else is under way there. A refused write changes nothing either. Every other step is tried
 * once, and no trigger of a restore is ever repeated. */
static bool tried_again(const struct run *r, const struct step *step, const struct err *err)
{
    if (step->action == ACTION_VERIFY)
        return err->class == ERR_CONFLICT;
    if (action_words(step->action)->once)
        return false;
    return err->busy || (err->class == ERR_DENIED && err->http_status == 403 && run_just_opened(r, step));
}

static int step_carry_out(struct call *c, struct run *r, struct arena *a, const struct step *step, struct err *err)
{
    struct run_patience patience = run_patience(r, step);

    while (step_write(c, r, a, step, err) < 0) {
        char *seen = arena_strdup(a, err->text);

        struct err first = *err;
        const struct step *again;

        if (!tried_again(r, step, err))
            return -(int)err->class;
        if (!run_look_later(c, r, step, &patience, seen, err)) {
            *err = err->class == ERR_CANCELLED ? *err : first;
            return -(int)err->class;
        }
        again = step_now(c, r, a, step);
        if (step->action == ACTION_VERIFY)
            continue;
        /* The refused write may not be asked for any more, or in another way than was planned. */
        if (!again)
            return 0;
        if (still_covered(step, again, err) < 0 || may_write(c, r, a, step, again, err) < 0)
            return -(int)err->class;
    }
    return 0;
}

static bool planned_block(const struct run *r, const struct step *block)
{
    const struct step *planned = steps_find(&r->look->plan->steps, block->id);

    return planned && planned->action == ACTION_BLOCKED;
}

/* The world no longer asks for the step. "Not needed any more" holds only where its document is as declared, or where
 * what is left of it was planned too; what stands against it a person has to hear; what the look asks for instead is
 * done. */
static enum step_state step_unasked(struct call *c, struct run *r, const struct step *step, struct err *err)
{
    const struct conclusion *now = &r->view.conclusions[step->document->index];
    size_t grown = 0;

    /* A block that the plan showed beside this step has nothing to do with it: what relies on both has heard of it. */
    if (now->verdict == PROSPECT_BLOCKED && !planned_block(r, now->block))
        return step_blocked(now->block, err);
    /* What takes its place takes its place in the budget too. */
    run_outcome(r, step->id)->state = STEP_OVERTAKEN;
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

    if (str_eq(err->code, PUT_OFF))
        return STEP_WAITING;
    /* A right that we lack is for a person to give, like all else that stands against a step. */
    if (err->class == ERR_BLOCKED || err->class == ERR_DENIED)
        return STEP_BLOCKED;
    if (err->class != ERR_CONFLICT || step->action == ACTION_VERIFY || run_observe(c, r, NULL, &ignored) < 0 ||
        step_now(c, r, a, step))
        return STEP_FAILED;
    return step_unasked(c, r, step, err);
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
    fresh = step_settled(c, r, a, planned, err);
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
    if (still_covered(planned, fresh, err) < 0 || may_write(c, r, a, planned, fresh, err) < 0)
        return STEP_BLOCKED;
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

void run_step(struct call *c, void *arg)
{
    struct running *running = arg;
    struct run *r = running->run;
    struct step_outcome *slot = running->slot;
    static const enum engine_event events[] = {
        [STEP_DONE] = ENGINE_STEP_DONE,     [STEP_NOT_NEEDED] = ENGINE_STEP_NOT_NEEDED,
        [STEP_FAILED] = ENGINE_STEP_FAILED, [STEP_BLOCKED] = ENGINE_STEP_BLOCKED,
        [STEP_WAITING] = ENGINE_STEP_WAITS, [STEP_OVERTAKEN] = ENGINE_STEP_OVERTAKEN,
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
        run_was_so(r, slot->step->document);
    if (slot->state == STEP_DONE)
        complete_recovered(c, r, slot->step);
    if (slot->state == STEP_DONE)
        slot->err = (struct err){.class = ERR_NONE};
    steps_forget(r);
    if (run_journal(c, r, scratch, "end", slot->step, state_names[slot->state], &journal_err) < 0 &&
        slot->state == STEP_DONE)
        slot->err = journal_err;
    left = slot->state == STEP_FAILED && slot->err.class == ERR_CANCELLED;
    run_tell(r, left ? ENGINE_STEP_LEFT : events[slot->state], slot->step, slot->err.text, slot->elapsed_ms);
    r->step_over(c, r);
}
