/* Knows the data plane of key vaults and managed HSMs: keys, versions, deleted keys, recovering, restoring, an HSM's
 * local roles. Must not decide which of these is right. Key material passes through in wiped memory only. */
#include "vault.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "internal.h"
#include "key_id.h"
#include "members.h"

enum { KEY_POLL_MS = 5 * SECOND_MS, JWE_PARTS = 5 };

#define KID_KEYS "/keys/"

/* --- names -------------------------------------------------------------------------------------------------------- */

const char *vault_kid_version(const char *kid)
{
    const char *name = kid ? str_find_nocase(kid, KID_KEYS) : NULL, *slash;

    slash = name ? strchr(name + strlen(KID_KEYS), '/') : NULL;
    return slash && slash[1] ? slash + 1 : NULL;
}

/* A compact JWE: a header in JSON, then four parts more, all base64url. An access token begins alike, and has two. */
static bool is_jwe(const char *s, size_t len)
{
    size_t parts = 1;

    if (len < 3 || memcmp(s, "eyJ", 3) != 0)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)s[i]) && s[i] != '-' && s[i] != '_' && s[i] != '.')
            return false;
        parts += s[i] == '.';
    }
    return parts == JWE_PARTS;
}

enum backup_home vault_backup_home(const struct secret *backup)
{
    static const char vault_mark[] = "&AzureKeyVaultKeyBackupV1.microsoft.com";

    if (backup->len > sizeof(vault_mark) - 1 && memcmp(backup->bytes, vault_mark, sizeof(vault_mark) - 1) == 0)
        return BACKUP_HOME_VAULT;
    return is_jwe(backup->bytes, backup->len) ? BACKUP_HOME_HSM : BACKUP_HOME_UNKNOWN;
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* A token for key vaults goes to the cloud's key vaults only, whatever address somebody made up. */
static int vault_audience(const struct azure *az, const char *base, enum audience *ret, struct err *err)
{
    const struct cloud *cloud = azure_cloud(az);

    if (url_under_suffix(base, cloud->vault_suffix)) {
        *ret = AUDIENCE_VAULT;
        return 0;
    }
    if (url_under_suffix(base, cloud->hsm_suffix)) {
        *ret = AUDIENCE_HSM;
        return 0;
    }
    return err_set(err, ERR_INVALID, "\"%.200s\" is no key vault of %s (https://NAME%s), so no token is sent there",
                   base ? base : "", cloud->name, cloud->vault_suffix);
}

/* `path` begins with a slash; names in it are a key's or a version's, which need no encoding but get it if they do. */
static int vault_url(struct azure *az, struct arena *a, const char *base, const char *path, char **ret, struct err *err)
{
    struct text url cleanup(text_release) = {0};
    size_t n = strlen(base);

    text_init(&url, 8192);
    /* vaultUri comes with and without a slash at its end. */
    text_add_n(&url, base, n - (base[n - 1] == '/'));
    url_add_path(&url, path);
    text_printf(&url, "?api-version=%s", azure_version(az, API_KEYS));
    if (url.overflowed)
        return err_set(err, ERR_INVALID, "the key's name is too long");
    *ret = arena_strdup(a, text_str(&url));
    return 0;
}

static int vault_send(struct azure *az, struct call *c, struct arena *a, const char *base, const char *path,
                      struct http_request *request, const char *what, struct value **ret, struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    enum audience audience = AUDIENCE_VAULT;
    struct value *body = NULL;
    char *url = NULL;

    TRY(vault_audience(az, base, &audience, err));
    TRY(vault_url(az, a, base, path, &url, err));
    request->url = url;
    if (request->body)
        request->content_type = "application/json";
    TRY(azure_send_json(az, c, a, audience, request, what, &response, &body, err));
    if (!value_is(body, VALUE_MAP))
        return azure_odd(&response, err, "%s: the vault answered %d with no JSON object in it", what, response.status);
    *ret = body;
    return 0;
}

/* A body that names no key, or another one, would make a key that is there an impostor, or one that is
 * gone a deleted one. */
static int check_kid(const struct value *body, const char *base, const char *name, const char *what, struct err *err)
{
    const char *kid = value_str_at(body, "key.kid");

    if (kid && key_url_is(kid, base, name))
        return members_check_key(body, what, err);
    return err_set(err, ERR_PROTOCOL, "%s: the answer %s%.300s", what, kid ? "describes another key: " : "names no key",
                   kid ? kid : "");
}

/* The key `name` (NULL: something else) by the path that shows it, whatever odd answers come before it. */
static int vault_get(struct azure *az, struct call *c, struct arena *a, const char *base, const char *path,
                     const char *name, const char *what, struct value **ret, struct err *err)
{
    struct http_again again = {0};
    int rc;

    do {
        struct http_request request = {.method = HTTP_GET};

        rc = vault_send(az, c, a, base, path, &request, what, ret, err);
        if (rc == 0 && name && (rc = check_kid(*ret, base, name, what, err)) < 0)
            err->http_status = 200;
    } while (rc < 0 && azure_ask_again(az, c, &again, err));
    return rc < 0 ? -(int)err->class : 0;
}

static int vault_write(struct azure *az, struct call *c, struct arena *a, enum http_method method, const char *base,
                       const char *path, const struct value *body, const char *what, struct value **ret,
                       struct err *err)
{
    struct http_request request = {.method = method};

    struct http_again again = {0};
    int rc;

    request.body = json_string(a, body, JSON_COMPACT);
    request.body_len = strlen(request.body);
    /* PUT and PATCH say what is to be so: said twice, it is so once. */
    do
        rc = vault_send(az, c, a, base, path, &request, what, ret, err);
    while (rc < 0 && method != HTTP_POST && azure_ask_again(az, c, &again, err));
    return rc < 0 ? -(int)err->class : 0;
}

int vault_get_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                  const char *version, struct value **ret, struct err *err)
{
    /* An empty version asks for the newest. */
    const char *path = arena_printf(a, "/keys/%s/%s", name, version ? version : "");
    const char *what = arena_printf(a, "read key %s%s%s of %s", name, version ? "/" : "", version ? version : "", base);

    return vault_get(az, c, a, base, path, name, what, ret, err);
}

int vault_list_versions(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                        struct value **ret, struct err *err)
{
    const char *what = arena_printf(a, "list the versions of key %s of %s", name, base);
    enum audience audience = AUDIENCE_VAULT;
    char *url = NULL;

    TRY(vault_audience(az, base, &audience, err));
    TRY(vault_url(az, a, base, arena_printf(a, "/keys/%s/versions", name), &url, err));
    TRY(azure_list(az, c, a, audience, url, what, ret, err));
    for (size_t i = 0; i < value_count(*ret); i++)
        TRY(members_check_attributes(value_item(*ret, i), what, err));
    return 0;
}

int vault_get_deleted_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                          struct value **ret, struct err *err)
{
    const char *what = arena_printf(a, "read deleted key %s of %s", name, base);

    return vault_get(az, c, a, base, arena_printf(a, "/deletedkeys/%s", name), name, what, ret, err);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

/* Not among the deleted ones: recovered already, by an earlier run or by somebody else. */
static bool recovered_already(const struct err *err)
{
    return err->class == ERR_NOT_FOUND || str_eq_nocase(err->code, "RequestNotAllowedOnNonDeletedObject") ||
           str_eq_nocase(err->code, "ObjectIsBeingRecovered");
}

int vault_recover_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                      int64_t bound_ms, struct value **ret, struct err *err)
{
    const char *what = arena_printf(a, "recover key %s of %s", name, base);
    int64_t end_ms = call_span_ms(c) + bound_ms;
    struct http_request request = {.method = HTTP_POST};
    struct value *answer = NULL;
    struct err recovering = {0};

    if (vault_send(az, c, a, base, arena_printf(a, "/deletedkeys/%s/recover", name), &request, what, &answer, err) <
        0) {
        /* `Conflict` with nothing more: operations on the key run side by side, which passes. */
        err->busy = err->busy || (err->http_status == 409 && str_eq_nocase(err->code, "Conflict"));
        if (!recovered_already(err))
            return -(int)err->class;
        recovering = *err;
    }
    for (;;) {
        if (vault_get_key(az, c, a, base, name, NULL, ret, err) == 0)
            return 0;
        if (err->class != ERR_NOT_FOUND)
            return err_note(err, "%s", what);
        /* Neither deleted nor there: what the recovery itself was told says more than the bound. */
        if (recovering.class == ERR_NOT_FOUND) {
            *err = recovering;
            return -(int)err->class;
        }
        if (call_span_ms(c) + KEY_POLL_MS > end_ms)
            return err_set(err, ERR_BLOCKED, "%s: accepted, but the key is not there after %s", what,
                           duration_format(a, bound_ms));
        TRY(call_sleep_ms(c, KEY_POLL_MS, "a recovered key to appear", err));
    }
}

int vault_restore_key(struct azure *az, struct call *c, struct arena *a, const char *base, const struct secret *backup,
                      struct value **ret, struct err *err)
{
    struct secret body cleanup(secret_release) = {0};
    struct http_secret blob;
    struct http_request request = {.method = HTTP_POST, .secrets = &blob, .n_secrets = 1};
    const char *what = arena_printf(a, "restore a key into %s", base);
    struct http_again again = {0};
    int rc;

    secret_reserve(&body, backup->len / 3 * 4 + 64);
    secret_append(&body, "{\"value\":\"", 10);
    secret_add_base64url(&body, backup->bytes, backup->len);
    secret_append(&body, "\"}", 2);
    blob = (struct http_secret){body.bytes + 10, body.len - 12};
    request.body = body.bytes;
    request.body_len = body.len;
    /* A copy that was taken nevertheless is refused the second time, since its name is held by the very key. */
    do {
        rc = vault_send(az, c, a, base, "/keys/restore", &request, what, ret, err);
        if (rc == 0 && !value_str_at(*ret, "key.kid"))
            rc = azure_odd(NULL, err, "%s: the answer names no key", what);
    } while (rc < 0 && azure_ask_again(az, c, &again, err));
    return rc < 0 ? -(int)err->class : 0;
}

int vault_backup_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                     struct secret *ret, struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = HTTP_POST};
    const char *what = arena_printf(a, "back up key %s of %s", name, base), *start = NULL;
    struct secret backup cleanup(secret_release) = {0};
    enum audience audience = AUDIENCE_VAULT;
    char *url = NULL;
    size_t len = 0;

    TRY(vault_audience(az, base, &audience, err));
    TRY(vault_url(az, a, base, arena_printf(a, "/keys/%s/backup", name), &url, err));
    request.url = url;
    TRY(azure_send(az, c, a, audience, &request, what, &response, err));
    if (response.status >= 400)
        return azure_error_of(a, audience, request.url, &response, what, err);
    if (json_cut(response.body.bytes ? response.body.bytes : "", response.body.len, "value", &start, &len, err) < 0 ||
        crypt_base64_decode(start, len, BASE64_URL, &backup, err) < 0) {
        err->class = ERR_PROTOCOL;
        return err_note(err, "%s", what);
    }
    secret_set(ret, backup.bytes, backup.len);
    return 0;
}

int vault_update_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                     const char *version, const struct value *body, struct value **ret, struct err *err)
{
    const char *path = arena_printf(a, "/keys/%s/%s", name, version ? version : "");

    return vault_write(az, c, a, HTTP_PATCH, base, path, body, arena_printf(a, "update key %s of %s", name, base), ret,
                       err);
}

struct value *vault_create_body(struct arena *a, const char *release_policy)
{
    struct value *body = value_map(a), *ops = value_list(a), *policy = value_map(a);
    struct text data cleanup(text_release) = {0};

    text_init(&data, TEXT_CEILING);
    crypt_base64_encode(&data, release_policy, strlen(release_policy), BASE64_URL);
    value_push(a, ops, value_string(a, "wrapKey"));
    value_push(a, ops, value_string(a, "unwrapKey"));
    value_set_string(a, body, "kty", "RSA-HSM");
    value_set_int(a, body, "key_size", 3072);
    value_set(a, body, "key_ops", ops);
    value_set_bool(a, value_set(a, body, "attributes", value_map(a)), "exportable", true);
    value_set_string(a, policy, "contentType", "application/json; charset=utf-8");
    value_set_string(a, policy, "data", text_str(&data));
    value_set(a, body, "release_policy", policy);
    return body;
}

int vault_create_key(struct azure *az, struct call *c, struct arena *a, const char *base, const char *name,
                     const char *release_policy, struct value **ret, struct err *err)
{
    return vault_write(az, c, a, HTTP_POST, base, arena_printf(a, "/keys/%s/create", name),
                       vault_create_body(a, release_policy), arena_printf(a, "create key %s in %s", name, base), ret,
                       err);
}

/* --- local roles of a managed HSM --------------------------------------------------------------------------------- */

#define DEFINITIONS "Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/"

/* The scope "/" is sent as nothing at all: "//providers" is another address. */
static char *local_path(struct arena *a, const char *scope, const char *what)
{
    return arena_printf(a, "%s/providers/Microsoft.Authorization/%s", str_eq(scope, "/") ? "" : scope, what);
}

char *hsm_assignments_url(struct arena *a, const char *base, const char *scope)
{
    return arena_printf(a, "%s%s", base, local_path(a, scope, "roleAssignments"));
}

static int local_list(struct azure *az, struct call *c, struct arena *a, const char *base, const char *path,
                      const char *what, struct value **ret, struct err *err)
{
    enum audience audience = AUDIENCE_HSM;
    char *url = NULL;

    TRY(vault_audience(az, base, &audience, err));
    TRY(vault_url(az, a, base, path, &url, err));
    return azure_list(az, c, a, audience, url, what, ret, err);
}

int hsm_list_assignments(struct azure *az, struct call *c, struct arena *a, const char *base, const char *scope,
                         struct value **ret, struct err *err)
{
    return local_list(az, c, a, base, local_path(a, scope, "roleAssignments"),
                      arena_printf(a, "list the local role assignments of %s at %s", base, scope), ret, err);
}

int hsm_list_definitions(struct azure *az, struct call *c, struct arena *a, const char *base, const char *scope,
                         struct value **ret, struct err *err)
{
    return local_list(az, c, a, base, local_path(a, scope, "roleDefinitions"),
                      arena_printf(a, "list the local roles of %s at %s", base, scope), ret, err);
}

static bool says_the_same(const struct value *assignment, const char *scope, const char *role_id, const char *principal)
{
    const char *role = value_str_at(assignment, "properties.roleDefinitionId");

    return role && str_ends_nocase(role, role_id) &&
           str_eq_nocase(value_str_at(assignment, "properties.principalId"), principal) &&
           str_eq_nocase(value_str_at(assignment, "properties.scope"), scope);
}

struct value *hsm_assignment_body(struct arena *a, const char *role_id, const char *principal)
{
    struct value *body = value_map(a), *properties = value_set(a, body, "properties", value_map(a));

    /* No principalType, no subscription and no slash in front of the definition: that is how an HSM wants it. */
    value_set_string(a, properties, "roleDefinitionId", arena_printf(a, DEFINITIONS "%s", role_id));
    value_set_string(a, properties, "principalId", principal);
    return body;
}

int hsm_put_assignment(struct azure *az, struct call *c, struct arena *a, const struct hsm_grant *grant,
                       struct err *err)
{
    const char *base = grant->base, *scope = grant->scope, *role_id = grant->role_id, *principal = grant->principal;
    char *path = arena_printf(a, "%s/%s", local_path(a, scope, "roleAssignments"), grant->name);
    const char *what = arena_printf(a, "grant a local role of %s at %s", base, scope);
    struct value *there = NULL;
    struct err conflict;

    if (vault_write(az, c, a, HTTP_PUT, base, path, hsm_assignment_body(a, role_id, principal), what, &there, err) == 0)
        return 0;
    if (err->class != ERR_CONFLICT)
        return -(int)err->class;
    conflict = *err;
    TRY(vault_get(az, c, a, base, path, NULL, what, &there, err));
    if (says_the_same(there, scope, role_id, principal))
        return 0;
    *err = conflict;
    return err_advise(err, "an assignment of the name %s grants something else; a person looks at it", grant->name);
}
