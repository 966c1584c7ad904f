/* Restore jobs: what one says of itself, and whose it is. Pure. */
#ifndef REINSTATE_JOBS_H
#define REINSTATE_JOBS_H

#include "../azure/backup.h"

/* What identifies a job as ours: nothing at Azure ties a job to an order, so all that can be compared is. */
struct job_match {
    const char *vm; /* source VM name */
    enum restore_type type;
    int64_t point_ms;
    const char *target_group; /* name */
    const char *target_vm;    /* NULL for disks */
    int64_t since_ms; /* jobs that ended before are none of ours; INT64_MAX: none is */
    bool not_exports; /* a pass that failed as foretold is no failed restore, though it looks like one of disks */
};

/* A job as a fact (map): job, status, state, type, start, end, point, targetVm, targetGroup, account, container, blob, code, text. */
struct value *job_to_facts(struct arena *a, const struct backup_job *job);
/* Pure. The jobs among `jobs` (a list of such facts) that match, newest first: a list. */
struct value *jobs_matching(struct arena *a, const struct value *jobs, const struct job_match *match);
/* True when a failed job's error class allows trying again. */
bool job_retryable(const struct value *job);

#endif
