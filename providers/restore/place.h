/* The place where a VM would come back: its group, network and staging account, what is in the group, and what Azure
 * says to the request. */
#ifndef REINSTATE_RESTORE_PLACE_H
#define REINSTATE_RESTORE_PLACE_H

#include "requests.h"

/* May suspend. Adds to the facts of a RestoredVirtualMachine:
 *   place       {group, staging, network: each {state, live}; resources: {state, items}} (resources: what is in the
 * group, with an order in force, or after a failed restore into it) validation  {state: asked | later | unseen,
 * results: [{code, message, recommendations}]} with an order in force */
must_use int restore_place_observe(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                                   struct err *err);

/* May suspend. Asks Azure Backup about the very request that would be sent. ERR_BLOCKED with its objections, unless
 * they are about keys and sets and `keys_expected`. That Azure Backup does not object is no proof: whether it looks at
 * keys is documented nowhere. */
must_use int restore_validate(struct call *c, const struct actor *actor, struct azure *az, const char *item_id,
                              const struct restore_request *request, bool keys_expected, struct err *err);

#endif
