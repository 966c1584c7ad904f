/* The control plane of the simulated tenant: versions, addresses and bodies that its tests send. */
#ifndef REINSTATE_SIM_ARM_FIXTURE_H
#define REINSTATE_SIM_ARM_FIXTURE_H

#include "sim_fixture.h"

#include "../../providers/sim/internal.h"

#define API "?api-version=2025-01-02"
#define G_API "?api-version=2025-04-01"
#define VM_API "?api-version=2025-04-01"
#define KV_API "?api-version=2026-02-01"
#define ST_API "?api-version=2025-01-01"
#define AUTH_API "?api-version=2022-04-01"
#define DES DR_GROUP "/providers/Microsoft.Compute/diskEncryptionSets/des-new"
#define VM DR_GROUP "/providers/Microsoft.Compute/virtualMachines/vm-old"
#define DES_WITH(url)                                                                                                  \
    "{\"location\":\"uaenorth\",\"identity\":{\"type\":\"SystemAssigned\"},\"properties\":{\"encryptionType\":"        \
    "\"ConfidentialVmEncryptedWithCustomerKey\",\"activeKey\":{\"keyUrl\":\"" url "\"}}}"

/* "" where the answer names no error. */
static inline const char *code_of(const struct reply *r)
{
    const char *code = value_str_at(r->json, "error.code");

    return code ? code : "";
}

static inline struct sim *begin(struct arena **ret_arena, int64_t *ret_start, const char **ret_token)
{
    struct diags diags;
    struct sim *s;

    *ret_arena = arena_new();
    s = fixture_sim(*ret_arena, fixture_world(*ret_arena, ""), NULL, &diags);
    *ret_start = sim_start_ms(s);
    *ret_token = operator_token(s, *ret_arena, *ret_start);
    return s;
}

static inline const char *grant(struct arena *a, const char *role, const char *principal, bool typed)
{
    return arena_printf(a,
                        "{\"properties\":{\"roleDefinitionId\":\"" SUB
                        "/providers/Microsoft.Authorization/roleDefinitions/%s\",\"principalId\":\"%s\"%s}}",
                        role, principal, typed ? ",\"principalType\":\"ServicePrincipal\"" : "");
}

#endif
