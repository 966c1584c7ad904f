/* The screen while steps run: what happened is a line that stays, and below those, on a terminal, a few lines change in
 * place (live.h). On standard error. */
#ifndef REINSTATE_PROGRESS_H
#define REINSTATE_PROGRESS_H

#include "events.h"

struct progress;

/* Listens to `e` from now on; `quiet`: shows nothing but that the run was told to stop. */
struct progress *progress_new(struct events *e, bool quiet);
void progress_free(struct progress *p);

/* Brings the changing lines up to date; does nothing away from a terminal. */
void progress_tick(struct progress *p);
/* Takes the changing lines away. */
void progress_clear(struct progress *p);

#endif
