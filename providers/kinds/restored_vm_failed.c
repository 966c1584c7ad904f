/* Knows what follows from restore jobs that have failed: whether the restore is tried again, and what a person is told
 * if not. Must not know its steps. */
#include "restored_vm_steps.h"

#include "restored_vm.h"

#include "../azure/key_id.h"
#include "../backup/points.h"
#include "../restore/jobs.h"

const struct value *restored_vm_jobs_of_order(const struct view *v, const struct situation *s)
{
    struct job_match all = s->match;

    all.not_exports = false;
    return jobs_matching(v->arena, value_get(view_facts(v, s->pvm), "jobs"), &all);
}

/* The key lives, so nothing is recovered, enabled or restored: what is left is another set, on the version
 * that is in use now. */
static const char *before_rotation_advice(const struct view *v, const struct situation *s)
{
    const char *version =
        key_url_version(v->arena, value_str_at(view_facts(v, s->des), "live.properties.activeKey.keyUrl"));

    return arena_printf(
        v->arena,
        "declare another disk encryption set (another id than %s) on the rotated key version %s as its "
        "diskEncryptionSet, and Policy.spec.article: \"2026-07\", whose edition describes that; the key itself is not "
        "touched; then order anew",
        arm_id_name(s->original_des), version ? version : "that this one is on");
}

const char *restored_vm_failed_advice(const struct view *v, const struct situation *s, const struct azure_error *known,
                                      const char *advice)
{
    bool perhaps = !known || known->cure == CURE_KEY || known->cure == CURE_SET || known->cure == CURE_PERMISSION;
    const char *doubt = perhaps && s->now.encryption == DX_CMK ? situation_grants_doubt(v, s) : NULL;

    return doubt ? arena_printf(v->arena, "%s; besides, %s", advice, doubt) : advice;
}

static void block_before_rotation(const struct view *v, const struct situation *s, struct steps *out,
                                  const struct value *last)
{
    steps_block(out, s->doc, NULL, before_rotation_advice(v, s),
                "restore job %s of this order failed with %s: the point is from before the rotation of its set, and a "
                "plain restore "
                "from it is tried once only; it may have left the key in the staging account",
                value_str_at(last, "job"), value_str_at(last, "code") ? value_str_at(last, "code") : "no name")
        ->scenario = "N-04";
}

/* What it left of the key, and the documents that lead on from there. */
static void block_failed_for_key(const struct view *v, const struct situation *s, struct steps *out,
                                 const struct value *last)
{
    const char *code = value_str_at(last, "code"), *account = value_str_at(last, "account"),
               *blob = value_str_at(last, "blob");
    const char *container = value_str_at(last, "container");
    const char *left =
        !blob ? ""
              : arena_printf(v->arena, "; it left Azure Backup's copy of the key in storage account %s (%s/%s)",
                             account ? account : "?", container ? container : "?", blob);

    const char *next =
        s->key
            ? "name a new disk encryption set on the original key version in the declaration (another id than the "
              "original "
              "set), from a point in the vault tier; then order anew"
            : arena_printf(
                  v->arena,
                  "write the documents that the way on needs: a Key whose sources are [azureBackup: {from: [%s]}], a "
                  "DiskEncryptionSet on it, a KeyAccess for it, and name the set in %s; the key then comes from this "
                  "job's copy, without another failure",
                  s->pvm->name, s->doc->address);

    steps_block(
        out, s->doc, NULL, restored_vm_failed_advice(v, s, job_error(last), next),
        "restore job %s of this order failed for the key with %s%s, and no grant, key or set that is declared has "
        "changed since%s",
        value_str_at(last, "job"), code ? code : "no name",
        s->key && s->now.key == DX_KEY_PRESENT
            ? ", although the key is there (the editions of Microsoft's article differ on what the service takes)"
            : "",
        left);
}

/* Whoever cancelled it had a reason that Azure does not tell. */
static void block_cancelled(const struct view *v, const struct situation *s, struct steps *out,
                            const struct value *last)
{
    const char *end = value_str_at(last, "end");
    bool going_on = job_lasts(last);

    steps_block(
        out, s->doc, NULL,
        arena_printf(
            v->arena,
            "ask who cancelled it and why (the vault's activity log names them); when it is still to be restored, "
            "order anew from now: reinstate activate -f ... %s",
            s->doc->name),
        "restore job %s of this order %s%s%s by a person or a service at Azure, and is not tried again by itself; "
        "target "
        "group %s may hold what it left",
        value_str_at(last, "job"), going_on ? "is being cancelled" : "was cancelled", end && !going_on ? " at " : "",
        end && !going_on ? end : "", s->match.target_group);
}

/* It exported the key, and the claim of this restore is seen to be of another job or not there: then
 * it was the pass. */
static bool claimed_as_pass(const struct view *v, const struct situation *s, const struct value *job)
{
    const struct value *claims = value_at(view_facts(v, s->doc), "place.claims"), *own = value_get(claims, "restore");
    const char *of = value_str_at(own, "job");

    return value_str_at(job, "blob") && str_eq(value_str_at(claims, "state"), "present") &&
           (!own || (of && !str_eq_nocase(of, value_str_at(job, "job"))));
}

/* Which failures count: a restore of disks cannot be told by itself from the export pass, of which there is one. */
static size_t failures_of(const struct view *v, const struct situation *s, const struct value *jobs)
{
    bool like_pass = situation_type(s->doc) == RESTORE_DISKS && s->key;
    size_t failures = restored_vm_failures(jobs);
    bool pass = like_pass && s->given == DX_GIVEN_NOTHING;

    for (size_t i = 0; like_pass && !pass && i < value_count(jobs); i++)
        pass = job_failed(value_item(jobs, i)) && claimed_as_pass(v, s, value_item(jobs, i));
    return pass && failures ? failures - 1 : failures;
}

/* All grants are there, and old enough or tried often enough. Only of the service's own check it is not told which
 * role contents it. */
static void steps_refused(const struct view *v, const struct situation *s, struct steps *out, const struct value *job)
{
    const char *code = value_str_at(job, "code");
    bool service = str_find_nocase(code, "PermissionsNotConfigured") != NULL;
    const char *when =
        restored_vm_refused_in_vain(v, s, job) ? "and were made long enough before" : "and it was tried time and again";

    steps_block(
        out, s->doc, NULL,
        service
            ? "declare a wider role for it in the KeyAccess (role: Key Vault Administrator for the Backup Management "
              "Service), or let the service through the vault's firewall; then apply again"
            : "look for what else keeps it out: the key store's firewall or network perimeter, a deny assignment, a "
              "condition "
              "on the role; the grants themselves are there, and a wider role would not help",
        service ? "restore job %s failed with %s although all declared grants are there %s: the service may want more "
                  "than the "
                  "narrowest role that allows it (unverified on Azure)"
                : "restore job %s failed with %s although all declared grants are there %s",
        value_str_at(job, "job"), code, when);
}

/* Whether the last failure was for a right that no KeyAccess declares: then we cannot see whether it was given since,
 * and must not try again blindly. */
static bool refused_unseen(const struct view *v, const struct situation *s, const struct value *job)
{
    const struct azure_error *known = job_error(job);

    return known && known->cure == CURE_PERMISSION && !restored_vm_granted(v, s, job);
}

static bool failed_for_key(const struct value *job)
{
    const struct azure_error *known = job_error(job);

    return value_str_at(job, "blob") || (known && (known->cure == CURE_KEY || known->cure == CURE_SET));
}

/* A try that says something of the next one: late grants, a busy service and what was mended since do not. */
static bool tried_again(const struct view *v, const struct situation *s, const struct value *job)
{
    return (job_retryable(job) && !refused_unseen(v, s, job)) || restored_vm_mended_since(v, s, job) ||
           restored_vm_refused_early(v, s, job);
}

/* --- before any order --------------------------------------------------------------------------------------------- */

/* One of the same kind and target, whoever began it. A pass that exported the key is made to fail. */
static bool like_this(const struct situation *s, const struct job_match *machine, const struct value *job)
{
    const char *group = value_str_at(job, "targetGroup"), *vm = value_str_at(job, "targetVm"),
               *type = value_str_at(job, "type"), *declared = s->doc ? value_str_at(s->doc->spec, "restore") : NULL;

    if (job_whose(job, machine->group, machine->vm) != JOB_OF_MACHINE || job_lasts(job) || job_cancelled(job) ||
        (str_eq(type, "disks") && value_str_at(job, "blob")))
        return false;
    if (!s->doc)
        return true;
    return str_eq(type, declared ? declared : "new-vm") &&
           (!group || str_eq_nocase(group, s->match.target_group)) &&
           (!s->match.target_vm || str_eq_nocase(vm, s->match.target_vm));
}

/* The set was put on another key, or on another version of it, once the job had begun. */
static bool set_changed_since(const struct view *v, const struct situation *s, const struct value *job)
{
    int64_t start = time_parse(value_str_at(job, "start")),
            set = time_parse(value_str_at(view_facts(v, s->des), "live.properties.lastKeyRotationTimestamp"));

    return start != TIME_NONE && set != TIME_NONE && set > start;
}

static bool failed_for_access(const struct value *job)
{
    const struct azure_error *known = job_error(job);

    return failed_for_key(job) || (known && known->cure == CURE_PERMISSION);
}

/* What passes by itself: trouble inside the service, and grants that were too young, once they have had their time. */
static bool passing(const struct view *v, const struct situation *s, const struct value *job)
{
    const struct azure_error *known = job_error(job);
    int64_t start = time_parse(value_str_at(job, "start"));

    if (restored_vm_refused_early(v, s, job))
        return start != TIME_NONE && start + GRANT_YOUNG_MS < v->now_ms;
    return job_retryable(job) && known->cure != CURE_PERMISSION;
}

/* The newest of those that speak of this restore; *ret_failed: how many of its like have failed, one after the other.
 */
static const struct value *last_of(const struct view *v, const struct situation *s, size_t *ret_failed)
{
    const struct value *jobs = value_get(view_facts(v, s->pvm), "jobs"), *last = NULL;
    const struct job_match machine = protected_vm_match(v, s->pvm);
    int64_t last_ms = TIME_NONE, done_ms = TIME_NONE, point_ms = time_parse(value_str_at(s->point, "time"));

    *ret_failed = 0;
    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);
        int64_t start_ms = time_parse(value_str_at(job, "start"));

        if (!like_this(s, &machine, job) || (job_failed(job) && !failed_for_access(job) &&
                                             job_point_fit(job, point_ms) == TIME_FITS_NOT))
            continue;
        if (!job_failed(job) && start_ms > done_ms)
            done_ms = start_ms;
        if (!last || start_ms > last_ms) {
            last = job;
            last_ms = start_ms;
        }
    }
    for (size_t i = 0; i < value_count(jobs); i++)
        *ret_failed += like_this(s, &machine, value_item(jobs, i)) && job_failed(value_item(jobs, i)) &&
                       time_parse(value_str_at(value_item(jobs, i), "start")) > done_ms;
    return last;
}

const struct value *restored_vm_failed_before(const struct view *v, const struct situation *s)
{
    size_t failed;
    const struct value *last = last_of(v, s, &failed);

    if (!last || !job_failed(last) || restored_vm_mended_since(v, s, last) || set_changed_since(v, s, last))
        return NULL;
    return passing(v, s, last) && failed < RESTORE_ATTEMPTS_MAX ? NULL : last;
}

const char *restored_vm_failed_words(struct arena *a, const struct value *job)
{
    const struct azure_error *known = job_error(job);
    const char *code = value_str_at(job, "code"), *start = value_str_at(job, "start");

    return arena_printf(a,
                        "restore job %s%s%s failed with %s%s%s, and nothing that is declared of key, set and grants "
                        "has changed since",
                        value_str_at(job, "job"), start ? " of " : "", start ? start : "",
                        code ? code : "an unnamed error", known ? ": " : "", known ? known->meaning : "");
}

bool restored_vm_steps_failed(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *jobs = restored_vm_jobs_of_order(v, s), *last = value_item(jobs, 0);
    const char *code = value_str_at(last, "code"), *text = value_str_at(last, "text");
    const struct azure_error *known = job_error(last);
    size_t failures = failures_of(v, s, jobs);
    bool for_key = failed_for_key(last);

    if (restored_vm_job(s->jobs, "running") || !failures)
        return false;
    if (job_cancelled(last)) {
        block_cancelled(v, s, out, last);
        return true;
    }
    if (restored_vm_before_rotation(s) && for_key) {
        block_before_rotation(v, s, out, last);
        return true;
    }
    if (restored_vm_refused_in_vain(v, s, last)) {
        steps_refused(v, s, out, last);
        return true;
    }
    if (tried_again(v, s, last) && failures < RESTORE_ATTEMPTS_MAX)
        return false;
    /* Tried as often as late grants deserve: the refusal stands, whatever the job left behind. */
    if (known && known->cure == CURE_PERMISSION && !refused_unseen(v, s, last)) {
        steps_refused(v, s, out, last);
        return true;
    }
    if (for_key) {
        block_failed_for_key(v, s, out, last);
        return true;
    }
    steps_block(out, s->doc, NULL,
                restored_vm_failed_advice(
                    v, s, known,
                    known ? known->action : "look at the job in the portal; the code is not in the table of errors"),
                "restore job %s failed with %s%s%s%s%s; target group %s may hold what it left",
                value_str_at(last, "job"), code ? code : "an unnamed error", known ? ": " : "",
                known ? known->meaning : "", text ? ": " : "", text ? text : "", s->match.target_group);
    return true;
}
