/* What was asked of Azure to see what is there: how often, of which service, by list or one by one, and how long that
 * takes at least under the limits that Azure documents (allowances.c). */
#ifndef REINSTATE_AZURE_READS_H
#define REINSTATE_AZURE_READS_H

#include "arm.h"

/* Pure. Of all these connections (NULL ones are passed over), as schemas/plan.json has `reads`. What a throttle had
 * asked again is counted once; signing in is left out. */
struct value *azure_reads(struct azure *const *connections, size_t count, struct arena *a);
/* The same for people. */
void azure_reads_write(struct text *t, const struct value *reads);

#endif
