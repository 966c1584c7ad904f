/* Knows when Entra takes an assertion in place of a secret: of an issuer that the application trusts, for this subject
 * and audience, and in its time. Must not know what it is exchanged for. */
#include "internal.h"

#include <string.h>

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

struct refusal assertion_judge(struct sim *s, struct arena *a, const struct value *principal, const char *type,
                               const char *assertion)
{
    const struct value *claims;

    if (!str_eq(type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
        return refuse(90023, "The client assertion type is not supported.");
    claims = jwt_claims(s, a, OIDC_ISSUER, assertion);
    if (!claims)
        return refuse(50027, "JWT token is invalid or malformed.");
    if (!in_time(s, claims))
        return refuse(700024, "Client assertion is not within its valid time range.");
    return federated(s, a, principal, claims);
}
