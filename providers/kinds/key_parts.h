/* What the files of the kind Key share: the steps and acts that bring it back. */
#ifndef REINSTATE_KEY_PARTS_H
#define REINSTATE_KEY_PARTS_H

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

/* --- doing it (key_acts.c) ---------------------------------------------------------------------------------------- */

must_use int key_act(struct call *c, const struct actor *actor, struct err *err);

#endif
