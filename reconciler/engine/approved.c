/* Knows for how long an order approves what a run does: while it stands, and of what its plan showed or the run's own
 * repairs reveal. What somebody else has changed since was not approved with it. Must not know what an order is for. */
#include "internal.h"

/* A step of the document that the plan held and that was to bring it where it is declared, whatever became of it. */
static bool planned_otherwise(const struct outcome *o, const struct document *doc)
{
    bool otherwise = false;

    for (size_t i = 0; i < o->count; i++) {
        const struct step_outcome *slot = &o->steps[i];

        if (slot->step->document != doc || slot->step->aside)
            continue;
        /* What was brought back, or is looked at only when something else is, shows what nobody could see before. */
        if (slot->state == STEP_DONE || slot->step->action == ACTION_WAIT || slot->step->action == ACTION_BLOCKED)
            return false;
        otherwise = otherwise || step_alters(slot->step);
    }
    return otherwise;
}

const char *run_unapproved(const void *outcome, const struct step *step)
{
    const struct outcome *o = outcome;
    const struct step_outcome *slot = index_get(o->by_id, step->id);

    if (slot && !slot->grown)
        return NULL;
    if (o->was_so[step->document->index])
        return "it was as declared when this run saw it last, and somebody else has changed it since";
    return planned_otherwise(o, step->document)
               ? "it was in another state when this run was planned, and somebody else has changed it since"
               : NULL;
}

void run_order_over(const struct step *planned, struct err *err)
{
    const char *by = NULL;

    for (size_t i = 0; i < planned->n_rulings && !by; i++)
        if (planned->rulings[i].by_order)
            by = planned->rulings[i].approved_by;
    if (!by)
        return;
    err_set(err, ERR_BLOCKED, "%s approved it when this run was planned, and is not in force any more", by);
    err_advise(err, "give a new order: its plan shows what is left");
}

void run_was_so(const struct run *r, const struct document *doc)
{
    if (r->view.conclusions && r->view.conclusions[doc->index].verdict == PROSPECT_SATISFIED)
        r->outcome->was_so[doc->index] = true;
}

int run_order_stands(const struct run *r, struct arena *a, const struct step *step, struct err *err)
{
    const struct settings *settings = r->engine->settings;
    const char *name = value_str_at(step->detail, "orderedBy"), *why = NULL;
    const struct document *order = name ? desired_find(r->view.desired, "Activation", name) : NULL;

    for (size_t i = 0; order && settings->changed && !why && i < step->n_rulings; i++)
        if (step->rulings[i].by_order)
            why = settings->changed(settings->documents, a, order);
    if (!why)
        return 0;
    err_set(err, ERR_BLOCKED, "%s, and this was approved by it alone", why);
    return err_advise(err, "run again: the next run goes by what the documents say then");
}
