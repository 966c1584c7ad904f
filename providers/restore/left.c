/* Knows what restore jobs leave in their target group. Azure ties nothing to a job, so what came into being while it
 * ran and has the VM's name counts. Nothing of it is ever deleted. Must not judge why a job failed. */
#include <string.h>

#include "claims.h"
#include "aftermath.h"
#include "left.h"

/* Clocks differ, and the list of a group lags. */
#define SLACK_MS (5 * (int64_t)MINUTE_MS)

static bool counts(const char *type)
{
    static const char *const types[] = {"Microsoft.Compute/disks", "Microsoft.Compute/virtualMachines",
                                        "Microsoft.Network/networkInterfaces"};

    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq_nocase(type, types[i]))
            return true;
    return false;
}

static bool named_after(const char *name, const char *vm)
{
    size_t n = vm ? strlen(vm) : 0;

    return n && str_starts_nocase(name, vm) && (name[n] == '\0' || name[n] == '-' || name[n] == '_');
}

static bool made_during(const struct value *item, const struct value *job)
{
    int64_t made = time_parse(value_str_at(item, "createdTime")), start = time_parse(value_str_at(job, "start")),
            end = time_parse(value_str_at(job, "end"));

    return made != TIME_NONE && made >= start && (end == TIME_NONE || made <= end + SLACK_MS);
}

static struct value *made_of(struct arena *a, const struct situation *s, const struct value *items,
                             const struct value *job)
{
    struct value *made = value_list(a);

    for (size_t i = 0; job && i < value_count(items); i++) {
        const struct value *item = value_item(items, i);
        const char *name = value_str_at(item, "name"), *type = value_str_at(item, "type");
        struct value *one;

        if (!name || !counts(type) || value_get(item, "managedBy") || !made_during(item, job) ||
            (!named_after(name, s->match.vm) && !named_after(name, value_str_at(s->doc->spec, "target.name"))))
            continue;
        one = value_map(a);
        value_set_string(a, one, "id", value_str_at(item, "id"));
        value_set_string(a, one, "type", type);
        value_set_string(a, one, "created", value_str_at(item, "createdTime"));
        value_push(a, made, one);
    }
    return made;
}

struct value *restore_made(const struct view *v, const struct situation *s, const struct value *job)
{
    return made_of(v->arena, s, value_at(view_facts(v, s->doc), "place.resources.items"), job);
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
    made = made_of(actor->arena, s, items, facts);
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
                      id,
                      keep ? keep : "remove it when the recovery is over: ",
                      keep ? "" : aftermath_resource_command(v->arena, id));
        }
    }
}
