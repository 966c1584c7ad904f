/* Plans, drift and outcomes for people. Pure: text in memory; cmd/ prints it. */
#ifndef REINSTATE_REPORT_H
#define REINSTATE_REPORT_H

#include "../base/text.h"
#include "plan.h"

struct report_style {
    bool colour;
    size_t width;      /* 0: do not wrap */
    bool all;          /* also what has nothing to do */
    /* Puts this call's own manifests and options where a command has "-f ..."; NULL: left as it is. */
    const char *(*filled)(struct arena *a, const char *text);
};

/* What is read before somebody says yes, on one screen of 24 lines: what cannot be undone and when, what is lost, what
 * will be done, how long that takes, who approves it, what must be watched. */
void report_head(struct text *out, const struct plan *p, const struct report_style *style);
/* The steps grouped by document, verdicts beside them, what is unverified, what is blocked and by whom it can be
 * unblocked; a legend of the marks first. */
void report_steps(struct text *out, const struct plan *p, const struct report_style *style);
/* One below the other. */
void report_plan(struct text *out, const struct plan *p, const struct report_style *style);
/* The same differences as findings: who lost what, what it breaks. */
void report_drift(struct text *out, const struct plan *p, const struct report_style *style);
#endif
