/* Which key an address names, in all the forms in which Azure and people write it. */
#include "../harness.h"

#include "../../providers/azure/key_id.h"

#define PLAIN "https://kv-payroll.vault.azure.net/keys/payroll-os/3d1c"

static const struct {
    const char *reason, *url;
    bool store, key, version; /* the same as that of PLAIN */
} forms[] = {
    {"itself", PLAIN, true, true, true},
    {"as Azure PowerShell prints it", "https://kv-payroll.vault.azure.net:443/keys/payroll-os/3d1c", true, true, true},
    {"capitals", "HTTPS://KV-Payroll.Vault.Azure.NET/Keys/Payroll-OS/3D1C", true, true, true},
    {"slashes", "https://kv-payroll.vault.azure.net//keys//payroll-os/3d1c/", true, true, true},
    {"no version", "https://kv-payroll.vault.azure.net/keys/payroll-os", true, true, false},
    {"no version, a slash", "https://kv-payroll.vault.azure.net/keys/payroll-os/", true, true, false},
    {"another version", "https://kv-payroll.vault.azure.net/keys/payroll-os/3d1d", true, true, false},
    {"a name that begins alike", "https://kv-payroll.vault.azure.net/keys/payroll-os2/3d1c", true, false, false},
    {"another store", "https://kv-payroll2.vault.azure.net/keys/payroll-os/3d1c", false, false, false},
    {"another port", "https://kv-payroll.vault.azure.net:8443/keys/payroll-os/3d1c", false, false, false},
    {"a secret", "https://kv-payroll.vault.azure.net/secrets/payroll-os/3d1c", false, false, false},
    {"a fourth segment", PLAIN "/backup", false, false, false},
    {"nothing", NULL, false, false, false},
};

static void test_forms(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(forms); i++) {
        CHECK_ROW(forms[i].reason, key_same_store(forms[i].url, PLAIN) == forms[i].store);
        CHECK_ROW(forms[i].reason, key_same_key(forms[i].url, PLAIN) == forms[i].key);
        CHECK_ROW(forms[i].reason, key_same_version(forms[i].url, PLAIN) == forms[i].version);
        CHECK_ROW(forms[i].reason, key_same_version(PLAIN, forms[i].url) == forms[i].version);
    }
    CHECK(str_eq(key_url_plain(a, forms[1].url), PLAIN));
    CHECK(!key_url_version(a, forms[4].url) && !key_url_version(a, forms[5].url));
    CHECK(str_eq(key_url_version(a, forms[3].url), "3d1c"));
    CHECK(key_url_is(forms[5].url, "https://kv-payroll.vault.azure.net", "payroll-os"));
}

int main(void)
{
    test_forms();
    HARNESS_END();
}
