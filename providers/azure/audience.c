/* Knows for what a token can be asked: its name, and what a cloud calls it. Must not know how it is asked for. */
#include "credential.h"

const char *const audience_names[AUDIENCE_COUNT] = {"ARM", "VAULT", "HSM", "STORAGE", "GRAPH"};

const char *audience_resource(const struct cloud *cloud, enum audience audience)
{
    switch (audience) {
    case AUDIENCE_ARM:
        return cloud->arm_audience;
    case AUDIENCE_VAULT:
        return cloud->vault_audience;
    case AUDIENCE_HSM:
        return cloud->hsm_audience;
    case AUDIENCE_STORAGE:
        return cloud->storage_audience;
    case AUDIENCE_GRAPH:
    case AUDIENCE_COUNT:
        break;
    }
    return cloud->graph;
}
