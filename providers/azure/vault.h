/* The data plane of key vaults and managed HSMs: the same paths, told apart by the host, each with
 * its own token audience. */
#ifndef REINSTATE_VAULT_H
#define REINSTATE_VAULT_H

#include "arm.h"

/* All may suspend. A 401 is answered with a new token once; the challenge's resource must fit the host. ERR_NOT_FOUND
 * for an absent key; ERR_DENIED keeps the inner code (ForbiddenByRbac, ForbiddenByFirewall, …) in err->code. */
must_use int vault_get_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                           const char *version, struct value **ret, struct err *err);
must_use int vault_list_versions(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                                 struct value **ret, struct err *err);
must_use int vault_get_deleted_key(struct azure *az, struct call *c, struct arena *a, const char *base,
                                   const char *name, struct value **ret, struct err *err);
/* Recovers and waits until GET shows the key (bounded). */
must_use int vault_recover_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                               int64_t bound_ms, struct value **ret, struct err *err);
/* `backup` is the raw backup blob; the request body is built in wiped memory. 409 is ERR_CONFLICT. */
must_use int vault_restore_key(struct azure *az, struct call *c, struct arena *a, const char *base,
                               const struct secret *backup, struct value **ret, struct err *err);
/* A backup of the key with all its versions, cut out of the answer and decoded in wiped memory. */
must_use int vault_backup_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                              struct secret *ret, struct err *err);
must_use int vault_update_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                              const char *version, const struct value *body, struct value **ret, struct err *err);
/* Pure: the body that creates a confidential VM key; `release_policy` is JSON text. */
struct value *vault_create_body(struct arena *a, const char *release_policy);
/* Creates a confidential VM key (bootstrap only): RSA-HSM 3072, exportable, with the release policy
 * given as JSON text. */
must_use int vault_create_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                              const char *release_policy, struct value **ret, struct err *err);
/* Local RBAC of a managed HSM. `scope` is "/", "/keys" or "/keys/NAME". */
/* May suspend. What Azure lists at the scope: assignments of other scopes may be among them, those of single keys below
 * are not. Whoever asks looks at properties.scope. */
must_use int hsm_list_assignments(struct azure *az, struct call *c, struct arena *a, const char *base,
                                  const char *scope, struct value **ret, struct err *err);
struct value *hsm_assignment_body(struct arena *a, const char *role_id, const char *principal);
/* May suspend. PUTs the assignment. If an assignment of this name is there, an equal one is success and
 * a different one ERR_CONFLICT. */
struct hsm_grant {
    const char *base, *scope, *name, *role_id, *principal;
};
must_use int hsm_put_assignment(struct azure *az, struct call *c, struct arena *a, const struct hsm_grant *grant,
                                struct err *err);
/* May suspend. Every role definition of the HSM, built-in and custom, as one may list them at the scope. */
must_use int hsm_list_definitions(struct azure *az, struct call *c, struct arena *a, const char *base,
                                  const char *scope, struct value **ret, struct err *err);
/* "https://NAME.managedhsm.azure.net/keys/NAME/providers/Microsoft.Authorization/roleAssignments" of a scope. */
char *hsm_assignments_url(struct arena *a, const char *base, const char *scope);

/* The version in a kid URL, or NULL. */
const char *vault_kid_version(const char *kid);

/* Which store a backup blob came from, by its shape. Bytes of another shape are sent nowhere: they might be a password
 * or a token. */
enum backup_home { BACKUP_HOME_VAULT, BACKUP_HOME_HSM, BACKUP_HOME_UNKNOWN };
enum backup_home vault_backup_home(const struct secret *backup);

#endif
