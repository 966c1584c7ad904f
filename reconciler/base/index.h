/* Finds things by name, at the same cost however many there are: a list that every machine of an estate walks costs the
 * square of the estate. Several things may bear one name; they are found in the order in which they were put. */
#ifndef REINSTATE_INDEX_H
#define REINSTATE_INDEX_H

#include "arena.h"

struct index;

enum index_names {
    INDEX_EXACT,
    INDEX_NOCASE   /* names are alike as by str_eq_nocase: how Azure compares ids */
};

struct index_entry {
    const char *name;
    void *thing;
    struct index_entry *next;   /* the next one of that name; NULL: there is none */
    /* the index's own */
    struct index_entry *last, *chain, *sibling;
    size_t hash, owner;
};

/* It lives in `a`, and so do its entries; names are not copied. */
struct index *index_new(struct arena *a, enum index_names names);
/* NULL names are not kept. */
void index_put(struct index *x, const char *name, const void *thing);
/* What is put from now on is of that owner, and lives in `a`. Among things of one name, those of lower owners come
 * first, whenever they were put. */
void index_own(struct index *x, size_t owner, struct arena *a);
/* All that has been put since index_own was called: to be taken out again by index_disown, once. */
struct index_entry *index_owned(const struct index *x);
void index_disown(struct index *x, struct index_entry *owned);
/* Takes the thing out of those of that name; nothing, where it is not among them. */
void index_drop(struct index *x, const char *name, const void *thing);
/* The first of that name; NULL: there is none, or no name. NULL index: nothing is in it. */
const struct index_entry *index_find(const struct index *x, const char *name);
void *index_get(const struct index *x, const char *name);

#endif
