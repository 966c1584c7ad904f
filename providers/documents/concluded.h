/* What follows from the facts of a look as they were before its first step, concluded once. Each room makes its own
 * part and is the only one to read it: who asks order_for, key_needed, situation_of or export_elect is told what was
 * concluded, whoever asks and when. */
#ifndef REINSTATE_CONCLUDED_H
#define REINSTATE_CONCLUDED_H

#include "common.h"

struct order;
struct key_need;
struct situation;
struct export_election;

/* What is concluded of one document, each part when somebody asks for it first; NULL: nobody has. */
struct concluded_parts {
    const struct order *order;                /* of a RestoredVirtualMachine (backup/order.h) */
    const struct situation *situation;        /* of a RestoredVirtualMachine, as seen (restore/situation.h) */
    const struct key_need *need;              /* of a Key (keys/original.h) */
    const struct export_election *election;   /* of a Key (restore/election.h) */
};

struct concluded {
    struct concluded_parts **parts;           /* by document index; NULL: nobody has asked */
};

/* NULL: nothing is concluded, as while things are still looked at. */
struct concluded_parts *concluded_parts(const struct view *v, const struct document *doc);
/* The look as it was before its first step, from which these parts are concluded whenever they are asked for. */
struct view concluded_from(const struct view *v);

#endif
