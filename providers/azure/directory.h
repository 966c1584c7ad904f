/* Microsoft Graph: object ids of service principals. */
#ifndef REINSTATE_DIRECTORY_H
#define REINSTATE_DIRECTORY_H

#include "arm.h"

/* May suspend. The object id of an application's service principal; ERR_NOT_FOUND when the tenant
 * has none. Cached per azure. */
must_use int directory_service_principal(struct azure *az, struct call *c, struct arena *a, const char *app_id,
                                         const char **ret, struct err *err);

#endif
