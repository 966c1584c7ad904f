/* Knows how a virtual machine is put under protection: policies, discovery, the protected item in the making, the job,
 * and the resource guards that ask for a second person. Must not know restores. */
#include "data.h"

#include <string.h>

#define VAULTS "Microsoft.RecoveryServices/Vaults/"

/* --- guards: spec.resourceGuards [{vault, guard}] ----------------------------------------------------------------- */

static struct value *show_guard(struct arena *a, const char *vault_id, const struct value *entry)
{
    struct value *ret = value_map(a), *p, *list, *one = value_map(a);
    const char *guard = value_str_at(entry, "guard");

    value_set(a, ret, "id", value_format(a, "%s/backupResourceGuardProxies/VaultProxy", vault_id));
    value_set_string(a, ret, "name", "VaultProxy");
    value_set_string(a, ret, "type", "Microsoft.RecoveryServices/vaults/backupResourceGuardProxies");
    p = value_set(a, ret, "properties", value_map(a));
    value_set_string(a, p, "resourceGuardResourceId", guard);
    list = value_set(a, p, "resourceGuardOperationDetails", value_list(a));
    value_set_string(a, one, "vaultCriticalOperation",
                     "Microsoft.DataProtection/resourceGuards/disableSoftDeleteRequests");
    value_set(a, one, "defaultResourceRequest", value_format(a, "%s/disableSoftDeleteRequests/default", guard));
    value_push(a, list, one);
    return ret;
}

struct value *guards_of(struct sim *s, struct arena *a, const char *vault_id)
{
    struct value *all = state_list(s, "resourceGuards"), *ret = value_list(a);

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "vault"), vault_id))
            value_push(a, ret, show_guard(a, vault_id, value_item(all, i)));
    return ret;
}

/* --- policies: spec.backupPolicies [{vault, name, type}] ---------------------------------------------------------- */

/* A world that names none has whatever is asked for; the service's own default policy is of the older kind. */
const char *policy_type(struct sim *s, const char *vault_id, const char *name)
{
    struct value *all = state_list(s, "backupPolicies");
    bool any = false;

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *p = value_item(all, i);

        any = true;
        if (str_eq_nocase(value_str_at(p, "vault"), vault_id) && str_eq_nocase(value_str_at(p, "name"), name))
            return value_str_at(p, "type") ? value_str_at(p, "type") : "V2";
    }
    if (str_eq_nocase(name, "DefaultPolicy"))
        return "V1";
    return !any || str_eq_nocase(name, "EnhancedPolicy") ? "V2" : NULL;
}

/* --- protecting --------------------------------------------------------------------------------------------------- */

static struct value *backup_of(struct sim *s, const char *vault_id, const char *vm_id)
{
    struct value *all = state_list(s, "backups");

    for (size_t i = 0; i < value_count(all); i++)
        if ((!vault_id || str_eq_nocase(value_str_at(value_item(all, i), "vault"), vault_id)) &&
            str_eq_nocase(item_source_id(s->arena, value_item(all, i)), vm_id))
            return value_item(all, i);
    return NULL;
}

static const char *add_configure_job(struct sim *s, const char *vault_id, const struct value *vm)
{
    struct arena *a = s->arena;
    struct value *job = value_map(a), *p = value_set(a, job, "properties", value_map(a)),
                 *own = value_set(a, job, "sim", value_map(a));
    const char *id = new_guid(s), *vm_id = value_str_at(vm, "id"), *now = time_format(a, s->now_ms);

    value_set(a, job, "id", value_format(a, "%s/backupJobs/%s", vault_id, id));
    value_set_string(a, job, "name", id);
    value_set_string(a, job, "type", "Microsoft.RecoveryServices/vaults/backupJobs");
    value_set_string(a, p, "jobType", "AzureIaaSVMJob");
    value_set(
        a, p, "containerName",
        value_format(a, "iaasvmcontainerv2;%s;%s", world_id_part(a, vm_id, "/resourceGroups/"), world_id_name(vm_id)));
    value_set_string(a, p, "virtualMachineVersion", "Compute");
    value_set_string(a, p, "entityFriendlyName", world_id_name(vm_id));
    value_set_string(a, p, "backupManagementType", "AzureIaasVM");
    value_set_string(a, p, "operation", "ConfigureBackup");
    value_set_string(a, p, "status", "Completed");
    value_set_string(a, p, "startTime", now);
    value_set_string(a, p, "endTime", now);
    value_set_string(a, p, "activityId", new_guid(s));
    value_set_string(a, own, "phase", "ended");
    state_push(s, "jobs", job);
    return id;
}

static void add_backup(struct sim *s, const char *vault_id, const struct value *vm, const char *policy,
                       const char *type)
{
    struct arena *a = s->arena;
    const char *vm_id = value_str_at(vm, "id"), *size = value_str_at(vm, "properties.hardwareProfile.vmSize");
    const char *set_id =
        value_str_at(vm, "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id");
    const struct value *set = set_id ? resource_find(s, set_id) : NULL;
    const char *store, *name, *version, *os = value_str_at(vm, "properties.storageProfile.osDisk.osType");
    struct value *b = value_map(a), *part = value_set(a, b, "source", value_map(a));

    value_set_string(a, b, "vault", vault_id);
    value_set_string(a, part, "resourceGroup", world_id_part(a, vm_id, "/resourceGroups/"));
    value_set_string(a, part, "name", world_id_name(vm_id));
    value_set_string(a, part, "size", size ? size : "Standard_DC4ads_v6");
    value_set_string(a, part, "osType", str_eq(os, "Windows") ? "Windows" : "Linux");
    part = value_set(a, b, "protection", value_map(a));
    value_set_string(a, part, "state", "IRPending");
    value_set_string(a, part, "policyType", type);
    value_set_string(a, part, "policyName", policy);
    if (set && key_url_parse(s, a, value_str_at(set, "properties.activeKey.keyUrl"), &store, &name, &version)) {
        part = value_set(a, b, "wrappedWith", value_map(a));
        value_set_string(a, part, "diskEncryptionSet", set_id);
        part = value_set(a, part, "key", value_map(a));
        value_set_string(a, part, "store", store);
        value_set_string(a, part, "name", name);
        value_set_string(a, part, "version", version);
    }
    value_set(a, b, "points", value_list(a));
    state_push(s, "backups", b);
}

/* What Azure Backup has against it; NULL: nothing. Confidential machines need an enhanced policy. */
static const char *protect_problem(struct sim *s, const char *vault_id, const struct value *vm, const char *type,
                                   const char **ret_code)
{
    const char *location = value_str_at(resource_find(s, vault_id), "location");
    const struct value *there = vm ? backup_of(s, NULL, value_str_at(vm, "id")) : NULL;

    *ret_code = "BMSUserErrorInvalidInput";
    if (!vm) {
        *ret_code = "BMSUserErrorObjectNotFound";
        return "The virtual machine does not exist.";
    }
    if (!type)
        return "The backup policy does not exist.";
    if (!region_is(value_str_at(vm, "location"), location ? location : ""))
        return "The virtual machine and the vault are in different regions.";
    if (str_eq(value_str_at(vm, "properties.securityProfile.securityType"), "ConfidentialVM") && !str_eq(type, "V2"))
        return "A confidential virtual machine can only be protected with an enhanced policy.";
    if (there && !str_eq_nocase(value_str_at(there, "vault"), vault_id)) {
        *ret_code = "BMSUserErrorContainerObjectAlreadyProtected";
        return "The virtual machine is protected by another vault.";
    }
    if (there && value_bool_at(there, "protection.softDeleted", false))
        return "The protected item is soft-deleted; undelete it first.";
    return NULL;
}

void protect_put(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id,
                 const char *item_path)
{
    const struct value *p = value_get(r->json, "properties");
    const char *vm_id = value_str_at(p, "sourceResourceId"), *policy_id = value_str_at(p, "policyId"), *code, *problem;
    const char *policy = policy_id ? world_id_name(policy_id) : "", *type = policy_type(s, vault_id, policy);
    const struct value *vm = vm_id ? resource_find(s, vm_id) : NULL;
    struct value *there, *output = value_map(r->arena);

    if (!require_rbac(s, r, out, vault_id, VAULTS "backupFabrics/protectionContainers/protectedItems/write"))
        return;
    problem = protect_problem(s, vault_id, vm, type, &code);
    if (problem) {
        answer_arm_error(r->arena, out, 400, false, code, "%s", problem);
        return;
    }
    there = backup_of(s, vault_id, vm_id);
    if (there) {
        struct value *protection = value_get(there, "protection");

        if (!protection)
            protection = value_set(s->arena, there, "protection", value_map(s->arena));
        value_set_string(s->arena, protection, "state",
                         value_count(value_get(there, "points")) ? "Protected" : "IRPending");
        value_set_string(s->arena, protection, "policyName", policy);
        value_set_string(s->arena, protection, "policyType", type);
        state_changed(s);
    } else {
        add_backup(s, vault_id, vm, policy, type);
    }
    value_set_string(r->arena, output, "objectType", "OperationStatusJobExtendedInfo");
    value_set_string(r->arena, output, "jobId", add_configure_job(s, vault_id, vm));
    operation_accepted(s, r, out, item_path, "operationsStatus", "operationResults",
                       operation_new(s, "protect", vault_id, s->now_ms + 30 * SECOND_MS, output, NULL));
}

/* Azure's own answer names a status in an older version; it ends with 204. */
void refresh_containers(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *vault_id)
{
    if (!require_rbac(s, r, out, vault_id, VAULTS "backupFabrics/refreshContainers/action"))
        return;
    operation_accepted(s, r, out, arena_printf(r->arena, "%s/backupFabrics/Azure", vault_id), "operationsStatus",
                       "operationResults",
                       operation_new(s, "refresh", vault_id, s->now_ms + 10 * SECOND_MS, NULL, NULL));
}
