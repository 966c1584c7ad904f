/* What must hold of every plan, whatever the world: stated once, asked by the contract, property and scenario tests.
 * Each returns NULL, or a sentence that names the step which breaks it. */
#ifndef REINSTATE_TEST_INVARIANTS_H
#define REINSTATE_TEST_INVARIANTS_H

#include "../providers/forecast/forecast.h"
#include "../providers/kinds/registry.h"
#include "../reconciler/base/text.h"
#include "../reconciler/engine/internal.h"

static inline bool invariant_mentions(const struct document *doc, const struct reference *ref)
{
    for (size_t k = 0; k < all_kinds.count; k++)
        if (str_eq(all_kinds.items[k]->name, doc->kind))
            for (const char *const *m = all_kinds.items[k]->mentions; m && *m; m++)
                if (str_starts_nocase(ref->path, *m))
                    return true;
    return ref->spoken;
}

/* The block of a KeyAccess is of the grant to another set than this one, with which the machine is not made. */
static inline bool invariant_of_another_set(const struct document *access, const struct step *block,
                                            const struct document *set)
{
    for (size_t i = 0; i < access->n_references; i++) {
        const struct document *other = access->references[i].target;

        if (other && other != set && str_eq(other->kind, "DiskEncryptionSet") &&
            str_ends_nocase(block->id, other->name))
            return true;
    }
    return false;
}

/* The blocked document that `doc` relies on, itself included; NULL. */
static inline const struct document *invariant_blocked_under(const struct conclusion *all, const struct document *doc)
{
    const struct document *found = all[doc->index].block ? doc : NULL;

    for (size_t i = 0; !found && i < doc->n_references; i++)
        if (doc->references[i].target && !invariant_mentions(doc, &doc->references[i]))
            found = invariant_blocked_under(all, doc->references[i].target);
    /* Who may use the key of its set decides whether a restored machine starts. */
    for (size_t i = 0; !found && str_eq(doc->kind, "RestoredVirtualMachine") && i < doc->n_references; i++) {
        const struct document *set = doc->references[i].target, *key = set ? document_target(set, "spec.key") : NULL;

        for (size_t k = 0; key && !found && k < key->n_referrers; k++)
            if (str_eq(key->referrers[k]->kind, "KeyAccess") && all[key->referrers[k]->index].block &&
                !invariant_of_another_set(key->referrers[k], all[key->referrers[k]->index].block, set))
                found = key->referrers[k];
    }
    return found;
}

/* A grant to one set's identity says nothing of the other sets that its document names. */
static inline bool invariant_other_principal(const struct step *step, const struct reference *ref)
{
    return str_eq(step->document->kind, "KeyAccess") && str_starts_nocase(ref->path, "spec.principals") &&
           !str_ends_nocase(step->id, ref->target ? ref->target->name : "");
}

/* Nothing is written that relies on a blocked document: no grant on it, no set on it, no restore with it. */
static inline const char *invariant_blocked_holds(struct arena *a, const struct view *v, const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = steps->items[i];
        const struct document *doc = step->document, *found = NULL;

        if (!action_writes(step->action) || step->aside || step->adopts)
            continue;
        for (size_t k = 0; !found && k < doc->n_references; k++)
            if (doc->references[k].target && !invariant_mentions(doc, &doc->references[k]) &&
                !invariant_other_principal(step, &doc->references[k]))
                found = invariant_blocked_under(v->conclusions, doc->references[k].target);
        if (!found && str_eq(doc->kind, "RestoredVirtualMachine"))
            found = invariant_blocked_under(v->conclusions, doc);
        if (found)
            return arena_printf(a, "%s would be done although %s is blocked", step->id, found->address);
    }
    return NULL;
}

/* The document that stands still and that writing for `doc` would be done by means of; NULL. */
static inline const struct document *invariant_still_under(const struct document *doc)
{
    const struct document *found = doc->suspended ? doc : NULL;

    for (size_t i = 0; !found && i < doc->n_references; i++)
        if (doc->references[i].target && !invariant_mentions(doc, &doc->references[i]))
            found = invariant_still_under(doc->references[i].target);
    return found;
}

/* Nothing is written for what is suspended or observed only, for a part of it, or by means of what is suspended. */
static inline const char *invariant_stands_still(struct arena *a, const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = steps->items[i];
        const struct document *doc = step->document, *found = doc->withheld;

        if (!step_alters(step))
            continue;
        /* A restored machine that is there is protected by its vault alone. */
        for (size_t k = 0; !found && !str_ends_nocase(step->id, "#create.protect") && k < doc->n_references; k++)
            if (doc->references[k].target && !invariant_mentions(doc, &doc->references[k]) &&
                !invariant_other_principal(step, &doc->references[k]))
                found = invariant_still_under(doc->references[k].target);
        if (found)
            return arena_printf(a, "%s would be done although %s is left alone", step->id, found->address);
    }
    return NULL;
}

/* A pass that exports a key is made for a restore that can follow it. */
static inline const char *invariant_no_vain_pass(struct arena *a, const struct view *v, const struct steps *steps)
{
    for (size_t i = 0; i < steps->count; i++) {
        const struct step *step = steps->items[i];
        bool served = step->n_serves == 0;

        /* One that waits for an approval is not made, and may itself be what blocks the restores behind it. */
        if (step->action != ACTION_EXPORT_KEY || step->adopts || step_withheld(step))
            continue;
        for (size_t k = 0; k < step->n_serves; k++)
            served = served || v->conclusions[step->serves[k]->index].verdict != PROSPECT_BLOCKED;
        if (!served)
            return arena_printf(a, "%s would export a key for restores that are all blocked", step->id);
    }
    return NULL;
}

static inline const char *invariants_of_plan(struct arena *a, const struct view *v, const struct steps *steps)
{
    const char *broken = invariant_blocked_holds(a, v, steps);

    broken = broken ? broken : invariant_stands_still(a, steps);
    return broken ? broken : invariant_no_vain_pass(a, v, steps);
}

/* `one` waits for a step, one of `its`, that `other` does not wait for; NULL. */
static inline const char *invariant_need_left_out(const struct steps *its, const struct step *one,
                                                  const struct step *other)
{
    for (size_t i = 0; i < one->n_needs; i++) {
        bool found = !steps_find(its, one->needs[i]);

        for (size_t k = 0; k < other->n_needs; k++)
            found = found || str_eq(one->needs[i], other->needs[k]);
        if (!found)
            return one->needs[i];
    }
    return NULL;
}

static inline const char *invariant_same_step(struct arena *a, const struct steps *all, const struct step *whole,
                                              const struct steps *few, const struct step *alone)
{
    bool same = whole && alone && whole->action == alone->action && whole->verdict == alone->verdict &&
                str_eq(whole->reason, alone->reason) &&
                value_equal(whole->detail, alone->detail);

    if (same) {
        const char *need = invariant_need_left_out(all, whole, alone);

        need = need ? need : invariant_need_left_out(few, alone, whole);
        return need ? arena_printf(a, "%s needs %s in the plan or when it alone is concluded, and not in the other",
                                   whole->id, need)
                    : NULL;
    }
    return arena_printf(a, "%s is %s, %s (%s) in the plan, and %s, %s (%s) when its document alone is concluded",
                        whole ? whole->id : alone->id, whole ? action_name(whole->action) : "not there",
                        whole ? verdict_name(whole->verdict) : "-", whole ? whole->reason : "-",
                        alone ? action_name(alone->action) : "not there",
                        alone ? verdict_name(alone->verdict) : "-", alone ? alone->reason : "-");
}

/* A run concludes one document and what that rests on: it gets the steps that a look at all gets. */
static inline const char *invariant_alone(struct arena *a, const struct engine *e, const struct view *view,
                                          const struct plan *plan)
{
    struct outcome run = {.was_so = arena_array(a, bool, view->desired->count + 1)};
    const char *broken = NULL;

    run_make_room(&run, a, plan->steps.count);
    for (size_t i = 0; i < plan->steps.count; i++)
        if (plan->steps.items[i]->action != ACTION_NONE)
            run_add(&run, plan->steps.items[i]);
    for (size_t i = 0; !broken && i < view->desired->count; i++) {
        struct arena *own cleanup(arena_freep) = arena_new();
        const struct document *doc = view->desired->documents[i];
        struct view alone = *view;
        const struct steps *steps = engine_steps_in_run(e, own, &alone, view->now_ms, &run, doc, true);
        const struct index_entry *at = NULL;
        const struct step *step;

        while (!broken && (step = steps_next(&plan->steps, doc, &at)))
            broken = invariant_same_step(a, &plan->steps, step, steps, steps_find(steps, step->id));
        at = NULL;
        while (!broken && (step = steps_next(steps, doc, &at)))
            broken = invariant_same_step(a, &plan->steps, steps_find(&plan->steps, step->id), steps, step);
    }
    return broken;
}

/* What a forecast cannot see it may not call restorable, whatever the plan will find out by trying. */
static inline bool invariant_unseen(const struct forecast *f)
{
    for (size_t i = 0; i < f->outlook.n_risks; i++)
        if (f->outlook.risks[i].weight == RISK_UNSEEN)
            return true;
    return false;
}

/* Forecast and plan judge the same machine alike: `ordered` is what would follow from an order (engine_suppose). */
static inline const char *invariant_forecast_agrees(struct arena *a, const struct view *ordered,
                                                    const struct document *rvm, const struct forecast *f)
{
    const struct step *block = view_block(ordered, rvm);
    const struct situation *s = situation_of(ordered, rvm);
    struct dx_prediction then = diagnose(&s->then, s->article);

    if (block)
        return f->verdict == FORECAST_GREEN ? arena_printf(a, "%s is green, and an order for it is blocked: %s: %s",
                                                           rvm->name, block->id, block->reason)
                                            : NULL;
    if (view_prospect(ordered, rvm) != PROSPECT_PENDING || invariant_unseen(f))
        return NULL;
    if (f->verdict == FORECAST_LOST || (f->restorable < RESTORABLE_AFTER && then.row && then.outcome == DX_SUCCEEDS))
        return arena_printf(a, "%s is foretold %s (restorable: %s), and an order for it would be carried out: %s",
                            rvm->name, forecast_verdict_word(f->verdict), restorable_word(f->restorable),
                            then.row ? then.row->state : "no row");
    return NULL;
}

#endif
