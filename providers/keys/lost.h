/* When a key is lost, and when only Azure Backup's copy can bring it back. Pure. */
#ifndef REINSTATE_KEY_LOST_H
#define REINSTATE_KEY_LOST_H

#include "../documents/common.h"

/* Its store is soft-deleted, or still in the making: what of the key is there shows when the store answers. */
bool key_store_comes(const struct view *v, const struct document *key);
/* The key is gone (purged, or never seen) and only a copy can bring it back. */
bool key_lost(const struct view *v, const struct document *key);

/* The document of the same key by whose steps this one comes back: several documents of one key that is gone have one
 * way back, and each step beyond it would meet a name that is taken. It is the one of another version whose ordered
 * point is later than all that need this one (a copy holds the versions of its point's time, so the newer one holds
 * both), else the one that declares a way, or the cheaper one. NULL: this one comes back by itself. */
const struct document *key_comes_with(const struct view *v, const struct document *key);
/* It is the later point that decides it. */
bool key_comes_with_newer(const struct view *v, const struct document *key);

/* What brings this key back is done for the machines on the versions that come with it as well: the step serves those
 * of them that are ordered. */
void key_serve_with(const struct view *v, const struct document *key, struct steps *out, struct step *step);

/* Says at a step that a copy of the key is about to take its name while another document declares a version of it that
 * no order needs yet: a copy may lack that version, which could then not come back beside it. */
void key_note_left_out(const struct view *v, const struct document *key, struct steps *out, struct step *step);

/* Nothing cheaper than Azure Backup's copy can bring it back: the user has no copy, and no store
 * still holds the key. */
bool key_wants_export(const struct view *v, const struct document *key);

/* A Key that may be brought back by what this backup has exported is not back as declared, or cannot be seen: the
 * export is to be kept, because it may be the only copy. NULL: nobody declared here needs it. */
const struct document *key_awaiting_export(const struct view *v, const struct document *pvm);

#endif
