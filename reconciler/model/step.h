/* Steps: what has to be done, why, and what proves it. The plan is their graph. Pure data. */
#ifndef REINSTATE_STEP_H
#define REINSTATE_STEP_H

#include "desired.h"

enum action {
    ACTION_NONE,         /* as declared; carried for its reason */
    ACTION_CREATE,
    ACTION_UPDATE,
    ACTION_RECOVER,      /* from soft delete */
    ACTION_ENABLE,       /* what is disabled */
    ACTION_OWN_EARLY,    /* what only the provider's documents do (actions_own), before rights are given */
    ACTION_GRANT = ACTION_OWN_EARLY + 3,
    ACTION_WAIT,
    ACTION_OWN_LATE,     /* and after they act */
    ACTION_VERIFY = ACTION_OWN_LATE + 2,
    ACTION_BLOCKED,      /* must be done, cannot be done by us now */
    ACTION_COUNT
};

struct action_words {
    const char *name, *glyph; /* "create"; one column wide */
    bool writes;              /* sends something that changes Azure */
    bool once;                /* a refusal is not tried again: a second one may do it twice */
    bool brings_back;         /* what is lost until then, and nobody orders by itself */
    size_t budget;            /* which of a policy's budgets it draws on beside "changes"; 0: none */
};
/* The provider defines what its documents do on their own, by action, and the budgets of that (counted from 1). */
enum { BUDGETS_OWN = 2 };
extern const struct action_words actions_own[ACTION_COUNT];
extern const char *const budgets_own[BUDGETS_OWN];
const struct action_words *action_words(enum action a);
const char *action_name(enum action a);           /* "create" */
const char *action_glyph(enum action a);          /* one column wide */
bool action_writes(enum action a);                /* sends something that changes Azure */
enum action action_parse(const char *name);       /* ACTION_COUNT when unknown */

struct change {
    const char *path;
    const struct value *before, *after;           /* NULL before: absent; after may be VALUE_UNKNOWN */
    const char *why;                              /* may be NULL */
    bool seconds;                                 /* both are seconds since 1970, which people read as a time */
};

/* A write the step will send; the transport lets nothing else pass (run/http.h). */
struct step_write {
    const char *method;                           /* "PUT", "POST", "PATCH" */
    const char *fragment;                         /* what host and path of the URL must hold, case folded */
};

/* A right we ourselves need, for the preflight. */
struct step_right {
    const char *scope;                            /* ARM scope */
    const char *action;                           /* "Microsoft.Compute/diskEncryptionSets/write" */
    bool data;                                    /* a data action */
    const char *role;                             /* a built-in role that holds it */
    bool wish;                                    /* the step is done without it too */
    const char *instead; /* an action that does as well where the first is not held; NULL: none */
};

enum verdict {
    VERDICT_ALLOW,
    VERDICT_WARN,
    VERDICT_REQUIRE_APPROVAL,
    VERDICT_OBSERVE_ONLY,
    VERDICT_DENY,
    VERDICT_COUNT
};
const char *verdict_name(enum verdict v);

struct ruling {
    enum verdict verdict;
    const char *rule;                             /* name; "built-in/…" for defaults */
    struct origin origin;
    const char *message;
    const char *evidence;                         /* the values that decided */
    const char *approved_by;                      /* NULL unless approved */
    bool by_order;                                /* approved by an order alone, and by nobody's name */
    int64_t ends_ms; /* what lets the step pass now has ended by the time at which it begins by the estimates; 0: no */
};

/* What a step asks of an allowance that the service counts over all steps of a plan. */
struct step_spend {
    const char *of;          /* which one, and whose */
    double most, per_second; /* so much at once, and so much more in each second */
    double count;            /* of it, by this step */
};

struct step {
    const char *id;                               /* "Kind/name#verb" */
    const struct document *document;
    enum action action;
    const char *const *needs;                     /* step ids */
    size_t n_needs;
    const char *const *after; /* ids it lets end first, however they end; ids that are no steps are none */
    size_t n_after;
    const char *reason;
    const char *precondition, *postcondition;     /* for people; may be NULL */
    const struct change *changes;
    size_t n_changes;
    const struct value *detail;                   /* the kind's own parameters of the act; no secret; may be NULL */
    const char *scope;                            /* what it is done to: ARM id or URL; policies see it as step.scope */
    const char *scenario;                         /* row of the scenario table ("N-17"), or NULL */
    int64_t estimate_ms;                          /* -1: not known */
    const char *estimate_source;
    int64_t held_ms;                              /* until what it waits for at Azure has ended, by the estimates */
    const char *unverified;                       /* what nobody has verified on Azure about it, or NULL */
    const char *next;                             /* blocked: what would unblock it, by whom */
    bool unseen;                                  /* blocked, since its document cannot be seen */
    bool matters;                                 /* told though there is nothing to do: others rest on it */
    bool aside;                                   /* steps that need the document go on without this one */
    bool elected;       /* another document could do the same: where policy denies it, the kinds choose anew */
    const char *adopts; /* the job that runs already and is followed: starts nothing, never held up; NULL */
    const struct document *const *on; /* documents that must be so before it starts; a blocked one blocks it */
    size_t n_on;
    bool needs_any;                               /* one of its needs is enough, once all of them are over */
    const struct document *const *looks; /* looked at again before it starts, though they do not hold it up */
    size_t n_looks;
    const struct document *const *serves;         /* it is done for these; in vain when none of them can be done */
    size_t n_serves;
    bool covered; /* an order for what it serves approves it: in vain only as long as nothing else asks for it */
    const struct step *held_by; /* blocked only because this one is (conclusion.h); NULL: for reasons of its own */
    const char *const *notes;                     /* findings beside it: they ask for nothing and are no difference */
    size_t n_notes;
    const char *foretold;                         /* what will look wrong and is not ("job will show Failed: …") */
    bool fails;                                   /* it is meant to fail at Azure, and done by failing */
    const char *loses;                            /* what is not brought back by it; NULL: nothing that is known */
    const char *const *leaves;                    /* what it writes beside what is declared */
    size_t n_leaves;
    const struct step_write *writes;
    size_t n_writes;
    const struct step_right *rights;
    size_t n_rights;
    const struct step_spend *spends;
    size_t n_spends;
    const char *lacking; /* preflight: the right we lack, so that this step alone is left out; NULL */
    /* filled by policy */
    enum verdict verdict;
    const struct ruling *rulings;
    size_t n_rulings;
};

struct steps {
    struct arena *arena;
    struct step **items;
    size_t count;
    struct index *by_id, *by_document; /* of the items, by step id and by document address; NULL: of none */
    /* Told of each document whose steps are asked for, so that they are made when somebody asks, and not before. false:
     * they are not to be had. NULL: all steps are there. */
    bool (*asked)(void *ctx, const struct document *doc);
    void *asked_ctx;
    const struct desired *desired; /* with `asked`: whose documents */
};

/* It changes Azure. One that looks, waits, or follows a job that runs already does not: policy never forbids that. */
bool step_alters(const struct step *step);

/* Adds what the step asks of that allowance. */
void step_spend(struct steps *s, struct step *step, const struct step_spend *spend);

/* Adds a step "address#action name" and returns it for filling in. `suffix` (may be NULL) makes several of one action
 * distinct: "KeyAccess/x#grant.des-payroll". */
struct step *steps_add(struct steps *s, const struct document *doc, enum action action, const char *suffix,
                       const char *reason_fmt, ...) printf_like(5, 6);
/* Makes of a due step one that is blocked for `reason`; `root`: held up by that step, NULL: for reasons of its own. */
void step_make_blocked(struct step *step, const struct step *root, const char *reason, const char *next);
/* Blocks it, since `by` is suspended or observed only. */
void step_withhold(struct steps *s, struct step *step, const struct document *by);
void step_need(struct steps *s, struct step *step, const char *id);           /* twice is once; NULL is none */
void step_after(struct steps *s, struct step *step, const char *id);
void step_change(struct steps *s, struct step *step, const char *path, const struct value *before,
                 const struct value *after, const char *why);
/* The same of a time that both give in seconds since 1970; and how a value of a change is shown to people. */
void step_change_time(struct steps *s, struct step *step, const char *path, const struct value *before,
                      const struct value *after);
const struct value *change_shown(struct arena *a, const struct change *c, const struct value *v);
void step_writes(struct steps *s, struct step *step, const char *method, const char *fragment_fmt, ...)
    printf_like(4, 5);
void step_right(struct steps *s, struct step *step, const char *scope, const char *action, bool data, const char *role);
/* Needs the data action, or `instead` in its place (NULL: nothing replaces it). */
void step_right_either(struct steps *s, struct step *step, const char *scope, const char *data_action,
                       const char *instead, const char *role);
/* Asks for a right that makes the step safer. The step is done without it too. */
void step_wish(struct steps *s, struct step *step, const char *scope, const char *action, bool data, const char *role);
/* The documents it relies on and serves; twice is once, NULL is none. */
void step_on(struct steps *s, struct step *step, const struct document *doc);
/* It rests on a part of that document, namely on the steps that it needs; twice is once. */
void step_look(struct steps *s, struct step *step, const struct document *doc);
void step_serves(struct steps *s, struct step *step, const struct document *doc);
void step_note(struct steps *s, struct step *step, const char *fmt, ...) printf_like(3, 4);
/* Adds to what it leaves beside what is declared. */
void step_leaves(struct steps *s, struct step *step, const char *fmt, ...) printf_like(3, 4);
/* Whether it is done, as far as policy and our rights say: it is due, and neither refused nor lacking a right. */
bool step_runs(const struct step *step);
/* How long it takes by the estimates until the step can begin: what it needs is done by then, and what it lets end
 * first or waits for at Azure has ended. `known` (an empty index at first) remembers, as many steps share these. */
int64_t steps_lead_ms(const struct steps *all, const struct step *step, struct index *known);
struct step *steps_find(const struct steps *s, const char *id);
/* The steps of a document, one after the other: *at starts as NULL; NULL at the end, and for NULL steps. */
struct step *steps_next(const struct steps *s, const struct document *doc, const struct index_entry **at);
/* Whether the steps of a document may be asked for; they are made then, if they were not. */
bool steps_asked(const struct steps *s, const struct document *doc);
/* The items were put in, or taken out, by hand: they are found again. */
void steps_index(struct steps *s);
/* Takes out all steps from index `from` on. */
void steps_cut(struct steps *s, size_t from);
/* The ruling by which policy withholds it: denied, observed only, or an approval that nobody has given;
 * NULL: it may be done. */
const struct ruling *step_withheld(const struct step *step);
/* The ruling that denies it, or lets it be observed only, so that no name helps; NULL. */
const struct ruling *step_refused(const struct step *step);
/* "restore-key", or "grant.des-payroll": what distinguishes a step within its document. */
const char *step_verb(const struct step *step);
struct value *step_to_value(struct arena *a, const struct step *step);

#endif
