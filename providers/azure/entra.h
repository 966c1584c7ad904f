/* Entra ID's token endpoint: what is sent to prove who we are, and what comes back. */
#ifndef REINSTATE_ENTRA_H
#define REINSTATE_ENTRA_H

#include "credential.h"

/* May suspend. `proof` goes out as the form's field `field`: client_secret, or client_assertion. ERR_DENIED with
 * Entra's code and text. */
must_use int entra_ask(const struct credential *cr, struct call *c, const struct token_request *r, const char *field,
                       const struct secret *proof, struct token_answer *ret, struct err *err);
/* Takes access_token and expires_in out of a token endpoint's answer. */
must_use int token_cut(const struct secret *body, struct token_answer *ret, struct err *err);

#endif
