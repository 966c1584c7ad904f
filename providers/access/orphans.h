/* Grants that a set has left behind: made anew, or with its identity switched off and on, it is another principal, and
 * what the old one holds looks right at a glance. Pure. Nobody here removes one. */
#ifndef REINSTATE_ORPHANS_H
#define REINSTATE_ORPHANS_H

#include "../documents/common.h"

/* The principals seen for a KeyAccess that hold a set's rights although they are neither the identity of a known set
 * nor named by any KeyAccess: a list of {principalId, what, onKey?}. onKey: on this very key; others may use the store
 * too. */
const struct value *orphaned_grants(const struct view *v, const struct document *access);
/* One of them as a sentence. */
const char *orphaned_grant_words(struct arena *a, const struct value *one);

#endif
