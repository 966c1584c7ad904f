/* How far the machine's own clock is from Azure's, learned from the Date headers of Azure's answers. Pure: no clock is
 * asked here.
 *
 * A reading is a host's Date with the moments (on a clock that only measures spans) at which the request was sent and
 * the answer had come. It bounds the offset between the two clocks to an interval: the length of the exchange and
 * Date's one second.
 *
 * The rule:
 *  1. Before the first answer the machine's own clock counts.
 *  2. A reading within two minutes of the clock corrects it by no more than the reading's interval demands.
 *  3. A reading further off is a doubt. It is believed when two hosts say it and fewer have held to the clock since the
 * doubt arose; or when a host that agreed before says it twice and no other has held to the clock in between (this
 * machine stood still, as a paused virtual machine does). One odd header, or one host with a broken clock, so moves
 * nothing.
 *  4. While no two hosts have agreed yet, of two readings the one nearer to the machine's own clock is believed. */
#ifndef REINSTATE_SKEW_H
#define REINSTATE_SKEW_H

#include "../base/clock.h"
#include "../base/err.h"

#define SKEW_WARN_MS ((int64_t)2 * MINUTE_MS)      /* further off than this is said */
#define SKEW_STOP_MS                                                                                                   \
    ((int64_t)15 * MINUTE_MS) /* further off than this nothing is written: Azure Storage's own limit, too */

enum { SKEW_HOSTS = 32 };

/* What one host said last. */
struct skew_voice {
    uint64_t host;
    int64_t low_ms, high_ms;    /* the interval its reading bounds the offset to */
    int64_t at_ms;              /* when it was heard */
    int64_t since_ms;           /* doubts: since when it departs from the clock */
    bool sound, doubts;         /* has agreed with the clock; departs from it now */
};

struct skew {
    int64_t own_ms;             /* the machine's own clock, ahead of the spans by this */
    int64_t offset_ms;          /* Azure's clock, ahead of the spans by this */
    bool heard, settled;        /* an answer has come; two hosts have agreed */
    struct skew_voice voices[SKEW_HOSTS];
    size_t n_voices;
};

void skew_init(struct skew *k, int64_t own_ms);
/* date_ms TIME_NONE is no reading. The moments are spans. */
void skew_hear(struct skew *k, const char *host, int64_t date_ms, int64_t sent_ms, int64_t received_ms);

/* The latest that anybody has said, believed or not, ahead of the spans: a first sign that this machine stood still. */
int64_t skew_latest_ms(const struct skew *k);

/* "25 min behind Azure's" */
const char *skew_words(struct arena *a, int64_t skew_ms);
/* ERR_BLOCKED while the machine's clock is so far from Azure's. Asked before each step that writes, and before each
 * trigger: a machine that stood still meanwhile takes no order's window for open. */
must_use int skew_check(int64_t skew_ms, struct err *err);

#endif
