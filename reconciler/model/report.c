/* Knows how a plan is shown to people. Everything a service or a manifest may have said is cleaned of
 * control characters on its way to a terminal. Must not know who prints it, nor decide anything. */
#include "report.h"

#include <string.h>

#include "../base/clock.h"
#include "../base/text.h"
#include "../format/json.h"
#include "report_head.h"

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
        /* Of what another rule refuses no name is asked for: it would change nothing. */
        bool waits = r->verdict == VERDICT_REQUIRE_APPROVAL && !r->approved_by && step_alters(step) &&
                     !step_refused(step);
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

/* Each mark that the plan has, with its word. */
static void legend(const struct page *page, const struct plan *p)
{
    const char *words = "";

    for (enum action a = 0; a < ACTION_COUNT; a++) {
        bool any = false;

        for (size_t i = 0; i < p->steps.count && !any; i++)
            any = p->steps.items[i]->action == a;
        if (any)
            words = arena_printf(page->arena, "%s%s%s %s", words, *words ? ", " : "", action_glyph(a),
                                 a == ACTION_NONE ? "as it is" : action_name(a));
    }
    if (!*words)
        return;
    page_gap(page);
    page_line(page, 0, DIM, "Marks:", "%s", words);
}

static void quiet_step(const struct page *page, const struct step *step)
{
    page_line(page, 0, DIM, arena_printf(page->arena, "%s %s:", action_glyph(ACTION_NONE), step->document->address),
              "%s", step->reason);
    step_rulings(page, step);
    step_notes(page, step);
}

/* What is no difference is a matter of course, unless policy or a finding says something of it. */
static void quiet_show(const struct page *page, const struct clusters *all)
{
    size_t shown = 0, passed = 0;

    for (size_t i = 0; i < all->count; i++) {
        const struct cluster *c = &all->items[i];

        for (size_t j = 0; j < c->count && c->n_active == 0; j++) {
            const struct step *step = c->steps[j];

            if (!page->style->all && !step->matters && !step->n_rulings && !step->n_notes && !step->lacking) {
                passed++;
                continue;
            }
            if (!shown++)
                page_gap(page);
            quiet_step(page, step);
        }
    }
    if (!passed)
        return;
    if (!shown)
        page_gap(page);
    page_line(page, 0, DIM, "", "%s %zu %sdocument%s as %s, without a step (--all names %s)", action_glyph(ACTION_NONE),
              passed, shown ? "more " : "", passed == 1 ? "" : "s", passed == 1 ? "it is" : "they are",
              passed == 1 ? "it" : "them");
}

void report_steps(struct text *out, const struct plan *p, const struct report_style *style)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct page page = {.out = out, .style = style, .arena = a};
    struct clusters all = clusters_make(a, p);

    legend(&page, p);
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
    quiet_show(&page, &all);
}

void report_plan(struct text *out, const struct plan *p, const struct report_style *style)
{
    report_head(out, p, style);
    report_steps(out, p, style);
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

    report_deadlines(&page, p, SIZE_MAX);
    if (p->n_deadlines)
        page_gap(&page);
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
    report_unseen(&page, p);
}
