/* Knows how what is wrong with a value is said: where it stands, the value as it may be shown, what was meant. Must not
 * know what is demanded of it. */
#include <string.h>

#include "../base/text.h"
#include "json.h"
#include "schema_internal.h"

enum { SHOWN_MAX = 60, LISTED_MAX = 12 };

static void place_write(struct text *out, const struct place *at)
{
    if (!at)
        return;
    place_write(out, at->parent);
    if (out->len)
        text_add_char(out, '.');
    if (at->key)
        text_add(out, at->key);
    else
        text_printf(out, "%zu", at->index);
}

/* Always false, so that a check can return it. */
bool schema_fault(struct check *c, const struct origin *origin, const struct place *at, const char *instead,
                  const char *fmt, ...)
{
    struct text path cleanup(text_release);
    va_list ap;

    text_init(&path, TEXT_CEILING);
    if (!c->diags)
        return false;
    place_write(&path, at);
    va_start(ap, fmt);
    diags_add(c->diags, SEVERITY_ERROR, origin, instead, "%s: %s", path.len ? text_str(&path) : "the document",
              arena_vprintf(c->diags->arena, fmt, ap));
    va_end(ap);
    return false;
}

static const char *cut_short(struct arena *a, const char *s)
{
    size_t n = SHOWN_MAX;

    if (strlen(s) <= SHOWN_MAX)
        return s;
    while (n > 0 && ((unsigned char)s[n] & 0xC0) == 0x80)
        n--;
    return arena_printf(a, "%.*s...", (int)n, s);
}

/* The value as it may be shown: short, and never a secret. */
/* The query of a URL may hold a signature, and what stands before an @ a password: neither is ever shown. */
static const struct value *without_query(struct arena *a, const struct value *v)
{
    const char *s = value_str(v), *path = s ? strstr(s, "://") : NULL, *at;
    size_t scheme, end;

    if (!path)
        return v;
    scheme = (size_t)(path + 3 - s);
    end = strcspn(s, "?#");
    at = memchr(path + 3, '@', strcspn(path + 3, "/?#"));
    if (!s[end] && !at)
        return v;
    return value_string(a, arena_printf(a, "%.*s%s%.*s%s", (int)scheme, s, at ? "...@" : "",
                                        (int)(s + end - (at ? at + 1 : path + 3)), at ? at + 1 : path + 3,
                                        s[end] ? "?..." : ""));
}

const char *schema_shown(const struct check *c, const struct value *schema, const struct value *v)
{
    if (value_is(value_get(schema, "x-secret"), VALUE_BOOL) || value_count(v) > 0)
        return value_type_name(v->type);
    return cut_short(c->diags->arena, json_string(c->diags->arena, without_query(c->diags->arena, v), JSON_COMPACT));
}

const char *schema_template_words(const struct value *v)
{
    return value_str(v) && str_is_template(value_str(v), true)
               ? "; a template was left in it: fill it in before reinstate reads the file"
               : "";
}

/* "a, b or c". */
const char *schema_joined(struct arena *a, const struct value *strings, const char *last)
{
    const char *text = "";

    for (size_t i = 0; i < value_count(strings); i++)
        text = arena_printf(a, "%s%s%s", text, i == 0 ? "" : i + 1 == value_count(strings) ? last : ", ",
                            value_str(value_item(strings, i)));
    return text;
}

bool schema_unknown_field(struct check *c, const char *const *names, const struct member *m, const struct place *at)
{
    struct arena *a;
    struct value *list;
    struct origin origin = member_origin(m);
    const char *near, *instead = NULL;
    size_t n = 0;

    if (!c->diags)
        return false;
    a = c->diags->arena;
    near = did_you_mean(m->key, names);
    list = value_list(a);
    for (; names[n]; n++)
        value_push(a, list, value_string(a, names[n]));
    if (near)
        instead = arena_printf(a, "did you mean %s?", near);
    else if (n == 0)
        instead = "it takes no fields";
    else if (n <= LISTED_MAX)
        instead = arena_printf(a, "there %s %s", n == 1 ? "is only" : "are", schema_joined(a, list, " and "));
    return schema_fault(c, &origin, at, instead, "there is no field %s", cut_short(a, m->key));
}
