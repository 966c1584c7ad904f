/* Which backup of a lost key pays for the pass that exports it. Pure. */
#ifndef REINSTATE_ELECTION_H
#define REINSTATE_ELECTION_H

#include "../backup/jobs.h"
#include "../backup/order.h"
#include "../keys/carried.h"

/* A lost key, and who exports it: the first of its azureBackup sources that has a usable export, else the first whose
 * pass runs already, else the first with an order in force on a point of the vault tier (snapshots export nothing) that
 * needs this very key and meets no obstacle, policy included (of several the one of the latest point, whose copy holds
 * the most), else the first such in spite of one, else the first. */
struct obstacle;
struct export_election {
    const struct document *key;
    const struct document *protected_vm; /* NULL: the key names no backup */
    const struct document *restored_vm;  /* whose order pays for the pass; NULL without one */
    struct order order;
    const struct value *export;    /* a usable export already there (of the protected VM's facts); NULL */
    bool running;                  /* the pass of `order` runs, be the order in force or not */
    bool useless;                  /* a pass of `order` exports no such key: its point needs another one */
    const struct value *completed; /* the pass that showed it; NULL: what is known of the backup does */
    /* What stands against its pass, as it was concluded: in words, and the obstacle of the machine whose order pays
     * (with its remedy), where that is it; NULL: nothing seen. */
    const char *hindrance;
    const struct obstacle *obstacle;
    struct key_carried
        carried; /* which key the ordered point carries, where it is not, or may not be, this one; else without words */
};
struct export_election export_elect(const struct view *v, const struct document *key);
/* Notes at a step which other machines could have paid for the pass, and what stands against each. */
void export_note_others(const struct view *v, const struct export_election *elected, struct steps *out,
                        struct step *step);
/* Which jobs are the pass of this order. `rvm` may be NULL. */
struct job_match export_match(const struct view *v, const struct document *pvm, const struct document *rvm,
                              const struct order *order);

/* What that job of the machine has exported, or will, is a copy of this key that is late enough for what is needed, and
 * the store has not refused it yet. */
bool export_will_do(const struct view *v, const struct document *key, const struct document *protected_vm,
                    const struct value *export);
/* The export that is tried after those of `tried` (job facts), of the same machine; NULL: no other will do. */
const struct value *export_spare(const struct view *v, const struct export_election *e, const struct value *tried);

#endif
