/* How bytes get to Azure: libcurl (wire_curl.c, its only user) or a peer in the same process (wire_peer.c). One
 * exchange, no retry, no policy: http.h is what the rest of the program uses. */
#ifndef REINSTATE_WIRE_H
#define REINSTATE_WIRE_H

#include "../format/crypt.h"
#include "co.h"

struct wire_header {
    const char *name, *value;
};

struct wire_request {
    const char *method;             /* "GET", "HEAD", "PUT", "POST", "PATCH" */
    const char *url;                /* absolute; sent byte for byte */
    const struct wire_header *headers;
    size_t n_headers;
    const char *body;               /* NULL: none */
    size_t body_len;
    size_t max_body;                /* of the answer */
    int64_t timeout_ms;
    bool fresh_connection;          /* the retry after a time-out must not reuse a dead one */
    bool secret_answer;             /* what comes back is a secret as a whole, whatever its URL is: never recorded */
    bool this_machine;              /* plain http, to this machine or its link (managed identities); by no proxy */
};

enum wire_fault {
    WIRE_OK,
    WIRE_UNSENT,        /* nothing left this machine: refused, no route, no such host */
    WIRE_TLS,           /* certificate or handshake: never repeated */
    WIRE_LOST,          /* sent, but no whole answer came: reset, time-out, cut half way */
    WIRE_TOO_LARGE,     /* the answer passed max_body */
    WIRE_FAULT_COUNT
};

enum { WIRE_ADDRESS_ROOM = 48 };

struct wire_reply {
    enum wire_fault fault;
    char text[256];                 /* of a fault, for people */
    char address[WIRE_ADDRESS_ROOM]; /* whom we were connected to, a proxy perhaps; "" where nobody knows */
    int status;
    struct wire_header *headers;    /* in the arena given; names as sent */
    size_t n_headers;
    struct secret body;             /* every body is kept like a secret; the caller releases it */
};

void wire_reply_release(struct wire_reply *r);
const char *wire_reply_header(const struct wire_reply *r, const char *name);   /* case folded; NULL if absent */

struct wire {
    void *self;
    /* May suspend. 0 with a reply (which may be a fault), or ERR_CANCELLED. */
    int (*exchange)(void *self, struct call *c, struct arena *a, const struct wire_request *request,
                    struct wire_reply *ret, struct err *err);
    void (*free)(void *self);
};

/* TLS is always verified: against the system's authorities, or against ca_file alone. Sets the scheduler's pump.
 * Redirects are never followed. HTTP/1.1, at most `connections` per host and in flight. */
struct wire *wire_curl_new(struct sched *s, const char *ca_file, size_t connections);

/* A peer in this process: answers at once; `delay_ms` of (virtual) time then passes before the task sees the answer. */
struct wire_peer {
    void *self;
    void (*answer)(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request,
                   struct wire_reply *ret, int64_t *ret_delay_ms);
};
struct wire *wire_peer_new(const struct wire_peer *peer);
void wire_free(struct wire *w);

/* The file of the authorities that this system trusts, where its distribution keeps it. */
const char *wire_authorities(void);
/* The URL's host with its port, if any: not terminated, *ret_len bytes. */
const char *wire_authority(const char *url, size_t *ret_len);
/* Is it this machine, by name or address? Then no proxy is asked. */
bool wire_is_loopback(const char *url);

#endif
