/* The simulated blob service: both ways in, ranges, lists, refusals. */
#include "harness.h"
#include "sim_fixture.h"

#include "../../providers/sim/internal.h"
#include "../../reconciler/format/crypt.h"

#define STAGING DR_GROUP "/providers/Microsoft.Storage/storageAccounts/stdr"
#define BLOB "https://stdr.blob.core.windows.net/exports/a%20b.json"
#define VERSION "2021-06-08"

struct world {
    struct arena *a;
    struct sim *s;
    int64_t now;
    const char *token;
};

/* Owner is no reader of blobs: the data role is added when there is one. */
static void begin_as(struct world *w, const char *role, bool shared_keys)
{
    struct diags diags;
    const struct value *world;
    struct value *spec, *v;
    struct reply r;

    w->a = arena_new();
    world = fixture_world(w->a, "");
    spec = value_get(world, "spec");
    v = value_map(w->a);
    value_set_string(w->a, v, "account", "stdr");
    value_set_string(w->a, v, "container", "exports");
    value_set_string(w->a, v, "name", "a b.json");
    value_set_string(w->a, v, "type", "BlockBlob");
    value_set_string(w->a, v, "created", "2026-11-23T02:00:00Z");
    value_set_string(w->a, v, "content", "MDEyMzQ1Njc4OQ==");
    value_set_string(w->a, value_set(w->a, v, "metadata", value_map(w->a)), "note", "ten");
    value_push(w->a, value_set(w->a, spec, "blobs", value_list(w->a)), v);
    v = value_map(w->a);
    value_set_string(w->a, v, "account", "stdr");
    value_set_string(w->a, v, "name", "escrow");
    value_push(w->a, value_set(w->a, spec, "containers", value_list(w->a)), v);
    if (role) {
        v = value_map(w->a);
        value_set_string(w->a, v, "principal", "operator");
        value_set_string(w->a, v, "role", role);
        value_set_string(w->a, v, "scope", STAGING);
        value_push(w->a, value_get(spec, "roleAssignments"), v);
    }
    for (size_t i = 0; i < value_count(value_get(spec, "resources")); i++)
        if (str_eq(value_str_at(value_item(value_get(spec, "resources"), i), "id"), STAGING)) {
            v = value_set(w->a, value_item(value_get(spec, "resources"), i), "properties", value_map(w->a));
            value_set_bool(w->a, v, "allowSharedKeyAccess", shared_keys);
        }
    w->s = fixture_sim(w->a, world, NULL, &diags);
    w->now = sim_start_ms(w->s);
    r = sign_in(w->s, w->a, w->now, TENANT, OPERATOR_APP, "let-me-in", "https%3A%2F%2Fstorage.azure.com%2F.default");
    w->token = arena_printf(w->a, "Bearer %s", value_str_at(r.json, "access_token"));
}

static void begin(struct world *w, bool may_read, bool shared_keys)
{
    begin_as(w, may_read ? "Storage Blob Data Reader" : NULL, shared_keys);
}

static void end(struct world *w)
{
    sim_free(w->s);
    arena_free(w->a);
}

static struct reply get(struct world *w, const char *method, const char *url, const char *authorization,
                        const char *range)
{
    struct sim_header headers[] = {{"x-ms-version", VERSION}, {"x-ms-date", "Mon, 23 Nov 2026 03:00:00 GMT"},
                                   {"Authorization", authorization}, {"x-ms-range", range}};
    struct sim_call call = {.method = method,
                            .url = url,
                            .headers = headers,
                            .n_headers = range           ? 4
                                         : authorization ? 3
                                                         : 2};
    struct reply r = {0};

    sim_handle(w->s, w->now, w->a, &call, &r.answer);
    r.fault = r.answer.fault;
    r.status = r.answer.status;
    r.text = arena_strndup(w->a, text_str(&r.answer.body), r.answer.body.len);
    text_release(&r.answer.body);
    return r;
}

static void test_bearer(void)
{
    struct world w;
    struct reply r;

    begin(&w, true, true);
    r = get(&w, "GET", BLOB, w.token, NULL);
    CHECK(r.status == 200);
    CHECK_STR(r.text, "0123456789");
    CHECK_STR(header_of(&r, "x-ms-blob-type"), "BlockBlob");
    CHECK_STR(header_of(&r, "x-ms-meta-note"), "ten");
    r = get(&w, "GET", BLOB, w.token, "bytes=2-4");
    CHECK(r.status == 206);
    CHECK_STR(r.text, "234");
    CHECK_STR(header_of(&r, "Content-Range"), "bytes 2-4/10");
    r = get(&w, "GET", BLOB, w.token, "bytes=0-33554431");
    CHECK(r.status == 206 && strlen(r.text) == 10);
    r = get(&w, "GET", BLOB, w.token, "bytes=10-");
    CHECK(r.status == 416);
    r = get(&w, "HEAD", BLOB, w.token, NULL);
    CHECK(r.status == 200 && !*r.text);
    CHECK_STR(header_of(&r, "Content-Length"), "10");
    r = get(&w, "GET", "https://stdr.blob.core.windows.net/exports?restype=container&comp=list", w.token, NULL);
    CHECK(r.status == 200 && str_starts(r.text, "\xEF\xBB\xBF<?xml") && strstr(r.text, "<Name>a b.json</Name>"));
    CHECK(strstr(r.text, "<Content-Length>10</Content-Length>") != NULL);
    r = get(&w, "POST", BLOB, w.token, NULL);
    CHECK(r.status == 405);
    r = get(&w, "PUT", BLOB, w.token, NULL);
    CHECK_ROW("a reader writes nothing", r.status == 403);
    end(&w);
}

static void test_refusals(void)
{
    static const struct { const char *reason, *method, *url, *code; bool signed_in; int status;
    } rows[] = {
        {"no authentication", "GET", BLOB, "NoAuthenticationInformation", false, 401},
        {"no such blob", "GET", "https://stdr.blob.core.windows.net/exports/none", "BlobNotFound", true, 404},
        {"no such container", "GET", "https://stdr.blob.core.windows.net/none/none", "ContainerNotFound", true, 404},
        {"a HEAD has the code in its header alone", "HEAD", "https://stdr.blob.core.windows.net/exports/none",
         "BlobNotFound", true, 404},
    };
    struct world w;
    struct reply r;

    begin(&w, true, true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        r = get(&w, rows[i].method, rows[i].url, rows[i].signed_in ? w.token : NULL, NULL);
        CHECK_ROW(rows[i].reason, r.status == rows[i].status && str_eq(header_of(&r, "x-ms-error-code"), rows[i].code));
        CHECK_ROW(rows[i].reason,
                  strcmp(rows[i].method, "HEAD") == 0 ? !*r.text : strstr(r.text, rows[i].code) != NULL);
    }
    r = get(&w, "GET", BLOB, arena_printf(w.a, "Bearer %s", operator_token(w.s, w.a, w.now)), NULL);
    CHECK_ROW("a token for ARM", r.status == 401);
    r = get(&w, "GET", "https://stnone.blob.core.windows.net/c/b", w.token, NULL);
    CHECK_ROW("the name of an account that is not there does not resolve", r.fault == SIM_RESET);
    end(&w);
    begin(&w, false, true);
    r = get(&w, "GET", BLOB, w.token, NULL);
    CHECK_ROW("an owner reads no blobs",
              r.status == 403 && str_eq(header_of(&r, "x-ms-error-code"), "AuthorizationPermissionMismatch"));
    end(&w);
}

/* The string to sign is written out as the Storage documentation has it. */
static const char *shared_key(struct world *w, const char *key_base64, const char *resource)
{
    const char *message = arena_printf(w->a, "GET\n\n\n\n\n\n\n\n\n\n\n\nx-ms-date:Mon, 23 Nov 2026 03:00:00 GMT\n"
                                             "x-ms-version:" VERSION "\n%s", resource);
    struct secret key;
    struct text signature;
    struct err err;
    const char *ret = "";

    secret_init(&key);
    text_init(&signature, TEXT_CEILING);
    if (crypt_base64_decode(key_base64, strlen(key_base64), BASE64_STANDARD, &key, &err) == 0) {
        crypt_hmac_sha256_base64(key.bytes, key.len, message, strlen(message), &signature);
        ret = arena_printf(w->a, "SharedKey stdr:%s", text_str(&signature));
    }
    text_release(&signature);
    secret_release(&key);
    return ret;
}

static const char *account_key(struct world *w)
{
    struct reply r = ask(w->s, w->a, w->now, operator_token(w->s, w->a, w->now), "POST",
                         ARM STAGING "/listKeys?api-version=2025-01-01", NULL);
    const char *key = value_str_at(r.json, "keys.0.value");

    return key ? key : "";
}

static void test_shared_key(void)
{
    struct world w;
    struct reply r;
    const char *key;

    begin(&w, false, true);
    key = account_key(&w);
    r = get(&w, "GET", BLOB, shared_key(&w, key, "/stdr/exports/a%20b.json"), NULL);
    CHECK_ROW("the account's key opens without any role", r.status == 200 && strcmp(r.text, "0123456789") == 0);
    r = get(&w, "GET", "https://stdr.blob.core.windows.net/exports?restype=container&comp=list",
            shared_key(&w, key, "/stdr/exports\ncomp:list\nrestype:container"), NULL);
    CHECK_ROW("parameters are signed, sorted", r.status == 200);
    r = get(&w, "GET", BLOB, shared_key(&w, key, "/stdr/exports/other"), NULL);
    CHECK_ROW("another blob's signature",
              r.status == 403 && str_eq(header_of(&r, "x-ms-error-code"), "AuthenticationFailed"));
    r = get(&w, "GET", BLOB, shared_key(&w, "bm90IHRoZSBrZXk=", "/stdr/exports/a%20b.json"), NULL);
    CHECK_ROW("another key", r.status == 403);
    end(&w);
    begin(&w, false, false);
    r = get(&w, "GET", BLOB, shared_key(&w, account_key(&w), "/stdr/exports/a%20b.json"), NULL);
    CHECK_ROW("not where keys are forbidden",
              str_eq(header_of(&r, "x-ms-error-code"), "KeyBasedAuthenticationNotPermitted"));
    end(&w);
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

#define ESCROW "https://stdr.blob.core.windows.net/escrow"

struct put {
    const char *reason, *url, *type, *condition, *value, *lease;
    int status;
    const char *code;
};

static struct reply put(struct world *w, const struct put *p, const char *body)
{
    struct sim_header headers[8] = {
        {"x-ms-version", VERSION}, {"x-ms-date", "Mon, 23 Nov 2026 03:00:00 GMT"}, {"Authorization", w->token},
        {"x-ms-meta-Versions", "v1"},
    };
    struct sim_call call = {
        .method = "PUT", .url = p->url, .headers = headers, .n_headers = 4, .body = body, .body_len = strlen(body)};
    struct reply r = {0};

    if (p->type)
        headers[call.n_headers++] = (struct sim_header){"x-ms-blob-type", p->type};
    if (p->condition)
        headers[call.n_headers++] = (struct sim_header){p->condition, p->value};
    if (p->lease)
        headers[call.n_headers++] = (struct sim_header){"x-ms-lease-id", p->lease};
    sim_handle(w->s, w->now, w->a, &call, &r.answer);
    r.status = r.answer.status;
    r.text = arena_strndup(w->a, text_str(&r.answer.body), r.answer.body.len);
    text_release(&r.answer.body);
    return r;
}

/* In this order, on one container that is empty at first. */
static void test_put(void)
{
    static const struct put rows[] = {
        {"a type is needed", ESCROW "/a", NULL, NULL, NULL, NULL, 400, "MissingRequiredHeader"},
        {"block blobs only", ESCROW "/a", "AppendBlob", NULL, NULL, NULL, 400, "InvalidHeaderValue"},
        {"no container", "https://stdr.blob.core.windows.net/none/a", "BlockBlob", NULL, NULL, NULL, 404,
         "ContainerNotFound"},
        {"If-Match without a blob", ESCROW "/a", "BlockBlob", "If-Match", "*", NULL, 412, "ConditionNotMet"},
        {"the first", ESCROW "/a", "BlockBlob", "If-None-Match", "*", NULL, 201, NULL},
        {"never a second", ESCROW "/a", "BlockBlob", "If-None-Match", "*", NULL, 409, "BlobAlreadyExists"},
        {"another state than the one known", ESCROW "/a", "BlockBlob", "If-Match", "\"0x1\"", NULL, 412,
         "ConditionNotMet"},
        {"over it without a condition", ESCROW "/a", "BlockBlob", NULL, NULL, NULL, 201, NULL},
        {"a lease nobody holds", ESCROW "/a", "BlockBlob", NULL, NULL, "0f0f0f0f-0000-4000-8000-000000000099", 412,
         "LeaseNotPresentWithBlobOperation"},
    };
    struct world w;
    struct reply r;
    const char *etag;

    begin_as(&w, "Storage Blob Data Contributor", true);
    for (size_t i = 0; i < COUNT(rows); i++) {
        r = put(&w, &rows[i], "body");
        CHECK_ROW(rows[i].reason, r.status == rows[i].status);
        CHECK_ROW(rows[i].reason, !rows[i].code || str_eq(header_of(&r, "x-ms-error-code"), rows[i].code));
    }
    r = get(&w, "GET", ESCROW "/a", w.token, NULL);
    CHECK_STR(r.text, "body");
    CHECK_STR(header_of(&r, "x-ms-meta-versions"), "v1");
    etag = header_of(&r, "ETag");
    r = put(&w, &(struct put){.url = ESCROW "/a", .type = "BlockBlob", .condition = "If-Match", .value = etag}, "more");
    CHECK_ROW("by its etag", r.status == 201 && !str_eq(header_of(&r, "ETag"), etag));
    r = get(&w, "GET", ESCROW "?restype=container&comp=list&include=metadata", w.token, NULL);
    CHECK(strstr(r.text, "<Metadata><versions>v1</versions></Metadata>") != NULL);
    r = get(&w, "GET", ESCROW "?restype=container&comp=list", w.token, NULL);
    CHECK(r.status == 200 && !strstr(r.text, "<Metadata>"));
    end(&w);
}

static void test_lease(void)
{
    static const char lease[] = "0f0f0f0f-0000-4000-8000-000000000001";
    struct put row = {.url = BLOB, .type = "BlockBlob"};
    struct world w;
    struct reply r;

    begin_as(&w, "Storage Blob Data Contributor", true);
    value_set_string(w.s->arena, value_item(value_get(w.s->spec, "blobs"), 0), "lease", lease);
    r = put(&w, &row, "x");
    CHECK(r.status == 412 && str_eq(header_of(&r, "x-ms-error-code"), "LeaseIdMissing"));
    row.lease = "0f0f0f0f-0000-4000-8000-000000000002";
    r = put(&w, &row, "x");
    CHECK(r.status == 412 && str_eq(header_of(&r, "x-ms-error-code"), "LeaseIdMismatchWithBlobOperation"));
    row.lease = lease;
    CHECK(put(&w, &row, "x").status == 201);
    r = get(&w, "HEAD", BLOB, w.token, NULL);
    CHECK_STR(header_of(&r, "x-ms-lease-state"), "leased");
    end(&w);
}

/* Made once; by who may write containers, which who may write blobs as a contributor may, and a reader may not. */
static void test_containers(void)
{
    static const char claims[] = "https://stdr.blob.core.windows.net/claims?restype=container";
    struct world w;
    struct reply r;

    begin_as(&w, "Storage Blob Data Contributor", true);
    CHECK(
        get(&w, "GET", "https://stdr.blob.core.windows.net/claims?restype=container&comp=list", w.token, NULL).status ==
        404);
    CHECK(get(&w, "PUT", claims, w.token, NULL).status == 201);
    r = get(&w, "PUT", claims, w.token, NULL);
    CHECK(r.status == 409 && str_eq(header_of(&r, "x-ms-error-code"), "ContainerAlreadyExists"));
    CHECK(
        get(&w, "GET", "https://stdr.blob.core.windows.net/claims?restype=container&comp=list", w.token, NULL).status ==
        200);
    r = get(&w, "PUT", "https://stdr.blob.core.windows.net/Bad--name?restype=container", w.token, NULL);
    CHECK(r.status == 400 && str_eq(header_of(&r, "x-ms-error-code"), "InvalidResourceName"));
    CHECK(get(&w, "PUT", claims, NULL, NULL).status == 401);
    end(&w);
}

int main(void)
{
    test_containers();
    test_put();
    test_lease();
    test_bearer();
    test_refusals();
    test_shared_key();
    HARNESS_END();
}
