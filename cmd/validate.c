/* validate: all that can be said about manifests without asking Azure. */
#include "commands.h"
#include "findings.h"
#include "output.h"
#include "session.h"
#include "../providers/kinds/contradictions.h"

static size_t count_meant(const struct desired *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->count; i++)
        n += !desired_beside(d, d->documents[i]);
    return n;
}

static int validate_findings(struct session *s)
{
    const struct desired *d = s->estate.desired;
    struct findings findings = {.arena = s->arena, .tool = "validate", .made_ms = TIME_NONE};
    size_t n = count_meant(d);

    for (size_t i = 0; i < d->count; i++)
        if (!desired_beside(d, d->documents[i]))
            findings_subject(&findings, d->documents[i]->address, &d->documents[i]->origin);
    findings_add_diags(&findings, &s->diags);
    findings.summary = arena_printf(s->arena, "valid: %zu document%s", n, n == 1 ? "" : "s");
    output_findings(s->options, &findings);
    return EXIT_DECLARED;
}

/* Told by this machine's clock, for no other is asked here. */
static void past_told(struct session *s)
{
    struct sched *sched = sched_new(&(struct sched_options){.time = SCHED_REAL, .speed = 1});
    struct diags over;

    diags_init(&over, s->arena);
    past_check(s->estate.desired, sched_now_ms(sched), &over);
    sched_free(sched);
    output_diags(s->options, &over);
    for (size_t i = 0; i < over.count; i++)
        diags_add(&s->diags, over.items[i].severity, &over.items[i].origin, over.items[i].instead, "%s",
                  over.items[i].what);
}

int command_validate(const struct options *o)
{
    struct session s cleanup(session_close);
    struct text t cleanup(text_release) = {0};
    struct value *v;
    size_t n;
    int code;

    if (session_load(&s, o) < 0 && (o->output != OUTPUT_JSON || !s.diags.n_errors))
        return session_failed(&s);
    if (!s.diags.n_errors)
        past_told(&s);
    if (o->output > OUTPUT_JSON)
        return validate_findings(&s);
    n = s.diags.n_errors ? 0 : count_meant(s.estate.desired);
    code = s.diags.n_errors ? EXIT_ERROR : EXIT_DECLARED;
    text_init(&t, TEXT_CEILING);
    text_say(&t, "valid: %zu document%s\n", n, n == 1 ? "" : "s");
    v = output_envelope(s.arena, o);
    value_set_bool(s.arena, v, "valid", !s.diags.n_errors);
    value_set_int(s.arena, v, "documents", (int64_t)n);
    value_set_int(s.arena, v, "errors", (int64_t)s.diags.n_errors);
    value_set_int(s.arena, v, "warnings", (int64_t)(s.diags.count - s.diags.n_errors));
    value_set(s.arena, v, "diagnostics", output_diags_value(s.arena, &s.diags));
    value_set_int(s.arena, v, "exitCode", code);
    output_either(o, v, &t);
    return code;
}
