/* Granting, whatever document asks for it: one role assignment or one access policy entry. */
#ifndef REINSTATE_GRANT_H
#define REINSTATE_GRANT_H

#include "../azure/vault.h"
#include "../documents/common.h"

/* ARM id of a role definition in a subscription. */
char *role_definition_id(struct arena *a, const char *subscription, const char *role_id);
/* The assignment's name: the same for the same scope, principal and role, so that a repeated PUT
 * is the same assignment. */
char *role_assignment_name(struct arena *a, const char *scope, const char *principal, const char *role_id);

/* Pure: what granting sends. */
struct value *role_assignment_body(struct arena *a, const char *scope, const char *principal, const char *role_id);
struct value *access_policy_body(struct arena *a, const char *tenant, const char *principal,
                                 const struct value *permissions);

/* May suspend. Role assignments at a scope and above it, with what their roles permit where the role is not a known
 * one: a list of {principalId, roleDefinitionId, scope, createdOn, condition?, permissions?}. */
must_use int role_assignments_read(struct azure *az, struct call *c, struct arena *a, const char *scope,
                                   const struct value **ret, struct err *err);
/* May suspend. The same out of the list of the whole subscription; NULL: that is not to be had, or dearer. */
must_use int role_assignments_listed(struct azure *az, struct call *c, struct arena *a, const char *scope,
                                     const struct value **ret, struct err *err);
/* May suspend. PUTs the assignment; one that exists already (under any name) is success. A principal that the directory
 * does not know yet is tried again for some minutes. */
must_use int role_assignment_put(struct azure *az, struct call *c, struct arena *a, const char *scope,
                                 const char *principal, const char *role_id, struct err *err);
/* May suspend. Adds permissions to the principal's entry (the `add` sub-resource: nothing is replaced). */
must_use int access_policy_add(struct azure *az, struct call *c, struct arena *a, const char *vault_id,
                               const char *principal, const struct value *permissions, struct err *err);

/* May suspend. Who is declared at `path` of the observed document (wellKnown, objectId or diskEncryptionSet): sets
 * objectId in `p`, or why, when it cannot be known; neither while a declared set is yet to be made. */
must_use int grant_principal(struct call *c, const struct observer *o, const char *path, struct value *p,
                             struct err *err);

/* The path of the change by which a step tells whom it grants: of the i-th identity of a principal, which keeps its
 * path whatever the others hold. */
const char *grant_identity_path(struct arena *a, size_t i);
bool grant_names_identity(const char *path);

/* May suspend. The same for a service by its well-known name. */
must_use int grant_service(struct call *c, const struct observer *o, const char *name, struct value *p,
                           struct err *err);

/* When `other` declares the very same grant, one of the two makes it. Adds the step that waits until `other` has made
 * it (`label`: which of its principals; NULL: it declares a single grant). False: `other` has no such
 * step due. Pure. */
bool grant_shared(const struct view *v, const struct document *doc, struct steps *out, const struct document *other,
                  const char *label);

/* --- local roles of a managed HSM --------------------------------------------------------------------------------- */

/* May suspend. The assignments that reach a local scope, each scope on the way asked and the answers sifted, since an
 * HSM lists other scopes' assignments too and leaves those of single keys out: a list of {principalId,
 * roleDefinitionId, scope, name, dataActions?}, the last for roles that are not built in, where they can be read. Who
 * may not list at a scope above sees what the scope itself lists; `unseen` names those that were refused. */
struct local_assignments {
    struct value *list, *unseen;
};
must_use int local_assignments_read(struct azure *az, struct call *c, struct arena *a, const char *base,
                                    const char *scope, struct local_assignments *ret, struct err *err);
struct local_role {
    const char *id;              /* a GUID; NULL: the HSM has none of that name */
    const struct value *actions; /* the data actions of one that is not built in; NULL */
};
/* May suspend. A local role given by name or GUID; an error when one may not list them. */
must_use int local_role_find(struct azure *az, struct call *c, struct arena *a, const char *base, const char *role,
                             struct local_role *ret, struct err *err);
/* May suspend. Grants it under a name that is always the same for the same scope, principal and role; `grant` bears
 * none. */
must_use int local_role_put(struct azure *az, struct call *c, struct arena *a, const struct hsm_grant *grant,
                            struct err *err);

#endif
