/* What the files of kind RestoredVirtualMachine share: restored_vm.c concludes the steps (restored_vm_steps.h),
 * restored_vm_checks.c knows why one that is ordered is not carried out, restored_vm_refusals.c what has become of that
 * since, restored_vm_acts.c carries it out. */
#ifndef REINSTATE_RESTORED_VM_H
#define REINSTATE_RESTORED_VM_H

#include "../restore/situation.h"

/* --- what is known (pure) ----------------------------------------------------------------------------------------- */

/* What the VM at the target lacks of its declaration; NULL: nothing. Power is apart, since it can be mended. */
const char *restored_vm_differs(const struct view *v, const struct situation *s);
/* Whether the declared set is on another key version than the one that is declared, or needed: the moment after the
 * restore tells with which one the VM was made. NULL: it is on it, or nobody can see. */
const char *restored_vm_version_differs(const struct view *v, const struct situation *s);
/* Declared is one that is off, and it is seen to run. Stopping it is a person's. */
bool restored_vm_should_be_off(const struct view *v, const struct document *doc);
#define STOP_ADVICE "a person stops it: az vm deallocate --ids '%s'; or declare verify.powerState: any"
/* Declared is a running VM. */
bool restored_vm_runs(const struct document *doc);

/* --- what a step needs, and what stands against it (pure) --------------------------------------------------------- */

/* The steps of protection, key, set and grants. */
void restored_vm_needs(const struct view *v, const struct situation *s, struct steps *out, struct step *step);
void restored_vm_rights(const struct view *v, const struct situation *s, struct steps *out, struct step *step);
/* The key that the point needs, or that of the set named, is revoked. true: a step was added. */
bool restored_vm_revoked(const struct situation *s, struct steps *out);
/* Reasons not to restore although ordered and possible to trigger. true: a step was added. */
bool restored_vm_refused(const struct view *v, const struct situation *s, struct steps *out);
/* Notes what else is known of a restore: what does not stop it, or (`stopping`) what would. */
void restored_vm_notes(const struct view *v, const struct situation *s, struct steps *out, struct step *step,
                       bool stopping);
/* The source VM is there: it heals, or it runs and nothing is declared besides. true: a step was added. */
bool restored_vm_beside_source(const struct view *v, const struct situation *s, struct steps *out);

/* A grant was made, or the key changed, after the job began: what it failed for may have been
 * mended, whatever it calls it. */
bool restored_vm_mended_since(const struct view *v, const struct situation *s, const struct value *job);
/* A KeyAccess grants the one of whom the job's code speaks what it needs, and the grants are there. */
bool restored_vm_granted(const struct view *v, const struct situation *s, const struct value *job);
/* The job failed for a right, and the grants of whom its code speaks were old enough by its start:
 * asking again asks in vain. */
bool restored_vm_refused_in_vain(const struct view *v, const struct situation *s, const struct value *job);
/* The job failed for a right although those grants are there, and they may not have acted yet: the youngest was made
 * shortly before, or nobody tells when. The restore is tried again, some minutes apart, RESTORE_ATTEMPTS_MAX times at
 * most. */
bool restored_vm_refused_early(const struct view *v, const struct situation *s, const struct value *job);
/* The last restore of this machine that ended was one like this (kind, target), failed for its key, its set or a right,
 * or from this point for anything but passing trouble, and nothing that is declared of key, set or grants has changed
 * since: what the scenario table foretells is not what Azure did. NULL: no such job. `s->doc` may be NULL. */
const struct value *restored_vm_failed_before(const struct view *v, const struct situation *s);
/* What to do after a restore that failed so, and, where it may have been for a right that nobody declares, that too. */
const char *restored_vm_failed_advice(const struct view *v, const struct situation *s, const struct azure_error *known,
                                      const char *advice);
/* That job in words, without a full stop. */
const char *restored_vm_failed_words(struct arena *a, const struct value *job);
/* A plain restore from a point that is older than the rotation of its set (row N-04): tried once, never twice. */
bool restored_vm_before_rotation(const struct situation *s);
/* Azure says that a grant acts "typically" within ten minutes, which is no upper bound. */
enum { GRANT_YOUNG_MS = 2 * HOUR_MS, GRANT_FRESH_MS = 30 * MINUTE_MS };
enum { RESTORE_ATTEMPTS_MAX = 3, LATE_GRANT_PAUSE_MS = 10 * MINUTE_MS };

/* --- acting ------------------------------------------------------------------------------------------------------- */

must_use int restored_vm_act(struct call *c, const struct actor *actor, struct err *err);

#endif
