/* Forecast and plan on one state of the world, held against each other. */
#ifndef REINSTATE_TEST_FORESEEN_H
#define REINSTATE_TEST_FORESEEN_H

#include "../contract/rig.h"
#include "../invariants.h"

struct foreseeing {
    struct pass *pass;
    struct value *extras;
};

static inline void foresee_task(struct call *c, void *arg)
{
    struct foreseeing *t = arg;
    struct pass *pass = t->pass;

    pass_task(c, pass);
    if (pass->looked)
        pass->looked = forecast_observe(c, pass->rig->engine.provider, &pass->look.view, &t->extras, &pass->err) == 0;
}

/* NULL, or in which way they differ on that RestoredVirtualMachine. */
static inline const char *forecast_differs(struct arena *a, const struct value *world, const struct estate *estate,
                                           const char *name)
{
    struct rig *r = rig_new(world, estate, (struct rig_options){.mode = HTTP_READ_ONLY});
    struct foreseeing t = {.pass = pass_new(a, r, estate->desired, true)};
    const struct document *rvm = desired_find(estate->desired, "RestoredVirtualMachine", name);
    struct forecast_options options = forecast_options_default;
    const struct view *view = &t.pass->look.view;
    const char *differs = NULL;
    struct view ordered;
    struct forecast f;

    r->settings.article = policy_article(estate->policy);
    r->settings.far = true;
    sched_main(r->sched, foresee_task, &t);
    if (t.pass->looked) {
        engine_suppose(&r->engine, a, view, SUPPOSE_LOSS, NULL, &ordered);
        options.ordered = &ordered;
        options.extras = t.extras;
        f = forecast_at(view, &options, document_target(rvm, "spec.from"), rvm, NULL);
        differs = invariant_forecast_agrees(a, &ordered, rvm, &f);
        differs = differs ? differs : invariant_alone(a, &r->engine, view, t.pass->look.plan);
    }
    rig_end(r, a);
    return differs;
}

#endif
