/* Long-running operations and lists by counts: how often is asked, how far apart, and how much
 * memory that leaves behind. */
#include "azure_peer.h"

#include "../../providers/azure/arm.h"

#define ARM "https://management.azure.com"
#define SET "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/des"
#define MADE                                                                                                           \
    "{\"id\":\"" SET "\",\"identity\":{\"type\":\"None\"},\"properties\":{\"provisioningState\":\"Succeeded\"," \
    "\"encryptionType\":\"x\",\"activeKey\":{\"keyUrl\":\"x\"}}}"
#define POLL ARM "/subscriptions/s/providers/Microsoft.Compute/locations/l/DiskOperations/o?p="

static void run_put(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;
    size_t before = arena_bytes(t->a);

    t->rc = arm_put(t->az, c, t->a, &(struct arm_making){.id = SET, .api = API_DISK, .bound_ms = HOUR_MS * 24},
                    value_map(t->a), &v, &t->err);
    CHECK(t->rc < 0 || str_eq(value_str_at(v, "properties.provisioningState"), "Succeeded"));
    *(size_t *)t->arg = arena_bytes(t->a) - before;
}

/* A PUT whose operation is polled `polls` times in vain, with that wait; what is left behind, and when it was asked. */
static size_t put_polled(struct arena *a, size_t polls, const char *wait, struct peer *p, struct err *ret_err)
{
    struct peer_row *rows = arena_array(a, struct peer_row, polls + 6);
    size_t n = 0, bytes = 0;
    struct peer_case t = {.a = arena_new(), .run = run_put, .arg = &bytes};

    rows[n++] = (struct peer_row)PEER_LOGIN;
    rows[n++] = (struct peer_row){.method = "PUT", .url = SET, .status = 202, .body = "{}",
                                  .headers = {{"Azure-AsyncOperation", POLL "0"}}};
    for (size_t i = 0; i < polls; i++)
        rows[n++] = (struct peer_row){.method = "GET", .url = arena_printf(a, POLL "%zu", i), .status = 200,
                                      .body = "{\"status\":\"InProgress\"}",
                                      .headers = {{"Date", "Mon, 23 Nov 2026 03:00:00 GMT"},
                                                  {"Azure-AsyncOperation", arena_printf(a, POLL "%zu", i + 1)},
                                                  {wait ? "Retry-After" : NULL, wait}}};
    rows[n++] = (struct peer_row){.method = "GET", .url = arena_printf(a, POLL "%zu", polls), .status = 200,
                                  .body = "{\"status\":\"Succeeded\"}"};
    rows[n++] = (struct peer_row){.method = "GET", .url = SET, .status = 200,
                                  .body = MADE};
    peer_run("an operation", rows, n, &t, p);
    CHECK(t.rc == 0);
    *ret_err = t.err;
    arena_free(t.a);
    return bytes;
}

/* 61,712 polls of one operation once left 232 MB behind. */
static void test_polls_leave_nothing_behind(void)
{
    struct arena *a = arena_new();
    struct peer few = {0}, many = {0};
    struct err err;
    size_t least = put_polled(a, 2, "5", &few, &err), most = put_polled(a, 500, "5", &many, &err);

    CHECK(most <= least + 64);
    peer_release(&few);
    peer_release(&many);
    arena_free(a);
}

static void test_floor_of_polls(void)
{
    static const struct {
        const char *reason, *wait;
        int64_t least_ms, most_ms;
    } rows[] = {
        {"nought", "0", 5000, 15100},
        {"a second", "1", 5000, 15100},
        {"nothing", NULL, 30000, 30100},
        {"twenty", "20", 20000, 20100},
        {"a date", "Mon, 23 Nov 2026 03:00:20 GMT", 20000, 20100},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct peer p = {0};
        struct err err;

        put_polled(a, 8, rows[i].wait, &p, &err);
        /* The first wait is the PUT's, which names none. */
        for (size_t k = 4; k + 1 < p.n_seen; k++)
            CHECK_ROW(rows[i].reason, p.times[k] - p.times[k - 1] >= rows[i].least_ms &&
                                          p.times[k] - p.times[k - 1] <= rows[i].most_ms);
        peer_release(&p);
        arena_free(a);
    }
}

/* --- lists -------------------------------------------------------------------------------------------------------- */

#define LIST "/subscriptions/s/resources"
#define PAGE(n, items, next) \
    {.method = "GET", .url = n, .status = 200, .body = "{\"value\":[" items "],\"nextLink\":\"" next "\"}"}

static void run_list(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;

    t->rc = arm_list(t->az, c, t->a, LIST, API_RESOURCES, &v, &t->err);
    *(size_t *)t->arg = value_count(v);
}

static const struct {
    const char *reason;
    struct peer_row rows[10];
    size_t n_rows;
    int rc;
    size_t items;
    const char *says;
} list_rows[] = {
    {"a token that ends between two pages: the same page is asked for again",
     {PEER_LOGIN,
      PAGE(LIST, "1", ARM "/p?2"),
      {.method = "GET", .url = ARM "/p?2", .status = 401, .body = "{}"},
      {.method = "POST",
       .url = "/oauth2/v2.0/token",
       .status = 200,
       .body = "{\"token_type\":\"Bearer\",\"expires_in\":3599,\"access_token\":\"t2\"}"},
      {.method = "GET", .url = ARM "/p?2", .status = 200, .body = "{\"value\":[2]}", .authorization = "Bearer t2"}},
     5,
     0,
     2,
     NULL},
    {"the port that is the default",
     {PEER_LOGIN, PAGE(LIST, "1", "https://MANAGEMENT.azure.com:443/p?2"), PAGE("/p?2", "2", "")},
     3,
     0,
     2,
     NULL},
    {"another port",
     {PEER_LOGIN, PAGE(LIST, "1", "https://management.azure.com:8443/p?2")},
     2,
     -ERR_PROTOCOL,
     0,
     "another host"},
    {"a page that names itself",
     {PEER_LOGIN, PAGE(LIST, "1", ARM "/p?2"), PAGE("/p?2", "2", ARM "/p?2")},
     3,
     -ERR_PROTOCOL,
     0,
     "page 2 names page 2"},
    {"a circle",
     {PEER_LOGIN, PAGE(LIST, "1", ARM "/p?2"), PAGE("/p?2", "2", ARM "/p?3"), PAGE("/p?3", "3", ARM "/p?2")},
     4,
     -ERR_PROTOCOL,
     0,
     "page 3 names page 2"},
    {"the same page under a new address",
     {PEER_LOGIN, PAGE(LIST, "1", ARM "/p?2"), PAGE("/p?2", "1", ARM "/p?3")},
     3,
     -ERR_PROTOCOL,
     0,
     "page 2 holds what the page before it holds"},
    {"empty pages are no repetition",
     {PEER_LOGIN, PAGE(LIST, "", ARM "/p?2"), PAGE("/p?2", "", ARM "/p?3"), PAGE("/p?3", "1", "")},
     4,
     0,
     1,
     NULL},
};

static void test_lists(void)
{
    for (size_t i = 0; i < COUNT(list_rows); i++) {
        size_t items = 0;
        struct peer_case t = {.a = arena_new(), .run = run_list, .arg = &items};
        struct peer p = {0};

        peer_run(list_rows[i].reason, list_rows[i].rows, list_rows[i].n_rows, &t, &p);
        CHECK_ROW(list_rows[i].reason, t.rc == list_rows[i].rc);
        CHECK_ROW(list_rows[i].reason, items == list_rows[i].items);
        CHECK_ROW(list_rows[i].reason, !list_rows[i].says || strstr(t.err.text, list_rows[i].says));
        peer_release(&p);
        arena_free(t.a);
    }
}

int main(void)
{
    test_polls_leave_nothing_behind();
    test_floor_of_polls();
    test_lists();
    HARNESS_END();
}
