/* What is known of copies of a key that its store has refused: the same bytes are refused again, so they are not tried
 * again, nor is a pass run for one more copy of the same kind. Azure keeps no such record that can be read, so it is
 * noted beside the claims, in the staging accounts of the restores that rely on the key: what was refused, by which
 * store, with which answer. No secret is in a note. */
#ifndef REINSTATE_KEY_REFUSED_H
#define REINSTATE_KEY_REFUSED_H

#include "copies.h"

/* May suspend. Facts of a key that is absent: refused {NOTE: {copy, store, code, text, at, account, unusable?}}. */
must_use int key_observe_refused(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                                 struct err *err);

/* --- pure --------------------------------------------------------------------------------------------------------- */

/* What a copy is told by, whatever path it lies at: the digest of a file, name and time of a blob in escrow, job and
 * blob of an export. */
const char *key_copy_told_by(struct arena *a, const struct value *key_facts, const struct key_copy *copy);
const char *key_export_told_by(struct arena *a, const struct value *export);
/* The note of that copy's refusal by the store that is declared for the key; NULL. */
const struct value *key_refusal_of(const struct view *v, const struct document *key, const char *told_by);
/* The first refusal, by a store, of a copy that is there: of the user's own, or of an export of the
 * backups that are its sources. */
const struct value *key_refusal(const struct view *v, const struct document *key);
/* "the backup … was refused by …: …", and what a person does. */
const char *key_refusal_words(struct arena *a, const struct value *refusal);
/* Of a note that rests on a conflict alone: another point, or what lifts the note. NULL: of any other note. */
const char *key_refusal_lifted(struct arena *a, const struct value *refusal);
const char *key_refusal_advice(struct arena *a, const struct document *key, const struct value *refusal);
/* The staging account in which a refusal of this key's copies is noted: an ARM id; NULL: no restore
 * relies on the key. */
const char *key_refusals_account(struct arena *a, const struct document *key);

/* --- noting ------------------------------------------------------------------------------------------------------- */

/* What is noted of a copy. `other`: the name of the key that came back of it in place of the declared one; NULL: none,
 * the store has refused it. `machine`, `point`: of an export, what it was exported from; NULL. `unusable`: no store was
 * asked, it is no key's backup. */
struct copy_note {
    const char *told_by, *from, *other, *machine, *point;
    bool unusable;
};

/* May suspend. Notes that `refused` was the store's answer to that copy, or what it turned out to be. What cannot be
 * noted is said. */
must_use int key_note_refusal(struct call *c, const struct actor *actor, struct azure *az, const struct copy_note *copy,
                              const struct err *refused, struct err *err);

#define KEY_REFUSAL_PREFIX CLAIM_NOTE "refused-" /* of the names of notes */
/* The note's name holds the store too: another store may well open the same bytes. */
const char *key_refusal_note(struct arena *a, const struct value *key_facts, const char *told_by);

/* What a conflict over another name is noted as: nobody has seen that key. */
#define KEY_UNSEEN_HOLDER "another one, which was there already,"

#endif
