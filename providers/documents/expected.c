/* Knows which resources documents stand for, before anything is read. Must not know how they are read. */
#include "expected.h"

#include "../azure/bulk.h"

static void expect(void *provider, const struct document *doc, const char *id)
{
    struct azure *az = kind_azure(provider, doc);

    if (az)
        bulk_expect(az, id);
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
            expect(provider, doc, restored_vm_id(a, doc));
        else if (str_eq(doc->kind, "DiskEncryptionSet"))
            expect(provider, doc, disk_encryption_set_id(a, doc));
    }
}
