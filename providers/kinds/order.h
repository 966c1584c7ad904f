/* Orders: which Activation asks for a restore of which recovery point, and whether it is in force. Pure. */
#ifndef REINSTATE_ORDER_H
#define REINSTATE_ORDER_H

#include "../backup/jobs.h"
#include "common.h"

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
    int64_t since_ms;           /* jobs may be the order's from here on: before not_before_ms, where this machine's clock is ahead */
};

/* The order for a RestoredVirtualMachine. An order in force wins over one to come, that over an expired or withdrawn one. */
struct order order_for(const struct view *v, const struct document *restored_vm);

/* A lost key, and who exports it: the first of its azureBackup sources that has a usable export, else the first whose pass
 * runs already, else the first with an order in force on a point of the vault tier (snapshots export nothing) that needs this very
 * key and meets no obstacle, else the first such in spite of one, else the first. */
struct export_election {
    const struct document *key;
    const struct document *protected_vm; /* NULL: the key names no backup */
    const struct document *restored_vm;  /* whose order pays for the pass; NULL without one */
    struct order order;
    const struct value *export; /* a usable export already there (of the protected VM's facts); NULL */
    bool running;               /* the pass of `order` runs, be the order in force or not */
    bool useless;               /* a pass of `order` exports no such key: its point needs another one */
    const struct value *completed; /* the pass that showed it; NULL: what is known of the backup does */
};
struct export_election export_elect(const struct view *v, const struct document *key);
/* Which jobs are the pass of this order. `rvm` may be NULL. */
struct job_match export_match(const struct view *v, const struct document *pvm, const struct document *rvm, const struct order *order);

/* The key is gone (purged, or never seen) and only a copy can bring it back. */
bool key_lost(const struct view *v, const struct document *key);

/* Nothing cheaper than Azure Backup's copy can bring it back: the user has no copy, and no store still holds the key. */
bool key_wants_export(const struct view *v, const struct document *key);

/* The Activation in force that orders a VM whose set uses this key, by name; NULL. Such an order is the approval for
 * what has to be done to the key. */
const char *order_covering_key(const struct view *v, const struct document *key);
/* Marks a step of that key as ordered, if it is. */
void order_cover(const struct view *v, const struct document *key, struct step *step);

#endif
