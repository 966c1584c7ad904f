/* apply: look, show, ask, act, look again. The order of these five is what this file knows; what is
 * done is the plan's. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "call.h"
#include "carry.h"
#include "commands.h"
#include "history.h"
#include "output.h"
#include "summary.h"
#include "../reconciler/format/json.h"

enum { SAVED_PLAN_MAX = 64 * 1024 * 1024, ANSWER_MAX = 64 };

/* --- a saved plan ------------------------------------------------------------------------------------------------- */

static int file_read(struct text *out, const char *path, struct err *err)
{
    FILE *f = fopen(path, "re");
    char chunk[4096];
    size_t n;
    bool failed;

    if (!f)
        return err_set(err, ERR_INVALID, "%s cannot be read: %s", path, strerror(errno));
    while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0 && !out->overflowed)
        text_add_n(out, chunk, n);
    failed = ferror(f);
    fclose(f);
    if (failed || out->overflowed)
        return err_set(err, ERR_INVALID, "%s cannot be read: %s", path,
                       failed ? "read error" : "it is larger than a plan can be");
    return 0;
}

static int saved_plan_check(struct session *s, const struct plan *fresh, struct err *err)
{
    struct text t cleanup(text_release) = {0};
    const char *path = s->options->saved_plan, *differs;
    struct value *saved;
    struct diags faults;

    text_init(&t, SAVED_PLAN_MAX);
    TRY(file_read(&t, path, err));
    if (json_parse(s->arena, text_str(&t), t.len, &saved, err) < 0)
        return err_note(err, "%s", path);
    diags_init(&faults, s->arena);
    schema_check(s->schemas, "plan.json", saved, &faults);
    if (faults.n_errors)
        return err_set(err, ERR_INVALID, "%s is no saved plan: %s", path, faults.items[0].what);
    differs = plan_differs(s->arena, saved, fresh);
    if (!differs)
        return 0;
    err_set(err, ERR_CONFLICT, "the saved plan no longer fits: %s", differs);
    return err_advise(err,
                      "nothing was written; make a new plan and look at it: reinstate plan -f ... --out %s --force",
                      call_quoted(s->arena, path));
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static bool somebody_there(void)
{
    return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

static int confirm(const struct options *o, size_t runnable, struct err *err)
{
    char answer[ANSWER_MAX];

    if (o->auto_approve)
        return 0;
    if (!somebody_there())
        return err_set(err, ERR_BLOCKED, "nobody is there to confirm %zu step%s; run it in a terminal, or give "
                       "--auto-approve (which approves no policy rule)", runnable, runnable == 1 ? "" : "s");
    fprintf(stderr, "Type yes to do %s step%s: ", runnable == 1 ? "this" : "these", runnable == 1 ? "" : "s");
    fflush(stderr);
    if (!fgets(answer, sizeof(answer), stdin) || strcmp(answer, "yes\n") != 0)
        return err_set(err, ERR_BLOCKED, "not confirmed; nothing was written");
    return 0;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

struct applying {
    struct session *session;
    struct value *answer;            /* JSON */
    struct report_style style;
};

/* What sums it up stands last before a question, so that it is on the screen; otherwise it stands first. */
static void plan_write(struct text *t, const struct applying *x, const struct plan *plan, bool asked)
{
    const struct options *o = x->session->options;

    if (!asked) {
        report_plan(t, plan, &x->style);
        return;
    }
    if (o->full) {
        report_steps(t, plan, &x->style);
        text_add_char(t, '\n');
    }
    report_head(t, plan, &x->style);
    if (!o->full)
        text_say(t, "The whole plan: --full, or: %s\n", call_filled(x->session->arena, "reinstate plan -f ..."));
}

static void show_plan(struct applying *x, const struct plan *plan)
{
    struct text t cleanup(text_release) = {0};
    const struct options *o = x->session->options;

    text_init(&t, TEXT_CEILING);
    plan_write(&t, x, plan, !o->auto_approve && somebody_there() && carry_runnable(plan));
    if (o->output == OUTPUT_TEXT)
        output_words(&t);
    else if (!o->auto_approve)
        output_aside(&t);
    fflush(stdout);
    value_set(x->session->arena, x->answer, "plan", plan_to_value(x->session->arena, plan));
}

static int finish(struct applying *x, int code, const struct text *t)
{
    struct session *s = x->session;
    struct err err;

    history_keep(s);
    if (journal_error(s->journal, &err) < 0)
        output_lack("%s", err.text);
    code = output_counted(code);
    if (s->journal)
        value_set_string(s->arena, x->answer, "journalHead", journal_head(s->journal));
    value_set_int(s->arena, x->answer, "exitCode", code);
    output_either(x->session->options, x->answer, t);
    session_label(x->session);
    return code;
}

/* What is left, seen with fresh eyes: a repair may have changed the diagnosis. */
static int look_again(struct applying *x, int code, const struct outcome *outcome, struct text *t)
{
    struct session *s = x->session;
    struct value *summary;
    struct look after;
    struct err err;

    if (interrupts_seen()) {
        value_set_string(s->arena, x->answer, "resume", call_again(s->arena));
        text_say(t, "Stopped as asked; what is left is done where the world stands by: %s\n", call_again(s->arena));
    }
    session_withdraw(s);
    /* Told twice to stop, nothing is asked any more. */
    if (interrupts_seen() > 1 || session_look(s, s->arena, &after, &err) < 0) {
        summary = summary_unseen(s->arena, outcome);
        value_set(s->arena, x->answer, "summary", summary);
        text_say(t, "What is left was not looked at again%s%s\n", interrupts_seen() > 1 ? "." : ": ",
                    interrupts_seen() > 1 ? "" : err.text);
        summary_write(t, s->arena, summary);
        return code ? code : EXIT_ERROR;
    }
    summary = summary_of(s->arena, &after, outcome, s->options);
    value_set(s->arena, x->answer, "remaining", plan_to_value(s->arena, after.plan));
    value_set(s->arena, x->answer, "summary", summary);
    if (after.plan->n_changes && !interrupts_seen()) {
        text_add(t, "\nWhat is left:\n");
        report_plan(t, after.plan, &x->style);
    } else if (!code) {
        text_say(t, "%s\n", summary_verdict(s->arena, summary));
    }
    summary_write(t, s->arena, summary);
    if (code || !after.plan->n_changes)
        return code;
    return after.plan->n_blocked == after.plan->n_changes ? EXIT_BLOCKED : EXIT_PARTLY;
}

static int act(struct applying *x, const struct look *look)
{
    struct session *s = x->session;
    struct text t cleanup(text_release) = {0};
    struct outcome outcome = {0};
    int code;

    session_interrupts_catch(s);
    s->engine.closed = s->options->saved_plan != NULL;
    /* Aborted half way, there is still something to report: what was done. */
    if (carry_out(s, s->arena, look, &outcome, &s->err) < 0 && !(s->err.class == ERR_CANCELLED && outcome.count))
        return session_failed(s);
    text_init(&t, TEXT_CEILING);
    text_add_char(&t, '\n');
    carry_report(&t, &outcome, &x->style);
    value_set(s->arena, x->answer, "outcome", carry_to_value(s->arena, &outcome));
    code = engine_exit_code(&outcome);
    if (!carry_gaps_stop(&outcome))
        code = look_again(x, code, &outcome, &t);
    return finish(x, code, &t);
}

/* Nothing can be begun. Whoever comes at night reads the last lines: how things stand, who has to act, and how. */
static int end_at_once(struct applying *x, const struct look *look)
{
    struct session *s = x->session;
    struct text t cleanup(text_release) = {0};
    struct outcome none = {.blocked = look->plan->n_changes};
    struct value *summary = summary_of(s->arena, look, &none, s->options);

    text_init(&t, TEXT_CEILING);
    if (look->plan->n_changes) {
        text_add_char(&t, '\n');
        carry_report(&t, &none, &x->style);
    }
    value_set(s->arena, x->answer, "summary", summary);
    summary_write(&t, s->arena, summary);
    return finish(x, look->plan->n_changes ? EXIT_BLOCKED : EXIT_DECLARED, &t);
}

int command_apply(const struct options *o)
{
    struct session s cleanup(session_close);
    struct applying x = {.session = &s, .style = output_style(stdout)};
    struct look look;
    size_t runnable;

    if (session_load(&s, o) < 0 || session_connect(&s, HTTP_WRITING) < 0 ||
        session_look(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    if (o->saved_plan && saved_plan_check(&s, look.plan, &s.err) < 0)
        return session_failed(&s);
    if (carry_check(&s, &look, &s.err) < 0)
        return session_failed(&s);
    x.style.all = o->all;
    x.answer = output_envelope(s.arena, o);
    session_mark(&s, x.answer);
    show_plan(&x, look.plan);
    runnable = carry_runnable(look.plan);
    if (!runnable)
        return end_at_once(&x, &look);
    if (session_may_write(&s, &s.err) < 0 || confirm(o, runnable, &s.err) < 0)
        return session_failed(&s);
    return act(&x, &look);
}
