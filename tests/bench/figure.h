/* One line of JSON for each figure that a program of this folder has measured; ../bench.sh makes the table of them. */
#ifndef REINSTATE_BENCH_FIGURE_H
#define REINSTATE_BENCH_FIGURE_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

/* at_most: the bound is the most that it may be, else the least. Texts hold no quotes. */
static inline void figure(const char *what, double value, const char *unit, bool at_most, double bound,
                          const char *beside)
{
    printf("{\"figure\": \"%s\", \"value\": %.4g, \"unit\": \"%s\", \"bound\": \"%s %.4g\", \"met\": %s, "
           "\"beside\": \"%s\"}\n",
           what, value, unit, at_most ? "<=" : ">=", bound,
           (at_most ? value <= bound : value >= bound) ? "true" : "false", beside);
}

/* Without a bound: only to be seen. */
static inline void figure_shown(const char *what, double value, const char *unit, const char *beside)
{
    printf("{\"figure\": \"%s\", \"value\": %.4g, \"unit\": \"%s\", \"bound\": \"shown\", \"met\": null, "
           "\"beside\": \"%s\"}\n",
           what, value, unit, beside);
}

/* Processor time of this process (RUSAGE_SELF) or of the children it has waited for, in seconds. */
static inline double processor_s(int who)
{
    struct rusage used;

    if (getrusage(who, &used) < 0)
        return 0;
    return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

static inline double wall_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
