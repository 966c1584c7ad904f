/* What documents say against each other or against the clock, as far as manifests alone tell. */
#ifndef REINSTATE_CONTRADICTIONS_H
#define REINSTATE_CONTRADICTIONS_H

#include "../../reconciler/kind.h"

/* Pure. What can never be so together is a fault; what would be blocked or without effect, when it is needed, is a
 * warning: one document that stands in its own way must not stop all others. */
void contradictions_check(const struct desired *d, struct diags *faults);

/* Pure. Warnings of what was over before `now_ms`: orders, windows and exceptions of policies, the expiry of keys. For
 * whoever only looks at manifests: all other commands ask Azure's clock. */
void past_check(const struct desired *d, int64_t now_ms, struct diags *faults);

#endif
