/* What manifest.c (reading), manifest_file.c (files), manifest_text.c (what is a manifest), manifest_words.c (faults)
 * and manifest_write.c (writing) share. Nobody else includes it. */
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

/* UTF-8 without NUL bytes. false: a fault was added. */
bool manifest_is_text(struct diags *diags, const char *file, const char *text, size_t len);
/* A merge that nobody has finished: each half of it may be a valid file that nobody meant.
 * false: a fault was added. */
bool manifest_is_merged(struct diags *diags, const char *file, const char *text, size_t len);
/* Adds a fault, if what could not be read is a template. */
void manifest_tell_template(struct diags *diags, const char *file, const char *text, size_t len);
void manifest_too_large(struct diags *diags, const char *file, size_t limit);
/* What a complaint of the parser means, and what to do; false: nothing better than its own words is known. */
bool manifest_plain_fault(const char *problem, const char **ret_what, const char **ret_instead);

#endif
