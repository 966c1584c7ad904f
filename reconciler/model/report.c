/* Knows how a plan is shown to people. Everything a service or a manifest may have said is cleaned of
 * control characters on its way to a terminal. Must not know who prints it, nor decide anything. */
#include "report.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../format/json.h"
#include "page.h"

/* --- one step ----------------------------------------------------------------------------------------------------- */

enum { VALUE_SHOWN_MAX = 200 };

static const char *value_words(struct arena *a, const struct value *v)
{
    const char *text;
    int n = VALUE_SHOWN_MAX;

    if (!v || v->type == VALUE_NULL)
        return "(absent)";
    if (v->type == VALUE_UNKNOWN)
        return "(known after apply)";
    text = value_str(v) && *value_str(v) ? value_str(v) : json_string(a, v, JSON_COMPACT);
    if (strlen(text) <= VALUE_SHOWN_MAX)
        return text;
    /* Not in the middle of a character. */
    while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
        n--;
    return arena_printf(a, "%.*s...", n, text);
}

static void step_changes(const struct page *p, const struct step *step)
{
    for (size_t i = 0; i < step->n_changes; i++) {
        const struct change *c = &step->changes[i];

        page_line(p, 6, PLAIN, "", "%s: %s -> %s%s%s%s", c->path,
                  value_words(p->arena, change_shown(p->arena, c, c->before)),
                  value_words(p->arena, change_shown(p->arena, c, c->after)), c->why ? " (" : "", c->why ? c->why : "",
                  c->why ? ")" : "");
    }
}

static const char *ruling_lead(struct arena *a, const struct step *step, const struct ruling *r,
                               enum colour *ret_colour)
{
    *ret_colour = r->verdict >= VERDICT_OBSERVE_ONLY ? RED : YELLOW;
    if (r->verdict == VERDICT_ALLOW || r->approved_by) {
        *ret_colour = GREEN;
        return r->approved_by ? arena_printf(a, "approved by %s:", r->approved_by) : "allowed:";
    }
    if (r->verdict == VERDICT_WARN)
        return "warning:";
    if (!step_alters(step))
        return "policy is not met:";
    if (r->verdict == VERDICT_REQUIRE_APPROVAL)
        return "needs approval:";
    return r->verdict == VERDICT_DENY ? "denied:" : "observed only:";
}

static void step_rulings(const struct page *p, const struct step *step)
{
    for (size_t i = 0; i < step->n_rulings; i++) {
        const struct ruling *r = &step->rulings[i];
        bool waits = r->verdict == VERDICT_REQUIRE_APPROVAL && !r->approved_by && step_alters(step);
        enum colour colour;
        const char *lead = ruling_lead(p->arena, step, r, &colour);
        const char *place = r->origin.file ? arena_printf(p->arena, " (%s:%d)", r->origin.file, r->origin.line) : "";

        page_line(p, 6, colour, lead, "rule %s%s%s%s%s%s%s%s%s", r->rule, place, r->message ? ": " : "",
                  r->message ? r->message : "", r->evidence ? "; " : "", r->evidence ? r->evidence : "",
                  waits ? "; approve with --approve " : "", waits ? r->rule : "", waits ? "=YOUR-NAME" : "");
    }
}

static void step_notes(const struct page *p, const struct step *step)
{
    if (step->lacking)
        page_line(p, 6, YELLOW, "not done before:", "%s", step->lacking);
    for (size_t i = 0; i < step->n_notes; i++)
        page_line(p, 6, YELLOW, "note:", "%s", step->notes[i]);
}

static void step_remarks(const struct page *p, const struct step *step)
{
    const struct {
        enum colour colour;
        const char *lead, *text;
    } remarks[] = {
        {DIM, "only if:", step->precondition},         {DIM, "done when:", step->postcondition},
        {YELLOW, "will look wrong and is not:", step->foretold}, {YELLOW, "unverified on Azure:", step->unverified},
        {BOLD, "next:", step->next},
    };

    if (step->estimate_ms >= 0)
        page_line(p, 6, DIM, "takes:", "about %s%s%s", duration_format(p->arena, step->estimate_ms),
                  step->estimate_source ? "; " : "", step->estimate_source ? step->estimate_source : "");
    for (size_t i = 0; i < COUNT(remarks); i++)
        if (remarks[i].text)
            page_line(p, 6, remarks[i].colour, remarks[i].lead, "%s", remarks[i].text);
    step_notes(p, step);
}

static enum colour action_colour(enum action action)
{
    if (action == ACTION_BLOCKED)
        return RED;
    if (!action_writes(action))
        return DIM;
    return action == ACTION_UPDATE ? YELLOW : GREEN;
}

static void step_head(const struct page *p, const struct step *step, size_t number)
{
    const char *verb = step->action == ACTION_BLOCKED ? "blocked" : step_verb(step);

    page_line(p, 2, action_colour(step->action),
              arena_printf(p->arena, "%2zu %s %s", number, action_glyph(step->action), verb), "%s%s%s",
              step->scenario ? step->scenario : "", step->scenario ? ": " : "", step->reason);
}

static const char *needs_joined(struct arena *a, const struct step *step)
{
    const char *text = "";

    for (size_t i = 0; i < step->n_needs; i++)
        text = arena_printf(a, "%s%s%s", text, i ? ", " : "", step->needs[i]);
    return text;
}

static void step_show(const struct page *p, const struct step *step, size_t number)
{
    step_head(p, step, number);
    step_changes(p, step);
    if (step->n_needs)
        page_line(p, 6, DIM, "after:", "%s", needs_joined(p->arena, step));
    step_rulings(p, step);
    step_remarks(p, step);
}

/* --- grouping by document ----------------------------------------------------------------------------------------- */

struct cluster {
    const struct document *document;
    const struct step **steps;
    size_t *numbers;                 /* place in the order of execution, from 1; steps that are none do not count */
    size_t count, n_numbers, n_active;
};

struct clusters {
    struct cluster *items;
    size_t count;
};

/* Documents in the order in which something is done to them. */
static struct clusters clusters_make(struct arena *a, const struct plan *p)
{
    struct clusters all = {0};
    size_t highest = 0, number = 0, *places;

    for (size_t i = 0; i < p->steps.count; i++)
        if (p->steps.items[i]->document->index > highest)
            highest = p->steps.items[i]->document->index;
    places = arena_array(a, size_t, highest + 1);
    for (size_t i = 0; i < p->steps.count; i++) {
        const struct step *step = p->steps.items[i];
        size_t *place = &places[step->document->index];
        struct cluster *c;

        if (*place == 0) {
            arena_push(a, all.items, all.count, (struct cluster){.document = step->document});
            *place = all.count;
        }
        c = &all.items[*place - 1];
        number += step->action != ACTION_NONE;
        c->n_active += step->action != ACTION_NONE;
        arena_push(a, c->steps, c->count, step);
        arena_push(a, c->numbers, c->n_numbers, number);
    }
    return all;
}

/* --- the plan ----------------------------------------------------------------------------------------------------- */

static void plan_show_deadlines(const struct page *page, const struct plan *p)
{
    const struct deadline *sorted = plan_deadlines(page->arena, p);

    if (p->n_deadlines == 0)
        return;
    page_line(page, 0, BOLD, "Cannot be undone once it has passed", "%s", "");
    for (size_t i = 0; i < p->n_deadlines; i++) {
        int64_t left = sorted[i].at_ms - p->made_ms;
        const char *when = left > 0 ? arena_printf(page->arena, "in %s:", duration_format(page->arena, left))
                                    : arena_printf(page->arena, "%s ago:", duration_format(page->arena, -left));

        page_line(page, 2, RED, when, "%s (%s)", sorted[i].what, time_format(page->arena, sorted[i].at_ms));
    }
    page_gap(page);
}

/* The rows of the scenario table that explain this plan, each once. */
static const char *plan_scenarios(struct arena *a, const struct plan *p)
{
    const char **seen = NULL, *words = NULL;
    size_t n = 0;

    for (size_t i = 0; i < p->steps.count; i++) {
        const char *scenario = p->steps.items[i]->scenario;
        size_t j = 0;

        while (scenario && j < n && !str_eq(seen[j], scenario))
            j++;
        if (!scenario || j < n)
            continue;
        arena_push(a, seen, n, scenario);
        words = arena_printf(a, "%s%s%s", words ? words : "", words ? ", " : "", scenario);
    }
    return words;
}

static void unseen_show(const struct page *page, const struct plan *p)
{
    if (p->n_unseen)
        page_line(page, 0, YELLOW,
                  arena_printf(page->arena, "%zu document%s cannot be seen:", p->n_unseen, p->n_unseen == 1 ? "" : "s"),
                  "nobody knows whether they are as declared; all others are judged");
}

/* "To do" is only what will be done: whoever says yes must not count on what is denied, or on what hangs on that. */
static void counts_show(const struct page *page, const struct plan *p)
{
    struct arena *a = page->arena;
    size_t due = plan_due(a, p), held = p->n_changes - p->n_blocked - due;
    const char *counts =
        arena_printf(a, "%zu to do, %zu blocked, %zu waiting for approval", due, p->n_blocked, p->n_approvals);
    const char *denied = p->n_denied ? arena_printf(a, "%zu denied by policy", p->n_denied) : NULL;

    held -= p->n_denied < held ? p->n_denied : held;
    page_line(page, 0, BOLD, counts, "%s%s%s%s%s", denied || held ? "(" : "", denied ? denied : "",
              denied && held ? ", " : "",
              held ? arena_printf(a, "%zu held up by %sa right we lack", held, denied ? "that or " : "") : "",
              denied || held ? ")" : "");
}

static const char *what_rules(struct arena *a, const struct plan *p, int64_t estimate)
{
    const char *of;

    return plan_allowed_ms(a, p, &of) == estimate && of
               ? arena_printf(a, "at least, since no more is allowed: %s", of)
               : "along the longest chain";
}

static void plan_show_summary(const struct page *page, const struct plan *p)
{
    struct arena *a = page->arena;
    size_t n_unknown = 0;
    int64_t estimate = plan_estimate(a, p, &n_unknown);
    const char *scenarios = plan_scenarios(a, p);

    if (p->n_changes == 0) {
        page_line(page, 0, GREEN, "Nothing to do.", "%s", "");
    } else {
        counts_show(page, p);
        unseen_show(page, p);
    }
    if (scenarios)
        page_line(page, 0, PLAIN, "", "Scenario: %s", scenarios);
    if (estimate >= 0)
        page_line(page, 0, PLAIN, "", "About %s %s%s", duration_format(a, estimate), what_rules(a, p, estimate),
                  n_unknown ? arena_printf(a, ", not counting %zu step%s without an estimate", n_unknown,
                                           n_unknown == 1 ? "" : "s")
                            : "");
}

void report_plan(struct text *out, const struct plan *p, const struct report_style *style)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct page page = {.out = out, .style = style, .arena = a};
    struct clusters all = clusters_make(a, p);
    bool silent = false;

    plan_show_deadlines(&page, p);
    plan_show_summary(&page, p);
    for (size_t i = 0; i < all.count; i++) {
        const struct cluster *c = &all.items[i];

        if (c->n_active == 0)
            continue;
        page_gap(&page);
        page_line(&page, 0, BOLD, c->document->address, "%s", "");
        for (size_t j = 0; j < c->count; j++)
            if (c->steps[j]->action != ACTION_NONE)
                step_show(&page, c->steps[j], c->numbers[j]);
    }
    for (size_t i = 0; i < all.count; i++) {
        const struct cluster *c = &all.items[i];

        for (size_t j = 0; j < c->count && c->n_active == 0; j++) {
            if (!silent)
                page_gap(&page);
            silent = true;
            page_line(&page, 0, DIM, arena_printf(a, "%s %s:", action_glyph(ACTION_NONE), c->document->address), "%s",
                      c->steps[j]->reason);
            step_rulings(&page, c->steps[j]);
            step_notes(&page, c->steps[j]);
        }
    }
}

/* --- drift -------------------------------------------------------------------------------------------------------- */

enum { NAMED_MAX = 8 };

struct affected {
    const struct document **items;
    size_t count;
};

static void affected_add(struct arena *a, struct affected *all, const struct document *doc, const struct document *but)
{
    for (size_t i = 0; i < doc->n_referrers; i++) {
        const struct document *d = doc->referrers[i];
        size_t j = 0;

        while (j < all->count && all->items[j] != d)
            j++;
        if (j == all->count && d != but)
            arena_push(a, all->items, all->count, d);
    }
}

/* Everything that depends on the document; for a grant, on what it opens, since nothing names the grant itself. */
static struct affected affected_by(struct arena *a, const struct step *step)
{
    const struct document *doc = step->document;
    struct affected all = {0};

    affected_add(a, &all, doc, doc);
    for (size_t i = 0; step->action == ACTION_GRANT && i < doc->n_references; i++)
        if (doc->references[i].target)
            affected_add(a, &all, doc->references[i].target, doc);
    for (size_t i = 0; i < all.count; i++)
        affected_add(a, &all, all.items[i], doc);
    return all;
}

static void finding_show(const struct page *p, const struct step *step)
{
    struct affected all = affected_by(p->arena, step);
    const char *names = "";

    page_line(p, 2, action_colour(step->action), action_glyph(step->action), "%s", step->reason);
    step_changes(p, step);
    for (size_t i = 0; i < all.count && i < NAMED_MAX; i++)
        names = arena_printf(p->arena, "%s%s%s", names, *names ? ", " : "", all.items[i]->address);
    if (all.count > NAMED_MAX)
        names = arena_printf(p->arena, "%s and %zu more", names, all.count - NAMED_MAX);
    if (*names)
        page_line(p, 6, YELLOW, "this breaks or weakens:", "%s", names);
    step_rulings(p, step);
    if (step->next)
        page_line(p, 6, BOLD, "next:", "%s", step->next);
    else if (action_writes(step->action))
        page_line(p, 6, DIM, "apply would:", "%s", step_verb(step));
}

static void drift_notes(const struct page *page, const struct plan *p)
{
    bool any = false;

    for (size_t i = 0; i < p->steps.count; i++)
        for (size_t j = 0; j < p->steps.items[i]->n_notes; j++, any = true)
            page_line(page, 0, YELLOW, arena_printf(page->arena, "note, %s:", p->steps.items[i]->document->address),
                      "%s", p->steps.items[i]->notes[j]);
    if (any)
        page_gap(page);
}

void report_drift(struct text *out, const struct plan *p, const struct report_style *style)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct page page = {.out = out, .style = style, .arena = a};
    struct clusters all = clusters_make(a, p);
    size_t n = 0;

    plan_show_deadlines(&page, p);
    for (size_t i = 0; i < all.count; i++) {
        const struct cluster *c = &all.items[i];

        if (c->n_active == 0)
            continue;
        page_line(&page, 0, BOLD, c->document->address, "%s", "");
        for (size_t j = 0; j < c->count; j++)
            if (plan_is_difference(p, c->steps[j])) {
                finding_show(&page, c->steps[j]);
                n++;
            }
        page_gap(&page);
    }
    drift_notes(&page, p);
    if (n)
        page_line(&page, 0, BOLD, arena_printf(a, "%zu difference%s", n, n == 1 ? "" : "s"), "%s", "");
    else
        page_line(&page, 0, GREEN, "no drift", "%s", "");
    unseen_show(&page, p);
}
