/* How this call is given again: every command that is printed for people names the manifests and the options that this
 * one was given, as far as the printed command takes them, quoted for a shell. Texts are made below with "-f ..." in
 * that place, because plans are compared and sealed; each door to people fills it in. */
#ifndef REINSTATE_CALL_H
#define REINSTATE_CALL_H

#include "options.h"

/* Whose call it is; without one texts stay as they are. Set once by main(). */
void call_set(const struct options *o);
/* The simulated world has begun to move: from here on it is told as the one that --world-out keeps. */
void call_world_moves(void);
/* "reinstate plan -f ..." becomes "reinstate plan -f estate.yaml --world w.yaml"; without manifests "-f MANIFESTS". */
const char *call_filled(struct arena *a, const char *text);
/* The same in every text of a tree. */
struct value *call_filled_value(struct arena *a, const struct value *v);
/* The whole call once more, for a run that was stopped and goes on where the world stands; without the saved plan,
 * because the stopped run has outdated it. */
const char *call_again(struct arena *a);
/* One word as a shell takes it. */
const char *call_quoted(struct arena *a, const char *word);

#endif
