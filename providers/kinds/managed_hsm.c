/* Kind ManagedHsm: the managed HSM as it must be. */
#include "common.h"

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    (void)v;
    steps_block(out, doc, NULL, "use a later build", "managed HSMs are not looked at yet");
}

const struct kind managed_hsm_kind = {
    .name = "ManagedHsm",
    .summary = "The managed HSM as it must be: activation, purge protection, network. A soft-deleted one can be recovered, an absent one "
               "is never made.",
    .steps = steps,
};
