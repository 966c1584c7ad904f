/* Knows how a restore is triggered at most once although Azure offers no idempotency key: look, settle, look again,
 * take a claim, trigger, and adopt whatever is found. This is where a second restore is decided against. Must not know
 * why a restore is due. */
#include "job_run.h"
#include "job_guard.h"
#include "../azure/shared.h"
#include "../../reconciler/run/skew.h"

/* So often everything is looked at again before a trigger, when time passes between look and trigger each time. */
enum { LOOKS_MAX = 10, REFUSALS_MAX = 4 };
#define REFUSED_PAUSE_MS ((int64_t)MINUTE_MS)

#define LOOK_AT_MOST_MS ((int64_t)3 * MINUTE_MS)
/* How much older than the time that it takes a look of an Azure may be that is slow each time. */
#define SLOW_MARGIN_MS ((int64_t)5 * MINUTE_MS)
#define SLOW_AT_MOST_MS ((int64_t)HOUR_MS)
#define ADVICE_HOLDS_MS ((int64_t)10 * SECOND_MS)

/* --- triggering --------------------------------------------------------------------------------------------------- */

/* Whoever withdraws an order while the run waits must not find that it was carried out. */
static int order_stands(const struct job_run *run, struct err *err)
{
    const struct settings *settings = run->actor->view->settings;
    const char *why = settings->changed && run->order
                          ? settings->changed(settings->documents, run->actor->arena, run->order)
                          : NULL;

    if (!why)
        return 0;
    err_set(err, ERR_BLOCKED, "%s; nothing was triggered", why);
    return err_advise(err, "run again: the next run goes by what the documents say then");
}

/* Minutes lie between the decision and this moment. */
static int may_trigger(struct call *c, const struct job_run *run, struct err *err)
{
    if (run->adopt_only) {
        err_set(err, ERR_CONFLICT, "the job that was to be adopted is not to be seen any more");
        return err_advise(err, "plan again; nothing was triggered");
    }
    if (skew_check(sched_skew_ms(call_sched(c)), err) < 0)
        return err_advise(err, "set the clock and run again; nothing was triggered");
    if (call_now_ms(c) <= run->not_after_ms)
        return order_stands(run, err);
    err_set(err, ERR_BLOCKED, "the order expired at %s, before the restore could be triggered",
            time_format(run->actor->arena, run->not_after_ms));
    return err_advise(err, "order anew: reinstate activate -f ... %s; nothing was triggered", run->ordered);
}

/* The answer was lost; the job may run all the same. It shows in the list after minutes, or it was never taken. */
static int find_lost(struct call *c, const struct job_run *run, const char **ret_job, struct err *err)
{
    int64_t until_ms = attempt_shown_by(run, call_now_ms(c)),
            pause_ms = run->settle_ms > CLAIM_PAUSE_MS ? run->settle_ms : CLAIM_PAUSE_MS;
    const struct value *found = NULL;

    actor_say(run->actor, "the answer to the trigger was lost; looking until %s whether the job runs",
              time_format(run->actor->arena, until_ms));
    while (!found && call_now_ms(c) < until_ms) {
        TRY(actor_wait(run->actor, c, pause_ms, "the job list", err));
        TRY(attempt_find_job(c, run, &found, err));
    }
    if (!found)
        return err_set(err, ERR_UNKNOWN_OUTCOME,
                       "the trigger's answer was lost and no job shows %s later; run again to look once more, nothing "
                       "is repeated blindly",
                       duration_format(run->actor->arena, run->settle_ms + CLAIM_LAG_MS));
    *ret_job = value_str_at(found, "job");
    actor_say(run->actor, "job %s runs: adopted", *ret_job);
    return 0;
}

/* One answer that hangs says nothing of the next: only what was slow twice is slow. */
static void pace_note(struct pace *p, int64_t took_ms)
{
    p->least_ms = !p->last_ms ? 0 : took_ms < p->last_ms ? took_ms : p->last_ms;
    p->last_ms = took_ms;
}

/* How old the look at jobs and claim may be: a minute, or twice the time that it takes each time, within bounds. */
static int64_t jobs_hold_ms(const struct attempt *t)
{
    int64_t holds_ms = 2 * t->brief.least_ms;

    return holds_ms < LOOK_HOLDS_MS ? LOOK_HOLDS_MS : holds_ms < SLOW_MARGIN_MS ? holds_ms : SLOW_MARGIN_MS;
}

static int trigger(struct call *c, struct attempt *t, const char **ret_job, struct err *err)
{
    const struct job_run *run = t->run;
    struct arena *a = run->actor->arena;
    int rc;

    permit_until(c, t->jobs_ms + jobs_hold_ms(t));
    rc = backup_trigger_restore(run->az, c, a, run->item_id, &run->request, ret_job, err);
    permit_until(c, 0);
    t->sent = rc == 0 || !str_eq(err->code, LATE);
    if (!t->sent)
        return -(int)err->class;
    if (rc < 0) {
        if (err->class != ERR_UNKNOWN_OUTCOME) {
            /* The trigger was refused or never sent, so the claim is marked as without a job, and the next run need not
             * wait for one. An interrupted run cannot know this and leaves the claim open. */
            if (err->class != ERR_CANCELLED)
                attempt_note(
                    c, t, NULL,
                    arena_printf(a, "not triggered: %s", err->code[0] ? err->code : err_class_name(err->class)));
            return -(int)err->class;
        }
        TRY(find_lost(c, run, ret_job, err));
    }
    actor_job(run->actor, *ret_job, 0);
    attempt_note(c, t, *ret_job, NULL);
    actor_say(run->actor, "restore triggered: job %s", *ret_job);
    return 0;
}

/* A job that began before the order is its own only by the word of a claim, which later runs read. */
static int mark(struct call *c, struct attempt *t, const char *job, struct err *err)
{
    const struct job_run *run = t->run;
    const char *base = claim_base(run->actor->arena, &run->claim);
    bool found;

    if (!run->request.storage_account_id)
        return err_set(err, ERR_NOT_FOUND, "no staging account is declared");
    TRY(claims_open(run->az, c, run->actor->arena, run->request.storage_account_id, &t->claims, err));
    TRY(claims_newest(c, run->actor->arena, &t->claims, base, &t->claim, &found, err));
    if (found && (!t->claim.job || str_eq_nocase(t->claim.job, job))) {
        t->claim.job = job;
        t->claim.adopted_by = run->claim.order;
        return claims_note(c, run->actor->arena, &t->claims, &t->claim, err);
    }
    return attempt_take_claim(c, t, base, found ? t->claim.generation + 1 : 0, job, err);
}

static int adopt(struct call *c, const struct job_run *run, const struct value *found, struct err *err)
{
    struct attempt attempt = {.run = run};
    const char *job = value_str_at(found, "job");
    int64_t start = time_parse(value_str_at(found, "start"));
    int rc = 0;

    actor_say(run->actor, "job %s is %s: adopted, nothing is triggered", job, value_str_at(found, "state"));
    if (!run->mark_adopted || (start != TIME_NONE && start >= run->match.since_ms) ||
        (run->match.own && str_eq_nocase(run->match.own, job)))
        return 0;
    if (mark(c, &attempt, job, err) < 0) {
        rc = err->class == ERR_CANCELLED ? -(int)err->class : 0;
        if (rc == 0)
            attempt_unmarked(run, job, err);
    }
    claims_release(&attempt.claims);
    return rc;
}

/* --- from the look to the trigger --------------------------------------------------------------------------------- */

static void looked(struct call *c, struct attempt *t)
{
    t->looked_ms = t->jobs_ms = call_span_ms(c);
    t->latest_ms = sched_latest_ms(call_sched(c));
    t->passed = false;
}

/* A laptop was closed, or a throttle waited for: source, order and jobs may be others by now. */
static bool look_is_old(struct call *c, const struct attempt *t)
{
    int64_t holds_ms = 2 * t->whole.last_ms, slow_ms = t->whole.least_ms + SLOW_MARGIN_MS;

    /* Where Azure is slow a whole look takes as long as it holds: it may be older then, but never by much, and jobs,
     * claim and order are looked at once more (look_briefly). Where each look takes many minutes, no look is ever
     * younger than that at its end. */
    holds_ms = holds_ms < LOOK_HOLDS_MS ? LOOK_HOLDS_MS : holds_ms < LOOK_AT_MOST_MS ? holds_ms : LOOK_AT_MOST_MS;
    if (t->whole.least_ms && 2 * t->whole.least_ms > LOOK_AT_MOST_MS && slow_ms > holds_ms)
        holds_ms = slow_ms < SLOW_AT_MOST_MS ? slow_ms : SLOW_AT_MOST_MS;
    return call_span_ms(c) - t->looked_ms > holds_ms || sched_latest_ms(call_sched(c)) - t->latest_ms > holds_ms;
}

/* What is advice alone gets seconds of the time for which a look holds: one read that hangs would use up all of it. */
static int look_due(struct call *c, struct attempt *t, struct err *err)
{
    int rc;

    call_advice_until(c, call_span_ms(c) + ADVICE_HOLDS_MS);
    rc = t->run->still_due(c, t->run, err);
    call_advice_until(c, 0);
    pace_note(&t->whole, call_span_ms(c) - t->looked_ms);
    return rc;
}

/* Its reading back is also an answer with Azure's time, the last one before the trigger. */
static int confirm_claim(struct call *c, struct attempt *t, struct err *err)
{
    struct claim now;
    bool same;

    if (!t->claimed)
        return 0;
    TRY(claims_confirm(c, t->run->actor->arena, &t->claims, &t->claim, &same, &now, err));
    /* A note of ours whose answer was lost was sent again, and met itself. */
    if (same || (!now.job && !now.ended && now.renewed && str_eq(now.renewed, t->claim.renewed) &&
                 str_eq(now.nonce, t->claim.nonce))) {
        t->claim.etag = now.etag;
        return 0;
    }
    if (now.job && !now.ended) {
        t->job = now.job;
        t->claim = now;
        return 0;
    }
    t->claimed = false;
    err_set(err, ERR_BLOCKED, "claim %s is not ours any more: %s", now.name,
            now.ended ? now.ended : "somebody has written over it");
    return err_advise(err, "somebody else has decided on this restore meanwhile; plan again; nothing was triggered");
}

/* Says in the claim that its writer is still at it, so that nobody takes it over now. */
static int renew_claim(struct call *c, struct attempt *t, struct err *err)
{
    if (!t->claimed)
        return 0;
    t->claim.renewed = time_format(t->run->actor->arena, call_now_ms(c));
    if (claims_note(c, t->run->actor->arena, &t->claims, &t->claim, err) == 0)
        return 0;
    return err->class == ERR_CONFLICT ? confirm_claim(c, t, err) : -(int)err->class;
}

/* What somebody else did meanwhile may be all that was wanted, so everything is asked once more. */
static int look_again(struct call *c, struct attempt *t, struct err *err)
{
    const struct job_run *run = t->run;
    const struct value *job;

    actor_say(run->actor, "time has passed since the last look: looking again before the restore is triggered");
    if (t->passed)
        shared_forget(run->az);
    shared_forget_if_asleep(run->az, c, t->latest_ms - t->looked_ms);
    looked(c, t);
    TRY(attempt_find_job(c, run, &job, err));
    t->job = job ? value_str_at(job, "job") : NULL;
    if (t->job)
        return 0;
    /* Before all else is looked at: a claim of ours that stood for long would count as one that nobody knows of. */
    TRY(renew_claim(c, t, err));
    if (t->job)
        return 0;
    TRY(may_trigger(c, run, err));
    return look_due(c, t, err);
}

/* What keeps a restore from being triggered twice, or unordered, is never older than jobs_hold_ms. */
static int look_briefly(struct call *c, struct attempt *t, struct err *err)
{
    const struct value *job;

    shared_forget_if_asleep(t->run->az, c, t->latest_ms - t->looked_ms);
    t->jobs_ms = call_span_ms(c);
    TRY(attempt_jobs(c, t->run, &job, err));
    t->job = job ? value_str_at(job, "job") : NULL;
    if (t->job)
        return 0;
    TRY(confirm_claim(c, t, err));
    pace_note(&t->brief, call_span_ms(c) - t->jobs_ms);
    return 0;
}

static int too_slow(const struct attempt *t, struct err *err)
{
    struct arena *a = t->run->actor->arena;

    if (t->whole.least_ms + SLOW_MARGIN_MS <= SLOW_AT_MOST_MS && t->brief.least_ms < SLOW_MARGIN_MS / 2) {
        err_set(err, ERR_BLOCKED, "more than %s passed between each look and its trigger",
                duration_format(a, jobs_hold_ms(t)));
        return err_advise(err, "this machine stood still, or Azure answered now fast and now slowly: run again; "
                               "nothing was triggered");
    }
    err_set(err, ERR_BLOCKED, "Azure is too slow for a safe trigger: a look at all that it rests on takes %s, at jobs "
                              "and claim alone %s, and what was seen may be %s and %s old at most",
            duration_format(a, t->whole.last_ms), duration_format(a, t->brief.last_ms),
            duration_format(a, SLOW_AT_MOST_MS), duration_format(a, SLOW_MARGIN_MS));
    return err_advise(err,
                      "nothing was triggered; run again when Azure answers faster, or from a network nearer to it");
}

/* Triggers, or finds a job to adopt, on a look that is no older than it may be. */
static int trigger_fresh(struct call *c, struct attempt *t, const char **ret_job, struct err *err)
{
    for (int looks = 0; looks <= LOOKS_MAX; looks++) {
        TRY(confirm_claim(c, t, err));
        if (t->job)
            return 0;
        if (t->passed || look_is_old(c, t)) {
            TRY(look_again(c, t, err));
            continue;
        }
        if (call_span_ms(c) - t->jobs_ms > jobs_hold_ms(t)) {
            TRY(look_briefly(c, t, err));
            continue;
        }
        TRY(may_trigger(c, t->run, err));
        if (trigger(c, t, ret_job, err) == 0)
            return 0;
        if (!str_eq(err->code, LATE))
            return -(int)err->class;
    }
    return too_slow(t, err);
}

/* After a second look, which decides. */
static int trigger_once(struct call *c, const struct job_run *run, const char **ret_job, struct err *err)
{
    struct attempt attempt = {.run = run};
    const struct value *found;
    int rc;

    looked(c, &attempt);
    TRY(attempt_find_job(c, run, &found, err));
    if (found) {
        *ret_job = value_str_at(found, "job");
        return adopt(c, run, found, err);
    }
    TRY(may_trigger(c, run, err));
    TRY(look_due(c, &attempt, err));
    rc = attempt_guard(c, &attempt, err);
    if (rc == 0 && !attempt.job) {
        rc = trigger_fresh(c, &attempt, ret_job, err);
        /* A job may run after a lost answer; a cancelled run cannot write. Else the next run need not wait for one. */
        if (rc < 0 && !attempt.sent && err->class != ERR_CANCELLED)
            attempt_note(c, &attempt, NULL, "not triggered: what was seen in the last moment stands against it");
    }
    if (rc == 0 && attempt.job) {
        *ret_job = attempt.job;
        attempt_note(c, &attempt, attempt.job, NULL);
        attempt_note_taken_over(c, &attempt);
        actor_say(run->actor, "job %s: adopted, nothing is triggered", attempt.job);
    }
    azure_holds(run->az, attempt.claim.nonce, false);
    claims_release(&attempt.claims);
    return rc;
}

/* The service's own word that some operation of the machine, or on what it needs, is under way. */
static bool refused_as_busy(const struct err *err)
{
    const struct azure_error *row = azure_error_meant(err->code, err->text);

    return err->class == ERR_CONFLICT && row && row->cure == CURE_WAIT;
}

/* What runs may be the very restore that was ordered, and not be in the list yet: only once every job that had begun by
 * then must be in it is the trigger sent again. A job of ours that shows is adopted by the next look, any other is
 * waited for to its end. */
static int await_refuser(struct call *c, const struct job_run *run, int64_t until_ms, const struct err *refused,
                         struct err *err)
{
    int64_t shown_ms = attempt_shown_by(run, call_now_ms(c));
    const struct value *ours = NULL;

    actor_say(run->actor,
              "Azure refuses this restore while another operation of the machine is under way (%s): that one is waited "
              "for, and looked for until %s",
              refused->code, time_format(run->actor->arena, shown_ms));
    while (!ours && call_now_ms(c) < shown_ms) {
        TRY(actor_wait(run->actor, c, REFUSED_PAUSE_MS, "the job list to show the other operation", err));
        TRY(jobs_await_others(run->az, c, run->actor, run->vault_id, &run->match, until_ms - call_now_ms(c), err));
        TRY(attempt_find_job(c, run, &ours, err));
    }
    return 0;
}

static int still_refused(const struct job_run *run, struct err *err)
{
    err->class = ERR_BLOCKED;
    err_note(err, "another operation of this machine is still under way");
    return err_advise(err, "nothing was triggered, and the restore waits for its end: run again, which looks first; "
                           "see it with az backup job list --vault-name '%s'",
                      arm_id_name(run->vault_id));
}

/* Azure takes one restore of a machine at a time. */
static int trigger_when_free(struct call *c, const struct job_run *run, const char **ret_job, struct err *err)
{
    int64_t until_ms = call_now_ms(c) + run->bound_ms;
    int refusals = 0;

    while (trigger_once(c, run, ret_job, err) < 0) {
        bool seen = err->class == ERR_BLOCKED && str_eq_nocase(err->code, JOB_IN_PROGRESS);
        struct err refused = *err;

        if (!seen && !refused_as_busy(err))
            return -(int)err->class;
        if (call_now_ms(c) >= until_ms || (!seen && ++refusals == REFUSALS_MAX))
            return seen ? -(int)err->class : still_refused(run, err);
        if (!seen) {
            TRY(await_refuser(c, run, until_ms, &refused, err));
            continue;
        }
        actor_say(run->actor, "another restore of this machine runs, so Azure would refuse this one: it is waited for");
        TRY(actor_wait(run->actor, c, run->settle_ms, "the job list to show the other restore", err));
        TRY(jobs_await_others(run->az, c, run->actor, run->vault_id, &run->match, until_ms - call_now_ms(c), err));
    }
    return 0;
}

static void progress(void *ctx, const struct backup_job *job)
{
    const struct job_run *run = ctx;

    actor_status(run->actor, "job %s: %s, %.0f %%", job->id, job->status, job->progress);
}

int job_run_once(struct call *c, const struct job_run *run, struct backup_job *ret, struct err *err)
{
    const struct value *adopted = NULL;
    const char *job = NULL;
    int64_t begun = TIME_NONE;

    TRY(attempt_find_job(c, run, &adopted, err));
    if (adopted) {
        job = value_str_at(adopted, "job");
        begun = time_parse(value_str_at(adopted, "start"));
        TRY(adopt(c, run, adopted, err));
    } else {
        actor_say(run->actor, "no such job; looking again in %s, because Azure's job list lags",
                  duration_format(run->actor->arena, run->settle_ms));
        /* A look may be as old as lists are shared; the two are `settle` apart all the same. */
        TRY(actor_wait(run->actor, c, run->settle_ms + SHARED_FRESH_MS, "the second look before a restore", err));
        TRY(trigger_when_free(c, run, &job, err));
    }
    actor_job(run->actor, job, begun == TIME_NONE ? 0 : call_now_ms(c) - begun);
    if (run->while_running)
        actor_say(run->actor, "job %s %s", job, run->while_running);
    return backup_follow_job(
        run->az, c, run->actor->arena,
        &(struct backup_following){
            .vault_id = run->vault_id, .job = job, .bound_ms = run->bound_ms, .progress = progress, .ctx = (void *)run},
        ret, err);
}
