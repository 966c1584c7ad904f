/* What happens in a run, each event told once, as one struct, to everybody who shows it: the screen (progress.h), and
 * whoever writes events for machines. Keeps what the events add up to, so that no two of those add it up differently:
 * which steps run, since when, with which job, and when all is expected to be over. */
#ifndef REINSTATE_EVENTS_H
#define REINSTATE_EVENTS_H

#include "../reconciler/engine/engine.h"

enum event_kind {
    EVENT_STEP,        /* `what` says which of the engine's events; `line` its words */
    EVENT_NOTE,        /* the run says something of itself: `line` */
    EVENT_INTERRUPTED, /* told to stop, for the first or the second time: `line` */
    EVENT_HEARTBEAT,   /* another minute has passed: `line`; events_running says more */
    EVENT_MACHINE,     /* watch: the machine `subject` was `from` and is `to`; `line` says why */
    EVENT_APPROVAL     /* watch: the step `subject` waits for an approval; `line` is the command that gives it */
};

/* What is not known or has no meaning for the event is NULL, 0, or -1 for the four times. Lives as long as the call. */
struct event {
    enum event_kind kind;
    enum engine_event what;
    int64_t at_ms;                   /* Azure's time */
    const struct step *step;
    size_t number, of;               /* its place among the steps of this run; 0: it was not planned */
    const char *line;                /* for people; commands in it still have "-f ..." (call.h) */
    const char *job;                 /* at Azure, that the step has started or adopted */
    const char *subject, *from, *to;
    int64_t elapsed_ms;              /* of the step; of a job that an earlier run has started: since then */
    int64_t estimate_ms;             /* of the whole step, the time before this run included */
    int64_t step_ends_ms, run_ends_ms; /* expected, Azure's time; the run's is told by heartbeats alone */
};

/* "step-starts", "note", "machine": the event's name for machines. */
const char *event_name(const struct event *event);

struct events;
typedef void event_fn(void *ctx, const struct event *event);

struct events *events_new(const struct sched *s);
void events_free(struct events *e);
/* Everybody who listens hears every event, in the order in which they began to listen. */
void events_listen(struct events *e, event_fn *fn, void *ctx);

/* A run of this plan begins; the plan stays until the next. */
void events_run(struct events *e, const struct plan *plan);
/* For struct engine: ctx is the events. */
void events_engine(void *ctx, enum engine_event what, const struct step *step, const char *line, int64_t ms);
void events_note(struct events *e, const char *fmt, ...) printf_like(2, 3);
/* Tells an event of watch: EVENT_MACHINE or EVENT_APPROVAL. */
void events_watch(struct events *e, enum event_kind kind, const char *subject, const char *from, const char *to,
                  const char *line);
/* So many interrupts have come: says, once for each of the first two, what is still finished, what runs on at Azure
 * whatever becomes of us, and how the rest is done. */
void events_interrupted(struct events *e, int count);
/* Tells a heartbeat when a minute has passed since the last and something runs. */
void events_beat(struct events *e);

/* A step that runs now. */
struct running_step {
    struct arena *arena;
    const char *id, *job;            /* job NULL: none */
    const char *status;              /* where it stands, by its own word; NULL */
    enum action action;
    size_t number;
    int64_t since_ms;                /* by the clock of spans (run/co.h) */
    int64_t before_ms;               /* it ran so long before this run took it up */
    int64_t estimate_ms;             /* from `since_ms` on; -1: not known */
    int64_t until_ms;                /* it waits until then, by the clock of spans; -1: for no time that is known */
};
const struct running_step *events_running(const struct events *e, size_t *ret_count);
/* Steps of this run, and how many of them are over. */
size_t events_steps(const struct events *e, size_t *ret_over);
/* When the whole run is expected to be over, by Azure's clock; -1: nobody knows. */
int64_t events_run_ends_ms(struct events *e);
/* How long it runs, of how long, until when, and where it stands. */
const char *running_words(struct arena *a, const struct events *e, const struct running_step *r);
/* "03:27", of Azure's time. */
const char *events_clock(struct arena *a, int64_t ms);
/* The two clocks, as the events are dated by. */
int64_t events_now_ms(const struct events *e);
int64_t events_span_ms(const struct events *e);

#endif
