/* Knows what other machines on a lost key do, or have left, that makes a pass of ours superfluous or a second copy.
 * Must not know when the pass is triggered. */
#include "export_beside.h"

#include "../keys/refused.h"

const struct value *export_beside_job(const struct value *jobs)
{
    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);
        const char *type = value_str_at(job, "type");

        if (job_lasts(job) && (!type || str_eq(type, "disks") || str_eq(type, "unknown")))
            return job;
    }
    return NULL;
}

const struct document *export_beside_next(const struct document *key, const struct document *pvm, size_t *at)
{
    while (*at < key->n_references) {
        const struct document *other = key->references[(*at)++].target;

        if (other && other != pvm && str_eq(other->kind, "ProtectedVirtualMachine"))
            return other;
    }
    return NULL;
}

/* What another machine has left may be the key, and its points, which would tell, cannot be seen: a pass would leave
 * a second copy. */
static bool block_untold_export(const struct view *v, const struct document *doc, struct steps *out,
                                const struct export_election *e, const struct document *other)
{
    const struct value *facts = view_facts(v, other), *exports = value_get(facts, "exports");
    const char *why = value_str_at(facts, "why");

    for (size_t i = 0; str_eq(view_state(v, other), "unseen") && i < value_count(exports); i++) {
        const struct value *one = value_item(exports, i);

        if (key_refusal_of(v, e->key, key_export_told_by(v->arena, one)))
            continue;
        steps_block(out, doc, "export-key",
                    "see to it that its recovery points can be read, and run again: then what it left is used",
                    "%s is lost and is not exported again: job %s has left an export of %s, and whether it is this key "
                    "cannot be told: %s",
                    e->key->address, value_str_at(one, "job"), other->address,
                    why ? why : "its recovery points cannot be seen");
        return true;
    }
    return false;
}

bool export_beside_blocks(const struct view *v, const struct document *doc, struct steps *out,
                          const struct export_election *e)
{
    const struct document *other;
    size_t at = 0;

    while ((other = export_beside_next(e->key, doc, &at))) {
        const struct value *job = export_beside_job(value_get(view_facts(v, other), "jobs"));
        const char *why = value_str_at(view_facts(v, other), "jobsWhy");

        if (why) {
            steps_block(
                out, doc, "export-key",
                arena_printf(v->arena,
                             "Backup Reader on its vault shows them; or, when a person has looked and none of them "
                             "exports this key, take %s out of the sources of %s",
                             other->name, e->key->address),
                "%s is lost and is not exported: %s is a source of it too, and whether its restore jobs export it or "
                "left a "
                "copy, cannot be seen: %s",
                e->key->address, other->address, why);
            return true;
        }

        if (!job && block_untold_export(v, doc, out, e, other))
            return true;
        if (!job)
            continue;
        steps_block(out, doc, "export-key", EXPORT_BESIDE_NEXT,
                    "%s is lost and is not exported twice: %s restores %s, which uses it too", e->key->address,
                    job_words(v->arena, job), other->address);
        return true;
    }
    return false;
}
