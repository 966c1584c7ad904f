/* Knows the operations that the simulator covers, and for each how its recorded exchange is brought about again: what the
 * world holds and what happened before. Must not know how answers are compared. */
#include "simcheck_world.h"

#include <string.h>

#include "../../providers/sim/internal.h"

#define SUB "/subscriptions/*"
#define GROUP SUB "/resourcegroups/*"
#define IN_GROUP GROUP "/providers/"
#define BACKUP IN_GROUP "Microsoft.RecoveryServices/vaults/*"
#define ITEM BACKUP "/backupFabrics/Azure/protectionContainers/*/protectedItems/*"
#define ARM_SCOPE "https://management.azure.com/"
#define VAULT_SCOPE "https://vault.azure.net"
#define HSM_SCOPE "https://managedhsm.azure.net"
#define GRAPH_SCOPE "https://graph.microsoft.com"
#define BLOB_SCOPE "https://storage.azure.com"
#define SET_IDENTITY "0f0f0f0f-0000-4000-8000-0000000000e5"

/* --- resources of ARM -------------------------------------------------------------------------------------------------- */

static bool absent(struct situation *t)
{
    if (t->status == 404 && str_eq(value_str_at(t->body, "error.code"), "ResourceGroupNotFound"))
        add_stub(t, arena_printf(t->a, "/subscriptions/%s/resourceGroups/another", part(t, 1)), NULL);
    else if (t->status == 404)
        add_group_of(t, t->path);
    return t->status == 404;
}

static bool one_resource(struct situation *t)
{
    t->powerless = t->status == 403;
    if (t->powerless)
        add_group_of(t, t->path);
    else if (!absent(t))
        add_resource(t, t->body);
    return true;
}

static bool some_resources(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    if (absent(t))
        return true;
    add_group_of(t, t->path);
    for (size_t i = 0; i < value_count(all); i++)
        add_resource(t, value_item(all, i));
    if (!value_count(all))
        add_stub(t, arena_printf(t->a, "/subscriptions/%s/resourceGroups/another", part(t, 1)), NULL);
    return true;
}

/* The resource as it was before this request; it may not have been. */
static bool as_before(struct situation *t)
{
    const struct value *before = earlier_body(t, t->path);

    add_group_of(t, t->path);
    if (before)
        add_resource(t, before);
    return true;
}

/* "…/locations/REGION/operations/…" of the address to be polled. */
static const char *location_of_operation(const struct situation *t)
{
    const char *address = value_str(value_get(value_get(t->x, "response_headers"), "location"));
    const char *at = address ? str_find_nocase(address, "/locations/") : NULL;

    return at ? arena_strndup(t->a, at + strlen("/locations/"), strcspn(at + strlen("/locations/"), "/")) : NULL;
}

static bool known_before(struct situation *t)
{
    if (t->status == 204)
        return as_before(t);
    if (!earlier_body(t, t->path))
        add_stub(t, t->path, location_of_operation(t));
    return as_before(t);
}

static bool change_of_set(struct situation *t)
{
    const struct value *before = earlier_body(t, t->path), *key = value_at(t->sent, "properties.activeKey");
    struct value *wanted = value_map(t->a), *p = value_set(t->a, wanted, "properties", value_map(t->a));

    if (!before && str_eq(value_str_at(t->x, "method"), "PATCH"))
        return cannot(t, "the recording does not show the set before the change");
    as_before(t);
    value_set_string(t->a, wanted, "location", value_str_at(before ? before : t->sent, "location"));
    value_set_string(t->a, p, "encryptionType", value_str_at(before ? before : t->sent, "properties.encryptionType"));
    if (key)
        value_set(t->a, p, "activeKey", value_copy(t->a, key));
    add_key_of_set(t, wanted);
    return true;
}

/* The vault as it was last shown, deleted or not. */
static const struct value *shown_before(const struct situation *t, const char *id)
{
    const struct value *ret = NULL;

    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body");

        if (str_eq_nocase(value_str_at(body, "id"), id))
            ret = body;
    }
    return ret;
}

static void add_deleted_vault(struct situation *t, const char *id, const struct value *p)
{
    const struct value *before = shown_before(t, id);
    struct value *gone = value_map(t->a);

    if (before) {
        value_set(t->a, gone, "resource", value_copy(t->a, before));
        value_remove(value_at(gone, "resource.properties"), "vaultUri");
    }
    if (value_bool_at(p, "purgeProtectionEnabled", false))
        value_set_bool(t->a, value_set(t->a, gone, "properties", value_map(t->a)), "enablePurgeProtection", true);

    add_group_of(t, id);
    value_set_string(t->a, gone, "id", id);
    value_set_string(t->a, gone, "location", value_str_at(p, "location") ?: "eastus");
    value_set_string(t->a, gone, "deletionDate", value_str_at(p, "deletionDate"));
    value_set_string(t->a, gone, "scheduledPurgeDate", value_str_at(p, "scheduledPurgeDate"));
    value_push(t->a, world_list(t, "deletedVaults"), gone);
}

static bool change_of_vault(struct situation *t)
{
    const struct value *deleted = NULL;

    if (!str_eq(value_str_at(t->sent, "properties.createMode"), "recover"))
        return as_before(t);
    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body");

        if (str_eq_nocase(value_str_at(body, "properties.vaultId"), t->path))
            deleted = value_get(body, "properties");
    }
    add_deleted_vault(t, t->path, deleted);
    return true;
}

static bool deleted_vaults(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    for (size_t i = 0; i < value_count(all); i++)
        add_deleted_vault(t, value_str_at(value_item(all, i), "properties.vaultId"), value_get(value_item(all, i), "properties"));
    if (value_str_at(t->body, "properties.vaultId"))
        add_deleted_vault(t, value_str_at(t->body, "properties.vaultId"), value_get(t->body, "properties"));
    return true;
}

static bool account_keys(struct situation *t)
{
    const char *id = path_head(t, 8);
    const struct value *before = earlier_body(t, id);

    if (before)
        add_resource(t, before);
    else
        add_stub(t, id, NULL);
    return true;
}

/* --- operations of Compute: begun again, then asked for ------------------------------------------------------------------ */

/* The exchange that began the operation of that id. */
static bool open_origin(const struct situation *t, const char *id, struct situation *ret)
{
    static const char *const headers[] = {"azure-asyncoperation", "location"};

    for (size_t i = 0; i < t->at; i++) {
        const struct value *x = value_item(t->lines, i), *h = value_get(x, "response_headers");

        for (size_t k = 0; k < COUNT(headers) && !str_eq(value_str_at(x, "method"), "GET"); k++)
            if (str_find_nocase(value_str(value_get(h, headers[k])) ?: "", id)) {
                situation_open(ret, t->a, t->file, t->lines, i);
                ret->spec = t->spec;
                return operation_of(ret) != NULL;
            }
    }
    return false;
}

static bool prepare_origin(struct situation *t, const char *id)
{
    struct situation origin;

    if (!open_origin(t, id, &origin))
        return cannot(t, "polls an operation that the simulator does not begin");
    if (!operation_of(&origin)->prepare(&origin))
        return cannot(t, origin.why_not);
    return true;
}

static bool polled(struct situation *t)
{
    return prepare_origin(t, part(t, t->n_parts - 1));
}

static bool begin_and_poll(struct situation *t, struct sim *s)
{
    bool monitor = query_value(t, "monitor") != NULL, running = t->status == 202 || str_eq(value_str_at(t->body, "status"), "InProgress");
    struct situation origin;
    struct answer begun;

    if (!open_origin(t, part(t, t->n_parts - 1), &origin))
        return cannot(t, "polls an operation that the simulator does not begin");
    origin.audience = t->audience;
    origin.now_ms = t->now_ms;
    begun = situation_send(&origin, s, value_str_at(origin.x, "method"), origin.url, origin.request);
    t->url = answer_header_of(&begun, monitor ? "Location" : "Azure-AsyncOperation");
    t->now_ms += running ? SECOND_MS : HOUR_MS;
    return t->url || cannot(t, "the simulator did not begin the operation");
}

/* --- rights ------------------------------------------------------------------------------------------------------------------ */

static bool some_assignments(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    add_group_of(t, arena_printf(t->a, "%s/", path_head(t, 4)));
    for (size_t i = 0; i < value_count(all); i++)
        add_assignment(t, value_item(all, i));
    return true;
}

/* Of the first n parts, those before the last "providers". */
static char *scope_of(const struct situation *t)
{
    size_t n = t->n_parts;

    while (n && !str_eq_nocase(t->parts[n - 1], "providers"))
        n--;
    return path_head(t, n ? n - 1 : 0);
}

static bool one_assignment(struct situation *t)
{
    const char *scope = scope_of(t);

    if (str_find_nocase(scope, "/providers/"))
        add_stub(t, scope, NULL);
    else
        add_group_of(t, arena_printf(t->a, "%s/", scope));
    if (t->status == 204)
        return true;
    if (!role_find(value_str_at(t->body, "properties.roleDefinitionId")))
        return cannot(t, "a role that no recovery meets");
    if (str_eq(value_str_at(t->x, "method"), "PUT"))
        add_principal(t, value_str_at(t->sent, "properties.principalId"), NULL, NULL, "ServicePrincipal");
    else
        add_assignment(t, t->body);
    return true;
}

static bool definitions(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");
    bool known = value_count(all) == 0;

    add_group_of(t, arena_printf(t->a, "/subscriptions/%s/resourceGroups/another/", part(t, 1)));
    for (size_t i = 0; i < value_count(all); i++)
        known |= role_find(value_str_at(value_item(all, i), "name")) != NULL;
    if (!all)
        known = role_find(value_str_at(t->body, "name")) != NULL;
    return known || cannot(t, "a role that no recovery meets");
}

/* --- the directory ------------------------------------------------------------------------------------------------------------- */

static bool service_principals(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i);

        add_principal(t, value_str_at(v, "id"), value_str_at(v, "appId"), value_str_at(v, "displayName"), "ServicePrincipal");
    }
    if (value_str_at(t->body, "id"))
        add_principal(t, value_str_at(t->body, "id"), value_str_at(t->body, "appId"), value_str_at(t->body, "displayName"),
                      str_eq(value_str_at(t->body, "servicePrincipalType"), "ManagedIdentity") ? "ManagedIdentity" : "ServicePrincipal");
    return true;
}

/* --- keys ------------------------------------------------------------------------------------------------------------------------ */

static bool shown_key(struct situation *t)
{
    return add_key(t, t->body, "active");
}

static bool shown_deleted_key(struct situation *t)
{
    return add_key(t, t->body, "deleted");
}

static bool listed_keys(struct situation *t, const char *state)
{
    const struct value *all = value_get(t->body, "value"), *link = value_get(t->body, "nextLink");
    const char *size = query_value(t, "maxresults");

    if (query_value(t, "$skiptoken"))
        return cannot(t, "a page in the middle: its token is the service's own");
    add_store(t, NULL);
    for (size_t i = 0; i < value_count(all); i++)
        if (!add_key(t, value_item(all, i), state))
            return false;
    if (value_str(link) && size) {
        struct value *more = value_copy(t->a, value_item(all, 0));

        value_set_string(t->a, more, "kid", t->n_parts == 3 ? arena_printf(t->a, "https://%s/keys/%s/fedcba9876543210fedcba9876543210", t->host, part(t, 1))
                                                             : arena_printf(t->a, "https://%s/keys/one-more", t->host));
        return add_key(t, more, state);
    }
    return true;
}

static bool active_keys(struct situation *t)
{
    return listed_keys(t, "active");
}

static bool deleted_keys(struct situation *t)
{
    return listed_keys(t, "deleted");
}

/* A list of one key's versions. */
static bool versions(struct situation *t)
{
    if (!active_keys(t))
        return false;
    if (!value_count(value_get(t->body, "value")))
        return cannot(t, "a key without versions");
    return true;
}

static bool new_key(struct situation *t)
{
    const char *type = value_str_at(t->sent, "kty");

    if (type && str_starts(type, "EC"))
        return cannot(t, "elliptic-curve keys: confidential virtual machines use RSA");
    add_store(t, value_get(t->body, "attributes"));
    return true;
}

/* What an earlier answer said of the key of this path. */
static const struct value *earlier_key(const struct situation *t)
{
    const char *kid = arena_printf(t->a, "https://%s/keys/%s/", t->host, part(t, 1));
    const struct value *ret = NULL;

    for (size_t i = 0; i < t->at; i++) {
        const struct value *body = value_get(value_item(t->lines, i), "response_body");
        const char *shown = value_str_at(body, "key.kid");

        if (shown && str_starts_nocase(shown, kid))
            ret = body;
    }
    return ret;
}

static bool earlier_active(struct situation *t)
{
    return add_key(t, earlier_key(t), "active");
}

static bool earlier_deleted(struct situation *t)
{
    return add_key(t, earlier_key(t), "deleted");
}

/* A policy given earlier tells how long the new version lives. */
static bool set_rotation(struct situation *t, struct sim *s)
{
    for (size_t i = 0; i < t->at; i++) {
        struct situation earlier;

        situation_open(&earlier, t->a, t->file, t->lines, i);
        earlier.audience = t->audience;
        earlier.now_ms = t->now_ms;
        if (str_eq(value_str_at(earlier.x, "method"), "PUT") && str_eq(part(&earlier, 1), part(t, 1)) && str_eq(part(&earlier, 2), "rotationpolicy"))
            situation_send(&earlier, s, "PUT", earlier.url, earlier.request);
    }
    return true;
}

/* A backup of the world's own, made before the key was deleted and purged: the recorded one opens in its own cloud only. */
static bool back_up_and_lose(struct situation *t, struct sim *s)
{
    const char *kid = value_str_at(t->body, "key.kid"), *name = strstr(kid, "/keys/") + strlen("/keys/");
    const char *key = arena_strndup(t->a, name, strcspn(name, "/"));
    struct answer backup =
        situation_send(t, s, "POST", arena_printf(t->a, "https://%s/keys/%s/backup?api-version=7.4", t->host, key), NULL);

    t->request = arena_strndup(t->a, backup.text, backup.len);
    situation_send(t, s, "DELETE", arena_printf(t->a, "https://%s/keys/%s?api-version=7.4", t->host, key), NULL);
    t->now_ms += MINUTE_MS;
    situation_send(t, s, "DELETE", arena_printf(t->a, "https://%s/deletedkeys/%s?api-version=7.4", t->host, key), NULL);
    return true;
}

/* --- the local rights of a managed HSM --------------------------------------------------------------------------------------------- */

static void add_local(struct situation *t, const struct value *shown)
{
    static const char *const same[][2] = {{"principalId", "principal"}, {"roleDefinitionId", "role"}, {"scope", "scope"}};
    const struct value *p = value_get(shown, "properties");
    struct value *v = value_map(t->a);

    if (!value_str_at(p, "principalId"))
        return;
    value_set_string(t->a, v, "store", arena_strndup(t->a, t->host, strcspn(t->host, ".")));
    value_set_string(t->a, v, "name", value_str_at(shown, "name"));
    for (size_t i = 0; i < COUNT(same); i++)
        value_set_string(t->a, v, same[i][1], value_str_at(p, same[i][0]));
    value_push(t->a, world_list(t, "hsmRoleAssignments"), v);
}

static bool local_rights(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    add_store(t, NULL);
    for (size_t i = 0; i < value_count(all); i++)
        add_local(t, value_item(all, i));
    if (!all)
        add_local(t, t->body);
    return true;
}

static bool local_definition(struct situation *t)
{
    if (!str_eq(value_str_at(t->body, "properties.type"), "AKVBuiltInRole"))
        return cannot(t, "a role of the tester's own");
    return local_rights(t);
}

/* --- blobs ------------------------------------------------------------------------------------------------------------------------ */

static void add_account(struct situation *t)
{
    add_stub(t, arena_printf(t->a, "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-blobs/providers/Microsoft.Storage/"
                                   "storageAccounts/%.*s", (int)strcspn(t->host, "."), t->host), NULL);
}

static void add_blob(struct situation *t, const char *name, const char *type, const char *size)
{
    struct value *v = value_map(t->a), *metadata = value_map(t->a);
    const char *length = value_str(value_get(value_get(t->x, "response_headers"), "content-length"));

    value_set_string(t->a, v, "account", arena_strndup(t->a, t->host, strcspn(t->host, ".")));
    value_set_string(t->a, v, "container", part(t, 0));
    value_set_string(t->a, v, "name", name);
    value_set_string(t->a, v, "type", type ? type : "BlockBlob");
    value_set_string(t->a, v, "created", time_format(t->a, t->now_ms));
    if (size)
        value_set_string(t->a, metadata, "configblobsize", size);
    value_set(t->a, v, "metadata", metadata);
    value_set_string(t->a, v, "content", length && strlen(length) > 3 ? "" : "AAAA");
    if (length && str_eq(length, "1024")) {
        struct text zeros;

        text_init(&zeros, 4096);
        for (size_t i = 0; i < 1366; i++)
            text_add_char(&zeros, 'A');
        text_add(&zeros, "==");
        value_set_string(t->a, v, "content", text_str(&zeros));
        text_release(&zeros);
    }
    value_push(t->a, world_list(t, "blobs"), v);
}

static bool one_blob(struct situation *t)
{
    const struct value *headers = value_get(t->x, "response_headers");
    const char *type = value_str(value_get(headers, "x-ms-blob-type")), *path = t->path + strcspn(t->path + 1, "/") + 2;

    if (type && str_eq(type, "AppendBlob"))
        return cannot(t, "append blobs: Azure Backup exports none");
    add_account(t);
    add_blob(t, t->status == 404 ? "another" : path, type, value_str(value_get(headers, "x-ms-meta-configblobsize")));
    return true;
}

static bool listed_blobs(struct situation *t)
{
    const char *text = value_str(t->body), *end;

    if (query_value(t, "include") && strstr(query_value(t, "include"), "deleted"))
        return cannot(t, "deleted blobs: the simulator keeps none");
    add_account(t);
    for (const char *at = text ? strstr(text, "<Name>") : NULL; at; at = strstr(at + 1, "<Name>")) {
        end = strchr(at + 1, '<');
        add_blob(t, arena_strndup(t->a, at + strlen("<Name>"), (size_t)(end - at) - strlen("<Name>")), NULL, NULL);
    }
    return value_count(world_list(t, "blobs")) > 0 || cannot(t, "an empty container: the simulator's containers come with their blobs");
}

/* --- backups ---------------------------------------------------------------------------------------------------------------------- */

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
    static const char *const same[][2] = {{"policyName", "policyName"},     {"policyType", "policyType"}, {"protectionState", "state"},
                                          {"healthStatus", "health"},       {"lastBackupStatus", "lastBackupStatus"}};
    const struct value *p = value_get(item, "properties");
    const char *container = value_str_at(p, "containerName"), *newest = value_str_at(p, "lastRecoveryPoint");
    struct value *v, *protection, *point;

    if (!container)
        return;
    v = add_backup(t, name_part(t->a, container, 1), name_part(t->a, container, 2), value_str_at(p, "sourceResourceId"));
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

static bool items(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    if (absent(t))
        return true;
    add_recovery_vault(t, NULL);
    for (size_t i = 0; i < value_count(all); i++)
        add_item(t, value_item(all, i));
    if (!all)
        add_item(t, t->body);
    return true;
}

static bool containers(struct situation *t)
{
    const struct value *all = value_get(t->body, "value");

    add_recovery_vault(t, NULL);
    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *p = value_get(value_item(all, i), "properties");

        add_backup(t, value_str_at(p, "resourceGroup"), value_str_at(p, "friendlyName"), value_str_at(p, "virtualMachineId"));
    }
    return true;
}

static bool in_vault(struct situation *t)
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
    value_set_string(t->a, point, "time", value_str_at(p, "recoveryPointTime") ?: time_format(t->a, t->now_ms - HOUR_MS));
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

static bool points(struct situation *t)
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
    struct value *set = value_map(t->a), *p = value_set(t->a, set, "properties", value_map(t->a)), *identity, *wrapped, *key;

    if (!set_id)
        set_id = arena_printf(t->a, "/subscriptions/%s/resourceGroups/rg-sets/providers/Microsoft.Compute/diskEncryptionSets/original", part(t, 1));
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
        value_set_string(t->a, role, "role", i < COUNT(services) ? services[i][1] : "Key Vault Crypto Service Encryption User");
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

static bool restore(struct situation *t)
{
    const struct value *p = value_get(t->sent, "properties"), *point = earlier_point(t, part(t, 15));
    const char *region = value_str_at(p, "region"), *source = value_str_at(p, "sourceResourceId"), *container = part(t, 11);
    const char *group = value_str_at(p, "targetResourceGroupId"), *security = value_str_at(point, "properties.securityType");
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
static bool backup_operation(struct situation *t)
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

/* --- jobs --------------------------------------------------------------------------------------------------------------------------- */

static bool recorded_jobs(struct situation *t)
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

        if (str_eq_nocase(value_str_at(body, "properties.jobId"), job) && str_eq(value_str_at(body, "status"), "Succeeded"))
            operation = value_str_at(body, "name");
    }
    if (operation && open_origin(t, operation, ret))
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

static bool job(struct situation *t)
{
    struct situation origin;

    if (t->status == 429)
        return in_vault(t);
    if (str_eq(value_str_at(t->x, "method"), "GET") && !str_eq(value_str_at(t->body, "properties.operation"), "Restore"))
        return recorded_jobs(t);
    if (!open_restore(t, part(t, 9), &origin))
        return cannot(t, "the recording does not show the restore that this job came of");
    if (str_eq(value_str_at(t->body, "properties.status"), "Failed"))
        return cannot(t, "a restore that failed for a reason of the machine, not of its key");
    return restore(&origin) || cannot(t, origin.why_not);
}

static bool run_restore(struct situation *t, struct sim *s)
{
    bool ended = str_eq(value_str_at(t->body, "properties.status"), "Completed"), cancel = str_eq(value_str_at(t->x, "method"), "POST");
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
        return cannot(t, arena_printf(t->a, "the simulator refuses the recorded restore: %d %s", begun.status, begun.text));
    id = str_find_nocase(operation, "/operationsStatus/") + strlen("/operationsStatus/");
    t->url = arena_printf(t->a, "https://%s%s/backupJobs/%.*s%s", t->host, vault_path(t), (int)strcspn(id, "?"), id, behind);
    t->now_ms += 2 * MINUTE_MS;
    for (int i = 0; ended && i < 6; i++, t->now_ms += HOUR_MS)
        situation_send(t, s, "GET", t->url, NULL);
    return true;
}

/* --- the table ---------------------------------------------------------------------------------------------------------------------- */

static const struct operation operations[] = {
    {"resource group", "GET", "arm:" GROUP, ARM_SCOPE, one_resource, NULL},
    {"resources by filter", "GET", "arm:" SUB "/resources", ARM_SCOPE, some_resources, NULL},
    {"disk encryption set", "GET", "arm:" IN_GROUP "Microsoft.Compute/diskEncryptionSets/*", ARM_SCOPE, one_resource, NULL},
    {"disk encryption set put", "PUT", "arm:" IN_GROUP "Microsoft.Compute/diskEncryptionSets/*", ARM_SCOPE, change_of_set, NULL},
    {"disk encryption set patch", "PATCH", "arm:" IN_GROUP "Microsoft.Compute/diskEncryptionSets/*", ARM_SCOPE, change_of_set, NULL},
    {"disk operation", "GET", "arm:" SUB "/providers/Microsoft.Compute/locations/*/DiskOperations/*", ARM_SCOPE, polled, begin_and_poll},
    {"compute operation", "GET", "arm:" SUB "/providers/Microsoft.Compute/locations/*/operations/*", ARM_SCOPE, polled, begin_and_poll},
    {"disk", "GET", "arm:" IN_GROUP "Microsoft.Compute/disks/*", ARM_SCOPE, one_resource, NULL},
    {"virtual machine", "GET", "arm:" IN_GROUP "Microsoft.Compute/virtualMachines/*", ARM_SCOPE, one_resource, NULL},
    {"virtual machine delete", "DELETE", "arm:" IN_GROUP "Microsoft.Compute/virtualMachines/*", ARM_SCOPE, known_before, NULL},
    {"deleted vaults", "GET", "arm:" SUB "/providers/Microsoft.KeyVault/deletedVaults", ARM_SCOPE, deleted_vaults, NULL},
    {"deleted vault", "GET", "arm:" SUB "/providers/Microsoft.KeyVault/locations/*/deletedVaults/*", ARM_SCOPE, deleted_vaults, NULL},
    {"key vault", "GET", "arm:" IN_GROUP "Microsoft.KeyVault/vaults/*", ARM_SCOPE, one_resource, NULL},
    {"key vault put", "PUT", "arm:" IN_GROUP "Microsoft.KeyVault/vaults/*", ARM_SCOPE, change_of_vault, NULL},
    {"key vault delete", "DELETE", "arm:" IN_GROUP "Microsoft.KeyVault/vaults/*", ARM_SCOPE, known_before, NULL},
    {"virtual network", "GET", "arm:" IN_GROUP "Microsoft.Network/virtualNetworks/*", ARM_SCOPE, one_resource, NULL},
    {"virtual networks", "GET", "arm:" IN_GROUP "Microsoft.Network/virtualNetworks", ARM_SCOPE, some_resources, NULL},
    {"network interface", "GET", "arm:" IN_GROUP "Microsoft.Network/networkInterfaces/*", ARM_SCOPE, one_resource, NULL},
    {"storage account", "GET", "arm:" IN_GROUP "Microsoft.Storage/storageAccounts/*", ARM_SCOPE, one_resource, NULL},
    {"storage accounts", "GET", "arm:" SUB "/providers/Microsoft.Storage/storageAccounts", ARM_SCOPE, some_resources, NULL},
    {"storage account keys", "POST", "arm:" IN_GROUP "Microsoft.Storage/storageAccounts/*/listKeys", ARM_SCOPE, account_keys, NULL},
    {"role assignments", "GET", "arm:**/providers/Microsoft.Authorization/roleAssignments", ARM_SCOPE, some_assignments, NULL},
    {"role assignment", "GET", "arm:**/providers/Microsoft.Authorization/roleAssignments/*", ARM_SCOPE, one_assignment, NULL},
    {"role assignment put", "PUT", "arm:**/providers/Microsoft.Authorization/roleAssignments/*", ARM_SCOPE, one_assignment, NULL},
    {"role assignment delete", "DELETE", "arm:**/providers/Microsoft.Authorization/roleAssignments/*", ARM_SCOPE, one_assignment, NULL},
    {"role definitions", "GET", "arm:**/providers/Microsoft.Authorization/roleDefinitions", ARM_SCOPE, definitions, NULL},
    {"role definition", "GET", "arm:**/providers/Microsoft.Authorization/roleDefinitions/*", ARM_SCOPE, definitions, NULL},
    {"recovery services vault", "GET", "arm:" BACKUP, ARM_SCOPE, one_resource, NULL},
    {"protected items", "GET", "arm:" BACKUP "/backupProtectedItems", ARM_SCOPE, items, NULL},
    {"protected item", "GET", "arm:" ITEM, ARM_SCOPE, items, NULL},
    {"protection containers", "GET", "arm:" BACKUP "/backupProtectionContainers", ARM_SCOPE, containers, NULL},
    {"resource guard proxies", "GET", "arm:" BACKUP "/backupResourceGuardProxies", ARM_SCOPE, in_vault, NULL},
    {"backup policy", "GET", "arm:" BACKUP "/backupPolicies/*", ARM_SCOPE, in_vault, NULL},
    {"recovery points", "GET", "arm:" ITEM "/recoveryPoints", ARM_SCOPE, points, NULL},
    {"recovery point", "GET", "arm:" ITEM "/recoveryPoints/*", ARM_SCOPE, points, NULL},
    {"restore", "POST", "arm:" ITEM "/recoveryPoints/*/restore", ARM_SCOPE, restore, NULL},
    {"backup operation", "GET", "arm:" BACKUP "/backupOperations/*", ARM_SCOPE, backup_operation, NULL},
    {"item operation status", "GET", "arm:" ITEM "/operationsStatus/*", ARM_SCOPE, backup_operation, NULL},
    {"item operation result", "GET", "arm:" ITEM "/operationResults/*", ARM_SCOPE, backup_operation, NULL},
    {"jobs", "GET", "arm:" BACKUP "/backupJobs", ARM_SCOPE, recorded_jobs, NULL},
    {"job", "GET", "arm:" BACKUP "/backupJobs/*", ARM_SCOPE, job, run_restore},
    {"job cancel", "POST", "arm:" BACKUP "/backupJobs/*/cancel", ARM_SCOPE, job, run_restore},
    {"service principals", "GET", "graph:/v1.0/servicePrincipals", GRAPH_SCOPE, service_principals, NULL},
    {"service principal", "GET", "graph:/v1.0/servicePrincipals/*", GRAPH_SCOPE, service_principals, NULL},
    {"key vault keys", "GET", "vault:/keys", VAULT_SCOPE, active_keys, NULL},
    {"key vault deleted keys", "GET", "vault:/deletedkeys", VAULT_SCOPE, deleted_keys, NULL},
    {"key vault key versions", "GET", "vault:/keys/*/versions", VAULT_SCOPE, versions, NULL},
    {"key vault key", "GET", "vault:/keys/*", VAULT_SCOPE, shown_key, NULL},
    {"key vault key version", "GET", "vault:/keys/*/*", VAULT_SCOPE, shown_key, NULL},
    {"key vault key create", "POST", "vault:/keys/*/create", VAULT_SCOPE, new_key, NULL},
    {"key vault key update", "PATCH", "vault:/keys/*", VAULT_SCOPE, shown_key, NULL},
    {"key vault key backup", "POST", "vault:/keys/*/backup", VAULT_SCOPE, earlier_active, NULL},
    {"key vault key delete", "DELETE", "vault:/keys/*", VAULT_SCOPE, shown_key, NULL},
    {"key vault key restore", "POST", "vault:/keys/restore", VAULT_SCOPE, shown_key, back_up_and_lose},
    {"key vault key recover", "POST", "vault:/deletedkeys/*/recover", VAULT_SCOPE, shown_deleted_key, NULL},
    {"key vault key purge", "DELETE", "vault:/deletedkeys/*", VAULT_SCOPE, earlier_deleted, NULL},
    {"managed HSM keys", "GET", "hsm:/keys", HSM_SCOPE, active_keys, NULL},
    {"managed HSM deleted keys", "GET", "hsm:/deletedkeys", HSM_SCOPE, deleted_keys, NULL},
    {"managed HSM key versions", "GET", "hsm:/keys/*/versions", HSM_SCOPE, versions, NULL},
    {"managed HSM key", "GET", "hsm:/keys/*", HSM_SCOPE, shown_key, NULL},
    {"managed HSM key version", "GET", "hsm:/keys/*/*", HSM_SCOPE, shown_key, NULL},
    {"managed HSM key create", "POST", "hsm:/keys/*/create", HSM_SCOPE, new_key, NULL},
    {"managed HSM key update", "PATCH", "hsm:/keys/*", HSM_SCOPE, shown_key, NULL},
    {"managed HSM key backup", "POST", "hsm:/keys/*/backup", HSM_SCOPE, earlier_active, NULL},
    {"managed HSM key delete", "DELETE", "hsm:/keys/*", HSM_SCOPE, shown_key, NULL},
    {"managed HSM key restore", "POST", "hsm:/keys/restore", HSM_SCOPE, shown_key, back_up_and_lose},
    {"managed HSM key recover", "POST", "hsm:/deletedkeys/*/recover", HSM_SCOPE, shown_deleted_key, NULL},
    {"managed HSM key purge", "DELETE", "hsm:/deletedkeys/*", HSM_SCOPE, earlier_deleted, NULL},
    {"managed HSM role definitions", "GET", "hsm:**/providers/Microsoft.Authorization/roleDefinitions", HSM_SCOPE, local_rights, NULL},
    {"managed HSM role definition", "GET", "hsm:**/providers/Microsoft.Authorization/roleDefinitions/*", HSM_SCOPE, local_definition, NULL},
    {"managed HSM role assignments", "GET", "hsm:**/providers/Microsoft.Authorization/roleAssignments", HSM_SCOPE, local_rights, NULL},
    {"managed HSM role assignment put", "PUT", "hsm:**/providers/Microsoft.Authorization/roleAssignments/*", HSM_SCOPE, new_key, NULL},
    {"managed HSM role assignment delete", "DELETE", "hsm:**/providers/Microsoft.Authorization/roleAssignments/*", HSM_SCOPE, local_rights,
     NULL},
    {"key vault rotation policy", "GET", "vault:/keys/*/rotationpolicy", VAULT_SCOPE, earlier_active, NULL},
    {"key vault rotation policy put", "PUT", "vault:/keys/*/rotationpolicy", VAULT_SCOPE, earlier_active, NULL},
    {"key vault key rotate", "POST", "vault:/keys/*/rotate", VAULT_SCOPE, earlier_active, set_rotation},
    {"blob", "GET", "blob:/*/*", BLOB_SCOPE, one_blob, NULL},
    {"blob head", "HEAD", "blob:/*/*", BLOB_SCOPE, one_blob, NULL},
    {"blobs", "GET", "blob:/*", BLOB_SCOPE, listed_blobs, NULL},
};

/* --- finding ------------------------------------------------------------------------------------------------------------------------ */

static const char *service_of(const char *host)
{
    static const char *const services[][2] = {{"management.azure.com", "arm"},   {".vault.azure.net", "vault"},
                                              {".managedhsm.azure.net", "hsm"},  {"graph.microsoft.com", "graph"},
                                              {".blob.core.windows.net", "blob"}};

    for (size_t i = 0; i < COUNT(services); i++)
        if (str_ends_nocase(host, services[i][0]))
            return services[i][1];
    return host;
}

/* "/a/b" against the parts from `at` on: '*' is one part, a leading "**" any number. */
static bool fits(const struct situation *t, size_t at, const char *pattern)
{
    if (str_starts(pattern, "**")) {
        for (; at <= t->n_parts; at++)
            if (fits(t, at, pattern + 2))
                return true;
        return false;
    }
    for (; *pattern == '/'; at++) {
        size_t n = strcspn(++pattern, "/");

        if (at >= t->n_parts || (*pattern != '*' && (strlen(t->parts[at]) != n || strncasecmp(t->parts[at], pattern, n) != 0)))
            return false;
        pattern += n;
    }
    return at == t->n_parts;
}

const struct operation *operation_of(const struct situation *t)
{
    const char *where = service_of(t->host), *method = value_str_at(t->x, "method");
    size_t n = strlen(where);

    for (size_t i = 0; i < COUNT(operations); i++) {
        const struct operation *op = &operations[i];

        if (str_eq(op->method, method) && strncmp(op->pattern, where, n) == 0 && op->pattern[n] == ':' && fits(t, 0, op->pattern + n + 1))
            return op;
    }
    return NULL;
}

/* A path by its kinds: names become '*'. */
char *operation_described(const struct situation *t)
{
    const char *where = service_of(t->host);
    bool arm = str_eq(where, "arm");
    struct text text;
    size_t from = 0;
    char *ret;

    text_init(&text, TEXT_CEILING);
    text_printf(&text, "%s %s ", value_str_at(t->x, "method"), where);
    for (size_t i = 0; arm && i < t->n_parts; i++)
        if (str_eq_nocase(t->parts[i], "providers"))
            from = i + 1;
    for (size_t i = from; i < t->n_parts; i++) {
        bool named = arm ? (i - from >= (from ? 2u : 1u) && (i - from) % 2 == (from ? 0u : 1u)) : i % 2 == 1 || str_eq(where, "blob");

        text_printf(&text, "/%s", named ? "*" : arm ? t->parts[i] : str_lower(t->a, t->parts[i]));
    }
    ret = arena_strdup(t->a, text_str(&text));
    text_release(&text);
    return ret;
}
