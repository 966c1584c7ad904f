/* What the files of the kind Key share: where its copies are, and the steps and acts that bring it back. */
#ifndef REINSTATE_KEY_PARTS_H
#define REINSTATE_KEY_PARTS_H

#include "../azure/blob.h"
#include "key_document.h"
#include "order.h"

/* --- what is common to its steps (key_document.c). Pure. --- */

const char *key_address(const struct view *v, const struct document *key);
/* [{version, created, enabled, exp, nbf}] of the data plane's list of versions. */
struct value *key_versions(struct arena *a, const struct value *list);
bool key_source_declared(const struct document *key, const char *member);
/* Notes at a step that more than one version may be meant, and by which evidence. */
void key_note_evidence(const struct view *v, const struct document *key, struct steps *out, struct step *step);

/* --- the user's own copies of the key (key_copies.c) --- */

/* The path of a `file` source as the process opens it: relative ones are meant relative to the manifest. Pure. */
const char *key_file_path(struct arena *a, const struct value *source);
/* Facts: files [{path, state}] of the declared file sources. */
void key_observe_files(struct arena *a, const struct document *key, struct value *facts);
/* May suspend. Facts: escrow {state, why, blobs [{name, version, created, versions, store}]}, newest first; nothing without
 * a declared one. */
must_use int key_observe_escrow(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                                struct err *err);
/* The step that keeps a backup of the newest version, when there is none yet; and what hinders it. Pure. */
void key_steps_escrow(const struct view *v, const struct document *key, struct steps *out);
/* What the blob tells of itself: the versions it holds, newest first, and the store it was taken of. Pure. */
struct value *key_escrow_metadata(struct arena *a, const struct value *facts);
/* May suspend. Does that step. */
must_use int key_act_escrow(struct call *c, const struct actor *actor, struct azure *az, struct err *err);
/* May suspend. Reads the copy that key_own_copy named into wiped memory. */
must_use int key_fetch_copy(struct call *c, const struct actor *actor, struct azure *az, const struct key_copy *copy, struct secret *ret,
                            struct err *err);

/* --- a key that is gone (key_lost.c). Pure. --- */

void key_steps_absent(const struct view *v, const struct document *key, struct steps *out);

/* --- doing it (key_acts.c) --- */

must_use int key_act(struct call *c, const struct actor *actor, struct err *err);

#endif
