/* Knows in which ways Azure has been seen to spell one and the same answer, and how long it goes on giving an answer of
 * before: what the settings olderReads, operationLag, emptyLists, nextLinks, defaultMembers, idCase and pollHint say.
 * Works on finished answers of Resource Manager and of key stores; must not know what any of them is about. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/format/json.h"

/* --- answers of before -------------------------------------------------------------------------------------------- */

enum { REMEMBERED_MAX = 200 };

/* {path, until, body}: body left out: 404 until then. */
static struct value *remembered(struct sim *s, const char *path)
{
    struct value *all = state_list(s, "answersOfBefore");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "path"), path))
            return value_item(all, i);
    return NULL;
}

static void remember(struct sim *s, const char *path, int64_t until_ms, const char *body)
{
    struct value *all = state_list(s, "answersOfBefore"), *one = remembered(s, path);

    if (!one) {
        one = value_map(s->arena);
        value_set_string(s->arena, one, "path", path);
        value_push(s->arena, all, one);
    }
    value_set_int(s->arena, one, "until", until_ms);
    value_remove(one, "body");
    value_set_string(s->arena, one, "body", body);
    if (value_count(all) > REMEMBERED_MAX)
        list_remove(all, 0);
    state_changed(s);
}

static const char *answered_header(const struct sim_answer *out, const char *name)
{
    for (size_t i = 0; i < out->n_headers; i++)
        if (str_eq_nocase(out->headers[i].name, name))
            return out->headers[i].value;
    return NULL;
}

/* The body that the address shows before it is written to. */
static const char *shown_now(struct sim *s, const struct sim_request *r, service *answer)
{
    struct sim_request read = *r;
    struct sim_answer seen = {.cut_after = SIZE_MAX};
    const char *ret;

    read.method = "GET";
    read.body = NULL;
    read.body_len = 0;
    read.json = NULL;
    text_init(&seen.body, TEXT_CEILING);
    answer(s, &read, &seen);
    ret = seen.status == 200 ? arena_strdup(r->arena, text_str(&seen.body)) : NULL;
    text_release(&seen.body);
    return ret;
}

static char *path_of_url(struct arena *a, const char *url)
{
    const char *path = url ? strstr(url, "://") : NULL;

    path = path ? strchr(path + 3, '/') : url;
    return path ? arena_strndup(a, path, strcspn(path, "?#")) : NULL;
}

static void forget_not_yet(struct sim *s, const struct sim_request *r, const struct sim_answer *out, int64_t lag_ms)
{
    const char *async = answered_header(out, "Azure-AsyncOperation"),
               *url = async ? async : answered_header(out, "Location");
    char *path = path_of_url(r->arena, url);

    if (lag_ms > 0 && path && out->status < 300)
        remember(s, path, s->now_ms + lag_ms, NULL);
}

/* --- members, lists, links ---------------------------------------------------------------------------------------- */

static const struct {
    const char *type, *path, *value; /* value as JSON; left out where it is this */
} defaults[] = {
    {"Microsoft.KeyVault/vaults", "properties.publicNetworkAccess", "\"Enabled\""},
    {"Microsoft.KeyVault/vaults", "properties.softDeleteRetentionInDays", "90"},
    {"Microsoft.KeyVault/vaults", "properties.networkAcls",
     "{\"defaultAction\":\"Allow\",\"bypass\":\"AzureServices\",\"ipRules\":[],\"virtualNetworkRules\":[]}"},
    {"Microsoft.KeyVault/vaults", "properties.enabledForDiskEncryption", "false"},
    {"Microsoft.Storage/storageAccounts", "properties.publicNetworkAccess", "\"Enabled\""},
    {"Microsoft.Storage/storageAccounts", "properties.allowSharedKeyAccess", "true"},
    {"Microsoft.Compute/diskEncryptionSets", "properties.rotationToLatestKeyVersionEnabled", "false"},
};

static void leave_out(struct arena *a, struct value *resource, const char *path, const char *value)
{
    const char *dot = strrchr(path, '.');
    struct value *holder = value_at(resource, arena_strndup(a, path, (size_t)(dot - path))), *otherwise;
    struct err ignored;

    if (json_parse(a, value, strlen(value), &otherwise, &ignored) == 0 &&
        value_equal(value_get(holder, dot + 1), otherwise))
        value_remove(holder, dot + 1);
}

static void spell_resource(struct sim *s, struct arena *a, struct value *resource)
{
    const char *id = value_str_at(resource, "id");

    if (!id || id[0] != '/')
        return;
    if (knob_is(s, "defaultMembers", "left-out"))
        for (size_t i = 0; i < COUNT(defaults); i++)
            if (str_eq_nocase(resource_type(a, id), defaults[i].type))
                leave_out(a, resource, defaults[i].path, defaults[i].value);
    if (knob_is(s, "idCase", "small"))
        value_set_string(a, resource, "id", str_lower(a, id));
}

static char *link_with_port(struct arena *a, const char *link)
{
    const char *host = strstr(link, "://"), *path = host ? strchr(host + 3, '/') : NULL;

    return path && !memchr(host + 3, ':', (size_t)(path - host - 3))
               ? arena_printf(a, "%.*s:443%s", (int)(path - link), link, path)
               : NULL;
}

static void spell_link(struct sim *s, struct arena *a, struct value *body)
{
    const char *link = value_str_at(body, "nextLink");

    if (link && knob_is(s, "nextLinks", "port"))
        value_set_string(a, body, "nextLink", link_with_port(a, link));
    else if (link && knob_is(s, "nextLinks", "blanks"))
        value_set_string(a, body, "nextLink", arena_printf(a, "%s&x=raw blanks", link));
    else if (!link && knob_is(s, "nextLinks", "empty-at-end"))
        value_set_string(a, body, "nextLink", "");
}

/* false: nothing of the body is left. */
static bool spell_list(struct sim *s, struct arena *a, struct value *body)
{
    struct value *items = value_get(body, "value");
    bool empty = value_count(items) == 0;

    for (size_t i = 0; i < value_count(items); i++)
        spell_resource(s, a, value_item(items, i));
    spell_link(s, a, body);
    if (empty && knob_is(s, "emptyLists", "null"))
        value_set(a, body, "value", value_null(a));
    if (empty && knob_is(s, "emptyLists", "left-out"))
        value_remove(body, "value");
    return !(empty && knob_is(s, "emptyLists", "no-body"));
}

static void spell_body(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    struct value *body;
    struct err ignored;

    if (!request_is(r, "GET") || out->status != 200 || !out->body.len ||
        json_parse(r->arena, text_str(&out->body), out->body.len, &body, &ignored) < 0 || !value_is(body, VALUE_MAP))
        return;
    if (!value_is(value_get(body, "value"), VALUE_LIST)) {
        spell_resource(s, r->arena, body);
    } else if (!spell_list(s, r->arena, body)) {
        answer_empty(out, 204);
        return;
    }
    text_clear(&out->body);
    json_write(&out->body, body, JSON_COMPACT);
}

/* --- when to ask again -------------------------------------------------------------------------------------------- */

static void spell_hint(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    for (size_t i = 0; i < out->n_headers && out->status < 400; i++) {
        struct sim_header *h = &out->headers[i];

        if (!str_eq_nocase(h->name, "Retry-After"))
            continue;
        if (knob_is(s, "pollHint", "date"))
            h->value = time_format_http(r->arena, s->now_ms + strtoll(h->value, NULL, 10) * SECOND_MS);
        else if (knob_is(s, "pollHint", "zero"))
            h->value = "0";
        else if (knob_is(s, "pollHint", "none"))
            *h = out->headers[--out->n_headers];
        return;
    }
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

/* Whether anything is spelt otherwise than as it is put together. */
static bool plain(const struct sim *s)
{
    static const struct { const char *name, *value;
    } usual[] = {
        {"emptyLists", "array"}, {"nextLinks", "plain"},  {"defaultMembers", "shown"},
        {"idCase", "kept"},      {"pollHint", "seconds"},
    };

    for (size_t i = 0; i < COUNT(usual); i++)
        if (!knob_is(s, usual[i].name, usual[i].value))
            return false;
    return true;
}

/* True: the address still answers as before, and has. */
static bool answers_as_before(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const struct value *one = request_is(r, "GET") ? remembered(s, r->path) : NULL;

    if (!one || value_int_at(one, "until", 0) <= s->now_ms)
        return false;
    if (!value_get(one, "body")) {
        answer_arm_error(r->arena, out, 404, false, "OperationNotFound", "The operation could not be found.");
        return true;
    }
    text_clear(&out->body);
    text_add(&out->body, value_str_at(one, "body"));
    return true;
}

void spelt_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, service *answer)
{
    int64_t older_ms = duration_parse(knob(s, "olderReads")), lag_ms = duration_parse(knob(s, "operationLag"));
    bool changes = request_is(r, "PUT") || request_is(r, "PATCH"), reads = request_is(r, "GET");
    const char *before = older_ms > 0 && changes ? shown_now(s, r, answer) : NULL;

    answer(s, r, out);
    if (before && out->status < 300)
        remember(s, r->path, s->now_ms + older_ms, before);
    if (!reads)
        forget_not_yet(s, r, out, lag_ms);
    if ((older_ms > 0 || lag_ms > 0) && reads && out->status < 300)
        answers_as_before(s, r, out);
    if (!plain(s)) {
        spell_body(s, r, out);
        spell_hint(s, r, out);
    }
}
