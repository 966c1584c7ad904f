/* Knows the identity that Azure gives to a machine, an app, a server or a shell: which service of this machine hands
 * its tokens out, and how it is asked. Must not know how a token is kept. Microsoft Learn: managed identities on VMs,
 * in App Service, in Container Apps, and on servers of Azure Arc. */
#include "credential_kinds.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "entra.h"
#include "internal.h"

enum { ANSWER_MAX = 64 * 1024, ARC_KEY_MAX = 4096, PROBE_MS = 1000, ASK_MS = 15 * 1000 };

static const char imds_host[] = "http://169.254.169.254", imds_path[] = "/metadata/identity/oauth2/token",
                  arc_folder[] = "/var/opt/azcmagent/tokens/";

static const char *value_of(const struct surroundings *s, const char *name)
{
    const char *value = s->variable(name);

    return value && *value ? value : NULL;
}

static int arc_configure(struct credential *c, const char *endpoint, struct err *err)
{
    if (c->client_id[0])
        return err_set(err, ERR_NOT_FOUND, "a server of Azure Arc has its own identity only: unset %s_CLIENT_ID",
                       c->variables);
    c->host = HOST_ARC;
    free(c->identity_url);
    c->identity_url = xstrdup(endpoint);
    if (!c->arc_folder)
        c->arc_folder = arc_folder;
    return 0;
}

/* Whoever is signed in there. It has no other identity to offer. */
static int cloud_shell_configure(struct credential *c, const char *endpoint, struct err *err)
{
    if (c->client_id[0])
        return err_set(err, ERR_NOT_FOUND, "Cloud Shell has the identity of its user only: unset %s_CLIENT_ID",
                       c->variables);
    c->host = HOST_CLOUD_SHELL;
    free(c->identity_url);
    c->identity_url = xstrdup(endpoint);
    return 0;
}

int managed_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    const char *endpoint = value_of(s, "IDENTITY_ENDPOINT"), *header = value_of(s, "IDENTITY_HEADER"),
               *shell = value_of(s, "MSI_ENDPOINT"),
               *elsewhere = value_of(s, "AZURE_POD_IDENTITY_AUTHORITY_HOST");

    if (value_of(s, "IDENTITY_SERVER_THUMBPRINT"))
        return err_set(err, ERR_NOT_FOUND, "the identities of Service Fabric are not known here");
    if (endpoint && value_of(s, "IMDS_ENDPOINT"))
        return arc_configure(c, endpoint, err);
    if (!endpoint && shell && !value_of(s, "MSI_SECRET"))
        return cloud_shell_configure(c, shell, err);
    free(c->identity_url);
    if (endpoint && header) {
        c->host = HOST_APP;
        c->identity_url = xstrdup(endpoint);
        secret_set(&c->identity_header, header, strlen(header));
        return 0;
    }
    c->host = HOST_MACHINE;
    elsewhere = elsewhere ? elsewhere : imds_host;
    c->identity_url = xmalloc(strlen(elsewhere) + sizeof(imds_path));
    memcpy(c->identity_url, elsewhere, strlen(elsewhere));
    memcpy(c->identity_url + strlen(elsewhere), imds_path, sizeof(imds_path));
    return 0;
}

/* --- asking ------------------------------------------------------------------------------------------------------- */

static int send_local(struct call *c, struct arena *a, const struct token_request *r, struct http_request *request,
                      struct http_response *ret, struct err *err)
{
    request->method = request->body ? HTTP_POST : HTTP_GET;
    request->this_machine = true;
    request->secret_answer = true;
    request->max_body = ANSWER_MAX;
    if (!request->timeout_ms)
        request->timeout_ms = ASK_MS;
    return http_send(r->http, c, a, request, ret, err);
}

/* A laptop has no such service, and would wait for it long: any answer at all says that it is there. */
static int probe(const struct credential *cr, struct call *c, const struct token_request *r, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.url = cr->identity_url, .timeout_ms = PROBE_MS};
    int64_t before = call_set_patience(c, 1);
    int rc = send_local(c, a, r, &request, &response, err);

    call_set_patience(c, before);
    if (rc < 0 && err->class != ERR_CANCELLED)
        err_set(err, ERR_DENIED, "no service for it answers here (%s)", cr->identity_url);
    return rc;
}

static int refused(const struct token_request *r, struct arena *a, const char *url,
                   const struct http_response *response, struct err *err)
{
    azure_error_of(a, r->audience, url, response, "get a token of this machine's identity", err);
    err->class = ERR_DENIED;
    if (response->status == 400)
        err_advise(err, "this machine has no such identity: assign one, or name a user-assigned one by its "
                        "AZURE_CLIENT_ID");
    return -ERR_DENIED;
}

static const char *address(struct arena *a, const struct credential *cr, const struct token_request *r)
{
    static const char *const versions[] = {
        [HOST_MACHINE] = "2018-02-01", [HOST_APP] = "2019-08-01", [HOST_ARC] = "2020-06-01"};
    struct secret resource cleanup(secret_release) = {0};
    const char *wanted = audience_resource(r->cloud, r->audience);

    if (cr->host == HOST_CLOUD_SHELL)
        return cr->identity_url;
    secret_add_percent(&resource, wanted, strlen(wanted));
    return arena_printf(a, "%s?api-version=%s&resource=%s%s%s", cr->identity_url, versions[cr->host], resource.bytes,
                        cr->client_id[0] ? "&client_id=" : "", cr->client_id);
}

static const char *shell_form(struct arena *a, const struct token_request *r)
{
    struct secret resource cleanup(secret_release) = {0};
    const char *wanted = audience_resource(r->cloud, r->audience);

    secret_add_percent(&resource, wanted, strlen(wanted));
    return arena_printf(a, "resource=%s", resource.bytes);
}

/* Azure Arc proves that we may read a file of this machine's administrators: it names the file, and we show what is in
 * it. A name that leads elsewhere would hand that file over. */
static int arc_key(const struct credential *cr, struct arena *a, const struct http_response *response,
                   struct secret *ret, struct err *err)
{
    const char *challenge = http_response_header(response, "WWW-Authenticate"),
               *realm = challenge ? str_find_nocase(challenge, "realm=") : NULL, *path, *name;

    if (response->status != 401 || !realm)
        return err_set(err, ERR_DENIED, "Azure Arc's agent answered %d, without the name of a key", response->status);
    realm += strlen("realm=");
    realm += *realm == '"';
    path = arena_strndup(a, realm, strcspn(realm, "\" ,"));
    name = strrchr(path, '/');
    if (!str_starts(path, cr->arc_folder) || name != path + strlen(cr->arc_folder) - 1 ||
        !str_ends_nocase(path, ".key"))
        return err_set(err, ERR_DENIED, "Azure Arc's agent names a key outside %s", cr->arc_folder);
    if (secret_read_file(ret, path, ARC_KEY_MAX, err) < 0) {
        err->class = ERR_DENIED;
        return err_advise(err, "who asks must be in the group himds of this server");
    }
    return 0;
}

static int arc_ask(struct credential *cr, struct call *c, struct arena *a, const struct token_request *r,
                   struct http_request *request, struct http_response *ret, struct err *err)
{
    struct http_response challenge cleanup(http_response_release) = {0};
    struct secret key cleanup(secret_release) = {0}, authorization cleanup(secret_release) = {0};

    TRY(send_local(c, a, r, request, &challenge, err));
    TRY(arc_key(cr, a, &challenge, &key, err));
    secret_set(&authorization, "Basic ", 6);
    secret_append(&authorization, key.bytes, key.len);
    request->authorization = authorization.bytes;
    TRY(send_local(c, a, r, request, ret, err));
    request->authorization = NULL;
    return 0;
}

int managed_ask(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
                struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct http_response response cleanup(http_response_release) = {0};
    struct wire_header headers[] = {{"Metadata", "true"}, {"X-IDENTITY-HEADER", cr->identity_header.bytes}};
    struct http_secret secrets[] = {{cr->identity_header.bytes, cr->identity_header.len}};
    struct http_request request = {.url = address(a, cr, r), .headers = headers, .n_headers = 1};

    if (cr->host == HOST_APP) {
        request.headers = headers + 1;
        request.secrets = secrets;
        request.n_secrets = 1;
    }
    if (cr->host == HOST_CLOUD_SHELL) {
        request.body = shell_form(a, r);
        request.body_len = strlen(request.body);
        request.content_type = "application/x-www-form-urlencoded";
    }
    if (cr->host == HOST_MACHINE && !cr->settled && cr->n_chain > 1)
        TRY(probe(cr, c, r, err));
    if (cr->host == HOST_ARC)
        TRY(arc_ask(cr, c, a, r, &request, &response, err));
    else
        TRY(send_local(c, a, r, &request, &response, err));
    if (response.status != 200)
        return refused(r, a, request.url, &response, err);
    return token_cut(&response.body, call_now_ms(c), ret, err);
}
