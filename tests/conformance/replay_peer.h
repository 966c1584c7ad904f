/* Recordings as a service in this process: the recorded answer to what is asked first, and to what follows from it the
 * later recorded answers of the same addresses, on a virtual clock. Every request is kept with its time, so that what
 * was asked can be held against what the answers said. */
#ifndef REINSTATE_REPLAY_PEER_H
#define REINSTATE_REPLAY_PEER_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../providers/azure/azure.h"
#include "../../providers/azure/internal.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"

enum { STATUS_ENDED = 418 };

struct exchange {
    const char *method, *uri;
    const char *path;                       /* of the URI, as it stands there, without a slash at its end */
    int status;
    const struct value *headers, *answer, *sent, *sent_headers;
};

struct recording {
    struct arena *arena;
    const char *stem;
    struct exchange *items;
    size_t count;
};

struct asked {
    const char *method, *url, *body;
    int64_t at_ms;
    const struct exchange *answer;          /* NULL: nothing more is recorded */
};

/* One exchange put before our client, and what came of it. */
struct replay {
    struct arena *a;
    const struct recording *file;
    size_t at, cursor;                      /* the exchange; the last one that was given as an answer */
    const struct exchange *x;
    const struct cloud *cloud;
    bool turning;                           /* pages of a list: one that is refused is asked for again */
    bool never_repeat;                      /* the HTTP client hands every failure on */
    bool polling;                           /* no first request of its own: everything asked is looked up */
    struct asked *asked;
    size_t n_asked;
    bool ended;                             /* something was asked that comes after the end of the recording */
    struct azure *az;
    int (*call)(struct call *c, struct replay *r);
    void *arg;
    struct err err;
    int rc;
    struct value *understood;
    const char *fault;                      /* what was misread; the first one counts */
};

/* --- text --------------------------------------------------------------------------------------------------------- */

static char *decoded(struct arena *a, const char *s, size_t n, bool form)
{
    char *copy = arena_alloc(a, n + 1), *to = copy;

    for (size_t i = 0; i < n; i++) {
        char hex[3] = {0};

        if (s[i] == '%' && i + 2 < n && isxdigit((unsigned char)s[i + 1]) && isxdigit((unsigned char)s[i + 2])) {
            memcpy(hex, s + i + 1, 2);
            *to++ = (char)strtol(hex, NULL, 16);
            i += 2;
        } else {
            *to++ = form && s[i] == '+' ? ' ' : s[i];
        }
    }
    *to = '\0';
    return copy;
}

static char *path_of(struct arena *a, const char *url)
{
    const char *host = strstr(url, "://"), *path = host ? strchr(host + 3, '/') : NULL;
    size_t n = path ? strcspn(path, "?#") : 0;

    n -= n > 1 && path[n - 1] == '/';
    return arena_strndup(a, path ? path : "/", path ? n : 1);
}

static char *host_of(struct arena *a, const char *url)
{
    const char *host = strstr(url, "://");

    return host ? arena_strndup(a, url, (size_t)(host + 3 - url) + strcspn(host + 3, "/?#")) : arena_strdup(a, "");
}

/* Ids are written with and without encoded semicolons, in any case. */
static bool same_path(struct arena *a, const char *x, const char *y)
{
    return str_eq_nocase(decoded(a, x, strlen(x), false), decoded(a, y, strlen(y), false));
}

static const char *header_of(const struct exchange *x, const char *name)
{
    const struct value *v = value_get_nocase(x->headers, name);

    return value_is(v, VALUE_LIST) ? value_str(value_item(v, 0)) : value_str(v);
}

/* Links that name the default port are asked for, and recorded, without it. */
static bool same_url(struct arena *a, const char *x, const char *y)
{
    const char *host_x = x ? host_of(a, x) : NULL, *host_y = y ? host_of(a, y) : NULL;

    return x && y && (str_eq(x, y) || (url_same_host(x, y) && str_eq(x + strlen(host_x), y + strlen(host_y))));
}

/* The body's bytes: JSON is written anew, since recordings hold its meaning only. */
static const char *body_of(struct arena *a, const struct value *body, size_t *ret_len)
{
    const char *s = "";

    *ret_len = 0;
    if (value_is(body, VALUE_STRING)) {
        *ret_len = body->str.len;
        return body->str.s;
    }
    if (body && !value_is(body, VALUE_NULL))
        s = json_string(a, body, JSON_COMPACT);
    *ret_len = strlen(s);
    return s;
}

/* --- the peer ----------------------------------------------------------------------------------------------------- */

static bool is_login(const char *url)
{
    return str_find_nocase(url, "/oauth2/v2.0/token") != NULL;
}

/* The next exchange that answers a GET of this URL. A recording may have lost the signature of a polling URL. */
static const struct exchange *later_answer(struct replay *r, const char *url)
{
    bool page = str_find_nocase(url, "skiptoken") != NULL, monitor = str_find_nocase(url, "monitor=true") != NULL;
    const char *path = path_of(r->a, url);

    for (int loose = 0; loose < 2; loose++)
        for (size_t i = r->cursor + 1; i < r->file->count; i++) {
            const struct exchange *x = &r->file->items[i];

            if (!str_eq(x->method, "GET"))
                continue;
            if (!loose ? !same_url(r->a, x->uri, url)
                       : page || !same_path(r->a, x->path, path) ||
                             monitor != (str_find_nocase(x->uri, "monitor=true") != NULL))
                continue;
            r->cursor = i;
            return x;
        }
    return NULL;
}

/* The status of a backup operation stands at two addresses, and recorders give deployments another name: the
 * operation's id is what stays. */
static bool same_operation(struct arena *a, const char *url, const char *path)
{
    const char *asked = path_of(a, url), *id = strrchr(asked, '/'), *recorded = strrchr(path, '/');

    return id && strlen(id) > 16 && str_eq_nocase(id, recorded) && str_find_nocase(asked, "operation") &&
           str_find_nocase(path, "operation");
}

static const struct exchange *other_address(struct replay *r, const char *url)
{
    for (size_t i = r->cursor + 1; i < r->file->count; i++) {
        const struct exchange *x = &r->file->items[i];

        if (str_eq(x->method, "GET") && same_operation(r->a, url, x->path)) {
            r->cursor = i;
            return x;
        }
    }
    return NULL;
}

static const struct exchange *choose(struct replay *r, const char *method, const char *url)
{
    const struct asked *last = r->n_asked ? &r->asked[r->n_asked - 1] : NULL;
    const struct exchange *x;

    if (!last && !r->polling)
        return r->x;
    /* A 401 is tried once more with another token. In the middle of a list what was recorded next is the answer;
     * elsewhere, and where nothing was, it is the same again. */
    if (last && last->answer && last->answer->status == 401 && str_eq(last->url, url)) {
        x = r->turning || r->n_asked > 1 ? later_answer(r, url) : NULL;
        return x ? x : last->answer;
    }
    if (!str_eq(method, "GET"))
        return NULL;
    x = later_answer(r, url);
    return x ? x : other_address(r, url);
}

static void reply_headers(const struct exchange *x, struct arena *a, size_t len, struct wire_reply *ret)
{
    size_t n = value_is(x->headers, VALUE_MAP) ? x->headers->map.count : 0;
    const char *length = header_of(x, "content-length"), *size = header_of(x, "x-ms-meta-configblobsize");
    bool other = length ? strtoul(length, NULL, 10) != len : size && strtoul(size, NULL, 10) > len;

    ret->headers = arena_array(a, struct wire_header, n + 1);
    for (size_t i = 0; i < n; i++) {
        const char *name = x->headers->map.members[i].key, *value = header_of(x, name);

        /* Sizes of a body that was recorded in another form, or without its secret. */
        if (!value ||
            (other && (str_eq_nocase(name, "content-length") || str_eq_nocase(name, "x-ms-meta-configblobsize"))))
            continue;
        ret->headers[ret->n_headers++] = (struct wire_header){name, value};
    }
}

static void reply_fill(struct replay *r, const struct exchange *x, struct arena *a, struct wire_reply *ret)
{
    static const char ended[] = "{\"error\":{\"code\":\"RecordingEnds\",\"message\":\"nothing more is recorded\"}}";
    static const char no_role[] =
        "{\"error\":{\"code\":\"RoleDefinitionDoesNotExist\",\"message\":\"the role is in no recording\"}}";
    const struct asked *asked = &r->asked[r->n_asked - 1];
    /* What a role permits is read besides; tools that have a table of roles never ask, so it is in no recording. */
    bool role = !x && str_find_nocase(asked->url, "/roleDefinitions/") != NULL;
    const char *body = role ? no_role : ended;
    size_t len = strlen(body);

    if (!x) {
        r->ended = r->ended || !role;
        ret->status = role ? 404 : STATUS_ENDED;
    } else if (x->status == 0) {
        ret->fault = WIRE_LOST;
        snprintf(ret->text, sizeof(ret->text), "no answer was recorded");
        return;
    } else {
        body = body_of(a, x->answer, &len);
        ret->status = x->status;
        reply_headers(x, a, len, ret);
    }
    secret_set(&ret->body, body, len);
}

static void replay_answer(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request,
                          struct wire_reply *ret, int64_t *ret_delay_ms)
{
    static const char token[] =
        "{\"token_type\":\"Bearer\",\"expires_in\":86399,\"access_token\":\"token-of-the-test\"}";
    static const char none[] = "{\"value\":[]}";
    struct replay *r = self;
    struct asked asked = {.at_ms = now_ms};

    *ret_delay_ms = 0;
    if (is_login(request->url) && !is_login(r->x->uri)) {
        ret->status = 200;
        secret_set(&ret->body, token, sizeof(token) - 1);
        return;
    }
    /* Restores into the paired region are listed besides; that list is in no recording. */
    if (strstr(request->url, "CrossRegionRestore")) {
        ret->status = 200;
        secret_set(&ret->body, none, sizeof(none) - 1);
        return;
    }
    asked.method = arena_strdup(r->a, request->method);
    asked.url = arena_strdup(r->a, request->url);
    asked.body = request->body ? arena_strndup(r->a, request->body, request->body_len) : NULL;
    asked.answer = choose(r, request->method, request->url);
    arena_push(r->a, r->asked, r->n_asked, asked);
    reply_fill(r, asked.answer, a, ret);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

static const struct permit_write replay_writes[] = {
    {HTTP_GET, "/"}, {HTTP_PUT, "/"}, {HTTP_POST, "/"}, {HTTP_PATCH, "/"}};

struct replay_task {
    struct replay *r;
    struct permit permit;
};

static void replay_main(struct call *c, void *arg)
{
    struct replay_task *t = arg;

    call_set_context(c, &t->permit);
    t->r->rc = t->r->call(c, t->r);
}

/* Whoever was recorded was signed in to the tenant of the store, which its challenge names. */
static const char *replay_tenant(struct replay *r)
{
    const char *challenge = header_of(r->x, "www-authenticate");
    const char *said = challenge ? str_find_nocase(challenge, "authorization=\"") : NULL, *end, *tenant;

    if (!said)
        return "tenant-1";
    said += strlen("authorization=\"");
    end = said + strcspn(said, "\"");
    for (tenant = end; tenant > said && tenant[-1] != '/';)
        tenant--;
    return arena_strndup(r->a, tenant, (size_t)(end - tenant));
}

/* Runs r->call against the recording. */
static void replay_run(struct replay *r)
{
    const char *tenant = replay_tenant(r);
    struct sched_options time = {.time = SCHED_VIRTUAL, .start_ms = time_parse("2026-11-23T03:00:00Z"), .seed = 1};
    struct credential credential = {.kind = CREDENTIAL_CLIENT_SECRET, .client_id = "client-1"};
    struct replay_task task = {.r = r};
    struct sched *s = sched_new(&time);
    struct wire_peer peer = {.self = r, .answer = replay_answer};
    struct wire *wire = wire_peer_new(&peer);
    struct http_options options = {
        .wire = wire, .mode = HTTP_WRITING, .safe_posts = azure_safe_posts, .n_safe_posts = azure_n_safe_posts,
        .never_repeat = r->never_repeat,
    };
    struct http *http = http_new(s, &options);
    const char *subscription = arm_id_part(r->a, r->x->path, "subscriptions");

    snprintf(credential.tenant, sizeof(credential.tenant), "%s", tenant);
    secret_set(&credential.client_secret, "s&cret", 6);
    task.permit =
        (struct permit){.step = "replay", .writes = replay_writes, .n_writes = COUNT(replay_writes), .budget = 1000};
    r->cursor = r->at;
    r->az = azure_new(http, r->cloud, &credential, tenant, subscription ? subscription : "sub-1", "westeurope");
    sched_main(s, replay_main, &task);
    azure_free(r->az);
    r->az = NULL;
    http_free(http);
    wire_free(wire);
    sched_free(s);
    credential_release(&credential);
}

static void misread(struct replay *r, const char *fmt, ...) printf_like(2, 3);
static void misread(struct replay *r, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (!r->fault)
        r->fault = arena_vprintf(r->a, fmt, ap);
    else
        (void)arena_vprintf(r->a, fmt, ap);
    va_end(ap);
}

#endif
