/* Knows the frame of a runbook, the same in every shell: what is urgent on top, then step by step why, who, what must be
 * seen, and the commands; at the end what only people do. And how a string is made harmless in each shell. */
#include <stdarg.h>
#include <string.h>

#include "runbook_shell.h"

enum { COLUMNS = 116 };

/* --- quoting ---------------------------------------------------------------------------------------------------------------- */

#define JSON_MARK "\\u0001"

/* The name after a mark at s, if one stands there whole; *ret_len is the length of everything. */
static const char *variable_at(struct arena *a, const char *s, size_t *ret_len)
{
    const char *mark = str_starts(s, RUNBOOK_MARK) ? RUNBOOK_MARK : str_starts(s, JSON_MARK) ? JSON_MARK : NULL;
    size_t n;

    if (!mark)
        return NULL;
    s += strlen(mark);
    n = strspn(s, "abcdefghijklmnopqrstuvwxyz");
    if (n == 0 || !str_starts(s + n, mark))
        return NULL;
    *ret_len = n + 2 * strlen(mark);
    return arena_strndup(a, s, n);
}

void quote_sh(struct text *out, const char *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const char *name;
    size_t n;

    text_add_char(out, '\'');
    while (*s) {
        if ((name = variable_at(a, s, &n))) {
            text_printf(out, "'\"$%s\"'", name);
            s += n;
        } else {
            text_add(out, *s == '\'' ? "'\\''" : (char[]){*s, 0});
            s++;
        }
    }
    text_add_char(out, '\'');
}

/* PowerShell takes typographic quotes for quotes as well. */
static size_t ps_quote_at(const char *s)
{
    static const char *const quotes[] = {"'", "\xe2\x80\x98", "\xe2\x80\x99", "\xe2\x80\x9a", "\xe2\x80\x9b"};

    for (size_t i = 0; i < COUNT(quotes); i++)
        if (str_starts(s, quotes[i]))
            return strlen(quotes[i]);
    return 0;
}

void quote_ps(struct text *out, const char *s)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    bool joined = strstr(s, RUNBOOK_MARK) || strstr(s, JSON_MARK);
    const char *name;
    size_t n;

    text_add(out, joined ? "('" : "'");
    while (*s) {
        if ((name = variable_at(a, s, &n))) {
            text_printf(out, "' + $%s + '", name);
        } else {
            n = ps_quote_at(s);
            text_add_n(out, s, n);
            n = n ? n : 1;
            text_add_n(out, s, n);
        }
        s += n;
    }
    text_add(out, joined ? "')" : "'");
}

static char *quoted(struct arena *a, void (*quote)(struct text *, const char *), const char *s)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    quote(&t, s ? s : "");
    return arena_strdup(a, text_str(&t));
}

char *sh(struct arena *a, const char *s)
{
    return quoted(a, quote_sh, s);
}

char *ps(struct arena *a, const char *s)
{
    return quoted(a, quote_ps, s);
}

const char *with_str(const struct value *with, const char *member)
{
    const char *s = value_str_at(with, member);

    return s ? s : "";
}

bool any_job(const struct runbook *rb)
{
    for (size_t i = 0; i < rb->count; i++)
        for (size_t k = 0; k < rb->entries[i].n_commands; k++)
            if (value_get(rb->entries[i].commands[k].with, "jobType"))
                return true;
    return false;
}

char *path_encoded(struct arena *a, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/;:@$()*,=+!" RUNBOOK_MARK;
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    for (; *path; path++)
        if (strchr(plain, *path))
            text_add_char(&t, *path);
        else
            text_add_percent(&t, (char[]){*path, 0});
    return arena_strdup(a, text_str(&t));
}

/* --- lines ------------------------------------------------------------------------------------------------------------------ */

/* The length of what fits into the room: up to a line end, else to the last blank, else one long word whole. */
static size_t fitting(const char *s, size_t room)
{
    size_t n = strcspn(s, "\n\r");

    if (n <= room)
        return n;
    for (n = room; n > 0 && s[n] != ' '; n--)
        continue;
    return n ? n : strcspn(s, " \n\r");
}

/* Nothing gets out of a comment: line ends begin a new one, and there is no other control character in it. */
static void wrapped(struct text *out, const char *before, size_t indent, const char *s)
{
    bool first = true;

    while (*s) {
        size_t n = fitting(s, COLUMNS - indent);

        text_printf(out, "%s# %*s", before, (int)(indent + (first ? 0 : 2)), "");
        for (size_t i = 0; i < n; i++)
            text_add_char(out, (unsigned char)s[i] < ' ' || s[i] == 0x7f ? ' ' : s[i]);
        text_add_char(out, '\n');
        s += n;
        s += strspn(s, " \n\r");
        first = false;
    }
}

void comment(struct text *out, size_t indent, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;
    char *s;

    va_start(ap, fmt);
    s = arena_vprintf(a, fmt, ap);
    va_end(ap);
    if (*s)
        wrapped(out, "", indent, s);
    else
        text_add(out, "#\n");
}

void note(struct text *out, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;

    va_start(ap, fmt);
    wrapped(out, "    ", 0, arena_vprintf(a, fmt, ap));
    va_end(ap);
}

void line(struct text *out, const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;

    va_start(ap, fmt);
    text_printf(out, "    %s\n", arena_vprintf(a, fmt, ap));
    va_end(ap);
}

/* --- the head ----------------------------------------------------------------------------------------------------------------- */

static void head_deadlines(struct text *out, const struct runbook *rb)
{
    const struct deadline *sorted = plan_deadlines(rb->arena, rb->plan);

    if (!rb->plan->n_deadlines)
        return;
    comment(out, 0, "CANNOT BE UNDONE ONCE IT HAS PASSED");
    for (size_t i = 0; i < rb->plan->n_deadlines; i++)
        comment(out, 2, "%s: %s", time_format(rb->arena, sorted[i].at_ms), sorted[i].what);
    comment(out, 0, "%s", "");
}

static void head_rights(struct text *out, const struct runbook *rb, bool wished, const char *title)
{
    const char **seen = NULL;
    size_t n = 0;

    for (size_t i = 0; i < rb->count; i++) {
        const struct step *step = rb->entries[i].step;

        for (size_t k = 0; k < step->n_rights && !rb->entries[i].barred; k++) {
            const char *one = arena_printf(rb->arena, "%s on %s", step->rights[k].role, step->rights[k].scope);
            size_t j = 0;

            while (j < n && !str_eq(seen[j], one))
                j++;
            if (j == n && step->rights[k].wish == wished)
                arena_push(rb->arena, seen, n, one);
        }
    }
    if (!n)
        return;
    comment(out, 0, "%s", title);
    for (size_t i = 0; i < n; i++)
        comment(out, 2, "%s", seen[i]);
    comment(out, 0, "%s", "");
}

static void head(struct text *out, const struct runbook *rb, const struct shell *shell)
{
    const char *digest = rb->plan->digest ? strchr(rb->plan->digest, ':') : NULL;
    size_t held = 0;
    int64_t estimate = plan_estimate(rb->arena, rb->plan, &(size_t){0});

    for (size_t i = 0; i < rb->count; i++)
        held += rb->entries[i].barred != NULL;
    comment(out, 0, "Runbook (%s) of plan %.12s, made %s by reinstate. Good for what was seen then: make a new one when in doubt.",
            shell->name, digest ? digest + 1 : "", time_format(rb->arena, rb->plan->made_ms));
    comment(out, 0, "%s", "");
    head_deadlines(out, rb);
    comment(out, 0, "%zu steps, %zu of them held back%s%s.", rb->count, held, estimate >= 0 ? "; about " : "",
            estimate >= 0 ? duration_format(rb->arena, estimate) : "");
    comment(out, 0,
            "Step by step, in this order; see what must be seen before going on. Each step looks before it acts, so it may be run "
            "again. There is no secret in this file.");
    comment(out, 0, "%s", "");
    head_rights(out, rb, false, "Who does this needs, at least (or roles that hold the same):");
    head_rights(out, rb, true, "For reinstate itself, which claims each trigger in the staging account first; the commands below do not:");
}

/* --- a step ------------------------------------------------------------------------------------------------------------------- */

static void step_rulings(struct text *out, const struct step *step)
{
    for (size_t i = 0; i < step->n_rulings; i++) {
        const struct ruling *r = &step->rulings[i];

        comment(out, 2, "policy: rule %s: %s%s%s%s%s", r->rule, verdict_name(r->verdict), r->approved_by ? ", approved by " : "",
                r->approved_by ? r->approved_by : "", r->message ? "; " : "", r->message ? r->message : "");
    }
}

static void step_words(struct text *out, const struct runbook *rb, const struct runbook_entry *e)
{
    const struct step *step = e->step;
    const struct {
        const char *lead, *text;
    } remarks[] = {
        {"only if", step->precondition},
        {"go on only when", step->postcondition},
        {"WILL LOOK WRONG AND IS NOT", step->foretold},
        {"unverified on Azure", step->unverified},
    };

    comment(out, 0, "---- %zu. %s%s%s%s", e->number, step->id, step->scenario ? " (" : "", step->scenario ? step->scenario : "",
            step->scenario ? ")" : "");
    comment(out, 2, "%s", step->reason);
    step_rulings(out, step);
    for (size_t i = 0; i < step->n_rights; i++)
        comment(out, 2, "%s the right %s (%s)", step->rights[i].wish ? "reinstate, for its claim, also uses" : "needs",
                step->rights[i].action, step->rights[i].role);
    if (step->estimate_ms >= 0)
        comment(out, 2, "takes about %s%s%s", duration_format(rb->arena, step->estimate_ms), step->estimate_source ? "; " : "",
                step->estimate_source ? step->estimate_source : "");
    for (size_t i = 0; i < COUNT(remarks); i++)
        if (remarks[i].text)
            comment(out, 2, "%s: %s", remarks[i].lead, remarks[i].text);
}

static void step_write(struct text *out, const struct runbook *rb, const struct runbook_entry *e, const struct shell *shell)
{
    text_add_char(out, '\n');
    step_words(out, rb, e);
    if (e->barred) {
        comment(out, 2, "%s: %s", e->step->action == ACTION_BLOCKED ? "BLOCKED. Next" : "NO COMMANDS", e->barred);
        return;
    }
    shell->open(out, rb, e);
    for (size_t i = 0; i < e->n_commands; i++)
        shell->verbs[e->commands[i].verb](out, rb, e->commands[i].with);
    shell->close(out);
}

/* --- the whole ---------------------------------------------------------------------------------------------------------------- */

const char *const runbook_shell_names[] = {"powershell", "cli", "curl", NULL};

void runbook_write(struct text *out, const struct runbook *rb, enum runbook_shell which)
{
    static const struct shell *const shells[RUNBOOK_SHELL_COUNT] = {&shell_powershell, &shell_cli, &shell_curl};
    const struct shell *shell = shells[which];
    bool any = false;

    for (size_t i = 0; i < rb->count; i++)
        any |= !rb->entries[i].barred;
    if (which != RUNBOOK_POWERSHELL)
        text_add(out, "#!/usr/bin/env bash\n");
    head(out, rb, shell);
    if (any)
        shell->begin(out, rb);
    for (size_t i = 0; i < rb->count; i++)
        step_write(out, rb, &rb->entries[i], shell);
    if (rb->n_people) {
        text_add_char(out, '\n');
        comment(out, 0, "---- What people do that no command here does");
    }
    for (size_t i = 0; i < rb->n_people; i++)
        comment(out, 2, "%s", rb->people[i]);
}
