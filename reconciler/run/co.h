/* Coroutines, groups, sleep and time: one thread, straight-line code, and the one door for time and randomness.
 * Two questions, two clocks. When something is or was: sched_now_ms, Azure's time as its answers tell it (skew.h). How
 * long something lasts (sleeps, bounds, pauses, the age of an answer): sched_span_ms, which never jumps.
 *
 * Rules:
 *  1. Every task belongs to a group; every group is waited for. No detached tasks.
 *  2. A cancelled task is resumed with ERR_CANCELLED from whatever it waits in, and returns through its own cleanups;
 *     after that, blocking calls fail at once.
 *  3. After any call that takes `struct call *`, facts read before it may be stale.
 *  4. libcurl runs on the main stack, never inside a task; a task describes a request and yields. (PCRE2 may run in a
 *     task: since 10.30 its backtracking is on the heap, and no JIT is used.)
 *  5. No recursion on input depth and no large locals in a task: stacks are 256 KiB with a guard page.
 *  6. Nothing blocking in a task but the journal's fsync.
 *
 * Time is real, or virtual: then, when no transfer is in flight and no task can run, the clock jumps to the next timer,
 * so forty minutes of polling take milliseconds (or, with a pace, a watchable moment). */
#ifndef REINSTATE_CO_H
#define REINSTATE_CO_H

#include "../base/clock.h"

struct sched;
struct call;     /* a task as the code running in it sees it */
struct group;

enum sched_time { SCHED_REAL, SCHED_VIRTUAL };

struct sched_options {
    enum sched_time time;
    int64_t start_ms;       /* virtual: the time it begins at; real: 0, or the time the clock is set to now */
    double speed; /* real: clock seconds per real second (1); virtual: 0 = jump at once, else paced by this factor */
    int64_t ahead_ms; /* for tests: how far the machine's own clock is ahead of the right time (negative: behind) */
    uint64_t seed;          /* 0: seeded from the system; else repeatable */
};

struct sched *sched_new(const struct sched_options *options);
void sched_free(struct sched *s);                  /* no task may be left */
int64_t sched_now_ms(const struct sched *s);       /* Azure's time; the machine's own before the first answer */
int64_t sched_span_ms(const struct sched *s);      /* only differences mean something */
/* An answer of `host` with this Date, asked for and received at these spans. */
void sched_hear(struct sched *s, const char *host, int64_t date_ms, int64_t sent_ms, int64_t received_ms);
/* How far the machine's own clock is ahead of Azure's (negative: behind); 0 before the first answer. */
int64_t sched_skew_ms(const struct sched *s);
/* The latest time that an answer of anybody has told, believed or not. Only differences mean something: one of more
 * than the span between says that this machine may have stood still. */
int64_t sched_latest_ms(const struct sched *s);
uint64_t sched_random(struct sched *s, uint64_t below);   /* jitter and the like; repeatable under a seed */

/* Runs until every group is done. The main stack stays here; libcurl is driven from here through `struct pump`. */
void sched_run(struct sched *s);

/* What brings transfers in: libcurl, or a peer in the same process. Set once before sched_run. */
struct pump {
    void *self;
    /* Makes progress; waits at most wait_ms (-1: until something happens). Called on the main stack. */
    void (*turn)(void *self, int64_t wait_ms);
    bool (*idle)(void *self);           /* true when nothing is in flight */
};
void sched_set_pump(struct sched *s, const struct pump *pump);

/* --- groups ------------------------------------------------------------------------------------------------------- */

typedef void task_fn(struct call *c, void *arg);

struct group *group_new(struct sched *s, const char *name);
void group_spawn(struct group *g, const char *label, task_fn *fn, void *arg);   /* started lazily, first in first out */
/* May suspend. Waits for all members. ERR_CANCELLED if the waiter is cancelled (members are then cancelled as well,
 * and waited for). */
must_use int group_wait(struct call *c, struct group *g, struct err *err);
void group_cancel(struct group *g);
void group_free(struct group *g);                   /* only when done */

/* Runs fn as the first task and returns when everything is done: the way in from cmd/. */
void sched_main(struct sched *s, task_fn *fn, void *arg);
/* Asks every task to stop (second Ctrl-C). Safe to call from a pump's turn. */
void sched_cancel_all(struct sched *s);

/* --- what a task may do ------------------------------------------------------------------------------------------- */

struct sched *call_sched(struct call *c);
int64_t call_now_ms(struct call *c);
int64_t call_span_ms(struct call *c);
/* May suspend. ERR_CANCELLED. `why` shows in debugging and in "waiting for". */
must_use int call_sleep_ms(struct call *c, int64_t ms, const char *why, struct err *err);
/* Suspends until call_wake; for the transport. Returns ERR_CANCELLED when cancelled. */
must_use int call_park(struct call *c, const char *why, struct err *err);
void call_wake(struct call *c); /* from the pump or another task, never from inside a libcurl callback */
bool call_cancelled(const struct call *c);
const char *call_label(const struct call *c);

/* A pointer that the tasks of one pass share (the pass's permit, journal and so on); inherited by spawned tasks. */
void call_set_context(struct call *c, void *context);
void *call_context(const struct call *c);

/* How long this task, and those it spawns, may still wait for services that ask for patience, in all of its requests
 * (http.h); 0: as long as is usual. Answers only that sharpen a message or a policy are worth a minute, never a quarter
 * of an hour. Returns what held before, to be set again. */
#define ADVISORY_PATIENCE_MS ((int64_t)MINUTE_MS)
int64_t call_set_patience(struct call *c, int64_t ms);
/* Directly before a trigger advice must not use up the time for which a look holds: until then, by call_span_ms, it is
 * waited for by this task and those it spawns; later only a single short try is made. 0: as long as is usual. */
void call_advice_until(struct call *c, int64_t span_ms);
/* As call_set_patience, with what advice may take now. */
int64_t call_set_advisory(struct call *c);
int64_t call_patience(const struct call *c);

/* Prints every task with what it waits for to stderr (SIGUSR1). */
void sched_dump(const struct sched *s);

#endif
