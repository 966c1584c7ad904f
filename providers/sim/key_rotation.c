/* Knows how a key is rotated and released to a machine. Must not know lists. */
#include "keys.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"

enum { BACKUP_VALUE_MAX = 1024 * 1024 };

/* --- rotation and release ----------------------------------------------------------------------------------------- */

void key_rotation_policy(const struct key_exchange *x, const char *name)
{
    bool set = request_is(x->r, "PUT");
    struct value *key;
    const char *problem;

    if (!key_permitted(x, name, set ? "setrotationpolicy" : "getrotationpolicy") ||
        (key = key_visible(x, name)) == NULL)
        return;
    problem = set ? key_set_rotation(x->s, key, x->r->json) : NULL;
    if (problem)
        key_refuse(x, 400, "BadParameter", NULL, problem);
    else
        answer_json(x->a, x->out, 200, key_show_rotation(x->s, x->a, key));
}

void key_rotate(const struct key_exchange *x, const char *name)
{
    struct value *key, *version;

    if (!key_permitted(x, name, "rotate") || (key = key_visible(x, name)) == NULL)
        return;
    version = key_new_version(x->s, key, NULL);
    key_expire_rotated(x->s, key, version);
    key_answer_bundle(x, key, version);
}

void key_release(const struct key_exchange *x, const char *name, const char *version)
{
    const char *target = value_str_at(x->r->json, "target");
    const struct value *key, *v;
    struct value *shown, *body;

    if (!key_permitted(x, name, "release") || (key = key_visible(x, name)) == NULL)
        return;
    v = key_version(key, *version ? version : NULL);
    if (!v) {
        key_not_found(x, arena_printf(x->a, "%s/%s", name, version));
        return;
    }
    shown = key_show(x->s, x->a, x->vault, key, v);
    if (!target || !*target) {
        key_refuse(x, 400, "BadParameter", NULL, "Property target must be an attestation token.");
    } else if (!value_bool_at(shown, "attributes.exportable", false) || !key_release_allows(x->a, shown, target)) {
        key_refuse(x, 403, "Forbidden", NULL,
               "The target environment's attestation does not meet the key's release policy.");
    } else {
        body = value_map(x->a);
        value_set_string(x->a, body, "value", key_released(x->a, shown, x->r->json));
        answer_json(x->a, x->out, 200, body);
    }
}

/* A purged entry of the same key is replaced: it has come back to life. */
static struct value *bring_back(const struct key_exchange *x, struct value *key)
{
    struct value *all = state_list(x->s, "keys");
    const char *name = value_str_at(key, "name");

    value_set_string(x->a, key, "store", x->store);
    for (size_t i = value_count(all); i-- > 0;)
        if (key_is(value_item(all, i), x->store, name) &&
            key_version(value_item(all, i), value_str_at(key_version(key, NULL), "id")))
            list_remove(all, i);
    key_grants_after(x->s, x->vault, name, false);
    value_set_string(x->a, key, "restored", time_format(x->a, x->s->now_ms));
    return state_push(x->s, "keys", key);
}

void key_restore(const struct key_exchange *x)
{
    const char *value = value_str_at(x->r->json, "value");
    struct value *key = NULL;
    struct secret blob;
    struct err ignored;

    if (!key_permitted(x, NULL, "restore"))
        return;
    secret_init(&blob);
    if (!value || strlen(value) > BACKUP_VALUE_MAX || strpbrk(value, "+/=") ||
        crypt_base64_decode(value, strlen(value), BASE64_URL, &blob, &ignored) < 0)
        key_refuse(x, 400, "BadParameter", NULL, "Property value must be a key backup in unpadded base64url.");
    else if ((key = key_open_backup(x->s, x->a, x->vault, &blob)) == NULL)
        key_refuse(x, 400, "BadParameter", NULL, "Cannot decrypt backup blob: it is damaged, or from elsewhere.");
    else if (!x->hsm && str_eq_nocase(value_str_at(x->vault, "properties.sku.name"), "standard") &&
             str_ends_nocase(value_str_at(key, "type"), "-HSM"))
        key_refuse(x, 400, "BadParameter", NULL, "The vault's tier (standard) holds no keys in hardware.");
    else if (!key_name_taken(x, value_str_at(key, "name"), true)) {
        key = bring_back(x, key);
        key_answer_bundle(x, key, key_version(key, NULL));
    }
    secret_release(&blob);
}
