/* Knows how a string is made harmless in each shell, and how lines and comments are written. Must not know what they say. */
#include "text.h"

#include <stdarg.h>
#include <string.h>

#include "../../reconciler/base/value.h"

enum { COLUMNS = 116 };

/* --- quoting ---------------------------------------------------------------------------------------------------------------- */

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

void quote_sh(struct text *out, const char *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *name;
    size_t n;

    text_add_char(out, '\'');
    while (*s) {
        if ((name = variable_at(a, s, &n))) {
            text_printf(out, "'\"$%s\"'", name);
            s += n;
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

void quote_ps(struct text *out, const char *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    bool joined = strstr(s, RUNBOOK_MARK) || strstr(s, JSON_MARK);
    const char *name;
    size_t n;

    text_add(out, joined ? "('" : "'");
    while (*s) {
        if ((name = variable_at(a, s, &n))) {
            text_printf(out, "' + $%s + '", name);
        } else {
            n = ps_quote_at(s);
            text_add_n(out, s, n);
            n = n ? n : 1;
            text_add_n(out, s, n);
        }
        s += n;
    }
    text_add(out, joined ? "')" : "'");
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
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/;:@$()*,=+!" RUNBOOK_MARK;
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    for (; *path; path++)
        if (strchr(plain, *path))
            text_add_char(&t, *path);
        else
            text_add_percent(&t, (char[]){*path, 0});
    return arena_strdup(a, text_str(&t));
}

/* --- lines ------------------------------------------------------------------------------------------------------------------ */

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

    while (*s) {
        size_t n = fitting(s, COLUMNS - indent);

        text_printf(out, "%s# %*s", before, (int)(indent + (first ? 0 : 2)), "");
        for (size_t i = 0; i < n; i++)
            text_add_char(out, (unsigned char)s[i] < ' ' || s[i] == 0x7f ? ' ' : s[i]);
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
