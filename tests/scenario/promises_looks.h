/* What a trigger rests on is no older than a minute. */
#ifndef REINSTATE_TEST_PROMISES_LOOKS_H
#define REINSTATE_TEST_PROMISES_LOOKS_H

#include "seen.h"

static inline bool looks_trigger(const struct value *exchange)
{
    return str_eq(sent_method(exchange), "POST") && str_find_nocase(sent_url(exchange), "/recoveryPoints/") &&
           taken(exchange);
}

/* When Azure last told of it before that exchange, in a run that asked for it at all; TIME_NONE: it did not. */
static inline int64_t told_before(const struct seen *s, size_t trigger, const char *fragment)
{
    for (size_t i = trigger; i-- > 0;) {
        const struct value *x = value_item(s->exchanges, i);

        if (str_eq(sent_method(x), "GET") && str_find_nocase(sent_url(x), fragment))
            return time_parse_http(value_str_at(x, "response_headers.date"));
    }
    return TIME_NONE;
}

/* Whatever a restore rests on may have become another thing while the run waited: no trigger rests on a look that is
 * older than a minute. */
/* Where each single answer since then took long, no look is young: so many seconds are slow, and no wait of our own. */
enum { SLOW_FROM_S = 10, SLOW_TO_S = 120 };

static inline bool slow_each_time(const struct seen *s, size_t trigger, int64_t since_ms)
{
    int64_t last_ms = time_parse_http(value_str_at(value_item(s->exchanges, trigger), "response_headers.date"));

    for (size_t i = trigger; i-- > 0 && last_ms > since_ms;) {
        int64_t at_ms = time_parse_http(value_str_at(value_item(s->exchanges, i), "response_headers.date"));

        /* What was given up before its answer came, as advice is, bears no date. */
        if (at_ms == TIME_NONE)
            continue;
        if (last_ms - at_ms < SLOW_FROM_S * SECOND_MS || last_ms - at_ms > SLOW_TO_S * SECOND_MS)
            return false;
        last_ms = at_ms;
    }
    return true;
}

static inline const char *promise_looks_are_fresh(const struct seen *s)
{
    static const char *const things[] = {"azure.net/keys/", "/diskEncryptionSets", "/roleAssignments",
                                         "/recoveryPoints", "/virtualNetworks/", "/storageAccounts/"};

    for (size_t i = 0; i < value_count(s->exchanges); i++) {
        const struct value *x = value_item(s->exchanges, i);
        int64_t at_ms = time_parse_http(value_str_at(x, "response_headers.date"));

        if (!looks_trigger(x) || at_ms == TIME_NONE)
            continue;
        for (size_t k = 0; k < COUNT(things); k++) {
            int64_t seen_ms = told_before(s, i, things[k]);

            if (seen_ms != TIME_NONE && at_ms - seen_ms > MINUTE_MS + SECOND_MS &&
                (at_ms - seen_ms > HOUR_MS || !slow_each_time(s, i, seen_ms)))
                return arena_printf(s->arena, "%s was sent on a look at %s that was %s old", sent_url(x), things[k],
                                    duration_format(s->arena, at_ms - seen_ms));
        }
    }
    return NULL;
}

#endif
