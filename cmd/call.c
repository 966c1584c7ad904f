/* Knows which options of this call a printed command takes over. Must not know what any of them does. */
#include "call.h"

#include <string.h>

#include "../reconciler/base/file.h"

static const char open_place[] = "-f ...";
/* How far the name of a command may stand before its manifests. */
enum { VERB_MAX = 40, LOOK_BACK_MAX = 200 };

static const struct options *this_call;
static bool world_moves;

void call_set(const struct options *o)
{
    this_call = o;
}

void call_world_moves(void)
{
    world_moves = true;
}

const char *call_quoted(struct arena *a, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=/.,:@%";
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

    if (*word && strspn(word, plain) == strlen(word))
        return word;
    text_add_char(&t, '\'');
    for (; *word; word++)
        if (*word == '\'')
            text_add(&t, "'\\''");
        else
            text_add_char(&t, *word);
    text_add_char(&t, '\'');
    return arena_strdup(a, text_str(&t));
}

/* The command that `at` belongs to: the word after the last "reinstate " before it. */
static const char *verb_before(struct arena *a, const char *text, const char *at)
{
    static const char name[] = "reinstate ";

    for (const char *p = at; p-- > text && at - p < LOOK_BACK_MAX;)
        if (str_starts(p, name) && strcspn(p + strlen(name), " ") < VERB_MAX)
            return arena_strndup(a, p + strlen(name), strcspn(p + strlen(name), " "));
    return "plan";
}

/* What the printed command says itself is not said twice. */
static bool said(const char *rest, const char *option)
{
    size_t end = strcspn(rest, ";\n");
    const char *found = strstr(rest, option);

    return found && found < rest + end && strchr(" =", found[strlen(option)]);
}

/* A pipe of this shell's has been read, and is gone with it: its place has to be filled by a person. */
static const char *again(const char *path, const char *place)
{
    return !path || file_is_lasting(path) ? path : place;
}

static void add_texts(struct text *out, struct arena *a, const char *verb, const char *rest)
{
    const struct options *o = this_call;
    const struct {
        const char *name, *value;
    } given[] = {
        {"selector", o->selector},
        {"policy", again(o->policy, "POLICY")},
        {"cloud", o->cloud},
        {"credential", o->credential},
        /* What was done stands in the world that was kept, and not in the one it began with. */
        {"world", o->world && o->world_out && world_moves ? o->world_out : o->world},
        {"world-out", o->world_out},
        {"as", o->as},
        {"history", o->history},
        {"journal", o->journal},
    };

    for (size_t i = 0; i < o->targets.count && options_take(verb, "target"); i++)
        text_printf(out, " --target %s", call_quoted(a, o->targets.items[i]));
    for (size_t i = 0; i < COUNT(given); i++)
        if (given[i].value && options_take(verb, given[i].name) && !said(rest, arena_printf(a, "--%s", given[i].name)))
            text_printf(out, " %s%s %s", i ? "--" : "", i ? given[i].name : "-l", call_quoted(a, given[i].value));
}

static void add_durations(struct text *out, const char *verb)
{
    const struct options *o = this_call;
    const struct {
        const char *name;
        int64_t ms;
    } given[] = {{"export-lookback", o->export_lookback_ms}, {"settle", o->settle_ms}};

    for (size_t i = 0; i < COUNT(given); i++)
        if (given[i].ms >= 0 && options_take(verb, given[i].name))
            text_printf(out, " --%s %llds", given[i].name, (long long)(given[i].ms / SECOND_MS));
}

/* An approval holds for one run: it is repeated only beside one that is asked for, since a run needs all
 * of them at once. */
static void add_approvals(struct text *out, struct arena *a, const char *rest)
{
    const struct approvals *given = &this_call->approvals;

    for (size_t i = 0; said(rest, "--approve") && i < given->count; i++) {
        const char *asked = arena_printf(a, "--approve %s=", given->items[i].rule),
                   *quoted = arena_printf(a, "--approve '%s=", given->items[i].rule);

        if (!strstr(rest, asked) && !strstr(rest, quoted))
            text_printf(out, " --approve %s",
                        call_quoted(a, arena_printf(a, "%s=%s", given->items[i].rule, given->items[i].name)));
    }
}

static void add_call(struct text *out, struct arena *a, const char *verb, const char *rest)
{
    const struct options *o = this_call;

    if (o->directory)
        text_printf(out, "-C %s ", call_quoted(a, o->directory));
    if (o->recursive)
        text_add(out, "-R ");
    for (size_t i = 0; i < o->paths.count; i++)
        text_printf(out, "%s-f %s", i ? " " : "", call_quoted(a, again(o->paths.items[i], "MANIFESTS")));
    if (!o->paths.count && o->discover && options_take(verb, "discover"))
        text_printf(out, "--discover %s", call_quoted(a, o->discover));
    else if (!o->paths.count)
        text_add(out, "-f MANIFESTS");
    for (size_t i = 0; i < o->allow_paths.count && options_take(verb, "allow-path"); i++)
        text_printf(out, " --allow-path %s", call_quoted(a, o->allow_paths.items[i]));
    add_texts(out, a, verb, rest);
    add_durations(out, verb);
    add_approvals(out, a, rest);
    if (o->pace > 0 && options_take(verb, "pace"))
        text_printf(out, " --pace %g", o->pace);
}

const char *call_filled(struct arena *a, const char *text)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const char *at = text ? strstr(text, open_place) : NULL;

    if (!this_call || !at)
        return text;
    for (const char *from = text;; from = at + strlen(open_place), at = strstr(from, open_place)) {
        if (!at) {
            text_add(&t, from);
            return arena_strdup(a, text_str(&t));
        }
        text_add_n(&t, from, (size_t)(at - from));
        add_call(&t, a, verb_before(a, text, at), at + strlen(open_place));
    }
}

const char *call_again(struct arena *a)
{
    const struct options *o = this_call;
    const char *line;

    if (!o)
        return "the same command";
    line = arena_printf(a, "reinstate %s -f ...%s", o->command->name, o->auto_approve ? " --auto-approve" : "");

    /* What somebody has approved of a plan he saw is shown to him again by apply; watch would show nobody. */
    for (size_t i = 0; options_take(o->command->name, "plan") && i < o->approvals.count; i++)
        line = arena_printf(
            a, "%s --approve %s", line,
            call_quoted(a, arena_printf(a, "%s=%s", o->approvals.items[i].rule, o->approvals.items[i].name)));
    if (options_take(o->command->name, "interval"))
        line = arena_printf(a, "%s --interval %llds", line, (long long)(o->interval_ms / SECOND_MS));
    return call_filled(a, line);
}

static bool has_place(const struct value *v)
{
    bool found = value_is(v, VALUE_STRING) && strlen(v->str.s) == v->str.len && strstr(v->str.s, open_place);

    for (size_t i = 0; i < value_count(v) && !found; i++)
        found = has_place(value_is(v, VALUE_LIST) ? v->list.items[i] : v->map.members[i].value);
    return found;
}

struct value *call_filled_value(struct arena *a, const struct value *v)
{
    struct value *filled;

    /* As good as everything is as it was: a copy of it would double the answer about an estate. */
    if (!v || !has_place(v))
        return (struct value *)v;
    filled = arena_new_of(a, struct value);
    *filled = *v;
    if (value_is(v, VALUE_STRING) && strlen(v->str.s) == v->str.len && strstr(v->str.s, open_place))
        return value_string(a, call_filled(a, v->str.s));
    if (value_is(v, VALUE_LIST)) {
        filled->list.items = arena_array(a, struct value *, v->list.count + 1);
        for (size_t i = 0; i < v->list.count; i++)
            filled->list.items[i] = call_filled_value(a, v->list.items[i]);
    }
    if (value_is(v, VALUE_MAP)) {
        filled->map.members = arena_array(a, struct member, v->map.count + 1);
        for (size_t i = 0; i < v->map.count; i++) {
            filled->map.members[i] = v->map.members[i];
            filled->map.members[i].value = call_filled_value(a, v->map.members[i].value);
        }
    }
    return filled;
}
