/* The history document: what earlier looks saw of each protected VM, whenever it changed. It tells which key version a
 * recovery point was wrapped with when nothing else does any more (../keys/original.h). Never required. Pure; cmd/
 * keeps the file. */
#ifndef REINSTATE_HISTORY_H
#define REINSTATE_HISTORY_H

#include "../documents/common.h"

enum { HISTORY_RECORDS_MAX = 10000 }; /* as schemas/history.json has it */

/* A document without a record. */
struct value *history_new(struct arena *a, bool simulated);
/* For observe: sets `history` among a ProtectedVirtualMachine's facts: the records of this VM, and a new one if what
 * `source` shows now differs from the newest. `records` NULL: no history is kept, and nothing is set. */
void history_observe(struct arena *a, const struct value *records, int64_t now_ms, struct value *facts);
/* Takes the new records of these facts over into the document; the number of them. Fewer than there were
 * when it is full. */
size_t history_take(struct arena *a, struct value *document, const struct value *facts);
/* An earlier document fits this run: ERR_INVALID when one is of a simulated Azure and the other is not. */
must_use int history_fits(const struct value *document, bool simulated, struct err *err);

#endif
