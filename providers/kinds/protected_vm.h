/* What other kinds may ask about a ProtectedVirtualMachine, and its export pass (protected_vm_export.c). */
#ifndef REINSTATE_PROTECTED_VM_H
#define REINSTATE_PROTECTED_VM_H

#include "common.h"
#include "../backup/jobs.h"

/* Since when a vault's jobs are asked for: by the hour, so that all who look at one vault share a list. */
int64_t protected_vm_jobs_since(const struct settings *settings, int64_t now_ms);
/* Which jobs are of this machine, as far as a match goes. */
struct job_match protected_vm_match(const struct view *v, const struct document *pvm);
/* Whose key the point's disks need: as it says itself. */
enum point_key protected_vm_point_key(const struct value *point);
/* The point of that id among the facts (id, time, snapshot, vault, confidential, customerKey where it says so, …); NULL. */
const struct value *protected_vm_point(const struct view *v, const struct document *pvm, const char *id);
/* The newest point that has reached the vault tier; NULL. */
const struct value *protected_vm_newest_vault_point(const struct view *v, const struct document *pvm);
const struct value *protected_vm_newest_point(const struct view *v, const struct document *pvm);
/* The source VM is there and runs, or would: "running" | "stopped" | "absent" | "unseen". */
const char *protected_vm_source_state(const struct view *v, const struct document *pvm);
/* Region of vault and VM, for the restore request; NULL when not known. */
const char *protected_vm_region(const struct view *v, const struct document *pvm);

/* The pass that exports a lost key, if this VM is elected for one and an order pays for it. Pure. */
void protected_vm_export_steps(const struct view *v, const struct document *doc, struct steps *out);
must_use int protected_vm_export_act(struct call *c, const struct actor *actor, struct err *err);

#endif
