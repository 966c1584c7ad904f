/* The simulated world as a document: contradictions, the way out to a file and back in, the fault
 * script across a kill. */
#include "harness.h"
#include "sim_fixture.h"

#include <setjmp.h>
#include <unistd.h>

#define API "?api-version=2025-01-02"
#define G_API "?api-version=2025-04-01"
#define DES DR_GROUP "/providers/Microsoft.Compute/diskEncryptionSets/des-new"
#define DES_BODY                                                                                                       \
    "{\"location\":\"uaenorth\",\"identity\":{\"type\":\"SystemAssigned\"},\"properties\":{\"encryptionType\":"        \
    "\"ConfidentialVmEncryptedWithCustomerKey\",\"activeKey\":{\"keyUrl\":\"" KEY_URL "\"}}}"

static struct value *parsed(struct arena *a, const char *json)
{
    struct value *v = NULL;
    struct err err;

    return json_parse(a, json, strlen(json), &v, &err) == 0 ? v : NULL;
}

static void test_contradictions(void)
{
    static const struct {
        const char *reason, *list, *item, *want;
    } rows[] = {
        {"a resource twice", "resources", "{\"id\":\"" DR_GROUP "\"}", "given twice"},
        {"a resource twice in other letters", "resources", "{\"id\":\"" SUB "/resourcegroups/RG-DR\"}", "given twice"},
        {"no ARM id", "resources", "{\"id\":\"rg-dr\"}", "ARM id"},
        {"a resource without its group", "resources",
         "{\"id\":\"" SUB "/resourceGroups/gone/providers/Microsoft.Compute/disks/d\"}", "group is not"},
        {"a set without its vault", "resources",
         "{\"id\":\"" DR_GROUP "/providers/Microsoft.Compute/diskEncryptionSets/"
                               "d\",\"properties\":{\"activeKey\":{\"key\":{\"store\":\"kv-none\","
         "\"name\":\"k\",\"version\":\"" KEY_VERSION "\"}}}}",
         "vault is not in the world"},
        {"a key without its vault", "keys",
         "{\"store\":\"kv-none\",\"name\":\"k\",\"state\":\"active\",\"versions\":[{\"id\":\"" KEY_VERSION "\"}]}",
         "store is not"},
        {"a key twice", "keys",
         "{\"store\":\"KV-PAY\",\"name\":\"os-key\",\"state\":\"active\",\"versions\":[{\"id\":\"" KEY_VERSION "\"}]}",
         "given twice"},
        {"a key without versions", "keys",
         "{\"store\":\"kv-pay\",\"name\":\"k2\",\"state\":\"active\",\"versions\":[]}", "at least one version"},
        {"an unknown role", "roleAssignments", "{\"principal\":\"operator\",\"role\":\"King\",\"scope\":\"/\"}",
         "no such role"},
        {"an unknown principal", "roleAssignments", "{\"principal\":\"nobody\",\"role\":\"Reader\",\"scope\":\"/\"}",
         "no such principal"},
        {"a principal twice", "principals", "{\"name\":\"twin\",\"objectId\":\"" OPERATOR "\"}", "objectId of its own"},
        {"a backup without its vault", "backups",
         "{\"vault\":\"" DR_GROUP "/providers/Microsoft.RecoveryServices/vaults/none\",\"points\":[]}", "vault is not"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct value *world = value_copy(a, fixture_world(a, "")), *spec = value_get(world, "spec");
        struct diags diags;
        struct sim *s;
        bool said = false;

        if (!value_get(spec, rows[i].list))
            value_set(a, spec, rows[i].list, value_list(a));
        value_push(a, value_get(spec, rows[i].list), parsed(a, rows[i].item));
        s = fixture_sim(a, world, NULL, &diags);
        CHECK_ROW(rows[i].reason, s == NULL && diags.n_errors > 0);
        for (size_t k = 0; k < diags.count; k++)
            said |= strstr(diags.items[k].what, rows[i].want) != NULL;
        CHECK_ROW(rows[i].reason, said);
        sim_free(s);
        arena_free(a);
    }
}

/* What an hour of work leaves in the world; `part` 0 is all of it, 1 the first half, 2 the second. */
static void work(struct sim *s, struct arena *a, int64_t start, int part)
{
    const char *grant = "{\"properties\":{\"roleDefinitionId\":\"/providers/Microsoft.Authorization/roleDefinitions/"
                        "e147488a-f6f5-4113-8e2d-b22465e65bf6\",\"principalId\":\"" READER "\"}}";
    const char *url =
        ARM VAULT "/providers/Microsoft.Authorization/roleAssignments/22222222-1111-4111-8111-111111111111"
                  "?api-version=2022-04-01";
    const char *token = operator_token(s, a, part == 2 ? start + 2000 : start);

    if (part != 2)
        CHECK(ask(s, a, start + 1000, token, "PUT", ARM DES API, DES_BODY).status == 202);
    if (part != 1) {
        CHECK(ask(s, a, start + 3000, token, "PUT", url, grant).status == 201);
        CHECK(ask(s, a, start + 60000, token, "GET", ARM DES API, NULL).status == 200);
        CHECK(ask(s, a, start + 61000, token, "PATCH", ARM DES API, "{\"tags\":{\"a\":\"b\"}}").status == 202);
    }
}

static void test_reload(void)
{
    struct arena *a = arena_new();
    struct diags diags;
    struct sim *whole = fixture_sim(a, fixture_world(a, ""), NULL, &diags),
               *first = fixture_sim(a, fixture_world(a, ""), NULL, &diags), *second;
    int64_t start = sim_start_ms(whole);
    const char *text;

    work(whole, a, start, 0);
    work(first, a, start, 1);
    text = json_string(a, sim_world(a, first), JSON_INDENTED);
    CHECK_ROW("a world holds none of our addresses", strstr(text, ".vault.azure.net") == NULL);
    CHECK_ROW("but says that there is one", strstr(text, "https://kv-pay{vault}/keys/os-key") != NULL);
    second = fixture_sim(a, parsed(a, text), NULL, &diags);
    CHECK(second != NULL && diags.n_errors == 0);
    work(second, a, start, 2);
    CHECK_ROW("a reloaded world goes on as if it had never stopped",
              str_eq(json_string(a, sim_world(a, whole), JSON_CANONICAL),
                     json_string(a, sim_world(a, second), JSON_CANONICAL)));
    sim_free(whole);
    sim_free(first);
    sim_free(second);
    arena_free(a);
}

static struct value *file_value(struct arena *a, const char *path)
{
    char *bytes = arena_alloc(a, 1 << 20);
    FILE *f = fopen(path, "r");
    struct value *v = NULL;
    struct err err;
    size_t n = f ? fread(bytes, 1, 1 << 20, f) : 0;

    if (f)
        fclose(f);
    return n && json_parse(a, bytes, n, &v, &err) == 0 ? v : NULL;
}

static void die(void *ctx)
{
    longjmp(*(jmp_buf *)ctx, 1);
}

/* A request that kills its client: what is left in the file is what counts. */
static void test_kill(const char *reason, const char *how, bool applied)
{
    struct arena *a = arena_new();
    struct diags diags;
    char path[64];
    jmp_buf killed;
    const char *fault = arena_printf(a, "\"faults\":[{\"on\":{\"write\":1},\"do\":\"%s\"}],", how);
    struct sim_options options = {.world = fixture_world(a, fault),
                                  .endpoints = fixture_endpoints(),
                                  .world_out = path,
                                  .kill = die,
                                  .ctx = &killed};
    struct sim_header headers[2] = {{"Content-Type", "application/json"}};
    struct sim_call call = {.method = "PUT",
                            .url = ARM DES API,
                            .headers = headers,
                            .n_headers = 2,
                            .body = DES_BODY,
                            .body_len = strlen(DES_BODY)};
    struct sim_answer *answer = arena_new_of(a, struct sim_answer);     /* outlives the jump */
    struct sim *s;
    const struct value *left;

    snprintf(path, sizeof(path), "/tmp/sim-world-%d.json", (int)getpid());
    diags_init(&diags, a);
    s = sim_new(&options, &diags);
    headers[1] =
        (struct sim_header){"Authorization", arena_printf(a, "Bearer %s", operator_token(s, a, sim_start_ms(s)))};
    if (setjmp(killed) == 0) {
        sim_handle(s, sim_start_ms(s), a, &call, answer);
        CHECK_ROW(reason, false);
    }
    text_release(&answer->body);
    left = file_value(a, path);
    CHECK_ROW(reason, left != NULL);
    sim_free(s);
    options.world = left;
    s = sim_new(&options, &diags);
    CHECK_ROW(reason, s != NULL);
    if (s) {
        const char *token = operator_token(s, a, sim_start_ms(s));

        CHECK_ROW(reason, (ask(s, a, sim_start_ms(s), token, "GET", ARM DES API, NULL).status == 200) == applied);
        CHECK_ROW("the fault fires once",
                  ask(s, a, sim_start_ms(s) + MINUTE_MS, token, "PUT", ARM DES API, DES_BODY).status == 202);
    }
    sim_free(s);
    unlink(path);
    arena_free(a);
}

static void test_faults(void)
{
    static const struct {
        const char *reason, *fault;
        int status[3];              /* of three GETs of the group; 0: reset */
    } rows[] = {
        {"the first only, when nothing else is said",
         "{\"on\":{\"method\":\"GET\"},\"do\":{\"status\":503}}",
         {503, 200, 200}},
        {"the second",
         "{\"on\":{\"path\":\"/RG-DR\"},\"nth\":2,\"do\":{\"status\":429,\"retryAfter\":17}}",
         {200, 429, 200}},
        {"every one", "{\"on\":{\"host\":\"management\"},\"every\":true,\"do\":{\"status\":500}}", {500, 500, 500}},
        {"another method", "{\"on\":{\"method\":\"PUT\"},\"do\":{\"status\":500}}", {200, 200, 200}},
        {"another host", "{\"on\":{\"host\":\"graph\"},\"do\":{\"status\":500}}", {200, 200, 200}},
        {"a write that never comes", "{\"on\":{\"write\":1},\"do\":{\"status\":500}}", {200, 200, 200}},
        {"a lost connection", "{\"on\":{\"path\":\"rg-dr\"},\"do\":{\"reset\":\"before\"}}", {0, 200, 200}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct diags diags;
        struct sim *s =
            fixture_sim(a, fixture_world(a, arena_printf(a, "\"faults\":[%s],", rows[i].fault)), NULL, &diags);
        const char *token = operator_token(s, a, sim_start_ms(s));

        for (int k = 0; k < 3; k++) {
            struct reply r = ask(s, a, sim_start_ms(s), token, "GET", ARM DR_GROUP G_API, NULL);

            CHECK_ROW(rows[i].reason, rows[i].status[k] ? r.fault == SIM_ANSWERED && r.status == rows[i].status[k]
                                                        : r.fault == SIM_RESET);
            if (r.status == 429)
                CHECK_STR(header_of(&r, "Retry-After"), "17");
        }
        sim_free(s);
        arena_free(a);
    }
}

static void test_late_faults(void)
{
    static const struct {
        const char *reason, *todo;
        enum sim_fault fault;
        bool applied;
    } rows[] = {
        {"reset before: nothing was done", "{\"reset\":\"before\"}", SIM_RESET, false},
        {"reset after: it was", "{\"reset\":\"after\"}", SIM_RESET, true},
        {"a stalled request was carried out", "{\"stall\":true}", SIM_STALL, true},
        {"a status in its place: nothing was done", "{\"status\":500}", SIM_ANSWERED, false},
        {"a cut answer: it was", "{\"truncate\":5}", SIM_ANSWERED, true},
        {"a wrong body: it was", "{\"body\":\"<html>\"}", SIM_ANSWERED, true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct diags diags;
        const char *fault = arena_printf(a, "\"faults\":[{\"on\":{\"path\":\"/des-new\"},\"do\":%s}],", rows[i].todo);
        struct sim *s = fixture_sim(a, fixture_world(a, fault), NULL, &diags);
        const char *token = operator_token(s, a, sim_start_ms(s));
        struct reply r = ask(s, a, sim_start_ms(s), token, "PUT", ARM DES API, DES_BODY);

        CHECK_ROW(rows[i].reason, r.fault == rows[i].fault);
        CHECK_ROW(rows[i].reason, (r.answer.cut_after == 5) == (strstr(rows[i].todo, "truncate") != NULL));
        CHECK_ROW(rows[i].reason, str_eq(r.text, "<html>") == (strstr(rows[i].todo, "body") != NULL));
        CHECK_ROW(rows[i].reason,
                  (ask(s, a, sim_start_ms(s), token, "GET", ARM DES API, NULL).status == 200) == rows[i].applied);
        sim_free(s);
        arena_free(a);
    }
}

int main(void)
{
    test_contradictions();
    test_reload();
    test_kill("killed before the write: it was not done", "kill-before", false);
    test_kill("killed after the write: it was done", "kill-after", true);
    test_faults();
    test_late_faults();
    HARNESS_END();
}
