/* What the files of the simulator share. State is one mutable value tree, the World's spec, so that it can be written
 * out and read back whole; every service reads and changes it through the functions here. */
#ifndef REINSTATE_SIM_INTERNAL_H
#define REINSTATE_SIM_INTERNAL_H

#include "../../reconciler/base/index.h"
#include "sim.h"

enum { SEGMENTS_MAX = 40, QUERY_MAX = 32 };

struct sim {
    struct arena *arena;             /* holds the state; replaced by a fresh copy now and then */
    struct value *spec;              /* the World's spec: resources, keys, backups, jobs, blobs, operations, … */
    struct value *metadata;
    int64_t now_ms;
    struct arena *own;               /* holds what never changes: endpoints, file names */
    struct sim_endpoints ep;
    uint64_t seed;
    const char *world_out;
    void (*kill)(void *ctx);
    void (*disturb)(void *ctx, bool stop);
    void (*observed)(void *ctx, const struct sim_call *call, const struct sim_answer *answer);
    void *ctx;
    int64_t slept_ms; /* how long the client has stood still (fault asleep): its clock is behind by that */
    int64_t jobs_due_ms, operations_due_ms; /* nothing becomes of what is in these lists before; 0: not known */
    bool dirty;                      /* the state was changed by this request */
    struct role *roles;              /* of this world's own */
    size_t n_roles;
    struct found *found;             /* how things are found in it; NULL: not made, or out of date */
    /* Not part of the world: forgotten at a restart. */
    uint64_t n_exchanges;
    size_t arena_floor;              /* bytes of the state after it was last copied */
    struct throttle { double left; int64_t at_ms; } reads, writes, job_reads;
};

/* One request, taken apart. */
struct sim_request {
    struct arena *arena;             /* of this exchange */
    const char *method, *url, *host, *path;       /* path raw, without the query; "//" at its start made one */
    const char *segments[SEGMENTS_MAX];           /* percent-decoded */
    size_t n_segments;
    const char *query_names[QUERY_MAX], *query_values[QUERY_MAX];   /* decoded; names too ("api%2Dversion") */
    size_t n_query;
    const struct sim_header *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
    const struct value *json;        /* the body when it is JSON, else NULL */
    const char *principal;           /* object id of the valid bearer token; NULL: none or not valid */
    const char *token_audience;      /* of that token */
    const char *token_problem;       /* why there is no principal */
};

/* --- requests and answers (exchange.c) ---------------------------------------------------------------------------- */

const char *request_query(const struct sim_request *r, const char *name);     /* case folded; NULL */
/* A field of the form in the body, decoded; NULL. */
const char *request_form(const struct sim_request *r, const char *name);
const char *request_header(const struct sim_request *r, const char *name);
const char *request_segment(const struct sim_request *r, size_t i);           /* "" beyond the end */
bool request_is(const struct sim_request *r, const char *method);
/* "/a/b" of the first n segments. */
char *request_path(const struct sim_request *r, size_t n);
size_t arm_provider_at(const struct sim_request *r); /* index of the last "providers", SIZE_MAX if none */

void answer_header(struct arena *a, struct sim_answer *out, const char *name, const char *fmt, ...) printf_like(4, 5);
void answer_json(struct arena *a, struct sim_answer *out, int status, const struct value *body);
void answer_empty(struct sim_answer *out, int status);
/* {"error":{"code","message"}} with x-ms-failure-cause: gateway when `gateway`. */
void answer_arm_error(struct arena *a, struct sim_answer *out, int status, bool gateway, const char *code,
                      const char *fmt, ...) printf_like(6, 7);

/* --- state: resources (state.c) ----------------------------------------------------------------------------------- */

/* Resources are kept as ARM shows them. Ids compare case folded. Every change goes through here and sets `dirty`. */
struct value *resource_find(struct sim *s, const char *id);
/* Of backups, by name, and of what else goes on, by id; NULL. */
struct value *job_find(struct sim *s, const char *name);
struct value *operation_find(struct sim *s, const char *id);
/* A blob of that name, in whatever account and container, and the next one; NULL. */
const struct index_entry *blobs_named(struct sim *s, const char *name);
/* A disk that a set encrypts, and the next one; NULL. */
const struct index_entry *resource_users(struct sim *s, const char *set_id);
/* Where in the list of resources the next one of that type stands, from that place on; SIZE_MAX: there is none. */
size_t resource_place(struct sim *s, const char *type, size_t from);
/* The backup of a machine in a vault; NULL. Names in `a`. */
struct value *backup_find(struct sim *s, struct arena *a, const char *vault, const char *group, const char *machine);
struct value *resource_store(struct sim *s, const char *id,
                             const struct value *body); /* replaces or adds; copied into the state */
bool resource_remove(struct sim *s, const char *id);
/* The next resource of a type ("Microsoft.Compute/disks", case folded) below a scope; start with *at = 0;
 * NULL at the end. */
struct value *resource_next(struct sim *s, const char *scope, const char *type, size_t *at);
/* True if `scope` is `of` or above it. */
bool scope_covers(const char *scope, const char *of);
bool group_exists(struct sim *s, const char *subscription, const char *group);
const char *resource_type(struct arena *a, const char *id);                     /* "Microsoft.Compute/disks" */
/* The parts of an ARM id: the one behind "/subscriptions/", "/resourceGroups/", or the last. "" when absent. */
const char *world_id_part(struct arena *a, const char *id, const char *behind);
const char *world_id_name(const char *id);
char *new_guid(struct sim *s); /* repeatable: from the seed and a counter in the state */

/* What the world keeps of itself beyond the documented lists: spec.state, made when absent. */
struct value *state_map(struct sim *s);
void list_remove(struct value *list, size_t at);
/* Any list of the spec ("jobs", "keys", "blobs", "operations", …), made when absent. */
struct value *state_list(struct sim *s, const char *name);
struct value *state_push(struct sim *s, const char *list, const struct value *item);      /* copied; dirty */
void state_changed(struct sim *s);
/* The same, where nothing changes by which found.c finds: things that were added or only changed within. */
void state_noted(struct sim *s);
/* Something of a list happens at that time: the list is gone through then. */
void state_due(int64_t *due_ms, int64_t at_ms);
void found_forget(struct sim *s); /* its things may have moved (found.c) */
void found_free(struct sim *s);
/* A behaviour setting ("jobListLag", "roleDelay"): duration in ms, or text. */
int64_t behaviour_ms(const struct sim *s, const char *name, int64_t otherwise);
const char *behaviour(const struct sim *s, const char *name, const char *otherwise);

/* --- what the documents leave open (knobs.c) ---------------------------------------------------------------------- */

struct knob {
    const char *name, *otherwise;    /* otherwise: what it is when the world does not say */
};
const struct knob *knob_at(size_t i);                           /* NULL behind the last */
/* The world's value of a setting, else its default. A name that is no setting ends the program. */
const char *knob(const struct sim *s, const char *name);
bool knob_is(const struct sim *s, const char *name, const char *value);

/* --- api-versions (versions.c) ------------------------------------------------------------------------------------ */

/* Answers 400 and returns true when ARM's request names an api-version that the provider does not answer (any more). */
bool version_refused(struct sim *s, const struct sim_request *r, struct sim_answer *out);
/* What a vault or HSM says to a version that it does not know; NULL: it knows it. */
const char *keys_version_problem(const struct sim *s, struct arena *a, const char *version);

/* --- the world's file (world.c) ----------------------------------------------------------------------------------- */

/* Completes s->spec (names, types, defaults) and adds a diag for each contradiction. */
void world_complete(struct sim *s, struct diags *diags);
/* Writes the world to s->world_out (a new file renamed over it); stops the program when it cannot: a run
 * must not go on unrecorded. */
void world_write_out(struct sim *s);
/* Addresses of this simulated Azure become tokens of the world (in: tokens become addresses). */
void world_readdress(struct sim *s, struct arena *a, struct value *v, bool in);

/* --- who there is (principals.c) ---------------------------------------------------------------------------------- */

/* An entry of spec.principals by object id, name or well-known name. */
struct value *principal_find(struct sim *s, const char *ref);
const char *principal_id(struct sim *s, const char *ref);       /* its object id, or `ref` itself */
/* What is granted to `granted` acts for the principal: it is that one, or a group that has it as a member. */
bool principal_is(struct sim *s, const char *granted, const char *principal);
/* Object id of a well-known principal ("BackupManagementService", "ConfidentialVmOrchestrator") or NULL when the
 * tenant has none. */
const char *well_known(struct sim *s, const char *name);

/* --- who may do what (access.c) ----------------------------------------------------------------------------------- */

/* ARM action or data action of a principal at a scope, by role assignments that act already
 * (roleDelay) and inherited ones. */
bool access_rbac(struct sim *s, const char *principal, const char *scope, const char *action, bool data);
/* Key permission ("get", "wrapKey", "restore", "release", …) of a principal on a key of a vault: by access policies
 * that act already (policyDelay) or by data actions, as the vault's permission model says; false also when its firewall
 * keeps the principal out. */
bool access_key(struct sim *s, const char *principal, const struct value *vault, const char *key,
                const char *permission);
/* Whether the network rules in those properties of a key store or storage account let in who comes from
 * behaviour.clientAddress; an account in a perimeter is for its own service to refuse. */
bool firewall_lets_client(const struct sim *s, const struct value *properties);
/* The same of a principal at a key store: Microsoft's services and managed identities come by the bypass. */
bool firewall_lets_principal(struct sim *s, const char *principal, const struct value *store);
/* Answers 403 AuthorizationFailed in ARM's shape and returns false unless allowed. */
bool require_rbac(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                  const char *action);

/* Built-in roles; texts hold several actions, parted by '|'. */
struct role {
    const char *guid, *name, *actions, *not_actions, *data_actions;
};
const struct role *role_at(size_t i);                           /* NULL behind the last */
const struct role *role_find(const char *name_or_id);           /* a name, a GUID, or an id that ends in the GUID */
/* The same, and of the world's own ones (spec.roleDefinitions), which follow the built-in ones. */
const struct role *role_known(const struct sim *s, const char *name_or_id);
const struct role *role_any(const struct sim *s, size_t i);
/* Reads the world's own ones. */
void roles_read(struct sim *s);
bool role_allows(const struct role *role, const char *action, bool data);
/* Does this entry of spec.roleAssignments act by now? */
bool assignment_acts(struct sim *s, const struct value *assignment);
/* Notes that these key permissions were given now: they act after policyDelay. */
/* It acts once `delay_ms` has passed. */
void access_policy_added(struct sim *s, const char *vault_id, const char *object_id, const char *permission,
                         int64_t delay_ms);

/* --- tokens (entra.c) --------------------------------------------------------------------------------------------- */

/* Signed tokens (jwt.c). `issuer` names the key. */
#define OIDC_ISSUER "oidc"
char *jwt_make(struct sim *s, struct arena *a, const char *issuer, const struct value *claims);
/* The claims of a token that this issuer signed; NULL. */
struct value *jwt_claims(struct sim *s, struct arena *a, const char *issuer, const char *token);
/* Header (0) or claims (1), whoever signed them; NULL. */
struct value *jwt_part(struct arena *a, const char *token, int part);
/* What an issuer of jobs' and pods' tokens calls itself (oidc.c): "github", "pipelines", "kubernetes". */
char *oidc_issuer(const struct sim *s, struct arena *a, const char *name);
/* Why Entra refuses; code 0: it does not. */
struct refusal {
    int code;
    const char *error, *text;
};
struct refusal assertion_judge(struct sim *s, struct arena *a, const struct value *principal, const char *type,
                               const char *assertion);

enum { TOKEN_SECONDS = 3599 };
bool audience_known(const struct sim *s, const char *audience);
char *token_issue(struct sim *s, struct arena *a, const struct value *principal, const char *audience);
/* Fills principal and token_audience, or token_problem. */
void token_check(struct sim *s, struct sim_request *r);
bool audience_is(const char *audience, const char *expected);   /* a slash at the end does not matter */

/* --- the fault script (faults.c) ---------------------------------------------------------------------------------- */

struct fault_act {
    int status;                      /* 0: the service answers */
    const char *code, *message, *body;
    const struct value *headers;     /* further ones of the answer; may be NULL */
    int64_t retry_after_s, delay_ms; /* retry_after_s < 0: none */
    int64_t asleep_ms;               /* how long the client's machine stands still after the answer */
    bool reset_before, reset_after, stall, kill_before, kill_after;
    bool interrupt_after, stop_after;
    size_t cut_after;                /* SIZE_MAX: all */
};
/* Counts the request against every fault of the script; true when one fires. `write_no` is 0 for a read. */
bool faults_match(struct sim *s, const struct sim_request *r, int64_t write_no, struct fault_act *ret);

/* --- long-running operations of ARM ------------------------------------------------------------------------------- */

/* Stores an operation that ends at `ends_ms`; `output` (may be NULL) is shown as properties.output, `error` (may be
 * NULL) makes it fail. Returns its id. The service's own file answers the polling URL. */
const char *operation_new(struct sim *s, const char *kind, const char *subject, int64_t ends_ms,
                          const struct value *output, const struct value *error);
/* One of whose end something becomes (compute_advance). */
const char *operation_to_end(struct sim *s, const char *kind, const char *subject, const struct value *output);
void operations_forget(struct sim *s);                                    /* those that ended a day ago */
/* A signed-looking query tail (t, c, s, h), long as Azure's, fresh at every answer. */
char *signed_tail(struct sim *s, struct arena *a);

/* --- keys (keys.c) ------------------------------------------------------------------------------------------------ */

/* World keys: {store, name, state: active|deleted|purged, type, releasePolicy, …, and versions:
 * [{id, created, enabled, expires, notBefore}]}. */
struct value *vault_by_name(struct sim *s, const char *store); /* the vault's resource or NULL */
struct value *key_find(struct sim *s, const char *store,
                       const char *name); /* any state; purged ones count as absent: NULL */
struct value *key_version(const struct value *key, const char *version);               /* NULL version: the newest */
/* The backup blob of a key of the world, even purged (what Azure Backup kept): really encrypted, bound to store kind,
 * subscription and geography. */
void key_backup_blob(struct sim *s, const char *store, const char *name, struct text *ret_raw);
bool key_url_parse(struct sim *s, struct arena *a, const char *url, const char **ret_store, const char **ret_name,
                   const char **ret_version);

/* --- services: each answers what belongs to it -------------------------------------------------------------------- */

typedef void service(struct sim *s, const struct sim_request *r, struct sim_answer *out);
/* What the service answers, as the settings of spelling.c have it spelt. */
void spelt_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, service *answer);
service entra_answer;            /* token endpoint */
service metadata_answer;         /* tokens of the machine's own identities */
service oidc_answer;             /* tokens of jobs and pods, from other issuers */
service graph_answer;            /* Microsoft Graph */
service arm_answer;              /* management.azure.com (front_door.c): routes to those below by provider */
service arm_resources_answer;    /* subscriptions, resource groups, generic lists, deployments of nothing else */
service arm_resource_graph_answer; /* Microsoft.ResourceGraph: queries over all resources */
service arm_keyvault_answer;     /* Microsoft.KeyVault: vaults, deletedVaults, accessPolicies */
service arm_authorization_answer;/* roleAssignments, roleDefinitions, permissions, at any scope */
service arm_compute_answer;      /* diskEncryptionSets, disks, virtualMachines, their operations */
service arm_storage_answer;      /* storageAccounts, listKeys */
service arm_identity_answer;     /* userAssignedIdentities: reads */
service arm_network_answer;      /* virtualNetworks and subnets: reads */
service arm_features_answer;     /* Microsoft.Features: the state of a preview feature */
/* What the world does not tell is registered, but for the one feature that would break every backup. */
const char *feature_state(struct sim *s, const char *name);
/* A ReadOnly lock, or with `delete` any, covers the scope; the locked one. */
bool lock_on(struct sim *s, const char *scope, bool delete, const char **ret_scope);
/* Answers 409 ScopeLocked and returns true where a lock forbids this request. */
bool lock_refuses(struct sim *s, const struct sim_request *r, struct sim_answer *out);
service arm_locks_answer;        /* locks at a scope and below */
service arm_usages_answer;       /* a region's compute quota */
/* Whether a VM of that size has no room in the region's quota; that one was made there. */
bool quota_reached(struct sim *s, struct arena *a, const char *location, const char *size);
void quota_use(struct sim *s, struct arena *a, const char *location, const char *size);
service arm_attestation_answer;  /* the default attestation service of a region */
service arm_recovery_answer;     /* Microsoft.RecoveryServices vaults; hands backup paths on to backup_answer */
service backup_answer;           /* protected items, recovery points, restore, operations, jobs */
service keys_answer;             /* key vault data plane */
service blob_answer;             /* blobs */
/* Whether the signature is that of the request, made with one of the account's two keys. */
bool shared_key_fits(struct sim *s, const struct sim_request *r, const char *account, const char *signature);
/* The storage account whose blobs that host serves, be it in a DNS zone; NULL. */
struct value *blob_account_at(const struct sim *s, const char *host);

/* ARM's parts for its services (arm.c). */
/* Adds a resource's derived members (vaultUri, endpoints, …) to a copy fit to be shown. */
struct value *resource_show(struct sim *s, struct arena *a, const struct value *resource);
/* Answers a list of the resources of a type below a scope that the caller may read, in pages. */
void answer_resources(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope,
                      const char *type);
/* Answers value[at…] as a page with its nextLink. */
void arm_page(struct sim *s, const struct sim_request *r, struct sim_answer *out, const struct value *items);
/* The same of a page that was made by itself, where its place in the list tells; `next`: where the next one begins;
 * SIZE_MAX: nowhere. */
void arm_page_of(struct sim *s, const struct sim_request *r, struct sim_answer *out, struct value *items, size_t next);
size_t arm_page_from(const struct sim_request *r);
size_t arm_page_size(const struct sim *s);
/* Answers GET of one resource: checks the right to read, then the group, then the resource. */
/* What was made at that time is not shown yet (readLag). */
bool still_hidden(struct sim *s, const char *made);
void answer_resource(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id);
void arm_not_found(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id);
void arm_bad_path(const struct sim_request *r, struct sim_answer *out);
/* 202 headers of an operation of the disk or the compute provider. */
void compute_accepted(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *location,
                      const char *segment, const char *id);

/* One of an account's two keys (n 1 or 2), base64; the same for ever, from the world's seed. */
void storage_account_key(struct sim *s, const char *account, int n, struct text *ret);

/* Brings jobs, operations and delays forward to now (called before each request is answered). */
void backup_advance(struct sim *s);
void compute_advance(struct sim *s);
void keyvault_advance(struct sim *s);
/* The statuses of a machine's instance view, in the state (world.c). */
struct value *vm_statuses(struct sim *s, const char *power);
/* Creates what a finished restore leaves behind. */
struct restored_machine {
    const char *id, *location, *des_id, *size, *os_type, *subnet_id;
    bool started;
};
struct value *compute_create_restored_vm(struct sim *s, const struct restored_machine *m);
struct value *compute_create_disk(struct sim *s, const char *disk_id, const char *location, const char *des_id,
                                  const char *os_type);
void compute_create_nic(struct sim *s, const char *nic_id, const char *location, const char *subnet_id);
/* Requests for a disk encryption set; behind: segments behind the provider. */
void sets_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, size_t behind, const char *id);
/* Writes "text: about" and returns the code. */
const char *compute_problem(char *ret_text, size_t room, const char *code, const char *text, const char *about);
/* Completes an identity as Azure shows it: principal and application of each managed identity that was assigned. */
void compute_show_assigned(struct sim *s, struct arena *a, const struct value *identity);
/* What the DES's identity may do with its key now; NULL when it may, else the compute error code. */
const char *compute_des_problem(struct sim *s, const struct value *des, char *ret_text, size_t room);
/* Why a confidential machine on this set would not start now: the set's identity may not use the key, or the key is not
 * released to the machine. NULL: it would start. */
const char *compute_boot_problem(struct sim *s, const struct value *des, char *ret_text, size_t room);

#endif
