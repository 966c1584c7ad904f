/* The gate, retries and their exact waits, headers and answers, against a scripted peer on a virtual clock. */
#include "http_bench.h"

/* --- retries ------------------------------------------------------------------------------------------------------ */

enum { BACK_OFF = -2 };   /* wait: between half of the bound and the bound */

static const char throttled[] =
    "{\"error\":{\"code\":\"ResourceRequestsThrottled\",\"message\":\"Number of requests for action 'x' "
    "exceeded the limit of '150' for time interval '01:00:00'. Please try again after '324' seconds.\"}}";

#define STATUS(status) {WIRE_OK, status, NULL, NULL, "", 0}
#define AFTER(status, when) {WIRE_OK, status, "Retry-After", when, "", 0}
#define SAYING(status, body) {WIRE_OK, status, NULL, NULL, body, 0}
#define FINE SAYING(200, "{}")
#define TAKEN STATUS(202)
#define UNSENT {WIRE_UNSENT, 0, NULL, NULL, NULL, 0}
#define LOST {WIRE_LOST, 0, NULL, NULL, NULL, 0}
#define FOUR_TIMES BACK_OFF, BACK_OFF, BACK_OFF, BACK_OFF
#define FIVE_TIMES FOUR_TIMES, BACK_OFF

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
    {"429 with seconds, header in lower case",
     HTTP_GET,
     false,
     {{0, 429, "retry-after", "3", "", 0}, FINE},
     2,
     {3000},
     0,
     200},
    {"429 with parts of a second", HTTP_GET, false, {AFTER(429, "1.5"), FINE}, 2, {2000}, 0, 200},
    {"429 with nought: a second all the same", HTTP_GET, false, {AFTER(429, "0"), FINE}, 2, {1000}, 0, 200},
    {"429 with a date", HTTP_GET, false, {AFTER(429, "Mon, 23 Nov 2026 03:02:00 GMT"), FINE}, 2, {120000}, 0, 200},
    {"429 with a date gone by",
     HTTP_GET,
     false,
     {AFTER(429, "Mon, 23 Nov 2026 02:00:00 GMT"), FINE},
     2,
     {1000},
     0,
     200},
    {"a wait that is told is not counted in tries",
     HTTP_GET,
     false,
     {AFTER(429, "10"), AFTER(429, "10"), AFTER(429, "10"), AFTER(503, "10"), AFTER(429, "10"), AFTER(429, "10"), FINE},
     7,
     {10000, 10000, 10000, 10000, 10000, 10000},
     0,
     200},
    {"patience ends by time", HTTP_GET, false, {AFTER(429, "400")}, 3, {400000, 400000}, 0, 429},
    {"429 with the seconds in its text", HTTP_GET, false, {SAYING(429, throttled), FINE}, 2, {324000}, 0, 200},
    {"429, text without quotes",
     HTTP_GET,
     false,
     {SAYING(429, "Please try again after 5 seconds."), FINE},
     2,
     {5000},
     0,
     200},
    {"429, quotes escaped",
     HTTP_GET,
     false,
     {SAYING(429, "try again after \\u002712\\u0027 seconds"), FINE},
     2,
     {12000},
     0,
     200},
    {"429, minutes", HTTP_GET, false, {SAYING(429, "try again after 5 minutes"), FINE}, 2, {300000}, 0, 200},
    {"429, other words",
     HTTP_GET,
     false,
     {SAYING(429, "Too many. Please retry in 20 seconds"), FINE},
     2,
     {20000},
     0,
     200},
    {"429, no unit, no guess",
     HTTP_GET,
     false,
     {SAYING(429, "try again after 5 attempts"), FINE},
     2,
     {BACK_OFF},
     0,
     200},
    {"429 with thousandths", HTTP_GET, false, {{0, 429, "retry-after-ms", "2500", "", 0}, FINE}, 2, {2500}, 0, 200},
    {"the header wins over the text",
     HTTP_GET,
     false,
     {{0, 429, "Retry-After", "9", throttled, 0}, FINE},
     2,
     {9000},
     0,
     200},
    {"a text counts for 429 only", HTTP_GET, false, {{0, 503, 0, 0, throttled, 0}, FINE}, 2, {BACK_OFF}, 0, 200},
    {"too long a wait is the caller's", HTTP_GET, false, {AFTER(429, "86400")}, 1, {0}, 0, 429},
    {"nonsense is no wait", HTTP_GET, false, {AFTER(429, "soon"), FINE}, 2, {BACK_OFF}, 0, 200},
    {"a figure too large is no wait", HTTP_GET, false, {AFTER(429, "99999999999"), FINE}, 2, {BACK_OFF}, 0, 200},
    {"408 500 502 504 are passing",
     HTTP_GET,
     false,
     {STATUS(408), STATUS(500), STATUS(502), STATUS(504), FINE},
     5,
     {FOUR_TIMES},
     0,
     200},
    {"thirty seconds end; the last answer is handed out", HTTP_GET, false, {STATUS(503)}, 6, {FIVE_TIMES}, 0, 503},
    {"501 is for ever", HTTP_GET, false, {STATUS(501)}, 1, {0}, 0, 501},
    {"503 with seconds", HTTP_GET, false, {AFTER(503, "4"), FINE}, 2, {4000}, 0, 200},
    {"unreachable, then there", HTTP_GET, false, {UNSENT, FINE}, 2, {BACK_OFF}, 0, 200},
    {"unreachable for good", HTTP_GET, false, {UNSENT}, 6, {FIVE_TIMES}, -ERR_TRANSIENT, 0},
    {"unreachable for good, a write", HTTP_PUT, false, {UNSENT}, 6, {FIVE_TIMES}, -ERR_TRANSIENT, 0},
    {"a lost read", HTTP_GET, false, {LOST}, 6, {FIVE_TIMES}, -ERR_TRANSIENT, 0},
    {"a lost write is repeated, then unknown", HTTP_PUT, false, {LOST}, 6, {FIVE_TIMES}, -ERR_UNKNOWN_OUTCOME, 0},
    {"lost, then unreachable: still unknown",
     HTTP_PUT,
     false,
     {LOST, UNSENT},
     6,
     {FIVE_TIMES},
     -ERR_UNKNOWN_OUTCOME,
     0},
    {"a gateway gave up, then unreachable: unknown",
     HTTP_PUT,
     false,
     {STATUS(504), UNSENT},
     6,
     {FIVE_TIMES},
     -ERR_UNKNOWN_OUTCOME,
     0},
    {"throttled, then unreachable: nothing was taken",
     HTTP_PUT,
     false,
     {AFTER(429, "1"), UNSENT},
     6,
     {1000, BACK_OFF, BACK_OFF, BACK_OFF, BACK_OFF},
     -ERR_TRANSIENT,
     0},
    {"a certificate is never tried twice", HTTP_GET, false, {{WIRE_TLS, 0, 0, 0, 0, 0}}, 1, {0}, -ERR_DENIED, 0},
    {"too large is never tried twice", HTTP_GET, false, {{WIRE_TOO_LARGE, 0, 0, 0, 0, 0}}, 1, {0}, -ERR_PROTOCOL, 0},
    {"a redirection is not followed",
     HTTP_GET,
     false,
     {{0, 307, "Location", "https://portal.example/login?x=secret", "", 0}},
     1,
     {0},
     -ERR_PROTOCOL,
     0},
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
        /* What was throttled was not taken. */
        CHECK_ROW(row->reason,
                  permit.budget == 10 - (writes_something ? row->asked - (row->script[0].status == 429) : 0));
        CHECK_ROW(row->reason, (b.rc == 0) == (b.err.text[0] == '\0'));
        CHECK_ROW("no query in a message", !strstr(b.err.text, "api-version") && !strstr(b.err.text, "secret"));
        check_waits(row, &b.peer);
        bench_close(&b);
    }
}

/* What one request may wait, a step and the run may wait all together; and a thousand attempts leave
 * no more behind than one. */
static void test_patience_of_step_and_run(void)
{
    static const struct answer busy[] = {AFTER(429, "60"), {0}}, fine[] = {FINE, {0}};
    struct permit permit = {.step = "Kind/name#verb"};
    struct bench b;

    bench_open(
        &b, busy,
        (struct http_options){.mode = HTTP_WRITING, .patience = {.step_ms = 20 * MINUTE_MS, .run_ms = 25 * MINUTE_MS}});
    b.permit = &permit;
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK_ROW("a request", b.response.status == 429 && b.peer.asked == 16 && b.took_ms == 15 * MINUTE_MS);
    bench_send(&b, HTTP_GET, "https://arm.example/y");
    CHECK_ROW("the rest of the step",
              b.response.status == 429 && b.peer.asked == 22 && permit.waited_ms == 20 * MINUTE_MS);
    b.permit = NULL;
    bench_send(&b, HTTP_GET, "https://arm.example/z");
    CHECK_ROW("the rest of the run", b.response.status == 429 && b.peer.asked == 28);
    bench_send(&b, HTTP_GET, "https://arm.example/z");
    CHECK_ROW("nothing is left", b.response.status == 429 && b.peer.asked == 29);
    http_patience_renew(b.http);
    bench_send(&b, HTTP_GET, "https://arm.example/z");
    CHECK_ROW("another pass", b.response.status == 429 && b.peer.asked == 45);
    b.peer.script = fine;
    bench_send(&b, HTTP_GET, "https://arm.example/z");
    CHECK(b.response.status == 200);
    bench_close(&b);
}

static size_t left_behind(const char *wait, size_t *ret_asked)
{
    struct answer busy[] = {AFTER(429, wait), {0}};
    struct bench b;
    size_t before;

    bench_open(&b, busy, (struct http_options){.mode = HTTP_READ_ONLY});
    before = arena_bytes(b.arena);
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    before = arena_bytes(b.arena) - before;
    *ret_asked = b.peer.asked;
    bench_close(&b);
    return before;
}

static void test_attempts_leave_nothing_behind(void)
{
    size_t few, many, least = left_behind("900", &few), most = left_behind("1", &many);

    CHECK(few == 2 && many == 901);
    CHECK(most <= least);
}

static void test_messages_help(void)
{
    static const struct answer unsent[] = {{WIRE_UNSENT, 0, 0, 0, 0, 0}, {0}},
                               lost[] = {{WIRE_LOST, 0, 0, 0, 0, 0}, {0}};
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
    static const struct answer script[] = {
        {WIRE_UNSENT, 0, 0, 0, 0, 0}, {WIRE_LOST, 0, 0, 0, 0, 0}, {WIRE_OK, 200, 0, 0, "{}", 0}, {0}};
    struct bench b;

    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY});
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(b.rc == 0 && !b.peer.fresh[0] && !b.peer.fresh[1] && b.peer.fresh[2]);
    bench_close(&b);
}

static void test_long_waits_are_told(void)
{
    static const struct answer script[] = {{WIRE_OK, 429, "Retry-After", "5", "", 0},
                                           {WIRE_OK, 429, "Retry-After", "6", "", 0},
                                           {WIRE_OK, 200, 0, 0, "{}", 0},
                                           {0}};
    struct bench b;

    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY});
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK_STR(text_str(&b.waits), "6000 arm.example is asked again;");
    bench_close(&b);
}

/* A late answer is a lost one; the time is the one the caller asked for. */
static void test_time_out(void)
{
    static const struct answer script[] = {{WIRE_OK, 200, 0, 0, "{}", 100000}, {0}};
    struct bench b;

    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY, .never_repeat = true});
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

/* --- headers and answers ------------------------------------------------------------------------------------------ */

static void test_headers(void)
{
    static const struct wire_header more[] = {{"If-Match", "\"7\""}}, accept[] = {{"accept", "application/xml"}},
                                    evil[] = {{"X", "a\r\nY: b"}};
    struct bench b;

    bench_open(&b, ok, (struct http_options){.mode = HTTP_READ_ONLY, .user_agent = "reinstate/9"});
    b.request = (struct http_request){.headers = more, .n_headers = 1, .authorization = "Bearer abc"};
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(strstr(text_str(&b.peer.headers), "User-Agent: reinstate/9\n") &&
          strstr(text_str(&b.peer.headers), "If-Match: \"7\"\n"));
    CHECK(strstr(text_str(&b.peer.headers), "Accept: application/json\n") && strstr(text_str(&b.peer.headers),
         "Authorization: Bearer abc\n"));
    CHECK(strstr(text_str(&b.peer.headers), "x-ms-client-request-id: ") &&
          !strstr(text_str(&b.peer.headers), "Content-Type"));
    CHECK_ROW("a version 4 UUID",
              strlen(b.peer.ids[0]) == 36 && b.peer.ids[0][14] == '4' && strchr("89ab", b.peer.ids[0][19]));
    b.request = (struct http_request){
        .headers = accept, .n_headers = 1, .body = "a=b", .body_len = 3, .content_type = "text/plain"};
    bench_send(&b, HTTP_POST, "https://login.example/oauth2/v2.0/token");
    CHECK(!strstr(text_str(&b.peer.headers), "json") &&
          strstr(text_str(&b.peer.headers), "Content-Type: text/plain\n"));
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

/* Who gives up on a throttled service must be able to say for how long, also when the message alone says it. */
static void test_a_last_throttle_tells_its_wait(void)
{
    struct answer script[2] = {SAYING(429, throttled), {0}};
    struct bench b;

    bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY, .never_repeat = true});
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    CHECK(b.rc == 0 && b.response.status == 429 && b.peer.asked == 1);
    CHECK(http_retry_after_ms(&b.response) == 324000);
    bench_close(&b);
}

int main(void)
{
    /* By pointer, or the compiler may lay all their tables into one frame. */
    static void (*const tests[])(void) = {
        test_retries,
        test_patience_of_step_and_run,
        test_attempts_leave_nothing_behind,
        test_messages_help,
        test_after_a_loss_the_connection_is_new,
        test_long_waits_are_told,
        test_time_out,
        test_headers,
        test_dates,
        test_a_last_throttle_tells_its_wait,
    };

    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i]();
    HARNESS_END();
}
