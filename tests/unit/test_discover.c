/* From what was found to documents: names, what is written, what is only told, and that it is valid
 * and reads back the same. */
#include "../../providers/discovery/discover.h"
#include "../../providers/kinds/registry.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/format/manifest.h"
#include "../harness.h"

#define SUB "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002"
#define OTHER_SUB "/subscriptions/0f0f0f0f-0000-4000-8000-000000000003"
#define VM(group, name) SUB "/resourceGroups/" group "/providers/Microsoft.Compute/virtualMachines/" name
#define SET(group, name) SUB "/resourceGroups/" group "/providers/Microsoft.Compute/diskEncryptionSets/" name
#define KV_BASE "https://kv-pay.vault.azure.net"
#define KV_ID OTHER_SUB "/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv-pay"
#define VERSION "3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5"
#define VERSION_2 "4e2d6a1b0c8f5d32b7e9f1a2c3d4e5f6"
#define URL KV_BASE "/keys/os/" VERSION

#define HEAD                                                                                                           \
    "\"subscription\":\"0f0f0f0f-0000-4000-8000-000000000002\",\"location\":\"uaenorth\",\"vault\":\"" SUB             \
    "/resourceGroups/rg-b/providers/Microsoft.RecoveryServices/vaults/rsv\",\"notes\":[]"
#define STORE(more) "{\"base\":\"" KV_BASE "\",\"name\":\"kv-pay\",\"kind\":\"KeyVault\"" more "}"
#define STORE_SEEN                                                                                                     \
    STORE(",\"state\":\"present\",\"id\":\"" KV_ID "\",\"live\":{\"location\":\"UAE North\",\"properties\":{"          \
          "\"enableRbacAuthorization\":false,\"enablePurgeProtection\":true,\"softDeleteRetentionInDays\":90,"         \
          "\"networkAcls\":{\"defaultAction\":\"Deny\",\"bypass\":\"AzureServices\"}}}")
#define KEY_SEEN(state)                                                                                                \
    "{\"url\":\"" URL "\",\"base\":\"" KV_BASE "\",\"name\":\"os\",\"version\":\"" VERSION "\",\"state\":\"" state "\"}"
#define SET_SEEN(group, name)                                                                                          \
    "{\"id\":\"" SET(group, name) "\",\"state\":\"present\",\"key\":\"" URL "\",\"live\":{\"location\":\"uaenorth\","  \
                                  "\"identity\":{\"type\":\"SystemAssigned\"},\"properties\":{\"encryptionType\":"     \
                                  "\"ConfidentialVmEncryptedWithCustomerKey\"}}}"
#define MACHINE(group, name, des)                                                                                      \
    "{\"id\":\"" VM(group, name) "\",\"name\":\"" name                                                                 \
                                 "\",\"state\":\"present\",\"encryption\":\"customer-key\",\"des\":\"" des "\"}"

struct fixture {
    struct arena *arena;
    struct schemas *schemas;
};

/* Every document passes the schemas and resolves; NULL when the discovery is not even JSON. */
static struct discovery discovered(struct fixture *f, const char *reason, const char *members)
{
    struct arena *a = f->arena;
    char *text = arena_printf(a, "{" HEAD ",%s}", members);
    struct value *found;
    struct discovery d = {0};
    struct diags diags;
    struct err err;

    CHECK_ROW(reason, json_parse(a, text, strlen(text), &found, &err) == 0);
    discovery_write(a, found, &d);
    diags_init(&diags, a);
    desired_resolve(a, f->schemas, &all_naming, d.documents, &diags);
    CHECK_ROW(diags.n_errors ? diag_format(a, &diags.items[0]) : reason, diags.n_errors == 0);
    return d;
}

static const char *names(struct arena *a, const struct discovery *d, const char *kind)
{
    const char *all = "";

    for (size_t i = 0; i < value_count(d->documents); i++)
        if (str_eq(value_str_at(value_item(d->documents, i), "kind"), kind))
            all = arena_printf(a, "%s%s%s", all, *all ? " " : "",
                               value_str_at(value_item(d->documents, i), "metadata.name"));
    return all;
}

static const struct value *document(const struct discovery *d, const char *kind, const char *name)
{
    for (size_t i = 0; i < value_count(d->documents); i++) {
        const struct value *doc = value_item(d->documents, i);

        if (str_eq(value_str_at(doc, "kind"), kind) && str_eq(value_str_at(doc, "metadata.name"), name))
            return value_get(doc, "spec");
    }
    return NULL;
}

static bool told(const struct discovery *d, const char *about, const char *part)
{
    for (size_t i = 0; i < value_count(d->notes); i++)
        if (str_eq(value_str_at(value_item(d->notes, i), "about"), about) &&
            strstr(value_str_at(value_item(d->notes, i), "text"), part))
            return true;
    return false;
}

static void test_whole(struct fixture *f)
{
    struct discovery d =
        discovered(f, "all of it",
                   "\"machines\":[" MACHINE("rg-vm", "vm-1", SET("rg-vm", "des")) "],\"sets\":[" SET_SEEN(
                       "rg-vm", "des") "],\"stores\":[" STORE_SEEN "],\"keys\":[" KEY_SEEN("present") "]");
    const struct value *vault = document(&d, "KeyVault", "kv-pay"), *key = document(&d, "Key", "os"),
                       *set = document(&d, "DiskEncryptionSet", "des");

    CHECK_STR(value_str_at(vault, "subscription"), "0f0f0f0f-0000-4000-8000-000000000003");
    CHECK_STR(value_str_at(vault, "permissionModel"), "access-policies");
    CHECK_STR(value_str_at(vault, "network.defaultAction"), "Deny");
    /* The name that the document has is not repeated. */
    CHECK_STR(value_str_at(vault, "location"), "uaenorth");
    CHECK(!value_get(vault, "vaultName") && !value_get(set, "setName"));
    CHECK_STR(value_str_at(key, "version"), VERSION);
    CHECK_STR(value_str_at(key, "sources.1.azureBackup.from.0"), "vm-1");
    CHECK_STR(value_str_at(set, "key"), "os");
    CHECK_STR(value_str_at(set, "rotation"), "pinned");
    CHECK_STR(value_str_at(document(&d, "KeyAccess", "os-users"), "principals.0.diskEncryptionSet"), "des");
    CHECK(value_count(value_get(document(&d, "KeyAccess", "os-users"), "principals")) == 3);
    CHECK(value_count(d.notes) == 0);
    CHECK(!document(&d, "RestoredVirtualMachine", "vm-1-dr"));
    discovery_restore_to(f->arena, &d, "rg-dr",
                         SUB "/resourceGroups/rg-dr/providers/Microsoft.Network/virtualNetworks/v/subnets/s",
                         SUB "/resourceGroups/rg-dr/providers/Microsoft.Storage/storageAccounts/st");
    CHECK_STR(value_str_at(document(&d, "RestoredVirtualMachine", "vm-1-dr"), "diskEncryptionSet"), "des");
    CHECK_STR(value_str_at(document(&d, "RestoredVirtualMachine", "vm-1-dr"), "target.name"), "vm-1-dr");
}

/* What is written reads back as the same values. */
static void test_round_trip(struct fixture *f)
{
    struct discovery d = discovered(f, "round trip",
                                    "\"machines\":[" MACHINE("rg-vm", "vm-1", SET("rg-vm", "des")) ","
                                    MACHINE("rg-vm", "0123", SET("rg-vm", "des"))
                                    "],\"sets\":[" SET_SEEN("rg-vm", "des") "],\"stores\":[" STORE_SEEN "],"
                                    "\"keys\":[" KEY_SEEN("present") "]");
    struct text t = {0};
    struct value *back = value_list(f->arena);
    struct diags diags;

    text_init(&t, TEXT_CEILING);
    for (size_t i = 0; i < value_count(d.documents); i++) {
        text_add(&t, "---\n");
        manifest_write(&t, value_item(d.documents, i));
    }
    diags_init(&diags, f->arena);
    manifest_read(f->arena, "out.yaml", text_str(&t), t.len, &manifest_default_limits, back, &diags);
    CHECK(diags.count == 0 && value_count(back) == value_count(d.documents));
    CHECK(value_equal(back, d.documents));
    CHECK_STR(names(f->arena, &d, "ProtectedVirtualMachine"), "0123 vm-1");
    text_release(&t);
}

/* Two versions of one key, and another key beside it: a grant has one owner, so each key's users
 * stand in one document. */
static void test_users(struct fixture *f)
{
    static const char two_versions[] =
        "{\"url\":\"" KV_BASE "/keys/os/" VERSION_2 "\",\"base\":\"" KV_BASE "\",\"name\":\"os\","
        "\"version\":\"" VERSION_2 "\",\"state\":\"present\",\"scope\":\"vault\"}";
    static const char other[] =
        "{\"url\":\"" KV_BASE "/keys/web/" VERSION "\",\"base\":\"" KV_BASE "\",\"name\":\"web\","
        "\"version\":\"" VERSION "\",\"state\":\"present\",\"scope\":\"vault\"}";
    static const char second_set[] = "{\"id\":\"" SET("rg-vm", "des-2") "\",\"state\":\"present\","
                                     "\"key\":\"" KV_BASE "/keys/os/" VERSION_2 "\"}";
    struct discovery one = discovered(f, "one key",
                                      arena_printf(f->arena,
                                                   "\"machines\":[],\"sets\":[%s],\"stores\":[" STORE_SEEN
                                                   "],\"keys\":[%s]",
                                                   second_set, two_versions)),
                     all = discovered(f, "two versions and another key",
                                      arena_printf(f->arena,
                                                   "\"machines\":[],\"sets\":[" SET_SEEN(
                                                       "rg-vm", "des") ",%s],\"stores\":[" STORE_SEEN
                                                                       "],\"keys\":[" KEY_SEEN("present") ",%s,%s]",
                                                   second_set, two_versions, other));
    const char *users = names(f->arena, &all, "KeyAccess"), *os = arena_strndup(f->arena, users, strcspn(users, " "));

    CHECK_STR(value_str_at(document(&one, "KeyAccess", "os-users"), "scope"), "vault");
    CHECK(strstr(users, "web-users") && strchr(users, ' ') && !strchr(strchr(users, ' ') + 1, ' '));
    CHECK(!value_get(document(&all, "KeyAccess", os), "scope"));
    CHECK_STR(value_str_at(document(&all, "KeyAccess", os), "principals.0.diskEncryptionSet"), "des");
    CHECK_STR(value_str_at(document(&all, "KeyAccess", os), "principals.1.diskEncryptionSet"), "des-2");
}

static void test_names(struct fixture *f)
{
    struct discovery one = discovered(f, "alike in two groups",
                                      "\"machines\":[" MACHINE("rg-a", "vm", "") "," MACHINE("rg-b", "VM", "") ","
                                      MACHINE("rg-a", "web", "")
                                      "],\"sets\":[],\"stores\":[],\"keys\":[]"),
                     other = discovered(f, "the same, the other way round",
                                        "\"machines\":[" MACHINE("rg-a", "web", "") "," MACHINE("RG-B", "VM", "") ","
                                        MACHINE("rg-a", "vm", "")
                                        "],\"sets\":[],\"stores\":[],\"keys\":[]"),
                     odd = discovered(f, "names that no document may have",
                                      "\"machines\":[" MACHINE("rg", "_vm.", "") "," MACHINE("rg", "..", "") ","
                                      MACHINE("rg", "a b", "") ","
                                      MACHINE("rg", "a-b", "") "],\"sets\":[],\"stores\":[],\"keys\":[]");
    const char *got = names(f->arena, &one, "ProtectedVirtualMachine");

    CHECK_STR(names(f->arena, &other, "ProtectedVirtualMachine"), got);
    CHECK(strstr(got, "vm-") && strstr(got, "VM-") && strstr(got, "web"));
    got = names(f->arena, &odd, "ProtectedVirtualMachine");
    CHECK(strstr(got, "unnamed") && strstr(got, "a-b-") && !strstr(got, "a b"));
}

static const struct {
    const char *reason, *members, *about, *note, *without;
} missing_rows[] = {
    {"VM gone, no set",
     "\"machines\":[{\"id\":\"" VM(
         "rg", "vm") "\",\"name\":\"vm\",\"state\":\"absent\",\"encryption\":\"customer-key\"}],"
                     "\"sets\":[],\"stores\":[],\"keys\":[]",
     "vm", "which key its backup needs is not known", "Key"},
    {"VM not to be seen",
     "\"machines\":[{\"id\":\"" VM("rg", "vm") "\",\"name\":\"vm\",\"state\":\"unseen\",\"why\":\"403\","
                                               "\"encryption\":\"customer-key\"}],"
                                               "\"sets\":[],\"stores\":[],\"keys\":[]",
     "vm", "give the credential Reader on it (403)", "Key"},
    {"platform key",
     "\"machines\":[{\"id\":\"" VM(
         "rg", "vm") "\",\"name\":\"vm\",\"state\":\"present\",\"encryption\":\"platform-key\"}],"
                     "\"sets\":[],\"stores\":[],\"keys\":[]",
     "vm", "platform-managed key", "Key"},
    {"set gone",
     "\"machines\":[" MACHINE("rg", "vm", SET("rg", "des")) "],\"sets\":[{\"id\":\"" SET(
         "rg", "des") "\",\"state\":\"absent\"}],"
                      "\"stores\":[],\"keys\":[]",
     "des", "the disk encryption set is gone", "DiskEncryptionSet"},
    {"set not to be seen",
     "\"machines\":[" MACHINE("rg", "vm", SET("rg", "des")) "],\"sets\":[{\"id\":\"" SET(
         "rg", "des") "\",\"state\":\"unseen\","
                      "\"why\":\"403\"}],\"stores\":[],\"keys\":[]",
     "des", "cannot be seen", "DiskEncryptionSet"},
    {"store not found",
     "\"machines\":[" MACHINE("rg", "vm", SET("rg", "des")) "],\"sets\":[" SET_SEEN(
         "rg", "des") "],\"stores\":[" STORE(",\"state\":\"unknown\"") "],\"keys\":[" KEY_SEEN("unknown") "]",
     "os", "its store kv-pay cannot be found", "Key"},
    {"key not to be seen",
     "\"machines\":[" MACHINE("rg", "vm", SET("rg", "des")) "],\"sets\":[" SET_SEEN(
         "rg", "des") "],\"stores\":[" STORE_SEEN "],\"keys\":[" KEY_SEEN("unseen") "]",
     "os", "the key cannot be seen", ""},
    {"key soft-deleted",
     "\"machines\":[" MACHINE("rg", "vm", SET("rg", "des")) "],\"sets\":[" SET_SEEN(
         "rg", "des") "],\"stores\":[" STORE_SEEN "],\"keys\":[" KEY_SEEN("deleted") "]",
     "os", "soft-deleted", ""},
    {"key gone",
     "\"machines\":[" MACHINE("rg", "vm", SET("rg", "des")) "],\"sets\":[" SET_SEEN(
         "rg", "des") "],\"stores\":[" STORE_SEEN "],\"keys\":[" KEY_SEEN("absent") "]",
     "os", "nor is the key among the deleted ones", ""},
};

static void test_missing(struct fixture *f)
{
    for (size_t i = 0; i < COUNT(missing_rows); i++) {
        struct discovery d = discovered(f, missing_rows[i].reason, missing_rows[i].members);

        CHECK_ROW(missing_rows[i].reason, told(&d, missing_rows[i].about, missing_rows[i].note));
        CHECK_ROW(missing_rows[i].reason, !*missing_rows[i].without || !*names(f->arena, &d, missing_rows[i].without));
        CHECK_ROW(missing_rows[i].reason, *names(f->arena, &d, "ProtectedVirtualMachine"));
    }
}

/* A store that is not declared leaves the set with the key's address. */
static void test_undeclared_store(struct fixture *f)
{
    struct discovery d = discovered(
        f, "store not found",
        "\"machines\":[" MACHINE("rg", "vm", SET("rg", "des")) "],\"sets\":[" SET_SEEN(
            "rg", "des") "],\"stores\":[" STORE(",\"state\":\"unknown\"") "],\"keys\":[" KEY_SEEN("unknown") "]");

    CHECK_STR(value_str_at(document(&d, "DiskEncryptionSet", "des"), "key.url"), URL);
    CHECK(!*names(f->arena, &d, "KeyAccess") && !*names(f->arena, &d, "KeyVault"));
}

int main(void)
{
    struct fixture f = {.arena = arena_new()};
    struct err err;

    CHECK(schemas_new(schema_files, &f.schemas, &err) == 0);
    test_whole(&f);
    test_round_trip(&f);
    test_users(&f);
    test_names(&f);
    test_missing(&f);
    test_undeclared_store(&f);
    schemas_free(f.schemas);
    arena_free(f.arena);
    HARNESS_END();
}
