/* The operator's word: which cloud credentials may go to. */
#ifndef REINSTATE_OPERATOR_H
#define REINSTATE_OPERATOR_H

#include "../providers/azure/cloud.h"
#include "../reconciler/model/desired.h"
#include "options.h"

/* The built-in cloud that the operator named: --cloud NAME, else ARM_ENVIRONMENT or AZURE_AUTHORITY_HOST, else
 * AzurePublic. ERR_INVALID when those contradict each other, name no cloud, or an Azure document of `d` (may be NULL)
 * means another cloud: manifests come from many hands, and a credential sent to the wrong cloud is given away. A file
 * of --cloud and a world of
 * --world are the operator's word for whatever the manifests say. */
must_use int operator_cloud(const struct options *o, const struct desired *d, const struct cloud **ret,
                            struct err *err);
/* --cloud names a file, not a built-in cloud. */
bool operator_has_file(const struct options *o);

#endif
