/* Knows the client certificate of an application: a statement that it signs goes to Entra, never its key. Must not know
 * how a token is kept. Microsoft Learn: certificate credentials of the Microsoft identity platform. */
#include "credential_kinds.h"

#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "entra.h"
#include "internal.h"

enum { FILE_MAX = 1024 * 1024, STATEMENT_SECONDS = 600 };

static int check(const struct credential *c, const char *where, struct err *err)
{
    struct crypt_identity *id cleanup(crypt_identity_freep) = NULL;

    if (crypt_identity_open(&c->certificate, c->certificate_password.bytes, &id, err) == 0)
        return 0;
    err->class = ERR_DENIED;
    return err_note(err, "%s", where);
}

int client_certificate_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    static const char *const by_path[] = {"TENANT_ID", "CLIENT_ID", "CLIENT_CERTIFICATE_PATH", NULL}, *const given[] = {
                                                                                                          "TENANT_ID",
                                                                                                          "CLIENT_ID",
                                                                                                          NULL};
    const char *text = str_eq(variables_prefix(s), "ARM") ? variable_of(s, "CLIENT_CERTIFICATE") : NULL,
               *path = variable_of(s, "CLIENT_CERTIFICATE_PATH"),
               *password = variable_of(s, "CLIENT_CERTIFICATE_PASSWORD"),
               *chain = variable_of(s, "CLIENT_SEND_CERTIFICATE_CHAIN");

    TRY(variables_needed(s, text ? given : by_path, err));
    c->send_chain = str_eq(chain, "1") || str_eq_nocase(chain, "true");
    if (password)
        secret_set(&c->certificate_password, password, strlen(password));
    if (text ? crypt_base64_decode(text, strlen(text), BASE64_STANDARD, &c->certificate, err) < 0
             : secret_read_file(&c->certificate, path, FILE_MAX, err) < 0) {
        err->class = ERR_DENIED;
        return err_note(err, "the client certificate");
    }
    return check(c, text ? "ARM_CLIENT_CERTIFICATE" : path, err);
}

/* Which certificate signed, and on request also those that it hangs on: an application may trust its issuer alone. */
static const char *header_of(struct arena *a, const struct credential *cr, const struct crypt_identity *id, bool pss)
{
    struct value *header = value_map(a), *chain = value_list(a);
    struct text t cleanup(text_release) = {.ceiling = FILE_MAX};

    value_set_string(a, header, "alg", pss ? "PS256" : "RS256");
    value_set_string(a, header, "typ", "JWT");
    crypt_identity_thumbprint(id, &t);
    value_set_string(a, header, "x5t#S256", text_str(&t));
    for (size_t i = 0; cr->send_chain; i++) {
        text_clear(&t);
        if (!crypt_identity_certificate(id, i, &t))
            break;
        value_push(a, chain, value_string(a, text_str(&t)));
    }
    if (cr->send_chain)
        value_set(a, header, "x5c", chain);
    return json_string(a, header, JSON_COMPACT);
}

static const char *claims_of(struct arena *a, const struct credential *cr, const struct token_request *r, int64_t now)
{
    struct value *claims = value_map(a);
    char id[UUID_TEXT];

    crypt_uuid4(id);
    value_set_string(a, claims, "aud", arena_printf(a, "%s/%s/oauth2/v2.0/token", r->cloud->authority, r->tenant));
    value_set_string(a, claims, "iss", cr->client_id);
    value_set_string(a, claims, "sub", cr->client_id);
    value_set_string(a, claims, "jti", id);
    value_set_int(a, claims, "nbf", now);
    value_set_int(a, claims, "iat", now);
    value_set_int(a, claims, "exp", now + STATEMENT_SECONDS);
    return json_string(a, claims, JSON_COMPACT);
}

int client_certificate_ask(struct credential *cr, struct call *c, const struct token_request *r,
                           struct token_answer *ret, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct crypt_identity *id cleanup(crypt_identity_freep) = NULL;
    struct secret statement cleanup(secret_release) = {0}, signature cleanup(secret_release) = {0};
    bool pss = !str_eq_nocase(r->tenant, "adfs"); /* AD FS knows RS256 alone */
    const char *header, *claims;

    TRY(crypt_identity_open(&cr->certificate, cr->certificate_password.bytes, &id, err));
    header = header_of(a, cr, id, pss);
    claims = claims_of(a, cr, r, call_now_ms(c) / SECOND_MS);
    secret_add_base64url(&statement, header, strlen(header));
    secret_append(&statement, ".", 1);
    secret_add_base64url(&statement, claims, strlen(claims));
    crypt_identity_sign(id, pss, statement.bytes, statement.len, &signature);
    secret_append(&statement, ".", 1);
    secret_add_base64url(&statement, signature.bytes, signature.len);
    return entra_ask(cr, c, r, "client_assertion", &statement, ret, err);
}
