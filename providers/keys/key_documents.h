/* Which Key documents are of one key, and what they declare. Pure. */
#ifndef REINSTATE_KEY_DOCUMENTS_H
#define REINSTATE_KEY_DOCUMENTS_H

#include "../documents/common.h"

/* The Key documents of the key that the address names, in whatever version, or of the same key as `key`, itself among
 * them, as far as they have been looked at, one after the other: *at starts as NULL; NULL at the end. */
const struct document *key_at_next(const struct view *v, const char *url, const struct index_entry **at);
const struct document *key_same_next(const struct view *v, const struct document *key, const struct index_entry **at);
/* "azureBackup", "file" …: a source of that kind is declared. */
bool key_source_declared(const struct document *key, const char *member);

#endif
