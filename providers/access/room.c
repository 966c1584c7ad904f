/* Knows how many grants Azure takes, and counts those that are due. Must not know what they are for. */
#include "room.h"

#include "../azure/shared.h"
#include "hsm_rights.h"
#include "rights.h"

int room_observe_roles(struct call *c, struct azure *az, struct arena *a, const char *scope, struct value *facts,
                       struct err *err)
{
    const char *subscription = arm_id_part(a, scope, "subscriptions"), *path;
    const struct value *all;

    if (!subscription)
        return 0;
    path = arena_printf(a, "/subscriptions/%s/providers/Microsoft.Authorization/roleAssignments", subscription);
    if (arm_list_shared(
            az, c, a,
            &(struct arm_wanted){.path = path, .api = API_AUTHORIZATION, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
            &all, err) == 0)
        value_set_int(a, facts, "subscriptionRoles", (int64_t)value_count(all));
    else if (err->class != ERR_DENIED && err->class != ERR_NOT_FOUND)
        return -(int)err->class;
    return 0;
}

void room_observe_policies(struct arena *a, const struct value *live, const char *object_id, struct value *facts,
                           struct value *who)
{
    const struct value *policies = value_at(live, "properties.accessPolicies");
    bool own = false;

    value_set_int(a, facts, "policies", (int64_t)value_count(policies));
    for (size_t i = 0; object_id && i < value_count(policies); i++)
        own = own || (str_eq_nocase(value_str_at(value_item(policies, i), "objectId"), object_id) &&
                      policy_entry_acts(live, value_item(policies, i)));
    value_set_bool(a, who, "newPolicy", !own);
}

static bool lacks(const struct value *who)
{
    const struct value *missing = value_get(who, "missing");

    return !value_str_at(who, "why") && (!missing || value_count(missing) > 0);
}

/* Each identity of a set takes a grant of its own; one that nobody knows yet takes one too. */
static size_t lacking_identities(const struct value *who)
{
    size_t n = value_count(value_get(who, "lacking")) + !value_str_at(who, "objectId");

    return n ? n : 1;
}

static bool in_subscription(struct arena *a, const struct value *facts, const char *scope)
{
    const char *one = arm_id_part(a, scope, "subscriptions"), *other = value_str_at(facts, "scope");

    return one && other && str_eq_nocase(one, arm_id_part(a, other, "subscriptions"));
}

/* The grants of one document that take up room in that vault, or (NULL) in the subscription of `scope`. */
static size_t due(struct arena *a, const struct document *d, const struct value *facts, const char *vault,
                  const char *scope)
{
    const struct value *principals = value_get(facts, "principals");
    const char *model = value_str_at(facts, "model");
    size_t n = 0;

    if (str_eq(d->kind, "KeyVaultAccessPolicy"))
        return vault && str_eq_nocase(value_str_at(facts, "vaultId"), vault) &&
               value_bool_at(facts, "newPolicy", false) && lacks(facts);
    if (str_eq(d->kind, "RoleAssignment"))
        return !vault && str_eq(value_str_at(facts, "state"), "absent") && in_subscription(a, facts, scope);
    if (!str_eq(d->kind, "KeyAccess") || !str_eq(model, vault ? "access-policies" : "azure-rbac") ||
        (vault ? !str_eq_nocase(value_str_at(facts, "vaultId"), vault) : !in_subscription(a, facts, scope)))
        return 0;
    for (size_t i = 0; i < value_count(principals); i++) {
        const struct value *p = value_item(principals, i);

        if (lacks(p) && (!vault || value_bool_at(p, "newPolicy", false)))
            n += lacking_identities(p);
    }
    return n;
}

static void put_number(struct arena *a, struct index *x, const char *name, size_t n)
{
    size_t *number = n ? arena_new_of(a, size_t) : NULL;

    if (!n)
        return;
    *number = n;
    index_put(x, arena_strdup(a, name), number);
}

/* Of all documents together. */
static size_t add_up(const struct view *v, const struct view_names *names, const char *name)
{
    const struct index_entry *at = NULL;
    const size_t *number;
    size_t sum = 0;

    while ((number = view_next(v, names, name, &at)))
        sum += *number;
    return sum;
}

static void put_due(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc);
    const char *vault = value_str_at(facts, "vaultId"), *scope = value_str_at(facts, "scope");
    const char *subscription = arm_id_part(a, scope, "subscriptions");

    if (vault)
        put_number(a, x, vault, due(a, doc, facts, vault, NULL));
    if (subscription)
        put_number(a, x, subscription, due(a, doc, facts, NULL, scope));
}

static size_t due_in_all(const struct view *v, const char *vault, const char *scope)
{
    static const struct view_names all = {.put = put_due};

    return add_up(v, &all, vault ? vault : arm_id_part(v->arena, scope, "subscriptions"));
}

bool room_lacks(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct value *facts = view_facts(v, doc);
    bool policies = value_get(facts, "policies") != NULL;
    const char *vault = policies ? value_str_at(facts, "vaultId") : NULL, *scope = value_str_at(facts, "scope");
    size_t have = (size_t)value_int_at(facts, policies ? "policies" : "subscriptionRoles", 0),
           limit = policies ? POLICY_LIMIT : ROLE_LIMIT, more;

    if ((!policies && !value_get(facts, "subscriptionRoles")) || !due(v->arena, doc, facts, vault, scope))
        return false;
    more = due_in_all(v, vault, scope);
    if (have + more <= limit)
        return false;
    steps_block(out, doc, NULL,
                policies ? "a person who may write the vault's access policies (Key Vault Contributor) removes entries "
                           "that nobody needs: "
                           "az keyvault delete-policy"
                         : "a person who may delete role assignments (Role Based Access Control Administrator) removes "
                           "those that nobody "
                           "needs, of principals that are gone first: az role assignment delete",
                "%zu %s needed, and there is room for %zu: %s has %zu of at most %zu", more,
                policies ? "access policies are" : "role assignments are", have < limit ? limit - have : 0,
                policies ? arm_id_name(vault) : "the subscription", have, limit);
    return true;
}

/* --- managed HSM -------------------------------------------------------------------------------------------------- */

static bool of_one_key(const char *scope)
{
    return str_starts_nocase(scope, "/keys/");
}

size_t room_hsm_taken(const struct value *assignments, const char *scope)
{
    if (of_one_key(scope))
        return hsm_assignments_at(assignments, scope);
    return hsm_assignments_at(assignments, "/") + hsm_assignments_at(assignments, "/keys");
}

/* Assignments of one key have a limit of their own. */
static const char *hsm_limited(struct arena *a, const char *base, const char *scope)
{
    return base && scope ? arena_printf(a, "%s|%s", base, of_one_key(scope) ? scope : "") : NULL;
}

static void put_hsm_due(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    const struct value *facts = view_facts(v, doc), *principals = value_get(facts, "principals");
    const char *name = hsm_limited(a, value_str_at(facts, "base"), value_str_at(facts, "localScope"));
    size_t n = str_eq(doc->kind, "ManagedHsmRoleAssignment") && str_eq(value_str_at(facts, "state"), "absent");

    for (size_t k = 0; str_eq(doc->kind, "KeyAccess") && k < value_count(principals); k++)
        n += value_count(value_get(value_item(principals, k), "grants"));
    if (name)
        put_number(a, x, name, n);
}

size_t room_hsm_then(const struct view *v, const struct document *doc, size_t *ret_limit)
{
    static const struct view_names all = {.put = put_hsm_due};
    const struct value *own = view_facts(v, doc);
    const char *base = value_str_at(own, "base"), *scope = value_str_at(own, "localScope");
    size_t n = (size_t)value_int_at(own, "atScope", 0);

    *ret_limit = of_one_key(scope) ? HSM_KEY_LIMIT : HSM_LIMIT;
    return n + add_up(v, &all, hsm_limited(v->arena, base, scope));
}
