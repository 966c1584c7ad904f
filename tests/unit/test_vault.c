/* The Key Vault data plane: the calls against a scripted peer. */
#include "azure_peer.h"

#include "../../providers/azure/internal.h"
#include "../../providers/azure/vault.h"

#define KV "https://kv.vault.azure.net"

/* --- calls -------------------------------------------------------------------------------------------------------- */

static void run_get(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = vault_get_key(t->az, c, t->a, KV "/", "k", "v1", &v, &t->err);
}

static void run_get_elsewhere(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = vault_get_key(t->az, c, t->a, "https://kv.vault.azure.net.evil.example", "k", NULL, &v, &t->err);
}

static void run_hsm(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = vault_get_key(t->az, c, t->a, "https://pool.managedhsm.azure.net", "k", NULL, &v, &t->err);
}

static void run_versions(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = vault_list_versions(t->az, c, t->a, KV, "k", &v, &t->err);
    CHECK(t->rc < 0 || value_count(v) == 2);
}

static void run_recover(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = vault_recover_key(t->az, c, t->a, KV, "k", MINUTE_MS, &v, &t->err);
    CHECK(t->rc < 0 || str_eq(value_str_at(v, "key.kid"), KV "/keys/k/v1"));
}

static void run_restore(struct call *c, struct peer_case *t)
{
    struct secret backup = {0};
    struct value *v = NULL;

    secret_set(&backup, "\xfb\xff\xbf\xfe", 4);
    t->rc = vault_restore_key(t->az, c, t->a, KV, &backup, &v, &t->err);
    secret_release(&backup);
}

static void run_create(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = vault_create_key(t->az, c, t->a, KV, "k", "{}", &v, &t->err);
}

static void run_update(struct call *c, struct peer_case *t)
{
    struct value *v = NULL, *body = value_map(t->a);

    value_set_bool(t->a, value_set(t->a, body, "attributes", value_map(t->a)), "enabled", true);
    t->rc = vault_update_key(t->az, c, t->a, KV, "k", "v1", body, &v, &t->err);
}

#define POOL "https://pool.managedhsm.azure.net"
#define POOL_KEY "{\"key\":{\"kid\":\"" POOL "/keys/k/v1\"},\"attributes\":{}}"
#define LOCAL "/providers/Microsoft.Authorization/roleAssignments"
#define ROLE "33413926-3206-4cdd-b39a-83574fe37a17"
#define DEFINED "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/"

static void run_grant(struct call *c, struct peer_case *t)
{
    t->rc = hsm_put_assignment(t->az, c, t->a, &(struct hsm_grant){POOL, "/keys/k", "n1", ROLE, "p1"}, &t->err);
}

static void run_grant_root(struct call *c, struct peer_case *t)
{
    t->rc = hsm_put_assignment(t->az, c, t->a, &(struct hsm_grant){POOL, "/", "n1", ROLE, "p1"}, &t->err);
}

static void run_local_list(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = hsm_list_assignments(t->az, c, t->a, POOL, "/keys", &v, &t->err);
    CHECK(t->rc < 0 || value_count(v) == 1);
}

/* The scope stands before the rest; / is nothing at all. */
static void test_local_addresses(void)
{
    static const char *const rows[][2] = {
        {"/", POOL LOCAL}, {"/keys", POOL "/keys" LOCAL}, {"/keys/k", POOL "/keys/k" LOCAL}};
    struct arena *a = arena_new();

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_STR(hsm_assignments_url(a, POOL, rows[i][0]), rows[i][1]);
    arena_free(a);
}

#define GRANT_TAKEN                                                                                                    \
    {                                                                                                                  \
        .method = "PUT", .url = POOL "/keys/k" LOCAL "/n1?", .status = 409,                                            \
        .body = "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\"}}"                                                \
    }
#define GRANT_THERE(who)                                                                                               \
    {                                                                                                                  \
        .method = "GET", .url = POOL "/keys/k" LOCAL "/n1?", .status = 200,                                            \
        .body = "{\"properties\":{\"roleDefinitionId\":\"" DEFINED ROLE "\",\"principalId\":\"" who                    \
                "\",\"scope\":\"/keys/k\"}}"                                                                           \
    }
#define KEY_FOUND                                                                                                      \
    {                                                                                                                  \
        .method = "GET", .url = KV "/keys/k/?api-version=2025-07-01", .status = 200,                                   \
        .body = "{\"key\":{\"kid\":\"" KV "/keys/k/v1\"},\"attributes\":{}}"                                           \
    }
#define KEY_ABSENT                                                                                                     \
    {                                                                                                                  \
        .method = "GET", .url = KV "/keys/k/?", .status = 404,                                                         \
        .body = "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"m\"}}"                                             \
    }

static const struct {
    const char *reason;
    void (*run)(struct call *c, struct peer_case *t);
    struct peer_row rows[6];
    int rc;
    const char *code, *says;
    const char *sent;           /* the last request */
} calls[] = {
    {"a version; the vault's URI ends with a slash",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = KV "/keys/k/v1?api-version=2025-07-01",
       .status = 200,
       .body = "{\"key\":{\"kid\":\"https://kv.vault.azure.net:443/keys/k/v1\"},\"attributes\":{}}"}},
     0,
     NULL,
     NULL,
     NULL},
    {"an answer that names no key",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = "/keys/k/v1", .status = 200, .body = "{\"key\":{}}"}},
     -ERR_PROTOCOL,
     "",
     "names no key",
     NULL},
    {"an answer that does not say whether the key is enabled",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/keys/k/v1",
       .status = 200,
       .body = "{\"key\":{\"kid\":\"" KV "/keys/k/v1\"},\"attributes\":null}"}},
     -ERR_PROTOCOL,
     "",
     "bears no attributes",
     NULL},
    {"an answer about another key",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/keys/k/v1",
       .status = 200,
       .body = "{\"key\":{\"kid\":\"https://kv.vault.azure.net/keys/j/v1\"}}"}},
     -ERR_PROTOCOL,
     "",
     "another key",
     NULL},
    {"an absent key",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/keys/k/v1",
       .status = 404,
       .body = "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"m\"}}"}},
     -ERR_NOT_FOUND,
     "KeyNotFound",
     "read key k/v1",
     NULL},
    {"a host that is no vault gets no token",
     run_get_elsewhere,
     {{0}},
     -ERR_INVALID,
     "",
     "no token is sent there",
     NULL},
    {"a challenge for another service gets no second token",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/keys/k/v1",
       .status = 401,
       .body = "",
       .headers = {{"WWW-Authenticate", "Bearer resource=\"https://evil.example\""}}}},
     -ERR_PROTOCOL,
     "",
     "another service",
     NULL},
    {"a managed HSM has its own audience",
     run_hsm,
     {{.method = "POST", .url = "/token", .status = 200, .body = PEER_TOKEN},
      {.method = "GET", .url = "https://pool.managedhsm.azure.net/keys/k/?", .status = 200, .body = POOL_KEY}},
     0,
     NULL,
     NULL,
     NULL},
    {"the firewall's inner code",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/keys/k/v1",
       .status = 403,
       .body =
           "{\"error\":{\"code\":\"Forbidden\",\"message\":\"m\",\"innererror\":{\"code\":\"ForbiddenByFirewall\"}}}"}},
     -ERR_DENIED,
     "ForbiddenByFirewall",
     "firewall",
     NULL},
    {"versions in pages, a link with :443, null at the end",
     run_versions,
     {PEER_LOGIN,
      {.method = "GET",
       .url = KV "/keys/k/versions?",
       .status = 200,
       .body =
           "{\"value\":[{\"kid\":1}],\"nextLink\":\"https://kv.vault.azure.net:443/keys/k/versions?$skiptoken=x\"}"},
      {.method = "GET",
       .url = ":443/keys/k/versions?$skiptoken=x",
       .status = 200,
       .body = "{\"value\":[{\"kid\":2}],\"nextLink\":null}"}},
     0,
     NULL,
     NULL,
     NULL},
    {"recovered, and visible after a while",
     run_recover,
     {PEER_LOGIN,
      {.method = "POST", .url = KV "/deletedkeys/k/recover?", .status = 200, .body = "{}"},
      KEY_ABSENT,
      KEY_ABSENT,
      KEY_FOUND},
     0,
     NULL,
     NULL,
     NULL},
    {"recovered by somebody else",
     run_recover,
     {PEER_LOGIN,
      {.method = "POST",
       .url = "/recover",
       .status = 400,
       .body = "{\"error\":{\"code\":\"MethodNotAllowed\","
               "\"innererror\":{\"code\":\"RequestNotAllowedOnNonDeletedObject\"}}}"},
      KEY_FOUND},
     0,
     NULL,
     NULL,
     NULL},
    {"neither deleted nor there",
     run_recover,
     {PEER_LOGIN,
      {.method = "POST",
       .url = "/recover",
       .status = 404,
       .body = "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"m\"}}"},
      KEY_ABSENT},
     -ERR_NOT_FOUND,
     "KeyNotFound",
     "recover key k",
     NULL},
    {"restored; base64url without padding",
     run_restore,
     {PEER_LOGIN, {.method = "POST", .url = KV "/keys/restore?", .status = 200, .body = "{\"key\":{\"kid\":\"x\"}}"}},
     0,
     NULL,
     NULL,
     "POST https://kv.vault.azure.net/keys/restore?api-version=2025-07-01 {\"value\":\"-_-__g\"}"},
    {"a taken name",
     run_restore,
     {PEER_LOGIN,
      {.method = "POST",
       .url = "/restore",
       .status = 409,
       .body = "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\"}}"}},
     -ERR_CONFLICT,
     "Conflict",
     "name is taken",
     NULL},
    {"the wrong geography",
     run_restore,
     {PEER_LOGIN,
      {.method = "POST",
       .url = "/restore",
       .status = 400,
       .body = "{\"error\":{\"code\":\"BadParameter\",\"message\":\"Cannot decrypt backup blob\"}}"}},
     -ERR_INVALID,
     "BadParameter",
     "geography",
     NULL},
    {"a confidential VM's key",
     run_create,
     {PEER_LOGIN, {.method = "POST", .url = "/keys/k/create", .status = 200, .body = "{}"}},
     0,
     NULL,
     NULL,
     "POST https://kv.vault.azure.net/keys/k/create?api-version=2025-07-01"
     " {\"kty\":\"RSA-HSM\",\"key_size\":3072,\"key_ops\":[\"wrapKey\",\"unwrapKey\"],\"attributes\":{\"exportable\":"
     "true},"
     "\"release_policy\":{\"contentType\":\"application/json; charset=utf-8\",\"data\":\"e30\"}}"},
    {"a local role at a key",
     run_grant,
     {PEER_LOGIN, {.method = "PUT", .url = POOL "/keys/k" LOCAL "/n1?", .status = 201, .body = "{}"}},
     0,
     NULL,
     NULL,
     "PUT " POOL "/keys/k" LOCAL "/n1?api-version=2025-07-01 {\"properties\":{\"roleDefinitionId\":\"" DEFINED ROLE
     "\",\"principalId\":\"p1\"}}"},
    {"a local role on the whole HSM",
     run_grant_root,
     {PEER_LOGIN, {.method = "PUT", .url = POOL LOCAL "/n1?", .status = 201, .body = "{}"}},
     0,
     NULL,
     NULL,
     NULL},
    {"granted already, by the same assignment",
     run_grant,
     {PEER_LOGIN, GRANT_TAKEN, GRANT_THERE("P1")},
     0,
     NULL,
     NULL,
     NULL},
    {"the name is another grant's",
     run_grant,
     {PEER_LOGIN, GRANT_TAKEN, GRANT_THERE("p2")},
     -ERR_CONFLICT,
     "Conflict",
     "grants something else",
     NULL},
    {"local roles, and no nextLink at the end",
     run_local_list,
     {PEER_LOGIN, {.method = "GET", .url = POOL "/keys" LOCAL "?", .status = 200, .body = "{\"value\":[{}]}"}},
     0,
     NULL,
     NULL,
     NULL},
    {"the odd 401: no JSON; a new token, once",
     run_hsm,
     {PEER_LOGIN,
      {.method = "GET", .url = POOL "/keys/k/?", .status = 401, .body = "OK"},
      PEER_LOGIN,
      {.method = "GET", .url = POOL "/keys/k/?", .status = 200, .body = POOL_KEY}},
     0,
     NULL,
     NULL,
     NULL},
    {"the odd 401, twice",
     run_hsm,
     {PEER_LOGIN,
      {.method = "GET", .url = POOL "/keys/k/?", .status = 401, .body = "OK"},
      PEER_LOGIN,
      {.method = "GET", .url = POOL "/keys/k/?", .status = 401, .body = ""}},
     -ERR_DENIED,
     "",
     "HSM token was not accepted",
     NULL},
    {"enabled",
     run_update,
     {PEER_LOGIN, {.method = "PATCH", .url = "/keys/k/v1?", .status = 200, .body = "{}"}},
     0,
     NULL,
     NULL,
     "PATCH https://kv.vault.azure.net/keys/k/v1?api-version=2025-07-01 {\"attributes\":{\"enabled\":true}}"},
};

static void test_calls(void)
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct peer_case t = {.a = arena_new(), .run = calls[i].run};
        struct peer p = {0};
        size_t n = 0;

        while (n < COUNT(calls[i].rows) && calls[i].rows[n].method)
            n++;
        peer_run(calls[i].reason, calls[i].rows, n, &t, &p);
        CHECK_ROW(calls[i].reason, t.rc == calls[i].rc);
        if (t.rc < 0) {
            CHECK_STR(t.err.code, calls[i].code);
            CHECK_ROW(t.err.text, calls[i].says && strstr(t.err.text, calls[i].says));
        }
        if (calls[i].sent)
            CHECK_STR(p.n_seen ? p.seen[p.n_seen - 1] : NULL, calls[i].sent);
        peer_release(&p);
        arena_free(t.a);
    }
}

int main(void)
{
    test_local_addresses();
    test_calls();
    HARNESS_END();
}
