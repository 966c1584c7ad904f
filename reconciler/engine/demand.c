/* Knows what is to be concluded, and in which order. Must not know how. */
#include "demand.h"

enum state { UNASKED, ASKED, MADE };

struct demand {
    struct arena *arena;
    const struct desired *desired;
    const struct concluding *c;
    const struct demand_hooks *hooks;
    void *ctx;
    unsigned char *states;   /* by document index */
    size_t *heap, n_heap;    /* indices of documents that are asked for and not made, the lowest first */
    const struct document *making;
    bool spoiled;            /* it was told that something is not there which only has not had its turn */
};

struct demand *demand_new(struct arena *a, const struct desired *desired, const struct concluding *c,
                          const struct demand_hooks *hooks, void *ctx)
{
    struct demand *d = arena_new_of(a, struct demand);

    *d = (struct demand){.arena = a, .desired = desired, .c = c, .hooks = hooks, .ctx = ctx};
    d->states = arena_array(a, unsigned char, desired->count + 1);
    return d;
}

static void swap(size_t *a, size_t *b)
{
    size_t was = *a;

    *a = *b;
    *b = was;
}

static void heap_put(struct demand *d, size_t index)
{
    size_t at = d->n_heap;

    arena_push(d->arena, d->heap, d->n_heap, index);
    for (; at && d->heap[(at - 1) / 2] > d->heap[at]; at = (at - 1) / 2)
        swap(&d->heap[at], &d->heap[(at - 1) / 2]);
}

static size_t heap_take(struct demand *d)
{
    size_t lowest = d->heap[0], at = 0;

    d->heap[0] = d->heap[--d->n_heap];
    for (;;) {
        size_t least = at;

        for (size_t k = 2 * at + 1; k <= 2 * at + 2 && k < d->n_heap; k++)
            if (d->heap[k] < d->heap[least])
                least = k;
        if (least == at)
            return lowest;
        swap(&d->heap[at], &d->heap[least]);
        at = least;
    }
}

/* With all that it relies on: it will ask for that. References form no circle, and are not deep. */
static void ask(struct demand *d, const struct document *doc)
{
    if (d->states[doc->index] != UNASKED)
        return;
    d->states[doc->index] = ASKED;
    heap_put(d, doc->index);
    for (size_t i = 0; i < doc->n_references; i++)
        if (doc->references[i].target && d->c->relies(d->c->ctx, doc, &doc->references[i]))
            ask(d, doc->references[i].target);
}

static void make_all(struct demand *d)
{
    while (d->n_heap) {
        size_t index = heap_take(d);
        const struct document *doc = d->desired->documents[index];

        d->making = doc;
        d->spoiled = false;
        d->hooks->make(d->ctx, doc);
        d->making = NULL;
        d->states[index] = MADE;
        if (!d->spoiled)
            continue;
        d->hooks->undo(d->ctx, doc);
        d->states[index] = ASKED;
        heap_put(d, index);
    }
}

bool demand_met(struct demand *d, const struct document *doc)
{
    if (d->making && doc->index >= d->making->index)
        return doc == d->making;
    if (d->states[doc->index] == MADE)
        return true;
    ask(d, doc);
    if (!d->making)
        make_all(d);
    else
        d->spoiled = true;
    return d->states[doc->index] == MADE;
}

void demand_beside(struct demand *d, const struct document *doc)
{
    ask(d, doc);
}
