/* Templates among the manifests: a document with a selector stands for one document per document it selects. Pure. */
#ifndef REINSTATE_EXPAND_H
#define REINSTATE_EXPAND_H

#include "../format/schema.h"

enum { SELECTED_MAX = 1000 };   /* VMs that one vault can hold */

/* The raw documents with every template replaced by the documents it stands for, in the order of those selected. A
 * field of spec that its schema marks with x-select may hold {selector: {LABEL: VALUE}} in place of a name: then all
 * documents of the kinds it may refer to that have these labels are meant, each gets a copy of the template with the
 * name in that place, and in every text of the copy {name} becomes the selected document's name and {spec.…} the text
 * at that path of it. Labels that the template does not give are taken over. Faults go to diags, with the template's
 * place. */
struct value *documents_expand(struct arena *a, const struct schemas *schemas, const struct value *docs,
                               struct diags *diags);

#endif
