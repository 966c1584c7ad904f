/* What hangs on what: recovery point -> key version -> store, and VM -> disk -> disk encryption set -> key version.
 * Each arrow carries what proves it; what nobody knows stays unknown. Pure: from the facts of a look. */
#ifndef REINSTATE_LINEAGE_H
#define REINSTATE_LINEAGE_H

#include "../../reconciler/model/drawing.h"
#include "../documents/common.h"

/* How the id of a key version begins that nobody knows. */
#define LINEAGE_UNKNOWN "unknown key of "

enum lineage_kind {
    LINEAGE_STORE,
    LINEAGE_VERSION,
    LINEAGE_SET,
    LINEAGE_DISK,
    LINEAGE_VM,
    LINEAGE_POINT,
    LINEAGE_KINDS
};

struct lineage_node {
    enum lineage_kind kind;
    const char *id;                  /* ARM id, key URL, or item id and point; compared without regard to case */
    const char *name;                /* for people */
    const char *state;               /* present, absent, deleted, disabled, expired, unseen, unknown */
    const struct document *document; /* the document that declares the thing, or whose facts show it; may be NULL */
    const struct value *point;       /* of a LINEAGE_POINT: its facts */
};

struct lineage_edge {
    size_t from, to;   /* `from` needs `to` */
    const char *words; /* what says so */
    bool proved;       /* seen in Azure or declared; else concluded */
};

struct lineage {
    struct lineage_node *nodes;
    size_t n_nodes;
    struct lineage_edge *edges;
    size_t n_edges;
};

struct lineage lineage_of(const struct view *v);
/* The same, with a node for what cannot be seen but may be there (the points of a VM, the disks of a set, a key whose
 * address is not known): a drawing without it would look whole. */
struct lineage lineage_with_unseen(const struct view *v);
const char *lineage_kind_words(enum lineage_kind kind);
/* The node of that kind and id; SIZE_MAX. */
size_t lineage_find(const struct lineage *l, enum lineage_kind kind, const char *id);
/* Marks every node that needs a marked one, directly or not. */
void lineage_spread(const struct lineage *l, bool *marked);
/* The key URL of a Key document, with the version it stands for; NULL when that is not known. */
const char *lineage_version_url(const struct view *v, const struct document *key);

/* As a drawing; points of one VM with the same needs are one box. */
void lineage_draw(struct text *out, enum drawing_language language, const struct view *v);

#endif
