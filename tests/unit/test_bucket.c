/* Allowances on a virtual clock: what is asked for at once leaves as fast as the service allows, and no faster. */
#include "limited_peer.h"

#include <math.h>

#define TOLD "x-ms-ratelimit-remaining-subscription-reads"

static const struct allowance reads = {"reads", 250, 25, TOLD, NULL}, silent = {"reads", 250, 25, NULL, NULL},
                              scarce = {"reads", 50, 5, TOLD, NULL},
                              hourly = {"jobs", 250, 250.0 / 3600, TOLD, NULL}, untold = {"anything", 0, 0, TOLD, NULL};

/* The time that the service's own figures ask for, in ms. */
static int64_t least_ms(const struct asking *all)
{
    double each = ceil((double)all->count / (double)all->subscriptions) - all->peer->is.left;

    return each <= 0 ? 0 : (int64_t)(each / all->peer->is.per_second * SECOND_MS);
}

static const struct row {
    const char *name;
    const struct allowance *of;
    struct limits is; /* left, most, each second, latency, header, Retry-After */
    size_t count, subscriptions;
    size_t refused_most;
    double longer_most; /* than the service's figures ask for */
} rows[] = {
    {"as documented", &reads, {250, 250, 25, 50, TOLD, 5}, 1000, 1, 0, 1.01},
    {"as documented, a slow line", &reads, {250, 250, 25, 400, TOLD, 5}, 1000, 1, 0, 1.02},
    {"as documented, nothing told", &silent, {250, 250, 25, 50, NULL, 5}, 1000, 1, 0, 1.01},
    {"more than documented: none waits", &reads, {1100, 1100, 25, 50, TOLD, 5}, 1100, 1, 0, 1},
    {"more than documented", &reads, {1100, 1100, 25, 50, TOLD, 5}, 3000, 1, 0, 1.01},
    {"faster than documented", &reads, {250, 250, 50, 50, TOLD, 5}, 2000, 1, 0, 1.01},
    {"less than documented", &reads, {100, 100, 15, 50, TOLD, 5}, 1000, 1, 2, 1.01},
    {"empty when we come", &reads, {0, 250, 25, 50, TOLD, 1}, 1000, 1, 4, 1.01},
    {"ten subscriptions, each for itself", &reads, {250, 250, 25, 50, TOLD, 5}, 5000, 10, 0, 1.02},
    {"fifty subscriptions", &scarce, {50, 50, 5, 50, TOLD, 5}, 5000, 50, 0, 1.05},
    {"by the hour", &hourly, {250, 250, 250.0 / 3600, 50, TOLD, 60}, 300, 1, 0, 1.01},
    {"not documented, and plenty", &untold, {5000, 5000, 1, 50, TOLD, 60}, 1000, 1, 0, 1},
    {"not documented, and told", &untold, {300, 300, 300.0 / 3600, 50, TOLD, 60}, 400, 1, 0, 1.01},
    {"not documented, and told too late", &untold, {40, 300, 300.0 / 3600, 50, TOLD, 60}, 140, 1, 100, 1.3},
};

static void test_as_fast_as_allowed(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct limited peer = {.is = row->is};
        struct asking all = {.peer = &peer, .of = row->of, .count = row->count, .subscriptions = row->subscriptions};
        int64_t least = least_ms(&all), most;

        ask(&all);
        /* And the first and the last answer under way. */
        most = (int64_t)((double)least * row->longer_most) + 2 * row->is.latency_ms;
        if (least == 0)
            most = (int64_t)(row->count / PLACES + 2) * row->is.latency_ms;
        CHECK_ROW(row->name, all.done == row->count && peer.served == row->count);
        CHECK_ROW(row->name, peer.refused <= row->refused_most);
        CHECK_ROW(row->name, all.took_ms >= least - SECOND_MS && all.took_ms <= most);
        if (peer.refused > row->refused_most || all.took_ms > most)
            fprintf(stderr, "%s: %zu refused, %lld ms of %lld (least %lld)\n", row->name, peer.refused,
                    (long long)all.took_ms, (long long)most, (long long)least);
    }
}

/* Without the bucket the same crowd is refused by the hundred: the rows above can fail. */
static void test_without_it(void)
{
    struct limited peer = {.is = rows[0].is};
    struct asking all = {.peer = &peer, .count = 1000, .subscriptions = 1};

    ask(&all);
    CHECK(peer.refused > 100);
}

static void test_in_the_order_of_asking(void)
{
    struct limited peer = {.is = {20, 20, 5, 0, TOLD, 5}};
    struct asking all = {
        .peer = &peer, .of = &(struct allowance){"few", 20, 5, TOLD, NULL}, .count = 60, .subscriptions = 1};

    ask(&all);
    CHECK(all.done == 60 && all.out_of_turn == 0 && peer.refused == 0 && all.took_ms == 8000);
}

/* What queues for what is allowed has not yet asked an unwilling service. */
static void test_costs_no_patience(void)
{
    struct limited peer = {.is = {250, 250, 25, 50, TOLD, 5}};
    struct asking all = {
        .peer = &peer, .of = &reads, .count = 3000, .subscriptions = 1, .own_patience_ms = ADVISORY_PATIENCE_MS};

    ask(&all);
    CHECK(all.done == 3000 && all.failed == 0 && all.took_ms > MINUTE_MS && peer.refused == 0);
}

static void test_cancelled_in_line(void)
{
    struct limited peer = {.is = {250, 250, 25, 50, TOLD, 5}};
    struct asking all = {.peer = &peer, .of = &reads, .count = 1000, .subscriptions = 1, .cancel_ms = 10 * SECOND_MS};

    ask(&all);
    CHECK(all.took_ms == 10 * SECOND_MS && all.done + all.failed == 1000);
    CHECK(all.done >= 490 && all.done <= 500 && peer.refused == 0);
}

static void test_what_headers_say(void)
{
    static const struct {
        const char *entry, *value;
        int64_t left;
    } said[] = {
        {NULL, "249", 249},
        {NULL, "0", 0},
        {NULL, "", -1},
        {NULL, NULL, -1},
        {NULL, "-3", -1},
        {NULL, "many", -1},
        {NULL, "12345678901", -1},
        {NULL, "12x", -1},
        {"C/Sets3Min", "C/Sets3Min;99,C/Sets30Min;299", 99},
        {"C/Sets30Min", "C/Sets3Min;99,C/Sets30Min;299", 299},
        {"C/Sets30Min", "C/Sets3Min;99, C/Sets30Min;7", 7},
        {"C/Sets", "C/Sets3Min;99", -1},
        {"C/Sets3Min", "", -1},
        {"C/Sets3Min", "C/Sets3Min;", -1},
    };

    for (size_t i = 0; i < COUNT(said); i++) {
        struct allowance of = {.name = "x", .entry = said[i].entry};

        CHECK_ROW(said[i].value ? said[i].value : "(none)", allowance_left(&of, said[i].value) == said[i].left);
    }
}

int main(void)
{
    static void (*const tests[])(void) = {
        test_as_fast_as_allowed, test_without_it,        test_in_the_order_of_asking,
        test_costs_no_patience,  test_cancelled_in_line, test_what_headers_say,
    };

    for (size_t i = 0; i < COUNT(tests); i++)
        tests[i]();
    HARNESS_END();
}
