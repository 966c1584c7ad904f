/* The table of every kind, in evaluation order. */
#ifndef REINSTATE_REGISTRY_H
#define REINSTATE_REGISTRY_H

#include "../../reconciler/engine/engine.h"
#include "../azure/azure.h"

extern const struct kinds all_kinds;

/* NULL-terminated names of the table. */
extern const char *const all_kind_names[];
/* The same with what the documents of these kinds speak of, for desired_resolve. */
extern const struct naming all_naming;

/* What policies are compiled against: these kinds, and the built-in rules. */
extern const struct rulebook all_rules;

#endif
