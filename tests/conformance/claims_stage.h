/* The stage of claims_azurite.c: one fast clock, Azure Backup as far as a trigger goes (in memory that processes share;
 * it takes every trigger and counts it), and a client of ours whose wire goes there and to Azurite, pauses, loses
 * answers and kills its process. */
#ifndef REINSTATE_CLAIMS_STAGE_H
#define REINSTATE_CLAIMS_STAGE_H

#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "../../providers/backup/job_run.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"

#define SUBSCRIPTION "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002"
#define VAULT SUBSCRIPTION "/resourceGroups/rg-backup/providers/Microsoft.RecoveryServices/vaults/rsv"
#define CONTAINER "iaasvmcontainerv2;rg;vm"
#define ITEM                                                                                                           \
    VAULT "/backupFabrics/Azure/protectionContainers/IaasVMContainer;" CONTAINER "/protectedItems/VM;" CONTAINER
#define ACCOUNTS SUBSCRIPTION "/resourceGroups/rg-dr/providers/Microsoft.Storage/storageAccounts/"
#define MACHINES SUBSCRIPTION "/resourceGroups/rg-dr/providers/Microsoft.Compute/virtualMachines/"
#define POINT "702113300000001"
#define OPERATOR "0f0f0f0f-0000-4000-8000-00000000000b"

enum { JOBS_MAX = 64, JOB_MS = 2 * MINUTE_MS, EXIT_BLOCKED = 3, EXIT_WRONG = 9 };

struct stage {
    const char *ca_file, *account_key;
    unsigned int port;
    int64_t epoch_ms; /* where both clocks were set off */
    double speed;
    uint64_t seed;
};

/* One restore ordered; shared by all processes of a round. */
struct play {
    atomic_int triggers;
    atomic_llong shown_ms[JOBS_MAX], ends_ms[JOBS_MAX]; /* of the jobs, one for each trigger; 0: not yet */
    atomic_int kills;
    int64_t since_ms; /* of the order */
    char left[80];    /* the claim that the last run left to a person */
};

/* Where a process is killed: as a request is about to leave, or when Azure has done it and the answer has not come. */
enum instant { AT_NONE, AT_CLAIM, AT_TRIGGER, AT_NOTE, AT_LOOK, INSTANTS };

struct runner {
    const struct stage *stage;
    struct play *play;
    const char *account;
    uint64_t random;
    enum instant dies_at;
    bool dies_after, steady, by_key; /* steady: no pauses, no lost answers */
    int spared;                      /* so many times it gets over that instant */
    const char *order, *take_over;
    struct wire *curl;
    struct azure *az;
    int code;
};

static int64_t real_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* The one clock that Azurite, Azure Backup and the processes live by. */
static int64_t world_ms(const struct stage *stage)
{
    return stage->epoch_ms + (int64_t)((double)(real_ms() - stage->epoch_ms) * stage->speed);
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % below;
}

static void nap_us(uint64_t us)
{
    const struct timespec span = {.tv_sec = (time_t)(us / 1000000), .tv_nsec = (long)(us % 1000000) * 1000};

    nanosleep(&span, NULL);
}

/* --- Azure Backup, as far as a trigger goes ----------------------------------------------------------------------- */

static struct value *job_body(struct arena *a, const struct runner *r, int n)
{
    struct value *job = value_map(a), *p = value_set(a, job, "properties", value_map(a)), *bag;
    int64_t ends_ms = atomic_load(&r->play->ends_ms[n]), now_ms = world_ms(r->stage);

    value_set(a, job, "id", value_format(a, VAULT "/backupJobs/job-%d", n));
    value_set(a, job, "name", value_format(a, "job-%d", n));
    value_set_string(a, p, "operation", "Restore");
    value_set_string(a, p, "entityFriendlyName", "vm");
    value_set_string(a, p, "containerName", CONTAINER);
    value_set_string(a, p, "status", now_ms < ends_ms ? "InProgress" : "Completed");
    value_set_string(a, p, "startTime", time_format(a, ends_ms - JOB_MS));
    if (now_ms >= ends_ms)
        value_set_string(a, p, "endTime", time_format(a, ends_ms));
    bag = value_set(a, value_set(a, p, "extendedInfo", value_map(a)), "propertyBag", value_map(a));
    value_set_string(a, bag, "Job Type", "Recover VM to an alternate location");
    value_set_string(a, bag, "Target VM Name", r->account);
    value_set_string(a, bag, "Target resource group", "rg-dr");
    value_set_string(a, bag, "Recovery point time ", "11/22/2026 8:00:00 PM");
    return job;
}

/* The list shows a job minutes after its trigger. */
static bool shown(const struct runner *r, int n)
{
    int64_t shown_ms = atomic_load(&r->play->shown_ms[n]);

    return shown_ms && world_ms(r->stage) >= shown_ms;
}

static int add_job(struct runner *r)
{
    int n = atomic_fetch_add(&r->play->triggers, 1);
    int64_t now_ms = world_ms(r->stage);

    if (n >= JOBS_MAX)
        _exit(EXIT_WRONG);
    atomic_store(&r->play->ends_ms[n], now_ms + JOB_MS);
    atomic_store(&r->play->shown_ms[n], now_ms + (int64_t)draw(&r->random, 4 * MINUTE_MS));
    return n;
}

static struct value *refusal(struct arena *a)
{
    struct value *body = value_map(a), *error = value_set(a, body, "error", value_map(a));

    value_set_string(a, error, "code", "ResourceNotFound");
    value_set_string(a, error, "message", "It is not there.");
    return body;
}

static struct value *list_jobs(struct arena *a, const struct runner *r)
{
    struct value *body = value_map(a), *list = value_set(a, body, "value", value_list(a));

    for (int n = 0; n < JOBS_MAX; n++)
        if (shown(r, n))
            value_push(a, list, job_body(a, r, n));
    return body;
}

static struct value *account_body(struct arena *a, const struct runner *r, bool keys)
{
    struct value *body = value_map(a), *p, *key;

    if (keys) {
        key = value_map(a);
        value_set_string(a, key, "value", r->stage->account_key);
        value_push(a, value_set(a, body, "keys", value_list(a)), key);
        return body;
    }
    p = value_set(a, value_set(a, body, "properties", value_map(a)), "primaryEndpoints", value_map(a));
    value_set(a, p, "blob", value_format(a, "https://%s.blob.localhost:%u/", r->account, r->stage->port));
    return body;
}

static void answer_as_arm(struct runner *r, struct arena *a, const struct wire_request *request, struct wire_reply *ret)
{
    const char *job = strstr(request->url, "/backupJobs/job-"),
               *operation = strstr(request->url, "/backupOperations/op-");
    struct text json cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct value *body;

    *ret = (struct wire_reply){.status = 200, .headers = arena_array(a, struct wire_header, 2)};
    ret->headers[ret->n_headers++] = (struct wire_header){"Date", time_format_http(a, world_ms(r->stage))};
    if (str_eq(request->method, "POST") && strstr(request->url, "/restore?")) {
        const char *url = arena_printf(
            a, "https://management.azure.com" VAULT "/backupOperations/op-%d?api-version=2025-02-01", add_job(r));

        ret->status = 202;
        ret->headers[ret->n_headers++] = (struct wire_header){"Azure-AsyncOperation", url};
        body = NULL;
    } else if (operation) {
        body = value_map(a);
        value_set_string(a, body, "status", "Succeeded");
        value_set(a, value_set(a, body, "properties", value_map(a)), "jobId",
                  value_format(a, "job-%d", (int)strtol(operation + strlen("/backupOperations/op-"), NULL, 10)));
    } else if (job) {
        int n = (int)strtol(job + strlen("/backupJobs/job-"), NULL, 10);

        body = shown(r, n) ? job_body(a, r, n) : refusal(a);
        ret->status = shown(r, n) ? 200 : 404;
    } else if (strstr(request->url, "/storageAccounts/")) {
        body = account_body(a, r, strstr(request->url, "/listKeys") != NULL);
    } else {
        body = list_jobs(a, r);
    }
    if (body)
        json_write(&json, body, JSON_COMPACT);
    secret_set(&ret->body, text_str(&json), json.len);
}

/* --- the wire: pauses, kills, lost answers ------------------------------------------------------------------------ */

static bool has_header(const struct wire_request *request, const char *name)
{
    for (size_t i = 0; i < request->n_headers; i++)
        if (str_eq_nocase(request->headers[i].name, name))
            return true;
    return false;
}

static enum instant instant_of(const struct wire_request *request)
{
    if (str_eq(request->method, "POST"))
        return strstr(request->url, "/restore?") ? AT_TRIGGER : AT_NONE;
    if (str_eq(request->method, "GET"))
        return strstr(request->url, "comp=list") ? AT_LOOK : AT_NONE;
    return has_header(request, "If-Match") ? AT_NOTE : has_header(request, "If-None-Match") ? AT_CLAIM : AT_NONE;
}

static void pause_or_die(struct runner *r, bool dies)
{
    if (dies)
        kill(getpid(), SIGKILL);
    if (!r->steady)
        nap_us(draw(&r->random, draw(&r->random, 16) ? 6000 : 60000));
}

/* Its own Date is that of this machine, which nobody lives by. */
static void forget_date(struct wire_reply *reply)
{
    for (size_t i = 0; i < reply->n_headers; i++)
        if (str_eq_nocase(reply->headers[i].name, "Date"))
            reply->headers[i--] = reply->headers[--reply->n_headers];
}

static int exchange(void *self, struct call *c, struct arena *a, const struct wire_request *request,
                    struct wire_reply *ret, struct err *err)
{
    struct runner *r = self;
    enum instant now = instant_of(request);
    bool here = now != AT_NONE && now == r->dies_at && r->spared-- <= 0;

    pause_or_die(r, here && !r->dies_after);
    if (strstr(request->url, ".blob.localhost")) {
        TRY(r->curl->exchange(r->curl->self, c, a, request, ret, err));
        forget_date(ret);
    } else {
        answer_as_arm(r, a, request, ret);
    }
    pause_or_die(r, here);
    if (!r->steady && now != AT_NONE && now != AT_LOOK && !draw(&r->random, 8)) {
        wire_reply_release(ret);
        *ret = (struct wire_reply){.fault = WIRE_LOST, .text = "the answer was lost"};
    }
    return 0;
}

/* --- one process -------------------------------------------------------------------------------------------------- */

/* Azurite looks at times, audience and issuer, not at the signature. */
static void make_token(const char *audience, struct secret *ret)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const char *parts[] = {
        "{\"alg\":\"RS256\",\"typ\":\"JWT\"}",
        arena_printf(a,
                     "{\"aud\":\"%s\",\"iss\":\"https://sts.windows.net/0f0f0f0f-0000-4000-8000-000000000001/\","
                     "\"iat\":1600000000,\"nbf\":1600000000,\"exp\":4100000000,\"oid\":\"" OPERATOR "\"}",
                     audience)};

    for (size_t i = 0; i < COUNT(parts); i++) {
        crypt_base64_encode(&t, parts[i], strlen(parts[i]), BASE64_URL);
        text_add_char(&t, '.');
    }
    text_add(&t, "c2ln");
    secret_set(ret, text_str(&t), t.len);
}

/* Runs one task with a client of its own. A refused token makes the client ask for the account's key. */
static void with_client(struct runner *r, task_fn *task)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct sched *sched = sched_new(
        &(struct sched_options){.time = SCHED_REAL, .start_ms = world_ms(r->stage), .speed = r->stage->speed});
    struct wire wire = {.self = r, .exchange = exchange};
    /* On this clock a busy machine takes minutes for what Azure answers in a second: patience is as long. */
    struct http *http = http_new(
        sched, &(struct http_options){.wire = &wire, .mode = HTTP_WRITING, .patience = {.unasked_ms = 10 * MINUTE_MS}});
    struct cloud cloud = *cloud_builtin("AzurePublic");
    struct credential credential = {.kind = CREDENTIAL_GIVEN_TOKENS};

    cloud.blob_suffix = arena_printf(a, ".blob.localhost:%u", r->stage->port);
    make_token("https://management.azure.com", &credential.tokens[AUDIENCE_ARM]);
    make_token(r->by_key ? "https://vault.azure.net" : "https://storage.azure.com",
               &credential.tokens[AUDIENCE_STORAGE]);
    r->curl = wire_curl_new(sched, r->stage->ca_file, 4);
    r->az = azure_new(http, &cloud, &credential, NULL, "0f0f0f0f-0000-4000-8000-000000000002", "uaenorth");
    sched_main(sched, task, r);
    azure_free(r->az);
    http_free(http);
    wire_free(r->curl);
    sched_free(sched);
    credential_release(&credential);
}

#endif
