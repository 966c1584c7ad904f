/* One discovery on its way: what discover.c and machines.c share. Nobody else includes it. */
#ifndef REINSTATE_DISCOVERY_LOOKING_H
#define REINSTATE_DISCOVERY_LOOKING_H

#include "discover.h"
#include "found.h"

struct looking {
    struct azure *az;
    struct arena *a;
    struct value *found;
};

/* Puts "absent" or "unseen" with its reason into `thing`. A run that was cancelled goes no further. */
int looking_failed(const struct looking *l, struct value *thing, const char *what, struct err *err);
struct value *looking_found_by(const struct value *list, const char *member, const char *text);
int looking_items(struct call *c, const struct looking *l, const char *vault_id, const char *wanted, struct err *err);
int looking_machines(struct call *c, const struct looking *l, struct err *err);
/* Ordinary VMs are named and left out. */
void looking_leave_out_ordinary(const struct looking *l);

#endif
