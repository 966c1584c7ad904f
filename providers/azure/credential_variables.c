/* Knows which variables of the environment speak of a credential, and which of them are secrets. Must not know what
 * they are used for. */
#include "credential_kinds.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "../../reconciler/base/text.h"

enum { VARIABLE_MAX = 64 };

static const char *value_of(const struct surroundings *s, const char *prefix, const char *name)
{
    char variable[VARIABLE_MAX];
    const char *value;

    snprintf(variable, sizeof(variable), "%s_%s", prefix, name);
    value = s->variable(variable);
    return value && *value ? value : NULL;
}

const char *variables_prefix(const struct surroundings *s)
{
    return !value_of(s, "AZURE", "CLIENT_ID") && value_of(s, "ARM", "CLIENT_ID") ? "ARM" : "AZURE";
}

const char *variable_of(const struct surroundings *s, const char *name)
{
    return value_of(s, variables_prefix(s), name);
}

int variables_needed(const struct surroundings *s, const char *const *names, struct err *err)
{
    char missing[160] = "";

    for (size_t i = 0; names[i]; i++)
        if (!variable_of(s, names[i]))
            snprintf(missing + strlen(missing), sizeof(missing) - strlen(missing), "%s%s_%s", missing[0] ? ", " : "",
                     variables_prefix(s), names[i]);
    return missing[0] ? err_set(err, ERR_NOT_FOUND, "%s not set", missing) : 0;
}

/* Ids go into URLs; what is no id must not get there. */
int variable_id(const struct surroundings *s, const char *prefix, const char *name, char *ret, size_t room,
                struct err *err)
{
    const char *value = value_of(s, prefix, name);
    size_t n = value ? strlen(value) : 0;

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)value[i]) && value[i] != '-' && value[i] != '.')
            return err_set(err, ERR_DENIED, "%s_%s holds characters that no id has", prefix, name);
    if (n >= room)
        return err_set(err, ERR_DENIED, "%s_%s is too long", prefix, name);
    memcpy(ret, n ? value : "", n + 1);
    return 0;
}

bool credential_variable_is_secret(const char *name)
{
    static const char *const names[] = {"AZURE_CLIENT_SECRET",
                                        "ARM_CLIENT_SECRET",
                                        "AZURE_CLIENT_CERTIFICATE_PASSWORD",
                                        "ARM_CLIENT_CERTIFICATE_PASSWORD",
                                        "ARM_CLIENT_CERTIFICATE",
                                        "ARM_OIDC_TOKEN",
                                        "ARM_OIDC_REQUEST_TOKEN",
                                        "SYSTEM_ACCESSTOKEN",
                                        "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                                        "IDENTITY_HEADER"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (str_eq(name, names[i]))
            return true;
    return str_starts(name, "REINSTATE_TOKEN_");
}
