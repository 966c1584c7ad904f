/* Our client's calls, each with the address it asks at and what must have been understood of its answer. A route says
 * which recorded exchanges are such a call; what no route takes is a call that our client never makes. */
#ifndef REINSTATE_REPLAY_CALLS_H
#define REINSTATE_REPLAY_CALLS_H

#include "../../providers/azure/blob.h"
#include "../../providers/azure/directory.h"
#include "../../providers/azure/vault.h"
#include "../../providers/access/grant.h"
#include "../../providers/kinds/registry.h"
#include "replay_judge.h"

enum service { SERVICE_OTHER, SERVICE_ARM, SERVICE_VAULT, SERVICE_BLOB, SERVICE_GRAPH, SERVICE_LOGIN };

struct route {
    enum service service;
    const char *method, *path;              /* path: segments, "*" is one of them, a leading "**" any number */
    const char *name;                       /* of our function */
    int (*call)(struct call *c, struct replay *r);
    bool (*applies)(const struct replay *r);
    enum azure_api api;                     /* of a resource that is read */
    const char *members;                    /* of it that our client uses */
    const char *query;                      /* that must be in the URI, decoded */
};

static const struct route *route_of(const struct replay *r)
{
    return r->arg;
}

/* --- parts of addresses ------------------------------------------------------------------------------------------- */

static char *segment(struct arena *a, const char *path, size_t nth)
{
    for (const char *p = path; *p == '/'; nth--) {
        size_t n = strcspn(p + 1, "/");

        if (nth == 0)
            return arena_strndup(a, p + 1, n);
        p += 1 + n;
    }
    return NULL;
}

/* What stands before a part of the path. */
static char *before(struct arena *a, const char *path, const char *part)
{
    const char *at = str_find_nocase(path, part);

    return at ? arena_strndup(a, path, (size_t)(at - path)) : arena_strdup(a, path);
}

static const struct value *last_answer(const struct replay *r)
{
    const struct asked *last = r->n_asked ? &r->asked[r->n_asked - 1] : NULL;

    return last && last->answer ? last->answer->answer : NULL;
}

static void count_matches(struct replay *r, const struct value *items)
{
    size_t want = 0;

    for (size_t i = 0; i < r->n_asked; i++)
        want += r->asked[i].answer ? value_count(value_get(r->asked[i].answer->answer, "value")) : 0;
    note(r, "count", arena_printf(r->a, "%zu", value_count(items)));
    note(r, "next", said(r, r->x->answer, "nextLink"));
    if (value_count(items) != want)
        misread(r, "a list of %zu was read as one of %zu", want, value_count(items));
}

/* --- Resource Manager --------------------------------------------------------------------------------------------- */

static int call_resource(struct call *c, struct replay *r)
{
    const struct route *route = route_of(r);
    struct value *body = NULL;
    const char *id;

    TRY(arm_get(r->az, c, r->a, r->x->path, route->api, &body, &r->err));
    id = value_str_at(body, "id");
    note(r, "id", id);
    /* A view of a resource has no id of its own. */
    if (!str_eq(id, value_str_at(r->x->answer, "id")) ||
        (id && str_find_nocase(r->x->path, "/resourceGroups/") && !same_path(r->a, id, r->x->path)))
        misread(r, "the resource read is %s", id ? id : "without an id");
    for (const char *p = route->members; p && *p; p += strcspn(p, " "), p += *p == ' ') {
        const char *name = arena_strndup(r->a, p, strcspn(p, " "));

        note(r, name, said(r, body, name));
        if (!str_eq(said(r, body, name), said(r, r->x->answer, name)))
            misread(r, "%s was misread", name);
    }
    return 0;
}

static int call_list(struct call *c, struct replay *r)
{
    const char *query = strchr(r->x->uri, '?'), *filter = query ? strstr(query, "$filter=") : NULL;
    struct text encoded cleanup(text_release) = {.ceiling = 8192};
    struct value *items = NULL;

    /* Our callers write the filter themselves; the names in it are the recorded ones. */
    if (filter) {
        size_t n = strcspn(filter + 8, "&");

        text_add(&encoded, "$filter=");
        text_add_percent(&encoded, decoded(r->a, filter + 8, n, true));
    }
    TRY(arm_list(r->az, c, r->a, r->x->path, route_of(r)->api, filter ? text_str(&encoded) : NULL, &items, &r->err));
    count_matches(r, items);
    note(r, "first", value_str_at(value_item(items, 0), "name"));
    return 0;
}

static int call_assignments(struct call *c, struct replay *r)
{
    const char *scope = before(r->a, r->x->path, "/providers/Microsoft.Authorization/roleAssignments");
    const struct value *raw = value_at(r->x->answer, "value.0");
    struct value *items = NULL;

    TRY(role_assignments_read(r->az, c, r->a, scope, &items, &r->err));
    note(r, "count", arena_printf(r->a, "%zu", value_count(items)));
    note(r, "scope", value_str_at(items, "0.scope"));
    note(r, "principal", value_str_at(items, "0.principalId"));
    if (value_count(items) != value_count(value_get(r->x->answer, "value")))
        misread(r, "%zu assignments were read", value_count(items));
    if (raw && !str_eq(value_str_at(items, "0.scope"), value_str_at(raw, "properties.scope")))
        misread(r, "the scope was read as %s", value_str_at(items, "0.scope"));
    return 0;
}

static int call_assign(struct call *c, struct replay *r)
{
    const struct value *sent = r->x->sent;

    note(r, "scope", value_str_at(r->x->answer, "properties.scope"));
    return role_assignment_put(r->az, c, r->a,
                               before(r->a, r->x->path, "/providers/Microsoft.Authorization/roleAssignments"),
                               value_str_at(sent, "properties.principalId"),
                               arm_id_name(value_str_at(sent, "properties.roleDefinitionId")), &r->err);
}

static bool assigns_service(const struct replay *r)
{
    return str_eq(value_str_at(r->x->sent, "properties.principalType"), "ServicePrincipal") &&
           !value_at(r->x->sent, "properties.condition");
}

static int call_permissions(struct call *c, struct replay *r)
{
    struct value *items = NULL;

    TRY(arm_permissions(r->az, c, r->a, before(r->a, r->x->path, "/providers/Microsoft.Authorization/permissions"),
                        &items, &r->err));
    count_matches(r, items);
    note(r, "readsKeyVaults", arm_permits(items, "Microsoft.KeyVault/vaults/read", false) ? "yes" : "no");
    return 0;
}

static int call_send(struct call *c, struct replay *r)
{
    enum http_method method = str_eq(r->x->method, "PUT")    ? HTTP_PUT
                              : str_eq(r->x->method, "POST") ? HTTP_POST
                                                             : HTTP_PATCH;
    const struct value *body = value_is(r->x->sent, VALUE_MAP) ? r->x->sent : NULL;
    struct arm_operation op;

    TRY(arm_send(r->az, c, r->a, method, r->x->path, route_of(r)->api, body, ARM_REPEATABLE, &op, &r->err));
    if (!str_eq(op.async_url, header_of(r->x, "azure-asyncoperation")) ||
        !str_eq(op.location, header_of(r->x, "location")))
        misread(r, "the addresses of the operation were misread");
    note(r, "poll", op.async_url ? op.async_url : op.location);
    return arm_follow(r->az, c, r->a, &op, HOUR_MS, NULL, &r->err);
}

/* --- kinds that write --------------------------------------------------------------------------------------------- */

/* Does one step of a kind for a document made of what the recorded request asks for. */
static int act(struct call *c, struct replay *r, const struct kind *kind, enum action action, struct value *spec,
               const struct reference *reference, const struct change *changes, size_t n_changes)
{
    struct document azure = {.kind = "Azure", .name = "azure", .spec = value_map(r->a)};
    struct document doc = {
        .kind = kind->name, .name = arm_id_name(r->x->path), .spec = spec, .azure = &azure, .references = reference,
        .n_references = reference != NULL,
    };
    struct azure *const items[] = {r->az};
    struct azure_connections connections = {.items = items, .count = 1};
    const struct value *const facts[] = {NULL};
    struct view view = {.arena = r->a, .settings = &settings_default, .now_ms = call_now_ms(c), .facts = facts};
    struct step step = {
        .document = &doc, .action = action, .scope = r->x->path, .changes = changes, .n_changes = n_changes};
    struct actor actor = {.arena = r->a, .view = &view, .step = &step, .provider = &connections};
    const char *tenant = value_str_at(r->x->sent, "properties.tenantId");

    value_set_string(r->a, (struct value *)azure.spec, "tenant", tenant ? tenant : "tenant-1");
    return kind->act(c, &actor, &r->err);
}

extern const struct kind disk_encryption_set_kind, key_vault_kind;

static struct value *identity_of(struct replay *r)
{
    const struct value *users = value_at(r->x->sent, "identity.userAssignedIdentities");
    struct value *identity = value_map(r->a), *list = value_list(r->a);

    value_set_string(r->a, identity, "type", value_str_at(r->x->sent, "identity.type"));
    for (size_t i = 0; value_is(users, VALUE_MAP) && i < users->map.count; i++)
        value_push(r->a, list, value_string(r->a, users->map.members[i].key));
    if (value_count(list))
        value_set(r->a, identity, "userAssigned", list);
    return identity;
}

static int call_des(struct call *c, struct replay *r)
{
    const char *key = value_str_at(r->x->sent, "properties.activeKey.keyUrl");
    struct reference reference = {.path = "spec.key", .url = key};
    struct value *spec = value_map(r->a);
    struct change changes[2] = {{0}};
    size_t n = 0;

    value_set_string(r->a, spec, "location", value_str_at(r->x->sent, "location"));
    value_set_string(r->a, spec, "encryptionType", value_str_at(r->x->sent, "properties.encryptionType"));
    if (value_at(r->x->sent, "identity.type"))
        value_set(r->a, spec, "identity", identity_of(r));
    note(r, "poll", header_of(r->x, "azure-asyncoperation"));
    if (str_eq(r->x->method, "PUT"))
        return act(c, r, &disk_encryption_set_kind, ACTION_CREATE, spec, &reference, NULL, 0);
    if (value_at(r->x->sent, "identity.type"))
        changes[n++].path = "identity.type";
    if (value_at(r->x->sent, "properties.rotationToLatestKeyVersionEnabled"))
        changes[n++].path = "properties.rotationToLatestKeyVersionEnabled";
    /* The step re-points nothing, but knows where the set points. */
    reference.url = "https://vault.vault.azure.net/keys/key/version";
    return act(c, r, &disk_encryption_set_kind, ACTION_UPDATE, spec, &reference, changes, n);
}

static bool des_is_ours(const struct replay *r)
{
    const char *type = value_str_at(r->x->sent, "identity.type");
    const struct value *users = value_at(r->x->sent, "identity.userAssignedIdentities");
    bool known = str_eq(type, "SystemAssigned") || (str_eq(type, "UserAssigned") && users);

    if (str_eq(r->x->method, "PUT"))
        return known;
    return str_eq(type, "SystemAssigned") ||
           (!type && value_at(r->x->sent, "properties.rotationToLatestKeyVersionEnabled") &&
            !value_bool_at(r->x->sent, "properties.rotationToLatestKeyVersionEnabled", true));
}

static int call_vault_put(struct call *c, struct replay *r)
{
    const struct value *p = value_get(r->x->sent, "properties"), *days = value_get(p, "softDeleteRetentionInDays");
    bool recover = str_eq(value_str_at(p, "createMode"), "recover");
    struct value *spec = value_map(r->a);

    value_set_string(r->a, spec, "location", value_str_at(r->x->sent, "location"));
    value_set_string(r->a, spec, "permissionModel",
                     value_bool_at(p, "enableRbacAuthorization", false) ? "rbac" : "access-policies");
    if (days)
        value_set(r->a, spec, "retentionDays", value_copy(r->a, days));
    note(r, "provisioningState", value_str_at(r->x->answer, "properties.provisioningState"));
    return act(c, r, &key_vault_kind, recover ? ACTION_RECOVER : ACTION_CREATE, spec, NULL, NULL, 0);
}

/* Our client writes a whole vault only where none is: an update of one is a read-modify-write of another tool. */
static bool vault_is_made(const struct replay *r)
{
    bool there = false;

    for (size_t i = 0; i < r->at; i++) {
        const struct exchange *x = &r->file->items[i];

        if (same_path(r->a, x->path, r->x->path) && x->status < 300)
            there = !str_eq(x->method, "DELETE");
    }
    return !there;
}

/* Databases, file shares and the like are kept in the same vaults; our client asks for VMs alone. */
static bool is_of_vms(const struct replay *r)
{
    const struct value *first =
        value_is(value_get(r->x->answer, "value"), VALUE_LIST) ? value_at(r->x->answer, "value.0") : r->x->answer;
    const char *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true),
               *filter = strstr(uri, "backupManagementType eq '");
    const char *type = value_str_at(first, "properties.objectType"), *job = value_str_at(first, "properties.jobType");
    const char *container = str_find_nocase(uri, "/protectionContainers/");

    return (!type || str_find_nocase(type, "IaasVM") || str_eq(type, "OperationStatus")) &&
           (!job || str_find_nocase(job, "IaaSVM")) &&
           (!filter || str_starts(filter, "backupManagementType eq 'AzureIaasVM'")) &&
           (!container || str_find_nocase(container, "iaasvmcontainer"));
}

static bool orders_vm(const struct replay *r)
{
    return str_eq(value_str_at(r->x->sent, "properties.objectType"), "IaasVMRestoreRequest");
}

/* --- backup ------------------------------------------------------------------------------------------------------- */

static int call_job(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(backup_get_job(r->az, c, r->a, before(r->a, r->x->path, "/backupJobs/"), arm_id_name(r->x->path), &body,
                       &r->err));
    judge_job(r, body);
    return 0;
}

/* "startTime eq '2026-11-16 03:00:00 AM'" in a recorded filter. */
static int64_t filter_time(struct replay *r, const char *name, int64_t otherwise)
{
    const char *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true), *at = strstr(uri, name);
    int year, month, day, hour, minute, second;
    char half;

    if (!at || sscanf(at + strlen(name), " eq '%4d-%2d-%2d %2d:%2d:%2d %cM'", &year, &month, &day, &hour, &minute,
                      &second, &half) != 7)
        return otherwise;
    hour = hour % 12 + (half == 'P' ? 12 : 0);
    return time_parse(arena_printf(r->a, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, hour, minute, second));
}

static int call_jobs(struct call *c, struct replay *r)
{
    const struct value *raw = value_get(r->x->answer, "value");
    int64_t since_ms = filter_time(r, "startTime", time_parse("2020-01-01T00:00:00Z"));
    int64_t until_ms = filter_time(r, "endTime", time_parse("2030-01-02T00:00:00Z"));
    const struct value *jobs = NULL;
    size_t want = 0;

    /* Our filter ends a day ahead of the clock. */
    TRY(backup_list_restore_jobs(r->az, c, r->a, before(r->a, r->x->path, "/backupJobs"), since_ms, until_ms - DAY_MS,
                                 &jobs, &r->err));
    for (size_t i = 0; i < value_count(raw); i++) {
        const char *operation = said(r, value_item(raw, i), "properties.operation");

        want += operation && strstr(operation, "Restore") &&
                time_parse(value_str_at(value_item(raw, i), "properties.startTime")) >= since_ms;
    }
    note(r, "restores", arena_printf(r->a, "%zu of %zu", value_count(jobs), value_count(raw)));
    if (value_count(jobs) != want)
        misread(r, "%zu restore jobs were read as %zu", want, value_count(jobs));
    for (size_t i = 0; i < value_count(jobs); i++)
        judge_job(r, value_item(jobs, i));
    return 0;
}

static int call_items(struct call *c, struct replay *r)
{
    static const char nobody[] = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/none";
    const char *vault = before(r->a, r->x->path, "/backupProtectedItems");
    const char *vm = value_str_at(r->x->answer, "value.0.properties.sourceResourceId");
    const struct value *item = NULL;

    if (backup_find_item(r->az, c, r->a, vault, vm ? vm : nobody, &item, &r->err) < 0) {
        note(r, "item", "none");
        /* An empty vault protects nothing, and that is an answer. */
        return r->err.class == ERR_NOT_FOUND && !vm && !r->err.http_status ? 0 : -(int)r->err.class;
    }
    note(r, "item", value_str_at(item, "name"));
    note(r, "state", value_str_at(item, "properties.protectionState"));
    note(r, "source", value_str_at(item, "properties.sourceResourceId"));
    note_time(r, "lastPoint", time_parse(value_str_at(item, "properties.lastRecoveryPoint")));
    note_time(r, "lastBackup", time_parse(value_str_at(item, "properties.lastBackupTime")));
    if (!arm_id_equal(value_str_at(item, "properties.sourceResourceId"), vm))
        misread(r, "the item of another VM was found");
    return 0;
}

static int call_points(struct call *c, struct replay *r)
{
    const struct value *points = NULL;

    TRY(backup_list_points(r->az, c, r->a, before(r->a, r->x->path, "/recoveryPoints"), &points, &r->err));
    for (size_t i = value_count(points); i-- > 0;)
        judge_point(r, value_item(points, i));
    count_matches(r, points);
    return 0;
}

static int call_point(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(backup_get_point(r->az, c, r->a, before(r->a, r->x->path, "/recoveryPoints/"), arm_id_name(r->x->path), &body,
                         &r->err));
    judge_point(r, body);
    return 0;
}

static int call_restore(struct call *c, struct replay *r)
{
    const struct value *p = value_get(r->x->sent, "properties");
    const char *type = value_str_at(p, "recoveryType"), *job = NULL;
    struct restore_request request = {
        .type = str_eq(type, "AlternateLocation")  ? RESTORE_NEW_VM
                : str_eq(type, "OriginalLocation") ? RESTORE_REPLACE
                                                   : RESTORE_DISKS,
        .point = value_str_at(p, "recoveryPointId"),
        .source_vm_id = value_str_at(p, "sourceResourceId"),
        .region = value_str_at(p, "region"),
        .storage_account_id = value_str_at(p, "storageAccountId"),
        .target_group_id = value_str_at(p, "targetResourceGroupId"),
        .target_vm_id = value_str_at(p, "targetVirtualMachineId"),
        .subnet_id = value_str_at(p, "subnetId"),
        .des_id = value_str_at(p, "securedVMDetails.securedVMOsDiskEncryptionSetId"),
        .zone = value_str_at(p, "zones.0"),
        .disk_luns = value_get(p, "restoreDiskLunList"),
    };

    note(r, "poll", header_of(r->x, "azure-asyncoperation"));
    TRY(backup_trigger_restore(r->az, c, r->a, before(r->a, r->x->path, "/recoveryPoints/"), &request, &job, &r->err));
    note(r, "job", job);
    if (!str_eq(job, value_str_at(last_answer(r), "properties.jobId")))
        misread(r, "the job was read as %s", job);
    return 0;
}

static int call_operation(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(arm_get(r->az, c, r->a, r->x->path, API_RECOVERY, &body, &r->err));
    judge_poll(r, r->x, true);
    return r->rc;
}

/* --- key vaults --------------------------------------------------------------------------------------------------- */

static void judge_key(struct replay *r, const struct value *body, const char *version)
{
    const char *kid = value_str_at(body, "key.kid"), *got = vault_kid_version(kid);

    note(r, "kid", kid);
    note(r, "kty", value_str_at(body, "key.kty"));
    note(r, "enabled", said(r, body, "attributes.enabled"));
    note(r, "exportable", said(r, body, "attributes.exportable"));
    if (!got || strchr(got, '/') || (version && !str_eq_nocase(got, version)))
        misread(r, "the version of key %s was read as %s", kid ? kid : "(none)", got ? got : "none");
}

static int call_key(struct call *c, struct replay *r)
{
    const char *version = segment(r->a, r->x->path, 2);
    struct value *body = NULL;

    TRY(vault_get_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), version, &body, &r->err));
    judge_key(r, body, version);
    return 0;
}

static int call_versions(struct call *c, struct replay *r)
{
    struct value *items = NULL;

    TRY(vault_list_versions(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), &items, &r->err));
    count_matches(r, items);
    for (size_t i = 0; i < value_count(items); i++)
        if (!vault_kid_version(value_str_at(value_item(items, i), "kid")))
            misread(r, "a version was not understood: %s", value_str_at(value_item(items, i), "kid"));
    note(r, "version", vault_kid_version(value_str_at(items, "0.kid")));
    return 0;
}

static int call_deleted_key(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(vault_get_deleted_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), &body, &r->err));
    judge_key(r, body, NULL);
    note(r, "recoveryId", value_str_at(body, "recoveryId"));
    return 0;
}

static int call_recover(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(vault_recover_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), HOUR_MS, &body,
                          &r->err));
    judge_key(r, body, NULL);
    return 0;
}

static int call_restore_key(struct call *c, struct replay *r)
{
    static const char *const homes[] = {
        [BACKUP_HOME_VAULT] = "key vault", [BACKUP_HOME_HSM] = "managed HSM", [BACKUP_HOME_UNKNOWN] = "unknown",
    };
    struct secret backup cleanup(secret_release) = {0};
    const char *sent = value_str_at(r->x->sent, "value");
    struct value *body = NULL;

    if (!sent || crypt_base64_decode(sent, strlen(sent), BASE64_URL, &backup, &r->err) < 0)
        misread(r, "the recorded backup is none: %s", r->err.text);
    note(r, "home", homes[vault_backup_home(&backup)]);
    TRY(vault_restore_key(r->az, c, r->a, host_of(r->a, r->x->uri), &backup, &body, &r->err));
    judge_key(r, body, NULL);
    return 0;
}

static int call_update_key(struct call *c, struct replay *r)
{
    const char *version = segment(r->a, r->x->path, 2);
    struct value *body = NULL;

    TRY(vault_update_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1), version, r->x->sent,
                         &body, &r->err));
    judge_key(r, body, version);
    return 0;
}

static int call_create_key(struct call *c, struct replay *r)
{
    const char *data = value_str_at(r->x->sent, "release_policy.data");
    struct secret policy cleanup(secret_release) = {0};
    struct value *body = NULL;

    if (data && crypt_base64_decode(data, strlen(data), BASE64_URL, &policy, &r->err) < 0)
        misread(r, "the recorded release policy is none: %s", r->err.text);
    TRY(vault_create_key(r->az, c, r->a, host_of(r->a, r->x->uri), segment(r->a, r->x->path, 1),
                         policy.bytes ? policy.bytes : "{}", &body, &r->err));
    judge_key(r, body, NULL);
    return 0;
}

/* Tools of Microsoft's ask without a body first, to be told where tokens are to be had. */
static bool creates_confidential_key(const struct replay *r)
{
    return value_at(r->x->sent, "release_policy") || (r->x->status == 401 && !value_is(r->x->sent, VALUE_MAP));
}

/* --- blobs, accounts, directory, tokens --------------------------------------------------------------------------- */

static struct blob_place place_of(struct replay *r)
{
    const char *host = host_of(r->a, r->x->uri), *container = segment(r->a, r->x->path, 0);

    return (struct blob_place){
        .endpoint = host, .account = arena_strndup(r->a, host + 8, strcspn(host + 8, ".")), .container = container,
        .name = r->x->path + 1 + strlen(container) + 1,
    };
}

static bool is_whole_blob(const struct replay *r)
{
    const struct value *sent = r->x->sent_headers;

    return !strchr(r->x->uri, '?') && r->x->status != 206 && r->x->status != 304 &&
           !value_get_nocase(sent, "x-ms-range") && !value_get_nocase(sent, "range");
}

static int call_blob_exists(struct call *c, struct replay *r)
{
    struct blob_place place = place_of(r);
    bool there = false;

    TRY(blob_exists(r->az, c, r->a, &place, &there, &r->err));
    note(r, "blob", there ? "there" : "absent");
    if (there != (r->x->status < 400))
        misread(r, "status %d was read as %s", r->x->status, there ? "there" : "absent");
    return 0;
}

static int call_blob(struct call *c, struct replay *r)
{
    struct secret bytes cleanup(secret_release) = {0};
    struct blob_place place = place_of(r);
    size_t len;

    (void)body_of(r->a, r->x->answer, &len);
    TRY(blob_read(r->az, c, r->a, &place, NULL, BLOB_EXPORT_MAX, &bytes, &r->err));
    note(r, "bytes", arena_printf(r->a, "%zu of %zu", bytes.len, len));
    if (bytes.len > len)
        misread(r, "more was read than was sent");
    return 0;
}

static int call_account_key(struct call *c, struct replay *r)
{
    struct secret key cleanup(secret_release) = {0};
    const char *want = value_str_at(r->x->answer, "keys.0.value");

    TRY(blob_account_key(r->az, c, r->a, before(r->a, r->x->path, "/listKeys"), &key, &r->err));
    note(r, "key", arena_printf(r->a, "of %zu characters", key.len));
    if (!want || !str_eq(key.bytes, want))
        misread(r, "another key was cut out");
    return 0;
}

/* The application a filter names; the id is all that can be compared, since tools write the filter each
 * in its own way. */
static const char *filter_app(struct replay *r)
{
    const char *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true),
               *id = value_str_at(r->x->answer, "value.0.appId");

    return id ? id : between(r->a, strstr(uri, "eq '"), "eq '", "'");
}

static bool names_application(const struct replay *r)
{
    const char *id = filter_app((struct replay *)r), *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true);

    if (!id || (!strstr(uri, "appId eq '") && !strstr(uri, "servicePrincipalNames/any(")))
        return false;
    return strlen(id) == UUID_TEXT - 1 && strspn(id, "0123456789abcdefABCDEF-") == UUID_TEXT - 1;
}

static int call_principal(struct call *c, struct replay *r)
{
    const char *want = value_str_at(r->x->answer, "value.0.id"), *got = NULL;

    if (directory_service_principal(r->az, c, r->a, filter_app(r), &got, &r->err) < 0) {
        note(r, "principal", "none");
        return r->err.class == ERR_NOT_FOUND && !want && r->x->status == 200 ? 0 : -(int)r->err.class;
    }
    note(r, "principal", got);
    if (!str_eq(got, want))
        misread(r, "the principal was read as %s", got);
    return 0;
}

static int call_token(struct call *c, struct replay *r)
{
    const char *authorization = NULL;

    TRY(azure_authorization(r->az, c, AUDIENCE_ARM, &authorization, &r->err));
    note(r, "token", "taken");
    if (!str_eq(authorization + strlen("Bearer "), value_str_at(r->x->answer, "access_token")))
        misread(r, "another token was taken");
    return 0;
}

#endif
