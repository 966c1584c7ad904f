/* Knows what the world keeps of a protected item and its recovery points. Must not know how they
 * are shown nor restored. */
#include "data.h"

#include <string.h>

const struct value *item_wrapped_with(const struct value *backup, const struct value *point)
{
    const struct value *own = value_get(point, "wrappedWith");

    return own ? own : value_get(backup, "wrappedWith");
}

bool item_tier_valid(const struct value *point, const char *tier)
{
    const char *state = value_str(value_get(value_get(point, "tiers"), tier));

    /* What lies in the archive has to be brought back first. */
    return str_eq_nocase(state, "Rehydrated") || (str_eq_nocase(state, "Valid") && !str_eq(tier, "ArchivedRP"));
}

const char *item_source_id(struct arena *a, const struct value *backup)
{
    const char *subscription = value_str_at(backup, "source.subscription");

    if (!subscription)
        subscription = world_id_part(a, value_str_at(backup, "vault"), "/subscriptions/");
    return arena_printf(a, "/subscriptions/%s/resourceGroups/%s/providers/Microsoft.Compute/virtualMachines/%s",
                        subscription, value_str_at(backup, "source.resourceGroup"),
                        value_str_at(backup, "source.name"));
}

const char *item_security_type(const struct value *backup, const struct value *point)
{
    const char *own = value_str_at(point, "securityType");

    if (!own)
        own = value_str_at(backup, "source.securityType");
    if (own)
        return own;
    return value_get(item_wrapped_with(backup, point), "key") ? "ConfidentialVMDiskEncryptedWithCustomerKey"
                                                             : "ConfidentialVMDiskEncryptedWithPlatformKey";
}

bool item_api_is_newer(const struct sim_request *r)
{
    const char *version = request_query(r, "api-version");

    return version && strcmp(version, "2026-01-01") >= 0;
}
