/* Knows by which ids documents are found. Must not know who asks. */
#include "found.h"

static void put_set(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    (void)v;
    index_put(x, arm_id_bare(a, disk_encryption_set_id(a, doc)), doc);
}

static const struct view_names sets = {.kind = "DiskEncryptionSet", .declared = true, .put = put_set};

const struct document *set_document_at(const struct view *v, const char *id)
{
    const struct index_entry *found = view_find(v, &sets, arm_id_bare(v->arena, id));

    return found ? found->thing : NULL;
}

static void put_target(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    (void)v;
    index_put(x, arm_id_bare(a, restored_vm_id(a, doc)), doc);
}

static const struct view_names targets = {.kind = "RestoredVirtualMachine", .declared = true, .put = put_target};

const struct document *restored_at_next(const struct view *v, const char *id, const struct index_entry **at)
{
    return view_next(v, &targets, *at ? NULL : arm_id_bare(v->arena, id), at);
}

static void put_account(const struct view *v, const struct document *doc, struct arena *a, struct index *x)
{
    (void)v;
    index_put(x, arm_id_bare(a, reference_id(a, doc, "spec.target.stagingAccount", NULL)), doc);
}

static const struct view_names accounts = {.kind = "RestoredVirtualMachine", .declared = true, .put = put_account};

const struct document *restored_through_next(const struct view *v, const char *account, const struct index_entry **at)
{
    return view_next(v, &accounts, *at ? NULL : arm_id_bare(v->arena, account), at);
}
