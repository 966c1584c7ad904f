/* When a key is lost, and when only Azure Backup's copy can bring it back. Pure. */
#ifndef REINSTATE_KEY_LOST_H
#define REINSTATE_KEY_LOST_H

#include "../documents/common.h"

/* The key is gone (purged, or never seen) and only a copy can bring it back. */
bool key_lost(const struct view *v, const struct document *key);

/* Nothing cheaper than Azure Backup's copy can bring it back: the user has no copy, and no store still holds the key. */
bool key_wants_export(const struct view *v, const struct document *key);

#endif
