/* Knows which remedy each step of a plan is. Must not know how steps are made. */
#include "ordered_path.h"

#include <string.h>

#include "../kinds/restored_vm.h"
#include "../restore/export_pass.h"
#include "../restore/obstacles.h"

/* A set that only gets one more identity, or is no longer rotated, stays the set on the key that it is. */
static bool puts_on_key(const struct step *step)
{
    for (size_t i = 0; i < step->n_changes; i++)
        if (str_eq(step->changes[i].path, "properties.activeKey.keyUrl"))
            return true;
    return step->action == ACTION_CREATE;
}

/* The remedy that a step carries out; none: the step belongs to another step's remedy, or to none of the table. */
static enum dx_remedy remedy_of(const struct step *step)
{
    const char *kind = step->document->kind;

    switch ((int)step->action) {
    case ACTION_EXPORT_KEY:
        return DX_EXPORT_PASS;
    case ACTION_RESTORE_KEY:
        return DX_OWN_COPY;
    case ACTION_ENABLE:
        return DX_ENABLE_KEY;
    case ACTION_RECOVER:
        return str_eq(kind, "Key") ? DX_RECOVER_KEY : DX_RECOVER_STORE;
    case ACTION_CREATE:
    case ACTION_UPDATE:
        return str_eq(kind, "DiskEncryptionSet") && puts_on_key(step) ? DX_NEW_SET : DX_REMEDY_NONE;
    case ACTION_GRANT:
        return DX_GRANT;
    default:
        return DX_REMEDY_NONE;
    }
}

static void mark(const struct steps *steps, const struct step *step, bool *needed)
{
    for (size_t i = 0; i < step->n_needs && !step->needs_any; i++)
        for (size_t k = 0; k < steps->count; k++)
            if (!needed[k] && str_eq(steps->items[k]->id, step->needs[i])) {
                needed[k] = true;
                mark(steps, steps->items[k], needed);
            }
}

static const bool *needed_for(const struct view *v, const struct document *restored_vm)
{
    bool *needed = arena_array(v->arena, bool, v->steps->count + 1);

    for (size_t i = 0; i < v->steps->count; i++)
        if (v->steps->items[i]->document == restored_vm) {
            needed[i] = true;
            mark(v->steps, v->steps->items[i], needed);
        }
    return needed;
}

const struct step *withheld_step(const struct view *v, const struct document *restored_vm)
{
    const bool *needed = v->steps ? needed_for(v, restored_vm) : NULL;

    for (size_t i = 0; needed && i < v->steps->count; i++)
        if (needed[i] && action_writes(v->steps->items[i]->action) && step_withheld(v->steps->items[i]))
            return v->steps->items[i];
    return NULL;
}

const struct step *needed_step(const struct view *v, const struct document *restored_vm, enum action action,
                               const struct document *doc)
{
    const bool *needed = v->steps ? needed_for(v, restored_vm) : NULL;

    for (size_t i = 0; needed && doc && i < v->steps->count; i++)
        if (needed[i] && v->steps->items[i]->document == doc && v->steps->items[i]->action == action)
            return v->steps->items[i];
    return NULL;
}

const struct step *lacking_step(const struct view *v, const struct document *restored_vm)
{
    const bool *needed = v->steps ? needed_for(v, restored_vm) : NULL;

    for (size_t i = 0; needed && i < v->steps->count; i++)
        if (needed[i] && action_writes(v->steps->items[i]->action) && v->steps->items[i]->lacking)
            return v->steps->items[i];
    return NULL;
}

const struct step *ending_step(const struct view *v, const struct document *restored_vm, const struct ruling **ret)
{
    const bool *needed = v->steps ? needed_for(v, restored_vm) : NULL;

    for (size_t i = 0; needed && i < v->steps->count; i++)
        for (size_t k = 0; needed[i] && k < v->steps->items[i]->n_rulings; k++)
            if (v->steps->items[i]->rulings[k].ends_ms) {
                *ret = &v->steps->items[i]->rulings[k];
                return v->steps->items[i];
            }
    return NULL;
}

const struct step *withheld_behind(const struct step *block)
{
    /* What would be in vain and what makes it so hold each other up. */
    for (size_t hops = 0; block && hops < 16; hops++) {
        if (step_withheld(block))
            return block;
        block = block->held_by;
    }
    return NULL;
}

const enum dx_remedy *ordered_remedies(const struct view *ordered, const struct document *restored_vm)
{
    const struct steps *steps = ordered->steps;
    const bool *needed = needed_for(ordered, restored_vm);
    enum dx_remedy *list = arena_array(ordered->arena, enum dx_remedy, DX_REMEDY_COUNT);
    size_t n = 0;

    for (size_t i = 0; i < steps->count; i++) {
        enum dx_remedy remedy = needed[i] ? remedy_of(steps->items[i]) : DX_REMEDY_NONE;

        /* A pass that exports a key brings that key back with it. */
        if (remedy && !dx_has(list, remedy) && !(remedy == DX_OWN_COPY && dx_has(list, DX_EXPORT_PASS)))
            list[n++] = remedy;
    }
    return list;
}

/* --- what an order would come to ---------------------------------------------------------------------------------- */

const char *order_fate_word(enum order_fate f)
{
    static const char *const words[] = {"carried-out", "blocked", "nothing", "given"};

    return words[f];
}

static bool given(const struct view *v, const struct order *order, struct foretold_order *ret)
{
    const char *until = time_format(v->arena, order->not_after_ms), *name;

    if (order->state != ORDER_IN_FORCE && order->state != ORDER_OVERLAPPING && order->state != ORDER_FUTURE &&
        order->state != ORDER_WITHHELD)
        return false;
    name = order->activation->address;
    ret->fate = FATE_GIVEN;
    ret->by = name;
    ret->reason =
        order->state == ORDER_FUTURE ? arena_printf(v->arena, "%s orders it already, of point %s, in force from %s",
                                                    name, order->point, time_format(v->arena, order->not_before_ms))
        : order->state == ORDER_WITHHELD
            ? arena_printf(v->arena, "%s orders it already, of point %s, and is suspended or observed only", name,
                           order->point)
            : arena_printf(v->arena, "%s orders it already, of point %s, in force until %s", name, order->point, until);
    ret->next = arena_printf(
        v->arena,
        "carry that one out, or withdraw it first (withdrawn: true in %s): two orders for one machine at a "
        "time are a fault",
        name);
    return true;
}

/* The first step of the machine that says why nothing is restored. */
static const struct step *idle_step(const struct view *ordered, const struct document *rvm)
{
    const struct step *found = NULL;

    for (size_t i = 0; i < ordered->steps->count; i++) {
        const struct step *step = ordered->steps->items[i];

        if (step->document != rvm)
            continue;
        if (step->action == ACTION_RESTORE_VM)
            return NULL;
        found = found ? found : step;
    }
    return found;
}

/* What earlier exports of the machine there are, and why a pass is made all the same. NULL: no pass, or none before. */
static const char *exports_wanting(const struct view *ordered, const struct document *rvm)
{
    const bool *needed = needed_for(ordered, rvm);

    for (size_t i = 0; i < ordered->steps->count; i++) {
        const struct step *step = ordered->steps->items[i];

        if (needed[i] && step->action == ACTION_EXPORT_KEY && !step->adopts)
            return export_wanting(ordered, step->document);
    }
    return NULL;
}

struct foretold_order order_foretell(const struct view *v, const struct view *ordered, const struct document *rvm)
{
    struct foretold_order f = {.fate = FATE_CARRIED_OUT};
    const struct order there = order_for(v, rvm);
    const struct step *step = view_block(ordered, rvm);
    struct dx_prediction then;
    const struct value *failed;
    const char *withheld;

    if (given(v, &there, &f))
        return f;
    if (step) {
        f.fate = FATE_BLOCKED;
    } else {
        step = idle_step(ordered, rvm);
        f.fate = step ? FATE_NOTHING : FATE_CARRIED_OUT;
    }
    if (step) {
        const struct step *root = step->held_by ? step->held_by : step;

        f.by = root->id;
        f.reason = root->reason;
        f.next = root->next;
        return f;
    }
    f.exports = exports_wanting(ordered, rvm);
    then = diagnose(&situation_of(ordered, rvm)->then, situation_of(ordered, rvm)->article);
    if (!then.row || then.outcome == DX_OUTCOME_UNKNOWN)
        f.unknown = then.row ? then.row->state : dx_facts_words(v->arena, &situation_of(ordered, rvm)->then);
    failed = restored_vm_failed_before(ordered, situation_of(ordered, rvm));
    if (!f.unknown && failed)
        f.unknown = restored_vm_failed_words(v->arena, failed);
    withheld = restore_not_releasable(ordered, situation_of(ordered, rvm));
    if (!f.unknown && withheld)
        f.unknown = arena_printf(v->arena, "%s, and the VM would come back and not start", withheld);
    return f;
}
