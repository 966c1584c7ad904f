/* Knows how a trigger is guarded: what jobs of ours there are, what the claims of others say, and how ours is taken and
 * noted. Must not know when the trigger is sent. */
#include "job_guard.h"

static const struct settings *attempt_settings(const struct job_run *run)
{
    return run->actor->view->settings;
}

/* All jobs of ours as they are now. */
static int attempt_look(struct call *c, const struct job_run *run, struct value **ret, struct err *err)
{
    struct value *jobs;

    TRY(jobs_look(run->az, c, run->actor->arena, &(struct jobs_wanted){run->vault_id, &run->match, run->bound_ms},
                  &jobs, err));
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

int attempt_jobs(struct call *c, const struct job_run *run, const struct value **ret, struct err *err)
{
    struct arena *a = run->actor->arena;
    struct value *jobs;

    TRY(jobs_look(run->az, c, a, &(struct jobs_wanted){run->vault_id, &run->match, run->bound_ms}, &jobs, err));
    *ret = job_to_adopt(jobs_matching(a, jobs, &run->match), run->failed_before);
    return *ret ? 0 : jobs_stand_against(a, jobs, &run->match, err);
}

int attempt_find_job(struct call *c, const struct job_run *run, const struct value **ret, struct err *err)
{
    struct value *jobs;

    TRY(attempt_look(c, run, &jobs, err));
    *ret = job_to_adopt(jobs, run->failed_before);
    return 0;
}

int64_t attempt_shown_by(const struct job_run *run, int64_t from_ms)
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
    const char *name = value_str(value_get(attempt_settings(run)->take_over, claim->name));
    const struct value *job;

    TRY(attempt_find_job(c, run, &job, err));
    if (job) {
        t->job = value_str_at(job, "job");
        t->claim = *claim;
        t->claimed = true;
        return 0;
    }
    if (verdict == CLAIM_PERSON)
        return name ? take_over(c, t, claim, name, err) : leave_to_person(t, claim, err);
    actor_say(run->actor, "%s names no job yet; looking again until %s", claim_words(run->actor->arena, claim),
              time_format(run->actor->arena, attempt_shown_by(run, claim->made_ms)));
    return actor_wait(run->actor, c, CLAIM_PAUSE_MS, "the job of another's claim", err);
}

/* --- our own ------------------------------------------------------------------------------------------------------ */

int attempt_take_claim(struct call *c, struct attempt *t, const char *base, size_t generation, const char *job,
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
    azure_holds(run->az, t->claim.nonce, true);
    t->claimed = true;
    actor_say(run->actor, "claim %s taken in container %s of %s", t->claim.name, CLAIM_CONTAINER,
              t->claims.place.account);
    return 0;
}

/* One look at the claims of the account: a job is adopted, or something has passed and it is worth looking again, or
 * none stands against ours. *ret_generation: what ours would be then; *ret_free false: look again. */
static int claim_look(struct call *c, struct attempt *t, const char *base, bool *ret_free, size_t *ret_generation,
                      struct err *err)
{
    const struct job_run *run = t->run;
    struct claim_look seen;
    struct claim claim;
    enum claim_verdict verdict;
    bool found;

    *ret_free = false;
    if (claims_newest(c, run->actor->arena, &t->claims, base, &claim, &found, err) < 0) {
        t->stands = found;
        return -(int)err->class;
    }
    t->read = true;
    t->stands = found;
    *ret_generation = found ? claim.generation + 1 : 0;
    if (!found) {
        *ret_free = true;
        return 0;
    }
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
    t->stands = false;
    *ret_free = true;
    return 0;
}

static int claim_once(struct call *c, struct attempt *t, const char *base, struct err *err)
{
    size_t generation;
    bool free;

    TRY(claim_look(c, t, base, &free, &generation, err));
    if (free && attempt_take_claim(c, t, base, generation, NULL, err) < 0 && err->class != ERR_CONFLICT)
        return -(int)err->class;
    return 0;
}

/* Where the account takes no claims, the two looks are all there is, unless a Policy wants more. */
static int unclaimed(const struct attempt *t, struct err *err)
{
    const struct actor *actor = t->run->actor;

    if (attempt_settings(t->run)->claims_required) {
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

/* Ends with a claim of ours in that account, or with a job to adopt. */
static int guard_in(struct call *c, struct attempt *t, const char *account_id, struct err *err)
{
    const struct job_run *run = t->run;
    const char *base = claim_base(run->actor->arena, &run->claim);

    claims_release(&t->claims);
    TRY(claims_open(run->az, c, run->actor->arena, account_id, &t->claims, err));
    while (!t->claimed && !t->job)
        TRY(claim_once(c, t, base, err));
    return 0;
}

/* What the job leaves lies in the account that it is staged in, wherever the claim lies; and whoever could take none at
 * home has taken his there. */
static int look_into_own(struct call *c, struct attempt *t, struct err *err)
{
    const struct job_run *run = t->run;
    const char *base = claim_base(run->actor->arena, &run->claim);
    size_t generation;
    bool free = false;

    claims_release(&t->claims);
    TRY(claims_open(run->az, c, run->actor->arena, run->request.storage_account_id, &t->claims, err));
    while (!free && !t->claimed && !t->job) {
        if (claim_look(c, t, base, &free, &generation, err) == 0)
            continue;
        if (t->stands || !claims_refused(err))
            return report_untold(t, err);
        return run->must_read && !t->read ? report_unreadable(t, err) : 0;
    }
    return 0;
}

/* Where several accounts could hold the claim, all runs take it in one of them. *ret_done false: that one takes none,
 * and the account of our own is left. */
static int guard_at_home(struct call *c, struct attempt *t, bool *ret_done, struct err *err)
{
    const struct job_run *run = t->run;

    *ret_done = true;
    TRY(look_into_own(c, t, err));
    if (t->claimed || t->job || guard_in(c, t, run->claim.account_id, err) == 0)
        return 0;
    if (t->stands || !claims_refused(err))
        return report_untold(t, err);
    if (attempt_settings(run)->claims_required)
        return unclaimed(t, err);
    actor_say(
        run->actor,
        "storage account %s takes no claim from us (%s): runs for other machines on the key take theirs there, and "
        "cannot see the one that is taken in %s",
        t->claims.place.account, err->text, arm_id_name(run->request.storage_account_id));
    *ret_done = false;
    return 0;
}

int attempt_guard(struct call *c, struct attempt *t, struct err *err)
{
    const struct job_run *run = t->run;
    bool done = false;

    if (!run->request.storage_account_id) {
        t->claims.place.account = "(none declared)";
        err_set(err, ERR_NOT_FOUND, "no staging account is declared");
        return unclaimed(t, err);
    }
    if (run->claim.account_id && !arm_id_equal(run->claim.account_id, run->request.storage_account_id))
        TRY(guard_at_home(c, t, &done, err));
    if (done || guard_in(c, t, run->request.storage_account_id, err) == 0)
        return 0;
    if (t->stands || !claims_refused(err))
        return report_untold(t, err);
    return run->must_read && !t->read ? report_unreadable(t, err) : unclaimed(t, err);
}

void attempt_note(struct call *c, struct attempt *t, const char *job, const char *ended)
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

void attempt_unmarked(const struct job_run *run, const char *job, const struct err *err)
{
    actor_say(run->actor,
              "that job %s is this order's could not be noted in a claim: a later run cannot tell, and leaves it to a "
              "person: %s",
              job, err->text);
}

void attempt_note_taken_over(struct call *c, struct attempt *t)
{
    struct err err;

    if (t->claimed || !t->claim.job || str_eq(t->claim.order, t->run->claim.order))
        return;
    t->claim.adopted_by = t->run->claim.order;
    if (claims_note(c, t->run->actor->arena, &t->claims, &t->claim, &err) < 0 && err.class != ERR_CONFLICT)
        attempt_unmarked(t->run, t->job, &err);
}
