/* Knows virtual networks and their subnets, to be read. A subnet is a resource of its own or a
 * member of its network. */
#include "internal.h"

static const struct value *find_subnet(struct sim *s, const char *network_id, const char *name)
{
    const struct value *subnets = value_at(resource_find(s, network_id), "properties.subnets");

    for (size_t i = 0; i < value_count(subnets); i++)
        if (str_eq_nocase(value_str_at(value_item(subnets, i), "name"), name))
            return value_item(subnets, i);
    return NULL;
}

static void get_subnet(struct sim *s, const struct sim_request *r, struct sim_answer *out, size_t at)
{
    struct arena *a = r->arena;
    const char *network = request_path(r, at + 4), *id = request_path(r, r->n_segments);
    const struct value *subnet;
    struct value *shown;

    if (!require_rbac(s, r, out, id, "Microsoft.Network/virtualNetworks/subnets/read"))
        return;
    subnet = resource_find(s, id);
    if (!subnet)
        subnet = find_subnet(s, network, request_segment(r, at + 5));
    if (!resource_find(s, network)) {
        arm_not_found(s, r, out, network);
    } else if (!subnet) {
        answer_arm_error(a, out, 404, false, "NotFound", "Resource %s not found.", id);
    } else {
        shown = value_copy(a, subnet);
        value_set_string(a, shown, "id", id);
        value_set_string(a, shown, "type", "Microsoft.Network/virtualNetworks/subnets");
        answer_json(a, out, 200, shown);
    }
}

void arm_network_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *type = request_segment(r, at + 2);

    if (!request_is(r, "GET"))
        arm_bad_path(r, out);
    else if (behind == 3)
        answer_resources(s, r, out, request_path(r, at), arena_printf(r->arena, "Microsoft.Network/%s", type));
    else if (behind == 4)
        answer_resource(s, r, out, request_path(r, r->n_segments));
    else if (behind == 6 && str_eq_nocase(type, "virtualNetworks") &&
             str_eq_nocase(request_segment(r, at + 4), "subnets"))
        get_subnet(s, r, out, at);
    else
        arm_bad_path(r, out);
}
