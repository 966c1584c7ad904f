/* Knows which restore requests Azure Backup accepts, and what its validation reports. Must not know how a job ends. */
#include "data.h"

#include <string.h>

void request_problem(const struct restore_check *c, const char *code, const char *message)
{
    struct value *v = value_map(c->a);

    value_set_string(c->a, v, "code", code);
    value_set_string(c->a, v, "message", message);
    value_set(c->a, v, "recommendations", value_list(c->a));
    value_push(c->a, c->problems, v);
}

static void invalid(const struct restore_check *c, bool bad, const char *message)
{
    if (bad)
        request_problem(c, "BMSUserErrorInvalidInput", message);
}

static const char *given(const struct restore_check *c, const char *member)
{
    const char *text = value_str(value_get(c->body, member));

    return text && *text ? text : NULL;
}

static void check_point(const struct restore_check *c)
{
    invalid(c, !str_eq(given(c, "objectType"), "IaasVMRestoreRequest"), "objectType must be IaasVMRestoreRequest.");
    invalid(c, !str_eq(given(c, "recoveryPointId"), value_str_at(c->point, "id")),
            "recoveryPointId is not the recovery point of the address.");
    invalid(c, !str_eq_nocase(given(c, "sourceResourceId"), item_source_id(c->a, c->backup)),
            "sourceResourceId is not the virtual machine that was backed up.");
    invalid(c, !region_is(given(c, "region"), c->location), "region must be the region of the vault.");
    invalid(c, value_bool_at(c->point, "softDeleted", false), "The recovery point is soft-deleted.");
    invalid(c, value_bool_at(c->backup, "protection.softDeleted", false), "The protected item is soft-deleted.");
    if (!item_tier_valid(c->point, "InstantRP") && !item_tier_valid(c->point, "IASnapshotRP") &&
        !item_tier_valid(c->point, "HardenedRP") && !item_tier_valid(c->point, "ArchivedRP"))
        request_problem(c, "UserErrorInstantRpNotFound",
                        "The recovery point's snapshot is gone and it has no valid copy in the vault.");
}

static void check_staging(const struct restore_check *c)
{
    const char *id = given(c, "storageAccountId");
    const struct value *account = id ? resource_find(c->s, id) : NULL;
    const char *sku = value_str_at(account, "sku.name");

    if (!account) {
        request_problem(c, "UserErrorBCMRestoreStorageAccountNotFound", "The staging storage account does not exist.");
        return;
    }
    invalid(c, !region_is(value_str_at(account, "location"), c->location),
            "The staging account must be in the region of the vault.");
    invalid(c,
            str_eq_nocase(value_str_at(account, "kind"), "BlobStorage") ||
                str_eq_nocase(value_str_at(account, "kind"), "BlockBlobStorage") ||
                (sku && str_ends_nocase(sku, "ZRS")),
            "Accounts of this kind or redundancy cannot be used for staging.");
}

static void check_secured(const struct restore_check *c, bool original)
{
    const struct value *secured = value_get(c->body, "securedVMDetails");
    const char *set = value_str_at(secured, "securedVMOsDiskEncryptionSetId");

    invalid(c, secured && !set, "securedVMDetails names no disk encryption set.");
    invalid(c, original && set && *set, "securedVMDetails is meant for AlternateLocation and RestoreDisks.");
    /* server-side encryption of ordinary disks is another feature. */
    invalid(c, given(c, "diskEncryptionSetId") && str_starts(item_security_type(c->backup, c->point), "ConfidentialVM"),
            "diskEncryptionSetId cannot be used for confidential virtual machines.");
}

static bool subnet_exists(const struct restore_check *c, const char *subnet_id, const char *vnet_id)
{
    const struct value *subnets = value_at(resource_find(c->s, vnet_id), "properties.subnets");

    if (!subnet_id || !vnet_id || !str_starts_nocase(subnet_id, vnet_id))
        return false;
    for (size_t i = 0; i < value_count(subnets); i++)
        if (str_eq_nocase(value_str_at(value_item(subnets, i), "name"), world_id_name(subnet_id)))
            return true;
    return resource_find(c->s, subnet_id) != NULL;
}

static void check_target(const struct restore_check *c, const char *type)
{
    const char *group = given(c, "targetResourceGroupId"), *vm = given(c, "targetVirtualMachineId");

    if (str_eq(type, "OriginalLocation")) {
        invalid(c,
                str_starts(item_security_type(c->backup, c->point), "ConfidentialVM") &&
                    knob_is(c->s, "replaceSupported", "no"),
                "The disks of confidential virtual machines cannot be replaced.");
        if (!resource_find(c->s, item_source_id(c->a, c->backup)))
            request_problem(c, "UserErrorVmNotFoundV2",
                            "The virtual machine whose disks were to be replaced does not exist.");
        return;
    }
    invalid(c, group && !resource_find(c->s, group), "The target resource group does not exist.");
    /* Disks of ordinary machines may stay in the staging account; a confidential one's are managed disks. */
    invalid(c,
            !group && (str_eq(type, "AlternateLocation") ||
                       str_starts(item_security_type(c->backup, c->point), "ConfidentialVM")),
            "A target resource group is needed.");
    if (!str_eq(type, "AlternateLocation"))
        return;
    invalid(c, !vm || !group || !str_starts_nocase(vm, group),
            "targetVirtualMachineId must lie in the target resource group.");
    invalid(c, vm && resource_find(c->s, vm), "A virtual machine of the target's name exists.");
    invalid(c, !subnet_exists(c, given(c, "subnetId"), given(c, "virtualNetworkId")),
            "The subnet or its virtual network does not exist.");
}

void request_check(const struct restore_check *c)
{
    const char *type = given(c, "recoveryType");
    bool known = str_eq(type, "AlternateLocation") || str_eq(type, "OriginalLocation") || str_eq(type, "RestoreDisks");

    invalid(c, !known, "recoveryType must be AlternateLocation, OriginalLocation or RestoreDisks.");
    check_point(c);
    check_staging(c);
    check_secured(c, str_eq(type, "OriginalLocation"));
    if (known)
        check_target(c, type);
}

/* Whether validation foresees key errors is not known: by default it does not (behaviour.validateSeesKeys). */
void request_check_keys(const struct restore_check *c)
{
    const char *set = value_str_at(c->body, "securedVMDetails.securedVMOsDiskEncryptionSetId"),
               *group = given(c, "targetResourceGroupId");
    const struct restore_wish wish = {.backup = c->backup,
                                      .point = c->point,
                                      .type = given(c, "recoveryType"),
                                      .set = set,
                                      .location = c->location,
                                      .subscription = world_id_part(c->a, group, "/subscriptions/")};
    struct restore_facts facts;
    struct restore_outcome outcome;

    if (set && *set && !resource_find(c->s, set)) {
        request_problem(c, "UserErrorDiskEncryptionSetDoesNotExist",
                        "The disk encryption set of the request does not exist.");
        return;
    }
    if (knob_is(c->s, "validateSeesKeys", "no"))
        return;
    rules_gather(c->s, &wish, &facts);
    rules_decide(&facts, &outcome);
    if (outcome.code)
        request_problem(c, outcome.code, "The restore would fail for its key or disk encryption set.");
}
