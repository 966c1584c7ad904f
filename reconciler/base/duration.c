/* Knows how long: durations as people write them ("90m", "2 hours"), as ISO 8601 has them, and as they are shown. Must
 * not know points in time. */
#include <math.h>
#include "clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

int64_t duration_parse(const char *s)
{
    char *end;
    long long n;

    if (!s || !isdigit((unsigned char)*s))
        return -1;
    n = strtoll(s, &end, 10);
    if (n > 100LL * 365 * 24 * 3600 || end == s || !*end || end[1])
        return -1;
    switch (*end) {
    case 's':
        return n * SECOND_MS;
    case 'm':
        return n * MINUTE_MS;
    case 'h':
        return n * HOUR_MS;
    case 'd':
        return n <= 36500 ? n * DAY_MS : -1;
    default:
        return -1;
    }
}

/* The unit that a word means, in milliseconds; hours where there is none, as most of what is declared is in hours. */
static int64_t unit_meant(const char *word)
{
    static const struct {
        const char *words;
        int64_t ms;
    } units[] = {{" s sec secs second seconds ", SECOND_MS},
                 {" m min mins minute minutes ", MINUTE_MS},
                 {" h hr hrs hour hours ", HOUR_MS},
                 {" d day days ", DAY_MS},
                 {" w week weeks ", 7 * DAY_MS}};
    char padded[12];

    if (!*word)
        return HOUR_MS;
    if (strlen(word) > sizeof(padded) - 3 || strchr(word, ' '))
        return 0;
    snprintf(padded, sizeof(padded), " %s ", word);
    for (size_t i = 0; i < COUNT(units); i++)
        if (str_find_nocase(units[i].words, padded))
            return units[i].ms;
    return 0;
}

char *duration_meant(struct arena *a, const char *s)
{
    static const struct {
        int64_t ms;
        char letter;
    } units[] = {{DAY_MS, 'd'}, {HOUR_MS, 'h'}, {MINUTE_MS, 'm'}, {SECOND_MS, 's'}};
    int64_t ms = duration_parse_iso(s), unit = DAY_MS;
    char *end = NULL;

    if (ms < 0 && s && isdigit((unsigned char)*s) && strspn(s, "0123456789.") < 9) {
        double n = strtod(s, &end);

        if (end != s + strspn(s, "0123456789."))
            return NULL;
        end += strspn(end, " ");
        unit = unit_meant(end);
        ms = unit ? llround(n * (double)unit) : -1;
    }
    if (ms < 0)
        return NULL;
    /* In the unit that was written, if that will do. */
    for (size_t i = 0; i < COUNT(units); i++)
        if (units[i].ms <= unit && ms % units[i].ms == 0)
            return arena_printf(a, "%lld%c", (long long)(ms / units[i].ms), units[i].letter);
    return NULL;
}

int64_t duration_parse_iso(const char *s)
{
    int64_t total = 0;
    bool in_time = false, any = false;

    if (!s || *s++ != 'P')
        return -1;
    while (*s) {
        char *end;
        double n;

        if (*s == 'T' && !in_time) {
            in_time = true;
            s++;
            continue;
        }
        if (!isdigit((unsigned char)*s))
            return -1;
        n = strtod(s, &end);
        /* strtod also knows hexadecimal numbers and exponents, which have no place here. */
        if (n > 1e9 || strspn(s, "0123456789.") != (size_t)(end - s))
            return -1;
        if (*end == 'D' && !in_time)
            total += llround(n * (double)DAY_MS);
        else if (*end == 'H' && in_time)
            total += llround(n * HOUR_MS);
        else if (*end == 'M' && in_time)
            total += llround(n * MINUTE_MS);
        else if (*end == 'S' && in_time)
            total += llround(n * SECOND_MS);
        else
            return -1;
        any = true;
        s = end + 1;
    }
    return any ? total : -1;
}

char *duration_format_iso(struct arena *a, int64_t ms)
{
    int64_t h = ms / HOUR_MS, m = ms / MINUTE_MS % 60, s = ms / SECOND_MS % 60, f = ms % SECOND_MS;
    char hours[32] = "", minutes[32] = "";

    if (h)
        snprintf(hours, sizeof(hours), "%lldH", (long long)h);
    if (h || m)
        snprintf(minutes, sizeof(minutes), "%lldM", (long long)m);
    if (f)
        return arena_printf(a, "PT%s%s%lld.%03lldS", hours, minutes, (long long)s, (long long)f);
    return arena_printf(a, "PT%s%s%lldS", hours, minutes, (long long)s);
}

char *duration_format(struct arena *a, int64_t ms)
{
    int64_t s = (ms + SECOND_MS / 2) / SECOND_MS;

    if (s < 120)
        return arena_printf(a, "%lld s", (long long)s);
    if (s < 3600) {
        if (s % 60)
            return arena_printf(a, "%lld min %lld s", (long long)(s / 60), (long long)(s % 60));
        return arena_printf(a, "%lld min", (long long)(s / 60));
    }
    if (s < 2 * 86400) {
        if (s / 60 % 60)
            return arena_printf(a, "%lld h %lld min", (long long)(s / 3600), (long long)(s / 60 % 60));
        return arena_printf(a, "%lld h", (long long)(s / 3600));
    }
    if (s / 3600 % 24)
        return arena_printf(a, "%lld d %lld h", (long long)(s / 86400), (long long)(s / 3600 % 24));
    return arena_printf(a, "%lld d", (long long)(s / 86400));
}
