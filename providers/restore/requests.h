/* What a restore sends, as a pure function: for acting, for asking Azure Backup beforehand, and for the runbook, in
 * which a person sends the same. */
#ifndef REINSTATE_RESTORE_REQUESTS_H
#define REINSTATE_RESTORE_REQUESTS_H

#include "../azure/backup.h"
#include "situation.h"

/* The restore that an order asks for. */
struct restore_request restored_vm_request(const struct view *v, const struct situation *s);

#endif
