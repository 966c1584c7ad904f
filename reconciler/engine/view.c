/* What a kind may see, answered from facts and from the steps so far. Pure. Must not know any kind. */
#include "../kind.h"

#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"

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

const struct value *view_facts(const struct view *v, const struct document *doc)
{
    return doc ? v->facts[doc->index] : NULL;
}

const char *view_state(const struct view *v, const struct document *doc)
{
    const char *state = value_str_at(view_facts(v, doc), "state");

    return state ? state : "unseen";
}

enum prospect view_prospect(const struct view *v, const struct document *doc)
{
    return doc && v->conclusions ? v->conclusions[doc->index].verdict : PROSPECT_SATISFIED;
}

const struct step *view_block(const struct view *v, const struct document *doc)
{
    return doc && v->conclusions ? v->conclusions[doc->index].block : NULL;
}

const struct ruling *view_refusal(const struct view *v, const struct document *doc, enum action action)
{
    for (size_t i = 0; i < v->n_refused; i++)
        if (v->refused[i]->document == doc && v->refused[i]->action == action)
            return step_refused(v->refused[i]);
    return NULL;
}

const void *view_own(const struct view *v, const struct document *doc)
{
    return doc && v->conclusions ? v->conclusions[doc->index].own : NULL;
}

void view_need(const struct view *v, struct steps *s, struct step *step, const struct document *doc)
{
    step_on(s, step, doc);
    for (size_t i = 0; doc && v->steps && i < v->steps->count; i++)
        if (v->steps->items[i]->document == doc && !v->steps->items[i]->aside && step_pends(v->steps->items[i]))
            step_need(s, step, v->steps->items[i]->id);
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

void actor_job(const struct actor *actor, const char *job)
{
    if (actor->job)
        actor->job(actor->say_ctx, actor->step, job);
}
