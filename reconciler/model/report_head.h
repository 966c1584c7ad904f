/* Parts of the head that drift shows too. report.c alone includes it. */
#ifndef REINSTATE_REPORT_HEAD_H
#define REINSTATE_REPORT_HEAD_H

#include "page.h"

/* The soonest `most` of what cannot be undone. */
void report_deadlines(const struct page *page, const struct plan *p, size_t most);
void report_unseen(const struct page *page, const struct plan *p);

#endif
