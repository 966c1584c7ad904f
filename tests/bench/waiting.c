/* A thousand operations that are polled every 30 seconds, in real time for six: what each holds, and what they cost. */
#include "harness.h"

#include "../../reconciler/run/http.h"
#include "figure.h"

enum { OPERATIONS = 1000, LOOK_S = 6 };

static struct {
    struct http *http;
    bool over;
    double held_kb, share;
} bench;

static void peer_answer(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request,
                        struct wire_reply *ret, int64_t *ret_delay_ms)
{
    (void)self, (void)now_ms, (void)a, (void)request;
    *ret = (struct wire_reply){.fault = WIRE_OK, .status = 202};
    secret_init(&ret->body);
    *ret_delay_ms = 0;
}

static long resident_kb(void)
{
    FILE *f = fopen("/proc/self/statm", "r");
    long all = 0, resident = 0;

    if (!f || fscanf(f, "%ld %ld", &all, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * 4;
}

static void operation(struct call *c, void *arg)
{
    struct err err;

    (void)arg;
    while (!bench.over) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct http_request request = {.method = HTTP_GET, .url = "https://arm.example/operations/1"};
        struct http_response response cleanup(http_response_release) = {0};

        if (http_send(bench.http, c, a, &request, &response, &err) < 0)
            return;
        arena_free(a);
        a = NULL;
        if (call_sleep_ms(c, 30 * SECOND_MS, "an operation", &err) < 0)
            return;
    }
}

static void look(struct call *c, void *arg)
{
    struct group *g = group_new(call_sched(c), "operations");
    long before = resident_kb();
    double used;
    struct err err;

    (void)arg;
    for (int i = 0; i < OPERATIONS; i++)
        group_spawn(g, "operation", operation, NULL);
    if (call_sleep_ms(c, SECOND_MS, "all to wait", &err) < 0)
        return;
    bench.held_kb = (double)(resident_kb() - before) / OPERATIONS;
    used = processor_s(RUSAGE_SELF);
    if (call_sleep_ms(c, LOOK_S * SECOND_MS, "the look", &err) < 0)
        return;
    bench.share = (processor_s(RUSAGE_SELF) - used) / LOOK_S * 100;
    bench.over = true;
    group_cancel(g);
    if (group_wait(c, g, &err) < 0)
        return;
    group_free(g);
}

int main(void)
{
    struct sched *s = sched_new(&(struct sched_options){.time = SCHED_REAL});
    struct wire *wire = wire_peer_new(&(struct wire_peer){.answer = peer_answer});

    bench.http = http_new(s, &(struct http_options){.wire = wire, .mode = HTTP_READ_ONLY, .in_flight_max = OPERATIONS});
    sched_main(s, look, NULL);
    http_free(bench.http);
    wire_free(wire);
    sched_free(s);
    figure("an operation that waits: memory", bench.held_kb, "KB", true, 8, "resident, of 1,000 between two polls");
    figure("1,000 operations that wait: processor", bench.share, "% of a core", true, 1, "six seconds in real time");
    return 0;
}
