/* What the files of kind KeyAccess share: key_access.c looks at all principals and acts, key_access_principal.c knows
 * the step of one, key_access_identities.c whom that step grants, key_access_model.c by which permission model it is
 * granted. Pure. */
#ifndef REINSTATE_KEY_ACCESS_H
#define REINSTATE_KEY_ACCESS_H

#include "../documents/common.h"
#include "../access/rights.h"

/* As its own document has seen it; a vault that only an id names was read for this one. */
const struct value *key_access_vault(const struct view *v, const struct document *doc, const struct value *facts);
/* The role a principal gets under Azure's roles: the one declared for it, else the narrowest. */
const struct role_facts *key_access_role(const struct document *doc, size_t i, enum key_user user);
/* Its store is a managed HSM, which has roles of its own. */
bool key_access_by_hsm(const struct document *doc);
/* The permission model: the live vault's; for an absent vault the declared one, or the one that it would be made with.
 * NULL: cannot be told, and then nothing is granted, because a grant by the wrong model has no effect. */
const char *key_access_model(const struct view *v, const struct document *doc);
bool key_access_by_rbac(const struct view *v, const struct document *doc);

/* The i-th principal is a set whose own step makes the identity by which it will act: it is granted after that step,
 * and no write of the set waits for it. */
bool key_access_after_set(const struct view *v, const struct document *doc, size_t i);

/* Notes in `p` that the at-th of its identities lacks something, where it does: it alone is granted it, for Azure
 * refuses a grant that is there. */
void key_access_lacking(struct arena *a, struct value *p, const struct value *judged, size_t at);
/* Tells at a step whom it grants: of the identities of a principal that are known, those that lack something; where all
 * hold their rights by what may not come back, all. `anew`: before them comes one that nobody knows yet. */
void key_access_identities(const struct view *v, struct steps *out, struct step *step, const struct value *p,
                           bool anew);

/* Adds what the i-th principal lacks. `grants`: the steps, of other documents too, whose grants it waits for. */
void key_access_principal_steps(const struct view *v, const struct document *doc, struct steps *out, size_t i,
                                struct step **grants, size_t *n_grants);

#endif
