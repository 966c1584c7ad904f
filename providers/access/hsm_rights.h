/* Who needs which rights on a key in a managed HSM, which local roles hold them, and who has them over its scopes. Pure
 * data and pure functions. Source: Microsoft Learn: Managed HSM local RBAC built-in roles, and service limits, August
 * 2026; restore confidential VMs with Azure Backup, 2026-07-22; Azure CLI quickstart for confidential VMs. */
#ifndef REINSTATE_HSM_RIGHTS_H
#define REINSTATE_HSM_RIGHTS_H

#include "rights.h"

#define HSM_ACTION "Microsoft.KeyVault/managedHsm/"

/* Of one key scope; warned about from HSM_KEY_WARN on. */
enum { HSM_KEY_LIMIT = 10, HSM_KEY_WARN = 8, HSM_LIMIT = 50 };

struct hsm_role {
    const char *name, *id;
    const char *data_actions[14]; /* those that occur here; NULL-terminated */
};
extern const struct hsm_role hsm_roles[];
extern const size_t n_hsm_roles;
/* Whole ids are compared: Crypto User and Crypto Service Release User differ in the last digit. NULL:
 * not a built-in one. */
const struct hsm_role *hsm_role_by_id(const char *guid_or_definition_id);
const struct hsm_role *hsm_role_by_name(const char *name);

/* What a user of a confidential VM's key needs there, and the two roles for it: the one Microsoft's article on
 * restoring names, and the one that holds what is needed and little else. */
struct hsm_key_rights {
    const char *data_actions[4];
    const char *documented, *working; /* names */
    const char *difference;           /* what sets them apart; NULL: they are the same */
};
extern const struct hsm_key_rights hsm_key_rights[KEY_USER_COUNT];

/* The local scope of a key: "/keys/NAME". */
char *hsm_key_scope(struct arena *a, const char *key_name);
/* True if an assignment at `scope` reaches `of`: "/" reaches all, "/keys" every key. */
bool hsm_scope_covers(const char *scope, const char *of);

/* Assignments are lists of {principalId, roleDefinitionId, scope, dataActions? (of a role that is no built-in one)}. */
/* The actions `needed` (NULL-terminated) that the principal lacks at the scope, over it and the scopes
 * above: a list of strings. */
struct value *hsm_missing(struct arena *a, const struct value *assignments, const char *object_id, const char *scope,
                          const char *const *needed);
bool hsm_role_held(const struct value *assignments, const char *object_id, const char *scope, const char *role_id);
/* How many assignments, of whomever, are made at exactly this scope. */
size_t hsm_assignments_at(const struct value *assignments, const char *scope);

/* What we ourselves need to do something to a key, by the kind of its store: a step_right of the step. */
enum key_right {
    KEY_RIGHT_READ,
    KEY_RIGHT_RECOVER,
    KEY_RIGHT_RESTORE,
    KEY_RIGHT_CREATE,
    KEY_RIGHT_UPDATE,
    KEY_RIGHT_BACKUP
};
void key_right(const struct view *v, struct steps *out, struct step *step, const struct document *key,
               enum key_right what);

#endif
