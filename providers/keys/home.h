/* Whether a copy of a key can be restored into the store that is declared for it. Pure. */
#ifndef REINSTATE_BACKUP_HOME_H
#define REINSTATE_BACKUP_HOME_H

#include "../azure/vault.h"
#include "../documents/common.h"

/* ERR_BLOCKED with the next step, before anything is written, when the copy is of the other kind of store than the
 * key's declared one, or of no known kind. `from` says where the copy is ("the exported key of job …"). */
must_use int backup_fits(const struct document *key, const struct secret *backup, const char *from, struct err *err);

/* After a refused restore: whether the store has judged the bytes, so that the same bytes are refused there again. A
 * 400 that speaks of something else (the request, a proxy's page) says nothing of the copy. */
bool backup_refused_for_good(const struct err *err);

/* After a refused restore: the cause and the remedy, if the answer's text says that the store cannot open the copy;
 * else NULL. */
const char *backup_refusal_next(struct arena *a, const struct document *key, const char *text);

#endif
