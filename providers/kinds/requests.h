/* What the kinds send, as pure functions: for acting, and for the runbook, in which a person sends the same. */
#ifndef REINSTATE_KINDS_REQUESTS_H
#define REINSTATE_KINDS_REQUESTS_H

#include "../azure/backup.h"
#include "../documents/common.h"
#include "../backup/jobs.h"
#include "../restore/situation.h"

/* A new set on a key URL, and the PATCH of an update step. */
struct value *disk_encryption_set_body(struct arena *a, const struct document *doc, const struct value *key_url);
/* `live`: the set as it is, whose identities a PATCH keeps. */
struct value *disk_encryption_set_patch(struct arena *a, const struct step *step, const struct value *live,
                                        const struct value *key_url);

/* Of a KeyVault's create, recover or update step. */
struct value *key_vault_body(struct arena *a, const struct step *step);
/* Of a ManagedHsm's recover or update step. */
struct value *managed_hsm_body(struct arena *a, const struct step *step);

/* Of a Key's enable step. */
struct value *key_attributes_body(struct arena *a, const struct step *step);

#endif
