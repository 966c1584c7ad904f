/* Knows who may send now: places in flight and the throttle of each scope. Must not know requests or answers. */
#include "admission.h"

#include <assert.h>
#include <stdlib.h>

#include "../base/text.h"

struct scope *admission_scope(struct admission *a, const char *name)
{
    struct scope *s = a->scopes;

    while (s && !str_eq_nocase(s->name, name))
        s = s->next;
    if (s)
        return s;
    s = xcalloc(1, sizeof(*s));
    *s = (struct scope){.next = a->scopes, .name = xstrdup(name)};
    a->scopes = s;
    return s;
}

void admission_leave(struct admission *a)
{
    struct queued *q = a->queue_first;

    if (!q) {
        a->in_flight--;
        return;
    }
    /* The place is handed straight to the first in the queue, so that no later request overtakes it. */
    a->queue_first = q->next;
    if (!q->next)
        a->queue_last = NULL;
    q->granted = true;
    call_wake(q->call);
}

static void queue_remove(struct admission *a, struct queued *q)
{
    struct queued **at = &a->queue_first, *before = NULL;

    while (*at != q) {
        before = *at;
        at = &(*at)->next;
    }
    *at = q->next;
    if (a->queue_last == q)
        a->queue_last = before;
}

int admission_take(struct admission *a, struct call *c, struct err *err)
{
    struct queued q = {.call = c};
    int rc;

    if (a->in_flight < a->in_flight_max) {
        a->in_flight++;
        return 0;
    }
    *(a->queue_last ? &a->queue_last->next : &a->queue_first) = &q;
    a->queue_last = &q;
    rc = call_park(c, "a place among the requests in flight", err);
    if (rc == 0)
        return 0;
    if (q.granted)
        admission_leave(a);
    else
        queue_remove(a, &q);
    return rc;
}

void admission_release(struct admission *a)
{
    assert(!a->in_flight && !a->queue_first);
    for (struct scope *s = a->scopes, *next; s; s = next) {
        next = s->next;
        free(s->name);
        free(s);
    }
    a->scopes = NULL;
}
