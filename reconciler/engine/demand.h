/* Concluding on demand: of a large estate only what somebody asks for, and what that asks for in turn. Each document is
 * concluded once all that it asks for is: where it asks for one that is not concluded yet, what it was told is thrown
 * away and its turn comes again after that one. So nothing calls itself, however long the chain, and who is asked when
 * makes no difference to the answer. */
#ifndef REINSTATE_DEMAND_H
#define REINSTATE_DEMAND_H

#include "../model/conclusion.h"

/* How one document is concluded, and how that is thrown away. */
struct demand_hooks {
    void (*make)(void *ctx, const struct document *doc);
    void (*undo)(void *ctx, const struct document *doc);
};

/* Lives in `a`, with all that it makes. `c`: where the conclusions go. */
struct demand *demand_new(struct arena *a, const struct desired *desired, const struct concluding *c,
                          const struct demand_hooks *hooks, void *ctx);
/* Whether that document is concluded; it is made so first, where that can be. While another one is being concluded only
 * documents before that one can be asked for, as if all were made in their order. */
bool demand_met(struct demand *d, const struct document *doc);
/* That document is concluded along with the others, for what policy says of its steps: nobody waits for it. */
void demand_beside(struct demand *d, const struct document *doc);

#endif
