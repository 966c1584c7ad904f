/* The order as a document, and the last lines of activate: what it takes the place of, and how it is carried out. */
#ifndef REINSTATE_ACTIVATE_ORDER_H
#define REINSTATE_ACTIVATE_ORDER_H

#include "session.h"

struct ordered {
    const char *machine, *point;
};

/* The Activation of these machines, in force from `now_ms` for two days. */
struct value *order_document(struct session *s, const struct desired *d, const struct ordered *all, size_t count,
                             int64_t now_ms);
/* Tells how the order is carried out, or that it would not be. `list`: what becomes of it, by machine. */
void order_close(const struct session *s, const struct value *doc, const struct value *list);

#endif
