/* Knows which plain scalars are what in YAML's core schema, and so which strings need quotes when values become YAML.
 * Must not know libyaml, which only reads for us, nor what a document means. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "json.h"
#include "manifest.h"
#include "manifest_internal.h"

enum { SHOWN_MAX = 60 };

/* --- plain scalars ------------------------------------------------------------------------------------------------ */

static bool one_of(const char *s, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return true;
    return false;
}

static bool all_in(const char *s, const char *set)
{
    return *s && s[strspn(s, set)] == '\0';
}

static const char digits10[] = "0123456789";

static bool looks_integer(const char *s)
{
    if (s[0] == '0' && s[1] == 'x')
        return all_in(s + 2, "0123456789abcdefABCDEF");
    if (s[0] == '0' && s[1] == 'o')
        return all_in(s + 2, "01234567");
    return all_in(s + (*s == '-' || *s == '+'), digits10);
}

static bool looks_real(const char *s)
{
    size_t whole, fraction = 0;

    s += *s == '-' || *s == '+';
    whole = strspn(s, digits10);
    s += whole;
    if (*s == '.') {
        fraction = strspn(s + 1, digits10);
        s += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '-' || *s == '+';
        return all_in(s, digits10);
    }
    return *s == '\0';
}

static bool looks_endless(const char *s)
{
    static const char *const infinities[] = {".inf", ".Inf", ".INF", NULL}, *const nans[] = {".nan", ".NaN", ".NAN",
                                                                                             NULL};

    return one_of(s + (*s == '-' || *s == '+'), infinities) || one_of(s, nans);
}

enum value_type manifest_plain_type(const char *s, size_t len, int64_t *ret_int, double *ret_real)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const bools[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};

    if (strlen(s) != len)
        return VALUE_STRING;
    if (one_of(s, nulls))
        return VALUE_NULL;
    if (one_of(s, bools))
        return VALUE_BOOL;
    if (looks_integer(s)) {
        int base = s[0] == '0' && s[1] == 'x' ? 16 : s[0] == '0' && s[1] == 'o' ? 8 : 10;

        errno = 0;
        *ret_int = strtoll(base == 10 ? s : s + 2, NULL, base);
        return errno ? VALUE_UNKNOWN : VALUE_INT;
    }
    if (looks_real(s)) {
        *ret_real = strtod(s, NULL);
        return isfinite(*ret_real) ? VALUE_REAL : VALUE_UNKNOWN;
    }
    return looks_endless(s) ? VALUE_UNKNOWN : VALUE_STRING;
}

const char *manifest_shown(struct arena *a, const char *s)
{
    return strlen(s) > SHOWN_MAX ? arena_printf(a, "%.*s...", SHOWN_MAX, s) : s;
}

struct value *manifest_plain_value(struct arena *a, struct diags *diags, const char *s, size_t len,
                                  const struct origin *at)
{
    int64_t i = 0;
    double d = 0;

    switch (manifest_plain_type(s, len, &i, &d)) {
    case VALUE_NULL:
        return value_null(a);
    case VALUE_BOOL:
        return value_bool(a, s[0] == 't' || s[0] == 'T');
    case VALUE_INT:
        return value_int(a, i);
    case VALUE_REAL:
        return value_real(a, d);
    case VALUE_UNKNOWN:
        diags_add(diags, SEVERITY_ERROR, at,
                  arena_printf(a, "if it is a name or an id, write it in quotes: \"%s\"", manifest_shown(a, s)),
                  "%s is a number that cannot be held exactly", manifest_shown(a, s));
        break;
    default:
        break;
    }
    return value_string_n(a, s, len);
}

/* --- values to text ----------------------------------------------------------------------------------------------- */

/* libyaml reads a key on one line only up to 1,024 characters; longer ones need the form with a question mark. */
enum { SHORT_KEY_MAX = 128 };

static bool plain_fits(const char *s, size_t len)
{
    /* Booleans to readers of YAML 1.1, though not to ours. */
    static const char *const old_bools[] = {"y",  "Y",  "yes", "Yes", "YES", "on",  "On",  "ON",
                                            "n",  "N",  "no",  "No",  "NO",  "off", "Off", "OFF", NULL};
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:+()@^$~=; ";
    int64_t i;
    double d;

    if (len == 0 || s[len - 1] == ' ' || s[len - 1] == ':' || strspn(s, safe) != len || strchr("-.:+()@^$~=; ", s[0]) ||
        strstr(s, ": "))
        return false;
    return manifest_plain_type(s, len, &i, &d) == VALUE_STRING && !one_of(s, old_bools);
}

static void write_quoted(struct text *out, const char *s, size_t len)
{
    const unsigned char *p = (const unsigned char *)s, *end = p + len;

    text_add_char(out, '"');
    while (p < end) {
        size_t n = utf8_length((const char *)p, (size_t)(end - p));

        if (*p == '"' || *p == '\\')
            text_printf(out, "\\%c", *p);
        else if (*p == '\n')
            text_add(out, "\\n");
        else if (*p < 0x20 || *p == 0x7F)
            text_printf(out, "\\x%02x", *p);
        else if (n == 2 && *p == 0xC2 && p[1] < 0xA0)
            text_printf(out, "\\x%02x", p[1]);
        else if (n == 2 && str_treacherous((const char *)p))
            text_printf(out, "\\u%04x", (p[0] & 0x1FU) << 6 | (p[1] & 0x3FU));
        else if (n == 3 && (str_treacherous((const char *)p) || *p == 0xEF))
            text_printf(out, "\\u%04x", (p[0] & 0x0FU) << 12 | (p[1] & 0x3FU) << 6 | (p[2] & 0x3FU));
        else if (n == 4 && str_treacherous((const char *)p))
            text_printf(out, "\\U%08x",
                        (p[0] & 7U) << 18 | (p[1] & 0x3FU) << 12 | (p[2] & 0x3FU) << 6 | (p[3] & 0x3FU));
        else if (*p == '#' && p + 1 < end && p[1] == '#')
            text_add(out, "\\x23");
        else
            text_add_n(out, n ? (const char *)p : "\\ufffd", n ? n : 6);
        p += n ? n : 1;
    }
    text_add_char(out, '"');
}

static void write_string(struct text *out, const char *s, size_t len)
{
    if (plain_fits(s, len))
        text_add_n(out, s, len);
    else
        write_quoted(out, s, len);
}

static void write_indent(struct text *out, size_t depth)
{
    for (size_t i = 0; i < depth; i++)
        text_add(out, "  ");
}

static void write_node(struct text *out, const struct value *v, size_t depth);

static bool is_block(const struct value *v)
{
    return value_count(v) > 0;
}

static void write_member(struct text *out, const struct member *m, size_t depth)
{
    size_t n = strlen(m->key);

    if (n > SHORT_KEY_MAX) {
        text_add(out, "? ");
        write_quoted(out, m->key, n);
        text_add_char(out, '\n');
        write_indent(out, depth);
    } else {
        write_string(out, m->key, n);
    }
    text_add_char(out, ':');
    if (is_block(m->value)) {
        text_add_char(out, '\n');
        write_indent(out, depth + 1);
        write_node(out, m->value, depth + 1);
    } else {
        text_add_char(out, ' ');
        write_node(out, m->value, depth);
    }
}

/* Writes from where the line stands; every line that follows is indented by `depth`. */
static void write_block(struct text *out, const struct value *v, size_t depth)
{
    for (size_t i = 0; i < value_count(v); i++) {
        if (i)
            write_indent(out, depth);
        if (v->type == VALUE_MAP) {
            write_member(out, &v->map.members[i], depth);
        } else {
            text_add(out, "- ");
            write_node(out, v->list.items[i], depth + 1);
        }
    }
}

static void write_node(struct text *out, const struct value *v, size_t depth)
{
    if (is_block(v)) {
        write_block(out, v, depth);
        return;
    }
    switch (v ? v->type : VALUE_NULL) {
    case VALUE_STRING:
        write_string(out, v->str.s, v->str.len);
        break;
    case VALUE_LIST:
        text_add(out, "[]");
        break;
    case VALUE_MAP:
        text_add(out, "{}");
        break;
    default:
        /* What is left reads the same in both languages. */
        json_write(out, v, JSON_COMPACT);
        break;
    }
    text_add_char(out, '\n');
}

void manifest_write(struct text *out, const struct value *v)
{
    write_node(out, v, 0);
}
