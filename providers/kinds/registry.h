/* The table of every kind, in evaluation order. */
#ifndef REINSTATE_REGISTRY_H
#define REINSTATE_REGISTRY_H

#include "../../reconciler/engine/engine.h"
#include "../azure/azure.h"

extern const struct kinds all_kinds;

/* NULL-terminated names of the table, for desired_resolve. */
extern const char *const all_kind_names[];

/* What the engine hands to the kinds as `provider`: the connection of each Azure document. */
struct azure_connections {
    struct azure *const *items; /* by the index of the Azure document */
    size_t count;
    const struct value *history; /* records of earlier looks (history.h); NULL: none is kept */
};

/* Preflight of our own rights, for struct engine. Reads only. */
int rights_preflight(struct call *c, void *provider, struct arena *a, const struct plan *plan, struct value *gaps, struct err *err);

#endif
