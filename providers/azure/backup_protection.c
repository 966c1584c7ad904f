/* Knows how Azure Backup puts a VM under protection: its policies, discovery, the protected item. Must not decide
 * whether a VM should be protected, and never stops a protection. */
#include "backup.h"
#include "internal.h"

int backup_get_policy(struct azure *az, struct call *c, struct arena *a, const char *policy_id, struct value **ret,
                      struct err *err)
{
    return arm_get(az, c, a, policy_id, API_RECOVERY, ret, err);
}

char *backup_item_path(struct arena *a, const char *vault_id, const char *vm_id)
{
    const char *group = arm_id_part(a, vm_id, "resourceGroups"), *vm = arm_id_name(vm_id);

    return arena_printf(
        a,
        "%s/backupFabrics/Azure/protectionContainers/IaasVMContainer;iaasvmcontainerv2;%s;%s/protectedItems/"
        "VM;iaasvmcontainerv2;%s;%s",
        vault_id, group, vm, group, vm);
}

struct value *backup_protect_body(struct arena *a, const char *vm_id, const char *policy_id)
{
    struct value *body = value_map(a), *p = value_set(a, body, "properties", value_map(a));

    value_set_string(a, p, "protectedItemType", "Microsoft.Compute/virtualMachines");
    value_set_string(a, p, "sourceResourceId", vm_id);
    value_set_string(a, p, "policyId", policy_id);
    return body;
}

int backup_refresh(struct azure *az, struct call *c, struct arena *a, const char *vault_id, int64_t bound_ms,
                   struct err *err)
{
    struct arm_operation op;

    if (arm_send(az, c, a,
                 &(struct arm_sending){.method = HTTP_POST,
                                       .path = arena_printf(a, "%s/backupFabrics/Azure/refreshContainers", vault_id),
                                       .api = API_RECOVERY,
                                       .repeat = ARM_REPEATABLE},
                 &op, err) < 0)
        return err_note(err, "having the vault look for VMs");
    /* Its status lives under another api-version; the result ends with 204. */
    if (op.location)
        op.async_url = NULL;
    if (arm_follow(az, c, a, &op, bound_ms, NULL, err) < 0)
        return err_note(err, "waiting for the vault to look for VMs");
    return 0;
}

int backup_protect(struct azure *az, struct call *c, struct arena *a, const struct backup_protection *protection,
                   int64_t bound_ms, struct backup_job *ret, struct err *err)
{
    const char *vault_id = protection->vault_id, *vm_id = protection->vm_id;
    struct arm_operation op;
    struct value *status = NULL;
    const char *job;

    if (arm_send(az, c, a,
                 &(struct arm_sending){.method = HTTP_PUT,
                                       .path = backup_item_path(a, vault_id, vm_id),
                                       .api = API_RECOVERY,
                                       .body = backup_protect_body(a, vm_id, protection->policy_id),
                                       .repeat = ARM_REPEATABLE},
                 &op, err) < 0)
        return err_note(err, "protecting the VM");
    if (arm_follow(az, c, a, &op, bound_ms, &status, err) < 0)
        return err_note(err, "protecting the VM");
    job = value_str_at(status, "properties.jobId");
    *ret = (struct backup_job){.state = JOB_COMPLETED};
    return job ? backup_follow_job(az, c, a,
                                   &(struct backup_following){.vault_id = vault_id, .job = job, .bound_ms = bound_ms},
                                   ret, err) : 0;
}
