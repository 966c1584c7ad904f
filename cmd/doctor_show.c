/* Knows how an answer of doctor is laid out for people, in two forms from one list of rows. Must not know what counts
 * as lacking. */
#include "doctor_show.h"

/* What both forms show of one thing. */
struct row {
    const char *state, *what;        /* "ok", "lacking", "unseen" */
    const char *notes[4];            /* further lines; NULL: none */
};

struct sheet {
    struct arena *arena;
    const struct page *page;         /* NULL: Markdown */
    struct text *out;
};

static void head(const struct sheet *s, const char *title)
{
    if (s->page) {
        page_gap(s->page);
        page_line(s->page, 0, BOLD, title, "%s", "");
    } else {
        text_say(s->out, "\n## %s\n\n| | | |\n| --- | --- | --- |\n", title);
    }
}

/* A bar would end the cell of a table. */
static const char *cell(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text ? text : "");

    for (char *p = copy; *p; p++)
        if (*p == '|' || *p == '\n')
            *p = '/';
    return copy;
}

static void show(const struct sheet *s, const struct row *r)
{
    static const struct {
        const char *state, *word;
        enum colour colour;
    } words[] = {{"ok", "ok", GREEN}, {"lacking", "LACKING", RED}, {"unseen", "not seen", YELLOW}};
    size_t at = 0;

    while (at + 1 < COUNT(words) && !str_eq(words[at].state, r->state))
        at++;
    if (s->page) {
        page_line(s->page, 2, words[at].colour, arena_printf(s->arena, "%-8s", words[at].word), "%s", r->what);
        for (size_t i = 0; i < COUNT(r->notes); i++)
            if (r->notes[i])
                page_line(s->page, 11, DIM, "", "%s", r->notes[i]);
        return;
    }
    text_say(s->out, "| %s | %s | ", words[at].word, cell(s->arena, r->what));
    for (size_t i = 0, n = 0; i < COUNT(r->notes); i++)
        if (r->notes[i])
            text_say(s->out, "%s%s", n++ ? "; " : "", cell(s->arena, r->notes[i]));
    text_add(s->out, " |\n");
}

static const char *said(struct arena *a, const char *lead, const struct value *v, const char *member)
{
    return value_str_at(v, member) ? arena_printf(a, "%s%s", lead, value_str_at(v, member)) : NULL;
}

/* --- sections ----------------------------------------------------------------------------------------------------- */

static void show_who(const struct sheet *s, const struct value *answer)
{
    const struct value *all = value_get(answer, "who"), *clock = value_get(answer, "clock");
    struct arena *a = s->arena;

    head(s, "Who we are");
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *parts[] = {said(a, "", v, "name"), said(a, "object ", v, "objectId"),
                               said(a, "application ", v, "applicationId"), said(a, "tenant ", v, "tenant"),
                               said(a, "signed in by ", v, "by")};
        struct row r = {.state = value_str_at(v, "state"),
                        .what = arena_printf(a, "%s: ", value_str_at(v, "azure")),
                        .notes = {value_str_at(v, "why")}};
        size_t n = 0;

        for (size_t k = 0; k < COUNT(parts); k++)
            if (parts[k])
                r.what = arena_printf(a, "%s%s%s", r.what, n++ ? ", " : "", parts[k]);
        show(s, &r);
    }
    head(s, "Clock");
    show(s, &(struct row){.state = value_str_at(clock, "state"),
                          .what = value_str_at(clock, "why") ? value_str_at(clock, "why")
                                                             : "this machine's clock agrees with Azure's",
                          .notes = {said(a, "fix: ", clock, "fix")}});
}

static void show_endpoints(const struct sheet *s, const struct value *answer)
{
    const struct value *all = value_get(answer, "endpoints");
    struct arena *a = s->arena;

    head(s, "What answers");
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *from = value_str_at(v, "from");
        int64_t status = value_int_at(v, "status", 0);

        show(s, &(struct row){
                    .state = value_str_at(v, "state"),
                    .what = arena_printf(a, "%s %s%s", value_str_at(v, "what"), value_str_at(v, "address"),
                                         status ? arena_printf(a, ": after %lld ms%s%s",
                                                               (long long)value_int_at(v, "milliseconds", 0),
                                                               from ? ", from " : "", from ? from : "")
                                                : ": no answer"),
                    .notes = {value_str_at(v, "why"), said(a, "fix: ", v, "fix")}});
    }
}

static void show_clouds(const struct sheet *s, const struct value *answer)
{
    const struct value *all = value_get(answer, "clouds");
    struct arena *a = s->arena;

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i), *differs = value_get(v, "differs");

        show(s, &(struct row){
                    .state = value_str_at(v, "state"),
                    .what = arena_printf(a, "%s: %s", value_str_at(v, "name"),
                                         value_count(differs) ? "the cloud says otherwise of itself than is used here"
                                                              : "the cloud says the same of itself as is used here"),
                    .notes = {value_str(value_item(differs, 0)), value_str(value_item(differs, 1)),
                              value_str(value_item(differs, 2)), value_str(value_item(differs, 3))}});
    }
}

static const char *commands_of(struct arena *a, const struct value *v)
{
    const struct value *all = value_get(v, "commands");
    const char *text = "";

    for (size_t i = 0; i < value_count(all); i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "", value_str(value_item(all, i)));
    return text;
}

static void show_right(const struct sheet *s, const struct value *v)
{
    struct arena *a = s->arena;
    const char *role = value_str_at(v, "role"), *instead = value_str_at(v, "instead"), *by = value_str_at(v, "by");
    bool open = !str_eq(value_str_at(v, "state"), "ok");

    show(s, &(struct row){
                .state = value_str_at(v, "state"),
                .what = arena_printf(a, "%s%s%s (%s)%s", value_str_at(v, "action"),
                                     value_bool_at(v, "data", false) ? ", data" : "",
                                     s->page ? "" : arena_printf(a, " at %s", value_str_at(v, "scope")),
                                     commands_of(a, v), value_bool_at(v, "wish", false) ? "; safer with it" : ""),
                .notes = {open && by ? arena_printf(a, "asked for by %s", by) : NULL,
                          str_eq(value_str_at(v, "state"), "lacking") ? NULL : value_str_at(v, "why"),
                          open && role ? arena_printf(a, "the built-in role %s holds it%s%s", role,
                                                      instead ? "; in its place does " : "", instead ? instead : "")
                                       : NULL,
                          value_bool_at(v, "unlisted", false) && open
                              ? "Azure publishes no action of this name: no custom role can hold it, Reader does"
                              : NULL}});
}

/* Held, and nothing is to be said of it. */
static bool is_plain(const struct value *v, bool acting)
{
    return value_bool_at(v, "acting", false) == acting && str_eq(value_str_at(v, "state"), "ok") &&
           !value_str_at(v, "why");
}

static bool told_alike(struct arena *a, const struct value *x, const struct value *y)
{
    return str_eq(value_str_at(x, "action"), value_str_at(y, "action")) && str_eq(commands_of(a, x), commands_of(a, y));
}

/* What is held takes one line for all places where it is: a thousand machines would hide what lacks. */
static void show_held(const struct sheet *s, const struct value *all, bool acting)
{
    struct arena *a = s->arena;

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        size_t before = 0, n = 0;

        if (!is_plain(v, acting))
            continue;
        for (size_t k = 0; k < value_count(all); k++)
            if (is_plain(value_item(all, k), acting) && told_alike(a, value_item(all, k), v)) {
                before += k < i;
                n++;
            }
        if (!before)
            show(s, &(struct row){.state = "ok",
                                  .what = arena_printf(a, "%s%s (%s) at %s", value_str_at(v, "action"),
                                                       value_bool_at(v, "data", false) ? ", data" : "",
                                                       commands_of(a, v),
                                                       n == 1 ? value_str_at(v, "scope")
                                                              : arena_printf(a, "%zu places", n))});
    }
}

/* As text the scope stands once, above its rights. */
static void show_rights(const struct sheet *s, const struct value *answer, bool acting, const char *title)
{
    const struct value *all = value_get(answer, "rights");
    const char *scope = NULL;

    for (size_t i = 0, n = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);

        if (value_bool_at(v, "acting", false) == acting && !n++)
            head(s, title);
        if (value_bool_at(v, "acting", false) != acting || is_plain(v, acting))
            continue;
        if (s->page && !str_eq_nocase(scope, value_str_at(v, "scope")))
            page_line(s->page, 1, PLAIN, "", "%s", value_str_at(v, "scope"));
        scope = value_str_at(v, "scope");
        show_right(s, v);
    }
    show_held(s, all, acting);
}

static void show_ground(const struct sheet *s, const struct value *answer, const char *member, const char *title)
{
    const struct value *all = value_get(answer, member);
    struct arena *a = s->arena;

    if (value_count(all))
        head(s, title);
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);
        const char *region = value_str_at(v, "region");

        show(s, &(struct row){.state = value_str_at(v, "state"),
                              .what = arena_printf(a, "%s in %s%s%s: %s", value_str_at(v, "name"),
                                                   value_str_at(v, "subscription"), region ? ", " : "",
                                                   region ? region : "", value_str_at(v, "told")),
                              .notes = {said(a, "fix: ", v, "fix")}});
    }
}

static void show_all(const struct sheet *s, const struct value *answer)
{
    show_who(s, answer);
    show_endpoints(s, answer);
    show_clouds(s, answer);
    show_rights(s, answer, false, "Rights to read");
    show_rights(s, answer, true, "Rights to act");
    show_ground(s, answer, "providers", "Resource providers");
    show_ground(s, answer, "features", "Features");
    show_ground(s, answer, "quotas", "Quotas");
}

static const char *sum(struct arena *a, const struct value *answer)
{
    int64_t lacking = value_int_at(answer, "lacking", 0), unseen = value_int_at(answer, "unseen", 0);

    return lacking || unseen ? arena_printf(a, "%lld lacking, %lld cannot be seen", (long long)lacking,
                                            (long long)unseen)
                             : "Nothing lacks.";
}

static const char *next_words(const struct value *answer)
{
    return value_int_at(answer, "lacking", 0)
               ? "reinstate doctor -f ... --assign prints the commands that give the rights"
               : NULL;
}

void doctor_show(const struct page *p, const struct value *answer)
{
    struct sheet s = {.arena = p->arena, .page = p, .out = p->out};
    const char *open = value_str_at(answer, "open");

    page_line(p, 0, BOLD, "", "%s", sum(p->arena, answer));
    if (open)
        page_line(p, 0, YELLOW, "", "%s", open);
    if (next_words(answer))
        page_line(p, 0, DIM, "next:", "%s", next_words(answer));
    show_all(&s, answer);
}

void doctor_markdown(struct text *out, const struct value *answer)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct sheet s = {.arena = a, .out = out};

    text_say(out, "# reinstate doctor\n\n%s\n", sum(a, answer));
    if (value_str_at(answer, "open"))
        text_say(out, "\n%s\n", value_str_at(answer, "open"));
    if (next_words(answer))
        text_say(out, "\nNext: %s\n", next_words(answer));
    show_all(&s, answer);
}
