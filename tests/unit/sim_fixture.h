/* A small simulated tenant and the calls that the simulator's tests make of it. */
#ifndef REINSTATE_SIM_FIXTURE_H
#define REINSTATE_SIM_FIXTURE_H

#include <stdint.h>
#include <string.h>

#include "../../providers/sim/sim.h"
#include "../../reconciler/format/json.h"

#define SUB "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002"
#define KEYS_GROUP SUB "/resourceGroups/rg-keys"
#define VAULT KEYS_GROUP "/providers/Microsoft.KeyVault/vaults/kv-pay"
#define OPEN_VAULT KEYS_GROUP "/providers/Microsoft.KeyVault/vaults/kv-list"
#define DR_GROUP SUB "/resourceGroups/rg-dr"
#define TENANT "0f0f0f0f-0000-4000-8000-000000000001"
#define OPERATOR "0f0f0f0f-0000-4000-8000-00000000000a"
#define READER "0f0f0f0f-0000-4000-8000-0000000000aa"
#define OPERATOR_APP "0f0f0f0f-0000-4000-8000-00000000000b"
#define ORCHESTRATOR "0f0f0f0f-0000-4000-8000-00000000000c"
#define BACKUP_SERVICE "0f0f0f0f-0000-4000-8000-00000000000d"
#define KEY_VERSION "3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5"
#define ARM "https://management.azure.com"
#define KEY_URL "https://kv-pay.vault.azure.net/keys/os-key/" KEY_VERSION

/* `more` is put into the spec: "\"faults\": […]," or "". */
static inline char *fixture_text(struct arena *a, const char *more)
{
    return arena_printf(
        a,
        "{\"apiVersion\":\"reinstate/v1\",\"kind\":\"World\",\"metadata\":{\"name\":\"unit\"},\"spec\":{%s"
        "\"now\":\"2026-11-23T03:00:00Z\",\"seed\":7,\"tenant\":\"" TENANT "\","
        "\"behaviour\":{\"roleDelay\":\"4m\",\"policyDelay\":\"30s\",\"pageSize\":2},"
        "\"principals\":[{\"name\":\"operator\",\"objectId\":\"" OPERATOR "\",\"appId\":\"" OPERATOR_APP
        "\",\"secret\":\"let-me-in\"},"
        "{\"name\":\"reader\",\"objectId\":\"" READER
        "\",\"appId\":\"0f0f0f0f-0000-4000-8000-0000000000ab\",\"secret\":\"look-only\"},"
        "{\"wellKnown\":\"ConfidentialVmOrchestrator\",\"objectId\":\"" ORCHESTRATOR "\"},"
        "{\"wellKnown\":\"BackupManagementService\",\"objectId\":\"" BACKUP_SERVICE "\"}],"
        "\"resources\":[{\"id\":\"" KEYS_GROUP "\",\"location\":\"uaenorth\"},{\"id\":\"" DR_GROUP
        "\",\"location\":\"uaenorth\"},"
        "{\"id\":\"" VAULT
        "\",\"location\":\"uaenorth\",\"properties\":{\"enableRbacAuthorization\":true,\"enablePurgeProtection\":true,"
        "\"softDeleteRetentionInDays\":7}},"
        "{\"id\":\"" OPEN_VAULT
        "\",\"location\":\"uaenorth\",\"properties\":{\"enableRbacAuthorization\":false,\"accessPolicies\":["
        "{\"tenantId\":\"" TENANT "\",\"objectId\":\"" BACKUP_SERVICE
        "\",\"permissions\":{\"keys\":[\"Get\",\"list\",\"backup\"]}},"
        "{\"tenantId\":\"" TENANT "\",\"objectId\":\"" ORCHESTRATOR "\",\"permissions\":{\"keys\":[\"all\"]}}]}},"
        "{\"id\":\"" DR_GROUP "/providers/Microsoft.Storage/storageAccounts/stdr\",\"location\":\"uaenorth\"},"
        "{\"id\":\"" DR_GROUP "/providers/Microsoft.Compute/virtualMachines/"
                              "vm-old\",\"location\":\"uaenorth\",\"powerState\":\"deallocated\"}],"
        "\"roleAssignments\":[{\"principal\":\"operator\",\"role\":\"Owner\",\"scope\":\"" SUB "\"},"
        "{\"principal\":\"operator\",\"role\":\"Key Vault Crypto Officer\",\"scope\":\"" VAULT "\"},"
        "{\"principal\":\"reader\",\"role\":\"Key Vault Reader\",\"scope\":\"" KEYS_GROUP "\"},"
        "{\"principal\":\"ConfidentialVmOrchestrator\",\"role\":\"Key Vault Crypto Service Release "
        "User\",\"scope\":\"" VAULT "/keys/os-key\"}],"
        "\"keys\":[{\"store\":\"kv-pay\",\"name\":\"os-key\",\"state\":\"active\",\"type\":\"RSA-HSM\","
        "\"releasePolicy\":\"confidential-"
        "vm\","
        "\"versions\":[{\"id\":\"" KEY_VERSION "\",\"created\":\"2026-03-02T08:00:00Z\",\"enabled\":true}]},"
        "{\"store\":\"kv-pay\",\"name\":\"plain\",\"state\":\"active\",\"type\":\"RSA-HSM\","
        "\"versions\":[{\"id\":\"" KEY_VERSION "\",\"enabled\":true}]}]}}",
        more);
}

static inline const struct value *fixture_world(struct arena *a, const char *more)
{
    const char *text = fixture_text(a, more);
    struct value *world = NULL;
    struct err err;

    return json_parse(a, text, strlen(text), &world, &err) == 0 ? world : NULL;
}

static inline struct sim_endpoints fixture_endpoints(void)
{
    return (struct sim_endpoints){
        .authority = "https://login.microsoftonline.com",
        .arm = ARM,
        .graph = "https://graph.microsoft.com",
        .vault_suffix = ".vault.azure.net",
        .hsm_suffix = ".managedhsm.azure.net",
        .blob_suffix = ".blob.core.windows.net",
        .arm_audience = ARM "/",
        .vault_audience = "https://vault.azure.net",
        .hsm_audience = "https://managedhsm.azure.net",
        .storage_audience = "https://storage.azure.com/",
        .graph_audience = "https://graph.microsoft.com",
    };
}

static inline struct sim *fixture_sim(struct arena *a, const struct value *world, const char *world_out,
                                      struct diags *diags)
{
    struct sim_options options = {.world = world, .endpoints = fixture_endpoints(), .world_out = world_out};

    diags_init(diags, a);
    return sim_new(&options, diags);
}

/* One call and its answer; the body is copied into the arena. */
struct reply {
    enum sim_fault fault;
    int status;
    const char *text;
    struct value *json;
    struct sim_answer answer;
};

static inline struct reply ask(struct sim *s, struct arena *a, int64_t at_ms, const char *token, const char *method,
                               const char *url, const char *body)
{
    struct sim_header headers[] = {{"Content-Type", "application/json"},
                                   {"Authorization", arena_printf(a, "Bearer %s", token ? token : "")}};
    struct sim_call call = {.method = method,
                            .url = url,
                            .headers = headers,
                            .n_headers = token ? 2 : 1,
                            .body = body,
                            .body_len = body ? strlen(body) : 0};
    struct reply r = {0};
    struct err err;

    sim_handle(s, at_ms, a, &call, &r.answer);
    r.fault = r.answer.fault;
    r.status = r.answer.status;
    r.text = arena_strndup(a, text_str(&r.answer.body), r.answer.body.len);
    if (r.answer.body.len && json_parse(a, r.text, r.answer.body.len, &r.json, &err) < 0)
        r.json = NULL;
    text_release(&r.answer.body);
    return r;
}

static inline const char *header_of(const struct reply *r, const char *name)
{
    for (size_t i = 0; i < r->answer.n_headers; i++)
        if (str_eq_nocase(r->answer.headers[i].name, name))
            return r->answer.headers[i].value;
    return NULL;
}

static inline struct reply sign_in(struct sim *s, struct arena *a, int64_t at_ms, const char *tenant, const char *app,
                                   const char *secret, const char *scope)
{
    const char *form =
        arena_printf(a, "grant_type=client_credentials&client_id=%s&client_secret=%s&scope=%s", app, secret, scope);

    return ask(s, a, at_ms, NULL, "POST",
               arena_printf(a, "https://login.microsoftonline.com/%s/oauth2/v2.0/token", tenant), form);
}

static inline const char *operator_token(struct sim *s, struct arena *a, int64_t at_ms)
{
    struct reply r =
        sign_in(s, a, at_ms, TENANT, OPERATOR_APP, "let-me-in", "https%3A%2F%2Fmanagement.azure.com%2F%2F.default");

    return value_str_at(r.json, "access_token");
}

#endif
