/* Resource ids, URLs and what a list of permissions permits. */
#include "harness.h"

#include "../../providers/azure/arm.h"
#include "../../providers/azure/internal.h"
#include "../../reconciler/format/json.h"

#define VM "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
#define ARM "https://management.azure.com"

/* --- ids ---------------------------------------------------------------------------------------------------------- */

static void test_ids(void)
{
    struct arena *a = arena_new();
    const char *item =
        "/Subscriptions/s/resourcegroups/RG/providers/x/vaults/v/protectedItems/VM;iaasvmcontainerv2;rg;vm";

    CHECK_STR(arm_id(a, "s", "rg", "Microsoft.Compute/virtualMachines", "vm"), VM);
    CHECK_STR(arm_id(a, "s", "rg", NULL, NULL), "/subscriptions/s/resourceGroups/rg");
    CHECK_STR(arm_id(a, "s", NULL, "Microsoft.KeyVault/locations/x/deletedVaults", "v"),
              "/subscriptions/s/providers/Microsoft.KeyVault/locations/x/deletedVaults/v");
    CHECK_STR(arm_id_part(a, item, "resourceGroups"), "RG");
    CHECK_STR(arm_id_part(a, item, "protectedItems"), "VM;iaasvmcontainerv2;rg;vm");
    CHECK(arm_id_part(a, item, "disks") == NULL);
    CHECK(arm_id_part(a, NULL, "disks") == NULL);
    CHECK_STR(arm_id_name(item), "VM;iaasvmcontainerv2;rg;vm");
    CHECK_STR(arm_id_parent(a, VM, 4), "/subscriptions/s/resourceGroups/rg");
    CHECK_STR(arm_id_parent(a, "/a", 5), "");
    CHECK(arm_id_equal(VM, "/SUBSCRIPTIONS/s/resourcegroups/RG/providers/microsoft.compute/virtualmachines/VM/"));
    CHECK(!arm_id_equal(VM, VM "2"));
    CHECK(!arm_id_equal(NULL, NULL));
    arena_free(a);
}

static void test_urls(void)
{
    struct text t;

    text_init(&t, 1024);
    url_add_path(&t, "/a;b%3Bc d\"e%zz/\xc3\xa4");
    CHECK_STR(text_str(&t), "/a;b%3Bc%20d%22e%25zz/%C3%A4");
    text_release(&t);
    CHECK(url_same_host(ARM, "https://MANAGEMENT.azure.com:443/x?y"));
    CHECK(!url_same_host(ARM, "https://management.azure.com.evil.example/"));
    CHECK(!url_same_host(ARM, "https://management.azure.com@evil.example/"));
    CHECK(!url_same_host(ARM, "http://management.azure.com/"));
    CHECK(!url_same_host(ARM, "/subscriptions"));
    CHECK(url_under_suffix("https://kv.vault.localhost:8443/", ".vault.localhost:8443"));
    CHECK(!url_under_suffix("https://kv.vault.localhost:1/", ".vault.localhost:8443"));
    CHECK(!url_under_suffix("https://a.b.vault.azure.net", ".vault.azure.net"));
}

/* --- permissions -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *permissions, *action;
    bool data, allowed;
} permits[] = {
    {"no role", "[]", "a/read", false, false},
    {"everything", "[{\"actions\":[\"*\"]}]", "Microsoft.Compute/disks/write", false, true},
    {"case folded", "[{\"actions\":[\"microsoft.compute/DISKS/write\"]}]", "Microsoft.Compute/disks/write", false,
     true},
    {"a star passes slashes", "[{\"actions\":[\"*/read\"]}]", "Microsoft.Compute/disks/read", false, true},
    {"a star in the middle", "[{\"actions\":[\"Microsoft.Compute/*/read\"]}]", "Microsoft.Compute/disks/x/read", false,
     true},
    {"no match at the end", "[{\"actions\":[\"*/read\"]}]", "Microsoft.Compute/disks/write", false, false},
    {"excluded", "[{\"actions\":[\"*\"],\"notActions\":[\"Microsoft.Authorization/*/write\"]}]",
     "Microsoft.Authorization/roleAssignments/write", false, false},
    {"excluded here, allowed by another role",
     "[{\"actions\":[\"*\"],\"notActions\":[\"a/*\"]},{\"actions\":[\"a/b\"]}]", "a/b", false, true},
    {"actions are no data actions", "[{\"actions\":[\"*\"],\"dataActions\":[]}]", "Microsoft.KeyVault/vaults/keys/read",
     true, false},
    {"data actions", "[{\"dataActions\":[\"Microsoft.KeyVault/vaults/keys/*\"]}]",
     "Microsoft.KeyVault/vaults/keys/read", true, true},
    {"data action excluded", "[{\"dataActions\":[\"*\"],\"notDataActions\":[\"*/purge/action\"]}]", "x/purge/action",
     true, false},
};

static void test_permits(void)
{
    for (size_t i = 0; i < COUNT(permits); i++) {
        struct arena *a = arena_new();
        struct value *list = NULL;
        struct err err = {0};

        CHECK_ROW(permits[i].reason,
                  json_parse(a, permits[i].permissions, strlen(permits[i].permissions), &list, &err) == 0);
        CHECK_ROW(permits[i].reason, arm_permits(list, permits[i].action, permits[i].data) == permits[i].allowed);
        arena_free(a);
    }
}

int main(void)
{
    test_ids();
    test_urls();
    test_permits();
    HARNESS_END();
}
