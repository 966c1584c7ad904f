/* Knows what an Activation means. Pure. Must not do anything about it. */
#include "order.h"

#include <stdlib.h>
#include <string.h>

#include "../documents/concluded.h"
#include "points.h"

/* One restore that an Activation names, as it is written. */
struct ordered {
    const struct document *activation;
    const char *point;
    int64_t not_before_ms, not_after_ms;
};

static struct order order_read(const struct view *v, const struct ordered *one)
{
    const struct document *activation = one->activation;
    struct order o = {
        .activation = activation,
        .point = one->point,
        .exports = !str_eq(value_str_at(activation->spec, "exports"), "forbidden"),
        .not_before_ms = one->not_before_ms,
        .not_after_ms = one->not_after_ms,
    };

    /* An order written by a clock that was ahead begins late by Azure's; what was done meanwhile is
     * done all the same. */
    o.since_ms = o.not_before_ms - (v->ahead_ms > 0 ? v->ahead_ms : 0);
    if (value_bool_at(activation->spec, "withdrawn", false))
        o.state = ORDER_WITHDRAWN;
    else if (activation->suspended || activation->observe_only)
        o.state = ORDER_WITHHELD;
    else if (v->now_ms < o.not_before_ms)
        o.state = ORDER_FUTURE;
    else
        o.state = v->now_ms <= o.not_after_ms ? ORDER_IN_FORCE : ORDER_EXPIRED;
    return o;
}

static int order_rank(enum order_state state)
{
    static const int ranks[] = {
        [ORDER_NONE] = 0, [ORDER_WITHDRAWN] = 1, [ORDER_EXPIRED] = 2, [ORDER_WITHHELD] = 3,
        [ORDER_FUTURE] = 4, [ORDER_IN_FORCE] = 5, [ORDER_OVERLAPPING] = 6,
    };

    return ranks[state];
}

static void order_weigh(struct order *best, struct order o)
{
    if (best->state == ORDER_IN_FORCE && o.state == ORDER_IN_FORCE) {
        best->state = ORDER_OVERLAPPING;
        best->other = o.activation;
    } else if (order_rank(o.state) > order_rank(best->state)) {
        *best = o;
    }
}

/* An order that nobody has given, for the question what would follow from one. */
static struct order order_supposed(const struct view *v, const struct document *restored_vm)
{
    static const struct document activation = {.kind = "Activation", .name = "an order", .address = "an order"};
    const struct document *pvm = document_target(restored_vm, "spec.from");
    const struct value *point = protected_vm_newest_vault_point(v, pvm);
    const char *newest = value_str_at(point ? point : protected_vm_newest_point(v, pvm), "id");

    return (struct order){
        .state = ORDER_IN_FORCE,
        .activation = &activation,
        .point = v->if_ordered == SUPPOSE_NOW ? v->ordered_points[restored_vm->index] : newest,
        .exports = true,
        .not_before_ms = v->now_ms,
        .not_after_ms = v->now_ms + DAY_MS,
        .since_ms = v->now_ms,
    };
}

static bool supposed(const struct view *v, const struct document *restored_vm)
{
    return v->if_ordered == SUPPOSE_LOSS || (v->if_ordered == SUPPOSE_NOW && v->ordered_points[restored_vm->index]);
}

static void put_ordered(const struct view *v, const struct document *activation, struct arena *a, struct index *x)
{
    static const char list[] = "spec.restores.";
    const struct value *restores = value_get(activation->spec, "restores");
    int64_t not_before_ms = time_parse(value_str_at(activation->spec, "notBefore")),
            not_after_ms = time_parse(value_str_at(activation->spec, "notAfter"));

    (void)v;
    for (size_t i = 0; i < activation->n_references; i++) {
        const struct reference *ref = &activation->references[i];
        struct ordered *one;

        if (!ref->target || !str_starts_nocase(ref->path, list))
            continue;
        one = arena_new_of(a, struct ordered);
        *one = (struct ordered){
            .activation = activation,
            .point = value_str_at(value_item(restores, (size_t)strtoul(ref->path + strlen(list), NULL, 10)),
                                  "recoveryPoint"),
            .not_before_ms = not_before_ms,
            .not_after_ms = not_after_ms,
        };
        index_put(x, ref->target->address, one);
    }
}

static struct order order_find(const struct view *v, const struct document *restored_vm)
{
    static const struct view_names by_machine = {.kind = "Activation", .declared = true, .put = put_ordered};
    struct order best = {.state = ORDER_NONE};
    const struct index_entry *at = NULL;
    const struct ordered *one;

    while ((one = view_next(v, &by_machine, restored_vm->address, &at)))
        order_weigh(&best, order_read(v, one));
    if (best.state == ORDER_IN_FORCE || best.state == ORDER_OVERLAPPING || !supposed(v, restored_vm))
        return best;
    return order_supposed(v, restored_vm);
}

struct order order_for(const struct view *v, const struct document *restored_vm)
{
    struct concluded_parts *own = concluded_parts(v, restored_vm);
    struct order *order;

    if (!own)
        return order_find(v, restored_vm);
    if (!own->order) {
        order = arena_new_of(v->arena, struct order);
        *order = order_find(v, restored_vm);
        own->order = order;
    }
    return *own->order;
}

/* A walk over the machines on sets of one key for which an order is in force. It starts as zero. */
struct ordered_walk {
    size_t at_set, at_vm;
    const struct document *des, *restored_vm;
    struct order order;
};

static bool ordered_next(const struct view *v, const struct document *key, struct ordered_walk *w)
{
    while (w->des || (w->des = referrer_next(key, "DiskEncryptionSet", &w->at_set))) {
        while ((w->restored_vm = referrer_next(w->des, "RestoredVirtualMachine", &w->at_vm))) {
            w->order = order_for(v, w->restored_vm);
            if (w->order.state == ORDER_IN_FORCE)
                return true;
        }
        w->des = NULL;
        w->at_vm = 0;
    }
    return false;
}

const char *order_covering_key(const struct view *v, const struct document *key)
{
    struct ordered_walk w = {0};

    return ordered_next(v, key, &w) ? w.order.activation->name : NULL;
}

void order_serve(const struct view *v, const struct document *key, struct steps *out, struct step *step)
{
    struct ordered_walk w = {0};

    while (ordered_next(v, key, &w))
        step_serves(out, step, w.restored_vm);
}

void order_cover(const struct view *v, const struct document *key, struct steps *out, struct step *step)
{
    const char *by = order_covering_key(v, key);
    struct value *detail = step->detail ? value_copy(v->arena, step->detail) : value_map(v->arena);

    if (!by)
        return;
    if (!value_str_at(detail, "orderedBy"))
        value_set_string(v->arena, detail, "orderedBy", by);
    step->detail = detail;
    step->covered = true;
    order_serve(v, key, out, step);
}
