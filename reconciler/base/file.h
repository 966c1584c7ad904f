/* Files that hold what must not be lost or planted: replaced whole, or grown line by line, and never through a link. */
#ifndef REINSTATE_FILE_H
#define REINSTATE_FILE_H

#include "err.h"

/* Replaces what is in the file at once, mode 0600: bytes, name and folder are on disk, or the old file is untouched.
 * What is no ordinary file (a link, a device) is refused: it would lead the bytes elsewhere, or be gone. ERR_INVALID
 * names path and cause. */
must_use int file_replace(const char *path, const char *bytes, size_t len, struct err *err);
/* Whether an ordinary file of this name is there: one that file_replace would take the place of. */
bool file_is_there(const char *path);
/* Whether it can be opened again later: standard input and pipes cannot; what is not there might be. */
bool file_is_lasting(const char *path);
/* Opens to read and to append; a new file has mode 0600, and its name is on disk. What is no
 * ordinary file is refused. */
must_use int file_open_append(const char *path, int *ret_fd, struct err *err);
/* Opens to read only what is an ordinary file, however the path leads there: a pipe or a device would never end. */
must_use int file_open_read(const char *path, int *ret_fd, struct err *err);
/* All of it, or -1 and errno. */
must_use int file_write_all(int fd, const char *bytes, size_t len);

#endif
