/* sim --play: a scenario happens to a simulated Azure, without anybody listening. */
#ifndef REINSTATE_PLAY_H
#define REINSTATE_PLAY_H

#include "options.h"

/* Sends every request of o->play to the world o->world and leaves the world at o->world_out. Returns the exit code. */
int play(const struct options *o);

#endif
