/* What is seen of rights on a key that nobody has declared: those of the set a VM was backed up with, when the
 * manifests speak of another set. Pure; from what the store and any KeyAccess of the store have read. */
#ifndef REINSTATE_ACCESS_SEEN_H
#define REINSTATE_ACCESS_SEEN_H

#include "rights.h"

/* LACKING only where all places were looked at; a right that may stand where nobody looked is UNKNOWN, so that no
 * restore is refused for it. */
enum seen_right { SEEN_UNKNOWN, SEEN_HELD, SEEN_LACKING };

/* May this user of the key use it? `set`: the facts of the set whose identity is meant; only KEY_USER_DES asks for
 * them. The identity that a set is yet to get from Azure holds nothing. */
enum seen_right right_seen(const struct view *v, const struct document *key, enum key_user user,
                           const struct value *set);
/* The object id of this user of keys, as far as any document has looked it up; NULL: none has. `set` as above. */
const char *user_seen(const struct view *v, enum key_user user, const struct value *set);
/* Some document grants this user what it needs of the key, or of its whole store, or several that spell out grants do
 * together with what they have seen: then these are what is judged. One too weak, or on another key, is no such grant.
 * `set`: whose identity is meant, for KEY_USER_DES. */
bool right_declared(const struct view *v, const struct document *key, enum key_user user, const struct document *set);
/* The same of one principal, which a document may name by its object id. `set` NULL: it is no declared one's. */
bool right_declared_to(const struct view *v, const struct document *key, enum key_user user, const struct document *set,
                       const char *object_id);

#endif
