/* Orders: which Activation asks for a restore of which recovery point, and whether it is in force. Pure. */
#ifndef REINSTATE_ORDER_H
#define REINSTATE_ORDER_H

#include "../documents/common.h"

enum order_state {
    ORDER_NONE,
    ORDER_FUTURE, /* before notBefore */
    ORDER_IN_FORCE,
    ORDER_EXPIRED, /* after notAfter */
    ORDER_WITHDRAWN,
    ORDER_WITHHELD, /* its Activation is suspended or observed only: it triggers nothing */
    ORDER_OVERLAPPING /* two orders in force for one VM: an error */
};

struct order {
    enum order_state state;
    const struct document *activation, *other; /* other: with ORDER_OVERLAPPING */
    const char *point;
    bool exports; /* may run the pass that is expected to fail */
    int64_t not_before_ms, not_after_ms;
    int64_t
        since_ms; /* jobs may be the order's from here on: before not_before_ms, where this machine's clock is ahead */
};

/* The order for a RestoredVirtualMachine. An order in force wins over one to come, that over an
 * expired or withdrawn one. */
struct order order_for(const struct view *v, const struct document *restored_vm);

/* The Activation in force that orders a VM whose set uses this key, by name; NULL. Such an order is the approval for
 * what has to be done to the key. */
const char *order_covering_key(const struct view *v, const struct document *key);
/* The step serves every machine that is ordered and whose set uses this key. */
void order_serve(const struct view *v, const struct document *key, struct steps *out, struct step *step);
/* Marks a step of that key as ordered, if it is: the order approves it for as long as one of those machines can be
 * restored. */
void order_cover(const struct view *v, const struct document *key, struct steps *out, struct step *step);

#endif
