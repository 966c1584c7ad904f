/* Claims as the kinds see them: what a restore or a pass claims, what the claim's writing takes, and what
 * is seen of the container. */
#ifndef REINSTATE_RESTORE_CLAIMS_H
#define REINSTATE_RESTORE_CLAIMS_H

#include "../backup/claim.h"
#include "situation.h"
#include "../backup/order.h"

/* --- pure --------------------------------------------------------------------------------------------------------- */

/* What a restore that is ordered claims, and what the pass for `key` does. */
struct claim_subject restore_claim(const struct view *v, const struct situation *s);
struct claim_subject export_claim(const struct view *v, const struct document *pvm, const struct document *key,
                                  const struct order *order);
/* Announces the writes of the claim in the staging account of `rvm`, and the right that they take; without it the step
 * is done all the same, unless a Policy says otherwise. */
void claim_writes(const struct view *v, const struct document *rvm, struct steps *out, struct step *step);
/* The same of the pass for `key`, which `rvm` pays for: its claim lies in one account for all machines on the key, and
 * in the account of `rvm` where that one takes none. */
void export_claim_writes(const struct view *v, const struct document *key, const struct document *rvm,
                         struct steps *out, struct step *step);
/* What our look at the staging account's blobs has shown. SHUT_OUT: its network rules refuse us. NO_RIGHT: neither our
 * token nor its keys let us in. */
enum claims_sight { CLAIMS_UNKNOWN, CLAIMS_SEEN, CLAIMS_SHUT_OUT, CLAIMS_NO_RIGHT };
enum claims_sight claims_sight(const struct value *place);
/* We can write blobs into the staging account neither by right nor with its keys. False when nobody can tell. */
bool claims_unwritable(const struct value *place);
/* Notes the claims that lie in the staging account. */
void claim_notes(const struct situation *s, const struct value *place, struct steps *out, struct step *step);

/* Whether a claim of this restore, or of the pass that its order pays for, names no job although it may have one.
 * False: there is none, it was not seen, or a person has taken it over. *ret stops the restore once the job would
 * have to be in the vault's list. */
struct obstacle;
bool claim_stands(const struct view *v, const struct situation *s, bool pass, struct obstacle *ret);
/* `name` is a claim that names no job, and what is ordered would claim the same. */
bool claim_open(const struct view *v, const char *name);
/* All claims in the staging accounts of the restores that are declared, each once: names. *ret_unseen: an account
 * could not be seen. */
struct value *claims_there(const struct view *v, bool *ret_unseen);

/* --- observing ---------------------------------------------------------------------------------------------------- */

/* May suspend. Sets `claims` among the facts of the place: state, count, names, why, code, writable, readable; with an
 * order in force also `restore` and `pass`, the newest claims of either with name and made. What cannot be seen is
 * told, no error. */
must_use int claims_observe(struct call *c, const struct observer *o, struct azure *az, const struct situation *s,
                            struct value *place, struct err *err);

/* What the claims in the staging accounts of a machine's declared restores say of a job that does not say it itself:
 * its point (one of `points`), type and target. Claims are read once for all jobs of a look, into *told, which begins
 * as NULL. */
must_use int claims_tell_job(struct call *c, const struct observer *o, struct azure *az, const struct value *points,
                             struct value **told, struct value *job, struct err *err);

#endif
