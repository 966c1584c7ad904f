/* Knows management locks: spec.locks {scope, name, level, notes}. ReadOnly lets only reads through Resource Manager,
 * CanNotDelete refuses deletions (Microsoft Learn, Lock your resources). */
#include "internal.h"

bool lock_on(struct sim *s, const char *scope, bool delete, const char **ret_scope)
{
    struct value *all = state_list(s, "locks");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *lock = value_item(all, i);
        bool read_only = str_eq_nocase(value_str_at(lock, "level"), "ReadOnly");

        *ret_scope = value_str_at(lock, "scope");
        if ((read_only || delete) && *ret_scope && scope && scope_covers(*ret_scope, scope))
            return true;
    }
    return false;
}

bool lock_refuses(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *scope = request_path(r, r->n_segments), *locked;
    bool delete = request_is(r, "DELETE");

    if (request_is(r, "GET") || request_is(r, "HEAD") || !lock_on(s, scope, delete, &locked))
        return false;
    answer_arm_error(r->arena, out, 409, true, "ScopeLocked",
                     "The scope '%s' cannot perform %s operation because following scope(s) are locked: '%s'. Please "
                     "remove the lock and "
                     "try again.",
                     scope, delete ? "delete" : "write", locked);
    return true;
}

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
        value_set(a, shown, "id",
                  value_format(a, "%s/providers/Microsoft.Authorization/locks/%s", value_str_at(lock, "scope"),
                               value_str_at(lock, "name")));
        value_set_string(a, shown, "type", "Microsoft.Authorization/locks");
        value_set_string(a, shown, "name", value_str_at(lock, "name"));
        value_push(a, items, shown);
    }
    arm_page(s, r, out, items);
}
