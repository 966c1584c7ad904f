/* doctor: which right a request takes, which addresses are private, what a cloud says of itself, and how roles are
 * printed. */
#include "../harness.h"

#include "../../providers/azure/asked_right.h"
#include "../../providers/doctor/endpoints.h"
#include "../../providers/doctor/roles.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"

#define SUB "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002"
#define ARM "https://management.azure.com" SUB
#define RSV "Microsoft.RecoveryServices/vaults"

static const struct {
    const char *reason;
    enum audience audience;
    enum http_method method;
    const char *url, *scope, *action; /* action NULL: it takes none */
    bool unlisted;
} rights[] = {
    {"a machine", AUDIENCE_ARM, HTTP_GET, ARM "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm?x=1",
     SUB "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm", "Microsoft.Compute/virtualMachines/read",
     false},
    {"what hangs on it", AUDIENCE_ARM, HTTP_GET,
     ARM "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm/instanceView",
     SUB "/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm",
     "Microsoft.Compute/virtualMachines/instanceView/read", false},
    {"a list of a subscription", AUDIENCE_ARM, HTTP_GET, ARM "/providers/Microsoft.Compute/virtualMachines", SUB,
     "Microsoft.Compute/virtualMachines/read", false},
    {"deep inside a vault", AUDIENCE_ARM, HTTP_GET,
     ARM "/resourceGroups/rg/providers/" RSV "/v/backupFabrics/Azure/protectionContainers/c;a/protectedItems/i;b/"
         "recoveryPoints",
     SUB "/resourceGroups/rg/providers/" RSV "/v",
     RSV "/backupFabrics/protectionContainers/protectedItems/recoveryPoints/read", false},
    {"a check is an action", AUDIENCE_ARM, HTTP_POST,
     ARM "/resourceGroups/rg/providers/" RSV "/v/backupValidateOperation", SUB "/resourceGroups/rg/providers/" RSV "/v",
     RSV "/backupValidateOperation/action", false},
    {"on another thing", AUDIENCE_ARM, HTTP_GET,
     ARM "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv/keys/k/providers/Microsoft.Authorization/"
         "roleAssignments?$filter=atScope()",
     SUB "/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv/keys/k",
     "Microsoft.Authorization/roleAssignments/read", false},
    {"a place", AUDIENCE_ARM, HTTP_GET, ARM "/providers/Microsoft.Compute/locations/uaenorth/usages", SUB,
     "Microsoft.Compute/locations/usages/read", false},
    {"a deleted vault", AUDIENCE_ARM, HTTP_GET, ARM "/providers/Microsoft.KeyVault/locations/uaenorth/deletedVaults/kv",
     SUB, "Microsoft.KeyVault/locations/deletedVaults/read", false},
    {"features stand below two providers", AUDIENCE_ARM, HTTP_GET,
     ARM "/providers/Microsoft.Features/providers/Microsoft.Compute/features/F", SUB,
     "Microsoft.Features/providers/features/read", false},
    {"a registration", AUDIENCE_ARM, HTTP_GET, ARM "/providers/Microsoft.Compute", SUB,
     "Microsoft.Resources/subscriptions/providers/read", false},
    {"a group", AUDIENCE_ARM, HTTP_GET, ARM "/resourceGroups/rg?api-version=1", SUB "/resourceGroups/rg",
     "Microsoft.Resources/subscriptions/resourceGroups/read", false},
    {"what lies in it", AUDIENCE_ARM, HTTP_GET, ARM "/resourceGroups/rg/resources", SUB "/resourceGroups/rg",
     "Microsoft.Resources/subscriptions/resourceGroups/resources/read", false},
    {"users of a set: no role is published for it", AUDIENCE_ARM, HTTP_GET,
     ARM "/resourceGroups/rg/providers/Microsoft.Compute/diskEncryptionSets/d/associatedResources",
     SUB "/resourceGroups/rg/providers/Microsoft.Compute/diskEncryptionSets/d",
     "Microsoft.Compute/diskEncryptionSets/associatedResources/read", true},
    {"Resource Graph takes the rights on what it shows", AUDIENCE_ARM, HTTP_POST,
     "https://management.azure.com/providers/Microsoft.ResourceGraph/resources", NULL, NULL, false},
    {"a key", AUDIENCE_VAULT, HTTP_GET, "https://kv.vault.azure.net/keys/k/1?api-version=1",
     "https://kv.vault.azure.net", "Microsoft.KeyVault/vaults/keys/read", false},
    {"how a key rotates", AUDIENCE_VAULT, HTTP_GET, "https://kv.vault.azure.net/keys/k/rotationpolicy",
     "https://kv.vault.azure.net", "Microsoft.KeyVault/vaults/keyrotationpolicies/read", false},
    {"a deleted key of an HSM", AUDIENCE_HSM, HTTP_GET, "https://h.managedhsm.azure.net/deletedkeys/k",
     "https://h.managedhsm.azure.net/keys", "Microsoft.KeyVault/managedHsm/keys/deletedKeys/read/action", false},
    {"an HSM's own roles", AUDIENCE_HSM, HTTP_GET,
     "https://h.managedhsm.azure.net/keys/k/providers/Microsoft.Authorization/roleAssignments",
     "https://h.managedhsm.azure.net/keys/k", "Microsoft.KeyVault/managedHsm/roleAssignments/read/action", false},
    {"blobs", AUDIENCE_STORAGE, HTTP_GET, "https://st.blob.core.windows.net/c?restype=container&comp=list",
     "https://st.blob.core.windows.net", "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read", false},
    {"the directory knows no such roles", AUDIENCE_GRAPH, HTTP_GET,
     "https://graph.microsoft.com/v1.0/servicePrincipals", NULL, NULL, false},
};

static void test_rights(void)
{
    struct arena *a = arena_new();

    for (size_t i = 0; i < COUNT(rights); i++) {
        struct asked_right r;
        bool takes = asked_right_of(a, rights[i].audience, rights[i].method, rights[i].url, &r);

        CHECK_ROW(rights[i].reason, takes == (rights[i].action != NULL));
        if (!takes || !rights[i].action)
            continue;
        CHECK_STR(r.action, rights[i].action);
        CHECK_STR(r.scope, rights[i].scope);
        CHECK_ROW(rights[i].reason, r.unlisted == rights[i].unlisted);
        CHECK_ROW(rights[i].reason, r.data == (rights[i].audience != AUDIENCE_ARM));
    }
    arena_free(a);
}

static void test_addresses(void)
{
    static const char *const private[] = {"10.1.2.3",  "172.16.0.1", "172.31.255.255", "192.168.1.1",
                                          "127.0.0.1", "100.64.0.9", "169.254.1.1",    "::1",
                                          "fd00::5",   "fe80::1",    "::ffff:10.0.0.4"},
                             *const public[] = {
                                 "20.50.1.2",       "172.32.0.1", "192.169.0.1",       "100.128.0.1", "2603::1",
                                 "::ffff:20.1.2.3", "",           "kv.vault.azure.net"};

    for (size_t i = 0; i < COUNT(private); i++)
        CHECK_ROW(private[i], address_is_private(private[i]));
    for (size_t i = 0; i < COUNT(public); i++)
        CHECK_ROW(public[i], !address_is_private(public[i]));
    CHECK(!address_is_private(NULL));
}

/* --- what a cloud says of itself ---------------------------------------------------------------------------------- */

static const char metadata[] =
    "[{\"name\": \"AzureCloud\", \"resourceManager\": \"https://management.azure.com/\", \"authentication\": "
    "{\"loginEndpoint\": \"https://login.microsoftonline.com/\", \"audiences\": "
    "[\"https://management.core.windows.net/\", "
    "\"https://management.azure.com/\"]}, \"suffixes\": {\"keyVaultDns\": \"vault.azure.net\", \"mhsmDns\": "
    "\"managedhsm.azure.net\", \"storage\": \"core.windows.net\"}, \"microsoftGraphResourceId\": "
    "\"https://graph.microsoft.com/\"}, {\"name\": \"AzureUSGovernment\", \"resourceManager\": "
    "\"https://management.usgovcloudapi.net\", \"authentication\": {\"loginEndpoint\": "
    "\"https://login.microsoftonline.us\", \"audiences\": [\"https://management.core.usgovcloudapi.net\"]}, "
    "\"suffixes\": "
    "{\"keyVaultDns\": \"vault.elsewhere.net\", \"storage\": \"core.usgovcloudapi.net\"}}]";

static void test_metadata(void)
{
    struct arena *a = arena_new();
    struct value *v = NULL;
    struct err err;

    CHECK(json_parse(a, metadata, sizeof(metadata) - 1, &v, &err) == 0);
    CHECK(value_count(cloud_differs(a, cloud_builtin("AzurePublic"), v)) == 0);
    CHECK(cloud_differs(a, cloud_builtin("AzurePublic"), v) != NULL);
    /* One suffix and the audiences. */
    CHECK(value_count(cloud_differs(a, cloud_builtin("AzureUSGovernment"), v)) == 2);
    CHECK(cloud_differs(a, cloud_builtin("AzureChina"), v) == NULL);
    arena_free(a);
}

/* --- roles -------------------------------------------------------------------------------------------------------- */

#define GROUP SUB "/resourceGroups/rg"
#define VAULT GROUP "/providers/Microsoft.KeyVault/vaults/kv"

static struct need all[] = {
    {.scope = VAULT, .action = "Microsoft.KeyVault/vaults/read", .commands = FOR_ALL},
    {.scope = SUB, .action = "Microsoft.Authorization/locks/read", .commands = FOR_FORECAST},
    {.scope = VAULT, .action = "Microsoft.KeyVault/vaults/keys/read", .data = true, .commands = FOR_ALL,
     .way = WAY_POLICY},
    {.scope = VAULT, .action = "Microsoft.KeyVault/vaults/keys/restore/action", .data = true, .acting = true,
     .commands = FOR_APPLY, .way = WAY_POLICY},
    {.scope = "https://h.managedhsm.azure.net/keys", .action = "Microsoft.KeyVault/managedHsm/keys/read/action",
     .data = true, .commands = FOR_ALL, .way = WAY_LOCAL, .role = "Managed HSM Crypto User"},
    {.scope = "https://h.managedhsm.azure.net/keys", .action = "Microsoft.KeyVault/managedHsm/keys/restore/action",
     .data = true, .acting = true, .commands = FOR_APPLY, .way = WAY_LOCAL, .role = "Managed HSM Crypto User"},
    {.scope = VAULT, .action = "Microsoft.Authorization/roleAssignments/write", .acting = true, .commands = FOR_APPLY},
    {.scope = GROUP, .action = "Microsoft.Compute/disks/write", .acting = true, .commands = FOR_APPLY},
    {.scope = GROUP "/providers/Microsoft.Compute/diskEncryptionSets/d",
     .action = "Microsoft.Compute/diskEncryptionSets/associatedResources/read", .commands = FOR_ALL, .unlisted = true},
};

static void test_roles(void)
{
    struct arena *a = arena_new();
    struct need *items[COUNT(all)];
    struct needs n = {.arena = a, .items = items, .count = COUNT(all)};
    struct value *role;
    struct text t cleanup(text_release) = {0};

    for (size_t i = 0; i < COUNT(all); i++)
        items[i] = &all[i];
    role = role_definition(&n, FOR_ALL, ROLE_READ);
    CHECK(value_count(value_get(role, "Actions")) == 1 && value_count(value_get(role, "DataActions")) == 0);
    /* What is assigned at a vault goes with it. */
    CHECK_STR(value_str_at(role, "AssignableScopes.0"), GROUP);
    CHECK_STR(value_str_at(role_definition(&n, FOR_ALL, ROLE_READ_SUBSCRIPTION), "AssignableScopes.0"), SUB);
    CHECK_STR(value_str_at(role_definition(&n, FOR_ALL, ROLE_GRANT), "Actions.0"),
              "Microsoft.Authorization/roleAssignments/write");
    CHECK_STR(value_str_at(role_definition(&n, FOR_ALL, ROLE_MAKE), "Actions.0"), "Microsoft.Compute/disks/write");
    CHECK(!role_definition(&n, FOR_ALL, ROLE_ACT) && !role_definition(&n, FOR_ALL, ROLE_READ_DATA));
    CHECK(!role_definition(&n, FOR_PLAN, ROLE_MAKE) && !role_definition(&n, FOR_PLAN, ROLE_READ_SUBSCRIPTION));
    text_init(&t, TEXT_CEILING);
    role_commands(&t, &n, FOR_ALL, &(struct assignee){.object_id = "oid", .type = "User"}, "again");
    CHECK(strstr(text_str(&t), "--assignee-principal-type User --role 'reinstate make' --scope '" GROUP "'") != NULL);
    CHECK(strstr(text_str(&t), "set-policy --name kv --object-id oid --key-permissions get list restore\n") != NULL);
    CHECK(
        strstr(text_str(&t), "--hsm-name h --assignee-object-id oid --role 'Managed HSM Crypto User' --scope /keys\n"));
    /* One command for the vault, and one for the HSM. */
    CHECK(strstr(strstr(text_str(&t), "set-policy") + 1, "set-policy") == NULL);
    CHECK(strstr(strstr(text_str(&t), "--hsm-name") + 1, "--hsm-name") == NULL);
    arena_free(a);
}

int main(void)
{
    test_rights();
    test_addresses();
    test_metadata();
    test_roles();
    HARNESS_END();
}
