/* Preflight: our own rights for every planned step, all gaps at once, before the first write. Reads only. */
#include "preflight.h"

#include <string.h>

#include "own_rights.h"

/* The step of the plan that recovers the vault in which `scope` lies; NULL: none does. */
static const struct step *recovery_of(const struct plan *plan, const char *scope)
{
    for (size_t i = 0; i < plan->steps.count; i++) {
        const struct step *step = plan->steps.items[i];

        if (step->action == ACTION_RECOVER && str_eq(step->document->kind, "KeyVault") &&
            str_starts_nocase(scope, step->scope) && (scope[strlen(step->scope)] == '/' || !scope[strlen(step->scope)]))
            return step;
    }
    return NULL;
}

/* Where the right has to be held. Of a vault that is yet to be recovered only what comes from above it will be there
 * again; its access policies do come back. NULL: nothing can be said. */
static const char *scope_to_ask(struct arena *a, const struct step_right *right, const struct step *recovery)
{
    if (!recovery)
        return right->scope;
    if (right->data && !str_eq(value_str_at(recovery->document->spec, "permissionModel"), "azure-rbac"))
        return NULL;
    return arm_id_parent(a, recovery->scope, 4);
}

/* Steps that nothing else waits for: new backups, escrow, and VMs that start. A right missing for one of them must not
 * hold up a recovery that has a deadline. */
static bool stands_alone(const struct step *step)
{
    return step->aside || step->action == ACTION_START_VM;
}

static void gap_add(struct arena *a, struct value *gaps, struct step *step, const struct step_right *right,
                    const struct step *recovery, const char *scope)
{
    struct value *gap = recovery ? value_format(a,
                                                "%s needs %s at %s, and a role of our own that is assigned at the "
                                                "vault itself does not come back with it: "
                                                "have %s assigned at %s first",
                                                step->id, right->action, right->scope, right->role, scope)
                                 : value_format(a, "%s needs %s at %s; the built-in role %s holds it", step->id,
                                                right->action, right->scope, right->role);

    step->lacking = value_str(gap);
    if (stands_alone(step))
        return;
    for (size_t i = 0; i < value_count(gaps); i++)
        if (value_equal(value_item(gaps, i), gap))
            return;
    value_push(a, gaps, gap);
}

/* --- what a gap stops --------------------------------------------------------------------------------------------- */

/* What a plan's steps need, by their places in it. */
struct web {
    const struct steps *steps;
    const char **gaps; /* the first gap of a step or of what it needs; NULL: none */
    bool *asked, *useful;
};

static size_t place_of(const struct web *w, const char *id)
{
    size_t i = 0;

    while (i < w->steps->count && !str_eq(w->steps->items[i]->id, id))
        i++;
    return i;
}

/* Steps of their own make nothing else wait, and their gaps are theirs alone. */
static const char *gap_below(struct web *w, size_t at)
{
    const struct step *step = w->steps->items[at];

    if (w->asked[at])
        return w->gaps[at];
    w->asked[at] = true;
    w->gaps[at] = stands_alone(step) ? NULL : step->lacking;
    for (size_t i = 0; i < step->n_needs && !w->gaps[at]; i++) {
        size_t need = place_of(w, step->needs[i]);
        const char *gap = need < w->steps->count ? gap_below(w, need) : NULL;

        if (step->needs_any && !gap)
            break;
        if (!step->needs_any || i + 1 == step->n_needs)
            w->gaps[at] = gap;
    }
    return w->gaps[at];
}

static void mark_useful(struct web *w, size_t at)
{
    if (w->useful[at])
        return;
    w->useful[at] = true;
    for (size_t i = 0; i < w->steps->items[at]->n_needs; i++) {
        size_t need = place_of(w, w->steps->items[at]->needs[i]);

        if (need < w->steps->count)
            mark_useful(w, need);
    }
}

/* Whether a step that does not stand alone needs this one. */
static bool leads_on(const struct web *w, size_t at)
{
    for (size_t i = 0; i < w->steps->count; i++)
        for (size_t k = 0; !stands_alone(w->steps->items[i]) && k < w->steps->items[i]->n_needs; k++)
            if (str_eq(w->steps->items[i]->needs[k], w->steps->items[at]->id))
                return true;
    return false;
}

static const char *gap_above(const struct web *w, size_t at)
{
    for (size_t i = 0; i < w->steps->count; i++)
        for (size_t k = 0; w->gaps[i] && k < w->steps->items[i]->n_needs; k++)
            if (str_eq(w->steps->items[i]->needs[k], w->steps->items[at]->id))
                return w->gaps[i];
    return NULL;
}

/* Nothing is begun whose end lacks a right: a step goes on only where it leads to an end that lacks none. What has
 * nothing to do with a gap is done. */
static void gaps_stop(struct arena *a, const struct steps *steps)
{
    struct web w = {.steps = steps,
                    .gaps = arena_array(a, const char *, steps->count + 1),
                    .asked = arena_array(a, bool, steps->count + 1),
                    .useful = arena_array(a, bool, steps->count + 1)};
    bool more = true;

    for (size_t i = 0; i < steps->count; i++)
        if (!gap_below(&w, i) && !stands_alone(steps->items[i]) && !leads_on(&w, i))
            mark_useful(&w, i);
    for (size_t i = 0; i < steps->count; i++)
        if (!w.gaps[i] && stands_alone(steps->items[i]) && !steps->items[i]->n_needs)
            w.useful[i] = true;
    /* Upwards, from what lacks a right to what only leads there. */
    while (more) {
        more = false;
        for (size_t i = 0; i < steps->count; i++) {
            const char *gap = w.gaps[i] ? w.gaps[i] : w.useful[i] ? NULL : gap_above(&w, i);

            if (!gap || steps->items[i]->lacking)
                continue;
            w.gaps[i] = steps->items[i]->lacking = gap;
            more = true;
        }
    }
}

/* Whoever is asked to approve a step that stands alone hears what it lacks before: his yes would be in vain. */
static bool asks_rights(const struct step *step)
{
    return step->action != ACTION_NONE && step->action != ACTION_BLOCKED && step->n_rights &&
           (step->verdict <= VERDICT_WARN || (stands_alone(step) && step->verdict == VERDICT_REQUIRE_APPROVAL));
}

/* A right that lacks is told early, for Azure refuses in any case what we may not do: no night waits long for that. */
#define PREFLIGHT_MS ((int64_t)2 * MINUTE_MS)

int rights_preflight(struct call *c, void *provider, struct arena *a, const struct plan *plan, struct value *gaps,
                     struct err *err)
{
    struct own_rights own = {.arena = a, .until_ms = call_span_ms(c) + PREFLIGHT_MS};

    for (size_t i = 0; i < plan->steps.count; i++) {
        struct step *step = plan->steps.items[i];
        struct azure *az = kind_azure(provider, step->document);

        if (!asks_rights(step))
            continue;
        for (size_t j = 0; j < step->n_rights; j++) {
            const struct step_right *right = &step->rights[j];
            const struct step *recovery = recovery_of(plan, right->scope);
            struct step_right asked = *right;
            enum own_right held = OWN_UNSEEN;

            asked.scope = scope_to_ask(a, right, recovery);
            if (right->wish || !asked.scope)
                continue;
            TRY(own_right(&own, az, c, &asked, &held, err));
            if (held == OWN_LACKING)
                gap_add(a, gaps, step, right, recovery, asked.scope);
        }
    }
    if (value_count(gaps))
        gaps_stop(a, &plan->steps);
    return 0;
}
