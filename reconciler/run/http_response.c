/* Knows what an answer holds, and gives it back. Must not know what it means. */
#include "http.h"

void http_response_release(struct http_response *r)
{
    secret_release(&r->body);
}

const char *http_response_header(const struct http_response *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return NULL;
}
