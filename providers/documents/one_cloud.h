/* What a document names must be where the document's own credential can see it. */
#ifndef REINSTATE_KINDS_ONE_CLOUD_H
#define REINSTATE_KINDS_ONE_CLOUD_H

#include "../../reconciler/model/desired.h"

/* Pure (kind.check). A fault for each document that `doc` names in another cloud or tenant: nothing of one
 * is seen in the other. */
void one_cloud_check(const struct document *doc, struct diags *faults);

#endif
