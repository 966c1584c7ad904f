/* What a look will read, told to the connections before it begins: what many documents ask for is read in one list
 * (../azure/bulk.h). */
#ifndef REINSTATE_EXPECTED_H
#define REINSTATE_EXPECTED_H

#include "common.h"

void look_expected(void *provider, const struct view *v, bool begins);

#endif
