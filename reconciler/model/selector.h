/* Which documents are meant, by their labels: what -l takes. Pure. */
#ifndef REINSTATE_SELECTOR_H
#define REINSTATE_SELECTOR_H

#include "../base/value.h"

struct selector;

/* Conditions with commas between them, all of which must hold: KEY=VALUE (or ==), KEY!=VALUE, KEY in (A,B),
 * KEY notin (A,B), KEY (is there), !KEY (is not). As elsewhere != and notin also hold where the label is not there.
 * ERR_INVALID says where it cannot be read. Lives in `a`. */
must_use int selector_parse(struct arena *a, const char *text, const struct selector **ret, struct err *err);
/* `labels` is a map of strings, or NULL. */
bool selector_matches(const struct selector *s, const struct value *labels);

#endif
