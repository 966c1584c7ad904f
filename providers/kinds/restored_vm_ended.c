/* Knows what is still due of a restore whose job has completed, or whose machine is there already. Must not know why a
 * job failed. */
#include "restored_vm_steps.h"

#include "restored_vm.h"

#include "../backup/points.h"
#include "../backup/order.h"
#include "../restore/jobs.h"
#include "../restore/made.h"
#include "../restore/obstacles.h"

/* The job has completed and there is no machine at its target. */
static void steps_gone(const struct view *v, const struct situation *s, struct steps *out, const struct value *job)
{
    const char *id = value_str_at(job, "job"), *end = value_str_at(job, "end"),
               *warnings = restored_vm_warnings(v->arena, job);

    if (warnings)
        steps_block(
            out, s->doc, "verify",
            arena_printf(
                v->arena,
                "look at the details of job %s in the portal, and in group %s for disks that it made instead of a "
                "VM; then make the VM of them, or order anew from now: reinstate activate -f ... %s",
                id, s->match.target_group, s->doc->name),
            "job %s of this order ended with warnings (%s), and there is no VM at the target: none may ever have "
            "been made; nothing is restored twice",
            id, warnings);
    else
        steps_add(out, s->doc, ACTION_NONE, NULL,
                  "the order was carried out by job %s at %s; the VM was removed since, and stays removed", id,
                  end ? end : value_str_at(job, "start"));
}

/* Declared is a machine that runs, and this one does not, or nobody can see. */
static void steps_not_running(const struct view *v, const struct situation *s, struct steps *out)
{
    const char *power = value_str_at(view_facts(v, s->doc), "power"), *withheld = restore_not_releasable(v, s);

    /* Started again and again it would be refused its key each time. */
    if (power && withheld)
        steps_block(out, s->doc, "start-vm",
                    arena_printf(v->arena, RELEASE_ADVICE "; az vm start --ids '%s' tries it all the same",
                                 restored_vm_id(v->arena, s->doc)),
                    "the VM is restored and %s; declared is running, and %s", power, withheld);
    else if (str_eq_nocase(power, "starting"))
        steps_block(out, s->doc, "start-vm", "run again in some minutes",
                    "the VM is restored and starting already; it is not started twice");
    else if (power)
        restored_vm_steps_protect(
            v, s, out,
            restored_vm_steps_start(v, s, out,
                                    arena_printf(v->arena, "the VM is restored and %s; declared is running", power))
                ->id);
    else
        steps_block(out, s->doc, "verify", "run again; if it stays so, see whether we may read the VM's instance view",
                    "the VM is restored; declared is running, and whether it runs cannot be seen");
}

/* A job that no claim names for this order may have been one with another set: only its disks would tell. */
static void disks_gone(const struct view *v, const struct situation *s, struct steps *out, const struct value *job)
{
    const char *id = value_str_at(job, "job"), *end = value_str_at(job, "end"),
               *warnings = restored_vm_warnings(v->arena, job);
    bool own = !s->des_id || str_eq_nocase(s->match.own, id);

    if (warnings || !own)
        steps_block(out, s->doc, "verify",
                    arena_printf(v->arena,
                                 "look at the details of job %s in the portal; if it was not this one, order anew from "
                                 "now: reinstate activate -f ... %s",
                                 id, s->doc->name),
                    "job %s completed%s%s%s, and no disk of it is in the target group: %s; nothing is restored twice",
                    id, warnings ? " with warnings (" : "", warnings ? warnings : "", warnings ? ")" : "",
                    warnings ? "none may ever have been made"
                             : "on which set they were is not known, and no claim names the job for this order");
    else
        steps_add(out, s->doc, ACTION_NONE, NULL,
                  "the order was carried out by job %s at %s; its disks were removed since, and stay removed", id,
                  end ? end : value_str_at(job, "start"));
}

static void disks_completed(const struct view *v, const struct situation *s, struct steps *out, const struct value *job)
{
    const char *id = value_str_at(job, "job"), *why = NULL;

    switch (made_disks_stand(v->arena, value_get(view_facts(v, s->doc), "place"), id,
                             s->now.encryption == DX_PMK ? NULL : s->des_id, &why)) {
    case MADE_UNSEEN:
        steps_block(out, s->doc, "verify",
                    "give the credential the right to read the target group and its disks (Reader); nothing is "
                    "restored twice",
                    "job %s completed, and whether its disks are as declared cannot be seen: %s", id, why);
        return;
    case MADE_DIFFER:
        steps_block(out, s->doc, "verify",
                    arena_printf(v->arena,
                                 "a person looks at the disk and at the job; if others are wanted, order them anew "
                                 "from now: reinstate activate -f ... %s",
                                 s->doc->name),
                    "job %s completed, and its disks are not as declared: %s; nothing is restored twice", id, why);
        return;
    case MADE_GONE:
        disks_gone(v, s, out, job);
        return;
    case MADE_THERE:
        steps_add(out, s->doc, ACTION_NONE, NULL,
                  "the order was carried out by job %s; its disks are in the target group", id);
        return;
    }
}

void restored_vm_steps_completed(const struct view *v, const struct situation *s, struct steps *out,
                                 const struct value *job)
{
    const char *power = value_str_at(view_facts(v, s->doc), "power"), *differs;

    if (situation_type(s->doc) == RESTORE_DISKS) {
        disks_completed(v, s, out, job);
        return;
    }
    if (!str_eq(view_state(v, s->doc), "present") && situation_type(s->doc) == RESTORE_NEW_VM) {
        steps_gone(v, s, out, job);
        return;
    }
    differs = restored_vm_differs(v, s);
    if (differs) {
        steps_block(out, s->doc, "verify", "a person looks at the VM and at the job; nothing is restored twice",
                    "job %s completed, and the VM is not as declared: %s", value_str_at(job, "job"), differs);
        return;
    }
    if (restored_vm_runs(s->doc) && !str_eq_nocase(power, "running")) {
        steps_not_running(v, s, out);
        return;
    }
    if (restored_vm_should_be_off(v, s->doc)) {
        steps_block(out, s->doc, "verify", arena_printf(v->arena, STOP_ADVICE, restored_vm_id(v->arena, s->doc)),
                    "the VM is restored and runs; declared is deallocated");
        return;
    }
    restored_vm_steps_protect(v, s, out, NULL);
    steps_add(out, s->doc, ACTION_NONE, NULL, "the order was carried out by job %s; the VM is there as declared",
              value_str_at(job, "job"));
}

/* The newest completed job that made the VM at the target; NULL: none is known. */
static const struct value *job_of_target(const struct view *v, const struct situation *s)
{
    const struct value *jobs = value_get(view_facts(v, s->pvm), "jobs"), *newest = NULL;

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);

        if (str_eq(value_str_at(job, "state"), "completed") && str_eq(value_str_at(job, "type"), "new-vm") &&
            str_eq_nocase(value_str_at(job, "targetVm"), s->match.target_vm) &&
            str_eq_nocase(value_str_at(job, "targetGroup"), s->match.target_group) &&
            (!newest || time_parse(value_str_at(job, "start")) > time_parse(value_str_at(newest, "start"))))
            newest = job;
    }
    return newest;
}

/* A job made the VM at the target, and from which point nobody can read: the order may be carried out, or not. */
static void untold_point(const struct situation *s, struct steps *out, const struct value *job)
{
    const char *text = value_str_at(job, "pointText");

    steps_block(out, s->doc, "point",
                "look at the job in the portal, which point it restored; if it is the ordered one, withdraw the order, "
                "which is carried out; else declare another target name, or remove the VM, and order anew",
                "whether %s is carried out cannot be told: the VM at the target comes from job %s, whose point cannot "
                "be read (%s); the order asks for point %s of %s; nothing is restored over it",
                s->order.activation->address, value_str_at(job, "job"), text ? text : "it names none", s->order.point,
                protected_vm_point_time(s->point))
        ->aside = true;
}

void restored_vm_steps_there_already(const struct view *v, const struct situation *s, struct steps *out)
{
    const struct value *job = job_of_target(v, s);
    const char *power = value_str_at(view_facts(v, s->doc), "power");

    /* No job proves that this VM is ours. It is not started, because it may be somebody else's, and it is not called as
     * declared while it stands still. */
    if (restored_vm_runs(s->doc) && !str_eq_nocase(power, "running"))
        steps_finding(
            out, s->doc, "power",
            arena_printf(v->arena, "look at it, then start it: az vm start --ids '%s'",
                         restored_vm_id(v->arena, s->doc)),
            "the VM at the target is %s, and declared is running; no job of %s made it, so it is not started here",
            power ? power : "in a power state that cannot be seen", s->order.activation->address);
    if (job && s->match.point_ms != TIME_NONE && job_point_fit(job, s->match.point_ms) == TIME_FITS_PERHAPS) {
        untold_point(s, out, job);
        return;
    }
    if (!job || s->match.point_ms == TIME_NONE || job_point_fit(job, s->match.point_ms) != TIME_FITS_NOT) {
        steps_add(out, s->doc, ACTION_NONE, NULL,
                  "a VM that satisfies the declaration is at the target already; nothing in Azure ties it to a "
                  "recovery point");
        return;
    }
    /* The block stands aside, so that what else is declared of the machine is still done. */
    steps_block(out, s->doc, "point",
                "nothing is restored over it: withdraw the order if this is the VM that is wanted; else declare "
                "another target name, or "
                "remove the VM, and order anew",
                "%s is not carried out: the VM at the target comes from job %s, from the point of %s; the order asks "
                "for point %s of %s",
                s->order.activation->address, value_str_at(job, "job"), value_str_at(job, "point"), s->order.point,
                protected_vm_point_time(s->point))
        ->aside = true;
}
