/* Knows issuers beside Entra that give a job or a pod a token of its own: GitHub Actions, Azure Pipelines, Kubernetes.
 * Must not know who trusts it. */
#include "internal.h"

#include <string.h>

enum { LIFE_SECONDS = 600 };

char *oidc_issuer(const struct sim *s, struct arena *a, const char *name)
{
    return arena_printf(a, "%s/%s", s->ep.oidc ? s->ep.oidc : "", name);
}

static char *issue(struct sim *s, struct arena *a, const char *issuer, const char *subject, const char *audience)
{
    struct value *claims = value_map(a);
    int64_t now = s->now_ms / SECOND_MS;

    value_set_string(a, claims, "iss", oidc_issuer(s, a, issuer));
    value_set_string(a, claims, "sub", subject);
    value_set_string(a, claims, "aud", audience);
    value_set_int(a, claims, "iat", now);
    value_set_int(a, claims, "nbf", now);
    value_set_int(a, claims, "exp", now + LIFE_SECONDS);
    return jwt_make(s, a, OIDC_ISSUER, claims);
}

/* A job shows the token that its runner was given. */
static bool is_job(const struct sim *s, const struct sim_request *r)
{
    const char *shown = request_header(r, "Authorization"), *wanted = value_str_at(s->spec, "jobToken");

    return wanted && shown && str_starts_nocase(shown, "Bearer ") && str_eq(shown + strlen("Bearer "), wanted);
}

static void answer_github(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *subject = request_query(r, "subject"), *audience = request_query(r, "audience");
    struct value *body = value_map(r->arena);
    char *token = issue(s, r->arena, "github", subject ? subject : "repo:octo/estate:ref:refs/heads/main",
                        audience ? audience : "https://github.com/octo");

    value_set_int(r->arena, body, "count", (int64_t)strlen(token));
    value_set_string(r->arena, body, "value", token);
    answer_json(r->arena, out, 200, body);
}

static void answer_pipelines(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *connection = request_query(r, "serviceConnectionId");
    struct value *body = value_map(r->arena);

    if (!request_query(r, "api-version") || !connection) {
        answer_empty(out, 400);
        return;
    }
    value_set_string(
        r->arena, body, "oidcToken",
        issue(s, r->arena, "pipelines", arena_printf(r->arena, "sc://%s", connection), "api://AzureADTokenExchange"));
    answer_json(r->arena, out, 200, body);
}

/* What the kubelet would write into a pod's file. */
static void answer_kubernetes(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *subject = request_query(r, "subject");

    out->status = 200;
    answer_header(r->arena, out, "Content-Type", "text/plain");
    text_add(&out->body, issue(s, r->arena, "kubernetes", subject ? subject : "system:serviceaccount:dr:reinstate",
                               "api://AzureADTokenExchange"));
}

void oidc_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *issuer = request_segment(r, 0);

    if (str_eq(issuer, "kubernetes") && request_is(r, "GET"))
        answer_kubernetes(s, r, out);
    else if (!is_job(s, r))
        answer_empty(out, 401);
    else if (str_eq(issuer, "github") && request_is(r, "GET"))
        answer_github(s, r, out);
    else if (str_eq(issuer, "pipelines") && request_is(r, "POST") &&
             str_eq(request_header(r, "X-TFS-FedAuthRedirect"), "Suppress"))
        answer_pipelines(s, r, out);
    else
        answer_empty(out, 404);
}
