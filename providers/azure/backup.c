/* Knows Azure Backup of VMs: how items, recovery points and jobs are found and read, and how a restore is ordered. Must
 * not decide whether one should be. An operation is not a job: the operation ends when the job is queued. */
#include "backup.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "internal.h"

/* --- understanding: recovery points ------------------------------------------------------------------------------- */

/* Older api-versions write these as numbers, in this order. */
static const char *const tier_types[] = {"Invalid", "InstantRP", "HardenedRP", "ArchivedRP"};
static const char *const tier_statuses[] = {"Invalid", "Valid", "Disabled", "Deleted", "Rehydrated"};

static const char *enum_word(const struct value *v, const char *const *words, size_t n)
{
    int64_t i = value_is(v, VALUE_INT) ? v->i : -1;

    if (i >= 0)
        return (size_t)i < n ? words[i] : NULL;
    return value_str(v);
}

static void read_tier(const struct value *tier, struct backup_point *point)
{
    const char *type = enum_word(value_get(tier, "type"), tier_types, COUNT(tier_types));
    const char *status = enum_word(value_get(tier, "status"), tier_statuses, COUNT(tier_statuses));
    bool archive = str_eq_nocase(type, "ArchivedRP");
    bool usable = str_eq_nocase(status, "Valid") || (archive && str_eq_nocase(status, "Rehydrated"));
    enum tier_state state = usable ? TIER_VALID : TIER_GONE;

    if (str_eq_nocase(type, "InstantRP") || str_eq_nocase(type, "IASnapshotRP"))
        point->snapshot = point->snapshot == TIER_VALID ? TIER_VALID : state;
    else if (str_eq_nocase(type, "HardenedRP"))
        point->vault = state;
    else if (archive)
        point->archive = state, point->rehydrated = str_eq_nocase(status, "Rehydrated");
    else if (usable && type && !str_eq_nocase(type, "Invalid"))
        point->unknown_tier = type;
}

static enum point_key point_key(const char *type)
{
    static const char *const ordinary[] = {"None", "Standard", "TrustedLaunch"};

    for (size_t i = 0; i < COUNT(ordinary); i++)
        if (str_eq_nocase(type, ordinary[i]))
            return POINT_KEY_PLATFORM;
    if (!str_starts_nocase(type, "ConfidentialVM"))
        return POINT_KEY_UNKNOWN;
    if (str_ends_nocase(type, "CustomerKey"))
        return POINT_KEY_CUSTOMER;
    return str_ends_nocase(type, "PlatformKey") ? POINT_KEY_PLATFORM : POINT_KEY_UNKNOWN;
}

/* All other words, and the numbers of older versions, say nothing. */
static const char *threat_in(struct arena *a, const char *status)
{
    return str_eq_nocase(status, "UnHealthy") || str_eq_nocase(status, "Warning") ? arena_strdup(a, status) : NULL;
}

void backup_read_point(struct arena *a, const struct value *body, struct backup_point *ret)
{
    const struct value *p = value_get(body, "properties"), *tiers = value_get(p, "recoveryPointTierDetails");
    const char *id = value_str_at(body, "name");
    struct backup_point point = {
        .id = arena_strdup(a, id ? id : arm_id_name(value_str_at(body, "id"))),
        .time_ms = time_parse(value_str_at(p, "recoveryPointTime")),
        .expiry_ms = time_parse(value_str_at(p, "recoveryPointProperties.expiryTime")),
        .soft_deleted = value_bool_at(p, "recoveryPointProperties.isSoftDeleted", false),
        .security_type = arena_strdup(a, value_str_at(p, "securityType")),
        .threat = threat_in(a, value_str_at(p, "threatStatus")),
        .os_type = arena_strdup(a, value_str_at(p, "osType")),
        .size = arena_strdup(a, value_str_at(p, "virtualMachineSize")),
        .consistency = arena_strdup(a, value_str_at(p, "recoveryPointType")),
    };

    /* isSourceVMEncrypted means Azure Disk Encryption and is false for confidential VMs. */
    point.confidential = str_starts_nocase(point.security_type, "ConfidentialVM");
    point.key = point_key(point.security_type);
    if (!value_is(tiers, VALUE_LIST))
        point.snapshot = point.vault = point.archive = TIER_UNSEEN;
    for (size_t i = 0; i < value_count(tiers); i++)
        read_tier(value_item(tiers, i), &point);
    point.unknown_tier = arena_strdup(a, point.unknown_tier);
    *ret = point;
}

/* --- understanding: jobs ------------------------------------------------------------------------------------------ */

static bool trimmed_equal(const char *x, const char *y)
{
    size_t n, m;

    x += strspn(x, " \t");
    y += strspn(y, " \t");
    for (n = strlen(x); n > 0 && isspace((unsigned char)x[n - 1]); n--)
        continue;
    for (m = strlen(y); m > 0 && isspace((unsigned char)y[m - 1]); m--)
        continue;
    return n == m && strncasecmp(x, y, n) == 0;
}

const char *backup_bag(const struct value *job, const char *key)
{
    const struct value *bag = value_at(job, "properties.extendedInfo.propertyBag");
    const char *exact = value_str(value_get(bag, key));

    for (size_t i = 0; !exact && value_is(bag, VALUE_MAP) && i < bag->map.count; i++)
        if (trimmed_equal(bag->map.members[i].key, key))
            exact = value_str(bag->map.members[i].value);
    return exact;
}

static enum job_state job_state_of(const char *status)
{
    static const struct {
        const char *word;
        enum job_state state;
    } states[] = {
        {"InProgress", JOB_RUNNING},  {"Cancelling", JOB_CANCELLING},
        {"Completed", JOB_COMPLETED}, {"CompletedWithWarnings", JOB_COMPLETED_WITH_WARNINGS},
        {"Failed", JOB_FAILED},       {"Cancelled", JOB_CANCELLED},
    };

    for (size_t i = 0; i < COUNT(states); i++)
        if (str_eq_nocase(states[i].word, status))
            return states[i].state;
    return JOB_UNKNOWN;
}

enum backup_operation backup_operation_of(const struct value *job)
{
    static const char *const others[] = {"Backup", "ConfigureBackup", "DisableBackup", "DeleteBackupData",
                                         "Register", "UnRegister", "Undelete", "UpdateCustomerManagedKey"};
    const char *word = value_str_at(job, "properties.operation");

    if (str_eq_nocase(word, "Restore") || str_eq_nocase(word, "CrossRegionRestore"))
        return OPERATION_RESTORE;
    for (size_t i = 0; i < COUNT(others); i++)
        if (str_eq_nocase(word, others[i]))
            return OPERATION_OTHER;
    return OPERATION_UNTOLD;
}

static enum restore_type restore_type_of(const struct value *job)
{
    const char *word = value_str_at(job, "properties.extendedInfo.internalPropertyBag.restoreLocationType");
    const char *text = backup_bag(job, "Job Type");

    if (str_eq_nocase(value_str_at(job, "properties.operation"), "CrossRegionRestore"))
        return RESTORE_CROSS_REGION;
    if (str_eq_nocase(word, "AlternateLocation") || (!word && text && str_find_nocase(text, "alternate location")))
        return RESTORE_NEW_VM;
    if (str_eq_nocase(word, "RestoreDisks") || (!word && str_eq_nocase(text, "Recover disks")))
        return RESTORE_DISKS;
    if (str_eq_nocase(word, "OriginalLocation") || (!word && str_eq_nocase(text, "Replace disks")))
        return RESTORE_REPLACE;
    return RESTORE_UNKNOWN;
}

/* A symbolic name somewhere in a text: one of the table, else a word of the form UserError…. */
static char *code_within(struct arena *a, const char *text)
{
    const char *p;

    if (!text)
        return NULL;
    for (size_t i = 0; i < azure_n_errors; i++) {
        const char *code = azure_errors[i].code;
        size_t n = strlen(code);

        /* Short and general names, such as Conflict, are ordinary words in a sentence. */
        p = n >= 20 ? str_find_nocase(text, code) : NULL;
        if (p && !isalnum((unsigned char)p[n]))
            return arena_strdup(a, code);
    }
    p = str_find_nocase(text, "UserError");
    for (size_t n = 9; p && n < 96; n++)
        if (!isalnum((unsigned char)p[n]))
            return n > 9 ? arena_strndup(a, p, n) : NULL;
    return NULL;
}

static bool is_symbolic(const char *s)
{
    size_t n = s ? strlen(s) : 0;

    return n > 0 && n < 96 && isalpha((unsigned char)s[0]) && strcspn(s, " \t.,:") == n;
}

static char *code_in_details(struct arena *a, const struct value *details)
{
    char *code = NULL;

    for (size_t i = 0; !code && i < value_count(details); i++) {
        const struct value *d = value_item(details, i), *advice = value_get(d, "recommendations");

        code = code_within(a, value_str_at(d, "errorString"));
        for (size_t j = 0; !code && j < value_count(advice); j++)
            code = code_within(a, value_str(value_item(advice, j)));
    }
    return code;
}

/* The number is all that is left when no name is found anywhere. */
static char *number_of(struct arena *a, const struct value *detail)
{
    const struct value *code = value_get(detail, "errorCode");

    if (value_is(code, VALUE_INT))
        return arena_printf(a, "%lld", (long long)code->i);
    return arena_strdup(a, value_str(code));
}

static void read_errors(struct arena *a, const struct value *p, struct backup_job *job)
{
    const struct value *details = value_get(p, "errorDetails"), *first = value_item(details, 0);
    const char *dynamic = value_str_at(p, "extendedInfo.dynamicErrorMessage");
    const char *title = value_str_at(first, "errorTitle"), *text = value_str_at(first, "errorString");

    for (size_t i = 0; !job->error_code && i < value_count(details); i++)
        if (azure_error_find(value_str_at(value_item(details, i), "errorTitle")))
            job->error_code = arena_strdup(a, value_str_at(value_item(details, i), "errorTitle"));
    /* A general title may hide a telling name in the texts. */
    if (!job->error_code || str_eq_nocase(job->error_code, "RestoreOperationFailed")) {
        const char *found = code_within(a, dynamic);

        found = found ? found : code_in_details(a, details);
        job->error_code = found ? found : job->error_code;
    }
    if (!job->error_code && !is_symbolic(title)) {
        const struct azure_error *known = azure_error_in_text(text ? text : dynamic);

        /* A number that is known says more than words do. */
        job->error_code = number_of(a, first);
        if (known && !azure_error_find(job->error_code))
            job->error_code = arena_strdup(a, known->code);
    }
    if (!job->error_code)
        job->error_code = arena_strdup(a, title);
    if (text || title)
        job->error_text = arena_strdup(a, text ? text : title);
    else
        job->error_text = dynamic && *dynamic ? arena_strdup(a, dynamic) : NULL;
}

static void read_details(struct arena *a, const struct value *body, struct backup_job *job)
{
    const struct value *progress = value_at(body, "properties.extendedInfo.progressPercentage");

    const char *point = backup_bag(body, "Recovery point time ");

    job->detailed = true;
    job->type = restore_type_of(body);
    job->point_ms = time_parse_text(point);
    job->point_text = time_text_exact(point) ? NULL : arena_strdup(a, point);
    job->target_vm = arena_strdup(a, backup_bag(body, "Target VM Name"));
    job->target_group = arena_strdup(a, backup_bag(body, "Target resource group"));
    job->storage_account = arena_strdup(a, backup_bag(body, "Target Storage Account Name"));
    job->config_container = arena_strdup(a, backup_bag(body, "Config Blob Container Name"));
    job->encryption_blob = arena_strdup(a, backup_bag(body, "Secured Encryption Info Blob Name"));
    job->progress = value_is(progress, VALUE_REAL)  ? progress->r
                    : value_is(progress, VALUE_INT) ? (double)progress->i
                                                    : 0;
}

/* "iaasvmcontainerv2;GROUP;VM", also with "IaasVMContainer;" before it. The group ends one sign before `vm`. */
static bool container_parts(const char *container, const char **ret_group, const char **ret_vm)
{
    const char *vm = container ? strrchr(container, ';') : NULL, *group = vm;

    while (group && group > container && group[-1] != ';')
        group--;
    if (!vm || !vm[1] || group == vm || group == container || !str_starts_nocase(container, "iaasvmcontainer"))
        return false;
    *ret_group = group;
    *ret_vm = vm + 1;
    return true;
}

static void read_container(struct arena *a, const char *container, struct backup_job *job)
{
    const char *group, *vm;

    if (!container_parts(container, &group, &vm))
        return;
    job->source_vm = arena_strdup(a, vm);
    job->source_group = arena_strndup(a, group, (size_t)(vm - 1 - group));
}

bool backup_job_of_another(const struct value *listed, const char *group, const char *vm)
{
    const char *its_group, *its_vm;

    if (!group || !vm ||
        !container_parts(value_str(value_get(value_get(listed, "properties"), "containerName")), &its_group, &its_vm))
        return false;
    return !str_eq_nocase(its_vm, vm) || !str_starts_nocase(its_group, group) || its_group[strlen(group)] != ';';
}

void backup_read_job(struct arena *a, const struct value *body, struct backup_job *ret)
{
    const struct value *p = value_get(body, "properties");
    const char *id = value_str_at(body, "name");
    struct backup_job job = {
        .id = arena_strdup(a, id ? id : arm_id_name(value_str_at(body, "id"))),
        .status = arena_strdup(a, value_str_at(p, "status")),
        .operation = arena_strdup(a, value_str_at(p, "operation")),
        .state = job_state_of(value_str_at(p, "status")),
        .start_ms = time_parse(value_str_at(p, "startTime")),
        .end_ms = time_parse(value_str_at(p, "endTime")),
        .vm = arena_strdup(a, value_str_at(p, "entityFriendlyName")),
        .type = RESTORE_UNKNOWN,
        .point_ms = TIME_NONE,
    };

    read_container(a, value_str_at(p, "containerName"), &job);
    if (value_is(value_get(p, "extendedInfo"), VALUE_MAP))
        read_details(a, body, &job);
    read_errors(a, p, &job);
    *ret = job;
}

bool backup_job_lasts(const struct backup_job *job)
{
    return job->state == JOB_RUNNING || job->state == JOB_CANCELLING || job->state == JOB_UNKNOWN;
}

/* --- restoring: the request --------------------------------------------------------------------------------------- */

static const char *recovery_type(enum restore_type type)
{
    return type == RESTORE_NEW_VM ? "AlternateLocation" : type == RESTORE_REPLACE ? "OriginalLocation" : "RestoreDisks";
}

struct value *backup_restore_body(struct arena *a, const struct restore_request *r)
{
    struct value *body = value_map(a), *p = value_set(a, body, "properties", value_map(a));
    const char *network = r->subnet_id ? arm_id_parent(a, r->subnet_id, 2) : NULL;

    value_set_string(a, p, "objectType", "IaasVMRestoreRequest");
    value_set_string(a, p, "recoveryPointId", r->point);
    value_set_string(a, p, "recoveryType", recovery_type(r->type));
    value_set_string(a, p, "sourceResourceId", r->source_vm_id);
    if (r->type == RESTORE_NEW_VM)
        value_set_string(a, p, "targetVirtualMachineId", r->target_vm_id);
    if (r->type != RESTORE_REPLACE)
        value_set_string(a, p, "targetResourceGroupId", r->target_group_id);
    value_set_string(a, p, "storageAccountId", r->storage_account_id);
    if (r->type == RESTORE_NEW_VM) {
        value_set_string(a, p, "virtualNetworkId", network);
        value_set_string(a, p, "subnetId", r->subnet_id);
    }
    value_set_string(a, p, "region", r->region);
    value_set_bool(a, p, "createNewCloudService", false);
    value_set_bool(a, p, "originalStorageAccountOption", false);
    value_set_bool(a, p, "restoreWithManagedDisks", false);
    if (r->zone && r->type != RESTORE_REPLACE)
        value_push(a, value_set(a, p, "zones", value_list(a)), value_string(a, r->zone));
    if (value_count(r->disk_luns))
        value_set(a, p, "restoreDiskLunList", value_copy(a, r->disk_luns));
    /* An empty object must not be sent, and none at all with a replace. */
    if (r->des_id && *r->des_id && r->type != RESTORE_REPLACE)
        value_set_string(a, value_set(a, p, "securedVMDetails", value_map(a)), "securedVMOsDiskEncryptionSetId",
                         r->des_id);
    return body;
}
