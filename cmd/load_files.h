/* The files that a command was given: found in folders, and read. */
#ifndef REINSTATE_LOAD_FILES_H
#define REINSTATE_LOAD_FILES_H

#include "load.h"

/* A fault of the file as a whole. */
void load_complain(struct diags *diags, const char *path, const char *instead, const char *what);
/* The documents of all files at these paths: files, folders (`recursive`: with those in them), "-". What cannot be read
 * is a fault; what lies in a folder and is another tool's (foreign.h) is passed over with a warning. `but`: the file
 * that this command writes, which is left out wherever it lies; NULL: none. */
struct value *load_paths(struct arena *a, const char *const *paths, size_t n, bool recursive, const char *but,
                         struct diags *diags);
/* One path names the same file as the other. */
bool load_same_file(const char *one, const char *other);

#endif
