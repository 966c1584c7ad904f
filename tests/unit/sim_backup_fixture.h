/* A protected machine whose set is gone, in the small tenant of sim_fixture.h, and the calls of a restore: for tests of
 * the simulated Azure Backup. */
#ifndef REINSTATE_SIM_BACKUP_FIXTURE_H
#define REINSTATE_SIM_BACKUP_FIXTURE_H

#include "sim_fixture.h"

#include "../../reconciler/format/crypt.h"

#define RSV SUB "/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/rsv"
#define ITEM RSV "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg-src;vm-src" \
                 "/protectedItems/VM;iaasvmcontainerv2;rg-src;vm-src"
#define API "?api-version=2025-02-01"
#define SOURCE SUB "/resourceGroups/rg-src/providers/Microsoft.Compute/virtualMachines/vm-src"
#define TARGET DR_GROUP "/providers/Microsoft.Compute/virtualMachines/vm-new"
#define STAGING DR_GROUP "/providers/Microsoft.Storage/storageAccounts/stdr"
#define VNET DR_GROUP "/providers/Microsoft.Network/virtualNetworks/vnet"
#define SET DR_GROUP "/providers/Microsoft.Compute/diskEncryptionSets/des-dr"
#define LISTED ARM RSV "/backupJobs" API "&$filter=operation+eq+%27Restore%27"

struct world {
    struct arena *a;
    struct sim *s;
    int64_t now;
    const char *token;
};

/* Worlds are easier to read with single quotes. */
static inline struct value *parse(struct arena *a, const char *text)
{
    char *copy = arena_strdup(a, text);
    struct value *ret = NULL;
    struct err err;

    for (char *at = copy; *at; at++)
        if (*at == '\'')
            *at = '"';
    if (json_parse(a, copy, strlen(copy), &ret, &err) < 0)
        fprintf(stderr, "%s\n", err.text);
    return ret;
}

static inline void add_all(struct arena *a, struct value *spec, const char *list, const char *items)
{
    struct value *to = value_get(spec, list), *from = parse(a, items);

    if (!to)
        to = value_set(a, spec, list, value_list(a));
    for (size_t i = 0; i < value_count(from); i++)
        value_push(a, to, value_item(from, i));
}

static inline void begin(struct world *w, const char *key_state, const char *behaviour)
{
    static const char grant[] =
        "[{'principal':'operator','role':'Storage Blob Data Reader','scope':'" STAGING "'},"
        "{'principal':'BackupManagementService','role':'Key Vault Crypto User','scope':'" VAULT "'}]";
    static const char resources[] = "[{'id':'" RSV "','location':'uaenorth'},{'id':'" VNET
                                    "','location':'uaenorth','properties':{'subnets':[{'name':'default'}]}}]";
    static const char backups[] =
        "[{'vault':'" RSV
        "','source':{'resourceGroup':'rg-src','name':'vm-src','size':'Standard_DC4ads_v6','osType':'Linux'},"
        "'wrappedWith':{'diskEncryptionSet':'" DR_GROUP "/providers/Microsoft.Compute/diskEncryptionSets/des-gone',"
        "'key':{'store':'kv-pay','name':'os-key','version':'" KEY_VERSION "'}},"
        "'points':[{'id':'805440465632125','time':'2026-11-13T20:01:03Z','tiers':{'InstantRP':'Deleted','HardenedRP':'"
        "Valid'}},"
        "{'id':'805440465632126','time':'2026-11-14T20:01:03Z','tiers':{'InstantRP':'Valid'}},"
        "{'id':'805440465632127','time':'2026-11-15T20:01:03Z','tiers':{'InstantRP':'Deleted'}}]}]";
    struct diags diags;
    const struct value *world, *more;
    struct value *spec;

    w->a = arena_new();
    world = fixture_world(w->a, "");
    spec = value_get(world, "spec");
    add_all(w->a, spec, "resources", resources);
    add_all(w->a, spec, "roleAssignments", grant);
    add_all(w->a, spec, "backups", backups);
    value_set_string(w->a, value_item(value_get(spec, "keys"), 0), "state", key_state);
    more = parse(w->a, behaviour);
    for (size_t i = 0; i < value_count(more); i++)
        value_set(w->a, value_get(spec, "behaviour"), more->map.members[i].key, more->map.members[i].value);
    w->s = fixture_sim(w->a, world, NULL, &diags);
    for (size_t i = 0; i < diags.count; i++)
        fprintf(stderr, "%s\n", diag_format(w->a, &diags.items[i]));
    w->now = sim_start_ms(w->s);
    w->token = operator_token(w->s, w->a, w->now);
}

static inline void end(struct world *w)
{
    sim_free(w->s);
    arena_free(w->a);
}

static inline struct reply call(struct world *w, const char *method, const char *url, const char *body)
{
    return ask(w->s, w->a, w->now, w->token, method, url, body);
}

static inline void later(struct world *w, int64_t ms)
{
    w->now += ms;
    w->token = operator_token(w->s, w->a, w->now);
}

/* A restore request's properties, with `changes` (single quoted JSON) put over them; null takes a member away. */
static inline const char *request(struct world *w, const char *type, const char *point, const char *changes)
{
    struct value *body = parse(w->a, arena_printf(w->a,
                                                  "{'objectType':'IaasVMRestoreRequest','recoveryPointId':'%s','"
                                                  "recoveryType':'%s','sourceResourceId':'" SOURCE "',"
                                                  "'targetResourceGroupId':'" DR_GROUP "','storageAccountId':'" STAGING
                                                  "','region':'uaenorth','createNewCloudService':false,"
                                                  "'originalStorageAccountOption':false}",
                                                  point, type));
    struct value *outer = value_map(w->a);
    const struct value *more;

    if (strcmp(type, "AlternateLocation") == 0) {
        value_set_string(w->a, body, "targetVirtualMachineId", TARGET);
        value_set_string(w->a, body, "virtualNetworkId", VNET);
        value_set_string(w->a, body, "subnetId", VNET "/subnets/default");
    }
    more = parse(w->a, changes);
    for (size_t i = 0; i < value_count(more); i++) {
        const struct member *m = &more->map.members[i];

        if (value_is(m->value, VALUE_NULL))
            value_remove(body, m->key);
        else
            value_set(w->a, body, m->key, m->value);
    }
    value_set(w->a, outer, "properties", body);
    return json_string(w->a, outer, JSON_COMPACT);
}

static inline struct reply restore(struct world *w, const char *type, const char *point, const char *changes)
{
    return call(w, "POST", arena_printf(w->a, ARM ITEM "/recoveryPoints/%s/restore" API, point),
                request(w, type, point, changes));
}

/* Follows the 202's polling address to the job's id. */
static inline const char *job_of(struct world *w, const struct reply *accepted)
{
    const char *poll = header_of(accepted, "Azure-AsyncOperation");
    struct reply r;

    later(w, 61 * SECOND_MS);
    r = call(w, "GET", poll ? poll : ARM, NULL);
    return value_str_at(r.json, "properties.jobId");
}

static inline struct reply job(struct world *w, const char *id)
{
    return call(w, "GET", arena_printf(w->a, ARM RSV "/backupJobs/%s" API, id ? id : "none"), NULL);
}

static inline const char *status(const struct reply *r)
{
    const char *s = value_str_at(r->json, "properties.status");

    return s ? s : "";
}

/* The export as a client gets it: cut to its metadata's size. */
static inline const char *fetch_export(struct world *w, const struct value *bag, struct reply *ret)
{
    struct reply token =
        sign_in(w->s, w->a, w->now, TENANT, OPERATOR_APP, "let-me-in", "https%3A%2F%2Fstorage.azure.com%2F.default");
    const char *authorization = arena_printf(w->a, "Bearer %s", value_str_at(token.json, "access_token"));
    struct sim_header headers[] = {{"Authorization", authorization}, {"x-ms-version", "2021-06-08"}};
    struct sim_call get = {.method = "GET", .headers = headers, .n_headers = 2};
    const char *size, *container = value_str_at(bag, "Config Blob Container Name");
    const char *name = value_str_at(bag, "Secured Encryption Info Blob Name");

    get.url = arena_printf(w->a, "https://%s.blob.core.windows.net/%s/%s",
                           value_str_at(bag, "Target Storage Account Name"), container, name);
    sim_handle(w->s, w->now, w->a, &get, &ret->answer);
    ret->status = ret->answer.status;
    size = header_of(ret, "x-ms-meta-configblobsize");
    CHECK_ROW("padded",
              ret->answer.body.len % 512 == 0 && size && (size_t)strtoul(size, NULL, 10) <= ret->answer.body.len);
    ret->text = arena_strndup(w->a, text_str(&ret->answer.body), size ? (size_t)strtoul(size, NULL, 10) : 0);
    text_release(&ret->answer.body);
    return ret->text;
}

/* Standard base64 becomes base64url without padding. */
static inline const char *as_value(struct arena *a, const char *standard)
{
    char *ret = arena_strdup(a, standard);

    for (char *at = ret; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    ret[strcspn(ret, "=")] = '\0';
    return ret;
}

static inline void restore_exported_key(struct world *w, const char *text)
{
    struct reply token =
        sign_in(w->s, w->a, w->now, TENANT, OPERATOR_APP, "let-me-in", "https%3A%2F%2Fvault.azure.net%2F.default");
    struct reply r;
    struct value *export = NULL;
    struct err err;
    const char *data;

    CHECK_ROW("a byte order mark", str_starts(text, "\xEF\xBB\xBF"));
    CHECK(json_parse(w->a, text, strlen(text), &export, &err) == 0);
    CHECK_STR(value_str_at(export, "OsDiskEncryptionDetails.KeyVaultResourceType"), "Microsoft.KeyVault/vaults");
    data = value_str_at(export, "OsDiskEncryptionDetails.KeyBackupData");
    r = ask(w->s, w->a, w->now, value_str_at(token.json, "access_token"), "POST",
            "https://kv-pay.vault.azure.net/keys/restore?api-version=7.6",
            arena_printf(w->a, "{\"value\":\"%s\"}", as_value(w->a, data ? data : "")));
    CHECK_STR(value_str_at(r.json, "key.kid"), KEY_URL);
}

static inline void make_set(struct world *w)
{
    static const char set[] =
        "{'location':'uaenorth','identity':{'type':'SystemAssigned'},'properties':{'encryptionType':"
        "'ConfidentialVmEncryptedWithCustomerKey','activeKey':{'keyUrl':'" KEY_URL "'}}}";
    const char *body = json_string(w->a, parse(w->a, set), JSON_COMPACT);
    struct reply r = call(w, "PUT", ARM SET "?api-version=2025-01-02", body);
    const char *principal;

    CHECK(r.status == 202);
    later(w, MINUTE_MS);
    r = call(w, "GET", ARM SET "?api-version=2025-01-02", NULL);
    principal = value_str_at(r.json, "identity.principalId");
    body = arena_printf(
        w->a,
        "{\"properties\":{\"roleDefinitionId\":\"" SUB "/providers/Microsoft.Authorization/roleDefinitions/"
        "e147488a-f6f5-4113-8e2d-b22465e65bf6\",\"principalId\":\"%s\",\"principalType\":\"ServicePrincipal\"}}",
        principal);
    r = call(w, "PUT",
             ARM VAULT
             "/keys/os-key/providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111"
             "?api-version=2022-04-01",
             body);
    CHECK(r.status == 201);
}

#endif
