/* Knows who there is in the tenant: principals and managed identities, by id, name or well-known name. Must not know
 * what anybody may do. */
#include "internal.h"

const char *principal_id(struct sim *s, const char *ref)
{
    const char *id = value_str_at(principal_find(s, ref), "objectId");

    return id ? id : ref;
}

bool principal_is(struct sim *s, const char *granted, const char *principal)
{
    const struct value *groups;

    granted = principal_id(s, granted);
    if (str_eq_nocase(granted, principal))
        return true;
    groups = value_get(principal_find(s, principal), "memberOf");
    for (size_t i = 0; i < value_count(groups); i++)
        if (str_eq_nocase(principal_id(s, value_str(value_item(groups, i))), granted))
            return true;
    return false;
}

const char *well_known(struct sim *s, const char *name)
{
    struct value *all = state_list(s, "principals");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq(value_str_at(value_item(all, i), "wellKnown"), name))
            return value_str_at(value_item(all, i), "objectId");
    return NULL;
}
