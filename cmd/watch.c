/* watch: pass after pass, each a look of its own. Reports what has changed since the last one, and finishes work that
 * an Activation ordered; everything else it leaves to apply, unless --auto-approve says that drift is to
 * be healed too. */
#include "call.h"
#include "carry.h"
#include "commands.h"
#include "history.h"
#include "machines.h"
#include "output.h"
#include "summary.h"
#include "../reconciler/format/json.h"

enum { SLICE_MS = 1000, JITTER_PERCENT = 10 };

struct watching {
    struct session *session;
    struct arena *before;            /* of the last good pass; holds `known` */
    struct value *known;             /* step id -> action */
    struct value *machines, *approvals; /* machines.h, of the same pass */
    int64_t pass;
    bool stopped;                    /* by this machine's clock: the pass only looked */
    bool broken;                     /* the documents have faults now: what was read last is looked at, no more */
    int code;
};

/* --- what has changed --------------------------------------------------------------------------------------------- */

/* Step id -> its action: what stands open. Reasons may hold times and would change at every look. */
static struct value *pending_of(struct arena *a, const struct plan *plan)
{
    struct value *v = value_map(a);

    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i]->action != ACTION_NONE)
            value_set_string(a, v, plan->steps.items[i]->id, action_name(plan->steps.items[i]->action));
    return v;
}

static void transition_add(struct arena *a, struct value *list, const char *id, const char *from, const char *to,
                           const char *reason)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "id", id);
    value_set_string(a, v, "from", from);
    value_set_string(a, v, "to", to);
    value_set_string(a, v, "reason", reason);
    value_push(a, list, v);
}

static struct value *transitions_between(struct arena *a, const struct plan *plan, const struct value *before,
                                         const struct value *now)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < value_count(now); i++) {
        const struct member *m = &now->map.members[i];
        const char *was = value_str(value_get(before, m->key));

        if (!str_eq(was, value_str(m->value)))
            transition_add(a, list, m->key, was, value_str(m->value), steps_find(&plan->steps, m->key)->reason);
    }
    for (size_t i = 0; i < value_count(before); i++) {
        const struct member *m = &before->map.members[i];

        if (!value_get(now, m->key))
            transition_add(a, list, m->key, value_str(m->value), NULL, NULL);
    }
    return list;
}

static void summary_print(struct arena *a, const struct value *summary)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    summary_write(&t, a, summary);
    output_words(&t);
}

/* How things stand, and what a pass has found other than the one before it. */
struct changes {
    struct value *now_machines, *now_approvals;
    struct value *steps, *machines, *approvals;
};

/* Told at once: what is done about it, and when, stands below. */
static void standing_tell(struct watching *w, struct arena *a, const struct look *look, struct changes *changes)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct value *machines = machines_of(w->session, a, look), *approvals = approvals_of(a, look->plan),
                 *changed = machines_changed(a, changes->now_machines, machines),
                 *begun = approvals_new(a, changes->now_approvals, approvals);

    machines_tell(w->session, &t, changed, begun);
    for (size_t i = 0; i < value_count(changed); i++)
        value_push(a, changes->machines, value_item(changed, i));
    for (size_t i = 0; i < value_count(begun); i++)
        value_push(a, changes->approvals, value_item(begun, i));
    changes->now_machines = machines;
    changes->now_approvals = approvals;
    if (w->session->options->output != OUTPUT_JSON)
        output_words(&t);
    output_flush();
}

static void tell_pass(struct watching *w, struct arena *a, const struct plan *plan, const struct changes *changes,
                      const struct outcome *outcome, const struct value *summary)
{
    const struct options *o = w->session->options;
    struct text t cleanup(text_release) = {0};
    const char *at = time_format(a, plan->made_ms / SECOND_MS * SECOND_MS);
    const struct value *transitions = changes->steps;
    struct value *v;

    if (o->output == OUTPUT_JSON) {
        v = output_envelope(a, o);
        value_set_int(a, v, "pass", w->pass);
        value_set_string(a, v, "at", at);
        session_mark(w->session, v);
        value_set_int(a, v, "differences", (int64_t)plan->n_changes);
        value_set_int(a, v, "unseen", (int64_t)plan->n_unseen);
        value_set(a, v, "transitions", changes->steps);
        value_set(a, v, "machines", changes->machines);
        value_set(a, v, "approvals", changes->approvals);
        if (outcome)
            value_set(a, v, "outcome", carry_to_value(a, outcome));
        if (summary)
            value_set(a, v, "summary", value_copy(a, summary));
        output_json_line(v);
    } else {
        /* What happened in the pass stands above already: this line is of its end. */
        at = time_format(a, events_now_ms(w->session->events) / SECOND_MS * SECOND_MS);
        text_init(&t, TEXT_CEILING);
        text_say(&t, "%s  pass %lld: %zu difference%s, %zu blocked%s\n", at, (long long)w->pass, plan->n_changes,
               plan->n_changes == 1 ? "" : "s", plan->n_blocked,
               plan->n_unseen ? arena_printf(a, ", %zu cannot be seen", plan->n_unseen) : "");
        for (size_t i = 0; i < value_count(transitions); i++) {
            const struct value *one = value_item(transitions, i);

            if (value_str_at(one, "to"))
                text_say(&t, "  appeared  %s: %s\n", value_str_at(one, "id"),
                         call_filled(a, value_str_at(one, "reason")));
            else
                text_say(&t, "  settled   %s\n", value_str_at(one, "id"));
        }
        output_words(&t);
        if (summary)
            summary_print(a, summary);
    }
    fflush(stdout);
}

/* --- one pass ----------------------------------------------------------------------------------------------------- */

static int pass_code(const struct plan *plan, const struct outcome *outcome)
{
    if (outcome && engine_exit_code(outcome))
        return engine_exit_code(outcome);
    if (outcome)
        return EXIT_DECLARED;
    if (!plan->n_changes)
        return EXIT_DECLARED;
    return plan->n_blocked ? EXIT_BLOCKED : EXIT_DIFFERENCES;
}

static int pass_act(struct watching *w, struct arena *a, struct look *look, struct outcome *outcome, bool *ret_acted,
                    struct err *err)
{
    const struct plan *plan = w->session->options->auto_approve ? look->plan : plan_ordered(a, look->plan, NULL);
    struct text t cleanup(text_release) = {0};
    struct report_style style = output_style(stderr);
    struct look some = *look;

    *ret_acted = false;
    if (!carry_runnable(plan) || interrupts_seen())
        return 0;
    w->stopped = session_may_write(w->session, err) < 0;
    if (w->stopped) {
        events_note(w->session->events, "pass %lld: %s", (long long)w->pass, err->text);
        return 0;
    }
    if (w->broken || session_reread(w->session, false) != DOCUMENTS_SAME) {
        events_note(w->session->events, "pass %lld: nothing is started: the documents %s", (long long)w->pass,
                      w->broken ? "have faults" : "have changed since this pass began; the next one reads them anew");
        return 0;
    }
    *ret_acted = true;
    some.plan = plan;
    some.view.steps = &plan->steps;
    /* Aborted half way, there is still something to report: what was done. */
    if (carry_out(w->session, a, &some, outcome, err) < 0 && !(err->class == ERR_CANCELLED && outcome->count))
        return -(int)err->class;
    text_init(&t, TEXT_CEILING);
    carry_report(&t, outcome, &style);
    if (interrupts_seen())
        text_say(&t, "Stopped as asked; what is left is done where the world stands by: %s\n", call_again(a));
    output_aside(&t);
    return 0;
}

/* An order may have been withdrawn, or given, since the last pass. */
static void documents_renew(struct watching *w)
{
    enum reread now = session_reread(w->session, true);

    w->broken = now == DOCUMENTS_BROKEN;
    if (now == DOCUMENTS_CHANGED)
        events_note(w->session->events, "pass %lld: the documents have changed and were read anew",
                      (long long)w->pass);
    if (w->broken)
        events_note(w->session->events,
                      "pass %lld: the documents have faults now: this pass looks by what was read last, and starts "
                      "nothing",
                      (long long)w->pass);
}

static int pass(struct watching *w, struct err *err)
{
    struct arena *a = arena_new();
    struct value *pending, *summary = NULL;
    struct changes changes = {.now_machines = w->machines,
                              .now_approvals = w->approvals,
                              .machines = value_list(a),
                              .approvals = value_list(a)};
    struct outcome outcome = {0};
    struct look look, after = {0};
    bool acted = false;
    struct err unseen;

    w->stopped = false;
    if (w->pass > 1)
        documents_renew(w);
    http_patience_renew(w->session->http);
    if (session_look(w->session, a, &look, err) < 0 || carry_check(w->session, &look, err) < 0 ||
        (standing_tell(w, a, &look, &changes), pass_act(w, a, &look, &outcome, &acted, err)) < 0) {
        arena_free(a);
        return -(int)err->class;
    }
    /* How it ended is not to be read off what was planned. */
    if (acted && engine_changed(&outcome))
        summary = interrupts_seen() < 2 && session_look(w->session, a, &after, &unseen) == 0
                      ? summary_of(a, &after, &outcome, w->session->options)
                      : summary_unseen(a, &outcome);
    history_keep(w->session);
    pending = pending_of(a, look.plan);
    changes.steps = transitions_between(a, look.plan, w->known, pending);
    if (after.plan)
        standing_tell(w, a, &after, &changes);
    tell_pass(w, a, look.plan, &changes, acted ? &outcome : NULL, summary);
    w->code = w->broken    ? EXIT_ERROR
              : w->stopped ? EXIT_BLOCKED
                           : pass_code(look.plan, acted ? &outcome : NULL);
    if (summary && w->code == EXIT_DECLARED && after.plan && after.plan->n_blocked)
        w->code = EXIT_BLOCKED;
    arena_free(w->before);
    w->before = a;
    w->known = pending;
    w->machines = changes.now_machines;
    w->approvals = changes.now_approvals;
    return 0;
}

/* --- between passes ----------------------------------------------------------------------------------------------- */

static void pause_task(struct call *c, void *arg)
{
    struct watching *w = arg;
    int64_t interval = w->session->options->interval_ms, spread = interval * JITTER_PERCENT / 100;
    int64_t until =
        call_span_ms(c) + interval - spread + (int64_t)sched_random(call_sched(c), (uint64_t)(2 * spread) + 1);
    struct err err;

    /* In slices, so that a drain need not wait for the interval. */
    while (call_span_ms(c) < until && !interrupts_seen()) {
        int64_t left = until - call_span_ms(c);

        if (call_sleep_ms(c, left < SLICE_MS ? left : SLICE_MS, "the next pass", &err) < 0)
            return;
    }
}

/* Somebody approved what the first look showed. A plan of next week is another plan, which nobody has seen. */
static void approvals_end(struct watching *w)
{
    struct session *s = w->session;

    for (size_t i = 0; i < s->engine.n_approvals; i++)
        talk("The approval of %s by %s held for this pass; the next needs a new one: reinstate apply -f ... --approve "
             "%s=YOUR-NAME",
             s->engine.approvals[i].rule, s->engine.approvals[i].name, s->engine.approvals[i].rule);
    s->engine.n_approvals = 0;
}

int command_watch(const struct options *o)
{
    struct session s cleanup(session_close);
    struct watching w = {.session = &s};
    struct err err;

    if (session_load(&s, o) < 0 || session_connect(&s, HTTP_WRITING) < 0)
        return session_failed(&s);
    session_interrupts_catch(&s);
    session_label(&s);
    if (!session_rereadable(o))
        talk("Documents from standard input or a pipe are read once: an order that is withdrawn there goes on; give "
             "files or folders.");
    while (!interrupts_seen()) {
        w.pass++;
        if (pass(&w, &err) < 0) {
            /* Stopped while it looked: what the last whole pass found still stands. */
            if (err.class != ERR_CANCELLED || !w.known)
                w.code = output_exit_code(&err);
            events_note(s.events, "pass %lld: %s", (long long)w.pass,
                          err.class == ERR_CANCELLED ? "stopped while it looked; nothing was written" : err.text);
        }
        if (interrupts_seen() || (o->passes && w.pass >= o->passes))
            break;
        approvals_end(&w);
        session_run(&s, pause_task, &w);
    }
    arena_free(w.before);
    return w.code;
}
