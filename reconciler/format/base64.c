/* Knows base64 in its two alphabets. Must not know what the bytes are. */
#include "crypt.h"

#include <string.h>

static const char alphabets[][65] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

void crypt_base64_encode(struct text *out, const void *bytes, size_t len, enum base64_kind kind)
{
    const unsigned char *p = bytes;
    const char *digits = alphabets[kind];

    for (; len > 0; p += 3, len -= len < 3 ? len : 3) {
        uint32_t group = (uint32_t)p[0] << 16 | (len > 1 ? (uint32_t)p[1] << 8 : 0) | (len > 2 ? p[2] : 0);
        char quad[4] = {digits[group >> 18], digits[group >> 12 & 63], digits[group >> 6 & 63], digits[group & 63]};
        size_t used = len >= 3 ? 4 : len + 1;

        text_add_n(out, quad, used);
        if (kind == BASE64_STANDARD)
            text_add_n(out, "==", 4 - used);
    }
}

int crypt_base64_decode(const char *s, size_t len, enum base64_kind kind, struct secret *ret, struct err *err)
{
    struct secret out cleanup(secret_release) = {0};
    size_t padded = len;
    uint32_t group = 0;

    while (len > 0 && padded - len < 2 && s[len - 1] == '=')
        len--;
    if (len % 4 == 1 || (padded != len && padded % 4 != 0))
        return err_set(err, ERR_INVALID, "not base64: %zu characters do not add up", padded);
    secret_reserve(&out, len / 4 * 3 + 3);
    for (size_t i = 0; i < len; i++) {
        const char *at = s[i] ? strchr(alphabets[kind], s[i]) : NULL;

        if (!at)
            return err_set(err, ERR_INVALID, "not base64: character %zu does not belong", i + 1);
        group = group << 6 | (uint32_t)(at - alphabets[kind]);
        if (i % 4 != 0)
            out.bytes[out.len++] = (char)(group >> (6 - 2 * (i % 4)));
    }
    /* The bits left over must be zero, or two texts would stand for the same bytes. */
    if ((len % 4 == 2 && group & 15) || (len % 4 == 3 && group & 3))
        return err_set(err, ERR_INVALID, "not base64: the last character does not belong");
    secret_set(ret, out.bytes, out.len);
    return 0;
}
