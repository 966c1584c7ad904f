/* What an order of a RestoredVirtualMachine comes to: restored_vm.c tells the cases apart; the steps of a restore stand
 * in restored_vm_steps.c, what follows from jobs that failed in restored_vm_failed.c, and from a completed one, or a
 * machine that is there already, in restored_vm_ended.c. Pure. */
#ifndef REINSTATE_RESTORED_VM_STEPS_H
#define REINSTATE_RESTORED_VM_STEPS_H

#include "restored_vm.h"

const char *restored_vm_describe_point(const struct view *v, const struct situation *s);
/* A restored VM is put under protection once it is there and verified. */
void restored_vm_steps_protect(const struct view *v, const struct situation *s, struct steps *out, const char *after);
struct step *restored_vm_steps_start(const struct view *v, const struct situation *s, struct steps *out,
                                     const char *why);
void restored_vm_steps_restore(const struct view *v, const struct situation *s, struct steps *out);

/* All failed jobs of this order, also those that failed for their key and left it. */
const struct value *restored_vm_jobs_of_order(const struct view *v, const struct situation *s);
/* Decides whether a restore that has failed is tried once more. It is tried only when its cause is known and gone: each
 * failed restore leaves disks, and maybe a key. */
bool restored_vm_steps_failed(const struct view *v, const struct situation *s, struct steps *out);

void restored_vm_steps_completed(const struct view *v, const struct situation *s, struct steps *out,
                                 const struct value *job);
/* Nothing in Azure ties a VM to a recovery point but the job that made it. */
void restored_vm_steps_there_already(const struct view *v, const struct situation *s, struct steps *out);

#endif
