/* Who may send now: places for requests in flight, handed on in the order of asking, and the throttle that a scope is
 * under. One per HTTP engine; nothing in it is shared between threads. */
#ifndef REINSTATE_ADMISSION_H
#define REINSTATE_ADMISSION_H

#include "co.h"

struct scope {
    struct scope *next;
    char *name;
    int64_t until_ms;           /* by call_span_ms: nothing of this scope is sent before */
};

/* A task in the queue for a place; lives on that task's stack. */
struct queued {
    struct queued *next;
    struct call *call;
    bool granted;
};

struct admission {
    size_t in_flight, in_flight_max;
    struct queued *queue_first, *queue_last;
    struct scope *scopes;
};

/* The scope of that name, made when it is new; lives as long as the admission. */
struct scope *admission_scope(struct admission *a, const char *name);
/* May suspend, until a place is free; fails only as call_park does. Each place that was taken is left. */
must_use int admission_take(struct admission *a, struct call *c, struct err *err);
void admission_leave(struct admission *a);
/* Nobody may hold or await a place any more. */
void admission_release(struct admission *a);

#endif
