/* What an order would have done before the restore itself: the path that plan shows, as remedies
 * of the scenario table. Pure. */
#ifndef REINSTATE_ORDERED_PATH_H
#define REINSTATE_ORDERED_PATH_H

#include "../documents/common.h"

/* The remedies that the steps behind the restore carry out, in the order of the plan. `ordered`: of engine_suppose. */
const enum dx_remedy *ordered_remedies(const struct view *ordered, const struct document *restored_vm);
/* The first step that the restore needs, itself included, and policy withholds; NULL: none. */
const struct step *withheld_step(const struct view *v, const struct document *restored_vm);
/* The first step of `doc` with this action that the restore needs; NULL: none. */
const struct step *needed_step(const struct view *v, const struct document *restored_vm, enum action action,
                               const struct document *doc);
/* The first step that the restore needs, itself included, and for which preflight found that we lack a right; NULL:
 * none. */
const struct step *lacking_step(const struct view *v, const struct document *restored_vm);
/* The first step that the restore needs, itself included, which policy lets pass now, and by the estimates no more when
 * it begins; *ret is the ruling that says so. NULL: none. */
const struct step *ending_step(const struct view *v, const struct document *restored_vm, const struct ruling **ret);
/* The step that policy withholds and that holds up `block`, however many blocks lie between them; NULL:
 * policy is not the cause. */
const struct step *withheld_behind(const struct step *block);

/* What an order given now would come to. */
enum order_fate {
    FATE_CARRIED_OUT,
    FATE_BLOCKED, /* it would be refused: a plan would say so */
    FATE_NOTHING, /* it would restore nothing: the source heals, or what is declared is there */
    FATE_GIVEN    /* an order is there already: another one beside it is a fault */
};
const char *order_fate_word(enum order_fate f); /* "carried-out", "blocked", "nothing", "given" */

struct foretold_order {
    enum order_fate fate;
    const char *by;      /* id of the step, or address of the document, that says so; NULL with FATE_CARRIED_OUT */
    const char *reason;  /* NULL with FATE_CARRIED_OUT */
    const char *next;    /* what a person does about it; NULL */
    const char *exports; /* a pass that fails and exports the key comes first although a job exported it once: why what
                            that left is of no use; NULL */
    const char *unknown; /* of what would be carried out: no document says how it ends, and the facts in words; NULL */
};
/* `v`: as things stand; `ordered`: of engine_suppose, SUPPOSE_NOW, for this machine. */
struct foretold_order order_foretell(const struct view *v, const struct view *ordered,
                                     const struct document *restored_vm);

#endif
