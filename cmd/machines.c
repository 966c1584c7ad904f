/* Knows in which states machines are told, and what a change between two looks is. Must not judge a machine: the
 * forecast and the steps have. */
#include "machines.h"

#include "../providers/forecast/forecast.h"
#include "call.h"

/* --- as they stand ------------------------------------------------------------------------------------------------ */

static void state_add(struct arena *a, struct value *all, const char *subject, const char *state, const char *reason)
{
    struct value *one = value_map(a);

    value_set_string(a, one, "state", state);
    value_set_string(a, one, "reason", reason);
    value_set(a, all, subject, one);
}

static const char *reason_of(const struct forecast *f)
{
    return f->outlook.n_risks ? f->outlook.risks[0].text : f->state;
}

/* A machine that stands where it was to come back. */
static void restored_add(struct arena *a, const struct look *look, const struct document *rvm, struct value *all)
{
    const char *power = value_str_at(view_facts(&look->view, rvm), "power");

    if (str_eq(view_state(&look->view, rvm), "present"))
        state_add(a, all, rvm->address, "restored", power ? power : "whether it runs cannot be seen");
}

struct value *machines_of(struct session *s, struct arena *a, const struct look *look)
{
    struct forecast_options options = forecast_options_default;
    const struct desired *d = look->view.desired;
    struct value *all = value_map(a);
    struct forecasts forecasts;
    struct view ordered;

    engine_suppose(&s->engine, a, &look->view, SUPPOSE_LOSS, NULL, &ordered);
    options.ordered = &ordered;
    forecasts = forecast_all(&look->view, &options);
    for (size_t i = 0; i < forecasts.count; i++) {
        const struct forecast *f = &forecasts.items[i];

        if (!desired_beside(d, f->outlook.pvm))
            state_add(a, all, f->outlook.pvm->address, forecast_verdict_word(f->verdict), reason_of(f));
    }
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "RestoredVirtualMachine") && !desired_beside(d, d->documents[i]))
            restored_add(a, look, d->documents[i], all);
    return all;
}

struct value *approvals_of(struct arena *a, const struct plan *plan)
{
    struct value *all = value_map(a);

    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = plan->steps.items[i];
        const struct ruling *held = step_alters(step) ? step_withheld(step) : NULL;
        struct value *one;

        if (!held || held->verdict != VERDICT_REQUIRE_APPROVAL)
            continue;
        one = value_map(a);
        value_set_string(a, one, "rule", held->rule);
        value_set_string(a, one, "command",
                         arena_printf(a, "reinstate apply -f ... --approve %s=YOUR-NAME", call_quoted(a, held->rule)));
        value_set(a, all, step->id, one);
    }
    return all;
}

/* --- what has changed --------------------------------------------------------------------------------------------- */

/* Better than at risk or lost, and not for the first time. */
static const char *told_state(const char *from, const char *to)
{
    return str_eq(to, "green") && from ? "recovered" : to;
}

struct value *machines_changed(struct arena *a, const struct value *before, const struct value *now)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < value_count(now); i++) {
        const struct member *m = &now->map.members[i];
        const char *to = value_str_at(m->value, "state"), *from = value_str_at(value_get(before, m->key), "state");
        struct value *one;

        if (str_eq(from, to) || (!from && str_eq(to, "green")))
            continue;
        one = value_map(a);
        value_set_string(a, one, "machine", m->key);
        value_set_string(a, one, "from", from);
        value_set_string(a, one, "to", told_state(from, to));
        value_set_string(a, one, "reason", str_eq(to, "green") ? NULL : value_str_at(m->value, "reason"));
        value_push(a, list, one);
    }
    for (size_t i = 0; i < value_count(before); i++) {
        const struct member *m = &before->map.members[i];
        struct value *one;

        if (value_get(now, m->key))
            continue;
        one = value_map(a);
        value_set_string(a, one, "machine", m->key);
        value_set_string(a, one, "from", value_str_at(m->value, "state"));
        value_set_string(a, one, "to", "not there any more");
        value_push(a, list, one);
    }
    return list;
}

struct value *approvals_new(struct arena *a, const struct value *before, const struct value *now)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < value_count(now); i++) {
        const struct member *m = &now->map.members[i];
        struct value *one;

        if (value_get(before, m->key))
            continue;
        one = value_copy(a, m->value);
        value_set_string(a, one, "step", m->key);
        value_push(a, list, one);
    }
    return list;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

void machines_tell(const struct session *s, struct text *out, const struct value *machines,
                   const struct value *approvals)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *at = time_format(a, events_now_ms(s->events) / SECOND_MS * SECOND_MS);

    for (size_t i = 0; i < value_count(machines); i++) {
        const struct value *one = value_item(machines, i);
        const char *machine = value_str_at(one, "machine"), *from = value_str_at(one, "from"),
                   *to = value_str_at(one, "to"), *reason = value_str_at(one, "reason");

        events_watch(s->events, EVENT_MACHINE, machine, from, to, reason);
        text_say(out, "%s  %s  %s%s%s%s%s%s\n", at, machine, to, from ? " (was " : "", from ? from : "",
                 from ? ")" : "", reason ? ": " : "", reason ? call_filled(a, reason) : "");
    }
    for (size_t i = 0; i < value_count(approvals); i++) {
        const struct value *one = value_item(approvals, i);
        const char *step = value_str_at(one, "step"), *command = value_str_at(one, "command");

        events_watch(s->events, EVENT_APPROVAL, step, NULL, value_str_at(one, "rule"), command);
        text_say(out, "%s  %s  waits for approval by rule %s: %s\n", at, step, value_str_at(one, "rule"),
                 call_filled(a, command));
    }
}
