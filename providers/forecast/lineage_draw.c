/* Knows how a lineage is drawn: a box for each thing, points of one VM that need the same together in one. Must not
 * know how it came about. */
#include "lineage.h"

struct cluster {
    size_t first, count; /* the first node stands for all */
    const char *oldest, *newest;
};

static bool same_needs(const struct lineage *l, size_t x, size_t y)
{
    size_t i = 0, j = 0;

    for (;; i++, j++) {
        while (i < l->n_edges && l->edges[i].from != x)
            i++;
        while (j < l->n_edges && l->edges[j].from != y)
            j++;
        if (i == l->n_edges || j == l->n_edges)
            return i == l->n_edges && j == l->n_edges;
        if (l->edges[i].to != l->edges[j].to || !str_eq(l->edges[i].words, l->edges[j].words))
            return false;
    }
}

static void cluster_add(struct cluster *c, const struct lineage_node *n)
{
    const char *time = value_str_at(n->point, "time");

    c->count++;
    if (time && (!c->oldest || time_parse(time) < time_parse(c->oldest)))
        c->oldest = time;
    if (time && (!c->newest || time_parse(time) > time_parse(c->newest)))
        c->newest = time;
}

/* Every node with the cluster it is drawn in; only points are ever drawn together. */
static size_t *clusters_of(struct arena *a, const struct lineage *l, struct cluster *clusters, size_t *ret_count)
{
    size_t *of = arena_array(a, size_t, l->n_nodes + 1), n = 0, k;

    for (size_t i = 0; i < l->n_nodes; i++) {
        const struct lineage_node *node = &l->nodes[i];

        for (k = 0; k < n; k++)
            if (node->kind == LINEAGE_POINT && l->nodes[clusters[k].first].kind == LINEAGE_POINT &&
                l->nodes[clusters[k].first].document == node->document && node->point &&
                same_needs(l, clusters[k].first, i))
                break;
        if (k == n)
            clusters[n++] = (struct cluster){.first = i};
        cluster_add(&clusters[k], node);
        of[i] = k;
    }
    *ret_count = n;
    return of;
}

static char *label_of(struct arena *a, const struct lineage *l, const struct cluster *c)
{
    const struct lineage_node *n = &l->nodes[c->first];
    const char *state = str_eq(n->state, "unseen") ? "cannot be seen" : n->state;
    bool plain = str_eq(n->state, "present");

    if (n->kind != LINEAGE_POINT || !n->point)
        return arena_printf(a, "%s%s%s%s%s", lineage_kind_words(n->kind), plain ? "" : ", ", plain ? "" : state, "\n",
                            n->name);
    if (c->count == 1)
        return arena_printf(a, "recovery point\n%s\n%s", n->name, c->newest ? c->newest : "of an unknown time");
    return arena_printf(a, "%zu recovery points\n%s\n%s to %s", c->count, n->document->name,
                        c->oldest ? c->oldest : "?", c->newest ? c->newest : "?");
}

/* "version2": names of things stand in the labels only. */
static char **ids_of(struct arena *a, const struct lineage *l, const struct cluster *clusters, size_t n)
{
    static const char *const words[LINEAGE_KINDS] = {"store", "version", "set", "disk", "vm", "points"};
    char **ids = arena_array(a, char *, n + 1);
    size_t counts[LINEAGE_KINDS] = {0};

    for (size_t i = 0; i < n; i++) {
        enum lineage_kind kind = l->nodes[clusters[i].first].kind;

        ids[i] = arena_printf(a, "%s%zu", words[kind], ++counts[kind]);
    }
    return ids;
}

void lineage_draw(struct text *out, enum drawing_language language, const struct view *v)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct drawing d = {.out = out, .arena = a, .language = language};
    struct lineage l = lineage_with_unseen(v);
    struct cluster *clusters = arena_array(a, struct cluster, l.n_nodes + 1);
    size_t n, *of = clusters_of(a, &l, clusters, &n);
    char **ids = ids_of(a, &l, clusters, n);

    drawing_begin(&d);
    for (size_t i = 0; i < n; i++)
        drawing_box(&d, ids[i], label_of(a, &l, &clusters[i]), !str_eq(l.nodes[clusters[i].first].state, "present"));
    for (size_t i = 0; i < l.n_edges; i++) {
        const struct lineage_edge *e = &l.edges[i];

        if (clusters[of[e->from]].first == e->from)
            drawing_arrow(&d, ids[of[e->from]], ids[of[e->to]], e->proved ? ARROW_SOLID : ARROW_DASHED, e->words);
    }
    drawing_end(&d);
}
