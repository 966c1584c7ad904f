/* The audit record: append-only lines of JSON, hash-chained, each on disk before the write it describes. Nothing
 * depends on it. Holds no secret: callers hand in values that hold none. */
#ifndef REINSTATE_JOURNAL_H
#define REINSTATE_JOURNAL_H

#include "../base/value.h"
#include "../format/crypt.h"

struct journal;

/* Opens or creates the file (mode 0600) and takes up the chain at its last whole line; a torn last line (a crash) is
 * kept and noted, a broken chain is an error naming the line. */
must_use int journal_open(const char *path, struct journal **ret, struct err *err);
void journal_close(struct journal *j);
/* Writes one line: the members of `line`, then "prev" and "hash" (SHA-256 over prev + the canonical rest), and
 * fsyncs. NULL j: nothing. */
must_use int journal_append(struct journal *j, const struct value *line, struct err *err);
/* Where the chain stands: the hash of its last line, 64 zeros before the first. Whoever keeps it elsewhere can find out
 * later that lines were cut off the end, or that a whole new chain was written. */
const char *journal_head(const struct journal *j);
/* Lines that this run has added. */
size_t journal_added(const struct journal *j);
/* <0 when a line of this run is not on disk. NULL j: 0. */
must_use int journal_error(const struct journal *j, struct err *err);

struct journal_check {
    size_t lines;                /* in the chain */
    size_t torn; /* cut off in the middle, as a crash leaves them; each is noted by the line after it, or the last */
    size_t after;                /* lines after the head that was asked for */
    char head[SHA256_HEX];
};

/* Checks the chain of a file. ERR_INVALID names the first line that does not fit. `head`: one that was printed earlier,
 * or NULL; ERR_CONFLICT when the chain has never stood there. */
must_use int journal_verify(const char *path, const char *head, struct journal_check *ret, struct err *err);

#endif
