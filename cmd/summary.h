/* The last lines of a run: what stands where, how long it took, what Azure was left with, what a person still has to
 * do. As data first, from the outcome and from a look afterwards; then as text. */
#ifndef REINSTATE_SUMMARY_H
#define REINSTATE_SUMMARY_H

#include "options.h"
#include "../reconciler/engine/engine.h"
#include "../reconciler/model/report.h"

/* The shape is that of schemas/report.json, $defs/summary. The options say which documents the run was held to. */
struct value *summary_of(struct arena *a, const struct look *after, const struct outcome *outcome,
                         const struct options *o);
/* The same of a run that was told to end at once: from the outcome alone, nothing is asked any more. */
struct value *summary_unseen(struct arena *a, const struct outcome *outcome);
/* What is said when nothing is left to do: no more than was seen. */
const char *summary_verdict(struct arena *a, const struct value *summary);
void summary_write(struct text *out, struct arena *a, const struct value *summary);

#endif
