/* Knows Recovery Services vaults as resources. What is kept in them belongs to Backup. */
#include "internal.h"

/* A member that the world says is null stays null: what is set below it is set nowhere. */
static struct value *member(struct arena *a, struct value *map, const char *key)
{
    struct value *v = value_get(map, key);

    if (value_is(v, VALUE_NULL))
        return value_map(a);
    return value_is(v, VALUE_MAP) ? v : value_set(a, map, key, value_map(a));
}

static void otherwise(struct arena *a, struct value *map, const char *key, const char *text)
{
    if (!value_get(map, key))
        value_set_string(a, map, key, text);
}

/* A world names what matters; the rest is what a vault of today shows by default. */
void recovery_vault_show(struct arena *a, struct value *v)
{
    struct value *p = member(a, v, "properties"), *security = member(a, p, "securitySettings"), *soft, *redundancy;

    otherwise(a, v, "etag", "W/\"datetime'2026-08-14T01%3A49%3A10.3889877Z'\"");
    otherwise(a, p, "privateEndpointStateForBackup", "None");
    otherwise(a, p, "privateEndpointStateForSiteRecovery", "None");
    otherwise(a, p, "backupStorageVersion", "V1");
    otherwise(a, member(a, security, "immutabilitySettings"), "state", "Disabled");
    soft = member(a, security, "softDeleteSettings");
    if (!value_get(soft, "softDeleteRetentionPeriodInDays"))
        value_set_int(a, soft, "softDeleteRetentionPeriodInDays", 14);
    otherwise(a, soft, "softDeleteState", "Enabled");
    otherwise(a, soft, "enhancedSecurityState", "Enabled");
    otherwise(a, security, "multiUserAuthorization", "Disabled");
    redundancy = member(a, p, "redundancySettings");
    otherwise(a, redundancy, "standardTierStorageRedundancy", "GeoRedundant");
    otherwise(a, redundancy, "crossRegionRestore", "Disabled");
    otherwise(a, p, "publicNetworkAccess", "Enabled");
    otherwise(a, member(a, member(a, p, "restoreSettings"), "crossSubscriptionRestoreSettings"), "crossSubscriptionRestoreState",
              "Enabled");
    if (!value_get(v, "sku")) {
        otherwise(a, member(a, v, "sku"), "name", "RS0");
        otherwise(a, member(a, v, "sku"), "tier", "Standard");
    }
}

void arm_recovery_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *id = request_path(r, at + 4);

    if (!str_eq_nocase(request_segment(r, at + 2), "vaults"))
        arm_bad_path(r, out);
    else if (behind == 3 && request_is(r, "GET"))
        answer_resources(s, r, out, request_path(r, at), "Microsoft.RecoveryServices/vaults");
    else if (behind == 4 && request_is(r, "GET"))
        answer_resource(s, r, out, id);
    else if (behind > 4 && !resource_find(s, id))
        arm_not_found(s, r, out, id);
    else if (behind > 4)
        backup_answer(s, r, out);
    else
        arm_bad_path(r, out);
}
