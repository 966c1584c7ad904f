/* Knows what a restore's job looks like while it runs and when it has ended. Must not know how it ends. */
#include "data.h"

/* A queued job's data phase starts this much later. */
#define DECIDE_AFTER (30 * (int64_t)SECOND_MS)

/* --- the job's body ----------------------------------------------------------------------------------------------- */

static void add_task(struct arena *a, struct value *tasks, const char *id, const char *status)
{
    struct value *task = value_map(a);

    value_set_string(a, task, "taskId", id);
    value_set_string(a, task, "duration", "PT0S");
    value_set_string(a, task, "status", status);
    value_push(a, tasks, task);
}

static void fill_bag(struct arena *a, struct value *bag, const struct value *backup, const struct value *point,
                     const struct value *request)
{
    const char *type = value_str_at(request, "recoveryType"), *vnet = value_str_at(request, "virtualNetworkId");
    const char *group = value_str_at(request, "targetResourceGroupId");
    bool new_vm = str_eq(type, "AlternateLocation"), disks = str_eq(type, "RestoreDisks");

    value_set_string(a, bag, "Job Type",
                     new_vm  ? "Recover VM to an alternate location"
                     : disks ? "Recover disks"
                             : "Replace disks");
    if (new_vm)
        value_set_string(a, bag, "Original VM Name", value_str_at(backup, "source.name"));
    /* Whose disks are replaced is not named before they are. */
    value_set(a, bag, "Target VM Name",
              value_string(a, new_vm  ? world_id_name(value_str_at(request, "targetVirtualMachineId"))
                              : disks ? "vmName"
                                      : NULL));
    if (new_vm)
        value_set(a, bag, "Target VNet Name",
                  value_format(a, "Group %s %s", world_id_part(a, vnet, "/resourceGroups/"), world_id_name(vnet)));
    value_set_string(a, bag, "Target Storage Account Name", world_id_name(value_str_at(request, "storageAccountId")));
    value_set_string(a, bag, "Recovery point time ", time_format_us(a, time_parse(value_str_at(point, "time"))));
    if (group || (!new_vm && !disks))
        value_set_string(a, bag, "Target resource group",
                         group ? world_id_name(group) : value_str_at(backup, "source.resourceGroup"));
    value_set_string(a, bag, "VM Subscription ID", world_id_part(a, item_source_id(a, backup), "/subscriptions/"));
}

static struct value *job_details(struct arena *a, const struct value *backup, const struct value *point,
                                 const struct value *request)
{
    const char *type = value_str_at(request, "recoveryType");
    struct value *ret = value_map(a), *tasks = value_set(a, ret, "tasksList", value_list(a));

    add_task(a, tasks, "Transfer data from vault", "InProgress");
    if (str_eq(type, "AlternateLocation"))
        add_task(a, tasks, "Create the restored virtual machine", "NotStarted");
    if (str_eq(type, "OriginalLocation"))
        add_task(a, tasks, "Update the virtual machine", "NotStarted");
    fill_bag(a, value_set_map(a, ret, "propertyBag"), backup, point, request);
    value_set_string(a, value_set_map(a, ret, "internalPropertyBag"), "restoreLocationType", type);
    value_set(a, ret, "progressPercentage", value_real(a, 1.0));
    value_set_string(a, ret, "dynamicErrorMessage", "");
    return ret;
}

static size_t index_of(struct sim *s, const struct value *backup)
{
    struct value *all = state_list(s, "backups");
    size_t i = 0;

    while (i < value_count(all) && value_item(all, i) != backup)
        i++;
    return i;
}

const char *jobs_start_restore(struct sim *s, const char *vault_id, const struct value *backup,
                               const struct value *point, const struct value *request)
{
    struct arena *a = s->arena;
    const char *id = operation_new(s, "restore", vault_id,
                                   s->now_ms + behaviour_ms(s, "operationDelay", 20 * SECOND_MS), NULL, NULL);
    struct value *job = value_map(a), *p = value_set_map(a, job, "properties"), *own = value_set_map(a, job, "sim"),
                 *actions = value_list(a);

    value_set(a, job, "id", value_format(a, "%s/backupJobs/%s", vault_id, id));
    value_set_string(a, job, "name", id);
    value_set_string(a, job, "type", "Microsoft.RecoveryServices/vaults/backupJobs");
    value_set_string(a, p, "jobType", "AzureIaaSVMJob");
    value_push(a, value_set(a, p, "actionsInfo", actions), value_string(a, "Cancellable"));
    value_set(a, p, "containerName",
              value_format(a, "iaasvmcontainerv2;%s;%s", value_str_at(backup, "source.resourceGroup"),
                           value_str_at(backup, "source.name")));
    value_set_string(a, p, "virtualMachineVersion", "Compute");
    value_set(a, p, "extendedInfo", job_details(a, backup, point, request));
    value_set_string(a, p, "entityFriendlyName", value_str_at(backup, "source.name"));
    value_set_string(a, p, "backupManagementType", "AzureIaasVM");
    value_set_string(a, p, "operation", "Restore");
    value_set_string(a, p, "status", "InProgress");
    value_set_string(a, p, "startTime", time_format(a, s->now_ms));
    value_set_string(a, p, "activityId", new_guid(s));
    value_set_string(a, own, "phase", "queued");
    value_set_string(a, own, "due", time_format(a, s->now_ms + DECIDE_AFTER));
    value_set_int(a, own, "backup", (int64_t)index_of(s, backup));
    value_set_string(a, own, "point", value_str_at(point, "id"));
    value_set(a, own, "request", value_copy(a, request));
    state_push(s, "jobs", job);
    state_due(&s->jobs_due_ms, s->now_ms + DECIDE_AFTER);
    return id;
}
