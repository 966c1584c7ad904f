/* Kind Activation: an order to carry restores out. It changes nothing by itself; restores and exports ask it (order.h). */
#include "order.h"
#include "restored_vm.h"

enum { WINDOW_MAX_DAYS = 7 };

static void steps(const struct view *v, const struct document *doc, struct steps *out)
{
    int64_t from = time_parse(value_str_at(doc->spec, "notBefore")), to = time_parse(value_str_at(doc->spec, "notAfter"));

    if (to <= from) {
        steps_block(out, doc, NULL, "let notAfter be later than notBefore", "the window is empty");
        return;
    }
    /* The short window keeps Azure's job list sufficient evidence of what was already done. */
    if (to - from > WINDOW_MAX_DAYS * DAY_MS) {
        steps_block(out, doc, NULL, "let notAfter be at most seven days after notBefore", "the window is longer than seven days");
        return;
    }
    steps_add(out, doc, ACTION_NONE, NULL,
              value_bool_at(doc->spec, "withdrawn", false) ? "withdrawn: nothing new is started; jobs that run are not cancelled"
              : v->now_ms < from                           ? "not in force before %s"
              : v->now_ms > to                             ? "expired at %s"
                                                           : "in force until %s",
              time_format(v->arena, v->now_ms < from ? from : to));
}

/* Every restore that it orders is done: its end is no loss any more. */
static bool carried_out(const struct view *v, const struct document *doc)
{
    size_t ordered = 0, done = 0;

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *rvm = v->desired->documents[i];
        struct situation s;

        if (!str_eq(rvm->kind, "RestoredVirtualMachine") || order_for(v, rvm).activation != doc)
            continue;
        s = situation_of(v, rvm);
        ordered++;
        done += restored_vm_job(s.jobs, "completed") != NULL;
    }
    return ordered && done == ordered;
}

static void deadlines(const struct view *v, const struct document *doc, struct arena *a, struct deadline **items, size_t *count)
{
    struct deadline d = {.at_ms = time_parse(value_str_at(doc->spec, "notAfter")), .what = arena_printf(a, "%s expires", doc->address)};

    if (!value_bool_at(doc->spec, "withdrawn", false) && d.at_ms > v->now_ms &&
        v->now_ms >= time_parse(value_str_at(doc->spec, "notBefore")) && !carried_out(v, doc))
        arena_push(a, *items, *count, d);
}

const struct kind activation_kind = {
    .name = "Activation",
    .summary = "An order to carry restores out: which VM, which recovery point, within which window.",
    .steps = steps,
    .deadlines = deadlines,
};
