/* Azure Backup: recovery points, jobs and property bags understood; restore bodies; the calls
 * against a scripted peer. */
#include "azure_peer.h"

#include "../../providers/azure/backup.h"
#include "../../reconciler/format/json.h"

#define ARM "https://management.azure.com"
#define VAULT "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
#define VM "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
#define CONTAINER VAULT "/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;rg;vm"
#define ITEM CONTAINER "/protectedItems/VM;iaasvmcontainerv2;rg;vm"
#define STAGING "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
#define DES "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/diskEncryptionSets/des"
#define SUBNET "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/default"

static struct value *parsed(struct arena *a, const char *json)
{
    struct value *v = NULL;
    struct err err = {0};

    CHECK_ROW(json, json_parse(a, json, strlen(json), &v, &err) == 0);
    return v;
}

/* --- recovery points ---------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *tiers, *security;
    enum tier_state snapshot, vault, archive;
    bool confidential;
    enum point_key key;
} points[] = {
    {"snapshot and vault",
     "[{\"type\":\"InstantRP\",\"status\":\"Valid\"},{\"type\":\"HardenedRP\",\"status\":\"Valid\"}]",
     "ConfidentialVMDiskEncryptedWithCustomerKey", TIER_VALID, TIER_VALID, TIER_ABSENT, true, POINT_KEY_CUSTOMER},
    {"the snapshot aged out but stays in the list",
     "[{\"type\":\"InstantRP\",\"status\":\"Deleted\"},{\"type\":\"HardenedRP\",\"status\":\"Valid\"}]",
     "confidentialvmdiskencryptedwithplatformkey", TIER_GONE, TIER_VALID, TIER_ABSENT, true, POINT_KEY_PLATFORM},
    {"numbers, as older versions write", "[{\"type\":1,\"status\":1},{\"type\":2,\"status\":3}]", "None", TIER_VALID,
     TIER_GONE, TIER_ABSENT, false, POINT_KEY_PLATFORM},
    {"archived and brought back", "[{\"type\":\"ArchivedRP\",\"status\":\"Rehydrated\"}]", "", TIER_ABSENT, TIER_ABSENT,
     TIER_VALID, false, POINT_KEY_UNKNOWN},
    {"a status nobody knows is not usable", "[{\"type\":\"HardenedRP\",\"status\":\"Odd\"},{\"type\":9,\"status\":9}]",
     "ConfidentialVM", TIER_ABSENT, TIER_GONE, TIER_ABSENT, true, POINT_KEY_UNKNOWN},
    {"no tiers", "[]", "ConfidentialVMDiskEncryptedWithCustomerKey", TIER_ABSENT, TIER_ABSENT, TIER_ABSENT, true,
     POINT_KEY_CUSTOMER},
    {"tiers that are not told", "null", "ConfidentialVMDiskEncryptedWithCustomerKey", TIER_UNSEEN, TIER_UNSEEN,
     TIER_UNSEEN, true, POINT_KEY_CUSTOMER},
};

static void test_points(void)
{
    for (size_t i = 0; i < COUNT(points); i++) {
        struct arena *a = arena_new();
        struct backup_point p;

        backup_read_point(
            a,
            parsed(a, arena_printf(a,
                                   "{\"name\":\"1\","
                                   "\"properties\":{\"recoveryPointTime\":\"2026-08-31T20:01:03.4332925Z\","
                                   "\"isSourceVMEncrypted\":false,\"threatStatus\":0,\"recoveryPointTierDetails\":%s,"
                                   "\"securityType\":\"%s\"}}",
                                   points[i].tiers, points[i].security)),
            &p);
        CHECK_ROW(points[i].reason,
                  p.snapshot == points[i].snapshot && p.vault == points[i].vault && p.archive == points[i].archive);
        CHECK_ROW(points[i].reason, p.confidential == points[i].confidential && p.key == points[i].key);
        CHECK_ROW(points[i].reason,
                  p.time_ms == time_parse("2026-08-31T20:01:03.433Z") && p.expiry_ms == TIME_NONE && !p.soft_deleted);
        arena_free(a);
    }
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *properties;
    enum job_state state;
    enum restore_type type;
    const char *code;
} jobs[] = {
    {"from a list: no details", "\"operation\":\"Restore\",\"status\":\"InProgress\",\"actionsInfo\":[1]", JOB_RUNNING,
     RESTORE_UNKNOWN, NULL},
    {"cancelling is neither running nor ended", "\"status\":\"Cancelling\"", JOB_CANCELLING, RESTORE_UNKNOWN, NULL},
    {"into the paired region, whatever its bag says",
     "\"operation\":\"CrossRegionRestore\",\"status\":\"InProgress\",\"extendedInfo\":{\"propertyBag\":{\"Job "
     "Type\":\"Recover disks\"}}",
     JOB_RUNNING, RESTORE_CROSS_REGION, NULL},
    {"a new word", "\"status\":\"Paused\"", JOB_UNKNOWN, RESTORE_UNKNOWN, NULL},
    {"the number is no name; the title is",
     "\"status\":\"Failed\",\"errorDetails\":[{\"errorCode\":400048,\"errorTitle\":"
     "\"UserErrorBCMRestoreStorageAccountNotFound\",\"errorString\":\"x\"}]",
     JOB_FAILED, RESTORE_UNKNOWN, "UserErrorBCMRestoreStorageAccountNotFound"},
    {"a name inside the sentence",
     "\"status\":\"Failed\",\"errorDetails\":[{\"errorCode\":1,\"errorTitle\":\"RestoreOperationFailed\","
     "\"errorString\":"
     "\"It ended with (usererrordiskencryptionsetkeydoesnotexist).\"}]",
     JOB_FAILED, RESTORE_UNKNOWN, "UserErrorDiskEncryptionSetKeyDoesNotExist"},
    {"a name in the dynamic message",
     "\"status\":\"Failed\",\"errorDetails\":[{\"errorCode\":1}],\"extendedInfo\":{\"dynamicErrorMessage\":"
     "\"UserErrorSomethingNew happened\"}",
     JOB_FAILED, RESTORE_UNKNOWN, "UserErrorSomethingNew"},
    {"a name in the advice",
     "\"status\":\"Failed\",\"errorDetails\":[{\"errorCode\":1,\"errorTitle\":\"It "
     "failed.\",\"errorString\":\"x\",\"recommendations\":"
     "[\"a\",\"see UserErrorDiskEncryptionSetDoesNotExist\"]}]",
     JOB_FAILED, RESTORE_UNKNOWN, "UserErrorDiskEncryptionSetDoesNotExist"},
    {"one name may begin like another",
     "\"status\":\"Failed\",\"errorDetails\":[{\"errorString\":"
     "\"UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK\"}]",
     JOB_FAILED, RESTORE_UNKNOWN, "UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK"},
    {"only a number",
     "\"status\":\"Failed\",\"errorDetails\":[{\"errorCode\":400003,\"errorTitle\":\"It failed.\",\"errorString\":\"A "
     "conflict.\"}]",
     JOB_FAILED, RESTORE_UNKNOWN, "400003"},
    {"an unknown title that is a name",
     "\"status\":\"Failed\",\"errorDetails\":[{\"errorCode\":1,\"errorTitle\":\"SomethingElse\"}]", JOB_FAILED,
     RESTORE_UNKNOWN, "SomethingElse"},
    {"the internal bag tells the type",
     "\"status\":\"Completed\",\"extendedInfo\":{\"internalPropertyBag\":{\"restoreLocationType\":\"OriginalLocation\"}"
     "}",
     JOB_COMPLETED, RESTORE_REPLACE, NULL},
    {"else the text does",
     "\"status\":\"CompletedWithWarnings\",\"extendedInfo\":{\"propertyBag\":{\"Job Type\":\"Recover disks\"}}",
     JOB_COMPLETED_WITH_WARNINGS, RESTORE_DISKS, NULL},
    {"cancelled",
     "\"status\":\"Cancelled\",\"extendedInfo\":{\"propertyBag\":{\"Job Type\":\"Recover VM to an alternate "
     "location\"}}",
     JOB_CANCELLED, RESTORE_NEW_VM, NULL},
};

static void test_jobs(void)
{
    for (size_t i = 0; i < COUNT(jobs); i++) {
        struct arena *a = arena_new();
        struct backup_job job;

        backup_read_job(
            a,
            parsed(a, arena_printf(a, "{\"name\":\"j\",\"properties\":{\"endTime\":\"0001-01-01T00:00:00\",%s}}",
                                   jobs[i].properties)),
            &job);
        CHECK_ROW(jobs[i].reason, job.state == jobs[i].state && job.type == jobs[i].type);
        CHECK_ROW(job.error_code ? job.error_code : jobs[i].reason, str_eq(job.error_code, jobs[i].code));
        CHECK_ROW(jobs[i].reason, job.end_ms == TIME_NONE && job.start_ms == TIME_NONE);
        arena_free(a);
    }
}

static void test_bag(void)
{
    struct arena *a = arena_new();
    struct value *job =
        parsed(a, "{\"name\":\"j\",\"properties\":{\"status\":\"Failed\",\"extendedInfo\":{\"progressPercentage\":1.5,"
                  "\"propertyBag\":{"
                  "\"Recovery point time \":\"8/31/2026 8:01:03 PM\",\"target VM name\":\"r\",\"Target Storage "
                  "Account Name\":\"st\","
                  "\"Config Blob Container Name\":\"c\",\" Secured Encryption Info Blob Name\":\"b\"}}}}");
    struct backup_job read;

    backup_read_job(a, job, &read);
    CHECK(read.detailed && read.point_ms == time_parse("2026-08-31T20:01:03Z"));
    CHECK(read.progress > 1.4 && read.progress < 1.6);
    CHECK_STR(read.target_vm, "r");
    CHECK_STR(read.storage_account, "st");
    CHECK_STR(read.config_container, "c");
    CHECK_STR(read.encryption_blob, "b");
    CHECK_STR(backup_bag(job, "Recovery point time"), "8/31/2026 8:01:03 PM");
    CHECK(backup_bag(job, "Config Blob Name") == NULL);
    CHECK(backup_bag(NULL, "x") == NULL);
    arena_free(a);
}

/* --- restore bodies ----------------------------------------------------------------------------------------------- */

#define COMMON_TAIL                                                                                                    \
    "\"region\":\"eastus2euap\",\"createNewCloudService\":false,\"originalStorageAccountOption\":false,"               \
    "\"restoreWithManagedDisks\":false"

static void test_bodies(void)
{
    struct arena *a = arena_new();
    struct restore_request r = {
        .type = RESTORE_DISKS, .point = "1", .source_vm_id = VM, .region = "eastus2euap", .storage_account_id = STAGING,
        .target_group_id = "/subscriptions/s/resourceGroups/dr", .target_vm_id = VM "-r", .subnet_id = SUBNET,
    };
    struct value *luns = value_list(a);

    CHECK_STR(json_string(a, backup_restore_body(a, &r), JSON_COMPACT),
              "{\"properties\":{\"objectType\":\"IaasVMRestoreRequest\",\"recoveryPointId\":\"1\",\"recoveryType\":"
              "\"RestoreDisks\","
              "\"sourceResourceId\":\"" VM
              "\",\"targetResourceGroupId\":\"/subscriptions/s/resourceGroups/dr\",\"storageAccountId\":\"" STAGING
              "\"," COMMON_TAIL "}}");
    r.type = RESTORE_REPLACE;
    r.des_id = DES;
    r.zone = "1";
    CHECK_STR(json_string(a, backup_restore_body(a, &r), JSON_COMPACT),
              "{\"properties\":{\"objectType\":\"IaasVMRestoreRequest\",\"recoveryPointId\":\"1\","
              "\"recoveryType\":\"OriginalLocation\",\"sourceResourceId\":\"" VM
              "\",\"storageAccountId\":\"" STAGING "\"," COMMON_TAIL "}}");
    r.type = RESTORE_NEW_VM;
    value_push(a, luns, value_int(a, 0));
    r.disk_luns = luns;
    CHECK_STR(json_string(a, value_at(backup_restore_body(a, &r), "properties.securedVMDetails"), JSON_COMPACT),
              "{\"securedVMOsDiskEncryptionSetId\":\"" DES "\"}");
    CHECK_STR(json_string(a, value_at(backup_restore_body(a, &r), "properties.zones"), JSON_COMPACT), "[\"1\"]");
    CHECK_STR(json_string(a, value_at(backup_restore_body(a, &r), "properties.restoreDiskLunList"), JSON_COMPACT),
              "[0]");
    r.des_id = "";
    CHECK(value_at(backup_restore_body(a, &r), "properties.securedVMDetails") == NULL);
    arena_free(a);
}

/* --- calls -------------------------------------------------------------------------------------------------------- */

static void run_find(struct call *c, struct peer_case *t)
{
    const struct value *v = NULL;

    t->rc = backup_find_item(t->az, c, t->a, VAULT, VM, &v, &t->err);
    CHECK(t->rc < 0 || str_eq(value_str_at(v, "id"), "want"));
}

static void run_jobs(struct call *c, struct peer_case *t)
{
    const struct value *v = NULL;

    t->rc = backup_list_restore_jobs(t->az, c, t->a, VAULT, time_parse("2026-11-23T02:00:00Z"), call_now_ms(c), &v,
                                     &t->err);
    CHECK(t->rc < 0 || (value_count(v) == 3 && str_eq(value_str_at(v, "0.name"), "new") &&
                        str_eq(value_str_at(v, "1.name"), "timeless") && str_eq(value_str_at(v, "2.name"), "paired")));
}

static void run_trigger(struct call *c, struct peer_case *t)
{
    struct restore_request r = {
        .type = RESTORE_DISKS, .point = "1", .source_vm_id = VM, .region = "x", .storage_account_id = STAGING};
    const char *job = NULL;

    t->rc = backup_trigger_restore(t->az, c, t->a, ITEM, &r, &job, &t->err);
    CHECK(t->rc < 0 || str_eq(job, "job-1"));
}

static void count_progress(void *ctx, const struct backup_job *job)
{
    size_t *n = ctx;

    *n += job->state == JOB_RUNNING;
}

static void run_follow(struct call *c, struct peer_case *t)
{
    struct backup_job job = {0};
    size_t n = 0;

    t->rc = backup_follow_job(
        t->az, c, t->a,
        &(struct backup_following){
            .vault_id = VAULT, .job = "job-1", .bound_ms = 40 * SECOND_MS, .progress = count_progress, .ctx = &n},
        &job, &t->err);
    CHECK(t->rc < 0 || (job.state == JOB_FAILED && n == 1 && str_eq(job.encryption_blob, "b")));
}

#define ITEM_OF(id, source)                                                                                            \
    "{\"id\":\"" id "\",\"properties\":{\"sourceResourceId\":\"" source                                                \
    "\",\"containerName\":\"iaasvmcontainerv2;rg;vm\"}}"
#define TRIGGER                                                                                                        \
    {                                                                                                                  \
        .method = "POST", .url = ARM ITEM "/recoveryPoints/1/restore?api-version=2026-07-01", .status = 202,           \
        .body = "", .headers = {                                                                                       \
            {"Azure-AsyncOperation", ARM ITEM "/operationsStatus/op-1?c=a%2Bb&h=x"},                                   \
            {"Location", ARM "/results/op-1?x"},                                                                       \
            {"Retry-After", "60"}                                                                                      \
        }                                                                                                              \
    }
#define STATUS_GONE                                                                                                    \
    {                                                                                                                  \
        .method = "GET", .url = "/operationsStatus", .status = 404,                                                    \
        .body = "{\"error\":{\"code\":\"NotFound\",\"message\":\"m\"}}"                                                \
    }
#define JOB_ID "\"id\":\"" VAULT "/backupJobs/job-1\","
#define JOB_URL ARM VAULT "/backupJobs/job-1?"
#define ELSEWHERE "/subscriptions/other/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm"
#define HERE_FOLDED "/Subscriptions/S/resourcegroups/RG/providers/microsoft.compute/virtualmachines/VM"

static const struct {
    const char *reason;
    void (*run)(struct call *c, struct peer_case *t);
    struct peer_row rows[12];
    int rc;
    const char *says;
} calls[] = {
    {"found by its source, case folded; the same names elsewhere are passed over",
     run_find,
     {PEER_LOGIN,
      {.method = "GET",
       .url = VAULT "/backupProtectedItems?api-version=2026-07-01&$filter=backupManagementType%20eq%20%27Azure",
       .status = 200,
       .body = "{\"value\":[" ITEM_OF("other", ELSEWHERE) "," ITEM_OF("want", HERE_FOLDED) "]}"}},
     0,
     NULL},
    {"by names when the item says nothing better",
     run_find,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/backupProtectedItems",
       .status = 200,
       .body = "{\"value\":[{\"id\":\"want\",\"properties\":{\"containerName\":\"IaasVMContainerV2;RG;VM\"}}]}"}},
     0,
     NULL},
    {"a live item wins over a deleted one",
     run_find,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "/backupProtectedItems",
       .status = 200,
       .body = "{\"value\":[{\"id\":\"old\",\"properties\":{\"sourceResourceId\":\"" VM
               "\",\"isScheduledForDeferredDelete\":true}}," ITEM_OF("want", VM) "]}"}},
     0,
     NULL},
    {"not protected",
     run_find,
     {PEER_LOGIN, {.method = "GET", .url = "/backupProtectedItems", .status = 200, .body = "{\"value\":[]}"}},
     -ERR_NOT_FOUND,
     "protects no VM"},
    {"jobs: filtered there and again here, a job without a start kept",
     run_jobs,
     {PEER_LOGIN,
      {.method = "GET",
       .url = "startTime%20eq%20%272026-11-23%2002%3A00%3A00%20AM%27%20and%20"
              "endTime%20eq%20%272026-11-24%2003%3A00%3A00%20AM%27",
       .status = 200,
       .body = "{\"value\":[{\"name\":\"old\",\"properties\":{\"operation\":\"Restore\","
               "\"startTime\":\"2026-11-23T01:59:59Z\"}},"
               "{\"name\":\"backup\",\"properties\":{\"operation\":\"Backup\",\"startTime\":\"2026-11-23T02:30:00Z\"}},"
               "{\"name\":\"new\",\"properties\":{\"operation\":\"Restore\",\"startTime\":\"2026-11-23T02:30:00."
               "1234567Z\"}}],"
               "\"nextLink\":\"" ARM "/p2\"}"},
      {.method = "GET",
       .url = "/p2",
       .status = 200,
       .body = "{\"value\":[{\"name\":\"timeless\",\"properties\":{\"operation\":\"Restore\"}}]}"},
      {.method = "GET",
       .url = "operation%20eq%20%27CrossRegionRestore%27",
       .status = 200,
       .body = "{\"value\":[{\"name\":\"new\",\"properties\":{\"operation\":\"Restore\"}},{\"name\":\"paired\","
               "\"properties\":{\"operation\":\"CrossRegionRestore\",\"startTime\":\"2026-11-23T02:31:00Z\"}}]}"}},
     0,
     NULL},
    {"ordered; the job's id is not the operation's",
     run_trigger,
     {PEER_LOGIN,
      TRIGGER,
      {.method = "GET",
       .url = "/operationsStatus/op-1?c=a%2Bb&h=x",
       .status = 200,
       .body = "{\"status\":\"InProgress\"}"},
      {.method = "GET",
       .url = "/operationsStatus/op-1?",
       .status = 200,
       .body = "{\"status\":\"Succeeded\",\"properties\":{\"jobId\":\"job-1\"}}"}},
     0,
     NULL},
    {"ordered; its status is late",
     run_trigger,
     {PEER_LOGIN,
      TRIGGER,
      STATUS_GONE,
      STATUS_GONE,
      {.method = "GET",
       .url = "/operationsStatus/op-1?c=a%2Bb&h=x",
       .status = 200,
       .body = "{\"status\":\"Succeeded\",\"properties\":{\"jobId\":\"job-1\"}}"}},
     0,
     NULL},
    {"the status ends without a body",
     run_trigger,
     {PEER_LOGIN,
      TRIGGER,
      {.method = "GET", .url = "/operationsStatus/op-1?", .status = 204, .body = ""},
      {.method = "GET",
       .url = ARM VAULT "/backupOperations/op-1?",
       .status = 200,
       .body = "{\"status\":\"Succeeded\",\"properties\":{\"jobId\":\"job-1\"}}"}},
     0,
     NULL},
    {"refused at once",
     run_trigger,
     {PEER_LOGIN,
      {.method = "POST",
       .url = "/restore",
       .status = 400,
       .body = "{\"error\":{\"code\":\"BMSUserErrorInvalidInput\",\"message\":\"m\"}}"}},
     -ERR_INVALID,
     "ordering the restore"},
    {"refused by the operation",
     run_trigger,
     {PEER_LOGIN,
      TRIGGER,
      {.method = "GET",
       .url = "/operationsStatus",
       .status = 200,
       .body = "{\"status\":\"Failed\",\"error\":{\"code\":\"UserErrorRestoreOperationInProgress\","
               "\"message\":\"m\"}}"}},
     -ERR_CONFLICT,
     "another restore"},
    {"the answer was lost: never sent again",
     run_trigger,
     {PEER_LOGIN, {.method = "POST", .url = "/restore", .fault = WIRE_LOST}},
     -ERR_UNKNOWN_OUTCOME,
     "restore jobs"},
    {"trouble inside the service says nothing",
     run_trigger,
     {PEER_LOGIN,
      {.method = "POST",
       .url = "/restore",
       .status = 500,
       .body = "{\"error\":{\"code\":\"CloudInternalError\",\"message\":\"m\"}}"}},
     -ERR_UNKNOWN_OUTCOME,
     "restore jobs"},
    {"taken, but its status is gone",
     run_trigger,
     /* Two minutes long it may only be late. */
     {PEER_LOGIN, TRIGGER, STATUS_GONE, STATUS_GONE, STATUS_GONE, STATUS_GONE, STATUS_GONE, STATUS_GONE},
     -ERR_UNKNOWN_OUTCOME,
     "taken"},
    {"watched to its end; not readable at once",
     run_follow,
     {PEER_LOGIN,
      {.method = "GET",
       .url = JOB_URL,
       .status = 200,
       .body = "{" JOB_ID "\"properties\":{\"status\":\"InProgress\"}}"},
      {.method = "GET",
       .url = JOB_URL,
       .status = 200,
       .body =
           "{" JOB_ID
           "\"properties\":{\"status\":\"Failed\",\"extendedInfo\":{\"propertyBag\":{\"Secured Encryption Info Blob "
           "Name\":\"b\"}}}}"}},
     0,
     NULL},
    {"left running at the bound",
     run_follow,
     {PEER_LOGIN,
      {.method = "GET", .url = JOB_URL, .status = 404, .body = "{\"error\":{\"code\":\"NotFound\",\"message\":\"m\"}}"},
      {.method = "GET",
       .url = JOB_URL,
       .status = 200,
       .body = "{" JOB_ID "\"properties\":{\"status\":\"InProgress\"}}"}},
     -ERR_BLOCKED,
     "still running"},
    {"no right to read jobs",
     run_follow,
     {PEER_LOGIN,
      {.method = "GET",
       .url = JOB_URL,
       .status = 403,
       .body = "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"m\"}}"}},
     -ERR_DENIED,
     "watching job"},
};

static void test_calls(void)
{
    for (size_t i = 0; i < COUNT(calls); i++) {
        struct peer_case t = {.a = arena_new(), .run = calls[i].run};
        struct peer p = {0};
        size_t n = 0;

        while (n < COUNT(calls[i].rows) && calls[i].rows[n].method)
            n++;
        peer_run(calls[i].reason, calls[i].rows, n, &t, &p);
        CHECK_ROW(calls[i].reason, t.rc == calls[i].rc);
        if (t.rc < 0)
            CHECK_ROW(t.err.text, calls[i].says && strstr(t.err.text, calls[i].says));
        /* The order's Retry-After is kept to: a minute before the first look. */
        if (calls[i].run == run_trigger && p.n_seen > 2)
            CHECK_ROW(calls[i].reason,
                      p.times[2] - p.times[1] >= MINUTE_MS && p.times[2] - p.times[1] < MINUTE_MS + SECOND_MS);
        peer_release(&p);
        arena_free(t.a);
    }
}

int main(void)
{
    test_points();
    test_jobs();
    test_bag();
    test_bodies();
    test_calls();
    HARNESS_END();
}
