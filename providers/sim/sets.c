/* Knows disk encryption sets: what a set demands of its key and of its identities, how one is made and changed, who
 * uses it. Must not know machines or backups. */
#include "data.h"

#include <stdio.h>
#include <string.h>

static const char set_type[] = "Microsoft.Compute/diskEncryptionSets",
                  cvm_type[] = "ConfidentialVmEncryptedWithCustomerKey";

/* --- what a set may do with its key ------------------------------------------------------------------------------- */

const char *compute_problem(char *ret_text, size_t room, const char *code, const char *text, const char *about)
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
        return compute_problem(ret_text, room, "InvalidParameter", "the key's address cannot be understood", url);
    if (!vault_by_name(s, *ret_store))
        return compute_problem(ret_text, room, "KeyVaultKeyNotFound", "the key's vault does not exist", url);
    key = key_find(s, *ret_store, *ret_name);
    found = key && str_eq(value_str_at(key, "state") ?: "active", "active") ? key_version(key, version) : NULL;
    if (!found)
        return compute_problem(ret_text, room, "KeyVaultKeyNotFound", "the key or its version does not exist", url);
    if (!value_bool_at(found, "enabled", true))
        return compute_problem(ret_text, room, "KeyVaultKeyDisabled", "the key version is disabled", url);
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

/* A key does no more than its key_ops permit, whoever asks: Key Vault refuses the operation itself. */
static bool key_permits(struct sim *s, const char *store, const char *name, const char *operation)
{
    const struct value *ops = value_get(key_find(s, store, name), "keyOps");

    for (size_t i = 0; i < value_count(ops); i++)
        if (str_eq_nocase(value_str(value_item(ops, i)), operation))
            return true;
    return !value_is(ops, VALUE_LIST);
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
    for (size_t i = 1; i < COUNT(needed); i++)
        if (!key_permits(s, store, name, needed[i])) {
            snprintf(ret_text, room, "Operation %s is not permitted on this key: %s", needed[i], url);
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
        return compute_problem(ret_text, room, "KeyVaultAccessForbidden", "the key cannot be released to the machine",
                               url);
    if (knob_is(s, "releasePolicyRegion", "enforced") &&
        !key_releases_in(s, store, name, value_str_at(des, "location")))
        return compute_problem(ret_text, room, "KeyVaultAccessForbidden",
                               "the key's release policy does not name this region", url);
    return NULL;
}

/* --- disk encryption sets ----------------------------------------------------------------------------------------- */

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
                      : !str_eq_nocase(region_name(a, value_str_at(vault, "location")), region_name(a, location)))
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
    if (old && !str_eq_nocase(region_name(a, value_str_at(old, "location")), region_name(a, location))) {
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
    p = value_is(value_get(v, "properties"), VALUE_MAP) ? value_get(v, "properties")
                                                        : value_set_map(a, v, "properties");
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
        p = value_set_map(a, v, "properties");

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
    const char *operation = operation_to_end(s, "set", id, wanted);

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
    struct value *items = value_list(r->arena);

    if (!require_rbac(s, r, out, id, "Microsoft.Compute/diskEncryptionSets/associatedResources/read"))
        return;
    if (!resource_find(s, id)) {
        arm_not_found(s, r, out, id);
        return;
    }
    for (const struct index_entry *e = resource_users(s, id); e; e = e->next)
        value_push(r->arena, items, value_string(r->arena, value_str_at(e->thing, "id")));
    arm_page(s, r, out, items);
}

void sets_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out, size_t behind, const char *id)
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
