/* Order, circles and their stability, on graphs small enough to be checked by eye and one too deep for a call stack. */
#include "../harness.h"

#include "../../reconciler/model/graph.h"

struct row {
    const char *reason;
    size_t nodes;
    const char *edges;      /* "02" : 0 needs 2 */
    const char *order;      /* "" when there is none */
    const char *cycles;     /* "01 345": each from its smallest node */
};

static const struct row rows[] = {
    {"no nodes, an empty order", 0, "", "", ""},
    {"nothing needs anything: by number", 3, "", "012", ""},
    {"many ready at once", 7, "", "0123456", ""},
    {"many become ready at once", 7, "06 16 26 36 46 56", "6012345", ""},
    {"what is needed comes first", 3, "01 12", "210", ""},
    {"among equals the smaller number", 5, "04 14", "23401", ""},
    {"a diamond", 4, "01 02 13 23", "3120", ""},
    {"an edge twice is an edge once", 3, "02 02 01 02", "120", ""},
    {"needs itself", 2, "11", "", "1"},
    {"a pair, and a node that only leans on it", 3, "01 10 20", "", "01"},
    {"a circle starts at its smallest node", 4, "31 12 23", "", "123"},
    {"two knots, one circle each", 6, "01 10 34 45 53", "", "01 345"},
    {"a knot of two circles names the shorter one through its smallest node", 4, "01 12 20 23 30 10", "", "01"},
    {"a circle behind a chain", 5, "01 12 23 34 42", "", "234"},
    {"two circles joined by a bridge stay two", 4, "01 10 12 23 32", "", "01 23"},
};

static struct graph *graph_read(struct arena *a, const struct row *row)
{
    struct graph *g = graph_new(a, row->nodes);

    for (const char *e = row->edges; *e; e += e[2] ? 3 : 2)
        graph_edge(g, (size_t)(e[0] - '0'), (size_t)(e[1] - '0'));
    return g;
}

static void check_row(const struct row *row)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct graph *g = graph_read(a, row);
    size_t order[8] = {99};
    const size_t *const *cycles, *lengths;
    size_t n = graph_cycles(g, &cycles, &lengths);
    struct text words cleanup(text_release);
    bool ordered = graph_order(g, order);

    text_init(&words, 1000);
    for (size_t i = 0; ordered && i < row->nodes; i++)
        text_printf(&words, "%zu", order[i]);
    CHECK_ROW(row->reason, str_eq(text_str(&words), row->order));
    CHECK_ROW(row->reason, ordered == (*row->cycles == '\0'));
    CHECK_ROW(row->reason, ordered || order[0] == 99);
    text_clear(&words);
    for (size_t i = 0; i < n; i++) {
        text_add(&words, i ? " " : "");
        for (size_t j = 0; j < lengths[i]; j++)
            text_printf(&words, "%zu", cycles[i][j]);
    }
    CHECK_ROW(row->reason, str_eq(text_str(&words), row->cycles));
}

/* A chain this long would overflow the stack if any of it recursed with fat frames; it must also stay quick. */
static void check_deep(void)
{
    enum { DEEP = 100000 };
    struct arena *a cleanup(arena_freep) = arena_new();
    struct graph *g = graph_new(a, DEEP);
    size_t *order = arena_array(a, size_t, DEEP);
    const size_t *const *cycles, *lengths;

    for (size_t i = 0; i + 1 < DEEP; i++)
        graph_edge(g, i, i + 1);
    CHECK(graph_order(g, order));
    CHECK(order[0] == DEEP - 1 && order[DEEP - 1] == 0);
    CHECK(graph_cycles(g, &cycles, &lengths) == 0);
    graph_edge(g, DEEP - 1, 0);
    CHECK(!graph_order(g, order));
    CHECK(graph_cycles(g, &cycles, &lengths) == 1 && lengths[0] == DEEP && cycles[0][0] == 0 && cycles[0][1] == 1);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        check_row(&rows[i]);
    check_deep();
    HARNESS_END();
}
