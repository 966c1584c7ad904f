/* Knows how things are found by name. Must not know what they are. */
#include "index.h"

#include <ctype.h>

#include "text.h"

enum { BUCKETS_MIN = 16 };

struct index {
    struct arena *arena;
    enum index_names names;
    struct index_entry **buckets;
    size_t n_buckets, count;   /* count: of different names */
    size_t owner;
    struct arena *entries;     /* where those of the owner live */
    struct index_entry *owned;
};

/* FNV-1a. Characters of several bytes may be folded: they count by their place only, so that alike
 * names have one hash. */
static size_t hash_of(const struct index *x, const char *name)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        unsigned char c = *p;

        if (x->names == INDEX_NOCASE)
            c = c < 0x80 ? (unsigned char)tolower(c) : 0x80;
        hash = (hash ^ c) * UINT64_C(1099511628211);
    }
    return (size_t)(hash ^ hash >> 32);
}

struct index *index_new(struct arena *a, enum index_names names)
{
    struct index *x = arena_new_of(a, struct index);

    x->arena = x->entries = a;
    x->names = names;
    x->n_buckets = BUCKETS_MIN;
    x->buckets = arena_array(a, struct index_entry *, x->n_buckets);
    return x;
}

static struct index_entry *find(const struct index *x, const char *name, size_t hash)
{
    struct index_entry *e = x->buckets[hash & (x->n_buckets - 1)];

    while (e && (e->hash != hash || !(x->names == INDEX_NOCASE ? str_eq_nocase(e->name, name) : str_eq(e->name, name))))
        e = e->chain;
    return e;
}

static void grow(struct index *x)
{
    size_t n = 2 * x->n_buckets;
    struct index_entry **buckets = arena_array(x->arena, struct index_entry *, n);

    for (size_t i = 0; i < x->n_buckets; i++)
        for (struct index_entry *e = x->buckets[i], *chain; e; e = chain) {
            chain = e->chain;
            e->chain = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
        }
    x->buckets = buckets;
    x->n_buckets = n;
}

/* Where the chain of a bucket leads to the first entry of that name. */
static struct index_entry **place_of(struct index *x, const struct index_entry *first)
{
    struct index_entry **at = &x->buckets[first->hash & (x->n_buckets - 1)];

    while (*at != first)
        at = &(*at)->chain;
    return at;
}

/* Among those of its name, behind all of its owner and of lower ones. */
static void put_among(struct index *x, struct index_entry *first, struct index_entry *e)
{
    struct index_entry *before = first;

    if (first->last->owner <= e->owner) {
        first->last->next = e;
        first->last = e;
        return;
    }
    if (first->owner > e->owner) {
        struct index_entry **place = place_of(x, first);

        e->next = first;
        e->last = first->last;
        e->chain = first->chain;
        *place = e;
        return;
    }
    while (before->next->owner <= e->owner)
        before = before->next;
    e->next = before->next;
    before->next = e;
}

void index_own(struct index *x, size_t owner, struct arena *a)
{
    x->owner = owner;
    x->entries = a;
    x->owned = NULL;
}

struct index_entry *index_owned(const struct index *x)
{
    return x->owned;
}

void index_put(struct index *x, const char *name, const void *thing)
{
    struct index_entry *e, *first;
    size_t hash;

    if (!name)
        return;
    hash = hash_of(x, name);
    first = find(x, name, hash);
    e = arena_new_of(x->entries, struct index_entry);
    *e = (struct index_entry){
        .name = name, .thing = (void *)thing, .hash = hash, .owner = x->owner, .sibling = x->owned};
    x->owned = e;
    if (first) {
        put_among(x, first, e);
        return;
    }
    if (x->count++ >= x->n_buckets)
        grow(x);
    e->last = e;
    e->chain = x->buckets[hash & (x->n_buckets - 1)];
    x->buckets[hash & (x->n_buckets - 1)] = e;
}

/* `before`: the entry of that name before it; NULL: it is the first. */
static void take_out(struct index *x, struct index_entry *first, struct index_entry *before, struct index_entry *e)
{
    struct index_entry **place;

    if (before) {
        before->next = e->next;
        first->last = e->next ? first->last : before;
        return;
    }
    place = place_of(x, first);
    if (e->next) {
        e->next->last = e->last;
        e->next->chain = e->chain;
        *place = e->next;
    } else {
        *place = e->chain;
        x->count--;
    }
}

void index_drop(struct index *x, const char *name, const void *thing)
{
    struct index_entry *first = name ? find(x, name, hash_of(x, name)) : NULL, *before = NULL, *e = first;

    while (e && e->thing != thing) {
        before = e;
        e = e->next;
    }
    if (e)
        take_out(x, first, before, e);
}

void index_disown(struct index *x, struct index_entry *owned)
{
    for (struct index_entry *e = owned; e; e = e->sibling) {
        struct index_entry *first = find(x, e->name, e->hash), *before = NULL;

        for (struct index_entry *at = first; at != e; at = at->next)
            before = at;
        take_out(x, first, before, e);
    }
}

const struct index_entry *index_find(const struct index *x, const char *name)
{
    return x && name ? find(x, name, hash_of(x, name)) : NULL;
}

void *index_get(const struct index *x, const char *name)
{
    const struct index_entry *e = index_find(x, name);

    return e ? e->thing : NULL;
}
