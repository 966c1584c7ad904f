/* What a kind may see, answered from facts and from the steps so far. Pure. Must not know any kind. */
#include "../kind.h"

#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"
#include "demand.h"
#include "internal.h"

const struct settings settings_default = {
    .settle_ms = MINUTE_MS,
    .role_delay_ms = 10 * MINUTE_MS,
    .policy_delay_ms = 2 * MINUTE_MS,
    .hsm_role_delay_ms = 6 * MINUTE_MS,
    .export_bound_ms = 2 * HOUR_MS,
    .restore_bound_ms = 12 * (int64_t)HOUR_MS,
    .export_lookback_ms = 90 * (int64_t)DAY_MS,
    .leftover_lookback_ms = 90 * (int64_t)DAY_MS,
    .poll_bound_ms = HOUR_MS,
    .readback_ms = 5 * MINUTE_MS,
};

/* --- seen and concluded ------------------------------------------------------------------------------------------- */

const struct value *view_facts(const struct view *v, const struct document *doc)
{
    return doc ? v->facts[doc->index] : NULL;
}

const char *view_state(const struct view *v, const struct document *doc)
{
    const char *state = value_str_at(view_facts(v, doc), "state");

    return state ? state : "unseen";
}

static struct conclusion concluded_of(const struct view *v, const struct document *doc)
{
    bool there = doc && v->conclusions && (!v->demand || demand_met(v->demand, doc));

    return there ? v->conclusions[doc->index] : (struct conclusion){.verdict = PROSPECT_SATISFIED};
}

enum prospect view_prospect(const struct view *v, const struct document *doc)
{
    return concluded_of(v, doc).verdict;
}

const struct step *view_block(const struct view *v, const struct document *doc)
{
    return concluded_of(v, doc).block;
}

const struct ruling *view_refusal(const struct view *v, const struct document *doc, enum action action)
{
    /* Where it is denied, all is concluded once more with that known. */
    view_beside(v, doc);
    for (size_t i = 0; i < v->n_refused; i++)
        if (v->refused[i]->document == doc && v->refused[i]->action == action)
            return step_refused(v->refused[i]);
    return NULL;
}

void view_beside(const struct view *v, const struct document *doc)
{
    if (v->demand && doc)
        demand_beside(v->demand, doc);
}

const void *view_own(const struct view *v, const struct document *doc)
{
    return concluded_of(v, doc).own;
}

void view_need(const struct view *v, struct steps *s, struct step *step, const struct document *doc)
{
    const struct index_entry *at = NULL;
    const struct step *its;

    step_on(s, step, doc);
    while ((its = steps_next(v->steps, doc, &at)))
        if (!its->aside && step_pends(its))
            step_need(s, step, its->id);
}

void actor_say(const struct actor *actor, const char *fmt, ...)
{
    va_list ap;

    if (!actor->say)
        return;
    va_start(ap, fmt);
    actor->say(actor->say_ctx, actor->step, arena_vprintf(actor->arena, fmt, ap));
    va_end(ap);
}

void actor_status(const struct actor *actor, const char *fmt, ...)
{
    char line[512];
    va_list ap;

    if (!actor->status)
        return;
    va_start(ap, fmt);
    vsnprintf(line, sizeof(line), fmt, ap);
    va_end(ap);
    actor->status(actor->say_ctx, actor->step, line);
}

int actor_look_again(const struct actor *actor, struct call *c, struct err *err)
{
    return actor->again ? actor->again(actor->say_ctx, c, actor->step, err) : 0;
}

void actor_job(const struct actor *actor, const char *job, int64_t before_ms)
{
    if (actor->job)
        actor->job(actor->say_ctx, actor->step, job, before_ms);
}

int actor_wait(const struct actor *actor, struct call *c, int64_t ms, const char *what, struct err *err)
{
    if (actor->until)
        actor->until(actor->say_ctx, actor->step, what, ms);
    return call_sleep_ms(c, ms, what, err);
}
