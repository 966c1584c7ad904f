/* Knows what of a plan will be done as things stand, and how long that takes. Pure. */
#include "plan.h"

/* How a step stands once it was asked for; the index remembers one of these by step id. */
static const bool done_yes = true, done_no = false;

/* It runs, and so does all that it needs. Steps do not need each other in a circle: the plan would be none. */
static bool step_done(const struct plan *p, const struct step *step, struct index *known)
{
    const bool *before = index_get(known, step->id);
    bool done = step_runs(step);

    if (before)
        return *before;
    for (size_t i = 0; i < step->n_needs && done; i++) {
        const struct step *need = steps_find(&p->steps, step->needs[i]);
        bool so = !need || need->action == ACTION_NONE || step_done(p, need, known);

        if (step->needs_any && so)
            break;
        done = so || (step->needs_any && i + 1 < step->n_needs);
    }
    index_put(known, step->id, (void *)(done ? &done_yes : &done_no));
    return done;
}

size_t plan_due(struct arena *a, const struct plan *p)
{
    struct index *known = index_new(a, INDEX_EXACT);
    size_t n = 0;

    for (size_t i = 0; i < p->steps.count; i++)
        n += step_done(p, p->steps.items[i], known);
    return n;
}

int64_t plan_estimate(struct arena *a, const struct plan *p, size_t *ret_unknown)
{
    struct index *leads = index_new(a, INDEX_EXACT), *known = index_new(a, INDEX_EXACT);
    int64_t longest = -1;

    *ret_unknown = 0;
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct step *step = p->steps.items[i];
        int64_t end;

        if (!step_done(p, step, known))
            continue;
        *ret_unknown += step->estimate_ms < 0;
        if (step->estimate_ms < 0)
            continue;
        end = steps_lead_ms(&p->steps, step, leads) + step->estimate_ms;
        longest = end > longest ? end : longest;
    }
    return longest;
}
