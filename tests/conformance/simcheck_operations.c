/* Knows the operations that the simulator covers: their addresses, and who makes their situations.
 * Must not know how. */
#include "simcheck_operations.h"

#include <string.h>

#define SUB "/subscriptions/*"
#define GROUP SUB "/resourcegroups/*"
#define IN_GROUP GROUP "/providers/"
#define BACKUP IN_GROUP "Microsoft.RecoveryServices/vaults/*"
#define ITEM BACKUP "/backupFabrics/Azure/protectionContainers/*/protectedItems/*"
#define ARM_SCOPE "https://management.azure.com/"
#define VAULT_SCOPE "https://vault.azure.net"
#define HSM_SCOPE "https://managedhsm.azure.net"
#define GRAPH_SCOPE "https://graph.microsoft.com"
#define BLOB_SCOPE "https://storage.azure.com"

/* --- the table ---------------------------------------------------------------------------------------------------- */

static const struct operation operations[] = {
    {"resource group", "GET", "arm:" GROUP, ARM_SCOPE, make_one_resource, NULL},
    {"resources by filter", "GET", "arm:" SUB "/resources", ARM_SCOPE, make_some_resources, NULL},
    {"disk encryption set", "GET", "arm:" IN_GROUP "Microsoft.Compute/diskEncryptionSets/*", ARM_SCOPE,
     make_one_resource, NULL},
    {"disk encryption set put", "PUT", "arm:" IN_GROUP "Microsoft.Compute/diskEncryptionSets/*", ARM_SCOPE,
     make_change_of_set, NULL},
    {"disk encryption set patch", "PATCH", "arm:" IN_GROUP "Microsoft.Compute/diskEncryptionSets/*", ARM_SCOPE,
     make_change_of_set, NULL},
    {"disk operation", "GET", "arm:" SUB "/providers/Microsoft.Compute/locations/*/DiskOperations/*", ARM_SCOPE,
     make_polled, make_begin_and_poll},
    {"compute operation", "GET", "arm:" SUB "/providers/Microsoft.Compute/locations/*/operations/*", ARM_SCOPE,
     make_polled, make_begin_and_poll},
    {"disk", "GET", "arm:" IN_GROUP "Microsoft.Compute/disks/*", ARM_SCOPE, make_one_resource, NULL},
    {"virtual machine", "GET", "arm:" IN_GROUP "Microsoft.Compute/virtualMachines/*", ARM_SCOPE, make_one_resource,
     NULL},
    {"virtual machine delete", "DELETE", "arm:" IN_GROUP "Microsoft.Compute/virtualMachines/*", ARM_SCOPE,
     make_known_before, NULL},
    {"deleted vaults", "GET", "arm:" SUB "/providers/Microsoft.KeyVault/deletedVaults", ARM_SCOPE, make_deleted_vaults,
     NULL},
    {"deleted vault", "GET", "arm:" SUB "/providers/Microsoft.KeyVault/locations/*/deletedVaults/*", ARM_SCOPE,
     make_deleted_vaults, NULL},
    {"key vault", "GET", "arm:" IN_GROUP "Microsoft.KeyVault/vaults/*", ARM_SCOPE, make_one_resource, NULL},
    {"key vault put", "PUT", "arm:" IN_GROUP "Microsoft.KeyVault/vaults/*", ARM_SCOPE, make_change_of_vault, NULL},
    {"key vault delete", "DELETE", "arm:" IN_GROUP "Microsoft.KeyVault/vaults/*", ARM_SCOPE, make_known_before, NULL},
    {"virtual network", "GET", "arm:" IN_GROUP "Microsoft.Network/virtualNetworks/*", ARM_SCOPE, make_one_resource,
     NULL},
    {"virtual networks", "GET", "arm:" IN_GROUP "Microsoft.Network/virtualNetworks", ARM_SCOPE, make_some_resources,
     NULL},
    {"network interface", "GET", "arm:" IN_GROUP "Microsoft.Network/networkInterfaces/*", ARM_SCOPE, make_one_resource,
     NULL},
    {"storage account", "GET", "arm:" IN_GROUP "Microsoft.Storage/storageAccounts/*", ARM_SCOPE, make_one_resource,
     NULL},
    {"storage accounts", "GET", "arm:" SUB "/providers/Microsoft.Storage/storageAccounts", ARM_SCOPE,
     make_some_resources, NULL},
    {"storage account keys", "POST", "arm:" IN_GROUP "Microsoft.Storage/storageAccounts/*/listKeys", ARM_SCOPE,
     make_account_keys, NULL},
    {"role assignments", "GET", "arm:**/providers/Microsoft.Authorization/roleAssignments", ARM_SCOPE,
     make_some_assignments, NULL},
    {"role assignment", "GET", "arm:**/providers/Microsoft.Authorization/roleAssignments/*", ARM_SCOPE,
     make_one_assignment, NULL},
    {"role assignment put", "PUT", "arm:**/providers/Microsoft.Authorization/roleAssignments/*", ARM_SCOPE,
     make_one_assignment, NULL},
    {"role assignment delete", "DELETE", "arm:**/providers/Microsoft.Authorization/roleAssignments/*", ARM_SCOPE,
     make_one_assignment, NULL},
    {"role definitions", "GET", "arm:**/providers/Microsoft.Authorization/roleDefinitions", ARM_SCOPE, make_definitions,
     NULL},
    {"role definition", "GET", "arm:**/providers/Microsoft.Authorization/roleDefinitions/*", ARM_SCOPE,
     make_definitions, NULL},
    {"recovery services vault", "GET", "arm:" BACKUP, ARM_SCOPE, make_one_resource, NULL},
    {"protected items", "GET", "arm:" BACKUP "/backupProtectedItems", ARM_SCOPE, make_items, NULL},
    {"protected item", "GET", "arm:" ITEM, ARM_SCOPE, make_items, NULL},
    {"protection containers", "GET", "arm:" BACKUP "/backupProtectionContainers", ARM_SCOPE, make_containers, NULL},
    {"resource guard proxies", "GET", "arm:" BACKUP "/backupResourceGuardProxies", ARM_SCOPE, make_in_vault, NULL},
    {"backup policy", "GET", "arm:" BACKUP "/backupPolicies/*", ARM_SCOPE, make_in_vault, NULL},
    {"recovery points", "GET", "arm:" ITEM "/recoveryPoints", ARM_SCOPE, make_points, NULL},
    {"recovery point", "GET", "arm:" ITEM "/recoveryPoints/*", ARM_SCOPE, make_points, NULL},
    {"restore", "POST", "arm:" ITEM "/recoveryPoints/*/restore", ARM_SCOPE, make_restore, NULL},
    {"backup operation", "GET", "arm:" BACKUP "/backupOperations/*", ARM_SCOPE, make_backup_operation, NULL},
    {"item operation status", "GET", "arm:" ITEM "/operationsStatus/*", ARM_SCOPE, make_backup_operation, NULL},
    {"item operation result", "GET", "arm:" ITEM "/operationResults/*", ARM_SCOPE, make_backup_operation, NULL},
    {"jobs", "GET", "arm:" BACKUP "/backupJobs", ARM_SCOPE, make_recorded_jobs, NULL},
    {"job", "GET", "arm:" BACKUP "/backupJobs/*", ARM_SCOPE, make_job, make_run_restore},
    {"job cancel", "POST", "arm:" BACKUP "/backupJobs/*/cancel", ARM_SCOPE, make_job, make_run_restore},
    {"service principals", "GET", "graph:/v1.0/servicePrincipals", GRAPH_SCOPE, make_service_principals, NULL},
    {"service principal", "GET", "graph:/v1.0/servicePrincipals/*", GRAPH_SCOPE, make_service_principals, NULL},
    {"key vault keys", "GET", "vault:/keys", VAULT_SCOPE, make_active_keys, NULL},
    {"key vault deleted keys", "GET", "vault:/deletedkeys", VAULT_SCOPE, make_deleted_keys, NULL},
    {"key vault key versions", "GET", "vault:/keys/*/versions", VAULT_SCOPE, make_versions, NULL},
    {"key vault key", "GET", "vault:/keys/*", VAULT_SCOPE, make_shown_key, NULL},
    {"key vault key version", "GET", "vault:/keys/*/*", VAULT_SCOPE, make_shown_key, NULL},
    {"key vault key create", "POST", "vault:/keys/*/create", VAULT_SCOPE, make_new_key, NULL},
    {"key vault key update", "PATCH", "vault:/keys/*", VAULT_SCOPE, make_shown_key, NULL},
    {"key vault key backup", "POST", "vault:/keys/*/backup", VAULT_SCOPE, make_earlier_active, NULL},
    {"key vault key delete", "DELETE", "vault:/keys/*", VAULT_SCOPE, make_shown_key, NULL},
    {"key vault key restore", "POST", "vault:/keys/restore", VAULT_SCOPE, make_shown_key, make_back_up_and_lose},
    {"key vault key recover", "POST", "vault:/deletedkeys/*/recover", VAULT_SCOPE, make_shown_deleted_key, NULL},
    {"key vault key purge", "DELETE", "vault:/deletedkeys/*", VAULT_SCOPE, make_earlier_deleted, NULL},
    {"managed HSM keys", "GET", "hsm:/keys", HSM_SCOPE, make_active_keys, NULL},
    {"managed HSM deleted keys", "GET", "hsm:/deletedkeys", HSM_SCOPE, make_deleted_keys, NULL},
    {"managed HSM key versions", "GET", "hsm:/keys/*/versions", HSM_SCOPE, make_versions, NULL},
    {"managed HSM key", "GET", "hsm:/keys/*", HSM_SCOPE, make_shown_key, NULL},
    {"managed HSM key version", "GET", "hsm:/keys/*/*", HSM_SCOPE, make_shown_key, NULL},
    {"managed HSM key create", "POST", "hsm:/keys/*/create", HSM_SCOPE, make_new_key, NULL},
    {"managed HSM key update", "PATCH", "hsm:/keys/*", HSM_SCOPE, make_shown_key, NULL},
    {"managed HSM key backup", "POST", "hsm:/keys/*/backup", HSM_SCOPE, make_earlier_active, NULL},
    {"managed HSM key delete", "DELETE", "hsm:/keys/*", HSM_SCOPE, make_shown_key, NULL},
    {"managed HSM key restore", "POST", "hsm:/keys/restore", HSM_SCOPE, make_shown_key, make_back_up_and_lose},
    {"managed HSM key recover", "POST", "hsm:/deletedkeys/*/recover", HSM_SCOPE, make_shown_deleted_key, NULL},
    {"managed HSM key purge", "DELETE", "hsm:/deletedkeys/*", HSM_SCOPE, make_earlier_deleted, NULL},
    {"managed HSM role definitions", "GET", "hsm:**/providers/Microsoft.Authorization/roleDefinitions", HSM_SCOPE,
     make_local_rights, NULL},
    {"managed HSM role definition", "GET", "hsm:**/providers/Microsoft.Authorization/roleDefinitions/*", HSM_SCOPE,
     make_local_definition, NULL},
    {"managed HSM role assignments", "GET", "hsm:**/providers/Microsoft.Authorization/roleAssignments", HSM_SCOPE,
     make_local_rights, NULL},
    {"managed HSM role assignment put", "PUT", "hsm:**/providers/Microsoft.Authorization/roleAssignments/*", HSM_SCOPE,
     make_new_key, NULL},
    {"managed HSM role assignment delete", "DELETE", "hsm:**/providers/Microsoft.Authorization/roleAssignments/*",
     HSM_SCOPE, make_local_rights, NULL},
    {"key vault rotation policy", "GET", "vault:/keys/*/rotationpolicy", VAULT_SCOPE, make_earlier_active, NULL},
    {"key vault rotation policy put", "PUT", "vault:/keys/*/rotationpolicy", VAULT_SCOPE, make_earlier_active, NULL},
    {"key vault key rotate", "POST", "vault:/keys/*/rotate", VAULT_SCOPE, make_earlier_active, make_set_rotation},
    {"blob", "GET", "blob:/*/*", BLOB_SCOPE, make_one_blob, NULL},
    {"blob head", "HEAD", "blob:/*/*", BLOB_SCOPE, make_one_blob, NULL},
    {"blobs", "GET", "blob:/*", BLOB_SCOPE, make_listed_blobs, NULL},
};

/* --- finding ------------------------------------------------------------------------------------------------------ */

static const char *service_of(const char *host)
{
    static const char *const services[][2] = {{"management.azure.com", "arm"},
                                              {".vault.azure.net", "vault"},
                                              {".managedhsm.azure.net", "hsm"},
                                              {"graph.microsoft.com", "graph"},
                                              {".blob.core.windows.net", "blob"}};

    for (size_t i = 0; i < COUNT(services); i++)
        if (str_ends_nocase(host, services[i][0]))
            return services[i][1];
    return host;
}

/* "/a/b" against the parts from `at` on: '*' is one part, a leading "**" any number. */
static bool fits(const struct situation *t, size_t at, const char *pattern)
{
    if (str_starts(pattern, "**")) {
        for (; at <= t->n_parts; at++)
            if (fits(t, at, pattern + 2))
                return true;
        return false;
    }
    for (; *pattern == '/'; at++) {
        size_t n = strcspn(++pattern, "/");

        if (at >= t->n_parts ||
            (*pattern != '*' && (strlen(t->parts[at]) != n || strncasecmp(t->parts[at], pattern, n) != 0)))
            return false;
        pattern += n;
    }
    return at == t->n_parts;
}

const struct operation *operation_of(const struct situation *t)
{
    const char *where = service_of(t->host), *method = value_str_at(t->x, "method");
    size_t n = strlen(where);

    for (size_t i = 0; i < COUNT(operations); i++) {
        const struct operation *op = &operations[i];

        if (str_eq(op->method, method) && strncmp(op->pattern, where, n) == 0 && op->pattern[n] == ':' &&
            fits(t, 0, op->pattern + n + 1))
            return op;
    }
    return NULL;
}

/* A path by its kinds: names become '*'. */
char *operation_described(const struct situation *t)
{
    const char *where = service_of(t->host);
    bool arm = str_eq(where, "arm");
    struct text text;
    size_t from = 0;
    char *ret;

    text_init(&text, TEXT_CEILING);
    text_printf(&text, "%s %s ", value_str_at(t->x, "method"), where);
    for (size_t i = 0; arm && i < t->n_parts; i++)
        if (str_eq_nocase(t->parts[i], "providers"))
            from = i + 1;
    for (size_t i = from; i < t->n_parts; i++) {
        bool named = arm ? (i - from >= (from ? 2u : 1u) && (i - from) % 2 == (from ? 0u : 1u))
                         : i % 2 == 1 || str_eq(where, "blob");

        text_printf(&text, "/%s", named ? "*" : arm ? t->parts[i] : str_lower(t->a, t->parts[i]));
    }
    ret = arena_strdup(t->a, text_str(&text));
    text_release(&text);
    return ret;
}
