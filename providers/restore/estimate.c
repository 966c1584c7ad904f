/* Knows how long restores took, by tier and by what is done with the disks. Pure. */
#include "estimate.h"

#define SOURCE_RESTORE_TIME "recorded: 35 min 38 s for 127 GB from the vault tier; size and queues dominate"
#define SOURCE_SNAPSHOT_TIME "recorded: 2 min 30 s from a point in both tiers, no set named"

enum dx_tier restored_vm_tier(const struct situation *s, bool set_named)
{
    return s->now.tier == DX_VAULT && s->now.snapshot == DX_SNAPSHOT_TOO && !set_named ? DX_SNAPSHOT_ONLY : s->now.tier;
}

int64_t restored_vm_estimate(enum dx_tier tier, const char **ret_source)
{
    *ret_source = tier == DX_VAULT ? SOURCE_RESTORE_TIME : SOURCE_SNAPSHOT_TIME;
    return tier == DX_VAULT ? 48 * MINUTE_MS : 5 * MINUTE_MS;
}

int64_t restored_vm_estimate_of(const struct situation *s, bool set_named, const char **ret_source)
{
    bool snapshot = restored_vm_tier(s, set_named) == DX_SNAPSHOT_ONLY;

    if (situation_type(s->doc) == RESTORE_REPLACE && snapshot) {
        *ret_source = "recorded: 23 min for replaced disks";
        return 23 * MINUTE_MS;
    }
    return restored_vm_estimate(snapshot ? DX_SNAPSHOT_ONLY : DX_VAULT, ret_source);
}
