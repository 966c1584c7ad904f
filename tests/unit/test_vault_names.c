/* What Key Vault's texts say: names of keys, where a backup comes from, challenges, base64url. */
#include "harness.h"

#include "../../providers/azure/internal.h"
#include "../../providers/azure/vault.h"

#define KV "https://kv.vault.azure.net"

static void test_names(void)
{
    static const struct {
        const char *reason, *kid, *version;
    } kids[] = {
        {"versioned", KV "/keys/k/abc", "abc"},
        {"without a version", KV "/keys/k", NULL},
        {"a slash at the end", KV "/keys/k/", NULL},
        {"a key named keys", KV "/keys/keys/1", "1"},
        {"none", NULL, NULL},
    };

    for (size_t i = 0; i < COUNT(kids); i++)
        CHECK_ROW(kids[i].reason, str_eq(vault_kid_version(kids[i].kid), kids[i].version));
}

static void test_homes(void)
{
    static const struct {
        const char *reason, *bytes;
        enum backup_home home;
    } homes[] = {
        {"a key vault's mark", "&AzureKeyVaultKeyBackupV1.microsoft.com\1\2", BACKUP_HOME_VAULT},
        {"a managed HSM's token", "eyJhbGciOiJkaXIifQ..aXY.c2VhbGVk.dGFn", BACKUP_HOME_HSM},
        {"an access token", "eyJhbGciOiJSUzI1NiJ9.eyJvaWQiOiJvLTEifQ.c2ln", BACKUP_HOME_UNKNOWN},
        {"a token with a line end", "eyJhbGciOiJkaXIifQ..aXY.c2VhbGVk.dGFn\n", BACKUP_HOME_UNKNOWN},
        {"JSON in base64", "eyJjbGllbnRTZWNyZXQiOiJ4In0=", BACKUP_HOME_UNKNOWN},
        {"a mark and nothing behind it", "&AzureKeyVaultKeyBackupV1.microsoft.com", BACKUP_HOME_UNKNOWN},
        {"half a mark", "&AzureKeyVaultKeyBackup", BACKUP_HOME_UNKNOWN},
        {"nothing", "", BACKUP_HOME_UNKNOWN},
    };

    for (size_t i = 0; i < COUNT(homes); i++) {
        struct secret s = {0};

        secret_set(&s, homes[i].bytes, strlen(homes[i].bytes));
        CHECK_ROW(homes[i].reason, vault_backup_home(&s) == homes[i].home);
        secret_release(&s);
    }
}

static void test_challenges(void)
{
    static const struct {
        const char *reason, *challenge, *url;
        int rc;
    } rows[] = {
        {"what Azure sends",
         "Bearer authorization=\"https://login.microsoftonline.com/t\", resource=\"https://vault.azure.net\"",
         KV "/keys/k", 0},
        {"our own audience, a slash more", "Bearer resource=\"https://vault.azure.net/\"",
         "https://kv.vault.localhost:1/keys", 0},
        {"a parent of the host", "Bearer resource=\"https://vault.usgovcloudapi.net\"",
         "https://kv.vault.usgovcloudapi.net/keys", 0},
        {"another service", "Bearer resource=\"https://management.azure.com\"", KV "/keys/k", -ERR_PROTOCOL},
        {"no parent, though its end fits", "Bearer resource=\"https://ult.azure.net\"", KV "/keys/k", -ERR_PROTOCOL},
        {"something that is no URL", "Bearer resource=\"x\"", KV "/keys/k", -ERR_PROTOCOL},
        {"no resource named", "Bearer error=\"insufficient_claims\", claims=\"x\"", KV "/keys/k", 0},
        {"no header", NULL, KV "/keys/k", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct err err = {0};

        CHECK_ROW(rows[i].reason,
                  azure_check_challenge(rows[i].challenge, rows[i].url, "https://vault.azure.net", &err) == rows[i].rc);
    }
}

static void test_base64url(void)
{
    static const struct {
        const char *plain, *encoded;
    } rows[] = {{"", ""}, {"\xfb", "-w"}, {"\xff\xff", "__8"}, {"abc", "YWJj"}, {"\xfb\xff\xbf\xfe", "-_-__g"}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct secret s = {0};

        secret_reserve(&s, 16);
        secret_add_base64url(&s, rows[i].plain, strlen(rows[i].plain));
        CHECK_STR(s.bytes, rows[i].encoded);
        secret_release(&s);
    }
}

int main(void)
{
    test_names();
    test_homes();
    test_challenges();
    test_base64url();
    HARNESS_END();
}
