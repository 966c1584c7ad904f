/* How much of a sample may be unknown, where open.yaml states the share of ten thousand states. */
#ifndef REINSTATE_TEST_SHARE_H
#define REINSTATE_TEST_SHARE_H

#include <math.h>
#include <stddef.h>

/* A small sample strays from the share by chance: by two deviations it may. */
static inline double share_allowed(double share, size_t states, size_t predictions)
{
    return states >= 5000 || !predictions ? share : share + 2 * sqrt(share * (1 - share) / (double)predictions);
}

#endif
