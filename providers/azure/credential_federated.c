/* Knows the tokens of other issuers that Entra trusts in place of a secret: of Kubernetes in a file, of GitHub Actions
 * and Azure Pipelines for the job that runs. Must not know how a token is kept. */
#include "credential_kinds.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "entra.h"
#include "internal.h"

enum { ASSERTION_MAX = 64 * 1024 };

static const char *first_set(const struct surroundings *s, const char *one, const char *other)
{
    const char *value = s->variable(one);

    value = value && *value ? value : s->variable(other);
    return value && *value ? value : NULL;
}

static void text_keep(char **ret, const char *value)
{
    free(*ret);
    *ret = xstrdup(value);
}

/* Whoever wrote the file ended it with a line end. */
static int trim(struct secret *s, const char *where, struct err *err)
{
    while (s->len && isspace((unsigned char)s->bytes[s->len - 1]))
        s->bytes[--s->len] = '\0';
    for (size_t i = 0; i < s->len; i++)
        if ((unsigned char)s->bytes[i] <= ' ' || (unsigned char)s->bytes[i] >= 0x7f)
            return err_set(err, ERR_DENIED, "%s holds characters that no token has", where);
    return s->len ? 0 : err_set(err, ERR_DENIED, "%s holds no token", where);
}

/* --- a file ------------------------------------------------------------------------------------------------------- */

int workload_identity_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    static const char *const sdk[] = {"TENANT_ID", "CLIENT_ID", "FEDERATED_TOKEN_FILE", NULL},
                             *const terraform[] = {"TENANT_ID", "CLIENT_ID", "OIDC_TOKEN_FILE_PATH", NULL},
                             *const given[] = {"TENANT_ID", "CLIENT_ID", NULL};
    bool arm = str_eq(variables_prefix(s), "ARM");
    const char *token = arm ? variable_of(s, "OIDC_TOKEN") : NULL;

    TRY(variables_needed(s, token ? given : arm ? terraform : sdk, err));
    if (!token) {
        text_keep(&c->assertion_file, variable_of(s, arm ? terraform[2] : sdk[2]));
        return 0;
    }
    secret_set(&c->assertion, token, strlen(token));
    return trim(&c->assertion, "ARM_OIDC_TOKEN", err);
}

/* The file is read each time: Kubernetes replaces it every hour or so, and Entra asks for a token seldom. */
int workload_identity_ask(struct credential *cr, struct call *c, const struct token_request *r,
                          struct token_answer *ret, struct err *err)
{
    struct secret read cleanup(secret_release) = {0};

    if (!cr->assertion_file)
        return entra_ask(cr, c, r, "client_assertion", &cr->assertion, ret, err);
    if (secret_read_file(&read, cr->assertion_file, ASSERTION_MAX, err) < 0) {
        err->class = ERR_DENIED;
        return err_advise(err, "that is the file of AZURE_FEDERATED_TOKEN_FILE");
    }
    TRY(trim(&read, cr->assertion_file, err));
    return entra_ask(cr, c, r, "client_assertion", &read, ret, err);
}

/* --- the job that runs -------------------------------------------------------------------------------------------- */

/* Each national cloud trusts assertions for an audience of its own. */
static const char *assertion_audience(const struct cloud *cloud)
{
    if (str_eq(cloud->name, "AzureUSGovernment"))
        return "api://AzureADTokenExchangeUSGov";
    return str_eq(cloud->name, "AzureChina") ? "api://AzureADTokenExchangeChina" : "api://AzureADTokenExchange";
}

static int issuer_ask(const struct credential *cr, struct call *c, const struct token_request *r,
                      struct http_request *request, const char *member, struct secret *ret, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct http_response response cleanup(http_response_release) = {0};
    struct secret authorization cleanup(secret_release) = {0};
    const char *start;
    size_t len;

    secret_set(&authorization, "Bearer ", 7);
    secret_append(&authorization, cr->oidc_token.bytes, cr->oidc_token.len);
    request->authorization = authorization.bytes;
    request->secret_answer = true;
    request->max_body = ASSERTION_MAX;
    if (http_send(r->http, c, a, request, &response, err) < 0)
        return err_note(err, "get the job's own token");
    if (response.status != 200) {
        azure_error_of(a, r->audience, request->url, &response, "get the job's own token", err);
        err->class = ERR_DENIED;
        return -ERR_DENIED;
    }
    if (json_cut(response.body.bytes ? response.body.bytes : "", response.body.len, member, &start, &len, err) < 0) {
        err->class = ERR_PROTOCOL;
        return err_note(err, "the answer for the job's own token holds none");
    }
    secret_set(ret, start, len);
    return 0;
}

int github_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    static const char *const names[] = {"TENANT_ID", "CLIENT_ID", NULL};
    const char *url = first_set(s, "ACTIONS_ID_TOKEN_REQUEST_URL", "ARM_OIDC_REQUEST_URL"),
               *token = first_set(s, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ARM_OIDC_REQUEST_TOKEN");

    if (!url || !token) {
        err_set(err, ERR_NOT_FOUND, "ACTIONS_ID_TOKEN_REQUEST_URL, ACTIONS_ID_TOKEN_REQUEST_TOKEN not set");
        return s->variable("GITHUB_ACTIONS") ? err_advise(err, "the job needs permissions: {id-token: write}")
                                             : -ERR_NOT_FOUND;
    }
    TRY(variables_needed(s, names, err));
    text_keep(&c->oidc_url, url);
    secret_set(&c->oidc_token, token, strlen(token));
    return trim(&c->oidc_token, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", err);
}

int github_ask(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
               struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct secret assertion cleanup(secret_release) = {0}, audience cleanup(secret_release) = {0};
    struct http_request request = {.method = HTTP_GET};

    secret_add_percent(&audience, assertion_audience(r->cloud), strlen(assertion_audience(r->cloud)));
    request.url =
        arena_printf(a, "%s%saudience=%s", cr->oidc_url, strchr(cr->oidc_url, '?') ? "&" : "?", audience.bytes);
    TRY(issuer_ask(cr, c, r, &request, "value", &assertion, err));
    return entra_ask(cr, c, r, "client_assertion", &assertion, ret, err);
}

/* The tasks for Azure of a pipeline tell of their service connection under a name of their own. */
static int connection_ids(const struct surroundings *s, struct credential *c, struct err *err)
{
    static const char *const names[] = {"TENANT_ID", "CLIENT_ID", NULL};
    static const char prefix[] = "AZURESUBSCRIPTION";

    if (variables_needed(s, names, err) == 0)
        return 0;
    if (!s->variable("AZURESUBSCRIPTION_CLIENT_ID") || !s->variable("AZURESUBSCRIPTION_TENANT_ID"))
        return -ERR_NOT_FOUND;
    c->variables = prefix;
    TRY(variable_id(s, prefix, "TENANT_ID", c->tenant, sizeof(c->tenant), err));
    return variable_id(s, prefix, "CLIENT_ID", c->client_id, sizeof(c->client_id), err);
}

int pipelines_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    const char *url = first_set(s, "SYSTEM_OIDCREQUESTURI", "ARM_OIDC_REQUEST_URL"),
               *token = first_set(s, "SYSTEM_ACCESSTOKEN", "ARM_OIDC_REQUEST_TOKEN"),
               *connection =
                   first_set(s, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID", "ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID");

    if (!url)
        return err_set(err, ERR_NOT_FOUND, "SYSTEM_OIDCREQUESTURI not set");
    if (!token)
        return err_set(err, ERR_NOT_FOUND,
                       "SYSTEM_ACCESSTOKEN not set; the step needs env: {SYSTEM_ACCESSTOKEN: $(System.AccessToken)}");
    if (!connection)
        return err_set(err, ERR_NOT_FOUND, "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID not set");
    TRY(connection_ids(s, c, err));
    text_keep(&c->oidc_url, url);
    text_keep(&c->service_connection, connection);
    secret_set(&c->oidc_token, token, strlen(token));
    return trim(&c->oidc_token, "SYSTEM_ACCESSTOKEN", err);
}

int pipelines_ask(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
                  struct err *err)
{
    static const struct wire_header headers[] = {{"X-TFS-FedAuthRedirect", "Suppress"}};
    struct arena *a cleanup(arena_freep) = arena_new();
    struct secret assertion cleanup(secret_release) = {0}, id cleanup(secret_release) = {0};
    struct http_request request = {.method = HTTP_POST,
                                   .content_type = "application/json",
                                   .body = "",
                                   .headers = headers,
                                   .n_headers = COUNT(headers)};

    secret_add_percent(&id, cr->service_connection, strlen(cr->service_connection));
    request.url = arena_printf(a, "%s?api-version=7.1&serviceConnectionId=%s", cr->oidc_url, id.bytes);
    TRY(issuer_ask(cr, c, r, &request, "oidcToken", &assertion, err));
    return entra_ask(cr, c, r, "client_assertion", &assertion, ret, err);
}
