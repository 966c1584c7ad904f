/* The table of every kind. The order matters: a kind refers only to kinds before it. */
#include "registry.h"

#include "../documents/expected.h"
#include "../documents/things.h"
#include "../restore/conclude.h"

extern const struct kind azure_kind, policy_kind, recovery_services_vault_kind, key_vault_kind, managed_hsm_kind,
    protected_vm_kind, key_kind, disk_encryption_set_kind, key_access_kind, key_vault_access_policy_kind,
    role_assignment_kind, managed_hsm_role_assignment_kind, restored_vm_kind, activation_kind;

static const struct kind *const items[] = {
    &azure_kind,
    &policy_kind,
    &recovery_services_vault_kind,
    &key_vault_kind,
    &managed_hsm_kind,
    &protected_vm_kind,
    &key_kind,
    &disk_encryption_set_kind,
    &key_access_kind,
    &key_vault_access_policy_kind,
    &role_assignment_kind,
    &managed_hsm_role_assignment_kind,
    &restored_vm_kind,
    &activation_kind,
};

const struct kinds all_kinds = {
    .items = items, .count = COUNT(items), .conclude = conclude_look, .look = look_expected};

const char *const all_kind_names[] = {
    "Azure",
    "Policy",
    "RecoveryServicesVault",
    "KeyVault",
    "ManagedHsm",
    "ProtectedVirtualMachine",
    "Key",
    "DiskEncryptionSet",
    "KeyAccess",
    "KeyVaultAccessPolicy",
    "RoleAssignment",
    "ManagedHsmRoleAssignment",
    "RestoredVirtualMachine",
    "Activation",
    NULL,
};

const struct naming all_naming = {
    .kinds = all_kind_names, .stands_for = thing_declared, .speaks_of = things_spoken_of,
    .part_of = thing_part_of, .fit = thing_fit};
