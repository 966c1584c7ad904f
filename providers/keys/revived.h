/* What is revoked and comes back all the same, because a key comes back with all its versions and a store with all its
 * keys. Whoever revoked it has said that it must not, so it is said before the write and waits for an approval of its
 * own. Pure. */
#ifndef REINSTATE_KEY_REVIVED_H
#define REINSTATE_KEY_REVIVED_H

#include "../documents/common.h"

/* The next document that revokes another version of this key; NULL: there is none left. *at: 0 at first. */
const struct document *key_revived_next(const struct view *v, const struct document *key,
                                        const struct index_entry **at);
/* Says at a step that brings the key back, or the store, which revoked ones come with it. */
void key_note_revived(const struct view *v, const struct document *key, struct steps *out, struct step *step);
void store_note_revived(const struct view *v, const struct document *store, struct steps *out, struct step *step);
/* "a person disables it: az keyvault …"; `revoking`: the Key document that revokes it. */
const char *key_disable_words(const struct view *v, const struct document *revoking);

#endif
