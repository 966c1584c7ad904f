/* Tasks, groups, timers and cancellation on a virtual clock. */
#include "harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/run/co.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { NOON = 1000000 };

static struct sched *virtual_sched(void)
{
    return sched_new(&(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = NOON, .seed = 7});
}

/* What happened, in order. */
struct trace {
    struct text log;
    int n;
    int64_t at_ms;
};

struct sleeper {
    struct trace *trace;
    const char *name;
    int64_t ms;
    int times;
    int rc;
};

static void sleeper_task(struct call *c, void *arg)
{
    struct sleeper *s = arg;
    struct err err;

    for (int i = 0; i < s->times; i++) {
        s->rc = call_sleep_ms(c, s->ms, "a test", &err);
        if (s->rc < 0)
            break;
        text_printf(&s->trace->log, "%s@%lld ", s->name, (long long)(call_now_ms(c) - NOON));
    }
    s->trace->n++;
    s->trace->at_ms = call_now_ms(c);
}

/* --- time --------------------------------------------------------------------------------------------------------- */

static void test_clock_jumps(void)
{
    struct sched *s = virtual_sched();
    struct trace trace = {.n = 0};
    struct sleeper sleeper = {.trace = &trace, .name = "a", .ms = HOUR_MS, .times = 24};
    struct timespec before, after;

    text_init(&trace.log, TEXT_CEILING);
    clock_gettime(CLOCK_MONOTONIC, &before);
    sched_main(s, sleeper_task, &sleeper);
    clock_gettime(CLOCK_MONOTONIC, &after);
    CHECK(trace.at_ms == NOON + DAY_MS);
    CHECK(sched_now_ms(s) == NOON + DAY_MS);
    CHECK(after.tv_sec - before.tv_sec < 3600);
    text_release(&trace.log);
    sched_free(s);
}

static void test_pace(void)
{
    struct sched *s =
        sched_new(&(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = NOON, .speed = 100, .seed = 7});
    struct trace trace = {.n = 0};
    struct sleeper sleeper = {.trace = &trace, .name = "a", .ms = 5 * SECOND_MS, .times = 2};
    struct timespec before, after;
    double ms;

    text_init(&trace.log, TEXT_CEILING);
    clock_gettime(CLOCK_MONOTONIC, &before);
    sched_main(s, sleeper_task, &sleeper);
    clock_gettime(CLOCK_MONOTONIC, &after);
    ms = (double)(after.tv_sec - before.tv_sec) * 1e3 + (double)(after.tv_nsec - before.tv_nsec) / 1e6;
    CHECK_STR(text_str(&trace.log), "a@5000 a@10000 ");
    CHECK_ROW("ten seconds at a hundredfold pace take a tenth of a second", ms >= 95);
    text_release(&trace.log);
    sched_free(s);
}

struct real {
    int64_t world_ms, real_ms;
};

static int64_t span_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * SECOND_MS + now.tv_nsec / 1000000;
}

/* The world's span encloses the machine's, so that a machine that stands still in between changes nothing. */
static void real_task(struct call *c, void *arg)
{
    struct real *took = arg;
    int64_t before = call_now_ms(c), real = span_ms();
    struct err err;
    int rc = call_sleep_ms(c, 2000, "a test", &err);

    took->real_ms = span_ms() - real;
    took->world_ms = rc == 0 ? call_now_ms(c) - before : -1;
}

static void test_real_time_with_speed(void)
{
    struct sched *s = sched_new(&(struct sched_options){.time = SCHED_REAL, .start_ms = NOON, .speed = 50});
    struct real took = {0};
    int64_t before, now;

    CHECK(sched_now_ms(s) >= NOON);
    sched_main(s, real_task, &took);
    CHECK_ROW("two seconds of the clock pass", took.world_ms >= 2000);
    CHECK_ROW("in a fiftieth of the time, never less", took.real_ms >= 39);
    CHECK_ROW("and not in full", took.world_ms >= 50 * (took.real_ms - 2));
    sched_free(s);
    before = (int64_t)time(NULL);
    s = sched_new(&(struct sched_options){.time = SCHED_REAL});
    now = sched_now_ms(s);
    CHECK_ROW("without a start it is now", now >= before * SECOND_MS && now <= ((int64_t)time(NULL) + 1) * SECOND_MS);
    sched_free(s);
}

static void order_task(struct call *c, void *arg)
{
    struct trace *trace = arg;
    struct group *g = group_new(call_sched(c), "order");
    struct sleeper s[] = {
        {trace, "a", 20, 2, 0}, {trace, "b", 10, 4, 0}, {trace, "c", 20, 2, 0},
        {trace, "d", 0, 2, 0},  {trace, "e", 39, 1, 0},
    };
    struct err err;

    for (size_t i = 0; i < COUNT(s); i++)
        group_spawn(g, s[i].name, sleeper_task, &s[i]);
    CHECK_ROW("tasks start lazily", trace->n == 0 && trace->log.len == 0);
    CHECK(group_wait(c, g, &err) == 0);
    CHECK(trace->n == 5);
    group_free(g);
}

static void test_equal_times_are_first_come(void)
{
    struct sched *s = virtual_sched();
    struct trace trace = {.n = 0};

    text_init(&trace.log, TEXT_CEILING);
    sched_main(s, order_task, &trace);
    CHECK_STR(text_str(&trace.log), "d@0 d@0 b@10 a@20 c@20 b@20 b@30 e@39 a@40 c@40 b@40 ");
    text_release(&trace.log);
    sched_free(s);
}

static void test_chance_repeats(void)
{
    struct sched *a = virtual_sched(), *b = virtual_sched();
    struct sched *x = sched_new(&(struct sched_options){.time = SCHED_VIRTUAL}),
                 *y = sched_new(&(struct sched_options){.time = SCHED_VIRTUAL});
    bool same = true, in_range = true;
    uint64_t seen = 0;

    for (int i = 0; i < 1000; i++) {
        uint64_t n = sched_random(a, 10);

        same = same && n == sched_random(b, 10);
        in_range = in_range && n < 10;
        seen |= (uint64_t)1 << n;
    }
    CHECK_ROW("equal seeds, equal chance", same);
    CHECK_ROW("below ten", in_range);
    CHECK_ROW("all ten are met", seen == 0x3ff);
    CHECK(sched_random(a, 0) == 0 && sched_random(a, 1) == 0);
    CHECK_ROW("no seed: the system's", sched_random(x, UINT64_MAX) != sched_random(y, UINT64_MAX));
    sched_free(a);
    sched_free(b);
    sched_free(x);
    sched_free(y);
}

/* --- many --------------------------------------------------------------------------------------------------------- */

enum { MANY = 1000 };

static void many_task(struct call *c, void *arg)
{
    struct trace *trace = arg;
    struct group *g = group_new(call_sched(c), "many");
    struct sleeper *s = xcalloc(MANY, sizeof(*s));
    struct err err;

    for (int i = 0; i < MANY; i++) {
        s[i] = (struct sleeper){.trace = trace, .name = "x", .ms = (i * 7919) % 1009, .times = 3};
        group_spawn(g, "sleeper", sleeper_task, &s[i]);
    }
    CHECK(group_wait(c, g, &err) == 0);
    group_free(g);
    free(s);
}

static void test_a_thousand(void)
{
    struct sched *s = virtual_sched();
    struct trace trace = {.n = 0};
    int64_t last = 0;
    bool sorted = true;

    text_init(&trace.log, TEXT_CEILING);
    for (int round = 1; round <= 2; round++) {
        sched_main(s, many_task, &trace);
        CHECK_ROW("all of them end, also on stacks used before", trace.n == round * MANY);
    }
    for (const char *p = strchr(text_str(&trace.log), '@'); p; p = strchr(p + 1, '@')) {
        sorted = sorted && atoll(p + 1) >= last;
        last = atoll(p + 1);
    }
    CHECK_ROW("in the order of time", sorted);
    CHECK(last == 2 * 3 * 1008);
    text_release(&trace.log);
    sched_free(s);
}

/* --- cancellation ------------------------------------------------------------------------------------------------- */

struct stopping {
    struct trace trace;
    struct sleeper inner[2];
    struct call *parked;
    int outer_rc, park_rc, again_rc, unstarted_rc;
    int cleaned;
    bool unstarted_ran;
};

static void count_cleanup(int **counter)
{
    (**counter)++;
}

static void parked_task(struct call *c, void *arg)
{
    struct stopping *t = arg;
    int *cleaned cleanup(count_cleanup) = &t->cleaned;
    struct err err;

    t->parked = c;
    t->park_rc = call_park(c, "nothing", &err);
    CHECK(cleaned == &t->cleaned && call_cancelled(c) && err.class == ERR_CANCELLED);
    t->again_rc = call_sleep_ms(c, HOUR_MS, "after the end", &err);
}

/* Waits for members of its own while it is cancelled from above. */
static void outer_task(struct call *c, void *arg)
{
    struct stopping *t = arg;
    struct group *g = group_new(call_sched(c), "inner");
    struct err err;

    group_spawn(g, "first", sleeper_task, &t->inner[0]);
    group_spawn(g, "second", sleeper_task, &t->inner[1]);
    t->outer_rc = group_wait(c, g, &err);
    CHECK_ROW("members are over before the wait is", t->trace.n == 2);
    group_free(g);
}

static void unstarted_task(struct call *c, void *arg)
{
    struct stopping *t = arg;
    struct err err;

    t->unstarted_ran = true;
    t->unstarted_rc = call_park(c, "nothing", &err);
}

static void stop_task(struct call *c, void *arg)
{
    struct stopping *t = arg;
    struct group *g = group_new(call_sched(c), "stopped");
    struct err err;

    group_spawn(g, "parked", parked_task, t);
    group_spawn(g, "outer", outer_task, t);
    CHECK(call_sleep_ms(c, 500, "them to begin", &err) == 0);
    group_cancel(g);
    group_spawn(g, "late", unstarted_task, t);
    call_wake(t->parked);
    CHECK_ROW("the one who cancels is not cancelled", group_wait(c, g, &err) == 0);
    CHECK_ROW("no time passes", call_now_ms(c) == NOON + 500);
    group_free(g);
}

static void test_cancel_unwinds(void)
{
    struct sched *s = virtual_sched();
    struct stopping t = {.trace = {.n = 0}};

    text_init(&t.trace.log, TEXT_CEILING);
    for (size_t i = 0; i < COUNT(t.inner); i++)
        t.inner[i] = (struct sleeper){.trace = &t.trace, .name = "inner", .ms = HOUR_MS, .times = 5};
    sched_main(s, stop_task, &t);
    CHECK_ROW("parked", t.park_rc == -ERR_CANCELLED);
    CHECK_ROW("blocking again fails at once", t.again_rc == -ERR_CANCELLED);
    CHECK_ROW("cleanups ran", t.cleaned == 1);
    CHECK_ROW("waiting for a group", t.outer_rc == -ERR_CANCELLED);
    CHECK_ROW("members of a member", t.inner[0].rc == -ERR_CANCELLED && t.inner[1].rc == -ERR_CANCELLED);
    CHECK_ROW("a task of a cancelled group still runs, and hears of it",
              t.unstarted_ran && t.unstarted_rc == -ERR_CANCELLED);
    text_release(&t.trace.log);
    sched_free(s);
}

struct aborting {
    struct trace trace;
    struct sleeper sleepers[3];
    int rc;
};

static void cancel_all_task(struct call *c, void *arg)
{
    struct err err;

    (void)arg;
    if (call_sleep_ms(c, 70, "the interrupt", &err) == 0)
        sched_cancel_all(call_sched(c));
}

static void aborting_task(struct call *c, void *arg)
{
    struct aborting *t = arg;
    struct group *g = group_new(call_sched(c), "all");
    struct err err;

    for (size_t i = 0; i < COUNT(t->sleepers); i++)
        group_spawn(g, "sleeper", sleeper_task, &t->sleepers[i]);
    group_spawn(g, "interrupt", cancel_all_task, NULL);
    t->rc = group_wait(c, g, &err);
    group_free(g);
}

static void test_cancel_all(void)
{
    struct sched *s = virtual_sched();
    struct aborting t = {.rc = 0};

    text_init(&t.trace.log, TEXT_CEILING);
    for (size_t i = 0; i < COUNT(t.sleepers); i++)
        t.sleepers[i] = (struct sleeper){.trace = &t.trace, .name = "s", .ms = 50, .times = 10};
    sched_main(s, aborting_task, &t);
    CHECK(t.rc == -ERR_CANCELLED);
    CHECK_STR(text_str(&t.trace.log), "s@50 s@50 s@50 ");
    CHECK(sched_now_ms(s) == NOON + 70);
    text_release(&t.trace.log);
    sched_free(s);
}

/* --- context and the pump ----------------------------------------------------------------------------------------- */

struct inheriting {
    int value;
    void *seen, *seen_label_ok;
};

static void child_task(struct call *c, void *arg)
{
    struct inheriting *t = arg;

    t->seen = call_context(c);
    t->seen_label_ok = strcmp(call_label(c), "the child") == 0 ? t : NULL;
    call_set_context(c, NULL);
}

static void parent_task(struct call *c, void *arg)
{
    struct inheriting *t = arg;
    struct group *g = group_new(call_sched(c), "children");
    struct err err;

    CHECK(call_context(c) == NULL);
    call_set_context(c, &t->value);
    group_spawn(g, "the child", child_task, t);
    call_set_context(c, t);
    CHECK(group_wait(c, g, &err) == 0);
    CHECK_ROW("a child's change is its own", call_context(c) == t);
    group_free(g);
}

static void test_context_is_inherited(void)
{
    struct sched *s = virtual_sched();
    struct inheriting t = {.value = 0};

    sched_main(s, parent_task, &t);
    CHECK_ROW("as it was when spawned", t.seen == &t.value);
    CHECK(t.seen_label_ok == &t);
    sched_free(s);
}

/* A transport that needs three turns to bring its answer. */
struct slow_pump {
    struct call *call;
    int turns, turns_idle;
    int64_t first_wait;
};

static void slow_turn(void *self, int64_t wait_ms)
{
    struct slow_pump *p = self;

    if (!p->call) {
        p->turns_idle++;
        return;
    }
    if (p->turns == 0)
        p->first_wait = wait_ms;
    if (++p->turns == 3) {
        call_wake(p->call);
        p->call = NULL;
    }
}

static bool slow_idle(void *self)
{
    const struct slow_pump *p = self;

    return !p->call;
}

static void transfer_task(struct call *c, void *arg)
{
    struct slow_pump *p = arg;
    struct err err;

    p->call = c;
    CHECK(call_park(c, "an answer", &err) == 0);
    CHECK_ROW("no time passes while a transfer is in flight", call_now_ms(c) == NOON);
    CHECK(call_sleep_ms(c, 1000, "a poll", &err) == 0);
}

static void both_task(struct call *c, void *arg)
{
    struct group *g = group_new(call_sched(c), "both");
    struct trace trace = {.n = 0};
    struct sleeper sleeper = {.trace = &trace, .name = "a", .ms = 400, .times = 1};
    struct err err;

    text_init(&trace.log, TEXT_CEILING);
    group_spawn(g, "sleeper", sleeper_task, &sleeper);
    group_spawn(g, "transfer", transfer_task, arg);
    CHECK(group_wait(c, g, &err) == 0);
    CHECK_STR(text_str(&trace.log), "a@400 ");
    CHECK(call_now_ms(c) == NOON + 1000);
    text_release(&trace.log);
    group_free(g);
}

static void test_pump_holds_the_clock(void)
{
    struct sched *s = virtual_sched();
    struct slow_pump p = {.turns = 0};

    sched_set_pump(s, &(struct pump){.self = &p, .turn = slow_turn, .idle = slow_idle});
    sched_main(s, both_task, &p);
    CHECK(p.turns == 3 && p.turns_idle == 0 && p.first_wait == -1);
    sched_free(s);
}

int main(void)
{
    test_clock_jumps();
    test_pace();
    test_real_time_with_speed();
    test_equal_times_are_first_come();
    test_chance_repeats();
    test_a_thousand();
    test_cancel_unwinds();
    test_cancel_all();
    test_context_is_inherited();
    test_pump_holds_the_clock();
    HARNESS_END();
}
