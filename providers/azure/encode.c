/* Knows how bytes are written where only some characters may stand: in paths, forms and tokens. Must not
 * know what they say. */
#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "internal.h"

void url_add_path(struct text *url, const char *path)
{
    for (const char *p = path; *p; p++) {
        unsigned char ch = (unsigned char)*p;
        bool encoded = ch == '%' && isxdigit((unsigned char)p[1]) && isxdigit((unsigned char)p[2]);

        if (!encoded && (ch <= ' ' || ch >= 0x7f || strchr("\"#%<>?[\\]^`{|}", ch)))
            text_printf(url, "%%%02X", ch);
        else
            text_add_char(url, (char)ch);
    }
}

static int hex_digit(char ch)
{
    return !isxdigit((unsigned char)ch) ? -1
           : isdigit((unsigned char)ch) ? ch - '0'
                                        : tolower((unsigned char)ch) - 'a' + 10;
}

/* One character, its letter case folded; moves on by the one or three that stand for it. */
static int next_folded(const char **at)
{
    const char *p = *at;
    int high = *p == '%' ? hex_digit(p[1]) : -1, low = high < 0 ? -1 : hex_digit(p[2]);

    *at += low < 0 ? 1 : 3;
    return tolower(low < 0 ? (unsigned char)*p : high << 4 | low);
}

bool url_same_name(const char *x, const char *y)
{
    while (*x && *y)
        if (next_folded(&x) != next_folded(&y))
            return false;
    return !*x && !*y;
}

char *url_mended(struct arena *a, const char *url)
{
    struct text t cleanup(text_release) = {.ceiling = 256 * 1024};

    while (*url == ' ' || *url == '\t')
        url++;
    for (const char *p = url; *p; p++) {
        unsigned char ch = (unsigned char)*p;

        if (ch <= ' ' || ch >= 0x7f || strchr("\"<>[\\]^`{|}", ch))
            text_printf(&t, "%%%02X", ch);
        else
            text_add_char(&t, (char)ch);
    }
    return arena_strdup(a, text_str(&t));
}

char *url_followed(struct arena *a, const char *url)
{
    return strpbrk(url, " \"<>\\^`{|}") ? url_mended(a, url) : arena_strdup(a, url);
}

void secret_add_base64url(struct secret *s, const void *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const unsigned char *in = bytes;

    for (size_t i = 0; i < len; i += 3) {
        size_t have = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)in[i] << 16 | (have > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (have > 2 ? in[i + 2] : 0);
        char out[4] = {digits[bits >> 18 & 63], digits[bits >> 12 & 63], digits[bits >> 6 & 63], digits[bits & 63]};

        secret_append(s, out, have + 1);
        secret_wipe(out, sizeof(out));
    }
}

void secret_add_percent(struct secret *s, const char *bytes, size_t len)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char ch = (unsigned char)bytes[i];
        char out[3] = {'%', hex[ch >> 4], hex[ch & 15]};

        if (isalnum(ch) || (ch && strchr("-._~", ch)))
            secret_append(s, bytes + i, 1);
        else
            secret_append(s, out, 3);
    }
}
