/* Claims: the idempotency key that Azure Backup's restore lacks. Before a restore is triggered a small blob is created
 * in its staging account, only where there is none of that name; Azure Storage lets one writer win, and the others find
 * who it was.
 *
 * A claim is named by what would be done twice: the protected item and the target, for an export pass the key alone.
 * Behind the name stands a generation: one more than the claims of that name whose jobs have ended. Orders are not part
 * of the name, so that two people with two orders for one machine meet. Claims hold no secret, stay where they are, and
 * are never deleted. */
#ifndef REINSTATE_CLAIM_H
#define REINSTATE_CLAIM_H

#include "../azure/blob.h"

#define CLAIM_CONTAINER "reinstate-claims"
/* How the names of what lies beside the claims begin. */
#define CLAIM_NOTE "note-"
/* A job is in the vault's list minutes after its trigger; the trigger itself may be told to wait before it is taken. A
 * claim that names no job for so long, and `settle`, is a person's affair. */
#define CLAIM_LAG_MS (10 * (int64_t)MINUTE_MS)
/* An order lasts seven days at most, and no restore takes as long: a job that Azure no longer knows
 * has ended by then. */
#define CLAIM_FORGOTTEN_MS (7 * DAY_MS)

/* What is about to be done, and for whom. */
struct claim_subject {
    const char *item_id;       /* "" for an export pass: any machine on the key does */
    const char *target;        /* in words: type, group and name, or the key; case is folded */
    const char *order, *point; /* not part of the name */
    const char *account_id; /* where it lies, whichever account the restore is staged in; NULL: in that one */
};

struct claim {
    const char *name; /* of its blob */
    size_t generation;
    const char *by, *at; /* who: an object id; when, as its writer saw Azure's clock */
    const char *order, *point, *target;
    const char *job;     /* NULL: none is known */
    const char *adopted_by; /* the later order that took its job for its own; NULL */
    const char *ended;   /* why it counts as ended although no job of it is known to have ended; NULL */
    const char *renewed; /* when its writer last looked at everything again before he triggers; NULL: never */
    const char *nonce;   /* tells its writer that it is his, when the answer to his PUT was lost */
    int64_t made_ms; /* when Azure created the blob, or its writer renewed it; TIME_NONE when nobody says */
    const char *etag;
};

/* --- what a claim is (pure) --------------------------------------------------------------------------------------- */

/* The digest of item and target; the blob's name is it and "-GENERATION". */
char *claim_base(struct arena *a, const struct claim_subject *subject);
char *claim_name(struct arena *a, const char *base, size_t generation);
/* False: no claim of that base. */
bool claim_generation(const char *base, const char *name, size_t *ret);
struct value *claim_to_value(struct arena *a, const struct claim *claim);
/* The job that a claim names for that order, which triggered or adopted it; NULL: it names none, or another order's. */
const char *claim_job_of(const struct value *claim, const char *order);
/* That nobody knows what became of a claim `wait_ms` after it was made; and the commands of a person who finds out. */
char *claim_unsettled_words(struct arena *a, const struct claim *claim, int64_t wait_ms);
char *claim_unsettled_advice(struct arena *a, const struct claim *claim, const char *vault_id);
/* A blob that does not say what it is for counts as a claim too: its writer was cut off, and a job may run. */
void claim_from_value(const struct value *v, struct claim *ret);

/* "claim NAME (by whom at what time, order, point)" for people. */
const char *claim_words(struct arena *a, const struct claim *claim);

enum claim_job {
    CLAIM_JOB_RUNS,
    CLAIM_JOB_ENDED,
    CLAIM_JOB_GONE
}; /* GONE: Azure does not know it (yet, or any more) */
struct claim_look {
    enum claim_job job; /* of a claim that names one */
    bool known;         /* it had ended when this restore was decided on */
    int64_t end_ms;     /* of the job; TIME_NONE */
    int64_t now_ms, since_ms, wait_ms;
};
enum claim_verdict {
    CLAIM_ENDED,  /* the next generation is free */
    CLAIM_ADOPT,  /* its job is what we were about to trigger */
    CLAIM_OTHER,  /* its job restores the same target from another point */
    CLAIM_WAIT,   /* it names no job yet */
    CLAIM_PERSON, /* it names none, and should */
};
enum claim_verdict claim_judge(const struct claim *claim, const struct claim_subject *subject,
                               const struct claim_look *look);

/* --- where claims are (all may suspend) --------------------------------------------------------------------------- */

/* One staging account, looked into by token, or with the account's key where the token is refused. Release it. */
struct claims {
    struct azure *az;
    struct blob_place place;
    const char *account_id; /* NULL: its key cannot be asked for */
    struct secret key;
};
void claims_release(struct claims *claims); /* for cleanup() */
/* The account's own blob endpoint, as ARM shows it; else built from its name. */
must_use int claims_open(struct azure *az, struct call *c, struct arena *a, const char *account_id, struct claims *ret,
                         struct err *err);
/* True: the account itself has said that it takes no claims from us (no right, closed network, not there, of no such
 * kind), for good. Too busy, or no answer, says nothing: a claim may stand there. Never ask this of an error that
 * another service gave, nor once a claim has been seen. */
bool claims_refused(const struct err *err);
/* All claims in the account; none where the container was never made. By token alone: nothing that needs
 * a permit is sent. */
must_use int claims_list(struct call *c, struct arena *a, struct claims *claims, struct value **ret, struct err *err);
/* The newest claim of that base; *ret_found false when there is none. Where it fails, *ret_found says whether a claim
 * was seen, which could then not be read. */
must_use int claims_newest(struct call *c, struct arena *a, struct claims *claims, const char *base, struct claim *ret,
                           bool *ret_found, struct err *err);
/* The claims of an account that name a job: a list of claim_to_value. */
must_use int claims_with_jobs(struct call *c, struct arena *a, struct claims *claims, struct value **ret,
                              struct err *err);
/* Creates it; name, nonce and etag are filled in. ERR_CONFLICT: somebody else was quicker, whether or
 * not we were answered. */
must_use int claims_take(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, struct err *err);
/* Whether the claim still stands as it was last written by us; else *ret_now is what it is now. */
must_use int claims_confirm(struct call *c, struct arena *a, struct claims *claims, const struct claim *claim,
                            bool *ret_same, struct claim *ret_now, struct err *err);
/* Writes `claim` over the state of it that was read. ERR_CONFLICT: it has changed since. */
must_use int claims_note(struct call *c, struct arena *a, struct claims *claims, struct claim *claim, struct err *err);

/* Beside the claims lie notes of what is settled for good. A note is kept once: one of its name stays as it is. */
must_use int claims_keep(struct call *c, struct arena *a, struct claims *claims, const char *name,
                         const struct value *content, struct err *err);
/* The notes whose names begin so: a map of name to content. */
must_use int claims_notes(struct call *c, struct arena *a, struct claims *claims, const char *prefix,
                          struct value **ret, struct err *err);

#endif
