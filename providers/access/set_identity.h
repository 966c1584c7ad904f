/* By whose identity a disk encryption set uses its key. A system-assigned one comes into being with the set, so its
 * grants come after it; a user-assigned one is a resource of its own, whose grants must act before the set is made on
 * the key. */
#ifndef REINSTATE_SET_IDENTITY_H
#define REINSTATE_SET_IDENTITY_H

#include "../documents/common.h"

/* The principal a set acts by, as its body tells it: its system-assigned identity, where it has one, else the first of
 * its user-assigned ones; NULL: none is told. */
const char *set_principal(const struct value *live);
/* The set acts by a user-assigned identity: as declared (without a live body), or as it is. */
bool set_acts_by_user_assigned(const struct document *doc, const struct value *live);
/* The set's own update will give it a system-assigned identity, a principal that nobody knows yet. */
bool set_identity_comes(const struct document *doc, const struct value *live);
/* What a PUT says of the identity: all that is declared, nothing left out. */
struct value *set_identity_body(struct arena *a, const struct document *doc);
/* What is declared and the set lacks: NULL, or what a PATCH says, which keeps what the set has. */
struct value *set_identity_wanted(struct arena *a, const struct document *doc, const struct value *live);

/* May suspend. Completes the facts of a set by principalId: by whom it will act once it is as declared, as far as that
 * can be known; by further [object id], the other identities that it is declared with, or has where none is declared:
 * nobody says by which of several a set acts, so each of them counts, beside a system-assigned one as well, which is
 * the set's own whether it is declared or not, so that a grant to the set reaches it; by kept
 * [{identity, principalId?}], the managed ones it has and is not declared with, for nothing is taken from it; by
 * identityId, identityState and identityWhy, where a declared identity is absent or cannot be seen; by identityGone,
 * one that the set has and that is deleted; by identityUntold and identityUntoldWhy, one of which that cannot be told.
 */
must_use int set_identity_observe(struct call *c, struct azure *az, struct arena *a, const struct document *doc,
                                  struct value *facts, struct err *err);
/* The facts tell that the set has this identity, and that it is not declared. */
bool set_keeps_identity(const struct value *facts, const char *id);
/* The set acts, or may act, by identities that are there whatever becomes of it: their grants come before its writes.
 */
bool set_grants_first(const struct document *des, const struct value *facts);
/* Has those grants concluded along with the set, so that its writes come after them wherever it is concluded alone. */
void set_with_grants(const struct view *v, const struct document *des);
/* Every write of a set that acts by this principal comes after `step`, a grant to it or the wait until it acts. */
void set_after_grant(const struct view *v, struct steps *out, const char *object_id, const struct step *step);
/* The order of a grant and the set whose identity gets it: `des`, NULL for another principal. */
void grant_for_set(const struct view *v, struct steps *out, struct step *grant, const struct document *des,
                   const char *object_id);

#endif
