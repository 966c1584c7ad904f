/* Everything a command needs that talks to an Azure, real or simulated: opened in one place, closed
 * in the right order. */
#ifndef REINSTATE_SESSION_H
#define REINSTATE_SESSION_H

#include "../providers/discovery/discover.h"
#include "../providers/kinds/registry.h"
#include "../providers/sim/sim.h"
#include "load.h"
#include "progress.h"
#include "../reconciler/run/record.h"

struct session {
    struct arena *arena;
    const struct options *options;
    struct diags diags;
    struct err err;                  /* why opening failed, or the last run */
    struct schemas *schemas;
    struct estate estate;
    struct arena *estate_arena;      /* of an estate that was read anew; NULL: it lives in `arena` */
    /* From here on NULL in offline sessions. */
    struct sched *sched;
    struct sim *sim;                 /* with --world */
    const struct cloud *cloud, *operators; /* in use; the operator's file, or NULL */
    int64_t ahead_ms;                /* for tests: how far our own clock is ahead of the right time */
    bool skew_told, fields_told;
    const char *simulated;           /* the file that a simulated Azure comes from; NULL: this is Azure */
    struct wire *wire;
    struct recorder *recorder, *debug; /* --record, --debug */
    struct journal *journal;
    struct http *http;
    struct credential credential;
    bool has_credential;
    struct helper *helper;           /* runs az and azd; NULL: nobody asks them */
    struct azure **handles;          /* by document index; NULL for what is no Azure document */
    struct azure_connections connections;
    struct settings settings;
    double clock_factor;             /* clock seconds per real second; 0: the clock jumps */
    struct events *events;           /* what happens in its runs; the screen listens */
    struct progress *progress;
    struct engine engine;
    struct history *history;         /* with --history (history.h) */
};

/* Manifests and policy only. <0: see session_failed. */
must_use int session_load(struct session *s, const struct options *o);
/* Then the connection. A writing session also opens the journal. */
must_use int session_connect(struct session *s, enum http_mode mode);
/* Instead of both: a read-only connection, with or without manifests (of which only the Azure document counts), and
 * what is found behind a Recovery Services vault; what there is to say about it is said. session_adopt then makes that
 * the estate, ready for session_look. */
must_use int session_discover(struct session *s, const struct options *o, struct discovery_request request,
                              struct discovery *ret);
must_use int session_adopt(struct session *s, const struct value *documents);
/* For commands that only look: manifests and a read-only connection, or with --discover VAULT what
 * is found behind it. */
must_use int session_open(struct session *s, const struct options *o);
void session_close(struct session *s);       /* for cleanup() */

/* What the files say now, for a run that goes on for ever. CHANGED with `take`: that is the estate from here on.
 * BROKEN: it was said why, and the estate stays as it was. What cannot be read twice (standard input, a pipe) is the
 * SAME. */
enum reread { DOCUMENTS_SAME, DOCUMENTS_CHANGED, DOCUMENTS_BROKEN };
enum reread session_reread(struct session *s, bool take);
/* Orders whose file no longer says what it said count as withdrawn from here on: last lines that speak of one as in
 * force send people to carry it out. */
void session_withdraw(struct session *s);
/* Whether all that was given with -f and --policy can be read again. */
bool session_rereadable(const struct options *o);

/* Refuses to write over a file that is there already, unless --force says so: an older plan or order may be the one
 * that counts. Asked before anything is looked at. NULL: nothing is to be kept. */
must_use int session_may_keep(struct session *s, const char *path);

/* Tells what went wrong; returns the exit code. */
int session_failed(struct session *s);

/* Stops what would write while this machine's clock is far from Azure's. Asked before the first write of a run or pass:
 * what is under way is not left half done. */
must_use int session_may_write(const struct session *s, struct err *err);
/* What every JSON answer says of the Azure it came from: whether it is simulated, and how far our own clock is off. */
void session_mark(const struct session *s, struct value *answer);

/* Says on standard error that an answer came from a simulated Azure, if it did. */
void session_label(const struct session *s);

/* Runs fn as a task until it is done. Meanwhile the second interrupt cancels everything, and the
 * screen is kept fresh. */
void session_run(struct session *s, task_fn *fn, void *arg);
/* From now on interrupts are counted; where the clock jumps the second one ends the process, and says so. */
void session_interrupts_catch(struct session *s);

/* One look at the world in a run of its own; what it finds lives in `a`. */
must_use int session_look(struct session *s, struct arena *a, struct look *ret, struct err *err);
/* The rights that we lack for the steps of a plan, a sentence each; empty when none is seen to be missing. If our
 * rights cannot be read, that becomes a sentence as well, and the run goes on. */
struct value *session_gaps(struct session *s, const struct plan *plan);
/* May suspend. Also looks at what only an order needs, though none is in force: what would stand against a restore. */
must_use int session_look_far(struct session *s, struct arena *a, struct look *ret, struct err *err);
/* May suspend. Looks first at what tells whether all is as declared, and in full only at what is not, unless a rule of
 * the policy looks at the facts. */
must_use int session_look_near(struct session *s, struct arena *a, struct look *ret, struct err *err);

#endif
