/* Raw documents, read and checked one by one, before their names and references are resolved: drafts.c reads them,
 * desired.c resolves them. */
#ifndef REINSTATE_DRAFTS_H
#define REINSTATE_DRAFTS_H

#include "desired.h"

/* A document while it is being resolved. */
struct draft {
    struct document document;
    const char *schema; /* "KeyVault.json" */
    bool faulty;        /* its schema has complained: some faults here would only be echoes */
    const struct document **referrers;
    struct reference *references;
};

/* A document whose kind is not known: what names it would name nothing, and its own fault says why. */
struct stray {
    const char *near, *name; /* near: the kind that was most likely meant; NULL: any */
};

struct resolver {
    struct arena *arena;
    const struct schemas *schemas;
    const char *const *kinds;
    const struct naming *naming;
    struct diags *diags;
    struct draft *drafts;
    size_t count;
    struct draft **by_name; /* by name, then by position */
    struct stray *strays;
    size_t n_strays;
};

void drafts_read(struct resolver *r, const struct value *docs);
/* Finds the documents that ids, URLs and scopes speak of, once names are resolved (naming.c). */
void naming_resolve(struct resolver *r);
/* `by` refers to `target`, which knows of it once. */
void draft_referred(struct arena *a, struct draft *target, const struct draft *by);

#endif
