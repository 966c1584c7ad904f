/* What Azure lets a thing be called. */
#ifndef REINSTATE_NAMES_H
#define REINSTATE_NAMES_H

#include "../../reconciler/kind.h"

/* Pure; a kind's check (kind.h). A fault where the name that a document gives in Azure, of its own field or else
 * metadata.name, is none that Azure takes: it would be found out by a request only, and a store of such a name is never
 * there. */
void names_check(const struct document *doc, struct diags *faults);
/* The same of the storage account of that ARM id. */
void names_check_account(const char *path, const char *id, const struct origin *origin, struct diags *faults);

#endif
