/* Knows the wait of a key that comes back by the steps of another document of it. Must not know those steps. */
#include "../keys/key_facts.h"
#include "../keys/lost.h"
#include "../keys/original.h"
#include "key_parts.h"

bool key_steps_with_another(const struct view *v, const struct document *doc, struct steps *out)
{
    const struct document *first = key_comes_with(v, doc);
    bool lost = key_lost(v, doc), newer = key_comes_with_newer(v, doc);
    const char *version = key_needed(v, doc).version;
    struct step *step;

    if (!first)
        return false;
    step = steps_add(out, doc, ACTION_WAIT, NULL, "the key is %s; it comes back with %s, %s",
                     lost ? "purged" : "soft-deleted", first->address,
                     newer ? "whose ordered point is later: that copy holds both versions, and an older one would take "
                             "the name"
                           : "which declares the same key: what brings that one back brings this one");
    step->scope = key_address(v, doc);
    step->postcondition = "a GET shows the wanted version, enabled";
    if (lost && !newer && version && !str_eq_nocase(version, key_needed(v, first).version))
        step->unverified = arena_printf(v->arena, "that the copy holds version %s: it is looked at when it is back",
                                        version);
    step_need(out, step, arena_printf(v->arena, "%s#%s", first->address, lost ? "restore-key" : "recover"));
    step_on(out, step, first);
    return true;
}
