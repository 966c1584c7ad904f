/* The simulated Key Vault: rotation policies, what rotating gives, and to whom a key is released. */
#include "harness.h"
#include "sim_fixture.h"

#include "../../reconciler/format/crypt.h"

#define API "?api-version=7.6"
#define KEY "https://kv-pay.vault.azure.net/keys/os-key"
#define FIT "{\"iss\":\"https://shareduaen.uaen.attest.azure.net\",\"x-ms-attestation-type\":\"sevsnpvm\"," \
            "\"x-ms-compliance-status\":\"azure-compliant-cvm\"}"

struct world {
    struct arena *a;
    struct sim *s;
    int64_t now;
    const char *officer, *reader;
};

static const char *vault_token(struct world *w, const char *app, const char *secret)
{
    struct reply r = sign_in(w->s, w->a, w->now, TENANT, app, secret, "https%3A%2F%2Fvault.azure.net%2F.default");

    return value_str_at(r.json, "access_token");
}

/* The fixture, whose operator may also release keys. */
static void begin(struct world *w)
{
    struct diags diags;
    const struct value *world;
    struct value *grant;

    w->a = arena_new();
    world = fixture_world(w->a, "");
    grant = value_map(w->a);
    value_set_string(w->a, grant, "principal", "operator");
    value_set_string(w->a, grant, "role", "Key Vault Crypto Service Release User");
    value_set_string(w->a, grant, "scope", VAULT);
    value_push(w->a, value_at(world, "spec.roleAssignments"), grant);
    w->s = fixture_sim(w->a, world, NULL, &diags);
    w->now = sim_start_ms(w->s);
    w->officer = vault_token(w, OPERATOR_APP, "let-me-in");
    w->reader = vault_token(w, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only");
}

static void end(struct world *w)
{
    sim_free(w->s);
    arena_free(w->a);
}

static void test_policies(void)
{
    static const struct {
        const char *reason, *body;
        int status;
    } rows[] = {
        {"rotate and notify",
         "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P1Y\"},\"action\":{\"type\":\"Rotate\"}},"
         "{\"trigger\":{\"timeBeforeExpiry\":\"P30D\"},\"action\":{\"type\":\"notify\"}}],"
         "\"attributes\":{\"expiryTime\":\"P1Y3M\"}}",
         200},
        {"nothing at all", "{}", 200},
        {"an action that is none",
         "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P90D\"},\"action\":{\"type\":\"Burn\"}}]}", 400},
        {"a notice after creation",
         "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P90D\"},\"action\":{\"type\":\"Notify\"}}]}", 400},
        {"no trigger", "{\"lifetimeActions\":[{\"trigger\":{},\"action\":{\"type\":\"Rotate\"}}]}", 400},
        {"too soon",
         "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"P6D\"},\"action\":{\"type\":\"Rotate\"}}]}", 400},
        {"hours",
         "{\"lifetimeActions\":[{\"trigger\":{\"timeAfterCreate\":\"PT48H\"},\"action\":{\"type\":\"Rotate\"}}]}", 400},
        {"a life that is too short", "{\"attributes\":{\"expiryTime\":\"P27D\"}}", 400},
        {"a life of 28 days", "{\"attributes\":{\"expiryTime\":\"P28D\"}}", 200},
        {"no JSON", "P28D", 400},
    };
    struct world w;
    struct reply r;

    begin(&w);
    r = ask(w.s, w.a, w.now, w.officer, "GET", KEY "/rotationpolicy" API, NULL);
    CHECK_STR(value_str_at(value_item(value_get(r.json, "lifetimeActions"), 0), "trigger.timeBeforeExpiry"), "P30D");
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].reason,
                  ask(w.s, w.a, w.now, w.officer, "PUT", KEY "/rotationpolicy" API, rows[i].body).status ==
                      rows[i].status);
    r = ask(w.s, w.a, w.now, w.officer, "GET", KEY "/rotationpolicy" API, NULL);
    CHECK_STR(value_str_at(r.json, "attributes.expiryTime"), "P28D");
    CHECK_STR(value_str_at(r.json, "id"), KEY "/rotationpolicy");
    CHECK_ROW("a reader reads keys, not their policies' writes",
              ask(w.s, w.a, w.now, w.reader, "PUT", KEY "/rotationpolicy" API, "{}").status == 403);
    end(&w);
}

static void test_rotation(void)
{
    struct world w;
    struct reply r;
    int64_t made;

    begin(&w);
    ask(w.s, w.a, w.now, w.officer, "PUT", KEY "/rotationpolicy" API, "{\"attributes\":{\"expiryTime\":\"P30D\"}}");
    r = ask(w.s, w.a, w.now, w.officer, "POST", KEY "/rotate" API, NULL);
    made = value_int_at(r.json, "attributes.created", 0);
    CHECK(r.status == 200 && made == w.now / SECOND_MS);
    CHECK_ROW("ends when the policy says", value_int_at(r.json, "attributes.exp", 0) == made + 30 * 24 * 3600);
    CHECK(strcmp(value_str_at(r.json, "key.kid"), KEY_URL) != 0);
    r = ask(w.s, w.a, w.now, w.officer, "GET", KEY "/versions" API, NULL);
    CHECK(value_count(value_get(r.json, "value")) == 2);
    CHECK_ROW("a reader rotates nothing",
              ask(w.s, w.a, w.now, w.reader, "POST", KEY "/rotate" API, NULL).status == 403);
    end(&w);
}

static const char *attested(struct arena *a, const char *claims)
{
    struct text t;
    const char *ret;

    text_init(&t, TEXT_CEILING);
    text_add(&t, "{\"target\":\"eyJhbGciOiJSUzI1NiJ9.");
    crypt_base64_encode(&t, claims, strlen(claims), BASE64_URL);
    text_add(&t, ".c2ln\"}");
    ret = arena_strdup(a, text_str(&t));
    text_release(&t);
    return ret;
}

static void test_release(void)
{
    static const struct {
        const char *reason, *url, *claims;
        int status;
    } rows[] = {
        {"a guest that complies", KEY "/" KEY_VERSION "/release" API, FIT, 200},
        {"the newest version", KEY "/release" API, FIT, 200},
        {"a version that never was", KEY "/00000000000000000000000000000000/release" API, FIT, 404},
        {"another authority", KEY "/release" API, "{\"iss\":\"https://else.attest.azure.net\"}", 403},
        {"a guest that does not comply", KEY "/release" API, "{\"iss\":\"https://shareduaen.uaen.attest.azure.net\"}",
         403},
        {"no claims", KEY "/release" API, "", 403},
        {"a key without a policy", "https://kv-pay.vault.azure.net/keys/plain/release" API, FIT, 403},
    };
    struct world w;
    struct reply r;

    begin(&w);
    for (size_t i = 0; i < COUNT(rows); i++) {
        r = ask(w.s, w.a, w.now, w.officer, "POST", rows[i].url, attested(w.a, rows[i].claims));
        CHECK_ROW(rows[i].reason, r.status == rows[i].status);
        CHECK_ROW(rows[i].reason, (value_str_at(r.json, "value") != NULL) == (rows[i].status == 200));
    }
    CHECK_ROW("no token", ask(w.s, w.a, w.now, w.officer, "POST", KEY "/release" API, "{}").status == 400);
    CHECK_ROW("a reader", ask(w.s, w.a, w.now, w.reader, "POST", KEY "/release" API, attested(w.a, FIT)).status == 403);
    end(&w);
}

int main(void)
{
    test_policies();
    test_rotation();
    test_release();
    HARNESS_END();
}
