/* Knows how exchanges of the data planes are brought about again: keys of vaults and managed HSMs, the local rights
 * there, and blobs. */
#include "simcheck_operations.h"

#include <string.h>

/* --- keys --------------------------------------------------------------------------------------------------------- */

bool make_shown_key(struct situation *t)
{
    return add_key(t, t->body, "active");
}

bool make_shown_deleted_key(struct situation *t)
{
    return add_key(t, t->body, "deleted");
}

static bool listed_keys(struct situation *t, const char *state)
{
    const struct value *all = value_get(t->body, "value"), *link = value_get(t->body, "nextLink");
    const char *size = query_value(t, "maxresults");

    if (query_value(t, "$skiptoken"))
        return cannot(t, "a page in the middle: its token is the service's own");
    add_store(t, NULL);
    for (size_t i = 0; i < value_count(all); i++)
        if (!add_key(t, value_item(all, i), state))
            return false;
    if (value_str(link) && size) {
        struct value *more = value_copy(t->a, value_item(all, 0));

        value_set_string(t->a, more, "kid",
                         t->n_parts == 3 ? arena_printf(t->a, "https://%s/keys/%s/fedcba9876543210fedcba9876543210",
                                                        t->host, part(t, 1))
                                         : arena_printf(t->a, "https://%s/keys/one-more", t->host));
        return add_key(t, more, state);
    }
    return true;
}

bool make_active_keys(struct situation *t)
{
    return listed_keys(t, "active");
}

bool make_deleted_keys(struct situation *t)
{
    return listed_keys(t, "deleted");
}

/* A list of one key's versions. */
bool make_versions(struct situation *t)
{
    if (!make_active_keys(t))
        return false;
    if (!value_count(value_get(t->body, "value")))
        return cannot(t, "a key without versions");
    return true;
}

bool make_new_key(struct situation *t)
{
    const char *type = value_str_at(t->sent, "kty");

    if (type && str_starts(type, "EC"))
        return cannot(t, "elliptic-curve keys: confidential virtual machines use RSA");
    add_store(t, value_get(t->body, "attributes"));
    return true;
}

/* What an earlier answer said of the key of this path. */
static const struct value *earlier_key(const struct situation *t)
{
    const char *kid = arena_printf(t->a, "https://%s/keys/%s/", t->host, part(t, 1));
    const struct value *ret = NULL;

    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body");
        const char *shown = value_str_at(body, "key.kid");

        if (shown && str_starts_nocase(shown, kid))
            ret = body;
    }
    return ret;
}

bool make_earlier_active(struct situation *t)
{
    return add_key(t, earlier_key(t), "active");
}

bool make_earlier_deleted(struct situation *t)
{
    return add_key(t, earlier_key(t), "deleted");
}

/* A policy given earlier tells how long the new version lives. */
bool make_set_rotation(struct situation *t, struct sim *s)
{
    for (size_t i = 0; i < t->at; i++) {
        struct situation earlier;

        situation_open(&earlier, t->a, t->file, t->lines, i);
        earlier.audience = t->audience;
        earlier.now_ms = t->now_ms;
        if (str_eq(value_str_at(earlier.x, "method"), "PUT") && str_eq(part(&earlier, 1), part(t, 1)) &&
            str_eq(part(&earlier, 2), "rotationpolicy"))
            situation_send(&earlier, s, "PUT", earlier.url, earlier.request);
    }
    return true;
}

/* A backup of the world's own, made before the key was deleted and purged: the recorded one opens in
 * its own cloud only. */
bool make_back_up_and_lose(struct situation *t, struct sim *s)
{
    const char *kid = value_str_at(t->body, "key.kid"), *name = strstr(kid, "/keys/") + strlen("/keys/");
    const char *key = arena_strndup(t->a, name, strcspn(name, "/"));
    struct answer backup = situation_send(
        t, s, "POST", arena_printf(t->a, "https://%s/keys/%s/backup?api-version=7.4", t->host, key), NULL);

    t->request = arena_strndup(t->a, backup.text, backup.len);
    situation_send(t, s, "DELETE", arena_printf(t->a, "https://%s/keys/%s?api-version=7.4", t->host, key), NULL);
    t->now_ms += MINUTE_MS;
    situation_send(t, s, "DELETE", arena_printf(t->a, "https://%s/deletedkeys/%s?api-version=7.4", t->host, key), NULL);
    return true;
}

/* --- the local rights of a managed HSM ---------------------------------------------------------------------------- */

static void add_local(struct situation *t, const struct value *shown)
{
    static const char *const same[][2] = {
        {"principalId", "principal"}, {"roleDefinitionId", "role"}, {"scope", "scope"}};
    const struct value *p = value_get(shown, "properties");
    struct value *v = value_map(t->a);

    if (!value_str_at(p, "principalId"))
        return;
    value_set_string(t->a, v, "store", arena_strndup(t->a, t->host, strcspn(t->host, ".")));
    value_set_string(t->a, v, "name", value_str_at(shown, "name"));
    for (size_t i = 0; i < COUNT(same); i++)
        value_set_string(t->a, v, same[i][1], value_str_at(p, same[i][0]));
    value_push(t->a, world_list(t, "hsmRoleAssignments"), v);
}

bool make_local_rights(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    add_store(t, NULL);
    for (size_t i = 0; i < value_count(all); i++)
        add_local(t, value_item(all, i));
    if (!all)
        add_local(t, t->body);
    return true;
}

bool make_local_definition(struct situation *t)
{
    if (!str_eq(value_str_at(t->body, "properties.type"), "AKVBuiltInRole"))
        return cannot(t, "a role of the tester's own");
    return make_local_rights(t);
}

/* --- blobs -------------------------------------------------------------------------------------------------------- */

static void add_account(struct situation *t)
{
    add_stub(
        t,
        arena_printf(
            t->a,
            "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-blobs/providers/Microsoft.Storage/"
            "storageAccounts/%.*s",
            (int)strcspn(t->host, "."), t->host),
        NULL);
}

static void add_blob(struct situation *t, const char *name, const char *type, const char *size)
{
    struct value *v = value_map(t->a), *metadata = value_map(t->a);
    const char *length = value_str(value_get(value_get(t->x, "response_headers"), "content-length"));

    value_set_string(t->a, v, "account", arena_strndup(t->a, t->host, strcspn(t->host, ".")));
    value_set_string(t->a, v, "container", part(t, 0));
    value_set_string(t->a, v, "name", name);
    value_set_string(t->a, v, "type", type ? type : "BlockBlob");
    value_set_string(t->a, v, "created", time_format(t->a, t->now_ms));
    if (size)
        value_set_string(t->a, metadata, "configblobsize", size);
    value_set(t->a, v, "metadata", metadata);
    value_set_string(t->a, v, "content", length && strlen(length) > 3 ? "" : "AAAA");
    if (length && str_eq(length, "1024")) {
        struct text zeros;

        text_init(&zeros, 4096);
        for (size_t i = 0; i < 1366; i++)
            text_add_char(&zeros, 'A');
        text_add(&zeros, "==");
        value_set_string(t->a, v, "content", text_str(&zeros));
        text_release(&zeros);
    }
    value_push(t->a, world_list(t, "blobs"), v);
}

bool make_one_blob(struct situation *t)
{
    const struct value *headers = value_get(t->x, "response_headers");
    const char *type = value_str(value_get(headers, "x-ms-blob-type")), *path = t->path + strcspn(t->path + 1, "/") + 2;

    if (type && str_eq(type, "AppendBlob"))
        return cannot(t, "append blobs: Azure Backup exports none");
    add_account(t);
    add_blob(t, t->status == 404 ? "another" : path, type, value_str(value_get(headers, "x-ms-meta-configblobsize")));
    return true;
}

bool make_listed_blobs(struct situation *t)
{
    const char *text = value_str(t->body), *end;

    if (query_value(t, "include") && strstr(query_value(t, "include"), "deleted"))
        return cannot(t, "deleted blobs: the simulator keeps none");
    add_account(t);
    for (const char *at = text ? strstr(text, "<Name>") : NULL; at; at = strstr(at + 1, "<Name>")) {
        end = strchr(at + 1, '<');
        add_blob(t, arena_strndup(t->a, at + strlen("<Name>"), (size_t)(end - at) - strlen("<Name>")), NULL, NULL);
    }
    return value_count(world_list(t, "blobs")) > 0 ||
           cannot(t, "an empty container: the simulator's containers come with their blobs");
}
