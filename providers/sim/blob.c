/* Knows the blob service: who may read and write (a bearer token with the data action, or a SharedKey signature that
 * fits), ranges, lists, conditions and leases. Must not know what the blobs mean. */
#include "blobs.h"

#include <stdlib.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"

enum { PAGE_BLOB = 512, LIST_MAX = 5000 };

/* --- keeping ------------------------------------------------------------------------------------------------------ */

void blob_put(struct sim *s, const char *account, const char *container, const char *name, bool page, const char *bytes,
              size_t len)
{
    struct arena *a = arena_new();
    struct value *item = value_map(a), *metadata = value_map(a);
    struct text padded, encoded;

    text_init(&padded, TEXT_CEILING);
    text_init(&encoded, TEXT_CEILING);
    text_add_n(&padded, bytes, len);
    while (page && padded.len % PAGE_BLOB)
        text_add_n(&padded, "", 1);
    crypt_base64_encode(&encoded, padded.s, padded.len, BASE64_STANDARD);
    value_set_string(a, item, "account", account);
    value_set_string(a, item, "container", container);
    value_set_string(a, item, "name", name);
    value_set_string(a, item, "type", page ? "PageBlob" : "BlockBlob");
    if (page)
        value_set(a, metadata, "configblobsize", value_format(a, "%zu", len));
    value_set(a, item, "metadata", metadata);
    value_set_string(a, item, "created", time_format(a, s->now_ms));
    value_set_string(a, item, "content", text_str(&encoded));
    state_push(s, "blobs", item);
    text_release(&padded);
    text_release(&encoded);
    arena_free(a);
}

void blob_forget(struct sim *s, const char *place)
{
    struct value *all = state_list(s, "blobs");

    for (size_t i = value_count(all); i-- > 0;) {
        const struct value *v = value_item(all, i);

        if (str_eq(arena_printf(s->arena, "%s/%s/%s", value_str_at(v, "account"), value_str_at(v, "container"),
                                value_str_at(v, "name")),
                   place)) {
            list_remove(all, i);
            state_changed(s);
        }
    }
}

/* A container is there when a blob is in it, or when the world lists it (an empty one has no other trace). */
static bool container_exists(const struct blob_exchange *x)
{
    const struct value *all = state_list(x->s, "containers");
    size_t at = 0;

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "account"), x->name) &&
            str_eq(value_str_at(value_item(all, i), "name"), x->container))
            return true;
    return blob_next(x, &at) != NULL;
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static const char *etag_of(const struct blob_exchange *x, const struct value *blob)
{
    const char *modified = value_str_at(blob, "modified"), *content = value_str_at(blob, "content");
    char *name =
        arena_printf(x->a, "%s/%s/%s/%s/%s", x->container, value_str_at(blob, "name"), value_str_at(blob, "created"),
                     modified ? modified : "", modified && content ? content : "");
    char hex[SHA256_HEX];

    crypt_sha256_hex(name, strlen(name), hex);
    return arena_printf(x->a, "0x8D%.12s", hex);
}

/* "bytes=0-99" or "bytes=100-". False: no such range in `len` bytes. */
static bool range_of(const char *text, size_t len, size_t *ret_from, size_t *ret_to)
{
    char *end;
    unsigned long long from, to;

    if (!str_starts_nocase(text, "bytes=") || text[6] < '0' || text[6] > '9')
        return false;
    from = strtoull(text + 6, &end, 10);
    if (*end++ != '-' || from >= len)
        return false;
    to = *end ? strtoull(end, &end, 10) : len - 1;
    if (*end || to < from)
        return false;
    *ret_from = (size_t)from;
    *ret_to = to < len ? (size_t)to : len - 1;
    return true;
}

static const char *modified_of(const struct blob_exchange *x, const struct value *blob)
{
    const char *modified = value_str_at(blob, "modified");

    return time_format_http(x->a, time_parse(modified ? modified : value_str_at(blob, "created")));
}

static const char *content_type_of(const struct value *blob)
{
    return value_str_at(blob, "contentType") ?: "application/octet-stream";
}

static void add_properties(const struct blob_exchange *x, const struct value *blob)
{
    const struct value *metadata = value_get(blob, "metadata");
    const char *type = value_str_at(blob, "type"), *version = request_header(x->r, "x-ms-version");
    const char *created = time_format_http(x->a, time_parse(value_str_at(blob, "created")));

    answer_header(x->a, x->out, "Content-Type", "%s", content_type_of(blob));
    answer_header(x->a, x->out, "Accept-Ranges", "bytes");
    answer_header(x->a, x->out, "ETag", "\"%s\"", etag_of(x, blob));
    answer_header(x->a, x->out, "Last-Modified", "%s", modified_of(x, blob));
    answer_header(x->a, x->out, "x-ms-creation-time", "%s", created);
    answer_header(x->a, x->out, "x-ms-blob-type", "%s", type);
    if (str_eq(type, "PageBlob"))
        answer_header(x->a, x->out, "x-ms-blob-sequence-number", "0");
    answer_header(x->a, x->out, "x-ms-lease-status", value_str_at(blob, "lease") ? "locked" : "unlocked");
    answer_header(x->a, x->out, "x-ms-lease-state", value_str_at(blob, "lease") ? "leased" : "available");
    answer_header(x->a, x->out, "x-ms-server-encrypted", "true");
    answer_header(x->a, x->out, "x-ms-version", "%s", version);
    for (size_t i = 0; i < value_count(metadata); i++)
        answer_header(x->a, x->out, arena_printf(x->a, "x-ms-meta-%s", metadata->map.members[i].key), "%s",
                      value_str(metadata->map.members[i].value) ?: "");
}

static void answer_content(const struct blob_exchange *x, const struct value *blob, const struct secret *content)
{
    const char *range = request_header(x->r, "x-ms-range");
    size_t from = 0, to = content->len ? content->len - 1 : 0;

    if (!range)
        range = request_header(x->r, "Range");
    if (range && !range_of(range, content->len, &from, &to)) {
        blob_refuse(x, 416, "InvalidRange", "The range does not fit the blob's size.");
        answer_header(x->a, x->out, "Content-Range", "bytes */%zu", content->len);
        return;
    }
    x->out->status = range ? 206 : 200;
    text_clear(&x->out->body);
    add_properties(x, blob);
    if (range)
        answer_header(x->a, x->out, "Content-Range", "bytes %zu-%zu/%zu", from, to, content->len);
    text_add_n(&x->out->body, content->bytes + from, content->len ? to - from + 1 : 0);
}

static const struct value *find_blob(const struct blob_exchange *x)
{
    const struct value *blob = blob_named(x);

    if (!blob && container_exists(x))
        blob_refuse(x, 404, "BlobNotFound", "The specified blob does not exist.");
    else if (!blob)
        blob_refuse(x, 404, "ContainerNotFound", "The specified container does not exist.");
    return blob;
}

static void get_blob(const struct blob_exchange *x)
{
    const struct value *blob = find_blob(x);
    const char *encoded = value_str_at(blob, "content");
    struct secret content;
    struct err err;

    if (!blob)
        return;
    secret_init(&content);
    if (crypt_base64_decode(encoded ? encoded : "", encoded ? strlen(encoded) : 0, BASE64_STANDARD, &content, &err) <
        0) {
        blob_refuse(x, 500, "InternalError", "The world's blob is no base64.");
    } else if (request_is(x->r, "HEAD")) {
        x->out->status = 200;
        add_properties(x, blob);
        answer_header(x->a, x->out, "Content-Length", "%zu", content.len);
    } else {
        answer_content(x, blob, &content);
    }
    secret_release(&content);
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

static void add_member(struct text *t, const char *name, const char *content)
{
    if (!content)
        return;
    text_printf(t, "<%s>", name);
    blob_add_xml(t, content);
    text_printf(t, "</%s>", name);
}

/* Shown only when it is asked for. */
static void add_metadata(const struct blob_exchange *x, const struct value *metadata)
{
    if (!str_find_nocase(request_query(x->r, "include") ?: "", "metadata"))
        return;
    text_add(&x->out->body, value_count(metadata) ? "<Metadata>" : "<Metadata />");
    for (size_t i = 0; i < value_count(metadata); i++)
        add_member(&x->out->body, metadata->map.members[i].key, value_str(metadata->map.members[i].value) ?: "");
    if (value_count(metadata))
        text_add(&x->out->body, "</Metadata>");
}

static void add_listed(const struct blob_exchange *x, const struct value *blob)
{
    struct text *t = &x->out->body;
    const char *created = time_format_http(x->a, time_parse(value_str_at(blob, "created"))),
               *content = value_str_at(blob, "content");
    size_t encoded = content ? strlen(content) : 0, pad = 0;

    while (pad < 2 && pad < encoded && content[encoded - pad - 1] == '=')
        pad++;
    text_add(t, "<Blob><Name>");
    blob_add_xml(t, value_str_at(blob, "name"));
    text_printf(t,
                "</Name><Properties><Creation-Time>%s</Creation-Time><Last-Modified>%s</Last-Modified><Etag>%s</Etag>",
                created, modified_of(x, blob), etag_of(x, blob));
    text_printf(t, "<Content-Length>%zu</Content-Length><Content-Type>", encoded / 4 * 3 - pad);
    blob_add_xml(t, content_type_of(blob));
    text_add(t, "</Content-Type><Content-Encoding />");
    text_printf(t,
                "<Content-Language /><Content-CRC64 /><Content-MD5 /><Cache-Control /><Content-Disposition "
                "/><BlobType>%s</BlobType>",
                value_str_at(blob, "type"));
    if (str_eq(value_str_at(blob, "type"), "PageBlob"))
        text_add(t, "<x-ms-blob-sequence-number>0</x-ms-blob-sequence-number>");
    text_printf(
        t,
        "<LeaseStatus>%s</LeaseStatus><LeaseState>%s</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>",
        value_str_at(blob, "lease") ? "locked" : "unlocked", value_str_at(blob, "lease") ? "leased" : "available");
    add_metadata(x, value_get(blob, "metadata"));
    text_add(t, "<OrMetadata /></Blob>");
}

static int by_name(const void *a, const void *b)
{
    return strcmp(value_str_at(*(const struct value *const *)a, "name"),
                  value_str_at(*(const struct value *const *)b, "name"));
}

/* The container's blobs in the order of names, behind `last` (NULL: from the start). */
static const struct value **blobs_behind(const struct blob_exchange *x, const char *last, const char *prefix,
                                         size_t *ret_count)
{
    const struct value *v, **all = NULL;
    size_t at = 0, n = 0;

    while ((v = blob_next(x, &at)) != NULL) {
        const char *name = value_str_at(v, "name");

        if ((!prefix || str_starts(name, prefix)) && (!last || strcmp(name, last) > 0))
            arena_push(x->a, all, n, v);
    }
    if (n)
        qsort(all, n, sizeof(*all), by_name);
    *ret_count = n;
    return all;
}

/* A marker is the last name of the page before; clients hand it back as it is. */
static void list_blobs(const struct blob_exchange *x)
{
    struct text *t = &x->out->body;
    const char *prefix = request_query(x->r, "prefix"), *most = request_query(x->r, "maxresults"),
               *last = request_query(x->r, "marker");
    unsigned long left = most ? strtoul(most, NULL, 10) : LIST_MAX;
    const struct value **all;
    size_t count, at = 0;

    if (!container_exists(x)) {
        blob_refuse(x, 404, "ContainerNotFound", "The specified container does not exist.");
        return;
    }
    if (!left || (most && strspn(most, "0123456789") != strlen(most))) {
        blob_refuse(x, 400, "OutOfRangeQueryParameterValue", "maxresults must be at least 1.");
        return;
    }
    if (left > LIST_MAX)
        left = LIST_MAX;
    x->out->status = 200;
    text_clear(t);
    answer_header(x->a, x->out, "Content-Type", "application/xml");
    answer_header(x->a, x->out, "x-ms-version", "%s", request_header(x->r, "x-ms-version"));
    text_printf(t,
                "%s<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://%s/\" "
                "ContainerName=\"",
                BYTE_ORDER_MARK, x->r->host);
    blob_add_xml(t, x->container);
    text_add(t, "\">");
    add_member(t, "Prefix", prefix);
    add_member(t, "Marker", last);
    add_member(t, "MaxResults", most);
    text_add(t, "<Blobs>");
    all = blobs_behind(x, last, prefix, &count);
    while (left-- > 0 && at < count)
        add_listed(x, all[at++]);
    text_add(t, "</Blobs>");
    if (at && at < count)
        add_member(t, "NextMarker", value_str_at(all[at - 1], "name"));
    else
        text_add(t, "<NextMarker />");
    text_add(t, "</EnumerationResults>");
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static bool etag_matches(const struct blob_exchange *x, const struct value *blob, const char *wanted)
{
    return str_eq(wanted, "*") || str_eq(wanted, arena_printf(x->a, "\"%s\"", etag_of(x, blob)));
}

/* Conditions and leases, in the service's order. False: refused. */
static bool may_replace(const struct blob_exchange *x, const struct value *blob)
{
    const char *none = request_header(x->r, "If-None-Match"), *match = request_header(x->r, "If-Match");
    const char *lease = request_header(x->r, "x-ms-lease-id"), *held = value_str_at(blob, "lease");

    if (blob && str_eq(none, "*"))
        blob_refuse(x, 409, "BlobAlreadyExists", "The specified blob already exists.");
    else if ((match && (!blob || !etag_matches(x, blob, match))) || (blob && none && etag_matches(x, blob, none)))
        blob_refuse(x, 412, "ConditionNotMet", "The condition specified using HTTP conditional header(s) is not met.");
    else if (held && !lease)
        blob_refuse(x, 412, "LeaseIdMissing",
               "There is currently a lease on the blob and no lease ID was specified in the request.");
    else if (held && !str_eq_nocase(held, lease))
        blob_refuse(x, 412, "LeaseIdMismatchWithBlobOperation",
               "The lease ID specified did not match the lease ID for the blob.");
    else if (!held && lease)
        blob_refuse(x, 412, "LeaseNotPresentWithBlobOperation", "There is currently no lease on the blob.");
    else
        return true;
    return false;
}

static bool put_well_formed(const struct blob_exchange *x)
{
    const char *type = request_header(x->r, "x-ms-blob-type");

    if (!request_header(x->r, "Content-Length") && !x->r->body_len)
        blob_refuse(x, 411, "MissingContentLengthHeader", "The Content-Length header was not specified.");
    else if (!type)
        blob_refuse(x, 400, "MissingRequiredHeader",
               "An HTTP header that's mandatory for this request is not specified: x-ms-blob-type.");
    else if (!str_eq(type, "BlockBlob"))
        blob_refuse(x, 400, "InvalidHeaderValue",
               "The value for one of the HTTP headers is not in the correct format: x-ms-blob-type.");
    else if (!container_exists(x))
        blob_refuse(x, 404, "ContainerNotFound", "The specified container does not exist.");
    else
        return true;
    return false;
}

static struct value *metadata_sent(const struct blob_exchange *x, struct arena *a)
{
    struct value *metadata = value_map(a);
    size_t prefix = strlen("x-ms-meta-");

    for (size_t i = 0; i < x->r->n_headers; i++)
        if (str_starts_nocase(x->r->headers[i].name, "x-ms-meta-"))
            value_set_string(a, metadata, str_lower(a, x->r->headers[i].name + prefix), x->r->headers[i].value);
    return metadata;
}

static void put_blob(const struct blob_exchange *x)
{
    struct value *blob = blob_named(x);
    const char *now = time_format(x->a, x->s->now_ms), *type = request_header(x->r, "Content-Type");
    struct text encoded cleanup(text_release) = {.ceiling = TEXT_CEILING};

    if (!put_well_formed(x) || !may_replace(x, blob))
        return;
    if (!blob) {
        struct value *fresh = value_map(x->a);

        value_set_string(x->a, fresh, "account", x->name);
        value_set_string(x->a, fresh, "container", x->container);
        value_set_string(x->a, fresh, "name", x->blob);
        value_set_string(x->a, fresh, "created", now);
        blob = state_push(x->s, "blobs", fresh);
    }
    crypt_base64_encode(&encoded, x->r->body ? x->r->body : "", x->r->body_len, BASE64_STANDARD);
    value_set_string(x->s->arena, blob, "type", "BlockBlob");
    value_set_string(x->s->arena, blob, "contentType", type ? type : "application/octet-stream");
    value_set_string(x->s->arena, blob, "modified", now);
    value_set_string(x->s->arena, blob, "content", text_str(&encoded));
    value_set(x->s->arena, blob, "metadata", metadata_sent(x, x->s->arena));
    state_noted(x->s);
    answer_empty(x->out, 201);
    answer_header(x->a, x->out, "ETag", "\"%s\"", etag_of(x, blob));
    answer_header(x->a, x->out, "Last-Modified", "%s", modified_of(x, blob));
    answer_header(x->a, x->out, "x-ms-request-server-encrypted", "true");
    answer_header(x->a, x->out, "x-ms-version", "%s", request_header(x->r, "x-ms-version"));
}

/* --- containers --------------------------------------------------------------------------------------------------- */

/* 3 to 63 lower-case letters, digits and single hyphens, with no hyphen at either end. */
static bool container_named_well(const char *name)
{
    size_t n = strlen(name);

    return n >= 3 && n <= 63 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == n && name[0] != '-' &&
           name[n - 1] != '-' && !strstr(name, "--");
}

static void make_container(const struct blob_exchange *x)
{
    struct value *fresh;

    if (!container_named_well(x->container)) {
        blob_refuse(x, 400, "InvalidResourceName", "The specified resource name contains invalid characters.");
        return;
    }
    if (container_exists(x)) {
        blob_refuse(x, 409, "ContainerAlreadyExists", "The specified container already exists.");
        return;
    }
    fresh = value_map(x->a);
    value_set_string(x->a, fresh, "account", x->name);
    value_set_string(x->a, fresh, "name", x->container);
    state_push(x->s, "containers", fresh);
    state_changed(x->s);
    answer_empty(x->out, 201);
    answer_header(x->a, x->out, "ETag", "\"0x8D%012llX\"", (unsigned long long)x->s->now_ms);
    answer_header(x->a, x->out, "Last-Modified", "%s", time_format_http(x->a, x->s->now_ms));
    answer_header(x->a, x->out, "x-ms-version", "%s", request_header(x->r, "x-ms-version"));
}

void blob_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    struct blob_exchange x = {.s = s, .r = r, .out = out, .a = r->arena, .container = request_segment(r, 0)};
    char *blob = request_path(r, SEGMENTS_MAX);

    x.account = blob_account_at(s, r->host);
    x.name = arena_strdup(r->arena, value_str_at(x.account, "name"));
    /* The name of an account that is not there does not resolve. */
    if (!x.account) {
        out->fault = SIM_RESET;
        return;
    }
    /* A blob's name may hold slashes: it is all behind the container. */
    x.blob = r->n_segments > 1 ? blob + strlen(x.container) + 2 : "";
    if (!blob_admitted(&x))
        return;
    if (request_is(r, "PUT") && r->n_segments > 1 && !request_query(r, "comp"))
        put_blob(&x);
    else if (request_is(r, "PUT") && r->n_segments == 1 && str_eq_nocase(request_query(r, "restype"), "container") &&
             !request_query(r, "comp"))
        make_container(&x);
    else if (!request_is(r, "GET") && !request_is(r, "HEAD"))
        blob_refuse(&x, 405, "UnsupportedHttpVerb", "The resource does not support this verb.");
    else if (r->n_segments > 1)
        get_blob(&x);
    else if (r->n_segments == 1 && str_eq_nocase(request_query(r, "comp"), "list") && request_is(r, "GET"))
        list_blobs(&x);
    else
        blob_refuse(&x, 400, "InvalidQueryParameterValue", "Nothing is served at this address.");
}
