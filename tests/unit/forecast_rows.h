/* A row of a forecast test: facts that differ from an estate in order, and what is forecast of them. */
#ifndef FORECAST_ROWS_H
#define FORECAST_ROWS_H

#include "forecast_view.h"

#include "../../cmd/commands.h"

static struct forecast_options options_of(const struct hand_view *h)
{
    struct forecast_options options = forecast_options_default;

    options.extras = h->extras;
    return options;
}

static const struct risk *risk_of(const struct forecast *f, const char *id)
{
    for (size_t i = 0; i < f->outlook.n_risks; i++)
        if (str_eq(f->outlook.risks[i].id, id))
            return &f->outlook.risks[i];
    return NULL;
}

struct row {
    const char *reason, *facts, *extras;
    enum obs_fact fact;
    enum obs_state state;
    const char *risk; /* NULL: none of it is expected */
    const char *at;   /* its date; NULL: already */
    const char *verdict, *restorable;
};

#define PVM "ProtectedVirtualMachine/vm: "
#define KEY "Key/os-key: "
#define VAULT "KeyVault/kv: "
#define USERS "KeyAccess/users: "
#define WHY "'read it: 403 AuthorizationFailed'"
#define POINTS(members)                                                                                                \
    PVM "{points: [{id: '2', time: 2026-11-22T20:00:00Z, confidential: true, customerKey: true, " members "}]}"
#define STAGED(members) "RestoredVirtualMachine/vm-dr: {place: {staging: " members "}}"
#define PRINCIPALS(des, orchestrator, backup)                                                                          \
    USERS "{principals: [{label: des, user: 0, objectId: p-des, " des                                                  \
          "}, {label: orch, user: 1, objectId: p-orch, " orchestrator "},"                                             \
          " {label: backup, user: 2, objectId: p-backup, " backup "}]}"

static void check_row(const struct row *r, const struct forecast *f)
{
    const struct risk *risk = r->risk ? risk_of(f, r->risk) : NULL;

    CHECK_ROW(r->reason, f->outlook.items[r->fact].state == r->state);
    CHECK_ROW(r->reason, !r->risk || risk);
    if (risk) {
        CHECK_ROW(r->reason, r->at ? risk->at_ms == time_parse(r->at) : risk->at_ms == TIME_NONE);
        CHECK_ROW(r->reason, risk_words(risk->id) && risk->text && *risk->text);
    }
    if (r->verdict)
        CHECK_ROW(r->reason, str_eq(forecast_verdict_word(f->verdict), r->verdict));
    if (r->restorable)
        CHECK_ROW(r->reason, str_eq(restorable_word(f->restorable), r->restorable));
    /* Nothing that was refused is ever told as gone. */
    if (r->state == OBS_UNSEEN)
        CHECK_ROW(r->reason, f->verdict != FORECAST_LOST);
}

#endif
