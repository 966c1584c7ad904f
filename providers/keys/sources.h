/* What manifests alone say of the sources of a key. */
#ifndef REINSTATE_SOURCES_H
#define REINSTATE_SOURCES_H

#include "../documents/common.h"

/* The machines whose backups are declared sources of the key (azureBackup.from), in their order: *at starts as 0; NULL
 * at the end. Pure. */
const struct document *key_backup_next(const struct document *key, size_t *at);
/* The machine is one of them. Pure. */
bool key_backup_is(const struct document *key, const struct document *pvm);

/* Warns of each machine of `azureBackup.from` whose backup, as declared, is no source of this key: the machine comes
 * back on another key, or on none. Pure. */
void key_sources_check(const struct document *key, struct diags *faults);

#endif
