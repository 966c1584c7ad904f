/* Knows which blobs an account holds, and finds the one that is asked about. Must not know what is answered. */
#include "blobs.h"

const struct value *blob_next(const struct blob_exchange *x, size_t *at)
{
    const struct value *all = state_list(x->s, "blobs");

    while (*at < value_count(all)) {
        const struct value *v = value_item(all, (*at)++);

        if (str_eq_nocase(value_str_at(v, "account"), x->name) && str_eq(value_str_at(v, "container"), x->container))
            return v;
    }
    return NULL;
}

struct value *blob_named(const struct blob_exchange *x)
{
    const struct value *v;
    size_t at = 0;

    while ((v = blob_next(x, &at)) != NULL)
        if (str_eq(value_str_at(v, "name"), x->blob))
            return (struct value *)v;
    return NULL;
}
