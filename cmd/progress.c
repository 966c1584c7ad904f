/* Knows how to keep a few changing lines below what is already said. Must not decide anything: it is told. */
#include "progress.h"

#include <stdlib.h>
#include <string.h>

#include "call.h"
#include "output.h"

enum { SHOWN_MAX = 12, LINE_MAX_BYTES = 400 };

struct live {
    const struct step *step;
    int64_t since_ms;
    char says[LINE_MAX_BYTES], said[LINE_MAX_BYTES], job[64];
};

struct progress {
    const struct sched *sched;
    struct report_style style;
    struct live running[SHOWN_MAX];
    size_t n_running, n_hidden;
    size_t lines_shown;
    bool interrupt_told;
};

struct progress *progress_new(const struct sched *s)
{
    struct progress *p = xcalloc(1, sizeof(*p));

    p->sched = s;
    p->style = output_style(stderr);
    return p;
}

void progress_free(struct progress *p)
{
    if (p)
        progress_clear(p);
    free(p);
}

/* --- the changing part -------------------------------------------------------------------------------------------- */

void progress_clear(struct progress *p)
{
    if (p->lines_shown)
        /* An interrupt that was typed stands on the line, as ^C. */
        fprintf(stderr, "\r\033[%zuA\033[J", p->lines_shown);
    p->lines_shown = 0;
}

/* One line, cut to the terminal's width: a wrapped line would be counted as one and taken away as one. */
static void show_line(struct progress *p, const char *line)
{
    size_t bytes = 0, columns = 0, room = p->style.width - 1;

    while (line[bytes] && columns < room) {
        bytes++;
        while (((unsigned char)line[bytes] & 0xc0) == 0x80)
            bytes++;
        columns++;
    }
    fprintf(stderr, "%s%.*s%s\n", p->style.colour ? "\033[36m" : "", (int)bytes, line,
            p->style.colour ? "\033[0m" : "");
    p->lines_shown++;
}

static void show_running(struct progress *p)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < p->n_running; i++) {
        const struct live *l = &p->running[i];
        const char *estimate = "";

        if (l->step->estimate_ms > 0)
            estimate = arena_printf(a, " of about %s", duration_format(a, l->step->estimate_ms));
        show_line(p, str_shown(a, arena_printf(a, "%s %s  %s%s%s%s", action_glyph(l->step->action), l->step->id,
                                               duration_format(a, sched_span_ms(p->sched) - l->since_ms), estimate,
                                               l->says[0] ? "  " : "", l->says)));
    }
    if (p->n_hidden)
        show_line(p, arena_printf(a, "  and %zu more", p->n_hidden));
}

void progress_tick(struct progress *p)
{
    if (!p->style.width || !(p->n_running || p->lines_shown))
        return;
    progress_clear(p);
    show_running(p);
    fflush(stderr);
}

static struct live *live_find(struct progress *p, const struct step *step)
{
    for (size_t i = 0; i < p->n_running; i++)
        if (p->running[i].step == step || str_eq(p->running[i].step->id, step->id))
            return &p->running[i];
    return NULL;
}

static void live_begin(struct progress *p, const struct step *step)
{
    if (p->n_running == SHOWN_MAX) {
        p->n_hidden++;
        return;
    }
    p->running[p->n_running++] = (struct live){.step = step, .since_ms = sched_span_ms(p->sched)};
}

static void live_end(struct progress *p, const struct step *step)
{
    struct live *l = live_find(p, step);

    if (!l) {
        p->n_hidden -= p->n_hidden > 0;
        return;
    }
    p->n_running--;
    memmove(l, l + 1, (size_t)(&p->running[p->n_running] - l) * sizeof(*l));
}

/* --- lines that stay ---------------------------------------------------------------------------------------------- */

struct wording {
    const char *word, *colour;
};

static const struct wording wordings[] = {
    [ENGINE_STEP_STARTS] = {"starts", "\033[1m"},       [ENGINE_STEP_SAYS] = {"", ""},
    [ENGINE_STEP_DONE] = {"done", "\033[32m"},          [ENGINE_STEP_NOT_NEEDED] = {"not needed any more", "\033[32m"},
    [ENGINE_STEP_FAILED] = {"FAILED", "\033[31m"},      [ENGINE_STEP_BLOCKED] = {"BLOCKED", "\033[33m"},
    [ENGINE_STEP_LEFT] = {"left", "\033[33m"},
    [ENGINE_STEP_SKIPPED] = {"skipped", "\033[33m"},    [ENGINE_STEP_WAITS] = {"stands back", ""},
    [ENGINE_STEP_OVERTAKEN] = {"overtaken: something else is due in its place", "\033[33m"},
    [ENGINE_PLAN_GROWS] = {"the plan has grown by this step", "\033[1m"},
};

static void dated(struct progress *p, const char *colour, const char *text)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *now = time_format(a, sched_now_ms(p->sched) / SECOND_MS * SECOND_MS);

    progress_clear(p);
    fprintf(stderr, "%s  %s%s%s\n", now, p->style.colour ? colour : "", str_shown(a, call_filled(a, text)),
            p->style.colour && *colour ? "\033[0m" : "");
    if (p->style.width)
        show_running(p);
    fflush(stderr);
}

void progress_note(struct progress *p, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;

    va_start(ap, fmt);
    dated(p, "", arena_vprintf(a, fmt, ap));
    va_end(ap);
}

static void step_starts(struct progress *p, const struct step *step)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *estimate = "";

    if (step->estimate_ms > 0)
        estimate = arena_printf(a, " (about %s)", duration_format(a, step->estimate_ms));
    live_begin(p, step);
    dated(p, wordings[ENGINE_STEP_STARTS].colour,
          arena_printf(a, "%s  starts%s: %s", step->id, estimate, step->reason));
    if (step->foretold)
        dated(p, "\033[33m", arena_printf(a, "%s  foretold: %s", step->id, step->foretold));
}

/* What is said stays on the screen as a whole line: a line that is overwritten is one that nobody
 * can look up afterwards. */
static void step_says(struct progress *p, const struct step *step, const char *line)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct live *l = live_find(p, step);

    if (l && !strncmp(l->said, line, sizeof(l->said) - 1))
        return;
    if (l)
        snprintf(l->said, sizeof(l->said), "%s", line);
    dated(p, "", arena_printf(a, "%s  %s", step->id, line));
}

static void step_status(struct progress *p, const struct step *step, const char *line)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct live *l = live_find(p, step);

    if (l && !strncmp(l->says, line, sizeof(l->says) - 1))
        return;
    if (l)
        snprintf(l->says, sizeof(l->says), "%s", line);
    if (p->style.width)
        progress_tick(p);
    else
        dated(p, "", arena_printf(a, "%s  %s", step->id, line));
}

static void step_job(struct progress *p, const struct step *step, const char *job)
{
    struct live *l = live_find(p, step);

    if (l)
        snprintf(l->job, sizeof(l->job), "%s", job);
}

void progress_interrupted(struct progress *p)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *steps = "", *jobs = "";

    if (p->interrupt_told)
        return;
    p->interrupt_told = true;
    for (size_t i = 0; i < p->n_running; i++) {
        const struct live *l = &p->running[i];

        steps = arena_printf(a, "%s%s%s", steps, *steps ? ", " : "", l->step->id);
        if (l->job[0])
            jobs = arena_printf(a, "%s%s%s", jobs, *jobs ? ", " : "", l->job);
    }
    if (!p->n_running) {
        dated(p, "\033[33m",
              "Interrupted: nothing further is started; the run ends when the look that is under way is over. A second "
              "signal ends it at once.");
        return;
    }
    dated(p, "\033[33m",
          arena_printf(a,
                       "Interrupted: nothing further is started; the run waits for %s and then ends. A second signal "
                       "ends it at once; "
                       "%s%s%s at Azure and the next run adopts what it finds.",
                       steps, *jobs ? "job " : "what was sent", jobs, *jobs ? " runs on" : " takes its course"));
}

void progress_event(void *ctx, enum engine_event event, const struct step *step, const char *line, int64_t elapsed_ms)
{
    struct progress *p = ctx;
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct wording *w = &wordings[event];
    const char *time = "";

    if (event == ENGINE_STEP_STARTS) {
        step_starts(p, step);
        return;
    }
    if (event == ENGINE_STEP_SAYS || event == ENGINE_STEP_STATUS || event == ENGINE_STEP_JOB) {
        (event == ENGINE_STEP_SAYS ? step_says : event == ENGINE_STEP_STATUS ? step_status : step_job)(p, step, line);
        return;
    }
    if (event != ENGINE_PLAN_GROWS)
        live_end(p, step);
    /* Looking again leaves its own "not found" behind in the outcome; it is no news about a step that is done. */
    if (event == ENGINE_STEP_DONE || event == ENGINE_STEP_NOT_NEEDED)
        line = NULL;
    if (event == ENGINE_STEP_DONE && elapsed_ms >= SECOND_MS)
        time = arena_printf(a, " after %s", duration_format(a, elapsed_ms));
    dated(p, w->colour,
          arena_printf(a, "%s  %s%s%s%s", step->id, w->word, time, line && *line ? ": " : "", line ? line : ""));
}
