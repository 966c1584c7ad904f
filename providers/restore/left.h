/* What restore jobs leave in their target group. Nothing of it is ever deleted here. */
#ifndef REINSTATE_RESTORE_LEFT_H
#define REINSTATE_RESTORE_LEFT_H

#include "situation.h"

/* Pure. What of the source's or the target's name came into being in the target group while a job ran: a list of
 * {id, type, created}. NULL job, or a group that was not looked into: empty. Disks that a VM uses are
 * not among them. */
struct value *restore_made(const struct view *v, const struct situation *s, const struct value *job);
/* May suspend. Says what a failed job has left. */
void restore_left_say(struct call *c, const struct actor *actor, struct azure *az, const struct situation *s,
                      const struct backup_job *job);
/* Pure. The same of a failed or cancelled job of this machine into that group; of any other: empty. */
struct value *restore_left_of(const struct view *v, const struct situation *s, const struct value *job);
/* Pure. Notes what failed jobs, of this order and of passes for its key, have left in the target group. */
void restore_left_notes(const struct view *v, const struct situation *s, struct steps *out, struct step *step);

#endif
