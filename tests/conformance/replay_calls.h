/* Our client's calls, each with the address it asks at and what must have been understood of its answer. A route says
 * which recorded exchanges are such a call; what no route takes is a call that our client never makes. */
#ifndef REINSTATE_REPLAY_CALLS_H
#define REINSTATE_REPLAY_CALLS_H

#include "../../providers/azure/blob.h"
#include "../../providers/azure/directory.h"
#include "../../providers/azure/vault.h"
#include "../../providers/access/grant.h"
#include "../../providers/kinds/registry.h"
#include "replay_judge.h"

enum service { SERVICE_OTHER, SERVICE_ARM, SERVICE_VAULT, SERVICE_BLOB, SERVICE_GRAPH, SERVICE_LOGIN };

struct route {
    enum service service;
    const char *method, *path;              /* path: segments, "*" is one of them, a leading "**" any number */
    const char *name;                       /* of our function */
    int (*call)(struct call *c, struct replay *r);
    bool (*applies)(const struct replay *r);
    enum azure_api api;                     /* of a resource that is read */
    const char *members;                    /* of it that our client uses */
    const char *query;                      /* that must be in the URI, decoded */
};

static const struct route *route_of(const struct replay *r)
{
    return r->arg;
}

/* --- parts of addresses ------------------------------------------------------------------------------------------- */

static char *segment(struct arena *a, const char *path, size_t nth)
{
    for (const char *p = path; *p == '/'; nth--) {
        size_t n = strcspn(p + 1, "/");

        if (nth == 0)
            return arena_strndup(a, p + 1, n);
        p += 1 + n;
    }
    return NULL;
}

/* What stands before a part of the path. */
static char *before(struct arena *a, const char *path, const char *part)
{
    const char *at = str_find_nocase(path, part);

    return at ? arena_strndup(a, path, (size_t)(at - path)) : arena_strdup(a, path);
}

static const struct value *last_answer(const struct replay *r)
{
    const struct asked *last = r->n_asked ? &r->asked[r->n_asked - 1] : NULL;

    return last && last->answer ? last->answer->answer : NULL;
}

static void count_matches(struct replay *r, const struct value *items)
{
    size_t want = 0;

    for (size_t i = 0; i < r->n_asked; i++)
        want += r->asked[i].answer ? value_count(value_get(r->asked[i].answer->answer, "value")) : 0;
    note(r, "count", arena_printf(r->a, "%zu", value_count(items)));
    note(r, "next", said(r, r->x->answer, "nextLink"));
    if (value_count(items) != want)
        misread(r, "a list of %zu was read as one of %zu", want, value_count(items));
}

/* --- Resource Manager --------------------------------------------------------------------------------------------- */

static int call_resource(struct call *c, struct replay *r)
{
    const struct route *route = route_of(r);
    struct value *body = NULL;
    const char *id;

    TRY(arm_get(r->az, c, r->a, r->x->path, route->api, &body, &r->err));
    id = value_str_at(body, "id");
    note(r, "id", id);
    /* A view of a resource has no id of its own. */
    if (!str_eq(id, value_str_at(r->x->answer, "id")) ||
        (id && str_find_nocase(r->x->path, "/resourceGroups/") && !same_path(r->a, id, r->x->path)))
        misread(r, "the resource read is %s", id ? id : "without an id");
    for (const char *p = route->members; p && *p; p += strcspn(p, " "), p += *p == ' ') {
        const char *name = arena_strndup(r->a, p, strcspn(p, " "));

        note(r, name, said(r, body, name));
        if (!str_eq(said(r, body, name), said(r, r->x->answer, name)))
            misread(r, "%s was misread", name);
    }
    return 0;
}

static int call_list(struct call *c, struct replay *r)
{
    const char *query = strchr(r->x->uri, '?'), *filter = query ? strstr(query, "$filter=") : NULL;
    struct text encoded cleanup(text_release) = {.ceiling = 8192};
    struct value *items = NULL;

    /* Our callers write the filter themselves; the names in it are the recorded ones. */
    if (filter) {
        size_t n = strcspn(filter + 8, "&");

        text_add(&encoded, "$filter=");
        text_add_percent(&encoded, decoded(r->a, filter + 8, n, true));
    }
    TRY(arm_list_where(
        r->az, c, r->a,
        &(struct arm_wanted){.path = r->x->path, .api = route_of(r)->api, .query = filter ? text_str(&encoded) : NULL},
        &items, &r->err));
    count_matches(r, items);
    note(r, "first", value_str_at(value_item(items, 0), "name"));
    return 0;
}

static int call_assignments(struct call *c, struct replay *r)
{
    const char *scope = before(r->a, r->x->path, "/providers/Microsoft.Authorization/roleAssignments");
    const struct value *raw = value_at(r->x->answer, "value.0");
    const struct value *items = NULL;

    TRY(role_assignments_read(r->az, c, r->a, scope, &items, &r->err));
    note(r, "count", arena_printf(r->a, "%zu", value_count(items)));
    note(r, "scope", value_str_at(items, "0.scope"));
    note(r, "principal", value_str_at(items, "0.principalId"));
    if (value_count(items) != value_count(value_get(r->x->answer, "value")))
        misread(r, "%zu assignments were read", value_count(items));
    if (raw && !str_eq(value_str_at(items, "0.scope"), value_str_at(raw, "properties.scope")))
        misread(r, "the scope was read as %s", value_str_at(items, "0.scope"));
    return 0;
}

static int call_assign(struct call *c, struct replay *r)
{
    const struct value *sent = r->x->sent;

    note(r, "scope", value_str_at(r->x->answer, "properties.scope"));
    return role_assignment_put(r->az, c, r->a,
                               before(r->a, r->x->path, "/providers/Microsoft.Authorization/roleAssignments"),
                               value_str_at(sent, "properties.principalId"),
                               arm_id_name(value_str_at(sent, "properties.roleDefinitionId")), &r->err);
}

static bool assigns_service(const struct replay *r)
{
    return str_eq(value_str_at(r->x->sent, "properties.principalType"), "ServicePrincipal") &&
           !value_at(r->x->sent, "properties.condition");
}

static int call_permissions(struct call *c, struct replay *r)
{
    struct value *items = NULL;

    TRY(arm_permissions(r->az, c, r->a, before(r->a, r->x->path, "/providers/Microsoft.Authorization/permissions"),
                        &items, &r->err));
    count_matches(r, items);
    note(r, "readsKeyVaults", arm_permits(items, "Microsoft.KeyVault/vaults/read", false) ? "yes" : "no");
    return 0;
}

static int call_send(struct call *c, struct replay *r)
{
    enum http_method method = str_eq(r->x->method, "PUT")    ? HTTP_PUT
                              : str_eq(r->x->method, "POST") ? HTTP_POST
                                                             : HTTP_PATCH;
    const struct value *body = value_is(r->x->sent, VALUE_MAP) ? r->x->sent : NULL;
    struct arm_operation op;

    TRY(arm_send(r->az, c, r->a,
                 &(struct arm_sending){.method = method, .path = r->x->path, .api = route_of(r)->api, .body = body},
                 &op, &r->err));
    if (!str_eq(op.async_url, header_of(r->x, "azure-asyncoperation")) ||
        !str_eq(op.location, header_of(r->x, "location")))
        misread(r, "the addresses of the operation were misread");
    note(r, "poll", op.async_url ? op.async_url : op.location);
    return arm_follow(r->az, c, r->a, &op, HOUR_MS, NULL, &r->err);
}

#include "replay_writes.h"

/* --- key vaults --------------------------------------------------------------------------------------------------- */

static void judge_key(struct replay *r, const struct value *body, const char *version)
{
    const char *kid = value_str_at(body, "key.kid"), *got = vault_kid_version(kid);

    note(r, "kid", kid);
    note(r, "kty", value_str_at(body, "key.kty"));
    note(r, "enabled", said(r, body, "attributes.enabled"));
    note(r, "exportable", said(r, body, "attributes.exportable"));
    if (!got || strchr(got, '/') || (version && !str_eq_nocase(got, version)))
        misread(r, "the version of key %s was read as %s", kid ? kid : "(none)", got ? got : "none");
}

static int call_key(struct call *c, struct replay *r)
{
    const char *version = segment(r->a, r->x->path, 2);
    struct value *body = NULL;

    TRY(vault_get_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), version, &body, &r->err));
    judge_key(r, body, version);
    return 0;
}

static int call_versions(struct call *c, struct replay *r)
{
    struct value *items = NULL;

    TRY(vault_list_versions(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), &items, &r->err));
    count_matches(r, items);
    for (size_t i = 0; i < value_count(items); i++)
        if (!vault_kid_version(value_str_at(value_item(items, i), "kid")))
            misread(r, "a version was not understood: %s", value_str_at(value_item(items, i), "kid"));
    note(r, "version", vault_kid_version(value_str_at(items, "0.kid")));
    return 0;
}

static int call_deleted_key(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(vault_get_deleted_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), &body, &r->err));
    judge_key(r, body, NULL);
    note(r, "recoveryId", value_str_at(body, "recoveryId"));
    return 0;
}

static int call_recover(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(vault_recover_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), HOUR_MS, &body,
                          &r->err));
    judge_key(r, body, NULL);
    return 0;
}

static int call_restore_key(struct call *c, struct replay *r)
{
    static const char *const homes[] = {
        [BACKUP_HOME_VAULT] = "key vault", [BACKUP_HOME_HSM] = "managed HSM", [BACKUP_HOME_UNKNOWN] = "unknown",
    };
    struct secret backup cleanup(secret_release) = {0};
    const char *sent = value_str_at(r->x->sent, "value");
    struct value *body = NULL;

    if (!sent || crypt_base64_decode(sent, strlen(sent), BASE64_URL, &backup, &r->err) < 0)
        misread(r, "the recorded backup is none: %s", r->err.text);
    note(r, "home", homes[vault_backup_home(&backup)]);
    TRY(vault_restore_key(r->az, c, r->a, host_of(r->a, r->x->uri), &backup, &body, &r->err));
    judge_key(r, body, NULL);
    return 0;
}

static int call_update_key(struct call *c, struct replay *r)
{
    const char *version = segment(r->a, r->x->path, 2);
    struct value *body = NULL;

    TRY(vault_update_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), version, r->x->sent,
                         &body, &r->err));
    judge_key(r, body, version);
    return 0;
}

static int call_create_key(struct call *c, struct replay *r)
{
    const char *data = value_str_at(r->x->sent, "release_policy.data");
    struct secret policy cleanup(secret_release) = {0};
    struct value *body = NULL;

    if (data && crypt_base64_decode(data, strlen(data), BASE64_URL, &policy, &r->err) < 0)
        misread(r, "the recorded release policy is none: %s", r->err.text);
    TRY(vault_create_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1),
                         policy.bytes ? policy.bytes : "{}", &body, &r->err));
    judge_key(r, body, NULL);
    return 0;
}

/* Tools of Microsoft's ask without a body first, to be told where tokens are to be had. */
static bool creates_confidential_key(const struct replay *r)
{
    return value_at(r->x->sent, "release_policy") || (r->x->status == 401 && !value_is(r->x->sent, VALUE_MAP));
}

/* --- blobs, accounts, directory, tokens --------------------------------------------------------------------------- */

static struct blob_place place_of(struct replay *r)
{
    const char *host = host_of(r->a, r->x->uri), *container = segment(r->a, r->x->path, 0);

    return (struct blob_place){
        .endpoint = host, .account = arena_strndup(r->a, host + 8, strcspn(host + 8, ".")), .container = container,
        .name = r->x->path + 1 + strlen(container) + 1,
    };
}

static bool is_whole_blob(const struct replay *r)
{
    const struct value *sent = r->x->sent_headers;

    return !strchr(r->x->uri, '?') && r->x->status != 206 && r->x->status != 304 &&
           !value_get_nocase(sent, "x-ms-range") && !value_get_nocase(sent, "range");
}

static int call_blob_exists(struct call *c, struct replay *r)
{
    struct blob_place place = place_of(r);
    bool there = false;

    TRY(blob_exists(r->az, c, r->a, &place, &there, &r->err));
    note(r, "blob", there ? "there" : "absent");
    if (there != (r->x->status < 400))
        misread(r, "status %d was read as %s", r->x->status, there ? "there" : "absent");
    return 0;
}

static int call_blob(struct call *c, struct replay *r)
{
    struct secret bytes cleanup(secret_release) = {0};
    struct blob_place place = place_of(r);
    size_t len;

    (void)body_of(r->a, r->x->answer, &len);
    TRY(blob_read(r->az, c, r->a, &place, NULL, BLOB_EXPORT_MAX, &bytes, &r->err));
    note(r, "bytes", arena_printf(r->a, "%zu of %zu", bytes.len, len));
    if (bytes.len > len)
        misread(r, "more was read than was sent");
    return 0;
}

static int call_account_key(struct call *c, struct replay *r)
{
    struct secret key cleanup(secret_release) = {0};
    const char *want = value_str_at(r->x->answer, "keys.0.value");

    TRY(blob_account_key(r->az, c, r->a, before(r->a, r->x->path, "/listKeys"), &key, &r->err));
    note(r, "key", arena_printf(r->a, "of %zu characters", key.len));
    if (!want || !str_eq(key.bytes, want))
        misread(r, "another key was cut out");
    return 0;
}

/* The application a filter names; the id is all that can be compared, since tools write the filter each
 * in its own way. */
static const char *filter_app(struct replay *r)
{
    const char *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true),
               *id = value_str_at(r->x->answer, "value.0.appId");

    return id ? id : between(r->a, strstr(uri, "eq '"), "eq '", "'");
}

static bool names_application(const struct replay *r)
{
    const char *id = filter_app((struct replay *)r), *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true);

    if (!id || (!strstr(uri, "appId eq '") && !strstr(uri, "servicePrincipalNames/any(")))
        return false;
    return strlen(id) == UUID_TEXT - 1 && strspn(id, "0123456789abcdefABCDEF-") == UUID_TEXT - 1;
}

static int call_principal(struct call *c, struct replay *r)
{
    const char *want = value_str_at(r->x->answer, "value.0.id"), *got = NULL;

    if (directory_service_principal(r->az, c, r->a, filter_app(r), &got, &r->err) < 0) {
        note(r, "principal", "none");
        return r->err.class == ERR_NOT_FOUND && !want && r->x->status == 200 ? 0 : -(int)r->err.class;
    }
    note(r, "principal", got);
    if (!str_eq(got, want))
        misread(r, "the principal was read as %s", got);
    return 0;
}

static int call_token(struct call *c, struct replay *r)
{
    const char *authorization = NULL;

    TRY(azure_authorization(r->az, c, AUDIENCE_ARM, &authorization, &r->err));
    note(r, "token", "taken");
    if (!str_eq(authorization + strlen("Bearer "), value_str_at(r->x->answer, "access_token")))
        misread(r, "another token was taken");
    return 0;
}

#endif
