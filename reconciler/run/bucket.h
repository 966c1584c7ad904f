/* What a service lets one caller ask, so that nobody has to be refused first: buckets of tokens, one for each allowance
 * and for whom it counts. A request takes a token from each of its buckets before it leaves, in the order of asking,
 * and waits where none is left. What the services call their allowances, and which requests draw on which, is handed
 * in. A bucket only delays: it refuses nothing, since the service may allow more than it has documented. */
#ifndef REINSTATE_BUCKET_H
#define REINSTATE_BUCKET_H

#include "co.h"

/* One row of the table that is handed in. */
struct allowance {
    const char *name;  /* for the screen: "reads of a subscription" */
    double most;       /* so many at once, as documented; 0: not documented, and none is waited for until told */
    double per_second; /* and so many more in each second */
    const char *left;  /* the header of an answer that says how many are left; NULL: none does */
    const char *entry; /* where that header lists several ("NAME;12,OTHER;7"): the name; NULL: it is one number */
};

/* That a request draws on an allowance, and whose: a subscription, a vault. */
struct draw {
    const struct allowance *of;
    const char *whose;
};

enum { DRAWS_MAX = 4 }; /* of one request */

struct bucket;
struct buckets;
struct buckets *buckets_new(void);
void buckets_free(struct buckets *all); /* nobody may wait any more; NULL is fine */
/* The bucket of that draw, made full when it is new; lives as long as `all`. */
struct bucket *buckets_of(struct buckets *all, const struct draw *draw, int64_t span_ms);

const struct allowance *bucket_of(const struct bucket *b);
/* "reads of a subscription (SUBSCRIPTION)". */
const char *bucket_name(const struct bucket *b);
/* How long whoever asks now will wait, as far as can be foreseen. */
int64_t bucket_foreseen_ms(struct bucket *b, int64_t span_ms);
/* The same, once for each wait of the whole queue: 0 while the user knows of it already. */
int64_t bucket_worth_telling_ms(struct bucket *b, int64_t span_ms, int64_t from_ms);
/* Who stands in line by a smaller ticket stands before. */
uint64_t buckets_ticket(struct buckets *all);
/* May suspend, until a token is there, which is then promised; fails only as call_sleep_ms does. A promise ends with
 * bucket_take or bucket_forgo. */
must_use int bucket_wait(struct bucket *b, struct call *c, uint64_t ticket, struct err *err);
void bucket_forgo(struct bucket *b);
/* Is a token there still? An answer may have told meanwhile that there is none. */
bool bucket_holds(struct bucket *b, int64_t span_ms);
/* The request leaves; bucket_hear follows, when the answer is there or none comes any more. */
void bucket_take(struct bucket *b);
/* left: what the answer says of it; -1: nothing. refused: this allowance was used up. */
void bucket_hear(struct bucket *b, int64_t left, bool refused, int64_t span_ms);
/* The service says until when. */
void bucket_close(struct bucket *b, int64_t until_ms);
/* For some minutes it takes nothing that only sharpens a judgement: asked anew in every look before a write, that would
 * outlast the time that such a look holds. */
void bucket_rest(struct bucket *b, int64_t span_ms);
bool bucket_rests(const struct bucket *b, int64_t span_ms);
/* What the value of such a header says; -1: nothing. */
int64_t allowance_left(const struct allowance *of, const char *value);

#endif
