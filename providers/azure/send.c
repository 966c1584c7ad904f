/* Knows how a request gets its token, what a 401 means, where a token may be sent, which POSTs only
 * look, and how pages follow each other. Must not know what is asked for. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "allowances.h"
#include "arm.h"
#include "internal.h"

const struct http_safe_post azure_safe_posts[] = {
    {NULL, "/oauth2/v2.0/token"},
    {NULL, "/oauth2/token"}, /* Cloud Shell's */
    {NULL, "/oidctoken"},
    {NULL, "/providers/Microsoft.ResourceGraph/resources"},
    {NULL, "/backupValidateOperation"},
    {NULL, "/backupTriggerValidateOperation"},
};
const size_t azure_n_safe_posts = COUNT(azure_safe_posts);

/* --- sending ------------------------------------------------------------------------------------------------------ */

int azure_check_challenge(const char *challenge, const char *url, const char *audience, struct err *err)
{
    const char *resource = challenge ? str_find_nocase(challenge, "resource=\"") : NULL, *host, *asked;
    char asked_url[HOST_MAX];
    size_t n, m, k;

    if (!resource)
        return 0;
    resource += 10;
    n = strcspn(resource, "\"");
    k = strlen(audience);
    k -= k > 0 && audience[k - 1] == '/';
    if (n >= k && strncasecmp(resource, audience, k) == 0 && (n == k || (n == k + 1 && resource[k] == '/')))
        return 0;
    if (n >= sizeof(asked_url))
        n = sizeof(asked_url) - 1;
    memcpy(asked_url, resource, n);
    asked_url[n] = '\0';
    n = url_host(url, &host);
    m = url_host(asked_url, &asked);
    if (m > 0 && (n == m || (n > m && host[n - m - 1] == '.')) && strncasecmp(host + n - m, asked, m) == 0)
        return 0;
    err_set(err, ERR_PROTOCOL, "%.*s wants a token for %s, which is another service's", (int)n, host, asked_url);
    return err_advise(err, "no token was sent; check the name of the store and the cloud");
}

/* Older stores of the public cloud name its authority by the name that it had first (recorded 2020). */
static bool is_authority(const struct cloud *cloud, const char *url)
{
    return url_same_host(url, cloud->authority) ||
           (str_eq(cloud->name, "AzurePublic") && url_same_host(url, "https://login.windows.net"));
}

int azure_check_issuer(const struct azure *az, const char *challenge, const char *url, struct err *err)
{
    const char *said = challenge ? str_find_nocase(challenge, "authorization=\"") : NULL, *tenant, *host;
    const char *ours = azure_tenant(az);
    char authority[HOST_MAX];
    size_t n;

    if (!said)
        return 0;
    said += strlen("authorization=\"");
    n = strcspn(said, "\"");
    n = n < sizeof(authority) ? n : sizeof(authority) - 1;
    memcpy(authority, said, n);
    authority[n] = '\0';
    n = url_host(url, &host);
    if (!is_authority(azure_cloud(az), authority)) {
        err_set(err, ERR_PROTOCOL, "%.*s wants a token of %s, which is not the authority of %s", (int)n, host,
                authority, azure_cloud(az)->name);
        return err_advise(err, "no further token was sent; check the name of the store and the cloud");
    }
    tenant = strrchr(authority, '/') + 1;
    /* A tenant may also be called by one of its domains, which cannot be compared. */
    if (!*ours || strchr(ours, '.') || str_eq_nocase(tenant, ours) || !strchr(tenant, '-'))
        return 0;
    err_set(err, ERR_DENIED, "%.*s is of tenant %s, and we are signed in to %s", (int)n, host, tenant, ours);
    return err_advise(err, "no further token was sent; check the name of the store, and spec.tenant");
}

const char *azure_claims_of(struct arena *a, const char *challenge)
{
    const char *said = challenge ? str_find_nocase(challenge, "claims=\"") : NULL;
    struct secret json cleanup(secret_release) = {0};
    struct err ignored;

    if (!said)
        return NULL;
    said += strlen("claims=\"");
    if (crypt_base64_decode(said, strcspn(said, "\""), BASE64_STANDARD, &json, &ignored) < 0 &&
        crypt_base64_decode(said, strcspn(said, "\""), BASE64_URL, &json, &ignored) < 0)
        return NULL;
    return arena_strdup(a, json.bytes);
}

static const char *audience_url(const struct cloud *cloud, enum audience audience)
{
    return audience == AUDIENCE_HSM ? cloud->hsm_audience : cloud->vault_audience;
}

static int refused(const struct azure *az, struct arena *a, const struct http_response *response,
                   enum audience audience, const char *url, const char *what, struct err *err)
{
    azure_error_of(a, audience, url, response, what, err);
    azure_blame(az, err);
    err->class = ERR_DENIED;
    return err_advise(err,
                      "the %s token was not accepted, and there is no other to try; "
                      "check cloud, tenant and credential",
                      audience_names[audience]);
}

/* What a 401 asks for, before another token is sent. */
static int challenged(struct azure *az, struct arena *a, enum audience audience, const char *url,
                      const struct http_response *response, struct err *err)
{
    const char *challenge = http_response_header(response, "WWW-Authenticate"), *claims = azure_claims_of(a, challenge);

    if (audience == AUDIENCE_VAULT || audience == AUDIENCE_HSM) {
        TRY(azure_check_challenge(challenge, url, audience_url(azure_cloud(az), audience), err));
        TRY(azure_check_issuer(az, challenge, url, err));
    }
    if (claims)
        azure_claims_asked(az, audience, claims);
    return 0;
}

static void answer_note(struct azure *az, struct arena *a, enum audience audience, const struct http_request *request,
                        const struct http_response *response, const char *what)
{
    struct err err = {0};

    if (response->status >= 400)
        azure_error_of(a, audience, request->url, response, what, &err);
    asked_answered(azure_rights_ledger(az), audience, request, response->status >= 400 ? &err : NULL);
}

int azure_send(struct azure *az, struct call *c, struct arena *a, enum audience audience, struct http_request *request,
               const char *what, struct http_response *ret, struct err *err)
{
    for (int attempt = 0;; attempt++) {
        struct http_response response cleanup(http_response_release) = {0};
        struct secret token cleanup(secret_release) = {0};
        const char *authorization = NULL;

        TRY(azure_authorization(az, c, audience, &authorization, err));
        /* A copy: another task may renew the token while this request waits. */
        secret_set(&token, authorization, strlen(authorization));
        request->authorization = token.bytes;
        azure_counted(az, a, request);
        reads_note(az, audience, request);
        if (http_send(azure_http(az), c, a, request, &response, err) < 0) {
            request->authorization = NULL;
            asked_answered(azure_rights_ledger(az), audience, request, err);
            return err_note(err, "%s", what);
        }
        request->authorization = NULL;
        if (response.status != 401) {
            answer_note(az, a, audience, request, &response, what);
            *ret = response;
            response = (struct http_response){0};
            return 0;
        }
        TRY(challenged(az, a, audience, request->url, &response, err));
        if (attempt > 0 || !azure_forget_used(az, audience, &token))
            return refused(az, a, &response, audience, request->url, what, err);
    }
}

int azure_odd(const struct http_response *response, struct err *err, const char *fmt, ...)
{
    char text[sizeof(err->text)];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    err_set(err, ERR_PROTOCOL, "%s", text);
    err->http_status = response ? response->status : 200;
    return -ERR_PROTOCOL;
}

/* A redirection, an answer that is too large or a link to another host is no accident. */
bool azure_is_odd(const struct err *err)
{
    return err->class == ERR_PROTOCOL && err->http_status >= 200 && err->http_status < 300;
}

bool azure_ask_again(struct azure *az, struct call *c, struct http_again *again, struct err *err)
{
    struct err cancelled;
    bool more = false;

    if (!azure_is_odd(err))
        return false;
    if (http_ask_again(azure_http(az), c, again, &more, &cancelled) < 0)
        *err = cancelled;
    return more;
}

int azure_body(struct arena *a, const struct http_response *response, const char *what, struct value **ret,
               struct err *err)
{
    struct value *body = NULL;
    struct err ignored;

    if (response->body.len > 0 && json_parse_once(a, response->body.bytes, response->body.len, &body, err) < 0) {
        err->class = ERR_PROTOCOL;
        err->http_status = response->status;
        return err_note(err, "%s: Azure answered %d with something that %s", what, response->status,
                        json_parse(a, response->body.bytes, response->body.len, &body, &ignored) < 0
                            ? "is no JSON"
                            : "can be read in two ways");
    }
    *ret = body;
    return 0;
}

int azure_send_json(struct azure *az, struct call *c, struct arena *a, enum audience audience,
                    struct http_request *request, const char *what, struct http_response *response, struct value **ret,
                    struct err *err)
{
    TRY(azure_send(az, c, a, audience, request, what, response, err));
    if (response->status >= 400) {
        azure_error_of(a, audience, request->url, response, what, err);
        azure_blame(az, err);
        return -(int)err->class;
    }
    return azure_body(a, response, what, ret, err);
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

/* "nextLink", "@odata.nextLink": services spell it in their own ways, and a page that is not followed is lost. */
static bool is_link(const char *name)
{
    return str_ends_nocase(name, "nextLink");
}

/* An empty list comes as an empty array, as null, without the member, or as 204. Anything else in place of a list, and
 * a 200 without a byte, is no list: a proxy may have sent it, and taken for an empty list it would make all absent. */
static bool is_page(const struct http_response *response, const struct value *page)
{
    const struct value *value = value_get(page, "value"), *error = value_get(page, "error");

    if (!page)
        return response->status == 204;
    if (!value_is(page, VALUE_MAP) || (error && !value_is(error, VALUE_NULL)))
        return false;
    for (size_t i = 0; !value && i < page->map.count; i++)
        if (!is_link(page->map.members[i].key))
            return false;
    return !value || value_is(value, VALUE_LIST) || value_is(value, VALUE_NULL);
}

static int page_once(struct azure *az, struct call *c, struct arena *a, enum audience audience, const char *url,
                     const char *what, struct value *items, size_t *bytes, struct value **ret_page, struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = HTTP_GET, .url = url};
    struct value *page = NULL, *value;

    TRY(azure_send_json(az, c, a, audience, &request, what, &response, &page, err));
    value = value_get(page, "value");
    if (!is_page(&response, page))
        return azure_odd(&response, err, "%s: Azure answered %d with something else than a list", what,
                         response.status);
    for (size_t i = 0; i < value_count(value); i++)
        value_push(a, items, value_item(value, i));
    *bytes += response.body.len;
    *ret_page = page;
    return 0;
}

static int list_page(struct azure *az, struct call *c, struct arena *a, enum audience audience, const char *url,
                     const char *what, struct value *items, size_t *bytes, struct value **ret_page, struct err *err)
{
    struct http_again again = {0};
    bool bare = false;

    for (;;) {
        int rc = page_once(az, c, a, audience, url, what, items, bytes, ret_page, err);

        if (rc == 0 && (bare || value_is(value_get(*ret_page, "value"), VALUE_LIST)))
            return 0;
        /* So an empty list may be written; but so does something on the way answer, and what is there were gone. */
        if (rc == 0) {
            bare = true;
            azure_odd(NULL, err, "%s: an answer without a list", what);
        }
        if (!azure_ask_again(az, c, &again, err))
            return rc == 0 && err->class != ERR_CANCELLED ? 0 : -(int)err->class;
    }
}

int azure_list_ceiling(const char *what, size_t page, size_t bytes, struct err *err)
{
    if (page > AZURE_PAGES_MAX)
        return err_set(err, ERR_PROTOCOL, "%s: the list does not end after %d pages", what, AZURE_PAGES_MAX);
    if (bytes > AZURE_LIST_BYTES_MAX)
        return err_set(err, ERR_PROTOCOL, "%s: the list has more than %d MB, and does not end after %zu pages", what,
                       AZURE_LIST_BYTES_MAX >> 20, page - 1);
    return 0;
}

/* A list that comes back to a page would be read until the ceiling, and each thing in it be there many times. */
static int list_goes_on(const struct value *addresses, const char *next, const struct value *before,
                        const struct value *page, const char *what, struct err *err)
{
    const struct value *items = value_get(page, "value");

    for (size_t i = 0; next && i < value_count(addresses); i++)
        if (str_eq(value_str(value_item(addresses, i)), next))
            return err_set(err, ERR_PROTOCOL, "%s: page %zu names page %zu as the next one", what,
                           value_count(addresses), i + 1);
    if (value_count(items) && value_equal(items, before))
        return err_set(err, ERR_PROTOCOL, "%s: page %zu holds what the page before it holds", what,
                       value_count(addresses));
    return 0;
}

/* Where the next page is; NULL: this was the last. A link that is no text says that there is more, and not where. */
static int list_next(const struct value *page, const char *what, size_t n, const char **ret, struct err *err)
{
    *ret = NULL;
    for (size_t i = 0; page && i < page->map.count; i++) {
        const struct member *link = &page->map.members[i];
        const char *next = value_str(link->value);

        if (!is_link(link->key) || value_is(link->value, VALUE_NULL) || (next && !*next))
            continue;
        if (!next)
            return err_set(err, ERR_PROTOCOL, "%s: where page %zu goes on is no text (%s)", what, n, link->key);
        if (*ret && !str_eq(*ret, next))
            return err_set(err, ERR_PROTOCOL, "%s: page %zu says twice where it goes on, each time otherwise", what, n);
        *ret = next;
    }
    return 0;
}

int azure_list_bound(struct azure *az, struct call *c, struct arena *a, enum audience audience, const char *url,
                     const char *what, struct list_bound *bound, struct value **ret, struct err *err)
{
    struct value *items = value_list(a), *addresses = value_list(a), *page = NULL;
    const struct value *before = NULL;
    const char *first = url;
    size_t bytes = 0;

    bound->read = 0;
    for (size_t n = 1; url && (!bound->pages || n <= bound->pages); n++) {
        const char *next = NULL, *mended;

        TRY(azure_list_ceiling(what, n, bytes, err));
        if (!url_same_host(first, url)) {
            err_set(err, ERR_PROTOCOL, "%s: the next page is said to be at %.120s", what, url);
            return err_advise(err, "that is another host, so no token is sent there");
        }
        TRY(list_page(az, c, a, audience, url, what, items, &bytes, &page, err));
        value_push(a, addresses, value_string(a, url));
        TRY(list_next(page, what, n, &next, err));
        mended = next ? url_mended(a, next) : NULL;
        url = mended && *mended ? mended : NULL;
        TRY(list_goes_on(addresses, url, before, page, what, err));
        before = value_get(page, "value");
        bound->read = n;
    }
    bound->whole = !url;
    *ret = items;
    return 0;
}

int azure_list(struct azure *az, struct call *c, struct arena *a, enum audience audience, const char *url,
               const char *what, struct value **ret, struct err *err)
{
    struct list_bound all = {0};

    return azure_list_bound(az, c, a, audience, url, what, &all, ret, err);
}
