/* What key vaults and managed HSMs have in common as resources: looked at alive and deleted, asserted fields, recovery,
 * purge protection. */
#ifndef REINSTATE_KEY_STORE_H
#define REINSTATE_KEY_STORE_H

#include "../documents/common.h"

/* How one kind of store is called. */
struct store_words {
    const char *noun;         /* "key vault" */
    const char *deleted_type; /* "deletedVaults" */
    const char *live_type;    /* "vaults" */
    const char *write_action; /* "Microsoft.KeyVault/vaults/write" */
    const char *role;         /* a built-in role that holds it */
    const char *source;       /* where recovery is described */
    const char *scenario;     /* row of a soft-deleted one; may be NULL */
    const char *lost;         /* what does not come back with it */
};

/* May suspend. Facts: state, id, base, live (ARM body), deleted (the body among the deleted ones), taken and unlisted
 * (store_name.h), home {state} (of an absent or deleted one: the group it comes back into), settling (true while it is
 * in the making: its name does not resolve yet). */
must_use int store_observe(struct call *c, const struct observer *o, const struct store_words *words,
                           struct value **ret, struct err *err);

/* The step that recovers a soft-deleted store; approved by an order in force for a VM whose key is in it. Blocked where
 * it would come back in another group, subscription or region than declared, or its group is gone. */
void store_recover(const struct view *v, const struct document *doc, struct steps *out,
                   const struct store_words *words);

/* Blocks what would make the store, or bring it back, where something seen stands against that (store_name.h). true:
 * a step was added. */
bool store_block_held(const struct view *v, const struct document *doc, const char *suffix, struct steps *out);
/* The region that a step's request names. */
const char *store_step_location(const struct step *step);

/* Waits for one that is in the making; true: a step says so. */
bool store_settle(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words);

/* Fields that are looked at, never changed, and where ARM shows them. */
struct store_assertion {
    const char *field, *live_path, *advice;
};
void store_assert(const struct view *v, const struct document *doc, struct steps *out,
                  const struct store_assertion *all, size_t n);

/* Pure. Whether purge protection is seen to be off: of the store that is there, or of the deleted one as it would come
 * back. */
bool store_unprotected(const struct view *v, const struct document *store);
/* Turns purge protection on where it is declared and off. */
void store_protect(const struct view *v, const struct document *doc, struct steps *out,
                   const struct store_words *words);
struct value *store_protect_body(struct arena *a);
/* May suspend. Sends a step's body: a PATCH to update, else a PUT that is followed to its end; or
 * waits for that end. */
must_use int store_act(struct call *c, const struct actor *actor, const struct store_words *words,
                       const struct value *body, struct err *err);

/* When a soft-deleted store is purged. */
void store_deadlines(const struct view *v, const struct document *doc, struct arena *a, const struct store_words *words,
                     struct deadline **items, size_t *count);

#endif
