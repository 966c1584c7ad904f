/* Knows how a request to the blob service is signed with an account's key (Microsoft Learn, Authorize with Shared Key).
 * Must not know what is asked for, nor whether the account takes signed requests. */
#include "data.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"

enum { SIGNED_HEADERS_MAX = 64 };

struct pair { const char *name, *value; };

static int by_name(const void *a, const void *b)
{
    const struct pair *p = a, *q = b;
    int order = strcmp(p->name, q->name);

    return order ? order : strcmp(p->value, q->value);
}

static const char *trimmed(struct arena *a, const char *s)
{
    size_t n;

    while (*s == ' ')
        s++;
    for (n = strlen(s); n && s[n - 1] == ' ';)
        n--;
    return arena_strndup(a, s, n);
}

static void add_canonical_headers(const struct sim_request *r, struct text *t)
{
    struct pair pairs[SIGNED_HEADERS_MAX];
    size_t n = 0;

    for (size_t i = 0; i < r->n_headers && n < COUNT(pairs); i++)
        if (str_starts_nocase(r->headers[i].name, "x-ms-"))
            pairs[n++] = (struct pair){str_lower(r->arena, r->headers[i].name), trimmed(r->arena, r->headers[i].value)};
    qsort(pairs, n, sizeof(pairs[0]), by_name);
    for (size_t i = 0; i < n; i++)
        text_printf(t, "%s:%s\n", pairs[i].name, pairs[i].value);
}

static void add_canonical_resource(const struct sim_request *r, const char *account, struct text *t)
{
    struct pair pairs[QUERY_MAX];
    size_t n = 0;

    text_printf(t, "/%s%s", account, r->path);
    for (size_t i = 0; i < r->n_query; i++)
        pairs[n++] = (struct pair){str_lower(r->arena, r->query_names[i]), r->query_values[i]};
    qsort(pairs, n, sizeof(pairs[0]), by_name);
    for (size_t i = 0; i < n; i++)
        if (i && str_eq(pairs[i].name, pairs[i - 1].name))
            text_printf(t, ",%s", pairs[i].value);
        else
            text_printf(t, "\n%s:%s", pairs[i].name, pairs[i].value);
}

static void string_to_sign(const struct sim_request *r, const char *account, struct text *t)
{
    static const char *const standard[] = {
        "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5",   "Content-Type",        "Date",
        "If-Modified-Since", "If-Match",        "If-None-Match",  "If-Unmodified-Since", "Range",
    };

    text_printf(t, "%s\n", r->method);
    for (size_t i = 0; i < COUNT(standard); i++) {
        const char *value = request_header(r, standard[i]);
        bool unsigned_date = str_eq(standard[i], "Date") && request_header(r, "x-ms-date");
        bool no_length = str_eq(standard[i], "Content-Length") && value && str_eq(value, "0");

        text_printf(t, "%s\n", value && !unsigned_date && !no_length ? value : "");
    }
    add_canonical_headers(r, t);
    add_canonical_resource(r, account, t);
}

bool shared_key_fits(struct sim *s, const struct sim_request *r, const char *account, const char *signature)
{
    struct text message, key, expected;
    bool fits = false;

    text_init(&message, TEXT_CEILING);
    text_init(&key, TEXT_CEILING);
    text_init(&expected, TEXT_CEILING);
    string_to_sign(r, account, &message);
    for (int n = 1; n <= 2 && !fits; n++) {
        struct secret raw;
        struct err ignored;

        secret_init(&raw);
        text_clear(&key);
        text_clear(&expected);
        storage_account_key(s, account, n, &key);
        if (crypt_base64_decode(text_str(&key), key.len, BASE64_STANDARD, &raw, &ignored) == 0)
            crypt_hmac_sha256_base64(raw.bytes, raw.len, message.s, message.len, &expected);
        fits = expected.len && str_eq(text_str(&expected), signature);
        secret_release(&raw);
    }
    text_release(&message);
    text_release(&key);
    text_release(&expected);
    return fits;
}
