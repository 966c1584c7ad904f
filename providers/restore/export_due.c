/* Knows whether an export pass is still due in the last moment before its trigger: the key lost, no other machine at
 * it, nothing left meanwhile. Must not know why it was due. */
#include "export_beside.h"

#include "../azure/vault.h"
#include "../backup/job_run.h"
#include "election.h"
#include "../backup/points.h"
#include "place.h"

static const struct export_pass *pass_of(const struct job_run *run)
{
    return run->ctx;
}

/* A key that is being recovered is for a while neither among the keys nor among the deleted ones. */
static int still_lost(struct call *c, const struct job_run *run, struct err *err)
{
    const struct export_election *e = &pass_of(run)->elected;
    const struct value *key = view_facts(run->actor->view, e->key);
    const char *base = value_str_at(key, "base"), *name = value_str_at(key, "name");
    struct value *found = NULL;

    if (!base || !str_eq(value_str_at(key, "storeState"), "present"))
        return 0;
    if (vault_get_key(run->az, c, run->actor->arena, base, name, NULL, &found, err) < 0 && err->class != ERR_NOT_FOUND)
        return -(int)err->class;
    if (!found && vault_get_deleted_key(run->az, c, run->actor->arena, base, name, &found, err) < 0 &&
        err->class != ERR_NOT_FOUND)
        return -(int)err->class;
    if (!found)
        return 0;
    err_set(err, ERR_CONFLICT, "%s is not lost after all: a look %s later finds it", e->key->address,
            duration_format(run->actor->arena, run->settle_ms));
    return err_advise(err, "plan again; nothing was triggered");
}

/* The same question as in the plan, asked in the last moment: where no claim can be taken, it is the only one. */
static int none_beside(struct call *c, const struct job_run *run, struct err *err)
{
    const struct export_election *e = &pass_of(run)->elected;
    const struct view *v = run->actor->view;
    const struct document *other;
    size_t at = 0;

    while ((other = export_beside_next(e->key, run->actor->step->document, &at))) {
        const char *vault = value_str_at(view_facts(v, other), "vaultId");
        struct job_match match = protected_vm_match(v, other);
        const struct value *job;
        struct value *jobs;

        if (!vault)
            continue;
        TRY(jobs_look(run->az, c, run->actor->arena, &(struct jobs_wanted){vault, &match, run->bound_ms}, &jobs, err));
        job = export_beside_job(jobs);
        if (!job)
            continue;
        err_set(err, ERR_BLOCKED, "%s restores %s, which uses %s too; nothing was triggered",
                job_words(run->actor->arena, job), other->address, e->key->address);
        return err_advise(err, "%s", EXPORT_BESIDE_NEXT);
    }
    return 0;
}

/* Of the machine's jobs that are `now`, one that failed and names an export that will do, and did not when they were
 * `seen`; NULL. One of an older point spares no pass. */
static const struct value *export_since(const struct view *v, const struct document *key, const struct document *pvm,
                                        const struct value *now, const struct value *seen)
{
    for (size_t i = 0; i < value_count(now); i++) {
        const struct value *job = value_item(now, i), *before = job_of_id(seen, value_str_at(job, "job"));

        if (str_eq(value_str_at(job, "state"), "failed") && value_str_at(job, "blob") &&
            !value_str_at(before, "blob") && export_will_do(v, key, pvm, job))
            return job;
    }
    return NULL;
}

int export_left_meanwhile(struct call *c, const struct job_run *run, const struct value **ret, struct err *err)
{
    const struct document *key = pass_of(run)->elected.key, *other;
    const struct view *v = run->actor->view;
    struct value *jobs;
    size_t at = 0;

    TRY(jobs_look(run->az, c, run->actor->arena, &(struct jobs_wanted){run->vault_id, &run->match, run->bound_ms},
                  &jobs, err));
    *ret = export_since(v, key, run->actor->step->document, jobs, run->seen);
    while (!*ret && (other = export_beside_next(key, run->actor->step->document, &at))) {
        const struct value *facts = view_facts(v, other);
        struct job_match match = protected_vm_match(v, other);

        if (!value_str_at(facts, "vaultId"))
            continue;
        TRY(jobs_look(run->az, c, run->actor->arena,
                      &(struct jobs_wanted){value_str_at(facts, "vaultId"), &match, run->bound_ms}, &jobs, err));
        *ret = export_since(v, key, other, jobs, value_get(facts, "jobs"));
    }
    return 0;
}

int export_still_due(struct call *c, const struct job_run *run, struct err *err)
{
    const struct value **left = pass_of(run)->left;

    TRY(jobs_none_other(run->az, c, run->actor, run->vault_id, &run->match, run->bound_ms, err));
    TRY(still_lost(c, run, err));
    TRY(none_beside(c, run, err));
    TRY(export_left_meanwhile(c, run, left, err));
    if (*left) {
        err_set(err, ERR_BLOCKED, "%s has left an exported key meanwhile; nothing was triggered",
                job_words(run->actor->arena, *left));
        return err_advise(err, "run again: what it left is used");
    }
    TRY(actor_look_again(run->actor, c, err));
    return restore_validate(c, run->actor, run->az, run->item_id, &run->request, true, err);
}
