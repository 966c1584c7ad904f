/* Knows which machine's backup can carry a key, as far as manifests tell. Azure is asked later, and decides: disks may
 * have been on another key than their restored machine will be, so this warns. */
#include "sources.h"

#include <string.h>

/* Why the backup of this machine can be no source of the key, as declared; NULL: it can. */
static const char *no_source(struct arena *a, const struct document *key, const struct document *pvm,
                             const char **ret_instead)
{
    const struct document *rvm, *set, *other = NULL;
    bool any = false;
    size_t at = 0;

    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        const struct reference *named = document_reference(rvm, "spec.diskEncryptionSet");
        const struct document *its;

        any = true;
        set = named ? named->target : NULL;
        its = set ? document_target(set, "spec.key") : NULL;
        /* A set or a key that is named by its address may be on this very one. */
        if (its == key || (named && (!set || !its)))
            return NULL;
        other = its ? its : other;
    }
    *ret_instead = "name machines whose disks were wrapped with this key; reinstate graph --lineage shows which were";
    if (other)
        return arena_printf(a, "%s comes back on %s as declared, not on this key: its backup is no source of it",
                            pvm->name, other->address);
    /* A machine that is only watched over comes back nowhere yet, and is no fault. */
    return any ? arena_printf(a,
                              "%s comes back without a disk encryption set as declared: its backup carries no key of "
                              "ours",
                              pvm->name)
               : NULL;
}

static bool is_backup(const struct reference *ref)
{
    return ref->target && strstr(ref->path, ".azureBackup.from.");
}

const struct document *key_backup_next(const struct document *key, size_t *at)
{
    while (*at < key->n_references && !is_backup(&key->references[*at]))
        ++*at;
    return *at < key->n_references ? key->references[(*at)++].target : NULL;
}

bool key_backup_is(const struct document *key, const struct document *pvm)
{
    const struct document *one;
    size_t at = 0;

    while ((one = key_backup_next(key, &at)))
        if (one == pvm)
            return true;
    return false;
}

void key_sources_check(const struct document *key, struct diags *faults)
{
    for (size_t i = 0; i < key->n_references; i++) {
        const struct reference *ref = &key->references[i];
        const char *instead, *why;

        if (!is_backup(ref))
            continue;
        why = no_source(faults->arena, key, ref->target, &instead);
        if (why)
            diags_add(faults, SEVERITY_WARNING, &ref->origin, instead, "%s", why);
    }
}
