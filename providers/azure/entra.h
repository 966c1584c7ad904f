/* Entra ID's token endpoint: what is sent to prove who we are, and what comes back. */
#ifndef REINSTATE_ENTRA_H
#define REINSTATE_ENTRA_H

#include "credential.h"

/* May suspend. `proof` goes out as the form's field `field`: client_secret, or client_assertion. ERR_DENIED with
 * Entra's code and text. */
must_use int entra_ask(const struct credential *cr, struct call *c, const struct token_request *r, const char *field,
                       const struct secret *proof, struct token_answer *ret, struct err *err);
/* Takes access_token and its life out of a token endpoint's answer: expires_in, or expires_on against `now_ms`. */
must_use int token_cut(const struct secret *body, int64_t now_ms, struct token_answer *ret, struct err *err);
int64_t token_life_ms(const struct secret *body, int64_t now_ms);

#endif
