/* Knows tokens that the operator has already, one for each audience. Must not know how else one is got. */
#include "credential_kinds.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../../reconciler/base/text.h"

/* The token without blanks around it and without the word Bearer, which is often copied along. */
static int take_token(const char *name, const char *value, struct secret *ret, struct err *err)
{
    size_t n;

    if (!value)
        return 0;
    value += strspn(value, " \t\r\n");
    if (str_starts_nocase(value, "Bearer "))
        value += 7;
    n = strlen(value);
    while (n > 0 && isspace((unsigned char)value[n - 1]))
        n--;
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)value[i] <= ' ' || (unsigned char)value[i] >= 0x7f)
            return err_set(err, ERR_DENIED, "%s holds characters that no token has", name);
    if (n > 0)
        secret_set(ret, value, n);
    return 0;
}

int given_configure(const struct surroundings *s, struct credential *c, struct err *err)
{
    bool any = false;

    for (size_t i = 0; i < AUDIENCE_COUNT; i++) {
        char name[64];

        snprintf(name, sizeof(name), "REINSTATE_TOKEN_%s", audience_names[i]);
        TRY(take_token(name, s->variable(name), &c->tokens[i], err));
        any = any || c->tokens[i].len > 0;
    }
    return any ? 0 : err_set(err, ERR_NOT_FOUND, "no REINSTATE_TOKEN_ARM, _VAULT, _HSM, _STORAGE or _GRAPH");
}

int given_ask(struct credential *cr, struct call *c, const struct token_request *r, struct token_answer *ret,
              struct err *err)
{
    const struct secret *given = &cr->tokens[r->audience];

    (void)c;
    if (given->len == 0) {
        err_set(err, ERR_DENIED, "no token for %s was handed in", audience_resource(r->cloud, r->audience));
        return err_advise(err, "set REINSTATE_TOKEN_%s, or sign in another way", audience_names[r->audience]);
    }
    secret_set(&ret->token, given->bytes, given->len);
    ret->life_ms = INT64_MAX; /* nobody can renew it: Azure says when it has ended */
    return 0;
}
