/* Whether the identities by which a disk encryption set acts hold what they need of a key before the set points to it.
 * A user-assigned one is asked by Azure at the very write, which is refused without (KeyVaultAccessForbidden). */
#ifndef REINSTATE_SET_RIGHTS_H
#define REINSTATE_SET_RIGHTS_H

#include "../documents/common.h"

/* May suspend. Completes the facts of a set, after set_identity_observe, by rights [{principalId, identity?, missing}]
 * of every identity that is there already, on the key it is declared with. What cannot be seen is left out: rightsWhy.
 */
must_use int set_rights_observe(struct call *c, const struct observer *o, struct azure *az, const struct document *key,
                                struct value *facts, struct err *err);
/* May suspend. The same for the identity by which a set that is there acts, where no document grants it its right: own
 * {principalId, key (the address of its document), missing}; left out where that cannot be seen. */
must_use int set_rights_observe_own(struct call *c, const struct observer *o, struct azure *az,
                                    const struct document *key, struct value *facts, struct err *err);
/* Blocks the set for each of them that lacks something which no document grants it. true: there was one. */
bool set_rights_block(const struct view *v, const struct document *set, const struct document *key, struct steps *out);
/* Why it cannot be told whether the identities that the set keeps may use the key; NULL: it can, or it keeps none. */
const char *set_rights_untold(const struct view *v, const struct document *set);
/* Says at a write of the set that its identities' rights could not be seen, if that is so. */
void set_rights_note(const struct view *v, const struct document *set, struct steps *out, struct step *step);

#endif
