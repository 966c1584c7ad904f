/* How the trigger of a restore is guarded: job_run.c asks, before and after it, and sends the trigger itself. All that
 * take a call may suspend. */
#ifndef REINSTATE_JOB_GUARD_H
#define REINSTATE_JOB_GUARD_H

#include "job_run.h"
#include "../azure/shared.h"

#define CLAIM_PAUSE_MS (15 * (int64_t)SECOND_MS)

/* How long something took the last time, and at least in the last two times; 0: it was not done so often. */
struct pace {
    int64_t last_ms, least_ms;
};

/* How the trigger is guarded, and what has been found out on the way to it. */
struct attempt {
    const struct job_run *run;
    struct claims claims;
    struct claim claim; /* ours, once it is taken */
    bool claimed;
    bool sent;                    /* the trigger, and what became of it is noted */
    bool stands;                  /* a claim is there, and what follows from it has not been found out */
    bool read;                    /* the account's blobs could be listed, whether or not it takes claims */
    int64_t looked_ms, latest_ms; /* when what the trigger rests on was last looked at: the span, and the latest Date */
    struct pace whole, brief;     /* that look, and the one at jobs and claim: how slow Azure is */
    int64_t jobs_ms;              /* when jobs and order were last looked at */
    bool passed;     /* a claim of somebody else was waited for, or its job has ended since this was decided */
    const char *job; /* adopted; NULL: none is */
};

/* One list of jobs: ours to adopt, or none that stands against a trigger. */
must_use int attempt_jobs(struct call *c, const struct job_run *run, const struct value **ret, struct err *err);
must_use int attempt_find_job(struct call *c, const struct job_run *run, const struct value **ret, struct err *err);
/* Until when a job must be in the list, whoever triggered it at `from_ms`. */
int64_t attempt_shown_by(const struct job_run *run, int64_t from_ms);
must_use int attempt_take_claim(struct call *c, struct attempt *t, const char *base, size_t generation, const char *job,
                                struct err *err);
/* Ends with a claim of ours or with a job to adopt. If the account takes no claims, it ends with neither. */
must_use int attempt_guard(struct call *c, struct attempt *t, struct err *err);
/* Writes into the claim what became of its job, for other runs. If that fails, our own run follows the
 * job all the same. */
void attempt_note(struct call *c, struct attempt *t, const char *job, const char *ended);
void attempt_unmarked(const struct job_run *run, const char *job, const struct err *err);
/* Another order's claim names the job that this one would have triggered: the job is this order's from here on. */
void attempt_note_taken_over(struct call *c, struct attempt *t);

#endif
