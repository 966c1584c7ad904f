/* Knows the network rules of key stores and storage accounts, and whom they let in. Must not know who may do what once
 * inside (access.c, blob.c). */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

/* --- addresses ---------------------------------------------------------------------------------------------------- */

/* Four numbers up to 255; what stands behind them. NULL: no address. */
static const char *address_parse(const char *text, uint32_t *ret)
{
    *ret = 0;
    for (int i = 0; i < 4; i++) {
        unsigned part = 0;
        int digits = 0;

        if (i && *text++ != '.')
            return NULL;
        for (; *text >= '0' && *text <= '9' && digits < 3; digits++)
            part = part * 10 + (unsigned)(*text++ - '0');
        if (!digits || part > 255)
            return NULL;
        *ret = *ret << 8 | part;
    }
    return text;
}

/* A rule is one address or a range, 203.0.113.0/24. What cannot be read lets nobody in. */
static bool rule_holds(const char *rule, uint32_t address)
{
    const char *rest;
    uint32_t base;
    char *end;
    long bits;

    if (!rule || (rest = address_parse(rule, &base)) == NULL)
        return false;
    if (!*rest)
        return base == address;
    if (*rest != '/' || rest[1] < '0' || rest[1] > '9')
        return false;
    bits = strtol(rest + 1, &end, 10);
    return !*end && bits <= 32 && (bits == 0 || (base ^ address) >> (32 - bits) == 0);
}

/* --- rules -------------------------------------------------------------------------------------------------------- */

bool firewall_lets_client(const struct sim *s, const struct value *properties)
{
    const char *client = value_str_at(s->spec, "behaviour.clientAddress"), *rest;
    const struct value *rules = value_at(properties, "networkAcls.ipRules");
    uint32_t address;

    /* All public addresses are shut out, whatever the rules say. */
    if (str_eq_nocase(value_str_at(properties, "publicNetworkAccess"), "Disabled"))
        return false;
    if (!str_eq_nocase(value_str_at(properties, "networkAcls.defaultAction"), "Deny"))
        return true;
    rest = client ? address_parse(client, &address) : NULL;
    for (size_t i = 0; rest && !*rest && i < value_count(rules); i++)
        if (rule_holds(value_str_at(value_item(rules, i), "value"), address))
            return true;
    return false;
}

/* Microsoft's own services pass when the store bypasses for them; everybody else comes from the client's address. The
 * orchestrator is not on the list of those services (behaviour.orchestratorTrusted); it comes by a private endpoint,
 * where the store has one. */
bool firewall_lets_principal(struct sim *s, const char *principal, const struct value *store)
{
    const struct value *p = principal_find(s, principal), *properties = value_get(store, "properties");
    bool closed = str_eq_nocase(value_str_at(properties, "networkAcls.defaultAction"), "Deny") ||
                  str_eq_nocase(value_str_at(properties, "publicNetworkAccess"), "Disabled");
    const char *bypass = value_str_at(properties, "networkAcls.bypass"), *known_as = value_str_at(p, "wellKnown");
    bool privately = value_count(value_get(properties, "privateEndpointConnections")) > 0;
    bool stranger = str_eq(known_as, "ConfidentialVmOrchestrator") && knob_is(s, "orchestratorTrusted", "no") &&
                    !privately;
    bool from_outside = p && !known_as && !str_eq(value_str_at(p, "type"), "ManagedIdentity");

    /* A perimeter overrides the bypass; the world knows no rules of one. */
    if (str_eq_nocase(value_str_at(properties, "publicNetworkAccess"), "SecuredByPerimeter"))
        return from_outside;
    if (!closed)
        return true;
    if (from_outside)
        return firewall_lets_client(s, properties);
    return p && !stranger && (!bypass || str_eq_nocase(bypass, "AzureServices"));
}
