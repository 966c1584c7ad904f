/* Knows how one read serves all the tasks that want it. Must not know what is read: the caller says how old it may be. */
#include "shared.h"

#include <stdlib.h>

#include "internal.h"

/* A task that waits for the answer another one is fetching; lives on that task's stack. */
struct waiting {
    struct waiting *next;
    struct call *call;
    bool told; /* woken with an error */
    struct err err;
};

struct shared {
    struct shared *next;
    char *key;
    struct arena *arena; /* holds the answer; NULL: there is none yet */
    struct value *answer;
    int64_t asked_ms; /* when it was asked for */
    bool stale;       /* something was written since */
    bool asking;
    struct waiting *waiting;
};

void shared_free(struct shared *list)
{
    while (list) {
        struct shared *next = list->next;

        if (list->arena)
            arena_free(list->arena);
        free(list->key);
        free(list);
        list = next;
    }
}

void shared_expire(struct shared *list)
{
    for (; list; list = list->next)
        list->stale = true;
}

static struct shared *shared_find(struct shared *list, const char *key)
{
    while (list && !str_eq_nocase(list->key, key))
        list = list->next;
    return list;
}

static struct shared *shared_at(struct azure *az, const char *key)
{
    struct shared **list = azure_shared(az), *found = shared_find(*list, key);

    if (found)
        return found;
    found = xcalloc(1, sizeof(*found));
    found->key = xstrdup(key);
    found->next = *list;
    *list = found;
    return found;
}

const struct value *arm_seen(const struct azure *az, const char *id)
{
    const struct shared *s = shared_find(*azure_shared((struct azure *)az), id);

    return s ? s->answer : NULL;
}

/* *ret_told: the task that was waited for has failed, with this error. */
static int wait_for_other(struct call *c, struct shared *s, bool *ret_told, struct err *err)
{
    struct waiting me = {.call = c}, **at = &s->waiting;

    while (*at)
        at = &(*at)->next;
    *at = &me;
    if (call_park(c, "a read that another task has sent", err) < 0) {
        for (at = &s->waiting; *at; at = &(*at)->next)
            if (*at == &me) {
                *at = me.next;
                break;
            }
        return -(int)err->class;
    }
    *ret_told = me.told;
    if (me.told)
        *err = me.err;
    return 0;
}

static void wake_all(struct shared *s, const struct err *failure)
{
    struct waiting *w = s->waiting;

    s->waiting = NULL;
    for (; w; w = w->next) {
        w->told = failure != NULL;
        if (failure)
            w->err = *failure;
        call_wake(w->call);
    }
}

struct reading {
    const char *path, *query, *key;
    enum azure_api api;
    bool list, view;
};

static int read_alone(struct azure *az, struct call *c, struct arena *a, const struct reading *r, struct value **ret, struct err *err)
{
    if (r->list)
        return arm_list(az, c, a, r->path, r->api, r->query, ret, err);
    return r->view ? arm_get_view(az, c, a, r->path, r->api, ret, err) : arm_get(az, c, a, r->path, r->api, ret, err);
}

static int fetch(struct azure *az, struct call *c, struct shared *s, const struct reading *r, struct err *err)
{
    struct arena *fresh = arena_new();
    struct value *answer = NULL;
    int64_t asked = call_span_ms(c);
    int rc;

    s->asking = true;
    s->stale = false;
    rc = read_alone(az, c, fresh, r, &answer, err);
    s->asking = false;
    if (rc == 0) {
        if (s->arena)
            arena_free(s->arena);
        s->arena = fresh;
        s->answer = answer;
        s->asked_ms = asked;
    } else {
        s->stale = true;
        arena_free(fresh);
    }
    /* Who was cancelled says nothing about the others: they ask for themselves. */
    wake_all(s, rc < 0 && err->class != ERR_CANCELLED ? err : NULL);
    return rc;
}

static int read_shared(struct azure *az, struct call *c, struct arena *a, const struct reading *r, int64_t since_ms, struct value **ret,
                       struct err *err)
{
    struct shared *s = shared_at(az, r->key);

    for (;;) {
        bool told = false;

        if (!s->asking && s->answer && !s->stale && s->asked_ms >= since_ms)
            break;
        if (!s->asking) {
            TRY(fetch(az, c, s, r, err));
            break;
        }
        TRY(wait_for_other(c, s, &told, err));
        if (told)
            return -(int)err->class;
    }
    *ret = value_copy(a, s->answer);
    return 0;
}

int arm_list_shared(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api, const char *query,
                    const char *key, int64_t since_ms, struct value **ret, struct err *err)
{
    return read_shared(az, c, a, &(struct reading){.path = path, .api = api, .query = query, .key = key, .list = true}, since_ms, ret, err);
}

int arm_get_shared(struct azure *az, struct call *c, struct arena *a, const char *id, enum azure_api api, int64_t since_ms,
                   struct value **ret, struct err *err)
{
    return read_shared(az, c, a, &(struct reading){.path = id, .api = api, .key = id}, since_ms, ret, err);
}

int arm_view_shared(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api, int64_t since_ms,
                    struct value **ret, struct err *err)
{
    return read_shared(az, c, a, &(struct reading){.path = path, .api = api, .key = path, .view = true}, since_ms, ret, err);
}
