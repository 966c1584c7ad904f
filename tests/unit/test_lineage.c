/* What hangs on what, what an operand of impact means, and what facts look like with a thing gone. */
#include "../../providers/forecast/impact.h"
#include "../../providers/kinds/registry.h"
#include "../../reconciler/format/manifest.h"
#include "../harness.h"

#define OLD "a1111111111111111111111111111111"
#define NEW "b2222222222222222222222222222222"
#define BASE "https://kv.vault.azure.net"
#define KEYS BASE "/keys/os/"
#define SUB "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002"
#define SET_ID SUB "/resourceGroups/rg-vm/providers/Microsoft.Compute/diskEncryptionSets/des"
#define VM_ID SUB "/resourceGroups/rg-vm/providers/Microsoft.Compute/virtualMachines/vm"
#define DISK_ID SUB "/resourceGroups/rg-vm/providers/Microsoft.Compute/disks/vm_OsDisk"
#define VAULT_ID SUB "/resourceGroups/rg-keys/providers/Microsoft.KeyVault/vaults/kv"

#define HEAD(kind, name) "---\napiVersion: reinstate/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define ESTATE(version)                                                                                                \
    HEAD("Azure", "prod")                                                                                              \
    "spec: {cloud: AzurePublic, tenant: 0f0f0f0f-0000-4000-8000-000000000001, "                                        \
    "subscription: 0f0f0f0f-0000-4000-8000-000000000002, location: uaenorth}\n"                                        \
    HEAD("KeyVault", "kv") "spec: {resourceGroup: rg-keys, permissionModel: azure-rbac, purgeProtection: true}\n"      \
    HEAD("Key", "os-key") "spec: {store: kv, keyName: os" version ", sources: [{azureBackup: {from: [vm]}}]}\n"        \
    HEAD("DiskEncryptionSet", "des") "spec: {resourceGroup: rg-vm, key: os-key, identity: {type: SystemAssigned}}\n"   \
    HEAD("RecoveryServicesVault", "rsv") "spec: {resourceGroup: rg-backup}\n"                                          \
    HEAD("ProtectedVirtualMachine", "vm") "spec: {vault: rsv, source: {resourceGroup: rg-vm, name: vm}}\n"

#define VAULT_FACTS                                                                                                    \
    "KeyVault/kv: {state: present, base: " BASE ", "                                                                   \
    "live: {properties: {enablePurgeProtection: true, softDeleteRetentionInDays: 90}}}\n"
#define KEY_FACTS                                                                                                      \
    "Key/os-key: {state: present, base: " BASE ", name: os, newest: " NEW ", live: {key: {kid: " KEYS NEW              \
    "}, attributes: {enabled: true}}, versions: [{version: " OLD ", created: 1793491200, enabled: false}, "            \
    "{version: " NEW ", created: 1794614400, enabled: true}]}\n"
#define SET_FACTS                                                                                                      \
    "DiskEncryptionSet/des: {state: present, live: {properties: {activeKey: {keyUrl: " KEYS NEW "}}}, "                \
    "associatedResources: [" DISK_ID "]}\n"
#define VM_FACTS(points)                                                                                               \
    "ProtectedVirtualMachine/vm: {state: present, itemId: " SUB "/item, source: {state: present, des: " SET_ID         \
    ", set: {state: present, live: {properties: {activeKey: {keyUrl: " KEYS NEW "}, previousKeys: [{keyUrl: " KEYS OLD \
    "}], lastKeyRotationTimestamp: 2026-11-12T00:00:00Z}}}, live: {properties: {storageProfile: {osDisk: "             \
    "{managedDisk: {id: " DISK_ID "}}}}}}, points: [" points "]}\n"
#define POINT(id, time, more)                                                                                          \
    "{id: \"" id "\", time: " time ", snapshot: absent, vault: valid, confidential: true, customerKey: true" more "}"
#define BEFORE POINT("1", "2026-11-10T20:00:00Z", "")
#define AFTER POINT("2", "2026-11-20T20:00:00Z", "")
#define ALL_FACTS VAULT_FACTS KEY_FACTS SET_FACTS VM_FACTS(BEFORE ", " AFTER)

struct fixture {
    struct arena *arena;
    struct schemas *schemas;
    struct view view;
};

static struct value *yaml(struct arena *a, const char *text)
{
    struct value *docs = value_list(a);
    struct diags diags;

    diags_init(&diags, a);
    manifest_read(a, "t.yaml", text, strlen(text), &manifest_default_limits, docs, &diags);
    CHECK_ROW(diags.count ? diag_format(a, &diags.items[0]) : text, diags.count == 0);
    return docs;
}

static void fixture_begin(struct fixture *f, const char *estate, const char *facts)
{
    const struct value **by_index, *seen;
    const struct desired *d;
    struct diags diags;
    struct err err;

    *f = (struct fixture){.arena = arena_new()};
    diags_init(&diags, f->arena);
    CHECK(schemas_new(schema_files, &f->schemas, &err) == 0);
    d = desired_resolve(f->arena, f->schemas, &all_naming, yaml(f->arena, estate), &diags);
    CHECK_ROW(diags.count ? diag_format(f->arena, &diags.items[0]) : estate, diags.n_errors == 0);
    seen = value_item(yaml(f->arena, facts), 0);
    by_index = arena_array(f->arena, const struct value *, d->count + 1);
    for (size_t i = 0; i < d->count; i++)
        by_index[i] = value_get(seen, d->documents[i]->address);
    f->view = (struct view){
        .arena = f->arena,
        .desired = d,
        .settings = &settings_default,
        .facts = by_index,
        .now_ms = time_parse("2026-11-23T03:00:00Z"),
    };
}

static void fixture_end(struct fixture *f)
{
    schemas_free(f->schemas);
    arena_free(f->arena);
}

static const char *version_of(const char *id)
{
    const char *slash = strrchr(id, '/');

    return slash ? slash + 1 : id;
}

/* "disk vm_OsDisk", without what a label has on further lines. */
static const char *shown(struct arena *a, const struct lineage_node *n)
{
    return arena_printf(a, "%s %s", lineage_kind_words(n->kind),
                        n->kind == LINEAGE_VERSION ? version_of(n->id) : n->name);
}

static const char *arrows(struct arena *a, const struct lineage *l)
{
    const char *all = "";

    for (size_t i = 0; i < l->n_edges; i++)
        all = arena_printf(a, "%s%s %s %s\n", all, shown(a, &l->nodes[l->edges[i].from]),
                           l->edges[i].proved ? "->" : "-?>", shown(a, &l->nodes[l->edges[i].to]));
    return all;
}

static void test_arrows(void)
{
    struct fixture f;
    struct lineage l;

    fixture_begin(&f, ESTATE(""), ALL_FACTS);
    l = lineage_of(&f.view);
    CHECK_STR(arrows(f.arena, &l),
              "VM vm -> disk vm_OsDisk\n"
              "key version " NEW " -> key store kv\n"
              "disk encryption set des -> key version " NEW "\n"
              "disk vm_OsDisk -> disk encryption set des\n"
              "key version " OLD " -> key store kv\n"
              "recovery point vm 1 -> key version " OLD "\n"
              "recovery point vm 1 -?> key version " NEW "\n"
              "recovery point vm 2 -> key version " NEW "\n");
    CHECK_STR(l.nodes[lineage_find(&l, LINEAGE_VERSION, KEYS OLD)].state, "disabled");
    CHECK_STR(l.nodes[lineage_find(&l, LINEAGE_VERSION, KEYS NEW)].state, "present");
    CHECK(lineage_find(&l, LINEAGE_DISK, KEYS NEW) == SIZE_MAX);
    fixture_end(&f);

    /* Nobody knows: the VM is gone, and no version is declared. */
    fixture_begin(&f, ESTATE(""),
                  "ProtectedVirtualMachine/vm: {state: present, itemId: " SUB
                  "/item, source: {state: absent}, points: [" BEFORE "]}\n");
    l = lineage_of(&f.view);
    CHECK(strstr(arrows(f.arena, &l), "recovery point vm 1 -?> key version " LINEAGE_UNKNOWN "vm\n") != NULL);
    fixture_end(&f);
}

static const struct {
    const char *reason;
    enum impact_act act;
    const char *operand;
    enum lineage_kind kind;
    const char *name, *version; /* with a fault: name NULL and */
    const char *fault;
} operands[] = {
    {"name of a key", IMPACT_DISABLE, "os-key", LINEAGE_VERSION, "os", NULL, NULL},
    {"kind in front", IMPACT_DELETE, "Key/os-key", LINEAGE_VERSION, "os", NULL, NULL},
    {"version", IMPACT_DISABLE, "os-key/" OLD, LINEAGE_VERSION, "os", OLD, NULL},
    {"kind and version", IMPACT_DISABLE, "Key/os-key/" NEW, LINEAGE_VERSION, "os", NEW, NULL},
    {"URL", IMPACT_DELETE, KEYS, LINEAGE_VERSION, "os", NULL, NULL},
    {"URL with a version", IMPACT_DISABLE, KEYS NEW, LINEAGE_VERSION, "os", NEW, NULL},
    {"ARM id of a key", IMPACT_DISABLE, VAULT_ID "/keys/os/versions/" NEW, LINEAGE_VERSION, "os", NEW, NULL},
    {"store by URL", IMPACT_DELETE, BASE "/", LINEAGE_STORE, "", NULL, NULL},
    {"store by ARM id", IMPACT_DELETE, VAULT_ID, LINEAGE_STORE, "", NULL, NULL},
    {"store by name", IMPACT_DELETE, "kv", LINEAGE_STORE, "", NULL, NULL},
    {"set by name", IMPACT_DELETE, "des", LINEAGE_SET, "", NULL, NULL},
    {"set by ARM id", IMPACT_DELETE, SET_ID, LINEAGE_SET, "", NULL, NULL},
    {"nothing of that name", IMPACT_DELETE, "os-kee", 0, NULL, NULL, "did you mean os-key?"},
    {"only keys are disabled", IMPACT_DISABLE, "des", 0, NULL, NULL, "there is no Key des"},
    {"only keys are disabled, by id", IMPACT_DISABLE, SET_ID, 0, NULL, NULL,
     "only keys and their versions are disabled"},
    {"a version is not deleted", IMPACT_DELETE, "os-key/" OLD, 0, NULL, NULL, "a single key version cannot be deleted"},
    {"a version nobody needs", IMPACT_DISABLE, "os-key/c3", 0, NULL, NULL, "nothing in these documents hangs on"},
    {"a vault that is not ours", IMPACT_DELETE, "https://else.vault.azure.net", 0, NULL, NULL,
     "nothing in these documents hangs on"},
    {"no key vault id", IMPACT_DELETE, VM_ID, 0, NULL, NULL,
     "is no key vault, managed HSM, key or disk encryption set"},
};

static void test_operands(void)
{
    struct fixture f;

    fixture_begin(&f, ESTATE(""), ALL_FACTS);
    for (size_t i = 0; i < COUNT(operands); i++) {
        struct impact_target t = {0};
        struct err err;
        int rc = impact_target_find(&f.view, operands[i].act, operands[i].operand, &t, &err);

        CHECK_ROW(operands[i].reason, (rc < 0) == (operands[i].fault != NULL));
        if (operands[i].fault) {
            CHECK_ROW(operands[i].reason, rc < 0 && strstr(err.text, operands[i].fault));
            continue;
        }
        CHECK_ROW(operands[i].reason, t.kind == operands[i].kind && str_eq(t.name ? t.name : "", operands[i].name) &&
                                          str_eq_nocase(t.version, operands[i].version));
    }
    fixture_end(&f);
}

static const struct {
    const char *reason;
    enum impact_act act;
    const char *operand;
    bool purged;
    const char *document, *path, *value; /* value NULL: not there */
} thens[] = {
    {"the version is disabled", IMPACT_DISABLE, "os-key/" NEW, false, "Key/os-key", "live.attributes.enabled", "false"},
    {"another version is not", IMPACT_DISABLE, "os-key/" OLD, false, "Key/os-key", "live.attributes.enabled", "true"},
    {"its list says so too", IMPACT_DISABLE, "os-key", false, "Key/os-key", "versions.1.enabled", "false"},
    {"deleted", IMPACT_DELETE, "os-key", false, "Key/os-key", "state", "deleted"},
    {"a deleted key is not to be read", IMPACT_DELETE, "os-key", false, "Key/os-key", "live", NULL},
    {"purged", IMPACT_DELETE, "os-key", true, "Key/os-key", "state", "absent"},
    {"the vault stands", IMPACT_DELETE, "os-key", true, "KeyVault/kv", "state", "present"},
    {"the vault goes", IMPACT_DELETE, "kv", false, "KeyVault/kv", "state", "deleted"},
    {"its keys with it", IMPACT_DELETE, "kv", false, "Key/os-key", "storeState", "deleted"},
    {"for good", IMPACT_DELETE, "kv", true, "Key/os-key", "storeState", "absent"},
    {"the set goes", IMPACT_DELETE, "des", false, "DiskEncryptionSet/des", "state", "absent"},
    {"the VM loses sight of it", IMPACT_DELETE, "des", false, "ProtectedVirtualMachine/vm", "source.set.state",
     "absent"},
    {"the key stands", IMPACT_DELETE, "des", false, "Key/os-key", "state", "present"},
};

static const struct value *facts_of(const struct view *v, const char *address)
{
    for (size_t i = 0; i < v->desired->count; i++)
        if (str_eq(v->desired->documents[i]->address, address))
            return v->facts[i];
    return NULL;
}

static void test_thens(void)
{
    struct fixture f;
    struct impact_target t;
    struct err err;

    fixture_begin(&f, ESTATE(""), ALL_FACTS);
    for (size_t i = 0; i < COUNT(thens); i++) {
        const struct value *got, *before = value_copy(f.arena, facts_of(&f.view, thens[i].document));
        struct view then;

        CHECK_ROW(thens[i].reason, impact_target_find(&f.view, thens[i].act, thens[i].operand, &t, &err) == 0);
        then = impact_view(&f.view, &t, thens[i].purged);
        got = value_at(facts_of(&then, thens[i].document), thens[i].path);
        CHECK_ROW(thens[i].reason, thens[i].value ? value_str(got) ? str_eq(value_str(got), thens[i].value)
                                                                   : value_is(got, VALUE_BOOL) &&
                                                                         got->b == str_eq(thens[i].value, "true")
                                                  : !got);
        /* What was observed is not touched. */
        CHECK_ROW(thens[i].reason, value_equal(before, facts_of(&f.view, thens[i].document)));
    }
    fixture_end(&f);
}

static void test_drawing(void)
{
    struct fixture f;
    struct text t = {0};

    fixture_begin(&f, ESTATE(""),
                  VAULT_FACTS KEY_FACTS SET_FACTS VM_FACTS(AFTER ", " POINT("3", "2026-11-21T20:00:00Z", "")));
    text_init(&t, TEXT_CEILING);
    lineage_draw(&t, DRAWING_DOT, &f.view);
    CHECK_STR(text_str(&t),
              "digraph reinstate {\n  rankdir=LR;\n  node [shape=box];\n"
              "  \"vm1\" [label=\"VM\\nvm\"];\n"
              "  \"disk1\" [label=\"disk\\nvm_OsDisk\"];\n"
              "  \"set1\" [label=\"disk encryption set\\ndes\"];\n"
              "  \"version1\" [label=\"key version\\nos\\n" NEW "\"];\n"
              "  \"store1\" [label=\"key store\\nkv\"];\n"
              "  \"points1\" [label=\"2 recovery points\\nvm\\n2026-11-20T20:00:00Z to 2026-11-21T20:00:00Z\"];\n"
              "  \"vm1\" -> \"disk1\" [label=\"its OS disk\"];\n"
              "  \"version1\" -> \"store1\";\n"
              "  \"set1\" -> \"version1\" [label=\"its active key\"];\n"
              "  \"disk1\" -> \"set1\" [label=\"the VM names it\"];\n"
              "  \"points1\" -> \"version1\" [label=\"the set's active key, there since 2026-11-12T00:00:00Z\"];\n"
              "}\n");
    text_clear(&t);
    lineage_draw(&t, DRAWING_MERMAID, &f.view);
    CHECK(str_starts(text_str(&t), "flowchart LR\n  n_vm1[\"VM<br/>vm\"]\n"));
    CHECK(strstr(text_str(&t),
                 "  n_points1 -->|\"the set's active key, there since 2026-11-12T00:00:00Z\"| n_version1\n") != NULL);
    text_release(&t);
    fixture_end(&f);
}

int main(void)
{
    test_arrows();
    test_operands();
    test_thens();
    test_drawing();
    HARNESS_END();
}
