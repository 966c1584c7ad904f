/* Knows when Entra takes an assertion in place of a secret: of an issuer that the application trusts, for this subject
 * and audience, and in its time. Must not know what it is exchanged for. */
#include "internal.h"

#include <string.h>

#include "../../reconciler/format/crypt.h"

static const char trusted_audience[] = "api://AzureADTokenExchange";

static bool in_time(const struct sim *s, const struct value *claims)
{
    int64_t now = s->now_ms / SECOND_MS;

    return value_int_at(claims, "exp", 0) > now && value_int_at(claims, "nbf", 0) <= now + 300;
}

static struct refusal refuse(int code, const char *text)
{
    return (struct refusal){
        .code = code, .error = code == 700211 || code == 700213 ? "invalid_request" : "invalid_client", .text = text};
}

/* Issuer first, then subject, then audience: the refusal names the first that differs. */
static struct refusal federated(struct sim *s, struct arena *a, const struct value *principal,
                                const struct value *claims)
{
    const struct value *all = value_get(principal, "federated");
    const char *issuer = value_str_at(claims, "iss"), *subject = value_str_at(claims, "sub"),
               *audience = value_str_at(claims, "aud");
    struct refusal why = refuse(
        700211,
        arena_printf(a, "No matching federated identity record found for presented assertion issuer '%s'.", issuer));

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *one = value_item(all, i);
        const char *wanted = value_str_at(one, "audience");

        if (!str_eq(issuer, oidc_issuer(s, a, value_str_at(one, "issuer"))))
            continue;
        if (!str_eq(subject, value_str_at(one, "subject"))) {
            why = refuse(
                700213,
                arena_printf(a, "No matching federated identity record found for presented assertion subject '%s'.",
                             subject));
            continue;
        }
        if (str_eq(audience, wanted ? wanted : trusted_audience))
            return (struct refusal){0};
        return refuse(700212,
                      arena_printf(a,
                                   "No matching federated identity record found for presented assertion audience '%s'.",
                                   audience));
    }
    return why;
}

/* Signed with the registered certificate, which the header names by its thumbprint, and addressed to this endpoint. */
static struct refusal certified(struct sim *s, struct arena *a, const struct value *principal, const char *assertion)
{
    const struct value *header = jwt_part(a, assertion, 0), *claims = jwt_part(a, assertion, 1);
    const char *pem = value_str_at(principal, "certificate"), *algorithm = value_str_at(header, "alg"),
               *app = value_str_at(principal, "appId"), *end = strrchr(assertion, '.'),
               *here = arena_printf(a, "%s/%s/oauth2/v2.0/token", s->ep.authority, value_str_at(s->spec, "tenant"));
    struct secret signature cleanup(secret_release) = {0};
    struct text thumbprint cleanup(text_release) = {.ceiling = 128};
    bool pss = str_eq(algorithm, "PS256");
    struct err ignored;

    if (!claims || !end || (!pss && !str_eq(algorithm, "RS256")) ||
        crypt_base64_decode(end + 1, strlen(end + 1), BASE64_URL, &signature, &ignored) < 0)
        return refuse(50027, "JWT token is invalid or malformed.");
    if (!pem || !crypt_signed_by(pem, pss, assertion, (size_t)(end - assertion), &signature, &thumbprint) ||
        !str_eq(value_str_at(header, "x5t#S256"), text_str(&thumbprint)))
        return refuse(700027, "The certificate with identifier used to sign the client assertion is not registered on "
                              "application.");
    if (!str_eq(value_str_at(claims, "aud"), here))
        return refuse(700023, "Client assertion audience claim does not match Realm issuer.");
    if (!str_eq_nocase(value_str_at(claims, "iss"), app) || !str_eq_nocase(value_str_at(claims, "sub"), app))
        return refuse(700021, "Client assertion application identifier doesn't match 'client_id' parameter.");
    if (!in_time(s, claims))
        return refuse(700024, "Client assertion is not within its valid time range.");
    return value_str_at(claims, "jti") ? (struct refusal){0} : refuse(50027, "JWT token is invalid or malformed.");
}

struct refusal assertion_judge(struct sim *s, struct arena *a, const struct value *principal, const char *type,
                               const char *assertion)
{
    const struct value *claims;

    if (!str_eq(type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
        return refuse(90023, "The client assertion type is not supported.");
    if (!str_eq(value_str_at(jwt_part(a, assertion, 0), "alg"), "HS256"))
        return certified(s, a, principal, assertion);
    claims = jwt_claims(s, a, OIDC_ISSUER, assertion);
    if (!claims)
        return refuse(50027, "JWT token is invalid or malformed.");
    if (!in_time(s, claims))
        return refuse(700024, "Client assertion is not within its valid time range.");
    return federated(s, a, principal, claims);
}
