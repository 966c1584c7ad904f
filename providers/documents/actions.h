/* What only Azure's documents do, beside what everything that is declared may need (step.h). */
#ifndef REINSTATE_ACTIONS_H
#define REINSTATE_ACTIONS_H

#include "../../reconciler/model/step.h"

#define ACTION_EXPORT_KEY  ((enum action)ACTION_OWN_EARLY)
#define ACTION_RESTORE_KEY ((enum action)(ACTION_OWN_EARLY + 1))
#define ACTION_ESCROW_KEY  ((enum action)(ACTION_OWN_EARLY + 2)) /* a backup of a key into a place of the user's own */
#define ACTION_RESTORE_VM  ((enum action)ACTION_OWN_LATE)
#define ACTION_START_VM    ((enum action)(ACTION_OWN_LATE + 1))

#endif
