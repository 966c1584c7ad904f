/* Knows disk encryption sets, disks and virtual machines: long operations, what a set demands of its key, when a
 * confidential machine starts. Must not know backups. */
#include "data.h"

#include <stdio.h>
#include <string.h>

static const char set_type[] = "Microsoft.Compute/diskEncryptionSets",
                  cvm_type[] = "ConfidentialVmEncryptedWithCustomerKey";
static const char set_id_path[] = "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id";

static struct value *sub_map(struct arena *a, struct value *map, const char *key)
{
    return value_set(a, map, key, value_map(a));
}

/* --- operations --------------------------------------------------------------------------------------------------- */

/* Compute writes operation times with the offset of wherever it runs. */
static const char *offset_time(struct arena *a, const char *utc)
{
    char *s = time_format(a, time_parse(utc) + 5 * HOUR_MS + 30 * MINUTE_MS);

    s[strcspn(s, "Z")] = '\0';
    return arena_printf(a, "%s+05:30", s);
}

void compute_accepted(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *location,
                      const char *segment, const char *id)
{
    const char *base =
        arena_printf(r->arena, "%s/subscriptions/%s/providers/Microsoft.Compute/locations/%s/%s/%s?p=%s", s->ep.arm,
                     request_segment(r, 1), region_name(r->arena, location ? location : "global"), segment, id, id);
    const char *version = request_query(r, "api-version");

    answer_header(r->arena, out, "Azure-AsyncOperation", "%s&api-version=%s%s", base, version,
                  signed_tail(s, r->arena));
    answer_header(r->arena, out, "Location", "%s&monitor=true&api-version=%s%s", base, version,
                  signed_tail(s, r->arena));
}

static void answer_operation(struct sim *s, const struct sim_request *r, struct sim_answer *out, bool of_disks,
                             const char *id)
{
    struct arena *a = r->arena;
    const struct value *op = operation_find(s, id), *output = value_get(op, "output");
    const char *status = value_str_at(op, "status");
    bool running = str_eq(status, "InProgress");
    struct value *body;

    if (!op) {
        answer_arm_error(a, out, 404, false, "NotFound", "The operation '%s' is not found.", id);
        return;
    }
    if (running && !of_disks)
        answer_header(a, out, "Retry-After", "%d", 30);
    if (request_query(r, "monitor")) {
        if (!running && output)
            answer_json(a, out, 200, resource_show(s, a, output));
        else
            answer_empty(out, running ? 202 : 200);
        return;
    }
    body = value_map(a);
    value_set_string(a, body, "startTime", offset_time(a, value_str_at(op, "started")));
    if (!running)
        value_set_string(a, body, "endTime", offset_time(a, value_str_at(op, "ends")));
    value_set_string(a, body, "status", status);
    if (!running && output && str_eq(status, "Succeeded"))
        value_set(a, sub_map(a, body, "properties"), "output", resource_show(s, a, output));
    if (!running && value_get(op, "error"))
        value_set(a, body, "error", value_copy(a, value_get(op, "error")));
    value_set_string(a, body, "name", id);
    answer_json(a, out, 200, body);
}

/* --- what a set may do with its key ------------------------------------------------------------------------------- */

static const char *problem(char *ret_text, size_t room, const char *code, const char *text, const char *about)
{
    snprintf(ret_text, room, "%s: %s", text, about ? about : "");
    return code;
}

/* The key version behind a set is there and enabled; else the error code. */
static const char *key_problem(struct sim *s, const char *url, const char **ret_store, const char **ret_name,
                               char *ret_text, size_t room)
{
    const char *version = NULL;
    struct value *key, *found;

    if (!url || !key_url_parse(s, s->arena, url, ret_store, ret_name, &version))
        return problem(ret_text, room, "InvalidParameter", "the key's address cannot be understood", url);
    if (!vault_by_name(s, *ret_store))
        return problem(ret_text, room, "KeyVaultKeyNotFound", "the key's vault does not exist", url);
    key = key_find(s, *ret_store, *ret_name);
    found = key && str_eq(value_str_at(key, "state") ?: "active", "active") ? key_version(key, version) : NULL;
    if (!found)
        return problem(ret_text, room, "KeyVaultKeyNotFound", "the key or its version does not exist", url);
    if (!value_bool_at(found, "enabled", true))
        return problem(ret_text, room, "KeyVaultKeyDisabled", "the key version is disabled", url);
    return NULL;
}

/* By its own identity, where it has one, else by the first that it was given. */
static const char *set_principal_of(struct sim *s, const struct value *des)
{
    const char *type = value_str_at(des, "identity.type");
    const struct value *assigned = value_at(des, "identity.userAssignedIdentities");

    if (!type || str_find_nocase(type, "SystemAssigned") || !value_is(assigned, VALUE_MAP) || !assigned->map.count)
        return value_str_at(des, "identity.principalId");
    return value_str_at(resource_find(s, assigned->map.members[0].key), "properties.principalId");
}

const char *compute_des_problem(struct sim *s, const struct value *des, char *ret_text, size_t room)
{
    static const char *const needed[] = {"get", "wrapKey", "unwrapKey"};
    const char *url = value_str_at(des, "properties.activeKey.keyUrl"), *principal = set_principal_of(s, des), *store,
               *name;
    const char *code = key_problem(s, url, &store, &name, ret_text, room);

    if (code)
        return code;
    for (size_t i = 0; i < COUNT(needed); i++)
        if (!access_key(s, principal, vault_by_name(s, store), name, needed[i])) {
            snprintf(ret_text, room, "the identity '%s' of the disk encryption set lacks the permission %s on %s",
                     principal ? principal : "none", needed[i], url);
            return "KeyVaultAccessForbidden";
        }
    return NULL;
}

/* The guest gets its key only when the orchestrator may release it, and only where the key's own policy says so. */
const char *compute_boot_problem(struct sim *s, const struct value *des, char *ret_text, size_t room)
{
    const char *url = value_str_at(des, "properties.activeKey.keyUrl"), *store, *name, *version;
    const char *code = compute_des_problem(s, des, ret_text, room);

    if (code)
        return code;
    if (!key_url_parse(s, s->arena, url, &store, &name, &version) ||
        !access_key(s, well_known(s, "ConfidentialVmOrchestrator"), vault_by_name(s, store), name, "release"))
        return problem(ret_text, room, "KeyVaultAccessForbidden", "the key cannot be released to the machine", url);
    if (knob_is(s, "releasePolicyRegion", "enforced") &&
        !key_releases_in(s, store, name, value_str_at(des, "location")))
        return problem(ret_text, room, "KeyVaultAccessForbidden", "the key's release policy does not name this region",
                       url);
    return NULL;
}

static const char *boot_problem(struct sim *s, const struct value *vm, char *ret_text, size_t room)
{
    const char *set_id = value_str_at(vm, set_id_path);
    const struct value *des = set_id ? resource_find(s, set_id) : NULL;

    if (!set_id)
        return NULL;
    if (!des)
        return problem(ret_text, room, "DiskEncryptionSetNotFound", "the disk encryption set does not exist", set_id);
    return compute_boot_problem(s, des, ret_text, room);
}

/* --- time goes by ------------------------------------------------------------------------------------------------- */

static void set_power(struct sim *s, struct value *vm, const char *state)
{
    struct value *statuses = value_at(vm, "properties.instanceView.statuses");

    if (!value_is(statuses, VALUE_LIST))
        return;
    for (size_t i = value_count(statuses); i-- > 0;)
        if (str_starts_nocase(value_str_at(value_item(statuses, i), "code") ?: "", "PowerState/"))
            list_remove(statuses, i);
    value_push(s->arena, statuses, value_item(vm_statuses(s, state), 1));
    state_changed(s);
}

static void register_identity(struct sim *s, const struct value *des)
{
    const char *oid = value_str_at(des, "identity.principalId");
    struct value *p;

    if (!oid || principal_find(s, oid))
        return;
    p = value_map(s->arena);
    value_set_string(s->arena, p, "name", value_str_at(des, "name"));
    value_set_string(s->arena, p, "objectId", oid);
    value_set_string(s->arena, p, "appId", new_guid(s));
    value_set_string(s->arena, p, "type", "ManagedIdentity");
    value_set_string(s->arena, p, "resource", value_str_at(des, "id"));
    value_set_string(s->arena, p, "created", time_format(s->arena, s->now_ms));
    state_push(s, "identities", p);
}

static void end_start(struct sim *s, struct value *op, struct value *vm)
{
    char text[512];
    const char *code = boot_problem(s, vm, text, sizeof(text));
    struct value *error;

    if (!code) {
        set_power(s, vm, "running");
        return;
    }
    set_power(s, vm, "stopped");
    error = value_set(s->arena, op, "error", value_map(s->arena));
    value_set_string(s->arena, error, "code", code);
    value_set_string(s->arena, error, "message", text);
}

static void operation_end(struct sim *s, struct value *op)
{
    const char *kind = value_str_at(op, "kind"), *subject = value_str_at(op, "subject");
    struct value *v = resource_find(s, subject);

    if (str_eq(kind, "set") && v && value_get(op, "output")) {
        v = resource_store(s, subject, value_get(op, "output"));
        register_identity(s, v);
    } else if (str_eq(kind, "vm-start") && v) {
        end_start(s, op, v);
    } else if (str_eq(kind, "vm-delete")) {
        resource_remove(s, subject);
    } else if (!str_eq(kind, "set") && !str_eq(kind, "vm-start")) {
        return;
    }
    value_set_string(s->arena, op, "status", value_get(op, "error") ? "Failed" : "Succeeded");
    state_changed(s);
}

void compute_advance(struct sim *s)
{
    struct value *all = state_list(s, "operations");

    for (size_t i = 0; i < value_count(all); i++) {
        struct value *op = value_item(all, i);
        int64_t ends = time_parse(value_str_at(op, "ends"));

        if (str_eq(value_str_at(op, "status"), "InProgress") && ends != TIME_NONE && ends <= s->now_ms)
            operation_end(s, op);
    }
    operations_forget(s);
}

/* --- disk encryption sets ----------------------------------------------------------------------------------------- */

static const char *plain_location(struct arena *a, const char *location)
{
    char *s = str_lower(a, location ? location : ""), *to = s;

    for (const char *from = s; *from; from++)
        if (*from != ' ')
            *to++ = *from;
    *to = '\0';
    return s;
}

static bool has_release_policy(const struct value *key)
{
    const struct value *policy = value_get(key, "releasePolicy");

    return policy && !str_eq(value_str(policy), "none");
}

/* What a user-assigned identity refuses a write of the set, or NULL: it is there, and so is the key that it must open.
 * A system-assigned one does not exist yet, and is not asked. */
static const char *identity_refusal(struct sim *s, const struct sim_request *r, const struct value *wanted,
                                    const char **ret_code)
{
    const struct value *assigned = value_at(wanted, "identity.userAssignedIdentities");
    const char *type = value_str_at(wanted, "identity.type");
    char text[512];

    for (size_t i = 0; value_is(assigned, VALUE_MAP) && i < assigned->map.count; i++) {
        const char *id = assigned->map.members[i].key;

        *ret_code = "FailedIdentityOperation";
        if (!resource_find(s, id))
            return arena_printf(r->arena, "The managed identity '%s' was not found.", id);
    }
    *ret_code = "KeyVaultAccessForbidden";
    if (!value_count(assigned) || !type || str_find_nocase(type, "SystemAssigned"))
        return NULL;
    return compute_des_problem(s, wanted, text, sizeof(text)) ? arena_strdup(r->arena, text) : NULL;
}

/* Says what is wrong with the key of a set, or NULL. */
static const char *set_key_refusal(struct sim *s, struct arena *a, const char *url, const char *encryption,
                                   const char *location)
{
    const char *store, *name, *version = NULL;
    const struct value *vault;
    char text[512];

    if (!url || !str_starts_nocase(url, "https://") || !key_url_parse(s, a, url, &store, &name, &version))
        return "The key URL in activeKey.keyUrl is not one of this cloud's vaults.";
    if (!version || !*version)
        return "The key URL in activeKey.keyUrl must name a key version.";
    if (key_problem(s, url, &store, &name, text, sizeof(text)))
        return arena_strdup(a, text);
    vault = vault_by_name(s, store);
    if (!value_bool_at(vault, "properties.enablePurgeProtection", false))
        return "The key vault must have soft delete and purge protection.";
    if (hsm_is(vault) ? !hsm_serves(vault, location)
                      : !str_eq_nocase(plain_location(a, value_str_at(vault, "location")), plain_location(a, location)))
        return "The key vault must be in the region of the disk encryption set.";
    if (str_eq_nocase(encryption, cvm_type) && !has_release_policy(key_find(s, store, name)))
        return "The key has no release policy: it cannot protect a confidential VM.";
    return NULL;
}

static bool set_refused(struct sim *s, const struct sim_request *r, struct sim_answer *out, const struct value *old,
                        const struct value *wanted)
{
    struct arena *a = r->arena;
    const char *encryption = value_str_at(wanted, "properties.encryptionType"),
               *location = value_str_at(wanted, "location"), *why;
    const char *code = "InvalidParameter";

    if (str_eq_nocase(value_str_at(old, "properties.provisioningState"), "Updating")) {
        answer_arm_error(a, out, 409, false, "Conflict",
                         "Another operation on this disk encryption set is in progress.");
        return true;
    }
    if (old && !str_eq_nocase(plain_location(a, value_str_at(old, "location")), plain_location(a, location))) {
        answer_arm_error(a, out, 409, true, "InvalidResourceLocation", "The resource already exists in location '%s'.",
                         value_str_at(old, "location"));
        return true;
    }
    if (old && !str_eq_nocase(value_str_at(old, "properties.encryptionType"), encryption)) {
        answer_arm_error(a, out, 409, false, "PropertyChangeNotAllowed",
                         "Changing property 'encryptionType' is not allowed.");
        return true;
    }
    why = !location ? "The location property is required."
                    : set_key_refusal(s, a, value_str_at(wanted, "properties.activeKey.keyUrl"), encryption, location);
    if (!why)
        why = identity_refusal(s, r, wanted, &code);
    if (why)
        answer_arm_error(a, out, 400, false, code, "%s", why);
    return why != NULL;
}

static void merge(struct arena *a, struct value *into, const struct value *from)
{
    for (size_t i = 0; value_is(from, VALUE_MAP) && i < from->map.count; i++) {
        const struct member *m = &from->map.members[i];
        struct value *here = value_get(into, m->key);

        if (value_is(here, VALUE_MAP) && value_is(m->value, VALUE_MAP) && !str_eq(m->key, "activeKey"))
            merge(a, here, m->value);
        else
            value_set(a, into, m->key, value_copy(a, m->value));
    }
}

void compute_show_assigned(struct sim *s, struct arena *a, const struct value *identity)
{
    const struct value *all = value_get(identity, "userAssignedIdentities");

    for (size_t i = 0; value_is(all, VALUE_MAP) && i < all->map.count; i++) {
        const struct value *p = value_get(resource_find(s, all->map.members[i].key), "properties");

        if (!value_is(all->map.members[i].value, VALUE_MAP))
            continue;
        if (!p)
            continue;
        value_set_string(a, all->map.members[i].value, "principalId", value_str_at(p, "principalId"));
        value_set_string(a, all->map.members[i].value, "clientId", value_str_at(p, "clientId"));
    }
}

/* A kind of identity that the set no longer has takes its members along. */
static void set_identity(struct sim *s, struct arena *a, struct value *set)
{
    struct value *identity = value_get(set, "identity");
    const char *type = value_str_at(identity, "type") ?: "";

    if (identity && str_eq_nocase(type, "None"))
        value_remove(set, "identity");
    if (!str_find_nocase(type, "UserAssigned"))
        value_remove(identity, "userAssignedIdentities");
    if (str_find_nocase(type, "SystemAssigned")) {
        if (!value_get(identity, "principalId"))
            value_set_string(a, identity, "principalId", new_guid(s));
        value_set_string(a, identity, "tenantId", value_str_at(s->spec, "tenant"));
    } else {
        value_remove(identity, "principalId");
        value_remove(identity, "tenantId");
    }
    compute_show_assigned(s, a, identity);
}

/* What the set will be once the operation has ended. */
static struct value *set_wanted(struct sim *s, const struct sim_request *r, const struct value *old, const char *id)
{
    static const char *const taken[] = {"location", "tags", "identity", "properties"};
    struct arena *a = r->arena;
    struct value *v = old ? value_copy(a, old) : value_map(a), *p;

    value_set_string(a, v, "name", strrchr(id, '/') + 1);
    value_set_string(a, v, "id", old ? value_str_at(old, "id") : id);
    value_set_string(a, v, "type", set_type);
    for (size_t i = 0; i < COUNT(taken); i++) {
        struct value *given = value_get(r->json, taken[i]), *part = value_map(a);

        if (!given)
            continue;
        merge(a, part, value_get(v, taken[i]));
        merge(a, part, given);
        value_set(a, v, taken[i], value_is(given, VALUE_MAP) ? part : value_copy(a, given));
    }
    p = value_is(value_get(v, "properties"), VALUE_MAP) ? value_get(v, "properties") : sub_map(a, v, "properties");
    if (!value_get(p, "encryptionType"))
        value_set_string(a, p, "encryptionType", "EncryptionAtRestWithCustomerKey");
    value_set_string(a, p, "provisioningState", "Succeeded");
    if (str_eq_nocase(value_str_at(p, "federatedClientId"), "None"))
        value_remove(p, "federatedClientId");
    set_identity(s, a, v);
    return v;
}

/* The answer to a PUT echoes the request, also over a set that is there; to a PATCH it still shows the old values. */
static struct value *set_accepted(const struct sim_request *r, const struct value *old)
{
    struct arena *a = r->arena;
    struct value *v = value_copy(a, request_is(r, "PATCH") ? old : r->json), *p = value_get(v, "properties");

    if (!p)
        p = sub_map(a, v, "properties");

    value_set_string(a, p, "provisioningState", "Updating");
    return v;
}

/* A set of the same id may have been deleted before: for a snapshot it is another one (behaviour.recreatedSet). */
static void note_made(struct sim *s, const char *id)
{
    struct value *v = value_map(s->arena);

    value_set_string(s->arena, v, "id", id);
    value_set_string(s->arena, v, "at", time_format(s->arena, s->now_ms));
    state_push(s, "setsMade", v);
}

/* Begins the operation that makes `wanted` of the set. */
static void set_begin(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id,
                      const struct value *old, const struct value *wanted)
{
    struct arena *a = r->arena;
    struct value *shown = set_accepted(r, old), *meanwhile = value_copy(a, old ? old : wanted);
    const char *operation =
        operation_new(s, "set", id, s->now_ms + behaviour_ms(s, "operationDuration", 20 * SECOND_MS), wanted, NULL);

    value_set_string(a, value_get(meanwhile, "properties"), "provisioningState", "Updating");
    if (!old && value_get(meanwhile, "identity")) {
        value_remove(value_get(meanwhile, "identity"), "principalId");
        value_remove(value_get(meanwhile, "identity"), "tenantId");
    }
    if (!old)
        note_made(s, id);
    resource_store(s, id, meanwhile);
    answer_json(a, out, 202, shown);
    compute_accepted(s, r, out, value_str_at(wanted, "location"), "DiskOperations", operation);
    answer_header(
        a, out, "x-ms-ratelimit-remaining-resource",
        "Microsoft.Compute/HighCostDiskEncryptionSet3Min;99,Microsoft.Compute/HighCostDiskEncryptionSet30Min;299");
}

static void change_set(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    const struct value *old = resource_find(s, id), *wanted;

    if (!require_rbac(s, r, out, id, "Microsoft.Compute/diskEncryptionSets/write"))
        return;
    if (!group_exists(s, request_segment(r, 1), request_segment(r, 3)) || (!old && request_is(r, "PATCH"))) {
        arm_not_found(s, r, out, id);
        return;
    }
    if (!value_is(r->json, VALUE_MAP) || (!old && !value_is(value_get(r->json, "properties"), VALUE_MAP))) {
        answer_arm_error(r->arena, out, 400, true, "InvalidRequestContent",
                         "The request's body is no disk encryption set.");
        return;
    }
    wanted = set_wanted(s, r, old, id);
    if (!set_refused(s, r, out, old, wanted))
        set_begin(s, r, out, id, old, wanted);
}

static void list_users(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id)
{
    struct value *items = value_list(r->arena), *v;

    if (!require_rbac(s, r, out, id, "Microsoft.Compute/diskEncryptionSets/associatedResources/read"))
        return;
    if (!resource_find(s, id)) {
        arm_not_found(s, r, out, id);
        return;
    }
    for (size_t at = 0; (v = resource_next(s, "", "Microsoft.Compute/disks", &at)) != NULL;)
        if (str_eq_nocase(value_str_at(v, "properties.securityProfile.secureVMDiskEncryptionSetId"), id) ||
            str_eq_nocase(value_str_at(v, "properties.encryption.diskEncryptionSetId"), id))
            value_push(r->arena, items, value_string(r->arena, value_str_at(v, "id")));
    arm_page(s, r, out, items);
}

static void answer_sets(struct sim *s, const struct sim_request *r, struct sim_answer *out, size_t behind,
                        const char *id)
{
    if (behind == 4 && request_is(r, "GET"))
        answer_resource(s, r, out, id);
    else if (behind == 4 && (request_is(r, "PUT") || request_is(r, "PATCH")))
        change_set(s, r, out, id);
    else if (behind == 5 && request_is(r, "GET") &&
             str_eq_nocase(request_segment(r, r->n_segments - 1), "associatedResources"))
        list_users(s, r, out, id);
    else
        arm_bad_path(r, out);
}

/* --- machines ----------------------------------------------------------------------------------------------------- */

static void get_vm(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id, bool view_only)
{
    struct arena *a = r->arena;
    const struct value *v;
    struct value *shown, *view;

    if (!require_rbac(s, r, out, id,
                      view_only ? "Microsoft.Compute/virtualMachines/instanceView/read"
                                : "Microsoft.Compute/virtualMachines/read"))
        return;
    v = resource_find(s, id);
    if (!v || still_hidden(s, value_str_at(v, "madeAt"))) {
        arm_not_found(s, r, out, id);
        return;
    }
    shown = resource_show(s, a, v);
    view = value_copy(a, value_at(v, "properties.instanceView"));
    if (view_only)
        answer_json(a, out, 200, view ? view : value_map(a));
    else if (view && str_find_nocase(request_query(r, "$expand") ?: "", "instanceView"))
        value_set(a, value_get(shown, "properties"), "instanceView", view);
    if (!view_only)
        answer_json(a, out, 200, shown);
}

static void begin_on_vm(struct sim *s, const struct sim_request *r, struct sim_answer *out, const char *id,
                        const char *kind, const char *action)
{
    const struct value *v;
    const char *operation;

    if (!require_rbac(s, r, out, id, action))
        return;
    v = resource_find(s, id);
    if (!v && str_eq(kind, "vm-delete")) {
        answer_empty(out, 204);
        return;
    }
    if (!v) {
        arm_not_found(s, r, out, id);
        return;
    }
    operation =
        operation_new(s, kind, id, s->now_ms + behaviour_ms(s, "operationDuration", 20 * SECOND_MS), NULL, NULL);
    answer_empty(out, 202);
    compute_accepted(s, r, out, value_str_at(v, "location"), "operations", operation);
    answer_header(r->arena, out, "Retry-After", "%d", 10);
    answer_header(r->arena, out, "azure-asyncnotification", "Enabled");
}

static void answer_machines(struct sim *s, const struct sim_request *r, struct sim_answer *out, size_t behind,
                            const char *id)
{
    const char *verb = request_segment(r, r->n_segments - 1);

    if (behind == 4 && request_is(r, "GET"))
        get_vm(s, r, out, id, false);
    else if (behind == 5 && request_is(r, "GET") && str_eq_nocase(verb, "instanceView"))
        get_vm(s, r, out, id, true);
    else if (behind == 5 && request_is(r, "POST") && str_eq_nocase(verb, "start"))
        begin_on_vm(s, r, out, id, "vm-start", "Microsoft.Compute/virtualMachines/start/action");
    else if (behind == 4 && request_is(r, "DELETE"))
        begin_on_vm(s, r, out, id, "vm-delete", "Microsoft.Compute/virtualMachines/delete");
    else
        arm_bad_path(r, out);
}

static bool listed_type(const char *type)
{
    static const char *const types[] = {"diskEncryptionSets", "virtualMachines", "disks"};

    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq_nocase(type, types[i]))
            return true;
    return false;
}

void arm_compute_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *what = request_segment(r, at + 2), *kind = request_segment(r, at + 4), *id = request_path(r, at + 4);
    bool get = request_is(r, "GET");

    if (get && str_eq_nocase(what, "locations") && behind == 6 &&
        (str_eq_nocase(kind, "DiskOperations") || str_eq_nocase(kind, "operations")))
        answer_operation(s, r, out, str_eq_nocase(kind, "DiskOperations"), request_segment(r, at + 5));
    else if (get && behind == 3 && listed_type(what))
        answer_resources(s, r, out, request_path(r, at), arena_printf(r->arena, "Microsoft.Compute/%s", what));
    else if (str_eq_nocase(what, "diskEncryptionSets"))
        answer_sets(s, r, out, behind, id);
    else if (str_eq_nocase(what, "virtualMachines"))
        answer_machines(s, r, out, behind, id);
    else if (get && str_eq_nocase(what, "disks") && behind == 4)
        answer_resource(s, r, out, id);
    else
        arm_bad_path(r, out);
}

/* --- what a restore leaves behind --------------------------------------------------------------------------------- */

struct value *compute_create_disk(struct sim *s, const char *disk_id, const char *location, const char *des_id,
                                  const char *os_type)
{
    struct arena *a = s->arena;
    struct value *v = value_map(a), *p, *security;

    value_set_string(a, v, "name", strrchr(disk_id, '/') + 1);
    value_set_string(a, v, "id", disk_id);
    value_set_string(a, v, "type", "Microsoft.Compute/disks");
    value_set_string(a, v, "location", location);
    value_set_string(a, sub_map(a, v, "sku"), "name", "Premium_LRS");
    p = sub_map(a, v, "properties");
    value_set_string(a, p, "osType", os_type);
    value_set_string(a, p, "hyperVGeneration", "V2");
    value_set_string(a, sub_map(a, p, "creationData"), "createOption", "Restore");
    value_set_int(a, p, "diskSizeGB", 127);
    value_set_string(a, p, "uniqueId", new_guid(s));
    value_set_string(a, p, "diskState", "Unattached");
    value_set_string(a, sub_map(a, p, "encryption"), "type", "EncryptionAtRestWithPlatformKey");
    security = sub_map(a, p, "securityProfile");
    value_set_string(a, security, "securityType",
                     des_id ? "ConfidentialVM_DiskEncryptedWithCustomerKey"
                            : "ConfidentialVM_DiskEncryptedWithPlatformKey");
    value_set_string(a, security, "secureVMDiskEncryptionSetId", des_id);
    value_set_string(a, p, "timeCreated", time_format(a, s->now_ms));
    value_set_string(a, p, "provisioningState", "Succeeded");
    return resource_store(s, disk_id, v);
}

void compute_create_nic(struct sim *s, const char *nic_id, const char *location, const char *subnet_id)
{
    struct arena *a = s->arena;
    struct value *v = value_map(a), *p = sub_map(a, v, "properties"), *configuration = value_map(a);

    value_set_string(a, v, "id", nic_id);
    value_set_string(a, v, "name", strrchr(nic_id, '/') + 1);
    value_set_string(a, v, "type", "Microsoft.Network/networkInterfaces");
    value_set_string(a, v, "location", location);
    value_set_string(a, configuration, "name", "ipconfig1");
    value_set_string(a, sub_map(a, sub_map(a, configuration, "properties"), "subnet"), "id", subnet_id);
    value_push(a, value_set(a, p, "ipConfigurations", value_list(a)), configuration);
    value_set_string(a, p, "provisioningState", "Succeeded");
    resource_store(s, nic_id, v);
}

static void describe_storage(struct sim *s, struct value *p, const char *disk_id, const char *des_id,
                             const char *os_type)
{
    struct arena *a = s->arena;
    struct value *os = sub_map(a, sub_map(a, p, "storageProfile"), "osDisk"), *managed, *security;

    value_set_string(a, os, "osType", os_type);
    value_set_string(a, os, "name", strrchr(disk_id, '/') + 1);
    value_set_string(a, os, "createOption", "Attach");
    managed = sub_map(a, os, "managedDisk");
    value_set_string(a, managed, "id", disk_id);
    security = sub_map(a, managed, "securityProfile");
    value_set_string(a, security, "securityEncryptionType", "DiskWithVMGuestState");
    if (des_id)
        value_set_string(a, sub_map(a, security, "diskEncryptionSet"), "id", des_id);
    value_set(a, value_get(p, "storageProfile"), "dataDisks", value_list(a));
}

struct value *compute_create_restored_vm(struct sim *s, const char *vm_id, const char *location, const char *des_id,
                                         const char *size, const char *os_type, const char *subnet_id, bool started)
{
    struct arena *a = s->arena;
    const char *name = strrchr(vm_id, '/') + 1, *tail = new_guid(s);
    int group = (int)(str_find_nocase(vm_id, "/providers/") - vm_id);
    const char *disk_id =
        arena_printf(a, "%.*s/providers/Microsoft.Compute/disks/%s-osdisk-%.8s", group, vm_id, name, tail);
    const char *nic_id =
        arena_printf(a, "%.*s/providers/Microsoft.Network/networkInterfaces/%s-nic-%.8s", group, vm_id, name, tail);
    struct value *v = value_map(a), *p, *security, *uefi, *part;

    value_set_string(a, compute_create_disk(s, disk_id, location, des_id, os_type), "managedBy", vm_id);
    compute_create_nic(s, nic_id, location, subnet_id);
    value_set_string(a, v, "name", name);
    value_set_string(a, v, "id", vm_id);
    value_set_string(a, v, "type", "Microsoft.Compute/virtualMachines");
    value_set_string(a, v, "location", location);
    p = sub_map(a, v, "properties");
    value_set_string(a, p, "vmId", new_guid(s));
    value_set_string(a, sub_map(a, p, "hardwareProfile"), "vmSize", size);
    value_set_string(a, p, "provisioningState", "Succeeded");
    security = sub_map(a, p, "securityProfile");
    uefi = sub_map(a, security, "uefiSettings");
    value_set_bool(a, uefi, "secureBootEnabled", true);
    value_set_bool(a, uefi, "vTpmEnabled", true);
    value_set_string(a, security, "securityType", "ConfidentialVM");
    describe_storage(s, p, disk_id, des_id, os_type);
    value_push(a, value_set(a, sub_map(a, p, "networkProfile"), "networkInterfaces", value_list(a)),
               part = value_map(a));
    value_set_string(a, part, "id", nic_id);
    value_set_string(a, p, "timeCreated", time_format(a, s->now_ms));
    value_set(a, sub_map(a, p, "instanceView"), "statuses", vm_statuses(s, started ? "running" : "deallocated"));
    return resource_store(s, vm_id, v);
}
