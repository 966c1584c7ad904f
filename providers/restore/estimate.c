/* Knows how long restores took, by tier and by what is done with the disks. Pure. */
#include "estimate.h"

#include "../access/grants.h"
#include "access_needed.h"

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

static int64_t lead_of(const struct view *v, const struct document *doc, struct index *known)
{
    const struct index_entry *at = NULL;
    const struct step *step;
    int64_t lead = 0;

    while ((step = steps_next(v->steps, doc, &at))) {
        int64_t end = steps_lead_ms(v->steps, step, known) + (step->estimate_ms > 0 ? step->estimate_ms : 0);

        if (step_pends(step) && !step->aside && end > lead)
            lead = end;
    }
    return lead;
}

int64_t restored_vm_lead_ms(const struct view *v, const struct situation *s)
{
    struct index *known = index_new(v->arena, INDEX_EXACT);
    const struct document *const docs[] = {s->pvm, s->key, s->original_key, s->des};
    int64_t lead = 0, one;

    for (size_t i = 0; i < COUNT(docs); i++) {
        one = lead_of(v, docs[i], known);
        lead = one > lead ? one : lead;
    }
    for (size_t i = 0; i < s->n_grants; i++) {
        if (grant_is_single(s->grants[i]) && access_prospect_for(v, s, s->grants[i], NULL) != PROSPECT_PENDING)
            continue;
        one = lead_of(v, s->grants[i], known);
        lead = one > lead ? one : lead;
    }
    return lead;
}
