/* What the checks before a restore share: what is asked about, and what was found to stand against it. */
#ifndef REINSTATE_CHECKING_H
#define REINSTATE_CHECKING_H

#include "obstacles.h"

struct checking {
    const struct view *view;
    const struct situation *s;
    const struct value *facts, *place, *item, *vault;
    const char *region, *target_id; /* region: of vault and VM */
    bool payer;                     /* it pays for the pass that exports its key, or is asked about as if it did */
    struct obstacle *found;
    size_t count;
};

void obstacle_add(struct checking *c, struct obstacle o);
#define ADD(c, id, stops, next, ...)                                                                                   \
    obstacle_add(c, (struct obstacle){id, stops, arena_printf((c)->view->arena, __VA_ARGS__), next})

/* A thing that does not say where it lies is not called misplaced. */
bool checking_elsewhere(const struct checking *c, const char *place);
const char *checking_text(const struct value *v, const char *path);     /* "" when absent */
/* Refused rights are told with the right that is missing; whatever else hides a thing hides whether
 * the restore can use it. */
void check_seen(struct checking *c, const char *id, const char *which, const char *what);
/* The staging account itself, and how many restores of the order use it at once. */
void check_staging(struct checking *c);
void check_crowd(struct checking *c);
/* What several restores of one order take together: a quota, the addresses of a subnet. */
void check_quota(struct checking *c, const struct value *usages);
void check_addresses(struct checking *c, const char *subnet, int64_t taken, int64_t room);
/* What is known of the set, and of the tenants and subscriptions that must be one. */
void check_set(struct checking *c);
void check_version(struct checking *c);
/* Whether the keys that the restore needs are still valid when it ends. */
void check_key_life(struct checking *c);
void check_copy_home(struct checking *c);
void check_tenants(struct checking *c);
void check_subscription_of_network(struct checking *c, const char *target);
/* Locks on the machine whose disks are replaced, and on what belongs to it. */
void check_locks_of_machine(struct checking *c);
/* The place a restore goes to: its group, names, network and subscriptions; locks and features of the latter. */
void check_target(struct checking *c);
void check_platform(struct checking *c);
/* The key where it is declared to be; of the tier only a key that is still to be put there has to fear. */
void check_store(struct checking *c);
/* A network security perimeter overrides the bypass for trusted services (Microsoft Learn,
 * Key Vault network security). */
void check_perimeter(struct checking *c);

#endif
