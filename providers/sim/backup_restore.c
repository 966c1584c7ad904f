/* Knows the life of a restore: queued, decided, ended, and what it leaves behind: a virtual machine, disks,
 * configuration, or the exported key. Must not know by which rules it ends (restore_rules.c) nor how it is shown
 * (backup_jobs.c).
 *
 * Key and grants are judged when the data phase starts, not at the end: the service has to unwrap before it copies, so
 * what is repaired later does not save a running pass. Whether the machine boots is judged at the end,
 * when it would. */
#include "data.h"

#include <ctype.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

#define SNAPSHOT_DURATION (3 * (int64_t)MINUTE_MS)

/* Nobody publishes the numbers of the key errors: these are ours. The names are Azure's. */
static const struct { const char *code; int number; const char *text, *advice;
} errors[] = {
    {"UserErrorDiskEncryptionSetDoesNotExist", 400901, "The disk encryption set of the virtual machine does not exist.",
     "Name a disk encryption set that uses the original key."},
    {"UserErrorDiskEncryptionSetKeyDoesNotExist", 400902,
     "The key behind the disk encryption set cannot be used as it was backed up.",
     "Recover or restore the key, then restore again."},
    {"UserErrorInputDESKeyDoesNotMatchWithOriginalKey", 400903,
     "The disk encryption set given does not use the original key.",
     "Give a disk encryption set that uses the original key and version."},
    {"UserErrorRestoreNotSupportedFromSnapshotTierRPForDifferentDES", 400904,
     "The recovery point is only a snapshot, which can be restored with the original disk encryption set and key "
     "alone.",
     "Choose a recovery point in the vault tier."},
    {"UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK", 400905,
     "Azure Backup lacks permissions on the key's vault.", "Grant the Backup Management Service access to the key."},
    {"KeyVaultAccessForbidden", 400906, "The identity of the disk encryption set may not use the key.",
     "Grant the identity get, wrap and unwrap on the key."},
    {"UserErrorJobSuccessfullyCancelled", 400158, "The job was cancelled by the user.", ""},
    {"VMStartFailed", 400907, "The virtual machine was restored and did not start: its key could not be released.",
     "Allow the release of the key, then start the machine."},
    {"InvalidParameter", 400908, "The disk encryption set cannot be used for the restored disk.",
     "Give a fitting disk encryption set."},
    {"BMSUserErrorInvalidInput", 400909, "A virtual machine of the target's name exists.", "Choose another name."},
    {"ScopeLocked", 400910, "A lock on the target forbids that anything is written there.",
     "Remove the lock, then restore again."},
    {"UserErrorCoreCountSubscriptionQuotaReached", 400911, "The core quota of the subscription is used up.",
     "Raise the quota, or choose another size or region."},
    {"RestoreOperationFailed", 400003, "Restore failed with an internal error.",
     "Retry the operation in a few minutes."},
};

/* --- ends --------------------------------------------------------------------------------------------------------- */

struct ending {
    struct sim *s;
    struct arena *a;                 /* of the state */
    struct value *job, *p, *own, *bag;
    const struct value *backup, *point, *request;
    const char *type;                /* recoveryType */
    const char *location, *set_id;   /* set_id: what the new disk is wrapped with; NULL: a platform key */
};

static void set_tasks(const struct ending *e, const char *first, const char *others)
{
    struct value *tasks = value_at(e->p, "extendedInfo.tasksList");

    for (size_t i = 0; i < value_count(tasks); i++)
        value_set_string(e->a, value_item(tasks, i), "status", i ? others : first);
}

static void end_job(const struct ending *e, const char *status)
{
    struct value *details = value_get(e->p, "extendedInfo");

    value_set_string(e->a, e->p, "status", status);
    value_set_string(e->a, e->p, "endTime", time_format(e->a, e->s->now_ms));
    value_set_string(e->a, details, "estimatedRemainingDuration", "PT0S");
    if (str_eq(value_str_at(details, "dynamicErrorMessage"), ""))
        value_remove(details, "dynamicErrorMessage");
    if (!str_eq(status, "Failed") && !str_eq(status, "Cancelled"))
        value_set(e->a, details, "progressPercentage", value_real(e->a, 100.0));
    value_set_string(e->a, e->own, "phase", "ended");
    value_remove(e->own, "due");
    state_noted(e->s);
}

static const char *source_size(const struct ending *e)
{
    const char *size = value_str_at(e->backup, "source.size");

    return size ? size : "Standard_DC4ads_v6";
}

/* Where the name of the error stands is not known: in the title, as with other
 * jobs, or elsewhere (behaviour.errorName). */
static void add_error(const struct ending *e, const char *code)
{
    struct value *list = value_set(e->a, e->p, "errorDetails", value_list(e->a)), *entry = value_map(e->a), *advice;
    const char *where = knob(e->s, "errorName"), *text = "The restore failed.", *says = "";
    bool named = str_eq(where, "title");

    for (size_t i = 0; i < COUNT(errors); i++)
        if (str_eq(errors[i].code, code)) {
            value_set_int(e->a, entry, "errorCode", errors[i].number);
            text = errors[i].text;
            says = errors[i].advice;
        }
    value_set_string(e->a, entry, "errorTitle", named ? code : "The restore operation failed.");
    value_set_string(e->a, entry, "errorString",
                     str_eq(where, "text") ? arena_printf(e->a, "%s: %s", code, text) : text);
    advice = value_set(e->a, entry, "recommendations", value_list(e->a));
    value_push(e->a, advice,
               value_string(e->a, str_eq(where, "recommendations") ? arena_printf(e->a, "%s (%s)", says, code) : says));
    value_push(e->a, list, entry);
    if (str_eq(where, "dynamic-message"))
        value_set(e->a, value_get(e->p, "extendedInfo"), "dynamicErrorMessage",
                  value_format(e->a, "%s: %s", code, text));
}

/* "payroll-01" is "payroll01-" and 32 hex digits: a container of its own for every job. */
static const char *new_container(const struct ending *e)
{
    struct text t;
    const char *name = value_str_at(e->backup, "source.name"), *guid = new_guid(e->s);
    char *ret;

    text_init(&t, TEXT_CEILING);
    for (; *name && t.len < 30; name++)
        if (isalnum((unsigned char)*name))
            text_add_char(&t, (char)tolower((unsigned char)*name));
    text_add_char(&t, '-');
    for (; *guid; guid++)
        if (*guid != '-')
            text_add_char(&t, *guid);
    ret = arena_strdup(e->a, text_str(&t));
    text_release(&t);
    return ret;
}

static const char *staging_account(const struct ending *e)
{
    return world_id_name(value_str_at(e->request, "storageAccountId"));
}

/* The versions that the copy holds; NULL: all (behaviour.exportedVersions). */
static const struct value *exported_versions(const struct ending *e, const struct value *key)
{
    const char *which = knob(e->s, "exportedVersions"), *wrapped = value_str_at(key, "version");
    const struct value *all =
        value_get(key_of_version(e->s, value_str_at(key, "store"), value_str_at(key, "name"), wrapped), "versions");
    int64_t until = time_parse(value_str_at(e->point, "time"));
    struct value *ret = value_list(e->a);

    if (str_eq(which, "all"))
        return NULL;
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *version = value_item(all, i);
        bool old = str_eq(which, "until-point") && time_parse(value_str_at(version, "created")) <= until;

        if (old || str_eq_nocase(value_str_at(version, "id"), wrapped))
            value_push(e->a, ret, value_string(e->a, value_str_at(version, "id")));
    }
    return ret;
}

static const char *store_type(const struct ending *e, bool hsm)
{
    const char *how = knob(e->s, "exportStoreType"),
               *type = hsm ? "Microsoft.KeyVault/managedHSMs" : "Microsoft.KeyVault/vaults";

    return str_eq(how, "another")      ? (hsm ? "ManagedHsmKey" : "KeyVaultKey")
           : str_eq(how, "lower-case") ? str_lower(e->a, type)
                                       : type;
}

/* Nobody has published the whole of it (behaviour.exportMembers). */
static void write_export(const struct ending *e, const struct text *raw, struct text *json)
{
    bool more = knob_is(e->s, "exportMembers", "more");

    text_add(json, knob_is(e->s, "exportBlob", "page-bom") ? "\xEF\xBB\xBF" : "");
    text_add(json, more ? "{\"Version\":\"2.0\",\"Notes\":null,\"SecurityType\":" : "{\"SecurityType\":");
    text_printf(json, "\"ConfidentialVM\",\"OsDiskEncryptionDetails\":{%s\"EncryptionType\":"
                      "\"ConfidentialVmEncryptedWithCustomerKey\",\"KeyVaultResourceType\":\"%s\",\"KeyBackupData\":\"",
                more ? "\"KeyDetails\":{\"KeyBackupData\":\"\",\"Versions\":[1,2]}," : "",
                store_type(e, str_starts(text_str(raw), "eyJ")));
    crypt_base64_encode(json, raw->s, raw->len, BASE64_STANDARD);
    text_printf(json, "\"},\"DataDiskEncryptionDetails\":[%s]}",
                more ? "{\"Lun\":0,\"KeyBackupData\":\"bm90IGEga2V5\"}" : "");
}

/* The export: by default as its sibling, the configuration blob, was recorded: a page blob with a byte order mark. */
static void export_key(const struct ending *e)
{
    const struct value *key = value_get(item_wrapped_with(e->backup, e->point), "key");
    bool documented = knob_is(e->s, "exportBlobName", "documented");
    const char *container = new_container(e), *guid = new_guid(e->s);
    const char *name =
        arena_printf(e->a, "%s%s%s", documented ? "securedvmencryptioninfo" : "key-", guid, documented ? ".json" : "");
    bool named = !str_eq(e->type, "AlternateLocation") || knob_is(e->s, "newVmNamesExport", "yes");
    struct text raw, json;

    text_init(&raw, TEXT_CEILING);
    text_init(&json, TEXT_CEILING);
    if (key_backup_of_versions(e->s, value_str_at(key, "store"), value_str_at(key, "name"),
                               value_str_at(key, "version"), exported_versions(e, key), &raw)) {
        write_export(e, &raw, &json);
        blob_put(e->s, staging_account(e), container, name, !knob_is(e->s, "exportBlob", "block"), json.s, json.len);
        if (named) {
            value_set_string(e->a, e->bag, "Config Blob Container Name", container);
            value_set_string(e->a, e->bag, "Secured Encryption Info Blob Name", name);
        }
        value_set_string(e->a, e->own, "exported", arena_printf(e->a, "%s/%s/%s", staging_account(e), container, name));
    }
    text_release(&raw);
    text_release(&json);
}

static const char *restored_disk(const struct ending *e, const char *group, const char *vm)
{
    const char *id =
        arena_printf(e->a, "%s/providers/Microsoft.Compute/disks/%s-osdisk-%.8s", group, vm, new_guid(e->s));

    compute_create_disk(e->s, id, e->location, e->set_id, value_str_at(e->backup, "source.osType") ?: "Linux");
    return id;
}

static struct value *machine_made(const struct ending *e, const char *vm, bool started)
{
    const char *os = value_str_at(e->backup, "source.osType");

    return compute_create_restored_vm(
        e->s, &(struct restored_machine){.id = vm,
                                         .location = e->location,
                                         .des_id = e->set_id,
                                         .size = source_size(e),
                                         .os_type = os ? os : "Linux",
                                         .subnet_id = value_str_at(e->request, "subnetId"),
                                         .started = started});
}

/* Whatever it fails for, some of its work is done by then (behaviour.failedPassLeaves). A machine is
 * half made: it has failed. */
static void leave_behind(const struct ending *e)
{
    const char *group = value_str_at(e->request, "targetResourceGroupId"),
               *vm = value_str_at(e->request, "targetVirtualMachineId");
    const char *what = knob(e->s, "failedPassLeaves"), *subnet = value_str_at(e->request, "subnetId");
    bool new_vm = str_eq(e->type, "AlternateLocation") && vm && subnet && !resource_find(e->s, vm);
    struct value *made;

    if (!group || str_eq(what, "nothing") || str_eq(e->type, "OriginalLocation"))
        return;
    if (new_vm && str_eq(what, "vm")) {
        made = machine_made(e, vm, false);
        value_set_string(e->a, value_get(made, "properties"), "provisioningState", "Failed");
        return;
    }
    restored_disk(e, group, new_vm ? world_id_name(vm) : value_str_at(e->backup, "source.name"));
    if (new_vm && str_eq(what, "disks-and-nic"))
        compute_create_nic(e->s,
                           arena_printf(e->a, "%s/providers/Microsoft.Network/networkInterfaces/%s-nic-%.8s", group,
                                        world_id_name(vm), new_guid(e->s)),
                           e->location, subnet);
}

static void end_failed(const struct ending *e, const char *code)
{
    if (value_bool_at(e->own, "exports", false))
        export_key(e);
    if (value_bool_at(e->own, "began", false))
        leave_behind(e);
    set_tasks(e, "Failed", "NotStarted");
    add_error(e, code);
    end_job(e, "Failed");
}

static void put_document(const struct ending *e, const char *container, const char *name, const char *member,
                         const char *text)
{
    struct value *body = value_map(e->a);
    struct text json;

    value_set_string(e->a, body, member, text);
    text_init(&json, TEXT_CEILING);
    json_write(&json, body, JSON_COMPACT);
    blob_put(e->s, staging_account(e), container, name, true, json.s, json.len);
    text_release(&json);
}

/* Without a target group the disks stay blobs in the staging account. */
static void end_with_disks(const struct ending *e)
{
    const char *vm = value_str_at(e->backup, "source.name"), *id = value_str_at(e->job, "name"),
               *container = new_container(e);
    const char *group = value_str_at(e->request, "targetResourceGroupId"),
               *disk = group ? restored_disk(e, group, vm) : container;
    const char *config = arena_printf(e->a, "config-%s-%s.json", world_id_name(value_str_at(e->backup, "vault")), id);
    const char *template = arena_printf(e->a, "azuredeploy%s.json", id);
    const char *host = arena_printf(e->a, "https://%s%s", staging_account(e), e->s->ep.blob_suffix);

    put_document(e, container, config, "osDiskId", disk);
    put_document(e, container, template, "contentVersion", "1.0.0.0");
    value_set_string(e->a, e->bag, "Config Blob Name", config);
    value_set_string(e->a, e->bag, "Config Blob Container Name", container);
    value_set(e->a, e->bag, "Config Blob Uri", value_format(e->a, "%s/%s/%s", host, container, config));
    value_set(e->a, e->bag, "Template Blob Uri", value_format(e->a, "%s/%s/%s", host, container, template));
    set_tasks(e, "Completed", "Completed");
    end_job(e, "Completed");
}

/* N-26: without release the disks are good and the machine stays down. By default it exists, deallocated, and the job
 * ends with a warning; behaviour.releaseRefused: job-fails leaves only the disks. */
static void end_with_vm(const struct ending *e)
{
    const char *vm = value_str_at(e->request, "targetVirtualMachineId"),
               *group = value_str_at(e->request, "targetResourceGroupId");
    bool boots = !e->set_id || rules_may_boot(e->s, e->set_id), taken = resource_find(e->s, vm) != NULL;
    const struct value *zones = value_get(e->request, "zones");
    struct value *made;

    if (taken || (!boots && knob_is(e->s, "releaseRefused", "job-fails"))) {
        restored_disk(e, group, world_id_name(vm));
        set_tasks(e, "Completed", "Failed");
        add_error(e, taken ? "BMSUserErrorInvalidInput" : "VMStartFailed");
        end_job(e, "Failed");
        return;
    }
    made = machine_made(e, vm, boots);
    quota_use(e->s, e->a, e->location, source_size(e));
    if (value_count(zones))
        value_set(e->a, made, "zones", value_copy(e->a, zones));
    set_tasks(e, "Completed", "Completed");
    if (!boots)
        add_error(e, "VMStartFailed");
    end_job(e, boots ? "Completed" : "CompletedWithWarnings");
}

static void end_replaced(const struct ending *e)
{
    const char *vm_id = item_source_id(e->a, e->backup), *name = value_str_at(e->backup, "source.name");
    struct value *disk = value_at(resource_find(e->s, vm_id), "properties.storageProfile.osDisk.managedDisk");
    const char *group = arena_strndup(e->a, vm_id, (size_t)(str_find_nocase(vm_id, "/providers/") - vm_id));

    if (disk)
        value_set_string(e->a, disk, "id", restored_disk(e, group, name));
    value_set_string(e->a, e->bag, "Target VM Name", name);
    set_tasks(e, "Completed", "Completed");
    end_job(e, "Completed");
}

/* --- time goes by ------------------------------------------------------------------------------------------------- */

/* What ends a restore before any key is looked at, and so leaves none; NULL: nothing. */
static const char *hindered(const struct ending *e, const char *group)
{
    const char *account = value_str_at(e->request, "storageAccountId"), *locked;
    const struct value *p = account ? value_get(resource_find(e->s, account), "properties") : NULL;
    const char *access = value_str_at(p, "publicNetworkAccess"), *bypass = value_str_at(p, "networkAcls.bypass");
    bool perimeter = str_eq_nocase(access, "SecuredByPerimeter");
    bool closed = perimeter || str_eq_nocase(access, "Disabled") ||
                  str_eq_nocase(value_str_at(p, "networkAcls.defaultAction"), "Deny");

    if (str_eq_nocase(feature_state(e->s, "Microsoft.Compute/DisableConfidentialVMMetadataBlob"), "Registered"))
        return "RestoreOperationFailed";
    /* No document says that a restore works without this feature, so the worse case is played. */
    if (!str_eq_nocase(feature_state(e->s, "Microsoft.Compute/RestorePointSupportForConfidentialVMV2"), "Registered"))
        return "RestoreOperationFailed";
    if (closed && (perimeter || (bypass && !str_find_nocase(bypass, "AzureServices"))))
        return "RestoreOperationFailed";
    if (str_eq(e->type, "AlternateLocation") && quota_reached(e->s, e->a, e->location, source_size(e)))
        return "UserErrorCoreCountSubscriptionQuotaReached";
    return lock_on(e->s, group, false, &locked) ? "ScopeLocked" : NULL;
}

static void decide(const struct ending *e)
{
    const char *given = value_str_at(e->request, "securedVMDetails.securedVMOsDiskEncryptionSetId");
    const char *group = value_str_at(e->request, "targetResourceGroupId");
    struct sim *s = e->s;
    const struct restore_wish wish = {.backup = e->backup,
                                      .point = e->point,
                                      .type = e->type,
                                      .set = given,
                                      .location = e->location,
                                      .subscription = group ? world_id_part(e->a, group, "/subscriptions/") : NULL};
    struct restore_facts facts;
    struct restore_outcome outcome;
    int64_t lasts = behaviour_ms(s, "restoreDuration", 48 * (int64_t)MINUTE_MS);
    bool late;

    rules_gather(s, &wish, &facts);
    rules_decide(&facts, &outcome);
    if (hindered(e, group))
        outcome = (struct restore_outcome){.row = outcome.row, .code = hindered(e, group)};
    if (outcome.from_snapshot)
        lasts = SNAPSHOT_DURATION;
    if (outcome.code && outcome.exports)
        lasts = behaviour_ms(s, "exportDuration", 26 * (int64_t)MINUTE_MS);
    /* A refused identity is noticed when the disk is created, behind the transfer; everything else before it. */
    late = outcome.code && (str_eq(outcome.row, "N-25") || str_eq(outcome.row, "R-13"));
    if (outcome.code && !outcome.exports && !late)
        lasts = SNAPSHOT_DURATION;
    value_set_bool(e->a, e->own, "began", late || outcome.exports);
    value_set_string(e->a, e->own, "row", outcome.row);
    value_set_string(e->a, e->own, "code", outcome.code);
    value_set_bool(e->a, e->own, "exports", outcome.exports);
    value_set_string(e->a, e->own, "phase", "running");
    value_set_string(e->a, e->own, "due", time_format(e->a, time_parse(value_str_at(e->p, "startTime")) + lasts));
    state_noted(s);
}

static void finish(const struct ending *e)
{
    const char *code = value_str_at(e->own, "code");

    if (code)
        end_failed(e, code);
    else if (str_eq(e->type, "AlternateLocation"))
        end_with_vm(e);
    else if (str_eq(e->type, "RestoreDisks"))
        end_with_disks(e);
    else
        end_replaced(e);
}

static void step(const struct ending *e)
{
    const char *phase = value_str_at(e->own, "phase");

    if (str_eq(phase, "queued")) {
        decide(e);
    } else if (str_eq(phase, "running")) {
        finish(e);
    } else {
        set_tasks(e, "Cancelled", "NotStarted");
        add_error(e, "UserErrorJobSuccessfullyCancelled");
        end_job(e, "Cancelled");
    }
}

static const struct value *point_of(const struct value *backup, const char *id)
{
    const struct value *points = value_get(backup, "points");

    for (size_t i = 0; i < value_count(points); i++)
        if (str_eq(value_str_at(value_item(points, i), "id"), id))
            return value_item(points, i);
    return NULL;
}

static void describe(struct sim *s, struct value *job, struct ending *ret)
{
    struct value *own = value_get(job, "sim"), *p = value_get(job, "properties");
    const struct value *backup = value_item(state_list(s, "backups"), (size_t)value_int_at(own, "backup", 0));
    const char *given;

    *ret = (struct ending){.s = s,
                           .a = s->arena,
                           .job = job,
                           .own = own,
                           .p = p,
                           .backup = backup,
                           .request = value_get(own, "request"),
                           .bag = value_at(p, "extendedInfo.propertyBag"),
                           .point = point_of(backup, value_str_at(own, "point"))};
    ret->type = value_str_at(ret->request, "recoveryType");
    ret->location = value_str_at(resource_find(s, value_str_at(backup, "vault")), "location") ?: "";
    given = value_str_at(ret->request, "securedVMDetails.securedVMOsDiskEncryptionSetId");
    if (value_get(item_wrapped_with(backup, ret->point), "key"))
        ret->set_id =
            given && *given ? given : value_str_at(item_wrapped_with(backup, ret->point), "diskEncryptionSet");
}

/* Every event happens at its own time, however long nobody asked: the clock is set back to it meanwhile. */
void backup_advance(struct sim *s)
{
    struct value *all = state_list(s, "jobs");
    int64_t now = s->now_ms;

    stores_advance(s);
    if (now < s->jobs_due_ms)
        return;
    s->jobs_due_ms = INT64_MAX;
    for (size_t i = 0; i < value_count(all); i++) {
        struct value *job = value_item(all, i), *own = value_get(job, "sim");
        int64_t due;

        while ((due = time_parse(value_str_at(own, "due"))) != TIME_NONE && due <= now) {
            struct ending e;

            s->now_ms = due;
            describe(s, job, &e);
            step(&e);
        }
        s->now_ms = now;
        if (due != TIME_NONE)
            state_due(&s->jobs_due_ms, due);
        export_forget_due(s, own, job);
    }
}
