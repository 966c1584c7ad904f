/* Knows how documents are found by what they declare and by what was seen of them. When one document is looked at anew,
 * its own names are made anew and no others. Must not know any kind. */
#include "internal.h"

/* The names of one document. */
struct named {
    struct arena *arena;
    struct index_entry *entries;
    bool stale;          /* it has been looked at since */
};

/* One way of naming, of the facts as they are. */
struct named_by {
    struct named_by *next;
    const struct view_names *names;
    const void *of;      /* whose facts; of what is declared: the estate */
    struct arena *arena;
    struct index *index;
    struct named *named; /* by document index */
    size_t count;
    const struct document **stale;
    size_t n_stale;
};

struct view_memo {
    struct named_by *all;
};

static void naming_free(struct named_by *n)
{
    for (size_t i = 0; i < n->count; i++)
        arena_free(n->named[i].arena);
    arena_free(n->arena);
}

static void memo_release(void *what)
{
    struct view_memo *memo = what;

    while (memo->all) {
        struct named_by *n = memo->all;

        memo->all = n->next;
        naming_free(n);
    }
}

struct view_memo *view_memo_new(struct arena *a)
{
    struct view_memo *memo = arena_new_of(a, struct view_memo);

    arena_keep(a, memo_release, memo);
    return memo;
}

/* Nothing of it may be found any more: what it points to is about to be gone. */
static void forget(struct named_by *n, const struct document *doc)
{
    struct named *own = &n->named[doc->index];

    if (own->stale)
        return;
    index_disown(n->index, own->entries);
    arena_free(own->arena);
    *own = (struct named){.stale = true};
    n->stale[n->n_stale++] = doc;
}

void view_memo_forget(struct view_memo *memo, const struct document *doc)
{
    struct named_by **at = memo ? &memo->all : NULL;

    while (at && *at) {
        struct named_by *n = *at;
        bool bears = !n->names->declared && (!n->names->kind || str_eq(n->names->kind, doc->kind));

        if (bears && !n->names->whole)
            forget(n, doc);
        if (!bears || !n->names->whole) {
            at = &n->next;
            continue;
        }
        *at = n->next;
        naming_free(n);
    }
}

static void put(const struct view *v, struct named_by *n, const struct document *doc)
{
    struct named *own = &n->named[doc->index];

    own->arena = arena_new();
    own->stale = false;
    index_own(n->index, doc->index, own->arena);
    n->names->put(v, doc, own->arena, n->index);
    own->entries = index_owned(n->index);
    if (own->entries)
        return;
    arena_free(own->arena);
    own->arena = NULL;
}

static struct named_by *naming_made(const struct view *v, const struct view_names *names, const void *of)
{
    struct arena *a = arena_new();
    struct named_by *n = arena_new_of(a, struct named_by);
    const struct index_entry *at = NULL;
    const struct document *doc;

    *n = (struct named_by){.names = names, .of = of, .arena = a, .index = index_new(a, INDEX_NOCASE)};
    n->count = v->desired->count;
    n->named = arena_array(a, struct named, n->count + 1);
    n->stale = arena_array(a, const struct document *, n->count + 1);
    for (size_t i = 0; !names->kind && i < v->desired->count; i++)
        put(v, n, v->desired->documents[i]);
    while (names->kind && (doc = desired_next(v->desired, names->kind, &at)))
        put(v, n, doc);
    return n;
}

static struct named_by *naming_of(const struct view *v, const struct view_names *names)
{
    const void *of = names->declared ? (const void *)v->desired : (const void *)v->facts;
    struct named_by *n = v->memo ? v->memo->all : NULL;

    while (n && (n->names != names || n->of != of))
        n = n->next;
    if (!n) {
        n = naming_made(v, names, of);
        /* Names may have been made of others meanwhile. */
        n->next = v->memo->all;
        v->memo->all = n;
    }
    while (n->n_stale)
        put(v, n, n->stale[--n->n_stale]);
    return n;
}

static void release(void *what)
{
    naming_free(what);
}

const struct index_entry *view_find(const struct view *v, const struct view_names *names, const char *name)
{
    struct named_by *n;

    if (!name)
        return NULL;
    if (v->memo)
        return index_find(naming_of(v, names)->index, name);
    n = naming_made(v, names, v->facts);
    arena_keep(v->arena, release, n);
    return index_find(n->index, name);
}

const void *view_next(const struct view *v, const struct view_names *names, const char *name,
                      const struct index_entry **at)
{
    *at = *at ? (*at)->next : view_find(v, names, name);
    return *at ? (*at)->thing : NULL;
}
