/* Whether a protected VM could be restored now, by which path and in about how long, and what would break that, and
 * when. Pure: a view, what forecast_observe has read besides, and the scenario table. Nothing is guessed: what cannot
 * be seen makes a VM at risk, never green. */
#ifndef REINSTATE_FORECAST_H
#define REINSTATE_FORECAST_H

#include "outlook.h"

enum forecast_verdict { FORECAST_LOST, FORECAST_AT_RISK, FORECAST_GREEN }; /* worst first */
const char *forecast_verdict_word(enum forecast_verdict v);                /* "lost", "at-risk", "green" */

enum restorable { RESTORABLE_NO, RESTORABLE_UNKNOWN, RESTORABLE_AFTER /* something is mended */, RESTORABLE_NOW };
const char *restorable_word(enum restorable r);                            /* "no", "unknown", "after-remedy", "now" */

struct forecast {
    enum forecast_verdict verdict;
    enum restorable restorable;
    int64_t at_ms; /* until when it holds; TIME_NONE: at risk already, or green without an end in sight */
    struct outlook outlook;           /* VM, point, observations, risks: the gravest first, then the earliest */
    struct dx_prediction prediction;  /* of the request that would be sent right now */
    struct dx_prediction
        after; /* of the restore behind the path, where that path is an order's steps; else without a row */
    enum dx_given after_given;        /* what that restore names */
    const char *scenario;             /* "N-17"; NULL: unknown */
    const char *state;                /* that row in words, or the facts in words when no row fits */
    const char *path;                 /* in words; NULL when there is none */
    const enum dx_remedy *remedies;   /* on that path, in order */
    const struct value *newest;       /* the newest point, when that is another one; NULL */
    struct dx_prediction newest_prediction;
    int64_t estimate_ms;              /* of the path; -1: not known */
    const char *estimate_source;
};

struct forecast_options {
    int64_t horizon_ms;               /* what breaks later than this makes no VM at risk */
    struct observe_limits limits;
    const struct value *extras;       /* of forecast_observe; NULL: not looked */
    const struct view *ordered;       /* what would follow from an order (engine_suppose); NULL: not concluded */
};
extern const struct forecast_options forecast_options_default;

/* One restore of one VM. `restored_vm` NULL: a plain restore as a new VM. `point` NULL: the one ordered, else the
 * newest in the vault tier, else the newest. */
struct forecast forecast_at(const struct view *v, const struct forecast_options *options,
                            const struct document *protected_vm, const struct document *restored_vm,
                            const struct value *point);

struct forecasts {
    struct forecast *items;           /* one for each protected VM: worst first, then earliest, then by name */
    size_t count;
    size_t n_restorable, n_at_risk, n_lost, n_unseen;  /* n_unseen: of those at risk */
    int64_t until_ms;                 /* the horizon's end */
};
/* Every ProtectedVirtualMachine of the view. Where several restores are declared from it, the one that fares worst. */
struct forecasts forecast_all(const struct view *v, const struct forecast_options *options);
/* "3 of 4 restorable, 1 at risk before 2026-12-23, 1 lost" */
const char *forecast_line(struct arena *a, const struct forecasts *f);

/* Adds all there is to say, in the shape of schemas/forecast.json, to a map. */
void forecasts_to_value(struct arena *a, const struct forecasts *all, struct value *ret);

/* May suspend. What only a forecast looks at, by reads alone: features, locks, quota, attestation service, staging
 * accounts, who uses the sets, and whether the service would accept the request. One request for each subscription,
 * region, account or set, however many VMs there are, and one for each VM with a declared restore. What cannot be read
 * is a fact. */
must_use int forecast_observe(struct call *c, void *provider, const struct view *v, struct value **ret,
                              struct err *err);

#endif
