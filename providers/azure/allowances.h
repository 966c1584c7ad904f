/* What Azure counts together. */
#ifndef REINSTATE_AZURE_ALLOWANCES_H
#define REINSTATE_AZURE_ALLOWANCES_H

#include "azure.h"

/* Sets which allowances the request draws on, the narrowest first, and its scope: what one refusal holds up. Resource
 * Manager and the services behind it count by kind of thing, reads and writes apart, so that one that is throttled for
 * an hour holds up no other: "management.azure.com GET Microsoft.RecoveryServices/vaults/backupJobs". */
void azure_counted(const struct azure *az, struct arena *a, struct http_request *request);

/* What each job that is followed to its end, and each write of a disk encryption set, draws on. */
const struct allowance *azure_job_allowance(void);
const struct allowance *azure_set_allowance(void);

#endif
