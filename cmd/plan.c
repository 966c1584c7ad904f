/* plan and drift: one look at the world, told in two ways. Neither can write: the transport lets reads pass only. */
#include "call.h"
#include "commands.h"
#include "findings.h"
#include "output.h"
#include "refused.h"
#include "session.h"
#include "../providers/azure/reads.h"
#include "../providers/backup/points.h"
#include "../providers/restore/diagnosis.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/json.h"

/* Whoever applies answers for it: approvals are given anew. */
static const char *approvals_again(const struct session *s)
{
    const struct approvals *given = &s->options->approvals;
    const char *text = "";

    for (size_t i = 0; i < given->count; i++)
        text = arena_printf(s->arena, "%s --approve %s=YOUR-NAME", text, given->items[i].rule);
    return given->count ? arena_printf(s->arena, "%s (approvals are not saved: whoever applies gives them again)", text)
                        : text;
}

static int plan_save(struct session *s, const struct plan *plan, struct err *err)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    json_write(&t, plan_to_saved(s->arena, plan), JSON_INDENTED);
    text_add_char(&t, '\n');
    TRY(file_replace(s->options->out, text_str(&t), t.len, err));
    talk("The plan is saved; carry it out with: reinstate apply -f ... --plan %s%s",
         call_quoted(s->arena, s->options->out), approvals_again(s));
    return 0;
}

static int plan_show(struct session *s, const struct plan *plan)
{
    struct text t cleanup(text_release) = {0};
    struct report_style style = output_style(stdout);
    struct value *v = plan_to_value(s->arena, plan), *gaps = session_gaps(s, plan),
                 *refused = refused_reads(s), *reads;

    style.all = s->options->all;
    text_init(&t, TEXT_CEILING);
    value_set_string(s->arena, v, "command", s->options->command->name);
    value_set_string(s->arena, v, "version", REINSTATE_VERSION);
    session_mark(s, v);
    value_set(s->arena, v, "gaps", gaps);
    value_set(s->arena, v, "refused", refused);
    report_plan(&t, plan, &style);
    if (value_count(gaps))
        text_add(&t,
                 "\nWe lack rights for this plan, and apply does nothing that leads there before they are given:\n");
    for (size_t i = 0; i < value_count(gaps); i++)
        text_say(&t, "  %s\n", value_str(value_item(gaps, i)));
    refused_write(&t, s->arena, refused);
    if (s->options->explain_reads) {
        reads = azure_reads(s->connections.items, s->connections.count, s->arena);
        value_set(s->arena, v, "reads", reads);
        azure_reads_write(&t, reads);
    }
    output_either(s->options, v, &t);
    session_label(s);
    return s->options->detailed_exitcode && plan->n_changes ? EXIT_DIFFERENCES : EXIT_DECLARED;
}

/* The plan's own digests and deadlines, and of its steps those that say that something differs. */
static struct value *drift_value(struct session *s, const struct plan *plan, int code)
{
    static const char *const kept[] = {"made", "digest", "inputsDigest", "policyDigest", "factsDigest", "deadlines"};
    struct value *v = output_envelope(s->arena, s->options), *findings = value_list(s->arena),
                 *notes = value_list(s->arena);
    const struct value *whole = plan_head_to_value(s->arena, plan);

    session_mark(s, v);
    for (size_t i = 0; i < COUNT(kept); i++)
        if (value_get(whole, kept[i]))
            value_set(s->arena, v, kept[i], value_get(whole, kept[i]));
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i]->action != ACTION_NONE)
            value_push(s->arena, findings, step_to_value(s->arena, plan->steps.items[i]));
    for (size_t i = 0; i < plan->steps.count; i++)
        for (size_t k = 0; k < plan->steps.items[i]->n_notes; k++) {
            struct value *note = value_map(s->arena);

            value_set_string(s->arena, note, "document", plan->steps.items[i]->document->address);
            value_set_string(s->arena, note, "text", plan->steps.items[i]->notes[k]);
            value_push(s->arena, notes, note);
        }
    value_set(s->arena, v, "notes", notes);
    value_set_int(s->arena, v, "differences", (int64_t)plan->n_changes);
    value_set_int(s->arena, v, "unseen", (int64_t)plan->n_unseen);
    value_set(s->arena, v, "findings", findings);
    value_set_int(s->arena, v, "exitCode", code);
    return v;
}

static const char *step_evidence(struct arena *a, const struct step *step)
{
    const char *words = NULL;

    for (size_t i = 0; i < step->n_changes; i++) {
        const struct change *c = &step->changes[i];

        words = arena_printf(a, "%s%s%s: %s -> %s", words ? words : "", words ? ", " : "", c->path,
                             c->before ? json_string(a, change_shown(a, c, c->before), JSON_COMPACT) : "(absent)",
                             value_is(c->after, VALUE_UNKNOWN)
                                 ? "(known after apply)"
                                 : json_string(a, change_shown(a, c, c->after), JSON_COMPACT));
    }
    return words;
}

/* What only a person can mend is an error, what apply would do a warning. */
static struct finding drift_finding(struct arena *a, const struct step *step)
{
    const struct dx_row *row = step->scenario ? diagnosis_row(step->scenario) : NULL;

    if (step->unseen)
        return finding_unseen(step->document->address, &step->document->origin, step->reason, step->next);
    return (struct finding){
        .level = step->action == ACTION_BLOCKED ? FINDING_ERROR : FINDING_WARNING,
        .rule = step->scenario ? step->scenario : arena_printf(a, "drift-%s", action_name(step->action)),
        .rule_text =
            row ? row->state : arena_printf(a, "Azure differs from what is declared: %s", action_name(step->action)),
        .subject = step->document->address,
        .origin = step->document->origin,
        .text = step->reason,
        .evidence = step_evidence(a, step),
        .fix = step->next                    ? step->next
               : action_writes(step->action) ? "reinstate apply -f ..."
                                             : NULL,
    };
}

static void drift_findings(struct session *s, const struct plan *plan)
{
    struct findings findings = {
        .arena = s->arena, .tool = "drift", .made_ms = plan->made_ms, .simulated = s->simulated};
    const struct desired *d = s->estate.desired;
    size_t n = 0;

    for (size_t i = 0; i < d->count; i++)
        if (!desired_beside(d, d->documents[i]))
            findings_subject(&findings, d->documents[i]->address, &d->documents[i]->origin);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan_is_difference(plan, plan->steps.items[i])) {
            findings_add(&findings, drift_finding(s->arena, plan->steps.items[i]));
            n++;
        }
    for (size_t i = 0; i < plan->steps.count; i++)
        for (size_t k = 0; k < plan->steps.items[i]->n_notes; k++)
            findings_add(&findings, (struct finding){.level = FINDING_NOTE, .rule = "note",
                                                     .rule_text = "it asks for nothing and is no difference",
                                                     .subject = plan->steps.items[i]->document->address,
                                                     .origin = plan->steps.items[i]->document->origin,
                                                     .text = plan->steps.items[i]->notes[k]});
    findings.summary =
        n ? arena_printf(s->arena, "%zu difference%s, %zu cannot be seen", n, n == 1 ? "" : "s", plan->n_unseen)
          : "no drift";
    output_findings(s->options, &findings);
}

/* What older jobs left is told as not looked at where any restore could have been; NULL: nothing is declared of one. */
static const char *drift_older(const struct session *s, const struct look *look)
{
    const struct desired *d = s->estate.desired;

    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "ProtectedVirtualMachine") && !desired_beside(d, d->documents[i]))
            return jobs_older_words(&look->view);
    return NULL;
}

static int drift_show(struct session *s, const struct look *look)
{
    const struct plan *plan = look->plan;
    const char *older = drift_older(s, look);
    struct value *v;
    struct text t cleanup(text_release) = {0};
    struct report_style style = output_style(stdout);
    int code = plan->n_changes ? EXIT_DIFFERENCES : EXIT_DECLARED;

    text_init(&t, TEXT_CEILING);
    report_drift(&t, plan, &style);
    if (older)
        text_say(&t, "%s\n", older);
    if (s->options->output > OUTPUT_JSON)
        drift_findings(s, plan);
    else {
        v = drift_value(s, plan, code);
        value_set_string(s->arena, v, "leftOlder", older);
        output_either(s->options, v, &t);
    }
    session_label(s);
    return code;
}

int command_plan(const struct options *o)
{
    struct session s cleanup(session_close);
    struct look look;

    if (session_load(&s, o) < 0 || session_may_keep(&s, o->out) < 0 || session_connect(&s, HTTP_READ_ONLY) < 0 ||
        session_look(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    if (o->out && plan_save(&s, look.plan, &s.err) < 0)
        return session_failed(&s);
    return plan_show(&s, look.plan);
}

int command_drift(const struct options *o)
{
    struct session s cleanup(session_close);
    struct look look;

    if (session_load(&s, o) < 0 || session_connect(&s, HTTP_READ_ONLY) < 0 ||
        session_look_near(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    return drift_show(&s, &look);
}
