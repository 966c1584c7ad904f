/* Knows deleted keys: how they are shown, recovered and purged. Must not know rotation. */
#include "keys.h"

/* --- deleted keys ------------------------------------------------------------------------------------------------- */

void deleted_key_get(const struct key_exchange *x, const char *name)
{
    const struct value *key;
    struct value *shown;

    if (!key_permitted(x, name, x->hsm ? "getDeleted" : "get"))
        return;
    key = key_find(x->s, x->store, name);
    if (!key || !key_in_state(key, "deleted") || key_settling(x->s, key)) {
        key_refuse(x, 404, "KeyNotFound", NULL, arena_printf(x->a, "Deleted key not found: %s", name));
        return;
    }
    shown = key_show(x->s, x->a, x->vault, key, key_version(key, NULL));
    key_show_deletion(x->s, x->a, shown, key);
    answer_json(x->a, x->out, 200, shown);
}

void deleted_key_recover(const struct key_exchange *x, const char *name)
{
    struct sim *s = x->s;
    struct value *key;

    if (!key_permitted(x, name, "recover"))
        return;
    key = key_find(s, x->store, name);
    if (!key) {
        key_refuse(x, 404, "KeyNotFound", NULL, arena_printf(x->a, "Deleted key not found: %s", name));
    } else if (key_settling(s, key)) {
        key_refuse(x, 409, "Conflict", key_in_state(key, "deleted") ? "ObjectIsBeingDeleted" : "ObjectIsBeingRecovered",
               arena_printf(x->a, "An earlier operation on key %s has not ended.", name));
    } else if (!key_in_state(key, "deleted")) {
        key_refuse(x, 400, "MethodNotAllowed", "RequestNotAllowedOnNonDeletedObject",
               arena_printf(x->a, "Key exists already: %s", name));
    } else {
        value_set_string(s->arena, key, "state", "active");
        value_remove(key, "deletedDate");
        value_remove(key, "scheduledPurgeDate");
        key_grants_after(s, x->vault, name, true);
        value_set_string(s->arena, key, "settles",
                         time_format(s->arena, s->now_ms + behaviour_ms(s, "recoverDelay", 5 * SECOND_MS)));
        state_changed(s);
        key_answer_bundle(x, key, key_version(key, NULL));
    }
}

void deleted_key_purge(const struct key_exchange *x, const char *name)
{
    struct value *key;

    if (!key_permitted(x, name, "purge"))
        return;
    key = key_find(x->s, x->store, name);
    if (!key || !key_in_state(key, "deleted")) {
        key_refuse(x, 404, "KeyNotFound", NULL, arena_printf(x->a, "Deleted key not found: %s", name));
    } else if (value_bool_at(x->vault, "properties.enablePurgeProtection", false)) {
        key_refuse(x, 403, "Forbidden", "ForbiddenByPolicy", "The vault is purge protected.");
    } else {
        value_set_string(x->s->arena, key, "state", "purged");
        state_changed(x->s);
        answer_empty(x->out, 204);
    }
}
