/* Knows Entra ID's token endpoint: the form that asks for a token, and its answers. Must not know which credential
 * asks, nor what a token is used for. */
#include "entra.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "internal.h"

enum { TOKEN_MAX = 64 * 1024 /* of an answer; real ones have a few KiB */, LIFE_UNTOLD_MS = 10 * MINUTE_MS };

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

static void add_field(struct secret *form, const char *name, const char *value, size_t len)
{
    if (form->len)
        secret_append(form, "&", 1);
    secret_append(form, name, strlen(name));
    secret_append(form, "=", 1);
    secret_add_percent(form, value, len);
}

/* A member that is a number, or a text of digits; the token itself holds no quote, so the first match is the member. */
static int64_t number_of(const struct secret *body, const char *member)
{
    const char *p = body->bytes ? strstr(body->bytes, member) : NULL;

    if (!p)
        return 0;
    p += strlen(member);
    p += strspn(p, " \t\r\n:\"");
    return strtoll(p, NULL, 10);
}

int64_t token_life_ms(const struct secret *body, int64_t now_ms)
{
    int64_t seconds = number_of(body, "\"expires_in\""), end = number_of(body, "\"expires_on\"");

    if (seconds <= 0 && end > 0)
        seconds = end - now_ms / SECOND_MS;
    return seconds > 0 && seconds <= 7 * 24 * 3600 ? seconds * SECOND_MS : LIFE_UNTOLD_MS;
}

int token_cut(const struct secret *body, int64_t now_ms, struct token_answer *ret, struct err *err)
{
    const char *start;
    size_t len;

    if (json_cut(body->bytes ? body->bytes : "", body->len, "access_token", &start, &len, err) < 0) {
        err->class = ERR_PROTOCOL; /* a missing member must not read as a missing resource */
        return err_note(err, "the token endpoint's answer holds no token");
    }
    secret_set(&ret->token, start, len);
    ret->life_ms = token_life_ms(body, now_ms);
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

/* We say that we answer claims challenges (cp1), and with what Azure asks for: a token whose holder was just disabled
 * is then refused at once, and not only an hour later. Microsoft Learn: continuous access evaluation. */
static const char *claims_merged(struct arena *a, const char *asked)
{
    struct value *all = NULL, *token, *capability = value_map(a), *values = value_list(a);
    struct err ignored;

    if (!asked || json_parse(a, asked, strlen(asked), &all, &ignored) < 0 || !value_is(all, VALUE_MAP))
        all = value_map(a);
    token = value_get(all, "access_token");
    token = value_is(token, VALUE_MAP) ? token : value_set_map(a, all, "access_token");
    value_push(a, values, value_string(a, "cp1"));
    value_set(a, capability, "values", values);
    value_set(a, token, "xms_cc", capability);
    return json_string(a, all, JSON_COMPACT);
}

int entra_ask(const struct credential *cr, struct call *c, const struct token_request *r, const char *field,
              const struct secret *proof, struct token_answer *ret, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct http_response response cleanup(http_response_release) = {0};
    struct secret form cleanup(secret_release) = {0};
    const char *scope = arena_printf(a, "%s/.default", audience_resource(r->cloud, r->audience));
    const char *what = arena_printf(a, "get a token for %s", audience_names[r->audience]);
    struct http_secret secrets[2];
    struct http_request request = {
        .method = HTTP_POST,
        .url = arena_printf(a, "%s/%s/oauth2/v2.0/token", r->cloud->authority, r->tenant),
        .content_type = "application/x-www-form-urlencoded",
        .max_body = TOKEN_MAX,
    };
    struct http_again again = {0};
    struct err odd;
    const char *claims;
    size_t at;

    secret_reserve(&form, 4096);
    add_field(&form, "grant_type", "client_credentials", 18);
    add_field(&form, "client_id", cr->client_id, strlen(cr->client_id));
    add_field(&form, "scope", scope, strlen(scope));
    if (str_eq(field, "client_assertion"))
        add_field(&form, "client_assertion_type", ASSERTION_TYPE, strlen(ASSERTION_TYPE));
    claims = claims_merged(a, r->claims);
    add_field(&form, "claims", claims, strlen(claims));
    at = form.len + strlen(field) + 2;
    add_field(&form, field, proof->bytes ? proof->bytes : "", proof->len);
    request.body = form.bytes;
    request.body_len = form.len;
    secrets[0] = (struct http_secret){proof->bytes, proof->len};
    secrets[1] = (struct http_secret){form.bytes + at, form.len - at};
    request.secrets = secrets;
    request.n_secrets = COUNT(secrets);
    for (bool more = true;; http_response_release(&response)) {
        if (http_send(r->http, c, a, &request, &response, err) < 0)
            return err_note(err, "%s", what);
        if (response.status < 200 || response.status > 299)
            return token_refused(a, r->audience, request.url, &response, what, err);
        if (token_cut(&response.body, call_now_ms(c), ret, err) == 0)
            return 0;
        odd = *err;
        TRY(http_ask_again(r->http, c, &again, &more, err));
        if (!more) {
            *err = odd;
            return -(int)odd.class;
        }
    }
}
