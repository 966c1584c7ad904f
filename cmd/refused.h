/* Reads that Azure refused for want of a right. */
#ifndef REINSTATE_REFUSED_H
#define REINSTATE_REFUSED_H

#include "session.h"

/* Of all that this session has asked so far: [{action, scope, places}], each action once, with the first place at which
 * it was refused and how many there are. */
struct value *refused_reads(struct session *s);
/* For people: those that `t` does not name yet. */
void refused_write(struct text *t, struct arena *a, const struct value *reads);

#endif
