/* The copies of a key that the user keeps: files of backups, and the escrow. */
#ifndef REINSTATE_KEY_COPIES_H
#define REINSTATE_KEY_COPIES_H

#include "../azure/blob.h"
#include "key_facts.h"

/* A copy of the key that the user has and that can be used now: the cheapest way to bring a lost one back. */
enum key_copy_kind { KEY_COPY_NONE, KEY_COPY_FILE, KEY_COPY_ESCROW };
struct key_copy {
    enum key_copy_kind kind;
    const char *path;         /* of a file */
    const struct value *blob; /* of the escrow's facts */
};
struct key_copy key_own_copy(const struct view *v, const struct document *key);
/* The n-th of them, in the order in which they are tried; KEY_COPY_NONE after the last. `any`: also those that the
 * store of the key has refused before (refused.h). */
struct key_copy key_any_copy_at(const struct view *v, const struct document *key, size_t n);
struct key_copy key_own_copy_at(const struct view *v, const struct document *key, size_t n);
/* Of a Key's facts: its escrow holds a backup of the newest version. */
bool key_escrowed(const struct value *facts);
/* The path of a `file` source as the process opens it: relative ones are meant relative to the manifest. Pure. */
const char *key_file_path(struct arena *a, const struct value *source);
/* Where a file source leads: inside its manifest's folder, or below one of the `allowed`; a fault otherwise. A manifest
 * that somebody else wrote does not choose what is read on this machine. */
void key_files_check(struct arena *a, const struct document *key, const char *const *allowed, size_t n_allowed,
                     struct diags *diags);
/* Facts: files [{path, state, digest}] of the declared file sources. */
void key_observe_files(struct arena *a, const struct document *key, struct value *facts);
/* May suspend. Facts: escrow {state, why, fix, container, blobs [{name, version, created, versions, store}]}, newest
 * first, and while a backup is due account (its id) and subscription, where a declared one has it; nothing without a
 * declared escrow. */
must_use int key_observe_escrow(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                                struct err *err);
/* What a backup of that version of a key (its facts) is called in an escrow. Pure. */
const char *key_escrow_name(struct arena *a, const struct value *facts, const char *version);
/* The step that keeps a backup of the newest version, when there is none yet; and what hinders it. `after`: the step
 * that brings the key back, so that the plan tells from the start what will be asked of whom; NULL: the key is there.
 * Pure. */
void key_steps_escrow(const struct view *v, const struct document *key, struct steps *out, const struct step *after);
/* What the blob tells of itself: the versions it holds, newest first, and the store it was taken of. Pure. */
struct value *key_escrow_metadata(struct arena *a, const struct value *facts);
/* May suspend. Does that step. */
must_use int key_act_escrow(struct call *c, const struct actor *actor, struct azure *az, struct err *err);
/* May suspend. Reads the copy that key_own_copy named into wiped memory. */
must_use int key_fetch_copy(struct call *c, const struct actor *actor, struct azure *az, const struct key_copy *copy,
                            struct secret *ret, struct err *err);

#endif
