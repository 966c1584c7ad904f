/* Putting a VM under protection, whoever declares it: the source VM of a ProtectedVirtualMachine, or a restored one. */
#ifndef REINSTATE_PROTECTION_H
#define REINSTATE_PROTECTION_H

#include "../documents/common.h"

/* What is declared, and what is there. */
struct protection {
    const char *vault_id, *vm_id, *policy_id;
    const struct value *item; /* the protected item as Azure shows it; NULL: there is none, or it was not seen */
    bool item_unseen;
    const struct value *policy; /* facts {state, live}; NULL: not looked at */
    const char *elsewhere;      /* the vault is in another region than the VM, in words; NULL: it is not seen to be */
};

/* The policy's ARM id: of a name in the vault, or the id itself. NULL: none declared. */
const char *protection_policy_id(struct arena *a, const char *vault_id, const char *declared);
/* May suspend. Facts {state, live} of a policy. */
must_use int protection_observe_policy(struct call *c, const struct observer *o, struct azure *az,
                                       const char *policy_id, struct value **ret, struct err *err);
/* May suspend. Facts `protection` {vaultId, policyId, policy, item {state, live}} of what a RestoredVirtualMachine
 * declares of its protection; nothing without a declaration. The item is looked for when the VM is there. */
must_use int protection_observe_restored(struct call *c, const struct observer *o, struct azure *az,
                                         struct value *facts, struct err *err);
/* Pure. protection_step of a restored VM, by those facts; NULL too when none is declared. */
struct step *protection_step_restored(const struct view *v, const struct document *doc, struct steps *out);
/* Pure. Adds the step that protects the VM, or what a person has to do first; NULL: it is protected as declared. */
struct step *protection_step(const struct document *doc, struct steps *out, const struct protection *p);
/* May suspend. Does that step. */
must_use int protection_act(struct call *c, const struct actor *actor, struct azure *az, const char *vault_id,
                            const char *vm_id, const char *policy_id, struct err *err);

#endif
