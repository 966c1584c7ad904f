/* The path of a forecast: remedies, then the restore, in words and in time. Pure. */
#ifndef REINSTATE_FORECAST_PATH_H
#define REINSTATE_FORECAST_PATH_H

#include "forecast.h"
#include "outlook.h"

/* The cheapest way that is open: what mends the key or its store, and with it what mends set and grants. Behind a
 * person's act a way is open only once that person has acted. Empty when none is. */
const enum dx_remedy *path_of(const struct outlook *o, const enum dx_remedy *remedies, bool *ret_person);
/* Would the request name the declared set? */
bool path_names_set(const struct forecast *f);
/* Fills in the path of the forecast: steps, words, time. `person`: see path_of. */
void path_tell(struct forecast *f, bool person);

#endif
