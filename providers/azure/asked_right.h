/* Which right a read takes: the one place where an address becomes an action. */
#ifndef REINSTATE_AZURE_ASKED_RIGHT_H
#define REINSTATE_AZURE_ASKED_RIGHT_H

#include "credential.h"

struct asked_right {
    const char *scope;  /* an ARM id; of data of a store or account its address ("https://NAME.vault.azure.net") */
    const char *action; /* "Microsoft.Compute/virtualMachines/read" */
    bool data;
    bool unlisted; /* Azure publishes no action of this name, so no custom role can hold it; a role of all reads does */
};

/* Pure. false: it takes none (signing in, what anyone may ask), or none that a role could hold (Microsoft Graph). */
bool asked_right_of(struct arena *a, enum audience audience, enum http_method method, const char *url,
                    struct asked_right *ret);

/* What goes with an action: the reads by which the service lets its end be seen, what Azure checks beside it, and what
 * is asked of a thing only in another state than today's: of a machine that runs, of a vault that is deleted. A role
 * that lacks them can begin an act and not follow it. */
struct right_beside {
    const char *action, *beside;
    bool of_subscription; /* held at the subscription, not at the thing itself */
    const char *source;
};
/* The next one of that action, from *at on (0 at first); NULL: there is no other. */
const struct right_beside *right_beside_next(const char *action, size_t *at);

#endif
