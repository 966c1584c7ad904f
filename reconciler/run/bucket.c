/* Knows how fast a service may be asked: what is left of an allowance, when there will be more, what its answers teach
 * about both. Must not know who counts what, nor what happens to a request that was refused. */
#include "bucket.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../base/index.h"
#include "../base/text.h"

/* How fast it fills is learned from what two answers say is left, so far apart that whole numbers tell something. */
static const double window_tokens = 10, news_share = 0.4, refused_share = 0.97, full_share = 0.9, much_less = 0.8;
/* What was learned never leads further from what is documented: a count that jumps is no rate. */
static const double learned_most = 8;

enum { REST_MS = 10 * MINUTE_MS, WINDOW_MS = SECOND_MS, UNDOCUMENTED_LEAST = 100, DIGITS_MAX = 9, PROBES = 4 };

/* A task in the queue for a token; lives on that task's stack. Only the first one sleeps. */
struct in_line {
    struct in_line *next;
    struct call *call;
    uint64_t ticket;
    bool parked;
};

struct bucket {
    const struct allowance *of;
    const char *name;
    bool known; /* what is left is known, from documents or from an answer */
    bool heard; /* an answer has come */
    double left, most, per_second;
    int64_t at_ms;    /* when `left` was so */
    size_t promised;  /* tokens that tasks on their way to a place count on */
    size_t under_way; /* requests whose answers are not there */
    int64_t closed_until_ms, rests_until_ms;
    struct in_line *first, *last;
    size_t waiting;
    int64_t told_until_ms;
    /* The last answer that a rate may be learned from. */
    int64_t mark_ms;
    double mark_left; /* -1: there is none */
    size_t taken_since_mark;
};

struct buckets {
    struct arena *arena;
    struct index *by_name;
    struct bucket **all;
    size_t count;
    uint64_t tickets;
};

struct buckets *buckets_new(void)
{
    struct arena *a = arena_new();
    struct buckets *all = arena_new_of(a, struct buckets);

    *all = (struct buckets){.arena = a, .by_name = index_new(a, INDEX_NOCASE)};
    return all;
}

void buckets_free(struct buckets *all)
{
    if (!all)
        return;
    for (size_t i = 0; i < all->count; i++)
        assert(!all->all[i]->first);
    arena_free(all->arena);
}

struct bucket *buckets_of(struct buckets *all, const struct draw *draw, int64_t span_ms)
{
    struct text name cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct bucket *b;

    text_printf(&name, "%s (%s)", draw->of->name, draw->whose);
    for (const struct index_entry *e = index_find(all->by_name, text_str(&name)); e; e = e->next)
        if (((struct bucket *)e->thing)->of == draw->of)
            return e->thing;
    b = arena_new_of(all->arena, struct bucket);
    *b = (struct bucket){.of = draw->of,
                         .name = arena_strdup(all->arena, text_str(&name)),
                         .known = draw->of->most > 0,
                         .left = draw->of->most,
                         .most = draw->of->most,
                         .per_second = draw->of->per_second,
                         .at_ms = span_ms,
                         .mark_left = -1};
    index_put(all->by_name, b->name, b);
    arena_push(all->arena, all->all, all->count, b);
    return b;
}

uint64_t buckets_ticket(struct buckets *all)
{
    return ++all->tickets;
}

const struct allowance *bucket_of(const struct bucket *b)
{
    return b->of;
}

const char *bucket_name(const struct bucket *b)
{
    return b->name;
}

/* --- waiting ------------------------------------------------------------------------------------------------------ */

static void fill(struct bucket *b, int64_t span_ms)
{
    b->left += (double)(span_ms - b->at_ms) / SECOND_MS * b->per_second;
    b->left = b->left > b->most ? b->most : b->left;
    b->at_ms = span_ms;
}

static int64_t until_ms(const struct bucket *b, double tokens)
{
    return tokens <= b->left ? 0 : (int64_t)ceil((tokens - b->left) / b->per_second * SECOND_MS);
}

/* Who has not heard a service yet tries it with a few: it may have been asked by others before. */
static bool is_probing(const struct bucket *b)
{
    return !b->heard && b->known && b->of->left && b->under_way + b->promised >= PROBES;
}

/* 0: a token is there for whoever is first. */
static int64_t next_ms(struct bucket *b, int64_t span_ms)
{
    int64_t ms;

    if (!b->known)
        return 0;
    fill(b, span_ms);
    ms = until_ms(b, (double)b->promised + 1);
    return b->closed_until_ms - span_ms > ms ? b->closed_until_ms - span_ms : ms;
}

int64_t bucket_foreseen_ms(struct bucket *b, int64_t span_ms)
{
    int64_t ms = next_ms(b, span_ms), all = b->known ? until_ms(b, (double)(b->promised + b->waiting + 1)) : 0;

    return all > ms ? all : ms;
}

int64_t bucket_worth_telling_ms(struct bucket *b, int64_t span_ms, int64_t from_ms)
{
    int64_t ms = bucket_foreseen_ms(b, span_ms);

    if (ms <= from_ms || span_ms < b->told_until_ms)
        return 0;
    b->told_until_ms = span_ms + ms;
    return ms;
}

static void first_wake(struct bucket *b)
{
    if (!b->first || !b->first->parked)
        return;
    b->first->parked = false;
    call_wake(b->first->call);
}

/* Who has been there before stands before all who came later. */
static void line_join(struct bucket *b, struct in_line *me)
{
    struct in_line **at = b->last && b->last->ticket < me->ticket ? &b->last->next : &b->first;

    while (*at && (*at)->ticket < me->ticket)
        at = &(*at)->next;
    me->next = *at;
    *at = me;
    if (!me->next)
        b->last = me;
    b->waiting++;
}

static void line_leave(struct bucket *b, struct in_line *me)
{
    struct in_line **at = &b->first, *before = NULL;

    while (*at != me) {
        before = *at;
        at = &(*at)->next;
    }
    *at = me->next;
    if (b->last == me)
        b->last = before;
    b->waiting--;
    if (!before)
        first_wake(b);
}

static int line_wait(struct bucket *b, struct call *c, struct in_line *me, struct err *err)
{
    for (;;) {
        int64_t ms;

        if (b->first != me || is_probing(b)) {
            me->parked = true;
            TRY(call_park(c, "those who asked the service before", err));
            continue;
        }
        ms = next_ms(b, call_span_ms(c));
        if (!ms)
            return 0;
        TRY(call_sleep_ms(c, ms, "what the service allows", err));
    }
}

int bucket_wait(struct bucket *b, struct call *c, uint64_t ticket, struct err *err)
{
    struct in_line me = {.call = c, .ticket = ticket};
    int rc = 0;

    if ((b->first && b->first->ticket < ticket) || is_probing(b) || next_ms(b, call_span_ms(c))) {
        line_join(b, &me);
        rc = line_wait(b, c, &me, err);
        b->promised += rc == 0;
        line_leave(b, &me);
        return rc;
    }
    b->promised++;
    return 0;
}

void bucket_forgo(struct bucket *b)
{
    b->promised--;
    first_wake(b);
}

bool bucket_holds(struct bucket *b, int64_t span_ms)
{
    if (!b->known)
        return true;
    fill(b, span_ms);
    return b->left >= 1 && b->closed_until_ms <= span_ms;
}

void bucket_take(struct bucket *b)
{
    b->promised--;
    b->left -= b->known ? 1 : 0;
    b->under_way++;
}

/* --- learning ----------------------------------------------------------------------------------------------------- */

int64_t allowance_left(const struct allowance *of, const char *value)
{
    size_t n = of->entry ? strlen(of->entry) : 0;

    while (value && of->entry && !(str_starts_nocase(value, of->entry) && value[n] == ';')) {
        value += strcspn(value, ",");
        value += *value == ',';
        value += strspn(value, " ");
        value = *value ? value : NULL;
    }
    value = value && of->entry ? value + n + 1 : value;
    n = value ? strspn(value, "0123456789") : 0;
    return n && n <= DIGITS_MAX && strchr(", ", value[n]) ? (int64_t)strtol(value, NULL, 10) : -1;
}

/* Nothing is documented: it is taken for an allowance of an hour, since those are the ones that hurt. */
static void get_to_know(struct bucket *b, double left)
{
    b->known = true;
    b->most = left > UNDOCUMENTED_LEAST ? left : UNDOCUMENTED_LEAST;
    b->left = left;
    b->per_second = b->most / (HOUR_MS / SECOND_MS);
}

static double within(double x, double of)
{
    return x < of / learned_most ? of / learned_most : x > of * learned_most ? of * learned_most : x;
}

static double documented(const struct bucket *b)
{
    return b->of->per_second > 0 ? b->of->per_second : b->most / (HOUR_MS / SECOND_MS);
}

/* A full bucket takes up nothing: what it says then tells no rate. */
static void learn_rate(struct bucket *b, double left, int64_t span_ms)
{
    double seconds = (double)(span_ms - b->mark_ms) / SECOND_MS;

    if (left > full_share * b->most) {
        b->mark_left = -1;
        return;
    }
    if (b->mark_left >= 0 && (span_ms - b->mark_ms < WINDOW_MS || seconds * b->per_second < window_tokens))
        return;
    if (b->mark_left >= 0) {
        double seen = (left - b->mark_left + (double)b->taken_since_mark) / seconds;

        double share = seen < much_less * b->per_second ? 1 : news_share;

        b->per_second = within((1 - share) * b->per_second + share * seen, documented(b));
    }
    b->mark_left = left;
    b->mark_ms = span_ms;
    b->taken_since_mark = 0;
}

/* What is under way may come on top of what the answer has counted. Less than was thought holds at once, more only by
 * and by: answers overtake each other, and a service may count in several places. */
static void learn_left(struct bucket *b, double left)
{
    double sure = left - (double)b->under_way;

    b->most = left > b->most ? left : b->most;
    sure = sure < 0 ? 0 : sure;
    b->left = sure < b->left ? sure : b->left + (sure - b->left) / 4;
}

void bucket_hear(struct bucket *b, int64_t left, bool refused, int64_t span_ms)
{
    fill(b, span_ms);
    b->under_way--;
    b->heard = true;
    b->taken_since_mark += refused ? 0 : 1;
    if (left >= 0 && !b->known)
        get_to_know(b, (double)left);
    if (left >= 0) {
        learn_left(b, (double)left);
        learn_rate(b, (double)left, span_ms);
    }
    if (refused && b->known) {
        b->left = b->left > 0 ? 0 : b->left;
        b->per_second = within(b->per_second * refused_share, documented(b));
    }
    first_wake(b);
}

void bucket_close(struct bucket *b, int64_t until_ms)
{
    if (!b->known || until_ms <= b->closed_until_ms)
        return;
    b->closed_until_ms = until_ms;
    /* What has come back by then is tried with a few as well. */
    b->heard = false;
}

void bucket_rest(struct bucket *b, int64_t span_ms)
{
    b->rests_until_ms = span_ms + REST_MS;
}

bool bucket_rests(const struct bucket *b, int64_t span_ms)
{
    return span_ms < b->rests_until_ms;
}
