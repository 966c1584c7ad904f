/* Knows what a restore's request must hold before a job begins, and its validation. Must not know how jobs end. */
#include "backup_exchange.h"

#include <string.h>

/* --- restore requests --------------------------------------------------------------------------------------------- */

/* Rights on what the request refers to: Azure names the linked scope. */
static bool linked(const struct backup_exchange *x, const char *action, const char *scope, const char *linked_action)
{
    if (!scope || access_rbac(x->s, x->r->principal, scope, linked_action, false))
        return true;
    answer_arm_error(x->a, x->out, 403, true, "LinkedAuthorizationFailed",
                     "The client '%s' with object id '%s' has permission to perform action '%s' on scope '%s'; "
                     "however, it does not have "
                     "permission to perform action(s) '%s' on the linked scope(s) '%s'.",
                     x->r->principal, x->r->principal, action, x->vault_id, linked_action, scope);
    return false;
}

static bool linked_rights(const struct backup_exchange *x, const struct value *backup, const struct value *body)
{
    static const char action[] = ITEMS "recoveryPoints/restore/action";
    bool new_vm = str_eq(value_str_at(body, "recoveryType"), "AlternateLocation");

    if (str_eq(value_str_at(body, "recoveryType"), "OriginalLocation") &&
        !linked(x, action, item_source_id(x->a, backup), "Microsoft.Compute/virtualMachines/write"))
        return false;
    return linked(x, action, value_str_at(body, "storageAccountId"), "Microsoft.Storage/storageAccounts/read") &&
           linked(x, action, value_str_at(body, "targetResourceGroupId"),
                  new_vm ? "Microsoft.Compute/virtualMachines/write" : "Microsoft.Compute/disks/write") &&
           (!new_vm ||
            linked(x, action, value_str_at(body, "subnetId"), "Microsoft.Network/virtualNetworks/subnets/join/action"));
}

/* One restore of an item at a time. */
static bool restore_runs(const struct backup_exchange *x, const struct value *backup)
{
    const struct value *jobs = state_list(x->s, "jobs");
    const char *container = backup_source_name(x->a, backup);

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *p = value_get(value_item(jobs, i), "properties");

        if (str_starts_nocase(value_str_at(value_item(jobs, i), "id"), x->vault_id) &&
            str_eq_nocase(value_str_at(p, "operation"), "Restore") &&
            str_eq_nocase(value_str_at(p, "status"), "InProgress") &&
            str_eq_nocase(value_str_at(p, "containerName"), container))
            return true;
    }
    return false;
}

void backup_post_restore(const struct backup_exchange *x, const struct value *backup, const struct value *point)
{
    struct restore_check c = {.s = x->s,
                              .a = x->a,
                              .backup = backup,
                              .point = point,
                              .body = value_get(x->r->json, "properties"),
                              .location = backup_vault_location(x),
                              .problems = value_list(x->a)};
    const struct value *first;

    if (!require_rbac(x->s, x->r, x->out, backup_item_id(x, backup), ITEMS "recoveryPoints/restore/action"))
        return;
    request_check(&c);
    first = value_item(c.problems, 0);
    if (value_count(guards_of(x->s, x->a, x->vault_id)) && !value_get(c.body, "resourceGuardOperationRequests"))
        answer_arm_error(x->a, x->out, 403, false, "UserErrorOperationProtectedByResourceGuard",
                         "The operation is guarded; a request of the resource guard is needed.");
    else if (first)
        answer_arm_error(x->a, x->out, 400, false, value_str_at(first, "code"), "%s", value_str_at(first, "message"));
    else if (restore_runs(x, backup))
        answer_arm_error(x->a, x->out, 400, false, "UserErrorRestoreOperationInProgress",
                         "Another restore operation is in progress for this item.");
    else if (linked_rights(x, backup, c.body))
        operation_accepted(x->s, x->r, x->out, backup_item_id(x, backup), "operationsStatus", "operationResults",
                           jobs_start_restore(x->s, x->vault_id, backup, point, c.body));
}

/* --- validation --------------------------------------------------------------------------------------------------- */

/* The backup and point that an id names; NULL when there is none. */
static const struct value *find_point(const struct backup_exchange *x, const char *id, const struct value **ret_backup)
{
    static const char behind[] = "/protectedItems/VM;iaasvmcontainerv2;";
    const char *item = id ? str_find_nocase(id, behind) : NULL, *group = item ? item + strlen(behind) : "";
    const char *machine = strchr(group, ';');
    const struct value *b =
        machine ? backup_find(x->s, x->a, x->vault_id, arena_strndup(x->a, group, (size_t)(machine - group)),
                              arena_strndup(x->a, machine + 1, strcspn(machine + 1, "/")))
                : NULL;

    if (b) {
        const struct value *points = value_get(b, "points");

        for (size_t k = 0; k < value_count(points); k++) {
            const char *point_id = arena_printf(x->a, "%s/recoveryPoints/%s", backup_item_id(x, b),
                                                value_str_at(value_item(points, k), "id"));

            if (str_eq_nocase(point_id, id)) {
                *ret_backup = b;
                return value_item(points, k);
            }
        }
    }
    return NULL;
}

struct value *backup_validate(const struct backup_exchange *x)
{
    const struct value *backup = NULL;
    struct restore_check c = {.s = x->s, .a = x->a, .body = value_at(x->r->json, "properties.restoreRequest"),
                              .location = backup_vault_location(x), .problems = value_list(x->a)};
    struct value *ret = value_map(x->a), *response = value_set(x->a, ret, "validateOperationResponse", value_map(x->a));

    c.point = find_point(x, value_str_at(x->r->json, "id"), &backup);
    c.backup = backup;
    if (c.point) {
        request_check(&c);
        request_check_keys(&c);
    } else {
        request_problem(&c, "BMSUserErrorInvalidInput", "The recovery point does not exist.");
    }
    value_set(x->a, response, "validationResults", c.problems);
    return ret;
}

void backup_trigger_validation(const struct backup_exchange *x)
{
    struct value *output = backup_validate(x);
    const char *id;

    value_set_string(x->a, output, "objectType", "OperationStatusValidateOperationExtendedInfo");
    id = operation_new(x->s, "validate", x->vault_id, x->s->now_ms + 10 * SECOND_MS, output, NULL);
    operation_accepted(x->s, x->r, x->out, x->vault_id, "backupValidateOperationsStatuses",
                       "backupValidateOperationResults", id);
}
