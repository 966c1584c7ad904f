/* The obstacles of a restore: all of them at once, each with its remedy. Pure. */
#ifndef REINSTATE_OBSTACLES_H
#define REINSTATE_OBSTACLES_H

#include "situation.h"

/* Something that stands against a restore, or that is only worth knowing. */
struct obstacle {
    const char *id; /* "staging-region" */
    bool stops;
    const char *reason, *next;
};
/* Pure. All of them at once. A fact that could not be seen makes no obstacle. */
const struct obstacle *restore_obstacles(const struct view *v, const struct situation *s, size_t *ret_count);
/* The same, for those who know whether this restore pays for the pass that exports its key, or ask as if it did. */
struct obstacle *restore_obstacles_of(const struct view *v, const struct situation *s, bool payer, size_t *ret_count);
/* Pure. Why no confidential VM of the target's region can be given the key; NULL: it can, or it cannot be seen. */
const char *restore_not_releasable(const struct view *v, const struct situation *s);
#define RELEASE_ADVICE                                                                                                 \
    "a person decides: order a restore where the policy allows it, or a point whose key may be released here"
/* It stands against the pass that exports a key as well, which restores disks through the same account. */
bool obstacle_for_export(const struct obstacle *o);

enum vm_fit { VM_FIT_CONFIDENTIAL, VM_FIT_OLDER, VM_FIT_ORDINARY, VM_FIT_UNKNOWN };
/* Pure. Whether a size is one for confidential VMs; OLDER: version 5, of which the documents disagree. */
enum vm_fit vm_size_fit(const char *size);
/* Pure. An objection of Azure's is about keys, sets or their grants; and what to do about
 * one {code, message, recommendations}. */
bool restore_objects_to_key(const char *code);
const char *restore_objection_advice(struct arena *a, const struct value *result);

#endif
