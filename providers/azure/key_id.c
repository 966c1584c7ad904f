/* Knows how an address of a key is read. Must not know which stores a cloud has (cloud.c). */
#include "key_id.h"

#include <string.h>

/* The next segment of a path, slashes before it skipped; NULL at the end. */
static char *segment_next(struct arena *a, const char **path)
{
    const char *at = *path + strspn(*path, "/");
    size_t n = strcspn(at, "/?#");

    *path = at + n;
    return n ? arena_strndup(a, at, n) : NULL;
}

static char *host_of(struct arena *a, const char **url)
{
    size_t n = strcspn(*url, "/?#");
    char *host = str_lower(a, arena_strndup(a, *url, n));

    *url += n;
    if (n > 4 && str_ends_nocase(host, ":443"))
        host[n - 4] = '\0';
    return host;
}

char *key_url_host(struct arena *a, const char *url)
{
    url += strlen("https://");
    return host_of(a, &url);
}

bool key_id_parse(struct arena *a, const char *url, struct key_id *ret)
{
    struct key_id id;

    if (!str_starts_nocase(url, "https://"))
        return false;
    url += strlen("https://");
    id.base = arena_printf(a, "https://%s", host_of(a, &url));
    if (!str_eq_nocase(segment_next(a, &url), "keys"))
        return false;
    id.name = segment_next(a, &url);
    id.version = segment_next(a, &url);
    if (!id.name || segment_next(a, &url) || *url)
        return false;
    *ret = id;
    return true;
}

static bool both(struct arena *a, const char *url, const char *other, struct key_id *x, struct key_id *y)
{
    return key_id_parse(a, url, x) && key_id_parse(a, other, y) && str_eq(x->base, y->base);
}

bool key_same_store(struct arena *a, const char *url, const char *other)
{
    struct key_id x, y;

    return both(a, url, other, &x, &y);
}

bool key_same_key(struct arena *a, const char *url, const char *other)
{
    struct key_id x, y;

    return both(a, url, other, &x, &y) && str_eq_nocase(x.name, y.name);
}

bool key_same_version(struct arena *a, const char *url, const char *other)
{
    struct key_id x, y;

    return both(a, url, other, &x, &y) && str_eq_nocase(x.name, y.name) && x.version &&
           str_eq_nocase(x.version, y.version);
}

bool key_url_is(struct arena *a, const char *url, const char *base, const char *name)
{
    return base && name && key_same_key(a, url, arena_printf(a, "%s/keys/%s", base, name));
}

const char *key_url_plain(struct arena *a, const char *url)
{
    struct key_id id;

    if (!key_id_parse(a, url, &id))
        return url;
    return arena_printf(a, "%s/keys/%s%s%s", id.base, id.name, id.version ? "/" : "", id.version ? id.version : "");
}

const char *key_url_version(struct arena *a, const char *url)
{
    struct key_id id;

    return key_id_parse(a, url, &id) ? id.version : NULL;
}
