/* Knows who may ask for a key, how it is shown, and how a request for it is refused. Must not know operations. */
#include "keys.h"

#include "../../reconciler/format/crypt.h"

void key_refuse(const struct key_exchange *x, int status, const char *code, const char *inner, const char *message)
{
    struct value *body = value_map(x->a), *error = value_map(x->a), *innererror;

    value_set_string(x->a, error, "code", code);
    value_set_string(x->a, error, "message", message);
    if (inner) {
        innererror = value_set(x->a, error, "innererror", value_map(x->a));
        value_set_string(x->a, innererror, "code", inner);
    }
    value_set(x->a, body, "error", error);
    answer_json(x->a, x->out, status, body);
}

void key_not_found(const struct key_exchange *x, const char *name)
{
    key_refuse(
        x, 404, "KeyNotFound", NULL,
        arena_printf(x->a,
                     "There is no key with (name/id) %s in this key vault. A deleted key may be recoverable from its "
                     "soft-deleted state.",
                     name));
}

bool key_permitted(const struct key_exchange *x, const char *key, const char *permission)
{
    bool rbac = x->hsm || value_bool_at(x->vault, "properties.enableRbacAuthorization", false);
    const char *message;

    if (access_key(x->s, x->r->principal, x->vault, key, permission))
        return true;
    message = arena_printf(x->a, "Caller oid=%s may not perform keys/%s on vault '%s'%s%s.", x->r->principal,
                           permission, x->store, key ? ", key " : "", key ? key : "");
    key_refuse(x, 403, "Forbidden", rbac ? "ForbiddenByRbac" : "AccessDenied", message);
    return false;
}

bool key_name_taken(const struct key_exchange *x, const char *name, bool by_active_too)
{
    const struct value *key = key_find(x->s, x->store, name);

    if (!key)
        return false;
    if (key_in_state(key, "deleted")) {
        bool fresh = key_settling(x->s, key);

        key_refuse(
            x, 409, "Conflict", fresh ? "ObjectIsBeingDeleted" : "ObjectIsDeletedButRecoverable",
            arena_printf(x->a,
                         fresh ? "Key %s is being deleted."
                               : "Key %s is deleted and can be recovered; its name is free again once it is purged.",
                         name));
        return true;
    }
    if (!by_active_too)
        return false;
    key_refuse(x, 409, "Conflict", NULL,
               arena_printf(x->a, "There was a conflict restoring the key '%s': a key of that name exists.", name));
    return true;
}

struct value *key_visible(const struct key_exchange *x, const char *name)
{
    struct value *key = key_find(x->s, x->store, name);

    if (key && key_in_state(key, "active") && !key_settling(x->s, key))
        return key;
    key_not_found(x, name);
    return NULL;
}

void key_answer_bundle(const struct key_exchange *x, const struct value *key, const struct value *version)
{
    answer_json(x->a, x->out, 200, key_show(x->s, x->a, x->vault, key, version));
}

/* Takes Unix seconds of a body over into a time of the world. */
static void take_time(struct sim *s, struct value *version, const char *member, const struct value *attributes,
                      const char *from)
{
    int64_t seconds = value_int_at(attributes, from, -1);

    if (seconds >= 0)
        value_set_string(s->arena, version, member, time_format(s->arena, seconds * SECOND_MS));
}

void key_take_attributes(struct sim *s, struct value *version, const struct value *attributes)
{
    value_set_bool(s->arena, version, "enabled",
                   value_bool_at(attributes, "enabled", value_bool_at(version, "enabled", true)));
    take_time(s, version, "expires", attributes, "exp");
    take_time(s, version, "notBefore", attributes, "nbf");
}

struct value *key_new_version(struct sim *s, struct value *key, const struct value *body)
{
    struct value *version = value_map(s->arena), *all = value_get(key, "versions");
    const char *guid = new_guid(s);
    char id[UUID_TEXT];
    size_t n = 0;

    for (; *guid; guid++)
        if (*guid != '-')
            id[n++] = *guid;
    id[n] = '\0';
    value_set_string(s->arena, version, "id", id);
    value_set_string(s->arena, version, "created", time_format(s->arena, s->now_ms));
    key_take_attributes(s, version, value_get(body, "attributes"));
    if (value_get(body, "tags"))
        value_set(s->arena, version, "tags", value_copy(s->arena, value_get(body, "tags")));
    if (!all)
        all = value_set(s->arena, key, "versions", value_list(s->arena));
    value_push(s->arena, all, version);
    state_changed(s);
    return version;
}
