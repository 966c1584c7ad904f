/* Knows Resource Manager's ids, its URLs, its single reads and writes, its lists, and how role permissions match. Must
 * not know any resource type: what a body means is the caller's business. Operations that take time are in lro.c. */
#include "arm.h"

#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "internal.h"
#include "members.h"

/* --- ids ---------------------------------------------------------------------------------------------------------- */

char *arm_id(struct arena *a, const char *subscription, const char *group, const char *provider_type, const char *name)
{
    char *scope = arena_printf(a, "/subscriptions/%s%s%s", subscription ? subscription : "",
                               group ? "/resourceGroups/" : "", group ? group : "");

    return provider_type ? arena_printf(a, "%s/providers/%s/%s", scope, provider_type, name ? name : "") : scope;
}

char *arm_id_part(struct arena *a, const char *id, const char *segment)
{
    size_t n = strlen(segment);

    for (const char *p = id ? strchr(id, '/') : NULL; p; p = strchr(p + 1, '/')) {
        const char *value = p + 1 + n;

        if (str_starts_nocase(p + 1, segment) && *value == '/' && value[1])
            return arena_strndup(a, value + 1, strcspn(value + 1, "/"));
    }
    return NULL;
}

const char *arm_id_name(const char *id)
{
    const char *slash = id ? strrchr(id, '/') : NULL;

    return slash ? slash + 1 : id;
}

char *arm_id_parent(struct arena *a, const char *id, size_t segments)
{
    char *copy = arena_strdup(a, id);

    for (; copy && segments > 0; segments--) {
        char *slash = strrchr(copy, '/');

        if (!slash)
            break;
        *slash = '\0';
    }
    return copy;
}

const char *arm_id_bare(struct arena *a, const char *id)
{
    size_t n = id ? strlen(id) : 0;

    return n > 1 && id[n - 1] == '/' ? arena_strndup(a, id, n - 1) : id;
}

bool arm_id_equal(const char *x, const char *y)
{
    size_t n, m;

    if (!x || !y)
        return false;
    n = strlen(x);
    m = strlen(y);
    n -= n > 0 && x[n - 1] == '/';
    m -= m > 0 && y[m - 1] == '/';
    return n == m && (!y[m] ? str_starts_nocase(x, y) : !x[n] ? str_starts_nocase(y, x) : str_eq_nocase(x, y));
}

/* --- URLs --------------------------------------------------------------------------------------------------------- */

/* "." and ".." lead out of the path that they stand in. */
static bool has_dot_segment(const char *path)
{
    for (const char *p = path; (p = strstr(p, "/.")); p++) {
        size_t dots = strspn(p + 1, ".");

        if (dots <= 2 && (p[1 + dots] == '/' || !p[1 + dots]))
            return true;
    }
    return false;
}

static int arm_url(struct azure *az, struct arena *a, const char *path, enum azure_api api, const char *query,
                   char **ret, struct err *err)
{
    struct text url cleanup(text_release) = {0};
    bool bad = !path || path[0] != '/' || path[1] == '/';

    /* What does not begin with one slash could turn the host's name into another one. */
    if (bad)
        return err_set(err, ERR_INVALID, "\"%.200s\" is no Resource Manager path: it must begin with one /",
                       path ? path : "");
    text_init(&url, 64 * 1024);
    text_add(&url, azure_cloud(az)->arm);
    url_add_path(&url, path);
    text_printf(&url, "?api-version=%s", azure_version(az, api));
    if (has_dot_segment(path))
        return err_set(err, ERR_INVALID, "\"%.200s\" is no Resource Manager path: \".\" leads elsewhere", path);
    if (query)
        text_printf(&url, "&%s", query);
    if (url.overflowed)
        return err_set(err, ERR_INVALID, "the Resource Manager path \"%.100s…\" is too long", path);
    *ret = arena_strdup(a, text_str(&url));
    return 0;
}

/* "read disk encryption set des-payroll" is what people know; the type is the last but one segment of an id. */
static char *describe(struct arena *a, const char *verb, const char *path)
{
    const char *name = arm_id_name(path);
    const char *type = arm_id_name(arm_id_parent(a, path, 1));

    return arena_printf(a, "%s %s %s", verb, type && *type ? type : "resource", name ? name : "");
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

/* What is described is what was asked for: each setting that another body leaves out would be taken for its default. */
static int check_named(const struct http_response *response, const char *id, const struct value *body, const char *what,
                       struct err *err)
{
    const char *told = value_str_at(body, "id");

    if (!told)
        return azure_odd(response, err, "%s: the answer bears no id, so nobody knows what it describes", what);
    if (!url_same_name(arm_id_name(told), arm_id_name(id)))
        return azure_odd(response, err, "%s: the answer describes something else: %.300s", what, told);
    if (members_check(id, body, what, err) < 0) {
        err->http_status = response->status;
        return -(int)err->class;
    }
    return 0;
}

static int get_once(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api, bool named,
                    struct value **ret, struct err *err)
{
    const char *what = describe(a, "read", path);
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = HTTP_GET};
    struct value *body;
    char *url;

    TRY(arm_url(az, a, path, api, NULL, &url, err));
    request.url = url;
    TRY(azure_send_json(az, c, a, AUDIENCE_ARM, &request, what, &response, &body, err));
    if (!value_is(body, VALUE_MAP))
        return azure_odd(&response, err, "%s: Azure answered %d with no JSON object in it", what, response.status);
    /* Of what bears no id of its own only this can be told. */
    if (!named &&
        (!body->map.count || (str_ends_nocase(path, "/instanceView") &&
                              !value_is(value_get(body, "statuses"), VALUE_LIST))))
        return azure_odd(&response, err, "%s: Azure answered %d with an object that says nothing", what,
                         response.status);
    if (named)
        TRY(check_named(&response, path, body, what, err));
    *ret = body;
    return 0;
}

static int get_object(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api,
                      bool named, struct value **ret, struct err *err)
{
    struct http_again again = {0};

    while (get_once(az, c, a, path, api, named, ret, err) < 0)
        if (!azure_ask_again(az, c, &again, err))
            return -(int)err->class;
    return 0;
}

int arm_get(struct azure *az, struct call *c, struct arena *a, const char *id, enum azure_api api, struct value **ret,
            struct err *err)
{
    return get_object(az, c, a, id, api, true, ret, err);
}

int arm_get_view(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api,
                 struct value **ret, struct err *err)
{
    return get_object(az, c, a, path, api, false, ret, err);
}

int arm_list(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api,
             struct value **ret, struct err *err)
{
    return arm_list_where(az, c, a, &(struct arm_wanted){.path = path, .api = api}, ret, err);
}

int arm_list_where(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                   struct value **ret, struct err *err)
{
    const char *what = describe(a, "list", wanted->path);

    TRY(arm_list_some(az, c, a, wanted, &(struct list_bound){0}, ret, err));
    /* The inventory of all resources names them, and does not describe them. */
    for (size_t i = 0; wanted->api != API_RESOURCES && i < value_count(*ret); i++)
        TRY(members_check(value_str_at(value_item(*ret, i), "id"), value_item(*ret, i), what, err));
    return 0;
}

int arm_list_some(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                  struct list_bound *bound, struct value **ret, struct err *err)
{
    char *url;

    TRY(arm_url(az, a, wanted->path, wanted->api, wanted->query, &url, err));
    return azure_list_bound(az, c, a, AUDIENCE_ARM, url, describe(a, "list", wanted->path), bound, ret, err);
}

/* An address that Azure gives may hold what none may, such as the blank of a region in words. */
static char *address_in(struct arena *a, const struct http_response *response, const char *header)
{
    const char *url = http_response_header(response, header);

    return url ? url_followed(a, url) : NULL;
}

/* What was written bears an id. That nothing is left to be said (204) is believed the second time. */
static bool says_not_what(const struct http_response *response, const struct value *body,
                          const struct http_again *again)
{
    return (response->status == 200 && body && !value_str_at(body, "id")) ||
           (response->status == 204 && !again->times);
}

struct arm_answered {
    struct http_request *request;
    const char *what;
    struct http_response *response;
    struct value *body;
};

/* PUT and PATCH say what is to be so: said twice, it is so once. */
static int send_repeated(struct azure *az, struct call *c, struct arena *a, const struct arm_sending *sending,
                         struct arm_answered *ret, struct err *err)
{
    struct http_again again = {0};

    for (;;) {
        bool bare;
        int rc;

        http_response_release(ret->response);
        *ret->response = (struct http_response){0};
        rc = azure_send_json(az, c, a, AUDIENCE_ARM, ret->request, ret->what, ret->response, &ret->body, err);
        if (rc == 0 && (sending->method != HTTP_PUT || !says_not_what(ret->response, ret->body, &again)))
            return 0;
        bare = rc == 0 && ret->response->status == 204;
        if (rc == 0)
            azure_odd(ret->response, err, "%s: the answer bears no id, so nobody knows what was written", ret->what);
        if (sending->repeat != ARM_REPEATABLE || sending->method == HTTP_POST || !azure_ask_again(az, c, &again, err))
            return bare && err->class != ERR_CANCELLED ? 0 : -(int)err->class;
    }
}

int arm_send(struct azure *az, struct call *c, struct arena *a, const struct arm_sending *sending,
             struct arm_operation *ret, struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = sending->method,
                                   .once = sending->repeat == ARM_ONCE,
                                   .advisory = sending->repeat == ARM_ADVISES};
    struct arm_operation op = {0};
    const char *what = describe(a, sending->method == HTTP_POST ? "post" : "write", sending->path);
    struct arm_answered answered;
    char *url;
    int rc;

    TRY(arm_url(az, a, sending->path, sending->api, NULL, &url, err));
    request.url = url;
    if (sending->body) {
        request.body = json_string(a, sending->body, JSON_COMPACT);
        request.body_len = strlen(request.body);
        request.content_type = "application/json";
    }
    answered = (struct arm_answered){.request = &request, .what = what, .response = &response};
    rc = send_repeated(az, c, a, sending, &answered, err);
    op.body = answered.body;
    if (sending->repeat != ARM_ADVISES)
        azure_written(az);
    TRY(rc);
    op.status = response.status;
    op.bytes = response.body.len;
    op.async_url = address_in(a, &response, "Azure-AsyncOperation");
    op.location = address_in(a, &response, "Location");
    op.request_id = arena_strdup(a, http_response_header(&response, "x-ms-request-id"));
    op.retry_after_ms = http_retry_after_ms(&response);
    *ret = op;
    return 0;
}

/* --- permissions -------------------------------------------------------------------------------------------------- */

int arm_permissions(struct azure *az, struct call *c, struct arena *a, const char *scope, struct value **ret,
                    struct err *err)
{
    const char *path = arena_printf(a, "%s/providers/Microsoft.Authorization/permissions", scope);

    return arm_list(az, c, a, path, API_AUTHORIZATION, ret, err);
}

static bool any_matches(const struct value *patterns, const char *action)
{
    for (size_t i = 0; i < value_count(patterns); i++) {
        const char *pattern = value_str(value_item(patterns, i));

        if (pattern && str_matches_nocase(pattern, action))
            return true;
    }
    return false;
}

/* An exclusion counts within its own role only: another role may still allow the action. */
bool arm_permits(const struct value *permissions, const char *action, bool data)
{
    for (size_t i = 0; i < value_count(permissions); i++) {
        const struct value *p = value_item(permissions, i);

        if (any_matches(value_get_nocase(p, data ? "dataActions" : "actions"), action) &&
            !any_matches(value_get_nocase(p, data ? "notDataActions" : "notActions"), action))
            return true;
    }
    return false;
}
