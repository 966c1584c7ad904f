/* One request on its way: what http.c and sending.c share, and nobody else reads. */
#ifndef REINSTATE_SENDING_H
#define REINSTATE_SENDING_H

#include "admission.h"
#include "http.h"

struct http {
    struct sched *sched;
    struct http_options options;
    struct gate gate;
    struct admission admission;
    struct buckets *buckets;
    size_t sent;
    int64_t waited_ms, waiting_until_ms;    /* between attempts, by the clock, and until when as far as is known */
};

/* One http_send. */
struct sending {
    struct http *http;
    struct call *call;
    struct arena *arena;            /* of the caller: what the result is in */
    struct arena *scratch;          /* of this attempt: hundreds of them leave nothing behind */
    const struct http_request *request;
    struct target target;
    struct permit *permit;          /* NULL: a request that changes nothing */
    struct scope *scope;
    struct bucket *buckets[DRAWS_MAX];      /* that it draws on */
    size_t n_buckets;
uint64_t ticket;                /* its turn, in all of them */
    struct bucket *refused_by;      /* that the latest answer has shown to be used up; NULL */
    struct wire_header *headers;
    size_t n_headers;
    struct permit *step;            /* of the step that the task carries out; NULL: none */
    int64_t begun_ms;               /* of the first attempt, by call_span_ms */
    int64_t end_ms; /* of a task with a patience of its own: nothing is tried again from here on; INT64_MAX: none */
    int64_t asked_ms;               /* waited so far because the service asked for it */
    int attempts;
    char id[UUID_TEXT];             /* of the latest attempt */
    bool may_have_been_taken;       /* a write of ours may have taken effect although no answer said so */
    bool fresh_connection;
};

/* The headers of every attempt. ERR_INVALID: too many, or one with a control character. */
must_use int sending_headers(struct sending *x, struct err *err);
/* May suspend. One exchange in its place: written down, sent, answered, written down. */
must_use int sending_attempt(struct sending *x, struct wire_reply *ret, struct err *err);
/* May suspend. Long waits are told to the user. */
must_use int sending_pause(struct sending *x, int64_t ms, const char *why, struct err *err);
/* ERR_UNKNOWN_OUTCOME: the write may have taken effect, and no answer says so. */
int sending_fail_unknown(const struct sending *x, const char *why, struct err *err);

#endif
