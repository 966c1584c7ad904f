/* The table of api-versions, the schema that lets an estate name others, and what the simulated Azure still answers. */
#include "harness.h"
#include "sim_fixture.h"

#include "../../providers/azure/versions.h"
#include "../../reconciler/format/schema.h"

static void test_table(struct schemas *schemas)
{
    const struct value *fields =
        value_at(schemas_get(schemas, "Azure.json"), "properties.spec.properties.apiVersions.properties");

    CHECK(value_count(fields) == API_COUNT);
    for (size_t i = 0; i < API_COUNT; i++) {
        CHECK_ROW(azure_apis[i].name, value_get(fields, azure_apis[i].name) != NULL);
        CHECK_ROW(azure_apis[i].name, azure_api_find(azure_apis[i].name) == &azure_apis[i]);
        CHECK_ROW(azure_apis[i].name, !azure_api_retired(&azure_apis[i], azure_apis[i].version));
        CHECK_ROW(azure_apis[i].name, !azure_apis[i].ended == !azure_apis[i].source);
    }
    CHECK(!azure_api_find("vaults"));
    CHECK_STR(azure_api_retired(&azure_apis[API_KEYVAULT], "2025-05-01"), "2027-02-27");
    CHECK(!azure_api_retired(&azure_apis[API_RECOVERY], "2025-02-01"));
}

static void test_declared(struct arena *a)
{
    struct value *spec = value_map(a), *named = value_set(a, spec, "apiVersions", value_map(a));

    value_set_string(a, named, "keyVault", "2025-05-01");
    CHECK_STR(azure_api_declared(spec, API_KEYVAULT), "2025-05-01");
    CHECK_STR(azure_api_declared(spec, API_RECOVERY), "2026-07-01");
    CHECK_STR(azure_api_declared(NULL, API_KEYVAULT), "2026-02-01");
}

/* The simulated Azure answers what Azure does, and what is retired no longer. */
static void test_answered(struct arena *a)
{
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    int64_t times[] = {sim_start_ms(s), time_parse("2027-02-26T23:50:00Z"), time_parse("2027-02-27T00:00:00Z")};
    static const char *const versions[] = {"2025-05-01", "2026-02-01"}, *const made[] = {"?", "true"};

    /* What a vault is that is made without a word about roles, by the version it is made with. */
    for (size_t v = 0; v < COUNT(versions); v++) {
        const char *token = value_str_at(
            sign_in(s, a, times[0], TENANT, OPERATOR_APP, "let-me-in", ARM "/.default").json, "access_token");
        struct reply r =
            ask(s, a, times[0], token, "PUT",
                arena_printf(a, ARM KEYS_GROUP "/providers/Microsoft.KeyVault/vaults/kv-made-%zu?api-version=%s", v,
                             versions[v]),
                "{\"location\":\"uaenorth\",\"properties\":{\"sku\":{\"family\":\"A\",\"name\":\"premium\"},"
                "\"tenantId\":\"" TENANT "\",\"accessPolicies\":[]}}");
        const struct value *roles = value_at(r.json, "properties.enableRbacAuthorization");

        CHECK(r.status == 200);
        CHECK_STR(!roles ? "?" : roles->b ? "true" : "false", made[v]);
    }
    for (size_t t = 0; t < COUNT(times); t++) {
        const char *token = value_str_at(
            sign_in(s, a, times[t], TENANT, OPERATOR_APP, "let-me-in", ARM "/.default").json, "access_token");

        for (size_t v = 0; v < COUNT(versions); v++)
            CHECK(ask(s, a, times[t], token, "GET", arena_printf(a, ARM VAULT "?api-version=%s", versions[v]), NULL)
                      .status == (t == 2 && v == 0 ? 400 : 200));
    }
    sim_free(s);
}

/* Microsoft's own clients still ask in previews, and one that is made up is told what to ask instead. */
static void test_keys_answered(struct arena *a)
{
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    static const struct {
        const char *version;
        int status;
    } rows[] = {
        {"2016-10-01", 200}, {"7.5-preview.1", 200}, {"7.6-preview.2", 200}, {"7.6", 200}, {"2025-07-01", 200},
        {"7.5-preview", 400}, {"7.7", 400}, {"2026-02-01", 400},
    };
    int64_t now = sim_start_ms(s);
    const char *token = value_str_at(
        sign_in(s, a, now, TENANT, OPERATOR_APP, "let-me-in", "https://vault.azure.net/.default").json, "access_token");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r =
            ask(s, a, now, token, "GET",
                arena_printf(a, "https://kv-pay.vault.azure.net/keys?api-version=%s", rows[i].version), NULL);

        CHECK_ROW(rows[i].version, r.status == rows[i].status);
        CHECK_ROW(rows[i].version, r.status == 200 || strstr(value_str_at(r.json, "error.message"), "(2025-07-01)"));
    }
    sim_free(s);
}

int main(void)
{
    struct arena *a = arena_new();
    struct schemas *schemas = NULL;
    struct err err;

    CHECK(schemas_new(schema_files, &schemas, &err) == 0);
    test_table(schemas);
    test_declared(a);
    test_answered(a);
    test_keys_answered(a);
    schemas_free(schemas);
    arena_free(a);
    HARNESS_END();
}
