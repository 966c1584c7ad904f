/* Admission, throttles, the journal and the record, against a scripted peer on a virtual clock. */
#include "http_bench.h"

static const struct permit_write writes[] = {{HTTP_PUT, "arm.example/subscriptions/s1/vaults/kv"},
                                             {HTTP_POST, "/restore"}};

/* --- admission and throttles -------------------------------------------------------------------------------------- */

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
    static const struct answer script[] = {
        {WIRE_OK, 429, "Retry-After", "60", "", 0}, {WIRE_OK, 200, 0, 0, "{}", 0}, {0}};
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
    static const struct answer script[] = {
        {WIRE_OK, 429, "Retry-After", "60", "", 100}, {WIRE_OK, 200, NULL, NULL, "{}", 0}, {0}};
    struct crowd w = {.n = 2};

    bench_open(&w.bench, script, (struct http_options){.mode = HTTP_READ_ONLY, .in_flight_max = 1});
    w.visitors[0] = (struct visitor){.url = "https://arm.example/a"};
    w.visitors[1] = (struct visitor){.url = "https://arm.example/b", .at_ms = 10};
    sched_main(w.bench.sched, crowd_task, &w);
    CHECK_ROW("who queued when the throttle came waits as well", w.visitors[1].done_ms == 60100);
    CHECK(w.visitors[0].done_ms == 60100 && w.bench.peer.asked == 3);
    bench_close(&w.bench);
}

/* --- journal and record ------------------------------------------------------------------------------------------- */

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
    static const struct answer script[] = {
        {WIRE_OK, 500, 0, 0, "", 5}, {WIRE_OK, 201, "x-ms-correlation-request-id", "c-7", "{}", 5}, {0}};
    struct permit permit = {.step = "KeyVault/kv#create", .writes = writes, .n_writes = COUNT(writes), .budget = 6};
    struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s/journal", folder);
    struct journal *journal = NULL;
    struct err err;
    struct bench b;
    char *now = arena_alloc(a, FILE_BYTES), *line;
    struct journal_check check;

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
    CHECK_ROW("the line is in the file when the request arrives",
              strlen(b.peer.seen) == (size_t)(line - now) && str_starts(now, b.peer.seen));
    check_line(a, line, "answer", b.peer.ids[1], 201);
    CHECK(strstr(line, "\"correlation\":\"c-7\"") && !strstr(now, "secret"));
    bench_close(&b);
    journal_close(journal);
    CHECK(journal_verify(path, NULL, &check, &err) == 0 && check.lines == 4);
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
    CHECK_ROW("what cannot be written down is not sent",
              b.rc == -ERR_BLOCKED && b.peer.asked == 0 && permit.budget == 6);
    bench_send(&b, HTTP_GET, "https://arm.example/subscriptions/s1/vaults/kv");
    CHECK_ROW("reading goes on", b.rc == 0 && b.peer.asked == 1);
    bench_close(&b);
    journal_close(journal);
    close(full);
    unlink(path);
    arena_free(a);
}

static const struct record_rule rules[] = {
    {"POST", "/oauth2/v2.0/token", false, "access_token", "TOKEN", NULL, false},
    {"POST", "/keys/*/backup", false, "value", "BLOB", NULL, false},
    {"POST", "/listKeys", false, "keys.*.value", "KEY", NULL, false},
    {"GET", "/securedvmencryptioninfo*", false, "", "EXPORT", NULL, false},
    {NULL, "/keys/restore", true, "value", "BLOB", NULL, false},
};

static const struct record_row {
    const char *reason, *method, *url, *type, *body, *answer, *want_body, *want_answer;
} record_rows[] = {
    {"a token", "POST", "https://login.example/t/oauth2/v2.0/token", "application/x-www-form-urlencoded",
     "grant_type=client_credentials&client_secret=hush%3D&scope=a", "{\"access_token\":\"hush\",\"expires_in\":3599}",
     "\"grant_type=client_credentials&client_secret=not-recorded&scope=a\"",
     "{\"access_token\":\"TOKEN\",\"expires_in\":3599}"},
    {"a key's backup", "POST", "https://kv.example/keys/k1/backup?api-version=7.5", "application/json", "{}",
     "{\"value\":\"hush\"}", "{}", "{\"value\":\"BLOB\"}"},
    {"a backup cut half way", "POST", "https://kv.example/keys/k1/backup", "application/json", NULL,
     "{\"value\":\"hush", "null", "\"BLOB\""},
    {"account keys", "POST", "https://arm.example/storageAccounts/s/LISTKEYS", "application/json", NULL,
     "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"hush\"},{\"keyName\":\"key2\",\"value\":\"hush\"}]}", "null",
     "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"KEY\"},{\"keyName\":\"key2\",\"value\":\"KEY\"}]}"},
    {"an exported key", "GET", "https://b.example/c/securedVmEncryptionInfo_x/y.json?sv=1&sig=hush%2F&se=2", "", NULL,
     "hush", "null", "\"EXPORT\""},
    {"a key on its way back", "POST", "https://kv.example/keys/restore", "application/json", "{\"value\":\"hush\"}",
     "{\"key\":{\"n\":1}}", "{\"value\":\"BLOB\"}", "{\"key\":{\"n\":1}}"},
    {"an ordinary value stays", "GET", "https://arm.example/x", "application/json", NULL, "{\"value\":[1,null,true]}",
     "null", "{\"value\":[1,null,true]}"},
};

static void test_record(void)
{
    static const struct wire_header json[] = {
        {"Content-Type", "application/json"}, {"Set-Cookie", "hush"}, {"X-A", "1"}, {"x-a", "2"}};
    struct arena *a = arena_new();
    const char *path = arena_printf(a, "%s/record", folder);
    char *file = arena_alloc(a, FILE_BYTES), *line = file;
    struct recorder *r = NULL;
    struct err err;

    CHECK(recorder_open(path, rules, COUNT(rules), &r, &err) == 0);
    for (size_t i = 0; i < COUNT(record_rows); i++) {
        struct wire_header headers[] = {{"Content-Type", record_rows[i].type},
                                        {"Authorization", "Bearer hush"},
                                        {"X-Source", "https://b.example/?sig=hush"}};
        struct wire_request request = {.method = record_rows[i].method,
                                       .url = record_rows[i].url,
                                       .headers = headers,
                                       .n_headers = COUNT(headers),
                                       .body = record_rows[i].body,
                                       .body_len = record_rows[i].body ? strlen(record_rows[i].body) : 0};
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
    recording = http_new(
        b.sched, &(struct http_options){.wire = b.wire, .mode = HTTP_READ_ONLY, .record = keep_record, .ctx = r});
    http_free(b.http);
    b.http = recording;
    b.request.authorization = "Bearer hush";
    bench_send(&b, HTTP_GET, "https://arm.example/x");
    read_file(path, file, FILE_BYTES);
    CHECK(b.rc == 0 && strstr(file, "\"status\":0") && strstr(file, "\"note\":\"scripted fault\"") &&
          strstr(file, "\"status\":200"));
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
