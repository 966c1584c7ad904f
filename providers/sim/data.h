/* What the data planes and Backup share beyond internal.h: the state of keys, the rules of a restore, blobs, jobs. */
#ifndef REINSTATE_SIM_DATA_H
#define REINSTATE_SIM_DATA_H

#include "internal.h"

/* --- keys (key_store.c) ------------------------------------------------------------------------------------------- */

/* Spec of a key, beyond internal.h: deletedDate and scheduledPurgeDate (while deleted; filled in when left out),
 * settles (until then the last deletion or recovery is not visible yet), exportable, keyOps, tags. */

enum key_state {
    KEY_USABLE,
    KEY_DISABLED,
    KEY_EXPIRED,          /* or not valid yet */
    KEY_SOFT_DELETED,
    KEY_PURGED,           /* no key of that name */
    KEY_REPLACED,         /* a key of that name, but without that version */
    KEY_STORE_DELETED,    /* its vault is soft-deleted */
    KEY_STORE_PURGED
};
enum key_state key_state(struct sim *s, const char *store, const char *name, const char *version);
const char *key_state_name(enum key_state state);
/* Brings deletions and recoveries forward: what was to be purged by now is. */
void keys_advance(struct sim *s);
/* The part of it that looks at vaults only; cheap enough for every request. */
void stores_advance(struct sim *s);
/* The backup of the key that has this version (there may be two of one name, the older purged); false
 * when the world has none. */
bool key_backup_of_version(struct sim *s, const char *store, const char *name, const char *version,
                           struct text *ret_raw);
/* The same with only those of its versions that `keep` (a list of ids) names. */
bool key_backup_of_versions(struct sim *s, const char *store, const char *name, const char *version,
                            const struct value *keep, struct text *ret_raw);
/* Does a store of that name, alive or gone, belong to the managed HSMs? */
/* The soft-deleted vault of that name, else the one purged last. */
const struct value *store_deleted(struct sim *s, const char *store);
bool store_is_hsm(struct sim *s, const char *store);
/* The key of the world that has this version, as above; NULL. */
struct value *key_of_version(struct sim *s, const char *store, const char *name, const char *version);
/* The key in a backup blob, in `a`; NULL when this vault cannot open it. */
struct secret;
struct value *key_open_backup(struct sim *s, struct arena *a, const struct value *vault, const struct secret *blob);

bool key_is(const struct value *key, const char *store, const char *name);
bool key_in_state(const struct value *key, const char *state);
/* Is its last deletion or recovery still under way? */
bool key_settling(const struct sim *s, const struct value *key);
void key_mark_deleted(struct sim *s, struct value *key, const struct value *vault);
/* As the data plane shows them. */
const char *key_url(struct sim *s, struct arena *a, const struct value *key, const char *version);
struct value *key_show_attributes(struct arena *a, const struct value *vault, const struct value *key,
                                  const struct value *version);
const struct value *key_tags(const struct value *key, const struct value *version);
struct value *key_show(struct sim *s, struct arena *a, const struct value *vault, const struct value *key,
                       const struct value *version);
void key_show_deletion(struct sim *s, struct arena *a, struct value *shown, const struct value *key);

/* Rotation and release (key_policies.c). */
struct value *key_show_rotation(struct sim *s, struct arena *a, const struct value *key);
/* NULL, or what is wrong with the policy in `body`. */
const char *key_set_rotation(struct sim *s, struct value *key, const struct value *body);
/* Gives a version made by rotation the end that the policy says. */
void key_expire_rotated(struct sim *s, const struct value *key, struct value *version);
/* Do the claims of the attestation token `target` satisfy the release policy of the key as `shown`? */
bool key_release_allows(struct arena *a, const struct value *shown, const char *target);
/* The policy that names who may get the key. The world may say "confidential-vm": then it is the usual one, for the
 * region where the key was made. */
const struct value *key_release_policy(struct arena *a, const struct value *key, const struct value *store);
/* Would a confidential machine that attests itself in this region get it? */
bool key_releases_in(struct sim *s, const char *store, const char *name, const char *location);
const char *key_released(struct arena *a, const struct value *shown, const struct value *request);

/* --- grants on what was deleted (grants.c) ------------------------------------------------------------------------ */

/* A key is back: by a recovery, or by a restore. What becomes of the grants on it. */
void key_grants_after(struct sim *s, const struct value *store, const char *name, bool recovered);
/* A vault or managed HSM was recovered. */
void store_grants_after(struct sim *s, const struct value *store);

/* --- managed HSMs (hsm.c, hsm_roles.c) ---------------------------------------------------------------------------- */

/* World: a resource Microsoft.KeyVault/managedHSMs; HSMs with the same `securityDomain` open
 * each other's key backups. */
bool hsm_is(const struct value *store);                              /* alive or deleted; NULL: no */
bool hsm_active(const struct value *hsm);
char *hsm_security_domain(struct arena *a, const struct value *hsm);
/* What a world leaves out, and what is derived when it is shown. */
void hsm_complete(struct sim *s, struct value *hsm);
void hsm_show(struct sim *s, struct arena *a, struct value *shown);
void hsm_refuse_token(const struct sim_request *r, struct sim_answer *out);
/* A backup as a compact JWE around what is sealed, and back; false: it is none. */
void hsm_wrap_backup(struct sim *s, const struct secret *sealed, struct text *ret);
bool hsm_unwrap_backup(const struct secret *blob, struct secret *ret);

/* By the local role assignments: spec.hsmRoleAssignments {store, principal, role, scope, name, created}. Azure's own
 * give nothing here. */
#define HSM_ADMINISTRATOR "a290e904-7015-4bba-90c8-60543313cdb4"
bool hsm_allows(struct sim *s, const char *principal, const struct value *hsm, const char *key, const char *permission);
/* A built-in role by name, GUID, or an id that ends in the GUID: its GUID; NULL: it is none. */
const char *hsm_role_guid(const char *name_or_id);
/* Does this managed HSM know the role, built-in or its own (spec.hsmRoleDefinitions {store, id, name, dataActions})? */
bool hsm_role_known(struct sim *s, const char *store, const char *name_or_id);
/* Is it there, or extended to that region? */
bool hsm_serves(const struct value *hsm, const char *location);

/* managedHSMs and deletedManagedHSMs as resources (hsm_arm.c); false when the address is another. */
bool hsm_arm_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out);
/* Answers [/keys[/NAME]]/providers/Microsoft.Authorization/…; false when the address is another. */
bool hsm_roles_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, const struct value *hsm);

/* "https://shareduaen.uaen.attest.azure.net/" */
char *region_attestation(struct arena *a, const char *location);
/* Where a deleted store lies: it is asked for, and comes back, in its own region only. A world need not say which. */
bool deleted_lies_in(const struct value *gone, const char *location);
/* The geography of a region; the region itself, in one spelling, when it is not known. */
const char *region_geography(struct arena *a, const char *location);
bool region_is(const char *a, const char *b);       /* "UAE North" is "uaenorth" */
/* The region as an address has it: without capitals and blanks; "" for NULL. */
char *region_name(struct arena *a, const char *location);

/* --- blobs (blob.c) ----------------------------------------------------------------------------------------------- */

/* Stores a blob. A page blob is padded with NULs to a multiple of 512 and carries its true length as metadata. */
void blob_put(struct sim *s, const char *account, const char *container, const char *name, bool page, const char *bytes,
              size_t len);

/* The blob "ACCOUNT/CONTAINER/NAME" is gone, if it was there. */
void blob_forget(struct sim *s, const char *place);
/* The export of a job that has ended is taken away when it is time. */
void export_forget_due(struct sim *s, struct value *own, const struct value *job);

/* --- the rules of a restore (restore_rules.c) --------------------------------------------------------------------- */

enum article { ARTICLE_STRICTEST, ARTICLE_2026_02, ARTICLE_2026_07 };

/* What the documents leave open, as the world's behaviour has it (knobs.c). All zero: as it is by default. */
struct restore_readings {
    enum article article;
    bool expired_restores, snapshots_miss_rotation, recreated_set_is_original, restored_key_opens_snapshots,
        stuck_rotation_fails;
    const char *rights_code;                     /* NULL: KeyVaultAccessForbidden */
};

/* A disk encryption set as a restore sees it, beside the key that the point was wrapped with. */
struct set_facts {
    bool exists, confidential, beside_target;    /* right kind; in the target's region and subscription */
    bool same_store, same_name, same_version;    /* its active key against the original one */
    bool holds_original;                         /* its vault holds the original key and version, usable */
    bool service_may;                            /* Backup Management Service may what it needs on its key */
    bool identity_may;                           /* its identity: get, wrapKey, unwrapKey */
    bool key_unusable;                           /* its active key cannot be used, whoever asks */
    bool recreated, rotation_stuck;              /* made after the point was taken; carries an autoKeyRotationError */
};

struct restore_facts {
    struct restore_readings readings;
    bool customer_key, snapshot_tier, vault_tier, in_hsm;
    bool set_given, given_is_original;
    enum key_state original_key;                 /* where the point's key has its home */
    bool key_was_restored;                       /* since the point was taken */
    bool export_withheld;                        /* nothing can be left behind, whatever fails */
    struct set_facts original, given;
};

struct restore_outcome {
    const char *row;           /* as `reinstate explain scenarios` lists them */
    const char *code;          /* NULL: succeeds */
    bool exports;              /* leaves the key in the staging account */
    bool from_snapshot;        /* there is nothing but the snapshot: fast */
};

/* Pure. */
void rules_decide(const struct restore_facts *f, struct restore_outcome *ret);

/* A restore that is asked for. */
struct restore_wish {
    const struct value *backup, *point;
    const char *type;                            /* recoveryType */
    const char *set;                             /* NULL or "": none is named */
    const char *location, *subscription;         /* of the target; subscription NULL: the set's own */
};
/* Reads the facts from the world. */
void rules_gather(struct sim *s, const struct restore_wish *wish, struct restore_facts *ret);
/* May the virtual machine boot with this set's key? */
bool rules_may_boot(struct sim *s, const char *set_id);

/* --- Backup's items (backup_items.c), requests and jobs ----------------------------------------------------------- */

const struct value *item_wrapped_with(const struct value *backup, const struct value *point);
bool item_tier_valid(const struct value *point, const char *tier);
const char *item_source_id(struct arena *a, const struct value *backup);
const char *item_security_type(const struct value *backup, const struct value *point);
/* Newer api-versions show members that 2025-02-01 does not know. */
bool item_api_is_newer(const struct sim_request *r);

/* A restore request beside what it asks for (backup_request.c). */
struct restore_check {
    struct sim *s;
    struct arena *a;
    const struct value *backup, *point, *body;    /* body: the IaasVMRestoreRequest */
    const char *location;                          /* of the vault */
    struct value *problems; /* list of {code, message, recommendations}; what is found is added */
};
void request_check(const struct restore_check *c);
/* What validation may foresee beyond that. */
void request_check_keys(const struct restore_check *c);
void request_problem(const struct restore_check *c, const char *code, const char *message);

/* Starts a job for an accepted restore; returns its id, which is its operation's id too (backup_restore.c). */
const char *jobs_start_restore(struct sim *s, const char *vault_id, const struct value *backup,
                               const struct value *point, const struct value *request);

/* backupJobs and below; `at` is the index of that segment (backup_jobs.c). */
void jobs_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id, size_t at);
/* Operations of a vault: 202 with both polling addresses below `path`; the status; the result. */
void operation_accepted(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *path,
                        const char *status, const char *result, const char *id);
void operation_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                      const char *id);
/* Where an operation is asked after: PATH/STATUS/ID and PATH/RESULT/ID. */
struct operation_place {
    const char *path, *status, *result, *id;
};
void operation_answer_result(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                             const struct operation_place *at);

/* --- protection (backup_protect.c) -------------------------------------------------------------------------------- */

struct value *guards_of(struct sim *s, struct arena *a, const char *vault_id);  /* as the service lists them */
const char *policy_type(struct sim *s, const char *vault_id, const char *name); /* "V1", "V2"; NULL: there is none */
void protect_put(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                 const char *item_path);
void refresh_containers(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id);

#endif
