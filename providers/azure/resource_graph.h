/* Resource Graph: things found by what they are, over every subscription that the credential can read. */
#ifndef REINSTATE_RESOURCE_GRAPH_H
#define REINSTATE_RESOURCE_GRAPH_H

#include "arm.h"

/* May suspend. The rows of a query that keeps the column id, every page. What the credential cannot read is left out
 * without a word, and what was made minutes ago may be missing: nothing found proves nothing. */
must_use int resource_graph_query(struct azure *az, struct call *c, struct arena *a, const char *query,
                                  struct value **ret, struct err *err);
/* Pure. The text in quotes, for a query; NULL when it holds what could end them. */
char *resource_graph_quote(struct arena *a, const char *text);

#endif
