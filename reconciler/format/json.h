/* JSON text to values and back. */
#ifndef REINSTATE_JSON_H
#define REINSTATE_JSON_H

#include "../base/text.h"
#include "../base/value.h"

enum { JSON_DEPTH_MAX = 64, JSON_BYTES_MAX = 64 * 1024 * 1024 };

/* Reads one JSON text of `len` bytes; a UTF-8 byte order mark in front is allowed, anything but blanks behind is not.
 * ERR_PROTOCOL with line and column when it is no JSON, too deep or too large. */
must_use int json_parse(struct arena *a, const char *s, size_t len, struct value **ret, struct err *err);

/* As json_parse, and ERR_PROTOCOL where an object has a member twice with values that differ: which of them counts is
 * said nowhere, and one that is dropped may be the one that forbids. The error names the member. */
must_use int json_parse_once(struct arena *a, const char *s, size_t len, struct value **ret, struct err *err);

enum json_style { JSON_COMPACT, JSON_INDENTED, JSON_CANONICAL /* compact, members sorted by key: for digests */ };

/* Writes v. Unknown-until-apply is written as {"$unknown":true}. */
void json_write(struct text *out, const struct value *v, enum json_style style);
char *json_string(struct arena *a, const struct value *v, enum json_style style);
void json_write_quoted(struct text *out, const char *s, size_t len);

/* Finds a string member by path ("OsDiskEncryptionDetails.KeyBackupData", keys case folded; "keys.0.value" counts into
 * a list) in JSON text without building a tree, so that no copy of a secret is made. The span is the raw text between
 * the quotes; a string that holds an escape other than \/ is refused, since neither base64 nor tokens need one.
 * ERR_NOT_FOUND when there is no such member, ERR_PROTOCOL when the text is no JSON or the member no plain string. */
must_use int json_cut(const char *s, size_t len, const char *path, const char **ret_start, size_t *ret_len,
                      struct err *err);

#endif
