/* Knows what of a plan will be done as things stand, and how long that takes. Pure. */
#include "plan.h"

#include "../base/clock.h"

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

/* What all steps together ask of one allowance. */
static struct step_spend *spent_of(struct arena *a, struct index *all, const struct step_spend *one)
{
    struct step_spend *sum = index_get(all, one->of);

    if (!sum) {
        sum = arena_new_of(a, struct step_spend);
        *sum = *one;
        sum->count = 0;
        index_put(all, sum->of, sum);
    }
    sum->count += one->count;
    return sum;
}

int64_t plan_allowed_ms(struct arena *a, const struct plan *p, const char **ret_of)
{
    struct index *known = index_new(a, INDEX_EXACT), *all = index_new(a, INDEX_NOCASE);
    int64_t most = 0;

    *ret_of = NULL;
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct step *step = p->steps.items[i];

        for (size_t k = 0; step_done(p, step, known) && k < step->n_spends; k++) {
            const struct step_spend *sum = spent_of(a, all, &step->spends[k]);
            double beyond = sum->count > sum->most ? sum->count - sum->most : 0;
            int64_t ms = (int64_t)(beyond / sum->per_second * SECOND_MS);

            *ret_of = ms > most ? sum->of : *ret_of;
            most = ms > most ? ms : most;
        }
    }
    return most;
}

int64_t plan_estimate(struct arena *a, const struct plan *p, size_t *ret_unknown)
{
    struct index *leads = index_new(a, INDEX_EXACT), *known = index_new(a, INDEX_EXACT);
    int64_t longest = -1, allowed;
    const char *of;

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
    allowed = plan_allowed_ms(a, p, &of);
    return longest >= 0 && allowed > longest ? allowed : longest;
}
