/* Knows managed HSMs as resources: what of them can be changed, soft delete, recovery. A new one is not activated:
 * nobody has downloaded its security domain. Must not know keys, nor local roles. */
#include "data.h"

#include <string.h>

static const char hsm_type[] = "Microsoft.KeyVault/managedHSMs";
enum { PROVISION_MS = 90 * SECOND_MS };

struct exchange {
    struct sim *s;
    const struct sim_request *r;
    struct sim_answer *out;
    struct arena *a;
    const char *id, *name;
};

static void refuse(const struct exchange *x, int status, const char *code, const char *message)
{
    answer_arm_error(x->a, x->out, status, false, code, "%s", message);
}

/* Deleted ones stand in one list with deleted vaults. */
static size_t find_deleted(const struct exchange *x)
{
    struct value *all = state_list(x->s, "deletedVaults");

    for (size_t i = 0; i < value_count(all); i++)
        if (hsm_is(value_item(all, i)) &&
            str_eq_nocase(world_id_name(value_str_at(value_item(all, i), "id")), x->name) &&
            !str_eq(value_str_at(value_item(all, i), "state"), "purged"))
            return i;
    return SIZE_MAX;
}

static bool name_taken(const struct exchange *x)
{
    struct value *v;

    for (size_t at = 0; (v = resource_next(x->s, "", hsm_type, &at)) != NULL;)
        if (str_eq_nocase(value_str_at(v, "name"), x->name))
            return true;
    return find_deleted(x) != SIZE_MAX;
}

/* What is wrong with the wanted properties, or NULL. */
static const char *refusal(const struct value *old, const struct value *wanted)
{
    const struct value *purge = value_get(wanted, "enablePurgeProtection"),
                       *days = value_get(wanted, "softDeleteRetentionInDays");
    const struct value *was = value_get(old, "properties");

    if (value_is(purge, VALUE_BOOL) && !purge->b && value_bool_at(was, "enablePurgeProtection", false))
        return "The property \"enablePurgeProtection\" cannot be set to false once it is enabled.";
    if (days && was &&
        value_int_at(wanted, "softDeleteRetentionInDays", 90) != value_int_at(was, "softDeleteRetentionInDays", 90))
        return "The property \"softDeleteRetentionInDays\" has been set already and it can't be modified.";
    return NULL;
}

static void take(struct sim *s, struct value *properties, const struct value *wanted)
{
    for (size_t i = 0; i < value_count(wanted); i++) {
        const struct member *m = &wanted->map.members[i];

        if (!str_eq(m->key, "createMode") && !value_is(m->value, VALUE_NULL))
            value_set(s->arena, properties, m->key, value_copy(s->arena, m->value));
    }
}

static void answer_it(const struct exchange *x, const struct value *v)
{
    answer_json(x->a, x->out, 200, resource_show(x->s, x->a, v));
}

/* Its provisioning takes a while, shown by its state alone. */
static void begin(const struct exchange *x, struct value *v)
{
    value_set_string(x->a, v, "registeredAt", time_format(x->a, x->s->now_ms + PROVISION_MS));
    value_set_string(x->a, value_get(v, "properties"), "provisioningState", "Provisioning");
    answer_it(x, resource_store(x->s, x->id, v));
}

static void create(const struct exchange *x)
{
    const struct value *wanted = value_get(x->r->json, "properties");
    struct value *v = value_map(x->a), *p = value_map(x->a), *domain = value_map(x->a);

    if (!value_str_at(x->r->json, "location") || !value_get(x->r->json, "sku") || !value_str_at(wanted, "tenantId") ||
        !value_count(value_get(wanted, "initialAdminObjectIds"))) {
        refuse(x, 400, "BadRequest",
               "A managed HSM needs location, sku, properties.tenantId and properties.initialAdminObjectIds.");
        return;
    }
    value_set_string(x->a, v, "id", x->id);
    value_set_string(x->a, v, "name", x->name);
    value_set_string(x->a, v, "type", hsm_type);
    value_set_string(x->a, v, "location", value_str_at(x->r->json, "location"));
    value_set(x->a, v, "sku", value_copy(x->a, value_get(x->r->json, "sku")));
    value_set(x->a, v, "properties", p);
    take(x->s, p, wanted);
    value_set_string(x->a, domain, "activationStatus", "NotActivated");
    value_set_string(x->a, domain, "activationStatusMessage",
                     "The managed HSM waits for its security domain to be downloaded or uploaded.");
    value_set(x->a, p, "securityDomainProperties", domain);
    hsm_complete(x->s, v);
    for (size_t i = 0; i < value_count(value_get(wanted, "initialAdminObjectIds")); i++) {
        struct value *admin = value_map(x->a);

        value_set_string(x->a, admin, "store", x->name);
        value_set_string(x->a, admin, "principal",
                         value_str(value_item(value_get(wanted, "initialAdminObjectIds"), i)));
        value_set_string(x->a, admin, "role", HSM_ADMINISTRATOR);
        value_set_string(x->a, admin, "scope", "/");
        value_set_string(x->a, admin, "name", new_guid(x->s));
        state_push(x->s, "hsmRoleAssignments", admin);
    }
    begin(x, v);
}

/* With it come back its keys and its activation. */
static void recover(const struct exchange *x, size_t at)
{
    struct value *all = state_list(x->s, "deletedVaults"), *gone = value_item(all, at);
    struct value *v = value_copy(x->a, value_get(gone, "resource") ? value_get(gone, "resource") : gone);

    if (!str_eq_nocase(value_str_at(gone, "id"), x->id) ||
        !deleted_lies_in(gone, value_str_at(x->r->json, "location"))) {
        refuse(x, 409, "ConflictError", "The deleted managed HSM belongs to another group, region or subscription.");
        return;
    }
    value_set_string(x->a, v, "name", x->name);
    value_set_string(x->a, v, "type", hsm_type);
    value_remove(v, "deletionDate");
    value_remove(v, "scheduledPurgeDate");
    value_remove(v, "state");
    if (!value_get(v, "properties"))
        value_set(x->a, v, "properties", value_map(x->a));
    hsm_complete(x->s, v);
    list_remove(all, at);
    store_grants_after(x->s, v);
    begin(x, v);
}

static void change(const struct exchange *x, struct value *v)
{
    take(x->s, value_get(v, "properties"), value_get(x->r->json, "properties"));
    if (value_get(x->r->json, "tags"))
        value_set(x->s->arena, v, "tags", value_copy(x->s->arena, value_get(x->r->json, "tags")));
    state_changed(x->s);
    answer_it(x, v);
}

static void put(const struct exchange *x)
{
    struct value *old = resource_find(x->s, x->id);
    const struct value *wanted = value_get(x->r->json, "properties");
    bool recovering = str_eq_nocase(value_str_at(wanted, "createMode"), "recover");
    size_t deleted = find_deleted(x);

    if (!require_rbac(x->s, x->r, x->out, x->id, "Microsoft.KeyVault/managedHSMs/write"))
        return;
    if (!group_exists(x->s, request_segment(x->r, 1), request_segment(x->r, 3)))
        arm_not_found(x->s, x->r, x->out, x->id);
    else if (!x->r->json)
        answer_arm_error(x->a, x->out, 400, true, "InvalidRequestContent", "The request's body is no JSON.");
    else if (old && recovering)
        refuse(x, 409, "ConflictError", "The managed HSM is not deleted.");
    else if (recovering && deleted == SIZE_MAX)
        refuse(x, 404, "DeletedManagedHsmNotFound", "There is no deleted managed HSM of this name.");
    else if (recovering)
        recover(x, deleted);
    else if (refusal(old, wanted))
        refuse(x, 400, "BadRequest", refusal(old, wanted));
    else if (old)
        change(x, old);
    else if (name_taken(x))
        refuse(x, 409, "ManagedHsmAlreadyExists", "The name of the managed HSM is already in use.");
    else
        create(x);
}

static void patch(const struct exchange *x)
{
    struct value *old = resource_find(x->s, x->id);
    const char *problem = refusal(old, value_get(x->r->json, "properties"));

    if (!require_rbac(x->s, x->r, x->out, x->id, "Microsoft.KeyVault/managedHSMs/write"))
        return;
    if (!old)
        arm_not_found(x->s, x->r, x->out, x->id);
    else if (problem)
        refuse(x, 400, "BadRequest", problem);
    else
        change(x, old);
}

static void soft_delete(const struct exchange *x)
{
    struct value *v = resource_find(x->s, x->id), *gone = value_map(x->a);
    int64_t days = value_int_at(v, "properties.softDeleteRetentionInDays", 90);

    if (!require_rbac(x->s, x->r, x->out, x->id, "Microsoft.KeyVault/managedHSMs/delete"))
        return;
    if (!v) {
        answer_empty(x->out, 204);
        return;
    }
    value_set_string(x->a, gone, "id", x->id);
    value_set_string(x->a, gone, "location", value_str_at(v, "location"));
    value_set_string(x->a, gone, "deletionDate", time_format(x->a, x->s->now_ms));
    value_set_string(x->a, gone, "scheduledPurgeDate", time_format(x->a, x->s->now_ms + days * DAY_MS));
    value_set(x->a, gone, "resource", value_copy(x->a, v));
    state_push(x->s, "deletedVaults", gone);
    resource_remove(x->s, x->id);
    answer_empty(x->out, 200);
}

/* --- deleted ones ------------------------------------------------------------------------------------------------- */

static struct value *show_deleted(struct arena *a, const struct value *gone)
{
    const char *id = value_str_at(gone, "id"), *name = world_id_name(id), *location = value_str_at(gone, "location");
    struct value *v = value_map(a), *p = value_map(a);
    const struct value *tags = value_at(gone, "resource.tags");

    value_set_string(a, v, "id",
                     arena_printf(a,
                                  "/subscriptions/%s/providers/Microsoft.KeyVault/locations/%s/deletedManagedHSMs/%s",
                                  world_id_part(a, id, "/subscriptions/"), location ? location : "", name));
    value_set_string(a, v, "name", name);
    value_set_string(a, v, "type", "Microsoft.KeyVault/deletedManagedHSMs");
    value_set(a, v, "properties", p);
    value_set_string(a, p, "mhsmId", id);
    value_set_string(a, p, "location", location);
    value_set(a, p, "tags", tags ? value_copy(a, tags) : value_map(a));
    if (value_bool_at(gone, "resource.properties.enablePurgeProtection",
                      value_bool_at(gone, "properties.enablePurgeProtection", false)))
        value_set_bool(a, p, "purgeProtectionEnabled", true);
    value_set_string(a, p, "deletionDate", value_str_at(gone, "deletionDate"));
    value_set_string(a, p, "scheduledPurgeDate", value_str_at(gone, "scheduledPurgeDate"));
    return v;
}

static void one_deleted(const struct exchange *x)
{
    size_t at = find_deleted(x);
    const struct value *gone = at == SIZE_MAX ? NULL : value_item(state_list(x->s, "deletedVaults"), at);

    if (!require_rbac(x->s, x->r, x->out, request_path(x->r, 2),
                      "Microsoft.KeyVault/locations/deletedManagedHsms/read"))
        return;
    if (!gone || !scope_covers(request_path(x->r, 2), value_str_at(gone, "id")) ||
        !deleted_lies_in(gone, request_segment(x->r, arm_provider_at(x->r) + 3)))
        refuse(x, 404, "DeletedManagedHsmNotFound", "There is no deleted managed HSM of this name.");
    else
        answer_json(x->a, x->out, 200, show_deleted(x->a, gone));
}

static void all_deleted(const struct exchange *x)
{
    struct value *all = state_list(x->s, "deletedVaults"), *items = value_list(x->a);
    const char *scope = request_path(x->r, 2);

    if (!require_rbac(x->s, x->r, x->out, scope, "Microsoft.KeyVault/deletedManagedHsms/read"))
        return;
    for (size_t i = 0; i < value_count(all); i++)
        if (hsm_is(value_item(all, i)) && scope_covers(scope, value_str_at(value_item(all, i), "id")) &&
            !str_eq(value_str_at(value_item(all, i), "state"), "purged"))
            value_push(x->a, items, show_deleted(x->a, value_item(all, i)));
    arm_page(x->s, x->r, x->out, items);
}

bool hsm_arm_answer(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    size_t at = arm_provider_at(r), behind = r->n_segments - at;
    const char *what = request_segment(r, at + 2);
    struct exchange x = {
        .s = s, .r = r, .out = out, .a = r->arena, .id = request_path(r, at + 4), .name = request_segment(r, at + 3)};
    bool get = request_is(r, "GET"), hsms = str_eq_nocase(what, "managedHSMs");

    if (get && str_eq_nocase(what, "deletedManagedHSMs") && behind == 3) {
        all_deleted(&x);
    } else if (get && str_eq_nocase(request_segment(r, at + 4), "deletedManagedHSMs") && behind == 6) {
        x.name = request_segment(r, at + 5);
        one_deleted(&x);
    } else if (get && hsms && behind == 3) {
        answer_resources(s, r, out, request_path(r, at), hsm_type);
    } else if (get && hsms && behind == 4) {
        answer_resource(s, r, out, x.id);
    } else if (hsms && behind == 4 && request_is(r, "PUT")) {
        put(&x);
    } else if (hsms && behind == 4 && request_is(r, "PATCH")) {
        patch(&x);
    } else if (hsms && behind == 4 && request_is(r, "DELETE")) {
        soft_delete(&x);
    } else {
        return false;
    }
    return true;
}
