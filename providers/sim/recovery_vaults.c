/* Knows Recovery Services vaults as resources. What is kept in them belongs to Backup. */
#include "internal.h"

void arm_recovery_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *id = request_path(r, at + 4);

    if (!str_eq_nocase(request_segment(r, at + 2), "vaults"))
        arm_bad_path(r, out);
    else if (behind == 3 && request_is(r, "GET"))
        answer_resources(s, r, out, request_path(r, at), "Microsoft.RecoveryServices/vaults");
    else if (behind == 4 && request_is(r, "GET"))
        answer_resource(s, r, out, id);
    else if (behind > 4 && !resource_find(s, id))
        arm_not_found(s, r, out, id);
    else if (behind > 4)
        backup_answer(s, r, out);
    else
        arm_bad_path(r, out);
}
