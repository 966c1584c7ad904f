/* Knows what the events of a run add up to, and tells each to everybody who listens. Must not know how
 * any of it is shown. */
#include "events.h"

#include <stdlib.h>
#include <string.h>

#include "../reconciler/base/index.h"
#include "call.h"

enum { LISTENERS_MAX = 4, BEAT_SHOWN_MAX = 4 };

struct events {
    const struct sched *sched;
    struct {
        event_fn *fn;
        void *ctx;
    } listeners[LISTENERS_MAX];
    size_t n_listeners;
    struct arena *arena;             /* of the run */
    const struct plan *plan;         /* NULL: no run is under way */
    struct index *numbers;           /* of the steps that have something to do, by id; a size_t each */
    struct index *over;              /* steps that have ended, by id */
    size_t n_steps, n_over;
    struct running_step *running;
    size_t n_running, room;
    int64_t begun_ms, allowed_ms;
    struct {
        int64_t at_ms, left_ms;      /* what was added up then; -1: nobody knows */
        bool valid;
    } ends;
    int interrupts_told;
    int64_t beat_ms;
};

struct events *events_new(const struct sched *s)
{
    struct events *e = xcalloc(1, sizeof(*e));

    e->sched = s;
    return e;
}

static void run_forget(struct events *e)
{
    for (size_t i = 0; i < e->n_running; i++)
        arena_free(e->running[i].arena);
    e->n_running = e->n_steps = e->n_over = 0;
    arena_free(e->arena);
    e->arena = NULL;
    e->plan = NULL;
}

void events_free(struct events *e)
{
    if (e) {
        run_forget(e);
        free(e->running);
    }
    free(e);
}

void events_listen(struct events *e, event_fn *fn, void *ctx)
{
    if (e->n_listeners == LISTENERS_MAX)
        abort();
    e->listeners[e->n_listeners].fn = fn;
    e->listeners[e->n_listeners++].ctx = ctx;
}

int64_t events_now_ms(const struct events *e)
{
    return sched_now_ms(e->sched);
}

int64_t events_span_ms(const struct events *e)
{
    return sched_span_ms(e->sched);
}

/* --- which steps there are ---------------------------------------------------------------------------------------- */

static void number_add(struct events *e, const char *id)
{
    size_t *number = arena_new_of(e->arena, size_t);

    *number = ++e->n_steps;
    index_put(e->numbers, arena_strdup(e->arena, id), number);
}

void events_run(struct events *e, const struct plan *plan)
{
    const char *of;

    run_forget(e);
    e->plan = plan;
    e->ends.valid = false;
    if (!plan)
        return;
    e->arena = arena_new();
    e->numbers = index_new(e->arena, INDEX_EXACT);
    e->over = index_new(e->arena, INDEX_EXACT);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i]->action != ACTION_NONE)
            number_add(e, plan->steps.items[i]->id);
    e->begun_ms = e->beat_ms = events_span_ms(e);
    e->allowed_ms = plan_allowed_ms(e->arena, plan, &of);
}

size_t events_steps(const struct events *e, size_t *ret_over)
{
    *ret_over = e->n_over;
    return e->n_steps;
}

static size_t number_of(const struct events *e, const char *id)
{
    const size_t *number = e->plan ? index_get(e->numbers, id) : NULL;

    return number ? *number : 0;
}

const struct running_step *events_running(const struct events *e, size_t *ret_count)
{
    *ret_count = e->n_running;
    return e->running;
}

static struct running_step *running_find(const struct events *e, const char *id)
{
    for (size_t i = 0; i < e->n_running; i++)
        if (str_eq(e->running[i].id, id))
            return &e->running[i];
    return NULL;
}

/* What a step is made of may be gone when the screen looks: the words are kept. */
static struct running_step *running_begin(struct events *e, const struct step *step)
{
    struct running_step *r = running_find(e, step->id);
    struct arena *a;

    if (r)
        return r;
    if (e->n_running == e->room) {
        e->room = e->room ? 2 * e->room : 16;
        e->running = xrealloc(e->running, e->room * sizeof(*e->running));
    }
    a = arena_new();
    r = &e->running[e->n_running++];
    *r = (struct running_step){.arena = a,
                               .id = arena_strdup(a, step->id),
                               .action = step->action,
                               .number = number_of(e, step->id),
                               .since_ms = events_span_ms(e),
                               .estimate_ms = step->estimate_ms,
                               .until_ms = -1};
    return r;
}

static void running_end(struct events *e, const char *id, bool over)
{
    struct running_step *r = running_find(e, id);

    if (r) {
        arena_free(r->arena);
        e->n_running--;
        memmove(r, r + 1, (size_t)(&e->running[e->n_running] - r) * sizeof(*r));
    }
    if (over && e->plan && index_get(e->numbers, id) && !index_get(e->over, id)) {
        index_put(e->over, arena_strdup(e->arena, id), e);
        e->n_over++;
    }
}

/* --- when all is over --------------------------------------------------------------------------------------------- */

/* What is still to come of a step, from now on. */
static int64_t left_of(const struct events *e, const struct step *step, int64_t now_ms)
{
    const struct running_step *r = running_find(e, step->id);
    int64_t end;

    if (step->action == ACTION_NONE || index_get(e->over, step->id) || !step_runs(step) || step->estimate_ms < 0)
        return 0;
    if (!r)
        return step->estimate_ms;
    end = r->since_ms + (r->estimate_ms > 0 ? r->estimate_ms : 0);
    end = r->until_ms > end ? r->until_ms : end;
    return end > now_ms ? end - now_ms : 0;
}

/* The longest of what the step waits for; the plan is in order, so all that was asked before. */
static int64_t lead_of(const struct index *ends, const char *const *ids, size_t n)
{
    int64_t longest = 0;

    for (size_t i = 0; i < n; i++) {
        const int64_t *end = index_get(ends, ids[i]);

        longest = end && *end > longest ? *end : longest;
    }
    return longest;
}

static int64_t run_left_ms(const struct events *e)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct index *ends = index_new(a, INDEX_EXACT);
    int64_t now_ms = events_span_ms(e), last = 0, allowed = e->begun_ms + e->allowed_ms - now_ms;
    bool any = false;

    for (size_t i = 0; e->plan && i < e->plan->steps.count; i++) {
        const struct step *step = e->plan->steps.items[i];
        int64_t *end = arena_new_of(a, int64_t), needs = lead_of(ends, step->needs, step->n_needs),
                after = lead_of(ends, step->after, step->n_after);

        *end = (needs > after ? needs : after) + left_of(e, step, now_ms);
        index_put(ends, step->id, end);
        any = any || (step->action != ACTION_NONE && step->estimate_ms >= 0);
        last = *end > last ? *end : last;
    }
    return !any ? -1 : allowed > last ? allowed : last;
}

int64_t events_run_ends_ms(struct events *e)
{
    int64_t span_ms = events_span_ms(e), since = span_ms - e->ends.at_ms;

    /* A screen asks at every line, and adding up costs a walk over the plan. */
    if (!e->ends.valid || since >= SECOND_MS || since < 0) {
        e->ends.left_ms = run_left_ms(e);
        e->ends.at_ms = span_ms;
        e->ends.valid = true;
        since = 0;
    }
    return e->ends.left_ms < 0 ? -1 : events_now_ms(e) - since + e->ends.left_ms;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

static const char *const step_names[] = {
    [ENGINE_STEP_STARTS] = "step-starts",   [ENGINE_STEP_SAYS] = "step-says",
    [ENGINE_STEP_STATUS] = "step-status",   [ENGINE_STEP_JOB] = "step-job",
    [ENGINE_STEP_UNTIL] = "step-until",     [ENGINE_STEP_DONE] = "step-done",
    [ENGINE_STEP_NOT_NEEDED] = "step-not-needed", [ENGINE_STEP_FAILED] = "step-failed",
    [ENGINE_STEP_BLOCKED] = "step-blocked", [ENGINE_STEP_SKIPPED] = "step-skipped",
    [ENGINE_STEP_WAITS] = "step-waits",     [ENGINE_STEP_LEFT] = "step-left",
    [ENGINE_STEP_OVERTAKEN] = "step-overtaken", [ENGINE_PLAN_GROWS] = "plan-grows",
};

const char *event_name(const struct event *event)
{
    static const char *const names[] = {
        [EVENT_NOTE] = "note",       [EVENT_INTERRUPTED] = "interrupted", [EVENT_HEARTBEAT] = "heartbeat",
        [EVENT_MACHINE] = "machine", [EVENT_APPROVAL] = "approval",
    };

    return event->kind == EVENT_STEP ? step_names[event->what] : names[event->kind];
}

static struct event event_of(const struct events *e, enum event_kind kind, const char *line)
{
    return (struct event){.kind = kind,
                          .at_ms = events_now_ms(e),
                          .of = e->n_steps,
                          .line = line,
                          .elapsed_ms = -1,
                          .estimate_ms = -1,
                          .step_ends_ms = -1,
                          .run_ends_ms = -1};
}

static void tell(const struct events *e, const struct event *event)
{
    for (size_t i = 0; i < e->n_listeners; i++)
        e->listeners[i].fn(e->listeners[i].ctx, event);
}

/* The same is not told twice in a row. */
static bool status_new(struct running_step *r, const char *line)
{
    if (r && str_eq(r->status, line))
        return false;
    if (r)
        r->status = arena_strdup(r->arena, line);
    return true;
}

static void event_fill(const struct events *e, struct event *event, const struct running_step *r)
{
    int64_t spent = events_span_ms(e) - r->since_ms;

    event->job = r->job ? arena_strdup(e->arena ? e->arena : r->arena, r->job) : NULL;
    event->elapsed_ms = spent + r->before_ms;
    if (r->estimate_ms >= 0) {
        event->estimate_ms = r->estimate_ms + r->before_ms;
        event->step_ends_ms = event->at_ms - spent + r->estimate_ms;
    }
}

static bool still_runs(enum engine_event what)
{
    return what <= ENGINE_STEP_UNTIL || what == ENGINE_PLAN_GROWS;
}

static void job_note(struct running_step *r, const char *job, int64_t before_ms)
{
    r->job = arena_strdup(r->arena, job);
    r->before_ms = before_ms > 0 ? before_ms : 0;
}

void events_engine(void *ctx, enum engine_event what, const struct step *step, const char *line, int64_t ms)
{
    struct events *e = ctx;
    struct event event = event_of(e, EVENT_STEP, line);
    struct running_step *r = what == ENGINE_STEP_STARTS ? running_begin(e, step) : running_find(e, step->id);

    if (what == ENGINE_PLAN_GROWS && e->plan && !number_of(e, step->id))
        number_add(e, step->id);
    event.what = what;
    event.step = step;
    event.of = e->n_steps;
    event.number = number_of(e, step->id);
    if (what == ENGINE_STEP_STATUS && !status_new(r, line))
        return;
    if (r && what == ENGINE_STEP_JOB)
        job_note(r, line, ms);
    if (r)
        r->until_ms = what == ENGINE_STEP_UNTIL    ? events_span_ms(e) + ms
                      : what == ENGINE_STEP_STATUS ? -1
                                                   : r->until_ms;
    if (r)
        event_fill(e, &event, r);
    if (!still_runs(what) && ms > 0)
        event.elapsed_ms = ms;
    if (!still_runs(what))
        running_end(e, step->id, what != ENGINE_STEP_WAITS);
    tell(e, &event);
}

void events_note(struct events *e, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct event event;
    va_list ap;

    va_start(ap, fmt);
    event = event_of(e, EVENT_NOTE, arena_vprintf(a, fmt, ap));
    va_end(ap);
    tell(e, &event);
}

void events_watch(struct events *e, enum event_kind kind, const char *subject, const char *from, const char *to,
                  const char *line)
{
    struct event event = event_of(e, kind, line);

    event.subject = subject;
    event.from = from;
    event.to = to;
    tell(e, &event);
}

/* --- interrupted -------------------------------------------------------------------------------------------------- */

static const char *joined(struct arena *a, const char *list, const char *one)
{
    return arena_printf(a, "%s%s%s", list, *list ? ", " : "", one);
}

/* Jobs at Azure run on whatever becomes of us; the next run adopts them. */
static const char *runs_on(struct arena *a, const char *jobs)
{
    return *jobs
               ? arena_printf(a, "job%s %s run%s on at Azure whatever becomes of this run, and the next run adopts %s",
                              strchr(jobs, ',') ? "s" : "", jobs, strchr(jobs, ',') ? "" : "s",
                              strchr(jobs, ',') ? "them" : "it")
               : "no job of this run is under way at Azure";
}

void events_interrupted(struct events *e, int count)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *steps = "", *jobs = "", *line;
    struct event event;

    if (count <= e->interrupts_told)
        return;
    e->interrupts_told = count;
    for (size_t i = 0; i < e->n_running; i++) {
        steps = joined(a, steps, e->running[i].id);
        jobs = e->running[i].job ? joined(a, jobs, e->running[i].job) : jobs;
    }
    if (count > 1)
        line = arena_printf(a, "Stopped: nothing is waited for any more; %s. Resume with: %s", runs_on(a, jobs),
                            call_again(a));
    else if (e->n_running)
        line = arena_printf(a,
                            "Interrupted: nothing further is started; the run waits for %s and then ends; %s. A second "
                            "signal ends it at once. Resume with: %s",
                            steps, runs_on(a, jobs), call_again(a));
    else
        line = arena_printf(a,
                            "Interrupted: nothing further is started; the run ends when the look that is under way is "
                            "over. A second signal ends it at once. Resume with: %s",
                            call_again(a));
    event = event_of(e, EVENT_INTERRUPTED, line);
    tell(e, &event);
}

/* --- heartbeat ---------------------------------------------------------------------------------------------------- */

const char *events_clock(struct arena *a, int64_t ms)
{
    return arena_strndup(a, time_format(a, ms / MINUTE_MS * MINUTE_MS) + strlen("2026-11-23T"), strlen("03:00"));
}

const char *running_words(struct arena *a, const struct events *e, const struct running_step *r)
{
    int64_t now_ms = events_span_ms(e);
    const char *words = duration_format(a, (now_ms - r->since_ms + r->before_ms) / SECOND_MS * SECOND_MS);

    if (r->estimate_ms > 0)
        words = arena_printf(a, "%s of about %s", words, duration_format(a, r->estimate_ms + r->before_ms));
    if (r->until_ms > now_ms)
        words = arena_printf(a, "%s, waits %s more", words,
                             duration_format(a, (r->until_ms - now_ms + SECOND_MS - 1) / SECOND_MS * SECOND_MS));
    else if (r->estimate_ms > 0 && now_ms - r->since_ms > r->estimate_ms)
        words = arena_printf(a, "%s, longer than foreseen", words);
    else if (r->estimate_ms > 0)
        words = arena_printf(a, "%s, ends about %s", words, events_clock(a, events_now_ms(e) + r->since_ms +
                                                                            r->estimate_ms - now_ms));
    return r->status ? arena_printf(a, "%s; %s", words, r->status) : words;
}

void events_beat(struct events *e)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *line = "";
    struct event event;

    if (!e->n_running || events_span_ms(e) - e->beat_ms < MINUTE_MS)
        return;
    e->beat_ms = events_span_ms(e);
    for (size_t i = 0; i < e->n_running && i < BEAT_SHOWN_MAX; i++)
        line = arena_printf(a, "%s%s%s %s", line, i ? "; " : "", e->running[i].id, running_words(a, e, &e->running[i]));
    if (e->n_running > BEAT_SHOWN_MAX)
        line = arena_printf(a, "%s; and %zu more", line, e->n_running - BEAT_SHOWN_MAX);
    event = event_of(e, EVENT_HEARTBEAT, line);
    event.run_ends_ms = events_run_ends_ms(e);
    event.line = arena_printf(a, "%zu of %zu steps over; %s%s", e->n_over, e->n_steps, line,
                              event.run_ends_ms >= 0
                                  ? arena_printf(a, "; all about %s", events_clock(a, event.run_ends_ms))
                                  : "");
    tell(e, &event);
}
