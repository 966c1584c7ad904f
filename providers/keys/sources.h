/* What manifests alone say of the sources of a key. */
#ifndef REINSTATE_SOURCES_H
#define REINSTATE_SOURCES_H

#include "../documents/common.h"

/* Warns of each machine of `azureBackup.from` whose backup, as declared, is no source of this key: the machine comes
 * back on another key, or on none. Pure. */
void key_sources_check(const struct document *key, struct diags *faults);

#endif
