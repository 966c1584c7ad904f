/* Requests as the rest of the program makes them: gated, admitted, retried by one owner, journalled, recorded.
 * What may be sent at all is the gate's (gate.h). */
#ifndef REINSTATE_HTTP_H
#define REINSTATE_HTTP_H

#include "bucket.h"
#include "gate.h"
#include "journal.h"
#include "wire.h"

/* How long anything is repeated, by time and never by number: waits between two attempts, added up. */
struct http_patience {
    int64_t asked_ms;       /* of one request, for waits that the service asks for; 0: 15 min */
    int64_t unasked_ms; /* of one request, for waits of our own choice (no answer, 5xx without Retry-After): from its
                         * first attempt on, with the attempts themselves; 0: 30 s. It is repeated at least once */
    int64_t step_ms;        /* of all requests of one step; 0: 45 min */
    int64_t run_ms;         /* of the whole run, by the clock: what many tasks wait for at once counts once; 0: 2 h */
};

struct http_options {
    struct wire *wire;
    enum http_mode mode;
    const struct http_safe_post *safe_posts;
    size_t n_safe_posts;
    struct journal *journal;                    /* NULL: none */
    size_t in_flight_max;                       /* admission gate; 0: 64 */
    bool never_repeat;                          /* every failure reaches the caller */
    struct http_patience patience;              /* members of 0: the defaults beside them */
    const char *user_agent;                     /* "reinstate/VERSION"; NULL: "reinstate" */
    /* Called once per finished exchange, faults included; for --record. May be NULL. */
    void (*record)(void *ctx, const struct wire_request *request, const struct wire_reply *reply);
    /* Called when a wait of more than five seconds begins (throttled, backing off), for the screen. May be NULL. */
    void (*waiting)(void *ctx, const char *why, int64_t ms);
    void *ctx;
};

struct http;
struct http *http_new(struct sched *s, const struct http_options *options);
void http_free(struct http *h);
size_t http_requests_sent(const struct http *h);
/* A run that goes on for ever (watch) has the patience of a run in each of its passes. */
void http_patience_renew(struct http *h);

/* A secret inside a body. */
struct http_secret {
    const char *bytes;
    size_t len;
};

struct http_request {
    enum http_method method;
    const char *url;
    const char *authorization;      /* value of the header, or NULL; never recorded */
    const struct wire_header *headers;   /* further ones */
    size_t n_headers;
    const char *content_type;       /* with a body */
    const char *body;
    size_t body_len;
    const struct http_secret *secrets;      /* like the authorization they are masked in an answer that repeats them */
    size_t n_secrets;
    bool guarded;                   /* a read that yields a secret (an exported or account key): needs a permit */
    bool this_machine;              /* a service of this machine or its link, which speaks plain http */
    bool secret_answer;             /* the answer is a secret as a whole: never recorded, whatever its URL is */
    bool headers_signed;            /* the authorization covers the x-ms- headers: no request id is added to them */
    bool once; /* a lost answer is ERR_UNKNOWN_OUTCOME instead of a repetition (restore triggers) */
    bool advisory; /* it only sharpens a judgement: refused once, none such is sent for some minutes (bucket.h) */
    size_t max_body;                /* 0: 16 MB */
    int64_t timeout_ms;             /* of one attempt; 0: 60 s */
    const char *scope;              /* throttle scope: a 429 pauses everything of this name; NULL: the URL's host */
    const struct draw *draws;       /* the allowances it draws on, the narrowest first; at most DRAWS_MAX */
    size_t n_draws;
};

struct http_response {
    int status;
    struct wire_header *headers;    /* in the task's arena given to http_send */
    size_t n_headers;
    struct secret body;             /* release it */
    char address[WIRE_ADDRESS_ROOM]; /* as struct wire_reply has it */
    int64_t date_ms;                /* the server's Date, or TIME_NONE */
};

void http_response_release(struct http_response *r);   /* for cleanup() */
const char *http_response_header(const struct http_response *r, const char *name);
int64_t http_retry_after_ms(const struct http_response *r);   /* as header or, of a 429, in its text; -1 when absent */

/* May suspend. It leaves as soon as its allowances let it, which counts against nobody's patience. Any complete answer
 * is a success here, whatever its status, except: 429 and 408/500/502/503/504 are
 * repeated for as long as the patience of request, step, run and of the task itself (co.h) lasts: after the wait that
 * the answer names (never less than a second), else with an exponential back-off with jitter (never a `once` request
 * unless 429 says that it was not taken); 3xx is ERR_PROTOCOL (never followed). When patience has ended the last answer
 * is the result. Errors: ERR_BLOCKED (the gate), ERR_TRANSIENT (could not reach), ERR_DENIED (TLS), ERR_UNKNOWN_OUTCOME
 * (a write whose answer was lost), ERR_PROTOCOL (too large), ERR_CANCELLED. */
must_use int http_send(struct http *h, struct call *c, struct arena *a, const struct http_request *request,
                       struct http_response *ret, struct err *err);

/* How often one thing was asked for whose answers came, and could not be used. */
struct http_again {
    int64_t begun_ms;
    int times;
};
/* May suspend. A read was answered, but with something that the caller can make nothing of (a page of some proxy, a
 * body that was cut): *ret true after a pause, when it is worth to be asked for once more. Three times at most, within
 * the patience that unasked repetitions have; then what came last is the answer. ERR_CANCELLED alone. */
must_use int http_ask_again(struct http *h, struct call *c, struct http_again *again, bool *ret, struct err *err);

#endif
