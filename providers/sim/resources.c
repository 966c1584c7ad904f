/* Knows subscriptions, resource groups and lists across types. Must not know what a resource's type means. */
#include "internal.h"

#include <string.h>

static const char group_type[] = "Microsoft.Resources/resourceGroups";

/* --- subscriptions ------------------------------------------------------------------------------------------------ */

static struct value *subscription(struct sim *s, struct arena *a, const char *id)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "id", arena_printf(a, "/subscriptions/%s", id));
    value_set_string(a, v, "subscriptionId", id);
    value_set_string(a, v, "tenantId", value_str_at(s->spec, "tenant"));
    value_set_string(a, v, "displayName", arena_printf(a, "Simulated %.8s", id));
    value_set_string(a, v, "state", "Enabled");
    return v;
}

static void list_subscriptions(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    struct arena *a = r->arena;
    struct value *items = value_list(a), *all = state_list(s, "resources");

    for (size_t i = 0; i < value_count(all); i++) {
        const char *id = value_str_at(value_item(all, i), "id") + strlen("/subscriptions/");
        bool known = false;

        id = arena_strndup(a, id, strcspn(id, "/"));
        for (size_t k = 0; k < value_count(items); k++)
            known |= str_eq_nocase(value_str_at(value_item(items, k), "subscriptionId"), id);
        if (!known)
            value_push(a, items, subscription(s, a, id));
    }
    arm_page(s, r, out, items);
}

/* --- groups ------------------------------------------------------------------------------------------------------- */

static void put_group(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct arena *a = r->arena;
    const char *location = value_str_at(r->json, "location");
    bool there = resource_find(s, id) != NULL;
    struct value *v;

    if (!require_rbac(s, r, out, id, "Microsoft.Resources/subscriptions/resourceGroups/write"))
        return;
    if (!location) {
        answer_arm_error(a, out, 400, true, "LocationRequired",
                         "The location property is required for this definition.");
        return;
    }
    v = value_map(a);
    value_set_string(a, v, "id", id);
    value_set_string(a, v, "name", request_segment(r, 3));
    value_set_string(a, v, "type", group_type);
    value_set_string(a, v, "location", location);
    if (value_get(r->json, "tags"))
        value_set(a, v, "tags", value_copy(a, value_get(r->json, "tags")));
    value_set_string(a, value_set(a, v, "properties", value_map(a)), "provisioningState", "Succeeded");
    answer_json(a, out, there ? 200 : 201, resource_store(s, id, v));
}

static void answer_group(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *id = request_path(r, 4);
    const struct value *v;

    if (request_is(r, "PUT")) {
        put_group(s, r, out, id);
        return;
    }
    if (!request_is(r, "GET") && !request_is(r, "HEAD")) {
        arm_bad_path(r, out);
        return;
    }
    if (!require_rbac(s, r, out, id, "Microsoft.Resources/subscriptions/resourceGroups/read"))
        return;
    v = resource_find(s, id);
    if (!v)
        arm_not_found(s, r, out, id);
    else if (request_is(r, "HEAD"))
        answer_empty(out, 204);
    else
        answer_json(r->arena, out, 200, v);
}

/* --- across types ------------------------------------------------------------------------------------------------- */

/* The quoted text behind "name eq" in a filter. */
static const char *filter_value(struct arena *a, const char *filter, const char *name)
{
    for (const char *at = filter; at && (at = str_find_nocase(at, name)) != NULL; at += strlen(name)) {
        const char *open = at + strlen(name);

        open += strspn(open, " ");
        if (!str_starts_nocase(open, "eq") || (at > filter && at[-1] != ' ' && at[-1] != '('))
            continue;
        open = strchr(open, '\'');
        return open ? arena_strndup(a, open + 1, strcspn(open + 1, "'")) : NULL;
    }
    return NULL;
}

static bool readable(struct sim *s, const struct sim_request *r, const struct value *v)
{
    const char *id = value_str_at(v, "id");

    return access_rbac(s, r->principal, id, arena_printf(r->arena, "%s/read", value_str_at(v, "type")), false);
}

/* Of sets Azure's own resource shows no time, but the list of a group does. What the world began with is of before. */
static const char *time_made(struct sim *s, const struct value *v)
{
    const char *made = value_str_at(v, "properties.timeCreated");
    const struct value *sets;

    if (!str_eq_nocase(value_str_at(v, "type"), "Microsoft.Compute/diskEncryptionSets"))
        return made;
    sets = state_list(s, "setsMade");
    for (size_t i = 0; i < value_count(sets); i++)
        if (str_eq_nocase(value_str_at(value_item(sets, i), "id"), value_str_at(v, "id")))
            made = value_str_at(value_item(sets, i), "at");
    return made;
}

static void list_resources(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *scope)
{
    static const char *const shown[] = {"id",  "name", "type",     "location", "tags",
                                        "sku", "kind", "identity", "managedBy"};
    struct arena *a = r->arena;
    const char *filter = request_query(r, "$filter"), *type = filter_value(a, filter, "resourceType"),
               *name = filter_value(a, filter, "name"),
               *expand = request_query(r, "$expand") ? request_query(r, "$expand") : "";
    struct value *all = state_list(s, "resources"), *items = value_list(a);

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *v = value_item(all, i), *brief;
        const char *id = value_str_at(v, "id");

        if (str_eq_nocase(value_str_at(v, "type"), group_type) || !scope_covers(scope, id) || !readable(s, r, v) ||
            (type && !str_eq_nocase(value_str_at(v, "type"), type)) ||
            (name && !str_eq_nocase(value_str_at(v, "name"), name)))
            continue;
        brief = value_map(a);
        for (size_t k = 0; k < COUNT(shown); k++)
            if (value_get(v, shown[k]))
                value_set(a, brief, shown[k], value_copy(a, value_get(v, shown[k])));
        if (str_find_nocase(expand, "createdTime"))
            value_set_string(a, brief, "createdTime", time_made(s, v));
        value_push(a, items, brief);
    }
    arm_page(s, r, out, items);
}

/* --- registrations ------------------------------------------------------------------------------------------------ */

static void answer_registration(const struct sim_request *r, struct sim_answer *out)
{
    struct arena *a = r->arena;
    struct value *body = value_map(a);

    value_set_string(a, body, "id", request_path(r, 4));
    value_set_string(a, body, "namespace", request_segment(r, 3));
    value_set_string(a, body, "registrationState", "Registered");
    answer_json(a, out, 200, body);
}

void arm_resources_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *third = request_segment(r, 2), *last = request_segment(r, r->n_segments ? r->n_segments - 1 : 0);
    bool get = request_is(r, "GET");

    if (!str_eq_nocase(request_segment(r, 0), "subscriptions"))
        arm_bad_path(r, out);
    else if (get && r->n_segments == 1)
        list_subscriptions(s, r, out);
    else if (get && r->n_segments == 2)
        answer_json(r->arena, out, 200, subscription(s, r->arena, request_segment(r, 1)));
    else if (str_eq_nocase(third, "resourceGroups") && r->n_segments == 4)
        answer_group(s, r, out);
    else if (get && str_eq_nocase(third, "resourceGroups") && r->n_segments == 3)
        answer_resources(s, r, out, request_path(r, 2), group_type);
    else if (get && str_eq_nocase(last, "resources") && (r->n_segments == 3 || r->n_segments == 5))
        list_resources(s, r, out, request_path(r, r->n_segments - 1));
    else if (get && str_eq_nocase(third, "providers") && r->n_segments == 4)
        answer_registration(r, out);
    else
        arm_bad_path(r, out);
}
