/* Knows what a backup is called, and where its vault lies. Must not know what is asked of it. */
#include "backup_exchange.h"

const char *backup_source_name(struct arena *a, const struct value *backup)
{
    return arena_printf(a, "iaasvmcontainerv2;%s;%s", value_str_at(backup, "source.resourceGroup"),
                        value_str_at(backup, "source.name"));
}

const char *backup_item_id(const struct backup_exchange *x, const struct value *backup)
{
    const char *name = backup_source_name(x->a, backup);

    return arena_printf(x->a, "%s/backupFabrics/Azure/protectionContainers/IaasVMContainer;%s/protectedItems/VM;%s",
                        x->vault_id, name, name);
}

const char *backup_vault_location(const struct backup_exchange *x)
{
    const char *location = value_str_at(resource_find(x->s, x->vault_id), "location");

    return location ? location : "";
}
