/* Knows what becomes of grants when what they were given on is deleted and comes back: the documents say it of vaults,
 * and leave it open for keys and managed HSMs (behaviour.keyGrants, behaviour.hsmGrants). Must not know what a grant
 * allows. */
#include "data.h"

static void forget_roles(struct sim *s, const char *scope)
{
    struct value *all = state_list(s, "roleAssignments");

    for (size_t i = value_count(all); i-- > 0;)
        if (scope_covers(scope, value_str_at(value_item(all, i), "scope"))) {
            list_remove(all, i);
            state_changed(s);
        }
}

static void forget_local_roles(struct sim *s, const char *store, const char *scope)
{
    struct value *all = state_list(s, "hsmRoleAssignments");

    for (size_t i = value_count(all); i-- > 0;) {
        const struct value *v = value_item(all, i);

        if (!str_eq_nocase(value_str_at(v, "store"), store) || !scope_covers(scope, value_str_at(v, "scope")))
            continue;
        /* An HSM without any administrator could never be used again. */
        if (str_eq(hsm_role_guid(value_str_at(v, "role")) ?: "", HSM_ADMINISTRATOR))
            continue;
        list_remove(all, i);
        state_changed(s);
    }
}

void key_grants_after(struct sim *s, const struct value *store, const char *name, bool recovered)
{
    if (knob_is(s, "keyGrants", "kept") || (recovered && knob_is(s, "keyGrants", "kept-by-recovery")))
        return;
    if (hsm_is(store))
        forget_local_roles(s, value_str_at(store, "name"), arena_printf(s->arena, "/keys/%s", name));
    else
        forget_roles(s, arena_printf(s->arena, "%s/keys/%s", value_str_at(store, "id"), name));
}

void store_grants_after(struct sim *s, const struct value *store)
{
    /* Azure's own roles on the resource go in any case; access policies are part of a vault and come back with it. */
    forget_roles(s, value_str_at(store, "id"));
    if (hsm_is(store) && knob_is(s, "hsmGrants", "lost"))
        forget_local_roles(s, value_str_at(store, "name"), "/");
}
