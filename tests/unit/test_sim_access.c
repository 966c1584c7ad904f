/* Who may do what in the simulated Azure: roles, scopes, delays, access policies, the firewall. */
#include "harness.h"
#include "sim_fixture.h"

#include "../../providers/sim/internal.h"

static void test_roles(void)
{
    static const struct {
        const char *reason, *role, *action;
        bool data, want;
    } rows[] = {
        {"a reader reads anything", "Reader", "Microsoft.Compute/disks/read", false, true},
        {"a reader writes nothing", "Reader", "Microsoft.Compute/disks/write", false, false},
        {"letter case does not matter", "reader", "microsoft.compute/DISKS/READ", false, true},
        {"a contributor writes", "Contributor", "Microsoft.Compute/disks/write", false, true},
        {"but grants nothing", "Contributor", "Microsoft.Authorization/roleAssignments/write", false, false},
        {"nor takes grants away", "Contributor", "Microsoft.Authorization/roleAssignments/delete", false, false},
        {"control plane rights open no key", "Owner", "Microsoft.KeyVault/vaults/keys/read", true, false},
        {"a role is also found by its GUID", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603",
         "Microsoft.KeyVault/vaults/keys/restore/action", true, true},
        {"and by its definition's id",
         "/subscriptions/x/providers/Microsoft.Authorization/roleDefinitions/e147488a-f6f5-4113-8e2d-b22465e65bf6",
         "Microsoft.KeyVault/vaults/keys/wrap/action", true, true},
        {"the encryption user releases nothing", "Key Vault Crypto Service Encryption User",
         "Microsoft.KeyVault/vaults/keys/release/action", true, false},
        {"the release user reads nothing", "Key Vault Crypto Service Release User",
         "Microsoft.KeyVault/vaults/keys/read", true, false},
        {"a vault's reader reads the vault itself", "Key Vault Reader", "Microsoft.KeyVault/vaults/read", false, true},
        {"a vault contributor may not purge", "Key Vault Contributor",
         "Microsoft.KeyVault/locations/deletedVaults/purge/action", false, false},
        {"a backup operator restores", "Backup Operator",
         "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/"
         "action",
         false, true},
        {"a backup reader does not", "Backup Reader",
         "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers/protectedItems/recoveryPoints/restore/"
         "action",
         false, false},
        {"a pattern's end counts", "Reader", "Microsoft.Compute/disks/readAll", false, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct role *role = role_find(rows[i].role);

        CHECK_ROW(rows[i].reason, role != NULL);
        if (role)
            CHECK_ROW(rows[i].reason, role_allows(role, rows[i].action, rows[i].data) == rows[i].want);
    }
    CHECK(role_find("Head of Everything") == NULL);
}

static void test_scopes(void)
{
    static const struct {
        const char *reason, *scope, *of;
        bool want;
    } rows[] = {
        {"the root covers all", "/", VAULT, true},
        {"a group covers its resources", KEYS_GROUP, VAULT, true},
        {"not those of a longer name", SUB "/resourceGroups/rg-key", VAULT, false},
        {"itself", VAULT, VAULT, true},
        {"in other letters", SUB "/resourcegroups/RG-KEYS", VAULT, true},
        {"not upwards", VAULT, KEYS_GROUP, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].reason, scope_covers(rows[i].scope, rows[i].of) == rows[i].want);
}

static void test_keys(void)
{
    static const struct {
        const char *reason, *principal, *vault, *key, *permission;
        bool want;
    } rows[] = {
        {"an officer restores", OPERATOR, VAULT, NULL, "restore", true},
        {"the orchestrator releases the key it was given", ORCHESTRATOR, VAULT, "os-key", "release", true},
        {"no other", ORCHESTRATOR, VAULT, "plain", "release", false},
        {"release does not read", ORCHESTRATOR, VAULT, "os-key", "get", false},
        {"a reader of the group reads keys", READER, VAULT, "plain", "get", true},
        {"but does not back them up", READER, VAULT, "plain", "backup", false},
        {"nobody", NULL, VAULT, "os-key", "get", false},
        {"policies: permissions in any letters", BACKUP_SERVICE, OPEN_VAULT, "os-key", "get", true},
        {"policies: only what is listed", BACKUP_SERVICE, OPEN_VAULT, "os-key", "unwrapKey", false},
        {"policies: all is all", ORCHESTRATOR, OPEN_VAULT, "os-key", "release", true},
        {"policies: but purge", ORCHESTRATOR, OPEN_VAULT, "os-key", "purge", false},
        {"roles do not count where policies rule", OPERATOR, OPEN_VAULT, "os-key", "get", false},
    };
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].reason, access_key(s, rows[i].principal, resource_find(s, rows[i].vault), rows[i].key,
                                             rows[i].permission) == rows[i].want);
    sim_free(s);
    arena_free(a);
}

static void test_delays(void)
{
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    int64_t start = sim_start_ms(s);
    const char *token = operator_token(s, a, start);
    const char *url = ARM VAULT "/providers/Microsoft.Authorization/roleAssignments/"
                                "11111111-1111-4111-8111-111111111111?api-version=2022-04-01";
    const char *grant =
        "{\"properties\":{\"roleDefinitionId\":\"" SUB "/providers/Microsoft.Authorization/roleDefinitions/"
        "08bbd89e-9f13-488c-ac41-acfcb10c90ab\",\"principalId\":\"" READER
        "\",\"principalType\":\"ServicePrincipal\"}}";
    const char *policy = "{\"properties\":{\"accessPolicies\":[{\"tenantId\":\"" TENANT
                         "\",\"objectId\":\"" BACKUP_SERVICE "\",\"permissions\":{\"keys\":[\"unwrapKey\"]}}]}}";

    CHECK(ask(s, a, start, token, "PUT", url, grant).status == 201);
    CHECK_ROW("a role does not act at once", !access_key(s, READER, resource_find(s, VAULT), "plain", "release"));
    ask(s, a, start + 4 * MINUTE_MS - 1, token, "GET", url, NULL);
    CHECK_ROW("nor a moment early", !access_key(s, READER, resource_find(s, VAULT), "plain", "release"));
    ask(s, a, start + 4 * MINUTE_MS, token, "GET", url, NULL);
    CHECK_ROW("but after roleDelay", access_key(s, READER, resource_find(s, VAULT), "plain", "release"));

    CHECK(ask(s, a, start + 5 * MINUTE_MS, token, "PUT", ARM OPEN_VAULT "/accessPolicies/add?api-version=2025-05-01",
              policy)
              .status == 200);
    CHECK_ROW("an added permission does not act at once",
              !access_key(s, BACKUP_SERVICE, resource_find(s, OPEN_VAULT), "k", "unwrapKey"));
    CHECK_ROW("what was held before goes on acting",
              access_key(s, BACKUP_SERVICE, resource_find(s, OPEN_VAULT), "k", "get"));
    ask(s, a, start + 6 * MINUTE_MS, token, "GET", url, NULL);
    CHECK_ROW("after policyDelay it does",
              access_key(s, BACKUP_SERVICE, resource_find(s, OPEN_VAULT), "k", "unwrapKey"));
    sim_free(s);
    arena_free(a);
}

static void test_firewall(void)
{
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    struct value *vault = value_copy(a, resource_find(s, VAULT)), *rules = value_map(a);

    value_set_string(a, rules, "defaultAction", "Deny");
    value_set_string(a, rules, "bypass", "AzureServices");
    value_set(a, value_get(vault, "properties"), "networkAcls", rules);
    CHECK_ROW("a closed vault keeps people out", !access_key(s, OPERATOR, vault, "os-key", "get"));
    CHECK_ROW("but the orchestrator is not among them", !access_key(s, ORCHESTRATOR, vault, "os-key", "release"));
    value_set_string(a, value_get(s->spec, "behaviour"), "orchestratorTrusted", "yes");
    CHECK_ROW("unless this Azure trusts it", access_key(s, ORCHESTRATOR, vault, "os-key", "release"));
    value_set_string(a, rules, "bypass", "None");
    CHECK_ROW("and it is let in with them", !access_key(s, ORCHESTRATOR, vault, "os-key", "release"));
    sim_free(s);
    arena_free(a);
}

/* Who comes from where, before anybody asks what they may do. */
static void test_client_address(void)
{
    static const struct { const char *reason, *address, *properties; bool open;
    } rows[] = {
        {"no rules", NULL, "{}", true},
        {"all networks", NULL, "{'networkAcls':{'defaultAction':'Allow'}}", true},
        {"closed", "203.0.113.7", "{'networkAcls':{'defaultAction':'Deny'}}", false},
        {"the address itself", "203.0.113.7",
         "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'203.0.113.7'}]}}", true},
        {"one of several", "203.0.113.7",
         "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'198.51.100.1'},{'value':'203.0.113.7/32'}]}}",
         true},
        {"a longer number", "203.0.113.77",
         "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'203.0.113.7'}]}}", false},
        {"first of a range", "203.0.113.64",
         "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'203.0.113.64/26'}]}}", true},
        {"last of a range", "203.0.113.127",
         "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'203.0.113.64/26'}]}}", true},
        {"behind a range", "203.0.113.128",
         "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'203.0.113.64/26'}]}}", false},
        {"a range of no address", "203.0.113.7",
         "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'203.0.113.0/'}]}}", false},
        {"from nowhere known", NULL, "{'networkAcls':{'defaultAction':'Deny','ipRules':[{'value':'0.0.0.0/0'}]}}",
         false},
        {"no public access at all", "203.0.113.7",
         "{'publicNetworkAccess':'Disabled','networkAcls':{'defaultAction':'Allow','ipRules':[{'value':'203.0.113.7'}]}"
         "}",
         false},
    };
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *s = fixture_sim(a, fixture_world(a, ""), NULL, &diags);
    struct value *behaviour = value_get(s->spec, "behaviour"), *properties;
    struct err err;

    for (size_t i = 0; i < COUNT(rows); i++) {
        char *text;

        if (rows[i].address)
            value_set_string(s->arena, behaviour, "clientAddress", rows[i].address);
        else
            value_remove(behaviour, "clientAddress");
        text = arena_strdup(a, rows[i].properties);
        for (char *p = text; (p = strchr(p, '\'')) != NULL;)
            *p = '"';
        CHECK_ROW(rows[i].reason, json_parse(a, text, strlen(text), &properties, &err) == 0 &&
                                      firewall_lets_client(s, properties) == rows[i].open);
    }
    sim_free(s);
    arena_free(a);
}

int main(void)
{
    test_client_address();
    test_roles();
    test_scopes();
    test_keys();
    test_delays();
    test_firewall();
    HARNESS_END();
}
