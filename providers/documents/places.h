/* Where documents say that things are, and whether that can be so. */
#ifndef REINSTATE_DOCUMENTS_PLACES_H
#define REINSTATE_DOCUMENTS_PLACES_H

#include "../../reconciler/model/desired.h"

/* Pure (kind.check). A fault for a region that is a misspelt one; a warning for one that is in no table, since regions
 * open all the time; a warning for a set that is declared elsewhere than the vault of its key, or than the backup
 * vault into whose region its VMs are restored; and for a protected VM that is looked for in another subscription than
 * its vault's without saying so. */
void places_check(const struct document *doc, struct diags *faults);

#endif
