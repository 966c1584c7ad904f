/* Knows Azure's documented defaults, one row each with its source. Must not know who compares them. */
#include "defaults.h"

#include <stdlib.h>

#include "../../reconciler/base/text.h"

#define VAULT "Microsoft.KeyVault/vaults"
#define HSM "Microsoft.KeyVault/managedHSMs"
#define BACKUP_VAULT "Microsoft.RecoveryServices/vaults"
#define KEYVAULT_SPEC "Key Vault specification, 2026-02-01 and 2025-05-01"
/* The default of 2026-02-01, true, is of vaults that are made; a vault that shows none is older and
 * keeps its access policies. */
#define ROLES                                                                                                          \
    "Microsoft Learn, Key Vault (access control default), 2026-04-10: null means access policies, in every "           \
    "api-version"
#define PURGE "Microsoft Learn, Key Vault soft delete: purge protection is off unless turned on"
/* The specification's default, true, is of HSMs that are made; one that bears none is not taken for protected. */
#define HSM_PURGE                                                                                                      \
    "Microsoft Learn, Managed HSM soft delete and purge protection: purge protection is not enabled by default"
#define FIREWALL "Microsoft Learn, Key Vault network security: no rules mean all networks, trusted services bypass them"
#define IMMUTABLE "Microsoft Learn, immutable vault for Azure Backup: disabled unless turned on"

enum shape { WORD, FLAG, NUMBER };

static const struct {
    const char *type, *path;
    enum shape shape;
    const char *value, *source;
} rows[] = {
    {VAULT, "properties.enableRbacAuthorization", FLAG, "false", ROLES},
    {VAULT, "properties.enableSoftDelete", FLAG, "true", KEYVAULT_SPEC},
    {VAULT, "properties.enablePurgeProtection", FLAG, "false", PURGE},
    {VAULT, "properties.softDeleteRetentionInDays", NUMBER, "90", KEYVAULT_SPEC},
    {VAULT, "properties.publicNetworkAccess", WORD, "Enabled", KEYVAULT_SPEC},
    {VAULT, "properties.networkAcls.defaultAction", WORD, "Allow", FIREWALL},
    {VAULT, "properties.networkAcls.bypass", WORD, "AzureServices", FIREWALL},
    {HSM, "properties.enableSoftDelete", FLAG, "true", KEYVAULT_SPEC},
    {HSM, "properties.enablePurgeProtection", FLAG, "false", HSM_PURGE},
    {HSM, "properties.softDeleteRetentionInDays", NUMBER, "90", KEYVAULT_SPEC},
    {HSM, "properties.publicNetworkAccess", WORD, "Enabled", KEYVAULT_SPEC},
    {HSM, "properties.networkAcls.defaultAction", WORD, "Allow", FIREWALL},
    {HSM, "properties.networkAcls.bypass", WORD, "AzureServices", FIREWALL},
    {BACKUP_VAULT, "properties.securitySettings.immutabilitySettings.state", WORD, "Disabled", IMMUTABLE},
};

const struct value *azure_effective(struct arena *a, const char *type, const struct value *body, const char *path)
{
    const struct value *have = value_at(body, path);

    if (value_is(have, VALUE_STRING) &&
        (str_eq_nocase(value_str(have), "true") || str_eq_nocase(value_str(have), "false")))
        return value_bool(a, value_bool_at(body, path, false));
    if (!body || (have && !value_is(have, VALUE_NULL)))
        return have;
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (!str_eq(rows[i].type, type) || !str_eq(rows[i].path, path))
            continue;
        return rows[i].shape == FLAG     ? value_bool(a, str_eq(rows[i].value, "true"))
               : rows[i].shape == NUMBER ? value_int(a, strtol(rows[i].value, NULL, 10))
                                         : value_string(a, rows[i].value);
    }
    return NULL;
}

bool azure_vault_checks_roles(const struct value *vault)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct value *have = azure_effective(a, VAULT, vault, "properties.enableRbacAuthorization");

    return value_is(have, VALUE_BOOL) && have->b;
}
