/* What other kinds may ask about a Key document. Pure. */
#ifndef REINSTATE_KEY_DOCUMENT_H
#define REINSTATE_KEY_DOCUMENT_H

#include "common.h"

/* The versioned URL of the key that a reference field names: known, unknown until apply, or NULL without such a field. */
const struct value *key_wanted_url(const struct view *v, const struct document *doc, const char *path);
/* The version declared, else the one observed; NULL when neither is known. */
const char *key_wanted_version(const struct view *v, const struct document *key);

#endif
