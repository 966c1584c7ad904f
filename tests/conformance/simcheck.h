/* What the parts of the simulator's check against recordings share. */
#ifndef REINSTATE_SIMCHECK_H
#define REINSTATE_SIMCHECK_H

#include "../../providers/sim/sim.h"

enum { PARTS_MAX = 40, HEADERS_MAX = 16 };

/* A recorded exchange and the situation that is made for it. */
struct situation {
    struct arena *a;
    const struct value *lines; /* the whole recording */
    const char *file;
    size_t at;                           /* which line this exchange is */
    const struct value *x, *body, *sent; /* the exchange; its answer's and its request's body */
    int status;
    char *host, *path;
    char *parts[PARTS_MAX]; /* of the path, percent-decoded */
    size_t n_parts;

    struct value *spec;        /* the world to be */
    const char *audience;      /* of the token to be sent; NULL: none */
    const char *url, *request; /* what is sent: the recorded, unless a value in it is of one's own time */
    int64_t now_ms;
    bool powerless;      /* the caller may do nothing */
    const char *why_not; /* why this exchange cannot be set up */
};

/* One answer of the simulator, in the arena. */
struct answer {
    bool dropped;
    int status;
    const struct sim_header *headers;
    size_t n_headers;
    const char *text;
    size_t len;
};

/* An operation that the simulator covers. */
struct operation {
    const char *name, *method, *pattern, *audience;
    bool (*prepare)(struct situation *t);               /* fills the world; false with why_not */
    bool (*before)(struct situation *t, struct sim *s); /* what has to happen first; NULL: nothing */
};

void situation_open(struct situation *t, struct arena *a, const char *file, const struct value *lines, size_t at);
const struct operation *operation_of(const struct situation *t); /* NULL: not covered */
char *operation_described(const struct situation *t);            /* for exchanges that are not covered */
struct sim *situation_start(struct situation *t, const struct operation *op);
struct answer situation_send(struct situation *t, struct sim *s, const char *method, const char *url, const char *body);
const char *answer_header_of(const struct answer *x, const char *name);

/* --- comparing ---------------------------------------------------------------------------------------------------- */

/* Differences found: a list of {difference, member}. */
struct value *compare_answers(const struct situation *t, const struct answer *ours);

#endif
