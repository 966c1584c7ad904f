/* The part of an estate that -l and --target mean. */
#ifndef REINSTATE_SELECTION_H
#define REINSTATE_SELECTION_H

#include "options.h"
#include "../reconciler/model/desired.h"

struct selection;

/* What these options select: what has the labels, and the targets; NULL: they select nothing, and all is meant. */
must_use int selection_read(struct arena *a, const struct options *o, const struct selection **ret, struct err *err);
bool selection_means(const struct selection *s, const struct document *doc);
/* "has the labels app=payroll or is Key/os": for messages. */
const char *selection_words(struct arena *a, const struct options *o);

/* `all` as it is selected: what is meant, what that refers to, the grants of what it restores, its part of the orders.
 * Whatever else may bear on a chosen key, store or set is loaded beside it (desired_beside), because a guard that is
 * not loaded guards nothing: a revoked document of the same key, a machine whose backup needs another version.
 * Both by what documents declare and speak of, however they write it (struct naming).
 * NULL: nothing is meant, or a target is not there, which `diags` says. */
const struct desired *selection_make(struct arena *a, const struct schemas *schemas, const struct naming *naming,
                                     const struct desired *all, const struct options *o, struct diags *diags);

#endif
