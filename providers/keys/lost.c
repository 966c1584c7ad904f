/* Knows when a key is lost. Pure. Must not know who brings it back. */
#include "lost.h"

#include "copies.h"
#include "refused.h"
#include "standing.h"

bool key_lost(const struct view *v, const struct document *key)
{
    const struct value *facts = view_facts(v, key);

    /* A key in a soft-deleted vault comes back with the vault, or is looked at then. */
    return str_eq(view_state(v, key), "absent") && !str_eq(value_str_at(facts, "storeState"), "deleted") &&
           !key_revoked(v, key);
}

bool key_wants_export(const struct view *v, const struct document *key)
{
    const char *elsewhere = value_str_at(view_facts(v, key), "elsewhere.state");

    /* A store that has refused one copy of the key would refuse what a pass exports, and the pass is a restore that fails. */
    return key_lost(v, key) && key_own_copy(v, key).kind == KEY_COPY_NONE && !key_refusal(v, key) &&
           !str_eq(elsewhere, "present") && !str_eq(elsewhere, "deleted");
}
