/* YAML to values with origins. The only user of libyaml (its event interface, which keeps memory flat). */
#ifndef REINSTATE_MANIFEST_H
#define REINSTATE_MANIFEST_H

#include "../base/value.h"

struct manifest_limits {
    size_t bytes;        /* of one file */
    size_t depth;
    size_t nodes;        /* of one file, aliases expanded */
    size_t documents;    /* of one file */
};

extern const struct manifest_limits manifest_default_limits;   /* 8 MB, 64 deep, 200,000 nodes, 10,000 documents */

/* Reads every document of one YAML text and pushes each (a value with origins) onto `docs`, a list value. Faults are
 * added to `diags` (never an abort): not UTF-8, binary, syntax errors in libyaml's words made plain, duplicate keys,
 * keys that are no strings, unknown tags, limits. Empty documents are skipped; a text without any document is a fault.
 * Scalars follow the YAML 1.2 core schema: plain true/false, null/~/empty, integers, reals; everything quoted is a
 * string. A plain integer too large for 64 bits is a fault that advises quotes. Aliases are shared, not copied.
 * `file` is used as the origin's file as it is. */
void manifest_read(struct arena *a, const char *file, const char *text, size_t len,
                   const struct manifest_limits *limits, struct value *docs, struct diags *diags);

/* The origin's file of what was read from standard input. */
#define MANIFEST_STDIN "<stdin>"

/* Reads a file (or "-", standard input) with the size limit applied before memory is taken. Faults as above. */
void manifest_read_file(struct arena *a, const char *path, const struct manifest_limits *limits, struct value *docs,
                        struct diags *diags);

/* Writes v as YAML that reads back as the same value: block style, strings quoted only where they need it. */
struct text;
void manifest_write(struct text *out, const struct value *v);

/* Pure. The line of the first plain number in a YAML text that would be written back in another way (0012, 1.10, 0x1F,
 * 1e3); 0: none, or no YAML. */
int manifest_number_unkept(const char *text, size_t len);

#endif
