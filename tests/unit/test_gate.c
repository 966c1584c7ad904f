/* What may be sent at all: permits, budgets, guarded reads. */
#include "http_bench.h"

/* --- the gate ----------------------------------------------------------------------------------------------------- */

static const struct permit_write writes[] = {{HTTP_PUT, "arm.example/subscriptions/s1/vaults/kv"},
                                             {HTTP_POST, "/restore"},
                                             {HTTP_PUT, "/resourceGroups/rg-zürich/sets/"}};

static const struct gate_row {
    const char *reason;
    enum http_mode mode;
    bool permit;
    enum http_method method;
    const char *url;
    int want;
    const char *says;
} gate_rows[] = {
    {"reading", HTTP_READ_ONLY, false, HTTP_GET, "https://arm.example/x", 0, ""},
    {"reading headers", HTTP_READ_ONLY, false, HTTP_HEAD, "https://arm.example/x", 0, ""},
    {"a write in a reading client", HTTP_READ_ONLY, false, HTTP_PUT, "https://arm.example/x", -ERR_BLOCKED,
     "only reads"},
    {"a POST in a reading client", HTTP_READ_ONLY, false, HTTP_POST, "https://arm.example/listKeys", -ERR_BLOCKED,
     "only reads"},
    {"a reading client, permit or not", HTTP_READ_ONLY, true, HTTP_POST, "https://arm.example/restore", -ERR_BLOCKED,
     "only reads"},
    {"a safe POST", HTTP_READ_ONLY, false, HTTP_POST, "https://login.example/t/oauth2/v2.0/token", 0, ""},
    {"a safe POST, case folded", HTTP_READ_ONLY, false, HTTP_POST, "https://LOGIN.example:8443/t/OAuth2/v2.0/token?a=b",
     0, ""},
    {"a safe POST below the host", HTTP_READ_ONLY, false, HTTP_POST, "https://eu.login.example/t/oauth2/v2.0/token", 0,
     ""},
    {"a safe path on another host", HTTP_READ_ONLY, false, HTTP_POST, "https://evil.example/oauth2/v2.0/token",
     -ERR_BLOCKED, "only reads"},
    {"a host that only ends alike", HTTP_READ_ONLY, false, HTTP_POST, "https://xlogin.example/oauth2/v2.0/token",
     -ERR_BLOCKED, "only reads"},
    {"a safe path in the query", HTTP_READ_ONLY, false, HTTP_POST,
     "https://a.example/x?/providers/Microsoft.ResourceGraph/resources", -ERR_BLOCKED, "only reads"},
    {"a safe path behind a fragment", HTTP_READ_ONLY, false, HTTP_POST,
     "https://a.example/x#/providers/Microsoft.ResourceGraph/resources", -ERR_BLOCKED, "only reads"},
    {"a safe path with another method", HTTP_READ_ONLY, false, HTTP_PUT, "https://login.example/t/oauth2/v2.0/token",
     -ERR_BLOCKED, "only reads"},
    {"a safe path on any host", HTTP_READ_ONLY, false, HTTP_POST,
     "https://a.example/providers/microsoft.resourcegraph/resources", 0, ""},
    {"a write without a permit", HTTP_WRITING, false, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv",
     -ERR_BLOCKED, "no step holds"},
    {"an announced write", HTTP_WRITING, true, HTTP_PUT, "https://arm.example/SUBSCRIPTIONS/s1/vaults/kv?api-version=1",
     0, ""},
    {"an announced write with another method", HTTP_WRITING, true, HTTP_PATCH,
     "https://arm.example/subscriptions/s1/vaults/kv", -ERR_BLOCKED, "not announced"},
    {"an announced name that is encoded on the wire", HTTP_WRITING, true, HTTP_PUT,
     "https://arm.example/subscriptions/s1/resourceGroups/rg-z%C3%BCrich/sets/x", 0, ""},
    {"another name that is encoded", HTTP_WRITING, true, HTTP_PUT,
     "https://arm.example/subscriptions/s1/resourceGroups/rg-z%C3%B6rich/sets/x", -ERR_BLOCKED, "not announced"},
    {"another URL", HTTP_WRITING, true, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/other", -ERR_BLOCKED,
     "not announced"},
    {"an announced text in the query only", HTTP_WRITING, true, HTTP_POST, "https://arm.example/x?y=/restore",
     -ERR_BLOCKED, "not announced"},
    {"reading needs no permit", HTTP_WRITING, false, HTTP_GET, "https://arm.example/x", 0, ""},
    {"a safe POST needs no permit", HTTP_WRITING, false, HTTP_POST, "https://login.example/t/oauth2/v2.0/token", 0, ""},
    {"plain text", HTTP_READ_ONLY, false, HTTP_GET, "http://arm.example/x?sig=hidden", -ERR_BLOCKED, "only https"},
    {"a file", HTTP_READ_ONLY, false, HTTP_GET, "file:///etc/passwd", -ERR_BLOCKED, "only https"},
    {"a host behind a name", HTTP_READ_ONLY, false, HTTP_GET, "https://arm.example@evil.example/x", -ERR_BLOCKED,
     "not plain"},
    {"no host", HTTP_READ_ONLY, false, HTTP_GET, "https:///x", -ERR_BLOCKED, "not plain"},
    {"a line end", HTTP_READ_ONLY, false, HTTP_GET, "https://arm.example/x\r\nX: y", -ERR_PROTOCOL, "no URL may hold"},
    {"a blank", HTTP_READ_ONLY, false, HTTP_GET, "https://arm.example/x y", -ERR_PROTOCOL, "no URL may hold"},
};

static void test_gate(void)
{
    for (size_t i = 0; i < COUNT(gate_rows); i++) {
        struct permit permit = {.step = "KeyVault/kv#create", .writes = writes, .n_writes = COUNT(writes), .budget = 2};
        struct bench b;
        size_t expected = gate_rows[i].want == 0;

        bench_open(&b, ok, (struct http_options){.mode = gate_rows[i].mode});
        b.permit = gate_rows[i].permit ? &permit : NULL;
        bench_send(&b, gate_rows[i].method, gate_rows[i].url);
        CHECK_ROW(gate_rows[i].reason, b.rc == gate_rows[i].want);
        CHECK_ROW(gate_rows[i].reason, strstr(b.err.text, gate_rows[i].says) != NULL && !strstr(b.err.text, "hidden"));
        CHECK_ROW("what is refused is never sent", b.peer.asked == expected && http_requests_sent(b.http) == expected);
        CHECK_ROW("what writes costs, what reads does not",
                  permit.budget == (gate_rows[i].permit && !gate_rows[i].want ? 1u : 2u));
        bench_close(&b);
    }
}

static void test_empty_fragment_permits_nothing(void)
{
    struct permit_write empty = {HTTP_PUT, ""};
    struct permit permit = {.step = "s", .writes = &empty, .n_writes = 1, .budget = 9};
    struct bench b;

    bench_open(&b, ok, (struct http_options){.mode = HTTP_WRITING});
    b.permit = &permit;
    bench_send(&b, HTTP_PUT, "https://arm.example/x");
    CHECK(b.rc == -ERR_BLOCKED && b.peer.asked == 0);
    bench_close(&b);
}

static void test_guarded_reads(void)
{
    static const struct {
        const char *reason;
        enum http_mode mode;
        bool permit;
        const char *url;
        int want;
    } rows[] = {
        {"in a reading client", HTTP_READ_ONLY, true, "https://b.example/export/1", -ERR_BLOCKED},
        {"without a permit", HTTP_WRITING, false, "https://b.example/export/1", -ERR_BLOCKED},
        {"not announced", HTTP_WRITING, true, "https://b.example/other", -ERR_BLOCKED},
        {"announced", HTTP_WRITING, true, "https://b.example/export/1?se=1", 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct permit_write announced = {HTTP_GET, "b.example/export/"};
        struct permit permit = {.step = "Key/k#restore-key", .writes = &announced, .n_writes = 1, .budget = 3};
        struct bench b;

        bench_open(&b, ok, (struct http_options){.mode = rows[i].mode});
        b.permit = rows[i].permit ? &permit : NULL;
        b.request.guarded = true;
        bench_send(&b, HTTP_GET, rows[i].url);
        CHECK_ROW(rows[i].reason, b.rc == rows[i].want && b.peer.asked == (rows[i].want == 0));
        CHECK_ROW("a read spends no write", permit.budget == 3);
        bench_close(&b);
    }
}

static void test_budget(void)
{
    static const struct answer failing[] = {{WIRE_OK, 503, NULL, NULL, "{}", 0}, {0}};
    static const struct answer losing[] = {{WIRE_LOST, 0, NULL, NULL, NULL, 0}, {0}};
    struct permit permit = {.step = "KeyVault/kv#create", .writes = writes, .n_writes = COUNT(writes), .budget = 2};
    struct bench b;

    bench_open(&b, failing, (struct http_options){.mode = HTTP_WRITING});
    b.permit = &permit;
    bench_send(&b, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("every attempt counts; the last answer is handed out",
              b.rc == 0 && b.response.status == 503 && b.peer.asked == 2);
    bench_send(&b, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("an exhausted permit is none",
              b.rc == -ERR_BLOCKED && b.peer.asked == 2 && strstr(b.err.text, "used up"));
    permit.budget = 1;
    b.peer.script = losing;
    bench_send(&b, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("a lost write stays unknown when nothing may be sent any more",
              b.rc == -ERR_UNKNOWN_OUTCOME && b.peer.asked == 3);
    bench_close(&b);
}

int main(void)
{
    test_gate();
    test_empty_fragment_permits_nothing();
    test_guarded_reads();
    test_budget();
    HARNESS_END();
}
