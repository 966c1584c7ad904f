/* Knows what discovery could not find, and what would help. Must not know how documents are written. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "writer.h"
#include "../azure/defaults.h"
#include "../azure/geography.h"
#include "../../reconciler/base/text.h"
#include "../../reconciler/format/crypt.h"
#include "../azure/vault.h"
#include "../documents/common.h"
#include "found.h"

/* --- what is missing, and what would help ------------------------------------------------------------------------- */

void writer_tell_machines(const struct writer *w)
{
    const struct value *machines = value_get(w->found, "machines");

    for (size_t i = 0; i < value_count(machines); i++) {
        const struct value *m = value_item(machines, i);
        const char *name = value_str_at(m, "name");

        if (value_bool_at(m, "softDeleted", false))
            found_note(w->a, w->found, name,
                       "its backup is in soft delete: undelete it in the vault before anything else");
        if (str_eq(value_str_at(m, "encryption"), "platform-key"))
            found_note(w->a, w->found, name,
                       "encrypted with a platform-managed key: no disk encryption set and no key belong to it");
        else if (value_str_at(m, "des"))
            continue;
        else if (str_eq(value_str_at(m, "state"), "unseen"))
            found_note(w->a, w->found, name,
                       "the VM cannot be seen, so its disk encryption set and key are not written: %s (%s)",
                       unseen_fix(m, "give the credential Reader on it"), value_str_at(m, "why"));
        else if (str_eq(value_str_at(m, "state"), "absent"))
            found_note(w->a, w->found, name,
                       "the VM is gone and no disk encryption set that can be read has a disk or restore point of it: "
                       "which key its backup "
                       "needs is not known. Old manifests, a history of observations, the activity log of disk "
                       "encryption sets (90 days) or "
                       "the key's audit log would tell; then add DiskEncryptionSet and Key by hand");
        else
            found_note(w->a, w->found, name, "neither the VM nor its disk names a disk encryption set");
    }
}

void writer_tell_sets(const struct writer *w)
{
    const struct value *sets = value_get(w->found, "sets");

    for (size_t i = 0; i < value_count(sets); i++) {
        const struct value *set = value_item(sets, i);
        const char *name = arm_id_name(value_str_at(set, "id")), *state = value_str_at(set, "state");

        if (str_eq(state, "unseen"))
            found_note(w->a, w->found, name,
                       "the disk encryption set cannot be seen, so it and its key are not written: %s (%s)",
                       unseen_fix(set, "give the credential Reader on it"), value_str_at(set, "why"));
        else if (str_eq(state, "absent"))
            found_note(w->a, w->found, name,
                       "the disk encryption set is gone, and with it the address of its key. Old manifests, a history "
                       "of observations or the "
                       "activity log (90 days) would tell; then add DiskEncryptionSet and Key by hand");
        else if (!writer_set_declared(set))
            found_note(w->a, w->found, name, "the disk encryption set names no key");
        else if (value_bool_at(set, "live.properties.rotationToLatestKeyVersionEnabled", false))
            found_note(w->a, w->found, name,
                       "it follows the newest key version, which is not supported for confidential VMs; not declared");
        if (value_count(value_at(set, "live.properties.previousKeys")))
            found_note(w->a, w->found, name,
                       "it was rotated: recovery points from before may need one of its previous keys; the Key "
                       "document names no version "
                       "where the "
                       "set is on the newest one, so that the set, or a history of observations, tells which");
    }
}

void writer_tell_keys(const struct writer *w)
{
    const struct value *keys = value_get(w->found, "keys");

    for (size_t i = 0; i < value_count(keys); i++) {
        const struct value *key = value_item(keys, i), *store = writer_store_of(w, key);
        const char *name = value_str_at(key, "name"), *state = value_str_at(key, "state");

        if (!writer_declarable(store))
            found_note(w->a, w->found, name,
                       "its store %s cannot be found: it is gone, or not readable by this credential%s%s; key and "
                       "rights are not written",
                       value_str_at(store, "name"), value_str_at(store, "why") ? ": " : "",
                       value_str_at(store, "why") ? value_str_at(store, "why") : "");
        else if (!str_eq(value_str_at(store, "state"), "present"))
            found_note(w->a, w->found, name, "its store %s is %s; the key could not be looked at",
                       value_str_at(store, "name"), value_str_at(store, "state"));
        else if (str_eq(state, "unseen"))
            found_note(w->a, w->found, name,
                       "the key cannot be seen; its name and version are the disk encryption set's (%s)",
                       value_str_at(key, "why"));
        else if (str_eq(state, "deleted"))
            found_note(w->a, w->found, name, "the key is soft-deleted: it can be recovered until it is purged");
        else if (str_eq(state, "absent"))
            found_note(w->a, w->found, name,
                       "version %s of the key is not there, nor is the key among the deleted ones",
                       value_str_at(key, "version") ? value_str_at(key, "version") : "(none named)");
        else if (!value_bool_at(key, "live.attributes.enabled", true))
            found_note(w->a, w->found, name,
                       "the key version is disabled; the document declares it enabled, so that plan shows it");
    }
}
