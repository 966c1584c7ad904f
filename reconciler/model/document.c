/* Knows what one resolved document names. */
#include "desired.h"

#include "../base/text.h"

const struct reference *document_reference(const struct document *doc, const char *path)
{
    for (size_t i = 0; i < doc->n_references; i++)
        if (str_eq(doc->references[i].path, path))
            return &doc->references[i];
    return NULL;
}

const struct document *document_target(const struct document *doc, const char *path)
{
    const struct reference *ref = document_reference(doc, path);

    return ref ? ref->target : NULL;
}
