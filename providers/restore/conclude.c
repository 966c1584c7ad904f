/* Knows in which order conclusions follow from each other. Must not know what they say. */
#include "conclude.h"

#include "../documents/concluded.h"
#include "../keys/original.h"
#include "checking.h"
#include "election.h"
#include "obstacles.h"

const void *conclude_look(const struct view *v)
{
    const struct desired *d = v->desired;
    struct concluded *all = arena_new_of(v->arena, struct concluded);
    struct order *orders = arena_array(v->arena, struct order, d->count + 1);
    struct key_need *needs = arena_array(v->arena, struct key_need, d->count + 1);
    struct situation *situations = arena_array(v->arena, struct situation, d->count + 1);
    struct export_election *elections = arena_array(v->arena, struct export_election, d->count + 1);
    struct view so_far = *v;

    so_far.concluded = all;
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "RestoredVirtualMachine"))
            orders[i] = order_for(&so_far, d->documents[i]);
    all->orders = orders;
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "Key"))
            needs[i] = key_needed(&so_far, d->documents[i]);
    all->needs = needs;
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "RestoredVirtualMachine") && document_target(d->documents[i], "spec.from"))
            situations[i] = *situation_of(&so_far, d->documents[i]);
    all->situations = situations;
    all->crowd = crowd_make(&so_far);
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "Key"))
            elections[i] = export_elect(&so_far, d->documents[i]);
    all->elections = elections;
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
