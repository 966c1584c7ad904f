/* Kind ManagedHsmRoleAssignment: one local role for one principal at one scope of a managed HSM, spelled out. */
#include "common.h"

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    (void)v;
    steps_block(out, doc, NULL, "use a later build", "local roles of managed HSMs are not looked at yet");
}

const struct kind managed_hsm_role_assignment_kind = {
    .name = "ManagedHsmRoleAssignment",
    .summary = "One local role for one principal at one scope of a managed HSM, spelled out; assignments further up count.",
    .steps = steps,
};
