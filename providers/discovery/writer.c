/* Knows what the documents that are written share: which keys can be declared, and in which stores. Must not know what
 * is told of those that cannot. */
#include "writer.h"

#include "../../reconciler/base/text.h"

const struct value *writer_thing_by(const struct value *list, const char *member, const char *text)
{
    for (size_t i = 0; text && i < value_count(list); i++)
        if (str_eq_nocase(value_str_at(value_item(list, i), member), text))
            return value_item(list, i);
    return NULL;
}

const struct value *writer_store_of(const struct writer *w, const struct value *key)
{
    return writer_thing_by(value_get(w->found, "stores"), "base", value_str_at(key, "base"));
}

bool writer_declarable(const struct value *store)
{
    return value_str_at(store, "id") != NULL;
}

bool writer_set_declared(const struct value *set)
{
    return value_str_at(set, "key") != NULL;
}
