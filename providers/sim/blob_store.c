/* Knows which blobs an account holds, and finds the one that is asked about. Must not know what is answered. */
#include "blobs.h"

static bool blob_is_of(const struct blob_exchange *x, const struct value *blob)
{
    return str_eq(value_str(value_get(blob, "container")), x->container) &&
           str_eq_nocase(value_str(value_get(blob, "account")), x->name);
}

const struct value *blob_next(const struct blob_exchange *x, size_t *at)
{
    const struct value *all = state_list(x->s, "blobs");

    while (*at < value_count(all)) {
        const struct value *v = value_item(all, (*at)++);

        if (blob_is_of(x, v))
            return v;
    }
    return NULL;
}

struct value *blob_named(const struct blob_exchange *x)
{
    for (const struct index_entry *e = blobs_named(x->s, x->blob); e; e = e->next)
        if (blob_is_of(x, e->thing) && str_eq(value_str_at(e->thing, "name"), x->blob))
            return (struct value *)e->thing;
    return NULL;
}
