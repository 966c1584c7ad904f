/* The events of a run for machines: -o json of apply and watch, one object a line. */
#ifndef REINSTATE_EVENT_LINES_H
#define REINSTATE_EVENT_LINES_H

#include "events.h"
#include "options.h"

/* Listens to `e` from now on, where these options ask for lines. Each is of the shape of schemas/event.json, and is
 * written out at once: whoever reads them follows the run. */
void event_lines_begin(struct events *e, const struct options *o);

#endif
