/* Knows what of a plan is read before somebody says yes, and how it fits on one screen. Must not know what follows. */
#include "report_head.h"

#include <string.h>

#include "../base/clock.h"

/* A screen has 24 lines; below the head stand where the whole plan is to be had, and the question. */
enum { ROWS = 19, WIDTH_ASSUMED = 80 };

/* How much is said, from the most on: it is told as fully as the screen has room for. A short word of each thing is
 * worth more than a long one of some. */
static const struct room {
    size_t items;                    /* named of a kind */
    size_t lines;                    /* of an item */
} rooms[] = {{6, 4}, {4, 2}, {4, 1}, {3, 1}, {2, 1}, {1, 2}, {1, 1}};

struct head {
    struct page page;
    const struct plan *plan;
    struct room room;
    size_t width;
};

/* Parts of sentences, each once, with how often it came. */
struct tally {
    struct {
        const char *words;
        size_t count;
    } *items;
    size_t count;
};

static void tally_add(struct arena *a, struct tally *t, const char *words)
{
    for (size_t i = 0; i < t->count; i++)
        if (str_eq(t->items[i].words, words)) {
            t->items[i].count++;
            return;
        }
    arena_push(a, t->items, t->count, ((__typeof__(*t->items)){words, 1}));
}

/* Cut between words; `taken` columns are gone already. */
static const char *shortened(const struct head *h, const char *words, size_t taken)
{
    size_t all = h->room.lines * h->width, n = all > 2 * taken ? all - taken : all / 2;

    if (strlen(words) <= n)
        return words;
    while (n > 0 && words[n] != ' ')
        n--;
    return n ? arena_printf(h->page.arena, "%.*s ...", (int)n, words) : words;
}

static void items_show(const struct head *h, size_t indent, enum colour colour, const char *lead,
                       const struct tally *t)
{
    for (size_t i = 0; i < t->count && i < h->room.items; i++) {
        const char *times =
            t->items[i].count > 1 ? arena_printf(h->page.arena, " (%zu times)", t->items[i].count) : "";
        const char *more = i + 1 == h->room.items && t->count > h->room.items
                               ? arena_printf(h->page.arena, "; and %zu more", t->count - h->room.items)
                               : "";
        size_t taken = strlen(lead) + strlen(times) + strlen(more) + strlen("   ...") + 2 * (h->room.lines - 1);

        page_line(&h->page, indent, colour, lead, "%s%s%s", shortened(h, t->items[i].words, taken), times, more);
    }
}

/* Short ones stand in one line. */
static void items_join(const struct head *h, size_t indent, enum colour colour, const char *lead,
                       const struct tally *t)
{
    struct arena *a = h->page.arena;
    const char *words = "";

    for (size_t i = 0; i < t->count && i < h->room.items; i++)
        words = arena_printf(a, "%s%s%s%s", words, i ? "; " : "", t->items[i].words,
                             t->items[i].count > 1 ? arena_printf(a, " (%zu times)", t->items[i].count) : "");
    if (t->count > h->room.items)
        words = arena_printf(a, "%s; and %zu more", words, t->count - h->room.items);
    if (t->count)
        page_line(&h->page, indent, colour, lead, "%s", words);
}

/* --- what cannot be undone ---------------------------------------------------------------------------------------- */

void report_deadlines(const struct page *page, const struct plan *p, size_t most)
{
    const struct deadline *sorted = plan_deadlines(page->arena, p);

    if (p->n_deadlines == 0)
        return;
    page_line(page, 0, BOLD, "Cannot be undone once it has passed", "%s", "");
    for (size_t i = 0; i < p->n_deadlines && i < most; i++) {
        int64_t left = sorted[i].at_ms - p->made_ms;
        const char *when = left > 0 ? arena_printf(page->arena, "in %s:", duration_format(page->arena, left))
                                    : arena_printf(page->arena, "%s ago:", duration_format(page->arena, -left));

        page_line(page, 2, RED, when, "%s (%s)%s", sorted[i].what, time_format(page->arena, sorted[i].at_ms),
                  i + 1 == most && p->n_deadlines > most
                      ? arena_printf(page->arena, "; and %zu later", p->n_deadlines - most)
                      : "");
    }
}

/* --- what is lost ------------------------------------------------------------------------------------------------- */

static void lost_show(const struct head *h)
{
    struct arena *a = h->page.arena;
    struct tally lost = {0};

    for (size_t i = 0; i < h->plan->steps.count; i++)
        if (h->plan->steps.items[i]->loses)
            tally_add(a, &lost, arena_printf(a, "%s: %s", h->plan->steps.items[i]->document->address,
                                             h->plan->steps.items[i]->loses));
    for (size_t i = 0; i < h->plan->steps.count; i++) {
        const struct step *step = h->plan->steps.items[i];

        if (step->action == ACTION_BLOCKED && !step->unseen && !step->held_by)
            tally_add(a, &lost, arena_printf(a, "%s: %s", step->document->address, step->reason));
        else if (action_words(step->action)->brings_back)
            tally_add(a, &lost, arena_printf(a, "%s: %s", step->document->address, step->reason));
    }
    if (!lost.count)
        return;
    page_line(&h->page, 0, BOLD, "Lost, missing or blocked", "%s", "");
    items_show(h, 2, RED, "", &lost);
}

/* --- what is done ------------------------------------------------------------------------------------------------- */

static const char *what_rules(struct arena *a, const struct plan *p, int64_t estimate)
{
    const char *of;

    return plan_allowed_ms(a, p, &of) == estimate && of
               ? arena_printf(a, "at least, since no more is allowed: %s", of)
               : "along the longest chain";
}

/* The rows of the scenario table that explain this plan, each once. */
static const char *plan_scenarios(struct arena *a, const struct plan *p)
{
    struct tally seen = {0};
    const char *words = NULL;

    for (size_t i = 0; i < p->steps.count; i++)
        if (p->steps.items[i]->scenario)
            tally_add(a, &seen, p->steps.items[i]->scenario);
    for (size_t i = 0; i < seen.count; i++)
        words = arena_printf(a, "%s%s%s", words ? words : "", words ? ", " : "", seen.items[i].words);
    return words;
}

void report_unseen(const struct page *page, const struct plan *p)
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

/* "export-key, 2 grant, wait" */
static void actions_show(const struct head *h)
{
    struct arena *a = h->page.arena;
    struct tally actions = {0};
    const char *words = "";

    for (size_t i = 0; i < h->plan->steps.count; i++) {
        const struct step *step = h->plan->steps.items[i];

        if (step->action != ACTION_NONE && step->action != ACTION_BLOCKED)
            tally_add(a, &actions, action_name(step->action));
    }
    for (size_t i = 0; i < actions.count; i++)
        words = arena_printf(a, "%s%s%s%s", words, i ? ", " : "",
                             actions.items[i].count > 1 ? arena_printf(a, "%zu ", actions.items[i].count) : "",
                             actions.items[i].words);
    if (*words)
        page_line(&h->page, 2, PLAIN, "", "%s", words);
}

/* What runs already and is not begun once more, what is meant to fail, and what is written where nobody has declared
 * anything. */
static void odd_show(const struct head *h)
{
    struct arena *a = h->page.arena;
    struct tally adopted = {0}, failing = {0}, left = {0};

    for (size_t i = 0; i < h->plan->steps.count; i++) {
        const struct step *step = h->plan->steps.items[i];

        if (step->action == ACTION_BLOCKED || step->action == ACTION_NONE)
            continue;
        if (step->adopts)
            tally_add(a, &adopted,
                      arena_printf(a, "job %s, %s: adopted, nothing is triggered for it", step->adopts,
                                   step_verb(step)));
        if (step->fails)
            tally_add(a, &failing, step->foretold ? step->foretold : step->reason);
        for (size_t k = 0; k < step->n_leaves; k++)
            tally_add(a, &left, step->leaves[k]);
    }
    items_show(h, 2, GREEN, "runs already:", &adopted);
    items_show(h, 2, YELLOW, "meant to fail:", &failing);
    items_join(h, 2, YELLOW, "written outside the estate:", &left);
}

static void time_show(const struct head *h)
{
    struct arena *a = h->page.arena;
    const struct plan *p = h->plan;
    const char *scenarios = plan_scenarios(a, p);
    size_t n_unknown = 0;
    int64_t estimate = plan_estimate(a, p, &n_unknown);

    if (scenarios)
        page_line(&h->page, 0, PLAIN, "", "Scenario: %s", scenarios);
    if (estimate < 0)
        return;
    page_line(&h->page, 0, PLAIN, "", "About %s %s%s; begun now it ends about %s", duration_format(a, estimate),
              what_rules(a, p, estimate),
              n_unknown ? arena_printf(a, ", not counting %zu step%s without an estimate", n_unknown,
                                       n_unknown == 1 ? "" : "s")
                        : "",
              time_format(a, (p->made_ms + estimate) / MINUTE_MS * MINUTE_MS));
}

/* --- who approves, what to watch ---------------------------------------------------------------------------------- */

static void approvals_show(const struct head *h)
{
    struct arena *a = h->page.arena;
    struct tally given = {0}, lacking = {0}, refused = {0};

    for (size_t i = 0; i < h->plan->steps.count; i++) {
        const struct step *step = h->plan->steps.items[i];

        for (size_t k = 0; step_alters(step) && k < step->n_rulings; k++) {
            const struct ruling *r = &step->rulings[k];

            if (r->approved_by)
                tally_add(a, &given, arena_printf(a, "%s, by %s", r->rule, r->approved_by));
            else if (r->verdict == VERDICT_REQUIRE_APPROVAL && !step_refused(step))
                tally_add(a, &lacking, arena_printf(a, "%s: --approve %s=YOUR-NAME", r->rule, r->rule));
            else if (r->verdict >= VERDICT_OBSERVE_ONLY)
                tally_add(a, &refused, r->rule);
        }
    }
    items_show(h, 0, YELLOW, "Approved by nobody yet:", &lacking);
    items_join(h, 0, RED, "Refused by rule:", &refused);
    items_join(h, 0, GREEN, "Approved:", &given);
}

static void watch_show(const struct head *h)
{
    struct arena *a = h->page.arena;
    struct tally watch = {0}, counts = {0};
    size_t unverified = 0, notes = 0;

    for (size_t i = 0; i < h->plan->steps.count; i++) {
        const struct step *step = h->plan->steps.items[i];

        if (step->lacking)
            tally_add(a, &watch, arena_printf(a, "%s is not done before: %s", step->id, step->lacking));
        if (step->foretold && !step->fails)
            tally_add(a, &watch, arena_printf(a, "%s will look wrong and is not: %s", step->id, step->foretold));
        unverified += step->unverified != NULL;
        notes += step->n_notes;
    }
    if (unverified)
        tally_add(a, &counts, arena_printf(a, "%zu step%s of which something was never verified on Azure", unverified,
                                          unverified == 1 ? "" : "s"));
    if (notes)
        tally_add(a, &counts, arena_printf(a, "%zu note%s beside the steps", notes, notes == 1 ? "" : "s"));
    items_show(h, 0, YELLOW, "To be watched:", &watch);
    items_join(h, 0, YELLOW, watch.count ? "And:" : "To be watched:", &counts);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static size_t lines_of(const struct text *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->len; i++)
        n += t->s[i] == '\n';
    return n;
}

static void head_write(struct text *out, const struct plan *p, const struct report_style *style,
                       const struct room *room)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct head h = {.page = {.out = out, .style = style, .arena = a}, .plan = p, .room = *room};

    h.width = style->width ? style->width : WIDTH_ASSUMED;
    report_deadlines(&h.page, p, room->items);
    if (p->n_changes == 0)
        page_line(&h.page, 0, GREEN, "Nothing to do.", "%s", "");
    lost_show(&h);
    if (p->n_changes) {
        counts_show(&h.page, p);
        report_unseen(&h.page, p);
        actions_show(&h);
        odd_show(&h);
    }
    time_show(&h);
    approvals_show(&h);
    watch_show(&h);
}

void report_head(struct text *out, const struct plan *p, const struct report_style *style)
{
    struct report_style measured = *style;

    measured.width = style->width ? style->width : WIDTH_ASSUMED;
    for (size_t i = 0; i < COUNT(rooms); i++) {
        struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};

        head_write(&t, p, &measured, &rooms[i]);
        if (lines_of(&t) > ROWS && i + 1 < COUNT(rooms))
            continue;
        head_write(out, p, style, &rooms[i]);
        return;
    }
}
