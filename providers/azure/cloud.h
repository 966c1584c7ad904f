/* The clouds: endpoints and audiences, built in or from the operator's --cloud file; never from a manifest.
 * Values: Microsoft Learn, "national clouds", Azure CLI's cloud table. */
#ifndef REINSTATE_CLOUD_H
#define REINSTATE_CLOUD_H

#include "../../reconciler/base/value.h"

struct cloud {
    const char *name;           /* AzurePublic, AzureUSGovernment, AzureChina, or the file's */
    const char *authority;      /* https://login.microsoftonline.com */
    const char *arm;            /* https://management.azure.com */
    const char *arm_audience;   /* https://management.azure.com/ */
    const char *vault_suffix;   /* .vault.azure.net ; may carry a port: .vault.localhost:8443 */
    const char *vault_audience; /* https://vault.azure.net */
    const char *hsm_suffix;
    const char *hsm_audience;
    const char *blob_suffix;         /* .blob.core.windows.net */
    const char
        *blob_zone_suffix; /* .blob.storage.azure.net, behind ACCOUNT.zNN of accounts in a DNS zone; NULL: not known */
    const char *storage_audience;    /* https://storage.azure.com/ */
    const char *graph;               /* https://graph.microsoft.com ; also its audience */
    const char *orchestrator_app_id; /* Confidential VM Orchestrator; NULL where nobody publishes it */
    const char *backup_app_id;       /* Backup Management Service; NULL as above */
    const char *ca_file;             /* authorities to trust instead of the system's; NULL: the system's */
    int64_t clock_start_ms; /* from a file that says so (`clock: {start, speed}`): the time this cloud lives in;
                               TIME_NONE */
    double clock_speed;              /* 1 unless a file says otherwise */
    int64_t clock_ahead_ms; /* `clock.ahead`: by how much the client's own clock is to be wrong; 0 unless a file says
                               otherwise */
};

/* NULL when there is no such built-in cloud. */
const struct cloud *cloud_builtin(const char *name);
extern const char *const cloud_names[]; /* NULL-terminated */

/* Reads an operator's file (a YAML or JSON map, already parsed): `base` names a built-in cloud (default AzurePublic);
 * every other member overrides one cell. Unknown members are faults; endpoints must be https. */
const struct cloud *cloud_read(struct arena *a, const struct value *file, struct diags *diags);

/* A key URL taken apart. */
enum store_kind { STORE_VAULT, STORE_HSM };
struct key_url {
    const char *base;  /* https://kv-payroll.vault.azure.net */
    const char *store; /* kv-payroll */
    const char *name;
    const char *version; /* NULL when not given */
    enum store_kind kind;
};
/* ERR_INVALID says which cloud the host belongs to when it is another one's. */
must_use int cloud_parse_key_url(struct arena *a, const struct cloud *cloud, const char *url, struct key_url *ret,
                                 struct err *err);
char *cloud_store_base(struct arena *a, const struct cloud *cloud, enum store_kind kind, const char *store);
char *cloud_key_url(struct arena *a, const struct cloud *cloud, enum store_kind kind, const char *store,
                    const char *name, const char *version);

#endif
