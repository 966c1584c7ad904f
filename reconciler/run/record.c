/* Knows how an exchange is written as a line of JSON, and how secrets are kept out of it by rules handed in. Must not
 * know which services have which secrets; what every HTTP exchange may carry (credentials, signatures)
 * it knows itself. */
#include "record.h"

#include "../base/file.h"
#include "../format/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

struct recorder {
    int fd;
    char *path;
    const struct record_rule *rules;
    size_t n_rules;
    int failed;             /* errno of the line that could not be written */
};

/* One body with all that decides how it is shown. */
struct body {
    const struct recorder *recorder;
    const char *method, *path;
    bool in_request;
    struct value *headers;
    const char *type;       /* of the content, "" when not told */
    bool secret;            /* all of it */
    const char *bytes;
    size_t len;
};

static const char *const secret_headers[] = {
    "x-identity-header",
    "authorization", "proxy-authorization",          "cookie",
    "set-cookie",    "x-ms-authorization-auxiliary", "x-ms-encryption-key",
};
static const char *const secret_fields[] = {"client_secret", "client_assertion", "assertion",
                                            "refresh_token", "password",         "code"};
/* Of an answer in JSON, whichever service issued the token. */
static const char *const token_fields[] = {"access_token", "refresh_token", "id_token"};
static const char field_placeholder[] = "not-recorded";
static const char token_placeholder[] = "recorded.without-the.token";
static const char body_placeholder[] = "a secret, not recorded";

/* --- matching ----------------------------------------------------------------------------------------------------- */

static bool rule_applies(struct arena *a, const struct record_rule *rule, const struct body *b)
{
    if (rule->in_request != b->in_request || (rule->method && !str_eq(rule->method, b->method)))
        return false;
    if (rule->header && !value_get(b->headers, rule->header))
        return false;
    if (rule->unless_text && (str_find_nocase(b->type, "json") || str_find_nocase(b->type, "yaml")))
        return false;
    return str_matches_nocase(arena_printf(a, "*%s", rule->path_suffix), b->path);
}

static char *path_of(struct arena *a, const char *url)
{
    const char *host = strstr(url, "://"), *path = strchr(host ? host + 3 : url, '/');

    return path ? arena_strndup(a, path, strcspn(path, "?#")) : arena_strdup(a, "");
}

/* --- taking secrets out ------------------------------------------------------------------------------------------- */

static void replace(struct arena *a, struct value **at, const char *placeholder)
{
    if (value_is(*at, VALUE_STRING))
        secret_wipe((char *)(*at)->str.s, (*at)->str.len);
    *at = value_string(a, placeholder);
}

/* As deep as the rule's path is long. */
static void redact_tree(struct arena *a, struct value *v, const char *member, const char *placeholder)
{
    size_t len = strcspn(member, "."), n = value_count(v);
    const char *rest = member[len] ? member + len + 1 : NULL;

    for (size_t i = 0; i < n; i++) {
        bool any = len == 1 && member[0] == '*';
        struct value **child = value_is(v, VALUE_LIST) ? &v->list.items[i] : &v->map.members[i].value;

        if (!any && (value_is(v, VALUE_LIST) || strncasecmp(v->map.members[i].key, member, len) != 0 ||
                     v->map.members[i].key[len]))
            continue;
        if (rest)
            redact_tree(a, *child, rest, placeholder);
        else
            replace(a, child, placeholder);
    }
}

static bool is_secret_field(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(secret_fields); i++)
        if (strlen(secret_fields[i]) == len && strncasecmp(secret_fields[i], name, len) == 0)
            return true;
    return false;
}

static struct value *form_value(struct arena *a, const struct body *b)
{
    struct text t cleanup(text_release);

    text_init(&t, TEXT_CEILING);
    for (const char *p = b->bytes, *end = b->bytes + b->len; p < end;) {
        const char *amp = memchr(p, '&', (size_t)(end - p)), *stop = amp ? amp : end,
                   *equals = memchr(p, '=', (size_t)(stop - p));

        if (equals && is_secret_field(p, (size_t)(equals - p))) {
            text_add_n(&t, p, (size_t)(equals + 1 - p));
            text_add(&t, field_placeholder);
        } else {
            text_add_n(&t, p, (size_t)(stop - p));
        }
        if (amp)
            text_add_char(&t, '&');
        p = amp ? amp + 1 : end;
    }
    return value_string_n(a, text_str(&t), t.len);
}

/* Where the signature of a shared access URL ends that begins at `s`. */
static const char *signature_end(const char *s, const char *end)
{
    while (s < end && *s && !strchr("& \t\r\n\"'<>", *s))
        s++;
    return s;
}

/* The text without the signature of a shared access URL, wherever a URL may stand in it. */
static struct value *without_signature(struct arena *a, const char *s, size_t n)
{
    const char *end = s + n;
    struct text t cleanup(text_release);

    text_init(&t, TEXT_CEILING);
    while (s < end) {
        /* In XML the ampersand is written as &amp;. */
        if ((*s == '?' || *s == '&' || *s == ';') && end - s > 5 && strncasecmp(s + 1, "sig=", 4) == 0) {
            text_add_n(&t, s, 5);
            text_add(&t, field_placeholder);
            s = signature_end(s + 5, end);
        } else {
            text_add_char(&t, *s++);
        }
    }
    return value_string_n(a, text_str(&t), t.len);
}

/* The same of every text of a body. */
static struct value *tree_without_signatures(struct arena *a, const struct value *v)
{
    struct value *ret;

    if (value_is(v, VALUE_STRING))
        return without_signature(a, v->str.s, v->str.len);
    if (value_is(v, VALUE_LIST)) {
        ret = value_list(a);
        for (size_t i = 0; i < value_count(v); i++)
            value_push(a, ret, tree_without_signatures(a, value_item(v, i)));
        return ret;
    }
    if (!value_is(v, VALUE_MAP))
        return value_copy(a, v);
    ret = value_map(a);
    for (size_t i = 0; i < v->map.count; i++)
        value_add(a, ret, v->map.members[i].key, tree_without_signatures(a, v->map.members[i].value));
    return ret;
}

/* --- bodies and headers ------------------------------------------------------------------------------------------- */

static struct value *body_value(struct arena *a, const struct body *b)
{
    const struct record_rule *matching = NULL;
    struct value *tree = NULL;
    struct err ignored;
    bool parsed;

    if (!b->bytes || !b->len)
        return value_null(a);
    if (b->secret)
        return value_string(a, body_placeholder);
    for (size_t i = 0; i < b->recorder->n_rules; i++) {
        const struct record_rule *rule = &b->recorder->rules[i];

        if (!rule_applies(a, rule, b))
            continue;
        if (!*rule->member)
            return value_string(a, rule->placeholder);
        matching = rule;
    }
    if (str_find_nocase(b->type, "x-www-form-urlencoded"))
        return form_value(a, b);
    parsed = (matching || str_find_nocase(b->type, "json")) && json_parse(a, b->bytes, b->len, &tree, &ignored) == 0;
    /* What should hold a secret and cannot be read may hold it anywhere. */
    if (!parsed)
        return matching ? value_string(a, matching->placeholder) : without_signature(a, b->bytes, b->len);
    for (size_t i = 0; i < COUNT(token_fields); i++)
        redact_tree(a, tree, token_fields[i], token_placeholder);
    for (size_t i = 0; i < b->recorder->n_rules; i++)
        if (rule_applies(a, &b->recorder->rules[i], b))
            redact_tree(a, tree, b->recorder->rules[i].member, b->recorder->rules[i].placeholder);
    return tree_without_signatures(a, tree);
}

static bool is_secret_header(const char *name)
{
    for (size_t i = 0; i < COUNT(secret_headers); i++)
        if (str_eq_nocase(secret_headers[i], name))
            return true;
    return false;
}

static struct value *headers_value(struct arena *a, const struct wire_header *headers, size_t n, const char **ret_type)
{
    struct value *map = value_map(a);

    *ret_type = "";
    for (size_t i = 0; i < n; i++) {
        const char *name = str_lower(a, headers[i].name), *before = value_str(value_get(map, name));
        const char *value = value_str(without_signature(a, headers[i].value, strlen(headers[i].value)));

        if (is_secret_header(name))
            continue;
        if (str_eq(name, "content-type"))
            *ret_type = value;
        value_set_string(a, map, name, before ? arena_printf(a, "%s, %s", before, value) : value);
    }
    return map;
}

/* --- the file ----------------------------------------------------------------------------------------------------- */

int recorder_open(const char *path, const struct record_rule *rules, size_t n_rules, struct recorder **ret,
                  struct err *err)
{
    struct recorder *r;
    int fd;

    if (file_open_append(path, &fd, err) < 0)
        return err_note(err, "the record");
    r = xcalloc(1, sizeof(*r));
    *r = (struct recorder){.fd = fd, .path = xstrdup(path), .rules = rules, .n_rules = n_rules};
    *ret = r;
    return 0;
}

struct recorder *recorder_beside(int fd, const struct record_rule *rules, size_t n_rules)
{
    struct recorder *r = xcalloc(1, sizeof(*r));

    *r = (struct recorder){
        .fd = fcntl(fd, F_DUPFD_CLOEXEC, 0), .path = xstrdup("the stream"), .rules = rules, .n_rules = n_rules};
    return r;
}

static void write_line(struct recorder *r, const struct text *t)
{
    if (!r->failed && file_write_all(r->fd, text_str(t), t->len) < 0)
        r->failed = errno;
}

void recorder_add(struct recorder *r, const struct wire_request *request, const struct wire_reply *reply)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release);
    struct body asked = {
        .recorder = r, .method = request->method, .in_request = true, .bytes = request->body, .len = request->body_len};
    struct body answered = {.recorder = r,
                            .method = request->method,
                            .bytes = reply->body.bytes,
                            .len = reply->body.len,
                            .secret = request->secret_answer};
    struct value *line = value_map(a);

    text_init(&t, TEXT_CEILING);
    asked.path = answered.path = path_of(a, request->url);
    value_set_string(a, line, "method", request->method);
    value_set(a, line, "uri", without_signature(a, request->url, strlen(request->url)));
    asked.headers = headers_value(a, request->headers, request->n_headers, &asked.type);
    answered.headers = headers_value(a, reply->headers, reply->n_headers, &answered.type);
    value_set(a, line, "request_headers", asked.headers);
    value_set(a, line, "request_body", body_value(a, &asked));
    value_set_int(a, line, "status", reply->fault == WIRE_OK ? reply->status : 0);
    value_set(a, line, "response_headers", answered.headers);
    value_set(a, line, "response_body", body_value(a, &answered));
    if (reply->fault != WIRE_OK)
        value_set_string(a, line, "note", reply->text);
    json_write(&t, line, JSON_COMPACT);
    text_add_char(&t, '\n');
    if (t.overflowed)
        r->failed = r->failed ? r->failed : EFBIG;
    write_line(r, &t);
}

/* A disk that fills up may say so only now. */
int recorder_error(struct recorder *r, struct err *err)
{
    if (!r->failed && fsync(r->fd) < 0)
        r->failed = errno;
    if (!r->failed)
        return 0;
    return err_set(err, ERR_BLOCKED, "%s: the record is not complete: %s", r->path, strerror(r->failed));
}

void recorder_close(struct recorder *r)
{
    if (!r)
        return;
    close(r->fd);
    free(r->path);
    free(r);
}
