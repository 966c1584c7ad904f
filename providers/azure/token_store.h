/* Tokens that live, by cloud, tenant and audience: kept once with the credential, however many connections use it. */
#ifndef REINSTATE_TOKEN_STORE_H
#define REINSTATE_TOKEN_STORE_H

#include "credential.h"

/* A task that waits for the token another one is fetching; lives on that task's stack. */
struct token_waiter {
    struct token_waiter *next;
    struct call *call;
};

struct token {
    struct token *next;
    const struct cloud *cloud;
    char tenant[64];
    enum audience audience;
    char *claims;                         /* that the next one must carry, because Azure asked; NULL: none */
    struct secret header;                 /* "Bearer …"; empty: none */
    int64_t renew_ms, end_ms;             /* by call_span_ms */
    bool asking;                          /* a task is on its way to fetch one */
    struct token_waiter *waiters, **last; /* last: where the next one waits; NULL: at the front */
    struct err failure;                   /* of the last request, until hold_ms */
    int64_t hold_ms;
};

/* Made when it is not there. Stays where it is until the store is freed. */
struct token *token_store_find(struct credential *cr, const struct cloud *cloud, const char *tenant,
                               enum audience audience);
void token_store_free(struct credential *cr); /* wipes */

#endif
