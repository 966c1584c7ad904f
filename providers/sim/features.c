/* Knows the preview features of subscriptions: spec.features. Must not know what a feature does. */
#include "internal.h"

const char *feature_state(struct sim *s, const char *name)
{
    const struct value *all = state_list(s, "features");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "name"), name) && value_str_at(value_item(all, i), "state"))
            return value_str_at(value_item(all, i), "state");
    return str_eq_nocase(name, "Microsoft.Compute/DisableConfidentialVMMetadataBlob") ? "NotRegistered" : "Registered";
}

/* /subscriptions/S/providers/Microsoft.Features/providers/NAMESPACE/features/NAME */
void arm_features_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    struct arena *a = r->arena;
    struct value *body = value_map(a);
    const char *name = arena_printf(a, "%s/%s", request_segment(r, 5), request_segment(r, 7));

    if (!request_is(r, "GET") || r->n_segments != 8 || !str_eq_nocase(request_segment(r, 6), "features")) {
        arm_bad_path(r, out);
        return;
    }
    if (!require_rbac(s, r, out, request_path(r, 2), "Microsoft.Features/providers/features/read"))
        return;
    value_set_string(a, body, "id", request_path(r, r->n_segments));
    value_set_string(a, body, "name", name);
    value_set_string(a, body, "type", "Microsoft.Features/providers/features");
    value_set_string(a, value_set(a, body, "properties", value_map(a)), "state", feature_state(s, name));
    answer_json(a, out, 200, body);
}
