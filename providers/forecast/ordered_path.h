/* What an order would have done before the restore itself: the path that plan shows, in the letters of the scenario table. Pure. */
#ifndef REINSTATE_ORDERED_PATH_H
#define REINSTATE_ORDERED_PATH_H

#include "../documents/common.h"

/* The letters of all steps that the restore needs, in the order of the plan. `ordered`: of engine_if_ordered. */
const char *ordered_letters(const struct view *ordered, const struct document *restored_vm);
/* The first step that the restore needs, itself included, and policy withholds; NULL: none. */
const struct step *withheld_step(const struct view *v, const struct document *restored_vm);

#endif
