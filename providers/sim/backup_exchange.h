/* One request for a recovery services vault on its way through. */
#ifndef REINSTATE_SIM_BACKUP_EXCHANGE_H
#define REINSTATE_SIM_BACKUP_EXCHANGE_H

#include "data.h"

#define VAULTS "Microsoft.RecoveryServices/Vaults/"
#define ITEMS VAULTS "backupFabrics/protectionContainers/protectedItems/"

struct backup_exchange {
    struct sim *s;
    const struct sim_request *r;
    struct sim_answer *out;
    struct arena *a;
    const char *vault_id;
    size_t at;              /* index of the segment behind the vault */
};

const char *backup_source_name(struct arena *a, const struct value *backup);
const char *backup_item_id(const struct backup_exchange *x, const struct value *backup);
const char *backup_vault_location(const struct backup_exchange *x);
void backup_post_restore(const struct backup_exchange *x, const struct value *backup, const struct value *point);
struct value *backup_validate(const struct backup_exchange *x);
void backup_trigger_validation(const struct backup_exchange *x);

#endif
