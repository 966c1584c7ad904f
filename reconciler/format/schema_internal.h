/* What schema.c (loading, asking) and schema_check.c (checking) share. Nobody else includes it. */
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

struct check;
struct place;

struct keyword {
    const char *name;
    enum keyword_shape shape;
    bool annotation;         /* may stand beside $ref and replace the other one */
    /* NULL: says nothing about a value. */
    bool (*check)(struct check *c, const struct value *schema, const struct value *operand, const struct value *v,
                  const struct place *at);
};

const struct keyword *schema_keyword(const char *name);
bool schema_type_known(const char *name);
bool schema_format_known(const char *name);

const struct value *schemas_root(const struct schemas *s, const char *name);
/* Follows $ref: the schema itself, or the merged one in its place. */
const struct value *schema_resolve(const struct schemas *s, const struct value *schema);
const struct pattern *schema_pattern(const struct schemas *s, const char *expression);
/* The schema of a member by its name, from properties, patternProperties or additionalProperties; NULL: none says. */
const struct value *schema_of_member(const struct schemas *s, const struct value *schema, const char *key);
/* Whether v fits, without saying why not. */
bool schema_fits(const struct schemas *s, const struct value *schema, const struct value *v);

#endif
