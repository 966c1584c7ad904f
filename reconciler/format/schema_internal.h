/* What the files of the schemas share: schema_words, _type, _format and _keywords lie at the bottom, schema.c (loading,
 * look-up) on them, schema_alternatives and schema_check (checking) above, schema_fields (asking) on top. Nobody else
 * includes it. */
#ifndef REINSTATE_SCHEMA_INTERNAL_H
#define REINSTATE_SCHEMA_INTERNAL_H

#include "pattern.h"
#include "schema.h"

/* What a keyword's operand must be. */
enum keyword_shape {
    SHAPE_ANY,
    SHAPE_STRING,
    SHAPE_STRINGS,           /* a list of strings */
    SHAPE_LIST,              /* a list that is not empty */
    SHAPE_BOOL,
    SHAPE_COUNT,
    SHAPE_NUMBER,
    SHAPE_TYPE,
    SHAPE_FORMAT,
    SHAPE_PATTERN,
    SHAPE_TRAIT,
    SHAPE_SCHEMA,
    SHAPE_SCHEMA_OR_FALSE,
    SHAPE_SCHEMA_MAP,
    SHAPE_PATTERN_MAP,       /* schemas by pattern */
    SHAPE_SCHEMA_LIST
};

struct check {
    const struct schemas *s;
    struct diags *diags;      /* NULL: only the answer is wanted */
    size_t depth;
};

struct place {
    const struct place *parent;
    const char *key;          /* NULL: the index counts */
    size_t index;
};

struct keyword {
    const char *name;
    enum keyword_shape shape;
    bool annotation;         /* may stand beside $ref and replace the other one */
};

/* --- keywords (schema_keywords.c), formats (schema_format.c) ------------------------------------------------------ */

const struct keyword *schema_keyword(const char *name);
/* Is it an operand of that shape? */
bool schema_shape_holds(enum keyword_shape shape, const struct value *operand);

struct schema_format {
    const char *name;
    bool (*holds)(const char *s);
    const char *what, *instead;
};

/* NULL when there is none of that name. */
const struct schema_format *schema_format(const char *name);

/* --- the schemas (schema.c) --------------------------------------------------------------------------------------- */

const struct value *schemas_root(const struct schemas *s, const char *name);
/* Follows $ref: the schema itself, or the merged one in its place. */
const struct value *schema_resolve(const struct schemas *s, const struct value *schema);
const struct pattern *schema_pattern(const struct schemas *s, const char *expression);
/* The schema of a member by its name, from properties, patternProperties or additionalProperties; NULL: none says. */
const struct value *schema_of_member(const struct schemas *s, const struct value *schema, const char *key);

/* --- checking (schema_check.c, schema_alternatives.c) ------------------------------------------------------------- */

/* Whether v fits, without saying why not. */
bool schema_fits(const struct schemas *s, const struct value *schema, const struct value *v);
bool schema_check_value(struct check *c, const struct value *schema, const struct value *v, const struct place *at);
bool schema_check_one_of(struct check *c, const struct value *schema, const struct value *operand,
                         const struct value *v, const struct place *at);
bool schema_check_any_of(struct check *c, const struct value *schema, const struct value *operand,
                         const struct value *v, const struct place *at);
bool schema_check_not(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                      const struct place *at);

/* --- wording (schema_words.c) ------------------------------------------------------------------------------------- */

/* Adds a fault with its path in front; always false, so that a check can return it. */
bool schema_fault(struct check *c, const struct origin *origin, const struct place *at, const char *instead,
                  const char *fmt, ...) printf_like(5, 6);
bool schema_unknown_field(struct check *c, const char *const *names, const struct member *m, const struct place *at);
/* The value as it may be shown: short, and never a secret. Only where there are diags. */
const char *schema_shown(const struct check *c, const struct value *schema, const struct value *v);
/* What a fault adds where whoever fills templates in has not run yet, or has missed this one; else "". */
const char *schema_template_words(const struct value *v);
/* "a, b or c" */
const char *schema_joined(struct arena *a, const struct value *strings, const char *last);

/* --- types (schema_type.c) ---------------------------------------------------------------------------------------- */

bool schema_type_known(const char *name);
bool schema_type_fits(const struct value *operand, const struct value *v);
void schema_type_words_add(struct arena *a, struct value *words, const struct value *operand);
/* What would be right instead of a text or number that is no duration. */
const char *schema_duration_advice(struct arena *a, const char *text);
/* What the writer most likely meant, when only the way of writing is wrong; or NULL. */
const char *schema_type_advice(struct arena *a, const struct value *operand, const struct value *schema,
                               const struct value *v);

#endif
