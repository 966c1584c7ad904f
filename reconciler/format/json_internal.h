/* What json.c (scanning and cutting) and json_tree.c share. Nobody else includes it. */
#ifndef REINSTATE_JSON_INTERNAL_H
#define REINSTATE_JSON_INTERNAL_H

#include "json.h"

/* The tree of one JSON text that has been scanned and found right, from its first blank or character on. *ret_twice: a
 * name that one object has twice, with values that differ; NULL: there is none. */
struct value *json_tree(struct arena *a, const char *s, size_t len, const char **ret_twice);

#endif
