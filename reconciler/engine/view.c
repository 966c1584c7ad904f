/* What a kind may see, answered from facts and from the steps so far. Pure. Must not know any kind. */
#include "../kind.h"

#include <stdarg.h>
#include <stdio.h>

#include "../base/text.h"
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

/* --- found by name ------------------------------------------------------------------------------------------------ */

/* One way of naming, of the facts as they are. */
struct named_by {
    struct named_by *next;
    const struct view_names *names;
    const void *of;     /* whose facts; of what is declared: the estate */
    struct arena *arena;
    struct index *index;
};

struct view_memo {
    struct named_by *all;
};

static void memo_release(void *what)
{
    struct view_memo *memo = what;

    while (memo->all) {
        struct named_by *n = memo->all;

        memo->all = n->next;
        arena_free(n->arena);
    }
}

struct view_memo *view_memo_new(struct arena *a)
{
    struct view_memo *memo = arena_new_of(a, struct view_memo);

    arena_keep(a, memo_release, memo);
    return memo;
}

void view_memo_forget(struct view_memo *memo, const struct document *doc)
{
    struct named_by **at = memo ? &memo->all : NULL;

    while (at && *at) {
        struct named_by *n = *at;

        if (n->names->declared || (n->names->kind && !str_eq(n->names->kind, doc->kind))) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        arena_free(n->arena);
    }
}

static struct index *index_made(const struct view *v, const struct view_names *names, struct arena *a)
{
    struct index *x = index_new(a, INDEX_NOCASE);
    const struct index_entry *at = NULL;
    const struct document *doc;

    for (size_t i = 0; !names->kind && i < v->desired->count; i++)
        names->put(v, v->desired->documents[i], a, x);
    while (names->kind && (doc = desired_next(v->desired, names->kind, &at)))
        names->put(v, doc, a, x);
    return x;
}

static const struct index *index_of(const struct view *v, const struct view_names *names)
{
    const void *of = names->declared ? (const void *)v->desired : (const void *)v->facts;
    struct named_by *n;
    struct arena *a;

    if (!v->memo)
        return index_made(v, names, v->arena);
    for (n = v->memo->all; n; n = n->next)
        if (n->names == names && n->of == of)
            return n->index;
    a = arena_new();
    n = arena_new_of(a, struct named_by);
    *n = (struct named_by){.names = names, .of = of, .arena = a, .index = index_made(v, names, a)};
    /* Names may have been made of others meanwhile. */
    n->next = v->memo->all;
    v->memo->all = n;
    return n->index;
}

const struct index_entry *view_find(const struct view *v, const struct view_names *names, const char *name)
{
    return name ? index_find(index_of(v, names), name) : NULL;
}

const void *view_next(const struct view *v, const struct view_names *names, const char *name,
                      const struct index_entry **at)
{
    *at = *at ? (*at)->next : view_find(v, names, name);
    return *at ? (*at)->thing : NULL;
}

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
