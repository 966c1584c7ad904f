/* A scripted Azure for unit tests: answers in the order written down, on a virtual clock, and remembers
 * what it was asked. */
#ifndef REINSTATE_TEST_AZURE_PEER_H
#define REINSTATE_TEST_AZURE_PEER_H

#include "../../providers/azure/azure.h"
#include "../../reconciler/base/text.h"
#include "../harness.h"

enum { PEER_MAX = 64, PEER_HEADERS = 4 };

struct peer_row {
    const char *method, *url;               /* url: a part of it */
    int status;
    const char *body;
    struct wire_header headers[PEER_HEADERS];
    size_t body_len;                        /* 0: strlen */
    enum wire_fault fault;
    const char *authorization;              /* that must have come; NULL: any */
    struct wire_header sent;                /* another header that must have come; no name: any */
};

struct peer {
    const struct peer_row *rows;
    size_t n_rows, at;
    char *seen[PEER_MAX];                   /* "METHOD url body" */
    size_t n_seen, unexpected;
    int64_t times[PEER_MAX];
    bool patient;                           /* odd answers are asked for again */
    bool id_seen;                           /* the last request carried an x-ms-client-request-id */
};

#define PEER_TOKEN "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"t1\"}"
#define PEER_LOGIN {.method = "POST", .url = "/oauth2/v2.0/token", .status = 200, .body = PEER_TOKEN}

static const char *peer_header(const struct wire_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (str_eq_nocase(request->headers[i].name, name))
            return request->headers[i].value;
    return "";
}

static void peer_remember(struct peer *p, const struct wire_request *request, int64_t now_ms)
{
    struct text line = {0};

    if (p->n_seen == PEER_MAX)
        return;
    text_init(&line, 1 << 20);
    text_printf(&line, "%s %s ", request->method, request->url);
    text_add_n(&line, request->body ? request->body : "", request->body_len);
    p->id_seen = *peer_header(request, "x-ms-client-request-id") != '\0';
    p->times[p->n_seen] = now_ms;
    p->seen[p->n_seen++] = line.s;
}

static void peer_answer(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request,
                        struct wire_reply *ret, int64_t *ret_delay_ms)
{
    struct peer *p = self;
    const struct peer_row *row = p->at < p->n_rows ? &p->rows[p->at] : NULL;

    *ret_delay_ms = 10;
    peer_remember(p, request, now_ms);
    if (!row || strcmp(row->method, request->method) != 0 || !strstr(request->url, row->url) ||
        (row->authorization && strcmp(peer_header(request, "Authorization"), row->authorization) != 0) ||
        (row->sent.name && strcmp(peer_header(request, row->sent.name), row->sent.value) != 0)) {
        fprintf(stderr, "unexpected: %s %s; expected %s %s\n", request->method, request->url, row ? row->method : "-",
                row ? row->url : "-");
        p->unexpected++;
        ret->status = 418;
        return;
    }
    p->at++;
    ret->fault = row->fault;
    ret->status = row->status;
    ret->headers = arena_array(a, struct wire_header, PEER_HEADERS);
    for (size_t i = 0; i < PEER_HEADERS && row->headers[i].name; i++)
        ret->headers[ret->n_headers++] = row->headers[i];
    if (row->body)
        secret_set(&ret->body, row->body, row->body_len ? row->body_len : strlen(row->body));
}

/* What a test's task is given. */
struct peer_case {
    struct azure *az;
    struct arena *a;
    struct err err;
    int rc;
    void (*run)(struct call *c, struct peer_case *t);
    void *arg;                              /* the test's own */
    struct permit permit;
};

static void peer_task(struct call *c, void *arg)
{
    struct peer_case *t = arg;

    call_set_context(c, &t->permit);
    t->run(c, t);
}

static const struct permit_write peer_writes[] = {
    {HTTP_GET, "/"}, {HTTP_PUT, "/"}, {HTTP_POST, "/"}, {HTTP_PATCH, "/"}};

/* Runs `run` in a task against the rows; every row must have been asked for, and nothing else. */
static void peer_run_as(const char *reason, const struct peer_row *rows, size_t n_rows, struct credential *credential,
                        struct peer_case *t, struct peer *p)
{
    struct sched_options time = {.time = SCHED_VIRTUAL, .start_ms = time_parse("2026-11-23T03:00:00Z"), .seed = 1};
    struct sched *s = sched_new(&time);
    struct wire_peer peer = {.self = p, .answer = peer_answer};
    struct wire *wire = wire_peer_new(&peer);
    struct http_options options = {
        .wire = wire, .mode = HTTP_WRITING, .safe_posts = azure_safe_posts, .n_safe_posts = azure_n_safe_posts,
        .patience = {.unasked_ms = p->patient ? 0 : 1},
    };
    struct http *http = http_new(s, &options);

    p->rows = rows;
    p->n_rows = n_rows;
    t->permit = (struct permit){.step = "test", .writes = peer_writes, .n_writes = COUNT(peer_writes), .budget = 20};
    t->az = azure_new(http, cloud_builtin("AzurePublic"), credential, "tenant-1", "sub-1", "uaenorth");
    sched_main(s, peer_task, t);
    CHECK_ROW(reason, p->unexpected == 0);
    CHECK_ROW(reason, p->at == n_rows);
    azure_free(t->az);
    http_free(http);
    wire_free(wire);
    sched_free(s);
}

static void peer_release(struct peer *p)
{
    for (size_t i = 0; i < p->n_seen; i++)
        free(p->seen[i]);
    *p = (struct peer){0};
}

static inline void peer_run(const char *reason, const struct peer_row *rows, size_t n_rows, struct peer_case *t,
                            struct peer *p)
{
    struct credential credential = {.kind = CREDENTIAL_CLIENT_SECRET, .tenant = "tenant-1", .client_id = "client-1"};

    secret_set(&credential.client_secret, "s&cret", 6);
    peer_run_as(reason, rows, n_rows, &credential, t, p);
    credential_release(&credential);
}

#endif
