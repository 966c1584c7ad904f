/* What follows from the facts of a look, concluded once and before its first step. Each room makes its own part and is
 * the only one to read it: who asks order_for, key_needed, situation_of or export_elect is told what was concluded,
 * whoever asks and when. */
#ifndef REINSTATE_CONCLUDED_H
#define REINSTATE_CONCLUDED_H

#include "common.h"

struct order;
struct key_need;
struct situation;
struct export_election;
struct crowd;

/* By document index, made in this order, each from those before it; NULL: not made yet. */
struct concluded {
    const struct order *orders;               /* of RestoredVirtualMachines (backup/order.h) */
    const struct key_need *needs;             /* of Keys (keys/original.h) */
    const struct situation *situations;       /* of RestoredVirtualMachines, as seen (restore/situation.h) */
    const struct crowd *crowd;                /* of RestoredVirtualMachines (restore/checking.h) */
    const struct export_election *elections;  /* of Keys (restore/election.h) */
};

/* NULL: nothing is concluded, as while things are still looked at. */
static inline const struct concluded *concluded_of(const struct view *v)
{
    return v->concluded;
}

#endif
