/* Knows what a task may ask of its scheduler: to sleep, to park, to be cancelled, to wait for a group. Must not know
 * how control passes. */
#include "co_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"

/* --- groups ------------------------------------------------------------------------------------------------------- */

struct group *group_new(struct sched *s, const char *name)
{
    struct group *g = xcalloc(1, sizeof(*g));

    g->sched = s;
    g->name = xstrdup(name);
    s->n_groups++;
    return g;
}

void group_free(struct group *g)
{
    if (!g)
        return;
    assert(!g->n_live && !g->waiter);
    g->sched->n_groups--;
    free(g->name);
    free(g);
}

void group_spawn(struct group *g, const char *label, task_fn *fn, void *arg)
{
    struct sched *s = g->sched;
    struct call *c = xcalloc(1, sizeof(*c));

    *c =
        (struct call){.sched = s, .group = g, .label = xstrdup(label), .fn = fn, .arg = arg, .cancelled = g->cancelled};
    if (s->current) {
        c->context = s->current->context;
        c->patience_ms = s->current->patience_ms;
        c->advice_until_ms = s->current->advice_until_ms;
    }
    c->group_next = g->members;
    if (g->members)
        g->members->group_prev = c;
    g->members = c;
    g->n_live++;
    c->all_next = s->all;
    if (s->all)
        s->all->all_prev = c;
    s->all = c;
    s->n_live++;
    task_ready_add(c);
}

/* A task that waits for a group goes on waiting, for members that are now cancelled as well. */
static void task_cancel(struct call *c)
{
    if (c->cancelled)
        return;
    c->cancelled = true;
    if (c->wait == WAIT_SLEEP)
        task_timer_remove(c);
    if (c->wait == WAIT_SLEEP || c->wait == WAIT_PARK)
        task_ready_add(c);
    else if (c->wait == WAIT_GROUP)
        group_cancel(c->waits_for);
}

void group_cancel(struct group *g)
{
    g->cancelled = true;
    for (struct call *c = g->members; c; c = c->group_next)
        task_cancel(c);
}

void sched_cancel_all(struct sched *s)
{
    for (struct call *c = s->all; c; c = c->all_next)
        task_cancel(c);
}

/* --- in a task ---------------------------------------------------------------------------------------------------- */

static void suspend(struct call *c, enum wait wait, const char *why)
{
    assert(c->sched->current == c);
    c->wait = wait;
    snprintf(c->why, sizeof(c->why), "%s", why);
    task_yield(c);
    c->why[0] = '\0';
}

static int say_cancelled(struct err *err)
{
    return err_set(err, ERR_CANCELLED, "cancelled");
}

int group_wait(struct call *c, struct group *g, struct err *err)
{
    assert(c->sched->current == c && !g->waiter && c->group != g);
    if (c->cancelled)
        group_cancel(g);
    if (g->n_live) {
        g->waiter = c;
        c->waits_for = g;
        suspend(c, WAIT_GROUP, g->name);
        c->waits_for = NULL;
    }
    return c->cancelled ? say_cancelled(err) : 0;
}

int call_sleep_ms(struct call *c, int64_t ms, const char *why, struct err *err)
{
    assert(c->sched->current == c);
    if (c->cancelled)
        return say_cancelled(err);
    task_timer_add(c, sched_span_ms(c->sched) + (ms > 0 ? ms : 0));
    suspend(c, WAIT_SLEEP, why);
    return c->cancelled ? say_cancelled(err) : 0;
}

int call_park(struct call *c, const char *why, struct err *err)
{
    assert(c->sched->current == c);
    if (c->cancelled)
        return say_cancelled(err);
    suspend(c, WAIT_PARK, why);
    return c->cancelled ? say_cancelled(err) : 0;
}

void call_wake(struct call *c)
{
    /* A cancellation may have come first. */
    if (c->cancelled && c->wait == WAIT_READY)
        return;
    assert(c->wait == WAIT_PARK);
    task_ready_add(c);
}

struct sched *call_sched(struct call *c)
{
    return c->sched;
}

int64_t call_now_ms(struct call *c)
{
    return sched_now_ms(c->sched);
}

int64_t call_span_ms(struct call *c)
{
    return sched_span_ms(c->sched);
}

bool call_cancelled(const struct call *c)
{
    return c->cancelled;
}

const char *call_label(const struct call *c)
{
    return c->label;
}

void call_set_context(struct call *c, void *context)
{
    c->context = context;
}

int64_t call_set_patience(struct call *c, int64_t ms)
{
    int64_t before = c->patience_ms;

    c->patience_ms = ms;
    return before;
}

void call_advice_until(struct call *c, int64_t span_ms)
{
    c->advice_until_ms = span_ms;
}

int64_t call_set_advisory(struct call *c)
{
    int64_t left_ms = c->advice_until_ms ? c->advice_until_ms - call_span_ms(c) : ADVISORY_PATIENCE_MS;

    return call_set_patience(c, left_ms < 1 ? 1 : left_ms < ADVISORY_PATIENCE_MS ? left_ms : ADVISORY_PATIENCE_MS);
}

int64_t call_patience(const struct call *c)
{
    return c->patience_ms;
}

void *call_context(const struct call *c)
{
    return c->context;
}

void sched_main(struct sched *s, task_fn *fn, void *arg)
{
    struct group *g = group_new(s, "main");

    group_spawn(g, "main", fn, arg);
    sched_run(s);
    group_free(g);
}
