/* Knows whether a restore pays for the pass that exports its key, and so what stands against it: the key's copy is then
 * fetched from its staging account. Must not know what is checked. Pure. */
#include "conclude.h"
#include "../keys/lost.h"
#include "election.h"
#include "obstacles.h"

static bool pays_for_export(const struct view *v, const struct situation *s)
{
    struct export_election e;

    if (!s->key || !key_wants_export(v, s->key))
        return false;
    e = export_elect(v, s->key);
    return e.restored_vm == s->doc && !e.export;
}

const struct obstacle *restore_obstacles(const struct view *v, const struct situation *s, size_t *ret_count)
{
    const struct restore_conclusion *own = view_own(v, s->doc);

    if (own && s == &own->situation) {
        *ret_count = own->n_obstacles;
        return own->obstacles;
    }
    return restore_obstacles_of(v, s, pays_for_export(v, s), ret_count);
}

