/* Whether a key could live and be used in the store that is declared for it: its region, its tier, and who
 * may open a copy there. */
#ifndef REINSTATE_STORE_FIT_H
#define REINSTATE_STORE_FIT_H

#include "../documents/common.h"

struct store_objection {
    const char *id; /* "store-region", "store-tier", "store-kind", "store-subscription", "store-geography",
                       "store-unprotected" */
    const char *reason, *next;
};
enum { STORE_OBJECTIONS_MAX = 4 };

/* Pure. What stands against `key` in its store, all of it; returns how many. A fact that could not be seen is no
 * objection. `region`: where the disks would be; NULL: where the key's sets are, else its backup vault. */
size_t store_objections(const struct view *v, const struct document *key, const char *region,
                        struct store_objection ret[STORE_OBJECTIONS_MAX]);

/* Pure. Why it is open whether a copy of `key` opens in its store, as words behind "unverified"; NULL: it opens. */
const char *store_unproved(const struct view *v, const struct document *key);
/* Pure. A Key's check (kind.h): regions that are declared and between which no copy of a key passes. Warned of only,
 * since a key that lives needs no copy. */
void store_check(const struct document *key, struct diags *faults);

/* Pure. The objection, if there is one, that `key`'s store does not reach this region. */
bool store_unreached(const struct view *v, const struct document *key, const char *region, struct store_objection *ret);
/* Pure. The objection of these that is about the store's region, if there is one. */
bool store_region_objection(const struct view *v, const struct document *key, struct store_objection *ret);
/* Pure. Whether Azure refuses to make a set on a key of its store: it lacks purge protection, and no document turns it
 * on (Microsoft Learn, Server-side encryption of managed disks: vaults need soft delete and purge protection). */
bool store_refuses_sets(const struct view *v, const struct document *key, struct store_objection *ret);
/* Pure. The store of `key` where its document turns purge protection on, which a set on the key waits for; NULL. */
const struct document *store_to_protect(const struct view *v, const struct document *key);
/* Pure. Blocks the making of a store in which a declared key could not be used or restored: its name would be taken for
 * nothing. true: a step was added. */
bool store_block_misplaced(const struct view *v, const struct document *store, struct steps *out);

#endif
