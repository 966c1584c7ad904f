#ifndef R_H
#define R_H
#include "../../reconciler/run/record.h"
extern const struct record_rule azure_record_rules[];
extern const size_t azure_n_record_rules;
#endif
