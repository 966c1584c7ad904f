/* Whether there has ever been a key under a name. A new one in place of a lost one opens nothing that the old one
 * wrapped, and holds the name, so that the old one cannot come back. Pure. */
#ifndef REINSTATE_KEY_PAST_H
#define REINSTATE_KEY_PAST_H

#include "../documents/common.h"

struct key_past {
    const char *was;    /* what shows that there was one; NULL: nothing that was seen does */
    const char *unseen; /* what could not be seen and may show it, with why; NULL: all was seen */
};
/* Of a key that is absent now. */
struct key_past key_past_of(const struct view *v, const struct document *key);

#endif
