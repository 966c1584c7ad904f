/* The simulated virtual machines: start, delete, and when a confidential one boots. */
#include "harness.h"
#include "sim_arm_fixture.h"

static const char *power(struct sim *s, struct arena *a, int64_t now, const char *token)
{
    return value_str_at(ask(s, a, now, token, "GET", ARM VM "/instanceView" VM_API, NULL).json, "statuses.1.code");
}

static void test_machines(void)
{
    struct arena *a;
    const char *token, *poll;
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct reply r = ask(s, a, now, token, "GET", ARM VM VM_API "&$expand=instanceView", NULL);

    CHECK_STR(value_str_at(r.json, "properties.instanceView.statuses.1.code"), "PowerState/deallocated");
    CHECK_ROW("its state is shown on request only",
              !value_at(ask(s, a, now, token, "GET", ARM VM VM_API, NULL).json, "properties.instanceView"));
    r = ask(s, a, now, token, "POST", ARM VM "/start" VM_API, NULL);
    poll = header_of(&r, "Azure-AsyncOperation");
    CHECK(r.status == 202 && str_eq(header_of(&r, "Retry-After"), "10"));
    CHECK_STR(value_str_at(ask(s, a, now + MINUTE_MS, token, "GET", poll, NULL).json, "status"), "Succeeded");
    CHECK_STR(power(s, a, now + MINUTE_MS, token), "PowerState/running");
    CHECK(ask(s, a, now + MINUTE_MS, token, "DELETE", ARM VM VM_API, NULL).status == 202);
    CHECK_ROW("deleted a moment later",
              ask(s, a, now + 2 * MINUTE_MS, token, "GET", ARM VM VM_API, NULL).status == 404);
    CHECK(ask(s, a, now + 2 * MINUTE_MS, token, "DELETE", ARM VM VM_API, NULL).status == 204);
    sim_free(s);
    arena_free(a);
}

/* Starts the machine and says how that ended: "Succeeded", or the error's code. */
static const char *start_result(struct sim *s, struct arena *a, int64_t now, const char *token, const char *id)
{
    struct reply r = ask(s, a, now, token, "POST", arena_printf(a, ARM "%s/start" VM_API, id), NULL);
    const char *code;

    r = ask(s, a, now + MINUTE_MS, token, "GET", header_of(&r, "Azure-AsyncOperation"), NULL);
    code = value_str_at(r.json, "error.code");
    return code ? code : value_str_at(r.json, "status");
}

static void test_confidential_boot(void)
{
    struct arena *a;
    const char *token, *principal, *vm = DR_GROUP "/providers/Microsoft.Compute/virtualMachines/vm-new";
    int64_t now;
    struct sim *s = begin(&a, &now, &token);
    struct value *orchestrators;

    ask(s, a, now, token, "PUT", ARM DES API, DES_WITH(KEY_URL));
    principal = value_str_at(ask(s, a, now + MINUTE_MS, token, "GET", ARM DES API, NULL).json, "identity.principalId");
    compute_create_restored_vm(s, &(struct restored_machine){.id = vm,
                                                             .location = "uaenorth",
                                                             .des_id = DES,
                                                             .size = "Standard_DC4ads_v6",
                                                             .os_type = "Linux",
                                                             .subnet_id = DR_GROUP "/…/subnets/default"});
    CHECK_STR(start_result(s, a, now + 2 * MINUTE_MS, token, vm), "KeyVaultAccessForbidden");
    CHECK_ROW(
        "a machine that got no key is off",
        str_eq(value_str_at(resource_find(s, vm), "properties.instanceView.statuses.1.code"), "PowerState/stopped"));
    ask(s, a, now + 4 * MINUTE_MS, token, "PUT",
        ARM VAULT
        "/keys/os-key/providers/Microsoft.Authorization/roleAssignments/33333333-1111-4111-8111-111111111111" AUTH_API,
        grant(a, "e147488a-f6f5-4113-8e2d-b22465e65bf6", principal, true));
    CHECK_STR(start_result(s, a, now + 5 * MINUTE_MS, token, vm), "KeyVaultAccessForbidden");
    CHECK_STR(start_result(s, a, now + 9 * MINUTE_MS, token, vm), "Succeeded");
    value_set(a, value_item(state_list(s, "keys"), 0), "keyOps", value_list(a));
    CHECK_STR(start_result(s, a, now + 10 * MINUTE_MS, token, vm), "KeyVaultAccessForbidden");
    value_remove(value_item(state_list(s, "keys"), 0), "keyOps");
    orchestrators = value_at(state_list(s, "roleAssignments"), "3");
    CHECK_STR(value_str_at(orchestrators, "principal"), "ConfidentialVmOrchestrator");
    value_set_string(a, orchestrators, "role", "Key Vault Crypto Service Encryption User");
    CHECK_STR(start_result(s, a, now + 11 * MINUTE_MS, token, vm), "KeyVaultAccessForbidden");
    CHECK_ROW("the set's disk is listed with it",
              value_count(value_get(ask(s, a, now, token, "GET", ARM DES "/associatedResources" API, NULL).json,
                                    "value")) == 1);
    sim_free(s);
    arena_free(a);
}

int main(void)
{
    test_machines();
    test_confidential_boot();
    HARNESS_END();
}
