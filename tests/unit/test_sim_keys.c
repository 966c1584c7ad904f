/* The simulated Key Vault data plane, as its clients see it. */
#include "harness.h"
#include "sim_fixture.h"

#include "../../reconciler/format/crypt.h"

#define API "?api-version=7.6"
#define HOST "https://kv-pay.vault.azure.net"
#define ABROAD KEYS_GROUP "/providers/Microsoft.KeyVault/vaults/kv-abroad"

struct world {
    struct arena *a;
    struct sim *s;
    int64_t now;
    const char *token, *reader;
};

static const char *vault_token(struct world *w, const char *app, const char *secret)
{
    struct reply r = sign_in(w->s, w->a, w->now, TENANT, app, secret, "https%3A%2F%2Fvault.azure.net%2F.default");

    return value_str_at(r.json, "access_token");
}

/* The fixture and a vault in another geography, where the operator may do the same. */
static void begin(struct world *w)
{
    struct diags diags;
    const struct value *world;
    struct value *spec, *v, *p;

    w->a = arena_new();
    world = fixture_world(w->a, "");
    spec = value_get(world, "spec");
    v = value_map(w->a);
    value_set_string(w->a, v, "id", ABROAD);
    value_set_string(w->a, v, "location", "West Europe");
    p = value_set(w->a, v, "properties", value_map(w->a));
    value_set_bool(w->a, p, "enableRbacAuthorization", true);
    value_push(w->a, value_get(spec, "resources"), v);
    v = value_map(w->a);
    value_set_string(w->a, v, "principal", "operator");
    value_set_string(w->a, v, "role", "Key Vault Crypto Officer");
    value_set_string(w->a, v, "scope", ABROAD);
    value_push(w->a, value_get(spec, "roleAssignments"), v);
    w->s = fixture_sim(w->a, world, NULL, &diags);
    w->now = sim_start_ms(w->s);
    w->token = vault_token(w, OPERATOR_APP, "let-me-in");
    w->reader = vault_token(w, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only");
}

static void end(struct world *w)
{
    sim_free(w->s);
    arena_free(w->a);
}

static struct reply call(struct world *w, const char *method, const char *url, const char *body)
{
    return ask(w->s, w->a, w->now, w->token, method, url, body);
}

/* "code/inner code" of an error, "" of none. */
static const char *code_of(struct world *w, const struct reply *r)
{
    const char *code = value_str_at(r->json, "error.code"), *inner = value_str_at(r->json, "error.innererror.code");

    return arena_printf(w->a, "%s%s%s", code ? code : "", inner ? "/" : "", inner ? inner : "");
}

static void test_who_may(void)
{
    static const struct {
        const char *reason, *who, *method, *url, *code;
        int status;
    } rows[] = {
        {"a key", "operator", "GET", HOST "/keys/os-key" API, "", 200},
        {"with a slash behind its name", "operator", "GET", HOST "/keys/os-key/" API, "", 200},
        {"a version", "operator", "GET", HOST "/keys/os-key/" KEY_VERSION API, "", 200},
        {"a version that never was", "operator", "GET", HOST "/keys/os-key/00000000000000000000000000000000" API,
         "KeyNotFound", 404},
        {"a key that never was", "operator", "GET", HOST "/keys/none" API, "KeyNotFound", 404},
        {"no api-version", "operator", "GET", HOST "/keys/os-key", "BadParameter", 400},
        {"no token", "", "GET", HOST "/keys/os-key" API, "Unauthorized", 401},
        {"a token for ARM", "arm", "GET", HOST "/keys/os-key" API, "Unauthorized", 401},
        {"a reader reads", "reader", "GET", HOST "/keys/os-key" API, "", 200},
        {"and may not back up", "reader", "POST", HOST "/keys/os-key/backup" API, "Forbidden/ForbiddenByRbac", 403},
        {"a vault with policies names none for us", "operator", "GET", "https://kv-list.vault.azure.net/keys/k" API,
         "Forbidden/AccessDenied", 403},
        {"not deleted: nothing to recover", "operator", "POST", HOST "/deletedkeys/os-key/recover" API,
         "MethodNotAllowed/RequestNotAllowedOnNonDeletedObject", 400},
    };
    struct world w;
    struct reply r;

    begin(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const char *token = strcmp(rows[i].who, "operator") == 0 ? w.token
                            : strcmp(rows[i].who, "reader") == 0 ? w.reader
                                                                 : NULL;

        if (strcmp(rows[i].who, "arm") == 0)
            token = operator_token(w.s, w.a, w.now);
        r = ask(w.s, w.a, w.now, token, rows[i].method, rows[i].url, NULL);
        CHECK_ROW(rows[i].reason, r.status == rows[i].status);
        CHECK_ROW(rows[i].reason, strcmp(code_of(&w, &r), rows[i].code) == 0);
    }
    r = ask(w.s, w.a, w.now, NULL, "GET", HOST "/keys" API, NULL);
    CHECK_STR(header_of(&r, "WWW-Authenticate"), "Bearer authorization=\"https://login.microsoftonline.com/" TENANT
                                                 "\", resource=\"https://vault.azure.net\"");
    CHECK(strstr(r.text, "AKV10000") != NULL);
    r = call(&w, "GET", "https://kv-nowhere.vault.azure.net/keys" API, NULL);
    CHECK_ROW("the name of a vault that is not there does not resolve", r.fault == SIM_RESET);
    end(&w);
}

static void test_shape(void)
{
    struct world w;
    struct reply r;
    struct secret policy;
    struct err err;
    const char *data;

    begin(&w);
    r = call(&w, "GET", HOST "/keys/os-key" API, NULL);
    CHECK_STR(value_str_at(r.json, "key.kid"), KEY_URL);
    CHECK_STR(value_str_at(r.json, "key.kty"), "RSA-HSM");
    CHECK(strlen(value_str_at(r.json, "key.n")) == 512);
    CHECK(value_int_at(r.json, "attributes.created", 0) == 1772438400);
    CHECK_STR(value_str_at(r.json, "attributes.recoveryLevel"), "CustomizedRecoverable");
    CHECK(value_int_at(r.json, "attributes.recoverableDays", 0) == 7);
    CHECK(value_bool_at(r.json, "attributes.exportable", false));
    data = value_str_at(r.json, "release_policy.data");
    secret_init(&policy);
    CHECK(data && crypt_base64_decode(data, strlen(data), BASE64_URL, &policy, &err) == 0);
    CHECK(policy.bytes && strstr(policy.bytes, "https://shareduaen.uaen.attest.azure.net/") != NULL);
    secret_release(&policy);
    r = call(&w, "GET", HOST "/keys/plain" API, NULL);
    CHECK(r.status == 200 && !value_get(r.json, "release_policy") &&
          !value_bool_at(r.json, "attributes.exportable", true));
    end(&w);
}

static void test_pages(void)
{
    struct world w;
    struct reply r;
    const char *next;

    begin(&w);
    r = call(&w, "GET", HOST "/keys" API "&maxresults=1", NULL);
    next = value_str_at(r.json, "nextLink");
    CHECK(value_count(value_get(r.json, "value")) == 1);
    CHECK(next && str_starts(next, "https://kv-pay.vault.azure.net:443/keys?api-version=7.6&$skiptoken="));
    r = call(&w, "GET", next, NULL);
    CHECK_STR(value_str_at(r.json, "value.0.kid"), HOST "/keys/plain");
    CHECK(value_is(value_get(r.json, "nextLink"), VALUE_NULL));
    r = call(&w, "GET", HOST "/keys/os-key/versions" API, NULL);
    CHECK_STR(value_str_at(r.json, "value.0.kid"), KEY_URL);
    CHECK(!value_at(r.json, "value.0.key"));
    end(&w);
}

static const char *restore_body(struct world *w, const struct reply *backup)
{
    return arena_printf(w->a, "{\"value\":\"%s\"}", value_str_at(backup->json, "value"));
}

static void test_soft_delete(void)
{
    struct world w;
    struct reply r, backup;

    begin(&w);
    backup = call(&w, "POST", HOST "/keys/os-key/backup" API, NULL);
    r = call(&w, "DELETE", HOST "/keys/os-key" API, NULL);
    CHECK(r.status == 200 &&
          value_int_at(r.json, "scheduledPurgeDate", 0) - value_int_at(r.json, "deletedDate", 0) == 7 * 86400);
    r = call(&w, "POST", HOST "/deletedkeys/os-key/recover" API, NULL);
    CHECK_STR(code_of(&w, &r), "Conflict/ObjectIsBeingDeleted");
    w.now += 6 * SECOND_MS;
    r = call(&w, "GET", HOST "/keys/os-key" API, NULL);
    CHECK(r.status == 404);
    r = call(&w, "GET", HOST "/deletedkeys/os-key" API, NULL);
    CHECK_STR(value_str_at(r.json, "recoveryId"), HOST "/deletedkeys/os-key");
    r = call(&w, "POST", HOST "/keys/os-key/create" API, "{\"kty\":\"RSA-HSM\"}");
    CHECK_STR(code_of(&w, &r), "Conflict/ObjectIsDeletedButRecoverable");
    r = call(&w, "POST", HOST "/keys/restore" API, restore_body(&w, &backup));
    CHECK_STR(code_of(&w, &r), "Conflict/ObjectIsDeletedButRecoverable");
    r = call(&w, "DELETE", HOST "/deletedkeys/os-key" API, NULL);
    CHECK_STR(code_of(&w, &r), "Forbidden/ForbiddenByPolicy");
    r = call(&w, "POST", HOST "/deletedkeys/os-key/recover" API, NULL);
    CHECK(r.status == 200);
    r = call(&w, "GET", HOST "/keys/os-key" API, NULL);
    CHECK_ROW("recovered, not visible yet", r.status == 404);
    r = call(&w, "POST", HOST "/deletedkeys/os-key/recover" API, NULL);
    CHECK_STR(code_of(&w, &r), "Conflict/ObjectIsBeingRecovered");
    w.now += 6 * SECOND_MS;
    r = call(&w, "GET", KEY_URL API, NULL);
    CHECK(r.status == 200);
    end(&w);
}

static void test_backup_and_restore(void)
{
    struct world w;
    struct reply r, before, backup;
    struct secret blob;
    struct err err;
    const char *value;

    begin(&w);
    before = call(&w, "GET", KEY_URL API, NULL);
    backup = call(&w, "POST", HOST "/keys/os-key/backup" API, NULL);
    value = value_str_at(backup.json, "value");
    secret_init(&blob);
    CHECK(value && crypt_base64_decode(value, strlen(value), BASE64_URL, &blob, &err) == 0 && blob.len > 9000 &&
          blob.len < 24000);
    CHECK(blob.bytes && str_starts(blob.bytes, "&AzureKeyVaultKeyBackupV1.microsoft.com"));
    CHECK_ROW("really encrypted", blob.bytes && !memmem(blob.bytes, blob.len, "versions", 8));
    secret_release(&blob);
    r = call(&w, "POST", HOST "/keys/restore" API, restore_body(&w, &backup));
    CHECK_ROW("the name is in use", strcmp(code_of(&w, &r), "Conflict") == 0 && r.status == 409);
    call(&w, "DELETE", HOST "/keys/os-key" API, NULL);
    w.now += 8 * DAY_MS;
    w.token = vault_token(&w, OPERATOR_APP, "let-me-in");
    r = call(&w, "GET", HOST "/deletedkeys/os-key" API, NULL);
    CHECK_ROW("purged when its retention has passed", r.status == 404);
    r = call(&w, "POST", "https://kv-abroad.vault.azure.net/keys/restore" API, restore_body(&w, &backup));
    CHECK_ROW("another geography cannot open it", r.status == 400 && strcmp(code_of(&w, &r), "BadParameter") == 0);
    r = call(&w, "POST", HOST "/keys/restore" API, arena_printf(w.a, "{\"value\":\"%.200s\"}", value));
    CHECK_ROW("a damaged one neither", r.status == 400);
    r = call(&w, "POST", HOST "/keys/restore" API, restore_body(&w, &backup));
    CHECK(r.status == 200);
    r = call(&w, "GET", KEY_URL API, NULL);
    CHECK_ROW("the key it was: version, time, modulus, policy", value_equal(r.json, before.json));
    end(&w);
}

/* A deleted vault's name does not resolve; recovered it has its keys again; purged and made anew it is empty. */
static void test_deleted_vault(void)
{
    static const char again[] =
        "{\"location\":\"uaenorth\",\"properties\":{\"tenantId\":\"" TENANT "\",\"sku\":{\"family\":\"A\",\"name\":"
        "\"premium\"},\"enableRbacAuthorization\":true%s}}";
    static const struct { const char *reason, *more; int64_t wait; int status; } rows[] = {
        {"recovered", ",\"createMode\":\"recover\"", HOUR_MS, 200}, {"made anew", "", 8 * DAY_MS, 404},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        struct reply r;

        begin(&w);
        r = ask(w.s, w.a, w.now, operator_token(w.s, w.a, w.now), "DELETE", ARM VAULT "?api-version=2025-05-01", NULL);
        CHECK_ROW(rows[i].reason, r.status == 200);
        r = call(&w, "GET", KEY_URL API, NULL);
        CHECK_ROW(rows[i].reason, r.fault == SIM_RESET);
        w.now += rows[i].wait;
        r = ask(w.s, w.a, w.now, operator_token(w.s, w.a, w.now), "PUT", ARM VAULT "?api-version=2025-05-01",
                arena_printf(w.a, again, rows[i].more));
        CHECK_ROW(rows[i].reason, r.status == 200);
        w.now += HOUR_MS;
        w.token = vault_token(&w, OPERATOR_APP, "let-me-in");
        r = call(&w, "GET", KEY_URL API, NULL);
        CHECK_ROW("roles on the vault itself went with it", r.status == (i == 0 ? 403 : 404));
        w.token = vault_token(&w, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only");
        r = call(&w, "GET", KEY_URL API, NULL);
        CHECK_ROW(rows[i].reason, r.status == rows[i].status);
        end(&w);
    }
}

static void test_create_and_update(void)
{
    struct world w;
    struct reply r;
    const char *kid;

    begin(&w);
    r = call(&w, "POST", HOST "/keys/fresh/create" API, "{\"kty\":\"RSA-HSM\",\"attributes\":{\"exportable\":true}}");
    CHECK_ROW("exportable without a policy", r.status == 400);
    r = call(&w, "POST", HOST "/keys/fresh/create" API,
             "{\"kty\":\"RSA-HSM\",\"key_size\":3072,\"key_ops\":[\"wrapKey\",\"unwrapKey\"],\"attributes\":{"
             "\"exportable\":true},"
             "\"release_policy\":{\"data\":\"e30\"}}");
    CHECK(r.status == 200);
    CHECK_STR(value_str_at(r.json, "release_policy.data"), "e30");
    kid = value_str_at(r.json, "key.kid");
    CHECK(kid && str_starts(kid, HOST "/keys/fresh/") && strlen(kid) == strlen(HOST "/keys/fresh/") + 32);
    r = call(&w, "PATCH", arena_printf(w.a, "%s" API, kid), "{\"attributes\":{\"enabled\":false,\"exp\":1900000000}}");
    CHECK(r.status == 200);
    r = call(&w, "GET", arena_printf(w.a, "%s" API, kid), NULL);
    CHECK(!value_bool_at(r.json, "attributes.enabled", true) &&
          value_int_at(r.json, "attributes.exp", 0) == 1900000000);
    r = ask(w.s, w.a, w.now, w.reader, "PATCH", arena_printf(w.a, "%s" API, kid),
            "{\"attributes\":{\"enabled\":true}}");
    CHECK(r.status == 403);
    end(&w);
}

int main(void)
{
    test_who_may();
    test_shape();
    test_pages();
    test_soft_delete();
    test_backup_and_restore();
    test_deleted_vault();
    test_create_and_update();
    HARNESS_END();
}
