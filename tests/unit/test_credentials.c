/* Credentials: what each of them asks of whom, which of a chain is used, and what is said when none does. */
#include "azure_peer.h"

#include <sys/stat.h>
#include <unistd.h>

#include "../../providers/azure/credential_kinds.h"
#include "../../providers/azure/internal.h"

#define AGENT "http://127.0.0.1:40342/metadata/identity/oauth2/token"
#define DAY_TOKEN "{\"access_token\":\"t1\",\"expires_in\":\"86400\"}"

/* The environment of the case that runs. */
static const char *const (*variables)[2];
static char folder[] = "/tmp/reinstate-credentials-XXXXXX";

static const char *variable(const char *name)
{
    for (size_t i = 0; variables && variables[i][0]; i++)
        if (str_eq(name, variables[i][0]))
            return variables[i][1];
    return NULL;
}

static void file_make(const char *name, const char *text, mode_t mode)
{
    char path[128];
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    f = fopen(path, "w");
    CHECK(f != NULL);
    if (!f)
        return;
    fputs(text, f);
    fclose(f);
    CHECK(chmod(path, mode) == 0);
}

static void run_vault(struct call *c, struct peer_case *t)
{
    const char *header = NULL;

    t->rc = azure_authorization(t->az, c, AUDIENCE_VAULT, &header, &t->err);
    if (t->rc == 0)
        CHECK_STR(header, "Bearer t1");
}

/* Finds the credential in these variables and asks it for a token. */
static void ask(const char *reason, const char *name, const char *const (*set)[2], const struct peer_row *rows,
                size_t n_rows, void (*run)(struct call *c, struct peer_case *t), const char *arc_folder,
                struct peer_case *t, struct peer *p)
{
    struct credential credential = {0};
    struct err err = {0};

    variables = set;
    *t = (struct peer_case){.a = arena_new(), .run = run};
    CHECK_ROW(reason, credential_find(&(struct surroundings){.variable = variable}, name, &credential, &err) == 0);
    credential.arc_folder = arc_folder;
    peer_run_as(reason, rows, n_rows, &credential, t, p);
    credential_release(&credential);
}

static void done(struct peer_case *t, struct peer *p)
{
    peer_release(p);
    arena_free(t->a);
}

/* --- Azure Arc ---------------------------------------------------------------------------------------------------- */

static const char *const arc[][2] = {
    {"IDENTITY_ENDPOINT", AGENT}, {"IMDS_ENDPOINT", "http://127.0.0.1:40342"}, {NULL, NULL}};

static void test_arc(void)
{
    char challenge[160], keys[64];
    struct peer_row rows[] = {{.method = "GET",
                               .url = AGENT "?api-version=2020-06-01&resource=https%3A%2F%2Fvault.azure.net",
                               .status = 401,
                               .sent = {"Metadata", "true"},
                               .headers = {{"WWW-Authenticate", challenge}}},
                              {.method = "GET",
                               .url = AGENT,
                               .status = 200,
                               .authorization = "Basic key-of-the-agent",
                               .sent = {"Metadata", "true"},
                               .body = DAY_TOKEN}};
    struct peer_case t;
    struct peer p = {0};

    file_make("agent.key", "key-of-the-agent", 0600);
    snprintf(keys, sizeof(keys), "%s/", folder);
    snprintf(challenge, sizeof(challenge), "Basic realm=%s/agent.key", folder);
    ask("Arc: the file that the agent names is shown to it", "managed-identity", arc, rows, 2, run_vault, keys, &t, &p);
    CHECK(t.rc == 0);
    done(&t, &p);
}

/* An agent that is none would have any file of ours sent to it. */
static void test_arc_elsewhere(void)
{
    static const char *const realms[] = {
        "/etc/shadow", "/etc%s/agent.key", "/etc/agent.key", "%s/../agent.key", "%s/sub/agent.key", "%s/agent.txt",
        "\"%s"};
    char keys[64];

    snprintf(keys, sizeof(keys), "%s/", folder);
    for (size_t i = 0; i < COUNT(realms); i++) {
        struct peer_case t;
        struct peer p = {0};
        const char *at = strstr(realms[i], "%s");
        char challenge[160];
        struct peer_row row = {
            .method = "GET", .url = AGENT, .status = 401, .headers = {{"WWW-Authenticate", challenge}}};

        snprintf(challenge, sizeof(challenge), "Basic realm=%.*s%s%s", (int)(at ? at - realms[i] : 20), realms[i],
                 at ? folder + strlen("/tmp") : "", at ? at + 2 : "");
        ask(realms[i], "managed-identity", arc, &row, 1, run_vault, keys, &t, &p);
        CHECK_ROW(realms[i], t.rc == -ERR_DENIED && strstr(t.err.text, "names a key outside"));
        done(&t, &p);
    }
}

/* --- which of a chain --------------------------------------------------------------------------------------------- */

static const char *const nobody[][2] = {{"PATH", folder}, {NULL, NULL}};

static void test_chain(void)
{
    static const struct peer_row rows[] = {
        {.method = "GET", .url = "http://169.254.169.254/metadata/identity/oauth2/token", .fault = WIRE_UNSENT}};
    struct peer_case t;
    struct peer p = {0};

    file_make("az", "#!/bin/sh\n", 0700);
    ask("a laptop: no machine's identity, and az", NULL, nobody, rows, 1, run_vault, NULL, &t, &p);
    CHECK(t.rc == -ERR_DENIED);
    CHECK_STR(t.err.code, NO_CREDENTIAL);
    CHECK(strstr(t.err.text, "\n  managed-identity: no service for it answers here") != NULL);
    CHECK(strstr(t.err.text, "\n  azure-cli: ") != NULL && strstr(t.err.text, "\n  azd: azd is in no folder") != NULL);
    CHECK(strstr(t.err.text, "\n  tokens: ") != NULL);
    done(&t, &p);
}

/* --- GitHub ------------------------------------------------------------------------------------------------------- */

static void test_github(void)
{
    static const char *const set[][2] = {{"AZURE_TENANT_ID", "tenant-1"},
                                         {"AZURE_CLIENT_ID", "client-1"},
                                         {"ACTIONS_ID_TOKEN_REQUEST_URL", "https://runner.example/1/idtoken?v=2"},
                                         {"ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-runner"},
                                         {NULL, NULL}};
    static const struct peer_row rows[] = {
        {.method = "GET",
         .url = "https://runner.example/1/idtoken?v=2&audience=api%3A%2F%2FAzureADTokenExchange",
         .status = 200,
         .authorization = "Bearer of-the-runner",
         .body = "{\"count\":3,\"value\":\"of.the.job\"}"},
        PEER_LOGIN};
    struct peer_case t;
    struct peer p = {0};

    ask("the job's own token is exchanged", NULL, set, rows, COUNT(rows), run_vault, NULL, &t, &p);
    CHECK(t.rc == 0);
    CHECK(
        strstr(p.seen[1], "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer") &&
        strstr(p.seen[1], "&client_assertion=of.the.job"));
    done(&t, &p);
}

/* --- how long one serves ------------------------------------------------------------------------------------------ */

static void run_day(struct call *c, struct peer_case *t)
{
    run_vault(c, t);
    CHECK(call_sleep_ms(c, 11 * HOUR_MS, "less than half a day", &t->err) == 0);
    run_vault(c, t);
    CHECK(call_sleep_ms(c, 2 * HOUR_MS, "more than half a day", &t->err) == 0);
    run_vault(c, t);
}

static void test_long_life(void)
{
    static const char *const app[][2] = {
        {"IDENTITY_ENDPOINT", "http://127.0.0.1:41741/msi/token"}, {"IDENTITY_HEADER", "of-the-app"}, {NULL, NULL}};
    static const struct peer_row row = {.method = "GET",
                                        .url = "/msi/token?api-version=2019-08-01&resource=",
                                        .status = 200,
                                        .sent = {"X-IDENTITY-HEADER", "of-the-app"},
                                        .body = DAY_TOKEN};
    const struct peer_row rows[] = {row, row};
    struct peer_case t;
    struct peer p = {0};

    ask("a token of a day is renewed after half of it", "managed-identity", app, rows, 2, run_day, NULL, &t, &p);
    CHECK(t.rc == 0);
    done(&t, &p);
}

static void run_late(struct call *c, struct peer_case *t)
{
    run_vault(c, t);
    CHECK(call_sleep_ms(c, 56 * MINUTE_MS, "the token's last minutes", &t->err) == 0);
    run_vault(c, t);
    CHECK(t->rc == 0);
    CHECK(call_sleep_ms(c, 5 * MINUTE_MS, "its end", &t->err) == 0);
    run_vault(c, t);
}

static void test_renewal_fails(void)
{
    static const char *const set[][2] = {
        {"AZURE_TENANT_ID", "tenant-1"}, {"AZURE_CLIENT_ID", "client-1"}, {"AZURE_CLIENT_SECRET", "s"}, {NULL, NULL}};
    static const struct peer_row busy = {.method = "POST", .url = "/token", .status = 400, .body = "{\"error\":\"x\"}"};
    const struct peer_row rows[] = {PEER_LOGIN, busy, busy};
    struct peer_case t;
    struct peer p = {0};

    ask("while it lives, a token serves although it was not renewed", NULL, set, rows, 3, run_late, NULL, &t, &p);
    CHECK(t.rc == -ERR_DENIED);
    done(&t, &p);
}

/* Cloud Shell is asked by a form. */
static void test_cloud_shell(void)
{
    static const char *const set[][2] = {{"MSI_ENDPOINT", "http://localhost:50342/oauth2/token"}, {NULL, NULL}},
                             *const of_a_user[][2] = {{"MSI_ENDPOINT", "http://localhost:50342/oauth2/token"},
                                                      {"AZURE_CLIENT_ID", "client-1"},
                                                      {NULL, NULL}};
    const struct peer_row rows[] = {{.method = "POST",
                                     .url = "http://localhost:50342/oauth2/token",
                                     .status = 200,
                                     .body = DAY_TOKEN,
                                     .sent = {"Metadata", "true"}}};
    struct credential none = {0};
    struct peer_case t;
    struct peer p = {0};
    struct err err = {0};

    ask("Cloud Shell", "managed-identity", set, rows, COUNT(rows), run_vault, NULL, &t, &p);
    CHECK(t.rc == 0);
    done(&t, &p);
    variables = of_a_user;
    CHECK(credential_find(&(struct surroundings){.variable = variable}, "managed-identity", &none, &err) < 0);
    CHECK(strstr(err.text, "Cloud Shell has the identity of its user only") != NULL);
}

static void test_more_tenants(void)
{
    static const char *const set[][2] = {{"AZURE_TENANT_ID", "tenant-1"},
                                         {"AZURE_CLIENT_ID", "client-1"},
                                         {"AZURE_CLIENT_SECRET", "s"},
                                         {"AZURE_ADDITIONALLY_ALLOWED_TENANTS", "tenant-2; tenant-3"},
                                         {"ARM_AUXILIARY_TENANT_IDS", "tenant-4"},
                                         {NULL, NULL}};
    struct credential c = {0};
    struct err err = {0};

    variables = set;
    CHECK(credential_find(&(struct surroundings){.variable = variable}, NULL, &c, &err) == 0);
    CHECK(credential_may_go_to(&c, "tenant-2") && credential_may_go_to(&c, "TENANT-3"));
    /* Words of Terraform are not mixed with those of the SDKs. */
    CHECK(!credential_may_go_to(&c, "tenant-4") && !credential_may_go_to(&c, "tenant-") &&
          !credential_may_go_to(&c, "tenant-22"));
    credential_release(&c);
    CHECK(!credential_may_go_to(&c, "tenant-2"));
}

/* What az keeps would be refused once more. */
static void test_programs_claims(void)
{
    const struct token_request r = {
        .cloud = cloud_builtin("AzurePublic"), .tenant = "tenant-1", .audience = AUDIENCE_ARM, .claims = "{}"};
    struct credential c = {.az = (char *)"az", .azd = (char *)"azd"};
    struct token_answer got = {0};
    struct err err = {0};

    CHECK(azure_cli_ask(&c, NULL, &r, &got, &err) == -ERR_DENIED);
    CHECK(strstr(err.text, "az login --tenant tenant-1 --scope https://management.azure.com//.default "
                           "--claims-challenge e30=") != NULL);
    CHECK(azd_ask(&c, NULL, &r, &got, &err) == -ERR_DENIED && strstr(err.text, "azd auth login"));
}

int main(void)
{
    CHECK(mkdtemp(folder) != NULL);
    test_arc();
    test_arc_elsewhere();
    test_chain();
    test_github();
    test_long_life();
    test_renewal_fails();
    test_cloud_shell();
    test_more_tenants();
    test_programs_claims();
    for (size_t i = 0; i < 2; i++) {
        char path[128];

        snprintf(path, sizeof(path), "%s/%s", folder, i ? "az" : "agent.key");
        unlink(path);
    }
    CHECK(rmdir(folder) == 0);
    HARNESS_END();
}
