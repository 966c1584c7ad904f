/* What the parts of the simulated blob service share: one request on its way through, and how it is refused. */
#ifndef REINSTATE_SIM_BLOBS_H
#define REINSTATE_SIM_BLOBS_H

#include "data.h"

/* The service begins its XML with it. */
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

struct blob_exchange {
    struct sim *s;
    const struct sim_request *r;
    struct sim_answer *out;
    struct arena *a;
    struct value *account;
    const char *name, *container, *blob;
};

void blob_refuse(const struct blob_exchange *x, int status, const char *code, const char *message);
void blob_add_xml(struct text *t, const char *s);
bool blob_admitted(const struct blob_exchange *x);
struct value *blob_named(const struct blob_exchange *x);

/* The next blob of a container from *at on. */
const struct value *blob_next(const struct blob_exchange *x, size_t *at);

#endif
