/* Knows what no two documents that rely on each other can differ in: cloud and tenant. Must not forbid other
 * subscriptions: a vault may protect VMs of another one, and a set may use a key of another one. */
#include "one_cloud.h"

#include "../../reconciler/base/text.h"

void one_cloud_check(const struct document *doc, struct diags *faults)
{
    static const char *const fields[] = {"cloud", "tenant"};

    for (size_t i = 0; doc->connection && i < doc->n_references; i++) {
        const struct reference *ref = &doc->references[i];
        const struct document *other = ref->target ? ref->target->connection : NULL;

        for (size_t k = 0; other && k < COUNT(fields); k++) {
            const char *here = value_str_at(doc->connection->spec, fields[k]),
                       *there = value_str_at(other->spec, fields[k]);

            if (!here || !there || str_eq_nocase(here, there))
                continue;
            diags_add(faults, SEVERITY_ERROR, &ref->origin,
                      arena_printf(faults->arena, "let both name one Azure document, such as azure: %s", other->name),
                      "%s: %s uses %s of %s %s, and %s is of %s %s (%s): neither sees the other", ref->path,
                      doc->address, doc->connection->address, fields[k], here, ref->target->address, fields[k], there,
                      other->address);
            break;
        }
    }
}
