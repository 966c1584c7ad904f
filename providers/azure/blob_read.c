/* Knows how one blob is read, and when what came may be judged: an answer 200 may be of a proxy, or cut. Must not keep
 * anything outside wiped memory: a blob may be key material. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "blob.h"
#include "internal.h"

enum { PAGE = 512 };

enum how {
    READ_TRIMMED, /* an export: cut to what its writer says is his */
    READ_EXACT,
    READ_OPEN /* no secret, so no permit is needed */
};

/* One answer. */
struct reading {
    struct secret bytes; /* as they came, of which the answer to the caller is a part */
    size_t start, len;
    const char *etag;
};

static void reading_release(struct reading *r)
{
    secret_release(&r->bytes);
}

/* Page blobs are padded: the writer tells how much is his. */
static int trim(const struct http_response *response, const char *what, size_t *ret_start, size_t *ret_len,
                struct err *err)
{
    const char *real = http_response_header(response, "x-ms-meta-configblobsize");
    const char *bytes = response->body.bytes;
    size_t start = 0, len = response->body.len;

    if (real) {
        unsigned long long size = strtoull(real, NULL, 10);

        if (size > len)
            return azure_odd(response, err, "%s: the blob has %zu bytes, but says it has %s", what, len, real);
        len = (size_t)size;
    }
    while (len > 0 && (bytes[len - 1] == '\0' || isspace((unsigned char)bytes[len - 1])))
        len--;
    if (len >= 3 && memcmp(bytes, "\xef\xbb\xbf", 3) == 0)
        start = 3;
    *ret_start = start;
    *ret_len = len - start;
    return 0;
}

static int take(struct arena *a, const struct http_response *response, enum how how, size_t max, const char *what,
                struct reading *ret, struct err *err)
{
    const char *announced = http_response_header(response, "Content-Length"),
               *etag = http_response_header(response, "ETag");

    if (response->status != 200)
        return azure_odd(response, err, "%s: the service answered %d instead of the whole blob", what,
                         response->status);
    if (announced && strtoull(announced, NULL, 10) != response->body.len)
        return azure_odd(response, err, "%s: %zu of %s bytes came", what, response->body.len, announced);
    ret->start = 0;
    ret->len = response->body.len;
    if (how == READ_TRIMMED)
        TRY(trim(response, what, &ret->start, &ret->len, err));
    if (ret->len > max)
        return err_set(err, ERR_PROTOCOL, "%s: it has more than %zu bytes", what, max);
    secret_set(&ret->bytes, response->body.bytes ? response->body.bytes : "", response->body.len);
    ret->etag = arena_strdup(a, etag);
    return 0;
}

static int send(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                struct http_request *request, const char *what, struct http_response *ret, struct err *err)
{
    const struct wire_header headers[] = {{"x-ms-version", azure_version(az, API_BLOB)},
                                          {"x-ms-date", time_format_http(a, call_now_ms(c))}};
    char *url = NULL;
    int rc;

    TRY(blob_url(az, a, place, !place->account_key, &url, err));
    request->url = url;
    request->headers = headers;
    request->n_headers = COUNT(headers);
    rc = blob_send(az, c, a, place, place->account_key, request, what, ret, err);
    request->headers = NULL;
    request->n_headers = 0;
    if (rc < 0)
        return rc;
    return ret->status >= 400 ? azure_error_of(a, AUDIENCE_STORAGE, url, ret, what, err) : 0;
}

static int read_once(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, enum how how,
                     size_t max, const char *what, struct reading *ret, struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {
        .method = HTTP_GET, .max_body = max + (how == READ_TRIMMED ? PAGE : 0), .guarded = how != READ_OPEN};

    TRY(send(az, c, a, place, &request, what, &response, err));
    return take(a, &response, how, max, what, ret, err);
}

/* What came is the blob as it is kept, as far as its length and state tell. */
static int is_whole(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                    const char *what, const struct reading *r, bool *ret, struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = HTTP_HEAD};
    const char *length, *etag;

    *ret = false;
    TRY(send(az, c, a, place, &request, what, &response, err));
    length = http_response_header(&response, "Content-Length");
    etag = http_response_header(&response, "ETag");
    *ret = length && strtoull(length, NULL, 10) == r->bytes.len && etag && str_eq(etag, r->etag);
    return 0;
}

static bool same_bytes(const struct secret *x, const struct secret *y)
{
    return x->len == y->len && (!x->len || memcmp(x->bytes, y->bytes, x->len) == 0);
}

static bool fits(const struct blob_place *place, const struct reading *r)
{
    struct secret part cleanup(secret_release) = {0};

    if (!place->judge)
        return true;
    secret_set(&part, r->len ? r->bytes.bytes + r->start : "", r->len);
    return place->judge->fits(&part, place->judge->ctx);
}

/* What does not fit counts only once it has come whole twice, the same each time. */
static int read_sure(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, enum how how,
                     size_t max, struct secret *ret, const char **ret_etag, struct err *err)
{
    const char *what = arena_printf(a, "read blob %s of storage account %s", place->name, place->account);
    struct reading before cleanup(reading_release) = {0};
    struct http_again again = {0};
    bool had = false, whole = false;

    for (;;) {
        struct reading r cleanup(reading_release) = {0};
        int rc = read_once(az, c, a, place, how, max, what, &r, err);

        if (rc == 0 && !fits(place, &r)) {
            rc = is_whole(az, c, a, place, what, &r, &whole, err);
            if (rc == 0 && !(whole && had && same_bytes(&before.bytes, &r.bytes)))
                rc = azure_odd(NULL, err,
                               "%s: what came is not what it should hold, and did not come whole twice alike", what);
            had = whole;
            secret_set(&before.bytes, r.bytes.len ? r.bytes.bytes : "", r.bytes.len);
        }
        if (rc == 0) {
            secret_set(ret, r.len ? r.bytes.bytes + r.start : "", r.len);
            *ret_etag = r.etag;
            return 0;
        }
        if (!azure_ask_again(az, c, &again, err))
            return -(int)err->class;
    }
}

int blob_read(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
              const struct secret *account_key, size_t max, struct secret *ret, struct err *err)
{
    struct blob_place signed_place = *place;
    const char *ignored;

    signed_place.account_key = account_key;
    return read_sure(az, c, a, &signed_place, READ_TRIMMED, max, ret, &ignored, err);
}

int blob_read_open(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, size_t max,
                   struct secret *ret, const char **ret_etag, struct err *err)
{
    return read_sure(az, c, a, place, READ_OPEN, max, ret, ret_etag, err);
}

int blob_read_exact(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, size_t max,
                    struct secret *ret, struct err *err)
{
    const char *ignored;

    return read_sure(az, c, a, place, READ_EXACT, max, ret, &ignored, err);
}

static int exists_once(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                       const char *what, bool *ret, struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = HTTP_HEAD};
    int rc = send(az, c, a, place, &request, what, &response, err);

    *ret = rc == 0;
    if (rc < 0)
        return err->class == ERR_NOT_FOUND ? 0 : rc;
    return http_response_header(&response, "ETag")
               ? 0
               : azure_odd(&response, err, "%s: an answer %d that describes no blob", what, response.status);
}

int blob_exists(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, bool *ret,
                struct err *err)
{
    const char *what = arena_printf(a, "look for blob %s of storage account %s", place->name, place->account);
    struct blob_place by_token = *place;
    struct http_again again = {0};

    by_token.account_key = NULL;
    while (exists_once(az, c, a, &by_token, what, ret, err) < 0)
        if (!azure_ask_again(az, c, &again, err))
            return -(int)err->class;
    return 0;
}
