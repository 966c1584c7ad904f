/* Long-running operations and lists by counts: how often is asked, how far apart, and how much memory that leaves behind. */
#include "azure_peer.h"

#include "../../providers/azure/arm.h"

#define ARM "https://management.azure.com"
#define SET "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/diskEncryptionSets/des"
#define POLL ARM "/subscriptions/s/providers/Microsoft.Compute/locations/l/DiskOperations/o?p="

static void run_put(struct call *c, struct peer_case *t)
{
    struct value *v = NULL;
    size_t before = arena_bytes(t->a);

    t->rc = arm_put(t->az, c, t->a, SET, API_DISK, value_map(t->a), HOUR_MS * 24, &v, &t->err);
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
                                  .body = "{\"id\":\"" SET "\",\"properties\":{\"provisioningState\":\"Succeeded\"}}"};
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
        {"nought", "0", 5000, 15100}, {"a second", "1", 5000, 15100}, {"nothing", NULL, 30000, 30100}, {"twenty", "20", 20000, 20100},
        {"a date", "Mon, 23 Nov 2026 03:00:20 GMT", 20000, 20100},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct peer p = {0};
        struct err err;

        put_polled(a, 8, rows[i].wait, &p, &err);
        /* The first wait is the PUT's, which names none. */
        for (size_t k = 4; k + 1 < p.n_seen; k++)
            CHECK_ROW(rows[i].reason, p.times[k] - p.times[k - 1] >= rows[i].least_ms && p.times[k] - p.times[k - 1] <= rows[i].most_ms);
        peer_release(&p);
        arena_free(a);
    }
}

int main(void)
{
    test_polls_leave_nothing_behind();
    test_floor_of_polls();
    HARNESS_END();
}
