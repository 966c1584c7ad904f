/* Discovery: from a live Recovery Services vault to the documents that describe its protected confidential VMs. Looking
 * is done by reads alone; turning what was found into documents is pure. */
#ifndef REINSTATE_DISCOVER_H
#define REINSTATE_DISCOVER_H

#include "../azure/arm.h"

struct discovery_request {
    const char *vault_id;   /* ARM id of the Recovery Services vault; NULL: that of `item`, or: */
    const char *vault_name; /* looked for in `subscriptions`, or, where there are none, in every one that can be read */
    const char *const *subscriptions;
    size_t n_subscriptions;
    const char *item; /* one VM only: ARM id of the protected item or of the VM, or the VM's name; NULL: all */
};

struct discovery {
    struct value
        *documents; /* list: manifest documents, Azure first; a document stands before those that refer to it */
    struct value
        *notes; /* list of {about, text}: what was left out, what cannot be seen, what is missing, what would help */
    struct value *found;     /* what was seen */
    bool restores;           /* the documents say where VMs would come back */
};

/* May suspend. Everything lives in `a`. An error only when the vault or its items cannot be listed, or no item is the
 * one asked for (ERR_NOT_FOUND); what is denied further on is a note. */
must_use int discover_estate(struct azure *az, struct call *c, struct arena *a, const struct discovery_request *request,
                             struct discovery *ret, struct err *err);

/* Pure. Adds a RestoredVirtualMachine for every protected VM among the documents: `group` is the resource group's name,
 * `subnet` and `staging` are ARM ids. */
void discovery_restore_to(struct arena *a, struct discovery *d, const char *group, const char *subnet,
                          const char *staging);

/* A note in one line that is safe to show: a service's own words may be in it. */
char *discovery_note(struct arena *a, const struct value *note);

/* Pure; what discover_estate does with what it has seen, for tests. `found`: see found.h. */
void discovery_write(struct arena *a, const struct value *found, struct discovery *ret);

#endif
