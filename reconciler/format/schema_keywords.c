/* Knows the keywords that a schema may use and what the operand of each must be. Must not know what a keyword demands
 * of a value (schema_check.c). */
#include <stdlib.h>
#include <string.h>

#include "../base/text.h"
#include "schema_internal.h"

/* Sorted by name, for bsearch. */
static const struct keyword keywords[] = {
    {"$defs", SHAPE_SCHEMA_MAP, true},
    {"$ref", SHAPE_STRING, true},
    {"additionalProperties", SHAPE_SCHEMA_OR_FALSE, false},
    {"anyOf", SHAPE_SCHEMA_LIST, false},
    {"const", SHAPE_ANY, false},
    {"default", SHAPE_ANY, true},
    {"description", SHAPE_STRING, true},
    {"enum", SHAPE_LIST, false},
    {"examples", SHAPE_LIST, true},
    {"format", SHAPE_FORMAT, false},
    {"items", SHAPE_SCHEMA, false},
    {"maxItems", SHAPE_COUNT, false},
    {"maxLength", SHAPE_COUNT, false},
    {"maxProperties", SHAPE_COUNT, false},
    {"maximum", SHAPE_NUMBER, false},
    {"minItems", SHAPE_COUNT, false},
    {"minLength", SHAPE_COUNT, false},
    {"minProperties", SHAPE_COUNT, false},
    {"minimum", SHAPE_NUMBER, false},
    {"not", SHAPE_SCHEMA, false},
    {"oneOf", SHAPE_SCHEMA_LIST, false},
    {"pattern", SHAPE_PATTERN, false},
    {"patternProperties", SHAPE_PATTERN_MAP, false},
    {"properties", SHAPE_SCHEMA_MAP, false},
    {"required", SHAPE_STRINGS, false},
    {"type", SHAPE_TYPE, false},
    {"uniqueItems", SHAPE_BOOL, false},
    {"x-also", SHAPE_ANY, true},
    {"x-field", SHAPE_TRAIT, true},
    {"x-form", SHAPE_STRING, true},
    {"x-implied", SHAPE_BOOL, true},
    {"x-kind", SHAPE_STRING, true},
    {"x-ref", SHAPE_STRINGS, true},
    {"x-secret", SHAPE_BOOL, true},
    {"x-select", SHAPE_BOOL, true},
    {"x-source", SHAPE_STRING, true},
};

static int keyword_order(const void *name, const void *keyword)
{
    return strcmp(name, ((const struct keyword *)keyword)->name);
}

const struct keyword *schema_keyword(const char *name)
{
    return bsearch(name, keywords, COUNT(keywords), sizeof(*keywords), keyword_order);
}

static bool all_strings(const struct value *list)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (!value_is(value_item(list, i), VALUE_STRING))
            return false;
    return value_is(list, VALUE_LIST);
}

static bool types_known(const struct value *operand)
{
    if (!value_is(operand, VALUE_LIST))
        return value_str(operand) && schema_type_known(value_str(operand));
    for (size_t i = 0; i < operand->list.count; i++)
        if (!value_str(operand->list.items[i]) || !schema_type_known(value_str(operand->list.items[i])))
            return false;
    return operand->list.count > 0;
}

static bool trait_known(const char *word)
{
    return str_eq(word, "enforced") || str_eq(word, "asserted") || str_eq(word, "local");
}

bool schema_shape_holds(enum keyword_shape shape, const struct value *operand)
{
    switch (shape) {
    case SHAPE_ANY:
        return true;
    case SHAPE_STRING:
    case SHAPE_PATTERN:
        return value_is(operand, VALUE_STRING);
    case SHAPE_STRINGS:
        return all_strings(operand);
    case SHAPE_LIST:
    case SHAPE_SCHEMA_LIST:
        return value_is(operand, VALUE_LIST) && operand->list.count > 0;
    case SHAPE_BOOL:
        return value_is(operand, VALUE_BOOL);
    case SHAPE_COUNT:
        return value_is(operand, VALUE_INT) && operand->i >= 0;
    case SHAPE_NUMBER:
        return value_is(operand, VALUE_INT) || value_is(operand, VALUE_REAL);
    case SHAPE_TYPE:
        return types_known(operand);
    case SHAPE_FORMAT:
        return value_str(operand) && schema_format(value_str(operand));
    case SHAPE_TRAIT:
        return trait_known(value_str(operand));
    case SHAPE_SCHEMA_OR_FALSE:
        return value_is(operand, VALUE_MAP) || (value_is(operand, VALUE_BOOL) && !operand->b);
    case SHAPE_SCHEMA:
    case SHAPE_SCHEMA_MAP:
    case SHAPE_PATTERN_MAP:
        return value_is(operand, VALUE_MAP);
    }
    return false;
}
