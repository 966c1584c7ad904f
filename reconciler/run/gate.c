/* Knows which requests may leave at all: over https, to a plain host, and changing nothing unless a step announced it.
 * Must not know how a request is sent, nor what a URL means to Azure. */
#include "gate.h"

#include <arpa/inet.h>
#include <string.h>

#include "../base/text.h"

enum { URL_BYTES_MAX = 32 * 1024, SHOWN_MAX = 200 };
#define HOST_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:[]"

static const char *const method_names[HTTP_METHOD_COUNT] = {"GET", "HEAD", "PUT", "POST", "PATCH"};

const char *http_method_name(enum http_method m)
{
    return m < HTTP_METHOD_COUNT ? method_names[m] : "?";
}

/* --- where it goes ------------------------------------------------------------------------------------------------ */

bool gate_has_control(const char *s)
{
    for (; *s; s++)
        if ((unsigned char)*s < ' ' || *s == 127)
            return true;
    return false;
}

static int parse(struct arena *a, const char *url, const char *scheme, struct target *ret, struct err *err)
{
    const char *place, *slash;
    size_t host, authority, path;
    int shown = (int)strcspn(url, "?#");

    if (shown > SHOWN_MAX)
        shown = SHOWN_MAX;
    if (strlen(url) > URL_BYTES_MAX || gate_has_control(url) || strchr(url, ' ') || strchr(url, '\\'))
        return err_set(err, ERR_PROTOCOL, "a URL of %zu bytes is too long or holds characters that no URL may hold",
                       strlen(url));
    if (!str_starts_nocase(url, scheme))
        return err_set(err, ERR_BLOCKED, "only %.*s is spoken, not what \"%.*s\" asks for", (int)strcspn(scheme, ":"),
                       scheme, shown, url);
    place = url + strlen(scheme);
    authority = strcspn(place, "/?#");
    path = strcspn(place, "?#");
    host = place[0] == '[' ? strcspn(place, "]") + 1 : strcspn(place, ":/?#");
    if (!host || host > authority || strspn(place, HOST_CHARACTERS) < authority)
        return err_set(err, ERR_BLOCKED, "the host in \"%.*s\" is not plain", shown, url);
    ret->host = str_lower(a, arena_strndup(a, place, host));
    ret->place = str_lower(a, arena_strndup(a, place, path));
    slash = strchr(ret->place, '/');
    ret->path = slash ? slash : "";
    ret->shown = arena_strndup(a, url, path + strlen(scheme));
    return 0;
}

int target_parse(struct arena *a, const char *url, struct target *ret, struct err *err)
{
    return parse(a, url, "https://", ret, err);
}

static bool is_local(const char *host)
{
    unsigned char address[4];

    if (str_eq(host, "localhost"))
        return true;
    return inet_pton(AF_INET, host, address) == 1 && (address[0] == 127 || (address[0] == 169 && address[1] == 254));
}

int target_parse_local(struct arena *a, const char *url, struct target *ret, struct err *err)
{
    TRY(parse(a, url, "http://", ret, err));
    if (!is_local(ret->host))
        return err_set(err, ERR_BLOCKED, "%s is neither this machine nor on its link: plain http does not go there",
                       ret->host);
    return 0;
}

/* --- whether it may ----------------------------------------------------------------------------------------------- */

/* A suffix begins at a dot: "azure.com" does not match "notazure.com". */
static bool host_ends(const char *host, const char *suffix)
{
    size_t n = strlen(host), m = strlen(suffix);

    return str_ends_nocase(host, suffix) && (n == m || suffix[0] == '.' || host[n - m - 1] == '.');
}

static bool is_safe(const struct gate *g, enum http_method method, bool guarded, const struct target *t)
{
    if (method == HTTP_GET || method == HTTP_HEAD)
        return !guarded;
    for (size_t i = 0; method == HTTP_POST && i < g->n_safe_posts; i++) {
        const struct http_safe_post *safe = &g->safe_posts[i];

        if ((!safe->host_suffix || host_ends(t->host, safe->host_suffix)) &&
            str_ends_nocase(t->path, safe->path_suffix))
            return true;
    }
    return false;
}

/* Steps announce names as people write them; on the wire what is no plain character is written as a percent escape. */
static void add_as_sent(struct text *out, const char *fragment)
{
    for (const char *p = fragment; *p; p++) {
        unsigned char ch = (unsigned char)*p;

        if (ch <= ' ' || ch >= 0x7f || strchr("\"#<>?[\\]^`{|}", ch))
            text_printf(out, "%%%02x", ch);
        else
            text_add_char(out, (char)ch);
    }
}

static bool announced(const struct permit_write *w, const struct target *t)
{
    struct text sent cleanup(text_release) = {.ceiling = URL_BYTES_MAX};

    if (!w->fragment || !*w->fragment)
        return false;
    add_as_sent(&sent, w->fragment);
    return !sent.overflowed && str_find_nocase(t->place, text_str(&sent));
}

static bool permit_names(const struct permit *permit, enum http_method method, const struct target *t)
{
    for (size_t i = 0; i < permit->n_writes; i++) {
        const struct permit_write *w = &permit->writes[i];

        if (w->method == method && announced(w, t))
            return true;
    }
    return false;
}

int gate_pass(const struct gate *g, struct call *c, enum http_method method, bool guarded, const struct target *t,
              struct permit **ret, struct err *err)
{
    const char *name = http_method_name(method);
    struct permit *permit;

    *ret = NULL;
    if (is_safe(g, method, guarded, t))
        return 0;
    if (g->mode != HTTP_WRITING)
        return err_set(err, ERR_BLOCKED, "%s %s was refused: this command only reads", name, t->shown);
    permit = call_context(c);
    if (!permit)
        return err_set(err, ERR_BLOCKED, "%s %s was refused: no step holds a permit for it", name, t->shown);
    if (!permit_names(permit, method, t))
        return err_set(err, ERR_BLOCKED, "%s %s was refused: step %s has not announced this write", name, t->shown,
                       permit->step);
    /* A guarded read changes nothing: it may be repeated, and spends no write. */
    if (!guarded)
        *ret = permit;
    return 0;
}

void permit_until(struct call *c, int64_t late_ms)
{
    struct permit *permit = call_context(c);

    if (permit)
        permit->late_ms = late_ms;
}
