/* Knows with what we sign in: a client secret, or given tokens, from the environment. Must not know how a token is
 * asked for. */
#include "internal.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../../reconciler/base/text.h"

void credential_release(struct credential *c)
{
    secret_release(&c->client_secret);
    for (size_t i = 0; i < AUDIENCE_COUNT; i++)
        secret_release(&c->tokens[i]);
    *c = (struct credential){0};
}

/* Ids go into URLs; what is no id must not get there. */
static int take_id(const char *name, const char *value, char *ret, size_t room, struct err *err)
{
    size_t n = value ? strlen(value) : 0;

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)value[i]) && value[i] != '-' && value[i] != '.')
            return err_set(err, ERR_DENIED, "%s holds characters that no id has", name);
    if (n >= room)
        return err_set(err, ERR_DENIED, "%s is too long", name);
    memcpy(ret, n ? value : "", n + 1);
    return 0;
}

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

static int take_tokens(const char *(*get)(const char *name), struct credential *c, bool *ret_any, struct err *err)
{
    *ret_any = false;
    for (size_t i = 0; i < AUDIENCE_COUNT; i++) {
        char name[64];

        snprintf(name, sizeof(name), "REINSTATE_TOKEN_%s", audience_names[i]);
        TRY(take_token(name, get(name), &c->tokens[i], err));
        *ret_any = *ret_any || c->tokens[i].len > 0;
    }
    return 0;
}

static int missing_variables(const char *(*get)(const char *name), struct err *err)
{
    static const char *const names[] = {"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"};
    char missing[128] = "";

    for (size_t i = 0; i < COUNT(names); i++)
        if (!get(names[i]) || !*get(names[i]))
            snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s%s", missing[0] ? ", " : "",
                     names[i]);
    err_set(err, ERR_DENIED, "no credential for Azure: %s not set in the environment", missing);
    return err_advise(err, "set these, or hand in tokens as REINSTATE_TOKEN_ARM, REINSTATE_TOKEN_VAULT and so on");
}

static int read_environment(const char *(*get)(const char *name), struct credential *c, struct err *err)
{
    const char *secret = get("AZURE_CLIENT_SECRET");
    bool tokens;

    TRY(take_id("AZURE_TENANT_ID", get("AZURE_TENANT_ID"), c->tenant, sizeof(c->tenant), err));
    TRY(take_id("AZURE_CLIENT_ID", get("AZURE_CLIENT_ID"), c->client_id, sizeof(c->client_id), err));
    TRY(take_tokens(get, c, &tokens, err));
    if (tokens) {
        c->kind = CREDENTIAL_GIVEN_TOKENS;
        return 0;
    }
    if (!c->tenant[0] || !c->client_id[0] || !secret || !*secret)
        return missing_variables(get, err);
    c->kind = CREDENTIAL_CLIENT_SECRET;
    secret_set(&c->client_secret, secret, strlen(secret));
    return 0;
}

int credential_from_environment(const char *(*get)(const char *name), struct credential *ret, struct err *err)
{
    struct credential c = {0};

    if (read_environment(get, &c, err) < 0) {
        credential_release(&c);
        return -(int)err->class;
    }
    *ret = c;
    return 0;
}
