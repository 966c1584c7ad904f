/* The pass that exports a lost key: a restore of disks that is expected to fail, of the machine that
 * is elected for it. */
#ifndef REINSTATE_EXPORT_PASS_H
#define REINSTATE_EXPORT_PASS_H

#include "../azure/backup.h"
#include "../backup/jobs.h"
#include "../documents/common.h"

/* The pass that exports a lost key, if this VM is elected for one and an order pays for it. Pure. */
void protected_vm_export_steps(const struct view *v, const struct document *doc, struct steps *out);
must_use int protected_vm_export_act(struct call *c, const struct actor *actor, struct err *err);
/* The pass that exports a lost key, and what its jobs look like; false when this VM is not elected for one. */
bool protected_vm_export_request(const struct view *v, const struct document *protected_vm, struct restore_request *ret,
                                 struct job_match *ret_match);

/* Pure. Why the keys that earlier jobs of this machine have exported cannot be used: they are gone, or cannot be read.
 * NULL: there is no such export. */
const char *export_wanting(const struct view *v, const struct document *protected_vm);

#endif
