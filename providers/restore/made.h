/* What a restore job has made in its target group, and on which set its disks stand. Azure ties nothing to a job, so
 * what came into being while it ran and has the VM's name counts. */
#ifndef REINSTATE_MADE_H
#define REINSTATE_MADE_H

#include "../documents/common.h"

/* Pure. What of the name of `vm`, the source, or of the target of `rvm` came into being while the job ran, among the
 * `items` of the target group: a list of {id, type, created}. NULL job or items: empty. Disks that a VM uses are not
 * among them. */
struct value *job_made(struct arena *a, const char *vm, const struct document *rvm, const struct value *items,
                       const struct value *job);

/* May suspend. Sets `disks` among the facts of the place: what those completed jobs have made of disks, also those that
 * a VM uses by now, as a list of {job, id, state, why, set, os}. */
must_use int made_disks_observe(struct call *c, const struct observer *o, struct azure *az, const char *vm,
                                const struct value *jobs, struct value *place, struct err *err);

/* Pure. How the disks of a completed job stand, as that look has seen them. */
enum made_disks {
    MADE_UNSEEN, /* the group was not looked into, or a disk of it cannot be read; `ret` says why */
    MADE_GONE,   /* there are none, or no more */
    MADE_DIFFER, /* an OS disk is on another set; `ret` says which */
    MADE_THERE
};
/* `set_id` NULL: on any set. */
enum made_disks made_disks_stand(struct arena *a, const struct value *place, const char *job, const char *set_id,
                                 const char **ret);
/* Every OS disk that the job has made is known to stand on that set, and there is one. */
bool made_disks_on(const struct value *place, const char *job, const char *set_id);

#endif
