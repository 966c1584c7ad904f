/* What a subscription allows at all: its preview features, management locks and compute quota. Read with the restored
 * VMs that are ordered (or asked about by a forecast), once for all that share a subscription, so that all commands
 * judge the same facts. */
#ifndef REINSTATE_PLATFORM_H
#define REINSTATE_PLATFORM_H

#include "../documents/common.h"

/* Without the first no confidential VM can be backed up, and nobody says that one can be restored (Microsoft Learn,
 * Back up a confidential VM, edition of 2026-07-22: it must be registered); with the second backup and restore fail. */
#define PLATFORM_NEEDED "RestorePointSupportForConfidentialVMV2"
#define PLATFORM_FORBIDDEN "DisableConfidentialVMMetadataBlob"

/* May suspend. Adds `platform` to the facts of a RestoredVirtualMachine; keys are in lower case, each entry holds
 * state, and why when it is unseen, which ends nothing: features  SUBSCRIPTION/NAME    feature: its state locks
 * SUBSCRIPTION         items; groups (names) where only these may be read, and then it stays unseen usages
 * SUBSCRIPTION/REGION  items attestation  SUBSCRIPTION/REGION  uri: the authority that a key's release policy has to
 * name there */
must_use int platform_observe(struct call *c, const struct observer *o, struct azure *az, const char *region,
                              struct value *facts, struct err *err);
/* May suspend. One answer of those above, whoever asks; errors other than cancellation become an answer. */
must_use int platform_ask(struct call *c, struct azure *az, const struct view *v, const char *group, const char *key,
                          struct value **ret, struct err *err);

/* Pure. An answer that some restored VM's facts hold; NULL. */
const struct value *platform_fact(const struct view *v, const char *group, const char *key);
/* Pure. What the needed feature's state means where it is not Registered, and what to do about it. */
const char *platform_lacks_words(struct arena *a, const char *state);
const char *platform_register_advice(struct arena *a, const char *subscription, const char *state);
/* Pure. The ReadOnly lock that covers an ARM scope, as words; NULL: none that was seen. A
 * CanNotDelete lock hinders no write. */
const char *platform_lock(const struct view *v, const char *scope);
/* Pure. Blocks the steps from index `from` on that would write, by ARM, what such a lock covers, or make something in a
 * resource group that is not there. */
void platform_hold_shut(const struct view *v, struct steps *out, size_t from);
struct quota_wanted {
    const char *const *sizes;
    const int64_t *counts; /* so many of each; NULL: one */
    size_t n;
};
struct quota_lack {
    const char *name; /* which quota */
    int64_t cores, left;
};
/* Pure. How many cores are needed for all these sizes, of which the quota lacks some; false: it is enough, or nobody
 * can tell. */
bool platform_quota_lacks(const struct view *v, const struct value *usages, const struct quota_wanted *wanted,
                          struct quota_lack *ret);

#endif
