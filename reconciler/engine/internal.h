/* Shared by the two halves of the engine: looking (look.c) and acting. Of acting, act.c knows the order of the steps,
 * reconcile.c how one is carried out, and run.c what both need. */
#ifndef REINSTATE_ENGINE_INTERNAL_H
#define REINSTATE_ENGINE_INTERNAL_H

#include "../base/index.h"
#include "../base/text.h"
#include "engine.h"

const struct kind *engine_kind(const struct engine *e, const struct document *doc);
/* May suspend. Observes one document anew and replaces its facts. */
must_use int engine_observe(struct call *c, const struct engine *e, struct view *view, struct value **facts,
                            const struct document *doc, struct err *err);
/* Pure. The steps of a document and of all that it rests on, with their verdicts, into `a`; those of other documents
 * are made when somebody asks for them. The view's steps and time are set to them: they live as long as `a`. For a run:
 * its own steps were held against the budgets when they were planned or joined, and what has come up since is counted
 * after them. `approved`: with the approvals that were given for the plan. */
struct steps *engine_steps_in_run(const struct engine *e, struct arena *a, struct view *view, int64_t now_ms,
                                  const struct outcome *run, const struct document *of, bool approved);

/* The memory of view_find; lives in `a`. What rests on the facts of documents of doc's kind is forgotten when they
 * change. */
struct view_memo *view_memo_new(struct arena *a);
void view_memo_forget(struct view_memo *memo, const struct document *doc);

/* --- one run of a plan -------------------------------------------------------------------------------------------- */

struct run {
    const struct engine *engine;
    struct arena *arena;          /* of the pass: facts observed again and steps that come up live here */
    const struct look *look;
    struct view view;             /* follows the world as steps are done */
    struct outcome *outcome;
    struct group *group;
    void (*step_over)(struct call *c, struct run *r); /* called when a step has ended: starts what waited for it */
};

/* A run grows by what repairs reveal, and by no more than this: a world that asks for more is a person's. */
enum { RUN_GROWTH_MAX = 256 };

void run_tell(const struct run *r, enum engine_event event, const struct step *step, const char *line,
              int64_t elapsed_ms);
must_use int run_journal(struct call *c, const struct run *r, struct arena *a, const char *event,
                         const struct step *step, const char *result, struct err *err);
struct step_outcome *run_outcome(const struct run *r, const char *id);
/* ERR_BLOCKED with the rule that withholds the step. */
must_use int run_allowed(const struct step *step, struct err *err);

/* --- what an order approves (approved.c) -------------------------------------------------------------------------- */

/* Why the order of a step that has come up since the plan does not approve it, in words; NULL: it does, as far as this
 * run knows. For policy_options.unapproved. */
const char *run_unapproved(const void *outcome, const struct step *step);
/* Of a step that policy withholds now: if an order approved it at the plan, err says that this one is over. */
void run_order_over(const struct step *planned, struct err *err);
/* Notes that a document is as declared, if it is by now. */
void run_was_so(const struct run *r, const struct document *doc);
/* ERR_BLOCKED: an order alone approves the step, and it has been withdrawn or changed since it was read. */
must_use int run_order_stands(const struct run *r, struct arena *a, const struct step *step, struct err *err);

/* May suspend. Observes what the step is about anew, and what that relies on. */
must_use int run_observe_again(struct call *c, struct run *r, const struct step *step, struct err *err);
/* May suspend. Lower levels first: a kind's observation may use the facts of what it refers to. `marked` NULL: all. */
must_use int run_observe(struct call *c, struct run *r, const bool *marked, struct err *err);

/* --- one step (reconcile.c) --------------------------------------------------------------------------------------- */

struct running {
    struct run *run;
    struct step_outcome *slot;
};
/* May suspend. A task's body: carries out the step of a struct running, and ends with the run's step_over. */
void run_step(struct call *c, void *running);

/* --- what a step waits for (growth.c) ----------------------------------------------------------------------------- */

enum run_gate {
    RUN_GATE_OPEN,      /* what the step needs is so */
    RUN_GATE_WAIT,      /* it is due in this run; the slot waits for it */
    RUN_GATE_UNDONE,    /* it was done, and the look shows it undone: perhaps an older state */
    RUN_GATE_CHANGED,   /* the look asks for what the order does not approve: one answer may err, so look again */
    RUN_GATE_SHUT       /* it will not be in this run */
};
/* Whether `fresh`, the slot's step as a fresh look asks for it, may start. Steps that the look asks for before it and
 * that were not planned join the run when order and policy cover them. err is filled but for OPEN and WAIT. */
enum run_gate run_gate(struct call *c, struct run *r, struct step_outcome *slot, const struct step *fresh,
                       struct err *err);
/* Adds what a fresh look asks for of `doc` and the run does not hold yet. ERR_BLOCKED with the first
 * that is not covered. */
must_use int run_grow_document(struct call *c, struct run *r, const struct document *doc, size_t *ret_grown,
                               struct err *err);
/* Replaces what the slot waits for by what its step needs as the run sees the world now; pure but for the slot.
 * false: the step is not asked for any more, or is blocked; the slot is as it was. */
bool run_needs_anew(struct call *c, struct run *r, struct step_outcome *slot);
/* A step of which one need is enough is asked for still, but only for needs that this run will not do any more. */
bool run_left_to_others(const struct run *r, const struct step *step);
/* Room for so many steps, of which there is none yet. */
void run_make_room(struct outcome *o, struct arena *a, size_t room);
/* Adds a step to the run; there must be room. */
struct step_outcome *run_add(struct outcome *o, const struct step *step);

/* --- what was written, read again (patience.c) -------------------------------------------------------------------- */

struct run_patience {
    int64_t left_ms, pause_ms;
};
struct run_patience run_patience(const struct run *r, const struct step *step);
/* May suspend. Says what is waited for, waits, looks again. false: the time is up, or err is set
 * to another class than before. */
bool run_look_later(struct call *c, struct run *r, const struct step *step, struct run_patience *p, const char *seen,
                    struct err *err);
/* May suspend. Looks again after a moment, since one answer may be wrong. false: err is set to why it could not. */
bool run_look_once_more(struct call *c, struct run *r, const struct step *step, struct err *err);
/* This run has brought back, made or granted something that the step relies on, or that relies on the same: it may
 * refuse us for as long as that does not act. */
bool run_just_opened(const struct run *r, const struct step *step);
/* Something the step relies on cannot be seen, and what this run has just done may be why: it refuses us, or does not
 * answer although it was just brought back. */
bool run_refused_yet(const struct run *r, const struct step *step);
/* true: what `again` asks for is no older state, for somebody else has written since; err says what. */
bool run_changed_by_another(struct arena *a, const struct step *ours, const struct step *again, struct err *err);

#endif
