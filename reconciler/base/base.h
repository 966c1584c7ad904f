/* Small things every file needs. No functions live here.
 *
 * Conventions of the whole tree:
 *  - A fallible function returns 0 or a negative error class (see err.h), is must_use and takes `struct err *err` last.
 *  - Outputs are called ret_…, are filled on success and untouched on failure.
 *  - A function that takes `struct arena *` first puts its result there; one without returns borrowed memory or none.
 *  - A function that takes `struct call *` may suspend; no other function may (see run/co.h).
 *  - Running out of memory aborts; sizes that come from outside have ceilings and fail with an ordinary error.
 */
#ifndef REINSTATE_BASE_H
#define REINSTATE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define must_use __attribute__((warn_unused_result))
#define cleanup(fn) __attribute__((cleanup(fn)))
#define printf_like(fmt, first) __attribute__((format(printf, fmt, first)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Leaves the function with the error of `expr`, if it has one. The only macro that hides a return; safe because
 * everything that needs closing is closed by a cleanup attribute. */
#define TRY(expr)               \
    do {                        \
        int try_rc_ = (expr);   \
        if (try_rc_ < 0)        \
            return try_rc_;     \
    } while (0)

#endif
