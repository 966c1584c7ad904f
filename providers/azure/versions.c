/* Knows the api-version of every service that is spoken to, and when it ends. The one place where
 * one is written down. */
#include "versions.h"

#include <string.h>

#include "../../reconciler/base/text.h"

const struct azure_api_row azure_apis[API_COUNT] = {
    [API_RESOURCES] = {.name = "resources", .of = "Microsoft.Resources", .version = "2025-04-01"},
    [API_RESOURCE_GRAPH] = {.name = "resourceGraph", .of = "Microsoft.ResourceGraph", .version = "2024-04-01"},
    [API_AUTHORIZATION] = {.name = "authorization", .of = "Microsoft.Authorization (roles)", .version = "2022-04-01"},
    [API_LOCKS] = {.name = "locks", .of = "Microsoft.Authorization (locks)", .version = "2020-05-01"},
    [API_FEATURES] = {.name = "features", .of = "Microsoft.Features", .version = "2021-07-01"},
    [API_KEYVAULT] = {.name = "keyVault",
                      .of = "Microsoft.KeyVault",
                      .version = "2026-02-01",
                      .ends_before = "2026-02-01",
                      .ended = "2027-02-27",
                      .source = "Microsoft Learn, Key Vault (access control default), 2026-04-10"},
    [API_KEYS] = {.name = "keys", .of = "Key Vault and managed HSM (keys, local roles)", .version = "2025-07-01"},
    [API_IDENTITY] = {.name = "managedIdentity", .of = "Microsoft.ManagedIdentity", .version = "2023-01-31"},
    [API_ATTESTATION] = {.name = "attestation", .of = "Microsoft.Attestation", .version = "2020-10-01"},
    [API_COMPUTE] = {.name = "compute", .of = "Microsoft.Compute (virtual machines)", .version = "2025-04-01"},
    [API_DISK] = {.name = "disks", .of = "Microsoft.Compute (disks, disk encryption sets)", .version = "2025-01-02"},
    [API_NETWORK] = {.name = "network", .of = "Microsoft.Network", .version = "2024-05-01"},
    [API_STORAGE] = {.name = "storage", .of = "Microsoft.Storage", .version = "2025-01-01"},
    [API_BLOB] = {.name = "blobs", .of = "Azure Storage (blobs, x-ms-version)", .version = "2021-06-08"},
    [API_RECOVERY_VAULT] = {.name = "recoveryServices",
                            .of = "Microsoft.RecoveryServices (vaults)",
                            .version = "2025-02-01"},
    [API_RECOVERY] = {.name = "backup", .of = "Microsoft.RecoveryServices (backup)", .version = "2026-07-01"},
};

const struct azure_api_row *azure_api_find(const char *name)
{
    for (size_t i = 0; i < API_COUNT; i++)
        if (str_eq(azure_apis[i].name, name))
            return &azure_apis[i];
    return NULL;
}

const char *azure_api_declared(const struct value *azure_spec, enum azure_api api)
{
    const char *own = value_str(value_get(value_get(azure_spec, "apiVersions"), azure_apis[api].name));

    return own ? own : azure_apis[api].version;
}

const char *azure_api_retired(const struct azure_api_row *row, const char *version)
{
    return row->ends_before && strcmp(version, row->ends_before) < 0 ? row->ended : NULL;
}
