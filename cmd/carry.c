/* Knows how an act is begun, recorded and summed up. Must not decide what is done: plan and engine have. */
#include "carry.h"

#include "commands.h"
#include "../providers/restore/claims.h"

struct carrying {
    struct session *session;
    struct arena *arena;
    const struct look *look;
    struct outcome *outcome;
    struct err *err;
    int rc;
};

static const char *const state_words[] = {
    [STEP_WAITING] = "waiting",       [STEP_RUNNING] = "running",     [STEP_DONE] = "done",
    [STEP_NOT_NEEDED] = "not-needed", [STEP_FAILED] = "failed",       [STEP_BLOCKED] = "blocked",
    [STEP_SKIPPED] = "skipped",       [STEP_OVERTAKEN] = "overtaken",
};

size_t carry_runnable(const struct plan *plan)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = plan->steps.items[i];
        bool held = step->verdict >= VERDICT_OBSERVE_ONLY;

        for (size_t k = 0; step->verdict == VERDICT_REQUIRE_APPROVAL && k < step->n_rulings; k++)
            held |= step->rulings[k].verdict == VERDICT_REQUIRE_APPROVAL && !step->rulings[k].approved_by;
        n += step->action != ACTION_NONE && step->action != ACTION_BLOCKED && !held;
    }
    return n;
}

static struct value *journal_line(struct call *c, struct carrying *k, const char *event)
{
    struct value *line = value_map(k->arena);

    value_set_string(k->arena, line, "event", event);
    value_set_string(k->arena, line, "at", time_format(k->arena, call_now_ms(c)));
    value_set_string(k->arena, line, "plan", k->look->plan->digest);
    return line;
}

int carry_check(const struct session *s, const struct look *look, struct err *err)
{
    const struct approvals *given = &s->options->take_overs;
    bool unseen, known;
    const struct value *there;
    const char *names = "";

    if (!given->count)
        return 0;
    there = claims_there(&look->view, &unseen);
    for (size_t i = 0; i < value_count(there); i++)
        names = arena_printf(s->arena, "%s%s%s", names, i ? ", " : "", value_str(value_item(there, i)));
    for (size_t i = 0; i < given->count; i++) {
        known = unseen;
        for (size_t k = 0; k < value_count(there); k++)
            known = known || str_eq(value_str(value_item(there, k)), given->items[i].rule);
        if (known)
            continue;
        err_set(err, ERR_BLOCKED, "--take-over %s: there is no claim of that name", given->items[i].rule);
        return err_advise(
            err, *names ? "there are: %s; nothing was written" : "there is none at all%s; nothing was written", names);
    }
    return 0;
}

/* Who, with what, to do which plan. The name behind an approval is what somebody typed, no more. */
static int journal_begin(struct call *c, struct carrying *k)
{
    const struct options *o = k->session->options;
    struct value *line = journal_line(c, k, "run");
    const char *who = NULL;
    struct err ignored;

    for (size_t i = 0; i < k->session->connections.count && !who; i++)
        if (k->session->handles[i] && azure_object_id(k->session->handles[i], c, &who, &ignored) < 0)
            who = "unknown";
    value_set_string(k->arena, line, "command", o->command->name);
    value_set_string(k->arena, line, "who", who && *who ? who : "unknown");
    value_set_string(k->arena, line, "version", REINSTATE_VERSION);
    value_set_string(k->arena, line, "inputs", k->look->plan->inputs_digest);
    TRY(journal_append(k->session->journal, line, k->err));
    for (size_t i = 0; i < k->session->engine.n_approvals; i++) {
        const struct approval *approval = &k->session->engine.approvals[i];

        line = journal_line(c, k, "approval");
        value_set_string(k->arena, line, "rule", approval->rule);
        value_set_string(k->arena, line, "approvedBy", approval->name);
        TRY(journal_append(k->session->journal, line, k->err));
    }
    for (size_t i = 0; i < o->take_overs.count; i++) {
        if (!claim_open(&k->look->view, o->take_overs.items[i].rule))
            continue;
        line = journal_line(c, k, "take-over");
        value_set_string(k->arena, line, "claim", o->take_overs.items[i].rule);
        value_set_string(k->arena, line, "approvedBy", o->take_overs.items[i].name);
        TRY(journal_append(k->session->journal, line, k->err));
    }
    return 0;
}

static void carry_task(struct call *c, void *arg)
{
    struct carrying *k = arg;

    k->rc = journal_begin(c, k);
    if (k->rc == 0)
        k->rc = engine_act(c, &k->session->engine, k->arena, k->look, k->outcome, k->err);
}

static bool draining(void *ctx)
{
    /* Where the clock jumps nobody else has had a moment to say so. */
    if (interrupts_seen())
        events_interrupted(ctx, 1);
    return interrupts_seen() > 0;
}

int carry_out(struct session *s, struct arena *a, const struct look *look, struct outcome *ret, struct err *err)
{
    struct carrying k = {.session = s, .arena = a, .look = look, .outcome = ret, .err = err};

    s->engine.event = events_engine;
    s->engine.draining = draining;
    s->engine.ctx = s->events;
    events_run(s->events, look->plan);
    session_run(s, carry_task, &k);
    progress_clear(s->progress);
    events_run(s->events, NULL);
    return k.rc;
}

/* --- what came of it ---------------------------------------------------------------------------------------------- */

bool carry_gaps_stop(const struct outcome *o)
{
    return value_count(o->gaps) && o->blocked == o->count;
}

void carry_report(struct text *out, const struct outcome *o, const struct report_style *style)
{
    size_t n_left = 0;

    if (value_count(o->gaps))
        text_add(out, carry_gaps_stop(o) ? "Nothing was done: we lack rights for this plan.\n"
                                         : "We lack rights for a part of this plan; nothing of that part was done.\n");
    for (size_t i = 0; i < value_count(o->gaps); i++)
        text_say(out, "  %s\n", value_str(value_item(o->gaps, i)));
    if (carry_gaps_stop(o))
        return;
    for (size_t i = 0; i < o->count; i++)
        n_left += o->steps[i].state == STEP_FAILED && o->steps[i].err.class == ERR_CANCELLED;
    for (size_t i = 0; i < o->count; i++) {
        const struct step_outcome *s = &o->steps[i];
        bool left = s->err.class == ERR_CANCELLED, bad = (s->state == STEP_FAILED && !left) || s->state == STEP_BLOCKED;

        if (!bad && !left && s->state != STEP_SKIPPED && s->state != STEP_WAITING)
            continue;
        text_add(out, style->colour && bad ? "\033[31m" : "");
        text_add(out, left ? "left" : state_words[s->state]);
        text_add(out, style->colour && bad ? "\033[0m" : "");
        text_say(out, "  %s: %s\n", s->step->id, s->err.text);
        if (s->err.code[0] && !str_find_nocase(s->err.text, s->err.code))
            text_say(out, "    code %s\n", s->err.code);
    }
    if (o->blocked && !o->done && !o->failed && !engine_changed(o))
        text_add(out, "Nothing was done. What stands behind \"next\" above says who can unblock it, and how.\n");
    text_say(out, "%zu done, %zu failed, %zu blocked, %zu not started", o->done, o->failed - n_left, o->blocked,
             o->skipped);
    text_say(out, n_left ? ", %zu left to run on\n" : "\n", n_left);
}

static struct value *step_outcome_value(struct arena *a, const struct step_outcome *s)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "id", s->step->id);
    value_set_string(a, v, "action", action_name(s->step->action));
    value_set_string(a, v, "state", state_words[s->state]);
    value_set_string(a, v, "job", s->job);
    value_set_int(a, v, "elapsedSeconds", s->elapsed_ms / SECOND_MS);
    if (s->err.class != ERR_NONE && s->state != STEP_DONE && s->state != STEP_NOT_NEEDED && s->state != STEP_OVERTAKEN)
        value_set_string(a, v, "error", s->err.text);
    return v;
}

struct value *carry_to_value(struct arena *a, const struct outcome *o)
{
    struct value *v = value_map(a), *steps = value_list(a);

    value_set_int(a, v, "done", (int64_t)o->done);
    value_set_int(a, v, "failed", (int64_t)o->failed);
    value_set_int(a, v, "blocked", (int64_t)o->blocked);
    value_set_int(a, v, "skipped", (int64_t)o->skipped);
    value_set_int(a, v, "writes", (int64_t)o->writes_taken);
    for (size_t i = 0; i < o->count; i++)
        value_push(a, steps, step_outcome_value(a, &o->steps[i]));
    value_set(a, v, "steps", steps);
    value_set(a, v, "gaps", o->gaps ? value_copy(a, o->gaps) : value_list(a));
    return v;
}
