/* Knows what a terminal must not be sent, and how long a line is. Must not know what it says. */
#include "page.h"

#include <string.h>

static const char *const colour_codes[] = {"", "\033[1m", "\033[2m", "\033[31m", "\033[32m", "\033[33m"};

static size_t columns(const char *s, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xc0) != 0x80;
    return count;
}

/* Words one after the other, in a new line wherever the next one would not fit any more. */
static void page_wrap(const struct page *p, size_t at, size_t hang, const char *text)
{
    bool first = true;

    while (*text) {
        size_t n = strcspn(text, " "), wide = columns(text, n);

        if (n && !first && p->style->width && at + 1 + wide > p->style->width) {
            text_printf(p->out, "\n%*s", (int)hang, "");
            at = hang;
        } else if (n && !first) {
            text_add_char(p->out, ' ');
            at++;
        }
        text_add_n(p->out, text, n);
        at += wide;
        first = first && n == 0;
        text += n + (text[n] == ' ');
    }
    text_add_char(p->out, '\n');
}

void page_line(const struct page *p, size_t indent, enum colour colour, const char *lead, const char *fmt, ...)
{
    bool coloured = p->style->colour && colour != PLAIN && *lead;
    const char *safe = str_shown(p->arena, lead), *rest;
    va_list ap;

    va_start(ap, fmt);
    rest = str_shown(p->arena, arena_vprintf(p->arena, fmt, ap));
    va_end(ap);
    text_printf(p->out, "%*s%s%s%s", (int)indent, "", coloured ? colour_codes[colour] : "", safe, coloured ? "\033[0m" : "");
    if (*safe && *rest)
        text_add_char(p->out, ' ');
    page_wrap(p, indent + columns(safe, strlen(safe)) + (*safe && *rest), indent + 2, rest);
}

void page_gap(const struct page *p)
{
    text_add_char(p->out, '\n');
}
