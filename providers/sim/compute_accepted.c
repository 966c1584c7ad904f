/* Knows how a write to the compute service is accepted, to end later. Must not know what is written. */
#include "data.h"

void compute_accepted(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *location,
                      const char *segment, const char *id)
{
    const char *base =
        arena_printf(r->arena, "%s/subscriptions/%s/providers/Microsoft.Compute/locations/%s/%s/%s?p=%s", s->ep.arm,
                     request_segment(r, 1), region_name(r->arena, location ? location : "global"), segment, id, id);
    const char *version = request_query(r, "api-version");

    answer_header(r->arena, out, "Azure-AsyncOperation", "%s&api-version=%s%s", base, version,
                  signed_tail(s, r->arena));
    answer_header(r->arena, out, "Location", "%s&monitor=true&api-version=%s%s", base, version,
                  signed_tail(s, r->arena));
}
