/* The lines that change in place while steps run: how many steps are over, when all is expected to be, and of each step
 * that runs its number, how long it runs of how long, what it waits for and the job's own state. */
#ifndef REINSTATE_LIVE_H
#define REINSTATE_LIVE_H

#include "../reconciler/model/report.h"
#include "events.h"

/* At most `rows` lines, none wider than `width` (so that no terminal breaks one in two). Nothing when no step runs. */
void live_write(struct text *out, struct events *e, size_t width, size_t rows);

#endif
