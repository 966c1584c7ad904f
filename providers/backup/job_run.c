/* Knows how a restore is triggered at most once although Azure offers no idempotency key: look, settle, look again,
 * take a claim, trigger, and adopt whatever is found. This is where a second restore is decided against. Must not know
 * why a restore is due. */
#include "job_run.h"

#include "../azure/shared.h"
#include "../../reconciler/run/skew.h"

#define CLAIM_PAUSE_MS (15 * (int64_t)SECOND_MS)

/* How the trigger is guarded, and what has been found out on the way to it. */
struct attempt {
    const struct job_run *run;
    struct claims claims;
    struct claim claim; /* ours, once it is taken */
    bool claimed;
    bool sent;                    /* the trigger, and what became of it is noted */
    bool stands;                  /* a claim is there, and what follows from it has not been found out */
    bool read;                    /* the account's blobs could be listed, whether or not it takes claims */
    int64_t looked_ms, latest_ms; /* when what the trigger rests on was last looked at: the span, and the latest Date */
    bool passed;     /* a claim of somebody else was waited for, or its job has ended since this was decided */
    const char *job; /* adopted; NULL: none is */
};

/* So often everything is looked at again before a trigger, when time passes between look and trigger each time. */
enum { LOOKS_MAX = 10 };

static const struct settings *settings_of(const struct job_run *run)
{
    return run->actor->view->settings;
}

/* All jobs of ours as they are now. */
static int look(struct call *c, const struct job_run *run, struct value **ret, struct err *err)
{
    struct value *jobs;

    TRY(jobs_look(run->az, c, run->actor->arena, run->vault_id, &run->match, run->bound_ms, &jobs, err));
    *ret = jobs_matching(run->actor->arena, jobs, &run->match);
    return 0;
}

static bool state_is(const struct value *job, const char *state)
{
    return str_eq(value_str_at(job, "state"), state);
}

/* The newest job of ours, unless all there are had failed before this attempt was decided. */
static const struct value *job_to_adopt(const struct value *jobs, size_t failed_before)
{
    for (size_t i = 0; i < value_count(jobs); i++)
        if (state_is(value_item(jobs, i), "running") || state_is(value_item(jobs, i), "completed") ||
            state_is(value_item(jobs, i), "unknown"))
            return value_item(jobs, i);
    return value_count(jobs) > failed_before ? value_item(jobs, 0) : NULL;
}

static int look_for_job(struct call *c, const struct job_run *run, const struct value **ret, struct err *err)
{
    struct value *jobs;

    TRY(look(c, run, &jobs, err));
    *ret = job_to_adopt(jobs, run->failed_before);
    return 0;
}

/* Until when a job must be in the list, whoever triggered it at `from_ms`. */
static int64_t shown_by(const struct job_run *run, int64_t from_ms)
{
    return from_ms + run->settle_ms + CLAIM_LAG_MS;
}

/* --- claims of others --------------------------------------------------------------------------------------------- */

/* Whether this job had already ended in the look that decided on the restore. */
static bool end_was_seen(const struct job_run *run, const char *job)
{
    for (size_t i = 0; i < value_count(run->seen); i++)
        if (str_eq_nocase(value_str_at(value_item(run->seen, i), "job"), job))
            return !job_lasts(value_item(run->seen, i));
    return false;
}

/* What became of the claim's job. */
static int look_at_claim(struct call *c, const struct attempt *t, const struct claim *claim, struct claim_look *ret,
                         struct err *err)
{
    const struct job_run *run = t->run;
    struct backup_job job;
    struct value *body;

    *ret = (struct claim_look){.job = CLAIM_JOB_GONE,
                               .end_ms = TIME_NONE,
                               .since_ms = run->match.since_ms,
                               .now_ms = call_now_ms(c),
                               .wait_ms = run->settle_ms + CLAIM_LAG_MS};
    if (!claim->job || claim->ended)
        return 0;
    if (backup_get_job(run->az, c, run->actor->arena, run->vault_id, claim->job, &body, err) < 0)
        return err->class == ERR_NOT_FOUND ? 0 : err_note(err, "reading the job of %s", claim->name);
    backup_read_job(run->actor->arena, body, &job);
    ret->job = backup_job_lasts(&job) ? CLAIM_JOB_RUNS : CLAIM_JOB_ENDED;
    ret->end_ms = job.end_ms;
    ret->known = end_was_seen(run, claim->job);
    return 0;
}

static int report_other(const struct attempt *t, const struct claim *claim, struct err *err)
{
    struct arena *a = t->run->actor->arena;

    /* A pass is claimed by its key, so the job may be of another machine. */
    if (t->run->must_read) {
        err_set(err, ERR_BLOCKED, "job %s exports the same key already, from another point: %s", claim->job,
                claim_words(a, claim));
        return err_advise(err, "run again when it has ended: what it leaves is used; nothing was triggered here");
    }
    err_set(err, ERR_BLOCKED, "job %s restores the same target already, from another point: %s", claim->job,
            claim_words(a, claim));
    return err_advise(err, "let it end, or withdraw one of the two orders; nothing was triggered here");
}

static int leave_to_person(const struct attempt *t, const struct claim *claim, struct err *err)
{
    struct arena *a = t->run->actor->arena;

    err_set(err, ERR_BLOCKED, "%s", claim_unsettled_words(a, claim, t->run->settle_ms + CLAIM_LAG_MS));
    return err_advise(err, "%s", claim_unsettled_advice(a, claim, t->run->vault_id));
}

/* A person has looked: the claim counts as ended, and says by whose word. */
static int take_over(struct call *c, struct attempt *t, struct claim *claim, const char *name, struct err *err)
{
    struct arena *a = t->run->actor->arena;

    claim->ended = arena_printf(a, "taken over: %s", name);
    actor_say(t->run->actor, "%s is taken over by %s: it counts as ended", claim->name, name);
    if (claims_note(c, a, &t->claims, claim, err) == 0 || err->class == ERR_CONFLICT)
        return 0;
    return err_note(err, "taking over claim %s", claim->name);
}

/* A job that our own look finds meanwhile is the claim's: its writer was cut off before he could note it. */
static int wait_for_claim(struct call *c, struct attempt *t, struct claim *claim, enum claim_verdict verdict,
                          struct err *err)
{
    const struct job_run *run = t->run;
    const char *name = value_str(value_get(settings_of(run)->take_over, claim->name));
    const struct value *job;

    TRY(look_for_job(c, run, &job, err));
    if (job) {
        t->job = value_str_at(job, "job");
        t->claim = *claim;
        t->claimed = true;
        return 0;
    }
    if (verdict == CLAIM_PERSON)
        return name ? take_over(c, t, claim, name, err) : leave_to_person(t, claim, err);
    actor_say(run->actor, "%s names no job yet; looking again until %s", claim_words(run->actor->arena, claim),
              time_format(run->actor->arena, shown_by(run, claim->made_ms)));
    return call_sleep_ms(c, CLAIM_PAUSE_MS, "the job of another's claim", err);
}

/* --- our own ------------------------------------------------------------------------------------------------------ */

static int take(struct call *c, struct attempt *t, const char *base, size_t generation, const char *job,
                struct err *err)
{
    const struct job_run *run = t->run;
    struct arena *a = run->actor->arena;
    const char *who = NULL;

    TRY(azure_object_id(run->az, c, &who, err));
    t->claim = (struct claim){
        .name = claim_name(a, base, generation),
        .generation = generation,
        .by = arena_strdup(a, who),
        .at = time_format(a, call_now_ms(c)),
        .order = run->claim.order,
        .point = run->claim.point,
        .target = run->claim.target,
        .job = job,
        .made_ms = call_now_ms(c),
    };
    TRY(claims_take(c, a, &t->claims, &t->claim, err));
    t->claimed = true;
    actor_say(run->actor, "claim %s taken in container %s of %s", t->claim.name, CLAIM_CONTAINER,
              t->claims.place.account);
    return 0;
}

/* One look at the claims: ours is taken, a job is adopted, or something has passed and it is worth looking again. */
static int claim_once(struct call *c, struct attempt *t, const char *base, struct err *err)
{
    const struct job_run *run = t->run;
    struct claim_look seen;
    struct claim claim;
    bool found;

    if (claims_newest(c, run->actor->arena, &t->claims, base, &claim, &found, err) < 0) {
        t->stands = found;
        return -(int)err->class;
    }
    t->read = true;
    t->stands = found;
    if (found) {
        enum claim_verdict verdict;

        TRY(look_at_claim(c, t, &claim, &seen, err));
        verdict = claim_judge(&claim, &run->claim, &seen);
        switch (verdict) {
        case CLAIM_ADOPT:
            actor_say(run->actor, "%s names job %s", claim_words(run->actor->arena, &claim), claim.job);
            t->job = claim.job;
            t->claim = claim;
            return 0;
        case CLAIM_OTHER:
            return report_other(t, &claim, err);
        case CLAIM_WAIT:
        case CLAIM_PERSON:
            t->passed = true;
            return wait_for_claim(c, t, &claim, verdict, err);
        case CLAIM_ENDED:
            t->passed = t->passed || (claim.job && !claim.ended && !end_was_seen(run, claim.job));
            break;
        }
    }
    t->stands = false;
    if (take(c, t, base, found ? claim.generation + 1 : 0, NULL, err) < 0 && err->class != ERR_CONFLICT)
        return -(int)err->class;
    return 0;
}

/* Where the account takes no claims, the two looks are all there is, unless a Policy wants more. */
static int unclaimed(const struct attempt *t, struct err *err)
{
    const struct actor *actor = t->run->actor;

    if (settings_of(t->run)->claims_required) {
        err->class = ERR_BLOCKED;
        err_note(err, "Policy.spec.claims is required, and storage account %s takes no claim", t->claims.place.account);
        return err_advise(err, "have Storage Blob Data Contributor assigned on the account; nothing was triggered");
    }
    actor_say(actor,
              "storage account %s takes no claim (%s): two looks, %s apart, are all that keeps another run at the same "
              "moment "
              "from triggering this too",
              t->claims.place.account, err->text, duration_format(actor->arena, t->run->settle_ms));
    return 0;
}

static int report_unreadable(const struct attempt *t, struct err *err)
{
    bool network = str_eq_nocase(err->code, "AuthorizationFailure");

    err->class = ERR_BLOCKED;
    err_note(err, "what the job leaves in storage account %s could not be read by us; nothing was triggered",
             t->claims.place.account);
    return err_advise(err, "%s; or declare another staging account",
                      network ? "have your address let in by the account's network rules"
                              : "have Storage Blob Data Reader assigned to us on the account");
}

/* A claim may stand, or does: to trigger beside it would restore twice. */
static int report_untold(const struct attempt *t, struct err *err)
{
    if (err->class == ERR_CANCELLED || err->class == ERR_BLOCKED)
        return -(int)err->class;
    err->class = ERR_BLOCKED;
    err_note(err, "%s; nothing was triggered",
             t->stands
                 ? "a claim stands, and what became of its restore cannot be told"
                 : arena_printf(t->run->actor->arena, "whether a claim stands in storage account %s cannot be told",
                                t->claims.place.account));
    return err_advise(err, "run again when that can be read");
}

/* Ends with a claim of ours or with a job to adopt. If the account takes no claims, it ends with neither. */
static int guard(struct call *c, struct attempt *t, struct err *err)
{
    const struct job_run *run = t->run;
    const char *base = claim_base(run->actor->arena, &run->claim);

    if (!run->request.storage_account_id) {
        t->claims.place.account = "(none declared)";
        err_set(err, ERR_NOT_FOUND, "no staging account is declared");
        return unclaimed(t, err);
    }
    TRY(claims_open(run->az, c, run->actor->arena, run->request.storage_account_id, &t->claims, err));
    while (!t->claimed && !t->job) {
        if (claim_once(c, t, base, err) == 0)
            continue;
        if (t->stands || !claims_refused(err))
            return report_untold(t, err);
        return t->run->must_read && !t->read ? report_unreadable(t, err) : unclaimed(t, err);
    }
    return 0;
}

/* Writes into the claim what became of its job, for other runs. If that fails, our own run follows the
 * job all the same. */
static void note(struct call *c, struct attempt *t, const char *job, const char *ended)
{
    struct err err;

    if (!t->claimed || (t->claim.job && !ended))
        return;
    t->claim.job = job;
    t->claim.ended = ended;
    /* Whoever was quicker has noted the same job, or a person has spoken: neither is lost. */
    if (claims_note(c, t->run->actor->arena, &t->claims, &t->claim, &err) < 0 && err.class != ERR_CONFLICT)
        actor_say(t->run->actor, "%s could not be noted in claim %s: %s", job ? job : ended, t->claim.name, err.text);
}

static void unmarked(const struct job_run *run, const char *job, const struct err *err)
{
    actor_say(run->actor,
              "that job %s is this order's could not be noted in a claim: a later run cannot tell, and leaves it to a "
              "person: %s",
              job, err->text);
}

/* Another order's claim names the job that this one would have triggered: the job is this order's from here on. */
static void note_taken_over(struct call *c, struct attempt *t)
{
    struct err err;

    if (t->claimed || !t->claim.job || str_eq(t->claim.order, t->run->claim.order))
        return;
    t->claim.adopted_by = t->run->claim.order;
    if (claims_note(c, t->run->actor->arena, &t->claims, &t->claim, &err) < 0 && err.class != ERR_CONFLICT)
        unmarked(t->run, t->job, &err);
}

/* --- triggering --------------------------------------------------------------------------------------------------- */

/* Whoever withdraws an order while the run waits must not find that it was carried out. */
static int order_stands(const struct job_run *run, struct err *err)
{
    const struct settings *settings = settings_of(run);
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
    int64_t until_ms = shown_by(run, call_now_ms(c)),
            pause_ms = run->settle_ms > CLAIM_PAUSE_MS ? run->settle_ms : CLAIM_PAUSE_MS;
    const struct value *found = NULL;

    actor_say(run->actor, "the answer to the trigger was lost; looking until %s whether the job runs",
              time_format(run->actor->arena, until_ms));
    while (!found && call_now_ms(c) < until_ms) {
        TRY(call_sleep_ms(c, pause_ms, "the job list", err));
        TRY(look_for_job(c, run, &found, err));
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

static int trigger(struct call *c, struct attempt *t, const char **ret_job, struct err *err)
{
    const struct job_run *run = t->run;
    struct arena *a = run->actor->arena;
    int rc;

    permit_until(c, t->looked_ms + LOOK_HOLDS_MS);
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
                note(c, t, NULL,
                     arena_printf(a, "not triggered: %s", err->code[0] ? err->code : err_class_name(err->class)));
            return -(int)err->class;
        }
        TRY(find_lost(c, run, ret_job, err));
    }
    actor_job(run->actor, *ret_job);
    note(c, t, *ret_job, NULL);
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
    return take(c, t, base, found ? t->claim.generation + 1 : 0, job, err);
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
            unmarked(run, job, err);
    }
    claims_release(&attempt.claims);
    return rc;
}

/* --- from the look to the trigger --------------------------------------------------------------------------------- */

static void looked(struct call *c, struct attempt *t)
{
    t->looked_ms = call_span_ms(c);
    t->latest_ms = sched_latest_ms(call_sched(c));
    t->passed = false;
}

/* A laptop was closed, or a throttle waited for: source, order and jobs may be others by now. */
static bool look_is_old(struct call *c, const struct attempt *t)
{
    return call_span_ms(c) - t->looked_ms > LOOK_HOLDS_MS ||
           sched_latest_ms(call_sched(c)) - t->latest_ms > LOOK_HOLDS_MS;
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
    shared_forget(run->az);
    looked(c, t);
    TRY(look_for_job(c, run, &job, err));
    t->job = job ? value_str_at(job, "job") : NULL;
    if (t->job)
        return 0;
    TRY(run->still_due(c, run, err));
    TRY(may_trigger(c, run, err));
    return renew_claim(c, t, err);
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
        TRY(may_trigger(c, t->run, err));
        if (trigger(c, t, ret_job, err) == 0)
            return 0;
        if (!str_eq(err->code, LATE))
            return -(int)err->class;
    }
    err_set(err, ERR_BLOCKED, "more than %s passed between each look and its trigger",
            duration_format(t->run->actor->arena, LOOK_HOLDS_MS));
    return err_advise(err, "Azure answers too slowly, or this machine stands still: run again; nothing was triggered");
}

/* After a second look, which decides. */
static int trigger_once(struct call *c, const struct job_run *run, const char **ret_job, struct err *err)
{
    struct attempt attempt = {.run = run};
    const struct value *found;
    int rc;

    looked(c, &attempt);
    TRY(look_for_job(c, run, &found, err));
    if (found) {
        *ret_job = value_str_at(found, "job");
        return adopt(c, run, found, err);
    }
    TRY(run->still_due(c, run, err));
    TRY(may_trigger(c, run, err));
    rc = guard(c, &attempt, err);
    if (rc == 0 && !attempt.job) {
        rc = trigger_fresh(c, &attempt, ret_job, err);
        /* A job may run after a lost answer; a cancelled run cannot write. Else the next run need not wait for one. */
        if (rc < 0 && !attempt.sent && err->class != ERR_CANCELLED)
            note(c, &attempt, NULL, "not triggered: what was seen in the last moment stands against it");
    }
    if (rc == 0 && attempt.job) {
        *ret_job = attempt.job;
        note(c, &attempt, attempt.job, NULL);
        note_taken_over(c, &attempt);
        actor_say(run->actor, "job %s: adopted, nothing is triggered", attempt.job);
    }
    claims_release(&attempt.claims);
    return rc;
}

/* Azure takes one restore of a machine at a time. One that the last look shows is waited for. One that only Azure's
 * refusal tells of is not: the list does not show it yet, it may be the very restore that was ordered, and a trigger
 * that is repeated until it is taken would do it twice. */
static int trigger_when_free(struct call *c, const struct job_run *run, const char **ret_job, struct err *err)
{
    int64_t until_ms = call_now_ms(c) + run->bound_ms, rc;

    while ((rc = trigger_once(c, run, ret_job, err)) < 0 && str_eq_nocase(err->code, JOB_IN_PROGRESS) &&
           !err->http_status && call_now_ms(c) < until_ms) {
        actor_say(run->actor, "another restore of this machine runs, so Azure would refuse this one: it is waited for");
        TRY(call_sleep_ms(c, run->settle_ms, "the job list to show the other restore", err));
        TRY(jobs_await_others(run->az, c, run->actor, run->vault_id, &run->match, until_ms - call_now_ms(c), err));
    }
    return (int)rc;
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

    TRY(look_for_job(c, run, &adopted, err));
    if (adopted) {
        job = value_str_at(adopted, "job");
        TRY(adopt(c, run, adopted, err));
    } else {
        actor_say(run->actor, "no such job; looking again in %s, because Azure's job list lags",
                  duration_format(run->actor->arena, run->settle_ms));
        /* A look may be as old as lists are shared; the two are `settle` apart all the same. */
        TRY(call_sleep_ms(c, run->settle_ms + SHARED_FRESH_MS, "the second look before a restore", err));
        TRY(trigger_when_free(c, run, &job, err));
    }
    actor_job(run->actor, job);
    if (run->while_running)
        actor_say(run->actor, "job %s %s", job, run->while_running);
    return backup_follow_job(run->az, c, run->actor->arena, run->vault_id, job, run->bound_ms, progress, (void *)run,
                             ret, err);
}
