/* Knows which resources documents stand for, before anything is read. Must not know how they are read. */
#include "expected.h"

#include "../azure/bulk.h"

static void expect(void *provider, const struct document *doc, const char *id)
{
    struct azure *az = kind_azure(provider, doc);

    if (az)
        bulk_expect(az, id);
}

/* Where the grants on a key are made: on its vault, or on the key alone. */
static void expect_assignments(void *provider, struct arena *a, const struct document *access)
{
    const struct document *key = document_target(access, "spec.key"),
                          *store = key ? document_target(key, "spec.store") : NULL;
    struct azure *az = kind_azure(provider, access);
    const char *name = key ? value_str_at(key->spec, "keyName") : NULL;

    if (az && store && !key_store_is_hsm(store))
        bulk_expect_assignments(az,
                                !str_eq(value_str_at(access->spec, "scope"), "key")
                                    ? key_store_id(a, store)
                                    : arena_printf(a, "%s/keys/%s", key_store_id(a, store), name ? name : key->name));
}

/* An id that may be declared, or given as it is. */
static void expect_named(void *provider, const struct document *doc, const char *path)
{
    const struct reference *ref = document_reference(doc, path);

    if (ref && ref->id)
        expect(provider, doc, ref->id);
}

static void expect_restored(void *provider, struct arena *a, const struct document *rvm)
{
    expect(provider, rvm, restored_vm_id(a, rvm));
    expect_named(provider, rvm, "spec.diskEncryptionSet");
    expect_named(provider, rvm, "spec.target.stagingAccount");
}

void look_expected(void *provider, const struct view *v, bool begins)
{
    const struct azure_connections *connections = provider;
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; connections && i < connections->count; i++)
        if (connections->items[i])
            begins ? bulk_begin(connections->items[i]) : bulk_end(connections->items[i]);
    for (size_t i = 0; connections && begins && i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if (str_eq(doc->kind, "ProtectedVirtualMachine"))
            expect(provider, doc, source_vm_id(a, doc));
        else if (str_eq(doc->kind, "RestoredVirtualMachine"))
            expect_restored(provider, a, doc);
        else if (str_eq(doc->kind, "KeyVault"))
            expect(provider, doc, key_vault_id(a, doc));
        else if (str_eq(doc->kind, "KeyAccess"))
            expect_assignments(provider, a, doc);
        else if (str_eq(doc->kind, "DiskEncryptionSet"))
            expect(provider, doc, disk_encryption_set_id(a, doc));
    }
}
