/* Who needs which rights on a key, in each permission model, and who has them. Pure data and pure functions.
 * Source: Microsoft Learn: assign a Key Vault access policy, August 2026; Azure built-in roles, security, 2026-02-23;
 * Azure CLI quickstart for confidential VMs. */
#ifndef REINSTATE_RIGHTS_NEEDED_H
#define REINSTATE_RIGHTS_NEEDED_H

#include "../documents/common.h"

enum key_user { KEY_USER_DES, KEY_USER_ORCHESTRATOR, KEY_USER_BACKUP, KEY_USER_COUNT };

struct key_rights {
    const char *who;             /* "the disk encryption set's identity" */
    const char *loses;           /* what breaks without the grant */
    const char *policy[4];       /* key permissions of an access policy; NULL-terminated */
    const char *data_actions[4]; /* data actions of Azure RBAC; NULL-terminated */
    const char *role, *role_id;  /* the built-in role granted under Azure RBAC */
};
extern const struct key_rights key_rights[KEY_USER_COUNT];

/* The data actions of the built-in roles that occur on keys; NULL when the role is not one of them. */
struct role_facts {
    const char *name, *id;
    const char *data_actions[6]; /* may hold wildcards */
};
extern const struct role_facts known_roles[];
extern const size_t n_known_roles;
const struct role_facts *role_by_id(const char *guid_or_definition_id);
const struct role_facts *role_by_name(const char *name);

/* Does the principal hold this very role, whatever else gives it the same rights? *ret_since as below. */
bool rbac_role_held(const struct value *assignments, const char *object_id, const char *role_id, int64_t *ret_since);
/* Whether an entry of a vault's accessPolicies acts for a principal on its own: one of another tenant than the vault's
 * does not, and one with an applicationId counts only for that application on the principal's behalf. */
bool policy_entry_acts(const struct value *vault_live, const struct value *entry);
/* Entries of the principal that do not act, in words; NULL: there are none. */
const char *policy_idle(struct arena *a, const struct value *vault_live, const char *object_id);
/* The very assignment that a grant would make is there, under a condition: Azure takes no second
 * one, and the condition stays. */
bool rbac_held_on_condition(const struct value *assignments, const char *object_id, const char *role_id,
                            const char *scope);
/* A group that holds that role without a condition, by its object id; NULL: none does. */
const char *rbac_group_with(const struct value *assignments, const char *role_id);
/* Groups hold all that the principal lacks of `needed`, by whatever roles: whether it is in them is not read here, so
 * that what it lacks cannot be told. */
bool rbac_groups_may_give(struct arena *a, const struct value *assignments, const char *object_id,
                          const char *const *needed);
/* Assignments to the principal that hold under a condition, in words; NULL: there are none. Whether the condition lets
 * the key be used cannot be told, so they count as no right. */
const char *rbac_conditioned(struct arena *a, const struct value *assignments, const char *object_id);
/* The permissions `needed` (NULL-terminated) that the principal lacks among a vault's accessPolicies:
 * a list of strings. */
struct value *policy_missing(struct arena *a, const struct value *vault_live, const char *object_id,
                             const char *const *needed);
/* The data actions that the principal lacks among role assignments (a list of {principalId, roleDefinitionId,
 * dataActions?}); *ret_since is the latest createdOn among the assignments that grant them, TIME_NONE when not told. */
struct value *rbac_missing(struct arena *a, const struct value *assignments, const char *object_id,
                           const char *const *needed, int64_t *ret_since);

#endif
