/* Knows the built-in rules: which steps wait for an order that covers them, or for a person's approval, although no
 * Policy says so. Each names the harm. */
#include "../documents/actions.h"
#include "registry.h"

static const struct builtin rules[] = {
    {.name = "built-in/recover",
     .message = "what was soft-deleted may have been deleted on purpose",
     .action = ACTION_RECOVER},
    {.name = "built-in/enable",
     .message = "a key version may have been disabled on purpose",
     .action = ACTION_ENABLE},
    {.name = "built-in/restore-key",
     .message = "a key that is gone may have been destroyed on purpose",
     .action = ACTION_RESTORE_KEY},
    {.name = "built-in/re-point-key",
     .message = "disks in use depend on the key their disk encryption set points at",
     .action = ACTION_UPDATE, .kind = "DiskEncryptionSet", .change = "properties.activeKey.keyUrl",
     .unless_empty = "associatedResources"},
    {.name = "built-in/purge-protection",
     .message = "purge protection cannot be turned off again",
     .action = ACTION_UPDATE, .kind = "KeyVault", .other_kind = "ManagedHsm",
     .change = "properties.enablePurgeProtection"},
    {.name = "built-in/permission-model",
     .message = "changing the permission model takes effect on every grant of the vault at once",
     .action = ACTION_UPDATE, .kind = "KeyVault", .change = "properties.enableRbacAuthorization"},
    {.name = "built-in/export-again",
     .message = "a pass that named no set failed and left no key; a second one is a second failing restore",
     .action = ACTION_EXPORT_KEY, .change = "securedVMDetails.securedVMOsDiskEncryptionSetId", .named = true},
    {.name = "built-in/resume-protection",
     .message = "a stopped protection keeps its points for ever; resumed, its policy's retention applies to them again",
     .action = ACTION_UPDATE, .kind = "ProtectedVirtualMachine", .other_kind = "RestoredVirtualMachine",
     .change = "properties.protectionState", .named = true},
    {.name = "built-in/replace",
     .message = "the disks of a VM that is there are exchanged; what was written since the recovery point is gone "
                "from it",
     .action = ACTION_RESTORE_VM, .change = "properties.storageProfile.osDisk.managedDisk.id", .named = true},
    {.name = "built-in/escrow",
     .message = "who can read the container can take the key; its first backup there is somebody's decision",
     .action = ACTION_ESCROW_KEY, .change = "escrow.container", .named = true},
    {.name = "built-in/escrow-elsewhere",
     .message = "the container is not seen in a declared subscription; a backup there leaves what you declare",
     .action = ACTION_ESCROW_KEY, .change = "escrow.subscription", .named = true},
    {.name = "built-in/revives-revoked",
     .message = "what is revoked comes back with it; whoever revoked it has said that it must not",
     .action = ACTION_COUNT, .change = "key.revoked", .named = true},
    {.name = "built-in/shorten-key",
     .message = "a healthy key stops at its expiry, and every restore that needs it fails from then on",
     .action = ACTION_ENABLE, .kind = "Key", .change = "key.life", .named = true},
};

const struct rulebook all_rules = {.kinds = all_kind_names, .rules = rules, .count = COUNT(rules)};
