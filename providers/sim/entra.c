/* Knows Entra ID's token endpoint and the tokens it issues and recognises. Must not know what a token is used for. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

bool audience_is(const char *audience, const char *expected)
{
    size_t n = audience ? strlen(audience) : 0, m = expected ? strlen(expected) : 0;

    while (n && audience[n - 1] == '/')
        n--;
    while (m && expected[m - 1] == '/')
        m--;
    return n && n == m && strncasecmp(audience, expected, n) == 0;
}

/* --- tokens ------------------------------------------------------------------------------------------------------- */

char *token_issue(struct sim *s, struct arena *a, const struct value *principal, const char *audience)
{
    struct value *claims = value_map(a);
    const char *tenant = value_str_at(s->spec, "tenant");
    int64_t now = s->now_ms / SECOND_MS;

    value_set_string(a, claims, "aud", audience);
    value_set_string(a, claims, "iss", arena_printf(a, "%s/%s/v2.0", s->ep.authority, tenant ? tenant : ""));
    value_set_int(a, claims, "iat", now);
    value_set_int(a, claims, "nbf", now);
    value_set_int(a, claims, "exp", now + TOKEN_SECONDS);
    value_set_string(a, claims, "appid", value_str_at(principal, "appId"));
    value_set_string(a, claims, "idtyp", "app");
    value_set_string(a, claims, "oid", value_str_at(principal, "objectId"));
    value_set_string(a, claims, "sub", value_str_at(principal, "objectId"));
    value_set_string(a, claims, "tid", tenant);
    value_set_string(a, claims, "ver", "1.0");
    return jwt_make(s, a, "token", claims);
}

void token_check(struct sim *s, struct sim_request *r)
{
    const char *authorization = request_header(r, "Authorization");
    struct value *claims;

    if (!authorization || !str_starts_nocase(authorization, "Bearer ")) {
        r->token_problem = "the request carries no bearer token";
        return;
    }
    claims = jwt_claims(s, r->arena, "token", authorization + strlen("Bearer "));
    if (!claims) {
        r->token_problem = "the token is not one of this tenant's";
    } else if (value_int_at(claims, "exp", 0) <= s->now_ms / SECOND_MS) {
        r->token_problem = "the token has expired";
    } else if (!str_eq(value_str_at(claims, "tid"), value_str_at(s->spec, "tenant"))) {
        r->token_problem = "the token is of another tenant";
    } else {
        r->principal = value_str_at(claims, "oid");
        r->token_audience = value_str_at(claims, "aud");
    }
}

/* --- the endpoint ------------------------------------------------------------------------------------------------- */

static void entra_error(struct sim *s, const struct sim_request *r, struct sim_answer *out, int status,
                        const char *error, int code, const char *text)
{
    struct arena *a = r->arena;
    struct value *body = value_map(a), *codes = value_list(a);

    value_set_string(a, body, "error", error);
    value_set_string(a, body, "error_description", arena_printf(a, "AADSTS%d: %s", code, text));
    value_push(a, codes, value_int(a, code));
    value_set(a, body, "error_codes", codes);
    value_set_string(a, body, "timestamp", time_format(a, s->now_ms));
    answer_json(a, out, status, body);
}

const char *request_form(const struct sim_request *r, const char *name)
{
    size_t want = strlen(name);

    for (const char *at = r->body, *end = at ? at + r->body_len : NULL; at && at < end;) {
        size_t n = 0, len = 0;
        char *ret;

        while (at + n < end && at[n] != '&')
            n++;
        if (n > want && at[want] == '=' && strncmp(at, name, want) == 0) {
            ret = arena_alloc(r->arena, n);
            for (size_t i = want + 1; i < n; i++) {
                unsigned int byte;

                if (at[i] == '%' && i + 2 < n && sscanf(at + i + 1, "%2x", &byte) == 1) {
                    ret[len++] = (char)byte;
                    i += 2;
                } else {
                    ret[len++] = at[i] == '+' ? ' ' : at[i];
                }
            }
            return ret;
        }
        at += n + 1;
    }
    return NULL;
}

/* "https://vault.azure.net/.default" of version 2, or version 1's resource. */
static const char *wanted_audience(const struct sim_request *r)
{
    const char *scope = request_form(r, "scope"), *at = scope ? str_find_nocase(scope, "/.default") : NULL;

    return at ? arena_strndup(r->arena, scope, (size_t)(at - scope)) : request_form(r, "resource");
}

bool audience_known(const struct sim *s, const char *audience)
{
    const char *const known[] = {s->ep.arm_audience,     s->ep.vault_audience, s->ep.hsm_audience,
                                 s->ep.storage_audience, s->ep.graph_audience, s->ep.arm};

    for (size_t i = 0; i < COUNT(known); i++)
        if (audience_is(audience, known[i]))
            return true;
    return false;
}

static struct value *by_app(struct sim *s, const char *app_id)
{
    struct value *all = state_list(s, "principals");

    for (size_t i = 0; app_id && i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "appId"), app_id))
            return value_item(all, i);
    return NULL;
}

static struct value *token_body(struct sim *s, struct arena *a, const struct value *principal, const char *audience)
{
    struct value *body = value_map(a);

    value_set_string(a, body, "token_type", "Bearer");
    value_set_int(a, body, "expires_in", TOKEN_SECONDS);
    value_set_int(a, body, "ext_expires_in", TOKEN_SECONDS);
    value_set_string(a, body, "access_token", token_issue(s, a, principal, audience));
    return body;
}

/* By its secret, or by an assertion. Says what is wrong with it. */
static struct refusal proven(struct sim *s, const struct sim_request *r, const struct value *principal)
{
    const char *assertion = request_form(r, "client_assertion"), *secret = request_form(r, "client_secret"),
               *wanted = value_str_at(principal, "secret");

    if (assertion)
        return assertion_judge(s, r->arena, principal, request_form(r, "client_assertion_type"), assertion);
    if (secret && wanted && str_eq(secret, wanted))
        return (struct refusal){0};
    return (struct refusal){
        7000215, "invalid_client",
        arena_printf(r->arena, "The client secret given for app '%s' is not valid.", value_str_at(principal, "appId"))};
}

static void answer_token(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    struct arena *a = r->arena;
    const char *audience = wanted_audience(r), *app = request_form(r, "client_id");
    const struct value *principal = by_app(s, app);
    struct refusal why = {0};

    if (!str_eq(request_form(r, "grant_type"), "client_credentials"))
        why = (struct refusal){70003, "unsupported_grant_type", "The grant type is not supported here."};
    else if (!principal)
        why = (struct refusal){700016, "unauthorized_client",
                               arena_printf(a, "Application '%s' was not found in the directory.", app ? app : "")};
    else
        why = proven(s, r, principal);
    if (!why.code && !audience_known(s, audience))
        why = (struct refusal){
            500011, "invalid_resource",
            arena_printf(a, "The resource '%s' was not found in the tenant.", audience ? audience : "")};
    if (why.code)
        entra_error(s, r, out, str_eq(why.error, "invalid_client") ? 401 : 400, why.error, why.code, why.text);
    else
        answer_json(a, out, 200, token_body(s, a, principal, audience));
    answer_header(a, out, "Cache-Control", "no-store, no-cache");
}

/* Just enough discovery for clients that insist on it. */
static void answer_discovery(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *tenant)
{
    struct arena *a = r->arena;
    struct value *body = value_map(a);

    if (str_find_nocase(r->path, "/discovery/instance")) {
        value_set_string(a, body, "tenant_discovery_endpoint",
                         arena_printf(a, "%s/%s/v2.0/.well-known/openid-configuration", s->ep.authority,
                                      value_str_at(s->spec, "tenant")));
        value_set(a, body, "metadata", value_list(a));
    } else {
        value_set_string(a, body, "issuer", arena_printf(a, "%s/%s/v2.0", s->ep.authority, tenant));
        value_set_string(a, body, "authorization_endpoint",
                         arena_printf(a, "%s/%s/oauth2/v2.0/authorize", s->ep.authority, tenant));
        value_set_string(a, body, "token_endpoint",
                         arena_printf(a, "%s/%s/oauth2/v2.0/token", s->ep.authority, tenant));
        /* Microsoft's clients refuse a document without it. */
        value_set_string(a, body, "jwks_uri", arena_printf(a, "%s/%s/discovery/v2.0/keys", s->ep.authority, tenant));
    }
    answer_json(a, out, 200, body);
}

void entra_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *tenant = request_segment(r, 0), *last = request_segment(r, r->n_segments ? r->n_segments - 1 : 0);
    bool adfs = str_eq_nocase(tenant, "adfs");

    if (str_find_nocase(r->path, "/discovery/instance")) {
        answer_discovery(s, r, out, tenant);
        return;
    }
    if (!adfs && !str_eq_nocase(tenant, value_str_at(s->spec, "tenant"))) {
        entra_error(s, r, out, 400, "invalid_request", 90002,
                    arena_printf(r->arena, "Tenant '%s' was not found.", tenant));
        return;
    }
    if (str_eq_nocase(last, "openid-configuration"))
        answer_discovery(s, r, out, tenant);
    else if (request_is(r, "POST") && str_eq_nocase(last, "token"))
        answer_token(s, r, out);
    else
        answer_empty(out, 404);
}
