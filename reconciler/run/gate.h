/* The gate: who may send what. Only GET, HEAD and the handed-in table of safe POSTs pass in a read-only client. In a
 * writing client every other request needs the permit of a step (call_context), names one of the writes the permit
 * lists, and is in the journal, on disk, before its first byte is on the wire (http.c). */
#ifndef REINSTATE_GATE_H
#define REINSTATE_GATE_H

#include "co.h"

enum http_method { HTTP_GET, HTTP_HEAD, HTTP_PUT, HTTP_POST, HTTP_PATCH, HTTP_METHOD_COUNT };
const char *http_method_name(enum http_method m);

/* One write a step has announced. */
struct permit_write {
    enum http_method method;
    const char *fragment;       /* the URL's host and path must hold this text, case folded */
};

/* Issued by the engine for one step after policy agreed; lives in the task's context while the step acts. */
struct permit {
    const char *step;           /* step id */
    const struct permit_write *writes;
    size_t n_writes;
    size_t budget;              /* writes that may still be sent; every attempt counts */
    int64_t waited_ms;          /* between attempts of its requests, so far */
    int64_t late_ms; /* by call_span_ms: no write leaves later (ERR_CONFLICT, code LATE); 0: at any time */
    size_t taken; /* writes that were taken, or may have been: their answer was lost, or is an error of the service */
};

/* What was seen before a trigger holds for a minute: a laptop may have been closed since, a throttle waited for. */
#define LOOK_HOLDS_MS ((int64_t)MINUTE_MS)
#define LATE "late"
/* Until when this task's writes may leave, by call_span_ms; 0: at any time. */
void permit_until(struct call *c, int64_t late_ms);

struct http_safe_post {
    const char *host_suffix;    /* NULL: any host */
    const char *path_suffix;    /* of the path, without the query; case folded */
};

enum http_mode { HTTP_READ_ONLY, HTTP_WRITING };

struct gate {
    enum http_mode mode;
    const struct http_safe_post *safe_posts;
    size_t n_safe_posts;
};

/* The parts of a URL that the gate and messages need. */
struct target {
    const char *host;       /* lower case, without the port */
    const char *place;      /* host, port and path, lower case: what fragments are looked for in */
    const char *path;       /* of place: from the first slash on; "" when there is none */
    const char *shown;      /* the URL without its query, for journal and messages */
};

/* The same of plain http to this machine or its link (127.0.0.0/8, 169.254.0.0/16), where a machine's identity is. */
must_use int target_parse_local(struct arena *a, const char *url, struct target *ret, struct err *err);
must_use int target_parse(struct arena *a, const char *url, struct target *ret, struct err *err);
/* What no part of a request may hold. */
bool gate_has_control(const char *s);

/* ERR_BLOCKED: refused. `ret` is the permit that a write spends, NULL for a request that changes nothing. `guarded`: a
 * read that needs a permit. */
must_use int gate_pass(const struct gate *g, struct call *c, enum http_method method, bool guarded,
                       const struct target *t, struct permit **ret, struct err *err);

#endif
