/* The pass: look (observe, steps, policy, plan) and act (in order, each step re-observed before it writes and verified
 * after). Knows no Azure type: it is handed a table of kinds. */
#ifndef REINSTATE_ENGINE_H
#define REINSTATE_ENGINE_H

#include "../kind.h"
#include "../model/plan.h"
#include "../model/policy.h"
#include "../run/http.h"

enum engine_event {
    ENGINE_STEP_STARTS,
    ENGINE_STEP_SAYS,          /* what a running step has to say, to be read afterwards */
    ENGINE_STEP_STATUS,        /* where it stands; the next such line replaces it */
    ENGINE_STEP_JOB,           /* `line` is the id of the job at Azure that it follows, `ms` how long that ran before */
    ENGINE_STEP_UNTIL,         /* it waits for time to pass, `ms` of it; `line` says for what */
    ENGINE_STEP_DONE,
    ENGINE_STEP_NOT_NEEDED,    /* the world has meanwhile done it */
    ENGINE_STEP_FAILED,
    ENGINE_STEP_BLOCKED,       /* by policy, a missing order, or drift since the plan */
    ENGINE_STEP_SKIPPED,       /* something it needs was not done, or the run is draining */
    ENGINE_STEP_WAITS,         /* begun, and a fresh look shows that what it needs is not so yet */
    ENGINE_STEP_LEFT,          /* no longer waited for: the run was told to end; what runs at Azure runs on */
    ENGINE_STEP_OVERTAKEN,     /* a fresh look asks for something else in its place, which joins the run */
    ENGINE_PLAN_GROWS          /* a step that was not planned joins the run: a repair has revealed it */
};

struct engine {
    const struct kinds *kinds;
    const struct settings *settings;
    void *provider;                               /* passed to the kinds' hooks */
    const struct policy *policy;
    const struct value *pinned; /* the documents of a pinned policy, for the plan's digest; NULL: none is pinned */
    const struct approval *approvals;
    size_t n_approvals;
    bool closed;                                  /* a saved plan is carried out: nothing joins it */
    struct journal *journal;                      /* NULL: none */
    /* Checks our own rights for all steps of the plan. Each gap becomes a string in `gaps` (a list value), and the
     * `lacking` of every step that only leads to it: those are not begun. A gap of a step that nothing waits for is
     * that step's alone, and not in `gaps`. May be NULL. */
    int (*preflight)(struct call *c, void *provider, struct arena *a, const struct plan *plan, struct value *gaps,
                     struct err *err);
    /* For the screen; may be NULL. `line` is for SAYS, FAILED, BLOCKED, SKIPPED, NOT_NEEDED; `ms`, where no event says
     * otherwise, is how long the step took. */
    void (*event)(void *ctx, enum engine_event event, const struct step *step, const char *line, int64_t ms);
    bool (*draining)(void *ctx);                  /* true: start no further step; may be NULL */
    void *ctx;
};

/* A look at the world: facts and the plan that follows. Lives in the arena given. */
struct look {
    struct view view;                             /* its steps are plan->steps */
    struct value **facts;                         /* by document index */
    const struct plan *plan;
};

/* May suspend. Reads only. */
must_use int engine_look(struct call *c, const struct engine *e, struct arena *a, const struct desired *desired,
                         struct look *ret, struct err *err);
/* Pure. What the same facts would lead to if these orders were given, policy left aside: the conclusions that forecast,
 * activate and impact read, so that they cannot promise what a plan would then refuse. `points`: with SUPPOSE_NOW, the
 * point asked about, by document index (NULL: of that document none is). SUPPOSE_NOTHING concludes facts that are no
 * look's, as impact makes them up. */
void engine_suppose(const struct engine *e, struct arena *a, const struct view *view, enum supposing what,
                    const char *const *points, struct view *ret);
/* Pure: steps, policy and plan from facts already observed (golden tests, saved worlds). */
must_use int engine_conclude(const struct engine *e, struct arena *a, struct view *view, const struct plan **ret,
                             struct err *err);

enum step_state {
    STEP_WAITING,
    STEP_RUNNING,
    STEP_DONE,
    STEP_NOT_NEEDED,
    STEP_FAILED,
    STEP_BLOCKED,
    STEP_SKIPPED,
    STEP_OVERTAKEN
};
struct step_outcome {
    const struct step *step;
    const char *const *needs;                     /* ids of the steps it waits for, as last seen */
    size_t n_needs;
    size_t repeats;                               /* how often a wait was begun anew */
    bool grown;                                   /* was not planned: joined the run when a repair revealed it */
    enum step_state state;
    struct err err;                               /* failed and blocked; ERR_CANCELLED: no longer waited for */
    const char *job;                              /* at Azure, that it has started or adopted; NULL */
    int64_t elapsed_ms;
};
struct outcome {
    struct step_outcome *steps;                   /* in plan order, without ACTION_NONE; then what has joined */
    size_t count, room;
    struct index *by_id;                          /* of the steps */
    size_t done, failed, blocked, skipped;        /* done counts NOT_NEEDED too; OVERTAKEN counts nowhere */
    bool *was_so;                                 /* by document index: this run has seen it as declared */
    size_t writes_taken;                          /* writes that took effect, or may have */
    const struct plan *plan;                      /* what was carried out */
    int64_t begun_ms, ended_ms;
    const struct value *gaps;                     /* preflight: list of sentences; nothing was written when not empty */
};
/* May suspend. Carries the plan out. Returns an error only when nothing could be tried (preflight could not be read,
 * cancelled); failures of steps are in the outcome. */
must_use int engine_act(struct call *c, const struct engine *e, struct arena *a, const struct look *look,
                        struct outcome *ret, struct err *err);
/* Something was sent that changes Azure, or a job there was seen through. */
bool engine_changed(const struct outcome *outcome);
/* The exit codes of schemas/README.md: 0, 4 partly applied, 3 blocked, 1 error, in that precedence. */
int engine_exit_code(const struct outcome *outcome);

#endif
