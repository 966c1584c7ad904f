/* What co.c (the scheduler) and task.c (what a task may ask of it) share. Nobody else includes it. */
#ifndef REINSTATE_CO_INTERNAL_H
#define REINSTATE_CO_INTERNAL_H

#include "co.h"

#include <time.h>
#include <ucontext.h>

#include "skew.h"
#include "stack.h"

enum { WHY_BYTES = 96 };

/* What a task is at. */
enum wait { WAIT_RUNNING, WAIT_READY, WAIT_SLEEP, WAIT_PARK, WAIT_GROUP, WAIT_OVER };

struct call {
    struct sched *sched;
    struct group *group;
    struct call *group_prev, *group_next;
    struct call *all_prev, *all_next;
    struct call *next_ready;
    char *label;
    task_fn *fn;
    void *arg;
    void *context;
    int64_t patience_ms;        /* 0: as long as is usual */
    int64_t advice_until_ms;    /* 0: as long as is usual */
    struct stack *stack;        /* NULL until it first runs */
    ucontext_t machine;
    void *fake_stack;           /* AddressSanitizer's */
    enum wait wait;
    bool cancelled;
    struct group *waits_for;    /* WAIT_GROUP */
    char why[WHY_BYTES];
    int64_t wake_ms;            /* WAIT_SLEEP */
    uint64_t wake_order;        /* equal times: first come, first served */
    size_t heap_at;
};

struct group {
    struct sched *sched;
    char *name;
    struct call *members;
    size_t n_live;
    struct call *waiter;
    bool cancelled;
};

struct sched {
    enum sched_time time;
    int64_t start_ms, span_ms;  /* span_ms: virtual only */
    bool own_wall;              /* the machine's own clock is the system's, and not one that was set */
    struct skew skew;
    struct timespec began;      /* real only */
    double speed;
    uint64_t random;
    struct pump pump;
    bool has_pump;
    struct call *current;
    ucontext_t main_machine;
    const void *main_bottom;    /* AddressSanitizer's */
    size_t main_size;
    struct call *all;
    size_t n_live, n_groups;
    struct call *ready_first, *ready_last;
    size_t n_ready;
    struct call **heap;
    size_t n_heap, heap_room;
    uint64_t orders;
    struct stack_pool stacks;
};

void task_yield(struct call *c);
void task_ready_add(struct call *c);
void task_timer_add(struct call *c, int64_t wake_ms);
void task_timer_remove(struct call *c);

#endif
