/* Which services answer, how fast, and from where: without a token, so that it is known of those, too, that would
 * refuse us. */
#ifndef REINSTATE_DOCTOR_ENDPOINTS_H
#define REINSTATE_DOCTOR_ENDPOINTS_H

#include "needs.h"

struct endpoint {
    const char *what;    /* "Resource Manager", "sign-in", "key vault", "managed HSM", "storage account" */
    const char *address; /* "https://kv-payroll.vault.azure.net" */
    const char *id;      /* of a store or an account: its ARM id; NULL */
    struct azure *azure;
    int status;          /* 0: it does not answer */
    int64_t took_ms;
    const char *from;    /* the address that answered; NULL: not known */
    const char *fault, *fix; /* NULL: none */
    const struct value *metadata; /* of Resource Manager: what the cloud says of itself; NULL: nothing */
};

/* How Azure is reached. */
struct reach {
    struct azure *const *connections;
    size_t n_connections;
    bool proxied; /* a proxy stands between, so that nobody sees who answers */
};
/* May suspend. *ret in n->arena. */
must_use int endpoints_ask(struct call *c, const struct needs *n, const struct reach *reach, struct endpoint **ret,
                           size_t *ret_count, struct err *err);

/* Pure. An address that only a network of one's own leads to; false too for what is no address. */
bool address_is_private(const char *address);
/* Pure. What the cloud says of itself (GET /metadata/endpoints) against the endpoints in use: a sentence for each that
 * differs; NULL: it does not speak of this one. */
struct value *cloud_differs(struct arena *a, const struct cloud *cloud, const struct value *metadata);

#endif
