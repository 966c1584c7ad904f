/* Knows what all parts of a run share: what it tells and journals, which step stands where, whether a step may write,
 * and how the world is looked at again for one step. Must not know when that is done. */
#include "internal.h"

void run_tell(const struct run *r, enum engine_event event, const struct step *step, const char *line,
              int64_t elapsed_ms)
{
    if (r->engine->event)
        r->engine->event(r->engine->ctx, event, step, line, elapsed_ms);
}

/* The documents whose facts decide a step: its own, all it refers to, and the owners of what it needs. */
static void mark_closure(const struct document *doc, bool *marked)
{
    if (marked[doc->index])
        return;
    marked[doc->index] = true;
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target)
            mark_closure(doc->references[i].target, marked);
}

int run_observe(struct call *c, struct run *r, const bool *marked, struct err *err)
{
    const struct desired *d = r->view.desired;

    for (size_t level = 0; level < d->levels; level++)
        for (size_t i = 0; i < d->count; i++)
            if ((!marked || marked[i]) && d->documents[i]->level == level)
                TRY(engine_observe(c, r->engine, &r->view, r->look->facts, d->documents[i], err));
    return 0;
}

int run_observe_again(struct call *c, struct run *r, const struct step *step, struct err *err)
{
    bool *marked = arena_array(r->arena, bool, r->view.desired->count + 1);

    mark_closure(step->document, marked);
    for (size_t i = 0; i < step->n_on; i++)
        mark_closure(step->on[i], marked);
    for (size_t i = 0; i < step->n_looks; i++)
        mark_closure(step->looks[i], marked);
    for (size_t i = 0; i < step->n_needs; i++) {
        const struct step *need = steps_find(&r->look->plan->steps, step->needs[i]);

        if (need)
            mark_closure(need->document, marked);
    }
    return run_observe(c, r, marked, err);
}

int run_allowed(const struct step *step, struct err *err)
{
    const struct ruling *rule = step_withheld(step);

    if (!rule)
        return step->verdict <= VERDICT_WARN || step->n_rulings
                   ? 0
                   : err_set(err, ERR_BLOCKED, "%s by policy", verdict_name(step->verdict));
    if (step->verdict == VERDICT_REQUIRE_APPROVAL)
        return err_set(err, ERR_BLOCKED, "needs approval: rule %s%s%s; approve with --approve %s=YOUR-NAME", rule->rule,
                       rule->message ? ": " : "", rule->message ? rule->message : "", rule->rule);
    return err_set(err, ERR_BLOCKED, "%s by rule %s%s%s%s%s", verdict_name(step->verdict), rule->rule,
                   rule->message ? ": " : "", rule->message ? rule->message : "", rule->evidence ? "; " : "",
                   rule->evidence ? rule->evidence : "");
}

int run_journal(struct call *c, const struct run *r, struct arena *a, const char *event, const struct step *step,
                const char *result, struct err *err)
{
    struct value *line = value_map(a);

    value_set_string(a, line, "event", event);
    value_set_string(a, line, "at", time_format(a, call_now_ms(c)));
    value_set_string(a, line, "step", step->id);
    value_set_string(a, line, "action", action_name(step->action));
    value_set_string(a, line, "plan", r->look->plan->digest);
    value_set_string(a, line, "result", result);
    for (size_t i = 0; i < step->n_rulings; i++)
        if (step->rulings[i].approved_by)
            value_set_string(a, line, "approvedBy", step->rulings[i].approved_by);
    return journal_append(r->engine->journal, line, err);
}

struct step_outcome *run_outcome(const struct run *r, const char *id)
{
    return index_get(r->outcome->by_id, id);
}
