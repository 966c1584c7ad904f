/* Knows management locks, to be read: spec.locks {scope, name, level, notes}. Must not know what a lock hinders. */
#include "internal.h"

/* SCOPE/providers/Microsoft.Authorization/locks: those at the scope and below it. */
void arm_locks_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r);
    struct arena *a = r->arena;
    const char *scope = request_path(r, at);
    struct value *all = state_list(s, "locks"), *items = value_list(a);

    if (!request_is(r, "GET") || r->n_segments != at + 3) {
        arm_bad_path(r, out);
        return;
    }
    if (!require_rbac(s, r, out, scope, "Microsoft.Authorization/locks/read"))
        return;
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *lock = value_item(all, i);
        struct value *shown = value_map(a), *properties;

        if (!scope_covers(scope, value_str_at(lock, "scope")))
            continue;
        properties = value_set(a, shown, "properties", value_map(a));
        value_set_string(a, properties, "level", value_str_at(lock, "level"));
        value_set_string(a, properties, "notes", value_str_at(lock, "notes"));
        value_set(
            a, shown, "id",
            value_format(a, "%s/providers/Microsoft.Authorization/locks/%s", value_str_at(lock, "scope"), value_str_at(lock, "name")));
        value_set_string(a, shown, "type", "Microsoft.Authorization/locks");
        value_set_string(a, shown, "name", value_str_at(lock, "name"));
        value_push(a, items, shown);
    }
    arm_page(s, r, out, items);
}
