/* What a step asks of Azure's allowances, so that a plan's estimate counts the time they need. */
#ifndef REINSTATE_DOCUMENTS_SPENDS_H
#define REINSTATE_DOCUMENTS_SPENDS_H

#include "../../reconciler/model/step.h"
#include "../azure/allowances.h"

/* Once of that allowance, of the subscription that `id` is in; NULL id: nothing. */
void spends_add(struct steps *out, struct step *step, const struct allowance *of, const char *id);

#endif
