/* Which recorded exchanges our client could have made, and by which function. */
#ifndef REINSTATE_REPLAY_ROUTES_H
#define REINSTATE_REPLAY_ROUTES_H

#include "replay_calls.h"

#define RSV "**/Microsoft.RecoveryServices/vaults/*"
#define KV "**/Microsoft.KeyVault/vaults/*"
#define DES "**/Microsoft.Compute/diskEncryptionSets/*"
#define VM "**/Microsoft.Compute/virtualMachines/*"
#define AUTHORIZATION "**/Microsoft.Authorization/"
#define VAULT_MEMBERS                                                                                                  \
    "location properties.vaultUri properties.tenantId properties.enableRbacAuthorization "                             \
    "properties.enablePurgeProtection"
#define DES_MEMBERS                                                                                                    \
    "location identity.type identity.principalId properties.activeKey.keyUrl properties.encryptionType "               \
    "properties.provisioningState"
#define VM_MEMBERS \
    "location properties.provisioningState properties.securityProfile.securityType" \
    " properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"

static const struct route routes[] = {
    {SERVICE_ARM, "GET", RSV, "arm_get", call_resource, NULL, API_RECOVERY_VAULT,
     "location properties.provisioningState", NULL},
    {SERVICE_ARM, "GET", RSV "/backupJobs", "backup_list_restore_jobs", call_jobs, is_of_vms, 0, NULL, NULL},
    {SERVICE_ARM, "GET", RSV "/backupJobs/*", "backup_get_job", call_job, is_of_vms, 0, NULL, NULL},
    {SERVICE_ARM, "GET", RSV "/backupProtectedItems", "backup_find_item", call_items, is_of_vms, 0, NULL, NULL},
    {SERVICE_ARM, "GET", RSV "/backupOperations/*", "arm_judge_answer", call_operation, NULL, 0, NULL, NULL},
    {SERVICE_ARM, "GET", "**/protectedItems/*/recoveryPoints", "backup_list_points", call_points, is_of_vms, 0, NULL,
     NULL},
    {SERVICE_ARM, "GET", "**/protectedItems/*/recoveryPoints/*", "backup_get_point", call_point, is_of_vms, 0, NULL,
     NULL},
    {SERVICE_ARM, "POST", "**/recoveryPoints/*/restore", "backup_trigger_restore", call_restore, orders_vm, 0, NULL,
     NULL},
    {SERVICE_ARM, "GET", KV, "arm_get", call_resource, NULL, API_KEYVAULT, VAULT_MEMBERS, NULL},
    {SERVICE_ARM, "PUT", KV, "KeyVault: act", call_vault_put, vault_is_made, 0, NULL, NULL},
    {SERVICE_ARM, "PATCH", KV, "arm_send", call_send, NULL, API_KEYVAULT, NULL, NULL},
    {SERVICE_ARM, "PUT", KV "/accessPolicies/add", "arm_send", call_send, NULL, API_KEYVAULT, NULL, NULL},
    {SERVICE_ARM, "GET", "**/Microsoft.KeyVault/locations/*/deletedVaults/*", "arm_get", call_resource, NULL,
     API_KEYVAULT, "properties.vaultId properties.deletionDate properties.scheduledPurgeDate", NULL},
    {SERVICE_ARM, "GET", DES, "arm_get", call_resource, NULL, API_DISK, DES_MEMBERS, NULL},
    {SERVICE_ARM, "PUT", DES, "DiskEncryptionSet: act", call_des, des_is_ours, 0, NULL, NULL},
    {SERVICE_ARM, "PATCH", DES, "DiskEncryptionSet: act", call_des, des_is_ours, 0, NULL, NULL},
    {SERVICE_ARM, "GET", DES "/associatedResources", "arm_list", call_list, NULL, API_DISK, NULL, NULL},
    {SERVICE_ARM, "GET", VM, "arm_get", call_resource, NULL, API_COMPUTE, VM_MEMBERS, NULL},
    {SERVICE_ARM, "GET", VM "/instanceView", "arm_get", call_resource, NULL, API_COMPUTE, "statuses", NULL},
    {SERVICE_ARM, "POST", VM "/start", "arm_send", call_send, NULL, API_COMPUTE, NULL, NULL},
    {SERVICE_ARM, "GET", AUTHORIZATION "roleAssignments", "role_assignments_read", call_assignments, NULL, 0, NULL,
     "$filter=atScope()"},
    {SERVICE_ARM, "PUT", AUTHORIZATION "roleAssignments/*", "role_assignment_put", call_assign, assigns_service, 0,
     NULL, NULL},
    {SERVICE_ARM, "GET", AUTHORIZATION "roleDefinitions", "arm_list", call_list, NULL, API_AUTHORIZATION, NULL,
     "$filter=roleName eq "},
    {SERVICE_ARM, "GET", AUTHORIZATION "roleDefinitions/*", "arm_get", call_resource, NULL, API_AUTHORIZATION,
     "name properties.roleName properties.type", NULL},
    {SERVICE_ARM, "GET", AUTHORIZATION "permissions", "arm_permissions", call_permissions, NULL, 0, NULL, NULL},
    {SERVICE_ARM, "GET", "**/Microsoft.Attestation/locations/*/defaultProvider", "arm_get", call_resource, NULL,
     API_ATTESTATION, "properties.attestUri", NULL},
    {SERVICE_ARM, "POST", "**/Microsoft.Storage/storageAccounts/*/listKeys", "blob_account_key", call_account_key, NULL,
     0, NULL, NULL},

    {SERVICE_VAULT, "GET", "/keys/*", "vault_get_key", call_key, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "GET", "/keys/*/versions", "vault_list_versions", call_versions, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "GET", "/keys/*/rotationpolicy", NULL, NULL, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "GET", "/keys/*/*", "vault_get_key", call_key, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "GET", "/deletedkeys/*", "vault_get_deleted_key", call_deleted_key, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "POST", "/deletedkeys/*/recover", "vault_recover_key", call_recover, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "POST", "/keys/restore", "vault_restore_key", call_restore_key, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "POST", "/keys/*/create", "vault_create_key", call_create_key, creates_confidential_key, 0, NULL,
     NULL},
    {SERVICE_VAULT, "PATCH", "/keys/*", "vault_update_key", call_update_key, NULL, 0, NULL, NULL},
    {SERVICE_VAULT, "PATCH", "/keys/*/*", "vault_update_key", call_update_key, NULL, 0, NULL, NULL},

    {SERVICE_BLOB, "HEAD", "/*/*", "blob_exists", call_blob_exists, is_whole_blob, 0, NULL, NULL},
    {SERVICE_BLOB, "GET", "/*/*", "blob_read", call_blob, is_whole_blob, 0, NULL, NULL},
    {SERVICE_GRAPH, "GET", "/v1.0/servicePrincipals", "directory_service_principal", call_principal, names_application,
     0, NULL, NULL},
    {SERVICE_LOGIN, "POST", "/*/oauth2/v2.0/token", "azure_authorization", call_token, NULL, 0, NULL, NULL},
};

static bool segments_match(const char *pattern, const char *path)
{
    while (*pattern == '/' && *path == '/') {
        size_t n = strcspn(pattern + 1, "/"), m = strcspn(path + 1, "/");

        if (!(n == 1 && pattern[1] == '*') && (n != m || strncasecmp(pattern + 1, path + 1, n) != 0))
            return false;
        pattern += 1 + n;
        path += 1 + m;
    }
    return *pattern == *path;
}

static bool path_matches(const char *pattern, const char *path)
{
    if (!str_starts(pattern, "**"))
        return segments_match(pattern, path);
    for (const char *p = path; p; p = strchr(p + 1, '/'))
        if (segments_match(pattern + 2, p))
            return true;
    return false;
}

/* The cloud an address belongs to and which of its services it is. */
static enum service service_of(const char *uri, const struct cloud **ret)
{
    for (size_t i = 0; cloud_names[i]; i++) {
        const struct cloud *c = cloud_builtin(cloud_names[i]);
        enum service s = SERVICE_OTHER;

        if (url_same_host(uri, c->arm))
            s = SERVICE_ARM;
        else if (url_under_suffix(uri, c->vault_suffix) || url_under_suffix(uri, c->hsm_suffix))
            s = SERVICE_VAULT;
        else if (url_under_suffix(uri, c->blob_suffix))
            s = SERVICE_BLOB;
        else if (url_same_host(uri, c->graph))
            s = SERVICE_GRAPH;
        else if (url_same_host(uri, c->authority))
            s = SERVICE_LOGIN;
        if (s == SERVICE_OTHER)
            continue;
        *ret = c;
        return s;
    }
    *ret = cloud_builtin("AzurePublic");
    return SERVICE_OTHER;
}

static const struct route *route_find(struct replay *r, enum service service)
{
    const char *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true);

    for (size_t i = 0; i < COUNT(routes); i++) {
        const struct route *t = &routes[i];

        if (t->service != service || !str_eq(t->method, r->x->method) || !path_matches(t->path, r->x->path))
            continue;
        if (!t->call)
            return NULL;
        if ((!t->query || strstr(uri, t->query)) && (!t->applies || t->applies(r)))
            return t;
    }
    return NULL;
}

/* How the operation is followed that this exchange is a poll of, if it is one. */
enum poll_kind { POLL_NONE, POLL_ASYNC, POLL_LOCATION };

static enum poll_kind poll_given(const struct recording *file, size_t at, bool exact)
{
    const struct exchange *x = &file->items[at];

    for (size_t i = at; i-- > 0;)
        for (int kind = POLL_ASYNC; kind <= POLL_LOCATION; kind++) {
            const char *url = header_of(&file->items[i], kind == POLL_ASYNC ? "azure-asyncoperation" : "location");

            if (url && (exact ? str_eq(url, x->uri) : str_eq_nocase(path_of(file->arena, url), x->path)))
                return kind;
        }
    return POLL_NONE;
}

static enum poll_kind poll_kind_of(const struct recording *file, size_t at)
{
    static const char *const async[] = {"**/operationStatus/*", "**/operationsStatus/*", "**/operationStatuses/*",
                                        "**/operations/*", "**/DiskOperations/*"};
    const struct exchange *x = &file->items[at];
    bool operation = str_find_nocase(x->path, "operation") != NULL;
    enum poll_kind kind;

    if (!str_eq(x->method, "GET") || !operation || str_find_nocase(x->path, "/backupOperations/"))
        return POLL_NONE;
    kind = poll_given(file, at, true);
    if (kind == POLL_NONE)
        kind = poll_given(file, at, false);
    for (size_t i = 0; kind == POLL_NONE && i < COUNT(async); i++)
        if (path_matches(async[i], x->path))
            kind = str_find_nocase(x->uri, "monitor=true") ? POLL_LOCATION : POLL_ASYNC;
    return kind == POLL_NONE && path_matches("**/operationResults/*", x->path) ? POLL_LOCATION : kind;
}

#endif
