#include "redact.h"
const struct record_rule azure_record_rules[] = {{"POST","/oauth2/v2.0/token",false,"access_token","token"}};
const size_t azure_n_record_rules = 1;
