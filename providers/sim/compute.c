/* Knows the compute provider's long operations, its virtual machines and when a confidential one starts. Must not know
 * backups. */
#include "data.h"
#include <string.h>

static const char set_id_path[] = "properties.storageProfile.osDisk.managedDisk.securityProfile.diskEncryptionSet.id";

/* --- operations --------------------------------------------------------------------------------------------------- */

/* Compute writes operation times with the offset of wherever it runs. */
static const char *offset_time(struct arena *a, const char *utc)
{
    char *s = time_format(a, time_parse(utc) + 5 * HOUR_MS + 30 * MINUTE_MS);

    s[strcspn(s, "Z")] = '\0';
    return arena_printf(a, "%s+05:30", s);
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
        value_set(a, value_set_map(a, body, "properties"), "output", resource_show(s, a, output));
    if (!running && value_get(op, "error"))
        value_set(a, body, "error", value_copy(a, value_get(op, "error")));
    value_set_string(a, body, "name", id);
    answer_json(a, out, 200, body);
}

/* --- time goes by ------------------------------------------------------------------------------------------------- */

static const char *boot_problem(struct sim *s, const struct value *vm, char *ret_text, size_t room)
{
    const char *set_id = value_str_at(vm, set_id_path);
    const struct value *des = set_id ? resource_find(s, set_id) : NULL;

    if (!set_id)
        return NULL;
    if (!des)
        return compute_problem(ret_text, room, "DiskEncryptionSetNotFound", "the disk encryption set does not exist",
                               set_id);
    return compute_boot_problem(s, des, ret_text, room);
}

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

/* Others are over when their time is; nothing becomes of them. */
static bool ends_in_something(const struct value *op)
{
    const char *kind = value_str_at(op, "kind");

    return str_eq(kind, "set") || str_eq(kind, "vm-start") || str_eq(kind, "vm-delete");
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
    }
    value_set_string(s->arena, op, "status", value_get(op, "error") ? "Failed" : "Succeeded");
    state_changed(s);
}

void compute_advance(struct sim *s)
{
    struct value *all = state_list(s, "operations");

    if (s->now_ms < s->operations_due_ms)
        return;
    s->operations_due_ms = INT64_MAX;
    for (size_t i = 0; i < value_count(all); i++) {
        struct value *op = value_item(all, i);
        int64_t ends;

        if (!ends_in_something(op) || !str_eq(value_str_at(op, "status"), "InProgress"))
            continue;
        ends = time_parse(value_str_at(op, "ends"));
        if (ends != TIME_NONE && ends <= s->now_ms)
            operation_end(s, op);
        else if (ends != TIME_NONE)
            state_due(&s->operations_due_ms, ends);
    }
    operations_forget(s);
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
    operation = operation_to_end(s, kind, id, NULL);
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
        sets_answer(s, r, out, behind, id);
    else if (str_eq_nocase(what, "virtualMachines"))
        answer_machines(s, r, out, behind, id);
    else if (get && str_eq_nocase(what, "disks") && behind == 4)
        answer_resource(s, r, out, id);
    else
        arm_bad_path(r, out);
}
