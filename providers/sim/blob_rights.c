/* Knows who may read and write a storage account's blobs, and how the service refuses. Must not know what they hold. */
#include "blobs.h"

#include <string.h>

/* --- refusing ----------------------------------------------------------------------------------------------------- */

void blob_refuse(const struct blob_exchange *x, int status, const char *code, const char *message)
{
    x->out->status = status;
    text_clear(&x->out->body);
    answer_header(x->a, x->out, "x-ms-error-code", "%s", code);
    if (request_header(x->r, "x-ms-version"))
        answer_header(x->a, x->out, "x-ms-version", "%s", request_header(x->r, "x-ms-version"));
    if (request_is(x->r, "HEAD"))
        return;
    answer_header(x->a, x->out, "Content-Type", "application/xml");
    text_printf(&x->out->body,
                "%s<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>%s</Message></Error>",
                BYTE_ORDER_MARK, code, message);
}

void blob_add_xml(struct text *t, const char *s)
{
    for (; *s; s++)
        switch (*s) {
        case '&': text_add(t, "&amp;"); break;
        case '<': text_add(t, "&lt;"); break;
        case '>': text_add(t, "&gt;"); break;
        case '"': text_add(t, "&quot;"); break;
        default: text_add_char(t, *s);
        }
}

/* --- SharedKey ---------------------------------------------------------------------------------------------------- */

static bool shared_key_admits(const struct blob_exchange *x, const char *credentials)
{
    const char *colon = strchr(credentials, ':');

    if (!value_bool_at(x->account, "properties.allowSharedKeyAccess", true)) {
        blob_refuse(x, 403, "KeyBasedAuthenticationNotPermitted",
               "Key based authentication is not permitted on this storage account.");
        return false;
    }
    if (!request_header(x->r, "x-ms-date") && !request_header(x->r, "Date")) {
        blob_refuse(x, 403, "AuthenticationFailed", "A signed request needs a date.");
        return false;
    }
    if (!colon || !str_eq_nocase(arena_strndup(x->a, credentials, (size_t)(colon - credentials)), x->name) ||
        !shared_key_fits(x->s, x->r, x->name, colon + 1)) {
        blob_refuse(x, 403, "AuthenticationFailed",
                    "The signature in the Authorization header does not fit the request.");
        return false;
    }
    return true;
}

/* --- who may come in ---------------------------------------------------------------------------------------------- */

static void challenge(const struct blob_exchange *x, const char *code, const char *message)
{
    blob_refuse(x, 401, code, message);
    answer_header(x->a, x->out, "WWW-Authenticate", "Bearer authorization_uri=%s/%s/oauth2/authorize resource_id=%s",
                  x->s->ep.authority, value_str_at(x->s->spec, "tenant"), x->s->ep.storage_audience);
}

#define CONTAINERS "Microsoft.Storage/storageAccounts/blobServices/containers/"
#define BLOBS CONTAINERS "blobs/"

/* A new blob may be written by whoever may add one; over another only by whoever may write. Making a container is an
 * action of the account's management, though it is asked of the blob service. */
static bool data_action_allows(const struct blob_exchange *x, const char *scope)
{
    if (!request_is(x->r, "PUT"))
        return access_rbac(x->s, x->r->principal, scope, BLOBS "read", true);
    if (x->r->n_segments == 1)
        return access_rbac(x->s, x->r->principal, scope, CONTAINERS "write", false);
    return access_rbac(x->s, x->r->principal, scope, BLOBS "write", true) ||
           (!blob_named(x) && access_rbac(x->s, x->r->principal, scope, BLOBS "add/action", true));
}

static bool bearer_admits(const struct blob_exchange *x)
{
    char *scope =
        arena_printf(x->a, "%s/blobServices/default/containers/%s", value_str_at(x->account, "id"), x->container);

    if (!x->r->principal) {
        challenge(x, "InvalidAuthenticationInfo", "The bearer token is not valid.");
        return false;
    }
    if (!audience_is(x->r->token_audience, x->s->ep.storage_audience)) {
        challenge(x, "InvalidAuthenticationInfo", "The bearer token is for another audience.");
        return false;
    }
    if (data_action_allows(x, scope))
        return true;
    blob_refuse(x, 403, "AuthorizationPermissionMismatch",
           "This request is not authorized to perform this operation using this permission.");
    return false;
}

bool blob_admitted(const struct blob_exchange *x)
{
    const char *authorization = request_header(x->r, "Authorization");

    if (!authorization) {
        challenge(x, "NoAuthenticationInformation", "The request carries no authentication information.");
        return false;
    }
    if (!request_header(x->r, "x-ms-version")) {
        blob_refuse(x, 400, "MissingRequiredHeader", "The header x-ms-version is missing.");
        return false;
    }
    if (!firewall_lets_client(x->s, value_get(x->account, "properties")) ||
        str_eq_nocase(value_str_at(x->account, "properties.publicNetworkAccess"), "SecuredByPerimeter")) {
        blob_refuse(x, 403, "AuthorizationFailure", "The account's network rules do not admit this client address.");
        return false;
    }
    if (str_starts_nocase(authorization, "SharedKey "))
        return shared_key_admits(x, authorization + strlen("SharedKey "));
    return bearer_admits(x);
}
