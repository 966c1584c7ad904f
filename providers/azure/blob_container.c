/* Knows how a container is listed, how a blob is put into it without overwriting another, and what a container's URL
 * is. Must not know what the blobs are for. */
#include <stdio.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "blob.h"
#include "internal.h"

enum { LIST_PAGES_MAX = 20, LIST_BYTES_MAX = 16 * 1024 * 1024, NAME_MAX_BYTES = 1024 };

/* --- its URL ------------------------------------------------------------------------------------------------------ */

int blob_place_of_url(struct arena *a, const struct cloud *cloud, const char *url, struct blob_place *ret,
                      struct err *err)
{
    static const char scheme[] = "https://";
    /* A query may hold a signature: it is never shown. */
    const char *path, *slash, *shown = url ? arena_strndup(a, url, strcspn(url, "?#")) : "";
    size_t host;

    if (!url || !blob_of_cloud(cloud, url))
        return err_set(err, ERR_INVALID, "%.200s is no container of this cloud's storage (https://NAME%s/CONTAINER)",
                       shown, cloud->blob_suffix);
    if (strpbrk(url, "?#%\\"))
        return err_set(err, ERR_INVALID, "%.200s: a query, a signature or an encoded name has no place here", shown);
    host = strcspn(url + strlen(scheme), "/");
    path = url + strlen(scheme) + host;
    if (*path != '/' || !path[1] || path[1] == '/')
        return err_set(err, ERR_INVALID, "%.200s names no container", shown);
    slash = strchr(path + 1, '/');
    *ret = (struct blob_place){
        .endpoint = arena_strndup(a, url, strlen(scheme) + host),
        .account = arena_strndup(a, url + strlen(scheme), strcspn(url + strlen(scheme), ".")),
        .container = slash ? arena_strndup(a, path + 1, (size_t)(slash - path - 1)) : arena_strdup(a, path + 1),
        .name = slash && slash[1] ? arena_strdup(a, slash + 1) : NULL,
    };
    return 0;
}

/* --- lists: XML, of which a few plain elements are cut out -------------------------------------------------------- */

struct span {
    const char *s;
    size_t len;
};

/* What stands between <tag> and </tag>, the first of its kind from *at on; *at moves behind it. */
static bool cut_element(struct span *at, const char *tag, struct span *ret)
{
    char open[64], close[64];
    const char *start, *end;
    size_t skipped;

    snprintf(open, sizeof(open), "<%s>", tag);
    snprintf(close, sizeof(close), "</%s>", tag);
    start = memmem(at->s, at->len, open, strlen(open));
    if (!start)
        return false;
    start += strlen(open);
    end = memmem(start, at->len - (size_t)(start - at->s), close, strlen(close));
    if (!end)
        return false;
    *ret = (struct span){start, (size_t)(end - start)};
    skipped = (size_t)(end - at->s) + strlen(close);
    *at = (struct span){at->s + skipped, at->len - skipped};
    return true;
}

static const char *plain(struct arena *a, struct span from)
{
    static const struct {
        const char *entity, *text;
    } entities[] = {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}};
    struct text t cleanup(text_release) = {0};

    text_init(&t, NAME_MAX_BYTES * 8);
    for (size_t i = 0; i < from.len;) {
        size_t known = 0;

        for (size_t k = 0; k < COUNT(entities) && !known; k++)
            if (from.len - i >= strlen(entities[k].entity) &&
                memcmp(from.s + i, entities[k].entity, strlen(entities[k].entity)) == 0) {
                text_add(&t, entities[k].text);
                known = strlen(entities[k].entity);
            }
        if (!known)
            text_add_char(&t, from.s[i]);
        i += known ? known : 1;
    }
    return arena_strdup(a, text_str(&t));
}

static void set_element(struct arena *a, struct value *map, const char *member, struct span in, const char *tag)
{
    struct span found;

    if (cut_element(&in, tag, &found))
        value_set_string(a, map, member, plain(a, found));
}

/* <name>text</name>, one behind the other. */
static struct value *metadata_of(struct arena *a, struct span in)
{
    struct value *metadata = value_map(a);
    struct span all, found;

    if (!cut_element(&in, "Metadata", &all))
        return metadata;
    for (;;) {
        const char *open = all.len ? memchr(all.s, '<', all.len) : NULL;
        size_t left = open ? all.len - (size_t)(open - all.s) - 1 : 0, n = 0;
        char tag[64];

        while (n < left && n < sizeof(tag) - 1 && open[1 + n] != '>' && open[1 + n] != '/' && open[1 + n] != ' ')
            n++;
        if (!n || n == left)
            return metadata;
        memcpy(tag, open + 1, n);
        tag[n] = '\0';
        if (!cut_element(&all, tag, &found))
            return metadata;
        value_set_string(a, metadata, str_lower(a, tag), plain(a, found));
    }
}

static void add_blobs(struct arena *a, struct span page, struct value *list)
{
    struct span blob;

    while (cut_element(&page, "Blob", &blob)) {
        struct value *item = value_map(a);

        set_element(a, item, "name", blob, "Name");
        set_element(a, item, "created", blob, "Creation-Time");
        set_element(a, item, "modified", blob, "Last-Modified");
        set_element(a, item, "size", blob, "Content-Length");
        value_set(a, item, "metadata", metadata_of(a, blob));
        value_push(a, list, item);
    }
}

static int page_once(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, const char *url,
                     const char *what, struct value *list, size_t *left, const char **ret_next, struct err *err)
{
    const struct wire_header headers[] = {{"x-ms-version", azure_version(az, API_BLOB)},
                                          {"x-ms-date", time_format_http(a, call_now_ms(c))}};
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {
        .method = HTTP_GET, .url = url, .headers = headers, .n_headers = COUNT(headers), .max_body = *left,
    };
    struct span page, whole, next;

    TRY(blob_send(az, c, a, place, place->account_key, &request, what, &response, err));
    if (response.status >= 400)
        return azure_error_of(a, AUDIENCE_STORAGE, request.url, &response, what, err);
    whole = (struct span){response.body.bytes ? response.body.bytes : "", response.body.len};
    *left -= whole.len < *left ? whole.len : *left;
    if (!cut_element(&(struct span){whole.s, whole.len}, "Blobs", &page)) {
        if (!memmem(whole.s, whole.len, "<Blobs />", 9) && !memmem(whole.s, whole.len, "<Blobs/>", 8))
            return azure_odd(&response, err, "%s: the service answered %d with no list in it", what, response.status);
        page = (struct span){"", 0};
    }
    add_blobs(a, page, list);
    *ret_next = cut_element(&whole, "NextMarker", &next) && next.len ? plain(a, next) : NULL;
    return 0;
}

static int list_page(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place, const char *url,
                     const char *what, struct value *list, size_t *left, const char **ret_next, struct err *err)
{
    struct http_again again = {0};

    while (page_once(az, c, a, place, url, what, list, left, ret_next, err) < 0)
        if (!azure_ask_again(az, c, &again, err))
            return -(int)err->class;
    return 0;
}

static void add_query(struct text *url, const char *name, const char *value)
{
    struct secret encoded cleanup(secret_release) = {0};

    secret_add_percent(&encoded, value, strlen(value));
    text_printf(url, "&%s=", name);
    text_add_n(url, encoded.bytes ? encoded.bytes : "", encoded.len);
}

int blob_list(struct azure *az, struct call *c, struct arena *a, const struct blob_place *container, const char *prefix,
              struct value **ret, struct err *err)
{
    struct blob_place place = {
        .endpoint = container->endpoint, .account = container->account, .container = container->container};
    const char *what =
        arena_printf(a, "list container %s of storage account %s", container->container, container->account);
    struct value *list = value_list(a);
    size_t left = LIST_BYTES_MAX;
    const char *next = NULL;
    char *base = NULL;

    TRY(blob_url(az, a, &place, !container->account_key, &base, err));
    for (size_t pages = 0; !pages || next; pages++) {
        struct text url cleanup(text_release) = {0};

        if (pages == LIST_PAGES_MAX || !left)
            return err_set(err, ERR_PROTOCOL, "%s: the list does not end after %zu pages and %d MB", what, pages,
                           LIST_BYTES_MAX >> 20);
        text_init(&url, 16 * 1024);
        text_printf(&url, "%s?restype=container&comp=list&include=metadata", base);
        if (prefix && *prefix)
            add_query(&url, "prefix", prefix);
        if (next)
            add_query(&url, "marker", next);
        if (url.overflowed)
            return err_set(err, ERR_PROTOCOL, "%s: the address of the next page is too long", what);
        TRY(list_page(az, c, a, container, text_str(&url), what, list, &left, &next, err));
    }
    *ret = list;
    return 0;
}

static int make_once(struct azure *az, struct call *c, struct arena *a, const struct blob_place *container,
                     const char *url, struct err *err)
{
    const struct wire_header headers[] = {{"x-ms-version", azure_version(az, API_BLOB)},
                                          {"x-ms-date", time_format_http(a, call_now_ms(c))}};
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {
        .method = HTTP_PUT, .url = url, .headers = headers, .n_headers = COUNT(headers), .body = ""};
    const char *what =
        arena_printf(a, "make container %s of storage account %s", container->container, container->account);

    TRY(blob_send(az, c, a, container, container->account_key, &request, what, &response, err));
    if (response.status == 201)
        return 0;
    if (response.status < 400)
        return azure_odd(&response, err, "%s: the service answered %d", what, response.status);
    azure_error_of(a, AUDIENCE_STORAGE, request.url, &response, what, err);
    return str_eq_nocase(err->code, "ContainerAlreadyExists") ? 0 : -(int)err->class;
}

int blob_make_container(struct azure *az, struct call *c, struct arena *a, const struct blob_place *container,
                        struct err *err)
{
    struct blob_place place = {
        .endpoint = container->endpoint, .account = container->account, .container = container->container};
    struct http_again again = {0};
    char *url = NULL;

    TRY(blob_url(az, a, &place, !container->account_key, &url, err));
    url = arena_printf(a, "%s?restype=container", url);
    while (make_once(az, c, a, container, url, err) < 0)
        if (!azure_ask_again(az, c, &again, err))
            return -(int)err->class;
    return 0;
}

/* --- one blob ----------------------------------------------------------------------------------------------------- */

int blob_write(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
               const struct blob_content *content, const char **ret_etag, struct err *err)
{
    enum { FIXED = 4, META_MAX = 8 };
    struct wire_header headers[FIXED + META_MAX] = {
        {"x-ms-version", azure_version(az, API_BLOB)},
        {"x-ms-date", time_format_http(a, call_now_ms(c))},
        {"x-ms-blob-type", "BlockBlob"},
        {content->etag ? "If-Match" : "If-None-Match", content->etag ? content->etag : "*"},
    };
    struct http_response response cleanup(http_response_release) = {0};
    const struct http_secret bytes = {content->bytes->bytes, content->bytes->len};
    struct http_request request = {
        .method = HTTP_PUT,
        .headers = headers,
        .n_headers = FIXED,
        .content_type = content->type,
        .body = content->bytes->bytes,
        .body_len = content->bytes->len,
        .secrets = &bytes,
        .n_secrets = 1,
    };
    const char *what = arena_printf(a, "write blob %s of storage account %s", place->name, place->account);
    char *url = NULL;

    TRY(blob_url(az, a, place, !place->account_key, &url, err));
    request.url = url;
    for (size_t i = 0; i < value_count(content->metadata) && i < META_MAX; i++)
        headers[request.n_headers++] = (struct wire_header){
            arena_printf(a, "x-ms-meta-%s", content->metadata->map.members[i].key),
            value_str(content->metadata->map.members[i].value),
        };
    TRY(blob_send(az, c, a, place, place->account_key, &request, what, &response, err));
    if (response.status == 409 || response.status == 412) {
        int rc = azure_error_of(a, AUDIENCE_STORAGE, request.url, &response, what, err);

        /* Ours was taken before, or somebody else was quicker; a lease is another matter. */
        if (str_eq_nocase(err->code, "BlobAlreadyExists") || str_eq_nocase(err->code, "ConditionNotMet"))
            err->class = ERR_CONFLICT;
        return rc < 0 ? -(int)err->class : rc;
    }
    if (response.status >= 400)
        return azure_error_of(a, AUDIENCE_STORAGE, request.url, &response, what, err);
    if (response.status != 201)
        return azure_odd(&response, err, "%s: the service answered %d", what, response.status);
    if (ret_etag)
        *ret_etag = arena_strdup(a, http_response_header(&response, "ETag"));
    return 0;
}
