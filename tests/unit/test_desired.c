/* The estate: against the real schemas where a kind matters, against two made-up kinds where only the graph does. */
#include "../harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/manifest.h"
#include "../../reconciler/model/desired.h"
#include "../../reconciler/model/selector.h"

static const char *const kinds[] = {
    "Azure", "KeyVault", "RecoveryServicesVault", "ProtectedVirtualMachine", "Key", "DiskEncryptionSet", "KeyAccess",
    "RestoredVirtualMachine", "Activation", "Policy", NULL,
};

#define HEAD(kind, name) "---\napiVersion: reinstate/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define AZURE_NAMED(name)                                                                                              \
    HEAD("Azure", name)                                                                                                \
    "spec: {cloud: AzurePublic, tenant: 0f0f0f0f-0000-4000-8000-000000000001, "                                        \
    "subscription: 0f0f0f0f-0000-4000-8000-000000000002, location: uaenorth}\n"
#define AZURE AZURE_NAMED("prod")
#define VAULT_SPEC "spec: {resourceGroup: rg, permissionModel: azure-rbac, purgeProtection: true}\n"
#define VAULT HEAD("KeyVault", "kv-payroll") VAULT_SPEC
#define KEY(store) HEAD("Key", "os-key") "spec: {store: " store ", keyName: os, enabled: true}\n"

struct fixture {
    struct arena *arena;
    struct schemas *schemas;
    struct diags diags;
    const struct desired *desired;
};

static void fixture_begin(struct fixture *f, const struct schema_file *files, const char *const *names,
                          const char *yaml)
{
    struct value *docs;
    struct err err;

    *f = (struct fixture){.arena = arena_new()};
    diags_init(&f->diags, f->arena);
    docs = value_list(f->arena);
    CHECK_ROW(err.text, schemas_new(files, &f->schemas, &err) == 0);
    manifest_read(f->arena, "m.yaml", yaml, strlen(yaml), &manifest_default_limits, docs, &f->diags);
    CHECK_ROW(yaml, f->diags.count == 0);
    f->desired = desired_resolve(f->arena, f->schemas, &(struct naming){.kinds = names}, docs, &f->diags);
}

static void fixture_end(struct fixture *f)
{
    schemas_free(f->schemas);
    arena_free(f->arena);
}

/* What is found wrong with n documents costs n times what is found wrong with one, in memory handed out and so in
 * names looked at. */
static size_t dangling_cost(int n)
{
    struct text t;
    struct fixture f;
    size_t cost;

    text_init(&t, TEXT_CEILING);
    text_add(&t, AZURE);
    for (int i = 0; i < n; i++)
        text_printf(&t,
                    "---\napiVersion: reinstate/v1\nkind: KeyVault\nmetadata: {name: "
                    "kv-of-a-rather-long-name-%05d}\n" VAULT_SPEC
                    "---\napiVersion: reinstate/v1\nkind: Key\nmetadata: {name: key-%05d}\n"
                    "spec: {store: kv-of-a-rather-wrong-name-%05d, keyName: os}\n",
                    i, i, n - i);
    fixture_begin(&f, schema_files, kinds, text_str(&t));
    CHECK(f.diags.n_errors == (size_t)n && f.diags.count == (n < DIAGS_MAX ? (size_t)n : DIAGS_MAX));
    cost = arena_bytes(f.arena);
    fixture_end(&f);
    text_release(&t);
    return cost;
}

static void check_faults_are_linear(void)
{
    size_t once = dangling_cost(1000), twice = dangling_cost(2000);

    CHECK_ROW("two thousand dangling names cost twice what one thousand do", twice < once * 5 / 2);
}

/* --- faults ------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *reason, *yaml;
    size_t n_errors, n_warnings;
    const char *says;            /* part of the first fault, as it is printed */
} fault_rows[] = {
    {"a small estate", AZURE VAULT KEY("kv-payroll"), 0, 0, NULL},
    {"no document at all is no fault here", "--- {}\n", 3, 0,
     "m.yaml:1:5: apiVersion is missing; write apiVersion: reinstate/v1"},
    {"a control character in a text",
     AZURE VAULT HEAD("Key",
                      "os-key") "spec: {store: kv-payroll, keyName: os, revoked: {reason: \"a\\x01token\\x01\"}}\n",
     1, 0, "spec.revoked.reason holds a control character"},
    {"a list is no document", "- a\n", 1, 0, "the document is a list"},
    {"another version of the language", "apiVersion: reinstate/v2\nkind: Azure\n", 1, 0,
     "m.yaml:1:13: this version does not understand apiVersion reinstate/v2"},
    {"no kind", "apiVersion: reinstate/v1\n", 2, 0, "the document has no kind"},
    {"no version: all other faults too",
     AZURE "---\nkind: KeyVault\nmetadata: {name: kv}\nspec: {resourceGroup: 3, foo: 1}\n", 3, 0,
     "apiVersion is missing"},
    {"a version written otherwise: all other faults too",
     AZURE "---\napiVersion: v1\nkind: KeyVault\nmetadata: {name: kv}\nspec: {resourceGroup: rg, foo: 1}\n", 2, 0,
     "this version does not understand apiVersion v1"},
    {"a later version: its fields are not known",
     AZURE "---\napiVersion: reinstate/v2\nkind: KeyVault\nspec: {foo: 1}\n", 1, 0,
     "this version does not understand apiVersion reinstate/v2"},
    {"a misspelt kind field", "apiVersion: reinstate/v1\nknd: Key\nmetadata: {name: x}\n", 2, 0,
     "the document has no kind"},
    {"a kind misspelt", HEAD("KeyValt", "x"), 1, 0, "m.yaml:3:7: unknown kind \"KeyValt\"; did you mean KeyVault?"},
    {"a world misspelt", HEAD("Word", "x"), 1, 0, "unknown kind \"Word\"; did you mean World?"},
    {"a kind like nothing", HEAD("Spaceship", "x"), 1, 0,
     "unknown kind \"Spaceship\"; reinstate explain lists the kinds"},
    {"a world among the manifests", AZURE HEAD("World", "w"), 0, 1, "a World among the manifests is ignored"},
    {"no name", AZURE "---\napiVersion: reinstate/v1\nkind: KeyVault\nmetadata: {}\n" VAULT_SPEC, 1, 0, "name"},
    {"no name, and another document may mean it",
     AZURE "---\napiVersion: reinstate/v1\nkind: KeyVault\nmetadata: {}\n" VAULT_SPEC KEY("kv-payroll"), 1, 0, "name"},
    {"no name: it is not called by half an address",
     "---\napiVersion: reinstate/v1\nkind: KeyVault\nmetadata: {}\n" VAULT_SPEC, 2, 0,
     "the field name is missing; add name"},
    {"a kind misspelt, and another document names it",
     AZURE HEAD("KeyVualt", "kv-payroll") VAULT_SPEC KEY("kv-payroll"), 1, 0, "unknown kind \"KeyVualt\""},
    {"a kind misspelt that all others need", HEAD("Azur", "prod") VAULT, 1, 0, "unknown kind \"Azur\""},
    {"a kind misspelt is not every other kind", AZURE HEAD("Polcy", "kv-payrol") KEY("kv-payrol"), 2, 0,
     "unknown kind \"Polcy\""},
    {"a later version, and another document names it",
     AZURE "---\napiVersion: reinstate/v2\nkind: KeyVault\nmetadata: {name: kv-payroll}\n" KEY("kv-payroll"), 1, 0,
     "this version does not understand apiVersion reinstate/v2"},
    {"declared twice", AZURE VAULT VAULT, 1, 0, "KeyVault/kv-payroll is declared twice: first at m.yaml:7:1"},
    {"one name, two kinds",
     AZURE VAULT HEAD("RecoveryServicesVault", "kv-payroll") "spec: {resourceGroup: rg}\n" KEY("kv-payroll"), 0, 0,
     NULL},
    {"a name misspelt", AZURE VAULT KEY("kv-payrol"), 1, 0,
     "m.yaml:15:15: spec.store: there is no KeyVault or ManagedHsm named \"kv-payrol\"; did you mean \"kv-payroll\"?"},
    {"a name of another kind",
     AZURE VAULT HEAD("RecoveryServicesVault", "rsv") "spec: {resourceGroup: rg}\n" KEY("rsv"), 1, 0,
     "spec.store: there is no KeyVault or ManagedHsm named \"rsv\" (RecoveryServicesVault/rsv is of another kind)"},
    {"no Azure document", VAULT KEY("kv-payroll"), 1, 0,
     "KeyVault/kv-payroll needs a document of kind Azure, and there is none"},
    {"none is needed by policies", HEAD("Policy", "p") "spec: {rules: []}\n", 0, 0, NULL},
    {"several Azure documents", AZURE AZURE_NAMED("test") VAULT, 1, 0,
     "KeyVault/kv-payroll does not say which Azure document it uses, and there are several (Azure/prod, Azure/test); "
     "write spec: {azure: prod} or another of them"},
    {"one declared twice is one fault", AZURE AZURE VAULT, 1, 0, "Azure/prod is declared twice"},
    {"several, and it says which",
     AZURE AZURE_NAMED("test")
         HEAD("KeyVault", "kv") "spec: {resourceGroup: rg, permissionModel: azure-rbac, azure: test}\n",
     0, 0, NULL},
    {"it names one that is not there",
     AZURE HEAD("KeyVault", "kv") "spec: {resourceGroup: rg, permissionModel: azure-rbac, azure: prd}\n", 1, 0,
     "spec.azure: there is no Azure named \"prd\"; did you mean"},
    {"an endpoint in a manifest",
     AZURE HEAD("KeyVault",
                "kv") "spec: {resourceGroup: rg, permissionModel: azure-rbac, endpoint: https://evil.example}\n",
     1, 0, "m.yaml:10:56: spec.endpoint is refused: a manifest does not decide where requests go or what is run"},
    {"a hook deep in a manifest",
     AZURE VAULT HEAD(
         "Key", "k") "spec: {store: kv-payroll, keyName: k, sources: [{recover: {webhook: https://evil.example}}]}\n",
     1, 0, "spec.sources.recover.webhook is refused"},
    {"a label may be called so",
     AZURE "---\napiVersion: reinstate/v1\nkind: KeyVault\nmetadata: {name: kv, labels: {command: x}}\n" VAULT_SPEC, 0,
     0, NULL},
    {"suspended without a reason",
     AZURE "---\napiVersion: reinstate/v1\nkind: KeyVault\n"
           "metadata: {name: kv, annotations: {reinstate/suspend: ''}}\n" VAULT_SPEC,
     1, 0, "reinstate/suspend has no reason"},
    {"a mode that does not exist",
     AZURE "---\napiVersion: reinstate/v1\nkind: KeyVault\n"
           "metadata: {name: kv, annotations: {reinstate/mode: dry}}\n" VAULT_SPEC,
     1, 0, "reinstate/mode is no mode that exists; write observe"},
    {"an annotation of ours misspelt",
     AZURE "---\napiVersion: reinstate/v1\nkind: KeyVault\n"
           "metadata: {name: kv, annotations: {reinstate/suspnd: x, other/thing: y}}\n" VAULT_SPEC,
     0, 1, "unknown annotation reinstate/suspnd has no effect; did you mean reinstate/suspend?"},
    {"every fault at once", AZURE KEY("a") HEAD("KeyValt", "x") HEAD("Azur", "y"), 3, 0, NULL},
};

static void check_faults(void)
{
    for (size_t i = 0; i < COUNT(fault_rows); i++) {
        struct fixture f;

        fixture_begin(&f, schema_files, kinds, fault_rows[i].yaml);
        CHECK_ROW(fault_rows[i].reason, f.diags.n_errors == fault_rows[i].n_errors);
        CHECK_ROW(fault_rows[i].reason, f.diags.count == fault_rows[i].n_errors + fault_rows[i].n_warnings);
        if (f.diags.count && fault_rows[i].says) {
            const char *got = diag_format(f.arena, &f.diags.items[0]);

            if (!strstr(got, fault_rows[i].says))
                fprintf(stderr, "got: %s\n", got);
            CHECK_ROW(fault_rows[i].reason, strstr(got, fault_rows[i].says) != NULL);
        }
        fixture_end(&f);
    }
}

/* --- a whole estate ----------------------------------------------------------------------------------------------- */

/* Kinds out of order on purpose. */
/* clang-format off */
static const char estate[] =
    HEAD("DiskEncryptionSet", "des") "spec: {resourceGroup: rg, "
    "encryptionType: ConfidentialVmEncryptedWithCustomerKey, key: os-key}\n"
    HEAD("Key", "os-key") "spec:\n  store: kv-payroll\n  keyName: os\n"
    "  sources: [{recover: {}}, {azureBackup: {from: [vm]}}]\n"
    HEAD("ProtectedVirtualMachine", "vm") "spec: {vault: rsv, source: {resourceGroup: rg, name: vm}}\n"
    HEAD("RecoveryServicesVault", "rsv") "spec: {resourceGroup: rg}\n"
    AZURE
    "---\napiVersion: reinstate/v1\nkind: KeyVault\n"
    "metadata: {name: kv-payroll, labels: {app: payroll, tier: one}, "
    "annotations: {reinstate/suspend: moving, reinstate/mode: observe}}\n"
    VAULT_SPEC
    HEAD("DiskEncryptionSet", "des-b") "spec: {resourceGroup: rg, "
    "encryptionType: ConfidentialVmEncryptedWithCustomerKey, "
    "key: {url: https://kv.vault.azure.net/keys/os/3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5}}\n";
/* clang-format on */

static const struct {
    const char *address;
    size_t level;
} places[] = {
    {"Azure/prod", 0},
    {"KeyVault/kv-payroll", 1},
    {"RecoveryServicesVault/rsv", 1},
    {"ProtectedVirtualMachine/vm", 2},
    {"Key/os-key", 3},
    {"DiskEncryptionSet/des", 4},
    {"DiskEncryptionSet/des-b", 1},
};

static void check_estate(void)
{
    struct fixture f;
    const struct document *key, *des_b, *vault, *azure;
    const struct reference *url;

    fixture_begin(&f, schema_files, kinds, estate);
    for (size_t i = 0; i < f.diags.count; i++)
        CHECK_ROW(diag_format(f.arena, &f.diags.items[i]), false);
    CHECK(f.desired->count == COUNT(places));
    CHECK(f.desired->levels == 5);
    for (size_t i = 0; i < COUNT(places) && i < f.desired->count; i++) {
        CHECK_STR(f.desired->documents[i]->address, places[i].address);
        CHECK_ROW(places[i].address, f.desired->documents[i]->level == places[i].level);
        CHECK_ROW(places[i].address, f.desired->documents[i]->index == i);
    }
    key = desired_find(f.desired, "Key", "os-key");
    azure = desired_find(f.desired, "Azure", "prod");
    vault = desired_find(f.desired, "KeyVault", "kv-payroll");
    des_b = desired_find(f.desired, "DiskEncryptionSet", "des-b");
    CHECK(desired_find(f.desired, "Key", "kv-payroll") == NULL);
    CHECK(key && vault && des_b && azure);
    CHECK(document_target(key, "spec.store") == vault);
    CHECK_STR(document_target(key, "spec.sources.1.azureBackup.from.0")->address, "ProtectedVirtualMachine/vm");
    CHECK(document_reference(key, "spec.sources.0") == NULL);
    CHECK(key->connection == azure && azure->connection == NULL);
    CHECK(key->n_referrers == 1 && str_eq(key->referrers[0]->name, "des"));
    url = document_reference(des_b, "spec.key");
    CHECK(url && !url->target && !url->id && url->url);
    CHECK(url && url->origin.line > 0);
    CHECK_STR(vault->suspended, "moving");
    CHECK(vault->observe_only && !key->observe_only && !key->suspended);
    fixture_end(&f);
}

static void check_selectors(void)
{
    static const struct {
        const char *text;
        bool labelled, bare; /* for {app: payroll, tier: one} and for no labels; both false: see `fault` */
        const char *fault;
    } rows[] = {
        {"app=payroll", true, false, NULL},
        {"app==payroll", true, false, NULL},
        {" app = payroll , tier=one ", true, false, NULL},
        {"app=payroll,tier=two", false, false, NULL},
        {"app=pay", false, false, NULL},
        {"ap=payroll", false, false, NULL},
        {"app!=payroll", false, true, NULL},
        {"app!=billing", true, true, NULL},
        {"app!=billing,app", true, false, NULL},
        {"app in (payroll,billing)", true, false, NULL},
        {"app in(billing, payroll ),tier", true, false, NULL},
        {"app in (billing)", false, false, NULL},
        {"app notin (payroll)", false, true, NULL},
        {"app notin (billing),!gone", true, true, NULL},
        {"app", true, false, NULL},
        {"!app", false, true, NULL},
        {"! app", false, true, NULL},
        {"app=", false, false, NULL},
        {"index=1", false, false, NULL},
        {"", false, false, "name of a label is missing"},
        {"app=payroll,", false, false, "name of a label is missing"},
        {"=payroll", false, false, "name of a label is missing"},
        {"app in payroll", false, false, "( is missing"},
        {"app in (payroll", false, false, ") is missing"},
        {"app tier", false, false, "a comma is missing"},
        {"!app=payroll", false, false, "a comma is missing"},
    };
    struct arena *a = arena_new();
    struct value *labels = value_map(a);

    value_set_string(a, labels, "app", "payroll");
    value_set_string(a, labels, "tier", "one");
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct selector *s = NULL;
        struct err err = {0};
        bool read = selector_parse(a, rows[i].text, &s, &err) == 0;

        CHECK_ROW(rows[i].text, read == !rows[i].fault);
        if (rows[i].fault)
            CHECK_ROW(rows[i].text, !read && strstr(err.text, rows[i].fault));
        else if (read)
            CHECK_ROW(rows[i].text, selector_matches(s, labels) == rows[i].labelled &&
                                        selector_matches(s, NULL) == rows[i].bare);
    }
    arena_free(a);
}

/* --- circles and ambiguity, on made-up kinds ---------------------------------------------------------------------- */

#define TOY(kind, refs)                                                                                                \
    "{\"x-kind\": \"" kind                                                                                             \
    "\", \"type\": \"object\", \"properties\": {\"apiVersion\": {\"type\": \"string\"}, \"kind\": "                    \
    "{\"const\": \"" kind                                                                                              \
    "\"}, \"metadata\": {\"type\": \"object\"}, \"spec\": {\"type\": \"object\", \"properties\": "                     \
    "{\"on\": {\"type\": \"array\", \"items\": {\"x-ref\": " refs "}}}}}}"
#define FILE_OF(name, text) {name, text, sizeof(text) - 1}

static const struct schema_file toy_files[] = {
    FILE_OF("Activation.json", TOY("Activation", "[\"Activation\", \"Policy\"]")),
    FILE_OF("Policy.json", TOY("Policy", "[\"Activation\", \"Policy\"]")),
    {0, 0, 0},
};
static const char *const toy_kinds[] = {"Activation", "Policy", NULL};

#define A(name, on) HEAD("Activation", name) "spec: {on: [" on "]}\n"
#define P(name, on) HEAD("Policy", name) "spec: {on: [" on "]}\n"

static const struct {
    const char *reason, *yaml;
    size_t n_errors;
    const char *says;
} toy_rows[] = {
    {"a chain", A("a", "b") P("b", "c") P("c", ""), 0, NULL},
    {"a diamond", A("a", "b, c") P("b", "d") P("c", "d") P("d", ""), 0, NULL},
    {"leans on itself", A("a", "a"), 1,
     "m.yaml:5:13: spec.on.0: documents refer to each other in a circle: Activation/a -> Activation/a"},
    {"the whole circle, from its first document", P("c", "a") A("a", "b") A("b", "c") A("x", "a"), 1,
     "m.yaml:10:13: spec.on.0: documents refer to each other in a circle: "
     "Activation/a -> Activation/b -> Policy/c -> Activation/a; take one"},
    {"two circles are two faults", A("a", "a") A("b", "c") P("c", "b"), 2, NULL},
    {"a name two kinds answer to", A("a", "x") A("x", "") P("x", ""), 1,
     "spec.on.0: \"x\" may be Activation/x or Policy/x"},
    {"something not declared, by id", A("a", "{id: /subscriptions/s}"), 0, NULL},
    {"both id and url", A("a", "{id: /s, url: 'https://x'}"), 1,
     "spec.on.0 is no reference to Activation or Policy; write the name"},
    {"neither", A("a", "{name: x}"), 1, "is no reference"},
    {"a third member", A("a", "{id: /s, extra: 1}"), 1, "is no reference"},
    {"a number", A("a", "7"), 1, "is no reference"},
};

static void check_toys(void)
{
    for (size_t i = 0; i < COUNT(toy_rows); i++) {
        struct fixture f;

        fixture_begin(&f, toy_files, toy_kinds, toy_rows[i].yaml);
        CHECK_ROW(toy_rows[i].reason, f.diags.n_errors == toy_rows[i].n_errors);
        if (f.diags.count && toy_rows[i].says) {
            const char *got = diag_format(f.arena, &f.diags.items[0]);

            if (!strstr(got, toy_rows[i].says))
                fprintf(stderr, "got: %s\n", got);
            CHECK_ROW(toy_rows[i].reason, strstr(got, toy_rows[i].says) != NULL);
        }
        fixture_end(&f);
    }
}

int main(void)
{
    check_faults();
    check_faults_are_linear();
    check_estate();
    check_toys();
    check_selectors();
    HARNESS_END();
}
