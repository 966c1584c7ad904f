/* Knows how a task is run until it is done, while interrupts are heeded and the screen is kept fresh. Must not know
 * what the task does. */
#include "session_parts.h"

#include <signal.h>
#include <stdlib.h>

#include "../reconciler/run/skew.h"
#include "call.h"
#include "commands.h"
#include "output.h"

enum { TICK_MS = 200 };

static void skew_tell(struct session *s)
{
    int64_t skew_ms = sched_skew_ms(s->sched);
    struct arena *a cleanup(arena_freep) = NULL;

    if (s->skew_told || llabs(skew_ms) <= SKEW_WARN_MS)
        return;
    s->skew_told = true;
    a = arena_new();
    talk("This machine's clock is %s. All times are judged by Azure's clock; set this one right before other tools go "
         "wrong by it.",
         skew_words(a, skew_ms));
}

/* A clock that jumps leaves no moment in which a second interrupt could be answered by the run itself: what is to be
 * said then is put together before. */
void session_interrupts_catch(struct session *s)
{
    const char *kept = s->options->world_out;

    interrupts_catch(s->clock_factor <= 0,
                     arena_printf(s->arena,
                                  "\nStopped at once: the simulated Azure has ended with this run, and %s%s. Resume "
                                  "with: %s\n",
                                  kept ? "what it was stands in " : "nothing of it is kept (--world-out FILE does)",
                                  kept ? call_quoted(s->arena, kept) : "", call_again(s->arena)));
}

struct turn {
    struct session *session;
    task_fn *fn;
    void *arg;
    int64_t tick_ms; /* of the run's own clock */
    bool done;
};

/* A clock that jumps leaves no moment between two events: an interrupt is answered with the next of them. */
void session_heed(void *ctx, const struct event *event)
{
    if (interrupts_seen() && event->kind != EVENT_INTERRUPTED)
        events_interrupted(ctx, 1);
}

/* Looks five times a second at what a signal handler may only note down, and keeps the screen fresh. */
static void companion_task(struct call *c, void *arg)
{
    struct turn *t = arg;
    struct err err;

    while (!t->done && call_sleep_ms(c, t->tick_ms, "signals", &err) == 0) {
        if (interrupts_seen())
            events_interrupted(t->session->events, 1);
        if (interrupts_seen() >= 2) {
            events_interrupted(t->session->events, 2);
            sched_cancel_all(t->session->sched);
        }
        events_beat(t->session->events);
        if (dump_wanted())
            sched_dump(t->session->sched);
        progress_tick(t->session->progress);
    }
}

static void turn_task(struct call *c, void *arg)
{
    struct turn *t = arg;
    struct group *g = group_new(call_sched(c), "companion");
    struct err err;

    group_spawn(g, "companion", companion_task, t);
    t->fn(c, t->arg);
    t->done = true;
    group_cancel(g);
    /* It can only say that we were cancelled, which fn has heard too. */
    if (group_wait(c, g, &err) < 0)
        progress_tick(t->session->progress);
    group_free(g);
}

void session_run(struct session *s, task_fn *fn, void *arg)
{
    struct turn turn = {.session = s, .fn = fn, .arg = arg};

    /* A clock that jumps leaves no moment in between: there a second interrupt ends the process (main.c). */
    if (s->clock_factor <= 0) {
        sched_main(s->sched, fn, arg);
    } else {
        turn.tick_ms = (int64_t)(TICK_MS * s->clock_factor) + 1;
        sched_main(s->sched, turn_task, &turn);
    }
    skew_tell(s);
}
