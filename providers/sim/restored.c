/* Knows what a finished restore leaves behind: disk, network interface, machine. Must not know jobs. */
#include "data.h"

#include <string.h>

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
    value_set_string(a, value_set_map(a, v, "sku"), "name", "Premium_LRS");
    p = value_set_map(a, v, "properties");
    value_set_string(a, p, "osType", os_type);
    value_set_string(a, p, "hyperVGeneration", "V2");
    value_set_string(a, value_set_map(a, p, "creationData"), "createOption", "Restore");
    value_set_int(a, p, "diskSizeGB", 127);
    value_set_string(a, p, "uniqueId", new_guid(s));
    value_set_string(a, p, "diskState", "Unattached");
    value_set_string(a, value_set_map(a, p, "encryption"), "type", "EncryptionAtRestWithPlatformKey");
    security = value_set_map(a, p, "securityProfile");
    value_set_string(a, security, "securityType",
                     des_id ? "ConfidentialVM_DiskEncryptedWithCustomerKey"
                            : "ConfidentialVM_DiskEncryptedWithPlatformKey");
    value_set_string(a, security, "secureVMDiskEncryptionSetId", des_id);
    value_set_string(a, p, "timeCreated", time_format(a, s->now_ms));
    value_set_string(a, p, "provisioningState", "Succeeded");
    return resource_store(s, disk_id, v);
}

/* The subnet shows whose addresses are taken. */
static void take_address(struct sim *s, const char *subnet_id, const char *configuration_id)
{
    const char *end = subnet_id ? str_find_nocase(subnet_id, "/subnets/") : NULL;
    struct value *network =
        end ? resource_find(s, arena_strndup(s->arena, subnet_id, (size_t)(end - subnet_id))) : NULL;
    struct value *subnets = value_at(network, "properties.subnets"), *one = value_map(s->arena);

    value_set_string(s->arena, one, "id", configuration_id);
    for (size_t i = 0; i < value_count(subnets); i++) {
        struct value *p = value_get(value_item(subnets, i), "properties");

        if (!p || !str_eq_nocase(value_str_at(value_item(subnets, i), "name"), world_id_name(subnet_id)))
            continue;
        if (!value_get(p, "ipConfigurations"))
            value_set(s->arena, p, "ipConfigurations", value_list(s->arena));
        value_push(s->arena, value_get(p, "ipConfigurations"), one);
        state_changed(s);
    }
}

void compute_create_nic(struct sim *s, const char *nic_id, const char *location, const char *subnet_id)
{
    struct arena *a = s->arena;
    struct value *v = value_map(a), *p = value_set_map(a, v, "properties"), *configuration = value_map(a);

    value_set_string(a, v, "id", nic_id);
    value_set_string(a, v, "name", strrchr(nic_id, '/') + 1);
    value_set_string(a, v, "type", "Microsoft.Network/networkInterfaces");
    value_set_string(a, v, "location", location);
    value_set_string(a, configuration, "name", "ipconfig1");
    value_set_string(a, value_set_map(a, value_set_map(a, configuration, "properties"), "subnet"), "id", subnet_id);
    value_push(a, value_set(a, p, "ipConfigurations", value_list(a)), configuration);
    value_set_string(a, p, "provisioningState", "Succeeded");
    resource_store(s, nic_id, v);
    take_address(s, subnet_id, arena_printf(a, "%s/ipConfigurations/ipconfig1", nic_id));
}

static void describe_storage(struct sim *s, struct value *p, const char *disk_id, const char *des_id,
                             const char *os_type)
{
    struct arena *a = s->arena;
    struct value *os = value_set_map(a, value_set_map(a, p, "storageProfile"), "osDisk"), *managed, *security;

    value_set_string(a, os, "osType", os_type);
    value_set_string(a, os, "name", strrchr(disk_id, '/') + 1);
    value_set_string(a, os, "createOption", "Attach");
    managed = value_set_map(a, os, "managedDisk");
    value_set_string(a, managed, "id", disk_id);
    security = value_set_map(a, managed, "securityProfile");
    value_set_string(a, security, "securityEncryptionType", "DiskWithVMGuestState");
    if (des_id)
        value_set_string(a, value_set_map(a, security, "diskEncryptionSet"), "id", des_id);
    value_set(a, value_get(p, "storageProfile"), "dataDisks", value_list(a));
}

struct value *compute_create_restored_vm(struct sim *s, const struct restored_machine *m)
{
    struct arena *a = s->arena;
    const char *vm_id = m->id, *location = m->location, *des_id = m->des_id, *os_type = m->os_type;
    const char *name = strrchr(vm_id, '/') + 1, *tail = new_guid(s);
    int group = (int)(str_find_nocase(vm_id, "/providers/") - vm_id);
    const char *disk_id =
        arena_printf(a, "%.*s/providers/Microsoft.Compute/disks/%s-osdisk-%.8s", group, vm_id, name, tail);
    const char *nic_id =
        arena_printf(a, "%.*s/providers/Microsoft.Network/networkInterfaces/%s-nic-%.8s", group, vm_id, name, tail);
    struct value *v = value_map(a), *p, *security, *uefi, *part;

    value_set_string(a, compute_create_disk(s, disk_id, location, des_id, os_type), "managedBy", vm_id);
    compute_create_nic(s, nic_id, location, m->subnet_id);
    value_set_string(a, v, "name", name);
    value_set_string(a, v, "id", vm_id);
    value_set_string(a, v, "type", "Microsoft.Compute/virtualMachines");
    value_set_string(a, v, "location", location);
    p = value_set_map(a, v, "properties");
    value_set_string(a, p, "vmId", new_guid(s));
    value_set_string(a, value_set_map(a, p, "hardwareProfile"), "vmSize", m->size);
    value_set_string(a, p, "provisioningState", "Succeeded");
    security = value_set_map(a, p, "securityProfile");
    uefi = value_set_map(a, security, "uefiSettings");
    value_set_bool(a, uefi, "secureBootEnabled", true);
    value_set_bool(a, uefi, "vTpmEnabled", true);
    value_set_string(a, security, "securityType", "ConfidentialVM");
    describe_storage(s, p, disk_id, des_id, os_type);
    value_push(a, value_set(a, value_set_map(a, p, "networkProfile"), "networkInterfaces", value_list(a)),
               part = value_map(a));
    value_set_string(a, part, "id", nic_id);
    value_set_string(a, p, "timeCreated", time_format(a, s->now_ms));
    value_set(a, value_set_map(a, p, "instanceView"), "statuses",
              vm_statuses(s, m->started ? "running" : "deallocated"));
    return resource_store(s, vm_id, v);
}
