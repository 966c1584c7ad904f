/* Knows how an allowance of Azure's becomes a part of a plan's estimate. Must not know what a step does. */
#include "spends.h"

#include "../azure/arm.h"

void spends_add(struct steps *out, struct step *step, const struct allowance *of, const char *id)
{
    const char *subscription = id ? arm_id_part(out->arena, id, "subscriptions") : NULL;

    if (subscription)
        step_spend(out, step,
                   &(struct step_spend){.of = arena_printf(out->arena, "%s (%s)", of->name, subscription),
                                        .most = of->most,
                                        .per_second = of->per_second,
                                        .count = 1});
}
