/* Knows managed identities as resources, to be read. Who they are in the directory
 * is known elsewhere (principals.c). */
#include "internal.h"

void arm_identity_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;

    if (!request_is(r, "GET") || !str_eq_nocase(request_segment(r, at + 2), "userAssignedIdentities"))
        arm_bad_path(r, out);
    else if (behind == 3)
        answer_resources(s, r, out, request_path(r, at), "Microsoft.ManagedIdentity/userAssignedIdentities");
    else if (behind == 4)
        answer_resource(s, r, out, request_path(r, r->n_segments));
    else
        arm_bad_path(r, out);
}
