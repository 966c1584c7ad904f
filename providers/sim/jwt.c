/* Knows signed tokens (JWT) as this world makes and recognises them: a MAC under a key that only it has, one for each
 * issuer. Must not know what a token is for. */
#include "internal.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

/* The signature over "header.payload". */
static char *signature(struct sim *s, struct arena *a, const char *issuer, const char *signed_part, size_t len)
{
    unsigned char key[32];
    struct text t;
    char *ret;

    text_init(&t, 256);
    crypt_derive(issuer, s->seed, key);
    crypt_hmac_sha256_base64(key, sizeof(key), signed_part, len, &t);
    ret = arena_strdup(a, text_str(&t));
    text_release(&t);
    for (char *c = ret; *c; c++)
        *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
    ret[strcspn(ret, "=")] = '\0';
    return ret;
}

char *jwt_make(struct sim *s, struct arena *a, const char *issuer, const struct value *claims)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    char *json = json_string(a, claims, JSON_COMPACT), *ret;
    struct text t;

    text_init(&t, 65536);
    crypt_base64_encode(&t, header, strlen(header), BASE64_URL);
    text_add_char(&t, '.');
    crypt_base64_encode(&t, json, strlen(json), BASE64_URL);
    ret = signature(s, a, issuer, t.s, t.len);
    text_printf(&t, ".%s", ret);
    ret = arena_strdup(a, text_str(&t));
    text_release(&t);
    return ret;
}

struct value *jwt_part(struct arena *a, const char *token, int part)
{
    struct secret bytes;
    struct value *ret = NULL;
    struct err ignored;

    for (; token && part > 0; part--) {
        token = strchr(token, '.');
        token = token ? token + 1 : NULL;
    }
    if (!token)
        return NULL;
    secret_init(&bytes);
    if (crypt_base64_decode(token, strcspn(token, "."), BASE64_URL, &bytes, &ignored) == 0 &&
        json_parse(a, bytes.bytes, bytes.len, &ret, &ignored) < 0)
        ret = NULL;
    secret_release(&bytes);
    return ret;
}

struct value *jwt_claims(struct sim *s, struct arena *a, const char *issuer, const char *token)
{
    const char *first = strchr(token, '.'), *second = first ? strchr(first + 1, '.') : NULL;

    if (!second || !str_eq(second + 1, signature(s, a, issuer, token, (size_t)(second - token))))
        return NULL;
    return jwt_part(a, token, 1);
}
