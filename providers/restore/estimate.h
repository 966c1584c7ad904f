/* How long a restore takes, and who says so. Pure. */
#ifndef REINSTATE_RESTORE_ESTIMATE_H
#define REINSTATE_RESTORE_ESTIMATE_H

#include "situation.h"

/* About how long a restore from that tier takes, and who says so. */
int64_t restored_vm_estimate(enum dx_tier tier, const char **ret_source);
/* The tier Azure takes: naming another set forces the vault's, however near a snapshot is. */
enum dx_tier restored_vm_tier(const struct situation *s, bool set_named);
/* As far as this restore goes: of its tier, and of what is done with the disks. */
int64_t restored_vm_estimate_of(const struct situation *s, bool set_named, const char **ret_source);

/* How long what the restore waits for takes, by the estimates of the steps that are due on its backup, keys, set and
 * grants; 0 before these steps are made. */
int64_t restored_vm_lead_ms(const struct view *v, const struct situation *s);

#endif
