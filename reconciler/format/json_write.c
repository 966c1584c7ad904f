/* Knows how values are written as JSON, by hand, so that equal values give equal bytes. Must not know what they mean.
 */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- writing ------------------------------------------------------------------------------------------------------ */

void json_write_quoted(struct text *out, const char *s, size_t len)
{
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *end = s + len;

    text_add_char(out, '"');
    while (s < end) {
        const char *plain = s, *name;

        while (s < end && (unsigned char)*s >= 0x20 && *s != '"' && *s != '\\' && (unsigned char)*s < 0x80)
            s++;
        text_add_n(out, plain, (size_t)(s - plain));
        if (s == end)
            break;
        name = memchr(named, *s, sizeof(named) - 1);
        if (name) {
            text_add_char(out, '\\');
            text_add_char(out, letters[name - named]);
            s++;
        } else if ((unsigned char)*s < 0x20) {
            text_printf(out, "\\u%04x", (unsigned)(unsigned char)*s++);
        } else {
            size_t n = utf8_length(s, (size_t)(end - s));

            /* A byte that is no UTF-8 must not make the whole text unreadable. */
            text_add_n(out, n ? s : "\xEF\xBF\xBD", n ? n : 3);
            s += n ? n : 1;
        }
    }
    text_add_char(out, '"');
}

static void write_real(struct text *out, double r)
{
    char digits[40];

    if (!isfinite(r)) {
        text_add(out, "null");
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        double again;

        snprintf(digits, sizeof(digits), "%.*g", precision, r);
        again = strtod(digits, NULL);
        if (again >= r && again <= r)
            break;
    }
    text_add(out, digits);
    /* Without this it would be read back as an integer. */
    if (!strpbrk(digits, ".e"))
        text_add(out, ".0");
}

struct writer {
    struct text *out;
    enum json_style style;
    size_t depth;
};

static void write_break(const struct writer *w)
{
    if (w->style != JSON_INDENTED)
        return;
    text_add_char(w->out, '\n');
    for (size_t i = 0; i < w->depth; i++)
        text_add(w->out, "  ");
}

static void write_value(struct writer *w, const struct value *v);

static void write_list(struct writer *w, const struct value *v)
{
    text_add_char(w->out, '[');
    w->depth++;
    for (size_t i = 0; i < v->list.count; i++) {
        if (i)
            text_add_char(w->out, ',');
        write_break(w);
        write_value(w, v->list.items[i]);
    }
    w->depth--;
    if (v->list.count)
        write_break(w);
    text_add_char(w->out, ']');
}

static int member_order(const void *a, const void *b)
{
    return strcmp((*(const struct member *const *)a)->key, (*(const struct member *const *)b)->key);
}

static void write_map(struct writer *w, const struct value *v)
{
    const struct member **order = xcalloc(v->map.count, sizeof(const struct member *));

    for (size_t i = 0; i < v->map.count; i++)
        order[i] = &v->map.members[i];
    if (w->style == JSON_CANONICAL && v->map.count)
        qsort(order, v->map.count, sizeof(const struct member *), member_order);
    text_add_char(w->out, '{');
    w->depth++;
    for (size_t i = 0; i < v->map.count; i++) {
        if (i)
            text_add_char(w->out, ',');
        write_break(w);
        json_write_quoted(w->out, order[i]->key, strlen(order[i]->key));
        text_add(w->out, w->style == JSON_INDENTED ? ": " : ":");
        write_value(w, order[i]->value);
    }
    w->depth--;
    if (v->map.count)
        write_break(w);
    text_add_char(w->out, '}');
    free(order);
}

static void write_value(struct writer *w, const struct value *v)
{
    switch (v ? v->type : VALUE_NULL) {
    case VALUE_NULL:
    case VALUE_TYPE_COUNT:
        text_add(w->out, "null");
        break;
    case VALUE_BOOL:
        text_add(w->out, v->b ? "true" : "false");
        break;
    case VALUE_INT:
        text_printf(w->out, "%lld", (long long)v->i);
        break;
    case VALUE_REAL:
        write_real(w->out, v->r);
        break;
    case VALUE_STRING:
        json_write_quoted(w->out, v->str.s, v->str.len);
        break;
    case VALUE_LIST:
        write_list(w, v);
        break;
    case VALUE_MAP:
        write_map(w, v);
        break;
    case VALUE_UNKNOWN:
        text_add(w->out, w->style == JSON_INDENTED ? "{\"$unknown\": true}" : "{\"$unknown\":true}");
        break;
    }
}

void json_write(struct text *out, const struct value *v, enum json_style style)
{
    struct writer w = {.out = out, .style = style};

    write_value(&w, v);
}

char *json_string(struct arena *a, const struct value *v, enum json_style style)
{
    struct text out cleanup(text_release);

    text_init(&out, TEXT_CEILING);
    json_write(&out, v, style);
    return arena_strndup(a, text_str(&out), out.len);
}
