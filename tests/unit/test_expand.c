/* Templates: one document with a selector stands for one per protected VM that it selects. Against the real schemas. */
#include "../harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/manifest.h"
#include "../../reconciler/model/desired.h"

static const char *const kinds[] = {
    "Azure", "KeyVault", "RecoveryServicesVault", "ProtectedVirtualMachine", "Key", "DiskEncryptionSet", "KeyAccess",
    "RestoredVirtualMachine", "Activation", "Policy", NULL,
};

#define DOC(kind, metadata) "---\napiVersion: reinstate/v1\nkind: " kind "\nmetadata: " metadata "\n"
#define AZURE                                                                                                          \
    DOC("Azure", "{name: prod}")                                                                                       \
    "spec: {cloud: AzurePublic, tenant: 0f0f0f0f-0000-4000-8000-000000000001, "                                        \
    "subscription: 0f0f0f0f-0000-4000-8000-000000000002, location: uaenorth}\n"
#define VAULT DOC("RecoveryServicesVault", "{name: rsv}") "spec: {resourceGroup: rg}\n"
#define PVM(name, vm, labels)                                                                                          \
    DOC("ProtectedVirtualMachine", "{name: " name ", labels: " labels "}")                                             \
    "spec: {vault: rsv, source: {resourceGroup: rg-" name ", name: " vm "}}\n"
#define TWO                                                                                                            \
    AZURE VAULT PVM("pay-1", "vm1", "{app: payroll, tier: a}") PVM("pay-2", "vm2", "{app: payroll, tier: b}")          \
        PVM("crm-1", "vm3", "{app: crm}")
#define IN_RG "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg/providers/"
#define SUBNET "{id: " IN_RG "Microsoft.Network/virtualNetworks/v/subnets/s}"
#define ACCOUNT "{id: " IN_RG "Microsoft.Storage/storageAccounts/st}"
#define TEMPLATE(name, selector, target)                                                                               \
    DOC("RestoredVirtualMachine", "{name: '" name "', labels: {tier: dr}}")                                            \
    "spec:\n  from: {selector: " selector "}\n"                                                                        \
    "  target: {resourceGroup: rg-dr, name: '" target "', subnet: " SUBNET ", stagingAccount: " ACCOUNT "}\n"

struct fixture {
    struct arena *arena;
    struct schemas *schemas;
    struct diags diags;
    const struct desired *desired;
};

static void begin(struct fixture *f, const char *yaml)
{
    struct value *docs;
    struct err err;

    *f = (struct fixture){.arena = arena_new()};
    diags_init(&f->diags, f->arena);
    docs = value_list(f->arena);
    CHECK_ROW(err.text, schemas_new(schema_files, &f->schemas, &err) == 0);
    manifest_read(f->arena, "m.yaml", yaml, strlen(yaml), &manifest_default_limits, docs, &f->diags);
    CHECK_ROW(yaml, f->diags.count == 0);
    f->desired = desired_resolve(f->arena, f->schemas, &(struct naming){.kinds = kinds}, docs, &f->diags);
}

static void end(struct fixture *f)
{
    schemas_free(f->schemas);
    arena_free(f->arena);
}

static const struct {
    const char *reason, *yaml, *says;
} fault_rows[] = {
    {"one per VM selected", TWO TEMPLATE("{name}-r", "{app: payroll}", "{spec.source.name}-r"), NULL},
    {"two labels", TWO TEMPLATE("{name}-r", "{app: payroll, tier: b}", "{name}-r"), NULL},
    {"a label misspelt", TWO TEMPLATE("{name}-r", "{app: payrol}", "{name}-r"),
     "m.yaml:31:20: spec.from.selector selects no ProtectedVirtualMachine; did you mean app: payroll?"},
    {"a label nobody has", TWO TEMPLATE("{name}-r", "{owner: me}", "{name}-r"),
     "spec.from.selector selects no ProtectedVirtualMachine; labels stand under metadata.labels"},
    {"a name for all", TWO TEMPLATE("all-r", "{app: payroll}", "{name}-r"),
     "m.yaml:29:18: metadata.name has no placeholder: every document that the selector stands for would have the same "
     "name"},
    {"a name that two get", TWO TEMPLATE("{metadata.labels.app}-r", "{app: payroll}", "{name}-r"),
     "m.yaml:29:18: the selector gives two documents the name payroll-r; let the name hold {name}"},
    {"a name that is declared besides",
     TWO TEMPLATE("{name}-r", "{app: crm}", "{name}-r") TEMPLATE("{name}-r", "{app: crm}", "x-{name}"),
     "RestoredVirtualMachine/crm-1-r is declared twice: first at m.yaml:27:1"},
    {"a placeholder for nothing", TWO TEMPLATE("{name}-r", "{app: payroll}", "{vm}-r"),
     "m.yaml:32:40: \"{vm}-r\": ProtectedVirtualMachine/pay-1 has nothing to put in place of {vm}; write {name}"},
    {"a placeholder left open", TWO TEMPLATE("{name}-r", "{app: payroll}", "{name"),
     "has nothing to put in place of {name"},
    {"a path that is no text", TWO TEMPLATE("{name}-r", "{app: payroll}", "{spec.source}-r"),
     "has nothing to put in place of {spec.source}"},
    {"a selector that chooses all", TWO TEMPLATE("{name}-r", "{}", "{name}-r"),
     "m.yaml:31:20: spec.from.selector is no map of labels; write the labels to choose by"},
    {"a selector that is a text", TWO TEMPLATE("{name}-r", "app=payroll", "{name}-r"),
     "spec.from.selector is no map of labels"},
    {"what comes out is checked", TWO TEMPLATE("{name}-r", "{app: payroll}", ""), "spec.target.name"},
    {"other fields do not select",
     AZURE VAULT DOC("ProtectedVirtualMachine",
                     "{name: p}") "spec: {vault: {selector: {app: x}}, source: {resourceGroup: rg, name: vm}}\n",
     "spec.vault"},
};

static void check_faults(void)
{
    for (size_t i = 0; i < COUNT(fault_rows); i++) {
        struct fixture f;
        const char *got;

        begin(&f, fault_rows[i].yaml);
        CHECK_ROW(fault_rows[i].reason, (f.diags.n_errors > 0) == (fault_rows[i].says != NULL));
        got = f.diags.count ? diag_format(f.arena, &f.diags.items[0]) : "";
        if (fault_rows[i].says && !strstr(got, fault_rows[i].says))
            fprintf(stderr, "got: %s\n", got);
        CHECK_ROW(fault_rows[i].reason, !fault_rows[i].says || strstr(got, fault_rows[i].says) != NULL);
        /* Told once, not once for each VM. */
        CHECK_ROW(fault_rows[i].reason, f.diags.n_errors <= 2);
        end(&f);
    }
}

static void check_documents(void)
{
    struct fixture f;
    const struct document *one, *two;

    begin(&f, TWO TEMPLATE("{name}-r", "{app: payroll}", "{spec.source.name}-r") DOC("Activation", "{name: a}")
          "spec: {restores: [{virtualMachine: pay-2-r, recoveryPoint: '1'}], notBefore: 2026-11-23T02:00:00Z, "
          "notAfter: 2026-11-25T02:00:00Z, purpose: drill, incident: I-1}\n");
    for (size_t i = 0; i < f.diags.count; i++)
        CHECK_ROW(diag_format(f.arena, &f.diags.items[i]), false);
    one = desired_find(f.desired, "RestoredVirtualMachine", "pay-1-r");
    two = desired_find(f.desired, "RestoredVirtualMachine", "pay-2-r");
    CHECK(one && two && !desired_find(f.desired, "RestoredVirtualMachine", "crm-1-r"));
    if (!one || !two)
        return;
    CHECK_STR(document_target(one, "spec.from")->address, "ProtectedVirtualMachine/pay-1");
    CHECK_STR(value_str_at(one->spec, "target.name"), "vm1-r");
    CHECK_STR(value_str_at(two->spec, "target.name"), "vm2-r");
    CHECK_STR(value_str_at(one->spec, "target.resourceGroup"), "rg-dr");
    CHECK(one->origin.line == two->origin.line && one->origin.line > 0);
    /* Its own label stays, the others are taken over. */
    CHECK_STR(value_str_at(one->labels, "app"), "payroll");
    CHECK_STR(value_str_at(one->labels, "tier"), "dr");
    CHECK(document_target(desired_find(f.desired, "Activation", "a"), "spec.restores.0.virtualMachine") == two);
    /* What was resolved can be resolved again. */
    CHECK(value_count(f.desired->raw) == f.desired->count);
    end(&f);
}

int main(void)
{
    check_faults();
    check_documents();
    HARNESS_END();
}
