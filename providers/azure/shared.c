/* Knows how one read serves all the tasks that want it. Must not know what is read: the caller says how
 * old it may be. */
#include "shared.h"

#include "internal.h"

/* A task that waits for the answer another one is fetching; lives on that task's stack. */
struct waiting {
    struct waiting *next;
    struct call *call;
    bool told; /* woken with an error */
    struct err err;
};

/* What is found in an answer by one way of naming. */
struct named {
    struct named *next;
    shared_names *names;
    struct index *index;
};

/* What Azure answered once. It lies in an arena of its own, so that neither the connection nor any
 * reader has to outlive another. */
struct answer {
    struct arena *arena;
    const struct value *body;
    struct list_bound bound; /* of a list: how much of it this is */
    struct named *named;
    size_t holders; /* the store, while there is no newer one, and every reader's arena */
};

/* What is read of one key. */
struct reading {
    struct answer *answer; /* the latest; NULL: there is none yet */
    int64_t asked_ms;      /* when it was asked for */
    size_t asked_in;       /* and in which span between writes; 0: it is no answer for anybody who asks now */
    bool asking;
    struct waiting *waiting, **last; /* last: where the next one waits; NULL: at the front */
};

struct shared {
    struct arena *arena; /* of the readings, not of their answers */
    struct index *by_key;
    struct reading **all;
    size_t count;
    size_t forgotten; /* what was asked for before so many writes will do for nobody */
    int64_t ahead_ms; /* of Azure's latest Date to the spans, when somebody noticed a sleep */
};

static void answer_release(void *what)
{
    struct answer *answer = what;

    if (--answer->holders == 0)
        arena_free(answer->arena);
}

/* Only the tree is kept: headers, texts and pages that it was read from are left behind. */
static struct answer *answer_new(const struct value *body)
{
    struct arena *a = arena_new();
    struct answer *answer = arena_new_of(a, struct answer);

    *answer = (struct answer){.arena = a, .body = value_copy_shared(a, body), .holders = 1};
    return answer;
}

static const struct value *answer_hold(struct answer *answer, struct arena *reader)
{
    answer->holders++;
    arena_keep(reader, answer_release, answer);
    return answer->body;
}

static void shared_free(void *what)
{
    struct shared *s = what;

    for (size_t i = 0; i < s->count; i++)
        if (s->all[i]->answer)
            answer_release(s->all[i]->answer);
    arena_free(s->arena);
}

static struct shared *shared_of(struct azure *az)
{
    struct shared *s = azure_kept(az, KEPT_SHARED);
    struct arena *a;

    if (s)
        return s;
    a = arena_new();
    s = arena_new_of(a, struct shared);
    *s = (struct shared){.arena = a, .by_key = index_new(a, INDEX_NOCASE), .forgotten = 1, .ahead_ms = INT64_MIN};
    azure_keep(az, KEPT_SHARED, s, shared_free);
    return s;
}

static void forget_all(struct azure *az, struct shared *s)
{
    azure_written(az);
    s->forgotten = azure_writes(az);
}

void shared_forget(struct azure *az)
{
    forget_all(az, shared_of(az));
}

void shared_forget_if_asleep(struct azure *az, struct call *c, int64_t ahead_ms)
{
    struct shared *s = shared_of(az);
    int64_t now_ms = sched_latest_ms(call_sched(c)) - call_span_ms(c);

    if (now_ms - (ahead_ms > s->ahead_ms ? ahead_ms : s->ahead_ms) <= SHARED_FRESH_MS)
        return;
    s->ahead_ms = now_ms;
    forget_all(az, s);
}

static struct reading *reading_of(struct shared *s, const char *key)
{
    struct reading *found = index_get(s->by_key, key);

    if (found)
        return found;
    found = arena_new_of(s->arena, struct reading);
    index_put(s->by_key, arena_strdup(s->arena, key), found);
    arena_push(s->arena, s->all, s->count, found);
    return found;
}

const struct value *arm_seen(const struct azure *az, struct arena *a, const char *id)
{
    const struct shared *s = azure_kept(az, KEPT_SHARED);
    const struct reading *r = s ? index_get(s->by_key, id) : NULL;

    return r && r->answer ? answer_hold(r->answer, a) : NULL;
}

/* *ret_told: the task that was waited for has failed, with this error. */
static int wait_for_other(struct call *c, struct reading *s, bool *ret_told, struct err *err)
{
    struct waiting me = {.call = c}, **at = s->last ? s->last : &s->waiting;

    *at = &me;
    s->last = &me.next;
    if (call_park(c, "a read that another task has sent", err) < 0) {
        for (at = &s->waiting; *at && *at != &me;)
            at = &(*at)->next;
        if (*at) {
            *at = me.next;
            s->last = me.next ? s->last : at;
        }
        return -(int)err->class;
    }
    *ret_told = me.told;
    if (me.told)
        *err = me.err;
    return 0;
}

static void wake_all(struct reading *s, const struct err *failure)
{
    struct waiting *w = s->waiting;

    s->waiting = NULL;
    s->last = NULL;
    for (; w; w = w->next) {
        w->told = failure != NULL;
        if (failure)
            w->err = *failure;
        call_wake(w->call);
    }
}

/* What is asked of this file. */
struct question {
    const struct arm_wanted *wanted;
    bool list, view;
    shared_make *make; /* NULL: it is read */
    size_t pages;      /* of a list, at most; 0: all */
};

static int read_alone(struct azure *az, struct call *c, struct arena *a, const struct question *q,
                      struct list_bound *bound, struct value **ret, struct err *err)
{
    const struct arm_wanted *w = q->wanted;

    if (q->make)
        return q->make(az, c, a, w->path, ret, err);
    if (q->list && !q->pages)
        return arm_list_where(az, c, a, w, ret, err);
    if (q->list)
        return arm_list_some(az, c, a, w, bound, ret, err);
    return q->view ? arm_get_view(az, c, a, w->path, w->api, ret, err) : arm_get(az, c, a, w->path, w->api, ret, err);
}

static int fetch(struct azure *az, struct call *c, struct reading *r, const struct question *q, struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    size_t span = azure_writes(az);
    int64_t asked = call_span_ms(c);
    struct list_bound bound = {.pages = q->pages};
    struct value *body = NULL;
    int rc;

    r->asking = true;
    rc = read_alone(az, c, scratch, q, &bound, &body, err);
    r->asking = false;
    r->asked_in = rc == 0 ? span : 0;
    if (rc == 0) {
        if (r->answer)
            answer_release(r->answer);
        r->answer = answer_new(body);
        r->answer->bound = bound;
        r->asked_ms = asked;
    }
    /* Who was cancelled says nothing about the others: they ask for themselves. */
    wake_all(r, rc < 0 && err->class != ERR_CANCELLED ? err : NULL);
    return rc;
}

static bool will_do(struct azure *az, const struct reading *r, const struct arm_wanted *w)
{
    return !r->asking && r->answer && r->asked_ms >= w->since_ms &&
           (w->despite_writes ? r->asked_in >= shared_of(az)->forgotten : r->asked_in == azure_writes(az));
}

/* The answer is the store's: it is held before the task suspends again. */
static int read_shared(struct azure *az, struct call *c, const struct question *q, struct answer **ret, struct err *err)
{
    const struct arm_wanted *w = q->wanted;
    struct reading *r = reading_of(shared_of(az), w->key ? w->key : w->path);

    for (;;) {
        bool told = false;

        if (will_do(az, r, w))
            break;
        if (!r->asking) {
            TRY(fetch(az, c, r, q, err));
            break;
        }
        TRY(wait_for_other(c, r, &told, err));
        if (told)
            return -(int)err->class;
    }
    *ret = r->answer;
    return 0;
}

static int read_body(struct azure *az, struct call *c, struct arena *a, const struct question *q,
                     const struct value **ret, struct err *err)
{
    struct answer *answer;

    TRY(read_shared(az, c, q, &answer, err));
    *ret = answer_hold(answer, a);
    return 0;
}

int arm_list_shared(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                    const struct value **ret, struct err *err)
{
    return read_body(az, c, a, &(struct question){.wanted = wanted, .list = true}, ret, err);
}

int arm_get_shared(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                   const struct value **ret, struct err *err)
{
    return read_body(az, c, a, &(struct question){.wanted = wanted}, ret, err);
}

int arm_view_shared(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                    const struct value **ret, struct err *err)
{
    return read_body(az, c, a, &(struct question){.wanted = wanted, .view = true}, ret, err);
}

int shared_made(struct azure *az, struct call *c, struct arena *a, shared_make *make, const struct arm_wanted *wanted,
                const struct value **ret, struct err *err)
{
    return read_body(az, c, a, &(struct question){.wanted = wanted, .make = make}, ret, err);
}

static const struct index *answer_named(struct answer *answer, shared_names *names)
{
    struct named *n = answer->named;

    while (n && n->names != names)
        n = n->next;
    if (n)
        return n->index;
    n = arena_new_of(answer->arena, struct named);
    *n = (struct named){.next = answer->named, .names = names, .index = index_new(answer->arena, INDEX_NOCASE)};
    for (size_t i = 0; i < value_count(answer->body); i++)
        names(answer->arena, n->index, value_item(answer->body, i));
    answer->named = n;
    return n->index;
}

int arm_list_named(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                   struct named_list *list, struct err *err)
{
    struct question q = {.wanted = wanted, .list = true, .pages = list->bound.pages};
    struct answer *answer;

    TRY(read_shared(az, c, &q, &answer, err));
    answer_hold(answer, a);
    list->bound = answer->bound;
    list->items = answer_named(answer, list->names);
    return 0;
}
