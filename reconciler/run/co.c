/* Knows how tasks take turns on one thread: switching, the ready list, timers and the two kinds of time. The only user
 * of ucontext and of the sanitizers' fibre hooks. Must not know what a task does, nor what a transfer is: those come in
 * through `struct pump`. */
#include "co_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "../base/text.h"

#if STACK_ASAN
#include <sanitizer/common_interface_defs.h>
#endif

enum { NAP_MAX_MS = 100 };   /* real: how long a signal may go unnoticed when no transfer is in flight */

/* --- switching ---------------------------------------------------------------------------------------------------- */

/* From a task back to the main stack. The last time (WAIT_OVER) AddressSanitizer is told to drop what it kept. */
void task_yield(struct call *c)
{
    struct sched *s = c->sched;

#if STACK_ASAN
    __sanitizer_start_switch_fiber(c->wait == WAIT_OVER ? NULL : &c->fake_stack, s->main_bottom, s->main_size);
#endif
    if (swapcontext(&c->machine, &s->main_machine) < 0)
        abort();
#if STACK_ASAN
    __sanitizer_finish_switch_fiber(c->fake_stack, &s->main_bottom, &s->main_size);
#endif
}

/* makecontext hands over ints only. */
static void task_begin(unsigned high, unsigned low)
{
    struct call *c = (struct call *)(((uintptr_t)high << 32) | low);   // NOLINT: two halves of one pointer

#if STACK_ASAN
    __sanitizer_finish_switch_fiber(NULL, &c->sched->main_bottom, &c->sched->main_size);
#endif
    c->fn(c, c->arg);
    c->wait = WAIT_OVER;
    task_yield(c);
    abort();
}

static void task_prepare(struct call *c)
{
    uintptr_t self = (uintptr_t)c;

    c->stack = stack_take(&c->sched->stacks);
    if (getcontext(&c->machine) < 0)
        abort();
    c->machine.uc_stack.ss_sp = c->stack->bottom;
    c->machine.uc_stack.ss_size = STACK_BYTES;
    c->machine.uc_link = NULL;
    makecontext(&c->machine, (void (*)(void))task_begin, 2, (unsigned)(self >> 32), (unsigned)self);
}

static void task_resume(struct call *c)
{
    struct sched *s = c->sched;
#if STACK_ASAN
    void *fake_stack = NULL;
#endif

    if (!c->stack)
        task_prepare(c);
    s->current = c;
    c->wait = WAIT_RUNNING;
#if STACK_ASAN
    __sanitizer_start_switch_fiber(&fake_stack, c->stack->bottom, STACK_BYTES);
#endif
    if (swapcontext(&s->main_machine, &c->machine) < 0)
        abort();
#if STACK_ASAN
    __sanitizer_finish_switch_fiber(fake_stack, NULL, NULL);
#endif
    s->current = NULL;
}

/* --- ready list and timers ---------------------------------------------------------------------------------------- */

void task_ready_add(struct call *c)
{
    struct sched *s = c->sched;

    assert(c->wait != WAIT_READY && c->wait != WAIT_OVER);
    c->wait = WAIT_READY;
    c->next_ready = NULL;
    if (s->ready_last)
        s->ready_last->next_ready = c;
    else
        s->ready_first = c;
    s->ready_last = c;
    s->n_ready++;
}

static struct call *ready_take(struct sched *s)
{
    struct call *c = s->ready_first;

    s->ready_first = c->next_ready;
    if (!s->ready_first)
        s->ready_last = NULL;
    s->n_ready--;
    return c;
}

static bool timer_before(const struct call *a, const struct call *b)
{
    return a->wake_ms != b->wake_ms ? a->wake_ms < b->wake_ms : a->wake_order < b->wake_order;
}

static void heap_put(struct sched *s, size_t at, struct call *c)
{
    s->heap[at] = c;
    c->heap_at = at;
}

static void heap_rise(struct sched *s, struct call *c)
{
    size_t at = c->heap_at;

    while (at > 0 && timer_before(c, s->heap[(at - 1) / 2])) {
        heap_put(s, at, s->heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    heap_put(s, at, c);
}

static void heap_sink(struct sched *s, struct call *c)
{
    size_t at = c->heap_at;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < s->n_heap && timer_before(s->heap[child + 1], s->heap[child]))
            child++;
        if (child >= s->n_heap || !timer_before(s->heap[child], c))
            break;
        heap_put(s, at, s->heap[child]);
        at = child;
    }
    heap_put(s, at, c);
}

void task_timer_add(struct call *c, int64_t wake_ms)
{
    struct sched *s = c->sched;

    if (s->n_heap == s->heap_room) {
        s->heap_room = s->heap_room ? 2 * s->heap_room : 64;
        s->heap = xrealloc(s->heap, s->heap_room * sizeof(*s->heap));
    }
    c->wake_ms = wake_ms;
    c->wake_order = s->orders++;
    heap_put(s, s->n_heap++, c);
    heap_rise(s, c);
}

void task_timer_remove(struct call *c)
{
    struct sched *s = c->sched;
    size_t at = c->heap_at;
    struct call *last = s->heap[--s->n_heap];

    if (last == c)
        return;
    heap_put(s, at, last);
    heap_rise(s, last);
    heap_sink(s, last);
}

static void timers_fire(struct sched *s)
{
    int64_t now = sched_span_ms(s);

    while (s->n_heap && s->heap[0]->wake_ms <= now) {
        struct call *c = s->heap[0];

        task_timer_remove(c);
        task_ready_add(c);
    }
}

/* --- time and chance ---------------------------------------------------------------------------------------------- */

/* Counts while the machine sleeps, too: a laptop that was closed for an hour must not take an
 * order's window for open. */
static struct timespec since_boot(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return t;
}

static double elapsed_ms(const struct timespec *since)
{
    struct timespec now = since_boot();

    return (double)(now.tv_sec - since->tv_sec) * 1e3 + (double)(now.tv_nsec - since->tv_nsec) / 1e6;
}

static int64_t wall_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * SECOND_MS + t.tv_nsec / 1000000;
}

int64_t sched_span_ms(const struct sched *s)
{
    if (s->time == SCHED_VIRTUAL)
        return s->span_ms;
    return s->start_ms + (int64_t)(elapsed_ms(&s->began) * s->speed);
}

int64_t sched_now_ms(const struct sched *s)
{
    return sched_span_ms(s) + s->skew.offset_ms;
}

void sched_hear(struct sched *s, const char *host, int64_t date_ms, int64_t sent_ms, int64_t received_ms)
{
    skew_hear(&s->skew, host, date_ms, sent_ms, received_ms);
}

int64_t sched_latest_ms(const struct sched *s)
{
    return sched_span_ms(s) + skew_latest_ms(&s->skew);
}

/* The system's clock is asked anew: somebody may have set it right while a watch went on. */
int64_t sched_skew_ms(const struct sched *s)
{
    int64_t own = s->own_wall ? wall_ms() : sched_span_ms(s);

    return s->skew.heard ? own + s->skew.own_ms - sched_now_ms(s) : 0;
}

/* A signal ends it early. */
static void nap(double ms)
{
    int64_t ns = (int64_t)(ms * 1e6);
    struct timespec t = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};

    nanosleep(&t, NULL);
}

static uint64_t random_next(struct sched *s)
{
    uint64_t z = s->random += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t sched_random(struct sched *s, uint64_t below)
{
    uint64_t limit, r;

    if (below < 2)
        return 0;
    limit = UINT64_MAX - UINT64_MAX % below;
    do
        r = random_next(s);
    while (r >= limit);
    return r % below;
}

/* --- the loop ----------------------------------------------------------------------------------------------------- */

struct sched *sched_new(const struct sched_options *options)
{
    struct sched *s = xcalloc(1, sizeof(*s));

    s->time = options->time;
    s->speed = options->speed;
    s->start_ms = s->span_ms = options->start_ms;
    skew_init(&s->skew, options->ahead_ms);
    if (s->time == SCHED_REAL) {
        s->began = since_boot();
        s->own_wall = !s->start_ms;
        if (s->own_wall)
            s->start_ms = wall_ms();
        if (s->speed <= 0)
            s->speed = 1;
    }
    s->random = options->seed;
    if (!s->random && getrandom(&s->random, sizeof(s->random), 0) != (ssize_t)sizeof(s->random))
        s->random = (uint64_t)wall_ms();
    return s;
}

void sched_free(struct sched *s)
{
    if (!s)
        return;
    assert(!s->n_live && !s->n_groups && !s->current);
    stack_pool_release(&s->stacks);
    free(s->heap);
    free(s);
}

void sched_set_pump(struct sched *s, const struct pump *pump)
{
    s->has_pump = pump != NULL;
    s->pump = pump ? *pump : (struct pump){0};
}

static void task_end(struct call *c)
{
    struct sched *s = c->sched;
    struct group *g = c->group;

    stack_give(&s->stacks, c->stack);
    *(c->group_prev ? &c->group_prev->group_next : &g->members) = c->group_next;
    if (c->group_next)
        c->group_next->group_prev = c->group_prev;
    *(c->all_prev ? &c->all_prev->all_next : &s->all) = c->all_next;
    if (c->all_next)
        c->all_next->all_prev = c->all_prev;
    s->n_live--;
    if (--g->n_live == 0 && g->waiter) {
        task_ready_add(g->waiter);
        g->waiter = NULL;
    }
    free(c->label);
    free(c);
}

/* Only those that are ready now: what they wake comes after a look at timers and transfers. */
static void ready_run(struct sched *s)
{
    for (size_t n = s->n_ready; n; n--) {
        struct call *c = ready_take(s);

        task_resume(c);
        if (c->wait == WAIT_OVER)
            task_end(c);
    }
}

static void clock_jump(struct sched *s)
{
    int64_t to = s->heap[0]->wake_ms;

    if (s->speed > 0) {
        struct timespec began = since_boot();
        double whole = (double)(to - s->span_ms) / s->speed, left = whole;

        for (; left > 0; left = whole - elapsed_ms(&began))
            nap(left < NAP_MAX_MS ? left : NAP_MAX_MS);
    }
    s->span_ms = to;
}

void sched_dump(const struct sched *s)
{
    static const char *const names[] = {"runs", "ready", "sleeps", "waits", "waits for group", "over"};
    const struct call *c = s->all;

    while (c && c->all_next)
        c = c->all_next;
    for (; c; c = c->all_prev) {
        struct arena *a cleanup(arena_freep) = arena_new();

        fprintf(stderr, "task %s (%s)%s: %s", str_shown(a, c->label), str_shown(a, c->group->name),
                c->cancelled ? ", cancelled" : "", names[c->wait]);
        if (c->wait == WAIT_SLEEP)
            fprintf(stderr, " %lld ms", (long long)(c->wake_ms - sched_span_ms(s)));
        fprintf(stderr, "%s%s\n", c->why[0] && c->wait >= WAIT_SLEEP ? ": " : "",
                c->wait >= WAIT_SLEEP ? str_shown(a, c->why) : "");
    }
}

static void stuck(const struct sched *s)
{
    fputs("reinstate: internal error: every task waits and nothing can wake one\n", stderr);
    sched_dump(s);
    abort();
}

static void wait_for_more(struct sched *s)
{
    bool busy = s->has_pump && !s->pump.idle(s->pump.self);
    double real_ms = 0;

    if (!busy && !s->n_heap)
        stuck(s);
    if (s->time == SCHED_VIRTUAL) {
        if (busy)
            s->pump.turn(s->pump.self, -1);
        else
            clock_jump(s);
        return;
    }
    if (s->n_heap)
        real_ms = (double)(s->heap[0]->wake_ms - sched_span_ms(s)) / s->speed;
    if (busy)
        s->pump.turn(s->pump.self, s->n_heap ? (real_ms < 0 ? 0 : (int64_t)real_ms + 1) : -1);
    else if (real_ms > 0)
        nap(real_ms < NAP_MAX_MS ? real_ms : NAP_MAX_MS);
}

void sched_run(struct sched *s)
{
    assert(!s->current);
    while (s->n_live) {
        ready_run(s);
        if (!s->n_live)
            break;
        timers_fire(s);
        if (!s->ready_first)
            wait_for_more(s);
        else if (s->has_pump && !s->pump.idle(s->pump.self))
            s->pump.turn(s->pump.self, 0);
    }
}
