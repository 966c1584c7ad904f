/* Resource Manager: ids, permissions, errors by code, operations judged, and the calls against a scripted peer. */
#include "azure_peer.h"

#include "../../providers/azure/arm.h"
#include "../../providers/azure/directory.h"
#include "../../providers/azure/internal.h"
#include "../../reconciler/format/json.h"

#define VM "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
#define WHOLE(id) "{\"id\":\"" id "\",\"properties\":{\"storageProfile\":{}}}"
#define STATE(state) "{\"id\":\"/x/VM\",\"properties\":{\"storageProfile\":{},\"provisioningState\":\"" state "\"}}"
#define ARM "https://management.azure.com"

/* --- operations, judged ------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason;
    bool async;
    int status;
    struct wire_header headers[3];
    const char *body;
    int rc;
    enum arm_progress progress;
    const char *next;
    int64_t wait_ms;
} answers[] = {
    {"running, without Retry-After", true, 200, {{0}}, "{\"status\":\"InProgress\"}", 0, ARM_RUNNING, "polled", 30000},
    {"any other word is running",
     true,
     200,
     {{"Retry-After", "10"}},
     "{\"status\":\"Updating\"}",
     0,
     ARM_RUNNING,
     "polled",
     10000},
    {"a new URL is used",
     true,
     200,
     {{"azure-asyncoperation", "new;x&c=a%2Bb"}},
     "{\"status\":\"Accepted\"}",
     0,
     ARM_RUNNING,
     "new;x&c=a%2Bb",
     30000},
    {"a Location does not lead away from a status",
     true,
     200,
     {{"Location", "new"}},
     "{\"status\":\"Running\"}",
     0,
     ARM_RUNNING,
     "polled",
     30000},
    {"succeeded", true, 200, {{0}}, "{\"status\":\"Succeeded\"}", 0, ARM_SUCCEEDED, NULL, 30000},
    {"failed", true, 200, {{0}}, "{\"status\":\"Failed\",\"error\":{\"code\":\"X\"}}", 0, ARM_FAILED, NULL, 30000},
    {"canceled in both spellings", true, 200, {{0}}, "{\"status\":\"Cancelled\"}", 0, ARM_FAILED, NULL, 30000},
    {"202 without a body", true, 202, {{0}}, "", 0, ARM_RUNNING, "polled", 30000},
    {"200 without a status", true, 200, {{0}}, "{}", -ERR_PROTOCOL, ARM_RUNNING, NULL, 0},
    {"no JSON", true, 200, {{0}}, "<html>", -ERR_PROTOCOL, ARM_RUNNING, NULL, 0},
    {"Location, running", false, 202, {{"Location", "new"}, {"Retry-After", "60"}}, "", 0, ARM_RUNNING, "new", 60000},
    {"204 ends it, whatever its headers say",
     false,
     204,
     {{"Retry-After", "60"}, {"Azure-AsyncOperation", "more"}},
     "",
     0,
     ARM_SUCCEEDED,
     NULL,
     60000},
    {"200 with an empty body", false, 200, {{0}}, "", 0, ARM_SUCCEEDED, NULL, 30000},
    {"CRLF and blanks are no body", false, 200, {{0}}, "\r\n ", 0, ARM_SUCCEEDED, NULL, 30000},
    {"indented with CRLF", true, 200, {{0}}, "{\r\n  \"status\": \"Succeeded\"\r\n}", 0, ARM_SUCCEEDED, NULL, 30000},
    {"gone",
     false,
     404,
     {{0}},
     "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"m\"}}",
     -ERR_NOT_FOUND,
     ARM_RUNNING,
     NULL,
     0},
    {"a wait nobody would sit out",
     true,
     200,
     {{"Retry-After", "999999"}},
     "{\"status\":\"x\"}",
     0,
     ARM_RUNNING,
     "polled",
     3600000},
};

static void test_judge(void)
{
    for (size_t i = 0; i < COUNT(answers); i++) {
        struct arena *a = arena_new();
        struct arm_answer answer = {0};
        struct err err = {0};
        size_t n = 0;
        int rc;

        while (n < 3 && answers[i].headers[n].name)
            n++;
        rc = arm_judge_answer(a,
                              &(struct arm_polled){.url = "polled",
                                                   .async = answers[i].async,
                                                   .status = answers[i].status,
                                                   .headers = answers[i].headers,
                                                   .n_headers = n,
                                                   .body = answers[i].body,
                                                   .body_len = strlen(answers[i].body)},
                              &answer, &err);
        CHECK_ROW(answers[i].reason, rc == answers[i].rc);
        if (rc == 0) {
            CHECK_ROW(answers[i].reason, answer.progress == answers[i].progress);
            CHECK_ROW(answers[i].reason, str_eq(answer.next_url, answers[i].next));
            CHECK_ROW(answers[i].reason, answer.wait_ms == answers[i].wait_ms);
        }
        arena_free(a);
    }
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

struct call_case {
    const char *reason;
    void (*run)(struct call *c, struct peer_case *t);
    struct peer_row rows[8];
    int rc;
    const char *says; /* in the error */
};

static void run_get(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_get(t->az, c, t->a, VM, API_COMPUTE, &v, &t->err);
    CHECK_ROW(t->err.text, t->rc < 0 || value_str_at(v, "id") != NULL);
}

static void run_list(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_list_where(
        t->az, c, t->a,
        &(struct arm_wanted){.path = "/subscriptions/s/resources", .api = API_RESOURCES, .query = "$filter=x"}, &v,
        &t->err);
    CHECK(t->rc < 0 || value_count(v) == 2);
}

static void run_item_list(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_list(t->az, c, t->a, "/v/backupProtectedItems", API_RECOVERY, &v, &t->err);
}

static void run_empty_list(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_list(t->az, c, t->a, "/subscriptions/s/resources", API_RESOURCES, &v, &t->err);
    CHECK(t->rc == 0 && value_is(v, VALUE_LIST) && value_count(v) == 0);
}

static void run_put(struct call *c, struct peer_case *t)
{
    struct value *v = NULL, *body = value_map(t->a);

    t->rc = arm_put(t->az, c, t->a, &(struct arm_making){.id = VM, .api = API_COMPUTE, .bound_ms = HOUR_MS}, body, &v,
                    &t->err);
    CHECK(t->rc < 0 || str_eq(value_str_at(v, "properties.provisioningState"), "Succeeded"));
}

#define NO_LIST(name_, body_, says_)                                                                                   \
    {name_, run_list, {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 200, .body = body_}},              \
     -ERR_PROTOCOL, says_}

static void run_bad_id(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_get(t->az, c, t->a, "@evil.example/x", API_COMPUTE, &v, &t->err);
}

static void run_principal(struct call *c, struct peer_case *t)
{
    const char *id = NULL;

    t->rc = directory_service_principal(t->az, c, t->a, "bf7b6499-ff71-4aa2-97a4-f372087be7f0", &id, &t->err);
    CHECK(t->rc < 0 || str_eq(id, "obj-1"));
    /* The second time nothing is asked. */
    if (t->rc == 0)
        t->rc = directory_service_principal(t->az, c, t->a, "BF7B6499-ff71-4aa2-97a4-f372087be7f0", &id, &t->err);
}

static void run_bad_principal(struct call *c, struct peer_case *t)
{
    const char *id = NULL;

    t->rc = directory_service_principal(t->az, c, t->a, "x' or 1 eq 1", &id, &t->err);
}

static const struct call_case calls[] = {
    {"a read",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = ARM VM "?api-version=2025-04-01",
       .status = 200,
       .body = WHOLE("/x/vm"),
       .authorization = "Bearer t1"}},
     0,
     NULL},
    {"a dead token is renewed once",
     run_get,
     {PEER_LOGIN,
      {.method = "GET", .url = VM, .status = 401, .body = "{\"error\":{\"code\":\"ExpiredAuthenticationToken\"}}"},
      {.method = "POST",
       .url = "/tenant-1/oauth2/v2.0/token",
       .status = 200,
       .body = "{\"expires_in\":\"3599\",\"access_token\":\"t2\"}"},
      {.method = "GET", .url = VM, .status = 200, .body = WHOLE("/x/vm"), .authorization = "Bearer t2"}},
     0,
     NULL},
    {"a 401 loop ends",
     run_get,
     {PEER_LOGIN,
      {.method = "GET", .url = VM, .status = 401, .body = ""},
      PEER_LOGIN,
      {.method = "GET", .url = VM, .status = 401, .body = ""}},
     -ERR_DENIED,
     "not accepted"},
    {"a wrong secret",
     run_get,
     {{.method = "POST",
       .url = "/token",
       .status = 401,
       .body = "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid\"}"}},
     -ERR_DENIED,
     "client secret is wrong"},
    {"a token endpoint that talks nonsense",
     run_get,
     {{.method = "POST", .url = "/token", .status = 200, .body = "{}"}},
     -ERR_PROTOCOL,
     "no token"},
    {"absent",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = VM,
       .status = 404,
       .body = "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"m\"}}"}},
     -ERR_NOT_FOUND,
     "read virtualMachines vm: 404"},
    {"no JSON in a 200",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = "<html>"}},
     -ERR_PROTOCOL,
     "no JSON"},
    {"nothing in a 200",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = ""}},
     -ERR_PROTOCOL,
     "no JSON object"},
    {"an id that would change the host", run_bad_id, {{0}}, -ERR_INVALID, "must begin with one /"},
    {"pages, the link verbatim, null at the end",
     run_list,
     {PEER_LOGIN,
      {.method = "GET",
       .url = ARM "/subscriptions/s/resources?api-version=2025-04-01&$filter=x",
       .status = 200,
       .body = "{\"value\":[{\"id\":1}],\"nextLink\":\"" ARM ":443/next?%24skiptoken=a%2bb\"}"},
      {.method = "GET",
       .url = ARM ":443/next?%24skiptoken=a%2bb",
       .status = 200,
       .body = "{\"value\":[{\"id\":2}],\"nextLink\":\"" ARM "/more\"}"},
      {.method = "GET", .url = "/more", .status = 200, .body = "{\"value\":[],\"nextLink\":null}"}},
     0,
     NULL},
    {"a next page that is no text: the list is not whole",
     run_list,
     {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 200, .body = "{\"value\":[],\"nextLink\":7}"}},
     -ERR_PROTOCOL,
     "where page 1 goes on is no text"},
    {"a page on another host gets no token",
     run_list,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/resources",
       .status = 200,
       .body = "{\"value\":[],\"nextLink\":\"https://evil.example/x\"}"}},
     -ERR_PROTOCOL,
     "another host"},
    {"a sign-in that is no longer accepted",
     run_get,
     {PEER_LOGIN,
      {.method = "GET",
       .url = VM,
       .status = 401,
       .body = "",
       .headers = {{"WWW-Authenticate", "Bearer error=\"insufficient_claims\", claims=\"e30\""}}},
      {.method = "POST",
       .url = "/tenant-1/oauth2/v2.0/token",
       .status = 200,
       .body = "{\"expires_in\":\"3599\",\"access_token\":\"t2\"}"},
      {.method = "GET",
       .url = VM,
       .status = 401,
       .body = "",
       .headers = {{"WWW-Authenticate", "Bearer error=\"insufficient_claims\", claims=\"e30\""}}}},
     -ERR_DENIED,
     "continuous access evaluation"},
    {"an answer that bears no id",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = "{}"}},
     -ERR_PROTOCOL,
     "bears no id"},
    {"an answer about something else",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = "{\"id\":\"/x/vm2\"}"}},
     -ERR_PROTOCOL,
     "something else: /x/vm2"},
    {"an answer without what Azure always sends",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = "{\"id\":\"/x/vm\",\"properties\":null}"}},
     -ERR_PROTOCOL,
     "bears no properties"},
    {"an answer without a member of its properties",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = "{\"id\":\"/x/vm\",\"properties\":{}}"}},
     -ERR_PROTOCOL,
     "bears no properties.storageProfile"},
    {"a list with such an answer in it",
     run_item_list,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/backupProtectedItems",
       .status = 200,
       .body = "{\"value\":[{\"id\":\"/v/protectedItems/x\",\"properties\":[]}]}"}},
     -ERR_PROTOCOL,
     "bears no properties"},
    {"an answer that encodes its name",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = WHOLE("/x/v%6D")}},
     0,
     NULL},
    {"a list that is none",
     run_list,
     {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 200, .body = "{\"value\":{}}"}},
     -ERR_PROTOCOL,
     "something else than a list"},
    NO_LIST("an error in place of a list", "{\"error\":{\"code\":\"x\"}}", "something else than a list"),
    NO_LIST("an error beside an empty list", "{\"value\":[],\"error\":{}}", "something else than a list"),
    NO_LIST("a list under another name", "{\"Value\":[{\"id\":1}]}", "something else than a list"),
    NO_LIST("two links that differ", "{\"value\":[],\"nextLink\":\"a\",\"NextLink\":\"b\"}", "each time otherwise"),
    {"not done yet is no empty list", run_list, {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 202}},
     -ERR_PROTOCOL, "something else than a list"},
    {"links spelt otherwise are followed",
     run_list,
     {PEER_LOGIN,
      {.method = "GET", .url = "/resources", .status = 200, .body = "{\"value\":[],\"NextLink\":\"" ARM "/more\"}"},
      {.method = "GET", .url = "/more", .status = 200, .body = "{\"@odata.nextLink\":\"" ARM "/last\"}"},
      {.method = "GET", .url = "/last", .status = 200, .body = "{\"value\":[{\"id\":1},{\"id\":2}]}"}},
     0,
     NULL},
    {"an empty list as null",
     run_empty_list,
     {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 200, .body = "{\"value\":null}"}},
     0,
     NULL},
    {"an empty list without its member",
     run_empty_list,
     {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 200, .body = "{}"}},
     0,
     NULL},
    {"an empty list without a body",
     run_empty_list,
     {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 204}},
     0,
     NULL},
    {"a blank next link ends the list",
     run_empty_list,
     {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 200, .body = "{\"value\":[],\"nextLink\":\" \"}"}},
     0,
     NULL},
    {"a write without async headers settles by its state",
     run_put,
     {PEER_LOGIN,
      {.method = "PUT",
       .url = VM,
       .status = 200,
       .body = STATE("RegisteringDns")},
      {.method = "GET", .url = VM, .status = 200, .body = STATE("RegisteringDns")},
      {.method = "GET", .url = VM, .status = 200, .body = STATE("Succeeded")}},
     0,
     NULL},
    {"a 201 whose Location is a path names what was made",
     run_put,
     {PEER_LOGIN,
      {.method = "PUT", .url = VM, .status = 201, .body = "{}", .headers = {{"Location", "/subscriptions/sub-1/x"}}},
      {.method = "GET", .url = VM, .status = 200, .body = STATE("Succeeded")}},
     0,
     NULL},
    {"a write followed, then read",
     run_put,
     {PEER_LOGIN,
      {.method = "PUT",
       .url = VM,
       .status = 202,
       .body = "{\"properties\":{\"provisioningState\":\"Updating\"}}",
       .headers = {{"Azure-AsyncOperation", ARM "/op;1?c=x%2By"}, {"Location", ARM "/loc"}}},
      {.method = "GET",
       .url = ARM "/op;1?c=x%2By",
       .status = 200,
       .body = "{\"status\":\"InProgress\"}",
       .headers = {{"Azure-AsyncOperation", ARM "/op;2"}}},
      {.method = "GET", .url = ARM "/op;2", .status = 200, .body = "{\"status\":\"Succeeded\"}"},
      {.method = "GET", .url = VM, .status = 200, .body = STATE("Succeeded")}},
     0,
     NULL},
    {"a failed operation is an error of its code",
     run_put,
     {PEER_LOGIN,
      {.method = "PUT", .url = VM, .status = 202, .body = "", .headers = {{"Azure-AsyncOperation", ARM "/op"}}},
      {.method = "GET",
       .url = "/op",
       .status = 200,
       .body = "{\"status\":\"Failed\",\"error\":{\"code\":\"KeyVaultAccessForbidden\",\"message\":\"m\"}}"}},
     -ERR_DENIED,
     "wrapKey"},
    {"a failure of an unknown code goes to a person",
     run_put,
     {PEER_LOGIN,
      {.method = "PUT", .url = VM, .status = 202, .body = "", .headers = {{"Location", ARM "/op"}}},
      {.method = "GET",
       .url = "/op",
       .status = 200,
       .body = "{\"status\":\"Failed\",\"error\":{\"code\":\"Odd\",\"message\":\"raw\"}}"}},
     -ERR_BLOCKED,
     "raw"},
    {"a polling URL on another host gets no token",
     run_put,
     {PEER_LOGIN,
      {.method = "PUT",
       .url = VM,
       .status = 202,
       .body = "",
       .headers = {{"Azure-AsyncOperation", "https://evil.example/op"}}}},
     -ERR_PROTOCOL,
     "no token is sent there"},
    {"an application's object id",
     run_principal,
     {{.method = "POST", .url = "/token", .status = 200, .body = PEER_TOKEN},
      {.method = "GET",
       .url = "https://graph.microsoft.com/v1.0/servicePrincipals?$filter=appId%20eq%20%27bf7b6499",
       .status = 200,
       .body = "{\"value\":[{\"id\":\"obj-1\",\"appId\":\"bf7b6499-ff71-4aa2-97a4-f372087be7f0\"}]}"}},
     0,
     NULL},
    {"no such application in the tenant",
     run_principal,
     {PEER_LOGIN, {.method = "GET", .url = "servicePrincipals", .status = 200, .body = "{\"value\":[]}"}},
     -ERR_NOT_FOUND,
     "administrator"},
    {"an id that would be a filter", run_bad_principal, {{0}}, -ERR_INVALID, "no application id"},
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
            CHECK_ROW(calls[i].reason, calls[i].says && strstr(t.err.text, calls[i].says));
            CHECK_ROW(calls[i].reason, !strstr(t.err.text, "s&cret") && !strstr(t.err.text, "t1"));
        }
        if (t.rc != calls[i].rc || (t.rc < 0 && calls[i].says && !strstr(t.err.text, calls[i].says)))
            fprintf(stderr, "    %d %s\n", t.rc, t.err.text);
        peer_release(&p);
        arena_free(t.a);
    }
}

int main(void)
{
    test_judge();
    test_calls();
    HARNESS_END();
}
