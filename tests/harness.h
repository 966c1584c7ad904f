/* A dozen macros; no framework. Each test program prints its name and "N checks, N failed" and fails when it has failed
 * checks or made none. A table-driven test passes its row's reason to CHECK_ROW, so that a failure says
 * what it means. */
#ifndef REINSTATE_TEST_HARNESS_H
#define REINSTATE_TEST_HARNESS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static __attribute__((unused)) int harness_checks, harness_failed;

#define CHECK_ROW(reason, cond)                                                               \
    do {                                                                                      \
        harness_checks++;                                                                     \
        if (!(cond)) {                                                                        \
            harness_failed++;                                                                 \
            fprintf(stderr, "%s:%d: %s: failed: %s\n", __FILE__, __LINE__, (reason), #cond);  \
        }                                                                                     \
    } while (0)
#define CHECK(cond) CHECK_ROW(__func__, cond)
#define CHECK_STR(got, want)                                                                                           \
    do {                                                                                                               \
        const char *got_ = (got), *want_ = (want);                                                                     \
        harness_checks++;                                                                                              \
        if (!got_ || !want_ || strcmp(got_, want_) != 0) {                                                             \
            harness_failed++;                                                                                          \
            fprintf(stderr, "%s:%d: got  %s\n    want %s\n", __FILE__, __LINE__, got_ ? got_ : "(null)",               \
                    want_ ? want_ : "(null)");                                                                         \
        }                                                                                                              \
    } while (0)
#define HARNESS_END()                                                                                   \
    do {                                                                                                \
        const char *name_ = strrchr(__FILE__, '/');                                                     \
        printf("%-32s %5d checks, %d failed\n", name_ ? name_ + 1 : __FILE__, harness_checks, harness_failed); \
        return harness_failed || !harness_checks ? 1 : 0;                                               \
    } while (0)

#endif
