/* What the jobs of a restore, or of a pass, say of it. Pure. */
#ifndef REINSTATE_RESTORE_JOBS_H
#define REINSTATE_RESTORE_JOBS_H

#include "../backup/jobs.h"
#include "../documents/common.h"

/* The newest of our jobs in that state ("running", "completed", …); NULL. */
const struct value *restored_vm_job(const struct value *jobs, const char *state);
size_t restored_vm_failures(const struct value *jobs);
/* What a job that completed reports all the same, in words; NULL: nothing. With such warnings only
 * disks may have been made. */
const char *restored_vm_warnings(struct arena *a, const struct value *job);
/* Another job of this machine stands against a trigger: one that has ended blocks (true: a step was added), one that
 * runs is waited for, which is noted. `vm`: the RestoredVirtualMachine that would be ordered anew. */
bool restored_vm_other_job(const struct view *v, const struct document *doc, const char *vm, const struct value *jobs,
                           const struct job_match *match, struct steps *out);
void restored_vm_note_other_job(const struct view *v, const struct value *jobs, const struct job_match *match,
                                struct steps *out, struct step *step);

#endif
