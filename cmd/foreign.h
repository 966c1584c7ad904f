/* Files of other tools that lie among manifests: Helm's values, pipelines, kustomizations. */
#ifndef REINSTATE_FOREIGN_H
#define REINSTATE_FOREIGN_H

#include "../reconciler/base/value.h"

/* Whose file it is, in words ("kind ConfigMap of v1"), or NULL: it may be meant for reinstate, and every fault in it is
 * one. `docs` are the documents read of it; `broken`: it could not be read to its end, so that only its lines tell.
 * Whatever has one of our own marks is ours, however misspelt the rest: a policy that is passed over forbids nothing.
 */
const char *foreign_file(struct arena *a, const char *path, const struct value *docs, bool broken);
/* What the lines of a file that is not read say of it, without reading it as YAML: whether it holds documents of ours,
 * and whether a Policy is among them. Worlds and histories are given by options of their own, and count for none. */
enum our_marks { MARKS_NONE, MARKS_OURS, MARKS_POLICY };
enum our_marks our_marks(const char *path);

#endif
