/* Knows what restore jobs leave in their target group. Nothing of it is ever deleted. Must not judge why a job failed.
 */
#include "claims.h"
#include "aftermath.h"
#include "left.h"
#include "made.h"

struct value *restore_made(const struct view *v, const struct situation *s, const struct value *job)
{
    return job_made(v->arena, s->match.vm, s->doc, value_at(view_facts(v, s->doc), "place.resources.items"), job);
}

/* Who cannot look says so; the job's own end is what counts. */
void restore_left_say(struct call *c, const struct actor *actor, struct azure *az, const struct situation *s,
                      const struct backup_job *job)
{
    const char *group = arm_id_parent(actor->arena, restored_vm_id(actor->arena, s->doc), 4);
    const struct value *facts = job_to_facts(actor->arena, job), *made, *items;
    struct err err;

    if (group_resources(c, az, actor->arena, group, &items, &err) < 0) {
        actor_say(actor, "what job %s has left in %s could not be looked at: %s", job->id, arm_id_name(group),
                  err.text);
        return;
    }
    made = job_made(actor->arena, s->match.vm, s->doc, items, facts);
    for (size_t i = 0; i < value_count(made); i++)
        actor_say(actor, "job %s has left %s; nothing is deleted", job->id, value_str_at(value_item(made, i), "id"));
}

/* A pass was to fail and has made disks, which nobody has ordered. */
static bool made_in_vain(const struct view *v, const struct situation *s, const struct value *job)
{
    struct value *one = value_list(v->arena);
    struct job_match pass;

    if (!str_eq(value_str_at(job, "state"), "completed") || situation_type(s->doc) == RESTORE_DISKS ||
        s->order.state == ORDER_NONE)
        return false;
    pass = export_match(v, s->pvm, s->doc, &s->order);
    value_push(v->arena, one, value_copy(v->arena, job));
    return value_count(jobs_matching(v->arena, one, &pass)) > 0;
}

struct value *restore_left_of(const struct view *v, const struct situation *s, const struct value *job)
{
    bool failed = job_failed(job) && !job_lasts(job);

    if (job_whose(job, s->match.group, s->match.vm) != JOB_OF_MACHINE || (!failed && !made_in_vain(v, s, job)) ||
        !str_eq_nocase(value_str_at(job, "targetGroup"), s->match.target_group))
        return value_list(v->arena);
    return restore_made(v, s, job);
}

void restore_left_notes(const struct view *v, const struct situation *s, struct steps *out, struct step *step)
{
    const struct value *jobs = value_get(view_facts(v, s->pvm), "jobs");

    claim_notes(s, value_get(view_facts(v, s->doc), "place"), out, step);
    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i), *made = restore_left_of(v, s, job);

        for (size_t k = 0; k < value_count(made); k++) {
            const char *id = value_str_at(value_item(made, k), "id"), *keep = aftermath_keep_made(v, s);

            step_note(out, step, "job %s, which %s, has left %s; nothing is deleted here: %s%s",
                      value_str_at(job, "job"),
                      str_eq(value_str_at(job, "state"), "failed")      ? "failed"
                      : str_eq(value_str_at(job, "state"), "completed") ? "completed although it was to fail"
                                                                        : "was cancelled",
                      id, keep ? keep : "remove it when the recovery is over: ",
                      keep ? "" : aftermath_resource_command(v->arena, id));
        }
    }
}
