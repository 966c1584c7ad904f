/* The simulated control plane, the directory and the sign-in, as their clients see them. */
#include "harness.h"
#include "sim_arm_fixture.h"

static void test_sign_in(void)
{
    static const struct {
        const char *reason, *tenant, *app, *secret, *scope, *code;
        int status;
    } rows[] = {
        {"the right secret", TENANT, OPERATOR_APP, "let-me-in", ARM "/.default", NULL, 200},
        {"a wrong one", TENANT, OPERATOR_APP, "guess", ARM "/.default", "AADSTS7000215:", 401},
        {"an unknown application", TENANT, "0f0f0f0f-0000-4000-8000-0000000000ff", "let-me-in", ARM "/.default",
         "AADSTS700016:", 400},
        {"an unknown tenant", "0f0f0f0f-0000-4000-8000-0000000000ee", OPERATOR_APP, "let-me-in", ARM "/.default",
         "AADSTS90002:", 400},
        {"an unknown resource", TENANT, OPERATOR_APP, "let-me-in", "https://example.org/.default",
         "AADSTS500011:", 400},
    };
    struct arena *a;
    const char *token;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r = sign_in(s, a, now, rows[i].tenant, rows[i].app, rows[i].secret, rows[i].scope);
        const char *text = value_str_at(r.json, "error_description");

        CHECK_ROW(rows[i].reason, r.status == rows[i].status);
        CHECK_ROW(rows[i].reason,
                  rows[i].code ? text && str_starts(text, rows[i].code) : value_str_at(r.json, "access_token") != NULL);
    }
    sim_free(s);
    arena_free(a);
}

static const struct {
    const char *reason, *method, *url, *code;
    int status;
} front_door_rows[] = {
    {"a group", "GET", ARM DR_GROUP G_API, "", 200},
    {"a group in other letters, two slashes in front", "GET", ARM "/" SUB "/resourcegroups/RG-DR" G_API, "", 200},
    {"api-version with its hyphen encoded", "GET", ARM DR_GROUP "?api%2Dversion=2025-04-01", "", 200},
    {"no api-version", "GET", ARM DR_GROUP, "MissingApiVersionParameter", 400},
    {"no such provider", "GET", ARM DR_GROUP "/providers/Contoso.Things/things/t" API, "InvalidResourceNamespace",
     404},
    {"no such type", "POST", ARM DR_GROUP "/providers/Microsoft.Compute/disks/d/explode" API, "InvalidResourceType",
     404},
    {"no such subscription", "GET", ARM "/subscriptions/0f0f0f0f-0000-4000-8000-0000000000ff/resourceGroups" G_API,
     "SubscriptionNotFound", 404},
    {"no such group", "GET", ARM SUB "/resourceGroups/none" G_API, "ResourceGroupNotFound", 404},
    {"no such resource", "GET", ARM DES API, "ResourceNotFound", 404},
    {"no such group around a resource", "GET",
     ARM SUB "/resourceGroups/none/providers/Microsoft.Compute/disks/d" API, "ResourceGroupNotFound", 404},
    {"an unregistered type of list is empty", "GET", ARM SUB "/providers/Microsoft.Compute/disks" API, "", 200},
    {"a feature", "GET",
     ARM SUB "/providers/Microsoft.Features/providers/Microsoft.Compute/features/F?api-version=2021-07-01", "",
     200},
    {"a registration", "GET", ARM SUB "/providers/Microsoft.Compute" G_API, "", 200},
    {"no such assignment", "GET",
     ARM VAULT "/providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111" AUTH_API,
     "RoleAssignmentNotFound", 404},
    {"a version of nobody's", "GET", ARM DES "?api-version=2019-12-31", "NoRegisteredProviderFound", 400},
    {"another type's version", "GET", ARM DES "?api-version=2025-04-01", "NoRegisteredProviderFound", 400},
    {"a group by a version of nobody's", "GET", ARM DR_GROUP "?api-version=2019-12-31",
     "InvalidApiVersionParameter", 400},
    {"a vault by an older version", "GET", ARM VAULT "?api-version=2025-05-01", "", 200},
    {"locks: none", "GET", ARM DR_GROUP "/providers/Microsoft.Authorization/locks?api-version=2020-05-01", "", 200},
};

static void test_front_door(void)
{
    struct arena *a;
    const char *token, *reader;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r;

    for (size_t i = 0; i < COUNT(front_door_rows); i++) {
        r = ask(s, a, now, token, front_door_rows[i].method, front_door_rows[i].url, NULL);
        CHECK_ROW(front_door_rows[i].reason, r.status == front_door_rows[i].status);
        CHECK_ROW(front_door_rows[i].reason, str_eq(code_of(&r), front_door_rows[i].code));
    }
    r = ask(s, a, now, NULL, "GET", ARM DR_GROUP G_API, NULL);
    CHECK_ROW("no token", r.status == 401 && header_of(&r, "WWW-Authenticate"));
    r = ask(s, a, now, arena_printf(a, "%sx", token), "GET", ARM DR_GROUP G_API, NULL);
    CHECK_ROW("a token that was tampered with", r.status == 401);
    r = ask(s, a, now, token, "GET", "https://graph.microsoft.com/v1.0/servicePrincipals", NULL);
    CHECK_ROW("a token for another service", r.status == 401 && value_get(value_get(r.json, "error"), "innerError"));
    r = ask(s, a, now, token, "GET", "https://kv-pay.example.org/keys" API, NULL);
    CHECK_ROW("a host that does not exist", r.fault == SIM_RESET);
    reader = value_str_at(
        sign_in(s, a, now, TENANT, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only", ARM "/.default").json,
        "access_token");
    r = ask(s, a, now, reader, "GET", ARM DR_GROUP G_API, NULL);
    CHECK_ROW("no right", r.status == 403 && str_eq(code_of(&r), "AuthorizationFailed"));
    CHECK_ROW("the refusal names the action",
              strstr(r.text, "'Microsoft.Resources/subscriptions/resourceGroups/read'") != NULL);
    CHECK_ROW("and who asked", strstr(r.text, READER) != NULL);
    CHECK_ROW("made by the gateway", str_eq(header_of(&r, "x-ms-failure-cause"), "gateway"));
    r = ask(s, a, now + HOUR_MS, token, "GET", ARM DR_GROUP G_API, NULL);
    CHECK_ROW("an old token", r.status == 401 && str_eq(code_of(&r), "ExpiredAuthenticationToken"));
    sim_free(s);
    arena_free(a);
}

/* One map of texts and numbers, put on a list of the world. */
static void world_push(struct sim *s, struct arena *a, const char *list, const char *json)
{
    struct value *item;
    struct err err;

    if (json_parse(a, json, strlen(json), &item, &err) == 0)
        state_push(s, list, item);
}

/* Features, locks and quota, as a forecast reads them, refused without a right on the subscription. */
static void test_forecast_reads(void)
{
    static const char *const urls[] = {
        ARM SUB "/providers/Microsoft.Features/providers/Microsoft.Compute/features/"
                "DisableConfidentialVMMetadataBlob?api-version=2021-07-01",
        ARM SUB "/providers/Microsoft.Authorization/locks?api-version=2020-05-01",
        ARM SUB "/providers/Microsoft.Compute/locations/uaenorth/usages?api-version=2025-04-01",
    };
    struct arena *a;
    const char *token, *reader;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r;

    world_push(s, a, "locks", "{\"scope\":\"" DR_GROUP "\",\"name\":\"keep\",\"level\":\"CanNotDelete\"}");
    world_push(s, a, "quotas",
               "{\"name\":\"standardDCadsv6Family\",\"location\":\"UAE North\",\"current\":9,\"limit\":10}");
    world_push(s, a, "quotas",
               "{\"name\":\"standardDSv5Family\",\"location\":\"westeurope\",\"current\":1,\"limit\":10}");
    reader = value_str_at(
        sign_in(s, a, now, TENANT, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only", ARM "/.default").json,
        "access_token");
    for (size_t i = 0; i < COUNT(urls); i++) {
        r = ask(s, a, now, reader, "GET", urls[i], NULL);
        CHECK_ROW(urls[i], r.status == 403 && str_eq(code_of(&r), "AuthorizationFailed"));
        r = ask(s, a, now, token, "POST", urls[i], "{}");
        CHECK_ROW(urls[i], r.status >= 400);
    }
    r = ask(s, a, now, token, "GET", urls[0], NULL);
    CHECK_STR(value_str_at(r.json, "properties.state"), "NotRegistered");
    r = ask(s, a, now, token, "GET", urls[1], NULL);
    CHECK(value_count(value_get(r.json, "value")) == 1);
    CHECK_STR(value_str_at(r.json, "value.0.properties.level"), "CanNotDelete");
    CHECK_STR(value_str_at(r.json, "value.0.id"),
              SUB "/resourceGroups/rg-dr/providers/Microsoft.Authorization/locks/keep");
    r = ask(s, a, now, token, "GET", ARM KEYS_GROUP "/providers/Microsoft.Authorization/locks?api-version=2020-05-01",
            NULL);
    CHECK(r.status == 200 && value_count(value_get(r.json, "value")) == 0);
    r = ask(s, a, now, token, "GET", urls[2], NULL);
    CHECK_STR(value_str_at(r.json, "value.0.name.value"), "standardDCadsv6Family");
    CHECK(value_int_at(r.json, "value.0.limit", 0) == 10 && value_int_at(r.json, "value.0.currentValue", 0) == 9);
    CHECK_STR(value_str_at(r.json, "value.1.name.value"), "cores");
    sim_free(s);
    arena_free(a);
}

static void test_paging(void)
{
    struct arena *a;
    const char *token, *url = ARM SUB "/resources?%24filter=&api-version=2021-04-01";
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    size_t pages = 0, found = 0;

    while (url && pages < 10) {
        struct reply r = ask(s, a, now, token, "GET", url, NULL);

        CHECK(r.status == 200 && value_count(value_get(r.json, "value")) <= 2);
        found += value_count(value_get(r.json, "value"));
        url = value_str_at(r.json, "nextLink");
        pages++;
    }
    CHECK_ROW("four resources in pages of two", pages == 2 && found == 4);
    url = ARM SUB
        "/resources?$filter=resourceType+eq+'Microsoft.KeyVault/vaults'+and+name+eq+'kv-list'&api-version=2021-04-01";
    CHECK_ROW("a filter by type and name",
              value_count(value_get(ask(s, a, now, token, "GET", url, NULL).json, "value")) == 1);
    url = ARM "/providers/Microsoft.ResourceGraph/resources?api-version=2024-04-01";
    CHECK_ROW(
        "Resource Graph",
        value_count(value_get(ask(s, a, now, token, "POST", url,
                                  "{\"query\":\"Resources | where type =~ 'microsoft.keyvault/vaults' | project id\"}")
                                  .json,
                              "data")) == 2);
    sim_free(s);
    arena_free(a);
}

static void test_set_refusals(void)
{
    static const struct {
        const char *reason, *body, *want;
    } rows[] = {
        {"no version", DES_WITH("https://kv-pay.vault.azure.net/keys/os-key"), "version"},
        {"another cloud", DES_WITH("https://kv-pay.vault.azure.cn/keys/os-key/" KEY_VERSION), "cloud"},
        {"no such key", DES_WITH("https://kv-pay.vault.azure.net/keys/none/" KEY_VERSION), "does not exist"},
        {"no such version", DES_WITH("https://kv-pay.vault.azure.net/keys/os-key/00000000000000000000000000000000"),
         "does not exist"},
        {"no such vault", DES_WITH("https://kv-none.vault.azure.net/keys/os-key/" KEY_VERSION), "vault does not exist"},
        {"no release policy", DES_WITH("https://kv-pay.vault.azure.net/keys/plain/" KEY_VERSION), "release policy"},
        {"a vault without purge protection", DES_WITH("https://kv-list.vault.azure.net/keys/os-key/" KEY_VERSION),
         "does not exist"},
    };
    struct arena *a;
    const char *token;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct reply r = ask(s, a, now, token, "PUT", ARM DES API, rows[i].body);

        CHECK_ROW(rows[i].reason, r.status == 400);
        CHECK_ROW(rows[i].reason, strstr(r.text, rows[i].want) != NULL);
    }
    sim_free(s);
    arena_free(a);
}

static void test_set_life(void)
{
    struct arena *a;
    const char *token, *poll, *principal, *graph_token;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r = ask(s, a, now, token, "PUT", ARM DES API, DES_WITH(KEY_URL));

    poll = header_of(&r, "Azure-AsyncOperation");
    CHECK(r.status == 202 && poll && header_of(&r, "Location") && !header_of(&r, "Retry-After"));
    CHECK_ROW("signed addresses are long", poll && strlen(poll) > 2000);
    CHECK_ROW("the first answer knows neither id nor identity",
              !value_get(r.json, "id") && !value_at(r.json, "identity.principalId"));
    CHECK_ROW("nor does the set yet",
              !value_at(ask(s, a, now + 1, token, "GET", ARM DES API, NULL).json, "identity.principalId"));
    r = ask(s, a, now + SECOND_MS, token, "GET", poll, NULL);
    CHECK_STR(value_str_at(r.json, "status"), "InProgress");
    CHECK_ROW("a second change while the first is under way",
              ask(s, a, now, token, "PUT", ARM DES API, DES_WITH(KEY_URL)).status == 409);
    r = ask(s, a, now + 21 * SECOND_MS, token, "GET", poll, NULL);
    CHECK_STR(value_str_at(r.json, "status"), "Succeeded");
    CHECK_ROW("times carry an offset", strstr(value_str_at(r.json, "startTime"), "+05:30") != NULL);
    CHECK_ROW("and mean the same moment", time_parse(value_str_at(r.json, "startTime")) == now);
    CHECK_STR(value_str_at(r.json, "properties.output.name"), "des-new");
    r = ask(s, a, now + 22 * SECOND_MS, token, "GET", ARM DES API, NULL);
    principal = value_str_at(r.json, "identity.principalId");
    CHECK(principal && strlen(principal) == 36);
    graph_token =
        value_str_at(sign_in(s, a, now, TENANT, OPERATOR_APP, "let-me-in", "https://graph.microsoft.com/.default").json,
                     "access_token");
    r = ask(s, a, now, graph_token, "GET",
            arena_printf(a, "https://graph.microsoft.com/v1.0/servicePrincipals/%s", principal), NULL);
    CHECK_STR(value_str_at(r.json, "servicePrincipalType"), "ManagedIdentity");

    r = ask(s, a, now + 30 * SECOND_MS, token, "PATCH", ARM DES API,
            "{\"properties\":{\"rotationToLatestKeyVersionEnabled\":true}}");
    CHECK_ROW("a change's first answer shows the old values",
              r.status == 202 && !value_at(r.json, "properties.rotationToLatestKeyVersionEnabled"));
    r = ask(s, a, now + MINUTE_MS, token, "GET", ARM DES API, NULL);
    CHECK_ROW("later the new ones", value_bool_at(r.json, "properties.rotationToLatestKeyVersionEnabled", false));
    CHECK_ROW("and the identity stayed", str_eq(value_str_at(r.json, "identity.principalId"), principal));
    sim_free(s);
    arena_free(a);
}

static void test_vaults(void)
{
    static const struct {
        const char *reason, *method, *body, *code;
        int status;
    } rows[] = {
        {"purge protection stays", "PATCH", "{\"properties\":{\"enablePurgeProtection\":false}}", "BadRequest", 400},
        {"soft delete stays", "PATCH", "{\"properties\":{\"enableSoftDelete\":false}}", "BadRequest", 400},
        {"retention is fixed", "PATCH", "{\"properties\":{\"softDeleteRetentionInDays\":30}}", "BadRequest", 400},
        {"tags change", "PATCH", "{\"tags\":{\"x\":\"y\"}}", "", 200},
        {"nothing to recover", "PUT", "{\"location\":\"uaenorth\",\"properties\":{\"createMode\":\"recover\"}}",
         "ConflictError", 409},
        {"deleted", "DELETE", NULL, "", 200},
        {"a deleted one keeps its name", "PUT",
         "{\"location\":\"uaenorth\",\"properties\":{\"tenantId\":\"" TENANT "\",\"sku\":{\"name\":\"premium\"}}}",
         "VaultAlreadyExists", 409},
        {"recovered", "PUT", "{\"location\":\"uaenorth\",\"properties\":{\"createMode\":\"recover\"}}", "", 200},
    };
    struct arena *a;
    const char *token;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r;

    for (size_t i = 0; i < COUNT(rows); i++) {
        r = ask(s, a, now, token, rows[i].method, ARM VAULT KV_API, rows[i].body);
        CHECK_ROW(rows[i].reason, r.status == rows[i].status);
        CHECK_ROW(rows[i].reason, str_eq(code_of(&r), rows[i].code));
        if (rows[i].status == 200 && str_eq(rows[i].method, "DELETE")) {
            r = ask(s, a, now, token, "GET",
                    ARM SUB "/providers/Microsoft.KeyVault/locations/uaenorth/deletedVaults/kv-pay" KV_API, NULL);
            CHECK_STR(value_str_at(r.json, "properties.scheduledPurgeDate"), "2026-11-30T03:00:00Z");
        }
    }
    CHECK_STR(value_str_at(ask(s, a, now, token, "GET", ARM VAULT KV_API, NULL).json, "properties.provisioningState"),
              "RegisteringDns");
    r = ask(s, a, now + MINUTE_MS, token, "GET", ARM VAULT KV_API, NULL);
    CHECK_STR(value_str_at(r.json, "properties.provisioningState"), "Succeeded");
    CHECK_STR(value_str_at(r.json, "properties.vaultUri"), "https://kv-pay.vault.azure.net/");
    CHECK_ROW("settings survived", value_bool_at(r.json, "properties.enablePurgeProtection", false));
    sim_free(s);
    arena_free(a);
}

static void test_storage(void)
{
    struct arena *a;
    const char *token, *url = ARM DR_GROUP "/providers/Microsoft.Storage/storageAccounts/stdr";
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    const char *first = value_str_at(
        ask(s, a, now, token, "POST", arena_printf(a, "%s/listKeys" ST_API, url), NULL).json, "keys.0.value");
    const char *again = value_str_at(
        ask(s, a, now, token, "POST", arena_printf(a, "%s/listKeys" ST_API, url), NULL).json, "keys.0.value");

    CHECK(first && strlen(first) == 88);
    CHECK_STR(first, again);
    CHECK_STR(value_str_at(ask(s, a, now, token, "GET", arena_printf(a, "%s" ST_API, url), NULL).json,
                           "properties.primaryEndpoints.blob"),
              "https://stdr.blob.core.windows.net/");
    sim_free(s);
    arena_free(a);
}

static void test_directory(void)
{
    struct arena *a;
    const char *token, *base = "https://graph.microsoft.com/v1.0/servicePrincipals";
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r;

    token =
        value_str_at(sign_in(s, a, now, TENANT, OPERATOR_APP, "let-me-in", "https://graph.microsoft.com/.default").json,
                     "access_token");
    r = ask(s, a, now, token, "GET",
            arena_printf(a, "%s?$filter=appId%%20eq%%20'bf7b6499-ff71-4aa2-97a4-f372087be7f0'", base), NULL);
    CHECK_STR(value_str_at(r.json, "value.0.id"), ORCHESTRATOR);
    r = ask(s, a, now, token, "GET",
            arena_printf(a, "%s?$filter=appId%%20eq%%20'00000000-ff71-4aa2-97a4-f372087be7f0'", base), NULL);
    CHECK_ROW("nobody: an empty list",
              r.status == 200 && value_get(r.json, "value") && value_count(value_get(r.json, "value")) == 0);
    r = ask(s, a, now, token, "GET", arena_printf(a, "%s(appId='262044b1-e2ce-469f-a196-69ab7ada62d3')", base), NULL);
    CHECK_STR(value_str_at(r.json, "id"), BACKUP_SERVICE);
    r = ask(s, a, now, token, "GET", arena_printf(a, "%s/00000000-ff71-4aa2-97a4-f372087be7f0", base), NULL);
    CHECK(r.status == 404 && str_eq(code_of(&r), "Request_ResourceNotFound"));
    sim_free(s);
    arena_free(a);
}

static void test_throttling(void)
{
    struct arena *a;
    const char *token;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r = {0};
    int passed = 0;

    for (int i = 0; i < 2000; i++) {
        struct arena *one = arena_new();

        r = ask(s, one, now, token, "GET", ARM DR_GROUP G_API, NULL);
        passed += r.status == 200;
        arena_free(one);
    }
    CHECK_ROW("a bucket of reads", passed == 1100);
    r = ask(s, a, now, token, "GET", ARM DR_GROUP G_API, NULL);
    CHECK(r.status == 429 && header_of(&r, "Retry-After"));
    CHECK_ROW("that fills again", ask(s, a, now + SECOND_MS, token, "GET", ARM DR_GROUP G_API, NULL).status == 200);
    sim_free(s);
    arena_free(a);
}

int main(void)
{
    test_sign_in();
    test_front_door();
    test_forecast_reads();
    test_paging();
    test_set_refusals();
    test_set_life();
    test_vaults();
    test_storage();
    test_directory();
    test_throttling();
    HARNESS_END();
}
