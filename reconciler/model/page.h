/* Lines for people: cleaned of what a service or a manifest could do to a terminal, coloured and wrapped
 * as the style says. Pure. */
#ifndef REINSTATE_PAGE_H
#define REINSTATE_PAGE_H

#include "report.h"

struct page {
    struct text *out;
    const struct report_style *style;
    struct arena *arena;
};

enum colour { PLAIN, BOLD, DIM, RED, GREEN, YELLOW };

/* A line: indent, a coloured lead, and the rest, wrapped under itself. */
void page_line(const struct page *p, size_t indent, enum colour colour, const char *lead, const char *fmt, ...)
    printf_like(5, 6);
void page_gap(const struct page *p);
/* Lines that are made already, each wrapped between words where it is too wide, under its own indent; a command that
 * is to be pasted stands alone in its line, whole. Without a width they stay as they are. */
void page_fold(const struct page *p, const char *lines);

#endif
