/* A protected machine that runs, is backed up and ordered by nobody: when its newest point was taken stands in its
 * item, which a list shows for all machines of a vault. The points themselves would be a request for each machine. */
#ifndef REINSTATE_PROTECTED_VM_BRIEF_H
#define REINSTATE_PROTECTED_VM_BRIEF_H

#include "../documents/common.h"

/* May suspend. Whether a near look (../../reconciler/kind.h) may leave the points out. */
must_use int protected_vm_item_will_do(struct call *c, const struct observer *o, struct azure *az,
                                       const struct value *item, bool *ret, struct err *err);
/* Pure. The facts of the one point that the item tells of: it has a time and no id, and its tiers are unseen. */
struct value *protected_vm_brief_points(struct arena *a, const struct value *item);

#endif
