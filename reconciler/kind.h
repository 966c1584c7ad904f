/* The interface of a kind. A kind is a row in a table: what it is called, how it is looked at (the only hook that
 * reads), which steps follow (pure), and how one step is done (the only hook that writes). The engine knows nothing
 * else.
 *
 * Contract, tested for every row by tests/contract/:
 *  1. observe never writes. 2. steps is a function: the same view gives the same steps. 3. act twice equals act once:
 *  after act, observe and steps no longer yield the step (its postcondition holds). 4. Fields that are not declared are
 *  neither compared nor reset. 5. No hook decides policy, retries requests, reads a clock of its own, or logs. 6.
 * Outputs are filled on success and untouched on failure. 7. Cancelled at any suspension point: no leak, no second
 * write.
 *  8. With the N-th request failing, the next pass converges. */
#ifndef REINSTATE_KIND_H
#define REINSTATE_KIND_H

#include "model/conclusion.h"
#include "model/plan.h"
#include "run/co.h"

/* Waits and bounds, all in milliseconds; cmd/ fills them from flags and defaults. */
struct settings {
    int64_t settle_ms;            /* between the two looks before a restore is triggered: 60 s */
    int64_t role_delay_ms;        /* documented propagation of role assignments: 10 min */
    int64_t policy_delay_ms;      /* of key vault access policies: 2 min */
    int64_t hsm_role_delay_ms;    /* of local roles of a managed HSM, to all its regions: 6 min */
    int64_t export_bound_ms;      /* how long an export pass may take: 2 h */
    int64_t restore_bound_ms;     /* how long a restore may take: 12 h */
    int64_t export_lookback_ms;   /* how old a reusable export may be: 90 d */
    int64_t leftover_lookback_ms; /* how long exports are looked after until they are gone: 90 d */
    int64_t poll_bound_ms;        /* other long-running operations: 1 h */
    int64_t readback_ms; /* how long a write of ours may read as undone before it counts as undone: 5 min; kinds have
                            their own */
    bool claims_required;         /* Policy.spec.claims: nothing is triggered that no claim guards */
    const struct value *take_over; /* map: a claim, and who decided that it counts as ended (--take-over); NULL: none */
    bool far;                     /* also looks at what only an order needs, though none is in force: a forecast does */
    /* Asked directly before a restore is triggered: why a document no longer stands as it was read, in a sentence;
     * NULL: it does, or cannot be read twice. NULL hook: nobody can be asked. Hours lie between look and trigger. */
    const char *(*changed)(void *documents, struct arena *a, const struct document *doc);
    void *documents;
    bool near; /* a kind may leave out what matters only where something differs; where it does, it is looked at in
                  full: drift, for which a thousand machines that are as declared cost a few lists */
    const char *article;          /* Policy.spec.article: which reading predictions follow; NULL: the safest */
};
extern const struct settings settings_default;

/* --- what a kind sees (pure) -------------------------------------------------------------------------------------- */

enum supposing {
    SUPPOSE_NOTHING,
    SUPPOSE_LOSS, /* what would follow if all that is declared were ordered on the day on which its source is lost? */
    SUPPOSE_NOW   /* what would follow if what is asked about were ordered now? */
};

/* What has been observed of each document, and what the kinds before this one in order have concluded. */
struct view {
    struct arena *arena;
    const struct desired *desired;
    const struct settings *settings;
    int64_t now_ms;                          /* by the provider's clock */
    int64_t ahead_ms;                        /* of it, this machine's own clock; negative: behind */
    const struct value *const *facts;        /* by document index; a map, or NULL if not observed */
    const struct steps *steps;               /* of the documents before this one */
    const struct step *const
        *refused; /* what policy denies of that which could as well be done elsewhere (step.elected) */
    size_t n_refused;
    enum supposing if_ordered;               /* orders that nobody has given are supposed, as a question */
    const char *const
        *ordered_points; /* SUPPOSE_NOW: by document index, the point that is asked about; NULL: no order of it */
    const struct conclusion
        *conclusions;      /* by document index; of the documents before this one. NULL: nothing is concluded */
    struct demand *demand; /* what is concluded only when it is asked for (engine/demand.h); NULL: all is */
    struct view_memo *memo; /* what view_find keeps; NULL: each question is answered anew */
    const void *concluded; /* what the kinds concluded of the look before its first step (struct kinds); NULL: the
                            * look is not at its end, and what is asked is told as far as it is seen */
};

/* Facts are maps. Members every kind uses alike:
 *   state: "present" | "absent" | "deleted" (soft) | "unseen" (403 or unreachable: never the same as absent)
 *   live:  the body as Azure gave it (what policies and reports see as live.*)
 *   why:   with unseen, a sentence that says what hindered us and what would help
 *   failed: with unseen, true when the read itself failed (no host, no token, an answer that cannot be read) and was
 * not refused. If this is so of all documents, the fault lies in the run, and the look fails with the first error
 *   brief: true when a near look has left something out. That may be so only where the document's steps would be none
 * with it as well, unless another document differs: then it is looked at in full
 *   named: true when others find it by what they have seen, and need not refer to it: looked at in full wherever
 * something differs
 *   asks:  true when a near look of what it hangs on does not do, although nothing may differ */
const struct value *view_facts(const struct view *v, const struct document *doc);
const char *view_state(const struct view *v, const struct document *doc);

/* How documents are found by what they declare or by what was seen of them, the same at any number of documents: `put`
 * adds the names of one document, or of what it has seen, to an index (INDEX_NOCASE; what they are made of lives in
 * `a`). */
struct view_names {
    const char *kind;                        /* of documents of this kind only; NULL: of all */
    bool declared;                           /* by what they declare: names that a look does not change */
    bool whole; /* what is put for one document depends on what was seen of others: all is put anew, each time */
    void (*put)(const struct view *v, const struct document *doc, struct arena *a, struct index *x);
};
/* What bears that name, in the order of the documents; NULL: nothing. The index is made once for the facts as they
 * are, however many ask. It must not be kept across a look. */
const struct index_entry *view_find(const struct view *v, const struct view_names *names, const char *name);
/* The same, one after the other: *at starts as NULL; NULL at the end. */
const void *view_next(const struct view *v, const struct view_names *names, const char *name,
                      const struct index_entry **at);

/* What was concluded of a document, and by which step it is blocked (NULL: it is not). Documents after the one whose
 * steps are being made are not concluded yet and count as satisfied. */
enum prospect view_prospect(const struct view *v, const struct document *doc);
const struct step *view_block(const struct view *v, const struct document *doc);
/* The ruling by which policy denies such a step of `doc`; NULL: none is known to. */
const struct ruling *view_refusal(const struct view *v, const struct document *doc, enum action action);
/* What the kind has concluded of a document for itself (conclude); NULL: nothing yet. */
const void *view_own(const struct view *v, const struct document *doc);
/* The steps of `doc`, which comes later, may add to those that are being made: it is concluded along with them. */
void view_beside(const struct view *v, const struct document *doc);
/* Makes `step` rely on `doc`: it needs every step of it that is due, and is blocked with it. NULL doc: nothing. */
void view_need(const struct view *v, struct steps *s, struct step *step, const struct document *doc);

/* --- hooks -------------------------------------------------------------------------------------------------------- */

struct observer {
    struct arena *arena;                      /* results go here */
    const struct view *view;                  /* facts of lower levels are there, steps are not */
    const struct document *document;
    void *provider;                           /* what the table's owner handed to the engine */
    bool near; /* what matters only where something differs may be left out: the facts then say so (brief) */
};

struct actor {
    struct arena *arena;                      /* scratch of this step */
    const struct view *view;                  /* freshly observed */
    const struct step *step;                  /* from the fresh view */
    void *provider;
    void *say_ctx;
    void (*say)(void *ctx, const struct step *step, const char *line);   /* progress for people; no secret */
    void (*status)(void *ctx, const struct step *step, const char *line);
    void (*job)(void *ctx, const struct step *step, const char *job, int64_t before_ms);
    void (*until)(void *ctx, const struct step *step, const char *what, int64_t ms);
    int (*again)(void *ctx, struct call *c, const struct step *step, struct err *err);
};
/* May suspend. Looks at all that the step rests on once more, and concludes it and policy anew: 0 only if the step is
 * asked for as it is. Asked directly before a write that long waits came before; what came up meanwhile joins the run,
 * and the error then makes the step wait for it. The facts of actor->view are those of that look from then on. */
must_use int actor_look_again(const struct actor *actor, struct call *c, struct err *err);
/* Where the step stands, which the next such line replaces: a screen may overwrite it. What must be readable
 * afterwards is said. */
void actor_status(const struct actor *actor, const char *fmt, ...) printf_like(2, 3);
/* The step has started or adopted a job at Azure, which runs on whatever becomes of this run; `before_ms`: it ran so
 * long before. */
void actor_job(const struct actor *actor, const char *job, int64_t before_ms);
/* May suspend. Waits for time to pass, which the screen counts down. */
must_use int actor_wait(const struct actor *actor, struct call *c, int64_t ms, const char *what, struct err *err);
void actor_say(const struct actor *actor, const char *fmt, ...) printf_like(2, 3);

struct kind {
    const char *name;
    const char *summary;                      /* one sentence for explain */
    /* May suspend. NULL: nothing to observe. What is denied or absent is a fact; an error makes the document unseen,
     * with the error as the reason, and leaves all else to be judged. */
    int (*observe)(struct call *c, const struct observer *o, struct value **ret, struct err *err);
    /* Pure. What the kind wants to conclude once of `doc` and read again (view_own), made just before
     * its steps. May be NULL. */
    const void *(*conclude)(const struct view *v, const struct document *doc);
    /* Pure. NULL: no steps. Adds the steps of `doc`; with nothing to do adds one ACTION_NONE with its reason. */
    void (*steps)(const struct view *v, const struct document *doc, struct steps *out);
    /* May suspend. Does one step of this kind. NULL: the kind has only none, blocked and verify steps. */
    int (*act)(struct call *c, const struct actor *actor, struct err *err);
    /* Pure. Checks of a declaration that a schema cannot express and that need no look at Azure: faults go to `faults`,
     * all at once, with their place. Called when manifests are loaded, so that all commands refuse the same. May be
     * NULL. */
    void (*check)(const struct document *doc, struct diags *faults);
    /* Pure. The one thing in the world that a document of this kind stands for, written so that two ways of writing it
     * differ in capitals at most; NULL: none can be told. Two documents of a kind for one thing are refused when
     * manifests are loaded: each would undo what the other declares, at every run. NULL: several documents may declare
     * parts of one thing. */
    char *(*identity)(struct arena *a, const struct document *doc);
    /* References that only mention a document: path prefixes, NULL-terminated; NULL: none. By every other reference the
     * document relies on what it names. */
    const char *const *mentions;
    /* Pure. Deadlines that cannot be undone (purges, windows); may be NULL. */
    void (*deadlines)(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items,
                      size_t *count);
    /* How long a write of this kind may read as undone; 0: settings.readback_ms. */
    int64_t readback_ms;
};

struct kinds {
    const struct kind *const *items;          /* in evaluation order: a kind only refers to kinds before it */
    size_t count;
    /* Pure. What follows from the facts of a look as a whole, made once and before the first step, so that no two of
     * those who ask get different answers. May be NULL. */
    const void *(*conclude)(const struct view *v);
    /* Told before a look, and once it is over, so that reads which belong together can be made together. What is read
     * between looks, as before a write, is read by itself. May be NULL. */
    void (*look)(void *provider, const struct view *v, bool begins);
};

#endif
