/* The place where a VM would come back: its group, network and staging account, what is in the group, and what Azure says to
 * the request. Part of kind RestoredVirtualMachine. */
#ifndef REINSTATE_RESTORE_PLACE_H
#define REINSTATE_RESTORE_PLACE_H

#include "restored_vm.h"

/* May suspend. Adds to the facts of a RestoredVirtualMachine:
 *   place       {group, staging, network: each {state, live}; resources: {state, items}} (resources: what is in the group, with
 *               an order in force, or after a failed restore into it)
 *   validation  {state: asked | later | unseen, results: [{code, message, recommendations}]} with an order in force */
must_use int restore_place_observe(struct call *c, const struct observer *o, struct azure *az, struct value *facts, struct err *err);

/* Something that stands against a restore, or that is only worth knowing. */
struct obstacle {
    const char *id; /* "staging-region" */
    bool stops;
    const char *reason, *next;
};
/* Pure. All of them at once; what could not be looked at is none. */
struct obstacle *restore_obstacles(const struct view *v, const struct situation *s, size_t *ret_count);
/* Pure. The same, as if this restore paid for the pass that exports its key: who does is elected by them. */
struct obstacle *restore_obstacles_of_payer(const struct view *v, const struct situation *s, size_t *ret_count);
/* It stands against the pass that exports a key as well, which restores disks through the same account. */
bool obstacle_for_export(const struct obstacle *o);

enum vm_fit { VM_FIT_CONFIDENTIAL, VM_FIT_OLDER, VM_FIT_ORDINARY, VM_FIT_UNKNOWN };
/* Pure. Whether a size is one for confidential VMs; OLDER: version 5, of which the documents disagree. */
enum vm_fit vm_size_fit(const char *size);
/* Pure. An objection of Azure's is about keys, sets or their grants; and what to do about one {code, message, recommendations}. */
bool restore_objects_to_key(const char *code);
const char *restore_objection_advice(struct arena *a, const struct value *result);

/* Pure. What of the source's or the target's name came into being in the target group while a job ran: a list of
 * {id, type, created}. NULL job, or a group that was not looked into: empty. Disks that a VM uses are not among them. */
struct value *restore_made(const struct view *v, const struct situation *s, const struct value *job);
/* May suspend. Says what a failed job has left. */
void restore_left_say(struct call *c, const struct actor *actor, struct azure *az, const struct situation *s, const struct backup_job *job);
/* Pure. The same of a failed or cancelled job of this machine into that group; of any other: empty. */
struct value *restore_left_of(const struct view *v, const struct situation *s, const struct value *job);
/* Pure. Notes what failed jobs, of this order and of passes for its key, have left in the target group. */
void restore_left_notes(const struct view *v, const struct situation *s, struct steps *out, struct step *step);

/* May suspend. Asks Azure Backup about the very request that would be sent. ERR_BLOCKED with its objections, unless they are about
 * keys and sets and `keys_expected`. No objection is no proof. */
must_use int restore_validate(struct call *c, const struct actor *actor, struct azure *az, const char *item_id,
                              const struct restore_request *request, bool keys_expected, struct err *err);

#endif
