/* What watch tells of machines from pass to pass: at risk, lost, recovered, restored; and what waits for somebody's
 * approval. Pure but for telling. */
#ifndef REINSTATE_MACHINES_H
#define REINSTATE_MACHINES_H

#include "session.h"

/* Machine -> {state, reason}, as the look's own facts have it; and step -> {rule, command} for what waits. */
struct value *machines_of(struct session *s, struct arena *a, const struct look *look);
struct value *approvals_of(struct arena *a, const struct plan *plan);

/* What is other than before, in the shape of schemas/report.json; `before` NULL: this is the first pass, of which only
 * what is not well is told. */
struct value *machines_changed(struct arena *a, const struct value *before, const struct value *now);
struct value *approvals_new(struct arena *a, const struct value *before, const struct value *now);

/* Tells them to all who listen, and as lines with the time. */
void machines_tell(const struct session *s, struct text *out, const struct value *machines,
                   const struct value *approvals);

#endif
