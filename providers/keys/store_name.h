/* Who holds the name of a store that is not where it is declared. A store's name is the only one of its cloud, and a
 * soft-deleted store keeps it: in whatever group, region and subscription it lay. */
#ifndef REINSTATE_STORE_NAME_H
#define REINSTATE_STORE_NAME_H

#include "store.h"

/* Where a soft-deleted store lay, and would come back: its ARM id; NULL when its body does not say. */
const char *store_deleted_id(const struct value *deleted);

/* May suspend. Looks for the name in every subscription that the manifests name. Adds to facts: deleted (and sets
 * state), or taken {id, location} (a live one), and unlisted [{subscription, why}]: subscriptions that could not be
 * searched; the look goes on without them. */
must_use int store_name_observe(struct call *c, const struct observer *o, const struct store_words *words,
                                const char *store_id, struct value *facts, struct err *err);
/* May suspend. Adds home {state}: the group into which the store comes back, or would be made. */
must_use int store_home_observe(struct call *c, const struct observer *o, const char *store_id, struct value *facts,
                                struct err *err);

/* Pure. Why the store can neither come back nor be made where it is declared, as words, and what to do; NULL: nothing
 * seen hinders it. */
const char *store_held_up(const struct view *v, const struct document *store, const char **ret_next);
/* Pure. Notes at a step that makes the store where nobody could look for its name. */
void store_name_notes(const struct view *v, const struct document *store, struct steps *out, struct step *step);

#endif
