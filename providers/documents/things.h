/* The things in Azure that documents declare and speak of, each by one name however it is written: an ARM id, a URL
 * with port, capitals, doubled slashes or a version, the scope of a role. The one place where what a document acts on
 * is told; order, guards and selections read what follows from it (reconciler/model/naming.c). */
#ifndef REINSTATE_DOCUMENTS_THINGS_H
#define REINSTATE_DOCUMENTS_THINGS_H

#include "common.h"

/* struct naming, all four. Pure. */
char *thing_declared(struct arena *a, const struct document *doc);
const struct spoken *things_spoken_of(struct arena *a, const struct document *doc, size_t *ret_count);
bool thing_part_of(const struct document *doc, const struct reference *ref);
int thing_fit(const struct document *doc, const char *version);

/* Pure. What `doc` declares, or names by an ARM id, lies in that subscription or resource group. */
bool thing_lies_in(struct arena *a, const struct document *doc, const char *scope);

/* The name of the thing of that ARM id, or of that key at a URL, as `doc` sees it; NULL: it is none's. */
char *thing_of_id(struct arena *a, const struct document *doc, const char *id);
char *thing_of_url(struct arena *a, const struct document *doc, const char *url);

#endif
