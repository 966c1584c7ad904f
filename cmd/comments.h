/* Comments of a manifest that is written anew. */
#ifndef REINSTATE_COMMENTS_H
#define REINSTATE_COMMENTS_H

#include "../reconciler/base/text.h"
#include "../reconciler/base/value.h"

/* Puts the comments that stand in `source` behind its first `head` bytes to the same fields of `written`: those on
 * lines of their own above the field that follows them, those behind a field behind it. `docs` were read from
 * `source`, `again` from `written`. NULL: all of them are there; otherwise why not, and `written` is as it was. */
const char *comments_keep(struct arena *a, const char *source, size_t head, const struct value *docs,
                          const struct value *again, struct text *written);

#endif
