/* The one child process: runs programs for us, by their path and never through a shell. It is begun before there are
 * secrets to inherit, and it never sees what the programs print: that comes back through pipes of our own. */
#ifndef REINSTATE_HELPER_H
#define REINSTATE_HELPER_H

#include "../format/crypt.h"
#include "co.h"

struct helper;

/* `forget`: called in the child, first of all; may be NULL. NULL: no process can be made. */
struct helper *helper_start(void (*forget)(void));
void helper_end(struct helper *h); /* NULL is fine */

struct helper_result {
    int status;        /* exit status; 128 + signal; 127: it could not be begun */
    struct secret out; /* what it printed */
    char said[400];    /* the beginning of what it wrote to standard error */
};
void helper_result_release(struct helper_result *r); /* for cleanup() */

/* May suspend. argv[0] is an absolute path. One program at a time: others wait. ERR_TRANSIENT: the helper is gone;
 * ERR_CANCELLED. A program that does not end within a minute is killed. */
must_use int helper_run(struct helper *h, struct call *c, const char *const *argv, struct helper_result *ret,
                        struct err *err);

#endif
