/* Knows the region's shared attestation service, whose address a release policy names as its authority. Must not know
 * keys, or who is released one. */
#include "data.h"
#include "internal.h"

#include <string.h>

/* …/providers/Microsoft.Attestation/locations/LOCATION/defaultProvider */
void arm_attestation_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r);
    struct arena *a = r->arena;
    struct value *shown, *properties;
    char *uri, *name;

    if (!request_is(r, "GET") || r->n_segments != at + 5 || !str_eq_nocase(request_segment(r, at + 2), "locations") ||
        !str_eq_nocase(request_segment(r, at + 4), "defaultProvider")) {
        arm_bad_path(r, out);
        return;
    }
    if (!require_rbac(s, r, out, request_path(r, at), "Microsoft.Attestation/defaultProviders/read"))
        return;
    uri = region_attestation(a, request_segment(r, at + 3));
    uri[strlen(uri) - 1] = '\0';
    name = arena_strndup(a, uri + strlen("https://"), strcspn(uri + strlen("https://"), "."));
    shown = value_map(a);
    value_set_string(a, shown, "id", arena_printf(a, "/providers/Microsoft.Attestation/attestationProviders/%s", name));
    value_set_string(a, shown, "name", name);
    value_set_string(a, shown, "type", "Microsoft.Attestation/attestationProviders");
    value_set_string(a, shown, "location", request_segment(r, at + 3));
    properties = value_set(a, shown, "properties", value_map(a));
    value_set_string(a, properties, "trustModel", "AAD");
    value_set_string(a, properties, "status", "Ready");
    value_set_string(a, properties, "attestUri", uri);
    answer_json(a, out, 200, shown);
}
