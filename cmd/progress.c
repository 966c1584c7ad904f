/* Knows how to keep a few changing lines below what is already said. Must not decide anything: it is told. */
#include "progress.h"

#include <stdlib.h>
#include <string.h>

#include "../reconciler/model/page.h"
#include "live.h"
#include "output.h"

enum { ROWS_KEPT = 6 };

struct progress {
    struct events *events;
    struct report_style style;
    size_t lines_shown;
    bool quiet;
};

/* --- the changing part -------------------------------------------------------------------------------------------- */

void progress_clear(struct progress *p)
{
    if (p->lines_shown)
        /* An interrupt that was typed stands on the line, as ^C. */
        fprintf(stderr, "\r\033[%zuA\033[J", p->lines_shown);
    p->lines_shown = 0;
}

static void live_show(struct progress *p)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    size_t rows = output_rows(stderr);

    live_write(&t, p->events, p->style.width - 1, rows > 2 * ROWS_KEPT ? rows - ROWS_KEPT : ROWS_KEPT);
    for (size_t i = 0; i < t.len; i++)
        p->lines_shown += t.s[i] == '\n';
    if (t.len)
        fprintf(stderr, "%s%s%s", p->style.colour ? "\033[36m" : "", text_str(&t), p->style.colour ? "\033[0m" : "");
}

void progress_tick(struct progress *p)
{
    size_t n;

    events_running(p->events, &n);
    if (p->quiet || !p->style.width || !(n || p->lines_shown))
        return;
    /* A window may have been made wider or narrower meanwhile. */
    p->style = output_style(stderr);
    progress_clear(p);
    live_show(p);
    fflush(stderr);
}

/* --- lines that stay ---------------------------------------------------------------------------------------------- */

static const struct wording {
    const char *word;
    enum colour colour;
} wordings[] = {
    [ENGINE_STEP_STARTS] = {"starts", BOLD},
    [ENGINE_STEP_SAYS] = {"", PLAIN},
    [ENGINE_STEP_DONE] = {"done", GREEN},
    [ENGINE_STEP_NOT_NEEDED] = {"not needed any more", GREEN},
    [ENGINE_STEP_FAILED] = {"FAILED", RED},
    [ENGINE_STEP_BLOCKED] = {"BLOCKED", YELLOW},
    [ENGINE_STEP_LEFT] = {"left", YELLOW},
    [ENGINE_STEP_SKIPPED] = {"skipped", YELLOW},
    [ENGINE_STEP_WAITS] = {"stands back", PLAIN},
    [ENGINE_STEP_OVERTAKEN] = {"overtaken: something else is due in its place", YELLOW},
    [ENGINE_PLAN_GROWS] = {"the plan has grown by this step", BOLD},
};

/* `about` and `word` may be empty. */
static void dated(struct progress *p, const struct event *event, enum colour colour, const char *about,
                  const char *word, const char *rest)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const struct page page = {.out = &t, .style = &p->style, .arena = a};
    const char *lead = time_format(a, event->at_ms / SECOND_MS * SECOND_MS);

    /* Two blanks between time, step and words: a third of a line is found by the eye, and by a script. */
    lead = arena_printf(a, "%s  %s%s", lead, about, *about ? "  " : "");
    if (*word)
        page_line(&page, 0, colour, arena_printf(a, "%s%s", lead, word), "%s", rest);
    else
        page_line(&page, 0, PLAIN, "", "%s%s", lead, rest);
    progress_clear(p);
    fputs(text_str(&t), stderr);
    if (p->style.width)
        live_show(p);
    fflush(stderr);
}

static void step_starts(struct progress *p, const struct event *event)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct step *step = event->step;
    const char *estimate = "";

    if (step->estimate_ms > 0)
        estimate = arena_printf(a, " (about %s)", duration_format(a, step->estimate_ms));
    dated(p, event, BOLD, step->id, arena_printf(a, "starts%s:", estimate), step->reason);
    if (step->foretold)
        dated(p, event, YELLOW, step->id, "foretold:", step->foretold);
}

static void step_ends(struct progress *p, const struct event *event)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct wording *w = &wordings[event->what];
    const char *word = w->word, *line = event->line;

    /* Looking again leaves its own "not found" behind in the outcome; it is no news about a step that is done. */
    if (event->what == ENGINE_STEP_DONE || event->what == ENGINE_STEP_NOT_NEEDED)
        line = NULL;
    if (event->what == ENGINE_STEP_DONE && event->elapsed_ms >= SECOND_MS)
        word = arena_printf(a, "%s after %s", word, duration_format(a, event->elapsed_ms));
    if (line && *line && *word)
        word = arena_printf(a, "%s:", word);
    dated(p, event, w->colour, event->step->id, word, line ? line : "");
}

static void step_event(struct progress *p, const struct event *event)
{
    switch (event->what) {
    case ENGINE_STEP_STARTS:
        step_starts(p, event);
        return;
    case ENGINE_STEP_STATUS:
    case ENGINE_STEP_JOB:
    case ENGINE_STEP_UNTIL:
        progress_tick(p);
        return;
    default:
        step_ends(p, event);
        return;
    }
}

static void interrupted(struct progress *p, const struct event *event)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    size_t n = strcspn(event->line, " ");

    dated(p, event, YELLOW, "", arena_strndup(a, event->line, n), event->line + n);
}

static void heard(void *ctx, const struct event *event)
{
    struct progress *p = ctx;

    if (p->quiet && event->kind != EVENT_INTERRUPTED)
        return;
    if (event->kind == EVENT_STEP)
        step_event(p, event);
    else if (event->kind == EVENT_INTERRUPTED)
        interrupted(p, event);
    /* A terminal shows all the time what a heartbeat says. */
    else if (event->kind == EVENT_NOTE || (event->kind == EVENT_HEARTBEAT && !p->style.width))
        dated(p, event, PLAIN, "", "", event->line);
}

struct progress *progress_new(struct events *e, bool quiet)
{
    struct progress *p = xcalloc(1, sizeof(*p));

    p->events = e;
    p->quiet = quiet;
    p->style = output_style(stderr);
    events_listen(e, heard, p);
    return p;
}

void progress_free(struct progress *p)
{
    if (p)
        progress_clear(p);
    free(p);
}
