/* A scripted peer on a virtual clock, and a client to send with: for the tests of http.c. */
#ifndef REINSTATE_HTTP_BENCH_H
#define REINSTATE_HTTP_BENCH_H
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

static inline void read_file(const char *path, char *ret, size_t room)
{
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, ret, room - 1) : -1;

    ret[n > 0 ? n : 0] = '\0';
    if (fd >= 0)
        close(fd);
}

static void peer_answer(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request,
                        struct wire_reply *ret, int64_t *ret_delay_ms)
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

static inline void told(void *ctx, const char *why, int64_t ms)
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

#endif
