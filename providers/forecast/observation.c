/* Knows how a question is answered and a danger is noted, and what all questions look at. Must not know any question.
 * */
#include "questions.h"

#include "../backup/points.h"

#include "../../reconciler/format/json.h"

void obs_set(struct outlook *o, enum obs_fact f, enum obs_state state, const char *evidence, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    o->items[f].text = arena_vprintf(o->arena, fmt, ap);
    va_end(ap);
    o->items[f].state = state;
    o->items[f].evidence = evidence;
}

void obs_risk(struct outlook *o, enum obs_fact f, const char *id, enum risk_weight weight, int64_t at_ms,
              const char *fix, const char *fmt, ...)
{
    struct risk risk = {
        .id = id, .fact = f, .weight = weight, .at_ms = at_ms, .evidence = o->items[f].evidence, .fix = fix};
    va_list ap;

    va_start(ap, fmt);
    risk.text = arena_vprintf(o->arena, fmt, ap);
    va_end(ap);
    if (at_ms != TIME_NONE && at_ms <= o->view->now_ms)
        risk.at_ms = TIME_NONE;
    arena_push(o->arena, o->risks, o->n_risks, risk);
}

const char *obs_member(struct arena *a, const struct value *body, const char *path)
{
    const struct value *v = value_at(body, path);

    return v ? arena_printf(a, "%s=%s", path, value_str(v) ? value_str(v) : json_string(a, v, JSON_COMPACT))
             : arena_printf(a, "%s absent", path);
}

const struct value *outlook_set(const struct outlook *o)
{
    const struct value *live = value_at(view_facts(o->view, o->pvm), "source.set.live");

    return live ? live : value_get(view_facts(o->view, o->situation->des), "live");
}

const struct value *outlook_extra(const struct outlook *o, const char *group, const char *key)
{
    return key ? value_get(value_get(o->extras, group), str_lower(o->arena, key)) : NULL;
}

const char *outlook_region(const struct outlook *o)
{
    return protected_vm_region(o->view, o->pvm);
}

const char *outlook_subscription(const struct outlook *o)
{
    const char *own = value_str_at(o->pvm->spec, "source.subscription");

    return own ? own : kind_subscription(o->pvm);
}
