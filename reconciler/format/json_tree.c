/* Knows how a JSON text that was found right becomes a tree, in one pass: names are kept once, lists and maps are as
 * large as they have to be, and nothing of the text is left but what the tree holds. Must not know what is wrong with a
 * text, nor what it means. */
#include <stdlib.h>
#include <string.h>

#include "../base/index.h"
#include "json_internal.h"

enum { FEW_MEMBERS = 24, SHORT = 64, PENDING_FIRST = 64, NAMES_KEPT = 1000 };

struct tree {
    struct arena *a, *scratch;
    struct index *names; /* the first so many */
    size_t n_names;
    struct member *pending; /* of all open lists (without names) and maps */
    size_t n_pending, room;
    const char *p, *end;
    const char *twice; /* the first name that one object has twice, with values that differ */
};

static struct value *tree_value(struct tree *t);

static void skip_blanks(struct tree *t)
{
    while (t->p < t->end && (*t->p == ' ' || *t->p == '\t' || *t->p == '\n' || *t->p == '\r'))
        t->p++;
}

/* --- strings ------------------------------------------------------------------------------------------------------ */

/* Moves from an opening quote behind the closing one; the text between them, and whether it holds escapes. */
static const char *between_quotes(struct tree *t, size_t *ret_len, bool *ret_escaped)
{
    const char *start = ++t->p;

    *ret_escaped = false;
    for (; *t->p != '"'; t->p++)
        if (*t->p == '\\') {
            *ret_escaped = true;
            t->p++;
        }
    *ret_len = (size_t)(t->p++ - start);
    return start;
}

static uint32_t four_digits(const char *s)
{
    uint32_t c = 0;

    for (int i = 0; i < 4; i++)
        c = c << 4 | (uint32_t)(s[i] <= '9' ? s[i] - '0' : (s[i] | 0x20) - 'a' + 10);
    return c;
}

static size_t utf8_put(char *to, uint32_t c)
{
    size_t n = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const unsigned char lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = n; i-- > 1; c >>= 6)
        to[i] = (char)(0x80 | (c & 0x3F));
    to[0] = (char)(lead[n] | c);
    return n;
}

/* Half a pair of surrogates is no character: it is shown as one that cannot be shown. */
static uint32_t code_point(const char **s, const char *end)
{
    uint32_t high = four_digits(*s), low;

    *s += 4;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || end - *s < 6 || (*s)[0] != '\\' || (*s)[1] != 'u')
        return 0xFFFD;
    low = four_digits(*s + 2);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0xFFFD;
    *s += 6;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* In place: no escape is shorter than what it stands for. */
static size_t unescape(char *text, size_t len)
{
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *s = text, *end = text + len;
    char *to = text;

    while (s < end) {
        const char *letter;

        if (*s != '\\') {
            *to++ = *s++;
            continue;
        }
        s += 2;
        if (s[-1] == 'u') {
            uint32_t c = code_point(&s, end);

            to += utf8_put(to, c);
            continue;
        }
        letter = strchr(letters, s[-1]);
        *to++ = letter ? meant[letter - letters] : s[-1];
    }
    *to = '\0';
    return (size_t)(to - text);
}

static struct value *tree_string(struct tree *t)
{
    size_t len;
    bool escaped;
    const char *s = between_quotes(t, &len, &escaped);
    struct value *v = value_string_n(t->a, s, len);

    if (escaped)
        v->str.len = (uint32_t)unescape((char *)v->str.s, len);
    return v;
}

static const char *tree_name(struct tree *t)
{
    size_t len;
    bool escaped;
    const char *s = between_quotes(t, &len, &escaped), *known;
    char buffer[SHORT], *name = buffer;

    if (len >= sizeof(buffer))
        name = arena_strndup(t->scratch, s, len);
    else
        memcpy(buffer, s, len);
    name[len] = '\0';
    if (escaped)
        unescape(name, len);
    known = index_get(t->names, name);
    if (known)
        return known;
    known = arena_strdup(t->a, name);
    /* Names without end are no names of fields: they would only be looked through. */
    if (t->n_names++ < NAMES_KEPT)
        index_put(t->names, known, known);
    return known;
}

/* --- numbers ------------------------------------------------------------------------------------------------------ */

static struct value *tree_number(struct tree *t)
{
    const char *start = t->p;
    size_t n = 0;
    uint64_t magnitude = 0, most = *start == '-' ? (uint64_t)INT64_MAX + 1 : INT64_MAX;
    bool whole = true;
    char buffer[SHORT], *text = buffer;

    for (; t->p < t->end && (memchr("+-.eE", *t->p, 5) || (*t->p >= '0' && *t->p <= '9')); t->p++) {
        unsigned digit = (unsigned)(*t->p - '0');

        if (*t->p == '-' && t->p == start)
            continue;
        whole = whole && digit <= 9 && magnitude <= (most - digit) / 10;
        magnitude = whole ? magnitude * 10 + digit : 0;
    }
    if (whole)
        return value_int(t->a, *start == '-' ? (int64_t)(0 - magnitude) : (int64_t)magnitude);
    n = (size_t)(t->p - start);
    if (n >= sizeof(buffer))
        text = arena_strndup(t->scratch, start, n);
    else
        memcpy(buffer, start, n);
    text[n] = '\0';
    return value_real(t->a, strtod(text, NULL));
}

/* --- lists and maps ----------------------------------------------------------------------------------------------- */

static void pending_add(struct tree *t, const char *name, struct value *v)
{
    if (t->n_pending == t->room) {
        t->room = t->room ? 2 * t->room : PENDING_FIRST;
        t->pending = xrealloc(t->pending, t->room * sizeof(*t->pending));
    }
    t->pending[t->n_pending++] = (struct member){.key = name, .value = v};
}

static struct value *tree_list(struct tree *t)
{
    size_t first = t->n_pending, n;
    struct value *v;

    for (t->p++; skip_blanks(t), *t->p != ']';) {
        if (*t->p == ',')
            t->p++;
        pending_add(t, NULL, tree_value(t));
    }
    t->p++;
    n = t->n_pending - first;
    v = value_list_of(t->a, NULL, n);
    for (size_t i = 0; i < n; i++)
        v->list.items[i] = t->pending[first + i].value;
    t->n_pending = first;
    return v;
}

static int by_name_then_place(const void *a, const void *b)
{
    const struct member *x = *(const struct member *const *)a, *y = *(const struct member *const *)b;
    int order = x->key == y->key ? 0 : strcmp(x->key, y->key);

    return order ? order : x < y ? -1 : x > y;
}

/* The first of two members of one name takes the other one's value; the other is marked. */
static void take_over(struct tree *t, struct member *first, struct member *other)
{
    if (!t->twice && !value_equal(first->value, other->value))
        t->twice = first->key;
    first->value = other->value;
    other->value = NULL;
}

/* Marks all but the first of equal names, which takes the last one's value. Sorting, not hashing: names chosen to
 * collide cannot slow it down. */
static void many_names_once(struct tree *t, struct member *members, size_t n)
{
    struct member **order = xcalloc(n, sizeof(*order)), *first;

    for (size_t i = 0; i < n; i++)
        order[i] = &members[i];
    qsort(order, n, sizeof(*order), by_name_then_place);
    first = order[0];
    for (size_t i = 1; i < n; i++)
        if (strcmp(first->key, order[i]->key) != 0)
            first = order[i];
        else
            take_over(t, first, order[i]);
    free(order);
}

static void few_names_once(struct tree *t, struct member *members, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t j = 0; j < i; j++)
            if (members[j].value && (members[j].key == members[i].key || strcmp(members[j].key, members[i].key) == 0)) {
                take_over(t, &members[j], &members[i]);
                break;
            }
}

/* Of equal names the last value counts, in the first one's place. Returns how many are left. */
static size_t names_once(struct tree *t, struct member *members, size_t n)
{
    size_t kept = 0;

    if (n > FEW_MEMBERS)
        many_names_once(t, members, n);
    else
        few_names_once(t, members, n);
    for (size_t i = 0; i < n; i++)
        if (members[i].value)
            members[kept++] = members[i];
    return kept;
}

static struct value *tree_map(struct tree *t)
{
    size_t first = t->n_pending, n;
    struct value *v;

    for (t->p++; skip_blanks(t), *t->p != '}';) {
        const char *name;

        if (*t->p == ',')
            t->p++;
        skip_blanks(t);
        name = tree_name(t);
        skip_blanks(t);
        t->p++;
        pending_add(t, name, tree_value(t));
    }
    t->p++;
    n = t->n_pending - first;
    n = n ? names_once(t, t->pending + first, n) : 0;
    v = value_map_of(t->a, n ? t->pending + first : NULL, n);
    t->n_pending = first;
    return v;
}

static struct value *tree_value(struct tree *t)
{
    skip_blanks(t);
    switch (*t->p) {
    case '{':
        return tree_map(t);
    case '[':
        return tree_list(t);
    case '"':
        return tree_string(t);
    case 't':
        t->p += 4;
        return value_bool(t->a, true);
    case 'f':
        t->p += 5;
        return value_bool(t->a, false);
    case 'n':
        t->p += 4;
        return value_null(t->a);
    default:
        return tree_number(t);
    }
}

struct value *json_tree(struct arena *a, const char *s, size_t len, const char **ret_twice)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct tree t = {.a = a, .scratch = scratch, .names = index_new(scratch, INDEX_EXACT), .p = s, .end = s + len};
    struct value *v = tree_value(&t);

    free(t.pending);
    *ret_twice = t.twice;
    return v;
}
