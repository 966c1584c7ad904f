/* The simulated Azure Backup and blobs: a lost key's two passes as a client meets them, refusals, lists, cancelling. */
#include "harness.h"
#include "sim_backup_fixture.h"

static void test_reading(void)
{
    struct world w;
    struct reply r;
    const struct value *p;

    begin(&w, "active", "{}");
    r = call(&w, "GET",
             ARM RSV "/backupProtectedItems" API
                     "&$filter=backupManagementType%20eq%20%27AzureIaasVM%27%20and%20itemType%20eq%20%27VM%27",
             NULL);
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
    static const struct { const char *reason, *type, *point, *changes, *code;
    } rows[] = {
        {"the point of another address", "RestoreDisks", "805440465632125", "{'recoveryPointId':'1'}",
         "BMSUserErrorInvalidInput"},
        {"no such type", "Sideways", "805440465632125", "{}", "BMSUserErrorInvalidInput"},
        {"another source", "RestoreDisks", "805440465632125", "{'sourceResourceId':'" TARGET "'}",
         "BMSUserErrorInvalidInput"},
        {"another region", "RestoreDisks", "805440465632125", "{'region':'westeurope'}", "BMSUserErrorInvalidInput"},
        {"no staging account", "RestoreDisks", "805440465632125", "{'storageAccountId':null}",
         "UserErrorBCMRestoreStorageAccountNotFound"},
        {"no such group", "RestoreDisks", "805440465632125", "{'targetResourceGroupId':'" SUB "/resourceGroups/none'}",
         "BMSUserErrorInvalidInput"},
        {"no such subnet", "AlternateLocation", "805440465632125", "{'subnetId':'" VNET "/subnets/other'}",
         "BMSUserErrorInvalidInput"},
        {"an empty object for the set", "RestoreDisks", "805440465632125", "{'securedVMDetails':{}}",
         "BMSUserErrorInvalidInput"},
        {"the set of ordinary disks", "RestoreDisks", "805440465632125", "{'diskEncryptionSetId':'" SET "'}",
         "BMSUserErrorInvalidInput"},
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
    r = ask(w.s, w.a, w.now, value_str_at(r.json, "access_token"), "POST",
            ARM ITEM "/recoveryPoints/805440465632125/restore" API,
            request(&w, "RestoreDisks", "805440465632125", "{}"));
    CHECK_ROW("a reader may not restore",
              r.status == 403 && str_eq(value_str_at(r.json, "error.code"), "AuthorizationFailed"));
    later(&w, 5 * MINUTE_MS);
    r = call(&w, "GET", LISTED, NULL);
    CHECK_ROW("no refused request started a job", r.status == 200 && value_count(value_get(r.json, "value")) == 0);
    end(&w);
}

/* Set and key are gone (N-30): a pass that fails and exports, the key restored, a new set, a pass that succeeds. */
static void test_two_passes(void)
{
    struct world w;
    struct reply r, first;
    const struct value *bag;
    const char *id, *text;

    begin(&w, "purged", "{'keyGrants':'kept'}");
    r = restore(&w, "RestoreDisks", "805440465632125", "{}");
    CHECK(r.status == 202 && r.answer.body.len == 0);
    CHECK_STR(header_of(&r, "Retry-After"), "60");
    CHECK_ROW("long signed addresses", strlen(header_of(&r, "Location")) > 2500);
    first = r;
    r = call(&w, "GET", LISTED, NULL);
    CHECK_ROW("the list lags", value_count(value_get(r.json, "value")) == 0);
    id = job_of(&w, &first);
    r = restore(&w, "RestoreDisks", "805440465632125", "{}");
    CHECK_ROW("one restore of an item at a time",
              r.status == 400 && str_eq(value_str_at(r.json, "error.code"), "UserErrorRestoreOperationInProgress"));
    r = call(&w, "GET", LISTED, NULL);
    CHECK_ROW("one job", value_count(value_get(r.json, "value")) == 1);
    CHECK(!value_at(r.json, "value.0.properties.extendedInfo") && !value_at(r.json, "value.0.sim"));
    r = job(&w, id);
    CHECK_STR(status(&r), "InProgress");
    CHECK_STR(value_str_at(r.json, "properties.extendedInfo.propertyBag.Recovery point time "),
              "11/13/2026 8:01:03 PM");
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
    r = restore(&w, "AlternateLocation", "805440465632125",
                "{'securedVMDetails':{'securedVMOsDiskEncryptionSetId':'" SET "'}}");
    id = job_of(&w, &r);
    later(&w, 49 * MINUTE_MS);
    r = job(&w, id);
    CHECK_STR(status(&r), "Completed");
    r = call(&w, "GET", ARM TARGET "?api-version=2025-04-01&$expand=instanceView", NULL);
    CHECK_STR(value_str_at(r.json, "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id"),
              SET);
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
        r = call(&w, "GET",
                 ARM VAULT
                 "/keys/os-key/providers/Microsoft.Authorization/roleAssignments?api-version=2022-04-01&$filter="
                 "principalId%20eq%20%27" ORCHESTRATOR "%27",
                 NULL);
        r = call(&w, "DELETE", arena_printf(w.a, ARM "%s?api-version=2022-04-01", value_str_at(r.json, "value.0.id")),
                 NULL);
        CHECK(r.status == 200);
        r = restore(&w, "AlternateLocation", "805440465632125",
                    "{'securedVMDetails':{'securedVMOsDiskEncryptionSetId':'" SET "'}}");
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
    r = call(&w, "GET",
             LISTED
             "+and+startTime+eq+%272026-11-23+02%3A59%3A00+AM%27+and+endTime+eq+%272026-11-23+03%3A30%3A00+AM%27",
             NULL);
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
    static const struct { const char *reason, *behaviour, *changes, *code;
    } rows[] = {
        {"nothing to object to: keys are not looked at", "{}", "{}", NULL},
        {"keys are looked at when told so", "{'validateSeesKeys':'yes'}", "{}",
         "UserErrorDiskEncryptionSetDoesNotExist"},
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
        value_set(w.a, value_set(w.a, body, "properties", value_map(w.a)), "restoreRequest",
                  value_get(p, "properties"));
        r = call(&w, "POST", ARM RSV "/backupValidateOperation" API, json_string(w.a, body, JSON_COMPACT));
        CHECK_ROW(rows[i].reason, r.status == 200);
        CHECK_ROW(rows[i].reason,
                  str_eq(value_str_at(r.json, "validateOperationResponse.validationResults.0.code"), rows[i].code));
        r = call(&w, "POST", ARM RSV "/backupTriggerValidateOperation" API, json_string(w.a, body, JSON_COMPACT));
        CHECK_ROW(rows[i].reason, r.status == 202);
        w.now += 11 * SECOND_MS;
        r = call(&w, "GET", header_of(&r, "Azure-AsyncOperation"), NULL);
        CHECK_ROW(rows[i].reason,
                  str_eq(value_str_at(r.json, "properties.validateOperationResponse.validationResults.0.code"),
                         rows[i].code));
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
