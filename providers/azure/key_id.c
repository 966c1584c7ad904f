/* Knows how an address of a key is read. Must not know which stores a cloud has (cloud.c). */
#include "key_id.h"

#include <string.h>

/* A part of an address, where it stands: comparing keys leaves no copies behind. */
struct slice {
    const char *at;
    size_t n;
};

struct key_slices {
    struct slice host, name, version; /* version: n is 0 where the address names none */
};

/* The next segment of a path, slashes before it skipped; n is 0 at the end. */
static struct slice segment_next(const char **path)
{
    const char *at = *path + strspn(*path, "/");
    size_t n = strcspn(at, "/?#");

    *path = at + n;
    return (struct slice){.at = at, .n = n};
}

static struct slice host_of(const char **url)
{
    struct slice host = {.at = *url, .n = strcspn(*url, "/?#")};

    *url += host.n;
    if (host.n > 4 && str_starts_nocase(host.at + host.n - 4, ":443"))
        host.n -= 4;
    return host;
}

static bool slice_is(struct slice s, const char *word)
{
    return s.n == strlen(word) && str_eq_nocase_n(s.at, word, s.n);
}

static bool slices_of(const char *url, struct key_slices *ret)
{
    struct key_slices k;

    if (!str_starts_nocase(url, "https://"))
        return false;
    url += strlen("https://");
    k.host = host_of(&url);
    if (!slice_is(segment_next(&url), "keys"))
        return false;
    k.name = segment_next(&url);
    k.version = segment_next(&url);
    if (!k.name.n || segment_next(&url).n || *url)
        return false;
    *ret = k;
    return true;
}

static char *slice_copy(struct arena *a, struct slice s)
{
    return s.n ? arena_strndup(a, s.at, s.n) : NULL;
}

static char *lower(char *text)
{
    str_lower_here(text);
    return text;
}

char *key_url_host(struct arena *a, const char *url)
{
    struct slice host;

    url += strlen("https://");
    host = host_of(&url);
    return lower(arena_strndup(a, host.at, host.n));
}

bool key_id_parse(struct arena *a, const char *url, struct key_id *ret)
{
    struct key_slices k;

    if (!slices_of(url, &k))
        return false;
    *ret = (struct key_id){
        .base = lower(arena_printf(a, "https://%.*s", (int)k.host.n, k.host.at)),
        .name = slice_copy(a, k.name),
        .version = slice_copy(a, k.version),
    };
    return true;
}

/* Capitals make no other host, key or version. */
static bool same(struct slice x, struct slice y)
{
    return x.n == y.n && str_eq_nocase_n(x.at, y.at, x.n);
}

static bool both(const char *url, const char *other, struct key_slices *x, struct key_slices *y)
{
    return slices_of(url, x) && slices_of(other, y) && same(x->host, y->host);
}

bool key_same_store(const char *url, const char *other)
{
    struct key_slices x, y;

    return both(url, other, &x, &y);
}

bool key_same_key(const char *url, const char *other)
{
    struct key_slices x, y;

    return both(url, other, &x, &y) && same(x.name, y.name);
}

bool key_same_version(const char *url, const char *other)
{
    struct key_slices x, y;

    return both(url, other, &x, &y) && same(x.name, y.name) && x.version.n && same(x.version, y.version);
}

bool key_url_is(const char *url, const char *base, const char *name)
{
    const char *rest = base;
    struct key_slices k;
    struct slice host;

    if (!base || !name || !slices_of(url, &k) || !str_starts_nocase(base, "https://"))
        return false;
    rest += strlen("https://");
    host = host_of(&rest);
    return !rest[strspn(rest, "/")] && same(k.host, host) &&
           same(k.name, (struct slice){.at = name, .n = strlen(name)});
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
    struct key_slices k;

    return slices_of(url, &k) ? slice_copy(a, k.version) : NULL;
}
