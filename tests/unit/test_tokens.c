/* Tokens: who gets one, from where, and when it is asked for anew. */
#include "azure_peer.h"

#include "../../providers/azure/arm.h"
#include "../../providers/azure/directory.h"
#include "../../providers/azure/internal.h"
#include "../../reconciler/format/json.h"

#define VM "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
#define ARM "https://management.azure.com"

/* --- tokens ------------------------------------------------------------------------------------------------------- */

static void ask_again(struct call *c, void *arg)
{
    struct peer_case *t = arg;
    const char *header = NULL;
    struct err err = {0};

    CHECK(azure_authorization(t->az, c, AUDIENCE_VAULT, &header, &err) == 0);
    CHECK_STR(header, "Bearer t1");
}

static void run_many(struct call *c, struct peer_case *t)
{
    struct group *g = group_new(call_sched(c), "tokens");

    for (int i = 0; i < 20; i++)
        group_spawn(g, "ask", ask_again, t);
    t->rc = group_wait(c, g, &t->err);
    group_free(g);
    ask_again(c, t);
    CHECK(call_sleep_ms(c, 56 * MINUTE_MS, "the token's last five minutes", &t->err) == 0);
    ask_again(c, t);
}

static void test_single_flight(void)
{
    static const struct peer_row rows[] = {PEER_LOGIN, PEER_LOGIN};
    struct peer_case t = {.a = arena_new(), .run = run_many};
    struct peer p = {0};

    peer_run("twenty tasks, one request; a second one five minutes before the end", rows, COUNT(rows), &t, &p);
    CHECK_STR(p.seen[0], "POST https://login.microsoftonline.com/tenant-1/oauth2/v2.0/token "
                         "grant_type=client_credentials&client_id=client-1"
                         "&scope=https%3A%2F%2Fvault.azure.net%2F.default"
                         "&claims=%7B%22access_token%22%3A%7B%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D%7D%7D%7D"
                         "&client_secret=s%26cret");
    peer_release(&p);
    arena_free(t.a);
}

static void ask_in_vain(struct call *c, void *arg)
{
    struct peer_case *t = arg;
    const char *header = NULL;
    struct err err = {0};

    CHECK(azure_authorization(t->az, c, AUDIENCE_VAULT, &header, &err) == -ERR_CANCELLED);
}

static void run_cancelled(struct call *c, struct peer_case *t)
{
    struct group *g = group_new(call_sched(c), "tokens");

    for (int i = 0; i < 3; i++)
        group_spawn(g, "ask", ask_in_vain, t);
    CHECK(call_sleep_ms(c, 5, "the request to be on its way", &t->err) == 0);
    group_cancel(g);
    t->rc = group_wait(c, g, &t->err);
    group_free(g);
    ask_again(c, t);
}

static void test_cancelled(void)
{
    static const struct peer_row rows[] = {PEER_LOGIN, PEER_LOGIN};
    struct peer_case t = {.a = arena_new(), .run = run_cancelled};
    struct peer p = {0};

    peer_run("the task that asks and those that wait are cancelled; the next one asks anew", rows, COUNT(rows), &t, &p);
    peer_release(&p);
    arena_free(t.a);
}

static void list_in_vain(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_list(t->az, c, t->a, "/subscriptions/s/resources", API_RESOURCES, &v, &t->err);
}

/* Each page is small enough; a list that goes on for ever takes all memory nevertheless. */
static void test_list_ceiling(void)
{
    enum { PAGE_BYTES = 13 * 1024 * 1024, PAGES = 5 };
    struct peer_row rows[1 + PAGES] = {PEER_LOGIN};
    struct peer_case t = {.a = arena_new(), .run = list_in_vain};
    struct peer p = {0};

    for (int i = 0; i < PAGES; i++) {
        char *body = xmalloc(PAGE_BYTES + 1);
        int n = snprintf(body, PAGE_BYTES, "{\"value\":[{\"id\":%d}],\"nextLink\":\"" ARM "/page%d\"}", i, i + 1);

        memset(body + n, ' ', (size_t)(PAGE_BYTES - n));
        body[PAGE_BYTES] = 0;
        rows[1 + i] = (struct peer_row){
            .method = "GET", .url = i ? arena_printf(t.a, "/page%d", i) : "/resources", .status = 200, .body = body};
    }
    peer_run("more than 64 MB of pages", rows, COUNT(rows), &t, &p);
    CHECK(t.rc == -ERR_PROTOCOL && strstr(t.err.text, "more than 64 MB, and does not end after 5 pages"));
    for (int i = 0; i < PAGES; i++)
        free((char *)rows[1 + i].body);
    peer_release(&p);
    arena_free(t.a);
}

static const char *some_tokens(const char *name)
{
    return strcmp(name, "REINSTATE_TOKEN_ARM") == 0 ? " Bearer h.eyJvaWQiOiJvLTEifQ.s\n" : NULL;
}

static void run_given(struct call *c, struct peer_case *t)
{
    const char *id = NULL, *header = NULL;
    struct value *v = NULL;
    struct err err = {0};

    CHECK(azure_object_id(t->az, c, &id, &err) == 0);
    CHECK_STR(id, "o-1");
    CHECK(azure_authorization(t->az, c, AUDIENCE_VAULT, &header, &err) == -ERR_DENIED);
    CHECK(strstr(err.text, "REINSTATE_TOKEN_VAULT") != NULL);
    /* There is no fresh one to try with. */
    CHECK(arm_get(t->az, c, t->a, VM, API_COMPUTE, &v, &err) == -ERR_DENIED);
}

static void test_given_tokens(void)
{
    static const struct peer_row rows[] = {
        {.method = "GET", .url = VM, .status = 401, .body = "", .authorization = "Bearer h.eyJvaWQiOiJvLTEifQ.s"}};
    struct peer_case t = {.a = arena_new(), .run = run_given};
    struct credential credential = {0};
    struct peer p = {0};
    struct err err = {0};

    CHECK(credential_find(&(struct surroundings){.variable = some_tokens}, NULL, &credential, &err) == 0);
    CHECK(credential.kind == CREDENTIAL_GIVEN_TOKENS);
    peer_run_as("given tokens", rows, COUNT(rows), &credential, &t, &p);
    credential_release(&credential);
    peer_release(&p);
    arena_free(t.a);
}

/* --- what Azure asks for in a refusal ----------------------------------------------------------------------------- */

static void run_get(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_get(t->az, c, t->a, VM, API_COMPUTE, &v, &t->err);
}

static void test_claims_challenge(void)
{
    /* {"access_token":{"nbf":{"essential":true,"value":"1"}}} */
    static const struct peer_row rows[] = {
        PEER_LOGIN,
        {.method = "GET",
         .url = VM,
         .status = 401,
         .body = "",
         .headers =
             {{"WWW-Authenticate",
               "Bearer authorization_uri=\"https://login.microsoftonline.com/common\", error=\"insufficient_claims\", "
               "claims=\"eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7ImVzc2VudGlhbCI6dHJ1ZSwidmFsdWUiOiIxIn19fQ==\""}}},
        PEER_LOGIN,
        {.method = "GET",
         .url = VM,
         .status = 200,
         .body = "{\"id\":\"" VM "\",\"properties\":{\"storageProfile\":{}}}"}};
    struct peer_case t = {.a = arena_new(), .run = run_get};
    struct peer p = {0};

    peer_run("a claims challenge is answered by a token that carries the claims", rows, COUNT(rows), &t, &p);
    CHECK(t.rc == 0);
    CHECK(!strstr(p.seen[0], "nbf") && strstr(p.seen[2], "%22nbf%22%3A%7B%22essential%22%3Atrue"));
    CHECK(strstr(p.seen[2], "%22xms_cc%22%3A%7B%22values%22%3A%5B%22cp1%22%5D") != NULL);
    peer_release(&p);
    arena_free(t.a);
}

static void run_issuer(struct call *c, struct peer_case *t)
{
    static const struct {
        const char *challenge;
        int rc;
    } rows[] = {
        {"Bearer authorization=\"https://login.microsoftonline.com/tenant-1\", resource=\"https://vault.azure.net\"",
         0},
        {"Bearer authorization=\"https://login.microsoftonline.com/other-1\", resource=\"x\"", -ERR_DENIED},
        {"Bearer authorization=\"https://login.evil.example/tenant-1\", resource=\"x\"", -ERR_PROTOCOL},
        {"Bearer resource=\"x\"", 0},
        {NULL, 0},
    };

    (void)c;
    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].challenge ? rows[i].challenge : "none",
                  azure_check_issuer(t->az, rows[i].challenge, "https://kv.vault.azure.net/keys", &t->err) ==
                      rows[i].rc);
}

static void test_issuer(void)
{
    struct peer_case t = {.a = arena_new(), .run = run_issuer};
    struct peer p = {0};

    peer_run("a store of another tenant is sent no further token", NULL, 0, &t, &p);
    peer_release(&p);
    arena_free(t.a);
}

static const char *half_a_credential(const char *name)
{
    return strcmp(name, "AZURE_CLIENT_ID") == 0 ? "c" : NULL;
}

static const char *terraform(const char *name)
{
    static const char *const set[][2] = {
        {"ARM_TENANT_ID", "t"}, {"ARM_CLIENT_ID", "c"}, {"ARM_CLIENT_SECRET", "s"}, {"AZURE_TENANT_ID", "other"}};

    for (size_t i = 0; i < COUNT(set); i++)
        if (str_eq(name, set[i][0]))
            return set[i][1];
    return NULL;
}

/* The two families of variables are never mixed. */
static void test_families(void)
{
    struct credential credential = {0};
    struct err err = {0};

    CHECK(credential_find(&(struct surroundings){.variable = terraform}, NULL, &credential, &err) == 0);
    CHECK(credential.kind == CREDENTIAL_CLIENT_SECRET);
    CHECK_STR(credential.tenant, "t");
    CHECK_STR(credential.client_secret.bytes, "s");
    credential_release(&credential);
}

static const char *bad_tenant(const char *name)
{
    return strcmp(name, "AZURE_TENANT_ID") == 0 ? "x/../y" : "c";
}

static void test_environment(void)
{
    struct credential credential = {0};
    struct err err = {0};

    CHECK(credential_find(&(struct surroundings){.variable = half_a_credential}, "client-secret", &credential, &err) ==
          -ERR_DENIED);
    CHECK(strstr(err.text, "\n  client-secret: AZURE_TENANT_ID, AZURE_CLIENT_SECRET not set"));
    CHECK(!strstr(err.text, "\n  tokens: "));
    CHECK(credential_find(&(struct surroundings){.variable = bad_tenant}, "client-secret", &credential, &err) ==
          -ERR_DENIED);
    CHECK(credential_find(&(struct surroundings){.variable = half_a_credential}, "client-secert", &credential, &err) ==
          -ERR_INVALID);
    CHECK(strstr(err.text, "did you mean client-secret?"));
}

int main(void)
{
    test_list_ceiling();
    test_single_flight();
    test_cancelled();
    test_given_tokens();
    test_claims_challenge();
    test_issuer();
    test_environment();
    test_families();
    HARNESS_END();
}
