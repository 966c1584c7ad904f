/* A tree of values: what YAML and JSON mean, what a kind observes, what a plan holds. Trees are built once and then
 * only read. Maps keep the order in which members were set. A value from a manifest knows where it was written. */
#ifndef REINSTATE_VALUE_H
#define REINSTATE_VALUE_H

#include "err.h"

enum value_type {
    VALUE_NULL,
    VALUE_BOOL,
    VALUE_INT,
    VALUE_REAL,
    VALUE_STRING,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_UNKNOWN,   /* known only after apply */
    VALUE_TYPE_COUNT
};

/* Where a manifest says it, and where the key stands that it is the value of (0: under none). */
struct written {
    struct origin origin;
    int key_line, key_column;
};

/* The type stands first in each, and counts beside it, so that a value is small: an estate has millions of them. */
struct value {
    union {
        struct {
            enum value_type type : 8;
            bool exact : 1;   /* of a list or map: there is no room behind its last item */
            union { bool b; int64_t i; double r; };
        };
        struct { uint32_t head, len; const char *s; } str;   /* NUL-terminated; may hold NULs inside, then len tells */
        struct { uint32_t head, count; struct value **items; } list;
        struct { uint32_t head, count; struct member *members; } map;
    };
    const struct written *written;   /* NULL: in no manifest; many values of one place share it */
};

struct member {
    const char *key;
    struct value *value;
};

/* Building. Strings are copied into the arena. */
struct value *value_null(struct arena *a);
struct value *value_bool(struct arena *a, bool b);
struct value *value_int(struct arena *a, int64_t i);
struct value *value_real(struct arena *a, double r);
struct value *value_string(struct arena *a, const char *s);              /* NULL makes a null value */
struct value *value_string_n(struct arena *a, const char *s, size_t n);
struct value *value_format(struct arena *a, const char *fmt, ...) printf_like(2, 3);
struct value *value_unknown(struct arena *a);
struct value *value_list(struct arena *a);
struct value *value_map(struct arena *a);
/* Of n items or members, which are copied as they are (NULL: they are filled in afterwards): for what is read and
 * hardly added to. */
struct value *value_list_of(struct arena *a, struct value *const *items, size_t n);
struct value *value_map_of(struct arena *a, const struct member *members, size_t n);
void value_push(struct arena *a, struct value *list, struct value *item);
/* Replaces a member of that key or adds one. Returns v, so that nested maps can be built in place. */
struct value *value_set(struct arena *a, struct value *map, const char *key, struct value *v);
struct value *value_set_map(struct arena *a, struct value *map, const char *key);    /* value_set of a new, empty map */
/* As value_set, of a key that the map does not have yet, as the caller knows: a large map is not searched for it. */
void value_add(struct arena *a, struct value *map, const char *key, const struct value *v);
/* As value_set, of a tree that others read too and that lives as long as the map: it is pointed
 * into, and never written to. */
void value_link(struct arena *a, struct value *map, const char *key, const struct value *v);
void value_set_string(struct arena *a, struct value *map, const char *key, const char *s); /* NULL s: nothing is set */
void value_set_int(struct arena *a, struct value *map, const char *key, int64_t i);
void value_set_bool(struct arena *a, struct value *map, const char *key, bool b);
bool value_remove(struct value *map, const char *key);                   /* true if it was there */
struct value *value_copy(struct arena *a, const struct value *v);        /* deep; NULL in, NULL out */
/* The same of what is read by many and never added to: as small as it can be, and every key is there once. */
const struct value *value_copy_shared(struct arena *a, const struct value *v);

/* Reading. Every reader accepts NULL and values of another type, and then answers "not there". */
struct value *value_get(const struct value *map, const char *key);
struct value *value_get_nocase(const struct value *map, const char *key);
/* "properties.identity.type"; "list.0.name" steps into lists; a key that holds dots cannot be reached. */
struct value *value_at(const struct value *v, const char *path);
size_t value_count(const struct value *v);                               /* of a list or map, else 0 */
struct value *value_item(const struct value *list, size_t i);
const char *value_str(const struct value *v);                            /* NULL unless a string */
const char *value_str_at(const struct value *v, const char *path);
int64_t value_int_at(const struct value *v, const char *path, int64_t otherwise);   /* also a string of digits */
bool value_bool_at(const struct value *v, const char *path, bool otherwise); /* also "true" and "false" as texts */
/* Never NULL; of what no manifest says, a place without a file. */
const struct origin *value_origin(const struct value *v);
struct origin member_origin(const struct member *m);                     /* of its key */
bool value_is(const struct value *v, enum value_type type);
const char *value_type_name(enum value_type type);

bool value_equal(const struct value *a,
                 const struct value *b); /* maps in any order, lists in order; NULL equals null */
/* True if `v` is nested deeper than `depth`. */
bool value_deeper_than(const struct value *v, size_t depth);

#endif
