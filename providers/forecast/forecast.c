/* Knows how a diagnosis and the dangers around it become a verdict, a path and a time. Must not know
 * how anything is read. */
#include "forecast.h"

#include "forecast_path.h"

#include <stdlib.h>
#include <string.h>

#include "../keys/key_facts.h"
#include "questions.h"
#include "ordered_path.h"
#include "../backup/points.h"
#include "../backup/order.h"
#include "../kinds/restored_vm.h"

const struct forecast_options forecast_options_default = {
    .horizon_ms = 30 * DAY_MS,
    .limits = {.disks_per_set = 40, .key_versions = 400, .hsm_per_key = 8},
};

const char *forecast_verdict_word(enum forecast_verdict v)
{
    static const char *const words[] = {"lost", "at-risk", "green"};

    return words[v];
}

const char *restorable_word(enum restorable r)
{
    static const char *const words[] = {"no", "unknown", "after-remedy", "now"};

    return words[r];
}

static const enum dx_remedy nothing[] = {DX_REMEDY_NONE};

/* --- the path ----------------------------------------------------------------------------------------------------- */

/* --- the verdict -------------------------------------------------------------------------------------------------- */

static bool has_risk(const struct forecast *f, enum risk_weight weight, bool now_only)
{
    for (size_t i = 0; i < f->outlook.n_risks; i++)
        if (f->outlook.risks[i].weight == weight && (!now_only || f->outlook.risks[i].at_ms == TIME_NONE))
            return true;
    return false;
}

/* No path: lost if what was seen proves it, else nobody knows. */
static enum restorable without_path(const struct forecast *f)
{
    const struct dx_prediction *p = &f->prediction;

    const struct document *vault = document_target(f->outlook.pvm, "spec.vault");

    /* The vault of that name in another group may hold what is looked for. */
    if (!f->outlook.point && value_get(view_facts(f->outlook.view, vault), "namesake"))
        return RESTORABLE_UNKNOWN;
    if (!f->outlook.point)
        return has_risk(f, RISK_UNSEEN, false) && !str_eq(view_state(f->outlook.view, f->outlook.pvm), "absent")
                   ? RESTORABLE_UNKNOWN
                   : RESTORABLE_NO;
    if (!p->row || p->outcome == DX_OUTCOME_UNKNOWN || has_risk(f, RISK_UNSEEN, false))
        return RESTORABLE_UNKNOWN;
    return p->row->refused ? RESTORABLE_UNKNOWN : RESTORABLE_NO;
}

/* The point's own key, known by its version, is one that no confidential VM can be given. A set on another key may
 * still be named. */
static bool never_released(const struct forecast *f)
{
    const struct situation *s = f->outlook.situation;
    bool same = s->given == DX_GIVEN_NOTHING || s->given == DX_GIVEN_SAME_KEY || s->given == DX_GIVEN_SAME_KEY_MOVED;

    return s->now.encryption == DX_CMK && s->original.version && same && key_unfit(f->outlook.view, f->outlook.key);
}

static void judge_path(struct forecast *f)
{
    const struct dx_prediction *p = &f->prediction;
    bool person = false;

    f->remedies = nothing;
    f->estimate_ms = -1;
    if (!f->outlook.point) {
        f->restorable = without_path(f);
        return;
    }
    if (never_released(f)) {
        f->restorable = RESTORABLE_NO;
        return;
    }
    if (p->row && p->outcome == DX_SUCCEEDS) {
        path_tell(f, false);
        f->restorable = has_risk(f, RISK_UNSEEN, false) ? RESTORABLE_UNKNOWN
                        : has_risk(f, RISK_STOPS, true) ? RESTORABLE_AFTER
                                                        : RESTORABLE_NOW;
        return;
    }
    /* With the security domain lost, or the key revoked, no person and no wait can bring the machine back: it is lost,
     * not at risk. */
    if (p->row &&
        ((f->outlook.situation->now.store == DX_STORE_DOMAIN_LOST && p->remedies[0] == DX_PERSON && !p->remedies[1]) ||
         f->outlook.situation->now.key == DX_KEY_REVOKED)) {
        f->restorable = RESTORABLE_NO;
        return;
    }
    f->remedies = p->row ? path_of(&f->outlook, p->remedies, &person) : nothing;
    if (*f->remedies || person) {
        path_tell(f, person);
        f->restorable = has_risk(f, RISK_UNSEEN, false) || (person && !*f->remedies) || p->outcome == DX_OUTCOME_UNKNOWN
                            ? RESTORABLE_UNKNOWN
                            : RESTORABLE_AFTER;
        return;
    }
    f->restorable = without_path(f);
}

/* One that cannot be seen may live. */
static bool source_may_live(const struct forecast *f)
{
    return !str_eq(value_str_at(view_facts(f->outlook.view, f->outlook.pvm), "source.state"), "absent");
}

static void judge_dates(struct forecast *f, int64_t until_ms)
{
    bool now = f->restorable != RESTORABLE_NOW, ahead = false;
    int64_t first = TIME_NONE;

    for (size_t i = 0; i < f->outlook.n_risks; i++) {
        const struct risk *r = &f->outlook.risks[i];

        if (r->weight == RISK_NOTE)
            continue;
        now = now || r->at_ms == TIME_NONE;
        ahead = ahead || (r->at_ms != TIME_NONE && r->at_ms <= until_ms);
        if (r->at_ms != TIME_NONE && (first == TIME_NONE || r->at_ms < first))
            first = r->at_ms;
    }
    f->at_ms = first;
    f->verdict = now || ahead ? FORECAST_AT_RISK : FORECAST_GREEN;
    /* While the VM itself lives, a backup that is only missing can still be made. */
    if (f->restorable == RESTORABLE_NO && (f->outlook.point || !source_may_live(f)))
        f->verdict = FORECAST_LOST;
}

/* The gravest first; then what is so already, then by date. */
static int risk_compare(const void *x, const void *y)
{
    const struct risk *a = x, *b = y;

    if ((a->weight == RISK_NOTE) != (b->weight == RISK_NOTE))
        return a->weight == RISK_NOTE ? 1 : -1;
    if (a->at_ms != b->at_ms)
        return a->at_ms < b->at_ms ? -1 : 1;
    if (a->weight != b->weight)
        return a->weight > b->weight ? -1 : 1;
    if (a->fact != b->fact)
        return a->fact < b->fact ? -1 : 1;
    return strcmp(a->text, b->text);
}

/* What the request that would be sent comes to. Where it fails with the declared set as it would without one, the state
 * is told as it is without. */
static struct dx_prediction predict(const struct situation *s)
{
    struct dx_prediction sent = diagnose(&s->named, s->article), plain = diagnose(&s->now, s->article);

    /* Where no document says what happens without a set, the one that would be named tells what stands against it; and
     * one that would go through without the set is not sent so. */
    return (sent.row && (sent.outcome == DX_SUCCEEDS || !plain.row)) || (plain.row && plain.outcome == DX_SUCCEEDS)
               ? sent
               : plain;
}

/* If the plan of an order would be blocked, the forecast shows that block: it must not promise a restore that apply
 * would refuse. */
static void heed_block(struct forecast *f, const struct step *block)
{
    const struct step *root = block->held_by ? block->held_by : block;
    const struct order *order = &f->outlook.situation->order;

    if (f->restorable == RESTORABLE_NO || has_risk(f, RISK_STOPS, true) || has_risk(f, RISK_UNSEEN, true))
        return;
    obs_risk(&f->outlook, F27, "held-up", RISK_STOPS, TIME_NONE, root->next, "%s: %s: %s",
             order->state == ORDER_IN_FORCE
                 ? arena_printf(f->outlook.arena, "the order %s is blocked", order->activation->address)
                 : "an order would be blocked",
             root->document->address, root->reason);
    f->outlook.risks[f->outlook.n_risks - 1].evidence = root->id;
    if (f->restorable == RESTORABLE_NOW)
        f->restorable = RESTORABLE_AFTER;
}

/* Where a restore sent right now does not go through, the steps of an order are the path: the one that plan shows and
 * apply walks. If no document describes the state after those steps, one restore is tried, so the machine is not called
 * lost before that. */
static void follow_order(struct forecast *f, const struct view *ordered)
{
    const struct situation *s = situation_of(ordered, f->outlook.rvm);
    struct dx_prediction after = diagnose(&s->then, s->article);

    if (!after.row && f->restorable == RESTORABLE_NO)
        f->restorable = RESTORABLE_UNKNOWN;
    if (!after.row || after.outcome != DX_SUCCEEDS)
        return;
    f->after = after;
    f->after_given = s->given;
    f->remedies = ordered_remedies(ordered, f->outlook.rvm);
    path_tell(f, false);
    f->restorable = has_risk(f, RISK_UNSEEN, false) ? RESTORABLE_UNKNOWN : RESTORABLE_AFTER;
}

/* The plan of an order that is in force knows what policy withholds from it. */
static void heed_policy(struct forecast *f, const struct step *step)
{
    const struct ruling *ruling = step ? step_withheld(step) : NULL;

    if (!ruling)
        return;
    obs_risk(&f->outlook, F27, "held-up", RISK_STOPS, TIME_NONE,
             step->verdict == VERDICT_REQUIRE_APPROVAL
                 ? arena_printf(f->outlook.arena, "approve it: --approve %s=YOUR-NAME", ruling->rule)
                 : "look at the rule: reinstate plan shows its file and line",
             "the order %s waits: policy withholds %s: %s by rule %s", f->outlook.situation->order.activation->address,
             step->id, verdict_name(step->verdict), ruling->rule);
    f->outlook.risks[f->outlook.n_risks - 1].evidence = step->id;
    if (f->restorable == RESTORABLE_NOW)
        f->restorable = RESTORABLE_AFTER;
}

/* An order that ends before its restore can be triggered runs the steps before it in vain. */
static void heed_end(struct forecast *f)
{
    const struct steps *steps = f->outlook.view->steps;
    const struct order *order = &f->outlook.situation->order;
    struct index *known = index_new(f->outlook.arena, INDEX_EXACT);
    const struct index_entry *at = NULL;
    const struct step *step;
    int64_t begins_ms;

    while ((step = steps_next(steps, f->outlook.rvm, &at))) {
        if (step->action != ACTION_RESTORE_VM || step->adopts)
            continue;
        begins_ms = f->outlook.view->now_ms + steps_lead_ms(steps, step, known);
        if (begins_ms > order->not_after_ms)
            obs_risk(&f->outlook, F27, "order-ends", RISK_WARN, order->not_after_ms,
                     "set notAfter later, or give a new order",
                     "%s ends at %s, and by the estimates its restore can be triggered at %s only",
                     order->activation->address, time_format(f->outlook.arena, order->not_after_ms),
                     time_format(f->outlook.arena, begins_ms));
    }
}

/* What policy lets pass now it will deny by the time at which the step is begun: plan says the same. */
static void heed_policy_end(struct forecast *f)
{
    const struct ruling *ruling;
    const struct step *step = ending_step(f->outlook.view, f->outlook.rvm, &ruling);

    if (!step)
        return;
    obs_risk(&f->outlook, F27, "policy-ends", RISK_WARN, ruling->ends_ms,
             "have the policy's window or exception last longer: reinstate plan shows its file and line",
             "the order %s would be stopped at %s: rule %s: %s", f->outlook.situation->order.activation->address,
             step->id, ruling->rule, ruling->message);
    f->outlook.risks[f->outlook.n_risks - 1].evidence = step->id;
}

/* A restore that names the declared set works only once that set is as declared: what an order changes on it first is
 * on the path, and until then nothing is restorable. */
static void heed_set(struct forecast *f, const struct view *ordered)
{
    const struct step *step = needed_step(ordered, f->outlook.rvm, ACTION_UPDATE, f->outlook.situation->des);

    if (!step || f->restorable == RESTORABLE_NO)
        return;
    f->remedies = ordered_remedies(ordered, f->outlook.rvm);
    path_tell(f, false);
    obs_risk(&f->outlook, F6, "set-differs", RISK_WARN, TIME_NONE, "reinstate apply changes it",
             "%s is not as declared: %s", step->document->address, step->reason);
    f->outlook.risks[f->outlook.n_risks - 1].evidence = step->id;
    if (f->restorable == RESTORABLE_NOW)
        f->restorable = RESTORABLE_AFTER;
}

/* Apply does nothing that leads to a right that we lack. */
static void heed_right(struct forecast *f)
{
    const struct step *step = lacking_step(f->outlook.view, f->outlook.rvm);

    if (!step || f->restorable == RESTORABLE_NO)
        return;
    obs_risk(&f->outlook, F27, "own-right", RISK_STOPS, TIME_NONE, "have the role assigned to whoever runs apply",
             "we lack a right for the order %s: %s", f->outlook.situation->order.activation->address, step->lacking);
    f->outlook.risks[f->outlook.n_risks - 1].evidence = step->id;
    if (f->restorable == RESTORABLE_NOW)
        f->restorable = RESTORABLE_AFTER;
}

/* Azure has refused what the scenario table calls fine, and nobody has mended anything since: whether the next try goes
 * through cannot be told. An order that a failed job of its own holds up says so already. */
static void heed_failure(struct forecast *f)
{
    const struct value *job = f->restorable == RESTORABLE_NOW
                                  ? restored_vm_failed_before(f->outlook.view, f->outlook.situation)
                                  : NULL;
    const struct azure_error *known = job_error(job);

    if (!job)
        return;
    obs_risk(&f->outlook, F21, "restore-failed", RISK_UNSEEN, TIME_NONE,
             known ? known->action : "look at the job in the portal; the code is not in the table of errors",
             "%s: whether another one goes through cannot be told", restored_vm_failed_words(f->outlook.arena, job));
    f->outlook.risks[f->outlook.n_risks - 1].evidence = "backupJobs";
    f->restorable = RESTORABLE_UNKNOWN;
}

static void heed_order(struct forecast *f, const struct view *ordered)
{
    const struct document *rvm = f->outlook.rvm;
    bool in_force = f->outlook.situation->order.state == ORDER_IN_FORCE;
    const struct step *ours = view_block(f->outlook.view, rvm), *withheld = withheld_behind(ours);
    const struct step *block = view_block(ordered, rvm);

    /* What is supposed takes the source for lost; the plan of an order takes it as it is. */
    if (!block && in_force)
        block = ours;
    if (!block && f->prediction.outcome == DX_SUCCEEDS && path_names_set(f))
        heed_set(f, ordered);
    if (in_force)
        heed_right(f);

    if (!block && view_prospect(ordered, rvm) == PROSPECT_PENDING && f->restorable != RESTORABLE_NOW &&
        f->prediction.outcome != DX_SUCCEEDS)
        follow_order(f, ordered);
    if (in_force)
        heed_end(f);
    if (in_force && !block)
        heed_policy_end(f);
    if (in_force && withheld && f->restorable != RESTORABLE_NO)
        heed_policy(f, withheld);
    else if (block)
        heed_block(f, block);
    else if (in_force && f->restorable != RESTORABLE_NO)
        heed_policy(f, withheld_step(f->outlook.view, rvm));
}

/* The point that is judged. If an order names a point that the vault does not have, or is over, the point that a new
 * order would name is judged instead; the order's own block says what is wrong with it. */
static const struct situation *situation_judged(const struct view *v, const struct document *pvm,
                                                const struct document *rvm, const struct value *point)
{
    const struct situation *s = situation_at(v, pvm, rvm, point);
    const struct value *vault = protected_vm_newest_vault_point(v, pvm),
                       *other = vault ? vault : protected_vm_newest_point(v, pvm);

    bool over = !point && (s->order.state == ORDER_EXPIRED || s->order.state == ORDER_WITHDRAWN);

    return (s->point && !over) || !other ? s : situation_at(v, pvm, rvm, other);
}

/* The conclusions of a supposed order hold for the point that it would name, and for no other. */
static bool is_ordered(const struct view *ordered, const struct document *rvm, const struct value *point)
{
    return str_eq(situation_of(ordered, rvm)->order.point, value_str_at(point, "id"));
}

struct forecast forecast_at(const struct view *v, const struct forecast_options *options, const struct document *pvm,
                            const struct document *rvm, const struct value *point)
{
    const struct situation *s = situation_judged(v, pvm, rvm, point);
    struct forecast f = {.outlook = observe_all(v, options->extras, &options->limits, s)};

    f.prediction = predict(s);
    f.newest = protected_vm_newest_point(v, pvm);
    if (!point && f.newest && f.newest != s->point) {
        f.newest_prediction = predict(situation_at(v, pvm, rvm, f.newest));
    } else {
        f.newest = NULL;
    }
    f.scenario = f.outlook.point ? dx_scenario(&f.prediction) : NULL;
    f.state = !f.outlook.point   ? "there is nothing to restore from"
              : f.prediction.row ? f.prediction.row->state
                                 : dx_facts_words(v->arena, &s->now);
    judge_path(&f);
    if (options->ordered && rvm && (!point || is_ordered(options->ordered, rvm, point)))
        heed_order(&f, options->ordered);
    heed_failure(&f);
    judge_dates(&f, v->now_ms + options->horizon_ms);
    if (f.outlook.n_risks)
        qsort(f.outlook.risks, f.outlook.n_risks, sizeof(*f.outlook.risks), risk_compare);
    return f;
}

/* --- all of them -------------------------------------------------------------------------------------------------- */

/* Dates compare with "already" first. */
static int forecast_compare(const void *x, const void *y)
{
    const struct forecast *a = x, *b = y;

    if (a->verdict != b->verdict)
        return a->verdict < b->verdict ? -1 : 1;
    if ((a->restorable == RESTORABLE_NOW) != (b->restorable == RESTORABLE_NOW))
        return a->restorable == RESTORABLE_NOW ? 1 : -1;
    if (a->at_ms != b->at_ms && a->verdict != FORECAST_GREEN)
        return a->at_ms == TIME_NONE || (b->at_ms != TIME_NONE && a->at_ms > b->at_ms) ? 1 : -1;
    return strcmp(a->outlook.pvm->name, b->outlook.pvm->name);
}

static struct forecast worst_of(const struct view *v, const struct forecast_options *options,
                                const struct document *pvm)
{
    struct forecast worst = {0};
    const struct document *rvm;
    bool any = false;
    size_t at = 0;

    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        struct forecast f;

        if (desired_beside(v->desired, rvm))
            continue;
        f = forecast_at(v, options, pvm, rvm, NULL);
        if (!any || forecast_compare(&f, &worst) < 0)
            worst = f;
        any = true;
    }
    return any ? worst : forecast_at(v, options, pvm, NULL, NULL);
}

struct forecasts forecast_all(const struct view *v, const struct forecast_options *options)
{
    struct forecasts all = {.until_ms = v->now_ms + options->horizon_ms};

    for (size_t i = 0; i < v->desired->count; i++)
        if (str_eq(v->desired->documents[i]->kind, "ProtectedVirtualMachine") &&
            !desired_beside(v->desired, v->desired->documents[i]))
            arena_push(v->arena, all.items, all.count, worst_of(v, options, v->desired->documents[i]));
    if (all.count)
        qsort(all.items, all.count, sizeof(*all.items), forecast_compare);
    for (size_t i = 0; i < all.count; i++) {
        const struct forecast *f = &all.items[i];

        all.n_restorable += f->restorable >= RESTORABLE_AFTER;
        all.n_at_risk += f->verdict == FORECAST_AT_RISK;
        all.n_lost += f->verdict == FORECAST_LOST;
        all.n_unseen += f->verdict == FORECAST_AT_RISK && f->restorable == RESTORABLE_UNKNOWN;
    }
    return all;
}

const char *forecast_line(struct arena *a, const struct forecasts *f)
{
    const char *unseen = f->n_unseen ? arena_printf(a, " (%zu of them cannot be told)", f->n_unseen) : "";

    return arena_printf(a, "%zu of %zu restorable, %zu at risk before %.10s%s, %zu lost", f->n_restorable, f->count,
                        f->n_at_risk, time_format(a, f->until_ms), unseen, f->n_lost);
}
