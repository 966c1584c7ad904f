/* Resource Manager: ids, permissions, errors by code, operations judged, and the calls against a scripted peer. */
#include "azure_peer.h"

#include "../../providers/azure/arm.h"
#include "../../providers/azure/directory.h"
#include "../../providers/azure/internal.h"
#include "../../reconciler/format/json.h"

#define VM "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
#define ARM "https://management.azure.com"

/* --- ids ---------------------------------------------------------------------------------------------------------- */

static void test_ids(void)
{
    struct arena *a = arena_new();
    const char *item =
        "/Subscriptions/s/resourcegroups/RG/providers/x/vaults/v/protectedItems/VM;iaasvmcontainerv2;rg;vm";

    CHECK_STR(arm_id(a, "s", "rg", "Microsoft.Compute/virtualMachines", "vm"), VM);
    CHECK_STR(arm_id(a, "s", "rg", NULL, NULL), "/subscriptions/s/resourceGroups/rg");
    CHECK_STR(arm_id(a, "s", NULL, "Microsoft.KeyVault/locations/x/deletedVaults", "v"),
              "/subscriptions/s/providers/Microsoft.KeyVault/locations/x/deletedVaults/v");
    CHECK_STR(arm_id_part(a, item, "resourceGroups"), "RG");
    CHECK_STR(arm_id_part(a, item, "protectedItems"), "VM;iaasvmcontainerv2;rg;vm");
    CHECK(arm_id_part(a, item, "disks") == NULL);
    CHECK(arm_id_part(a, NULL, "disks") == NULL);
    CHECK_STR(arm_id_name(item), "VM;iaasvmcontainerv2;rg;vm");
    CHECK_STR(arm_id_parent(a, VM, 4), "/subscriptions/s/resourceGroups/rg");
    CHECK_STR(arm_id_parent(a, "/a", 5), "");
    CHECK(arm_id_equal(VM, "/SUBSCRIPTIONS/s/resourcegroups/RG/providers/microsoft.compute/virtualmachines/VM/"));
    CHECK(!arm_id_equal(VM, VM "2"));
    CHECK(!arm_id_equal(NULL, NULL));
    arena_free(a);
}

static void test_urls(void)
{
    struct text t;

    text_init(&t, 1024);
    url_add_path(&t, "/a;b%3Bc d\"e%zz/\xc3\xa4");
    CHECK_STR(text_str(&t), "/a;b%3Bc%20d%22e%25zz/%C3%A4");
    text_release(&t);
    CHECK(url_same_host(ARM, "https://MANAGEMENT.azure.com:443/x?y"));
    CHECK(!url_same_host(ARM, "https://management.azure.com.evil.example/"));
    CHECK(!url_same_host(ARM, "https://management.azure.com@evil.example/"));
    CHECK(!url_same_host(ARM, "http://management.azure.com/"));
    CHECK(!url_same_host(ARM, "/subscriptions"));
    CHECK(url_under_suffix("https://kv.vault.localhost:8443/", ".vault.localhost:8443"));
    CHECK(!url_under_suffix("https://kv.vault.localhost:1/", ".vault.localhost:8443"));
    CHECK(!url_under_suffix("https://a.b.vault.azure.net", ".vault.azure.net"));
}

/* --- permissions -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *permissions, *action;
    bool data, allowed;
} permits[] = {
    {"no role", "[]", "a/read", false, false},
    {"everything", "[{\"actions\":[\"*\"]}]", "Microsoft.Compute/disks/write", false, true},
    {"case folded", "[{\"actions\":[\"microsoft.compute/DISKS/write\"]}]", "Microsoft.Compute/disks/write", false,
     true},
    {"a star passes slashes", "[{\"actions\":[\"*/read\"]}]", "Microsoft.Compute/disks/read", false, true},
    {"a star in the middle", "[{\"actions\":[\"Microsoft.Compute/*/read\"]}]", "Microsoft.Compute/disks/x/read", false,
     true},
    {"no match at the end", "[{\"actions\":[\"*/read\"]}]", "Microsoft.Compute/disks/write", false, false},
    {"excluded", "[{\"actions\":[\"*\"],\"notActions\":[\"Microsoft.Authorization/*/write\"]}]",
     "Microsoft.Authorization/roleAssignments/write", false, false},
    {"excluded here, allowed by another role",
     "[{\"actions\":[\"*\"],\"notActions\":[\"a/*\"]},{\"actions\":[\"a/b\"]}]", "a/b", false, true},
    {"actions are no data actions", "[{\"actions\":[\"*\"],\"dataActions\":[]}]", "Microsoft.KeyVault/vaults/keys/read",
     true, false},
    {"data actions", "[{\"dataActions\":[\"Microsoft.KeyVault/vaults/keys/*\"]}]",
     "Microsoft.KeyVault/vaults/keys/read", true, true},
    {"data action excluded", "[{\"dataActions\":[\"*\"],\"notDataActions\":[\"*/purge/action\"]}]", "x/purge/action",
     true, false},
};

static void test_permits(void)
{
    for (size_t i = 0; i < COUNT(permits); i++) {
        struct arena *a = arena_new();
        struct value *list = NULL;
        struct err err = {0};

        CHECK_ROW(permits[i].reason,
                  json_parse(a, permits[i].permissions, strlen(permits[i].permissions), &list, &err) == 0);
        CHECK_ROW(permits[i].reason, arm_permits(list, permits[i].action, permits[i].data) == permits[i].allowed);
        arena_free(a);
    }
}

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason;
    int status;
    const char *body;
    enum err_class class;
    const char *code, *says;
} errors[] = {
    {"absent", 404, "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"gone\"}}", ERR_NOT_FOUND,
     "ResourceNotFound", "gone"},
    {"absent group", 404, "{\"error\":{\"code\":\"ResourceGroupNotFound\",\"message\":\"x\"}}", ERR_NOT_FOUND,
     "ResourceGroupNotFound", "resource group"},
    {"a wrong subscription is not an absent resource", 404,
     "{\"error\":{\"code\":\"SubscriptionNotFound\",\"message\":\"x\"}}", ERR_INVALID, "SubscriptionNotFound",
     "does not mean"},
    {"a wrong type is not an absent resource", 404, "{\"error\":{\"code\":\"InvalidResourceType\",\"message\":\"x\"}}",
     ERR_INVALID, "InvalidResourceType", "no such resource type"},
    {"who lacks what where", 403,
     "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client 'c' with object id '12f8' does not have "
     "authorization "
     "to perform action "
     "'Microsoft.Compute/disks/write' over scope '/subscriptions/s' or the scope is invalid.\"}}",
     ERR_DENIED, "AuthorizationFailed", "we lack Microsoft.Compute/disks/write at /subscriptions/s (object id 12f8)"},
    {"the inner code of Key Vault", 403,
     "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{\"code\":\"ForbiddenByRbac\"}}}",
     ERR_DENIED, "ForbiddenByRbac", "role"},
    {"the firewall is no missing role, but still means unseen", 403,
     "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{\"code\":\"ForbiddenByFirewall\"}}}",
     ERR_DENIED, "ForbiddenByFirewall", "firewall"},
    {"a taken name", 409,
     "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\",\"innererror\":{\"code\":\"ObjectIsDeletedButRecoverable\"}}"
     "}",
     ERR_CONFLICT, "ObjectIsDeletedButRecoverable", "recover it"},
    {"a foreign backup", 400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"Cannot decrypt backup blob.\"}}",
     ERR_INVALID, "BadParameter", "another subscription, geography"},
    {"another bad parameter", 400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"kty\"}}", ERR_INVALID,
     "BadParameter", "kty"},
    {"Graph's innerError has no code", 404,
     "{\"error\":{\"code\":\"Request_ResourceNotFound\",\"message\":\"m\",\"innerError\":{\"date\":\"d\",\"request-"
     "id\":\"r\"}}}",
     ERR_NOT_FOUND, "Request_ResourceNotFound", "m"},
    {"Entra's error is a text", 401,
     "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret provided.\\r\\nTrace "
     "ID: 1\","
     "\"error_codes\":[7000215]}",
     ERR_DENIED, "AADSTS7000215", "AZURE_CLIENT_SECRET"},
    {"storage's XML with a byte order mark", 403,
     "\xef\xbb\xbf<?xml version=\"1.0\" "
     "encoding=\"utf-8\"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>This "
     "request\nis not</Message></Error>",
     ERR_DENIED, "AuthorizationPermissionMismatch", "Storage Blob Data Reader"},
    {"a managed HSM's bare word", 401, "OK", ERR_DENIED, "", "OK"},
    {"nothing at all", 503, "", ERR_TRANSIENT, "", "503"},
    {"throttled by the hour", 429,
     "{\"error\":{\"code\":\"ResourceRequestsThrottled\",\"message\":\"after '324' seconds\"}}", ERR_THROTTLED,
     "ResourceRequestsThrottled", "324"},
    {"an unknown code goes by its status, with the message", 400,
     "{\"error\":{\"code\":\"Strange\",\"message\":\"raw words\"}}", ERR_INVALID, "Strange", "raw words"},
    {"unknown 409", 409, "{\"error\":{\"code\":\"Strange\",\"message\":\"m\"}}", ERR_CONFLICT, "Strange", "m"},
    {"unknown 412", 412, "{\"error\":{\"code\":\"Strange\",\"message\":\"m\"}}", ERR_CONFLICT, "Strange", "m"},
    {"a 404 without Azure's words shows nothing absent", 404, "<html>not here</html>", ERR_PROTOCOL, "", "proxy"},
    {"an empty 404 neither", 404, "", ERR_PROTOCOL, "", "proxy"},
    {"unknown 500", 500, "<html>", ERR_TRANSIENT, "", "500"},
    {"a lock", 409, "{\"error\":{\"code\":\"ScopeLocked\",\"message\":\"m\"}}", ERR_BLOCKED, "ScopeLocked", "lock"},
    {"403 always reads as denied", 403, "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"m\"}}", ERR_DENIED,
     "KeyNotFound", "m"},
    {"a detail tells more than an unknown code", 400,
     "{\"error\":{\"code\":\"Outer\",\"message\":\"m\",\"details\":[{\"code\":\"UserErrorSkuNotAvailable\"}]}}",
     ERR_INVALID, "UserErrorSkuNotAvailable", "size"},
};

static void test_errors(void)
{
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct arena *a = arena_new();
        struct err err = {0};
        int rc = azure_error_from(a, errors[i].status, errors[i].body, strlen(errors[i].body), "read x", &err);

        CHECK_ROW(errors[i].reason, rc == -(int)errors[i].class && err.class == errors[i].class);
        CHECK_STR(err.code, errors[i].code);
        CHECK_ROW(errors[i].reason, strstr(err.text, errors[i].says) != NULL);
        CHECK_ROW(errors[i].reason, strncmp(err.text, "read x: ", 8) == 0 && !strchr(err.text, '\n'));
        CHECK_ROW(errors[i].reason, err.http_status == errors[i].status);
        arena_free(a);
    }
}

/* Answers break off anywhere, and hold anything: always an error, never one that means "absent" without saying what. */
static void test_broken_errors(void)
{
    for (size_t i = 0; i < COUNT(errors); i++)
        for (size_t n = 0; n < strlen(errors[i].body); n++) {
            struct arena *a = arena_new();
            struct err err = {0};
            char body[512];

            CHECK(n < sizeof(body));
            memcpy(body, errors[i].body, n);
            CHECK_ROW(errors[i].reason, azure_error_from(a, errors[i].status, body, n, "read x", &err) < 0);
            CHECK_ROW(errors[i].reason, err.class != ERR_NOT_FOUND || err.code[0]);
            if (n > 0) {
                body[n / 2] = (char)(body[n / 2] ^ 0x55);
                CHECK_ROW(errors[i].reason, azure_error_from(a, errors[i].status, body, n, "read x", &err) < 0);
            }
            arena_free(a);
        }
}

static void test_error_table(void)
{
    for (size_t i = 0; i < azure_n_errors; i++) {
        const struct azure_error *e = &azure_errors[i];

        CHECK_ROW(e->code, strchr("RWKPDCEH", e->letter) && e->letter);
        CHECK_ROW(e->code, e->class > ERR_NONE && e->class < ERR_CLASS_COUNT);
        CHECK_ROW(e->code, *e->meaning && *e->action && *e->source);
        CHECK_ROW("each code stands once", azure_error_find(e->code) == e);
    }
    CHECK(azure_error_find("keynotfound") != NULL);
    CHECK(azure_error_find(NULL) == NULL);
}

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
        rc = arm_judge_answer(a, "polled", answers[i].async, answers[i].status, answers[i].headers, n, answers[i].body,
                              strlen(answers[i].body), &answer,
                              &err);
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
    const char *says;           /* in the error */
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

    t->rc = arm_list(t->az, c, t->a, "/subscriptions/s/resources", API_RESOURCES, "$filter=x", &v, &t->err);
    CHECK(t->rc < 0 || value_count(v) == 2);
}

static void run_empty_list(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_list(t->az, c, t->a, "/subscriptions/s/resources", API_RESOURCES, NULL, &v, &t->err);
    CHECK(t->rc == 0 && value_is(v, VALUE_LIST) && value_count(v) == 0);
}

static void run_put(struct call *c, struct peer_case *t)
{
    struct value *v = NULL, *body = value_map(t->a);

    t->rc = arm_put(t->az, c, t->a, VM, API_COMPUTE, body, HOUR_MS, &v, &t->err);
    CHECK(t->rc < 0 || str_eq(value_str_at(v, "properties.provisioningState"), "Succeeded"));
}

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
       .body = "{\"id\":\"/x/vm\"}",
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
      {.method = "GET", .url = VM, .status = 200, .body = "{\"id\":\"/x/vm\"}", .authorization = "Bearer t2"}},
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
    {"an answer that encodes its name",
     run_get,
     {PEER_LOGIN, {.method = "GET", .url = VM, .status = 200, .body = "{\"id\":\"/x/v%6D\"}"}},
     0,
     NULL},
    {"a list that is none",
     run_list,
     {PEER_LOGIN, {.method = "GET", .url = "/resources", .status = 200, .body = "{\"value\":{}}"}},
     -ERR_PROTOCOL,
     "something else than a list"},
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
       .body = "{\"properties\":{\"provisioningState\":\"RegisteringDns\"}}"},
      {.method = "GET",
       .url = VM,
       .status = 200,
       .body = "{\"id\":\"/x/VM\",\"properties\":{\"provisioningState\":\"RegisteringDns\"}}"},
      {.method = "GET",
       .url = VM,
       .status = 200,
       .body = "{\"id\":\"/x/VM\",\"properties\":{\"provisioningState\":\"Succeeded\"}}"}},
     0,
     NULL},
    {"a 201 whose Location is a path names what was made",
     run_put,
     {PEER_LOGIN,
      {.method = "PUT", .url = VM, .status = 201, .body = "{}", .headers = {{"Location", "/subscriptions/sub-1/x"}}},
      {.method = "GET",
       .url = VM,
       .status = 200,
       .body = "{\"id\":\"/x/VM\",\"properties\":{\"provisioningState\":\"Succeeded\"}}"}},
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
      {.method = "GET",
       .url = VM,
       .status = 200,
       .body = "{\"id\":\"/x/VM\",\"properties\":{\"provisioningState\":\"Succeeded\"}}"}},
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
                         "&scope=https%3A%2F%2Fvault.azure.net%2F.default&client_secret=s%26cret");
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

    t->rc = arm_list(t->az, c, t->a, "/subscriptions/s/resources", API_RESOURCES, NULL, &v, &t->err);
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
    static const struct peer_row rows[] = {{.method = "GET", .url = VM, .status = 401, .body = "",
                                            .authorization = "Bearer h.eyJvaWQiOiJvLTEifQ.s"}};
    struct peer_case t = {.a = arena_new(), .run = run_given};
    struct credential credential = {0};
    struct peer p = {0};
    struct err err = {0};

    CHECK(credential_from_environment(some_tokens, &credential, &err) == 0);
    CHECK(credential.kind == CREDENTIAL_GIVEN_TOKENS);
    peer_run_as("given tokens", rows, COUNT(rows), &credential, &t, &p);
    credential_release(&credential);
    peer_release(&p);
    arena_free(t.a);
}

static const char *half_a_credential(const char *name)
{
    return strcmp(name, "AZURE_CLIENT_ID") == 0 ? "c" : NULL;
}

static const char *bad_tenant(const char *name)
{
    return strcmp(name, "AZURE_TENANT_ID") == 0 ? "x/../y" : "c";
}

static void test_environment(void)
{
    struct credential credential = {0};
    struct err err = {0};

    CHECK(credential_from_environment(half_a_credential, &credential, &err) == -ERR_DENIED);
    CHECK(strstr(err.text, "AZURE_TENANT_ID, AZURE_CLIENT_SECRET not set") && strstr(err.text, "REINSTATE_TOKEN_ARM"));
    CHECK(credential_from_environment(bad_tenant, &credential, &err) == -ERR_DENIED);
}

int main(void)
{
    test_ids();
    test_urls();
    test_permits();
    test_errors();
    test_broken_errors();
    test_error_table();
    test_judge();
    test_calls();
    test_list_ceiling();
    test_single_flight();
    test_cancelled();
    test_given_tokens();
    test_environment();
    HARNESS_END();
}
