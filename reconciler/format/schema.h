/* Checks values against the embedded JSON Schemas of schemas/ and answers questions about fields. The schemas are the
 * single source of truth for the shape of every kind.
 *
 * Understood keywords: type, properties, required, additionalProperties (false or a schema), patternProperties, items,
 * minItems, maxItems, uniqueItems, minProperties, maxProperties, enum, const, pattern, minLength, maxLength, minimum,
 * maximum, oneOf, anyOf, not, $ref ("#/$defs/NAME" or "FILE.json#/$defs/NAME"), default, description, examples, $defs,
 * format (date-time, duration, uuid, arm-id, key-url, url). Any other keyword that starts with neither "x-" nor "$" is
 * a fault in the schema and found by a test.
 *
 * A keyword beside $ref is added to what is referred to; a description, default, examples or annotation of ours takes
 * the place of the one there; any other keyword in both places is a fault in the schema.
 *
 * Our own annotations:
 *   x-ref: ["KeyVault", "ManagedHsm"]   the field is a reference: a string naming a document of one of these kinds, or
 *                                       {id} or {url} for something not declared here
 *   x-implied: true                     a reference in the spec that may be left out where one document of its kind is
 *                                       declared: that one is meant
 *   x-select: true                      a reference that may hold {selector: LABELS}: the document is a template
 *   x-also: {WORD: VALUE}               what other tools call a value of an enum: did you mean VALUE?
 *   x-field: enforced                   can be changed; asserted: can only be looked at; local: ours alone
 *   x-secret: true                      never shown
 *   x-source: text                      the Microsoft article or specification the rule comes from
 */
#ifndef REINSTATE_SCHEMA_H
#define REINSTATE_SCHEMA_H

#include "../base/value.h"

struct schemas;   /* parsed once, read only */

/* One embedded file: name ("KeyVault.json") and bytes; the table ends with a NULL name. Generated at build time. */
struct schema_file {
    const char *name;
    const char *bytes;
    size_t len;
};
extern const struct schema_file schema_files[];

/* Parses all files. ERR_INVALID names file and keyword when one is not understood. */
must_use int schemas_new(const struct schema_file *files, struct schemas **ret, struct err *err);
void schemas_free(struct schemas *s);
void schemas_freep(struct schemas **s);

/* The schema value of a file ("KeyVault.json"), or NULL. */
const struct value *schemas_get(const struct schemas *s, const char *name);
/* NULL-terminated names of the kinds ("KeyVault"), sorted: the x-kind of those files that have one, which is also the
 * name of the file without ".json". */
const char *const *schemas_kinds(const struct schemas *s);

/* Checks v against the file's schema. Every fault is added to diags with the place in the manifest, what is wrong and
 * what would be right: a misspelt field gets a did-you-mean, a wrong value its allowed ones. */
void schema_check(const struct schemas *s, const char *name, const struct value *v, struct diags *diags);

/* Calls `visit` for every value in v that its schema marks with x-ref; path is "spec.sources.1.azureBackup.from.0". */
typedef void schema_visit(void *ctx, const char *path, const struct value *at, const struct value *ref_kinds);
void schema_each_ref(const struct schemas *s, const char *name, const struct value *v, schema_visit *visit, void *ctx);

/* The member of the spec that the file's schema implies (x-implied), and the first kind it may name; NULL: none. */
const char *schema_implied(const struct schemas *s, const char *name, const char **kind);

/* v with the defaults of its schema filled in where members are absent. What nothing is added to is shared with v,
 * which has to live as long. */
const struct value *schema_with_defaults(struct arena *a, const struct schemas *s, const char *name,
                                         const struct value *v);

/* The schema at a field path ("spec.purgeProtection"; list items are stepped through without an index), or NULL. */
const struct value *schema_field(const struct schemas *s, const char *name, const char *path);
/* Whether the field at that path must be there wherever what holds it is, in whichever form. */
bool schema_required(const struct schemas *s, const char *name, const char *path);
/* Lists all field paths, depth first, as a list of strings; a shape that contains itself is shown once. */
struct value *schema_paths(struct arena *a, const struct schemas *s, const char *name);

#endif
