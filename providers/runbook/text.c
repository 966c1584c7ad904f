/* Knows how a string is made harmless in each shell, and how lines and comments are written. Must not
 * know what they say. */
#include "text.h"

#include <stdarg.h>
#include <string.h>

#include "../../reconciler/base/value.h"

enum { COLUMNS = 116 };

/* --- quoting ------------------------------------------------------------------------------------------------------ */

#define JSON_MARK "\\u0001"

/* The name after a mark at s, if one stands there whole; *ret_len is the length of everything. */
static const char *variable_at(struct arena *a, const char *s, size_t *ret_len)
{
    const char *mark = str_starts(s, RUNBOOK_MARK) ? RUNBOOK_MARK : str_starts(s, JSON_MARK) ? JSON_MARK : NULL;
    size_t n;

    if (!mark)
        return NULL;
    s += strlen(mark);
    n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
    if (n == 0 || !str_starts(s + n, mark))
        return NULL;
    *ret_len = n + 2 * strlen(mark);
    return arena_strndup(a, s, n);
}

/* What a terminal would obey, or shows as another text than it is: control characters, those that turn the direction of
 * writing, and line ends of other alphabets. The bytes of it at s; *ret_code is the character. */
static size_t obeyed_at(const char *s, unsigned *ret_code)
{
    const unsigned char *u = (const unsigned char *)s;

    if (u[0] < ' ' || u[0] == 0x7f) {
        *ret_code = u[0];
        return u[0] ? 1 : 0;
    }
    if (u[0] == 0xc2 && u[1] >= 0x80 && u[1] < 0xa0) {
        *ret_code = u[1];
        return 2;
    }
    if (u[0] != 0xe2 && u[0] != 0xef)
        return 0;
    if (!u[1] || !u[2])
        return 0;
    *ret_code = (u[0] & 0xfu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
    return (*ret_code >= 0x200b && *ret_code <= 0x200f) || (*ret_code >= 0x2028 && *ret_code <= 0x202e) ||
                   (*ret_code >= 0x2060 && *ret_code <= 0x206f) || *ret_code == 0xfeff
               ? 3
               : 0;
}

void quote_sh(struct text *out, const char *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *name;
    unsigned code;
    size_t n;

    text_add_char(out, '\'');
    while (*s) {
        if ((name = variable_at(a, s, &n))) {
            text_printf(out, "'\"$%s\"'", name);
            s += n;
        } else if ((n = obeyed_at(s, &code))) {
            text_add(out, "'$'");
            for (; n; n--, s++)
                text_printf(out, "\\x%02x", (unsigned char)*s);
            text_add(out, "''");
        } else {
            text_add(out, *s == '\'' ? "'\\''" : (char[]){*s, 0});
            s++;
        }
    }
    text_add_char(out, '\'');
}

/* PowerShell takes typographic quotes for quotes as well. */
static size_t ps_quote_at(const char *s)
{
    static const char *const quotes[] = {"'", "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a", "\xe2\x80\x9b"};

    for (size_t i = 0; i < COUNT(quotes); i++)
        if (str_starts(s, quotes[i]))
            return strlen(quotes[i]);
    return 0;
}

static void ps_parts(struct text *out, const char *s, bool *ret_joined)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *name;
    unsigned code;
    size_t n;

    text_add_char(out, '\'');
    while (*s) {
        if ((name = variable_at(a, s, &n))) {
            text_printf(out, "' + $%s + '", name);
            *ret_joined = true;
        } else if ((n = obeyed_at(s, &code))) {
            text_printf(out, "' + [char]0x%x + '", code);
            *ret_joined = true;
        } else {
            n = ps_quote_at(s);
            text_add_n(out, s, n);
            n = n ? n : 1;
            text_add_n(out, s, n);
        }
        s += n;
    }
    text_add_char(out, '\'');
}

void quote_ps(struct text *out, const char *s)
{
    struct text parts cleanup(text_release) = {0};
    bool joined = false;

    text_init(&parts, TEXT_CEILING);
    ps_parts(&parts, s, &joined);
    text_printf(out, joined ? "(%s)" : "%s", text_str(&parts));
}

static char *quoted(struct arena *a, void (*quote)(struct text *, const char *), const char *s)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    quote(&t, s ? s : "");
    return arena_strdup(a, text_str(&t));
}

char *sh(struct arena *a, const char *s)
{
    return quoted(a, quote_sh, s);
}

char *ps(struct arena *a, const char *s)
{
    return quoted(a, quote_ps, s);
}

const char *with_str(const struct value *with, const char *member)
{
    const char *s = value_str_at(with, member);

    return s ? s : "";
}

char *path_encoded(struct arena *a, const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/;:@$()*,=+!" RUNBOOK_MARK;
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    for (; *path; path++)
        if (strchr(plain, *path))
            text_add_char(&t, *path);
        else
            text_add_percent(&t, (char[]){*path, 0});
    return arena_strdup(a, text_str(&t));
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

/* The length of what fits into the room: up to a line end, else to the last blank, else one long word whole. */
static size_t fitting(const char *s, size_t room)
{
    size_t n = strcspn(s, "\n\r");

    if (n <= room)
        return n;
    for (n = room; n > 0 && (s[n] != ' ' || str_starts(s + n, " ...")); n--)
        continue;
    return n ? n : strcspn(s, " \n\r");
}

/* Nothing gets out of a comment: line ends begin a new one, and there is no other control character in it. */
static void wrapped(struct text *out, const char *before, size_t indent, const char *s)
{
    bool first = true;
    unsigned code;

    while (*s) {
        size_t n = fitting(s, COLUMNS - indent);

        text_printf(out, "%s# %*s", before, (int)(indent + (first ? 0 : 2)), "");
        for (size_t i = 0, k; i < n; i += k ? k : 1)
            text_add_char(out, (k = obeyed_at(s + i, &code)) ? ' ' : s[i]);
        text_add_char(out, '\n');
        s += n;
        s += strspn(s, " \n\r");
        first = false;
    }
}

void comment(struct text *out, size_t indent, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    if (*s)
        wrapped(out, "", indent, s);
    else
        text_add(out, "#\n");
}

void note(struct text *out, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;

    va_start(ap, fmt);
    wrapped(out, "    ", 0, arena_vprintf(a, fmt, ap));
    va_end(ap);
}

void line(struct text *out, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;

    va_start(ap, fmt);
    text_printf(out, "    %s\n", arena_vprintf(a, fmt, ap));
    va_end(ap);
}
