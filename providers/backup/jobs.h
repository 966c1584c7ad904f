/* Restore jobs: what one says of itself, and whose it is. Pure. */
#ifndef REINSTATE_JOBS_H
#define REINSTATE_JOBS_H

#include "../azure/backup.h"

/* What identifies a job as ours: nothing at Azure ties a job to an order, so all that can be compared is. */
struct job_match {
    const char *group, *vm; /* source VM: a name alone is not unique in a vault */
    enum restore_type type;
    int64_t point_ms;
    const char *target_group; /* name */
    const char *target_vm;    /* NULL for disks */
    int64_t since_ms;         /* jobs that ended before are none of ours; INT64_MAX: none is */
    const char *own;          /* the job that a claim of the order names: ours although it began before; NULL */
    bool not_exports; /* a pass that failed as foretold is no failed restore, though it looks like one of disks */
    const struct value *others; /* ids of jobs that are known to be another restore's; NULL: none is */
    const struct value
        *declared;            /* targets {group, vm} of all restores declared of this machine: their jobs are known */
    const struct value *seen; /* jobs of an earlier look: what claims told of one that does not say it itself */
};

/* A job as a fact (map): job, status, state, vm, sourceGroup, sourceVm, type, start, end, point, pointText, targetVm,
 * targetGroup, account, container, blob, code, text; blobGone (a look has found that blob to be there no more). */
struct value *job_to_facts(struct arena *a, const struct backup_job *job);

/* Fills in what a job does not say of itself (point, type, target) from what is `known` of it; NULL: nothing. */
void job_complete(struct arena *a, struct value *job, const struct value *known);
/* It says from which point it restores, and as what. */
bool job_says_all(const struct value *job);
/* Pure. Whether it restores from the point of that time. A text that cannot be read exactly may mean any point it fits.
 */
enum time_fit job_point_fit(const struct value *job, int64_t point_ms);
/* The job of that id in a list of such facts; NULL. */
const struct value *job_of_id(const struct value *jobs, const char *id);

/* A job belongs to the machine whose group and name its container shows. Without a container only a job of another name
 * can be ruled out. */
enum job_whose { JOB_OF_ANOTHER, JOB_OF_MACHINE, JOB_OF_NOBODY_KNOWS };
enum job_whose job_whose(const struct value *job, const char *group, const char *vm);

/* Pure. The jobs among `jobs` (a list of such facts) that match, newest first: a list. */
struct value *jobs_matching(struct arena *a, const struct value *jobs, const struct job_match *match);

/* Pure. A job that is not ours and stands against a trigger all the same; NULL when none does. `running`: one that
 * runs, for whatever target (Azure restores an item once at a time); else one that has ended since and may have been
 * ours, or restored this machine where nobody declared it. *ret_why says which of it. */
const struct value *job_standing(const struct value *jobs, const struct job_match *match, bool running,
                                 const char **ret_why);
/* Pure. "job J (started T, new-vm to GROUP/VM, point P)" for people. */
const char *job_words(struct arena *a, const struct value *job);
/* What is left of `estimate_ms` for a job that runs already: no less than a minute, since it is not
 * over. NULL: all of it. */
int64_t job_remaining_ms(const struct value *job, int64_t estimate_ms, int64_t now_ms);
/* It runs, is being cancelled, or does not say that it has ended. */
bool job_lasts(const struct value *job);
/* Cancelled, or about to be: what somebody stopped is not begun again. */
bool job_cancelled(const struct value *job);
/* Failed or cancelled. */
bool job_failed(const struct value *job);
/* What its error means, by code and text; NULL: unknown. */
const struct azure_error *job_error(const struct value *job);
/* True when a failed job's error class allows trying again. */
bool job_retryable(const struct value *job);

#endif
