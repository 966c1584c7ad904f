/* Knows where comments stand in YAML, and which line of a text that says the same is theirs. Must not know what a field
 * means. */
#include "comments.h"

#include <string.h>

struct comment {
    int line;
    bool whole; /* it has the line to itself */
    const char *text;
};

/* A field or item: in which column it is said, and in which line it is said again. */
struct place {
    int column, again;
};

/* What stands above a line that is written, and behind it. */
struct beside {
    const char *above, *behind;
};

struct keeping {
    struct arena *arena;
    const char *const *lines; /* of the source; the first is lines[1] */
    int n_lines;
    const struct value *docs, *again_docs;
    struct comment *comments;
    size_t n_comments;
    const struct place **places; /* by line: the first thing that is said there; NULL: nothing begins there */
    struct beside *beside; /* by line of what is written */
    int n_beside;
};

static const char **lines_of(struct arena *a, const char *text, int *ret_count)
{
    const char **lines;
    int n = 1;

    for (const char *p = text; *p; p++)
        n += *p == '\n';
    lines = arena_array(a, const char *, (size_t)n + 2);
    *ret_count = n;
    for (int i = 1; i <= n; i++) {
        size_t len = strcspn(text, "\n");

        lines[i] = arena_strndup(a, text, len && text[len - 1] == '\r' ? len - 1 : len);
        text += len + (text[len] == '\n');
    }
    return lines;
}

static const char *behind_blanks(const char *line)
{
    return line + strspn(line, " \t");
}

/* --- comments ----------------------------------------------------------------------------------------------------- */

/* "key: |" and "- >-" begin a text in which a mark is no comment. */
static bool begins_text(const char *line)
{
    for (const char *p = line; (p = strpbrk(p, "|>")); p++) {
        const char *rest = p + 1 + strspn(p + 1, "+-0123456789");

        if (p > line && (p[-1] == ' ' || p[-1] == '\t') && (!*behind_blanks(rest) || *behind_blanks(rest) == '#'))
            return true;
    }
    return false;
}

/* The end of a quoted text on this line; `*quote` stays where it goes on in the next one. */
static const char *skip_quoted(const char *p, char *quote)
{
    for (; *p; p++) {
        if (*quote == '"' && *p == '\\' && p[1])
            p++;
        else if (*quote == '\'' && *p == '\'' && p[1] == '\'')
            p++;
        else if (*p == *quote) {
            *quote = '\0';
            return p + 1;
        }
    }
    return p;
}

static const char *comment_on(const char *line, char *quote)
{
    const char *p = line;

    while (*p) {
        bool begins = p == line || strchr(" \t[{,:", p[-1]);

        if (*quote) {
            p = skip_quoted(p, quote);
            continue;
        }
        if (*p == '#' && (p == line || p[-1] == ' ' || p[-1] == '\t'))
            return p;
        if ((*p == '"' || *p == '\'') && begins)
            *quote = *p;
        p++;
    }
    return NULL;
}

static const char *comments_find(struct keeping *k, int from)
{
    char quote = '\0';

    for (int i = from; i <= k->n_lines; i++) {
        bool inside = quote != '\0';
        const char *at = comment_on(k->lines[i], &quote);

        if (!inside && begins_text(k->lines[i]))
            return arena_printf(k->arena, "line %d has a text of several lines beside comments", i);
        if (at)
            arena_push(k->arena, k->comments, k->n_comments,
                       ((struct comment){i, !inside && at == behind_blanks(k->lines[i]), at}));
    }
    return NULL;
}

/* --- places ------------------------------------------------------------------------------------------------------- */

static void place_add(struct keeping *k, const struct origin *here, int again)
{
    struct place *place;

    if (here->line < 1 || here->line > k->n_lines)
        return;
    if (k->places[here->line] && k->places[here->line]->column <= here->column)
        return;
    place = arena_new_of(k->arena, struct place);
    *place = (struct place){here->column, again};
    k->places[here->line] = place;
}

static void places_find(struct keeping *k, const struct value *v, const struct value *again)
{
    for (size_t i = 0; i < value_count(v); i++) {
        if (value_is(v, VALUE_MAP)) {
            const struct member *m = &v->map.members[i];
            struct origin here = member_origin(m);

            for (size_t n = 0; n < value_count(again); n++)
                if (str_eq(again->map.members[n].key, m->key)) {
                    place_add(k, &here, member_origin(&again->map.members[n]).line);
                    places_find(k, m->value, again->map.members[n].value);
                }
        } else {
            const struct value *one = value_item(v, i), *other = value_item(again, i);

            place_add(k, value_origin(one), value_origin(other)->line);
            places_find(k, one, other);
        }
    }
}

/* The line of the next thing that is no comment; 0: there is none. */
static int next_content(const struct keeping *k, int line)
{
    for (int i = line + 1; i <= k->n_lines; i++)
        if (*behind_blanks(k->lines[i]) && *behind_blanks(k->lines[i]) != '#')
            return i;
    return 0;
}

static bool is_separator(const char *line)
{
    return str_starts(line, "---") && (!line[3] || line[3] == ' ' || line[3] == '\t');
}

/* Where the line of what is written stands above which a comment belongs that stands above this line; 0: nowhere. */
static int line_again(const struct keeping *k, int line)
{
    bool separator = line && is_separator(k->lines[line]);
    const struct place *place;

    for (size_t i = 0; line && i < value_count(k->docs); i++) {
        int first = value_origin(value_item(k->docs, i))->line,
            again = value_origin(value_item(k->again_docs, i))->line;

        if (first == line)
            return again;
        if (separator && first > line)
            return again - (i > 0);
    }
    /* Behind the last document. */
    if (!line || separator)
        return k->n_beside;
    place = k->places[line];
    return place ? place->again : 0;
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static bool comment_put(struct keeping *k, const struct comment *c)
{
    bool own = c->whole || is_separator(k->lines[c->line]);
    const struct place *place = own ? NULL : k->places[c->line];
    int at = own ? line_again(k, next_content(k, c->line)) : place ? place->again : 0;
    struct beside *beside = &k->beside[at];

    if (at <= 0 || at > k->n_beside || (!own && beside->behind))
        return false;
    if (own)
        beside->above = beside->above ? arena_printf(k->arena, "%s\n%s", beside->above, c->text) : c->text;
    else
        beside->behind = c->text;
    return true;
}

static void comments_above(struct text *out, const char *above, int indent)
{
    for (const char *p = above; p && *p;) {
        size_t len = strcspn(p, "\n");

        text_printf(out, "%*s%.*s\n", indent, "", (int)len, p);
        p += len + (p[len] == '\n');
    }
}

static void written_anew(const struct keeping *k, const char *const *lines, struct text *out)
{
    for (int i = 1; i < k->n_beside; i++) {
        comments_above(out, k->beside[i].above, (int)strspn(lines[i], " "));
        text_printf(out, "%s%s%s\n", lines[i], k->beside[i].behind ? "  " : "",
                    k->beside[i].behind ? k->beside[i].behind : "");
    }
    comments_above(out, k->beside[k->n_beside].above, 0);
}

const char *comments_keep(struct arena *a, const char *source, size_t head, const struct value *docs,
                          const struct value *again, struct text *written)
{
    struct keeping k = {.arena = a, .docs = docs, .again_docs = again};
    struct text out cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const char **lines, *why;
    int from = 1;

    for (size_t i = 0; i < head; i++)
        from += source[i] == '\n';
    k.lines = lines_of(a, source, &k.n_lines);
    if ((why = comments_find(&k, from)) || !k.n_comments)
        return k.n_comments ? why : NULL;
    /* The last line is the empty one behind the last break: what stands behind all else is put above that. */
    lines = lines_of(a, text_str(written), &k.n_beside);
    k.places = arena_array(a, const struct place *, (size_t)k.n_lines + 1);
    k.beside = arena_array(a, struct beside, (size_t)k.n_beside + 1);
    for (size_t i = 0; i < value_count(docs); i++)
        places_find(&k, value_item(docs, i), value_item(again, i));
    for (size_t i = 0; i < k.n_comments; i++)
        if (!comment_put(&k, &k.comments[i]))
            return arena_printf(a, "line %d has a comment where no field begins, which would be lost",
                                k.comments[i].line);
    written_anew(&k, lines, &out);
    text_clear(written);
    text_add(written, text_str(&out));
    return NULL;
}
