/* What discovery hands from looking to writing, for these two files only. A map:
 *   cloud?, tenant?, subscription, location?, vault (ARM id), orchestrator, backup (whether their application ids are
 * published) machines [{id, name, itemId, policy?, softDeleted, state, why?, encryption? ("customer-key" |
 * "platform-key"), des? (ARM id)}] sets     [{id, state, why?, live?, key? (URL)}] stores   [{base, name, kind
 * ("KeyVault" | "ManagedHsm"), state, why?, id?, live?, deleted?}] keys     [{url, base, name, version?, state, why?,
 * live?, scope? ("vault"), rotated? (newest version of a rotated set)}] notes    [{about?, text}] State: present |
 * absent | deleted | unseen (with why) | unknown (nobody found where to look). */
#ifndef REINSTATE_DISCOVER_FOUND_H
#define REINSTATE_DISCOVER_FOUND_H

#include "discover.h"

void found_note(struct arena *a, struct value *found, const char *about, const char *fmt, ...) printf_like(4, 5);

#endif
