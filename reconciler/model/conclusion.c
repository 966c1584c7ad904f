/* Holds steps against what was concluded of the documents they rely on and serve. Must not know any kind. */
#include "conclusion.h"

#include "../base/text.h"

const char *prospect_name(enum prospect p)
{
    static const char *const names[] = {
        [PROSPECT_SATISFIED] = "satisfied", [PROSPECT_PENDING] = "pending", [PROSPECT_BLOCKED] = "blocked"};

    return names[p];
}

bool step_pends(const struct step *step)
{
    /* A verify step by itself changes nothing: what it looks at is there. */
    return step->action != ACTION_NONE && step->action != ACTION_VERIFY && step->action != ACTION_BLOCKED;
}

/* What is concluded of a document; nothing yet, where it may not be asked for. */
static struct conclusion of(const struct concluding *c, const struct document *doc)
{
    return steps_asked(c->steps, doc) ? c->all[doc->index] : (struct conclusion){.verdict = PROSPECT_SATISFIED};
}

static void count_in(struct conclusion *own, const struct step *step)
{
    if (step->aside)
        return;
    if (step->action == ACTION_BLOCKED && !own->block)
        own->block = step;
    if (own->block)
        own->verdict = PROSPECT_BLOCKED;
    else if (step_pends(step))
        own->verdict = PROSPECT_PENDING;
}

static void begin_anew(struct conclusion *own)
{
    own->verdict = PROSPECT_SATISFIED;
    own->block = NULL;
}

void conclude_document(const struct concluding *c, const struct document *doc, size_t from)
{
    begin_anew(&c->all[doc->index]);
    for (size_t i = from; i < c->steps->count; i++)
        if (c->steps->items[i]->document == doc)
            count_in(&c->all[doc->index], c->steps->items[i]);
}

static void conclude_all(const struct concluding *c)
{
    for (size_t i = 0; i < c->steps->count; i++)
        begin_anew(&c->all[c->steps->items[i]->document->index]);
    for (size_t i = 0; i < c->steps->count; i++)
        count_in(&c->all[c->steps->items[i]->document->index], c->steps->items[i]);
}

/* --- forwards: what relies on a blocked document ------------------------------------------------------------------ */

/* A suspended document is left alone whole: nothing is done by means of it, although it may be as declared. The step
 * stands for that, and is in no plan. */
static const struct step *stillness(const struct concluding *c, const struct document *doc)
{
    struct step *still = arena_new_of(c->steps->arena, struct step);

    still->document = doc;
    still->action = ACTION_BLOCKED;
    return still;
}

/* The block that stands in the way of relying on `doc`: its own, or one of what it relies on itself. The documents form
 * no circle, so the walk ends. */
static const struct step *block_of(const struct concluding *c, const struct document *doc)
{
    const struct step *found = of(c, doc).block;

    if (!found && doc->suspended)
        found = stillness(c, doc);

    for (size_t i = 0; !found && i < doc->n_references; i++)
        if (doc->references[i].target && c->relies(c->ctx, doc, &doc->references[i]))
            found = block_of(c, doc->references[i].target);
    return found;
}

static const struct step *blocked_need(const struct concluding *c, const struct step *step)
{
    const struct step *found = NULL;

    for (size_t i = 0; (step->needs_any || !found) && i < step->n_needs; i++) {
        const struct step *need = steps_find(c->steps, step->needs[i]);
        bool blocked = need && need->action == ACTION_BLOCKED;

        if (step->needs_any && need && !blocked)
            return NULL;
        if (blocked && !found)
            found = need;
    }
    return found;
}

static const struct step *block_before(const struct concluding *c, const struct step *step)
{
    const struct step *found = NULL;

    for (size_t i = 0; !found && i < step->n_on; i++)
        found = block_of(c, step->on[i]);
    return found ? found : blocked_need(c, step);
}

/* The first cause is named: a chain of "see that one" sends people from document to document. */
static void hold(const struct concluding *c, struct step *step, const struct step *block, const char *why)
{
    /* What policy withholds says nothing of why; the step that is in vain without it does. */
    const struct step *root = block->held_by && block->held_by->action == ACTION_BLOCKED ? block->held_by : block;
    struct arena *a = c->steps->arena;

    if (!root->id) {
        step_withhold(c->steps, step, root->document);
        return;
    }
    step_make_blocked(step, root,
                      arena_printf(a, "%s; %s %s: %s", step->reason, why, root->document->address, root->reason),
                      root->next ? root->next : arena_printf(a, "see %s", root->document->address));
}

/* Drops verifications whose step will not be done: they would look for something that nobody makes. */
static void drop_verifications(const struct concluding *c)
{
    struct steps *s = c->steps;
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct step *step = s->items[i];
        bool pointless = false;

        for (size_t k = 0; step->action == ACTION_VERIFY && k < step->n_needs; k++) {
            const struct step *need = steps_find(s, step->needs[k]);

            pointless = pointless || (need && need->action == ACTION_BLOCKED);
        }
        if (!pointless)
            s->items[kept++] = step;
    }
    if (kept == s->count)
        return;
    s->count = kept;
    steps_index(s);
}

bool conclude_hold(const struct concluding *c, size_t from)
{
    bool any = false;

    for (size_t i = from; i < c->steps->count; i++) {
        struct step *step = c->steps->items[i];
        const struct step *block = step_pends(step) && !step->adopts ? block_before(c, step) : NULL;

        if (!block)
            continue;
        hold(c, step, block, "held up by");
        any = true;
    }
    return any;
}

/* --- backwards: what would be done in vain ------------------------------------------------------------------------ */

static const struct step *withheld_of(const struct concluding *c, const struct document *doc)
{
    const struct index_entry *at = NULL;
    const struct step *step;

    while ((step = steps_next(c->steps, doc, &at)))
        if (!step->aside && step_pends(step) && step_withheld(step))
            return step;
    return NULL;
}

/* A step that policy withholds, of the document or of one it relies on. */
static const struct step *withheld_under(const struct concluding *c, const struct document *doc)
{
    const struct step *found = withheld_of(c, doc);

    for (size_t i = 0; !found && i < doc->n_references; i++)
        if (doc->references[i].target && c->relies(c->ctx, doc, &doc->references[i]))
            found = withheld_under(c, doc->references[i].target);
    return found;
}

/* A step that this one needs and policy withholds. */
static const struct step *withheld_need(const struct concluding *c, const struct step *step)
{
    for (size_t i = 0; i < step->n_needs && !step->needs_any; i++) {
        const struct step *need = steps_find(c->steps, step->needs[i]);

        if (need && step_pends(need) && step_withheld(need))
            return need;
    }
    return NULL;
}

/* The step that makes a document impossible: one of its own, or of a document it relies on, that is blocked or that
 * policy withholds. */
static const struct step *impossible(const struct concluding *c, const struct document *doc)
{
    const struct step *found = block_of(c, doc), *step;
    const struct index_entry *at = NULL;

    if (!found)
        found = withheld_under(c, doc);
    while (!found && (step = steps_next(c->steps, doc, &at))) {
        if (step->aside || !step_pends(step))
            continue;
        for (size_t k = 0; !found && k < step->n_on; k++)
            found = withheld_under(c, step->on[k]);
        found = found ? found : withheld_need(c, step);
    }
    return found;
}

static const struct step *vain_for(const struct concluding *c, const struct step *step)
{
    const struct step *first = NULL;

    for (size_t i = 0; i < step->n_serves; i++) {
        const struct step *block = impossible(c, step->serves[i]);

        if (!block)
            return NULL;
        if (!first)
            first = block;
    }
    return first;
}

/* What an order alone approves is done for that order alone. What policy lets pass, or somebody approves by name, is
 * done for itself. */
static bool wanted_for_itself(const struct step *step)
{
    for (size_t i = 0; i < step->n_rulings; i++)
        if (step->rulings[i].by_order)
            return false;
    return step->covered;
}

/* It rests on what is held up itself, or on what an order alone begins: nobody's name brings it about. */
static bool rests_on_others(const struct steps *steps, const struct step *step)
{
    for (size_t i = 0; i < step->n_needs; i++) {
        const struct step *need = steps_find(steps, step->needs[i]);

        if (need && (need->action == ACTION_BLOCKED || (need->n_serves && !need->covered)))
            return true;
    }
    return false;
}

/* Whoever wants it without the order can still have it. */
static void say_by_name(const struct steps *steps, struct arena *a, struct step *step)
{
    if (rests_on_others(steps, step))
        return;
    for (size_t i = 0; step->covered && i < step->n_rulings; i++)
        if (step->rulings[i].by_order)
            step->next = arena_printf(a, "%s; or have this done without the order: --approve %s=YOUR-NAME", step->next,
                                      step->rulings[i].rule);
}

static void hold_vain(const struct concluding *c, struct step *step, const struct step *block)
{
    const struct ruling *ruling = block->action == ACTION_BLOCKED ? NULL : step_withheld(block);
    struct arena *a = c->steps->arena;

    if (!ruling) {
        hold(c, step, block, "it would be in vain, held up by");
        say_by_name(c->steps, a, step);
        return;
    }
    step_make_blocked(step, block,
                      arena_printf(a, "%s; it would be in vain, since policy withholds %s: %s by rule %s", step->reason,
                                   block->id, verdict_name(block->verdict), ruling->rule),
                      block->verdict == VERDICT_REQUIRE_APPROVAL
                          ? arena_printf(a, "approve it: --approve %s=YOUR-NAME", ruling->rule)
                          : "look at the rule: reinstate plan shows its file and line");
    say_by_name(c->steps, a, step);
}

/* `step` itself is what `block` comes from. */
static bool comes_round(const struct concluding *c, const struct step *block, const struct step *step)
{
    for (size_t i = 0; block && block != step && i <= c->steps->count; i++)
        block = block->held_by;
    return block == step;
}

/* Blocks what serves nothing that can be done. true: there was something. */
static bool hold_all_vain(const struct concluding *c)
{
    bool any = false;

    for (size_t i = 0; i < c->steps->count; i++) {
        struct step *step = c->steps->items[i];
        const struct step *block = step->n_serves && step_pends(step) && !step->adopts && !wanted_for_itself(step)
                                       ? vain_for(c, step)
                                       : NULL;

        /* What policy withholds of the step itself is told by that, also where it comes round to it. */
        if (!block || comes_round(c, block, step))
            continue;
        hold_vain(c, step, block);
        any = true;
    }
    return any;
}

/* Those that come up meanwhile ask, too. */
void conclude_ask(const struct concluding *c)
{
    for (size_t i = 0; c->steps->asked && i < c->steps->count; i++) {
        const struct step *step = c->steps->items[i];

        if (!step_pends(step))
            continue;
        for (size_t k = 0; k < step->n_on; k++)
            (void)block_of(c, step->on[k]);
        for (size_t k = 0; k < step->n_needs; k++)
            (void)steps_find(c->steps, step->needs[k]);
        for (size_t k = 0; k < step->n_after; k++)
            (void)steps_find(c->steps, step->after[k]);
        for (size_t k = 0; k < step->n_serves; k++)
            (void)block_of(c, step->serves[k]);
    }
}

void conclude_vain(const struct concluding *c)
{
    bool again = true;

    /* Each round blocks at least one step more, so it ends. */
    while (again) {
        conclude_ask(c);
        conclude_all(c);
        again = hold_all_vain(c);
        again = conclude_hold(c, 0) || again;
    }
    drop_verifications(c);
}
