/* Which members of Azure's requests and answers are secrets, for recordings. */
#ifndef REINSTATE_REDACT_H
#define REINSTATE_REDACT_H

#include "../../reconciler/run/record.h"

/* Authorization headers and client secrets in forms are left out by the recorder itself. */
extern const struct record_rule azure_record_rules[];
extern const size_t azure_n_record_rules;

#endif
