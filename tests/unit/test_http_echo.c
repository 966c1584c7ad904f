/* Answers that repeat what they were sent: neither caller nor record may see a credential in them. */
#include "http_bench.h"

#define TOKEN "eyJhbGciOiJub25lIn0.planted-token-of-this-test.AAAA"
#define LOST "eyJhbGciOiJub25lIn0.planted-tok"
#define BLOB "planted-key-backup-0123456789-of-this-test"

static const struct http_secret blob = {BLOB, sizeof(BLOB) - 1}, brief = {"s3cr", 4}, nothing = {NULL, 0};

static const struct row {
    const char *reason;
    int status;
    const char *authorization;
    const struct http_secret *secret;
    const char *body, *want;
} rows[] = {
    {"the token of the request", 401, "Bearer " TOKEN, NULL, "no: " TOKEN ".",
     "no: ***************************************************."},
    {"the token, cut", 401, "Bearer " TOKEN, NULL, "no: " LOST "...", "no: *******************************..."},
    {"a signature", 403, "SharedKey account:c2lnbmF0dXJlIHBsYW50ZWQ=", NULL, "<S>account:c2lnbmF0dXJlIHBsYW50ZWQ=</S>",
     "<S>account:************************</S>"},
    {"a secret of the body, twice", 400, NULL, &blob, BLOB " " BLOB,
     "****************************************** ******************************************"},
    {"a short secret", 400, NULL, &brief, "s3cr s3c s3crs3cr", "**** s3c ********"},
    {"a secret that is none", 400, NULL, &nothing, "text", "text"},
    {"another token", 401, "Bearer " TOKEN, NULL, "no: eyJraWQiOiIxIn0.other", "no: eyJraWQiOiIxIn0.other"},
    {"the token, in an answer that is no refusal", 200, "Bearer " TOKEN, NULL, "{" TOKEN "}",
     "{***************************************************}"},
    {"what begins like a token may be what was asked for", 200, "Bearer " TOKEN, NULL, LOST "-other",
     LOST "-other"},
    {"a short secret, by chance", 200, NULL, &brief, "s3cr", "s3cr"},
};

static void see(void *ctx, const struct wire_request *request, const struct wire_reply *reply)
{
    struct bench *b = ctx;

    (void)request;
    text_clear(&b->waits);
    text_add_n(&b->waits, reply->body.bytes, reply->body.len);
}

static void test_echoes(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct answer script[2] = {{WIRE_OK, row->status, NULL, NULL, row->body, 0}, {0}};
        struct bench b;

        bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY, .record = see});
        b.request.authorization = row->authorization;
        b.request.secrets = row->secret;
        b.request.n_secrets = row->secret != NULL;
        bench_send(&b, HTTP_GET, "https://arm.example/x");
        CHECK_ROW(row->reason, b.rc == 0 && b.response.body.len == strlen(row->want));
        CHECK_STR(b.response.body.bytes, row->want);
        CHECK_STR(text_str(&b.waits), row->want);
        bench_close(&b);
    }
}

/* Every header, whatever the status: the journal keeps one, a record all. */
static void see_headers(void *ctx, const struct wire_request *request, const struct wire_reply *reply)
{
    struct bench *b = ctx;

    (void)request;
    text_clear(&b->waits);
    for (size_t i = 0; i < reply->n_headers; i++)
        text_add(&b->waits, reply->headers[i].value);
}

static void test_headers(void)
{
    static const int statuses[] = {200, 202, 302, 403};

    for (size_t i = 0; i < COUNT(statuses); i++) {
        struct answer script[2] = {{WIRE_OK, statuses[i], "x-ms-correlation-request-id", "t=" TOKEN ";", "{}", 0}, {0}};
        struct bench b;

        bench_open(&b, script, (struct http_options){.mode = HTTP_READ_ONLY, .record = see_headers});
        b.request.authorization = "Bearer " TOKEN;
        bench_send(&b, HTTP_GET, "https://arm.example/x");
        CHECK(strstr(text_str(&b.waits), "t=******"));
        CHECK(!strstr(text_str(&b.waits), "planted"));
        CHECK(!strstr(b.err.text, "planted"));
        bench_close(&b);
    }
}

int main(void)
{
    test_echoes();
    test_headers();
    HARNESS_END();
}
