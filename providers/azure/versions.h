/* Every api-version that is sent, in one table, with the day on which Microsoft retires it. */
#ifndef REINSTATE_AZURE_VERSIONS_H
#define REINSTATE_AZURE_VERSIONS_H

#include "../../reconciler/base/value.h"

/* What has api-versions of its own. */
enum azure_api {
    API_RESOURCES,
    API_RESOURCE_GRAPH,
    API_AUTHORIZATION,
    API_LOCKS,
    API_FEATURES,
    API_KEYVAULT,
    API_KEYS,
    API_IDENTITY,
    API_ATTESTATION,
    API_COMPUTE,
    API_DISK,
    API_NETWORK,
    API_STORAGE,
    API_BLOB,
    API_RECOVERY_VAULT,
    API_RECOVERY,
    API_COUNT
};

struct azure_api_row {
    const char *name;    /* in Azure.spec.apiVersions */
    const char *of;      /* the provider or service, as Microsoft writes it */
    const char *version; /* sent unless the Azure document names another one */
    /* Versions older than `ends_before` end on the day `ended`, as `source` has it. NULL: no end is known. */
    const char *ends_before, *ended, *source;
};
extern const struct azure_api_row azure_apis[API_COUNT];

/* The row of that name; NULL when there is none. */
const struct azure_api_row *azure_api_find(const char *name);
/* The day on which a version of it ends ("2027-02-27"); NULL: none is known. */
const char *azure_api_retired(const struct azure_api_row *row, const char *version);
/* Pure. What is sent where an Azure document's spec (NULL: none) says so, else the table's. */
const char *azure_api_declared(const struct value *azure_spec, enum azure_api api);

#endif
