/* ARM ids that a declaration gives in place of a document: whether each is an id that Azure can have given (names.h),
 * and of the type that its field takes. */
#ifndef REINSTATE_ID_FIELDS_H
#define REINSTATE_ID_FIELDS_H

#include "../../reconciler/kind.h"

/* Pure; a kind's check (kind.h). An id of another type would be found out at Azure only, by a request that names it. */
void id_fields_check(const struct document *doc, struct diags *faults);

#endif
