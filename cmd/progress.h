/* The screen while steps run: lines that change in place on a terminal, plain dated lines
 * elsewhere. On standard error. */
#ifndef REINSTATE_PROGRESS_H
#define REINSTATE_PROGRESS_H

#include "../reconciler/engine/engine.h"

struct progress;

struct progress *progress_new(const struct sched *s);
void progress_free(struct progress *p);

/* For struct engine: ctx is the progress. */
void progress_event(void *ctx, enum engine_event event, const struct step *step, const char *line, int64_t elapsed_ms);
/* A line of its own, dated. */
void progress_note(struct progress *p, const char *fmt, ...) printf_like(2, 3);
/* The run was told to end: says what is waited for and what a second signal does, once. */
void progress_interrupted(struct progress *p);
/* Brings the elapsed times up to date; does nothing away from a terminal. */
void progress_tick(struct progress *p);
/* Takes the changing lines away. */
void progress_clear(struct progress *p);

#endif
