/* Whether what the rules of a Policy look at is there to be looked at: a misspelt field would leave a
 * rule silent for ever. */
#ifndef REINSTATE_POLICY_FIELDS_H
#define REINSTATE_POLICY_FIELDS_H

#include "desired.h"
#include "policy.h"

/* Pure. metadata.* and spec.* against the schemas of the kinds that a rule matches: the field must exist in one of them
 * at least, and a value it is compared with must be one that it may have. Faults with a did-you-mean. */
void policy_fields_check(const struct desired *d, const struct schemas *schemas, const char *const *kinds,
                         struct diags *diags);
/* Pure, after a look. live.* and facts.* have no schema: warns of what no document that a rule matches was seen to
 * have, where some of them were seen. `exists` and `absent` ask for just that, and are left alone. policies: raw
 * documents, others among them. */
void policy_fields_missed(const struct value *policies, const struct desired *d, policy_facts *facts, const void *ctx,
                          struct diags *diags);

/* Pure. Whether a rule looks at facts.*, so that what was seen has to be the whole of it. */
bool policy_fields_of_facts(const struct value *policies, struct arena *scratch);

#endif
