/* Knows where the conclusions of a look and of a restore begin. Must not know what they say. */
#include "conclude.h"

#include "../documents/concluded.h"
#include "obstacles.h"

const void *conclude_look(const struct view *v)
{
    struct concluded *all = arena_new_of(v->arena, struct concluded);

    all->parts = arena_array(v->arena, struct concluded_parts *, v->desired->count + 1);
    return all;
}

const void *conclude_restore(const struct view *v, const struct document *restored_vm)
{
    struct restore_conclusion *own = arena_new_of(v->arena, struct restore_conclusion);

    if (!document_target(restored_vm, "spec.from"))
        return NULL;
    own->situation = situation_foreseen(v, restored_vm);
    own->obstacles = restore_obstacles(v, &own->situation, &own->n_obstacles);
    return own;
}
