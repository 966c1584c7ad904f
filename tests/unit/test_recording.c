/* Real exchanges with Azure, read where they lie: our code understands what the service says, and sends what
 * Microsoft's own tools send. Without the recordings the test is skipped, but in CI (CI set) it fails. */
#include "azure_peer.h"

#include "../../providers/azure/backup.h"
#include "../../reconciler/format/json.h"

#define CVM "powershell_TestAzureRestoreWithCVMOsDiskEncryptionSetId.2026-09-01.jsonl"
#define CLI_JOBS "backup_test_backup_job.2024-05-13.jsonl"
#define CLI_FAILED "backup_test_backup_scenario.2024-02-23.jsonl"
#define CLI_RESTORE "backup_test_backup_restore.2024-05-14.jsonl"

/* --- the files ---------------------------------------------------------------------------------------------------- */

static char *recording_path(struct arena *a, const char *file)
{
    const char *shared = getenv("REINSTATE_SHARED");

    return arena_printf(a, "%s/azure/recordings/%s", shared ? shared : "../shared", file);
}

static struct value *recording_read(struct arena *a, const char *file)
{
    FILE *f = fopen(recording_path(a, file), "r");
    struct value *lines = value_list(a);
    char *line = NULL;
    size_t room = 0;
    ssize_t n;

    CHECK_ROW(file, f != NULL);
    while (f && (n = getline(&line, &room, f)) > 0) {
        struct value *exchange = NULL;
        struct err err = {0};

        CHECK_ROW(file, json_parse(a, line, (size_t)n, &exchange, &err) == 0);
        if (exchange)
            value_push(a, lines, exchange);
    }
    free(line);
    if (f)
        fclose(f);
    return lines;
}

/* The nth (from 0) exchange whose method is this and whose URI holds all of the parts. */
static const struct value *exchange_find(const struct value *lines, const char *method, const char *part,
                                         const char *part2, size_t nth)
{
    for (size_t i = 0; i < value_count(lines); i++) {
        const struct value *x = value_item(lines, i);
        const char *uri = value_str_at(x, "uri");

        if (uri && str_eq(value_str_at(x, "method"), method) && strstr(uri, part) && strstr(uri, part2) && nth-- == 0)
            return x;
    }
    CHECK_ROW(part, !"recorded");
    return NULL;
}

static const struct value *answer_of(const struct value *exchange)
{
    return value_get(exchange, "response_body");
}

/* The recorded answer as the peer gives it. */
static struct peer_row replay(struct arena *a, const struct value *exchange, const char *url)
{
    const struct value *headers = value_get(exchange, "response_headers"), *body = answer_of(exchange);
    struct peer_row row = {
        .method = value_str_at(exchange, "method"), .url = url, .status = (int)value_int_at(exchange, "status", 0)};
    static const char *const names[] = {"azure-asyncoperation", "location", "retry-after"};
    size_t n = 0;

    row.body = value_is(body, VALUE_MAP) ? json_string(a, body, JSON_COMPACT) : "";
    for (size_t i = 0; i < COUNT(names); i++)
        if (value_str(value_get(headers, names[i])))
            row.headers[n++] = (struct wire_header){names[i], value_str(value_get(headers, names[i]))};
    return row;
}

static int judge(struct arena *a, const struct value *exchange, bool async, struct arm_answer *ret)
{
    struct peer_row row = replay(a, exchange, "");
    struct err err = {0};
    size_t n = 0;

    while (n < PEER_HEADERS && row.headers[n].name)
        n++;
    return arm_judge_answer(a,
                            &(struct arm_polled){.url = value_str_at(exchange, "uri"),
                                                 .async = async,
                                                 .status = row.status,
                                                 .headers = row.headers,
                                                 .n_headers = n,
                                                 .body = row.body,
                                                 .body_len = strlen(row.body)},
                            ret, &err);
}

/* --- understanding ------------------------------------------------------------------------------------------------ */

static void test_point(struct arena *a, const struct value *lines)
{
    struct backup_point p;

    backup_read_point(a, answer_of(exchange_find(lines, "GET", "/recoveryPoints/", "", 0)), &p);
    CHECK_STR(p.id, "805440465632125");
    CHECK(p.snapshot == TIER_VALID && p.vault == TIER_VALID && p.archive == TIER_ABSENT);
    CHECK(p.confidential && p.key == POINT_KEY_CUSTOMER && !p.soft_deleted);
    CHECK(p.time_ms == time_parse("2026-08-31T20:01:03.433Z"));
    CHECK_STR(p.size, "Standard_DC4ads_v5");
}

static void test_operations(struct arena *a, const struct value *lines)
{
    struct arm_answer answer = {0};

    CHECK(judge(a, exchange_find(lines, "GET", "/operationsStatus/", "", 0), true, &answer) == 0);
    CHECK(answer.progress == ARM_SUCCEEDED);
    CHECK_STR(value_str_at(answer.body, "properties.jobId"), "6b9d87c6-24cf-4aa7-8b69-731957da6cbb");
    CHECK(judge(a, exchange_find(lines, "GET", "/operationResults/", "", 0), false, &answer) == 0);
    CHECK(answer.progress == ARM_SUCCEEDED && !answer.next_url);
    CHECK(judge(a, exchange_find(lines, "GET", "/providers/Microsoft.Compute/locations/", "/operations/", 0), true,
                &answer) == 0);
    CHECK(answer.progress == ARM_RUNNING && answer.wait_ms == 30 * SECOND_MS);
    CHECK(judge(a, exchange_find(lines, "GET", "/providers/Microsoft.Compute/locations/", "/operations/", 1), true,
                &answer) == 0);
    CHECK(answer.progress == ARM_SUCCEEDED);
    CHECK(time_parse(value_str_at(answer.body, "endTime")) == time_parse("2026-09-01T05:10:59.215Z"));
    CHECK(judge(a, exchange_find(lines, "GET", "/providers/Microsoft.Compute/locations/", "monitor=true", 0), false,
                &answer) == 0);
    CHECK(answer.progress == ARM_SUCCEEDED);
}

static void test_job(struct arena *a, const struct value *lines)
{
    static const enum job_state states[] = {JOB_RUNNING, JOB_RUNNING, JOB_COMPLETED};

    for (size_t i = 0; i < COUNT(states); i++) {
        struct backup_job job;

        backup_read_job(a, answer_of(exchange_find(lines, "GET", "/backupJobs/", "", i)), &job);
        CHECK(job.state == states[i] && job.detailed && job.type == RESTORE_NEW_VM);
        CHECK(job.point_ms == time_parse("2026-08-31T20:01:03Z"));
        CHECK(job.start_ms == time_parse("2026-09-01T05:08:03.082Z"));
        CHECK((job.end_ms == TIME_NONE) == (states[i] == JOB_RUNNING));
        CHECK_STR(job.target_vm, "PSRestoreVM");
        CHECK_STR(job.target_group, "asmaskarrg");
        CHECK_STR(job.storage_account, "sgholapecysa3");
        CHECK_STR(job.source_group, "sgholap-rg");
        CHECK_STR(job.source_vm, "PSCVMRestoreTestingVM");
        CHECK(!job.encryption_blob && !job.error_code);
    }
}

static void test_failed_job(struct arena *a)
{
    const struct value *lines = recording_read(a, CLI_FAILED);
    size_t failed = 0;

    for (size_t i = 0; i < value_count(lines); i++) {
        const struct value *x = value_item(lines, i);
        struct backup_job job;

        if (!strstr(value_str_at(x, "uri"), "/backupJobs/") ||
            !str_eq(value_str_at(answer_of(x), "properties.status"), "Failed"))
            continue;
        backup_read_job(a, answer_of(x), &job);
        failed++;
        CHECK(job.state == JOB_FAILED && job.type == RESTORE_DISKS);
        CHECK_STR(job.error_code, "RestoreOperationFailed");
        CHECK(job.point_ms == time_parse("2024-02-23T10:41:20Z"));
    }
    CHECK(failed > 0);
}

/* --- calls, answered as recorded ---------------------------------------------------------------------------------- */

static void run_find(struct call *c, struct peer_case *t)
{
    const struct value *lines = t->arg, *x = exchange_find(lines, "GET", "/backupProtectedItems", "", 0);
    const char *vm =
        value_str_at(exchange_find(lines, "POST", "/restore?", "", 0), "request_body.properties.sourceResourceId");
    const char *vault =
        arena_strndup(t->a, strstr(value_str_at(x, "uri"), "/subscriptions"),
                      strcspn(strstr(value_str_at(x, "uri"), "/subscriptions"), "?") - strlen("/backupProtectedItems"));
    const struct value *item = NULL;

    t->rc = backup_find_item(t->az, c, t->a, vault, str_lower(t->a, vm), &item, &t->err);
    CHECK_STR(value_str_at(item, "properties.friendlyName"), "PSCVMRestoreTestingVM");
}

static void run_jobs(struct call *c, struct peer_case *t)
{
    const struct value *list = NULL;
    struct backup_job job;

    t->rc = backup_list_restore_jobs(t->az, c, t->a, "/vault", time_parse("2024-05-13T11:00:00Z"), call_now_ms(c),
                                     &list, &t->err);
    CHECK(value_count(list) == 1);
    backup_read_job(t->a, value_item(list, 0), &job);
    CHECK(job.state == JOB_RUNNING && !job.detailed && job.start_ms == time_parse("2024-05-13T11:01:01.532Z"));
    CHECK_STR(job.vm, "clitest-vm000003");
}

static void run_trigger(struct call *c, struct peer_case *t)
{
    struct restore_request r = {.type = RESTORE_NEW_VM, .point = "805440465632125"};
    const char *job = NULL;

    t->rc = backup_trigger_restore(t->az, c, t->a, "/vault/backupFabrics/Azure/item", &r, &job, &t->err);
    CHECK_STR(job, "6b9d87c6-24cf-4aa7-8b69-731957da6cbb");
}

static void run_replayed(struct arena *a, const char *reason, void (*run)(struct call *c, struct peer_case *t),
                         const void *arg, const struct peer_row *rows, size_t n_rows)
{
    struct peer_case t = {.a = a, .run = run, .arg = (void *)arg};
    struct peer p = {0};

    peer_run(reason, rows, n_rows, &t, &p);
    CHECK_ROW(t.err.text, t.rc == 0);
    peer_release(&p);
}

static void test_replayed(struct arena *a, const struct value *lines)
{
    const struct value *cli = recording_read(a, CLI_JOBS), *ordered = exchange_find(lines, "POST", "/restore?", "", 0);
    struct peer_row login = PEER_LOGIN,
                    find[] = {login, replay(a, exchange_find(lines, "GET", "/backupProtectedItems", "", 0),
                                            "/backupProtectedItems")};
    /* A list of every operation: the filter is applied again on our side. */
    struct peer_row listed = replay(a, exchange_find(cli, "GET", "/backupJobs?api-version=2024-04-01", "", 0),
                                    "/backupJobs"),
                    jobs[] = {login, listed, listed};
    struct peer_row trigger[] = {
        login,
        replay(a, ordered, "/restore"),
        replay(a, exchange_find(lines, "GET", "/operationsStatus/", "", 0),
               value_str_at(ordered, "response_headers.azure-asyncoperation")),
    };

    run_replayed(a, "the recorded list of items", run_find, lines, find, COUNT(find));
    run_replayed(a, "the recorded list of jobs", run_jobs, NULL, jobs, COUNT(jobs));
    run_replayed(a, "the recorded order; its polling URL byte for byte", run_trigger, NULL, trigger, COUNT(trigger));
}

/* --- what we send ------------------------------------------------------------------------------------------------- */

/* The inputs come from where a run would take them: the point, the item, and for the target the request itself. */
static struct restore_request inputs(struct arena *a, const struct value *lines, const struct value *sent,
                                     enum restore_type type)
{
    const struct value *item =
        value_at(answer_of(exchange_find(lines, "GET", "/backupProtectedItems", "", 0)), "value.0.properties");
    struct backup_point p;

    backup_read_point(a, answer_of(exchange_find(lines, "GET", "/recoveryPoints/", "", 0)), &p);
    return (struct restore_request){
        .type = type,
        .point = p.id,
        .source_vm_id = value_str_at(item, "sourceResourceId"),
        .region = value_str_at(item, "sourceLocation"),
        .storage_account_id = value_str_at(sent, "properties.storageAccountId"),
        .target_group_id = value_str_at(sent, "properties.targetResourceGroupId"),
        .target_vm_id = value_str_at(sent, "properties.targetVirtualMachineId"),
        .subnet_id = value_str_at(sent, "properties.subnetId"),
    };
}

static void test_bodies(struct arena *a, const struct value *lines)
{
    const struct value *with = value_get(exchange_find(lines, "POST", "/restore?", "", 0), "request_body");
    const struct value *without = value_get(exchange_find(lines, "POST", "/restore?", "", 1), "request_body");
    struct restore_request r = inputs(a, lines, with, RESTORE_NEW_VM);

    CHECK(value_at(with, "properties.securedVMDetails") && !value_at(without, "properties.securedVMDetails"));
    CHECK(value_equal(backup_restore_body(a, &r), without));
    CHECK(!value_equal(backup_restore_body(a, &r), with));
    r.des_id = value_str_at(with, "properties.securedVMDetails.securedVMOsDiskEncryptionSetId");
    CHECK(value_equal(backup_restore_body(a, &r), with));
}

/* The CLI leaves restoreWithManagedDisks out; all else must agree. */
static void test_cli_bodies(struct arena *a)
{
    static const struct {
        const char *word;
        enum restore_type type;
    } types[] = {
        {"RestoreDisks", RESTORE_DISKS}, {"OriginalLocation", RESTORE_REPLACE}, {"AlternateLocation", RESTORE_NEW_VM}};
    const struct value *lines = recording_read(a, CLI_RESTORE);

    for (size_t i = 0; i < 4; i++) {
        const struct value *sent = value_get(exchange_find(lines, "POST", "/restore?", "", i), "request_body");
        const struct value *p = value_get(sent, "properties");
        struct restore_request r = {
            .type = RESTORE_UNKNOWN,
            .point = value_str_at(p, "recoveryPointId"),
            .source_vm_id = value_str_at(p, "sourceResourceId"),
            .region = value_str_at(p, "region"),
            .storage_account_id = value_str_at(p, "storageAccountId"),
            .target_group_id = value_str_at(p, "targetResourceGroupId"),
            .target_vm_id = value_str_at(p, "targetVirtualMachineId"),
            .subnet_id = value_str_at(p, "subnetId"),
        };
        struct value *body;

        for (size_t j = 0; j < COUNT(types); j++)
            if (str_eq(value_str_at(p, "recoveryType"), types[j].word))
                r.type = types[j].type;
        body = backup_restore_body(a, &r);
        CHECK(value_remove(value_get(body, "properties"), "restoreWithManagedDisks"));
        CHECK_ROW(value_str_at(p, "recoveryType"), value_equal(body, sent));
    }
}

int main(void)
{
    struct arena *a = arena_new();
    FILE *f = fopen(recording_path(a, CVM), "r");
    struct value *lines;

    if (!f && !getenv("CI")) {
        printf("test_recording.c: skipped: recordings not found at %s\n", recording_path(a, CVM));
        arena_free(a);
        return 0;
    }
    if (f)
        fclose(f);
    lines = recording_read(a, CVM);
    if (value_count(lines) > 0) {
        test_point(a, lines);
        test_operations(a, lines);
        test_job(a, lines);
        test_failed_job(a);
        test_replayed(a, lines);
        test_bodies(a, lines);
        test_cli_bodies(a);
    }
    arena_free(a);
    HARNESS_END();
}
