/* What the files of kind ProtectedVirtualMachine share: protected_vm.c observes the rest and concludes the steps. */
#ifndef REINSTATE_PROTECTED_VM_H
#define REINSTATE_PROTECTED_VM_H

#include "../documents/common.h"

/* May suspend. The facts jobs, exports and unreadable, of machine and vault as `facts` hold them. */
must_use int protected_vm_observe_jobs(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                                       struct err *err);

#endif
