/* Knows which type of resource each field takes an ARM id of. Must not ask Azure whether it is there. */
#include "id_fields.h"

#include <string.h>

#include "../../reconciler/base/text.h"
#include "../azure/arm.h"
#include "names.h"
#include "one_cloud.h"

/* By the last name of a field's path: it means the same in every kind. */
static const struct {
    const char *field, *type, *form;
} fields[] = {
    {"subnet", "Microsoft.Network/virtualNetworks/subnets",
     ".../providers/Microsoft.Network/virtualNetworks/NAME/subnets/NAME"},
    {"stagingAccount", "Microsoft.Storage/storageAccounts", ".../providers/Microsoft.Storage/storageAccounts/NAME"},
    {"diskEncryptionSet", "Microsoft.Compute/diskEncryptionSets",
     ".../providers/Microsoft.Compute/diskEncryptionSets/NAME"},
    {"userAssigned", "Microsoft.ManagedIdentity/userAssignedIdentities",
     ".../providers/Microsoft.ManagedIdentity/userAssignedIdentities/NAME"},
};

/* "Microsoft.Network/virtualNetworks/subnets" of an id; "" for one of a group or subscription. */
static const char *type_of(struct arena *a, const char *id)
{
    const char *providers = NULL, *type = "";

    for (const char *p = str_find_nocase(id, "/providers/"); p; p = str_find_nocase(p + 1, "/providers/"))
        providers = p + strlen("/providers/");
    /* The namespace, then types and names in turn. */
    for (size_t i = 0; providers && *providers; i++) {
        size_t n = strcspn(providers, "/");

        if (i == 0 || i % 2 == 1)
            type = arena_printf(a, "%s%s%.*s", type, i ? "/" : "", (int)n, providers);
        providers += n + (providers[n] == '/');
    }
    return type;
}

static void check_id(const char *field, const char *path, const char *id, const struct origin *origin,
                     struct diags *faults)
{
    for (size_t i = 0; i < COUNT(fields); i++) {
        const char *have;

        if (!str_eq(fields[i].field, field))
            continue;
        have = type_of(faults->arena, id);
        if (!str_eq_nocase(have, fields[i].type))
            diags_add(faults, SEVERITY_ERROR, origin, arena_printf(faults->arena, "write it like %s", fields[i].form),
                      "%s is the id of %s%s, and one of %s is expected", path,
                      *have ? "a " : "a resource group or subscription", have, fields[i].type);
        else if (str_eq(field, "stagingAccount"))
            names_check_account(path, id, origin, faults);
    }
}

void id_fields_check(const struct document *doc, struct diags *faults)
{
    const struct value *assigned = value_at(doc->spec, "identity.userAssigned");

    one_cloud_check(doc, faults);
    for (size_t i = 0; i < doc->n_references; i++) {
        const struct reference *ref = &doc->references[i];
        const char *dot = strrchr(ref->path, '.');

        if (ref->id)
            check_id(dot ? dot + 1 : ref->path, ref->path, ref->id, &ref->origin, faults);
    }
    for (size_t i = 0; i < value_count(assigned); i++)
        check_id("userAssigned", arena_printf(faults->arena, "spec.identity.userAssigned.%zu", i),
                 value_str(value_item(assigned, i)), &value_item(assigned, i)->origin, faults);
}
