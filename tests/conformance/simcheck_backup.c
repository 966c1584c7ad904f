/* Knows how exchanges of Azure Backup are brought about again: items, points, restores that are begun anew, their jobs
 * at the state that was recorded. */
#include "simcheck_operations.h"

#include <string.h>

#define SET_IDENTITY "0f0f0f0f-0000-4000-8000-0000000000e5"

/* --- backups ------------------------------------------------------------------------------------------------------ */

/* "IaasVMContainer;iaasvmcontainerv2;GROUP;VM": the nth part. */
static char *name_part(struct arena *a, const char *name, size_t n)
{
    for (; n && *name; n--)
        name += strcspn(name, ";") + (name[strcspn(name, ";")] == ';');
    return arena_strndup(a, name, strcspn(name, ";"));
}

static char *vault_path(const struct situation *t)
{
    return path_head(t, 8);
}

static void add_recovery_vault(struct situation *t, const char *location)
{
    const struct value *shown = earlier_body(t, vault_path(t));

    add_stub(t, vault_path(t), location ? location : value_str_at(shown, "location"));
}

static const char *id_part(struct arena *a, const char *id, const char *behind)
{
    const char *at = id ? str_find_nocase(id, behind) : NULL;

    return at ? arena_strndup(a, at + strlen(behind), strcspn(at + strlen(behind), "/")) : NULL;
}

/* The backup of a virtual machine, known by group and name; the one that is there already, if it is. */
static struct value *add_backup(struct situation *t, const char *group, const char *name, const char *vm_id)
{
    struct value *all = world_list(t, "backups"), *v = value_map(t->a), *source;

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "source.name"), name) &&
            str_eq_nocase(value_str_at(value_item(all, i), "source.resourceGroup"), group))
            return value_item(all, i);
    value_set_string(t->a, v, "vault", vault_path(t));
    source = value_set(t->a, v, "source", value_map(t->a));
    value_set_string(t->a, source, "resourceGroup", group);
    value_set_string(t->a, source, "name", name);
    value_set_string(t->a, source, "subscription", id_part(t->a, vm_id, "/subscriptions/"));
    value_set(t->a, v, "points", value_list(t->a));
    value_push(t->a, all, v);
    return v;
}

static void add_item(struct situation *t, const struct value *item)
{
    static const char *const same[][2] = {{"policyName", "policyName"},
                                          {"policyType", "policyType"},
                                          {"protectionState", "state"},
                                          {"healthStatus", "health"},
                                          {"lastBackupStatus", "lastBackupStatus"}};
    const struct value *p = value_get(item, "properties");
    const char *container = value_str_at(p, "containerName"), *newest = value_str_at(p, "lastRecoveryPoint");
    struct value *v, *protection, *point;

    if (!container)
        return;
    v = add_backup(t, name_part(t->a, container, 1), name_part(t->a, container, 2),
                   value_str_at(p, "sourceResourceId"));
    protection = value_set(t->a, v, "protection", value_map(t->a));
    for (size_t i = 0; i < COUNT(same); i++)
        value_set_string(t->a, protection, same[i][1], value_str_at(p, same[i][0]));
    if (!value_get(p, "policyType"))
        value_set_string(t->a, protection, "policyType", "V1");
    if (value_bool_at(p, "isScheduledForDeferredDelete", false))
        value_set_bool(t->a, protection, "softDeleted", true);
    if (!newest)
        return;
    value_push(t->a, value_get(v, "points"), point = value_map(t->a));
    value_set_string(t->a, point, "id", "1");
    value_set_string(t->a, point, "time", newest);
    value_set_string(t->a, value_set(t->a, point, "tiers", value_map(t->a)), "InstantRP", "Valid");
}

bool make_items(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    if (make_absent(t))
        return true;
    add_recovery_vault(t, NULL);
    for (size_t i = 0; i < value_count(all); i++)
        add_item(t, value_item(all, i));
    if (!all)
        add_item(t, t->body);
    return true;
}

bool make_containers(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    add_recovery_vault(t, NULL);
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *p = value_get(value_item(all, i), "properties");

        add_backup(t, value_str_at(p, "resourceGroup"), value_str_at(p, "friendlyName"),
                   value_str_at(p, "virtualMachineId"));
    }
    return true;
}

bool make_in_vault(struct situation *t)
{
    add_recovery_vault(t, NULL);
    return true;
}

static struct value *backup_of_path(struct situation *t)
{
    const char *container = part(t, 11);

    return add_backup(t, name_part(t->a, container, 2), name_part(t->a, container, 3), NULL);
}

static const char *tier_name(const struct value *tier)
{
    return value_str_at(tier, "type");
}

static void add_point(struct situation *t, struct value *backup, const struct value *shown, const char *id)
{
    const struct value *p = value_get(shown, "properties"), *tiers = value_get(p, "recoveryPointTierDetails");
    struct value *point = value_map(t->a), *kept = value_set(t->a, point, "tiers", value_map(t->a));

    value_set_string(t->a, point, "id", id);
    value_set_string(t->a, point, "time",
                     value_str_at(p, "recoveryPointTime") ?: time_format(t->a, t->now_ms - HOUR_MS));
    value_set_string(t->a, point, "consistency", value_str_at(p, "recoveryPointType"));
    value_set_string(t->a, point, "securityType", value_str_at(p, "securityType") ?: "None");
    value_set_string(t->a, point, "expiryTime", value_str_at(p, "recoveryPointProperties.expiryTime"));
    value_set_string(t->a, point, "rule", value_str_at(p, "recoveryPointProperties.ruleName"));
    for (size_t i = 0; i < value_count(tiers); i++)
        if (tier_name(value_item(tiers, i)))
            value_set_string(t->a, kept, tier_name(value_item(tiers, i)), value_str_at(value_item(tiers, i), "status"));
    if (!value_count(kept))
        value_set_string(t->a, kept, "HardenedRP", "Valid");
    value_push(t->a, value_get(backup, "points"), point);
}

bool make_points(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");
    struct value *backup = backup_of_path(t);

    add_recovery_vault(t, NULL);
    for (size_t i = 0; i < value_count(all); i++)
        add_point(t, backup, value_item(all, i), value_str_at(value_item(all, i), "name"));
    if (!all)
        add_point(t, backup, t->body, value_str_at(t->body, "name"));
    return true;
}

static const struct value *earlier_point(const struct situation *t, const char *id)
{
    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body"), *all = value_get(body, "value");

        if (str_eq(value_str_at(body, "name"), id) && value_at(body, "properties.recoveryPointTime"))
            return body;
        for (size_t k = 0; k < value_count(all); k++)
            if (str_eq(value_str_at(value_item(all, k), "name"), id))
                return value_item(all, k);
    }
    return NULL;
}

/* A confidential machine's backup was wrapped with a key: that of the set named, or of its original one. */
static void add_confidential(struct situation *t, struct value *backup, const char *set_id, const char *location)
{
    static const char url[] = "https://kv-original.vault.azure.net/keys/os-key/0123456789abcdef0123456789abcdef";
    static const char *const services[][2] = {{"BackupManagementService", "Key Vault Administrator"},
                                              {"ConfidentialVmOrchestrator", "Key Vault Crypto Service Release User"}};
    struct value *set = value_map(t->a), *p = value_set(t->a, set, "properties", value_map(t->a)), *identity, *wrapped,
                 *key;

    if (!set_id)
        set_id = arena_printf(
            t->a, "/subscriptions/%s/resourceGroups/rg-sets/providers/Microsoft.Compute/diskEncryptionSets/original",
            part(t, 1));
    value_set_string(t->a, set, "id", set_id);
    value_set_string(t->a, set, "location", location);
    value_set_string(t->a, p, "encryptionType", "ConfidentialVmEncryptedWithCustomerKey");
    value_set_string(t->a, value_set(t->a, p, "activeKey", value_map(t->a)), "keyUrl", url);
    add_resource(t, set);
    for (size_t i = 0; i < value_count(world_list(t, "resources")); i++)
        if (str_eq_nocase(value_str_at(value_item(world_list(t, "resources"), i), "id"), set_id))
            set = value_item(world_list(t, "resources"), i);
    identity = value_set(t->a, set, "identity", value_map(t->a));
    value_set_string(t->a, identity, "type", "SystemAssigned");
    value_set_string(t->a, identity, "principalId", SET_IDENTITY);
    wrapped = value_set(t->a, backup, "wrappedWith", value_map(t->a));
    value_set_string(t->a, wrapped, "diskEncryptionSet", set_id);
    key = value_set(t->a, wrapped, "key", value_map(t->a));
    value_set_string(t->a, key, "store", "kv-original");
    value_set_string(t->a, key, "name", "os-key");
    value_set_string(t->a, key, "version", "0123456789abcdef0123456789abcdef");
    for (size_t i = 0; i < COUNT(services) + 1; i++) {
        struct value *role = value_map(t->a), *who = value_map(t->a);

        value_set_string(t->a, role, "principal", i < COUNT(services) ? services[i][0] : SET_IDENTITY);
        value_set_string(t->a, role, "role",
                         i < COUNT(services) ? services[i][1] : "Key Vault Crypto Service Encryption User");
        value_set_string(t->a, role, "scope", "/");
        value_push(t->a, world_list(t, "roleAssignments"), role);
        if (i == COUNT(services))
            break;
        value_set_string(t->a, who, "wellKnown", services[i][0]);
        value_set_string(t->a, who, "objectId", arena_printf(t->a, "0f0f0f0f-0000-4000-8000-0000000000f%zu", i));
        value_push(t->a, world_list(t, "principals"), who);
    }
}

static void add_network(struct situation *t, const char *network, const char *subnet, const char *location)
{
    struct value *v = add_stub(t, network, location), *subnets = value_list(t->a), *one = value_map(t->a);

    value_set_string(t->a, one, "name", subnet && strrchr(subnet, '/') ? strrchr(subnet, '/') + 1 : "default");
    value_push(t->a, subnets, one);
    if (value_get(v, "properties"))
        value_set(t->a, value_get(v, "properties"), "subnets", subnets);
}

bool make_restore(struct situation *t)
{
    const struct value *p = value_get(t->sent, "properties"), *point = earlier_point(t, part(t, 15));
    const char *region = value_str_at(p, "region"), *source = value_str_at(p, "sourceResourceId"),
               *container = part(t, 11);
    const char *group = value_str_at(p, "targetResourceGroupId"),
               *security = value_str_at(point, "properties.securityType");
    const char *account = value_str_at(p, "storageAccountId"), *network = value_str_at(p, "virtualNetworkId");
    struct value *backup = add_backup(t, name_part(t->a, container, 2), name_part(t->a, container, 3), source);

    if (!p)
        return cannot(t, "the recording does not show the request");
    add_recovery_vault(t, region);
    add_point(t, backup, point, part(t, 15));
    if (account)
        add_stub(t, account, region);
    if (group)
        add_stub(t, group, region);
    if (network)
        add_network(t, network, value_str_at(p, "subnetId"), region);
    if (str_eq(value_str_at(p, "recoveryType"), "OriginalLocation"))
        add_stub(t, source, region);
    if (security && str_starts(security, "ConfidentialVM"))
        add_confidential(t, backup, value_str_at(p, "securedVMDetails.securedVMOsDiskEncryptionSetId"), region);
    return true;
}

/* The operation in the world: begun, or ended an hour ago. */
bool make_backup_operation(struct situation *t)
{
    bool running = t->status == 202 || str_eq(value_str_at(t->body, "status"), "InProgress");
    struct value *v = value_map(t->a);

    add_recovery_vault(t, NULL);
    if (t->n_parts > 12)
        backup_of_path(t);
    value_set_string(t->a, v, "id", part(t, t->n_parts - 1));
    value_set_string(t->a, v, "kind", "restore");
    value_set_string(t->a, v, "subject", vault_path(t));
    value_set_string(t->a, v, "started", time_format(t->a, t->now_ms - MINUTE_MS));
    value_set_string(t->a, v, "ends", time_format(t->a, t->now_ms + (running ? MINUTE_MS : -SECOND_MS)));
    value_set_string(t->a, v, "status", "InProgress");
    value_push(t->a, world_list(t, "operations"), v);
    return true;
}

/* --- jobs --------------------------------------------------------------------------------------------------------- */

/* Jobs that the simulator does not start itself (backup, protection) are in the world as they were recorded: of these
 * only their lists, their duration and that nothing is lost on the way is checked. Restores are begun anew. */
bool make_recorded_jobs(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    add_recovery_vault(t, NULL);
    for (size_t i = 0; i < value_count(all) || (!all && i == 0); i++) {
        struct value *v = value_copy(t->a, all ? value_item(all, i) : t->body);

        value_remove(value_get(v, "properties"), "duration");
        value_push(t->a, world_list(t, "jobs"), v);
    }
    return true;
}

/* The restore that this job came of: the operation that named it, else the last one before. */
static bool open_restore(const struct situation *t, const char *job, struct situation *ret)
{
    const char *operation = NULL;

    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body");

        if (str_eq_nocase(value_str_at(body, "properties.jobId"), job) &&
            str_eq(value_str_at(body, "status"), "Succeeded"))
            operation = value_str_at(body, "name");
    }
    if (operation && make_open_origin(t, operation, ret))
        return str_eq(operation_of(ret)->name, "restore");
    for (size_t i = t->at; i-- > 0;) {
        const struct value *x = value_item(t->lines, i);

        if (str_eq(value_str_at(x, "method"), "POST") && strstr(value_str_at(x, "uri"), "/restore?")) {
            situation_open(ret, t->a, t->file, t->lines, i);
            ret->spec = t->spec;
            return true;
        }
    }
    return false;
}

bool make_job(struct situation *t)
{
    struct situation origin;

    if (t->status == 429)
        return make_in_vault(t);
    if (str_eq(value_str_at(t->x, "method"), "GET") &&
        !str_eq(value_str_at(t->body, "properties.operation"), "Restore"))
        return make_recorded_jobs(t);
    if (!open_restore(t, part(t, 9), &origin))
        return cannot(t, "the recording does not show the restore that this job came of");
    if (str_eq(value_str_at(t->body, "properties.status"), "Failed"))
        return cannot(t, "a restore that failed for a reason of the machine, not of its key");
    return make_restore(&origin) || cannot(t, origin.why_not);
}

bool make_run_restore(struct situation *t, struct sim *s)
{
    bool ended = str_eq(value_str_at(t->body, "properties.status"), "Completed"),
         cancel = str_eq(value_str_at(t->x, "method"), "POST");
    const char *behind = strstr(t->url, part(t, 9)) + strlen(part(t, 9)), *operation, *id;
    struct situation origin;
    struct answer begun;

    if (t->status == 429) {
        for (int i = 0; i < 250; i++)
            situation_send(t, s, "GET", t->url, NULL);
        return true;
    }
    if (!cancel && !str_eq(value_str_at(t->body, "properties.operation"), "Restore"))
        return true;
    if (!open_restore(t, part(t, 9), &origin))
        return cannot(t, "the recording does not show the restore that this job came of");
    origin.audience = t->audience;
    origin.now_ms = t->now_ms;
    begun = situation_send(&origin, s, "POST", origin.url, origin.request);
    operation = answer_header_of(&begun, "Azure-AsyncOperation");
    if (!operation)
        return cannot(
            t, arena_printf(t->a, "the simulator refuses the recorded restore: %d %s", begun.status, begun.text));
    id = str_find_nocase(operation, "/operationsStatus/") + strlen("/operationsStatus/");
    t->url =
        arena_printf(t->a, "https://%s%s/backupJobs/%.*s%s", t->host, vault_path(t), (int)strcspn(id, "?"), id, behind);
    t->now_ms += 2 * MINUTE_MS;
    for (int i = 0; ended && i < 6; i++, t->now_ms += HOUR_MS)
        situation_send(t, s, "GET", t->url, NULL);
    return true;
}
