/* Knows who there is in the tenant: principals and managed identities, by id, name or well-known name. Must not know
 * what anybody may do. */
#include "internal.h"

struct value *principal_find(struct sim *s, const char *ref)
{
    /* Managed identities have a list of their own: a reader of the world never writes them. */
    static const char *const lists[] = {"principals", "identities"};

    for (size_t l = 0; ref && l < COUNT(lists); l++) {
        struct value *all = state_list(s, lists[l]);

        for (size_t i = 0; i < value_count(all); i++) {
            struct value *p = value_item(all, i);

            if (str_eq_nocase(value_str_at(p, "objectId"), ref) ||
                (l == 0 && (str_eq(value_str_at(p, "name"), ref) || str_eq(value_str_at(p, "wellKnown"), ref))))
                return p;
        }
    }
    return NULL;
}

const char *principal_id(struct sim *s, const char *ref)
{
    const char *id = value_str_at(principal_find(s, ref), "objectId");

    return id ? id : ref;
}

const char *well_known(struct sim *s, const char *name)
{
    struct value *all = state_list(s, "principals");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq(value_str_at(value_item(all, i), "wellKnown"), name))
            return value_str_at(value_item(all, i), "objectId");
    return NULL;
}
