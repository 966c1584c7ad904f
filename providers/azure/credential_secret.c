/* Knows the client secret of an application. Must not know how a token is kept. */
#include "credential_kinds.h"

#include <string.h>

#include "entra.h"

int client_secret_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    static const char *const names[] = {"TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", NULL};
    const char *secret;

    TRY(variables_needed(s, names, err));
    secret = variable_of(s, "CLIENT_SECRET");
    secret_set(&c->client_secret, secret, strlen(secret));
    return 0;
}

int client_secret_ask(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
                      struct err *err)
{
    return entra_ask(cr, c, r, "client_secret", &cr->client_secret, ret, err);
}
