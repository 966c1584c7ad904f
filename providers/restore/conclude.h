/* The conclusions of a look: the order in force, the version each key is needed in and what says so, who exports a lost
 * key, the situation of each machine that would come back, and all that stands against it. Each is made once, when it
 * is asked for first; steps, forecast, impact, runbook, activate, drift and the last lines of a run read them by
 * order_for, key_needed, export_elect, situation_of and restore_obstacles. Pure. */
#ifndef REINSTATE_CONCLUDE_H
#define REINSTATE_CONCLUDE_H

#include "situation.h"

/* Of the look as a whole, before its first step: where its conclusions are kept. */
const void *conclude_look(const struct view *v);

/* Of one RestoredVirtualMachine, when what it relies on is concluded, just before its own steps. */
struct restore_conclusion {
    struct situation situation;
    const struct obstacle *obstacles;
    size_t n_obstacles;
};
const void *conclude_restore(const struct view *v, const struct document *restored_vm);

#endif
