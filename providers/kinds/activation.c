/* Kind Activation: an order to carry restores out. It changes nothing by itself; restores and
 * exports ask it (../backup/order.h). */
#include "../backup/order.h"
#include "../restore/jobs.h"
#include "../restore/situation.h"

enum { WINDOW_MAX_DAYS = 7 };

static void check_window(const struct document *doc, struct diags *faults)
{
    const struct value *after = value_get(doc->spec, "notAfter");
    int64_t from = time_parse(value_str_at(doc->spec, "notBefore")), to = time_parse(value_str(after));

    if (to <= from)
        diags_add(faults, SEVERITY_ERROR, value_origin(after), "let notAfter be later than notBefore",
                  "%s: the window is empty: it would end "
                  "before it begins",
                  doc->address);
    /* The short window keeps Azure's job list sufficient evidence of what was already done. */
    else if (to - from > WINDOW_MAX_DAYS * DAY_MS)
        diags_add(faults, SEVERITY_ERROR, value_origin(after), "let notAfter be at most seven days after notBefore",
                  "%s: the window is longer "
                  "than seven days",
                  doc->address);
}

/* An order must not name two points for one machine: nobody could tell which is meant. */
static void check_restores(const struct document *doc, struct diags *faults)
{
    const struct value *restores = value_get(doc->spec, "restores");

    for (size_t i = 0; i < value_count(restores); i++) {
        const struct value *name = value_get(value_item(restores, i), "virtualMachine");

        for (size_t k = 0; k < i; k++)
            if (str_eq(value_str_at(value_item(restores, k), "virtualMachine"), value_str(name))) {
                diags_add(faults, SEVERITY_ERROR, value_origin(name), "name each machine once", "%s orders %s twice",
                          doc->address, value_str(name));
                break;
            }
    }
}

static bool acts(const struct document *doc)
{
    return !value_bool_at(doc->spec, "withdrawn", false) && !doc->suspended && !doc->observe_only;
}

static bool windows_meet(const struct document *one, const struct document *other)
{
    return time_parse(value_str_at(one->spec, "notBefore")) <= time_parse(value_str_at(other->spec, "notAfter")) &&
           time_parse(value_str_at(other->spec, "notBefore")) <= time_parse(value_str_at(one->spec, "notAfter"));
}

static const char *exports_of(const struct document *doc)
{
    const char *exports = value_str_at(doc->spec, "exports");

    return exports ? exports : "allowed";
}

static void check_pair(const struct document *doc, const struct value *restore, const struct document *other,
                       const struct value *its, struct diags *faults)
{
    const char *vm = value_str_at(restore, "virtualMachine"), *point = value_str_at(its, "recoveryPoint");
    const struct value *ours = value_get(restore, "recoveryPoint");
    const char *advice = "withdraw one of them (withdrawn: true), or let one window end before the other begins";

    if (!str_eq(value_str(ours), point))
        diags_add(faults, SEVERITY_ERROR, value_origin(ours), advice,
                  "%s orders %s from recovery point %s while %s (%s:%d:%d) orders it from %s", doc->address, vm,
                  value_str(ours), other->address, value_origin(its)->file, value_origin(its)->line,
                  value_origin(its)->column, point);
    else if (!str_eq(exports_of(doc), exports_of(other)))
        diags_add(faults, SEVERITY_ERROR, value_origin(ours), advice,
                  "%s orders %s with exports %s while %s (%s:%d:%d) orders it with exports %s", doc->address, vm,
                  exports_of(doc), other->address, value_origin(its)->file, value_origin(its)->line,
                  value_origin(its)->column, exports_of(other));
    else
        diags_add(faults, SEVERITY_ERROR, value_origin(ours), advice, "%s orders %s while %s (%s:%d:%d) orders it too",
                  doc->address, vm, other->address, value_origin(its)->file, value_origin(its)->line,
                  value_origin(its)->column);
}

/* Two orders that are in force at one time for one machine, be they alike or not: told before the night on which a plan
 * is blocked by them. Each pair is named once, at the later document. */
static void check_overlaps(const struct document *doc, struct diags *faults)
{
    const struct value *restores = value_get(doc->spec, "restores");

    for (size_t i = 0; acts(doc) && i < value_count(restores); i++) {
        const char *path = arena_printf(faults->arena, "spec.restores.%zu.virtualMachine", i);
        const struct document *rvm = document_target(doc, path), *other;
        size_t at = 0;

        while (rvm && (other = referrer_next(rvm, "Activation", &at))) {
            const struct value *theirs = value_get(other->spec, "restores");

            for (size_t k = 0;
                 other->index < doc->index && acts(other) && windows_meet(doc, other) && k < value_count(theirs); k++)
                if (document_target(other, arena_printf(faults->arena, "spec.restores.%zu.virtualMachine", k)) == rvm)
                    check_pair(doc, value_item(restores, i), other, value_item(theirs, k), faults);
        }
    }
}

static void check(const struct document *doc, struct diags *faults)
{
    check_window(doc, faults);
    check_overlaps(doc, faults);
    check_restores(doc, faults);
}

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    int64_t from = time_parse(value_str_at(doc->spec, "notBefore")),
            to = time_parse(value_str_at(doc->spec, "notAfter"));
    struct step *step;

    if (doc->suspended || doc->observe_only) {
        step = steps_add(out, doc, ACTION_NONE, NULL, "%s: nothing of it is triggered",
                         doc->suspended ? arena_printf(v->arena, "suspended (%s)", doc->suspended) : "observed only");
        step->matters = true;
        return;
    }
    step = steps_add(out, doc, ACTION_NONE, NULL,
                     value_bool_at(doc->spec, "withdrawn", false)
                         ? "withdrawn: nothing new is started; jobs that run are not cancelled"
                     : v->now_ms < from ? "not in force before %s"
                     : v->now_ms > to   ? "expired at %s"
                                        : "in force until %s",
                     time_format(v->arena, v->now_ms < from ? from : to));
    step->matters = true;
}

/* Every restore that it orders is done: its end is no loss any more. */
static bool carried_out(const struct view *v, const struct document *doc)
{
    size_t ordered = 0, done = 0;

    for (size_t i = 0; i < doc->n_references; i++) {
        const struct document *rvm = doc->references[i].target;
        const struct situation *s;

        if (!rvm || !str_eq(rvm->kind, "RestoredVirtualMachine") || order_for(v, rvm).activation != doc ||
            desired_beside(v->desired, rvm))
            continue;
        s = situation_of(v, rvm);
        ordered++;
        done += restored_vm_job(s->jobs, "completed") != NULL;
    }
    return ordered && done == ordered;
}

/* The first restore of the order that by the estimates can only be triggered after its end; NULL: none. */
static const struct step *step_too_late(const struct view *v, const struct document *doc, int64_t end_ms,
                                        int64_t *ret_lead_ms)
{
    struct index *known = index_new(v->arena, INDEX_EXACT);
    const struct step *step, *first = NULL;

    for (size_t i = 0; i < doc->n_references; i++) {
        const struct document *rvm = doc->references[i].target;
        const struct index_entry *at = NULL;
        int64_t lead;

        while (rvm && order_for(v, rvm).activation == doc && (step = steps_next(v->steps, rvm, &at))) {
            if (step->action != ACTION_RESTORE_VM || step->adopts ||
                (first && first->document->index < rvm->index))
                continue;
            lead = steps_lead_ms(v->steps, step, known);
            if (v->now_ms + lead <= end_ms)
                continue;
            *ret_lead_ms = lead;
            first = step;
        }
    }
    return first;
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items,
                      size_t *count)
{
    struct deadline d = {.at_ms = time_parse(value_str_at(doc->spec, "notAfter")),
                         .what = arena_printf(a, "%s expires", doc->address)};

    const struct step *late;
    int64_t lead;

    if (value_bool_at(doc->spec, "withdrawn", false) || d.at_ms <= v->now_ms ||
        v->now_ms < time_parse(value_str_at(doc->spec, "notBefore")) || carried_out(v, doc))
        return;
    late = step_too_late(v, doc, d.at_ms, &lead);
    if (late)
        d.what = arena_printf(
            a,
            "%s expires too early: by the estimates %s can be triggered in %s only, and is not triggered after "
            "that end; set notAfter later, else the steps before it are done in vain",
            doc->address, late->id, duration_format(a, lead));
    arena_push(a, *items, *count, d);
}

const struct kind activation_kind = {
    .name = "Activation",
    .summary = "An order to carry restores out: which VM, which recovery point, within which window.",
    .steps = steps,
    .check = check,
    .deadlines = deadlines,
};
