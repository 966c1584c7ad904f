/* libcurl's side of the wire against a real TLS server in this process, and against sockets that misbehave. */
#include "wire_server.h"

/* --- the client --------------------------------------------------------------------------------------------------- */

struct bench {
    struct arena *arena;
    struct server *server;
    struct sched *sched;
    struct wire *wire;
    struct wire_request request;
    struct wire_reply reply;
    struct err err;
    int rc;
};

static void bench_open(struct bench *b, struct server *server, const char *ca_path, size_t connections)
{
    *b = (struct bench){.arena = arena_new(), .server = server};
    b->sched = sched_new(&(struct sched_options){.time = SCHED_REAL});
    b->wire = wire_curl_new(b->sched, ca_path, connections);
}

static void bench_close(struct bench *b)
{
    wire_reply_release(&b->reply);
    wire_free(b->wire);
    sched_free(b->sched);
    arena_free(b->arena);
}

static void send_task(struct call *c, void *arg)
{
    struct bench *b = arg;

    b->rc = b->wire->exchange(b->wire->self, c, b->arena, &b->request, &b->reply, &b->err);
}

/* `where` is a path, put behind the server's host, or a whole URL. */
static void ask(struct bench *b, const char *method, const char *where)
{
    wire_reply_release(&b->reply);
    b->reply = (struct wire_reply){0};
    b->request.method = method;
    b->request.url =
        *where == '/' ? arena_printf(b->arena, "https://kv.vault.localhost:%d%s", b->server->port, where) : where;
    if (!b->request.timeout_ms)
        b->request.timeout_ms = 10 * MINUTE_MS;
    sched_main(b->sched, send_task, b);
}

/* --- what comes back ---------------------------------------------------------------------------------------------- */

static void test_plain_exchange(struct server *s)
{
    struct bench b;

    bench_open(&b, s, s->ca_path, 4);
    ask(&b, "GET", "/ok");
    CHECK(b.rc == 0 && b.reply.fault == WIRE_OK && b.reply.status == 200);
    CHECK_STR(b.reply.body.bytes, "{\"ok\":true}");
    CHECK_STR(wire_reply_header(&b.reply, "x-ONE"), "a: b");
    CHECK(wire_reply_header(&b.reply, "Date") && !wire_reply_header(&b.reply, "X-Two"));
    ask(&b, "HEAD", "/ok");
    CHECK(b.reply.fault == WIRE_OK && b.reply.status == 200 && b.reply.body.len == 0);
    ask(&b, "GET", "/moved");
    CHECK_ROW("a redirection is an answer", b.reply.fault == WIRE_OK && b.reply.status == 302);
    CHECK_STR(wire_reply_header(&b.reply, "Location"), "/ok");
    ask(&b, "GET", "/a;b/../c%2Fd/./x?t=%24a+b&c=;&p=1&p=1");
    CHECK_ROW("as it was written", strcmp(s->raw_uri, "/a;b/../c%2Fd/./x?t=%24a+b&c=;&p=1&p=1") == 0);
    b.request.max_body = BIG;
    ask(&b, "GET", "/big");
    CHECK(b.reply.fault == WIRE_OK && b.reply.body.len == BIG);
    bench_close(&b);
}

static void test_what_is_sent(struct server *s)
{
    static const struct wire_header headers[] = {{"Authorization", "Bearer t"}, {"X-Empty", ""}},
                                    typed[] = {{"content-type", "a/b"}};
    static const struct {
        const char *reason, *method, *body;
        const struct wire_header *headers;
        size_t n_headers;
        const char *want;
    } rows[] = {
        {"a read", "GET", NULL, headers, 2, "GET||-|-|Bearer t||-"},
        {"a write with a body and a type", "PUT", "{}", typed, 1, "PUT|{}|a/b|2|-|-|-"},
        {"a body without a type gets none", "PATCH", "{\"a\":1}", NULL, 0, "PATCH|{\"a\":1}|-|7|-|-|-"},
        {"an empty POST has a length", "POST", NULL, NULL, 0, "POST||-|0|-|-|-"},
        {"an empty body is one", "PUT", "", NULL, 0, "PUT||-|0|-|-|-"},
    };
    struct bench b;

    bench_open(&b, s, s->ca_path, 4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        b.request = (struct wire_request){.headers = rows[i].headers,
                                          .n_headers = rows[i].n_headers,
                                          .body = rows[i].body,
                                          .body_len = rows[i].body ? strlen(rows[i].body) : 0};
        ask(&b, rows[i].method, "/echo");
        CHECK_ROW(rows[i].reason, b.reply.fault == WIRE_OK && b.reply.status == 200);
        CHECK_STR(b.reply.body.bytes, rows[i].want);
    }
    bench_close(&b);
}

static void test_a_large_body_goes_at_once(struct server *s)
{
    enum { LARGE = 2 * 1024 * 1024 };
    struct bench b;
    char *body = xcalloc(1, LARGE);
    size_t n;

    memset(body, 'x', LARGE);
    bench_open(&b, s, s->ca_path, 4);
    b.request = (struct wire_request){.body = body, .body_len = LARGE};
    ask(&b, "PUT", "/echo");
    n = b.reply.body.len;
    CHECK(b.reply.fault == WIRE_OK && strstr(b.reply.body.bytes, "|2097152|"));
    CHECK_ROW("without asking for leave first", n > 2 && strcmp(b.reply.body.bytes + n - 2, "|-") == 0);
    bench_close(&b);
    free(body);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

static void test_faults(struct server *s)
{
    static const struct {
        const char *reason, *method, *path;
        size_t max_body;
        int64_t timeout_ms;
        enum wire_fault want;
        const char *says;
    } rows[] = {
        {"the server drops a write", "POST", "/drop", 0, 0, WIRE_LOST, ""},
        {"the server drops a read", "GET", "/drop", 0, 0, WIRE_LOST, ""},
        {"the answer is cut half way", "GET", "/cut", 0, 0, WIRE_LOST, ""},
        {"the body is one byte too large", "GET", "/ok", 10, 0, WIRE_TOO_LARGE, "body"},
        {"the body just fits", "GET", "/ok", 11, 0, WIRE_OK, ""},
        {"a body far too large", "GET", "/big", 1000, 0, WIRE_TOO_LARGE, "body"},
        {"too many headers", "GET", "/headers", 0, 0, WIRE_TOO_LARGE, "headers"},
        {"no answer in time", "GET", "/held", 0, 2000, WIRE_LOST, "timed out"},
        {"and afterwards all is well", "GET", "/ok", 0, 0, WIRE_OK, ""},
    };
    struct bench b;

    bench_open(&b, s, s->ca_path, 4);
    for (size_t i = 0; i < COUNT(rows); i++) {
        b.request = (struct wire_request){.max_body = rows[i].max_body, .timeout_ms = rows[i].timeout_ms};
        s->held = str_eq(rows[i].path, "/held");
        ask(&b, rows[i].method, rows[i].path);
        s->held = false;
        CHECK_ROW(rows[i].reason, b.rc == 0 && b.reply.fault == rows[i].want);
        CHECK_ROW(rows[i].reason, (b.reply.fault == WIRE_OK) == (b.reply.text[0] == '\0'));
        CHECK_ROW(rows[i].reason, strstr(b.reply.text, rows[i].says) != NULL);
        CHECK_ROW("a fault has no body", b.reply.fault == WIRE_OK || b.reply.body.len == 0);
    }
    bench_close(&b);
}

static void test_trust(struct server *s)
{
    struct bench b;

    bench_open(&b, s, NULL, 4);
    ask(&b, "GET", "/ok");
    CHECK_ROW("the system's authorities do not know this server", b.reply.fault == WIRE_TLS);
    CHECK_ROW("it says which host and what would help",
              strstr(b.reply.text, "kv.vault.localhost") && strstr(b.reply.text, "--cloud"));
    bench_close(&b);
    bench_open(&b, s, "/nonexistent/ca.pem", 4);
    ask(&b, "GET", "/ok");
    CHECK_ROW("no authority, no trust", b.reply.fault == WIRE_TLS);
    bench_close(&b);
    bench_open(&b, s, s->ca_path, 4);
    ask(&b, "GET", arena_printf(b.arena, "https://other.localhost:%d/ok", s->port));
    CHECK_ROW("a certificate for other names", b.reply.fault == WIRE_TLS);
    ask(&b, "GET", arena_printf(b.arena, "https://arm.here.localhost:%d/ok", s->port));
    CHECK(b.reply.fault == WIRE_OK);
    ask(&b, "GET", arena_printf(b.arena, "https://127.0.0.1:%d/ok", s->port));
    CHECK(b.reply.fault == WIRE_OK);
    ask(&b, "GET", arena_printf(b.arena, "http://kv.vault.localhost:%d/ok", s->port));
    CHECK_ROW("plain text is not spoken", b.reply.fault == WIRE_UNSENT);
    bench_close(&b);
}

/* --- connections -------------------------------------------------------------------------------------------------- */

/* libcurl repeats a request by itself when a kept connection dies under it. For a write that would
 * be a second write. */
static void test_a_write_leaves_once(struct server *s)
{
    struct bench b;
    int before;

    bench_open(&b, s, s->ca_path, 4);
    ask(&b, "GET", "/ok");
    before = s->requests;
    ask(&b, "POST", "/drop");
    CHECK(b.reply.fault == WIRE_LOST);
    CHECK_ROW("sent once, although a connection was there to be reused", s->requests == before + 1);
    bench_close(&b);
}

static void test_reads_keep_their_connection(struct server *s)
{
    struct bench b;
    int before = s->connections;

    bench_open(&b, s, s->ca_path, 4);
    for (int i = 0; i < 5; i++)
        ask(&b, "GET", "/ok");
    CHECK(s->connections == before + 1);
    b.request.fresh_connection = true;
    ask(&b, "GET", "/ok");
    CHECK_ROW("unless told otherwise", s->connections == before + 2 && b.reply.fault == WIRE_OK);
    bench_close(&b);
}

struct crowd {
    struct bench *bench;
    const char *method, *path;
    int done, cancelled;
    bool cancel;
};

static void visitor_task(struct call *c, void *arg)
{
    struct crowd *w = arg;
    struct bench *b = w->bench;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct wire_reply reply cleanup(wire_reply_release) = {0};
    struct wire_request request = {.method = w->method, .timeout_ms = 10 * MINUTE_MS, .body = "secret", .body_len = 6};
    struct err err;
    int rc;

    request.url = arena_printf(a, "https://kv.vault.localhost:%d%s", b->server->port, w->path);
    rc = b->wire->exchange(b->wire->self, c, a, &request, &reply, &err);
    w->done += rc == 0 && reply.fault == WIRE_OK && reply.status == 200;
    w->cancelled += rc == -ERR_CANCELLED;
}

static void crowd_task(struct call *c, void *arg)
{
    struct crowd *w = arg;
    struct group *g = group_new(call_sched(c), "crowd");
    struct err err;

    for (int i = 0; i < 20; i++)
        group_spawn(g, "visitor", visitor_task, w);
    if (w->cancel && call_sleep_ms(c, 150, "a while", &err) == 0)
        group_cancel(g);
    CHECK(group_wait(c, g, &err) == 0);
    group_free(g);
}

static void test_many_at_once(struct server *s)
{
    static const char *const methods[] = {"PUT", "POST"};

    for (size_t i = 0; i < COUNT(methods); i++) {
        struct bench b;
        struct crowd w = {.bench = &b, .method = methods[i], .path = "/ok"};
        int first;

        bench_open(&b, s, s->ca_path, 3);
        while (s->open_now)
            usleep(1000);
        s->open_most = 0;
        first = s->requests;
        sched_main(b.sched, crowd_task, &w);
        CHECK_ROW("all are answered", w.done == 20 && s->requests == first + 20);
        CHECK_ROW("never more connections than allowed, but for one that is closing", s->open_most <= 4);
        bench_close(&b);
    }
}

static void test_cancelled_in_flight(struct server *s)
{
    struct bench b;
    struct crowd w = {.bench = &b, .method = "POST", .path = "/held", .cancel = true};

    bench_open(&b, s, s->ca_path, 2);
    s->held = true;
    sched_main(b.sched, crowd_task, &w);
    s->held = false;
    CHECK_ROW("in flight or waiting, all come back at once", w.cancelled == 20 && w.done == 0);
    ask(&b, "GET", "/ok");
    CHECK_ROW("the transport goes on", b.reply.fault == WIRE_OK);
    bench_close(&b);
}

/* --- sockets that misbehave --------------------------------------------------------------------------------------- */

enum manner { REFUSES, IS_SILENT, CLOSES, SPEAKS_PLAIN };

struct rude {
    enum manner manner;
    int fd, port;
    char asked[1024];
};

static void *rude_thread(void *arg)
{
    struct rude *r = arg;
    int fd = accept(r->fd, NULL, NULL);
    struct linger at_once = {.l_onoff = 1};
    char hello[1024];
    static const char plain[] = "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n";

    if (fd < 0)
        return NULL;
    if (read(fd, hello, sizeof(hello)) <= 0 || (r->manner == SPEAKS_PLAIN && write(fd, plain, sizeof(plain) - 1) < 0))
        perror("test_wire");
    if (r->manner == CLOSES)
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(fd);
    return NULL;
}

static bool rude_open(struct rude *r)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);

    r->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (r->fd < 0 || bind(r->fd, (struct sockaddr *)&at, len) < 0 ||
        getsockname(r->fd, (struct sockaddr *)&at, &len) < 0)
        return false;
    r->port = ntohs(at.sin_port);
    return r->manner == REFUSES || listen(r->fd, 4) == 0;
}

static void test_sockets(struct server *s)
{
    static const struct {
        const char *reason;
        enum manner manner;
        enum wire_fault want;
    } rows[] = {
        {"nobody listens", REFUSES, WIRE_UNSENT},
        {"silence before the handshake is over", IS_SILENT, WIRE_UNSENT},
        {"a reset in the handshake", CLOSES, WIRE_UNSENT},
        {"no TLS there", SPEAKS_PLAIN, WIRE_TLS},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct rude rude = {.manner = rows[i].manner};
        bool threaded = rows[i].manner == CLOSES || rows[i].manner == SPEAKS_PLAIN;
        pthread_t thread;
        struct bench b;

        CHECK(rude_open(&rude));
        if (threaded)
            CHECK(pthread_create(&thread, NULL, rude_thread, &rude) == 0);
        bench_open(&b, s, s->ca_path, 4);
        b.request.timeout_ms = rows[i].manner == IS_SILENT ? 400 : 10 * MINUTE_MS;
        ask(&b, "PUT", arena_printf(b.arena, "https://127.0.0.1:%d/x", rude.port));
        CHECK_ROW(rows[i].reason, b.rc == 0 && b.reply.fault == rows[i].want && b.reply.text[0]);
        if (threaded)
            pthread_join(thread, NULL);
        close(rude.fd);
        bench_close(&b);
    }
}

static void test_no_such_host(struct server *s)
{
    struct bench b;

    bench_open(&b, s, s->ca_path, 4);
    ask(&b, "POST", "https://no-such-host.invalid/x");
    CHECK(b.rc == 0 && b.reply.fault == WIRE_UNSENT && b.reply.text[0]);
    bench_close(&b);
}

/* --- proxies --------------------------------------------------------------------------------------------------------
 */

/* Takes one request for a tunnel, notes it and refuses. */
static void *proxy_thread(void *arg)
{
    struct rude *r = arg;
    int fd = accept(r->fd, NULL, NULL);
    static const char no[] = "HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n";
    ssize_t n;

    if (fd < 0)
        return NULL;
    n = read(fd, r->asked, sizeof(r->asked) - 1);
    r->asked[n > 0 ? n : 0] = '\0';
    if (write(fd, no, sizeof(no) - 1) < 0)
        perror("test_wire");
    close(fd);
    return NULL;
}

/* The proxy is asked for a tunnel to the host, and sees nothing else of the request. */
static void test_proxy(struct server *s)
{
    struct rude proxy = {.manner = CLOSES};
    pthread_t thread;
    struct bench b;

    CHECK(rude_open(&proxy));
    CHECK(pthread_create(&thread, NULL, proxy_thread, &proxy) == 0);
    bench_open(&b, s, s->ca_path, 4);
    setenv("HTTPS_PROXY", arena_printf(b.arena, "http://127.0.0.1:%d", proxy.port), 1);
    ask(&b, "PUT", "https://kv.example.invalid/keys/planted-path");
    pthread_join(thread, NULL);
    CHECK(b.rc == 0 && b.reply.fault == WIRE_UNSENT && strstr(b.reply.text, "407"));
    CHECK(str_starts(proxy.asked, "CONNECT kv.example.invalid:443 "));
    CHECK(!strstr(proxy.asked, "planted-path"));
    close(proxy.fd);
    /* Nobody listens there any more: this machine is asked without it, and so is whom NO_PROXY names. */
    ask(&b, "GET", arena_printf(b.arena, "https://127.0.0.1:%d/plain", s->port));
    CHECK(b.rc == 0 && b.reply.fault == WIRE_OK);
    CHECK_STR(b.reply.address, "127.0.0.1");
    setenv("NO_PROXY", "example.invalid", 1);
    ask(&b, "GET", "https://kv.example.invalid/x");
    CHECK(b.rc == 0 && b.reply.fault == WIRE_UNSENT && !strstr(b.reply.text, "127.0.0.1"));
    unsetenv("HTTPS_PROXY");
    unsetenv("NO_PROXY");
    bench_close(&b);
}

static void test_loopback(void)
{
    CHECK(wire_is_loopback("https://[::1]:8443/x") && wire_is_loopback("https://kv.vault.localhost:1/"));
    CHECK(!wire_is_loopback("https://[2001:db8::1]:443/x") && !wire_is_loopback("https://localhost.example/"));
}

int main(void)
{
    static const char *const proxies[] = {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
    struct server *s = xcalloc(1, sizeof(*s));

    for (size_t i = 0; i < COUNT(proxies); i++)
        unsetenv(proxies[i]);
    CHECK(server_start(s));
    if (s->port) {
        test_plain_exchange(s);
        test_what_is_sent(s);
        test_a_large_body_goes_at_once(s);
        test_faults(s);
        test_trust(s);
        test_a_write_leaves_once(s);
        test_reads_keep_their_connection(s);
        test_many_at_once(s);
        test_sockets(s);
        test_no_such_host(s);
        test_proxy(s);
        test_loopback();
        test_cancelled_in_flight(s);
    }
    server_stop(s);
    free(s);
    HARNESS_END();
}
