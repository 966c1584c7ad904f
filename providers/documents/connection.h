/* How the documents of a run are connected to Azure. */
#ifndef REINSTATE_CONNECTION_H
#define REINSTATE_CONNECTION_H

#include "../../reconciler/kind.h"
#include "../azure/azure.h"

/* What the engine hands to the kinds as `provider`: the connection of each Azure document. */
struct azure_connections {
    struct azure *const *items; /* by the index of the Azure document */
    size_t count;
    const struct value *history; /* records of earlier looks (../backup/history.h); NULL: none is kept */
};

#endif
