/* Knows how the machines behind a vault are found and read. Must not know their keys. */
#include "looking.h"
#include "../azure/defaults.h"
#include "discover.h"

#include <stdarg.h>

#include "../azure/backup.h"
#include "../azure/key_id.h"
#include "../azure/resource_graph.h"
#include "../azure/vault.h"
#include "../documents/common.h"
#include "found.h"
#include "../access/grant.h"
#include "../access/set_identity.h"

/* --- machines ----------------------------------------------------------------------------------------------------- */

/* The newest confidential point tells how the disk is encrypted. */
static int look_points(struct call *c, const struct looking *l, struct value *machine, struct err *err)
{
    const struct value *list;
    int64_t newest = INT64_MIN;

    if (backup_list_points(l->az, c, l->a, value_str_at(machine, "itemId"), &list, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        found_note(l->a, l->found, value_str_at(machine, "name"), "its recovery points cannot be read: %s", err->text);
        return 0;
    }
    value_set_int(l->a, machine, "points", (int64_t)value_count(list));
    for (size_t i = 0; i < value_count(list); i++) {
        struct backup_point p;

        backup_read_point(l->a, value_item(list, i), &p);
        if (!p.confidential || p.time_ms < newest)
            continue;
        newest = p.time_ms;
        value_set_string(l->a, machine, "encryption",
                         p.key == POINT_KEY_CUSTOMER   ? "customer-key"
                         : p.key == POINT_KEY_PLATFORM ? "platform-key"
                                                       : "unknown");
    }
    return 0;
}

/* A disk is asked for its set when the VM does not name one. */
static int look_disk(struct call *c, const struct looking *l, struct value *machine, const char *disk, struct err *err)
{
    struct value *live;

    if (!disk || value_str_at(machine, "des"))
        return 0;
    if (arm_get(l->az, c, l->a, disk, API_DISK, &live, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    value_set_string(l->a, machine, "des",
                     value_str_at(live, "properties.securityProfile.secureVMDiskEncryptionSetId"));
    return 0;
}

static int look_source(struct call *c, const struct looking *l, struct value *machine, struct err *err)
{
    static const char os_disk[] = "properties.storageProfile.osDisk.managedDisk";
    struct value *live;
    const struct value *disk;

    if (arm_get(l->az, c, l->a, value_str_at(machine, "id"), API_COMPUTE, &live, err) < 0)
        return looking_failed(l, machine, "reading the VM", err);
    disk = value_at(live, os_disk);
    value_set_string(l->a, machine, "state", "present");
    value_set_string(l->a, machine, "des", value_str_at(disk, "securityProfile.diskEncryptionSet.id"));
    value_set_bool(l->a, machine, "confidential",
                   str_eq_nocase(value_str_at(live, "properties.securityProfile.securityType"), "ConfidentialVM"));
    return look_disk(c, l, machine, value_str_at(disk, "id"), err);
}

struct machine_task {
    const struct looking *l;
    struct value *machine;
    struct err err;
    bool failed;
};

static void look_machine(struct call *c, void *arg)
{
    struct machine_task *t = arg;

    t->failed = look_points(c, t->l, t->machine, &t->err) < 0 || look_source(c, t->l, t->machine, &t->err) < 0;
}

/* ARM id of the item, ARM id of the VM, or the VM's name. */
static bool item_wanted(const struct value *item, const char *vm_id, const char *wanted)
{
    return !wanted || arm_id_equal(value_str_at(item, "id"), wanted) || arm_id_equal(vm_id, wanted) ||
           str_eq_nocase(arm_id_name(vm_id), wanted);
}

/* A VM whose backup was stopped and begun anew has two items; the one that is not being deleted counts. */
static void machine_add(const struct looking *l, struct value *item, const char *vm_id)
{
    struct value *machines = value_get(l->found, "machines"), *machine = looking_found_by(machines, "id", vm_id);
    bool deleted = value_bool_at(item, "properties.isScheduledForDeferredDelete", false);

    if (machine && deleted)
        return;
    if (!machine)
        value_push(l->a, machines, machine = value_map(l->a));
    value_set_string(l->a, machine, "id", vm_id);
    value_set_string(l->a, machine, "name", arm_id_name(vm_id));
    value_set_string(l->a, machine, "itemId", value_str_at(item, "id"));
    if (value_str_at(item, "properties.policyName") && *value_str_at(item, "properties.policyName"))
        value_set_string(l->a, machine, "policy", value_str_at(item, "properties.policyName"));
    value_set_bool(l->a, machine, "softDeleted", deleted);
}

int looking_items(struct call *c, const struct looking *l, const char *vault_id, const char *wanted,
                      struct err *err)
{
    const struct value *items;

    TRY(backup_list_items(l->az, c, l->a, vault_id, &items, err));
    for (size_t i = 0; i < value_count(items); i++) {
        struct value *item = value_item(items, i);
        const char *vm = value_str_at(item, "properties.sourceResourceId");

        vm = vm ? vm : value_str_at(item, "properties.virtualMachineId");
        if (!vm || !arm_id_part(l->a, vm, "virtualMachines"))
            found_note(l->a, l->found, value_str_at(item, "name"),
                       "left out: the protected item does not say which VM it is of");
        else if (item_wanted(item, vm, wanted))
            machine_add(l, item, vm);
    }
    if (value_count(value_get(l->found, "machines")) || !wanted)
        return 0;
    err_set(err, ERR_NOT_FOUND, "vault %s protects no VM %s", arm_id_name(vault_id), wanted);
    return err_advise(
        err, "give the ARM id of the protected item or of the VM, or the VM's name; without --item all are written");
}

int looking_machines(struct call *c, const struct looking *l, struct err *err)
{
    const struct value *machines = value_get(l->found, "machines");
    size_t n = value_count(machines);
    struct machine_task *tasks = arena_array(l->a, struct machine_task, n + 1);
    struct group *g = group_new(call_sched(c), "discover");
    int rc;

    for (size_t i = 0; i < n; i++) {
        tasks[i] = (struct machine_task){.l = l, .machine = value_item(machines, i)};
        group_spawn(g, value_str_at(tasks[i].machine, "name"), look_machine, &tasks[i]);
    }
    rc = group_wait(c, g, err);
    group_free(g);
    TRY(rc);
    for (size_t i = 0; i < n; i++)
        if (tasks[i].failed) {
            *err = tasks[i].err;
            return -(int)err->class;
        }
    return 0;
}

void looking_leave_out_ordinary(const struct looking *l)
{
    struct value *machines = value_get(l->found, "machines"), *kept = value_list(l->a);

    for (size_t i = 0; i < value_count(machines); i++) {
        struct value *m = value_item(machines, i);

        if (value_str_at(m, "encryption") || value_bool_at(m, "confidential", false))
            value_push(l->a, kept, m);
        else if (value_int_at(m, "points", 0) > 0 || str_eq(value_str_at(m, "state"), "present"))
            found_note(l->a, l->found, value_str_at(m, "name"), "left out: an ordinary VM, not a confidential one");
        else {
            /* It is listed although it cannot be seen: an estate without it would look as if all were well. */
            value_push(l->a, kept, m);
            found_note(
                l->a, l->found, value_str_at(m, "name"),
                "neither a recovery point nor the VM could be seen, so nobody knows whether it is a confidential VM");
        }
    }
    value_set(l->a, l->found, "machines", kept);
}
