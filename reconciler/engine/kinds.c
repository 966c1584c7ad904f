/* Knows which kind a document is of. Must not know any. */
#include "internal.h"

const struct kind *engine_kind(const struct engine *e, const struct document *doc)
{
    for (size_t i = 0; i < e->kinds->count; i++)
        if (str_eq(e->kinds->items[i]->name, doc->kind))
            return e->kinds->items[i];
    return NULL;
}
