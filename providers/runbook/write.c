/* Knows the frame of a runbook, the same in every shell: what is urgent on top, then step by step why, who, what must
 * be seen, and the commands; at the end what only people do. Has the table of the shells. */
#include <string.h>

#include "shell.h"

/* --- the head ----------------------------------------------------------------------------------------------------- */

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

/* Every right of a step that is carried out, one after the other. */
static const struct step_right *right_next(const struct runbook *rb, size_t *at_entry, size_t *at_right)
{
    for (; *at_entry < rb->count; ++*at_entry, *at_right = 0)
        if (!rb->entries[*at_entry].barred && *at_right < rb->entries[*at_entry].step->n_rights)
            return &rb->entries[*at_entry].step->rights[(*at_right)++];
    return NULL;
}

/* The same role above holds for what lies below. Contributor of a group is one of all that lies in it, but for data and
 * for who may do what. */
static bool right_holds(const struct step_right *above, const struct step_right *right)
{
    size_t n = strlen(above->scope);

    if (!str_starts_nocase(right->scope, above->scope) || (right->scope[n] && right->scope[n] != '/'))
        return false;
    if (str_eq(above->role, right->role))
        return right->scope[n] != '\0';
    return str_eq(above->role, "Contributor") && !right->data &&
           !str_starts_nocase(right->action, "Microsoft.Authorization/");
}

static bool right_held_above(const struct runbook *rb, const struct step_right *right)
{
    const struct step_right *other;
    size_t entry = 0, at = 0;

    while ((other = right_next(rb, &entry, &at)))
        if (other->wish <= right->wish && right_holds(other, right))
            return true;
    return false;
}

static void head_rights(struct text *out, const struct runbook *rb, bool wished, const char *title)
{
    const struct step_right *right;
    const char **seen = NULL;
    size_t n = 0, entry = 0, at = 0;

    while ((right = right_next(rb, &entry, &at))) {
        const char *one = arena_printf(rb->arena, "%s on %s", right->role, right->scope);
        size_t j = 0;

        while (j < n && !str_eq(seen[j], one))
            j++;
        if (j == n && right->wish == wished && !right_held_above(rb, right))
            arena_push(rb->arena, seen, n, one);
    }
    if (!n)
        return;
    comment(out, 0, "%s", title);
    for (size_t i = 0; i < n; i++)
        comment(out, 2, "%s", seen[i]);
    comment(out, 0, "%s", "");
}

/* A script reads no manifest: an order that is withdrawn or changed after it was written is in force for it. */
static void head_orders(struct text *out, const struct runbook *rb)
{
    const char *words = "";
    size_t n = 0;

    for (size_t i = 0; i < rb->count; i++) {
        const char *order = value_str_at(rb->entries[i].step->detail, "orderedBy");
        bool told = !order || rb->entries[i].barred;

        for (size_t k = 0; k < i && !told; k++)
            told = !rb->entries[k].barred &&
                   str_eq(value_str_at(rb->entries[k].step->detail, "orderedBy"), order);
        if (!told)
            words = arena_printf(rb->arena, "%s%s%s", words, n++ ? ", " : "", order);
    }
    if (n)
        comment(
            out, 0,
            "It rests on order%s %s as of the time above: its end is looked at before each trigger, its file is not "
            "read again. If it has been withdrawn or changed since, do not run this.",
            n > 1 ? "s" : "", words);
}

static void head(struct text *out, const struct runbook *rb, const struct shell *shell)
{
    const char *digest = rb->plan->digest ? strchr(rb->plan->digest, ':') : NULL;
    size_t held = 0;
    int64_t estimate = plan_estimate(rb->arena, rb->plan, &(size_t){0});

    for (size_t i = 0; i < rb->count; i++)
        held += rb->entries[i].barred != NULL;
    comment(
        out, 0,
        "Runbook (%s) of plan %.12s, made %s by reinstate. Good for what was seen then: make a new one when in doubt.",
        shell->name, digest ? digest + 1 : "", time_format(rb->arena, rb->plan->made_ms));
    head_orders(out, rb);
    comment(out, 0, "%s", "");
    head_deadlines(out, rb);
    comment(out, 0, "%zu steps, %zu of them held back%s%s.", rb->count, held, estimate >= 0 ? "; about " : "",
            estimate >= 0 ? duration_format(rb->arena, estimate) : "");
    comment(out, 0,
            "Step by step, in this order; see what must be seen before going on. Each step looks before it acts, so it "
            "may be run "
            "again. There is no secret in this file.");
    comment(out, 0, "%s", "");
    head_rights(out, rb, false, "Who does this needs, at least (or roles that hold the same):");
    head_rights(
        out, rb, true,
        "For the claim that is written before each trigger (without it two runs at one moment can trigger twice):");
}

/* --- a step ------------------------------------------------------------------------------------------------------- */

static void step_rulings(struct text *out, const struct step *step)
{
    for (size_t i = 0; i < step->n_rulings; i++) {
        const struct ruling *r = &step->rulings[i];

        comment(out, 2, "policy: rule %s: %s%s%s%s%s", r->rule, verdict_name(r->verdict),
                r->approved_by ? ", approved by " : "", r->approved_by ? r->approved_by : "", r->message ? "; " : "",
                r->message ? r->message : "");
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

    comment(out, 0, "---- %zu. %s%s%s%s", e->number, step->id, step->scenario ? " (" : "",
            step->scenario ? step->scenario : "", step->scenario ? ")" : "");
    comment(out, 2, "%s", step->reason);
    step_rulings(out, step);
    for (size_t i = 0; i < step->n_rights; i++)
        comment(out, 2, "%s the right %s (%s)", step->rights[i].wish ? "for its claim, where it is had, uses" : "needs",
                step->rights[i].action, step->rights[i].role);
    if (step->estimate_ms >= 0)
        comment(out, 2, "takes about %s%s%s", duration_format(rb->arena, step->estimate_ms),
                step->estimate_source ? "; " : "", step->estimate_source ? step->estimate_source : "");
    for (size_t i = 0; i < COUNT(remarks); i++)
        if (remarks[i].text)
            comment(out, 2, "%s: %s", remarks[i].lead, remarks[i].text);
}

static void step_write(struct text *out, const struct runbook *rb, const struct runbook_entry *e,
                       const struct shell *shell)
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

/* --- the whole ---------------------------------------------------------------------------------------------------- */

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
