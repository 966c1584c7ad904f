/* What dies when a key is disabled, or a key, its store or a disk encryption set is deleted, and what would still be
 * restorable by which path. Pure: the lineage says what hangs on it, and the scenario table is asked again on facts as
 * they would be then. */
#ifndef REINSTATE_IMPACT_H
#define REINSTATE_IMPACT_H

#include "lineage.h"

enum impact_act { IMPACT_DISABLE, IMPACT_DELETE };

struct impact_target {
    enum impact_act act;
    enum lineage_kind kind;            /* LINEAGE_STORE, LINEAGE_VERSION (one version or a whole key), LINEAGE_SET */
    const char *base, *name, *version; /* of stores and keys; name NULL: the store; version NULL: every version */
    const char *id;                    /* of sets: ARM id */
    const char *label;                 /* for people */
};

/* What the operand means: a document's name, with or without its kind in front, an ARM id, or a URL; behind a key's
 * name a slash and a version. ERR_INVALID says what there is. */
must_use int impact_target_find(const struct view *v, enum impact_act act, const char *operand,
                                struct impact_target *ret, struct err *err);

/* The node is what is meant. */
bool impact_strikes(const struct impact_target *target, const struct lineage_node *node);

/* The same view with the facts as they would be: soft-deleted or disabled, or, with `purged`, gone
 * for good. Without steps. */
struct view impact_view(const struct view *v, const struct impact_target *target, bool purged);

/* How facts that are made up are concluded: as the engine does it, which this room does not know (engine_suppose). */
struct concluder {
    void (*conclude)(void *ctx, const struct view *v, enum supposing what, struct view *ret);
    void *ctx;
};

/* {action, target, kind, dies: bool,
 *  stops [{kind, name, id, sure: bool}]: VMs, disks and, when a key or store goes, sets,
 *  points [{virtualMachine, recoveryPoint, time, tier, now, then, afterPurge?}]: those that fare worse; each of the
 * three is {scenario?, outcome, code?, state, restorable (restorable_word), as? (the declared restore), path [words, in
 * order]}, unaffected: number of points, untold: number of points of which nobody can say what they fare now, unknown:
 * number of points whose key version nobody knows, unseen [{document, why}]: what could not be looked at, and may die
 * too, already?: words, when it is so already: then the rest tells what hangs on it as it stands, keys [names in the
 * store], undo {possible: bool, until?, how, risk?}} */
struct value *impact_of(const struct view *v, const struct impact_target *target, const struct concluder *concluder);

#endif
