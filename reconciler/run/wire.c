/* Knows what every transport shares: releasing a reply, finding a header. Must not know how bytes travel. */
#include "wire.h"

#include <stdlib.h>

void wire_reply_release(struct wire_reply *r)
{
    secret_release(&r->body);
}

const char *wire_reply_header(const struct wire_reply *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return NULL;
}

void wire_free(struct wire *w)
{
    if (!w)
        return;
    w->free(w->self);
    free(w);
}
