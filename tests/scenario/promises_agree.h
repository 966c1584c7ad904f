/* Whoever is asked about one machine gives one answer: plan, forecast, activate, impact and runbook read the same
 * conclusions, and name the same obstacles. Asked of the world that a command has looked at, in this process. */
#ifndef REINSTATE_TEST_PROMISES_AGREE_H
#define REINSTATE_TEST_PROMISES_AGREE_H

#include "../../providers/forecast/impact.h"
#include "../../providers/forecast/ordered_path.h"
#include "../../providers/keys/standing.h"
#include "../../providers/restore/obstacles.h"
#include "../../providers/runbook/runbook.h"
#include "../contract/rig.h"
#include "../invariants.h"

struct agreeing {
    struct arena *arena;
    struct rig *rig;
    const struct look *look;
    const struct value *runbook;
    const struct view *v;  /* as things stand */
    struct view loss, now; /* what an order would come to: on the day of the loss, and now */
};

/* What other questions of a forecast answer in words of their own (about_backup.c). */
static inline bool agree_other_words(const struct obstacle *o)
{
    static const char *const ids[] = {"item-",    "point-",    "azure",       "size",        "quota",
                                      "feature-", "perimeter", "lock-target", "locks-unseen"};

    for (size_t i = 0; i < COUNT(ids); i++)
        if (str_starts(o->id, ids[i]))
            return true;
    return false;
}

static inline bool agree_says(const struct value *v, const char *text)
{
    bool found = value_is(v, VALUE_STRING) && strstr(value_str(v), text), map = value_is(v, VALUE_MAP);

    for (size_t i = 0; !found && (map || value_is(v, VALUE_LIST)) && i < value_count(v); i++)
        found = agree_says(map ? v->map.members[i].value : value_item(v, i), text);
    return found;
}

static inline const struct step *agree_step(const struct view *v, const struct document *rvm, enum action action,
                                            const char *reason)
{
    for (size_t i = 0; i < v->steps->count; i++) {
        const struct step *step = v->steps->items[i];

        if (step->document == rvm && step->action == action && !step->adopts &&
            (!reason || strstr(step->reason, reason)))
            return step;
    }
    return NULL;
}

/* The machine is blocked for a reason of its own that comes before its obstacles, as a job of somebody else does. What
 * it needs and is blocked is told beside them. */
static inline bool agree_excused(const struct agreeing *g, const struct document *rvm)
{
    for (size_t i = 0; i < g->v->steps->count; i++) {
        const struct step *step = g->v->steps->items[i];

        if (step->document == rvm && step->action == ACTION_BLOCKED && !step->held_by &&
            !strstr(step->reason, " is blocked: "))
            return true;
    }
    return !agree_step(g->v, rvm, ACTION_BLOCKED, NULL);
}

/* All that stands against an order in force is said by plan, and by the runbook too; nothing is restored
 * in spite of it. */
static inline const char *agree_plan(const struct agreeing *g, const struct document *rvm)
{
    size_t n = 0, told = 0;
    const struct obstacle *all = restore_obstacles(g->v, situation_of(g->v, rvm), &n);

    if (order_for(g->v, rvm).state != ORDER_IN_FORCE)
        return NULL;
    for (size_t i = 0; i < n; i++)
        told += all[i].stops && agree_step(g->v, rvm, ACTION_BLOCKED, all[i].reason);
    for (size_t i = 0; i < n; i++) {
        if (!all[i].stops)
            continue;
        if (agree_step(g->v, rvm, ACTION_RESTORE_VM, NULL))
            return arena_printf(g->arena, "%s would be restored in spite of %s: %s", rvm->name, all[i].id,
                                all[i].reason);
        if (!told && agree_excused(g, rvm))
            continue;
        if (!agree_step(g->v, rvm, ACTION_BLOCKED, all[i].reason))
            return arena_printf(g->arena, "plan does not tell all that stands against %s, %s: %s", rvm->name, all[i].id,
                                all[i].reason);
        if (!agree_says(g->runbook, all[i].reason))
            return arena_printf(g->arena, "the runbook does not tell what stands against %s: %s", rvm->name,
                                all[i].reason);
    }
    return NULL;
}

static inline const char *agree_forecast(const struct agreeing *g, const struct document *rvm, const struct forecast *f)
{
    const char *broken = invariant_forecast_agrees(g->arena, &g->loss, rvm, f);
    size_t n = 0;
    const struct obstacle *all = restore_obstacles(g->v, situation_of(g->v, rvm), &n);

    for (size_t i = 0; !broken && i < n; i++) {
        bool named = !all[i].stops || agree_other_words(&all[i]) || invariant_unseen(f);

        for (size_t k = 0; k < f->outlook.n_risks; k++)
            named = named || strstr(f->outlook.risks[k].text, all[i].reason);
        if (all[i].stops && f->restorable == RESTORABLE_NOW)
            broken = arena_printf(g->arena, "%s is foretold restorable now in spite of %s", rvm->name, all[i].id);
        else if (!named)
            broken =
                arena_printf(g->arena, "forecast does not tell what stands against %s: %s", rvm->name, all[i].reason);
    }
    return broken;
}

static inline const char *agree_activate(const struct agreeing *g, const struct document *rvm)
{
    struct foretold_order order = order_foretell(g->v, &g->now, rvm);
    const struct step *block = view_block(&g->loss, rvm);
    size_t n = 0;
    const struct obstacle *all = restore_obstacles(&g->now, situation_of(&g->now, rvm), &n);

    for (size_t i = 0; order.fate == FATE_CARRIED_OUT && i < n; i++)
        if (all[i].stops)
            return arena_printf(g->arena, "activate says nothing of what stands against %s: %s", rvm->name,
                                all[i].reason);
    if (order.fate != FATE_BLOCKED && order.fate != FATE_GIVEN && view_block(&g->now, rvm))
        return arena_printf(g->arena, "activate does not tell that an order for %s is blocked: %s", rvm->name,
                            view_block(&g->now, rvm)->reason);
    if (order.fate == FATE_CARRIED_OUT && block)
        return arena_printf(g->arena, "activate offers an order for %s, and on the day of the loss it is blocked: %s",
                            rvm->name, block->reason);
    if (order.fate == FATE_BLOCKED && !block && view_prospect(&g->loss, rvm) == PROSPECT_PENDING &&
        str_eq(value_str_at(view_facts(g->v, document_target(rvm, "spec.from")), "source.state"), "absent"))
        return arena_printf(g->arena,
                            "activate calls an order for %s blocked, and on the day of the loss it is not: %s",
                            rvm->name, order.reason);
    return NULL;
}

static inline void agree_conclude(void *ctx, const struct view *v, enum supposing what, struct view *ret)
{
    struct rig *r = ctx;

    engine_suppose(&r->engine, v->arena, v, what, NULL, ret);
}

static inline size_t agree_restores(const struct document *pvm)
{
    size_t n = 0, at = 0;

    while (referrer_next(pvm, "RestoredVirtualMachine", &at))
        n++;
    return n;
}

/* After the loss of its key a machine is as restorable to impact as it would be to a forecast of that day. */
static inline const char *agree_impact(const struct agreeing *g, const struct document *rvm, const struct forecast *now)
{
    const struct document *pvm = document_target(rvm, "spec.from"),
                          *set = document_target(rvm, "spec.diskEncryptionSet");
    const struct document *key = set ? document_target(set, "spec.key") : NULL;
    struct concluder concluder = {agree_conclude, g->rig};
    struct forecast_options options = forecast_options_default;
    const struct value *points, *path = NULL;
    const char *word = restorable_word(now->restorable);
    struct view made_up, then, ordered;
    struct impact_target target;
    struct forecast f;
    struct err err;

    if (!key || agree_restores(pvm) != 1 ||
        impact_target_find(g->v, IMPACT_DELETE, arena_printf(g->arena, "Key/%s", key->name), &target, &err) < 0)
        return NULL;
    made_up = impact_view(g->v, &target, false);
    agree_conclude(g->rig, &made_up, SUPPOSE_NOTHING, &then);
    agree_conclude(g->rig, &made_up, SUPPOSE_LOSS, &ordered);
    options.ordered = &ordered;
    f = forecast_at(&then, &options, pvm, rvm, NULL);
    points = value_get(impact_of(g->v, &target, &concluder), "points");
    for (size_t i = 0; i < value_count(points); i++)
        if (str_eq(value_str_at(value_item(points, i), "virtualMachine"), pvm->name) &&
            str_eq(value_str_at(value_item(points, i), "recoveryPoint"), value_str_at(f.outlook.point, "id")))
            path = value_at(value_item(points, i), "then.path"),
            word = value_str_at(value_item(points, i), "then.restorable");
    for (size_t i = 0; path && i < value_count(path) + 1; i++)
        if (dx_count(f.remedies) != value_count(path) ||
            (i < value_count(path) && !str_eq(value_str(value_item(path, i)), dx_remedy_words(f.remedies[i]))))
            return arena_printf(g->arena, "without %s, the path of %s is another one to impact than to forecast (%s)",
                                key->address, rvm->name, dx_letters(g->arena, f.remedies));
    return !f.outlook.point || str_eq(word, restorable_word(f.restorable)) || f.restorable > now->restorable
               ? NULL
               : arena_printf(g->arena, "without %s, %s is restorable to impact: %s, to forecast: %s", key->address,
                              rvm->name, word, restorable_word(f.restorable));
}

static inline const char *agree_all(struct agreeing *g)
{
    const struct desired *d = g->v->desired;
    const char *broken = NULL, **points = arena_array(g->arena, const char *, d->count + 1);
    struct forecast_options options = forecast_options_default;

    engine_suppose(&g->rig->engine, g->arena, g->v, SUPPOSE_LOSS, NULL, &g->loss);
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "RestoredVirtualMachine"))
            points[i] = situation_of(&g->loss, d->documents[i])->order.point;
    engine_suppose(&g->rig->engine, g->arena, g->v, SUPPOSE_NOW, points, &g->now);
    options.ordered = &g->loss;
    for (size_t i = 0; !broken && i < d->count; i++) {
        const struct document *rvm = d->documents[i], *pvm = document_target(rvm, "spec.from");
        struct forecast f;

        if (!str_eq(rvm->kind, "RestoredVirtualMachine") || !pvm || !str_eq(view_state(g->v, pvm), "present") ||
            str_eq(view_state(g->v, rvm), "unseen"))
            continue;
        f = forecast_at(g->v, &options, pvm, rvm, NULL);
        if (!(broken = agree_plan(g, rvm)) && !(broken = agree_forecast(g, rvm, &f)) &&
            !(broken = agree_activate(g, rvm)))
            broken = agree_impact(g, rvm, &f);
    }
    return broken;
}

/* What keeps this very order from being carried out twice, or beside a running source, keeps no other restore back; nor
 * does what stands against starting a machine. */
static inline bool agree_of_this_order(const struct agreeing *g, const struct document *rvm, const struct step *block)
{
    const struct value *jobs = value_get(view_facts(g->v, document_target(rvm, "spec.from")), "jobs");
    bool cancelled = false;

    for (size_t i = 0; i < value_count(jobs); i++)
        cancelled = cancelled || job_cancelled(value_item(jobs, i));
    return cancelled || str_ends_nocase(block->id, ".other-job") || str_ends_nocase(block->id, "#blocked.verify") ||
           str_find_nocase(block->id, "#start-vm") || str_starts(block->reason, "the source VM is running");
}

/* What a plan of the order in force holds against a restore, a forecast that knows of no order holds against it, too:
 * whoever asks in the morning must not be told that all is well with what stood still at night. */
static inline const char *agree_unordered(const struct agreeing *g, const struct document *rvm, const char *point,
                                          const struct view *none, const struct view *loss)
{
    const struct step *block = view_block(g->v, rvm);
    struct forecast_options options = forecast_options_default;
    struct forecast f;

    if (!block || withheld_behind(block) || agree_of_this_order(g, rvm, block))
        return NULL;
    options.ordered = loss;
    f = forecast_at(none, &options, document_target(rvm, "spec.from"), rvm, NULL);
    if (f.restorable != RESTORABLE_NOW || !str_eq(value_str_at(f.outlook.point, "id"), point))
        return NULL;
    return arena_printf(g->arena, "without its order %s is foretold restorable now, with it %s is blocked: %s",
                        rvm->name, block->id, block->reason);
}

static inline void agree_withdraw(const struct agreeing *g, bool withdrawn)
{
    for (size_t i = 0; i < g->v->desired->count; i++) {
        const struct document *doc = g->v->desired->documents[i];

        if (str_eq(doc->kind, "Activation"))
            value_set_bool(g->arena, (struct value *)doc->spec, "withdrawn", withdrawn);
    }
}

static inline const char *agree_all_unordered(const struct agreeing *g)
{
    const struct desired *d = g->v->desired;
    const char *broken = NULL, **points = arena_array(g->arena, const char *, d->count + 1);
    struct view none, loss;

    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];

        if (str_eq(doc->kind, "Activation") && value_bool_at(doc->spec, "withdrawn", false))
            return NULL;
        if (str_eq(doc->kind, "RestoredVirtualMachine") && document_target(doc, "spec.from") &&
            order_for(g->v, doc).state == ORDER_IN_FORCE && !str_eq(view_state(g->v, doc), "unseen"))
            points[i] = order_for(g->v, doc).point;
    }
    agree_withdraw(g, true);
    engine_suppose(&g->rig->engine, g->arena, g->v, SUPPOSE_NOTHING, NULL, &none);
    engine_suppose(&g->rig->engine, g->arena, g->v, SUPPOSE_LOSS, NULL, &loss);
    for (size_t i = 0; !broken && i < d->count; i++)
        if (points[i])
            broken = agree_unordered(g, d->documents[i], points[i], &none, &loss);
    agree_withdraw(g, false);
    return broken;
}

/* The runbook has no command that rests on a blocked document, and none that brings a revoked key back or
 * puts it to use. */
static inline const char *agree_runbook(const struct agreeing *g, const struct runbook *rb)
{
    for (size_t i = 0; i < rb->count; i++) {
        const struct runbook_entry *e = &rb->entries[i];
        const struct step *step = e->step;

        if (e->n_commands && step->action == ACTION_BLOCKED)
            return arena_printf(g->arena, "the runbook has commands for %s, which is blocked", step->id);
        for (size_t k = 0; e->n_commands && !step->adopts && k < step->n_on; k++)
            if (g->v->conclusions[step->on[k]->index].verdict == PROSPECT_BLOCKED)
                return arena_printf(g->arena, "the runbook has commands for %s, and %s is blocked", step->id,
                                    step->on[k]->address);
        if (e->n_commands && str_eq(step->document->kind, "Key") && key_revoked(g->v, step->document))
            return arena_printf(g->arena, "the runbook has commands for %s, whose key is revoked", step->id);
        for (size_t k = 0; k < e->n_commands; k++) {
            const char *url = value_str_at(e->commands[k].with, "body.properties.activeKey.keyUrl");

            if (url && key_revoked_at(g->v, url))
                return arena_printf(g->arena, "the runbook has %s put a revoked key to use: %s", step->id, url);
        }
    }
    return NULL;
}

/* `look` was made by this rig, far. */
static inline const char *answers_agree(struct arena *a, struct rig *r, const struct look *look)
{
    struct runbook rb = runbook_make(&look->view, look->plan, &r->connections);
    struct agreeing g = {.arena = a, .rig = r, .look = look, .v = &look->view, .runbook = runbook_to_value(a, &rb)};
    const char *broken = agree_runbook(&g, &rb);

    if (!broken)
        broken = agree_all(&g);
    return broken ? broken : agree_all_unordered(&g);
}

#endif
