/* What the files of the kind Key share: the steps and acts that bring it back. */
#ifndef REINSTATE_KEY_PARTS_H
#define REINSTATE_KEY_PARTS_H

#include "../keys/copies.h"
#include "../keys/key_facts.h"
#include "../restore/election.h"

/* --- a key that is there (key_present.c). Pure. ------------------------------------------------------------------- */

/* What is still due of it, and what is wrong with it. */
void key_present_steps(const struct view *v, const struct document *key, struct steps *out);
#define SOURCE_ABOUT_KEYS "Microsoft Learn, Key Vault, about keys"
#define UNFIT_ADVICE "a person decides: this cannot be added to an existing key (" SOURCE_ABOUT_KEYS ")"

/* --- a key that is gone (key_lost.c). Pure. ----------------------------------------------------------------------- */

void key_steps_absent(const struct view *v, const struct document *key, struct steps *out);
/* Waits, and returns true, when the key comes back by another document of it (key_with.c). */
bool key_steps_with_another(const struct view *v, const struct document *key, struct steps *out);

/* --- where a copy comes from (key_fetch.c) ------------------------------------------------------------------------ */

struct key_source {
    const struct key_copy *copy; /* the user's own; of the kind KEY_COPY_NONE: the export */
    const struct value *export;
};
/* "your own backup …", "the exported key of job …" */
const char *key_source_words(struct arena *a, const struct key_source *source);
/* May suspend. *ret_read: an export was read, whole and as it is kept, so what is wrong with it stays wrong. */
must_use int key_source_fetch(struct call *c, const struct actor *actor, struct azure *az,
                              const struct key_source *source, struct secret *ret, bool *ret_read, struct err *err);
/* May suspend. Is what the store has refused the copy as it is kept? Bytes that were damaged on their way to us condemn
 * nothing: *ret_other says that others came this time, and they are in `bytes`. False: it cannot be read again. */
bool key_source_as_kept(struct call *c, const struct actor *actor, struct azure *az, const struct key_source *source,
                        struct secret *bytes, bool *ret_other);

/* --- doing it (key_acts.c) ---------------------------------------------------------------------------------------- */

must_use int key_act(struct call *c, const struct actor *actor, struct err *err);

#endif
