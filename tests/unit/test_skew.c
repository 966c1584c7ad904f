/* Whose Date is believed. */
#include "harness.h"

#include "../../reconciler/run/skew.h"

enum { HALF_MS = 500 };

/* Our own clock reads 2026-11-23T03:00:00Z at span 0. */
static const int64_t own_ms = 1795402800000;

/* A host says that Azure is `off_ms` away from our own clock, at `at_ms`, in an exchange of 100 ms. */
static void hear(struct skew *k, const char *host, int64_t at_ms, int64_t off_ms)
{
    int64_t stamp = own_ms + at_ms + 50 + off_ms;

    skew_hear(k, host, stamp - stamp % SECOND_MS, at_ms, at_ms + 100);
}

static bool is_about(const struct skew *k, int64_t off_ms)
{
    int64_t error = k->offset_ms - own_ms - off_ms;

    return error > -2 * SECOND_MS && error < 2 * SECOND_MS;
}

static void test_one_host(void)
{
    static const int64_t offs[] = {25 * MINUTE_MS, -25 * MINUTE_MS, 3 * HOUR_MS,  -3 * HOUR_MS,
                                   7 * DAY_MS,     -7 * DAY_MS,     2 * SECOND_MS};
    struct skew k;

    skew_init(&k, own_ms);
    CHECK_ROW("before the first answer it is our own", k.offset_ms == own_ms && !k.heard);
    skew_hear(&k, "login", TIME_NONE, 0, 100);
    CHECK_ROW("an answer without a Date is none", !k.heard);
    hear(&k, "login", 0, 300);
    CHECK_ROW("what Date does not contradict is not touched", k.heard && k.offset_ms == own_ms);
    for (size_t i = 0; i < COUNT(offs); i++) {
        skew_init(&k, own_ms);
        hear(&k, "login", 0, offs[i]);
        CHECK_ROW("the first answer is believed", is_about(&k, offs[i]));
        for (int64_t at = 200; at < 5000; at += 170)
            hear(&k, "login", at, offs[i]);
        CHECK_ROW("more of them close in on it", llabs(k.offset_ms - own_ms - offs[i]) <= HALF_MS);
    }
}

static void test_slow_answers(void)
{
    struct skew k;

    skew_init(&k, own_ms);
    /* Stamped as it was sent, and a minute on its way. */
    skew_hear(&k, "arm", own_ms, 0, MINUTE_MS);
    CHECK_ROW("a slow answer moves nothing", k.offset_ms == own_ms);
    skew_hear(&k, "arm", own_ms + 10 * MINUTE_MS, 10 * MINUTE_MS, 14 * MINUTE_MS);
    CHECK_ROW("however slow", k.offset_ms == own_ms);
}

static void test_odd_headers(void)
{
    struct skew k;

    skew_init(&k, own_ms);
    hear(&k, "login", 0, 0);
    hear(&k, "arm", 200, 0);
    hear(&k, "arm", 400, 7 * DAY_MS);
    CHECK_ROW("one odd header moves nothing", is_about(&k, 0));
    hear(&k, "vault", 600, 0);
    hear(&k, "arm", 800, 7 * DAY_MS);
    CHECK_ROW("nor a second, with another host in between", is_about(&k, 0));
    for (int64_t at = 1000; at < 9000; at += 200)
        hear(&k, "blob", at, -3 * HOUR_MS);
    CHECK_ROW("a host that has never agreed moves nothing, however often it is asked", is_about(&k, 0));
    hear(&k, "arm", 9100, 0);
    CHECK_ROW("nor does it hinder the others", is_about(&k, 0));
}

static void test_first_host_broken(void)
{
    struct skew k;

    skew_init(&k, own_ms);
    hear(&k, "login", 0, 7 * DAY_MS);
    hear(&k, "arm", 200, 0);
    CHECK_ROW("of two, the one nearer to our own clock", is_about(&k, 0));
    for (int64_t at = 300; at < 2000; at += 200)
        hear(&k, "login", at, 7 * DAY_MS);
    CHECK_ROW("the other has lost its word", is_about(&k, 0));

    skew_init(&k, own_ms);
    hear(&k, "login", 0, MINUTE_MS);
    hear(&k, "arm", 200, 3 * HOUR_MS);
    CHECK_ROW("which may be the first", is_about(&k, MINUTE_MS));
    hear(&k, "vault", 400, 3 * HOUR_MS);
    CHECK_ROW("until two say otherwise: it is our own clock that is wrong", is_about(&k, 3 * HOUR_MS));
}

static void test_stood_still(void)
{
    struct skew k;

    skew_init(&k, own_ms);
    hear(&k, "login", 0, 0);
    hear(&k, "arm", 200, 0);
    hear(&k, "arm", 30000, HOUR_MS);
    CHECK_ROW("held for one answer", is_about(&k, 0));
    hear(&k, "arm", 30200, HOUR_MS);
    CHECK_ROW("this machine stood still for an hour: twice said by a host that agreed before", is_about(&k, HOUR_MS));
    hear(&k, "login", 30400, HOUR_MS);
    hear(&k, "vault", 30600, HOUR_MS);
    CHECK(is_about(&k, HOUR_MS));
}

/* Azure's clock at sixty times ours: looks every ten seconds, three answers a look. */
static void test_fast_azure(void)
{
    struct skew k;

    skew_init(&k, own_ms);
    hear(&k, "login", 0, 0);
    for (int64_t at = 100; at < 300000; at += 10000) {
        for (int64_t i = 0; i < 3; i++)
            hear(&k, "arm", at + 100 * i, 59 * (at + 100 * i));
        CHECK_ROW("followed", llabs(k.offset_ms - own_ms - 59 * (at + 200)) <= 2 * MINUTE_MS);
    }
}

static void test_many_hosts(void)
{
    char name[32];
    struct skew k;

    skew_init(&k, own_ms);
    for (int i = 0; i < 3 * SKEW_HOSTS; i++) {
        snprintf(name, sizeof(name), "account-%d", i);
        hear(&k, name, 100 * i, 10 * MINUTE_MS);
    }
    CHECK(k.n_voices == SKEW_HOSTS && is_about(&k, 10 * MINUTE_MS));
    hear(&k, "ARM.example", 100000, 10 * MINUTE_MS);
    hear(&k, "arm.EXAMPLE", 100200, 7 * DAY_MS);
    hear(&k, "odd", 100400, 7 * DAY_MS);
    CHECK_ROW("two odd hosts against one that spoke before them", is_about(&k, 7 * DAY_MS));
    hear(&k, "account-1", 100600, 10 * MINUTE_MS);
    CHECK_ROW("and back by the many", is_about(&k, 10 * MINUTE_MS));
}

int main(void)
{
    test_one_host();
    test_slow_answers();
    test_odd_headers();
    test_first_host_broken();
    test_stood_still();
    test_fast_azure();
    test_many_hosts();
    HARNESS_END();
}
