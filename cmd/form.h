/* The one form in which manifests are written: by fmt, and by all that writes new ones. */
#ifndef REINSTATE_FORM_H
#define REINSTATE_FORM_H

#include "../reconciler/base/text.h"
#include "../reconciler/format/schema.h"

/* The documents one below the other, the fields of each in the order of its schema, one a line. */
void form_write(struct text *out, const struct schemas *schemas, const struct value *docs);

#endif
