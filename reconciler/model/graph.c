/* Knows numbered nodes and who needs whom. Must not know what the nodes stand for. Nothing here recurses: a chain of
 * ten thousand documents is as good as a short one. */
#include "graph.h"

#include <assert.h>

struct adjacency {
    size_t *needs;
    size_t count;
};

struct graph {
    struct arena *arena;
    struct adjacency *nodes;
    size_t count;
};

struct graph *graph_new(struct arena *a, size_t nodes)
{
    struct graph *g = arena_new_of(a, struct graph);

    g->arena = a;
    g->count = nodes;
    g->nodes = arena_array(a, struct adjacency, nodes + 1);
    return g;
}

void graph_edge(struct graph *g, size_t from, size_t to)
{
    assert(from < g->count && to < g->count);
    /* A doubled edge is counted twice on both sides below and so makes no difference; only the
     * common case is spared. */
    if (g->nodes[from].count && g->nodes[from].needs[g->nodes[from].count - 1] == to)
        return;
    arena_push(g->arena, g->nodes[from].needs, g->nodes[from].count, to);
}

/* --- order -------------------------------------------------------------------------------------------------------- */

/* A heap of node numbers, smallest on top. */
struct heap {
    size_t *items;
    size_t count;
};

static void heap_push(struct heap *h, size_t node)
{
    size_t at = h->count++;

    for (; at > 0 && h->items[(at - 1) / 2] > node; at = (at - 1) / 2)
        h->items[at] = h->items[(at - 1) / 2];
    h->items[at] = node;
}

static size_t heap_pop(struct heap *h)
{
    size_t top = h->items[0], last = h->items[--h->count], at = 0;

    for (;;) {
        size_t child = 2 * at + 1;

        if (child >= h->count)
            break;
        if (child + 1 < h->count && h->items[child + 1] < h->items[child])
            child++;
        if (h->items[child] >= last)
            break;
        h->items[at] = h->items[child];
        at = child;
    }
    h->items[at] = last;
    return top;
}

static struct adjacency *graph_reversed(const struct graph *g)
{
    struct adjacency *reversed = arena_array(g->arena, struct adjacency, g->count + 1);

    for (size_t i = 0; i < g->count; i++)
        for (size_t j = 0; j < g->nodes[i].count; j++) {
            struct adjacency *needed = &reversed[g->nodes[i].needs[j]];

            arena_push(g->arena, needed->needs, needed->count, i);
        }
    return reversed;
}

bool graph_order(const struct graph *g, size_t *ret_order)
{
    struct adjacency *dependents = graph_reversed(g);
    size_t *missing = arena_array(g->arena, size_t, g->count + 1), *order = arena_array(g->arena, size_t, g->count + 1);
    struct heap ready = {.items = arena_array(g->arena, size_t, g->count + 1)};
    size_t placed = 0;

    for (size_t i = 0; i < g->count; i++) {
        missing[i] = g->nodes[i].count;
        if (missing[i] == 0)
            heap_push(&ready, i);
    }
    while (ready.count) {
        size_t node = heap_pop(&ready);

        order[placed++] = node;
        for (size_t i = 0; i < dependents[node].count; i++)
            if (--missing[dependents[node].needs[i]] == 0)
                heap_push(&ready, dependents[node].needs[i]);
    }
    if (placed < g->count)
        return false;
    for (size_t i = 0; i < placed; i++)
        ret_order[i] = order[i];
    return true;
}

/* --- cycles ------------------------------------------------------------------------------------------------------- */

enum { UNSEEN = 0 };

/* Tarjan's strongly connected components with the call stack spelled out. Numbers start at 1. */
struct tarjan {
    size_t *number, *low, *knot;         /* knot: 1 + smallest node of the component, once it is complete */
    size_t *path, *path_at;              /* the spelled-out call stack: node, and which need is next */
    size_t *open, n_open;                /* nodes whose component is not complete */
    size_t depth, next;
};

static void tarjan_enter(struct tarjan *t, size_t node)
{
    t->number[node] = t->low[node] = ++t->next;
    t->open[t->n_open++] = node;
    t->path[t->depth] = node;
    t->path_at[t->depth++] = 0;
}

static void tarjan_leave(struct tarjan *t, size_t node)
{
    size_t from = t->n_open, smallest = node;

    t->depth--;
    if (t->depth && t->low[node] < t->low[t->path[t->depth - 1]])
        t->low[t->path[t->depth - 1]] = t->low[node];
    if (t->low[node] != t->number[node])
        return;
    do {
        from--;
        if (t->open[from] < smallest)
            smallest = t->open[from];
    } while (t->open[from] != node);
    for (size_t i = from; i < t->n_open; i++)
        t->knot[t->open[i]] = smallest + 1;
    t->n_open = from;
}

static void tarjan_from(const struct graph *g, struct tarjan *t, size_t start)
{
    tarjan_enter(t, start);
    while (t->depth) {
        size_t node = t->path[t->depth - 1], at = t->path_at[t->depth - 1]++, to;

        if (at == g->nodes[node].count) {
            tarjan_leave(t, node);
            continue;
        }
        to = g->nodes[node].needs[at];
        if (t->number[to] == UNSEEN)
            tarjan_enter(t, to);
        else if (!t->knot[to] && t->number[to] < t->low[node])
            t->low[node] = t->number[to];
    }
}

static size_t *graph_knots(const struct graph *g)
{
    size_t n = g->count + 1;
    struct tarjan t = {
        .number = arena_array(g->arena, size_t, n),
        .low = arena_array(g->arena, size_t, n),
        .knot = arena_array(g->arena, size_t, n),
        .path = arena_array(g->arena, size_t, n),
        .path_at = arena_array(g->arena, size_t, n),
        .open = arena_array(g->arena, size_t, n),
    };

    for (size_t i = 0; i < g->count; i++)
        if (t.number[i] == UNSEEN)
            tarjan_from(g, &t, i);
    return t.knot;
}

/* The nodes from `start` to `last`, along the way the search came (from[]: 1 + the node before). */
static size_t *circle_spell(struct arena *a, const size_t *from, size_t start, size_t last, size_t *ret_length)
{
    size_t length = 1, at, *circle;

    for (size_t node = last; node != start; node = from[node] - 1)
        length++;
    circle = arena_array(a, size_t, length);
    at = length;
    for (size_t node = last; node != start; node = from[node] - 1)
        circle[--at] = node;
    circle[0] = start;
    *ret_length = length;
    return circle;
}

/* Memory of one search, taken once: an estate without circles has as many knots as documents. */
struct search {
    size_t *from, *queue;      /* from: 1 + the node before; 0: not seen */
};

/* The shortest way from `start` back to itself inside its knot; NULL when there is none (a knot of
 * one without a loop). */
static size_t *circle_find(const struct graph *g, const size_t *knots, struct search *s, size_t start,
                           size_t *ret_length)
{
    size_t head = 0, tail = 0, *circle = NULL;

    s->queue[tail++] = start;
    while (head < tail && !circle) {
        size_t node = s->queue[head++];

        for (size_t i = 0; i < g->nodes[node].count && !circle; i++) {
            size_t to = g->nodes[node].needs[i];

            if (to == start)
                circle = circle_spell(g->arena, s->from, start, node, ret_length);
            if (knots[to] != knots[start] || s->from[to] || to == start)
                continue;
            s->from[to] = node + 1;
            s->queue[tail++] = to;
        }
    }
    while (tail > 0)
        s->from[s->queue[--tail]] = 0;
    return circle;
}

size_t graph_cycles(const struct graph *g, const size_t *const **ret_cycles, const size_t **ret_lengths)
{
    size_t *knots = graph_knots(g), *lengths = NULL, count = 0, n_lengths = 0;
    const size_t **cycles = NULL;
    struct search search = {.from = arena_array(g->arena, size_t, g->count + 1),
                            .queue = arena_array(g->arena, size_t, g->count + 1)};

    for (size_t i = 0; i < g->count; i++) {
        size_t length = 0, *circle = knots[i] == i + 1 ? circle_find(g, knots, &search, i, &length) : NULL;

        if (!circle)
            continue;
        arena_push(g->arena, cycles, count, circle);
        arena_push(g->arena, lengths, n_lengths, length);
    }
    *ret_cycles = cycles;
    *ret_lengths = lengths;
    return count;
}
