/* What Azure lets a thing be called. */
#ifndef REINSTATE_NAMES_H
#define REINSTATE_NAMES_H

#include "../../reconciler/kind.h"

/* Pure; a kind's check (kind.h). A fault where the name that a document gives in Azure, of its own field or else
 * metadata.name, is none that Azure takes: it would be found out by a request only, and a store of such a name is never
 * there. */
void names_check(const struct document *doc, struct diags *faults);
/* The same of every name in an ARM id (its group, and the types whose rules are known), and of its subscription, which
 * is a GUID. */
void names_check_id(const char *path, const char *id, const struct origin *origin, struct diags *faults);
/* The same of a storage account and a blob container in it. */
void names_check_container(const char *path, const char *account, const char *name, const struct origin *origin,
                           struct diags *faults);

#endif
