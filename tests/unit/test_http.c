/* The gate, admission, retries and their exact waits, against a scripted peer on a virtual clock. */
#include "harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/run/http.h"
#include "../../reconciler/run/record.h"

#include <fcntl.h>
#include <unistd.h>

enum { ANSWERS_MAX = 12, LOGGED_MAX = 64, FILE_BYTES = 16384 };
static const int64_t start_ms = 1795402800000;   /* 2026-11-23T03:00:00Z */

struct answer {
    enum wire_fault fault;
    int status;
    const char *header, *value;     /* one header besides; NULL: none */
    const char *body;
    int64_t delay_ms;
};

/* A peer that gives the answers of a script one after the other (the last one for ever) and keeps a log. */
struct peer {
    const struct answer *script;
    size_t asked;
    int64_t at_ms[LOGGED_MAX];
    bool fresh[LOGGED_MAX];
    char ids[LOGGED_MAX][UUID_TEXT];
    struct text headers;            /* of the last request */
    size_t in_flight, in_flight_most;
    const char *journal;            /* read at each request into seen */
    char *seen;
};

static void read_file(const char *path, char *ret, size_t room)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, ret, room - 1) : -1;

    ret[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static void peer_answer(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request, struct wire_reply *ret,
                        int64_t *ret_delay_ms)
{
    struct peer *p = self;
    const struct answer *answer = p->script;
    size_t i = p->asked++;

    for (size_t k = 0; k < i && answer[1].status | (int)answer[1].fault; k++)
        answer++;
    if (i < LOGGED_MAX) {
        p->at_ms[i] = now_ms;
        p->fresh[i] = request->fresh_connection;
        snprintf(p->ids[i], UUID_TEXT, "%s", request->headers[0].value);
    }
    text_clear(&p->headers);
    for (size_t k = 0; k < request->n_headers; k++)
        text_printf(&p->headers, "%s: %s\n", request->headers[k].name, request->headers[k].value);
    if (p->journal)
        read_file(p->journal, p->seen, FILE_BYTES);
    *ret = (struct wire_reply){.fault = answer->fault, .status = answer->status};
    if (answer->fault != WIRE_OK)
        snprintf(ret->text, sizeof(ret->text), "scripted fault");
    if (answer->header) {
        struct wire_header h = {answer->header, answer->value};

        arena_push(a, ret->headers, ret->n_headers, h);
    }
    secret_init(&ret->body);
    if (answer->body)
        secret_set(&ret->body, answer->body, strlen(answer->body));
    *ret_delay_ms = answer->delay_ms;
}

/* One client with its scheduler and peer. */
struct bench {
    struct arena *arena;
    struct sched *sched;
    struct peer peer;
    struct wire *wire;
    struct http *http;
    struct http_request request;
    struct permit *permit;
    struct http_response response;
    struct err err;
    int rc;
    int64_t took_ms;
    struct text waits;
};

static void told(void *ctx, const char *why, int64_t ms)
{
    struct bench *b = ctx;

    text_printf(&b->waits, "%lld %s;", (long long)ms, why);
}

static const struct http_safe_post safe_posts[] = {
    {"login.example", "/oauth2/v2.0/token"},
    {NULL, "/providers/Microsoft.ResourceGraph/resources"},
};

static void bench_open(struct bench *b, const struct answer *script, struct http_options options)
{
    *b = (struct bench){.arena = arena_new(), .peer = {.script = script}};
    b->peer.seen = arena_alloc(b->arena, FILE_BYTES);
    text_init(&b->peer.headers, TEXT_CEILING);
    text_init(&b->waits, TEXT_CEILING);
    b->sched = sched_new(&(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = start_ms, .seed = 11});
    b->wire = wire_peer_new(&(struct wire_peer){.self = &b->peer, .answer = peer_answer});
    options.wire = b->wire;
    options.safe_posts = safe_posts;
    options.n_safe_posts = COUNT(safe_posts);
    options.waiting = told;
    options.ctx = b;
    b->http = http_new(b->sched, &options);
}

static void bench_close(struct bench *b)
{
    http_response_release(&b->response);
    http_free(b->http);
    wire_free(b->wire);
    sched_free(b->sched);
    text_release(&b->peer.headers);
    text_release(&b->waits);
    arena_free(b->arena);
}

static void send_task(struct call *c, void *arg)
{
    struct bench *b = arg;
    int64_t before = call_now_ms(c);

    call_set_context(c, b->permit);
    b->rc = http_send(b->http, c, b->arena, &b->request, &b->response, &b->err);
    b->took_ms = call_now_ms(c) - before;
}

static void bench_send(struct bench *b, enum http_method method, const char *url)
{
    http_response_release(&b->response);
    b->response = (struct http_response){0};
    b->err = (struct err){0};
    b->request.method = method;
    b->request.url = url;
    sched_main(b->sched, send_task, b);
}

static const struct answer ok[] = {{WIRE_OK, 200, NULL, NULL, "{}", 0}, {0}};

/* --- the gate ----------------------------------------------------------------------------------------------------- */

static const struct permit_write writes[] = {{HTTP_PUT, "arm.example/subscriptions/s1/vaults/kv"}, {HTTP_POST, "/restore"}};

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
    {"a write in a reading client", HTTP_READ_ONLY, false, HTTP_PUT, "https://arm.example/x", -ERR_BLOCKED, "only reads"},
    {"a POST in a reading client", HTTP_READ_ONLY, false, HTTP_POST, "https://arm.example/listKeys", -ERR_BLOCKED, "only reads"},
    {"a reading client, permit or not", HTTP_READ_ONLY, true, HTTP_POST, "https://arm.example/restore", -ERR_BLOCKED, "only reads"},
    {"a safe POST", HTTP_READ_ONLY, false, HTTP_POST, "https://login.example/t/oauth2/v2.0/token", 0, ""},
    {"a safe POST, case folded", HTTP_READ_ONLY, false, HTTP_POST, "https://LOGIN.example:8443/t/OAuth2/v2.0/token?a=b", 0, ""},
    {"a safe POST below the host", HTTP_READ_ONLY, false, HTTP_POST, "https://eu.login.example/t/oauth2/v2.0/token", 0, ""},
    {"a safe path on another host", HTTP_READ_ONLY, false, HTTP_POST, "https://evil.example/oauth2/v2.0/token", -ERR_BLOCKED,
     "only reads"},
    {"a host that only ends alike", HTTP_READ_ONLY, false, HTTP_POST, "https://xlogin.example/oauth2/v2.0/token", -ERR_BLOCKED,
     "only reads"},
    {"a safe path in the query", HTTP_READ_ONLY, false, HTTP_POST, "https://a.example/x?/providers/Microsoft.ResourceGraph/resources",
     -ERR_BLOCKED, "only reads"},
    {"a safe path behind a fragment", HTTP_READ_ONLY, false, HTTP_POST,
     "https://a.example/x#/providers/Microsoft.ResourceGraph/resources",
     -ERR_BLOCKED, "only reads"},
    {"a safe path with another method", HTTP_READ_ONLY, false, HTTP_PUT, "https://login.example/t/oauth2/v2.0/token", -ERR_BLOCKED,
     "only reads"},
    {"a safe path on any host", HTTP_READ_ONLY, false, HTTP_POST, "https://a.example/providers/microsoft.resourcegraph/resources",
     0, ""},
    {"a write without a permit", HTTP_WRITING, false, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv", -ERR_BLOCKED,
     "no step holds"},
    {"an announced write", HTTP_WRITING, true, HTTP_PUT, "https://arm.example/SUBSCRIPTIONS/s1/vaults/kv?api-version=1", 0, ""},
    {"an announced write with another method", HTTP_WRITING, true, HTTP_PATCH, "https://arm.example/subscriptions/s1/vaults/kv",
     -ERR_BLOCKED,
     "not announced"},
    {"another URL", HTTP_WRITING, true, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/other", -ERR_BLOCKED, "not announced"},
    {"an announced text in the query only", HTTP_WRITING, true, HTTP_POST, "https://arm.example/x?y=/restore", -ERR_BLOCKED,
     "not announced"},
    {"reading needs no permit", HTTP_WRITING, false, HTTP_GET, "https://arm.example/x", 0, ""},
    {"a safe POST needs no permit", HTTP_WRITING, false, HTTP_POST, "https://login.example/t/oauth2/v2.0/token", 0, ""},
    {"plain text", HTTP_READ_ONLY, false, HTTP_GET, "http://arm.example/x?sig=hidden", -ERR_BLOCKED, "only https"},
    {"a file", HTTP_READ_ONLY, false, HTTP_GET, "file:///etc/passwd", -ERR_BLOCKED, "only https"},
    {"a host behind a name", HTTP_READ_ONLY, false, HTTP_GET, "https://arm.example@evil.example/x", -ERR_BLOCKED, "not plain"},
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
        CHECK_ROW("what writes costs, what reads does not", permit.budget == (gate_rows[i].permit && !gate_rows[i].want ? 1u : 2u));
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
    CHECK_ROW("every attempt counts; the last answer is handed out", b.rc == 0 && b.response.status == 503 && b.peer.asked == 2);
    bench_send(&b, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("an exhausted permit is none", b.rc == -ERR_BLOCKED && b.peer.asked == 2 && strstr(b.err.text, "used up"));
    permit.budget = 1;
    b.peer.script = losing;
    bench_send(&b, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("a lost write stays unknown when nothing may be sent any more", b.rc == -ERR_UNKNOWN_OUTCOME && b.peer.asked == 3);
    bench_close(&b);
}

/* --- retries ------------------------------------------------------------------------------------------------------- */

enum { BACK_OFF = -2 };   /* wait: between half of the bound and the bound */

static const char throttled[] = "{\"error\":{\"code\":\"ResourceRequestsThrottled\",\"message\":\"Number of requests for action 'x' "
                                "exceeded the limit of '150' for time interval '01:00:00'. Please try again after '324' seconds.\"}}";

#define STATUS(status) {WIRE_OK, status, NULL, NULL, "", 0}
#define AFTER(status, when) {WIRE_OK, status, "Retry-After", when, "", 0}
#define SAYING(status, body) {WIRE_OK, status, NULL, NULL, body, 0}
#define FINE SAYING(200, "{}")
#define TAKEN STATUS(202)
#define UNSENT {WIRE_UNSENT, 0, NULL, NULL, NULL, 0}
#define LOST {WIRE_LOST, 0, NULL, NULL, NULL, 0}
#define FOUR_TIMES BACK_OFF, BACK_OFF, BACK_OFF, BACK_OFF

static const struct retry_row {
    const char *reason;
    enum http_method method;
    bool once;
    struct answer script[ANSWERS_MAX];
    size_t asked;                   /* requests in all */
    int64_t waits[6];               /* before the second, third, … */
    int rc;
    int status;
} retry_rows[] = {
    {"no retry of a success", HTTP_GET, false, {FINE}, 1, {0}, 0, 200},
    {"no retry of a 404", HTTP_GET, false, {{0, 404, 0, 0, "{}", 0}}, 1, {0}, 0, 404},
    {"no retry of a 409", HTTP_PUT, false, {{0, 409, 0, 0, "{}", 0}}, 1, {0}, 0, 409},
    {"429 with seconds", HTTP_GET, false, {AFTER(429, "17"), FINE}, 2, {17000}, 0, 200},
    {"429 with seconds, header in lower case", HTTP_GET, false, {{0, 429, "retry-after", "3", "", 0}, FINE}, 2, {3000}, 0, 200},
    {"429 with nought", HTTP_GET, false, {AFTER(429, "0"), FINE}, 2, {0}, 0, 200},
    {"429 with a date", HTTP_GET, false, {AFTER(429, "Mon, 23 Nov 2026 03:02:00 GMT"), FINE}, 2, {120000}, 0, 200},
    {"429 with a date gone by", HTTP_GET, false, {AFTER(429, "Mon, 23 Nov 2026 02:00:00 GMT"), FINE}, 2, {0}, 0, 200},
    {"429 with the seconds in its text", HTTP_GET, false, {SAYING(429, throttled), FINE}, 2, {324000}, 0, 200},
    {"429, text without quotes", HTTP_GET, false, {SAYING(429, "Please try again after 5 seconds."), FINE}, 2, {5000}, 0, 200},
    {"429, quotes escaped", HTTP_GET, false, {SAYING(429, "try again after \\u002712\\u0027 seconds"), FINE}, 2, {12000}, 0, 200},
    {"429, minutes are not guessed at", HTTP_GET, false, {SAYING(429, "try again after 5 minutes"), FINE}, 2, {BACK_OFF}, 0, 200},
    {"the header wins over the text", HTTP_GET, false, {{0, 429, "Retry-After", "9", throttled, 0}, FINE}, 2, {9000}, 0, 200},
    {"a text counts for 429 only", HTTP_GET, false, {{0, 503, 0, 0, throttled, 0}, FINE}, 2, {BACK_OFF}, 0, 200},
    {"too long a wait is the caller's", HTTP_GET, false, {AFTER(429, "86400")}, 1, {0}, 0, 429},
    {"nonsense is no wait", HTTP_GET, false, {AFTER(429, "soon"), FINE}, 2, {BACK_OFF}, 0, 200},
    {"a figure too large is no wait", HTTP_GET, false, {AFTER(429, "99999999999"), FINE}, 2, {BACK_OFF}, 0, 200},
    {"408 500 502 504 are passing", HTTP_GET, false,
     {STATUS(408), STATUS(500), STATUS(502), STATUS(504), FINE}, 5,
     {FOUR_TIMES}, 0, 200},
    {"attempts end; the last answer is handed out", HTTP_GET, false, {STATUS(503)}, 5, {FOUR_TIMES}, 0, 503},
    {"501 is for ever", HTTP_GET, false, {STATUS(501)}, 1, {0}, 0, 501},
    {"503 with seconds", HTTP_GET, false, {AFTER(503, "4"), FINE}, 2, {4000}, 0, 200},
    {"unreachable, then there", HTTP_GET, false, {UNSENT, FINE}, 2, {BACK_OFF}, 0, 200},
    {"unreachable for good", HTTP_GET, false, {UNSENT}, 5, {FOUR_TIMES}, -ERR_TRANSIENT, 0},
    {"unreachable for good, a write", HTTP_PUT, false, {UNSENT}, 5, {FOUR_TIMES}, -ERR_TRANSIENT, 0},
    {"a lost read", HTTP_GET, false, {LOST}, 5, {FOUR_TIMES}, -ERR_TRANSIENT, 0},
    {"a lost write is repeated, then unknown", HTTP_PUT, false, {LOST}, 5, {FOUR_TIMES},
     -ERR_UNKNOWN_OUTCOME, 0},
    {"lost, then unreachable: still unknown", HTTP_PUT, false, {LOST, UNSENT}, 5,
     {FOUR_TIMES}, -ERR_UNKNOWN_OUTCOME, 0},
    {"a gateway gave up, then unreachable: unknown", HTTP_PUT, false, {STATUS(504), UNSENT}, 5,
     {FOUR_TIMES}, -ERR_UNKNOWN_OUTCOME, 0},
    {"throttled, then unreachable: nothing was taken", HTTP_PUT, false, {AFTER(429, "1"), UNSENT}, 5,
     {1000, BACK_OFF, BACK_OFF, BACK_OFF}, -ERR_TRANSIENT, 0},
    {"a certificate is never tried twice", HTTP_GET, false, {{WIRE_TLS, 0, 0, 0, 0, 0}}, 1, {0}, -ERR_DENIED, 0},
    {"too large is never tried twice", HTTP_GET, false, {{WIRE_TOO_LARGE, 0, 0, 0, 0, 0}}, 1, {0}, -ERR_PROTOCOL, 0},
    {"a redirection is not followed", HTTP_GET, false, {{0, 307, "Location", "https://portal.example/login?x=secret", "", 0}}, 1, {0},
     -ERR_PROTOCOL, 0},
    {"once: lost", HTTP_POST, true, {LOST}, 1, {0}, -ERR_UNKNOWN_OUTCOME, 0},
    {"once: nothing left this machine", HTTP_POST, true, {UNSENT, TAKEN}, 2, {BACK_OFF}, 0, 202},
    {"once: throttled", HTTP_POST, true, {AFTER(429, "30"), TAKEN}, 2, {30000}, 0, 202},
    {"once: a 503 may have been taken", HTTP_POST, true, {AFTER(503, "30"), TAKEN}, 1, {0}, 0, 503},
    {"once: a 500 may have been taken", HTTP_POST, true, {STATUS(500), TAKEN}, 1, {0}, 0, 500},
    {"once: a 504 may have been taken", HTTP_POST, true, {STATUS(504), TAKEN}, 1, {0}, 0, 504},
    {"once: unreachable, then lost", HTTP_POST, true, {UNSENT, LOST}, 2, {BACK_OFF}, -ERR_UNKNOWN_OUTCOME, 0},
};

static void check_waits(const struct retry_row *row, const struct peer *p)
{
    for (size_t i = 1; i < row->asked && i < p->asked; i++) {
        int64_t waited = p->at_ms[i] - p->at_ms[i - 1], most = (int64_t)1000 << (i - 1);

        if (row->waits[i - 1] == BACK_OFF)
            CHECK_ROW(row->reason, waited >= most / 2 && waited <= most);
        else
            CHECK_ROW(row->reason, waited == row->waits[i - 1]);
        CHECK_ROW("each attempt has an id of its own", strcmp(p->ids[i], p->ids[i - 1]) != 0);
    }
}

static void test_retries(void)
{
    for (size_t i = 0; i < COUNT(retry_rows); i++) {
        const struct retry_row *row = &retry_rows[i];
        struct permit_write any = {row->method, "arm.example/"};
        struct permit permit = {.step = "Kind/name#verb", .writes = &any, .n_writes = 1, .budget = 10};
        bool writes_something = row->method != HTTP_GET;
        struct bench b;

        bench_open(&b, row->script, (struct http_options){.mode = HTTP_WRITING});
        b.permit = &permit;
        b.request.once = row->once;
        bench_send(&b, row->method, "https://arm.example/x?api-version=1");
        CHECK_ROW(row->reason, b.rc == row->rc);
        CHECK_ROW(row->reason, b.response.status == row->status);
        CHECK_ROW(row->reason, b.peer.asked == row->asked);
        CHECK_ROW(row->reason, permit.budget == 10 - (writes_something ? row->asked : 0));
        CHECK_ROW(row->reason, (b.rc == 0) == (b.err.text[0] == '\0'));
        CHECK_ROW("no query in a message", !strstr(b.err.text, "api-version") && !strstr(b.err.text, "secret"));
        check_waits(row, &b.peer);
        bench_close(&b);
    }
}

static void test_messages_help(void)
{
    static const struct answer unsent[] = {{WIRE_UNSENT, 0, 0, 0, 0, 0}, {0}}, lost[] = {{WIRE_LOST, 0, 0, 0, 0, 0}, {0}};
    static const struct answer moved[] = {{WIRE_OK, 302, "Location", "https://portal.example/login", "", 0}, {0}};
    struct bench b;

    bench_open(&b, unsent, (struct http_options){.mode = HTTP_READ_ONLY});
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(strstr(b.err.text, "arm.example") && strstr(b.err.text, "scripted fault") && strstr(b.err.text, "Check"));
    b.peer.script = moved;
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(strstr(b.err.text, "portal.example") && strstr(b.err.text, "not followed") && b.err.http_status == 302);
    b.peer.script = lost;
    b.request.once = true;
    bench_send(&b, HTTP_POST, "https://login.example/oauth2/v2.0/token");
    CHECK(b.rc == -ERR_UNKNOWN_OUTCOME && strstr(b.err.text, b.peer.ids[b.peer.asked - 1]));
    bench_close(&b);
}

static void test_after_a_loss_the_connection_is_new(void)
{
    static const struct answer script[] = {{WIRE_UNSENT, 0, 0, 0, 0, 0}, {WIRE_LOST, 0, 0, 0, 0, 0}, {WIRE_OK, 200, 0, 0, "{}", 0}, {0}};
    struct bench b;

    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY});
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(b.rc == 0 && !b.peer.fresh[0] && !b.peer.fresh[1] && b.peer.fresh[2]);
    bench_close(&b);
}

static void test_long_waits_are_told(void)
{
    static const struct answer script[] = {{WIRE_OK, 429, "Retry-After", "5", "", 0}, {WIRE_OK, 429, "Retry-After", "6", "", 0},
         {WIRE_OK, 200, 0, 0, "{}", 0}, {0}};
    struct bench b;

    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY});
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK_STR(text_str(&b.waits), "6000 to ask arm.example again;");
    bench_close(&b);
}

/* A late answer is a lost one; the time is the one the caller asked for. */
static void test_time_out(void)
{
    static const struct answer script[] = {{WIRE_OK, 200, 0, 0, "{}", 100000}, {0}};
    struct bench b;

    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY, .attempts_max = 1});
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(b.rc == -ERR_TRANSIENT && b.took_ms == 60000);
    b.request.timeout_ms = 1500;
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(b.rc == -ERR_TRANSIENT && b.took_ms == 1500);
    b.request.timeout_ms = 200000;
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(b.rc == 0 && b.took_ms == 100000);
    bench_close(&b);
}

/* --- headers and answers ------------------------------------------------------------------------------------------------ */

static void test_headers(void)
{
    static const struct wire_header more[] = {{"If-Match", "\"7\""}}, accept[] = {{"accept", "application/xml"}}, evil[] = {{"X",
         "a\r\nY: b"}};
    struct bench b;

    bench_open(&b, ok, (struct http_options){.mode = HTTP_READ_ONLY, .user_agent = "reinstate/9"});
    b.request = (struct http_request){.headers = more, .n_headers = 1, .authorization = "Bearer abc"};
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(strstr(text_str(&b.peer.headers), "User-Agent: reinstate/9\n") && strstr(text_str(&b.peer.headers), "If-Match: \"7\"\n"));
    CHECK(strstr(text_str(&b.peer.headers), "Accept: application/json\n") && strstr(text_str(&b.peer.headers),
         "Authorization: Bearer abc\n"));
    CHECK(strstr(text_str(&b.peer.headers), "x-ms-client-request-id: ") && !strstr(text_str(&b.peer.headers), "Content-Type"));
    CHECK_ROW("a version 4 UUID", strlen(b.peer.ids[0]) == 36 && b.peer.ids[0][14] == '4' && strchr("89ab", b.peer.ids[0][19]));
    b.request = (struct http_request){.headers = accept, .n_headers = 1, .body = "a=b", .body_len = 3, .content_type = "text/plain"};
    bench_send(&b, HTTP_POST, "https://login.example/oauth2/v2.0/token");
    CHECK(!strstr(text_str(&b.peer.headers), "json") && strstr(text_str(&b.peer.headers), "Content-Type: text/plain\n"));
    b.request = (struct http_request){.headers = evil, .n_headers = 1};
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK_ROW("no header is smuggled in", b.rc == -ERR_INVALID && b.peer.asked == 2);
    bench_close(&b);
}

static void test_dates(void)
{
    static const struct {
        const char *reason, *date;
        int64_t want;
    } rows[] = {
        {"as HTTP writes it", "Mon, 23 Nov 2026 03:00:00 GMT", 1795402800000},
        {"in February", "Sat, 29 Feb 2020 23:59:59 GMT", 1583020799000},
        {"no date", "yesterday", TIME_NONE},
        {"no month", "Mon, 23 anF 2026 03:00:00 GMT", TIME_NONE},
        {"none", NULL, TIME_NONE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct answer script[2] = {{WIRE_OK, 200, rows[i].date ? "Date" : NULL, rows[i].date, "{}", 0}, {0}};
        struct bench b;

        bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY});
        bench_send(&b, HTTP_GET, "https://arm.example/x");
        CHECK_ROW(rows[i].reason, b.rc == 0 && b.response.date_ms == rows[i].want);
        CHECK(http_retry_after_ms(&b.response) == -1);
        bench_close(&b);
    }
}

/* --- admission and throttles --------------------------------------------------------------------------------------------- */

enum { CROWD = 20 };

struct visitor {
    struct bench *bench;
    int number, rc;
    const char *url, *scope;
    int64_t at_ms;              /* when it starts */
    int64_t done_ms;
    int *order;
    size_t *n_order;
};

static void visitor_task(struct call *c, void *arg)
{
    struct visitor *m = arg;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct http_request request = {.method = HTTP_GET, .url = m->url, .scope = m->scope};
    struct http_response response cleanup(http_response_release) = {0};
    struct err err;

    m->rc = m->at_ms ? call_sleep_ms(c, m->at_ms, "its turn", &err) : 0;
    if (m->rc == 0)
        m->rc = http_send(m->bench->http, c, a, &request, &response, &err);
    m->done_ms = call_now_ms(c) - start_ms;
    if (m->order)
        m->order[(*m->n_order)++] = m->number;
}

struct crowd {
    struct bench bench;
    struct visitor visitors[CROWD];
    size_t n;
    int order[CROWD];
    size_t n_order;
    int64_t cancel_at_ms;
};

static void crowd_task(struct call *c, void *arg)
{
    struct crowd *w = arg;
    struct group *g = group_new(call_sched(c), "crowd");
    struct err err;

    for (size_t i = 0; i < w->n; i++) {
        w->visitors[i].bench = &w->bench;
        w->visitors[i].number = (int)i;
        w->visitors[i].order = w->order;
        w->visitors[i].n_order = &w->n_order;
        group_spawn(g, "visitor", visitor_task, &w->visitors[i]);
    }
    if (w->cancel_at_ms && call_sleep_ms(c, w->cancel_at_ms, "the end", &err) == 0)
        group_cancel(g);
    CHECK(group_wait(c, g, &err) == 0);
    group_free(g);
}

static void test_admission_is_first_come(void)
{
    static const struct answer slow[] = {{WIRE_OK, 200, 0, 0, "{}", 1000}, {0}};
    struct crowd w = {.n = CROWD};
    bool in_order = true;

    bench_open(&w.bench, slow, (struct http_options){.mode = HTTP_READ_ONLY, .in_flight_max = 4});
    for (size_t i = 0; i < w.n; i++)
        w.visitors[i].url = "https://arm.example/x";
    sched_main(w.bench.sched, crowd_task, &w);
    for (size_t i = 0; i < w.n; i++) {
        in_order = in_order && w.order[i] == (int)i;
        CHECK_ROW("four at a time", w.visitors[i].rc == 0 && w.visitors[i].done_ms == 1000 * (int64_t)(1 + i / 4));
    }
    CHECK_ROW("first come, first served", in_order && w.n_order == w.n);
    bench_close(&w.bench);
}

/* 1500: some are in flight, some in the queue. 2000: answers, and with them places, come at the very moment. */
static void test_cancelled_in_the_queue(void)
{
    static const struct answer slow[] = {{WIRE_OK, 200, NULL, NULL, "{}", 1000}, {0}};
    static const int64_t moments[] = {1500, 2000};

    for (size_t k = 0; k < COUNT(moments); k++) {
        struct crowd w = {.n = 10, .cancel_at_ms = moments[k]};

        bench_open(&w.bench, slow, (struct http_options){.mode = HTTP_READ_ONLY, .in_flight_max = 2});
        for (size_t i = 0; i < w.n; i++)
            w.visitors[i].url = "https://arm.example/x";
        sched_main(w.bench.sched, crowd_task, &w);
        for (size_t i = 0; i < w.n; i++) {
            CHECK_ROW("the first two had their answers", w.visitors[i].rc == (i < 2 ? 0 : -ERR_CANCELLED));
            CHECK_ROW("none waits on", w.visitors[i].done_ms == (i < 2 ? 1000 : moments[k]));
        }
        bench_send(&w.bench, HTTP_GET, "https://arm.example/x");
        CHECK_ROW("no place was lost", w.bench.rc == 0 && w.bench.took_ms == 1000);
        bench_close(&w.bench);
    }
}

static void test_throttle_pauses_its_scope(void)
{
    static const struct answer script[] = {{WIRE_OK, 429, "Retry-After", "60", "", 0}, {WIRE_OK, 200, 0, 0, "{}", 0}, {0}};
    struct crowd w = {.n = 5};

    bench_open(&w.bench, script, (struct http_options){.mode = HTTP_READ_ONLY, .in_flight_max = 1});
    w.visitors[0] = (struct visitor){.url = "https://arm.example/a"};
    w.visitors[1] = (struct visitor){.url = "https://ARM.example:443/b", .at_ms = 10};
    w.visitors[2] = (struct visitor){.url = "https://vault.example/c", .at_ms = 20};
    w.visitors[3] = (struct visitor){.url = "https://arm.example/d", .at_ms = 30, .scope = "s1"};
    w.visitors[4] = (struct visitor){.url = "https://arm.example/e", .at_ms = 60000};
    sched_main(w.bench.sched, crowd_task, &w);
    CHECK_ROW("the one that was told to wait", w.visitors[0].done_ms == 60000);
    CHECK_ROW("another of the same host", w.visitors[1].done_ms == 60000);
    CHECK_ROW("another host", w.visitors[2].done_ms == 20);
    CHECK_ROW("another scope of the same host", w.visitors[3].done_ms == 30);
    CHECK_ROW("after the pause", w.visitors[4].done_ms == 60000);
    CHECK(w.bench.peer.asked == 6);
    bench_close(&w.bench);
}

static void test_throttle_reaches_the_queue(void)
{
    static const struct answer script[] = {{WIRE_OK, 429, "Retry-After", "60", "", 100}, {WIRE_OK, 200, NULL, NULL, "{}", 0}, {0}};
    struct crowd w = {.n = 2};

    bench_open(&w.bench, script, (struct http_options){.mode = HTTP_READ_ONLY, .in_flight_max = 1});
    w.visitors[0] = (struct visitor){.url = "https://arm.example/a"};
    w.visitors[1] = (struct visitor){.url = "https://arm.example/b", .at_ms = 10};
    sched_main(w.bench.sched, crowd_task, &w);
    CHECK_ROW("who queued when the throttle came waits as well", w.visitors[1].done_ms == 60100);
    CHECK(w.visitors[0].done_ms == 60100 && w.bench.peer.asked == 3);
    bench_close(&w.bench);
}

/* --- journal and record ------------------------------------------------------------------------------------------------------ */

static char folder[] = "/tmp/reinstate-http-XXXXXX";

static void check_line(struct arena *a, const char *s, const char *event, const char *id, int64_t status)
{
    struct value *line = NULL;
    struct err err;

    CHECK(json_parse(a, s, strcspn(s, "\n"), &line, &err) == 0);
    CHECK_STR(value_str_at(line, "event"), event);
    CHECK_STR(value_str_at(line, "step"), "KeyVault/kv#create");
    CHECK_STR(value_str_at(line, "method"), "PUT");
    CHECK_STR(value_str_at(line, "url"), "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_STR(value_str_at(line, "request_id"), id);
    CHECK(value_int_at(line, "status", 0) == status);
}

static void test_journal_comes_first(void)
{
    static const struct answer script[] = {{WIRE_OK, 500, 0, 0, "", 5}, {WIRE_OK, 201, "x-ms-correlation-request-id", "c-7", "{}", 5},
         {0}};
    struct permit permit = {.step = "KeyVault/kv#create", .writes = writes, .n_writes = COUNT(writes), .budget = 6};
    struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s/journal", folder);
    struct journal *journal = NULL;
    struct err err;
    struct bench b;
    char *now = arena_alloc(a, FILE_BYTES), *line;
    size_t lines;

    CHECK(journal_open(path, &journal, &err) == 0);
    bench_open(&b, script, (struct http_options){.mode = HTTP_WRITING, .journal = journal});
    b.permit = &permit;
    b.peer.journal = path;
    bench_send(&b, HTTP_GET, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("reading leaves no line", b.peer.seen[0] == '\0');
    b.peer.asked = 0;
    bench_send(&b, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv?api-version=1&sig=secret");
    CHECK(b.rc == 0 && b.response.status == 201 && b.peer.asked == 2);
    read_file(path, now, FILE_BYTES);
    line = now;
    check_line(a, line, "request", b.peer.ids[0], 0);
    line = strchr(line, '\n') + 1;
    check_line(a, line, "answer", b.peer.ids[0], 500);
    line = strchr(line, '\n') + 1;
    check_line(a, line, "request", b.peer.ids[1], 0);
    line = strchr(line, '\n') + 1;
    CHECK_ROW("the line is in the file when the request arrives", strlen(b.peer.seen) == (size_t)(line - now) && str_starts(now,
         b.peer.seen));
    check_line(a, line, "answer", b.peer.ids[1], 201);
    CHECK(strstr(line, "\"correlation\":\"c-7\"") && !strstr(now, "secret"));
    bench_close(&b);
    journal_close(journal);
    CHECK(journal_verify(path, &lines, &err) == 0 && lines == 4);
    unlink(path);
    arena_free(a);
}

static void test_no_journal_no_write(void)
{
    struct permit permit = {.step = "KeyVault/kv#create", .writes = writes, .n_writes = COUNT(writes), .budget = 6};
    struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s/full", folder);
    int fd = open(path, O_RDONLY | O_CREAT, 0600);
    int full = open("/dev/full", O_WRONLY);
    struct journal *journal = NULL;
    struct err err;
    struct bench b;

    close(full);
    close(fd);
    CHECK(journal_open(path, &journal, &err) == 0);
    full = open("/dev/full", O_WRONLY);
    CHECK(dup2(full, fd) == fd);
    bench_open(&b, ok, (struct http_options){.mode = HTTP_WRITING, .journal = journal});
    b.permit = &permit;
    bench_send(&b, HTTP_PUT, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("what cannot be written down is not sent", b.rc == -ERR_BLOCKED && b.peer.asked == 0 && permit.budget == 6);
    bench_send(&b, HTTP_GET, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("reading goes on", b.rc == 0 && b.peer.asked == 1);
    bench_close(&b);
    journal_close(journal);
    close(full);
    unlink(path);
    arena_free(a);
}

static const struct record_rule rules[] = {
    {"POST", "/oauth2/v2.0/token", false, "access_token", "TOKEN"},
    {"POST", "/keys/*/backup", false, "value", "BLOB"},
    {"POST", "/listKeys", false, "keys.*.value", "KEY"},
    {"GET", "/securedvmencryptioninfo*", false, "", "EXPORT"},
    {NULL, "/keys/restore", true, "value", "BLOB"},
};

static const struct record_row {
    const char *reason, *method, *url, *type, *body, *answer, *want_body, *want_answer;
} record_rows[] = {
    {"a token", "POST", "https://login.example/t/oauth2/v2.0/token", "application/x-www-form-urlencoded",
     "grant_type=client_credentials&client_secret=hush%3D&scope=a", "{\"access_token\":\"hush\",\"expires_in\":3599}",
     "\"grant_type=client_credentials&client_secret=not-recorded&scope=a\"", "{\"access_token\":\"TOKEN\",\"expires_in\":3599}"},
    {"a key's backup", "POST", "https://kv.example/keys/k1/backup?api-version=7.5", "application/json", "{}",
     "{\"value\":\"hush\"}", "{}",
     "{\"value\":\"BLOB\"}"},
    {"a backup cut half way", "POST", "https://kv.example/keys/k1/backup", "application/json", NULL, "{\"value\":\"hush", "null",
     "\"BLOB\""},
    {"account keys", "POST", "https://arm.example/storageAccounts/s/LISTKEYS", "application/json", NULL,
     "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"hush\"},{\"keyName\":\"key2\",\"value\":\"hush\"}]}", "null",
     "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"KEY\"},{\"keyName\":\"key2\",\"value\":\"KEY\"}]}"},
    {"an exported key", "GET", "https://b.example/c/securedVmEncryptionInfo_x/y.json?sv=1&sig=hush%2F&se=2", "", NULL, "hush",
     "null", "\"EXPORT\""},
    {"a key on its way back", "POST", "https://kv.example/keys/restore", "application/json", "{\"value\":\"hush\"}",
     "{\"key\":{\"n\":1}}",
     "{\"value\":\"BLOB\"}", "{\"key\":{\"n\":1}}"},
    {"an ordinary value stays", "GET", "https://arm.example/x", "application/json", NULL, "{\"value\":[1,null,true]}", "null",
     "{\"value\":[1,null,true]}"},
};

static void test_record(void)
{
    static const struct wire_header json[] = {{"Content-Type", "application/json"}, {"Set-Cookie", "hush"}, {"X-A", "1"}, {"x-a", "2"}};
    struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s/record", folder);
    char *file = arena_alloc(a, FILE_BYTES), *line = file;
    struct recorder *r = NULL;
    struct err err;

    CHECK(recorder_open(path, rules, COUNT(rules), &r, &err) == 0);
    for (size_t i = 0; i < COUNT(record_rows); i++) {
        struct wire_header headers[] = {{"Content-Type", record_rows[i].type}, {"Authorization", "Bearer hush"}, {"X-Source",
             "https://b.example/?sig=hush"}};
        struct wire_request request = {.method = record_rows[i].method, .url = record_rows[i].url, .headers = headers,
             .n_headers = COUNT(headers),
                                       .body = record_rows[i].body, .body_len = record_rows[i].body ? strlen(record_rows[i].body) : 0};
        struct wire_reply reply = {.status = 200, .headers = (struct wire_header *)json, .n_headers = COUNT(json)};

        secret_init(&reply.body);
        secret_set(&reply.body, record_rows[i].answer, strlen(record_rows[i].answer));
        recorder_add(r, &request, &reply);
        wire_reply_release(&reply);
    }
    CHECK(recorder_error(r, &err) == 0);
    recorder_close(r);
    read_file(path, file, FILE_BYTES);
    CHECK_ROW("no secret is on disk", !strstr(file, "hush"));
    for (size_t i = 0; i < COUNT(record_rows); i++) {
        struct value *v = NULL;

        CHECK_ROW(record_rows[i].reason, json_parse(a, line, strcspn(line, "\n"), &v, &err) == 0);
        CHECK_STR(json_string(a, value_get(v, "request_body"), JSON_COMPACT), record_rows[i].want_body);
        CHECK_STR(json_string(a, value_get(v, "response_body"), JSON_COMPACT), record_rows[i].want_answer);
        CHECK_STR(json_string(a, value_get(v, "response_headers"), JSON_COMPACT),
             "{\"content-type\":\"application/json\",\"x-a\":\"1, 2\"}");
        CHECK(value_int_at(v, "status", 0) == 200 && value_count(v) == 7);
        line = strchr(line, '\n') + 1;
    }
    CHECK(*line == '\0');
    unlink(path);
    arena_free(a);
}

static void keep_record(void *ctx, const struct wire_request *request, const struct wire_reply *reply)
{
    for (size_t i = 0; i < request->n_headers; i++)
        CHECK_ROW("the token does not even reach the recorder", !strstr(request->headers[i].value, "hush"));
    recorder_add(ctx, request, reply);
}

static void test_faults_are_recorded(void)
{
    static const struct answer script[] = {{WIRE_LOST, 0, 0, 0, 0, 0}, {WIRE_OK, 200, 0, 0, "{}", 0}, {0}};
    struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s/faults", folder);
    char *file = arena_alloc(a, FILE_BYTES);
    struct recorder *r = NULL;
    struct err err;
    struct bench b;
    struct http *recording;

    CHECK(recorder_open(path, NULL, 0, &r, &err) == 0);
    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY});
    recording = http_new(b.sched, &(struct http_options){.wire = b.wire, .mode = HTTP_READ_ONLY, .record = keep_record, .ctx = r});
    http_free(b.http);
    b.http = recording;
    b.request.authorization = "Bearer hush";
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    read_file(path, file, FILE_BYTES);
    CHECK(b.rc == 0 && strstr(file, "\"status\":0") && strstr(file, "\"note\":\"scripted fault\"") && strstr(file, "\"status\":200"));
    CHECK(!strstr(file, "hush"));
    bench_close(&b);
    recorder_close(r);
    unlink(path);
    arena_free(a);
}

int main(void)
{
    /* By pointer, or the compiler may lay all their tables into one frame. */
    static void (*const tests[])(void) = {
        test_gate,
        test_empty_fragment_permits_nothing,
        test_guarded_reads,
        test_budget,
        test_retries,
        test_messages_help,
        test_after_a_loss_the_connection_is_new,
        test_long_waits_are_told,
        test_time_out,
        test_headers,
        test_dates,
        test_admission_is_first_come,
        test_cancelled_in_the_queue,
        test_throttle_pauses_its_scope,
        test_throttle_reaches_the_queue,
        test_journal_comes_first,
        test_no_journal_no_write,
        test_record,
        test_faults_are_recorded,
    };

    if (!mkdtemp(folder))
        return 1;
    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i]();
    CHECK(rmdir(folder) == 0);
    HARNESS_END();
}
