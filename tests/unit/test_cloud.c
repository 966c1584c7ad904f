/* Clouds: the built-in ones, an operator's file, key URLs. */
#include "../harness.h"

#include "../../providers/azure/cloud.h"
#include "../../reconciler/base/clock.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"

static const struct {
    const char *reason, *cloud, *url;
    const char *store, *name, *version;     /* store NULL: refused */
    enum store_kind kind;
    const char *says;                       /* in the error */
} urls[] = {
    {"a versioned key", "AzurePublic", "https://kv-payroll.vault.azure.net/keys/payroll-os/3d1c", "kv-payroll",
     "payroll-os", "3d1c", STORE_VAULT, NULL},
    {"no version", "AzurePublic", "https://kv.vault.azure.net/keys/k", "kv", "k", NULL, STORE_VAULT, NULL},
    {"a slash at the end", "AzurePublic", "https://kv.vault.azure.net/keys/k/", "kv", "k", NULL, STORE_VAULT, NULL},
    {"hosts are case folded, the default port means nothing", "AzurePublic", "https://KV.Vault.Azure.net:443/keys/k/1",
     "kv", "k", "1", STORE_VAULT, NULL},
    {"a managed HSM", "AzurePublic", "https://pool.managedhsm.azure.net/keys/k/1", "pool", "k", "1", STORE_HSM, NULL},
    {"the other cloud is named", "AzurePublic", "https://kv.vault.azure.cn/keys/k/1", NULL, NULL, NULL, STORE_VAULT,
     "AzureChina"},
    {"the same the other way round", "AzureUSGovernment", "https://kv.vault.azure.net/keys/k/1", NULL, NULL, NULL,
     STORE_VAULT, "AzurePublic"},
    {"a store's name has no dot", "AzurePublic", "https://a.b.vault.azure.net/keys/k", NULL, NULL, NULL, STORE_VAULT,
     "neither a key vault"},
    {"the suffix must end the host", "AzurePublic", "https://kv.vault.azure.net.evil.example/keys/k", NULL, NULL, NULL,
     STORE_VAULT, "neither a key vault"},
    {"a user name in front is no host", "AzurePublic", "https://kv.vault.azure.net@evil.example/keys/k", NULL, NULL,
     NULL, STORE_VAULT, "neither a key vault"},
    {"a user name behind", "AzurePublic", "https://evil@kv.vault.azure.net/keys/k", NULL, NULL, NULL, STORE_VAULT,
     "names no key"},
    {"http is refused", "AzurePublic", "http://kv.vault.azure.net/keys/k", NULL, NULL, NULL, STORE_VAULT, "no key URL"},
    {"a secret is no key", "AzurePublic", "https://kv.vault.azure.net/secrets/k", NULL, NULL, NULL, STORE_VAULT,
     "names no key"},
    {"a third segment", "AzurePublic", "https://kv.vault.azure.net/keys/k/1/2", NULL, NULL, NULL, STORE_VAULT,
     "names no key"},
    {"a query", "AzurePublic", "https://kv.vault.azure.net/keys/k?x=1", NULL, NULL, NULL, STORE_VAULT, "names no key"},
    {"nothing", "AzurePublic", "", NULL, NULL, NULL, STORE_VAULT, "no key URL"},
};

static void test_key_urls(void)
{
    for (size_t i = 0; i < COUNT(urls); i++) {
        struct arena *a = arena_new();
        const struct cloud *cloud = cloud_builtin(urls[i].cloud);
        struct key_url url = {0};
        struct err err = {0};
        int rc = cloud_parse_key_url(a, cloud, urls[i].url, &url, &err);

        CHECK_ROW(urls[i].reason, (rc == 0) == (urls[i].store != NULL));
        if (rc == 0 && urls[i].store) {
            CHECK_STR(url.store, urls[i].store);
            CHECK_STR(url.name, urls[i].name);
            CHECK_ROW(urls[i].reason, str_eq(url.version, urls[i].version));
            CHECK_ROW(urls[i].reason, url.kind == urls[i].kind);
            CHECK_STR(url.base, cloud_store_base(a, cloud, url.kind, urls[i].store));
        } else {
            CHECK_ROW(urls[i].reason, rc == -ERR_INVALID);
            CHECK_ROW(urls[i].reason, urls[i].says && strstr(err.text, urls[i].says));
        }
        arena_free(a);
    }
}

static const struct {
    const char *reason, *json;
    size_t faults;
    const char *instead;            /* of the first fault */
} files[] = {
    {"nothing but the default", "{}", 0, NULL},
    {"one cell", "{\"base\":\"AzureChina\",\"authority\":\"https://login.partner.microsoftonline.cn\"}", 0, NULL},
    {"an unknown base", "{\"base\":\"AzureMoon\"}", 1, "AzurePublic"},
    {"a base that is no text", "{\"base\":1}", 1, "AzurePublic"},
    {"a misspelt member", "{\"vaultSufix\":\".x\"}", 1, "vaultSuffix"},
    {"an endpoint over http", "{\"arm\":\"http://localhost:1\"}", 1, "https"},
    {"an endpoint with a user", "{\"arm\":\"https://a@b\"}", 1, "without user"},
    {"a suffix without its dot", "{\"vaultSuffix\":\"vault.localhost\"}", 1, "dot"},
    {"a suffix with a path", "{\"blobSuffix\":\".blob.localhost/x\"}", 1, "dot"},
    {"a number", "{\"graph\":1}", 1, "a string"},
    {"two faults are both told", "{\"arm\":\"ftp://x\",\"graph\":\"x\"}", 2, "https"},
    {"a clock that stands still", "{\"clock\":{\"speed\":0}}", 1, "above zero"},
    {"a clock with a field too many", "{\"clock\":{\"now\":\"x\"}}", 1, "start, speed"},
    {"no map", "[]", 1, "map"},
};

static void test_files(void)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        struct arena *a = arena_new();
        struct value *file = NULL;
        struct diags diags;
        struct err err = {0};

        diags_init(&diags, a);
        CHECK_ROW(files[i].reason, json_parse(a, files[i].json, strlen(files[i].json), &file, &err) == 0);
        CHECK_ROW(files[i].reason, (cloud_read(a, file, &diags) != NULL) == (files[i].faults == 0));
        CHECK_ROW(files[i].reason, diags.n_errors == files[i].faults);
        if (diags.count > 0)
            CHECK_ROW(files[i].reason,
                      files[i].instead && diags.items[0].instead && strstr(diags.items[0].instead, files[i].instead));
        arena_free(a);
    }
}

static void test_file_cells(void)
{
    static const char text[] =
        "{\"name\":\"Sim\",\"arm\":\"https://management.localhost:8443/\",\"vaultSuffix\":\".vault.localhost:8443\","
        "\"caFile\":\"/tmp/ca.pem\",\"clock\":{\"start\":\"2026-11-23T03:00:00Z\",\"speed\":60}}";
    struct arena *a = arena_new();
    struct value *file = NULL;
    const struct cloud *cloud;
    struct key_url url = {0};
    struct diags diags;
    struct err err = {0};

    diags_init(&diags, a);
    CHECK(json_parse(a, text, strlen(text), &file, &err) == 0);
    cloud = cloud_read(a, file, &diags);
    CHECK(cloud != NULL);
    if (cloud) {
        CHECK_STR(cloud->name, "Sim");
        CHECK_STR(cloud->arm, "https://management.localhost:8443");
        CHECK_STR(cloud->vault_audience, "https://vault.azure.net");
        CHECK(cloud->clock_start_ms == time_parse("2026-11-23T03:00:00Z"));
        CHECK(cloud->clock_speed > 59.9 && cloud->clock_speed < 60.1);
        CHECK(cloud_parse_key_url(a, cloud, "https://kv.vault.localhost:8443/keys/k/1", &url, &err) == 0);
        CHECK_STR(cloud_key_url(a, cloud, STORE_VAULT, "kv", "k", "1"), "https://kv.vault.localhost:8443/keys/k/1");
        CHECK(cloud_parse_key_url(a, cloud, "https://kv.vault.localhost/keys/k/1", &url, &err) == -ERR_INVALID);
    }
    CHECK(cloud_builtin("AzurePublic")->clock_start_ms == TIME_NONE);
    CHECK(cloud_builtin("Azure") == NULL);
    arena_free(a);
}

static void test_table(void)
{
    for (size_t i = 0; cloud_names[i]; i++) {
        const struct cloud *cloud = cloud_builtin(cloud_names[i]);

        CHECK_ROW(cloud_names[i], cloud && str_starts(cloud->arm, "https://") && cloud->vault_suffix[0] == '.' &&
                                      cloud->blob_suffix[0] == '.');
        CHECK_ROW(cloud_names[i], cloud && cloud->arm[strlen(cloud->arm) - 1] != '/');
    }
}

int main(void)
{
    test_key_urls();
    test_files();
    test_file_cells();
    test_table();
    HARNESS_END();
}
