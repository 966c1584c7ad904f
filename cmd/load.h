/* From paths to a checked estate: manifests found, read, resolved, selected; the policy compiled. */
#ifndef REINSTATE_LOAD_H
#define REINSTATE_LOAD_H

#include "options.h"
#include "../reconciler/model/desired.h"

struct estate {
    const struct desired *desired;
    const struct policy *policy;           /* release with policy_free */
    const struct value *pinned;            /* the documents of --policy; NULL without it */
    const struct value *documents;         /* as read, before any selection */
};

/* Faults and warnings go to diags; with n_errors > 0 `ret` is not filled. */
void load_estate(struct arena *a, const struct options *o, const struct schemas *schemas, struct estate *ret,
                 struct diags *diags);

/* The file that the call writes an order to: an older order in it is replaced, and not read; NULL: none. */
const char *load_written(const struct options *o);

/* The same of documents that are there already (what discovery found). */
void load_documents(struct arena *a, const struct options *o, const struct schemas *schemas, const struct value *docs,
                    struct estate *ret, struct diags *diags);

/* Exactly one World document, checked, with its defaults; NULL when diags have an error. */
const struct value *load_world(struct arena *a, const struct schemas *schemas, const char *path, struct diags *diags);

/* The one document of an operator's file (--cloud), as it is; NULL when diags have an error. */
const struct value *load_single(struct arena *a, const char *path, struct diags *diags);

/* Embedded schemas, parsed. */
must_use int load_schemas(struct schemas **ret, struct err *err);

/* The one thing that a document stands for (kind.h: identity); NULL: its kind has no such thing. */
char *load_identity(struct arena *a, const struct document *doc);

#endif
