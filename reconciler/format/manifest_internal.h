/* What manifest.c (reading) and manifest_write.c (writing) share. Nobody else includes it. */
#ifndef REINSTATE_MANIFEST_INTERNAL_H
#define REINSTATE_MANIFEST_INTERNAL_H

#include "../base/value.h"

/* The core schema's type of a plain scalar, and its number. VALUE_UNKNOWN: a number that cannot be held. */
enum value_type manifest_plain_type(const char *s, size_t len, int64_t *ret_int, double *ret_real);

/* The value of a plain scalar; a number that cannot be held is a fault and stays a text. */
struct value *manifest_plain_value(struct arena *a, struct diags *diags, const char *s, size_t len,
                                   const struct origin *at);
/* At most 60 bytes of what somebody wrote, for a message. */
const char *manifest_shown(struct arena *a, const char *s);

#endif
