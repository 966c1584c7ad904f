/* Knows which members Azure sends in every answer about a type, one row a type. Must not know what any of them
 * means. */
#include "members.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/text.h"

enum { MEMBERS_MAX = 5 };

struct always {
    const char *type; /* the end of a type's segments, as in ids; "*" stands for one name */
    struct {
        const char *path;
        enum value_type type;
    } members[MEMBERS_MAX];
};

#define PROPERTIES                                                                                                     \
    {                                                                                                                  \
        "properties", VALUE_MAP                                                                                        \
    }

#define SETS "/Microsoft.Compute/diskEncryptionSets/*"

static const struct always rows[] = {
    {"/Microsoft.KeyVault/vaults/*", {PROPERTIES, {"properties.vaultUri", VALUE_STRING}}},
    {"/Microsoft.KeyVault/locations/*/deletedVaults/*", {PROPERTIES, {"properties.vaultId", VALUE_STRING}}},
    {"/Microsoft.KeyVault/managedHSMs/*", {PROPERTIES}},
    {"/Microsoft.KeyVault/locations/*/deletedManagedHSMs/*", {PROPERTIES}},
    {SETS,
     {PROPERTIES,
      {"properties.encryptionType", VALUE_STRING},
      {"properties.activeKey.keyUrl", VALUE_STRING}}},
    {"/Microsoft.Compute/disks/*", {PROPERTIES}},
    {"/Microsoft.Compute/virtualMachines/*", {PROPERTIES, {"properties.storageProfile", VALUE_MAP}}},
    {"/Microsoft.Network/networkInterfaces/*", {PROPERTIES}},
    {"/Microsoft.Network/virtualNetworks/*", {PROPERTIES}},
    {"/Microsoft.Network/virtualNetworks/*/subnets/*", {PROPERTIES}},
    {"/Microsoft.Storage/storageAccounts/*", {PROPERTIES}},
    {"/Microsoft.ManagedIdentity/userAssignedIdentities/*", {PROPERTIES, {"properties.principalId", VALUE_STRING}}},
    {"/Microsoft.RecoveryServices/vaults/*", {PROPERTIES}},
    {"/backupJobs/*", {PROPERTIES}},
    {"/backupPolicies/*", {PROPERTIES}},
    {"/protectedItems/*", {PROPERTIES}},
    {"/recoveryPoints/*", {PROPERTIES}},
    {"/Microsoft.Authorization/roleAssignments/*", {PROPERTIES, {"properties.principalId", VALUE_STRING}}},
    {"/Microsoft.Authorization/roleDefinitions/*", {PROPERTIES, {"properties.permissions", VALUE_LIST}}},
};

/* A set that acts by user-assigned identities shows which: one that is not seen would be taken away, or made anew. */
static const struct always typed = {NULL, {{"identity.type", VALUE_STRING}}};
static const struct always assigned = {NULL, {{"identity.userAssignedIdentities", VALUE_MAP}}};
static const struct always key = {NULL, {{"key", VALUE_MAP}, {"key.kid", VALUE_STRING}, {"attributes", VALUE_MAP}}};

/* Without case: Azure writes one type in several ways. A name holds no slash. */
static bool ends_with_type(const char *id, const char *type)
{
    const char *i = id + strlen(id), *t = type + strlen(type);

    while (t > type) {
        if (t[-1] == '*') {
            const char *end = i;

            while (i > id && i[-1] != '/')
                i--;
            if (i == end)
                return false;
            t--;
            continue;
        }
        if (i == id || tolower((unsigned char)i[-1]) != tolower((unsigned char)t[-1]))
            return false;
        i--;
        t--;
    }
    return true;
}

static int check(const struct always *row, const struct value *body, const char *what, struct err *err)
{
    for (size_t i = 0; i < MEMBERS_MAX && row->members[i].path; i++) {
        const struct value *member = value_at(body, row->members[i].path);

        if (member && value_is(member, row->members[i].type))
            continue;
        err_set(err, ERR_PROTOCOL, "%s: the answer bears no %s, which Azure always sends", what, row->members[i].path);
        return err_advise(err, "what such an answer leaves out is not taken for a default; run again, and look at what "
                               "stands between us and Azure");
    }
    return 0;
}

/* An identity that is not understood would be taken for none, and taken away by the next write. A set that has none
 * bears no such member (recorded after `az disk-encryption-set identity remove`). */
static int check_identity(const struct value *body, const char *what, struct err *err)
{
    const char *type = value_str_at(body, "identity.type");

    if (!value_get(body, "identity"))
        return 0;
    TRY(check(&typed, body, what, err));
    if (str_find_nocase(type, "UserAssigned"))
        return check(&assigned, body, what, err);
    if (str_find_nocase(type, "SystemAssigned") || str_eq_nocase(type, "None"))
        return 0;
    err_set(err, ERR_PROTOCOL, "%s: the answer speaks of an identity of type %.60s, which nobody has described", what,
            type);
    return err_advise(err, "run again, and look at what stands between us and Azure");
}

int members_check(const char *id, const struct value *body, const char *what, struct err *err)
{
    for (size_t i = 0; id && i < COUNT(rows); i++)
        if (ends_with_type(id, rows[i].type)) {
            TRY(check(&rows[i], body, what, err));
            return str_eq(rows[i].type, SETS) ? check_identity(body, what, err) : 0;
        }
    return 0;
}

#define TIME_LAST_S 253402300799 /* the year 9999 */

/* Azure leaves a member out where it has no value. A member that is there and cannot be read is an odd answer: taken
 * for one that is left out, it would make a key enabled, or let it live for ever. */
int members_check_attributes(const struct value *item, const char *what, struct err *err)
{
    static const char *const times[] = {"attributes.exp", "attributes.nbf", "attributes.created"};
    const struct value *enabled = value_at(item, "attributes.enabled");

    if (enabled && !value_is(enabled, VALUE_BOOL)) {
        err_set(err, ERR_PROTOCOL, "%s: the answer does not say whether it is enabled", what);
        return err_advise(err,
                          "what is neither true nor false is not taken for enabled; run again, and look at what stands "
                          "between us and Azure");
    }
    for (size_t i = 0; i < COUNT(times); i++) {
        const struct value *time = value_at(item, times[i]);
        int64_t s = value_int_at(item, times[i], -1);

        if (!time || value_is(time, VALUE_NULL) || (s >= 0 && s <= TIME_LAST_S))
            continue;
        err_set(err, ERR_PROTOCOL, "%s: %s of the answer is no time that can be read", what, times[i]);
        return err_advise(err,
                          "a key that ends at a time unknown is not taken for one that never does; run again, and look "
                          "at what stands between us and Azure");
    }
    return 0;
}

/* A release policy that cannot be read is an odd answer: taken for none, the key would count as one that no machine may
 * have. */
int members_check_key(const struct value *body, const char *what, struct err *err)
{
    const struct value *policy = value_get(body, "release_policy");

    TRY(check(&key, body, what, err));
    if (policy && !value_is(policy, VALUE_MAP) && !value_is(policy, VALUE_NULL))
        return err_set(err, ERR_PROTOCOL, "%s: release_policy of the answer cannot be read", what);
    return members_check_attributes(body, what, err);
}
