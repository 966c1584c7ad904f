/* Knows Azure Backup's protected items and recovery points, and which restore requests are accepted. Must not know how
 * a job ends (restore_rules.c) nor what it leaves behind (backup_restore.c). */
#include "backup_exchange.h"

#include <string.h>

#define TYPE "Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers"

/* --- the world's backups ------------------------------------------------------------------------------------------ */

static const struct value *newest_point(const struct value *backup)
{
    const struct value *points = value_get(backup, "points"), *ret = NULL;

    for (size_t i = 0; i < value_count(points); i++)
        if (!ret || time_parse(value_str_at(value_item(points, i), "time")) > time_parse(value_str_at(ret, "time")))
            ret = value_item(points, i);
    return ret;
}

/* --- how they are shown ------------------------------------------------------------------------------------------- */

static const char *or_else(const char *s, const char *otherwise)
{
    return s ? s : otherwise;
}

static struct value *show_envelope(struct arena *a, const char *id, const char *type, struct value *properties)
{
    struct value *ret = value_map(a);

    value_set_string(a, ret, "id", id);
    value_set_string(a, ret, "name", world_id_name(id));
    value_set_string(a, ret, "type", type);
    value_set(a, ret, "properties", properties);
    return ret;
}

/* health 400239 is what a healthy machine was recorded with. */
static struct value *show_health(struct arena *a)
{
    struct value *list = value_list(a), *entry = value_map(a);

    value_set_int(a, entry, "code", 400239);
    value_set_string(a, entry, "title", "IaasVmHealthGreenDefault");
    value_set_string(a, entry, "message", "Backup pre-check status of this virtual machine is OK.");
    value_set(a, entry, "recommendations", value_list(a));
    value_push(a, list, entry);
    return list;
}

/* What was deleted is kept for fourteen days, which a world tells where it says since when. */
static void show_deletion(const struct backup_exchange *x, const struct value *backup, struct value *p)
{
    const char *since = value_str_at(backup, "protection.softDeletedSince");
    int64_t left = since ? time_parse(since) + 14 * DAY_MS - x->s->now_ms : 0;

    value_set_bool(x->a, p, "isScheduledForDeferredDelete", true);
    if (!since)
        return;
    value_set_string(x->a, p, "deferredDeleteTimeInUTC", since);
    value_set_int(x->a, p, "softDeleteRetentionPeriodInDays", 14);
    value_set(x->a, p, "deferredDeleteTimeRemaining",
              value_format(x->a, "%lld.%02lld:%02lld:00", (long long)(left / DAY_MS),
                           (long long)(left % DAY_MS / HOUR_MS), (long long)(left % HOUR_MS / MINUTE_MS)));
}

static struct value *show_item(const struct backup_exchange *x, const struct value *backup)
{
    struct arena *a = x->a;
    struct value *p = value_map(a), *scan;
    const char *source = item_source_id(a, backup),
               *policy = or_else(value_str_at(backup, "protection.policyName"), "EnhancedPolicy");
    const char *newest = value_str_at(newest_point(backup), "time");
    const char *state = or_else(value_str_at(backup, "protection.state"), "Protected");
    const char *type = or_else(value_str_at(backup, "protection.policyType"), "V2");
    bool stopped = str_eq(state, "ProtectionStopped");

    value_set_string(a, p, "friendlyName", value_str_at(backup, "source.name"));
    value_set_string(a, p, "virtualMachineId", source);
    value_set_string(a, p, "protectionStatus", "Healthy");
    value_set_string(a, p, "protectionState", state);
    value_set_string(a, p, "healthStatus", or_else(value_str_at(backup, "protection.health"), "Passed"));
    if (newest)
        value_set(a, p, "healthDetails", show_health(a));
    value_set_string(a, p, "lastBackupStatus",
                     newest ? or_else(value_str_at(backup, "protection.lastBackupStatus"), "Completed") : "");
    value_set_string(a, p, "lastBackupTime", newest ? newest : "2001-01-01T00:00:00Z");
    value_set_string(a, p, "protectedItemDataId", "686095811647967");
    if (!str_eq(type, "V1"))
        value_set_string(a, p, "policyType", type);
    value_set_string(a, p, "protectedItemType", "Microsoft.Compute/virtualMachines");
    value_set_string(a, p, "backupManagementType", "AzureIaasVM");
    value_set_string(a, p, "workloadType", "VM");
    value_set_string(a, p, "containerName", backup_source_name(a, backup));
    value_set_string(a, p, "sourceResourceId", source);
    value_set(a, p, "policyId",
              stopped ? value_string(a, "") : value_format(a, "%s/backupPolicies/%s", x->vault_id, policy));
    value_set_string(a, p, "policyName", stopped ? "" : policy);
    value_set_string(a, p, "lastRecoveryPoint", newest);
    value_set(a, p, "vaultId", value_format(a, "%s%s", x->s->ep.arm, x->vault_id));
    value_set_bool(a, p, "isArchiveEnabled", false);
    if (value_bool_at(backup, "protection.softDeleted", false))
        show_deletion(x, backup, p);
    if (item_api_is_newer(x->r)) {
        value_set(a, p, "extendedProperties", value_map(a));
        value_set_int(a, p, "softDeleteRetentionPeriod", 0);
        value_set_string(a, p, "sourceLocation", backup_vault_location(x));
        scan = value_set(a, p, "sourceSideScanInfo", value_map(a));
        value_set_string(a, scan, "sourceSideScanStatus", "NotConfigured");
        value_set_string(a, scan, "sourceSideScanSummary", "Unknown");
    }
    return show_envelope(a, backup_item_id(x, backup), TYPE "/protectedItems", p);
}

static struct value *show_container(const struct backup_exchange *x, const struct value *backup)
{
    struct arena *a = x->a;
    struct value *p = value_map(a);

    value_set_string(a, p, "virtualMachineId", item_source_id(a, backup));
    value_set_string(a, p, "virtualMachineVersion", "Compute");
    value_set_string(a, p, "resourceGroup", value_str_at(backup, "source.resourceGroup"));
    value_set_string(a, p, "friendlyName", value_str_at(backup, "source.name"));
    value_set_string(a, p, "backupManagementType", "AzureIaasVM");
    value_set_string(a, p, "registrationStatus", "Registered");
    value_set_string(a, p, "healthStatus", "Healthy");
    value_set_string(a, p, "containerType", "Microsoft.Compute/virtualMachines");
    value_set_string(a, p, "protectableObjectType", "Microsoft.Compute/virtualMachines");
    /* The recorded container is in lower case where its item is not. */
    return show_envelope(a,
                         arena_printf(a, "%s/backupFabrics/Azure/protectionContainers/IaasVMContainer;%s", x->vault_id,
                                      str_lower(a, backup_source_name(a, backup))),
                         TYPE, p);
}

static struct value *show_tiers(struct arena *a, const struct value *point)
{
    const struct value *tiers = value_get(point, "tiers");
    struct value *ret = value_list(a);

    for (size_t i = 0; i < value_count(tiers); i++) {
        struct value *tier = value_map(a);

        value_set_string(a, tier, "type", tiers->map.members[i].key);
        value_set_string(a, tier, "status", value_str(tiers->map.members[i].value));
        value_push(a, ret, tier);
    }
    return ret;
}

static struct value *show_point(const struct backup_exchange *x, const struct value *backup, const struct value *point)
{
    struct arena *a = x->a;
    struct value *p = value_map(a), *more;

    value_set_string(a, p, "objectType", "IaasVMRecoveryPoint");
    value_set_string(a, p, "recoveryPointType", or_else(value_str_at(point, "consistency"), "AppConsistent"));
    value_set_string(a, p, "recoveryPointTime", value_str_at(point, "time"));
    value_set_string(a, p, "recoveryPointAdditionalInfo", "");
    value_set_string(a, p, "sourceVMStorageType", "PremiumVMOnPartialPremiumStorage");
    value_set_bool(a, p, "isSourceVMEncrypted", false);
    value_set_bool(a, p, "isInstantIlrSessionActive", false);
    if (value_bool_at(point, "tiersTold", true))
        value_set(a, p, "recoveryPointTierDetails", show_tiers(a, point));
    value_set_bool(a, p, "isManagedVirtualMachine", true);
    value_set_string(a, p, "virtualMachineSize", or_else(value_str_at(backup, "source.size"), "Standard_DC4ads_v6"));
    value_set_bool(a, p, "originalStorageAccountOption", false);
    value_set_string(a, p, "osType", or_else(value_str_at(backup, "source.osType"), "Linux"));
    more = value_set(a, p, "recoveryPointMoveReadinessInfo", value_map(a));
    more = value_set(a, more, "ArchivedRP", value_map(a));
    value_set_bool(a, more, "isReadyForMove", false);
    value_set_string(a, more, "additionalInfo",
                     "It is not known yet whether this recovery point can be moved to the archive.");
    value_set_string(a, p, "securityType", item_security_type(backup, point));
    more = value_set(a, p, "recoveryPointProperties", value_map(a));
    value_set_string(a, more, "expiryTime", value_str_at(point, "expiryTime"));
    value_set_string(a, more, "ruleName", value_str_at(point, "rule"));
    value_set_bool(a, more, "isSoftDeleted", value_bool_at(point, "softDeleted", false));
    value_set_bool(a, p, "isPrivateAccessEnabledOnAnyDisk", false);
    if (item_api_is_newer(x->r)) {
        value_set_string(a, p, "createdWithPolicyType", or_else(value_str_at(backup, "protection.policyType"), "V2"));
        value_set_string(a, p, "threatStatus", or_else(value_str_at(point, "threatStatus"), "NotAvailable"));
    }
    /* The data disks that were encrypted when the point was taken; a world that does not tell of
     * them leaves the point silent. */
    if (value_get(point, "encryptedDataDisks") &&
        strcmp(or_else(request_query(x->r, "api-version"), ""), "2026-07-01") >= 0)
        value_set(a, value_set(a, p, "dataDiskMetadata", value_map(a)), "encryptedDataDisks",
                  value_copy(a, value_get(point, "encryptedDataDisks")));
    return show_envelope(a,
                         arena_printf(a, "%s/recoveryPoints/%s", backup_item_id(x, backup), value_str_at(point, "id")),
                         TYPE "/protectedItems/recoveryPoints", p);
}

/* --- filters ------------------------------------------------------------------------------------------------------ */

/* Does the filter let this pass? Only clauses on `name` count: "friendlyName eq 'vm-1'". */
static bool filter_passes(struct arena *a, const char *filter, const char *name, const char *value)
{
    const char *clause = filter ? str_find_nocase(filter, arena_printf(a, "%s eq '", name)) : NULL, *start;

    if (!clause)
        return true;
    start = clause + strlen(name) + strlen(" eq '");
    return str_eq_nocase(arena_strndup(a, start, strcspn(start, "'")), value);
}

static void list_backups(const struct backup_exchange *x, bool containers)
{
    struct value *all = state_list(x->s, "backups"), *items = value_list(x->a);
    const char *filter = request_query(x->r, "$filter");
    size_t next = SIZE_MAX;

    for (size_t i = arm_page_from(x->r); i < value_count(all) && next == SIZE_MAX; i++) {
        const struct value *b = value_item(all, i);

        if (str_eq_nocase(value_str_at(b, "vault"), x->vault_id) &&
            filter_passes(x->a, filter, "backupManagementType", "AzureIaasVM") &&
            filter_passes(x->a, filter, "itemType", "VM") &&
            filter_passes(x->a, filter, "friendlyName", value_str_at(b, "source.name")) &&
            filter_passes(x->a, filter, "status", "Registered")) {
            if (value_count(items) == arm_page_size(x->s))
                next = i;
            else
                value_push(x->a, items, containers ? show_container(x, b) : show_item(x, b));
        }
    }
    arm_page_of(x->s, x->r, x->out, items, next);
}

static void set_schedule(struct arena *a, struct value *p, bool enhanced)
{
    static const char at[] = "2026-01-15T16:30:00Z";
    struct value *schedule = value_set(a, p, "schedulePolicy", value_map(a)), *home = schedule, *retention, *daily;

    value_set_string(a, schedule, "schedulePolicyType", enhanced ? "SimpleSchedulePolicyV2" : "SimpleSchedulePolicy");
    value_set_string(a, schedule, "scheduleRunFrequency", "Daily");
    if (enhanced)
        home = value_set(a, schedule, "dailySchedule", value_map(a));
    else
        value_set_int(a, schedule, "scheduleWeeklyFrequency", 0);
    value_push(a, value_set(a, home, "scheduleRunTimes", value_list(a)), value_string(a, at));
    retention = value_set(a, p, "retentionPolicy", value_map(a));
    value_set_string(a, retention, "retentionPolicyType", "LongTermRetentionPolicy");
    daily = value_set(a, retention, "dailySchedule", value_map(a));
    value_push(a, value_set(a, daily, "retentionTimes", value_list(a)), value_string(a, at));
    daily = value_set(a, daily, "retentionDuration", value_map(a));
    value_set_int(a, daily, "count", 30);
    value_set_string(a, daily, "durationType", "Days");
}

/* The service's own default policy is of the older kind. */
static struct value *show_policy(const struct backup_exchange *x, const char *name)
{
    struct value *p = value_map(x->a);
    bool enhanced = str_eq(policy_type(x->s, x->vault_id, name), "V2");

    value_set_string(x->a, p, "backupManagementType", "AzureIaasVM");
    if (enhanced)
        value_set_string(x->a, p, "policyType", "V2");
    value_set(x->a, p, "instantRPDetails", value_map(x->a));
    set_schedule(x->a, p, enhanced);
    value_set_string(x->a, p, "timeZone", "UTC");
    value_set_int(x->a, p, "instantRpRetentionRangeInDays", enhanced ? 7 : 2);
    value_set_int(x->a, p, "protectedItemsCount", (int64_t)value_count(state_list(x->s, "backups")));
    return show_envelope(x->a, arena_printf(x->a, "%s/backupPolicies/%s", x->vault_id, name),
                         "Microsoft.RecoveryServices/vaults/backupPolicies", p);
}

static void list_points(const struct backup_exchange *x, const struct value *backup)
{
    const struct value *points = value_get(backup, "points");
    struct value *items = value_list(x->a);

    for (size_t i = value_count(points); i-- > 0;)
        value_push(x->a, items, show_point(x, backup, value_item(points, i)));
    arm_page(x->s, x->r, x->out, items);
}

/* --- routes ------------------------------------------------------------------------------------------------------- */

static const struct value *find_backup(const struct backup_exchange *x, const char *container, const char *item)
{
    static const char prefix[] = "VM;iaasvmcontainerv2;";
    const char *group = str_starts_nocase(item, prefix) ? item + strlen(prefix) : "", *machine = strrchr(group, ';');
    const struct value *b = NULL;

    if (machine)
        b = backup_find(x->s, x->a, x->vault_id, arena_strndup(x->a, group, (size_t)(machine - group)), machine + 1);
    return b && str_eq_nocase(container, arena_printf(x->a, "IaasVMContainer;%s", backup_source_name(x->a, b)))
               ? b
               : NULL;
}

static bool allowed(const struct backup_exchange *x, const char *action)
{
    return require_rbac(x->s, x->r, x->out, x->vault_id, action);
}

static void route_points(const struct backup_exchange *x, const struct value *backup, size_t left)
{
    const struct value *points = value_get(backup, "points"), *point = NULL;
    const char *id = request_segment(x->r, x->at + 7);

    if (left == 7 && request_is(x->r, "GET")) {
        if (allowed(x, ITEMS "recoveryPoints/read"))
            list_points(x, backup);
        return;
    }
    for (size_t i = 0; i < value_count(points) && !point; i++)
        if (str_eq(value_str_at(value_item(points, i), "id"), id))
            point = value_item(points, i);
    if (!point)
        answer_arm_error(x->a, x->out, 404, false, "ResourceNotFound", "The recovery point '%s' does not exist.", id);
    else if (left == 9 && request_is(x->r, "POST") && str_eq_nocase(request_segment(x->r, x->at + 8), "restore"))
        backup_post_restore(x, backup, point);
    else if (left != 8 || !request_is(x->r, "GET"))
        arm_bad_path(x->r, x->out);
    else if (allowed(x, ITEMS "recoveryPoints/read"))
        answer_json(x->a, x->out, 200, show_point(x, backup, point));
}

static void result_at(const struct backup_exchange *x, const char *path, const char *status, const char *segment,
                      const char *id)
{
    operation_answer_result(x->s, x->r, x->out, x->vault_id, &(struct operation_place){path, status, segment, id});
}

/* backupFabrics/Azure/protectionContainers/C/protectedItems/I[/…] */
static void route_item(const struct backup_exchange *x, size_t left)
{
    const struct sim_request *r = x->r;
    const char *what = request_segment(r, x->at + 6), *id = request_segment(r, x->at + 7);
    const struct value *backup = find_backup(x, request_segment(r, x->at + 3), request_segment(r, x->at + 5));

    if (left == 3 && request_is(r, "POST") && str_eq_nocase(request_segment(r, x->at + 2), "refreshContainers"))
        refresh_containers(x->s, r, x->out, x->vault_id);
    else if (left == 4 && request_is(r, "GET") && str_eq_nocase(request_segment(r, x->at + 2), "operationResults"))
        result_at(x, arena_printf(x->a, "%s/backupFabrics/Azure", x->vault_id), "operationsStatus", "operationResults",
                  request_segment(r, x->at + 3));
    else if (left == 4 && request_is(r, "GET") && str_eq_nocase(request_segment(r, x->at + 2), "operationsStatus"))
        operation_answer(x->s, r, x->out, x->vault_id, request_segment(r, x->at + 3));
    else if (left < 6 || !str_eq_nocase(request_segment(r, x->at + 1), "Azure"))
        arm_bad_path(r, x->out);
    else if (left == 6 && request_is(r, "PUT"))
        protect_put(x->s, r, x->out, x->vault_id, request_path(r, x->at + 6));
    else if (!backup)
        answer_arm_error(x->a, x->out, 404, false, "ResourceNotFound", "The protected item '%s' does not exist.",
                         request_segment(r, x->at + 5));
    else if (str_eq_nocase(what, "recoveryPoints"))
        route_points(x, backup, left);
    else if (!request_is(r, "GET"))
        arm_bad_path(r, x->out);
    else if (left == 6 && allowed(x, ITEMS "read"))
        answer_json(x->a, x->out, 200, show_item(x, backup));
    else if (left == 8 && str_eq_nocase(what, "operationsStatus") && allowed(x, ITEMS "operationsStatus/read"))
        operation_answer(x->s, x->r, x->out, x->vault_id, id);
    else if (left == 8 && str_eq_nocase(what, "operationResults") && allowed(x, ITEMS "operationResults/read"))
        operation_answer_result(
            x->s, x->r, x->out, x->vault_id,
            &(struct operation_place){backup_item_id(x, backup), "operationsStatus", "operationResults", id});
    else if (!x->out->body.len)
        arm_bad_path(r, x->out);
}

static void get_policies(const struct backup_exchange *x, const char *name)
{
    struct value *items = value_list(x->a), *all = state_list(x->s, "backupPolicies");

    if (*name && policy_type(x->s, x->vault_id, name)) {
        answer_json(x->a, x->out, 200, show_policy(x, name));
        return;
    }
    if (*name) {
        answer_arm_error(x->a, x->out, 404, false, "BMSUserErrorPolicyNotFound",
                         "The backup policy '%s' does not exist.", name);
        return;
    }
    value_push(x->a, items, show_policy(x, "EnhancedPolicy"));
    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "vault"), x->vault_id))
            value_push(x->a, items, show_policy(x, value_str_at(value_item(all, i), "name")));
    arm_page(x->s, x->r, x->out, items);
}

static void result(const struct backup_exchange *x, const char *status, const char *segment, const char *id)
{
    operation_answer_result(x->s, x->r, x->out, x->vault_id,
                            &(struct operation_place){x->vault_id, status, segment, id});
}

static bool route_get(const struct backup_exchange *x, const char *what, const char *id)
{
    static const struct { const char *segment, *action; } reads[] = {
        {"backupProtectedItems", VAULTS "backupProtectedItems/read"},
        {"backupProtectionContainers", VAULTS "backupProtectionContainers/read"},
        {"backupResourceGuardProxies", VAULTS "backupResourceGuardProxies/read"},
        {"backupPolicies", VAULTS "backupPolicies/read"},
        {"backupOperations", VAULTS "backupOperations/read"},
        {"backupOperationResults", VAULTS "backupOperationResults/read"},
        {"backupValidateOperationsStatuses", VAULTS "backupValidateOperationsStatuses/read"},
        {"backupValidateOperationResults", VAULTS "backupValidateOperationResults/read"},
    };
    size_t i = 0;

    while (i < COUNT(reads) && !str_eq_nocase(reads[i].segment, what))
        i++;
    if (i == COUNT(reads))
        return false;
    if (!allowed(x, reads[i].action))
        return true;
    switch (i) {
    case 0: list_backups(x, false); break;
    case 1: list_backups(x, true); break;
    case 2: arm_page(x->s, x->r, x->out, guards_of(x->s, x->a, x->vault_id)); break;
    case 3: get_policies(x, id); break;
    case 5: result(x, "backupOperations", what, id); break;
    case 7: result(x, "backupValidateOperationsStatuses", what, id); break;
    default: operation_answer(x->s, x->r, x->out, x->vault_id, id); break;
    }
    return true;
}

void backup_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t provider = arm_provider_at(r);
    struct backup_exchange x = {
        .s = s, .r = r, .out = out, .a = r->arena, .vault_id = request_path(r, provider + 4), .at = provider + 4};
    const char *what = request_segment(r, x.at), *id = request_segment(r, x.at + 1);
    const struct value *vault = resource_find(s, x.vault_id);

    if (!vault) {
        arm_not_found(s, r, out, x.vault_id);
        return;
    }
    x.vault_id = value_str_at(vault, "id");
    if (str_eq_nocase(what, "backupJobs")) {
        jobs_answer(s, r, out, x.vault_id, x.at);
    } else if (str_eq_nocase(what, "backupFabrics")) {
        route_item(&x, r->n_segments - x.at);
    } else if (request_is(r, "POST") && str_eq_nocase(what, "backupValidateOperation")) {
        if (allowed(&x, VAULTS "backupValidateOperation/action"))
            answer_json(x.a, out, 200, backup_validate(&x));
    } else if (request_is(r, "POST") && str_eq_nocase(what, "backupTriggerValidateOperation")) {
        if (allowed(&x, VAULTS "backupTriggerValidateOperation/action"))
            backup_trigger_validation(&x);
    } else if (!request_is(r, "GET") || !route_get(&x, what, id)) {
        arm_bad_path(r, out);
    }
}
