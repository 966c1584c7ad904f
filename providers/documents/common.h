/* What the kinds share: which connection a document uses, ids of what documents declare, facts about
 * what cannot be seen. */
#ifndef REINSTATE_KINDS_COMMON_H
#define REINSTATE_KINDS_COMMON_H

#include "../../reconciler/model/diff.h"
#include "../azure/arm.h"
#include "actions.h"
#include "connection.h"

/* The connection of the document's Azure document; NULL for documents without one. */
struct azure *kind_azure(void *provider, const struct document *doc);

/* Subscription a document declares things in: its own spec.subscription, else its Azure document's. */
const char *kind_subscription(const struct document *doc);
const char *kind_tenant(const struct document *doc);
const char *kind_location(const struct document *doc); /* spec.location, else the Azure document's; NULL */
/* ARM id of a resource the document declares: spec.resourceGroup and the name at `name_path`, else metadata.name. */
char *kind_resource_id(struct arena *a, const struct document *doc, const char *type, const char *name_path);

/* The ids that documents of these kinds stand for; NULL doc: NULL. */
char *key_vault_id(struct arena *a, const struct document *doc);
char *managed_hsm_id(struct arena *a, const struct document *doc);
char *key_store_id(struct arena *a, const struct document *store); /* of a KeyVault or a ManagedHsm */
char *recovery_vault_id(struct arena *a, const struct document *doc);
char *disk_encryption_set_id(struct arena *a, const struct document *doc);
/* Stands for the users of a set that could not be listed: it counts as used. */
#define DES_USERS_UNLISTED "(cannot be listed)"
char *source_vm_id(struct arena *a, const struct document *protected_vm);
char *restored_vm_id(struct arena *a, const struct document *restored_vm);

/* The store of a key. `doc` is a Key, or itself a KeyVault or ManagedHsm. The ARM id is NULL when none is named. */
const char *key_store_of(struct arena *a, const struct document *doc);
bool key_store_is_hsm(const struct document *doc);
/* Its data-plane URL, "https://NAME.vault.azure.net" or "https://NAME.managedhsm.azure.net"; NULL when
 * no store is named. */
char *key_store_base(struct arena *a, const struct cloud *cloud, const struct document *doc);
/* What one store, and one key or version in it, is in all of its cloud: its data-plane URL, as far as the Azure
 * document tells the cloud (kind.identity); NULL when no store is named. */
char *key_store_identity(struct arena *a, const struct document *store);
char *key_identity(struct arena *a, const struct document *key);
/* "key vault" or "managed HSM". */
const char *key_store_word(const struct document *doc);

/* A RestoredVirtualMachine's own bound on its "export" or "restore", in ms, or what applies otherwise. */
int64_t restored_vm_timeout(const struct document *doc, const char *which, int64_t otherwise);

/* The id behind a reference field: of the document it names (id_of; NULL when documents cannot be named there), or the
 * id it gives. NULL when neither. */
const char *reference_id(struct arena *a, const struct document *doc, const char *path,
                         char *(*id_of)(struct arena *, const struct document *));

/* "running", "deallocated", … of a VM's instance view; NULL when it does not say,
 * or says that Azure does not know. */
const char *vm_power(const struct value *instance_view);
/* Neither running nor on the way to or from it, as far as that is known. */
bool vm_power_rests(const char *power);

/* A map with just a state. */
struct value *facts_new(struct arena *a, const char *state);
/* After a failed read: turns 404 into "absent" and anything else into "unseen" with a sentence, in *ret, and returns 0:
 * one thing that cannot be read is no reason to end the pass. ERR_CANCELLED alone is passed on. groupAbsent: its whole
 * resource group is not there. */
must_use int facts_from_error(struct arena *a, const char *what, struct err *err, struct value **ret);
/* The same after a failed read of what belongs to a thing that was just seen: a 404 there contradicts what was seen,
 * and says neither that the thing is absent nor that it has no such part. */
must_use int facts_of_part(struct arena *a, const char *what, struct err *err, struct value **ret);

/* May suspend. What is in a resource group, with the times of birth. */
must_use int group_resources(struct call *c, struct azure *az, struct arena *a, const char *group,
                             const struct value **ret, struct err *err);

/* "blocked" step with the next step a person has to take. */
struct step *steps_block(struct steps *s, const struct document *doc, const char *suffix, const char *next,
                         const char *reason_fmt, ...) printf_like(5, 6);
/* The same for a finding: a person should mend it, and it stands in the way of nothing that relies on the document. */
struct step *steps_finding(struct steps *s, const struct document *doc, const char *suffix, const char *next,
                           const char *reason_fmt, ...) printf_like(5, 6);
/* What helps against a failed read: NULL, where a right of ours is missing, which the asker names. Pure. */
const char *failed_read_fix(const struct err *err);
/* Puts into facts why something is unseen, and what helps. */
void facts_unseen_because(struct arena *a, struct value *facts, const struct err *err);
/* What would let us see it: as the refusal itself says (a path through the network, or that
 * nobody knows), else `otherwise`. */
const char *unseen_fix(const struct value *facts, const char *otherwise);
/* What holds up whatever stands on it: "is not there", or "cannot be seen", which is never told as the former. */
const char *missing_words(const struct view *v, const struct document *doc);
/* The common beginning of every kind's steps: a document that could not be seen is blocked by that. true: it was. */
bool steps_unseen(const struct view *v, const struct document *doc, struct steps *out);

/* The documents of a kind that refer to `doc`, one after the other; *at starts at 0; NULL at the end. */
const struct document *referrer_next(const struct document *doc, const char *kind, size_t *at);

#endif
