/* Knows the shape of a forecast in answers for programs. Must not know how a forecast is made. */
#include "forecast.h"

static struct value *point_to_value(struct arena *a, const struct value *point)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "id", value_str_at(point, "id"));
    value_set_string(a, v, "time", value_str_at(point, "time"));
    value_set_bool(a, v, "vaultTier", str_eq(value_str_at(point, "vault"), "valid"));
    return v;
}

static struct value *risk_to_value(struct arena *a, const struct outlook *o, const struct risk *r)
{
    static const char *const weights[] = {"note", "unseen", "weakens", "stops"};
    struct value *v = value_map(a);

    value_set_string(a, v, "id", r->id);
    value_set_string(a, v, "weight", weights[r->weight]);
    if (r->at_ms != TIME_NONE)
        value_set_string(a, v, "at", time_format(a, r->at_ms));
    value_set_string(a, v, "text", r->text);
    value_set_string(a, v, "observation", o->items[r->fact].id);
    value_set_string(a, v, "evidence", r->evidence);
    value_set_string(a, v, "fix", r->fix);
    return v;
}

static struct value *scenario_to_value(struct arena *a, const struct forecast *f)
{
    const struct dx_row *row = f->prediction.row;
    struct value *v = value_map(a);

    value_set_string(a, v, "id", f->scenario);
    value_set_string(a, v, "state", f->state);
    value_set_string(a, v, "outcome", dx_outcome_words(f->prediction.outcome));
    value_set_string(a, v, "code", f->prediction.code);
    if (row) {
        value_set_string(a, v, "confidence", dx_confidence_words(row->confidence));
        value_set_string(a, v, "source", row->source);
        value_set_string(a, v, "otherReading", f->prediction.reading);
        value_set_string(a, v, "proof", row->proof);
    }
    return v;
}

static struct value *forecast_to_value(struct arena *a, const struct forecast *f)
{
    const struct outlook *o = &f->outlook;
    struct value *v = value_map(a), *risks = value_list(a), *point;

    value_set_string(a, v, "virtualMachine", o->pvm->name);
    value_set_string(a, v, "restoredAs", o->rvm ? o->rvm->name : NULL);
    value_set_string(a, v, "verdict", forecast_verdict_word(f->verdict));
    value_set_string(a, v, "restorable", restorable_word(f->restorable));
    if (f->at_ms != TIME_NONE && f->verdict != FORECAST_LOST)
        value_set_string(a, v, "until", time_format(a, f->at_ms));
    if (o->point) {
        value_set(a, v, "recoveryPoint", point_to_value(a, o->point));
        value_set(a, v, "scenario", scenario_to_value(a, f));
    }
    if (f->newest) {
        point = value_set(a, v, "newestPoint", point_to_value(a, f->newest));
        value_set_string(a, point, "scenario", dx_scenario(&f->newest_prediction));
        value_set_string(a, point, "outcome", dx_outcome_words(f->newest_prediction.outcome));
    }
    if (f->after.row)
        value_set_string(a, v, "afterPath", dx_scenario(&f->after));
    if (f->path) {
        value_set_string(a, v, "path", f->path);
        value_set_string(a, v, "remedies", dx_letters(a, f->remedies));
    }
    if (f->estimate_ms >= 0) {
        value_set_int(a, v, "estimateSeconds", f->estimate_ms / SECOND_MS);
        value_set_string(a, v, "estimateSource", f->estimate_source);
    }
    for (size_t i = 0; i < o->n_risks; i++)
        value_push(a, risks, risk_to_value(a, o, &o->risks[i]));
    value_set(a, v, "risks", risks);
    value_set(a, v, "observations", observations_to_value(a, o));
    return v;
}

void forecasts_to_value(struct arena *a, const struct forecasts *all, struct value *ret)
{
    struct value *list = value_set(a, ret, "forecasts", value_list(a)), *counts;

    for (size_t i = 0; i < all->count; i++)
        value_push(a, list, forecast_to_value(a, &all->items[i]));
    value_set_string(a, ret, "horizon", time_format(a, all->until_ms));
    counts = value_set(a, ret, "counts", value_map(a));
    value_set_int(a, counts, "virtualMachines", (int64_t)all->count);
    value_set_int(a, counts, "restorable", (int64_t)all->n_restorable);
    value_set_int(a, counts, "atRisk", (int64_t)all->n_at_risk);
    value_set_int(a, counts, "unseen", (int64_t)all->n_unseen);
    value_set_int(a, counts, "lost", (int64_t)all->n_lost);
    value_set_string(a, ret, "summary", forecast_line(a, all));
}
