/* Other machines on the key that an export pass is for: one that exports it already, or may have left it, spares the
 * pass (export_beside.c, pure); and the same asked in the last moment before the trigger (export_due.c). */
#ifndef REINSTATE_EXPORT_BESIDE_H
#define REINSTATE_EXPORT_BESIDE_H

#include "../backup/job_run.h"
#include "election.h"

#define EXPORT_BESIDE_NEXT                                                                                             \
    "run again when it has ended: what it leaves is used, and a second pass would leave a second copy of the key"

/* A restore of disks, or of nobody knows what, that runs. */
const struct value *export_beside_job(const struct value *jobs);
/* The next machine but `pvm` that is declared as a source of the key; NULL at the end. */
const struct document *export_beside_next(const struct document *key, const struct document *pvm, size_t *at);
/* Blocks our pass while somebody restores disks of another machine on this key, because that restore exports the key.
 * true: a step was added. */
bool export_beside_blocks(const struct view *v, const struct document *doc, struct steps *out,
                          const struct export_election *e);

/* --- in the last moment ------------------------------------------------------------------------------------------- */

/* What the last questions before a pass are asked about, and what they have found. */
struct export_pass {
    struct export_election elected;
    const struct value **left; /* a job that has left an export of the key meanwhile */
};

/* A pass of this machine, or of another one on the key, that has ended since the look this step was decided on, and has
 * left an export; NULL: none has. */
must_use int export_left_meanwhile(struct call *c, const struct job_run *run, const struct value **ret,
                                   struct err *err);
/* The last questions before the pass is triggered. That Azure foresees trouble with the key is what the pass is for. */
must_use int export_still_due(struct call *c, const struct job_run *run, struct err *err);

#endif
