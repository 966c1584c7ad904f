/* Knows what to say of the world when a run has ended. Must not judge it: steps and verdicts have. */
#include "claims.h"
#include "aftermath.h"

#include "../backup/order.h"
#include "../backup/points.h"
#include "jobs.h"
#include "left.h"

static void add_machine(const struct view *v, const struct document *rvm, struct value *machines)
{
    const struct value *facts = view_facts(v, rvm);
    const struct document *des = document_target(rvm, "spec.diskEncryptionSet");
    const char *set = value_str_at(facts, "des"), *power = value_str_at(facts, "power");
    struct value *one = value_map(v->arena);

    if (!str_eq(view_state(v, rvm), "present"))
        return;
    value_set_string(v->arena, one, "document", rvm->address);
    value_set_string(v->arena, one, "id", restored_vm_id(v->arena, rvm));
    value_set_string(v->arena, one, "power", power ? power : "cannot be seen");
    value_set_string(v->arena, one, "set", set);
    if (set && des && arm_id_equal(set, reference_id(v->arena, rvm, "spec.diskEncryptionSet", disk_encryption_set_id)))
        value_set_string(v->arena, one, "key", value_str_at(view_facts(v, des), "live.properties.activeKey.keyUrl"));
    value_push(v->arena, machines, one);
}

/* Said of a job that the next run follows, and of no other: whoever reads it leaves the job alone. */
static bool adopted_next(const struct view *v, const char *job)
{
    for (size_t i = 0; i < v->steps->count; i++)
        if (str_eq(v->steps->items[i]->adopts, job) && !step_withheld(v->steps->items[i]))
            return true;
    return false;
}

/* The order that a job was triggered by, as far as it can be read; NULL: somebody else's. */
static const char *order_of_job(const struct view *v, const struct situation *s, const struct value *job)
{
    const struct job_match pass = export_match(v, s->pvm, s->doc, &s->order);
    const struct value *all = value_get(view_facts(v, s->pvm), "jobs"),
                       *ours[] = {s->jobs, jobs_matching(v->arena, all, &pass)};

    for (size_t k = 0; k < COUNT(ours); k++)
        for (size_t i = 0; i < value_count(ours[k]); i++)
            if (str_eq(value_str_at(value_item(ours[k], i), "job"), value_str_at(job, "job")))
                return s->order.activation->name;
    return NULL;
}

static struct value *job_find(struct value *jobs, const char *id)
{
    for (size_t i = 0; i < value_count(jobs); i++)
        if (str_eq(value_str_at(value_item(jobs, i), "id"), id))
            return value_item(jobs, i);
    return NULL;
}

static void add_job(const struct view *v, const struct situation *s, const struct value *job, struct value *jobs)
{
    static const char *const members[] = {"type", "state", "start", "end"};
    const char *id = value_str_at(job, "job"), *order = order_of_job(v, s, job);
    struct value *one = job_find(jobs, id);

    if (!one) {
        one = value_map(v->arena);
        value_set_string(v->arena, one, "document", s->pvm->address);
        value_set_string(v->arena, one, "id", id);
        for (size_t i = 0; i < COUNT(members); i++)
            value_set_string(v->arena, one, members[i], value_str_at(job, members[i]));
        if (str_eq(value_str_at(job, "state"), "running"))
            value_set_bool(v->arena, one, "adopted", adopted_next(v, id));
        value_push(v->arena, jobs, one);
    }
    if (!value_get(one, "order"))
        value_set_string(v->arena, one, "order", order);
}

static void add_jobs(const struct view *v, const struct situation *s, struct value *jobs)
{
    const struct value *all = value_get(view_facts(v, s->pvm), "jobs");

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *job = value_item(all, i);

        if (s->order.state == ORDER_NONE || job_whose(job, s->match.group, s->match.vm) != JOB_OF_MACHINE ||
            (time_parse(value_str_at(job, "start")) < s->order.since_ms && !job_lasts(job) &&
             !str_eq_nocase(value_str_at(job, "job"), s->match.own)))
            continue;
        add_job(v, s, job, jobs);
    }
}

/* Also what stands aside: a VM from another point is not the one that was ordered. */
static bool something_stands(const struct view *v, const struct document *rvm)
{
    const struct index_entry *at = NULL;
    const struct step *step;

    while ((step = steps_next(v->steps, rvm, &at)))
        if (step->action == ACTION_BLOCKED)
            return true;
    return false;
}

/* Nothing that is due is not yet what was ordered: a healed source stands where nothing was restored. */
static bool order_done(const struct view *v, const struct document *rvm)
{
    const struct value *facts = view_facts(v, rvm);

    if (!v->conclusions || v->conclusions[rvm->index].verdict != PROSPECT_SATISFIED || something_stands(v, rvm))
        return false;
    if (situation_type(rvm) == RESTORE_NEW_VM)
        return str_eq(view_state(v, rvm), "present") &&
               (!str_eq(value_str_at(rvm->spec, "verify.powerState"), "running") ||
                str_eq_nocase(value_str_at(facts, "power"), "running"));
    return document_target(rvm, "spec.from") && restored_vm_job(situation_of(v, rvm)->jobs, "completed");
}

/* Nothing was restored, and its source runs again. */
static bool order_healed(const struct view *v, const struct document *rvm)
{
    const struct value *source = document_target(rvm, "spec.from")
                                     ? value_get(view_facts(v, situation_of(v, rvm)->pvm), "source")
                                     : NULL;

    return !order_done(v, rvm) && v->conclusions && v->conclusions[rvm->index].verdict == PROSPECT_SATISFIED &&
           str_eq(value_str_at(source, "state"), "present") &&
           str_eq_nocase(value_str_at(source, "power"), "running");
}

/* Each order that somebody has given: how many of its machines are as declared, and when its first job began. */
static void add_order(const struct view *v, const struct document *activation, const struct value *jobs,
                      struct value *orders)
{
    struct value *one = value_map(v->arena);
    int64_t n = 0, done = 0, healed = 0;
    const char *begun = NULL;

    for (size_t i = 0; i < activation->n_references; i++) {
        const struct document *rvm = activation->references[i].target;

        if (!rvm || !str_eq(rvm->kind, "RestoredVirtualMachine") || order_for(v, rvm).activation != activation ||
            desired_beside(v->desired, rvm))
            continue;
        n++;
        done += order_done(v, rvm);
        healed += order_healed(v, rvm);
    }
    for (size_t i = 0; i < value_count(jobs); i++) {
        const char *start = value_str_at(value_item(jobs, i), "start");

        if (start && str_eq(value_str_at(value_item(jobs, i), "order"), activation->name) &&
            (!begun || time_parse(start) < time_parse(begun)))
            begun = start;
    }
    if (!n)
        return;
    value_set_string(v->arena, one, "order", activation->name);
    value_set_int(v->arena, one, "machines", n);
    value_set_int(v->arena, one, "done", done);
    value_set_int(v->arena, one, "healed", healed);
    value_set_string(v->arena, one, "begun", begun);
    value_push(v->arena, orders, one);
}

/* `keep`: why it is not to be removed yet; NULL: nothing needs it. A command that is read is obeyed, so
 * there is none then. */
static struct value *left_add(const struct view *v, struct value *left, const char *what, const char *job,
                              const char *command, const char *keep)
{
    struct value *one = value_map(v->arena);

    value_set_string(v->arena, one, "what", what);
    value_set_string(v->arena, one, "job", job);
    value_set_string(v->arena, one, keep ? "keep" : "command", keep ? keep : command);
    value_push(v->arena, left, one);
    return one;
}

/* Why it was exported: nobody looks for a key where a restore was refused for a right. NULL: the job does not say. */
static const char *exported_why(const struct view *v, const struct value *job)
{
    const struct azure_error *known = job_error(job);

    if (!known)
        return NULL;
    if (known->cure == CURE_PERMISSION)
        return arena_printf(v->arena,
                            "a restore that is refused for a right (%s) exports the key as well: each try leaves one",
                            known->code);
    return known->cure == CURE_KEY || known->cure == CURE_SET
               ? "a restore that fails for its key or set exports the key"
               : NULL;
}

static void add_exports(const struct view *v, const struct document *pvm, struct value *left)
{
    const struct value *exports = value_get(view_facts(v, pvm), "leftovers");
    const char *keep = aftermath_keep_export(v, pvm);

    for (size_t i = 0; i < value_count(exports); i++) {
        const struct value *e = value_item(exports, i);
        const char *account = value_str_at(e, "account"), *container = value_str_at(e, "container"),
                   *blob = value_str_at(e, "blob");
        struct value *one = left_add(v, left, "exported key", value_str_at(e, "job"),
                                     aftermath_blob_command(v->arena, account, container, blob), keep);

        value_set_string(v->arena, one, "account", account);
        value_set_string(v->arena, one, "container", container);
        value_set_string(v->arena, one, "blob", blob);
        value_set_string(v->arena, one, "seen", value_str_at(e, "seen"));
        value_set_string(v->arena, one, "why", exported_why(v, e));
    }
}

static void add_made(const struct view *v, const struct situation *s, struct value *left)
{
    const struct value *jobs = value_get(view_facts(v, s->pvm), "jobs");

    for (size_t i = 0; i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i), *made = restore_left_of(v, s, job);

        for (size_t k = 0; k < value_count(made); k++) {
            const char *id = value_str_at(value_item(made, k), "id");
            bool known = false;

            for (size_t n = 0; n < value_count(left); n++)
                known |= str_eq_nocase(value_str_at(value_item(left, n), "id"), id);
            if (!known)
                value_set_string(v->arena,
                                 left_add(v, left, arm_id_name(value_str_at(value_item(made, k), "type")),
                                          value_str_at(job, "job"), aftermath_resource_command(v->arena, id),
                                          aftermath_keep_made(v, s)),
                                 "id", id);
        }
    }
}

static void add_claims(const struct view *v, const struct document *rvm, struct value *left)
{
    const struct reference *account = document_reference(rvm, "spec.target.stagingAccount");
    int64_t count = value_int_at(view_facts(v, rvm), "place.claims.count", 0);
    const char *name = account && account->id ? arm_id_name(account->id) : NULL;
    struct value *one;

    if (count <= 0 || !name)
        return;
    for (size_t i = 0; i < value_count(left); i++)
        if (str_eq(value_str_at(value_item(left, i), "what"), "claims") &&
            str_eq(value_str_at(value_item(left, i), "account"), name))
            return;
    one = left_add(
        v, left, "claims", NULL,
        arena_printf(v->arena,
                     "az storage blob list --auth-mode login --account-name %s --container-name " CLAIM_CONTAINER
                     " --output table",
                     aftermath_quoted(v->arena, name)),
        NULL);
    value_set_string(v->arena, one, "account", name);
    value_set_string(v->arena, one, "container", CLAIM_CONTAINER);
    value_set_int(v->arena, one, "count", count);
}

/* A source VM that stands still and that no order in force speaks of: its key may be back, and
 * nobody has started it. */
static void add_still(const struct view *v, const struct document *pvm, struct value *still)
{
    const struct value *source = value_get(view_facts(v, pvm), "source");
    const char *id = value_str_at(source, "id"), *power = value_str_at(source, "power");
    const struct document *rvm;
    bool starts = false;
    struct value *one;
    size_t at = 0;

    if (!id || !power || !str_eq(value_str_at(source, "state"), "present") || str_eq_nocase(power, "running"))
        return;
    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        if (order_for(v, rvm).state == ORDER_IN_FORCE)
            return;
        starts = starts || str_eq(value_str_at(rvm->spec, "healSource"), "start");
    }
    one = value_map(v->arena);
    value_set_string(v->arena, one, "document", pvm->address);
    value_set_string(v->arena, one, "id", id);
    value_set_string(v->arena, one, "power", power);
    value_set_string(v->arena, one, "why",
                     starts ? "nothing is ordered, and healSource: start acts under an order in force only"
                            : "nothing is ordered, so nothing here starts it");
    value_set_string(v->arena, one, "command",
                     arena_printf(v->arena, "az vm start --ids %s", aftermath_quoted(v->arena, id)));
    value_push(v->arena, still, one);
}

struct value *aftermath_of(const struct view *v)
{
    struct value *all = value_map(v->arena), *machines = value_list(v->arena), *jobs = value_list(v->arena),
                 *left = value_list(v->arena), *still = value_list(v->arena), *orders = value_list(v->arena);

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];

        if (desired_beside(v->desired, doc))
            continue;
        if (str_eq(doc->kind, "ProtectedVirtualMachine")) {
            add_exports(v, doc, left);
            add_still(v, doc, still);
        }
        if (!str_eq(doc->kind, "RestoredVirtualMachine"))
            continue;
        add_machine(v, doc, machines);
        if (document_target(doc, "spec.from")) {
            const struct situation *s = situation_of(v, doc);

            add_jobs(v, s, jobs);
            add_made(v, s, left);
        }
        add_claims(v, doc, left);
    }
    for (size_t i = 0; i < v->desired->count; i++)
        if (str_eq(v->desired->documents[i]->kind, "Activation"))
            add_order(v, v->desired->documents[i], jobs, orders);
    value_set(v->arena, all, "orders", orders);
    value_set(v->arena, all, "machines", machines);
    value_set(v->arena, all, "jobs", jobs);
    value_set(v->arena, all, "left", left);
    if (value_count(machines))
        value_set_string(v->arena, all, "leftOlder", jobs_older_words(v));
    value_set(v->arena, all, "still", still);
    return all;
}
