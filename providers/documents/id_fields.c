/* Knows which type of resource each field takes an ARM id of. Must not ask Azure whether it is there. */
#include "id_fields.h"

#include <string.h>

#include "../../reconciler/base/text.h"
#include "../azure/arm.h"
#include "names.h"
#include "one_cloud.h"

#define VAULT "Microsoft.KeyVault/vaults"
#define HSM "Microsoft.KeyVault/managedHSMs"
#define BACKUP_VAULT "Microsoft.RecoveryServices/vaults"

/* By the last name of a field's path: it means the same in every kind, but for a vault. */
static const struct field {
    const char *kind, *field, *type, *or_type;
} fields[] = {
    {NULL, "subnet", "Microsoft.Network/virtualNetworks/subnets", NULL},
    {NULL, "stagingAccount", "Microsoft.Storage/storageAccounts", NULL},
    {NULL, "diskEncryptionSet", "Microsoft.Compute/diskEncryptionSets", NULL},
    {NULL, "userAssigned", "Microsoft.ManagedIdentity/userAssignedIdentities", NULL},
    {NULL, "store", VAULT, HSM},
    {NULL, "hsm", HSM, NULL},
    {NULL, "policy", BACKUP_VAULT "/backupPolicies", NULL},
    {"KeyVaultAccessPolicy", "vault", VAULT, NULL},
    {"ProtectedVirtualMachine", "vault", BACKUP_VAULT, NULL},
    {"RestoredVirtualMachine", "vault", BACKUP_VAULT, NULL},
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

/* ".../providers/Microsoft.Network/virtualNetworks/NAME/subnets/NAME" */
static const char *form_of(struct arena *a, const char *type)
{
    const char *form = arena_printf(a, ".../providers/%.*s", (int)strcspn(type, "/"), type);

    for (const char *at = strchr(type, '/'); at; at = strchr(at + 1, '/'))
        form = arena_printf(a, "%s/%.*s/NAME", form, (int)strcspn(at + 1, "/"), at + 1);
    return form;
}

static void check_type(const struct field *f, const char *path, const char *id, const struct origin *origin,
                       struct diags *faults)
{
    struct arena *a = faults->arena;
    const char *have = type_of(a, id);

    if (str_eq_nocase(have, f->type) || (f->or_type && str_eq_nocase(have, f->or_type)))
        return;
    diags_add(faults, SEVERITY_ERROR, origin,
              arena_printf(a, "write it like %s%s%s", form_of(a, f->type), f->or_type ? " or " : "",
                           f->or_type ? form_of(a, f->or_type) : ""),
              "%s is the id of %s%s, and one of %s%s%s is expected", path,
              *have ? "a " : "a resource group or subscription", have, f->type, f->or_type ? " or " : "",
              f->or_type ? f->or_type : "");
}

static void check_id(const struct document *doc, const char *field, const char *path, const char *id,
                     const struct origin *origin, struct diags *faults)
{
    size_t before = faults->n_errors;

    for (size_t i = 0; i < COUNT(fields); i++)
        if (str_eq(fields[i].field, field) && (!fields[i].kind || str_eq(fields[i].kind, doc->kind)))
            check_type(&fields[i], path, id, origin, faults);
    /* Of the id of something else the names matter to nobody. */
    if (faults->n_errors == before)
        names_check_id(path, id, origin, faults);
}

/* A field that takes a name or an ARM id as a plain string. */
static void check_text(const struct document *doc, const char *path, struct diags *faults)
{
    const struct value *v = value_at(doc->root, path);
    const char *id = value_str(v);

    if (id && id[0] == '/')
        check_id(doc, strrchr(path, '.') + 1, path, id, value_origin(v), faults);
}

void id_fields_check(const struct document *doc, struct diags *faults)
{
    const struct value *assigned = value_at(doc->spec, "identity.userAssigned");

    one_cloud_check(doc, faults);
    for (size_t i = 0; i < doc->n_references; i++) {
        const struct reference *ref = &doc->references[i];
        const char *dot = strrchr(ref->path, '.');

        if (ref->id)
            check_id(doc, dot ? dot + 1 : ref->path, ref->path, ref->id, &ref->origin, faults);
    }
    for (size_t i = 0; i < value_count(assigned); i++)
        check_id(doc, "userAssigned", arena_printf(faults->arena, "spec.identity.userAssigned.%zu", i),
                 value_str(value_item(assigned, i)), value_origin(value_item(assigned, i)), faults);
    if (str_eq(doc->kind, "RoleAssignment"))
        check_text(doc, "spec.scope", faults);
    if (str_eq(doc->kind, "ProtectedVirtualMachine"))
        check_text(doc, "spec.policy", faults);
    if (str_eq(doc->kind, "RestoredVirtualMachine"))
        check_text(doc, "spec.protect.policy", faults);
}
