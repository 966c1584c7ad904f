/* forecast: which protected VMs could be restored now, how, in about how long, and what would break that and when.
 * Reads only; exit 2 when any VM is at risk or lost. */
#include "../providers/backup/points.h"
#include "../providers/forecast/forecast.h"

#include <string.h>

#include "commands.h"
#include "findings.h"
#include "output.h"
#include "session.h"
#include "../reconciler/model/page.h"

/* --- for people --------------------------------------------------------------------------------------------------- */

static const char *point_words(struct arena *a, const struct forecast *f)
{
    const struct value *p = f->outlook.point;

    return p ? arena_printf(a, "point %s of %s, %s%s", value_str_at(p, "id"), protected_vm_point_time(p),
                            protected_vm_tier_words(a, p), protected_vm_threat_words(a, p))
             : "no recovery point";
}

/* "now" | "in 5 d (2026-11-28T03:00:00Z)" */
static const char *when_words(struct arena *a, int64_t at_ms, int64_t now_ms)
{
    return at_ms == TIME_NONE
               ? "now"
               : arena_printf(a, "in %s (%s)", duration_format(a, at_ms - now_ms), time_format(a, at_ms));
}

static const char *risk_lead(const struct page *p, const struct risk *r, int64_t now_ms, enum colour *ret_colour)
{
    *ret_colour = r->weight == RISK_NOTE ? DIM : r->weight == RISK_STOPS ? RED : YELLOW;
    if (r->weight == RISK_NOTE)
        return "note:";
    if (r->weight == RISK_UNSEEN)
        return "cannot be seen:";
    return arena_printf(p->arena, "%s:", when_words(p->arena, r->at_ms, now_ms));
}

static void risk_show(const struct page *p, const struct forecast *f, const struct risk *r, bool verbose)
{
    const struct outlook *o = &f->outlook;
    enum colour colour;
    const char *lead = risk_lead(p, r, o->view->now_ms, &colour);

    page_line(p, 4, colour, lead, "%s", r->text);
    if (r->evidence && (verbose || r->weight != RISK_NOTE))
        page_line(p, 6, DIM, arena_printf(p->arena, "seen (%s):", o->items[r->fact].id), "%s", r->evidence);
    if (r->fix)
        page_line(p, 6, BOLD, "fix:", "%s", r->fix);
}

/* A newer snapshot is faster and fresher, and lost with its key or set. */
static void newest_show(const struct page *p, const struct forecast *f)
{
    const struct dx_prediction *x = &f->newest_prediction;

    if (f->newest)
        page_line(p, 4, DIM, "newest point:", "%s of %s (%s): %s%s%s", value_str_at(f->newest, "id"),
                  protected_vm_point_time(f->newest), protected_vm_tier_words(f->outlook.arena, f->newest),
                  dx_scenario(x) ? dx_scenario(x) : "", dx_scenario(x) ? ", " : "", dx_outcome_words(x->outcome));
}

/* Rights that a look from outside would need, without which a verdict stands all the same. */
static void unseen_show(const struct page *p, const struct forecast *f)
{
    const char *ids = NULL;

    for (size_t i = 0; i < OBSERVATION_COUNT; i++) {
        const struct observation *item = &f->outlook.items[i];
        bool told = observation_decisive((enum obs_fact)i);

        for (size_t k = 0; k < f->outlook.n_risks; k++)
            told = told || (f->outlook.risks[k].weight == RISK_UNSEEN && f->outlook.risks[k].fact == (enum obs_fact)i);
        if (item->state == OBS_UNSEEN && !told)
            ids = arena_printf(p->arena, "%s%s%s (%s)", ids ? ids : "", ids ? "; " : "", item->id, item->question);
    }
    if (ids)
        page_line(p, 4, DIM, "not seen either:", "%s; --verbose tells why", ids);
}

static void vector_show(const struct page *p, const struct forecast *f)
{
    static const enum colour colours[] = {GREEN, YELLOW, RED, YELLOW, DIM};

    for (size_t i = 0; i < OBSERVATION_COUNT; i++) {
        const struct observation *item = &f->outlook.items[i];

        page_line(p, 4, colours[item->state],
                  arena_printf(p->arena, "%-3s %-10s", item->id, obs_state_word(item->state)), "%s %s%s%s%s",
                  item->question, item->text, item->evidence ? " [" : "", item->evidence ? item->evidence : "",
                  item->evidence ? "]" : "");
    }
}

/* Something stands against a restore as things are, whatever Azure would make of the request. */
static bool stopped_now(const struct forecast *f)
{
    for (size_t i = 0; i < f->outlook.n_risks; i++)
        if (f->outlook.risks[i].weight == RISK_STOPS && f->outlook.risks[i].at_ms == TIME_NONE)
            return true;
    return false;
}

/* Azure has answered otherwise than the scenario table foretells. */
static bool refused_before(const struct forecast *f)
{
    for (size_t i = 0; i < f->outlook.n_risks; i++)
        if (str_eq(f->outlook.risks[i].id, "restore-failed"))
            return true;
    return false;
}

static void state_show(const struct page *p, const struct forecast *f)
{
    const struct dx_prediction *x = &f->prediction;
    bool stopped = stopped_now(f);

    if (!f->outlook.point)
        return;
    page_line(p, 4, PLAIN,
              stopped             ? "not restored right now:"
              : refused_before(f) ? "by the scenario table, and Azure has refused it:"
                                  : "restored right now:",
              "%s%s%s%s: %s%s%s",
              stopped ? "what stops it is below; sent to Azure all the same it would meet " : "",
              f->scenario ? f->scenario : "unknown", f->scenario ? ", " : ": ", f->state,
              x->row ? dx_outcome_words(x->outcome) : "no document says what happens then", x->code ? ", " : "",
              x->code ? x->code : "");
    if (x->row && x->row->confidence != DX_DOCUMENTED)
        page_line(p, 6, YELLOW, "confidence:", "%s (%s)", dx_confidence_words(x->row->confidence), x->row->source);
    if (x->reading)
        page_line(p, 6, YELLOW, "another edition says:", "%s", x->reading);
    if (f->scenario)
        page_line(p, 6, DIM, "more:", "reinstate explain %s", f->scenario);
}

static void forecast_show(const struct page *p, const struct forecast *f, bool verbose)
{
    const struct outlook *o = &f->outlook;
    bool green = f->verdict == FORECAST_GREEN, notes = verbose || !green;
    static const char *const restorable[] = {"not restorable", "whether it is restorable cannot be told",
                                             "restorable once it is mended", "restorable now"};

    if (green) {
        page_line(
            p, 2, GREEN, arena_printf(p->arena, "%s:", o->pvm->name), "%s, %s%s%s", f->path,
            f->estimate_ms >= 0 ? "about " : "", f->estimate_ms >= 0 ? duration_format(p->arena, f->estimate_ms) : "",
            f->at_ms != TIME_NONE ? arena_printf(p->arena, "; first to change: %.10s", time_format(p->arena, f->at_ms))
                                  : "");
        if (!verbose)
            return;
    } else {
        page_line(p, 2, f->verdict == FORECAST_LOST ? RED : YELLOW, arena_printf(p->arena, "%s:", o->pvm->name),
                  "%s%s; %s", restorable[f->restorable],
                  f->verdict == FORECAST_AT_RISK && f->at_ms != TIME_NONE
                      ? arena_printf(p->arena, ", until %s", time_format(p->arena, f->at_ms))
                      : "",
                  point_words(p->arena, f));
    }
    state_show(p, f);
    if (f->path && !green)
        page_line(p, 4, BOLD, "path:", "%s", f->path);
    if (f->after.row)
        page_line(p, 4, PLAIN, "after it:", "%s, %s: %s", f->after.row->id, f->after.row->state,
                  dx_outcome_words(f->after.outcome));
    if (f->estimate_ms >= 0)
        page_line(p, 4, DIM, "takes:", "about %s (%s)", duration_format(p->arena, f->estimate_ms), f->estimate_source);
    if (!f->path)
        page_line(p, 4, RED, "path:", "%s", f->verdict == FORECAST_LOST ? "none" : "not known");
    newest_show(p, f);
    for (size_t i = 0; i < o->n_risks; i++)
        if (notes || o->risks[i].weight != RISK_NOTE)
            risk_show(p, f, &o->risks[i], verbose);
    if (verbose)
        vector_show(p, f);
    else
        unseen_show(p, f);
}

static void report_forecast(struct text *out, struct arena *a, const struct forecasts *all, const struct options *o)
{
    static const char *const heads[] = {"Lost", "At risk", "Green"};
    static const enum colour colours[] = {RED, YELLOW, GREEN};
    struct report_style style = output_style(stdout);
    struct page page = {.out = out, .style = &style, .arena = a};

    for (size_t i = 0; i < all->count; i++) {
        const struct forecast *f = &all->items[i];

        if (i == 0 || all->items[i - 1].verdict != f->verdict) {
            if (i)
                page_gap(&page);
            page_line(&page, 0, colours[f->verdict], heads[f->verdict], "%s", "");
        }
        forecast_show(&page, f, o->verbose);
    }
    if (all->count)
        page_gap(&page);
    else
        page_line(&page, 0, YELLOW,
                  "Nothing to look at:", "no ProtectedVirtualMachine is declared, and none was found");
    page_line(&page, 0, BOLD, "", "%s", forecast_line(a, all));
}

/* --- for programs ------------------------------------------------------------------------------------------------- */

static struct value *forecast_value(struct session *s, const struct forecasts *all, int64_t now_ms, int code)
{
    struct value *v = output_envelope(s->arena, s->options);

    session_mark(s, v);
    value_set_string(s->arena, v, "made", time_format(s->arena, now_ms));
    forecasts_to_value(s->arena, all, v);
    value_set_int(s->arena, v, "exitCode", code);
    return v;
}

/* What would fail right now, and then everything that endangers the rest. */
static void findings_of(struct findings *all, const struct forecast *f, int64_t until_ms)
{
    const struct outlook *o = &f->outlook;
    enum finding_level level = f->verdict == FORECAST_LOST ? FINDING_ERROR : FINDING_WARNING;
    const struct dx_prediction *x = &f->prediction;

    findings_subject(all, o->pvm->address, &o->pvm->origin);
    if (f->verdict == FORECAST_AT_RISK && f->restorable == RESTORABLE_UNKNOWN)
        findings_add(all,
                     finding_unseen(o->pvm->address, &o->pvm->origin, "whether it is restorable cannot be told", NULL));
    if (o->point && (!x->row || x->outcome != DX_SUCCEEDS))
        findings_add(all,
                     (struct finding){
                         .level = level,
                         .rule = f->scenario ? f->scenario : "unknown-state",
                         .rule_text = x->row ? x->row->state : "a state that no document describes",
                         .subject = o->pvm->address,
                         .origin = o->pvm->origin,
                         .text = arena_printf(all->arena, "%s: %s", f->state,
                                              x->row ? dx_outcome_words(x->outcome) : "no document describes this"),
                         .evidence = point_words(all->arena, f),
                         .fix = f->path,
                     });
    for (size_t i = 0; i < o->n_risks; i++) {
        const struct risk *r = &o->risks[i];
        bool counts = r->weight != RISK_NOTE && (r->at_ms == TIME_NONE || r->at_ms <= until_ms);

        findings_add(all, (struct finding){
                              .level = counts ? level : FINDING_NOTE,
                              .rule = r->id,
                              .rule_text = risk_words(r->id),
                              .subject = o->pvm->address,
                              .origin = o->pvm->origin,
                              .text = r->at_ms == TIME_NONE ? r->text
                                                            : arena_printf(all->arena, "%s (%s)", r->text,
                                                                           time_format(all->arena, r->at_ms)),
                              .evidence = r->evidence,
                              .fix = r->fix,
                          });
    }
}

static void forecast_findings(struct session *s, const struct forecasts *all, int64_t now_ms)
{
    struct findings findings = {.arena = s->arena, .tool = "forecast", .made_ms = now_ms, .simulated = s->simulated};

    for (size_t i = 0; i < all->count; i++)
        findings_of(&findings, &all->items[i], all->until_ms);
    findings.summary = forecast_line(s->arena, all);
    output_findings(s->options, &findings);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

struct foreseeing {
    struct session *session;
    struct look look;
    struct value *extras;
    int rc;
};

static void foresee_task(struct call *c, void *arg)
{
    struct foreseeing *t = arg;
    struct session *s = t->session;

    t->rc = engine_look(c, &s->engine, s->arena, s->estate.desired, &t->look, &s->err);
    if (t->rc == 0)
        t->rc = forecast_observe(c, s->engine.provider, &t->look.view, &t->extras, &s->err);
}

/* An order is carried out with our own rights: its steps learn which of them we lack, as plan tells. Without an order
 * the forecast may be a reader's, who is not the one to apply. */
static void rights_look(const struct foreseeing *t)
{
    const struct steps *steps = t->look.view.steps;

    for (size_t i = 0; i < steps->count; i++)
        if (steps->items[i]->action == ACTION_RESTORE_VM) {
            session_gaps(t->session, t->look.plan);
            return;
        }
}

static int forecast_show_all(struct session *s, const struct foreseeing *t)
{
    struct text text cleanup(text_release) = {0};
    struct forecast_options options = forecast_options_default;
    struct forecasts all;
    struct view ordered;
    int64_t now = t->look.view.now_ms;
    int code;

    engine_suppose(&s->engine, s->arena, &t->look.view, SUPPOSE_LOSS, NULL, &ordered);
    options.ordered = &ordered;

    options.horizon_ms = s->options->within_ms;
    options.limits.disks_per_set = s->options->disks_per_set;
    options.extras = t->extras;
    all = forecast_all(&t->look.view, &options);
    code = all.n_at_risk || all.n_lost ? EXIT_DIFFERENCES : EXIT_DECLARED;
    text_init(&text, TEXT_CEILING);
    if (s->options->output > OUTPUT_JSON) {
        forecast_findings(s, &all, now);
    } else if (s->options->output == OUTPUT_JSON) {
        output_json(forecast_value(s, &all, now, code));
    } else {
        report_forecast(&text, s->arena, &all, s->options);
        output_words(&text);
    }
    session_label(s);
    return code;
}

int command_forecast(const struct options *o)
{
    struct session s cleanup(session_close);
    struct foreseeing t = {.session = &s};

    if (session_open(&s, o) < 0)
        return session_failed(&s);
    s.settings.far = true;
    session_run(&s, foresee_task, &t);
    if (t.rc < 0)
        return session_failed(&s);
    rights_look(&t);
    return forecast_show_all(&s, &t);
}
