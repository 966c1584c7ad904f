/* Which key version a point needs: every evidence alone, their order, and what is said when two of them disagree. */
#include "../../providers/keys/original.h"
#include "../../providers/kinds/registry.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/manifest.h"
#include "../harness.h"

#define OLD "a1111111111111111111111111111111"
#define NEW "b2222222222222222222222222222222"
#define ELSE "c3333333333333333333333333333333"
#define KEYS "https://kv.vault.azure.net/keys/os/"
#define SUB "/subscriptions/0f0f0f0f-0000-4000-8000-000000000002"
#define SET_ID SUB "/resourceGroups/rg-vm/providers/Microsoft.Compute/diskEncryptionSets/des"

#define HEAD(kind, name) "---\napiVersion: reinstate/v1\nkind: " kind "\nmetadata: {name: " name "}\n"
#define RESTORED(name, from)                                                                                           \
    HEAD("RestoredVirtualMachine", name)                                                                               \
    "spec: {from: " from ", restore: new-vm, diskEncryptionSet: des, target: {resourceGroup: rg-dr, name: " name       \
    "-r, subnet: {id: " SUB "/resourceGroups/rg-dr/providers/Microsoft.Network/virtualNetworks/v/subnets/default}, "   \
    "stagingAccount: {id: " SUB "/resourceGroups/rg-dr/providers/Microsoft.Storage/storageAccounts/st}}}\n"
#define ORDER(name, vm, point)                                                                                         \
    HEAD("Activation", name)                                                                                           \
    "spec: {restores: [{virtualMachine: " vm ", recoveryPoint: \"" point "\"}], exports: allowed, "                    \
    "notBefore: 2026-11-23T02:00:00Z, notAfter: 2026-11-25T02:00:00Z, purpose: recovery, incident: I}\n"
#define ESTATE(version)                                                                                                \
    HEAD("Azure", "prod")                                                                                              \
    "spec: {cloud: AzurePublic, tenant: 0f0f0f0f-0000-4000-8000-000000000001, "                                        \
    "subscription: 0f0f0f0f-0000-4000-8000-000000000002, location: uaenorth}\n"                                        \
    HEAD("KeyVault", "kv") "spec: {resourceGroup: rg-keys, permissionModel: azure-rbac, purgeProtection: true}\n"      \
    HEAD("Key", "os-key") "spec: {store: kv, keyName: os" version "}\n"                                                \
    HEAD("DiskEncryptionSet", "des") "spec: {resourceGroup: rg-vm, key: os-key, identity: {type: SystemAssigned}}\n"   \
    HEAD("RecoveryServicesVault", "rsv") "spec: {resourceGroup: rg-backup}\n"                                          \
    HEAD("ProtectedVirtualMachine", "vm") "spec: {vault: rsv, source: {resourceGroup: rg-vm, name: vm}}\n"             \
    HEAD("ProtectedVirtualMachine", "vm2") "spec: {vault: rsv, source: {resourceGroup: rg-vm, name: vm2}}\n"           \
    RESTORED("dr", "vm") RESTORED("dr2", "vm2")

#define POINTS "points: [{id: \"1\", time: 2026-11-10T20:00:00Z}, {id: \"2\", time: 2026-11-20T20:00:00Z}]"
#define HISTORY                                                                                                        \
    "history: [{time: 2026-11-05T03:00:00Z, set: " SET_ID ", key: " KEYS OLD "}, "                                     \
    "{time: 2026-11-15T03:00:00Z, set: " SET_ID ", key: " KEYS NEW "}]"
/* November 1 and 14. */
#define VERSIONS "versions: [{version: " OLD ", created: 1793491200}, {version: " NEW ", created: 1794614400}]"
#define SET(members) "source: {des: " SET_ID ", set: {state: present, live: {properties: {" members "}}}}"

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
    struct value *seen;
    const struct value **by_index;
    const struct desired *d;
    struct diags diags;
    struct err err;

    *f = (struct fixture){.arena = arena_new()};
    diags_init(&diags, f->arena);
    CHECK(schemas_new(schema_files, &f->schemas, &err) == 0);
    d = desired_resolve(f->arena, f->schemas, &all_naming, yaml(f->arena, estate), &diags);
    CHECK_ROW(diags.count ? diag_format(f->arena, &diags.items[0]) : estate, diags.n_errors == 0);
    seen = value_item(yaml(f->arena, facts), 0);
    by_index = arena_array(f->arena, const struct value *, d->count);
    for (size_t i = 0; i < d->count; i++)
        by_index[i] = value_get(seen, d->documents[i]->address);
    f->view = (struct view){
        .arena = f->arena, .desired = d, .settings = &settings_default, .facts = by_index,
        .now_ms = time_parse("2026-11-23T03:00:00Z"),
    };
}

static void fixture_end(struct fixture *f)
{
    schemas_free(f->schemas);
    arena_free(f->arena);
}

static const struct {
    const char *reason, *declared, *vm, *key, *point;
    const char *version, *also, *conflict; /* conflict: a part of it */
    enum key_evidence evidence;
} rows[] = {
    {"nothing says it", "", "{}", "{state: absent}", "2026-11-10T20:00:00Z", NULL, NULL, NULL, KEY_EVIDENCE_NONE},
    {"declared", ", version: " OLD, "{}", "{}", "2026-11-10T20:00:00Z", OLD, NULL, NULL, KEY_EVIDENCE_DECLARED},
    {"declared beats history that agrees", ", version: " OLD, "{" HISTORY "}", "{}", "2026-11-10T20:00:00Z", OLD, NULL,
     NULL, KEY_EVIDENCE_DECLARED},
    {"declared stands against history, and that is said", ", version: " ELSE, "{" HISTORY "}", "{}",
     "2026-11-10T20:00:00Z", ELSE, NULL,
     "the Key document says version " ELSE ", but own history, as of 2026-11-05T03:00:00Z says " OLD,
     KEY_EVIDENCE_DECLARED},
    {"declared the one of now: a rotation may have reached the point, or not", ", version: " NEW, "{" HISTORY "}", "{}",
     "2026-11-10T20:00:00Z", NEW, OLD, NULL, KEY_EVIDENCE_DECLARED},
    {"declared the one of now, of a set that was on another then", ", version: " NEW,
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}, previousKeys: [{keyUrl: " KEYS OLD
             "}], lastKeyRotationTimestamp: 2026-11-12T00:00:00Z") "}",
     "{}", "2026-11-10T20:00:00Z", NEW, OLD, NULL, KEY_EVIDENCE_DECLARED},
    {"declared one that was made after the point", ", version: " NEW, "{}", "{" VERSIONS "}", "2026-11-10T20:00:00Z",
     OLD, NEW, NULL, KEY_EVIDENCE_CREATION},
    {"declared an old one: newer ones are no evidence against it", ", version: " OLD, "{}", "{" VERSIONS "}",
     "2026-11-20T20:00:00Z", OLD, NULL, NULL, KEY_EVIDENCE_DECLARED},
    {"history of before the rotation, with the one of now beside it", "", "{" HISTORY "}", "{}", "2026-11-10T20:00:00Z",
     OLD, NEW, NULL, KEY_EVIDENCE_HISTORY},
    {"history of after it", "", "{" HISTORY "}", "{}", "2026-11-20T20:00:00Z", NEW, NULL, NULL, KEY_EVIDENCE_HISTORY},
    {"history that begins later says nothing", "", "{" HISTORY "}", "{}", "2026-11-01T20:00:00Z", NULL, NULL, NULL,
     KEY_EVIDENCE_NONE},
    {"the set has been on it since before the point", "",
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}, lastKeyRotationTimestamp: 2026-11-12T00:00:00Z") "}", "{}",
     "2026-11-20T20:00:00Z", NEW, NULL, NULL, KEY_EVIDENCE_SET},
    {"the set's previous key", "",
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}, previousKeys: [{keyUrl: " KEYS OLD
             "}], lastKeyRotationTimestamp: 2026-11-12T00:00:00Z") "}",
     "{}", "2026-11-10T20:00:00Z", OLD, NEW, NULL, KEY_EVIDENCE_SET},
    {"rotated since, and the previous key is not named", "",
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}, previousKeys: [], lastKeyRotationTimestamp: 2026-11-12T00:00:00Z") "}",
     "{}", "2026-11-10T20:00:00Z", NULL, NULL, NULL, KEY_EVIDENCE_NONE},
    {"several previous keys: told apart by when they were made", "",
     "{" SET("activeKey: {keyUrl: " KEYS ELSE "}, previousKeys: [{keyUrl: " KEYS OLD "}, {keyUrl: " KEYS NEW
             "}], lastKeyRotationTimestamp: 2026-11-22T00:00:00Z") "}",
     "{" VERSIONS "}", "2026-11-20T20:00:00Z", NEW, ELSE, NULL, KEY_EVIDENCE_SET},
    {"several previous keys of unknown age", "",
     "{" SET("activeKey: {keyUrl: " KEYS ELSE "}, previousKeys: [{keyUrl: " KEYS OLD "}, {keyUrl: " KEYS NEW
             "}], lastKeyRotationTimestamp: 2026-11-22T00:00:00Z") "}",
     "{}", "2026-11-20T20:00:00Z", NULL, NULL, NULL, KEY_EVIDENCE_NONE},
    {"a set that does not say since when is weak evidence", "", "{" SET("activeKey: {keyUrl: " KEYS NEW "}") "}", "{}",
     "2026-11-10T20:00:00Z", NEW, NULL, NULL, KEY_EVIDENCE_SET},
    {"a version made after the point did not wrap it, whatever the set says: the one that was there did", "",
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}") "}", "{" VERSIONS "}", "2026-11-10T20:00:00Z", OLD, NEW, NULL,
     KEY_EVIDENCE_CREATION},
    {"it was there by then", "", "{" SET("activeKey: {keyUrl: " KEYS NEW "}") "}", "{" VERSIONS "}",
     "2026-11-20T20:00:00Z", NEW, NULL, NULL, KEY_EVIDENCE_SET},
    {"made after the point: the set's previous key", "",
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}, previousKeys: [{keyUrl: " KEYS OLD "}]") "}", "{" VERSIONS "}",
     "2026-11-10T20:00:00Z", OLD, NEW, NULL, KEY_EVIDENCE_SET},
    {"both made after the point: nothing is guessed, and what was seen is said", "",
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}, previousKeys: [{keyUrl: " KEYS OLD "}]") "}", "{" VERSIONS "}",
     "2026-10-10T20:00:00Z", NULL, NEW, NULL, KEY_EVIDENCE_NONE},
    {"a rotation time before the version was made is no evidence either", "",
     "{" SET("activeKey: {keyUrl: " KEYS NEW "}, lastKeyRotationTimestamp: 2026-11-09T00:00:00Z") "}", "{" VERSIONS "}",
     "2026-11-10T20:00:00Z", OLD, NEW, NULL, KEY_EVIDENCE_CREATION},
    {"history and set disagree", "",
     "{" HISTORY ", " SET("activeKey: {keyUrl: " KEYS ELSE "}, lastKeyRotationTimestamp: 2026-11-01T00:00:00Z") "}",
     "{}", "2026-11-20T20:00:00Z", NEW, NULL, "but the set's active key, there since 2026-11-01T00:00:00Z says " ELSE,
     KEY_EVIDENCE_HISTORY},
    {"a set on a key of another name says nothing of this one, and that is said", "",
     "{" SET("activeKey: {keyUrl: https://kv.vault.azure.net/keys/other/" ELSE
             "}, lastKeyRotationTimestamp: 2026-11-01T00:00:00Z") "}",
     "{" VERSIONS "}", "2026-11-20T20:00:00Z", NEW, NULL, "Key/os-key is another key", KEY_EVIDENCE_CREATION},
    {"created before the point", "", "{}", "{" VERSIONS "}", "2026-11-10T20:00:00Z", OLD, NULL, NULL,
     KEY_EVIDENCE_CREATION},
    {"the newest of two created before it", "", "{}", "{" VERSIONS "}", "2026-11-20T20:00:00Z", NEW, NULL, NULL,
     KEY_EVIDENCE_CREATION},
    {"none was there yet", "", "{}", "{" VERSIONS "}", "2026-10-20T20:00:00Z", NULL, NULL, NULL, KEY_EVIDENCE_NONE},
    {"a newer version is no evidence against the set that was pinned", "",
     "{" SET("activeKey: {keyUrl: " KEYS OLD "}, lastKeyRotationTimestamp: 2026-11-02T00:00:00Z") "}", "{" VERSIONS "}",
     "2026-11-20T20:00:00Z", OLD, NULL, NULL, KEY_EVIDENCE_SET},
};

static void each_evidence(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        struct fixture f;
        const struct desired *d;
        struct original_key o;
        struct value *point = value_map(a);

        fixture_begin(&f, arena_printf(a, ESTATE("%s"), rows[i].declared),
                      arena_printf(a, "ProtectedVirtualMachine/vm: %s\nKey/os-key: %s\n", rows[i].vm, rows[i].key));
        d = f.view.desired;
        value_set_string(a, point, "time", rows[i].point);
        o = original_key_of(&f.view, desired_find(d, "ProtectedVirtualMachine", "vm"), desired_find(d, "Key", "os-key"),
                            point);
        CHECK_ROW(rows[i].reason, str_eq(o.version, rows[i].version) || (!o.version && !rows[i].version));
        CHECK_ROW(rows[i].reason, str_eq(o.also, rows[i].also) || (!o.also && !rows[i].also));
        CHECK_ROW(rows[i].reason, !o.also == !o.beside && (!o.also || strstr(o.beside, o.also)));
        CHECK_ROW(rows[i].reason, o.evidence == rows[i].evidence);
        CHECK_ROW(o.conflict ? o.conflict : rows[i].reason,
                  rows[i].conflict ? o.conflict && strstr(o.conflict, rows[i].conflict) : !o.conflict);
        CHECK_ROW(rows[i].reason, o.words && *o.words);
        CHECK_ROW(o.words, !(o.also && !o.version) || strstr(o.words, "which was made only at"));
        fixture_end(&f);
        arena_free(a);
    }
}

/* Without a Key document the store and the name come from the evidence too. */
static void without_a_document(void)
{
    struct fixture f;
    struct original_key o;
    struct value *point;

    fixture_begin(&f, ESTATE(""), "ProtectedVirtualMachine/vm: {" HISTORY "}\n");
    point = value_map(f.arena);
    value_set_string(f.arena, point, "time", "2026-11-10T20:00:00Z");
    o = original_key_of(&f.view, desired_find(f.view.desired, "ProtectedVirtualMachine", "vm"), NULL, point);
    CHECK_STR(o.base, "https://kv.vault.azure.net");
    CHECK_STR(o.name, "os");
    CHECK_STR(o.version, OLD);
    fixture_end(&f);
}

static const struct {
    const char *reason, *orders, *facts, *version, *conflict;
} need_rows[] = {
    {"no order: nothing is needed", "", "ProtectedVirtualMachine/vm: {" POINTS ", " HISTORY "}\n", NULL, NULL},
    {"an ordered point of before the rotation", ORDER("o", "dr", "1"),
     "ProtectedVirtualMachine/vm: {" POINTS ", " HISTORY "}\n", OLD, NULL},
    {"an ordered point of after it", ORDER("o", "dr", "2"), "ProtectedVirtualMachine/vm: {" POINTS ", " HISTORY "}\n",
     NEW, NULL},
    {"two orders that agree", ORDER("o", "dr", "1") ORDER("o2", "dr2", "1"),
     "ProtectedVirtualMachine/vm: {" POINTS ", " HISTORY "}\nProtectedVirtualMachine/vm2: {" POINTS ", " HISTORY "}\n",
     OLD, NULL},
    {"two orders that disagree: both are named, none is chosen", ORDER("o", "dr", "1") ORDER("o2", "dr2", "2"),
     "ProtectedVirtualMachine/vm: {" POINTS ", " HISTORY "}\nProtectedVirtualMachine/vm2: {" POINTS ", " HISTORY "}\n",
     NULL,
     "point 1 of vm needs version " OLD " (own history, as of 2026-11-05T03:00:00Z), and point 2 of vm2 needs " NEW},
};

static void what_a_document_stands_for(void)
{
    for (size_t i = 0; i < COUNT(need_rows); i++) {
        struct arena *a = arena_new();
        struct fixture f;
        struct key_need need;

        fixture_begin(&f, arena_printf(a, ESTATE("") "%s", need_rows[i].orders), need_rows[i].facts);
        need = key_needed(&f.view, desired_find(f.view.desired, "Key", "os-key"));
        CHECK_ROW(need_rows[i].reason,
                  str_eq(need.version, need_rows[i].version) || (!need.version && !need_rows[i].version));
        CHECK_ROW(need.conflict ? need.conflict : need_rows[i].reason,
                  need_rows[i].conflict ? need.conflict && strstr(need.conflict, need_rows[i].conflict)
                                        : !need.conflict);
        fixture_end(&f);
        arena_free(a);
    }
}

int main(void)
{
    each_evidence();
    without_a_document();
    what_a_document_stands_for();
    HARNESS_END();
}
