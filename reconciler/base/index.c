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

    x->arena = a;
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

void index_put(struct index *x, const char *name, const void *thing)
{
    struct index_entry *e, *first;
    size_t hash;

    if (!name)
        return;
    hash = hash_of(x, name);
    first = find(x, name, hash);
    e = arena_new_of(x->arena, struct index_entry);
    *e = (struct index_entry){.name = name, .thing = (void *)thing, .hash = hash};
    if (first) {
        first->last->next = e;
        first->last = e;
        return;
    }
    if (x->count++ >= x->n_buckets)
        grow(x);
    e->last = e;
    e->chain = x->buckets[hash & (x->n_buckets - 1)];
    x->buckets[hash & (x->n_buckets - 1)] = e;
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
