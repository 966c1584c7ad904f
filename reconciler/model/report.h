/* Plans, drift and outcomes for people. Pure: text in memory; cmd/ prints it. */
#ifndef REINSTATE_REPORT_H
#define REINSTATE_REPORT_H

#include "../base/text.h"
#include "plan.h"

struct report_style {
    bool colour;
    size_t width;      /* 0: do not wrap */
    /* Puts this call's own manifests and options where a command has "-f ..."; NULL: left as it is. */
    const char *(*filled)(struct arena *a, const char *text);
};

/* Top first: deadlines, summary of what will happen, then the steps grouped by document, verdicts beside them, what is
 * unverified, what is blocked and by whom it can be unblocked, total estimate. */
void report_plan(struct text *out, const struct plan *p, const struct report_style *style);
/* The same differences as findings: who lost what, what it breaks. */
void report_drift(struct text *out, const struct plan *p, const struct report_style *style);
#endif
