/* The files that a command was given: found in folders, and read. */
#ifndef REINSTATE_LOAD_FILES_H
#define REINSTATE_LOAD_FILES_H

#include "load.h"

/* A fault of the file as a whole. */
void load_complain(struct diags *diags, const char *path, const char *instead, const char *what);
/* The documents of all files at these paths: files, folders (`recursive`: with those in them), "-". What cannot be read
 * is a fault. */
struct value *load_paths(struct arena *a, const char *const *paths, size_t n, bool recursive, struct diags *diags);

#endif
