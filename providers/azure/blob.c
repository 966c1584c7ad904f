/* Knows where blobs are, how a request is signed with an account key, and what an exported key looks like. Must not
 * keep anything outside wiped memory: the blob is key material. How one is read is blob_read.c's. */
#include "blob.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "internal.h"
#include "bulk.h"
#include "shared.h"
#include "vault.h"

enum { SIGNED_MAX = 64, LIST_KEYS_MAX = 64 * 1024 };

/* --- SharedKey ---------------------------------------------------------------------------------------------------- */

static const char *header_of(const struct wire_header *headers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(headers[i].name, name))
            return headers[i].value;
    return "";
}

static int by_name(const void *x, const void *y)
{
    const struct wire_header *const *a = x, *const *b = y;

    return strcasecmp((*a)->name, (*b)->name);
}

static void add_lower(struct text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        text_add_char(t, (char)tolower((unsigned char)s[i]));
}

/* x-ms-…, lower-cased, sorted, one a line. */
static void add_ms_headers(struct text *t, const struct wire_header *headers, size_t n)
{
    const struct wire_header *sorted[SIGNED_MAX];
    size_t count = 0;

    for (size_t i = 0; i < n && count < SIGNED_MAX; i++)
        if (str_starts_nocase(headers[i].name, "x-ms-"))
            sorted[count++] = &headers[i];
    qsort(sorted, count, sizeof(sorted[0]), by_name);
    for (size_t i = 0; i < count; i++) {
        const char *value = sorted[i]->value + strspn(sorted[i]->value, " \t");

        add_lower(t, sorted[i]->name, strlen(sorted[i]->name));
        text_printf(t, ":%s\n", value);
    }
}

struct parameter {
    const char *name, *value;
    size_t name_len, value_len;
};

static int by_parameter(const void *x, const void *y)
{
    const struct parameter *a = x, *b = y;
    size_t n = a->name_len < b->name_len ? a->name_len : b->name_len;
    int order = strncasecmp(a->name, b->name, n);

    return order ? order : (a->name_len > b->name_len) - (a->name_len < b->name_len);
}

static int hex_digit(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

static void add_decoded(struct text *t, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && i + 2 < n && isxdigit((unsigned char)s[i + 1]) && isxdigit((unsigned char)s[i + 2])) {
            text_add_char(t, (char)(hex_digit(s[i + 1]) << 4 | hex_digit(s[i + 2])));
            i += 2;
        } else {
            text_add_char(t, s[i]);
        }
    }
}

/* "\nname:value" for each parameter, names lower-cased and sorted, values decoded. */
static void add_query(struct text *t, const char *query)
{
    struct parameter parameters[SIGNED_MAX];
    size_t count = 0;

    while (query && *query && count < SIGNED_MAX) {
        struct parameter *p = &parameters[count++];
        size_t n = strcspn(query, "&");
        const char *equals = memchr(query, '=', n);

        p->name = query;
        p->name_len = equals ? (size_t)(equals - query) : n;
        p->value = equals ? equals + 1 : query + n;
        p->value_len = (size_t)(query + n - p->value);
        query += n + (query[n] == '&');
    }
    qsort(parameters, count, sizeof(parameters[0]), by_parameter);
    for (size_t i = 0; i < count; i++) {
        text_add_char(t, '\n');
        add_lower(t, parameters[i].name, parameters[i].name_len);
        text_add_char(t, ':');
        add_decoded(t, parameters[i].value, parameters[i].value_len);
    }
}

void blob_sign(const char *method, const char *account, const char *path, const char *query,
               const struct wire_header *headers, size_t n_headers, const struct secret *account_key, struct text *ret)
{
    static const char *const standard[] = {
        "Content-Encoding", "Content-Language", "Content-Length", "Content-MD5", "Content-Type", "Date",
        "If-Modified-Since", "If-Match", "If-None-Match", "If-Unmodified-Since", "Range",
    };
    struct text to_sign cleanup(text_release) = {0};

    text_init(&to_sign, 64 * 1024);
    text_printf(&to_sign, "%s\n", method);
    for (size_t i = 0; i < COUNT(standard); i++) {
        const char *value = header_of(headers, n_headers, standard[i]);

        /* A length of nothing is written as nothing, and x-ms-date stands for Date. */
        if ((i == 2 && str_eq(value, "0")) || (i == 5 && *header_of(headers, n_headers, "x-ms-date")))
            value = "";
        text_printf(&to_sign, "%s\n", value);
    }
    add_ms_headers(&to_sign, headers, n_headers);
    text_printf(&to_sign, "/%s%s", account, path);
    add_query(&to_sign, query);
    text_printf(ret, "SharedKey %s:", account);
    crypt_hmac_sha256_base64(account_key->bytes, account_key->len, text_str(&to_sign), to_sign.len, ret);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

bool blob_of_cloud(const struct cloud *cloud, const char *url)
{
    static const char scheme[] = "https://";
    char behind[512];
    const char *zone;
    size_t digits;
    int n;

    if (url_under_suffix(url, cloud->blob_suffix))
        return true;
    /* ACCOUNT.zNN.blob.storage.azure.net: one label more, in front of which the account's name stands. */
    if (!cloud->blob_zone_suffix || !str_starts_nocase(url, scheme))
        return false;
    zone = strchr(url + strlen(scheme), '.');
    if (!zone || (zone[1] | 0x20) != 'z')
        return false;
    digits = strspn(zone + 2, "0123456789");
    n = snprintf(behind, sizeof(behind), "%s%s", scheme, zone + 1);
    return digits > 0 && digits <= 4 && n > 0 && (size_t)n < sizeof(behind) &&
           url_under_suffix(behind, cloud->blob_zone_suffix);
}

int blob_endpoint(struct azure *az, struct call *c, struct arena *a, const char *account_id, const char *name,
                  const char **ret, struct err *err)
{
    const struct value *account = NULL;
    const char *shown;

    if (account_id &&
        bulk_get(
            az, c, a,
            &(struct arm_wanted){.path = account_id, .api = API_STORAGE, .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
            &account, err) < 0 &&
        err->class == ERR_CANCELLED)
        return -(int)err->class;
    shown = value_str_at(account, "properties.primaryEndpoints.blob");
    *ret = shown && *shown ? arena_strndup(a, shown, strlen(shown) - (shown[strlen(shown) - 1] == '/'))
                           : arena_printf(a, "https://%s%s", name, azure_cloud(az)->blob_suffix);
    return 0;
}

int blob_url(const struct azure *az, struct arena *a, const struct blob_place *place, bool with_token, char **ret,
             struct err *err)
{
    struct text url cleanup(text_release) = {0};
    const char *suffix = azure_cloud(az)->blob_suffix;

    /* The names come from a job's answer. A token goes to this cloud's storage only; a signature gives nothing away. */
    if (with_token && !blob_of_cloud(azure_cloud(az), place->endpoint))
        return err_set(err, ERR_INVALID,
                       "%.200s is no storage account of this cloud (https://NAME%s), so no token is sent there",
                       place->endpoint, suffix);
    text_init(&url, 8192);
    text_printf(&url, "%s/", place->endpoint);
    url_add_path(&url, place->container);
    if (place->name) {
        text_add_char(&url, '/');
        url_add_path(&url, place->name);
    }
    if (url.overflowed || !*place->container || (place->name && !*place->name))
        return err_set(err, ERR_INVALID, "the blob's container or name is empty or too long");
    *ret = arena_strdup(a, text_str(&url));
    return 0;
}

/* What is signed beside the request's own headers: what the wire adds to a body. */
static struct wire_header *headers_to_sign(struct arena *a, const struct http_request *request, size_t *ret_n)
{
    struct wire_header *headers = arena_array(a, struct wire_header, request->n_headers + 2);
    size_t n = request->n_headers;

    for (size_t i = 0; i < n; i++)
        headers[i] = request->headers[i];
    if (request->body && request->content_type)
        headers[n++] = (struct wire_header){"Content-Type", request->content_type};
    if (request->body)
        headers[n++] = (struct wire_header){"Content-Length", arena_printf(a, "%zu", request->body_len)};
    *ret_n = n;
    return headers;
}

static int send_signed(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                       const struct secret *account_key, struct http_request *request, const char *what,
                       struct http_response *ret, struct err *err)
{
    struct secret key cleanup(secret_release) = {0}, authorization cleanup(secret_release) = {0};
    struct text signature cleanup(text_release) = {0};
    const char *path = strchr(request->url + strlen("https://"), '/'), *query = path ? strchr(path, '?') : NULL;
    const struct wire_header *headers;
    size_t n_headers;
    int rc;

    text_init(&signature, 4096);
    if (crypt_base64_decode(account_key->bytes, account_key->len, BASE64_STANDARD, &key, err) < 0)
        return err_note(err, "the key of storage account %s", place->account);
    headers = headers_to_sign(a, request, &n_headers);
    if (query)
        path = arena_strndup(a, path, (size_t)(query - path));
    blob_sign(http_method_name(request->method), place->account, path ? path : "/", query ? query + 1 : "", headers,
              n_headers, &key, &signature);
    secret_set(&authorization, text_str(&signature), signature.len);
    request->authorization = authorization.bytes;
    request->headers_signed = true;
    rc = http_send(azure_http(az), c, a, request, ret, err);
    request->authorization = NULL;
    return rc < 0 ? err_note(err, "%s", what) : 0;
}

int blob_send(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
              const struct secret *account_key, struct http_request *request, const char *what,
              struct http_response *ret, struct err *err)
{
    return account_key ? send_signed(az, c, a, place, account_key, request, what, ret, err)
                       : azure_send(az, c, a, AUDIENCE_STORAGE, request, what, ret, err);
}

int blob_account_key(struct azure *az, struct call *c, struct arena *a, const char *account_id, struct secret *ret,
                     struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = HTTP_POST, .max_body = LIST_KEYS_MAX, .guarded = true};
    const char *what = arena_printf(a, "list the keys of storage account %s", arm_id_name(account_id)), *start = NULL;
    struct text url cleanup(text_release) = {0};
    size_t len = 0;

    text_init(&url, 8192);
    text_add(&url, azure_cloud(az)->arm);
    url_add_path(&url, account_id);
    text_printf(&url, "/listKeys?api-version=%s", azure_version(az, API_STORAGE));
    if (account_id[0] != '/' || url.overflowed)
        return err_set(err, ERR_INVALID, "\"%.200s\" is no storage account's id", account_id);
    request.url = text_str(&url);
    TRY(azure_send(az, c, a, AUDIENCE_ARM, &request, what, &response, err));
    if (response.status >= 400)
        return azure_error_of(a, AUDIENCE_ARM, request.url, &response, what, err);
    if (json_cut(response.body.bytes ? response.body.bytes : "", response.body.len, "keys.0.value", &start, &len, err) <
        0) {
        err->class = ERR_PROTOCOL;
        return err_note(err, "%s", what);
    }
    secret_set(ret, start, len);
    return 0;
}

/* --- the exported key --------------------------------------------------------------------------------------------- */

/* JSON may write a slash as \/; json_cut lets no other escape pass. */
static void unescape(struct secret *to, const char *s, size_t len)
{
    secret_reserve(to, len + 1);
    while (len > 0) {
        const char *slash = memchr(s, '\\', len);
        size_t n = slash ? (size_t)(slash - s) : len;

        secret_append(to, s, n);
        n += slash != NULL;
        s += n;
        len -= n;
    }
}

static int decode_backup(const char *s, size_t len, struct secret *ret, struct err *err)
{
    struct secret plain cleanup(secret_release) = {0};
    enum base64_kind kind = memchr(s, '-', len) || memchr(s, '_', len) ? BASE64_URL : BASE64_STANDARD;

    unescape(&plain, s, len);
    if (crypt_base64_decode(plain.bytes, plain.len, kind, ret, err) < 0) {
        err->class = ERR_PROTOCOL;
        return err_note(err, "the exported key's KeyBackupData");
    }
    return 0;
}

/* Azure names a managed HSM; whatever else it names is a key vault. The bytes say it too, and
 * must not say otherwise. */
static int check_home(const struct secret *backup, const char *type, struct err *err)
{
    enum backup_home home = vault_backup_home(backup);
    bool hsm = str_eq_nocase(type, "Microsoft.KeyVault/managedHSMs");

    if (home == BACKUP_HOME_UNKNOWN) {
        err_set(err, ERR_PROTOCOL, "the exported key is no key backup that is known here (%zu bytes)", backup->len);
        return err_advise(err, "nothing was restored; a person looks at the export");
    }
    if (*type && hsm != (home == BACKUP_HOME_HSM)) {
        err_set(err, ERR_BLOCKED, "the exported key says it comes from %s, but its bytes are a backup of a %s", type,
                home == BACKUP_HOME_HSM ? "managed HSM" : "key vault");
        return err_advise(err, "nothing was restored; a person looks at the export");
    }
    return 0;
}

int blob_cut_export(const struct secret *json, struct secret *ret_backup, char *ret_type, size_t type_room,
                    struct err *err)
{
    struct secret backup cleanup(secret_release) = {0};
    const char *text = json->bytes ? json->bytes : "", *data, *type = "";
    size_t data_len, type_len = 0;
    char name[128] = "";

    if (json_cut(text, json->len, "OsDiskEncryptionDetails.KeyBackupData", &data, &data_len, err) < 0) {
        err->class = ERR_PROTOCOL;
        return err_note(err, "the exported key");
    }
    if (json_cut(text, json->len, "OsDiskEncryptionDetails.KeyVaultResourceType", &type, &type_len, err) < 0 &&
        err->class != ERR_NOT_FOUND)
        return err_note(err, "the exported key");
    for (size_t i = 0, n = 0; i < type_len && n < sizeof(name) - 1; i++)
        if (type[i] != '\\')
            name[n++] = type[i];
    TRY(decode_backup(data, data_len, &backup, err));
    TRY(check_home(&backup, name, err));
    if (type_room > 0) {
        size_t n = strnlen(name, type_room - 1);

        memcpy(ret_type, name, n);
        ret_type[n] = '\0';
    }
    secret_set(ret_backup, backup.bytes, backup.len);
    return 0;
}

static bool fits_export(const struct secret *json, const void *ctx)
{
    struct secret backup cleanup(secret_release) = {0};
    char type[128];
    struct err ignored;

    (void)ctx;
    return blob_cut_export(json, &backup, type, sizeof(type), &ignored) == 0;
}

static bool fits_backup(const struct secret *bytes, const void *ctx)
{
    (void)ctx;
    return vault_backup_home(bytes) != BACKUP_HOME_UNKNOWN;
}

const struct blob_judge blob_judge_export = {.fits = fits_export}, blob_judge_backup = {.fits = fits_backup};
