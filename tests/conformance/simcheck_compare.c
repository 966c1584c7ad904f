/* Knows how two answers are compared: status, the headers that matter, the members of a body with their types. Must not
 * know what an operation means nor which differences are accepted. */
#include "simcheck.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/format/json.h"

/* --- notes -------------------------------------------------------------------------------------------------------- */

static void note(struct arena *a, struct value *found, const char *difference, const char *member)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "difference", difference);
    value_set_string(a, v, "member", member);
    value_push(a, found, v);
}

/* --- bodies ------------------------------------------------------------------------------------------------------- */

static const char *type_of(const struct value *v)
{
    return value_is(v, VALUE_REAL) ? "number" : value_is(v, VALUE_INT) ? "number" : value_type_name(v->type);
}

/* Adds "path" → "type|type" for a value and all below it. Items of a list share the path "list[]". */
static void collect(struct arena *a, struct value *shape, const char *path, const struct value *v)
{
    const char *types = value_str(value_get(shape, path)), *type = type_of(v);

    if (!types)
        value_set_string(a, shape, path, type);
    else if (!strstr(types, type))
        value_set_string(a, shape, path, arena_printf(a, "%s|%s", types, type));
    for (size_t i = 0; i < value_count(v); i++)
        if (v->type == VALUE_LIST)
            collect(a, shape, arena_printf(a, "%s[]", path), v->list.items[i]);
        else
            collect(a, shape, arena_printf(a, "%s%s%s", path, *path ? "." : "", v->map.members[i].key),
                    v->map.members[i].value);
}

static bool types_meet(const char *p, const char *q)
{
    while (*p) {
        size_t n = strcspn(p, "|");

        for (const char *at = q; *at;) {
            size_t m = strcspn(at, "|");

            if (m == n && strncmp(at, p, n) == 0)
                return true;
            at += m + (at[m] == '|');
        }
        p += n + (p[n] == '|');
    }
    return false;
}

/* Is a member above this one missing too? Then one note is enough. */
static bool parent_missing(struct arena *a, const struct value *shape, const char *path)
{
    for (size_t n = strlen(path); n-- > 0;)
        if ((path[n] == '.' || path[n] == '[') && !value_get(shape, arena_strndup(a, path, n)))
            return true;
    return false;
}

static void compare_shapes(struct arena *a, struct value *found, const struct value *theirs, const struct value *ours)
{
    for (size_t i = 0; i < value_count(theirs); i++) {
        const struct member *m = &theirs->map.members[i];
        const char *types = value_str(value_get(ours, m->key));

        if (!types && !parent_missing(a, ours, m->key))
            note(a, found, "missing", m->key);
        else if (types && !types_meet(types, value_str(m->value)))
            note(a, found, arena_printf(a, "type: recorded %s, simulated %s", value_str(m->value), types), m->key);
    }
    for (size_t i = 0; i < value_count(ours); i++)
        if (!value_get(theirs, ours->map.members[i].key) && !parent_missing(a, theirs, ours->map.members[i].key))
            note(a, found, "extra", ours->map.members[i].key);
}

/* The elements of an XML text, by name. */
static struct value *elements(struct arena *a, const char *text)
{
    struct value *shape = value_map(a);

    value_set_string(a, shape, "", "xml");
    for (const char *at = strchr(text, '<'); at; at = strchr(at + 1, '<'))
        if (isalpha((unsigned char)at[1]))
            value_set_string(a, shape, arena_printf(a, "<%.*s>", (int)strcspn(at + 1, " />"), at + 1), "element");
    return shape;
}

static bool is_xml(const char *text)
{
    return text && strstr(text, "<?xml");
}

/* What a body is made of; an empty one is an empty map. */
static struct value *shape_of(struct arena *a, const struct value *v, const char *text)
{
    struct value *shape = value_map(a);

    if (is_xml(text))
        return elements(a, text);
    if (value_is(v, VALUE_MAP) || value_is(v, VALUE_LIST))
        collect(a, shape, "", v);
    else if (text && *text)
        value_set_string(a, shape, "", "text");
    return shape;
}

static void compare_bodies(const struct situation *t, const struct answer *ours, struct value *found)
{
    struct value *json = NULL, *theirs = shape_of(t->a, t->body, value_str(t->body)), *mine;
    const char *code, *wanted = value_str_at(t->body, "error.code");
    struct err ignored;

    /* The bytes of a blob are no text to be judged. */
    if (str_eq(value_str_at(t->x, "method"), "GET") && str_ends_nocase(t->host, ".blob.core.windows.net") &&
        !is_xml(value_str(t->body)))
        return;
    if (ours->len && json_parse(t->a, ours->text, ours->len, &json, &ignored) < 0)
        json = NULL;
    mine = shape_of(t->a, json, ours->text);
    compare_shapes(t->a, found, theirs, mine);
    code = value_str_at(json, "error.code");
    if (wanted && code && !str_eq(wanted, code))
        note(t->a, found, arena_printf(t->a, "value: recorded %s, simulated %s", wanted, code), "error.code");
}

/* --- headers ------------------------------------------------------------------------------------------------------ */

static const char *recorded_header(const struct situation *t, const char *name)
{
    return value_str(value_get_nocase(value_get(t->x, "response_headers"), name));
}

/* A word that names one thing rather than a kind: a GUID, a signed identifier. */
static bool is_name(const char *s, size_t n)
{
    size_t digits = 0;

    for (size_t i = 0; i < n; i++)
        digits += isdigit((unsigned char)s[i]) != 0;
    return n >= 30 || (n >= 8 && digits >= 4);
}

/* An address without what differs from time to time: names become '*'; of the query remain api-version and monitor. */
static char *address_shape(struct arena *a, const char *url)
{
    struct text t;
    char *ret;
    size_t end = strcspn(url, "?");

    text_init(&t, 64 * 1024);
    for (size_t at = 0; at < end;) {
        size_t n = strcspn(url + at, "/?");

        text_add_char(&t, '/');
        if (is_name(url + at, n))
            text_add_char(&t, '*');
        else
            for (size_t i = 0; i < n; i++)
                text_add_char(&t, (char)tolower((unsigned char)url[at + i]));
        at += n + (url[at + n] == '/');
    }
    if (strstr(url + end, "api-version="))
        text_add(&t, "?api-version");
    if (strstr(url + end, "monitor=true"))
        text_add(&t, "&monitor");
    ret = arena_strdup(a, text_str(&t));
    text_release(&t);
    return ret;
}

/* 'Bearer authorization="https://…/TENANT", resource="https://…"': the tenant is the test's own. */
static char *challenge_shape(struct arena *a, const char *challenge)
{
    const char *resource = strstr(challenge, "resource="), *close = strchr(challenge, ',');
    size_t scheme = strcspn(challenge, "=");

    return arena_printf(a, "%.*s=… %s", (int)scheme, challenge, close && resource ? resource : "");
}

static void compare_header(const struct situation *t, const struct answer *ours, const char *name, struct value *found)
{
    const char *theirs = recorded_header(t, name), *mine = answer_header_of(ours, name),
               *member = arena_printf(t->a, "header %s", name);
    bool address = str_eq(name, "azure-asyncoperation") || str_eq(name, "location");
    bool exact = str_eq(name, "x-ms-error-code") || str_eq(name, "retry-after") || str_eq(name, "content-range") ||
                 str_eq(name, "x-ms-blob-type") || str_eq(name, "x-ms-failure-cause");

    if (!theirs && !mine)
        return;
    if (!theirs || !mine) {
        note(t->a, found, theirs ? "missing" : "extra", member);
        return;
    }
    if (address) {
        theirs = address_shape(t->a, theirs);
        mine = address_shape(t->a, mine);
    } else if (str_eq(name, "www-authenticate")) {
        theirs = challenge_shape(t->a, theirs);
        mine = challenge_shape(t->a, mine);
    } else if (str_eq(name, "content-type")) {
        theirs = arena_strndup(t->a, theirs, strcspn(theirs, ";"));
        mine = arena_strndup(t->a, mine, strcspn(mine, ";"));
    } else if (!exact) {
        return;
    }
    if (!str_eq(theirs, mine))
        note(t->a, found, arena_printf(t->a, "value: recorded %s, simulated %s", theirs, mine), member);
}

static void compare_headers(const struct situation *t, const struct answer *ours, struct value *found)
{
    static const char *const always[] = {"azure-asyncoperation", "location",           "www-authenticate",
                                         "x-ms-error-code",      "x-ms-failure-cause", "azure-asyncnotification"};
    static const char *const of_blobs[] = {"etag",
                                           "content-range",
                                           "x-ms-blob-type",
                                           "x-ms-creation-time",
                                           "x-ms-lease-state",
                                           "x-ms-lease-status",
                                           "x-ms-server-encrypted",
                                           "x-ms-version",
                                           "x-ms-blob-sequence-number",
                                           "x-ms-meta-configblobsize"};
    bool blob = str_ends_nocase(t->host, ".blob.core.windows.net");

    for (size_t i = 0; i < COUNT(always); i++)
        compare_header(t, ours, always[i], found);
    for (size_t i = 0; blob && i < COUNT(of_blobs); i++)
        compare_header(t, ours, of_blobs[i], found);
    /* The recorder of the CLI drops this header; that of PowerShell keeps it. */
    if (str_starts(t->file, "powershell_"))
        compare_header(t, ours, "retry-after", found);
    if (ours->len)
        compare_header(t, ours, "content-type", found);
}

struct value *compare_answers(const struct situation *t, const struct answer *ours)
{
    struct value *found = value_list(t->a);

    if (ours->dropped) {
        note(t->a, found, "the simulator dropped the connection", "status");
        return found;
    }
    if (ours->status != t->status)
        note(t->a, found, arena_printf(t->a, "value: recorded %d, simulated %d", t->status, ours->status), "status");
    else
        compare_headers(t, ours, found);
    compare_bodies(t, ours, found);
    return found;
}
