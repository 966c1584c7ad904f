/* Knows a region's compute quota: spec.quotas {name, location, current, limit}; which of them a VM size counts against,
 * and that a new VM uses it up. Must not know who makes VMs. */
#include "data.h"
#include "internal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* --- what a size takes -------------------------------------------------------------------------------------------- */

/* Standard_DC4ads_v6 has 4 cores and is of the family standardDCadsv6Family. */
static int64_t size_cores(const char *size)
{
    const char *digit = size ? strpbrk(size, "0123456789") : NULL;

    return digit ? strtol(digit, NULL, 10) : 1;
}

static char *size_family(struct arena *a, const char *size)
{
    const char *letters = strchr(size, '_') ? strchr(size, '_') + 1 : size,
               *behind = letters + strcspn(letters, "0123456789");
    size_t n = (size_t)(behind - letters), rest;

    while (isdigit((unsigned char)*behind))
        behind++;
    rest = strcspn(behind, "_");
    return arena_printf(a, "standard%.*s%.*s%sFamily", (int)n, letters, (int)rest, behind,
                        behind[rest] ? behind + rest + 1 : "");
}

static bool counts_against(struct arena *a, const struct value *quota, const char *location, const char *size)
{
    const char *name = value_str_at(quota, "name"), *region = value_str_at(quota, "location");

    return (!region || region_is(region, location)) &&
           (str_eq_nocase(name, "cores") || str_eq_nocase(name, size_family(a, size)));
}

bool quota_reached(struct sim *s, struct arena *a, const char *location, const char *size)
{
    struct value *all = state_list(s, "quotas");

    for (size_t i = 0; i < value_count(all); i++)
        if (counts_against(a, value_item(all, i), location, size) &&
            value_int_at(value_item(all, i), "current", 0) + size_cores(size) >
                value_int_at(value_item(all, i), "limit", 0))
            return true;
    return false;
}

void quota_use(struct sim *s, struct arena *a, const char *location, const char *size)
{
    struct value *all = state_list(s, "quotas");

    for (size_t i = 0; i < value_count(all); i++)
        if (counts_against(a, value_item(all, i), location, size)) {
            value_set_int(s->arena, value_item(all, i), "current",
                          value_int_at(value_item(all, i), "current", 0) + size_cores(size));
            state_changed(s);
        }
}

/* --- shown -------------------------------------------------------------------------------------------------------- */

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
        push(a, items, "cores", 0, 1000);
    arm_page(s, r, out, items);
}
