/* Whether what is to be granted fits: a vault holds 1,024 access policies, a key of a managed HSM 10 local assignments
 * and the HSM itself 50, a subscription 4,000 role assignments. All that the documents ask for is counted together and
 * before anything is written: some grants of several make no restore possible. */
#ifndef REINSTATE_GRANT_ROOM_H
#define REINSTATE_GRANT_ROOM_H

#include "../documents/common.h"

enum { POLICY_LIMIT = 1024, ROLE_LIMIT = 4000 };

/* May suspend. Notes in the facts of a document that grants by Azure's roles how many assignments its subscription has,
 * as far as it can be seen. */
must_use int room_observe_roles(struct call *c, struct azure *az, struct arena *a, const char *scope,
                                struct value *facts, struct err *err);
/* Notes how many access policies the vault has, and in `who` (a principal, or the facts themselves)
 * whether it needs one more. */
void room_observe_policies(struct arena *a, const struct value *vault_live, const char *object_id, struct value *facts,
                           struct value *who);
/* Blocks the document when what it and the others need does not fit. true: it does not. */
bool room_lacks(const struct view *v, const struct document *doc, struct steps *out);

/* The local assignments of a managed HSM that count against the same limit as one at `scope`. */
size_t room_hsm_taken(const struct value *assignments, const char *scope);
/* How many there will be at the document's local scope once all that the documents ask for is granted,
 * and how many may be. */
size_t room_hsm_then(const struct view *v, const struct document *doc, size_t *ret_limit);

#endif
