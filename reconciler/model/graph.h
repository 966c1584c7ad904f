/* Directed graphs over numbered nodes: order, cycles named in full, drawings. Pure. */
#ifndef REINSTATE_GRAPH_H
#define REINSTATE_GRAPH_H

#include "../base/text.h"

struct graph;

struct graph *graph_new(struct arena *a, size_t nodes);
void graph_edge(struct graph *g, size_t from, size_t to);      /* `from` needs `to`; twice is once */
/* Nodes so that what is needed comes first; among equals the smaller number. false: there is a cycle. */
bool graph_order(const struct graph *g, size_t *ret_order);
/* One cycle per knot, each starting at its smallest node: a list of nodes ending before the first repeats. Returns the
 * number of cycles; *ret_cycles[i] has ret_lengths[i] nodes. A node that needs itself is a cycle of one. */
size_t graph_cycles(const struct graph *g, const size_t *const **ret_cycles, const size_t **ret_lengths);

#endif
