/* Knows the data plane of Key Vault: who may ask, what is answered, what soft delete refuses. Must not know how a key
 * is kept or sealed (key_store.c), nor who needs it for what. */
#include "keys.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"

enum { PAGE_DEFAULT = 25 };

/* --- answers ------------------------------------------------------------------------------------------------------ */

static const char *audience_of(const struct key_exchange *x)
{
    return x->hsm ? x->s->ep.hsm_audience : x->s->ep.vault_audience;
}

static void challenge(const struct key_exchange *x, const char *message)
{
    if (x->hsm)
        hsm_refuse_token(x->r, x->out);
    else
        key_refuse(x, 401, "Unauthorized", NULL, message);
    answer_header(x->a, x->out, "WWW-Authenticate", "Bearer authorization=\"%s/%s\", resource=\"%s\"",
                  x->s->ep.authority, value_str_at(x->s->spec, "tenant"), audience_of(x));
}

static bool authenticated(const struct key_exchange *x)
{
    const struct sim_request *r = x->r;

    if (!r->principal) {
        challenge(x, arena_printf(x->a, "AKV10000: %s",
                                  r->token_problem ? r->token_problem : "The request carries no bearer token."));
        return false;
    }
    if (!audience_is(r->token_audience, audience_of(x))) {
        challenge(x, arena_printf(x->a, "AKV10022: The token's audience is not %s.", audience_of(x)));
        return false;
    }
    return true;
}

/* Callers come over the network, so that the services' bypass of a firewall does not cover them. */
static bool firewall_stops(const struct key_exchange *x)
{
    return !firewall_lets_client(x->s, value_get(x->vault, "properties")) &&
           !value_str_at(principal_find(x->s, x->r->principal), "wellKnown");
}

/* --- pages -------------------------------------------------------------------------------------------------------- */

static size_t number_of(const char *text, size_t otherwise, size_t most)
{
    size_t n = 0;

    if (!text || !*text)
        return otherwise;
    for (; *text >= '0' && *text <= '9' && n <= most; text++)
        n = n * 10 + (size_t)(*text - '0');
    return *text || n > most ? otherwise : n;
}

static void answer_page(const struct key_exchange *x, const struct value *items)
{
    const struct sim_request *r = x->r;
    const char *port = strchr(r->host, ':') ? "" : ":443";
    size_t size = number_of(request_query(r, "maxresults"), PAGE_DEFAULT, PAGE_DEFAULT);
    size_t at = number_of(request_query(r, "$skiptoken"), 0, 1000000);
    struct value *body = value_map(x->a), *page;

    page = value_set(x->a, body, "value", value_list(x->a));
    if (size == 0)
        size = PAGE_DEFAULT;
    for (size_t i = 0; i < size && at < value_count(items); i++, at++)
        value_push(x->a, page, value_copy(x->a, value_item(items, at)));
    if (at < value_count(items))
        value_set(x->a, body, "nextLink",
                  value_format(x->a, "https://%s%s%s?api-version=%s&$skiptoken=%zu&maxresults=%zu", r->host, port,
                               r->path, request_query(r, "api-version"), at, size));
    else if (!x->hsm)
        value_set(x->a, body, "nextLink", value_null(x->a));
    answer_json(x->a, x->out, 200, body);
}

static void list_keys(const struct key_exchange *x, bool deleted)
{
    struct value *all = state_list(x->s, "keys"), *items = value_list(x->a);

    if (!key_permitted(x, NULL, x->hsm && deleted ? "getDeleted" : "list"))
        return;
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *key = value_item(all, i);
        struct value *shown;

        if (!str_eq_nocase(value_str_at(key, "store"), x->store) ||
            !key_in_state(key, deleted ? "deleted" : "active") || key_settling(x->s, key))
            continue;
        shown = value_map(x->a);
        value_set_string(x->a, shown, "kid", key_url(x->s, x->a, key, NULL));
        value_set(x->a, shown, "attributes", key_show_attributes(x->a, x->vault, key, key_version(key, NULL)));
        if (deleted)
            key_show_deletion(x->s, x->a, shown, key);
        value_push(x->a, items, shown);
    }
    answer_page(x, items);
}

static void list_versions(const struct key_exchange *x, const char *name)
{
    const struct value *key, *versions;
    struct value *items = value_list(x->a);

    if (!key_permitted(x, name, "list") || (key = key_visible(x, name)) == NULL)
        return;
    versions = value_get(key, "versions");
    for (size_t i = 0; i < value_count(versions); i++) {
        const struct value *v = value_item(versions, i);
        struct value *shown = value_map(x->a);

        value_set_string(x->a, shown, "kid", key_url(x->s, x->a, key, value_str_at(v, "id")));
        value_set(x->a, shown, "attributes", key_show_attributes(x->a, x->vault, key, v));
        if (key_tags(key, v))
            value_set(x->a, shown, "tags", value_copy(x->a, key_tags(key, v)));
        value_push(x->a, items, shown);
    }
    answer_page(x, items);
}

/* --- single keys -------------------------------------------------------------------------------------------------- */

static void get_key(const struct key_exchange *x, const char *name, const char *version)
{
    const struct value *key, *v;

    if (!key_permitted(x, name, "get") || (key = key_visible(x, name)) == NULL)
        return;
    v = key_version(key, version);
    if (v)
        key_answer_bundle(x, key, v);
    else
        key_not_found(x, arena_printf(x->a, "%s/%s", name, version));
}

static bool create_allowed(const struct key_exchange *x, const struct value *body)
{
    const char *type = value_str_at(body, "kty"), *problem = NULL;
    bool exportable = value_bool_at(body, "attributes.exportable", false);

    if (!type || (!str_eq(type, "RSA-HSM") && !str_eq(type, "RSA")))
        problem = "Property kty must be RSA or RSA-HSM.";
    else if (!x->hsm && str_eq(type, "RSA-HSM") &&
             !str_eq_nocase(value_str_at(x->vault, "properties.sku.name"), "premium"))
        problem = "HSM keys need a premium vault.";
    else if (exportable != (value_str_at(body, "release_policy.data") != NULL))
        problem = "An exportable key needs a release policy, and a release policy an exportable key.";
    if (problem)
        key_refuse(x, 400, "BadParameter", NULL, problem);
    return !problem;
}

static void create_key(const struct key_exchange *x, const char *name)
{
    struct sim *s = x->s;
    const struct value *body = x->r->json;
    struct value *key;

    if (!key_permitted(x, name, "create") || !create_allowed(x, body) || key_name_taken(x, name, false))
        return;
    key = key_find(s, x->store, name);
    if (!key) {
        struct value *fresh = value_map(x->a);

        value_set_string(x->a, fresh, "store", x->store);
        value_set_string(x->a, fresh, "name", name);
        value_set_string(x->a, fresh, "state", "active");
        key = state_push(s, "keys", fresh);
    }
    /* Whatever a managed HSM is asked for, it makes keys of its own kind. */
    value_set_string(s->arena, key, "type", x->hsm ? "RSA-HSM" : value_str_at(body, "kty"));
    value_set_int(s->arena, key, "size", value_int_at(body, "key_size", 2048));
    value_set_bool(s->arena, key, "exportable", value_bool_at(body, "attributes.exportable", false));
    if (value_get(body, "key_ops"))
        value_set(s->arena, key, "keyOps", value_copy(s->arena, value_get(body, "key_ops")));
    if (value_get(body, "release_policy")) {
        struct value *policy = value_set(s->arena, key, "releasePolicy", value_map(s->arena));

        value_set_string(s->arena, policy, "contentType", "application/json; charset=utf-8");
        value_set_string(s->arena, policy, "data", value_str_at(body, "release_policy.data"));
        value_set_bool(s->arena, policy, "immutable", value_bool_at(body, "release_policy.immutable", false));
    }
    key_answer_bundle(x, key, key_new_version(s, key, body));
}

static void update_key(const struct key_exchange *x, const char *name, const char *version)
{
    struct sim *s = x->s;
    struct value *key, *v;

    if (!key_permitted(x, name, "update") || (key = key_visible(x, name)) == NULL)
        return;
    v = key_version(key, version);
    if (!v) {
        key_not_found(x, arena_printf(x->a, "%s/%s", name, version));
        return;
    }
    if (!x->r->json) {
        key_refuse(x, 400, "BadParameter", NULL, "The request's body is no JSON.");
        return;
    }
    key_take_attributes(s, v, value_get(x->r->json, "attributes"));
    if (value_get(x->r->json, "key_ops"))
        value_set(s->arena, key, "keyOps", value_copy(s->arena, value_get(x->r->json, "key_ops")));
    if (value_get(x->r->json, "tags"))
        value_set(s->arena, v, "tags", value_copy(s->arena, value_get(x->r->json, "tags")));
    value_set_string(s->arena, v, "updated", time_format(s->arena, s->now_ms));
    state_changed(s);
    key_answer_bundle(x, key, v);
}

static void delete_key(const struct key_exchange *x, const char *name)
{
    struct sim *s = x->s;
    struct value *key, *shown;

    if (!key_permitted(x, name, "delete") || (key = key_visible(x, name)) == NULL)
        return;
    key_mark_deleted(s, key, x->vault);
    value_set_string(s->arena, key, "settles",
                     time_format(s->arena, s->now_ms + behaviour_ms(s, "deleteDelay", 5 * SECOND_MS)));
    shown = key_show(s, x->a, x->vault, key, key_version(key, NULL));
    key_show_deletion(s, x->a, shown, key);
    answer_json(x->a, x->out, 200, shown);
}

static void backup_key(const struct key_exchange *x, const char *name)
{
    struct value *body;
    struct text raw, encoded;

    if (!key_permitted(x, name, "backup") || !key_visible(x, name))
        return;
    text_init(&raw, TEXT_CEILING);
    text_init(&encoded, TEXT_CEILING);
    key_backup_blob(x->s, x->store, name, &raw);
    crypt_base64_encode(&encoded, raw.s, raw.len, BASE64_URL);
    body = value_map(x->a);
    value_set_string(x->a, body, "value", text_str(&encoded));
    answer_json(x->a, x->out, 200, body);
    text_release(&raw);
    text_release(&encoded);
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

static bool route_deleted(const struct key_exchange *x, const char *name, size_t n)
{
    const struct sim_request *r = x->r;

    if (request_is(r, "GET") && n == 1)
        list_keys(x, true);
    else if (request_is(r, "GET") && n == 2)
        deleted_key_get(x, name);
    else if (request_is(r, "DELETE") && n == 2)
        deleted_key_purge(x, name);
    else if (request_is(r, "POST") && n == 3 && str_eq_nocase(request_segment(r, 2), "recover"))
        deleted_key_recover(x, name);
    else
        return false;
    return true;
}

static bool route_policies(const struct key_exchange *x, const char *name, size_t n)
{
    const struct sim_request *r = x->r;
    const char *third = request_segment(r, 2);

    if (n == 3 && str_eq_nocase(third, "rotationpolicy") && (request_is(r, "GET") || request_is(r, "PUT")))
        key_rotation_policy(x, name);
    else if (n == 3 && str_eq_nocase(third, "rotate") && request_is(r, "POST"))
        key_rotate(x, name);
    else if (n == 4 && str_eq_nocase(request_segment(r, 3), "release") && request_is(r, "POST"))
        key_release(x, name, third);
    else if (n == 3 && str_eq_nocase(third, "release") && request_is(r, "POST"))
        key_release(x, name, "");        /* clients leave the segment of the version empty */
    else
        return false;
    return true;
}

static bool route_keys(const struct key_exchange *x, const char *name, size_t n)
{
    const struct sim_request *r = x->r;
    const char *third = n > 2 ? request_segment(r, 2) : NULL;

    if (n > 2 && route_policies(x, name, n))
        return true;
    if (request_is(r, "GET") && n == 1)
        list_keys(x, false);
    else if (request_is(r, "GET") && n == 3 && str_eq_nocase(third, "versions"))
        list_versions(x, name);
    else if (request_is(r, "GET") && (n == 2 || n == 3))
        get_key(x, name, third);
    else if (request_is(r, "PATCH") && (n == 2 || n == 3))
        update_key(x, name, third);
    else if (request_is(r, "DELETE") && n == 2)
        delete_key(x, name);
    else if (request_is(r, "POST") && n == 2 && str_eq_nocase(name, "restore"))
        key_restore(x);
    else if (request_is(r, "POST") && n == 3 && str_eq_nocase(third, "create"))
        create_key(x, name);
    else if (request_is(r, "POST") && n == 3 && str_eq_nocase(third, "backup"))
        backup_key(x, name);
    else
        return false;
    return true;
}

void keys_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    struct key_exchange x = {.s = s, .r = r, .out = out, .a = r->arena};
    const char *first = request_segment(r, 0), *name = request_segment(r, 1), *suffix;
    bool known = false;

    keys_advance(s);
    x.hsm = str_ends_nocase(r->host, s->ep.hsm_suffix);
    suffix = x.hsm ? s->ep.hsm_suffix : s->ep.vault_suffix;
    x.store = arena_strndup(r->arena, r->host, strlen(r->host) - strlen(suffix));
    x.vault = vault_by_name(s, x.store);
    if (hsm_is(x.vault) != x.hsm)
        x.vault = NULL;
    /* The name of a vault that is deleted, or whose registration has not ended, does not resolve. */
    if (!x.vault || value_get(x.vault, "registeredAt")) {
        out->fault = SIM_RESET;
        return;
    }
    answer_header(r->arena, out, "x-ms-keyvault-region", "%s", value_str_at(x.vault, "location") ?: "");
    if (!x.hsm)
        answer_header(r->arena, out, "x-ms-keyvault-service-version", "1.9.1988.1");
    x.store = value_str_at(x.vault, "name");
    if (!authenticated(&x))
        return;
    if (!request_query(r, "api-version")) {
        key_refuse(&x, 400, "BadParameter", NULL, "Query parameter api-version is missing.");
        return;
    }
    if (keys_version_problem(s, r->arena, request_query(r, "api-version"))) {
        key_refuse(&x, 400, "BadParameter", NULL, keys_version_problem(s, r->arena, request_query(r, "api-version")));
        return;
    }
    if (firewall_stops(&x)) {
        key_refuse(&x, 403, "Forbidden", "ForbiddenByFirewall",
                   "The vault's firewall does not admit this client address.");
        return;
    }
    if (x.hsm && !hsm_active(x.vault)) {
        key_refuse(&x, 403, "Forbidden", NULL,
               "The managed HSM has not been activated: its security domain was never downloaded.");
        return;
    }
    if (x.hsm && hsm_roles_answer(s, r, out, x.vault))
        return;
    if (str_eq_nocase(first, "keys"))
        known = route_keys(&x, name, r->n_segments);
    else if (str_eq_nocase(first, "deletedkeys"))
        known = route_deleted(&x, name, r->n_segments);
    if (!known)
        key_refuse(&x, 404, "NotFound", NULL, "Nothing is served at this address.");
}
