/* Documents as they are written: what documents.c and missing.c share. Nobody else includes it. */
#ifndef REINSTATE_DISCOVERY_WRITER_H
#define REINSTATE_DISCOVERY_WRITER_H

#include "discover.h"
#include "found.h"

struct writer {
    struct arena *a;
    struct value *found;
    struct value *documents;
};

const struct value *writer_store_of(const struct writer *w, const struct value *key);
/* A store can be declared once somebody has told where it is. */
bool writer_declarable(const struct value *store);
bool writer_set_declared(const struct value *set);
void writer_tell_machines(const struct writer *w);
void writer_tell_sets(const struct writer *w);
void writer_tell_keys(const struct writer *w);

const struct value *writer_thing_by(const struct value *list, const char *member, const char *text);

#endif
