/* Knows what a terminal must not be sent, and how long a line is. Must not know what it says. */
#include "page.h"

#include <string.h>

static const char *const colour_codes[] = {"", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"};

static size_t columns(const char *s, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        /* A colour takes no room. */
        if (s[i] == '\033')
            while (i + 1 < n && s[i] != 'm')
                i++;
        else
            count += ((unsigned char)s[i] & 0xc0) != 0x80;
    }
    return count;
}

/* A command that is to be pasted: a line break in it would cut it in two. NULL: there is none. */
static const char *command_in(const char *text, size_t *ret_len)
{
    for (const char *p = strstr(text, ": "); p; p = strstr(p + 1, ": ")) {
        bool quoted = false;
        size_t n = 0;

        if (!str_starts(p + 2, "az ") && !(str_starts(p + 2, "reinstate ") && strstr(p, " -f ")))
            continue;
        for (; p[2 + n] && (quoted || (!str_starts(p + 2 + n, "; ") && !str_starts(p + 2 + n, ", "))); n++)
            quoted ^= p[2 + n] == '\'';
        *ret_len = n;
        return p + 2;
    }
    return NULL;
}

static const char *pasteable(const struct page *p, const char *text)
{
    return p->style->filled ? p->style->filled(p->arena, text) : text;
}

/* A line that is nothing but a command. */
static bool is_command(const char *line)
{
    return str_starts(line, "az ") || (str_starts(line, "reinstate ") && strstr(line, " -f ")) ||
           str_starts(line, "bash ");
}

/* Words one after the other, in a new line wherever the next one would not fit any more. `blanks`: so many stand before
 * the first one, or a line break in their place. Returns the column behind the last word. */
static size_t page_wrap(const struct page *p, size_t at, size_t hang, size_t blanks, const char *text)
{
    for (bool begun = false;; begun = true) {
        size_t gap = strspn(text, " "), n, wide;

        text += gap;
        if (!*text)
            return at;
        blanks = begun ? gap : blanks;
        n = strcspn(text, " ");
        wide = columns(text, n);
        if (blanks && p->style->width && at + blanks + wide > p->style->width) {
            text_printf(p->out, "\n%*s", (int)hang, "");
            at = hang;
        } else {
            text_printf(p->out, "%*s", (int)blanks, "");
            at += blanks;
        }
        text_add_n(p->out, text, n);
        at += wide;
        text += n;
    }
}

/* On a screen a command stands alone in its line, as it is. */
static void page_text(const struct page *p, size_t at, size_t hang, size_t blanks, const char *text)
{
    size_t n;
    const char *command = p->style->width ? command_in(text, &n) : NULL;

    while (command) {
        page_wrap(p, at, hang, blanks, arena_strndup(p->arena, text, (size_t)(command - text)));
        text_printf(p->out, "\n%*s%.*s\n", (int)hang, "", (int)n, command);
        text = command + n + strspn(command + n, ";, ");
        if (!*text)
            return;
        text_printf(p->out, "%*s", (int)hang, "");
        at = hang;
        blanks = 0;
        command = command_in(text, &n);
    }
    page_wrap(p, at, hang, blanks, text);
    text_add_char(p->out, '\n');
}

/* A lead may be filled up with blanks, so that what follows stands in a column. */
static size_t blanks_behind(const char *text)
{
    size_t n = strlen(text), blanks = 0;

    while (blanks < n && text[n - blanks - 1] == ' ')
        blanks++;
    return blanks < n ? blanks : 0;
}

void page_line(const struct page *p, size_t indent, enum colour colour, const char *lead, const char *fmt, ...)
{
    bool coloured = p->style->colour && colour != PLAIN && *lead;
    const char *safe = str_shown(p->arena, lead), *rest;
    size_t at = indent + strspn(safe, " ");
    va_list ap;

    va_start(ap, fmt);
    rest = str_shown(p->arena, pasteable(p, arena_vprintf(p->arena, fmt, ap)));
    va_end(ap);
    text_printf(p->out, "%*s%s%*s", (int)indent, "", coloured ? colour_codes[colour] : "", (int)(at - indent), "");
    at = page_wrap(p, at, indent + 2, 0, safe);
    text_add(p->out, coloured ? "\033[0m" : "");
    page_text(p, at, indent + 2, *safe && *rest ? 1 + blanks_behind(safe) : 0, rest);
}

void page_gap(const struct page *p)
{
    text_add_char(p->out, '\n');
}

void page_fold(const struct page *p, const char *lines)
{
    while (*lines) {
        size_t n = strcspn(lines, "\n"), indent = strspn(lines, " ");
        const char *line = arena_strndup(p->arena, lines, n);

        if (!p->style->width || columns(line, n) <= p->style->width || indent >= p->style->width / 2 ||
            is_command(line + indent)) {
            text_printf(p->out, "%s\n", line);
        } else {
            text_printf(p->out, "%*s", (int)indent, "");
            page_text(p, indent, indent + 2, 0, line + indent);
        }
        lines += n + (lines[n] == '\n');
    }
}
