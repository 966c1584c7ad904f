/* What the events of a run add up to, on a virtual clock: elapsed and expected times, waits that count down, time that
 * an earlier run has spent, heartbeats, and the lines that a terminal shows in place. */
#include "../harness.h"

#include "../../cmd/live.h"
#include "../../providers/documents/actions.h"
#include "../../reconciler/base/clock.h"
#include "../../reconciler/run/co.h"

/* 2026-11-23T03:00:00Z */
static const int64_t start_ms = INT64_C(1795402800000);

struct fixture {
    struct arena *arena;
    struct sched *sched;
    struct events *events;
    struct document document;
    struct steps steps;
    struct step *pass, *wait;
    const struct plan *plan;
    char heard[4096];
};

static void hear(void *ctx, const struct event *event)
{
    struct fixture *f = ctx;
    size_t n = strlen(f->heard);

    snprintf(f->heard + n, sizeof(f->heard) - n, "%s%s%s\n", event_name(event),
             event->kind == EVENT_HEARTBEAT ? ": " : "", event->kind == EVENT_HEARTBEAT ? event->line : "");
}

static void begin(struct fixture *f)
{
    struct err err;

    *f = (struct fixture){.arena = arena_new()};
    f->sched = sched_new(&(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = start_ms, .seed = 7});
    f->events = events_new(f->sched);
    events_listen(f->events, hear, f);
    f->document = (struct document){.address = "Key/k", .kind = "Key", .name = "k"};
    f->steps.arena = f->arena;
    f->pass = steps_add(&f->steps, &f->document, ACTION_EXPORT_KEY, NULL, "gone");
    f->pass->estimate_ms = 26 * MINUTE_MS;
    f->wait = steps_add(&f->steps, &f->document, ACTION_WAIT, NULL, "acts late");
    f->wait->estimate_ms = 10 * MINUTE_MS;
    step_need(&f->steps, f->wait, f->pass->id);
    CHECK(plan_make(f->arena, &f->steps, &(struct plan_inputs){.now_ms = start_ms}, &f->plan, &err) == 0);
}

static void end(struct fixture *f)
{
    events_free(f->events);
    sched_free(f->sched);
    arena_free(f->arena);
}

static const char *live(struct fixture *f, size_t width)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    live_write(&t, f->events, width, 10);
    return arena_strdup(f->arena, text_str(&t));
}

static void sleep_for(struct call *c, int64_t ms)
{
    struct err err;

    CHECK(call_sleep_ms(c, ms, "the test", &err) == 0);
}

static void first_night(struct call *c, void *arg)
{
    struct fixture *f = arg;

    events_run(f->events, f->plan);
    CHECK_STR(live(f, 80), "");
    events_engine(f->events, ENGINE_STEP_STARTS, f->pass, NULL, 0);
    events_engine(f->events, ENGINE_STEP_JOB, f->pass, "4711", 0);
    events_engine(f->events, ENGINE_STEP_STATUS, f->pass, "job 4711: InProgress, 40 %", 0);
    events_engine(f->events, ENGINE_STEP_STATUS, f->pass, "job 4711: InProgress, 40 %", 0);
    sleep_for(c, 59 * SECOND_MS);
    events_beat(f->events);
    sleep_for(c, 11 * MINUTE_MS + SECOND_MS);
    events_beat(f->events);
    CHECK_STR(live(f, 200), "0 of 2 steps over; all of them about 03:36\n"
                            "< step 1 of 2, Key/k#export-key: 12 min of about 26 min, ends about 03:26; job 4711: "
                            "InProgress, 40 %\n");
    CHECK_STR(live(f, 40), "0 of 2 steps over; all of them about 03:\n"
                           "< step 1 of 2, Key/k#export-key: 12 min\n"
                           "  of about 26 min, ends about 03:26; job\n"
                           "  4711: InProgress, 40 %\n");
    events_engine(f->events, ENGINE_STEP_DONE, f->pass, NULL, 12 * MINUTE_MS);
    events_engine(f->events, ENGINE_STEP_STARTS, f->wait, NULL, 0);
    events_engine(f->events, ENGINE_STEP_UNTIL, f->wait, "grants to act", 10 * MINUTE_MS);
    sleep_for(c, 4 * MINUTE_MS);
    CHECK_STR(live(f, 200), "1 of 2 steps over; all of them about 03:22\n"
                            ". step 2 of 2, Key/k#wait: 4 min of about 10 min, waits 6 min more\n");
    events_interrupted(f->events, 1);
    events_interrupted(f->events, 1);
    events_engine(f->events, ENGINE_STEP_DONE, f->wait, NULL, 10 * MINUTE_MS);
    CHECK_STR(live(f, 80), "");
    events_run(f->events, NULL);
}

static void test_first_night(void)
{
    struct fixture f;

    begin(&f);
    sched_main(f.sched, first_night, &f);
    CHECK_STR(f.heard, "step-starts\nstep-job\nstep-status\n"
                       "heartbeat: 0 of 2 steps over; Key/k#export-key 12 min of about 26 min, ends about 03:26; job "
                       "4711: InProgress, 40 %; all about 03:36\n"
                       "step-done\nstep-starts\nstep-until\ninterrupted\nstep-done\n");
    end(&f);
}

/* A run takes up a job that runs for twelve minutes already: 14 minutes are left of it. */
static void resumed(struct call *c, void *arg)
{
    struct fixture *f = arg;

    f->pass->estimate_ms = 14 * MINUTE_MS;
    events_run(f->events, f->plan);
    events_engine(f->events, ENGINE_STEP_STARTS, f->pass, NULL, 0);
    events_engine(f->events, ENGINE_STEP_JOB, f->pass, "4711", 12 * MINUTE_MS);
    sleep_for(c, 2 * MINUTE_MS);
    CHECK_STR(live(f, 200), "0 of 2 steps over; all of them about 03:24\n"
                            "< step 1 of 2, Key/k#export-key: 14 min of about 26 min, ends about 03:14\n");
    /* What waits again is not over. */
    events_engine(f->events, ENGINE_STEP_WAITS, f->pass, NULL, 0);
    CHECK_STR(live(f, 200), "");
    events_engine(f->events, ENGINE_STEP_STARTS, f->pass, NULL, 0);
    CHECK(str_starts(live(f, 200), "0 of 2 steps over"));
    events_run(f->events, NULL);
}

static void test_resumed(void)
{
    struct fixture f;

    begin(&f);
    sched_main(f.sched, resumed, &f);
    end(&f);
}

int main(void)
{
    test_first_night();
    test_resumed();
    HARNESS_END();
}
