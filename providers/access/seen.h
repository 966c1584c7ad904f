/* What is seen of rights on a key that nobody has declared: those of the set a VM was backed up with, when the manifests speak of
 * another set. Pure; from what the store and any KeyAccess of the store have read. */
#ifndef REINSTATE_ACCESS_SEEN_H
#define REINSTATE_ACCESS_SEEN_H

#include "rights.h"

/* A right that is not seen may stand where nobody has looked: then it is unknown, never lacking. */
enum seen_right { SEEN_UNKNOWN, SEEN_HELD, SEEN_LACKING };

/* May this user of the key use it? `set_live`: the body of the set whose identity is meant; only KEY_USER_DES asks for it. */
enum seen_right right_seen(const struct view *v, const struct document *key, enum key_user user, const struct value *set_live);

#endif
