/* What manifest.c (reading) and manifest_write.c (writing) share. Nobody else includes it. */
#ifndef REINSTATE_MANIFEST_INTERNAL_H
#define REINSTATE_MANIFEST_INTERNAL_H

#include "../base/value.h"

/* The core schema's type of a plain scalar, and its number. VALUE_UNKNOWN: a number that cannot be held. */
enum value_type manifest_plain_type(const char *s, size_t len, int64_t *ret_int, double *ret_real);

#endif
