/* Azure Backup of VMs: protected items, recovery points, jobs, restores. */
#ifndef REINSTATE_BACKUP_H
#define REINSTATE_BACKUP_H

#include "arm.h"

/* --- reading (all may suspend) ------------------------------------------------------------------------------------ */

/* The protected items of VMs in the vault. */
must_use int backup_list_items(struct azure *az, struct call *c, struct arena *a, const char *vault_id,
                               const struct value **ret, struct err *err);
/* The protected item of a VM in the vault, compared by source id, else by names; ERR_NOT_FOUND. All machines of a vault
 * are found in one list, by one index. */
must_use int backup_find_item(struct azure *az, struct call *c, struct arena *a, const char *vault_id,
                              const char *vm_id, const struct value **ret, struct err *err);
must_use int backup_list_points(struct azure *az, struct call *c, struct arena *a, const char *item_id,
                                const struct value **ret, struct err *err);
must_use int backup_get_point(struct azure *az, struct call *c, struct arena *a, const char *item_id, const char *point,
                              struct value **ret, struct err *err);
/* Restore jobs of every status started since `since_ms`, all pages, filtered again here. Without extendedInfo. Lists
 * since the same moment are shared (shared.h). */
must_use int backup_list_restore_jobs(struct azure *az, struct call *c, struct arena *a, const char *vault_id,
                                      int64_t since_ms, int64_t now_ms, const struct value **ret, struct err *err);
/* The same, on the way to a trigger, seconds old whatever was written since: Azure shows a job that was just triggered
 * no sooner, and hundreds that trigger one after the other would else use up the hour's reads of jobs. */
must_use int backup_list_jobs_lately(struct azure *az, struct call *c, struct arena *a, const char *vault_id,
                                     int64_t since_ms, int64_t now_ms, const struct value **ret, struct err *err);
must_use int backup_get_job(struct azure *az, struct call *c, struct arena *a, const char *vault_id, const char *job,
                            struct value **ret, struct err *err);

/* May suspend. The details of a job from the list; details that were read before are used again while the job's status
 * is the same. */
must_use int backup_job_details(struct azure *az, struct call *c, struct arena *a, const char *vault_id,
                                const struct value *listed, const struct value **ret, struct err *err);

/* --- understanding (pure) ----------------------------------------------------------------------------------------- */

/* UNKNOWN: the point says just "ConfidentialVM", a type that is not known here, or nothing. It must not be taken for a
 * platform-managed key, for then a lost key would go unnoticed. */
enum point_key { POINT_KEY_UNKNOWN, POINT_KEY_CUSTOMER, POINT_KEY_PLATFORM };

/* UNSEEN: the point does not say in which tiers it is, which is not the same as in none. */
enum tier_state { TIER_ABSENT, TIER_VALID, TIER_GONE, TIER_UNSEEN };
struct backup_point {
    const char *id;
    int64_t time_ms;
    enum tier_state snapshot, vault, archive; /* snapshot: also an instant access one (IASnapshotRP) */
    bool rehydrated; /* brought back from the archive: it can be restored; archived alone it cannot */
    const char *unknown_tier;                 /* the name of a usable tier that nobody here knows; NULL */
    const char *consistency; /* "CrashConsistent", "FileSystemConsistent", "AppConsistent"; NULL: it does not say */
    bool confidential;  /* from securityType, as is: */
    enum point_key key; /* whose key the disks need */
    const char *security_type;       /* raw */
    const char *threat;              /* "UnHealthy" or "Warning": Azure has seen signs of malware in it; else NULL */
    bool soft_deleted;
    int64_t expiry_ms; /* TIME_NONE */
    const char *os_type, *size;
};
void backup_read_point(struct arena *a, const struct value *body, struct backup_point *ret);

enum job_state {
    JOB_RUNNING,
    JOB_CANCELLING,
    JOB_COMPLETED,
    JOB_COMPLETED_WITH_WARNINGS,
    JOB_FAILED,
    JOB_CANCELLED,
    JOB_UNKNOWN
};
enum restore_type { RESTORE_NEW_VM, RESTORE_DISKS, RESTORE_REPLACE, RESTORE_CROSS_REGION, RESTORE_UNKNOWN };
struct backup_job {
    const char *id, *status, *operation;
    enum job_state state;
    int64_t start_ms, end_ms; /* TIME_NONE */
    const char *vm;           /* entityFriendlyName */
    /* From the container (iaasvmcontainerv2;GROUP;VM); NULL when the job does not say. The name alone is not unique. */
    const char *source_group, *source_vm;
    /* only with details: */
    bool detailed;
    enum restore_type type;
    int64_t point_ms;       /* "Recovery point time " */
    const char *point_text; /* as it stands there, when it does not say one second */
    const char *target_vm, *target_group, *storage_account;
    const char *config_container; /* "Config Blob Container Name" */
    const char *encryption_blob;  /* "Secured Encryption Info Blob Name" */
    const char *error_code;       /* symbolic when one is found, else the number as text; NULL when none */
    const char *error_text;
    double progress;
};
void backup_read_job(struct arena *a, const struct value *body, struct backup_job *ret);
/* Pure. The job names a machine, and that is another one: all else of a list of hundreds need not be read. */
bool backup_job_of_another(const struct value *listed, const char *group, const char *vm);
/* Restores into the paired region included. UNTOLD: the body does not say, or in a word that nobody has described; such
 * a job may be a restore. */
enum backup_operation { OPERATION_RESTORE, OPERATION_OTHER, OPERATION_UNTOLD };
enum backup_operation backup_operation_of(const struct value *job);
/* It has not ended, or does not say so. */
bool backup_job_lasts(const struct backup_job *job);
/* Property bag look-up: exact first, then trimmed and case folded. NULL when absent. */
const char *backup_bag(const struct value *job, const char *key);

/* --- restoring ---------------------------------------------------------------------------------------------------- */

struct restore_request {
    enum restore_type type;
    const char *point, *source_vm_id, *region, *storage_account_id, *target_group_id;
    const char *target_vm_id, *subnet_id; /* new-vm only */
    const char *des_id;                   /* securedVMDetails; NULL: not sent */
    const char *zone;                     /* or NULL */
    const struct value *disk_luns;        /* list of ints, or NULL */
};
/* Pure: the body as Azure PowerShell sends it (Microsoft.RecoveryServices Backup, IaasVMRestoreRequest). */
struct value *backup_restore_body(struct arena *a, const struct restore_request *r);
/* May suspend. What Azure Backup has against a request: a list of {code, message, recommendations},
 * empty for no objection. */
must_use int backup_validate_restore(struct azure *az, struct call *c, struct arena *a, const char *item_id,
                                     const struct restore_request *r, struct value **ret, struct err *err);
/* May suspend. Triggers once (never repeated) and follows the trigger until the job's id is known. ERR_UNKNOWN_OUTCOME:
 * look at the job list before anything else. */
must_use int backup_trigger_restore(struct azure *az, struct call *c, struct arena *a, const char *item_id,
                                    const struct restore_request *r, const char **ret_job, struct err *err);
/* May suspend. Polls a job to its end or the bound (ERR_BLOCKED then: the job is left running).
 * `progress` may be NULL. */
struct backup_following {
    const char *vault_id, *job;
    int64_t bound_ms;
    void (*progress)(void *ctx, const struct backup_job *job); /* NULL: nobody is told */
    void *ctx;
};
must_use int backup_follow_job(struct azure *az, struct call *c, struct arena *a, const struct backup_following *f,
                               struct backup_job *ret, struct err *err);

/* --- protecting (backup_protection.c) ----------------------------------------------------------------------------- */

must_use int backup_get_policy(struct azure *az, struct call *c, struct arena *a, const char *policy_id,
                               struct value **ret, struct err *err);
/* Pure: where a VM's item is, and what puts it there. */
char *backup_item_path(struct arena *a, const char *vault_id, const char *vm_id);
struct value *backup_protect_body(struct arena *a, const char *vm_id, const char *policy_id);
/* May suspend. Has the vault look for VMs that are new to it. */
must_use int backup_refresh(struct azure *az, struct call *c, struct arena *a, const char *vault_id, int64_t bound_ms,
                            struct err *err);
/* May suspend. Protects the VM by a policy and follows the job to its end. Doing it again changes nothing. */
struct backup_protection {
    const char *vault_id, *vm_id, *policy_id;
};
must_use int backup_protect(struct azure *az, struct call *c, struct arena *a,
                            const struct backup_protection *protection, int64_t bound_ms, struct backup_job *ret,
                            struct err *err);

#endif
