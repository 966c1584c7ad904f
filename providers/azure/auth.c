/* Knows the connection and its tokens: how long they live, that one request fetches one however many
 * tasks ask. Must not know what a token is used for. Tokens and secrets live in wiped memory only. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "internal.h"

enum {
    TOKEN_MAX = 64 * 1024, /* of an answer; real ones have a few KiB */
    TOKEN_MARGIN_MS = 5 * MINUTE_MS,
    DENIED_HOLD_MS = 30 * SECOND_MS, /* a wrong secret is not tried again by every waiting task: that locks accounts */
    FAILED_HOLD_MS = 5 * SECOND_MS
};

const char *const audience_names[AUDIENCE_COUNT] = {"ARM", "VAULT", "HSM", "STORAGE", "GRAPH"};

/* --- the connection ----------------------------------------------------------------------------------------------- */

/* A task that waits for the token another one is fetching; lives on that task's stack. */
struct waiter {
    struct waiter *next;
    struct call *call;
};

struct token {
    struct secret header;           /* "Bearer …"; empty: none */
    int64_t renew_ms;
    bool asking;                    /* a task is on its way to fetch one */
    struct waiter *waiters, **last; /* last: where the next one waits; NULL: at the front */
    struct err failure;             /* of the last request, until hold_ms */
    int64_t hold_ms;
};

struct principal {
    char *app_id, *object_id;
};

struct azure {
    struct http *http;
    const struct cloud *cloud;
    struct credential *credential;
    char *tenant, *subscription, *location;
    char *declared_by; /* NULL: nobody told */
    struct token tokens[AUDIENCE_COUNT];
    char object_id[64];
    struct principal *principals;
    size_t n_principals;
    struct shared *shared;
    struct bulk *bulk;
    size_t followed;
    char *versions[API_COUNT]; /* NULL: the table's */
};

static char *copy_or_empty(const char *s)
{
    return xstrdup(s ? s : "");
}

struct azure *azure_new(struct http *http, const struct cloud *cloud, struct credential *credential, const char *tenant,
                        const char *subscription, const char *location)
{
    struct azure *az = xcalloc(1, sizeof(*az));

    az->http = http;
    az->shared = shared_new();
    az->bulk = bulk_new();
    az->cloud = cloud;
    az->credential = credential;
    az->tenant = copy_or_empty(tenant ? tenant : credential->tenant);
    az->subscription = copy_or_empty(subscription);
    az->location = copy_or_empty(location);
    return az;
}

void azure_declared_by(struct azure *az, const char *who)
{
    free(az->declared_by);
    az->declared_by = xstrdup(who);
}

void azure_blame(const struct azure *az, struct err *err)
{
    static const char *const tenants[] = {"AADSTS90002", "AADSTS700016", "AADSTS900023", "AADSTS50020",
                                          "InvalidAuthenticationTokenTenant"};
    static const char *const subscriptions[] = {"SubscriptionNotFound", "InvalidSubscriptionId", "SubscriptionDisabled",
                                                "ReadOnlyDisabledSubscription"};

    for (size_t i = 0; az->declared_by && i < COUNT(tenants); i++)
        if (str_eq_nocase(err->code, tenants[i]))
            err_advise(err, "the tenant %s is that of %s", az->tenant, az->declared_by);
    /* A document may also name a subscription of its own, which the text bears. */
    for (size_t i = 0; az->declared_by && *az->subscription && i < COUNT(subscriptions); i++)
        if (str_eq_nocase(err->code, subscriptions[i]) && str_find_nocase(err->text, az->subscription))
            err_advise(err, "the subscription %s is that of %s", az->subscription, az->declared_by);
}

void azure_free(struct azure *az)
{
    if (!az)
        return;
    for (size_t i = 0; i < AUDIENCE_COUNT; i++)
        secret_release(&az->tokens[i].header);
    for (size_t i = 0; i < az->n_principals; i++) {
        free(az->principals[i].app_id);
        free(az->principals[i].object_id);
    }
    for (size_t i = 0; i < API_COUNT; i++)
        free(az->versions[i]);
    free(az->principals);
    shared_free(az->shared);
    bulk_free(az->bulk);
    free(az->tenant);
    free(az->declared_by);
    free(az->subscription);
    free(az->location);
    free(az);
}

void azure_use_versions(struct azure *az, const struct value *azure_spec)
{
    for (size_t i = 0; i < API_COUNT; i++) {
        free(az->versions[i]);
        az->versions[i] = xstrdup(azure_api_declared(azure_spec, (enum azure_api)i));
    }
}

const char *azure_version(const struct azure *az, enum azure_api api)
{
    return az->versions[api] ? az->versions[api] : azure_apis[api].version;
}

struct bulk **azure_bulk(struct azure *az)
{
    return &az->bulk;
}

struct shared *azure_shared(const struct azure *az)
{
    return az->shared;
}

size_t *azure_followed(struct azure *az)
{
    return &az->followed;
}

struct http *azure_http(const struct azure *az)
{
    return az->http;
}

const struct cloud *azure_cloud(const struct azure *az)
{
    return az->cloud;
}

const char *azure_subscription(const struct azure *az)
{
    return az->subscription;
}

const char *azure_location(const struct azure *az)
{
    return az->location;
}

const char *azure_tenant(const struct azure *az)
{
    return az->tenant;
}

const char *azure_cached_principal(const struct azure *az, const char *app_id)
{
    for (size_t i = 0; i < az->n_principals; i++)
        if (str_eq_nocase(az->principals[i].app_id, app_id))
            return az->principals[i].object_id;
    return NULL;
}

void azure_cache_principal(struct azure *az, const char *app_id, const char *object_id)
{
    if (azure_cached_principal(az, app_id))
        return;
    az->principals = xrealloc(az->principals, (az->n_principals + 1) * sizeof(*az->principals));
    az->principals[az->n_principals++] = (struct principal){xstrdup(app_id), xstrdup(object_id)};
}

/* --- asking for a token ------------------------------------------------------------------------------------------- */

static const char *audience_of(const struct cloud *cloud, enum audience audience)
{
    switch (audience) {
    case AUDIENCE_ARM:
        return cloud->arm_audience;
    case AUDIENCE_VAULT:
        return cloud->vault_audience;
    case AUDIENCE_HSM:
        return cloud->hsm_audience;
    case AUDIENCE_STORAGE:
        return cloud->storage_audience;
    case AUDIENCE_GRAPH:
    case AUDIENCE_COUNT:
        break;
    }
    return cloud->graph;
}

static void add_field(struct secret *form, const char *name, const char *value, size_t len)
{
    if (form->len)
        secret_append(form, "&", 1);
    secret_append(form, name, strlen(name));
    secret_append(form, "=", 1);
    secret_add_percent(form, value, len);
}

/* The one member that is a number; the token itself holds no quote, so the first match is the member. */
static int64_t expires_in_ms(const struct secret *body)
{
    const char *p = body->bytes ? strstr(body->bytes, "\"expires_in\"") : NULL;
    long long seconds;

    if (!p)
        return 10 * MINUTE_MS;
    p += strlen("\"expires_in\"");
    p += strspn(p, " \t\r\n:\"");
    seconds = strtoll(p, NULL, 10);
    return seconds > 0 && seconds <= 7 * 24 * 3600 ? seconds * SECOND_MS : 10 * MINUTE_MS;
}

static int keep_token(struct call *c, const struct secret *body, struct token *t, struct err *err)
{
    int64_t life = expires_in_ms(body);
    const char *start;
    size_t len;

    if (json_cut(body->bytes ? body->bytes : "", body->len, "access_token", &start, &len, err) < 0) {
        err->class = ERR_PROTOCOL;      /* a missing member must not read as a missing resource */
        return err_note(err, "the token endpoint's answer holds no token");
    }
    secret_set(&t->header, "Bearer ", 7);
    secret_append(&t->header, start, len);
    t->renew_ms = call_span_ms(c) + (life > 2 * TOKEN_MARGIN_MS ? life - TOKEN_MARGIN_MS : life / 2);
    return 0;
}

/* Entra's refusals are 400 and 401 alike, and are about the credential. */
static int token_refused(struct arena *a, enum audience audience, const char *url, const struct http_response *response,
                         const char *what, struct err *err)
{
    azure_error_of(a, audience, url, response, what, err);
    if (err->class == ERR_INVALID || err->class == ERR_NOT_FOUND)
        err->class = ERR_DENIED;
    return -(int)err->class;
}

static int ask_for_token(struct azure *az, struct call *c, enum audience audience, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct http_response response cleanup(http_response_release) = {0};
    struct secret form cleanup(secret_release) = {0};
    struct credential *credential = az->credential;
    const char *scope = arena_printf(a, "%s/.default", audience_of(az->cloud, audience));
    const char *what = arena_printf(a, "get a token for %s", audience_names[audience]);
    struct http_secret secrets[2];
    struct http_request request = {
        .method = HTTP_POST,
        .url = arena_printf(a, "%s/%s/oauth2/v2.0/token", az->cloud->authority, az->tenant),
        .content_type = "application/x-www-form-urlencoded",
        .max_body = TOKEN_MAX,
    };

    secret_reserve(&form, 4096);
    add_field(&form, "grant_type", "client_credentials", 18);
    add_field(&form, "client_id", credential->client_id, strlen(credential->client_id));
    add_field(&form, "scope", scope, strlen(scope));
    add_field(&form, "client_secret", credential->client_secret.bytes ? credential->client_secret.bytes : "",
              credential->client_secret.len);
    request.body = form.bytes;
    request.body_len = form.len;
    secrets[0] = (struct http_secret){credential->client_secret.bytes, credential->client_secret.len};
    secrets[1].bytes = strstr(form.bytes, "&client_secret=") + strlen("&client_secret=");
    secrets[1].len = strlen(secrets[1].bytes);
    request.secrets = secrets;
    request.n_secrets = COUNT(secrets);
    if (http_send(az->http, c, a, &request, &response, err) < 0)
        return err_note(err, "%s", what);
    if (response.status != 200) {
        token_refused(a, audience, request.url, &response, what, err);
        azure_blame(az, err);
        return -(int)err->class;
    }
    return keep_token(c, &response.body, &az->tokens[audience], err);
}

/* --- handing tokens out ------------------------------------------------------------------------------------------- */

static int given_token(struct azure *az, enum audience audience, const char **ret, struct err *err)
{
    const struct secret *given = &az->credential->tokens[audience];
    struct token *t = &az->tokens[audience];

    if (given->len == 0) {
        err_set(err, ERR_DENIED, "no token for %s was handed in", audience_of(az->cloud, audience));
        return err_advise(err, "set REINSTATE_TOKEN_%s, or use a client secret", audience_names[audience]);
    }
    if (t->header.len == 0) {
        secret_set(&t->header, "Bearer ", 7);
        secret_append(&t->header, given->bytes, given->len);
    }
    *ret = t->header.bytes;
    return 0;
}

static int wait_for_other(struct call *c, struct token *t, struct err *err)
{
    struct waiter me = {.call = c}, **at = t->last ? t->last : &t->waiters;
    int rc;

    *at = &me;
    t->last = &me.next;
    rc = call_park(c, "a token that another task is fetching", err);
    for (at = &t->waiters; *at && *at != &me;)
        at = &(*at)->next;
    if (*at) {
        *at = me.next;
        t->last = me.next ? t->last : at;
    }
    return rc;
}

static void wake_waiters(struct token *t)
{
    struct waiter *w = t->waiters;

    t->waiters = NULL;
    t->last = NULL;
    for (; w; w = w->next)
        call_wake(w->call);
}

static int renew(struct azure *az, struct call *c, enum audience audience, struct err *err)
{
    struct token *t = &az->tokens[audience];
    int rc;

    t->asking = true;
    rc = ask_for_token(az, c, audience, err);
    t->asking = false;
    wake_waiters(t);
    if (rc < 0 && err->class != ERR_CANCELLED) {
        t->failure = *err;
        t->hold_ms = call_span_ms(c) + (err->class == ERR_DENIED ? DENIED_HOLD_MS : FAILED_HOLD_MS);
    }
    return rc;
}

int azure_authorization(struct azure *az, struct call *c, enum audience audience, const char **ret, struct err *err)
{
    struct token *t = &az->tokens[audience];

    if (az->credential->kind == CREDENTIAL_GIVEN_TOKENS)
        return given_token(az, audience, ret, err);
    for (;;) {
        if (t->header.len && call_span_ms(c) < t->renew_ms) {
            *ret = t->header.bytes;
            return 0;
        }
        if (t->asking) {
            TRY(wait_for_other(c, t, err));
            continue;
        }
        if (t->failure.class != ERR_NONE && call_span_ms(c) < t->hold_ms) {
            *err = t->failure;
            return -(int)err->class;
        }
        t->failure = (struct err){0};
        TRY(renew(az, c, audience, err));
    }
}

void azure_forget_token(struct azure *az, enum audience audience)
{
    if (az->credential->kind != CREDENTIAL_GIVEN_TOKENS)
        secret_release(&az->tokens[audience].header);
}

bool azure_forget_used(struct azure *az, enum audience audience, const struct secret *used)
{
    const struct secret *now = &az->tokens[audience].header;

    if (az->credential->kind == CREDENTIAL_GIVEN_TOKENS)
        return false;
    if (now->len == used->len && now->len > 0 && memcmp(now->bytes, used->bytes, now->len) == 0)
        azure_forget_token(az, audience);
    return true;
}

/* Reads the middle part of a JWT. Anything that is no JWT has no object id. */
static void read_object_id(const char *authorization, char *ret, size_t room)
{
    struct secret payload cleanup(secret_release) = {0};
    const char *first = strchr(authorization, '.'), *second = first ? strchr(first + 1, '.') : NULL, *start;
    struct err ignored;
    size_t len;

    if (!second || crypt_base64_decode(first + 1, (size_t)(second - first - 1), BASE64_URL, &payload, &ignored) < 0)
        return;
    if (json_cut(payload.bytes, payload.len, "oid", &start, &len, &ignored) == 0 && len < room) {
        memcpy(ret, start, len);
        ret[len] = '\0';
    }
}

int azure_object_id(struct azure *az, struct call *c, const char **ret, struct err *err)
{
    const char *authorization = NULL;

    if (!az->object_id[0]) {
        TRY(azure_authorization(az, c, AUDIENCE_ARM, &authorization, err));
        read_object_id(authorization, az->object_id, sizeof(az->object_id));
    }
    *ret = az->object_id;
    return 0;
}
