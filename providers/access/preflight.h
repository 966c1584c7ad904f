/* Our own rights for the steps of a plan, before the first of them writes. */
#ifndef REINSTATE_PREFLIGHT_H
#define REINSTATE_PREFLIGHT_H

#include "../documents/common.h"

/* Preflight of our own rights, for struct engine. Reads only. */
int rights_preflight(struct call *c, void *provider, struct arena *a, const struct plan *plan, struct value *gaps,
                     struct err *err);

#endif
