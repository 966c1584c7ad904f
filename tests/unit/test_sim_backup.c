/* The simulated Azure Backup and blobs: a lost key's two passes as a client meets them, refusals, lists, cancelling. */
#include "harness.h"
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
static struct value *parse(struct arena *a, const char *text)
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

static void add_all(struct arena *a, struct value *spec, const char *list, const char *items)
{
    struct value *to = value_get(spec, list), *from = parse(a, items);

    if (!to)
        to = value_set(a, spec, list, value_list(a));
    for (size_t i = 0; i < value_count(from); i++)
        value_push(a, to, value_item(from, i));
}

static void begin(struct world *w, const char *key_state, const char *behaviour)
{
    static const char grant[] = "[{'principal':'operator','role':'Storage Blob Data Reader','scope':'" STAGING "'},"
                                "{'principal':'BackupManagementService','role':'Key Vault Crypto User','scope':'" VAULT "'}]";
    static const char resources[] =
        "[{'id':'" RSV "','location':'uaenorth'},{'id':'" VNET "','location':'uaenorth','properties':{'subnets':[{'name':'default'}]}}]";
    static const char backups[] =
        "[{'vault':'" RSV "','source':{'resourceGroup':'rg-src','name':'vm-src','size':'Standard_DC4ads_v6','osType':'Linux'},"
        "'wrappedWith':{'diskEncryptionSet':'" DR_GROUP "/providers/Microsoft.Compute/diskEncryptionSets/des-gone',"
        "'key':{'store':'kv-pay','name':'os-key','version':'" KEY_VERSION "'}},"
        "'points':[{'id':'805440465632125','time':'2026-11-13T20:01:03Z','tiers':{'InstantRP':'Deleted','HardenedRP':'Valid'}},"
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

static void end(struct world *w)
{
    sim_free(w->s);
    arena_free(w->a);
}

static struct reply call(struct world *w, const char *method, const char *url, const char *body)
{
    return ask(w->s, w->a, w->now, w->token, method, url, body);
}

static void later(struct world *w, int64_t ms)
{
    w->now += ms;
    w->token = operator_token(w->s, w->a, w->now);
}

/* A restore request's properties, with `changes` (single quoted JSON) put over them; null takes a member away. */
static const char *request(struct world *w, const char *type, const char *point, const char *changes)
{
    struct value *body = parse(w->a, arena_printf(w->a,
        "{'objectType':'IaasVMRestoreRequest','recoveryPointId':'%s','recoveryType':'%s','sourceResourceId':'" SOURCE "',"
        "'targetResourceGroupId':'" DR_GROUP "','storageAccountId':'" STAGING "','region':'uaenorth','createNewCloudService':false,"
        "'originalStorageAccountOption':false}", point, type));
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

static struct reply restore(struct world *w, const char *type, const char *point, const char *changes)
{
    return call(w, "POST", arena_printf(w->a, ARM ITEM "/recoveryPoints/%s/restore" API, point), request(w, type, point, changes));
}

/* Follows the 202's polling address to the job's id. */
static const char *job_of(struct world *w, const struct reply *accepted)
{
    const char *poll = header_of(accepted, "Azure-AsyncOperation");
    struct reply r;

    later(w, 61 * SECOND_MS);
    r = call(w, "GET", poll ? poll : ARM, NULL);
    return value_str_at(r.json, "properties.jobId");
}

static struct reply job(struct world *w, const char *id)
{
    return call(w, "GET", arena_printf(w->a, ARM RSV "/backupJobs/%s" API, id ? id : "none"), NULL);
}

static const char *status(const struct reply *r)
{
    const char *s = value_str_at(r->json, "properties.status");

    return s ? s : "";
}

static void test_reading(void)
{
    struct world w;
    struct reply r;
    const struct value *p;

    begin(&w, "active", "{}");
    r = call(&w, "GET", ARM RSV "/backupProtectedItems" API
                        "&$filter=backupManagementType%20eq%20%27AzureIaasVM%27%20and%20itemType%20eq%20%27VM%27", NULL);
    p = value_at(r.json, "value.0.properties");
    CHECK_STR(value_str_at(r.json, "value.0.id"), ITEM);
    CHECK_STR(value_str_at(p, "sourceResourceId"), SOURCE);
    CHECK_STR(value_str_at(p, "lastRecoveryPoint"), "2026-11-15T20:01:03Z");
    CHECK_STR(value_str_at(p, "vaultId"), ARM RSV);
    r = call(&w, "GET", ARM RSV "/backupProtectionContainers" API "&$filter=friendlyName%20eq%20%27other%27", NULL);
    CHECK_ROW("a filter filters", r.status == 200 && value_count(value_get(r.json, "value")) == 0);
    r = call(&w, "GET", ARM RSV "/backupResourceGuardProxies" API, NULL);
    CHECK_STR(r.text, "{\"value\":[]}");
    r = call(&w, "GET", ARM ITEM "/recoveryPoints" API, NULL);
    CHECK_ROW("a page of two", value_count(value_get(r.json, "value")) == 2 && value_str_at(r.json, "nextLink"));
    r = call(&w, "GET", ARM ITEM "/recoveryPoints/805440465632125" API, NULL);
    p = value_get(r.json, "properties");
    CHECK_STR(value_str_at(p, "securityType"), "ConfidentialVMDiskEncryptedWithCustomerKey");
    CHECK_STR(value_str_at(p, "recoveryPointTierDetails.0.status"), "Deleted");
    CHECK(!value_bool_at(p, "isSourceVMEncrypted", true));
    r = call(&w, "GET", ARM ITEM "/recoveryPoints/1" API, NULL);
    CHECK(r.status == 404);
    end(&w);
}

static void test_refusals(void)
{
    static const struct { const char *reason, *type, *point, *changes, *code; } rows[] = {
        {"the point of another address", "RestoreDisks", "805440465632125", "{'recoveryPointId':'1'}", "BMSUserErrorInvalidInput"},
        {"no such type", "Sideways", "805440465632125", "{}", "BMSUserErrorInvalidInput"},
        {"another source", "RestoreDisks", "805440465632125", "{'sourceResourceId':'" TARGET "'}", "BMSUserErrorInvalidInput"},
        {"another region", "RestoreDisks", "805440465632125", "{'region':'westeurope'}", "BMSUserErrorInvalidInput"},
        {"no staging account", "RestoreDisks", "805440465632125", "{'storageAccountId':null}", "UserErrorBCMRestoreStorageAccountNotFound"},
        {"no such group", "RestoreDisks", "805440465632125", "{'targetResourceGroupId':'" SUB "/resourceGroups/none'}",
         "BMSUserErrorInvalidInput"},
        {"no such subnet", "AlternateLocation", "805440465632125", "{'subnetId':'" VNET "/subnets/other'}", "BMSUserErrorInvalidInput"},
        {"an empty object for the set", "RestoreDisks", "805440465632125", "{'securedVMDetails':{}}", "BMSUserErrorInvalidInput"},
        {"the set of ordinary disks", "RestoreDisks", "805440465632125", "{'diskEncryptionSetId':'" SET "'}", "BMSUserErrorInvalidInput"},
        {"replacing a machine that is gone", "OriginalLocation", "805440465632125", "{}", "UserErrorVmNotFoundV2"},
        {"a point that is nowhere any more", "RestoreDisks", "805440465632127", "{}", "UserErrorInstantRpNotFound"},
    };
    struct world w;
    struct reply r;

    begin(&w, "active", "{}");
    for (size_t i = 0; i < COUNT(rows); i++) {
        r = restore(&w, rows[i].type, rows[i].point, rows[i].changes);
        CHECK_ROW(rows[i].reason, r.status == 400);
        CHECK_ROW(rows[i].reason, str_eq(value_str_at(r.json, "error.code"), rows[i].code));
    }
    r = sign_in(w.s, w.a, w.now, TENANT, "0f0f0f0f-0000-4000-8000-0000000000ab", "look-only",
                "https%3A%2F%2Fmanagement.azure.com%2F%2F.default");
    r = ask(w.s, w.a, w.now, value_str_at(r.json, "access_token"), "POST", ARM ITEM "/recoveryPoints/805440465632125/restore" API,
            request(&w, "RestoreDisks", "805440465632125", "{}"));
    CHECK_ROW("a reader may not restore", r.status == 403 && str_eq(value_str_at(r.json, "error.code"), "AuthorizationFailed"));
    later(&w, 5 * MINUTE_MS);
    r = call(&w, "GET", LISTED, NULL);
    CHECK_ROW("no refused request started a job", r.status == 200 && value_count(value_get(r.json, "value")) == 0);
    end(&w);
}

/* The export as a client gets it: cut to its metadata's size. */
static const char *fetch_export(struct world *w, const struct value *bag, struct reply *ret)
{
    struct reply token = sign_in(w->s, w->a, w->now, TENANT, OPERATOR_APP, "let-me-in", "https%3A%2F%2Fstorage.azure.com%2F.default");
    const char *authorization = arena_printf(w->a, "Bearer %s", value_str_at(token.json, "access_token"));
    struct sim_header headers[] = {{"Authorization", authorization}, {"x-ms-version", "2021-06-08"}};
    struct sim_call get = {.method = "GET", .headers = headers, .n_headers = 2};
    const char *size, *container = value_str_at(bag, "Config Blob Container Name");
    const char *name = value_str_at(bag, "Secured Encryption Info Blob Name");

    get.url = arena_printf(w->a, "https://%s.blob.core.windows.net/%s/%s", value_str_at(bag, "Target Storage Account Name"), container,
                           name);
    sim_handle(w->s, w->now, w->a, &get, &ret->answer);
    ret->status = ret->answer.status;
    size = header_of(ret, "x-ms-meta-configblobsize");
    CHECK_ROW("padded", ret->answer.body.len % 512 == 0 && size && (size_t)strtoul(size, NULL, 10) <= ret->answer.body.len);
    ret->text = arena_strndup(w->a, text_str(&ret->answer.body), size ? (size_t)strtoul(size, NULL, 10) : 0);
    text_release(&ret->answer.body);
    return ret->text;
}

/* Standard base64 becomes base64url without padding. */
static const char *as_value(struct arena *a, const char *standard)
{
    char *ret = arena_strdup(a, standard);

    for (char *at = ret; *at; at++)
        *at = *at == '+' ? '-' : *at == '/' ? '_' : *at;
    ret[strcspn(ret, "=")] = '\0';
    return ret;
}

static void restore_exported_key(struct world *w, const char *text)
{
    struct reply token = sign_in(w->s, w->a, w->now, TENANT, OPERATOR_APP, "let-me-in", "https%3A%2F%2Fvault.azure.net%2F.default");
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

static void make_set(struct world *w)
{
    static const char set[] = "{'location':'uaenorth','identity':{'type':'SystemAssigned'},'properties':{'encryptionType':"
                              "'ConfidentialVmEncryptedWithCustomerKey','activeKey':{'keyUrl':'" KEY_URL "'}}}";
    const char *body = json_string(w->a, parse(w->a, set), JSON_COMPACT);
    struct reply r = call(w, "PUT", ARM SET "?api-version=2025-01-02", body);
    const char *principal;

    CHECK(r.status == 202);
    later(w, MINUTE_MS);
    r = call(w, "GET", ARM SET "?api-version=2025-01-02", NULL);
    principal = value_str_at(r.json, "identity.principalId");
    body = arena_printf(w->a, "{\"properties\":{\"roleDefinitionId\":\"" SUB "/providers/Microsoft.Authorization/roleDefinitions/"
                              "e147488a-f6f5-4113-8e2d-b22465e65bf6\",\"principalId\":\"%s\",\"principalType\":\"ServicePrincipal\"}}",
                        principal);
    r = call(w, "PUT", ARM VAULT "/keys/os-key/providers/Microsoft.Authorization/roleAssignments/11111111-1111-4111-8111-111111111111"
                              "?api-version=2022-04-01", body);
    CHECK(r.status == 201);
}

/* Set and key are gone (N-30): a pass that fails and exports, the key restored, a new set, a pass that succeeds. */
static void test_two_passes(void)
{
    struct world w;
    struct reply r;
    const struct value *bag;
    const char *id, *text;

    begin(&w, "purged", "{'keyGrants':'kept'}");
    r = restore(&w, "RestoreDisks", "805440465632125", "{}");
    CHECK(r.status == 202 && r.answer.body.len == 0);
    CHECK_STR(header_of(&r, "Retry-After"), "60");
    CHECK_ROW("long signed addresses", strlen(header_of(&r, "Location")) > 2500);
    r = call(&w, "GET", LISTED, NULL);
    CHECK_ROW("the list lags", value_count(value_get(r.json, "value")) == 0);
    r = restore(&w, "RestoreDisks", "805440465632125", "{}");
    CHECK_ROW("nothing is idempotent", r.status == 202);
    id = job_of(&w, &r);
    r = call(&w, "GET", LISTED, NULL);
    CHECK_ROW("two requests, two jobs", value_count(value_get(r.json, "value")) == 2);
    CHECK(!value_at(r.json, "value.0.properties.extendedInfo") && !value_at(r.json, "value.0.sim"));
    r = job(&w, id);
    CHECK_STR(status(&r), "InProgress");
    CHECK_STR(value_str_at(r.json, "properties.extendedInfo.propertyBag.Recovery point time "), "11/13/2026 8:01:03 PM");
    later(&w, 27 * MINUTE_MS);
    r = job(&w, id);
    CHECK_STR(status(&r), "Failed");
    CHECK(duration_parse_iso(value_str_at(r.json, "properties.duration")) == 26 * MINUTE_MS);
    CHECK_STR(value_str_at(r.json, "properties.errorDetails.0.errorTitle"), "UserErrorDiskEncryptionSetDoesNotExist");
    bag = value_at(r.json, "properties.extendedInfo.propertyBag");
    text = fetch_export(&w, bag, &r);
    restore_exported_key(&w, text);
    make_set(&w);
    later(&w, 5 * MINUTE_MS);
    r = restore(&w, "AlternateLocation", "805440465632125", "{'securedVMDetails':{'securedVMOsDiskEncryptionSetId':'" SET "'}}");
    id = job_of(&w, &r);
    later(&w, 49 * MINUTE_MS);
    r = job(&w, id);
    CHECK_STR(status(&r), "Completed");
    r = call(&w, "GET", ARM TARGET "?api-version=2025-04-01&$expand=instanceView", NULL);
    CHECK_STR(value_str_at(r.json, "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"), SET);
    CHECK(r.text && strstr(r.text, "PowerState/running"));
    end(&w);
}

/* Which failures leave the key behind. */
static void test_ends(void)
{
    static const char no_set[] = "UserErrorDiskEncryptionSetDoesNotExist";
    static const struct { const char *reason, *key, *type, *point, *title; bool export; } rows[] = {
        {"set gone, key fine: no export", "active", "RestoreDisks", "805440465632125", no_set, false},
        {"set gone, snapshot only: no export", "purged", "RestoreDisks", "805440465632126", no_set, false},
        {"a new machine exports too", "purged", "AlternateLocation", "805440465632125", no_set, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        struct reply r;
        const char *id, *name;

        begin(&w, rows[i].key, "{}");
        r = restore(&w, rows[i].type, rows[i].point, "{}");
        id = job_of(&w, &r);
        later(&w, 60 * MINUTE_MS);
        r = job(&w, id);
        CHECK_ROW(rows[i].reason, strcmp(status(&r), "Failed") == 0);
        CHECK_ROW(rows[i].reason, str_eq(value_str_at(r.json, "properties.errorDetails.0.errorTitle"), rows[i].title));
        name = value_str_at(r.json, "properties.extendedInfo.propertyBag.Secured Encryption Info Blob Name");
        CHECK_ROW(rows[i].reason, rows[i].export == (name != NULL));
        end(&w);
    }
}

/* N-26: the machine is there and stays down, or only its disks are. */
static void test_release_refused(void)
{
    static const struct { const char *behaviour, *status; int vm; } rows[] = {
        {"{}", "CompletedWithWarnings", 200}, {"{'releaseRefused':'job-fails'}", "Failed", 404},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        struct reply r;
        const char *id;

        begin(&w, "active", rows[i].behaviour);
        make_set(&w);
        later(&w, 5 * MINUTE_MS);
        r = call(&w, "GET", ARM VAULT "/keys/os-key/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter="
                                      "principalId%20eq%20%27" ORCHESTRATOR "%27", NULL);
        r = call(&w, "DELETE", arena_printf(w.a, ARM "%s?api-version=2022-04-01", value_str_at(r.json, "value.0.id")), NULL);
        CHECK(r.status == 200);
        r = restore(&w, "AlternateLocation", "805440465632125", "{'securedVMDetails':{'securedVMOsDiskEncryptionSetId':'" SET "'}}");
        id = job_of(&w, &r);
        later(&w, 60 * MINUTE_MS);
        r = job(&w, id);
        CHECK_ROW(rows[i].behaviour, strcmp(status(&r), rows[i].status) == 0);
        r = call(&w, "GET", ARM TARGET "?api-version=2025-04-01&$expand=instanceView", NULL);
        CHECK_ROW(rows[i].behaviour, r.status == rows[i].vm && !strstr(r.text, "PowerState/running"));
        r = call(&w, "GET", ARM DR_GROUP "/providers/Microsoft.Compute/disks?api-version=2025-01-02", NULL);
        CHECK_ROW("its disk is there", value_count(value_get(r.json, "value")) == 1);
        end(&w);
    }
}

static void test_jobs(void)
{
    struct world w;
    struct reply r;
    const char *id;

    begin(&w, "purged", "{}");
    r = restore(&w, "RestoreDisks", "805440465632125", "{}");
    id = job_of(&w, &r);
    r = call(&w, "GET", LISTED "+and+status+eq+%27Failed%27", NULL);
    CHECK_ROW("none has failed yet", value_count(value_get(r.json, "value")) == 0);
    r = call(&w, "GET", LISTED "+and+startTime+eq+%272026-11-23+02%3A59%3A00+AM%27+and+endTime+eq+%272026-11-23+03%3A30%3A00+AM%27", NULL);
    CHECK_ROW("within the range", value_count(value_get(r.json, "value")) == 1);
    r = call(&w, "GET", LISTED "+and+startTime+eq+%272026-11-23+02%3A59%3A00+PM%27", NULL);
    CHECK_ROW("twelve hours too late", value_count(value_get(r.json, "value")) == 0);
    r = call(&w, "GET", LISTED "+or+1", NULL);
    CHECK_ROW("a filter that cannot be understood", r.status == 400);
    r = call(&w, "POST", arena_printf(w.a, ARM RSV "/backupJobs/%s/cancel" API, id), NULL);
    CHECK(r.status == 202);
    r = job(&w, id);
    CHECK_STR(status(&r), "Cancelling");
    later(&w, MINUTE_MS);
    r = job(&w, id);
    CHECK_STR(status(&r), "Cancelled");
    CHECK_STR(value_str_at(r.json, "properties.errorDetails.0.errorTitle"), "UserErrorJobSuccessfullyCancelled");
    r = call(&w, "POST", arena_printf(w.a, ARM RSV "/backupJobs/%s/cancel" API, id), NULL);
    CHECK_ROW("not twice", r.status == 400);
    later(&w, 60 * MINUTE_MS);
    r = job(&w, id);
    CHECK_ROW("and it stays so", strcmp(status(&r), "Cancelled") == 0);
    end(&w);
}

/* A world written out in the middle of a job goes on where it stopped. */
static void test_written_out(void)
{
    struct world w;
    struct reply r;
    struct diags diags;
    struct sim *first;
    const char *id, *text;

    begin(&w, "purged", "{}");
    r = restore(&w, "RestoreDisks", "805440465632125", "{}");
    id = job_of(&w, &r);
    first = w.s;
    w.s = fixture_sim(w.a, sim_world(w.a, first), NULL, &diags);
    sim_free(first);
    CHECK(w.s != NULL);
    later(&w, 27 * MINUTE_MS);
    r = job(&w, id);
    CHECK_STR(status(&r), "Failed");
    text = fetch_export(&w, value_at(r.json, "properties.extendedInfo.propertyBag"), &r);
    restore_exported_key(&w, text);
    end(&w);
}

static void test_validation(void)
{
    static const struct { const char *reason, *behaviour, *changes, *code; } rows[] = {
        {"nothing to object to: keys are not looked at", "{}", "{}", NULL},
        {"keys are looked at when told so", "{'validateSeesKeys':'yes'}", "{}", "UserErrorDiskEncryptionSetDoesNotExist"},
        {"no staging account", "{}", "{'storageAccountId':null}", "UserErrorBCMRestoreStorageAccountNotFound"},
        {"a set that is not there", "{}", "{'securedVMDetails':{'securedVMOsDiskEncryptionSetId':'" SET "'}}",
         "UserErrorDiskEncryptionSetDoesNotExist"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct world w;
        struct reply r;
        struct value *body, *p;

        begin(&w, "purged", rows[i].behaviour);
        p = parse(w.a, request(&w, "RestoreDisks", "805440465632125", rows[i].changes));
        body = value_map(w.a);
        value_set_string(w.a, body, "id", ITEM "/recoveryPoints/805440465632125");
        value_set(w.a, value_set(w.a, body, "properties", value_map(w.a)), "restoreRequest", value_get(p, "properties"));
        r = call(&w, "POST", ARM RSV "/backupValidateOperation" API, json_string(w.a, body, JSON_COMPACT));
        CHECK_ROW(rows[i].reason, r.status == 200);
        CHECK_ROW(rows[i].reason, str_eq(value_str_at(r.json, "validateOperationResponse.validationResults.0.code"), rows[i].code));
        r = call(&w, "POST", ARM RSV "/backupTriggerValidateOperation" API, json_string(w.a, body, JSON_COMPACT));
        CHECK_ROW(rows[i].reason, r.status == 202);
        w.now += 11 * SECOND_MS;
        r = call(&w, "GET", header_of(&r, "Azure-AsyncOperation"), NULL);
        CHECK_ROW(rows[i].reason,
                  str_eq(value_str_at(r.json, "properties.validateOperationResponse.validationResults.0.code"), rows[i].code));
        end(&w);
    }
}

int main(void)
{
    test_reading();
    test_refusals();
    test_two_passes();
    test_ends();
    test_release_refused();
    test_jobs();
    test_written_out();
    test_validation();
    HARNESS_END();
}
