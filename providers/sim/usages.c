/* Knows a region's compute quota, to be read: spec.quotas {name, location, current, limit}. Must not know who uses it up. */
#include "data.h"
#include "internal.h"

static void push(struct arena *a, struct value *items, const char *name, int64_t current, int64_t limit)
{
    struct value *usage = value_map(a), *words;

    value_set_string(a, usage, "unit", "Count");
    value_set_int(a, usage, "currentValue", current);
    value_set_int(a, usage, "limit", limit);
    words = value_set(a, usage, "name", value_map(a));
    value_set_string(a, words, "value", name);
    value_set_string(a, words, "localizedValue", str_eq_nocase(name, "cores") ? "Total Regional vCPUs" : name);
    value_push(a, items, usage);
}

/* /subscriptions/S/providers/Microsoft.Compute/locations/LOCATION/usages */
void arm_usages_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r);
    struct arena *a = r->arena;
    struct value *all = state_list(s, "quotas"), *items = value_list(a);
    bool cores = false;

    if (!request_is(r, "GET") || r->n_segments != at + 5 || !str_eq_nocase(request_segment(r, at + 4), "usages")) {
        arm_bad_path(r, out);
        return;
    }
    if (!require_rbac(s, r, out, request_path(r, at), "Microsoft.Compute/locations/usages/read"))
        return;
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *quota = value_item(all, i);
        const char *location = value_str_at(quota, "location");

        if (location && !region_is(location, request_segment(r, at + 3)))
            continue;
        cores = cores || str_eq_nocase(value_str_at(quota, "name"), "cores");
        push(a, items, value_str_at(quota, "name"), value_int_at(quota, "current", 0), value_int_at(quota, "limit", 0));
    }
    if (!cores)
        push(a, items, "cores", 0, 100);
    arm_page(s, r, out, items);
}
