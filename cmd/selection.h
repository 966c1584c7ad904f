/* The part of an estate that a selector of labels means. */
#ifndef REINSTATE_SELECTION_H
#define REINSTATE_SELECTION_H

#include "../reconciler/model/desired.h"

/* `all` as -l chooses it: what has the labels, what that refers to, the grants of what it restores, its part of the
 * orders. Whatever else may bear on a chosen key, store or set is loaded beside it (desired_beside), because a guard
 * that is not loaded guards nothing: a revoked document of the same key, a machine whose backup needs another version.
 * NULL: no document has these labels, which `diags` says. */
const struct desired *selection_make(struct arena *a, const struct schemas *schemas, const char *const *kinds,
                                     const struct desired *all, const char *selector, struct diags *diags);

#endif
