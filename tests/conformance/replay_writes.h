/* Recorded calls by which the kinds write. */
#ifndef REINSTATE_REPLAY_WRITES_H
#define REINSTATE_REPLAY_WRITES_H

/* --- kinds that write --------------------------------------------------------------------------------------------- */

/* Does one step of a kind for a document made of what the recorded request asks for. */
static int act(struct call *c, struct replay *r, const struct kind *kind, enum action action, struct value *spec,
               const struct reference *reference, const struct change *changes, size_t n_changes)
{
    struct document azure = {.kind = "Azure", .name = "azure", .spec = value_map(r->a)};
    struct document doc = {
        .kind = kind->name,
        .name = arm_id_name(r->x->path),
        .spec = spec,
        .connection = &azure,
        .references = reference,
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

#include "replay_backup.h"

#endif
