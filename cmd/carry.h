/* Carrying a plan out, for apply and watch: the run's journal line, the act, what came of it as text and JSON. */
#ifndef REINSTATE_CARRY_H
#define REINSTATE_CARRY_H

#include "session.h"
#include "../reconciler/model/report.h"

/* Counts the steps that would be tried: they have something to do, nothing blocks them, and policy lets them pass. */
size_t carry_runnable(const struct plan *plan);
/* Refuses options that name something unknown, before anything is written. */
must_use int carry_check(const struct session *s, const struct look *look, struct err *err);
/* Acts in a run of its own. */
must_use int carry_out(struct session *s, struct arena *a, const struct look *look, struct outcome *ret,
                       struct err *err);
/* Rights that we lack have stopped the whole run: nothing was begun. */
bool carry_gaps_stop(const struct outcome *o);
void carry_report(struct text *out, const struct outcome *outcome, const struct report_style *style);
struct value *carry_to_value(struct arena *a, const struct outcome *outcome);

#endif
