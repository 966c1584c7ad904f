/* A crowd of reads under Azure's documented throttle and 50 ms of latency, on a virtual clock, beside the time that the
 * buckets themselves ask for: 1,000 reads for each of 1 and 10 subscriptions, 400 for each of 50. */
#include "../unit/limited_peer.h"
#include "figure.h"

int main(void)
{
    static const struct {
        size_t subscriptions, each;
        double most;
    } rows[] = {{1, 1000, 1.02}, {10, 1000, 1.05}, {50, 400, 1.05}};
    static const char header[] = "x-ms-ratelimit-remaining-subscription-reads";
    struct allowance reads = {"reads", 250, 25, header, NULL};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct limited peer = {.is = {250, 250, 25, 50, header, 5}};
        struct asking all = {.peer = &peer,
                             .of = &reads,
                             .count = rows[i].subscriptions * rows[i].each,
                             .subscriptions = rows[i].subscriptions};
        double least_ms = (double)(rows[i].each - 250) / 25 * SECOND_MS;
        char what[80], beside[120];

        ask(&all);
        snprintf(what, sizeof(what), "throttled reads, %zu subscription%s", rows[i].subscriptions,
                 rows[i].subscriptions == 1 ? "" : "s");
        snprintf(beside, sizeof(beside), "%.1f s of %.1f s that the buckets ask for, %zu places in flight, %zu 429s",
                 (double)all.took_ms / SECOND_MS, least_ms / SECOND_MS, (size_t)PLACES, peer.refused);
        figure(what, all.failed ? 1e9 : (double)all.took_ms / least_ms, "of that time", true, rows[i].most, beside);
    }
    return 0;
}
