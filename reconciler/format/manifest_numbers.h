/* Numbers as people write them. Pure. */
#ifndef REINSTATE_MANIFEST_NUMBERS_H
#define REINSTATE_MANIFEST_NUMBERS_H

#include <stdbool.h>

/* A plain scalar is no number, or one that is written back as it stands: 12 is, 0012, 1.10, 0x1F and 1e3 are not. */
bool manifest_number_is_kept(const char *s);

#endif
