/* Knows how long a write of ours may read as undone, and how that is told from a write of somebody else. The one place
 * where what was written is read again. Must not know what is written. */
#include "../format/json.h"
#include "internal.h"

/* Azure may answer with an older state, a 404 or a list without the new entry for minutes after it has taken a write
 * (Azure/terraform-provider-azapi 587): what reads as undone is read again before it counts as undone. */
bool run_look_later(struct call *c, struct run *r, const struct step *step, struct run_patience *p, const char *seen,
                    struct err *err)
{
    if (p->left_ms <= 0)
        return false;
    if (p->pause_ms > p->left_ms)
        p->pause_ms = p->left_ms;
    run_tell(r, ENGINE_STEP_SAYS, step,
             arena_printf(r->arena, "Azure does not show it yet (%s): reading again in %s, for up to %s more", seen,
                          duration_format(r->arena, p->pause_ms), duration_format(r->arena, p->left_ms)),
             0);
    if (call_sleep_ms(c, p->pause_ms, "what was done to be seen", err) < 0 || run_observe_again(c, r, step, err) < 0)
        return false;
    p->left_ms -= p->pause_ms;
    p->pause_ms *= 2;
    return true;
}

bool run_look_once_more(struct call *c, struct run *r, const struct step *step, struct err *err)
{
    enum { MOMENT_MS = 5 * SECOND_MS };

    run_tell(r, ENGINE_STEP_SAYS, step, "what it needs reads as changed by somebody else: looking once more", 0);
    return call_sleep_ms(c, MOMENT_MS, "a second look", err) == 0 && run_observe_again(c, r, step, err) == 0;
}

struct run_patience run_patience(const struct run *r, const struct step *step)
{
    int64_t own_ms = engine_kind(r->engine, step->document)->readback_ms;

    return (struct run_patience){.left_ms = own_ms ? own_ms : r->engine->settings->readback_ms,
                                 .pause_ms = 5 * SECOND_MS};
}

/* Finds a member that somebody else wrote: it shows neither the value before our write (as a late
 * answer would) nor ours. */
static const struct change *of_another(const struct step *ours, const struct step *again)
{
    for (size_t i = 0; i < again->n_changes; i++)
        for (size_t k = 0; k < ours->n_changes; k++) {
            const struct change *now = &again->changes[i], *sent = &ours->changes[k];

            if (str_eq(now->path, sent->path) && now->before && !value_is(sent->after, VALUE_UNKNOWN) &&
                !value_equal(now->before, sent->before) && !value_equal(now->before, sent->after))
                return now;
        }
    return NULL;
}

bool run_changed_by_another(struct arena *a, const struct step *ours, const struct step *again, struct err *err)
{
    const struct change *theirs = of_another(ours, again);

    if (!theirs)
        return false;
    err_set(err, ERR_CONFLICT, "done, and somebody else has changed it since: %s is %s", theirs->path,
            json_string(a, theirs->before, JSON_COMPACT));
    err_advise(err, "find out who, then run plan: nothing was tried a second time");
    return true;
}

/* --- refused for now ---------------------------------------------------------------------------------------------- */

/* `doc` is `other`, or refers to it over however many documents. */
static bool relies_on(const struct document *doc, const struct document *other)
{
    if (doc == other)
        return true;
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target && relies_on(doc->references[i].target, other))
            return true;
    return false;
}

/* What this run has brought back or made, or (`granted`) granted, and what the step relies on. */
static bool done_of_late(const struct run *r, const struct step *step, bool granted)
{
    for (size_t i = 0; i < r->outcome->count; i++) {
        const struct step_outcome *slot = &r->outcome->steps[i];
        enum action did = slot->step->action;

        if (slot->state == STEP_DONE &&
            (did == ACTION_RECOVER || did == ACTION_CREATE || (granted && did == ACTION_GRANT)) &&
            (relies_on(step->document, slot->step->document) || relies_on(slot->step->document, step->document)))
            return true;
    }
    return false;
}

bool run_just_opened(const struct run *r, const struct step *step)
{
    return done_of_late(r, step, true);
}

/* A grant that does not act yet explains a refusal; of what does not answer, or answers badly, only a store that is
 * just back is the cause. */
bool run_refused_yet(const struct run *r, const struct step *step)
{
    const struct desired *d = r->view.desired;

    for (size_t i = 0; i < d->count; i++)
        if (str_eq(view_state(&r->view, d->documents[i]), "unseen") && relies_on(step->document, d->documents[i]) &&
            done_of_late(r, step, !value_bool_at(view_facts(&r->view, d->documents[i]), "failed", false)))
            return true;
    return false;
}
