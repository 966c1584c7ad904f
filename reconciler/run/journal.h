/* The audit record: append-only lines of JSON, hash-chained, each on disk before the write it describes. Nothing
 * depends on it. Holds no secret: callers hand in values that hold none. */
#ifndef REINSTATE_JOURNAL_H
#define REINSTATE_JOURNAL_H

#include "../base/value.h"

struct journal;

/* Opens or creates the file (mode 0600) and takes up the chain at its last whole line; a torn last line (a crash) is
 * kept and noted, a broken chain is an error naming the line. */
must_use int journal_open(const char *path, struct journal **ret, struct err *err);
void journal_close(struct journal *j);
/* Writes one line: the members of `line`, then "prev" and "hash" (SHA-256 over prev + the canonical rest), and fsyncs. NULL j: nothing. */
must_use int journal_append(struct journal *j, const struct value *line, struct err *err);
/* Checks the chain of a file. ERR_INVALID names the first line that does not fit. */
must_use int journal_verify(const char *path, size_t *ret_lines, struct err *err);

#endif
