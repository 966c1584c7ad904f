/* Which rights were asked for, and what Azure answered: what `doctor` derives the rights to read from. */
#ifndef REINSTATE_AZURE_ASKED_H
#define REINSTATE_AZURE_ASKED_H

#include "asked_right.h"

struct right_asked {
    struct asked_right right;
    size_t held, refused, unanswered; /* answers: it is there; for want of a right; for any other reason, or none */
    const char *why;                  /* of the first one that was not held; NULL */
};

struct azure;
/* Of all that this connection has asked so far, in the order in which it was asked first. Signing in is left out. */
const struct right_asked *const *azure_rights_asked(const struct azure *az, size_t *ret_count);

struct asked; /* what a connection keeps */
const struct right_asked *const *asked_items(const struct asked *asked, size_t *ret_count);

#endif
