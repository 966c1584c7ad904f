/* Knows how a restore is carried out: triggered once, followed, read back; and how a restored VM is started. Must not
 * decide whether one is due. */
#include "../azure/key_id.h"
#include "../backup/job_run.h"
#include "../backup/protection.h"
#include "../restore/claims.h"
#include "../restore/obstacles.h"
#include "../restore/place.h"
#include "../backup/order.h"
#include "../restore/jobs.h"
#include "../restore/requests.h"
#include "../restore/left.h"
#include "../restore/made.h"
#include "restored_vm.h"

static int act_start(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    struct arm_operation op;
    int rc;

    permit_until(c, call_span_ms(c) + LOOK_HOLDS_MS);
    rc = arm_send(az, c, actor->arena,
                  &(struct arm_sending){.method = HTTP_POST,
                                        .path = arena_printf(actor->arena, "%s/start", actor->step->scope),
                                        .api = API_COMPUTE,
                                        .repeat = ARM_REPEATABLE},
                  &op, err);
    permit_until(c, 0);
    TRY(rc);
    if (arm_follow(az, c, actor->arena, &op, actor->view->settings->poll_bound_ms, NULL, err) == 0)
        return 0;
    return err_advise(
        err,
        "a restored confidential VM that does not start is most often refused its key: check the Confidential VM "
        "Orchestrator's grant, "
        "the key's release policy for this region, and that the version is enabled (see reinstate explain KeyAccess)");
}

static int verify_disks(const struct actor *actor, const struct situation *s, struct err *err)
{
    const struct value *made = restore_made(actor->view, s, restored_vm_job(s->jobs, "completed"));
    const char *why = NULL;

    switch (made_disks_stand(actor->arena, value_get(view_facts(actor->view, s->doc), "place"),
                             value_str_at(restored_vm_job(s->jobs, "completed"), "job"),
                             s->now.encryption == DX_PMK ? NULL : s->des_id, &why)) {
    case MADE_UNSEEN:
        return err_set(err, ERR_DENIED,
                       "the restore job is completed; whether its disks are as declared cannot be "
                       "seen: %s",
                       why);
    case MADE_GONE:
        return err_set(err, ERR_CONFLICT, "the restore job is completed and no new disk of %s is in the target group",
                       s->match.vm);
    case MADE_DIFFER:
        return err_set(err, ERR_BLOCKED, "the restored disks are not as declared: %s", why);
    case MADE_THERE:
        break;
    }
    for (size_t i = 0; i < value_count(made); i++)
        actor_say(actor, "restored: %s", value_str_at(value_item(made, i), "id"));
    return 0;
}

/* A VM in the making, or one whose disks were exchanged a moment ago, may read as it was. */
static bool verify_may_change(const struct view *v, const struct situation *s)
{
    const char *state = value_str_at(view_facts(v, s->doc), "live.properties.provisioningState");

    return situation_type(s->doc) == RESTORE_REPLACE ||
           (!str_eq_nocase(state, "Succeeded") && !str_eq_nocase(state, "Failed"));
}

/* Names only what was really looked at, so that nobody takes an unchecked property for verified. */
static const char *read_back_words(const struct actor *actor, const struct situation *s)
{
    const struct value *facts = view_facts(actor->view, s->doc);
    const char *set = value_str_at(facts, "des"),
               *security = value_str_at(facts, "live.properties.securityProfile.securityType");
    const char *power = value_str_at(facts, "power"), *zone = value_str_at(s->doc->spec, "zone"), *version = NULL;
    bool new_vm = situation_type(s->doc) == RESTORE_NEW_VM, subnet = new_vm && value_get(facts, "subnets");

    if (set && s->des)
        version = key_url_version(actor->arena,
                                  value_str_at(view_facts(actor->view, s->des), "live.properties.activeKey.keyUrl"));
    return arena_printf(actor->arena, "provisioned, %s, on %s%s%s%s%s%s%s%s%s",
                        str_eq_nocase(security, "ConfidentialVM") ? "confidential" : "not shown as confidential",
                        !set        ? "no disk encryption set"
                        : s->des_id ? "the declared set "
                                    : "set ",
                        set ? arm_id_name(set) : "", version ? " with key version " : "", version ? version : "",
                        new_vm && zone ? ", in zone " : "", new_vm && zone ? zone : "",
                        subnet ? ", in the declared subnet" : "", power ? ", " : "", power ? power : "");
}

static int act_verify(struct call *c, const struct actor *actor, struct err *err)
{
    const struct situation *s = situation_of(actor->view, actor->step->document);
    const char *power = value_str_at(view_facts(actor->view, s->doc), "power");
    const char *differs, *warnings;

    (void)c;
    if (situation_type(s->doc) == RESTORE_DISKS)
        return verify_disks(actor, s, err);
    if (!str_eq(view_state(actor->view, s->doc), "present")) {
        warnings = restored_vm_warnings(actor->arena, restored_vm_job(s->jobs, "completed"));
        return err_set(err, ERR_CONFLICT, "the restore job is completed%s%s and there is no VM at the target",
                       warnings ? " with warnings: " : "", warnings ? warnings : "");
    }
    differs = restored_vm_differs(actor->view, s);
    if (!differs)
        differs = restored_vm_version_differs(actor->view, s);
    /* Only what may still change is looked at again. */
    if (differs)
        return err_set(err, verify_may_change(actor->view, s) ? ERR_CONFLICT : ERR_BLOCKED,
                       "the restored VM is not as declared: %s", differs);
    if (restored_vm_runs(s->doc) && !power)
        return err_set(err, ERR_DENIED,
                       "the VM is restored; whether it runs cannot be seen: its instance view does not tell us");
    if (restored_vm_runs(s->doc) && !str_eq_nocase(power, "running")) {
        const char *withheld = restore_not_releasable(actor->view, s);

        if (withheld) {
            err_set(err, ERR_CONFLICT, "the VM is restored but not running (%s): %s", power, withheld);
            return err_advise(err, RELEASE_ADVICE);
        }
        err_set(err, ERR_CONFLICT, "the VM is restored but not running (%s)", power);
        return err_advise(
            err, "%s", restored_vm_failed_advice(actor->view, s, NULL, "apply again: it is then started"));
    }
    if (restored_vm_should_be_off(actor->view, s->doc)) {
        err_set(err, ERR_BLOCKED, "the VM is restored and runs; declared is deallocated");
        return err_advise(err, STOP_ADVICE, restored_vm_id(actor->arena, s->doc));
    }
    actor_say(actor, "read back: %s", read_back_words(actor, s));
    return 0;
}

/* What the last questions before a restore are asked about. */
struct restoring {
    const struct situation *situation;
    const char *power; /* the source VM's, when the restore was decided on */
};

/* Minutes have passed since the plan, in which somebody may have started the source VM. */
static int source_still_rests(struct call *c, const struct job_run *run, struct err *err)
{
    const struct restoring *restoring = run->ctx;
    const struct situation *s = restoring->situation;
    const char *seen = restoring->power, *power;
    struct value *view;

    /* That it may be replaced although it runs is declared; that somebody has begun to use it again is news all the
     * same. */
    if (run->request.type == RESTORE_REPLACE
            ? value_bool_at(s->doc->spec, "evenIfSourceHealthy", false) && !vm_power_rests(seen)
            : value_bool_at(s->doc->spec, "besideSource", false))
        return 0;
    if (arm_get_view(run->az, c, run->actor->arena,
                     arena_printf(run->actor->arena, "%s/instanceView", run->request.source_vm_id), API_COMPUTE, &view,
                     err) < 0)
        return err->class == ERR_NOT_FOUND ? 0 : -(int)err->class;
    power = vm_power(view);
    if (vm_power_rests(power))
        return 0;
    if (!power)
        err_set(err, ERR_BLOCKED, "whether the source VM is still stopped cannot be seen");
    else
        err_set(err, ERR_BLOCKED, "the source VM is not stopped any more: it is %s", power);
    return err_advise(err, "plan again; nothing was triggered");
}

/* The last questions before a restore is triggered. */
static int target_still_free(struct call *c, const struct job_run *run, struct err *err)
{
    struct value *found;

    TRY(jobs_none_other(run->az, c, run->actor, run->vault_id, &run->match, run->bound_ms, err));
    TRY(source_still_rests(c, run, err));
    if (run->request.type == RESTORE_NEW_VM) {
        if (arm_get(run->az, c, run->actor->arena, run->request.target_vm_id, API_COMPUTE, &found, err) == 0) {
            err_set(err, ERR_CONFLICT, "a VM has appeared at the target meanwhile");
            return err_advise(err, "plan again; nothing was triggered");
        }
        if (err->class != ERR_NOT_FOUND)
            return -(int)err->class;
    }
    TRY(actor_look_again(run->actor, c, err));
    return restore_validate(c, run->actor, run->az, run->item_id, &run->request, false, err);
}

/* The grants were read back, so a refusal so soon is one of waiting: the restore is tried again, a
 * pause after the last one. */
static int pause_for_grants(struct call *c, const struct actor *actor, int64_t ended_ms, struct err *err)
{
    int64_t wait_ms = ended_ms + LATE_GRANT_PAUSE_MS - call_now_ms(c);

    if (wait_ms <= 0)
        return 0;
    actor_say(actor,
              "the last restore was refused although the grants are there: they may not act yet; trying again in %s",
              duration_format(actor->arena, wait_ms));
    return actor_wait(actor, c, wait_ms, "young grants to act", err);
}

static bool completed(const struct backup_job *job)
{
    return job->state == JOB_COMPLETED || job->state == JOB_COMPLETED_WITH_WARNINGS;
}

/* Runs it, again where grants were too young, at most as often as all tries of an order may be. */
static int run_restore(struct call *c, const struct job_run *run, const struct situation *s, struct backup_job *job,
                       struct err *err)
{
    const struct view *v = run->actor->view;
    struct arena *a = run->actor->arena;
    size_t failures = restored_vm_failures(s->jobs);
    struct value *seen = run->seen ? value_copy(a, run->seen) : value_list(a);
    struct job_run attempt = *run;
    const struct value *last = failures ? value_item(s->jobs, 0) : NULL;
    struct value *known = value_map(a), *tried;

    value_set_string(a, known, "point", value_str_at(s->point, "time"));
    for (;; failures++) {
        if (last && !run->adopt_only && restored_vm_refused_early(v, s, last))
            TRY(pause_for_grants(c, run->actor, time_parse(value_str_at(last, "end")), err));
        attempt.failed_before = failures;
        attempt.seen = seen;
        TRY(job_run_once(c, &attempt, job, err));
        /* Whatever its texts say: it is from the ordered point, and the next look is to know it again. */
        tried = job_to_facts(a, job);
        job_complete(a, tried, known);
        value_push(a, seen, tried);
        attempt.match.seen = seen;
        last = tried;
        if (completed(job) || run->adopt_only || failures + 1 >= RESTORE_ATTEMPTS_MAX ||
            !restored_vm_refused_early(v, s, last) || call_now_ms(c) + LATE_GRANT_PAUSE_MS > run->not_after_ms)
            return 0;
        restore_left_say(c, run->actor, run->az, s, job);
    }
}

/* The restore did not succeed: tells why, as far as anybody knows, and what a person does. */
static int restore_failed(struct arena *a, const struct view *v, const struct situation *s,
                          const struct backup_job *job, struct err *err)
{
    const struct azure_error *known = job->error_code ? azure_error_meant(job->error_code, job->error_text) : NULL;

    err_set(err, ERR_BLOCKED, "restore job %s ended %s with %s", job->id, job->status,
            job->error_code ? job->error_code : "no code");
    if (job->state == JOB_CANCELLED)
        return err_advise(
            err, "it was cancelled at Azure: ask who did and why, and order anew when it is still to be restored");
    if (restored_vm_before_rotation(s) && known && known->cure == CURE_KEY)
        return err_advise(err,
                          "the point is from before the rotation of its set (row N-04), and a plain restore is tried "
                          "once only; the key lives and is not touched: %s",
                          dx_remedy_words(DX_ROTATED_SET));
    if (restored_vm_refused_early(v, s, job_to_facts(a, job)))
        return err_advise(
            err,
            "the grants are there and may not act yet: wait until they do, then apply again; no wider role is needed");
    if (known)
        return err_advise(err, "%s: %s", known->meaning, restored_vm_failed_advice(v, s, known, known->action));
    return err_advise(err, "%s",
                      restored_vm_failed_advice(
                          v, s, NULL, job->error_text ? job->error_text : "look at the job in the portal"));
}

static int act_restore(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct view *v = actor->view;
    const struct situation *s = situation_of(v, actor->step->document);
    const struct restoring restoring = {.situation = s,
                                        .power = value_str_at(view_facts(v, s->pvm), "source.power")};
    struct backup_job job;
    struct job_run run = {
        .az = az,
        .vault_id = value_str_at(view_facts(v, s->pvm), "vaultId"),
        .item_id = value_str_at(view_facts(v, s->pvm), "itemId"),
        .match = s->match,
        .claim = restore_claim(v, s),
        .seen = value_get(view_facts(v, s->pvm), "jobs"),
        .settle_ms = v->settings->settle_ms,
        .bound_ms = restored_vm_timeout(s->doc, "restore", v->settings->restore_bound_ms),
        .ordered = s->doc->name,
        .order = s->order.activation,
        .not_after_ms = s->order.not_after_ms,
        .adopt_only = s->order.state != ORDER_IN_FORCE || restored_vm_job(s->jobs, "running"),
        .mark_adopted = true,
        .actor = actor,
        .still_due = target_still_free,
        .ctx = &restoring,
        .request = restored_vm_request(v, s),
    };

    TRY(jobs_await_others(az, c, actor, run.vault_id, &run.match, run.bound_ms, err));
    TRY(run_restore(c, &run, s, &job, err));
    if (completed(&job)) {
        const char *warnings = restored_vm_warnings(actor->arena, job_to_facts(actor->arena, &job));

        actor_say(actor, "job %s completed%s%s", job.id, warnings ? " with warnings: " : "", warnings ? warnings : "");
        return 0;
    }
    restore_left_say(c, actor, az, s, &job);
    if (job.encryption_blob)
        actor_say(actor, "job %s has left Azure Backup's copy of the key in storage account %s, container %s, blob %s",
                  job.id, job.storage_account ? job.storage_account : "?",
                  job.config_container ? job.config_container : "?", job.encryption_blob);
    return restore_failed(actor->arena, v, s, &job, err);
}

static int act_protect(struct call *c, const struct actor *actor, struct azure *az, struct err *err)
{
    const struct value *facts = value_get(view_facts(actor->view, actor->step->document), "protection");

    return protection_act(c, actor, az, value_str_at(facts, "vaultId"),
                          value_str_at(actor->step->detail, "virtualMachine"), value_str_at(facts, "policyId"), err);
}

int restored_vm_act(struct call *c, const struct actor *actor, struct err *err)
{
    struct azure *az = kind_azure(actor->provider, actor->step->document);

    switch ((int)actor->step->action) {
    case ACTION_START_VM:
        return act_start(c, actor, az, err);
    case ACTION_VERIFY:
        return act_verify(c, actor, err);
    case ACTION_CREATE:
    case ACTION_UPDATE:
        return act_protect(c, actor, az, err);
    default:
        return act_restore(c, actor, az, err);
    }
}
