/* plan and drift: one look at the world, told in two ways. Neither can write: the transport lets reads pass only. */
#include "commands.h"
#include "output.h"
#include "session.h"
#include "../reconciler/format/json.h"

static int plan_save(struct session *s, const struct plan *plan, struct err *err)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    json_write(&t, plan_to_value(s->arena, plan), JSON_INDENTED);
    text_add_char(&t, '\n');
    TRY(output_file(s->options->out, text_str(&t), t.len, err));
    talk("The plan is saved; carry it out with: reinstate apply --plan %s -f ...", s->options->out);
    return 0;
}

static int plan_show(struct session *s, const struct plan *plan)
{
    struct text t cleanup(text_release) = {0};
    struct report_style style = output_style(stdout);
    struct value *v = plan_to_value(s->arena, plan);

    text_init(&t, TEXT_CEILING);
    value_set_string(s->arena, v, "command", s->options->command->name);
    value_set_string(s->arena, v, "version", REINSTATE_VERSION);
    if (s->simulated)
        value_set_bool(s->arena, v, "simulated", true);
    report_plan(&t, plan, &style);
    output_either(s->options, v, &t);
    session_label(s);
    return s->options->detailed_exitcode && plan->n_changes ? EXIT_DIFFERENCES : EXIT_DECLARED;
}

/* The plan's own digests and deadlines, and of its steps those that say that something differs. */
static struct value *drift_value(struct session *s, const struct plan *plan, int code)
{
    static const char *const kept[] = {"made", "digest", "inputsDigest", "factsDigest", "deadlines"};
    struct value *v = output_envelope(s->arena, s->options), *findings = value_list(s->arena);
    const struct value *whole = plan_to_value(s->arena, plan);

    if (s->simulated)
        value_set_bool(s->arena, v, "simulated", true);
    for (size_t i = 0; i < COUNT(kept); i++)
        if (value_get(whole, kept[i]))
            value_set(s->arena, v, kept[i], value_get(whole, kept[i]));
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i]->action != ACTION_NONE)
            value_push(s->arena, findings, step_to_value(s->arena, plan->steps.items[i]));
    value_set_int(s->arena, v, "differences", (int64_t)plan->n_changes);
    value_set(s->arena, v, "findings", findings);
    value_set_int(s->arena, v, "exitCode", code);
    return v;
}

static int drift_show(struct session *s, const struct plan *plan)
{
    struct text t cleanup(text_release) = {0};
    struct report_style style = output_style(stdout);
    int code = plan->n_changes ? EXIT_DIFFERENCES : EXIT_DECLARED;

    text_init(&t, TEXT_CEILING);
    report_drift(&t, plan, &style);
    output_either(s->options, drift_value(s, plan, code), &t);
    session_label(s);
    return code;
}

int command_plan(const struct options *o)
{
    struct session s cleanup(session_close);
    struct look look;

    if (session_load(&s, o) < 0 || session_connect(&s, HTTP_READ_ONLY) < 0 || session_look(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    if (o->out && plan_save(&s, look.plan, &s.err) < 0)
        return session_failed(&s);
    return plan_show(&s, look.plan);
}

int command_drift(const struct options *o)
{
    struct session s cleanup(session_close);
    struct look look;

    if (session_load(&s, o) < 0 || session_connect(&s, HTTP_READ_ONLY) < 0 || session_look(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    return drift_show(&s, look.plan);
}
