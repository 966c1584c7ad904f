/* Knows what the jobs of a restore say of it, and which job of somebody else's stands in its way. Pure. */
#include "jobs.h"

#include "estimate.h"

const struct value *restored_vm_job(const struct value *jobs, const char *state)
{
    for (size_t i = 0; i < value_count(jobs); i++)
        if (str_eq(value_str_at(value_item(jobs, i), "state"), state))
            return value_item(jobs, i);
    return NULL;
}

size_t restored_vm_failures(const struct value *jobs)
{
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++)
        n += job_failed(value_item(jobs, i));
    return n;
}

const char *restored_vm_warnings(struct arena *a, const struct value *job)
{
    const char *status = value_str_at(job, "status"), *code = value_str_at(job, "code"),
               *text = value_str_at(job, "text");

    if (!code && !text && !str_eq_nocase(status, "CompletedWithWarnings"))
        return NULL;
    return arena_printf(a, "%s%s%s%s%s", status, code || text ? ": " : "", code ? code : "", code && text ? ": " : "",
                        text ? text : "");
}

bool restored_vm_other_job(const struct view *v, const struct document *doc, const char *vm, const struct value *jobs,
                           const struct job_match *match, struct steps *out)
{
    const char *why;
    const struct value *job = job_standing(jobs, match, false, &why);

    if (job)
        steps_block(
            out, doc, "other-job",
            arena_printf(v->arena,
                         "look at that job and at what it made; when this order is still to be carried out, order anew "
                         "from now: reinstate activate -f ... %s",
                         vm),
            "%s may have done this already: %s", job_words(v->arena, job), why);
    return job != NULL;
}

/* A step that follows the job has an estimate of its own, and others come after it. */
static bool adopted_by_one(const struct steps *steps, const char *job)
{
    for (size_t i = 0; i < steps->count; i++)
        if (steps->items[i]->adopts && str_eq_nocase(steps->items[i]->adopts, job))
            return true;
    return false;
}

void restored_vm_note_other_job(const struct view *v, const struct value *jobs, const struct job_match *match,
                                struct steps *out, struct step *step)
{
    const char *why, *source;
    const struct value *job = job_standing(jobs, match, true, &why);

    if (!job)
        return;
    step_note(out, step, "%s runs; %s, so it is waited for before anything is triggered", job_words(v->arena, job),
              why);
    if (!adopted_by_one(out, value_str_at(job, "job")))
        step->held_ms = job_remaining_ms(job, restored_vm_estimate(DX_VAULT, &source), v->now_ms);
}
