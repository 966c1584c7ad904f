/* Knows how Azure calls the right that a request takes, from the request's address. Must not know who holds it. */
#include "asked_right.h"

#include <string.h>

#include "internal.h"

enum { PARTS_MAX = 32 };

struct parts {
    const char *at[PARTS_MAX];
    size_t count;
};

static void take_apart(struct arena *a, const char *url, struct parts *ret)
{
    const char *path = url + (str_starts_nocase(url, "https://") ? strlen("https://") : 0);

    path += strcspn(path, "/?#");
    ret->count = 0;
    while (*path && !strchr("?#", *path) && ret->count < PARTS_MAX) {
        size_t n = strcspn(path, "/?#");

        if (n)
            ret->at[ret->count++] = arena_strndup(a, path, n);
        path += n + (path[n] == '/');
    }
}

/* "/subscriptions/ID/resourceGroups/G": the first `n` parts. */
static const char *joined(struct arena *a, const struct parts *p, size_t n)
{
    const char *path = "";

    for (size_t i = 0; i < n; i++)
        path = arena_printf(a, "%s/%s", path, p->at[i]);
    return *path ? path : "/";
}

/* --- Resource Manager --------------------------------------------------------------------------------------------- */

/* Where the action is called otherwise than the address says; `to` NULL: it takes none. */
static const struct {
    const char *from, *to;
    bool unlisted;
} renamed[] = {
    {"Microsoft.ResourceGraph/resources/action", NULL, false},
    {"Microsoft.Attestation/locations/defaultProvider/read", "Microsoft.Attestation/defaultProviders/read", true},
    {"Microsoft.Compute/diskEncryptionSets/associatedResources/read", NULL, true},
};

static void rename_it(struct asked_right *r)
{
    for (size_t i = 0; i < COUNT(renamed); i++)
        if (str_eq_nocase(r->action, renamed[i].from)) {
            r->unlisted = renamed[i].unlisted;
            r->action = renamed[i].to ? renamed[i].to : r->unlisted ? r->action : NULL;
            return;
        }
}

/* Without a provider: subscriptions, groups, and what lies in them. */
static bool plain_right(struct arena *a, const struct parts *p, struct asked_right *ret)
{
    bool group = p->count > 3 && str_eq_nocase(p->at[2], "resourceGroups"),
         inside = p->count > 2 && str_eq_nocase(p->at[p->count - 1], "resources");

    if (p->count < 2 || !str_eq_nocase(p->at[0], "subscriptions"))
        return false;
    ret->scope = joined(a, p, group ? 4 : 2);
    ret->action = group    ? inside ? "Microsoft.Resources/subscriptions/resourceGroups/resources/read"
                                    : "Microsoft.Resources/subscriptions/resourceGroups/read"
                  : inside ? "Microsoft.Resources/subscriptions/resources/read"
                           : "Microsoft.Resources/subscriptions/read";
    return true;
}

/* "NAMESPACE/type/type": the types stand at every second part from the provider on. */
static const char *typed(struct arena *a, const struct parts *p, size_t from)
{
    const char *type = p->at[from];

    for (size_t i = from + 1; i < p->count; i += 2)
        type = arena_printf(a, "%s/%s", type, p->at[i]);
    return type;
}

static bool arm_right(struct arena *a, enum http_method method, const struct parts *p, struct asked_right *ret)
{
    size_t at = p->count, own;

    for (size_t i = 0; i + 1 < p->count; i++)
        if (str_eq_nocase(p->at[i], "providers"))
            at = i;
    if (at == p->count)
        return plain_right(a, p, ret);
    if (at > 1 && str_eq_nocase(p->at[at - 2], "providers") && str_eq_nocase(p->at[at - 1], "Microsoft.Features")) {
        ret->scope = joined(a, p, at - 2);
        ret->action = "Microsoft.Features/providers/features/read";
        return true;
    }
    own = at + 1;
    if (p->count == own + 1) {
        ret->scope = joined(a, p, at);
        ret->action = "Microsoft.Resources/subscriptions/providers/read";
        return true;
    }
    ret->action = arena_printf(a, "%s/%s", typed(a, p, own), method == HTTP_POST ? "action" : "read");
    /* Of a thing below a provider's own type the right is held at that thing; of what hangs on another thing, a place
     * or a list, at what that stands on. */
    ret->scope = str_eq_nocase(p->at[own], "Microsoft.Authorization") || str_eq_nocase(p->at[own + 1], "locations") ||
                         p->count < own + 3
                     ? joined(a, p, at)
                     : joined(a, p, own + 3);
    rename_it(ret);
    return ret->action != NULL;
}

/* --- data --------------------------------------------------------------------------------------------------------- */

#define VAULT "Microsoft.KeyVault/vaults/"
#define HSM "Microsoft.KeyVault/managedHsm/"
#define BLOBS "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"

static bool vault_right(const struct parts *p, struct asked_right *ret)
{
    if (!p->count)
        return false;
    ret->action = str_eq_nocase(p->at[p->count - 1], "rotationpolicy") ? VAULT "keyrotationpolicies/read"
                                                                        : VAULT "keys/read";
    return true;
}

/* Local rights are held at "/", "/keys" or a key. */
static bool hsm_right(struct arena *a, const char *host, const struct parts *p, struct asked_right *ret)
{
    for (size_t i = 0; i + 2 < p->count; i++)
        if (str_eq_nocase(p->at[i], "providers")) {
            ret->action = str_eq_nocase(p->at[i + 2], "roleDefinitions") ? HSM "roleDefinitions/read/action"
                                                                          : HSM "roleAssignments/read/action";
            ret->scope = arena_printf(a, "%s%s", host, joined(a, p, i));
            return true;
        }
    if (!p->count || (!str_eq_nocase(p->at[0], "keys") && !str_eq_nocase(p->at[0], "deletedkeys")))
        return false;
    ret->action = str_eq_nocase(p->at[0], "deletedkeys") ? HSM "keys/deletedKeys/read/action" : HSM "keys/read/action";
    ret->scope = arena_printf(a, "%s/keys", host);
    return true;
}

bool asked_right_of(struct arena *a, enum audience audience, enum http_method method, const char *url,
                    struct asked_right *ret)
{
    const char *authority, *host;
    size_t n = url_host(url, &authority);
    struct parts p;

    *ret = (struct asked_right){.data = audience != AUDIENCE_ARM};
    take_apart(a, url, &p);
    if (audience == AUDIENCE_ARM)
        return arm_right(a, method, &p, ret);
    host = arena_printf(a, "https://%.*s", (int)n, authority);
    ret->scope = host;
    if (audience == AUDIENCE_VAULT)
        return vault_right(&p, ret);
    if (audience == AUDIENCE_HSM)
        return hsm_right(a, host, &p, ret);
    ret->action = BLOBS "read";
    return audience == AUDIENCE_STORAGE;
}

/* --- what goes with an act ---------------------------------------------------------------------------------------- */

#define RSV "Microsoft.RecoveryServices/vaults/"
#define ITEM RSV "backupFabrics/protectionContainers/protectedItems/"

#define OPERATOR "Microsoft Learn, built-in role Backup Operator"
#define OPERATIONS "Microsoft Learn, resource provider operations"

static const struct right_beside besides[] = {
    {ITEM "recoveryPoints/restore/action", ITEM "operationResults/read", false, OPERATOR},
    {ITEM "recoveryPoints/restore/action", ITEM "operationsStatus/read", false, OPERATOR},
    {ITEM "write", RSV "backupFabrics/refreshContainers/action", false, OPERATOR},
    {ITEM "write", ITEM "operationResults/read", false, OPERATOR},
    {ITEM "write", ITEM "operationsStatus/read", false, OPERATOR},
    {"Microsoft.Compute/virtualMachines/write", "Microsoft.Network/networkInterfaces/write", false,
     "Microsoft Learn, roles for Azure Backup: restore VM"},
    {"Microsoft.Compute/virtualMachines/read", "Microsoft.Compute/virtualMachines/instanceView/read", false,
     OPERATIONS},
    {"Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/deletedVaults/read", true, OPERATIONS},
    {"Microsoft.KeyVault/vaults/read", "Microsoft.KeyVault/locations/deletedVaults/read", true, OPERATIONS},
    {"Microsoft.KeyVault/managedHSMs/read", "Microsoft.KeyVault/deletedManagedHsms/read", true, OPERATIONS},
    {"Microsoft.KeyVault/managedHSMs/read", "Microsoft.KeyVault/locations/deletedManagedHsms/read", true, OPERATIONS},
};

const struct right_beside *right_beside_next(const char *action, size_t *at)
{
    while (*at < COUNT(besides)) {
        const struct right_beside *one = &besides[(*at)++];

        if (str_eq_nocase(one->action, action))
            return one;
    }
    return NULL;
}
