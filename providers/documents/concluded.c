/* Knows where conclusions are kept, and what they are made from. Must not know what they say. */
#include "concluded.h"

struct concluded_parts *concluded_parts(const struct view *v, const struct document *doc)
{
    const struct concluded *all = v->concluded;

    if (!all)
        return NULL;
    if (!all->parts[doc->index])
        all->parts[doc->index] = arena_new_of(v->arena, struct concluded_parts);
    return all->parts[doc->index];
}

struct view concluded_from(const struct view *v)
{
    static const struct steps none;
    struct view seen = *v;

    seen.steps = &none;
    seen.conclusions = NULL;
    return seen;
}
