/* Knows what text of others may do to whoever reads it: move a cursor, hide words or turn their direction, begin a line
 * of its own, or give an order to a build server that reads the log. Must not know what is said, nor where
 * it is shown. */
#include "text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* --- characters --------------------------------------------------------------------------------------------------- */

/* Marks that turn the direction of what follows or are not seen themselves, and what ends a line besides a line end. */
static bool unseen(uint32_t c)
{
    return c == 0x00ad || c == 0x061c || c == 0x180e || (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffb) ||
           (c >= 0xe0000 && c <= 0xe007f);
}

static uint32_t code_point(const unsigned char *s, size_t n)
{
    uint32_t c = n == 1 ? s[0] : s[0] & (0xffU >> (n + 1));

    for (size_t i = 1; i < n; i++)
        c = c << 6 | (s[i] & 0x3fU);
    return c;
}

size_t str_treacherous(const char *s)
{
    const unsigned char *u = (const unsigned char *)s;
    size_t n = utf8_length(s, strnlen(s, 4));
    uint32_t c;

    /* A lone byte may be a control character to a terminal that does not read UTF-8. */
    if (n == 0)
        return 1;
    c = code_point(u, n);
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || unseen(c) ? n : 0;
}

/* "##[", "##vso[", "##teamcity[": orders to build servers wherever they stand in a line. */
static bool orders_anywhere(const char *s)
{
    if (s[0] != '#' || s[1] != '#')
        return false;
    for (s += 2; isalnum((unsigned char)*s) || *s == '-'; s++)
        continue;
    return *s == '[';
}

/* The first character of "::error" and the like, which are orders at the beginning of a line only. */
static const char *order_at_start(const char *line)
{
    line += strspn(line, " ");
    return line[0] == ':' && line[1] == ':' ? line : NULL;
}

static void add_bytes(struct text *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_printf(out, "\\x%02x", (unsigned char)s[i]);
}

/* Colours of our own, as style_* of the report and the progress write them. */
static size_t own_colour(const char *s)
{
    static const char *const own[] = {"\033[0m", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m", "\033[36m"};

    for (size_t i = 0; i < COUNT(own); i++)
        if (str_starts(s, own[i]))
            return strlen(own[i]);
    return 0;
}

/* --- texts -------------------------------------------------------------------------------------------------------- */

enum { KEEP_LINES = 1, KEEP_COLOURS = 2 };

static void add_shown(struct text *out, const char *text, int keep)
{
    const char *order = order_at_start(text);

    while (*text) {
        size_t kept = keep & KEEP_COLOURS ? own_colour(text) : 0, n = kept ? 0 : str_treacherous(text);

        if (kept) {
            text_add_n(out, text, kept);
        } else if (*text == '\n' && keep & KEEP_LINES) {
            text_add_char(out, '\n');
            order = order_at_start(text + 1);
        } else if (*text == '\t' && keep & KEEP_LINES) {
            text_add_char(out, '\t');
        } else if (strchr("\n\t\r", *text)) {
            text_add_char(out, ' ');
        } else if (n || orders_anywhere(text) || text == order) {
            add_bytes(out, text, n ? n : 1);
        } else {
            n = utf8_length(text, strnlen(text, 4));
            text_add_n(out, text, n);
        }
        text += kept ? kept : n ? n : 1;
    }
}

static char *shown(struct arena *a, const char *text, int keep)
{
    struct text out cleanup(text_release);

    text_init(&out, TEXT_CEILING);
    add_shown(&out, text, keep);
    return arena_strdup(a, text_str(&out));
}

char *str_shown(struct arena *a, const char *text)
{
    return shown(a, text, 0);
}

char *str_shown_lines(struct arena *a, const char *text, bool coloured)
{
    return shown(a, text, KEEP_LINES | (coloured ? KEEP_COLOURS : 0));
}

/* --- JSON --------------------------------------------------------------------------------------------------------- */

char *json_shown(struct arena *a, const char *json)
{
    struct text out cleanup(text_release);
    size_t n;

    text_init(&out, TEXT_CEILING);
    for (; *json; json += n) {
        bool hidden = *json != '\n' && str_treacherous(json) != 0;
        uint32_t c;

        n = utf8_length(json, strnlen(json, 4));
        n = n ? n : 1;
        c = code_point((const unsigned char *)json, n);
        if (hidden && c > 0xffff)
            text_printf(&out, "\\u%04x\\u%04x", 0xd800 + ((c - 0x10000) >> 10), 0xdc00 + ((c - 0x10000) & 0x3ff));
        else if (hidden || orders_anywhere(json))
            text_printf(&out, "\\u%04x", c);
        else
            text_add_n(&out, json, n);
    }
    return arena_strdup(a, text_str(&out));
}

/* --- formats ------------------------------------------------------------------------------------------------------ */

/* One conversion of a format: its text, and what stands in it. */
struct conversion {
    char spec[32];
    int width, precision;   /* -1: none */
    bool left;
    int longs;              /* l: 1, ll and j: 2, z: 3 */
    char letter;
    size_t len;
};

static int number_read(const char **p, va_list *ap)
{
    int n = 0;

    if (**p == '*') {
        ++*p;
        return va_arg(*ap, int);
    }
    for (; isdigit((unsigned char)**p); ++*p)
        n = n * 10 + (**p - '0');
    return n;
}

static struct conversion conversion_read(const char *format, va_list *ap)
{
    struct conversion c = {.width = -1, .precision = -1};
    const char *p = format + 1, *flags = p;
    size_t n;

    p += strspn(p, "-+ #0");
    n = (size_t)(p - flags);
    c.left = memchr(flags, '-', n) != NULL;
    if (isdigit((unsigned char)*p) || *p == '*')
        c.width = number_read(&p, ap);
    if (*p == '.') {
        p++;
        c.precision = number_read(&p, ap);
    }
    for (; strchr("hljz", *p) && *p; p++)
        c.longs += *p == 'l' ? 1 : *p == 'j' ? 2 : *p == 'z' ? 3 : 0;
    c.letter = *p;
    c.len = (size_t)(p + 1 - format);
    snprintf(c.spec, sizeof(c.spec), "%%%.*s%s%s%s%c", (int)n, flags, c.width >= 0 ? "*" : "",
             c.precision >= 0 ? ".*" : "", c.letter == 's' || c.letter == 'c' || strchr("feg", c.letter) ? "" : "ll",
             c.letter);
    return c;
}

static void add_text(struct text *out, const struct conversion *c, const char *s)
{
    struct text safe cleanup(text_release);
    size_t n = s ? strnlen(s, c->precision >= 0 ? (size_t)c->precision : SIZE_MAX / 2) : 0;
    struct arena *a cleanup(arena_freep) = arena_new();
    size_t room;

    text_init(&safe, TEXT_CEILING);
    add_shown(&safe, arena_strndup(a, s ? s : "", n), 0);
    room = c->width > 0 && (size_t)c->width > safe.len ? (size_t)c->width - safe.len : 0;
    text_printf(out, "%*s%s%*s", c->left ? 0 : (int)room, "", text_str(&safe), c->left ? (int)room : 0, "");
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static void add_number(struct text *out, const struct conversion *c, long long n)
{
    if (c->width >= 0 && c->precision >= 0)
        text_printf(out, c->spec, c->width, c->precision, n);
    else if (c->width >= 0 || c->precision >= 0)
        text_printf(out, c->spec, c->width >= 0 ? c->width : c->precision, n);
    else
        text_printf(out, c->spec, n);
}

static void add_real(struct text *out, const struct conversion *c, double d)
{
    if (c->width >= 0 && c->precision >= 0)
        text_printf(out, c->spec, c->width, c->precision, d);
    else if (c->width >= 0 || c->precision >= 0)
        text_printf(out, c->spec, c->width >= 0 ? c->width : c->precision, d);
    else
        text_printf(out, c->spec, d);
}
#pragma GCC diagnostic pop

static long long number_take(const struct conversion *c, va_list *ap)
{
    bool is_signed = c->letter == 'd' || c->letter == 'i';

    if (c->longs == 3)
        return (long long)va_arg(*ap, size_t);
    if (c->longs == 2)
        return va_arg(*ap, long long);
    if (c->longs == 1)
        return is_signed ? va_arg(*ap, long) : (long long)va_arg(*ap, unsigned long);
    return is_signed ? va_arg(*ap, int) : (long long)va_arg(*ap, unsigned);
}

void text_say(struct text *out, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    for (size_t n; *format; format += n) {
        struct conversion c;

        n = strcspn(format, "%");
        text_add_n(out, format, n);
        if (!format[n])
            break;
        format += n;
        c = conversion_read(format, &ap);
        n = c.len;
        if (c.letter == 's')
            add_text(out, &c, va_arg(ap, const char *));
        else if (c.letter == 'c')
            text_add_char(out, (char)va_arg(ap, int));
        else if (c.letter == '%')
            text_add_char(out, '%');
        else if (strchr("feg", c.letter))
            add_real(out, &c, va_arg(ap, double));
        else
            add_number(out, &c, number_take(&c, &ap));
    }
    va_end(ap);
}
