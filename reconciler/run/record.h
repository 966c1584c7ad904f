/* Every exchange as a line of JSON: method, uri, request_headers, request_body, status, response_headers,
 * response_body. Header names are in lower case; what authenticates is left out; secrets in bodies are replaced as the
 * rules say. An answer to a request that says so (secret_answer) is left out as a whole, whatever it is called. */
#ifndef REINSTATE_RECORD_H
#define REINSTATE_RECORD_H

#include "wire.h"

/* Where a secret stands, and what is written in its place. */
struct record_rule {
    const char *method;         /* NULL: any */
    const char *path_suffix; /* of the URL's path, without the query; case folded; '*' stands for any text; "": any */
    bool in_request;            /* else in the answer */
    const char *member;         /* "access_token", "keys.*.value" ('*': every item or member); "": the whole body */
    const char *placeholder;    /* a string of a shape that the service's schema still accepts */
    const char *header;         /* in lower case: only of messages that carry this header; NULL: of all */
    bool unless_text;           /* not of contents that say they are JSON or YAML */
};

struct recorder;

/* Opens or creates the file (mode 0600) and appends. Borrows the rules. */
must_use int recorder_open(const char *path, const struct record_rule *rules, size_t n_rules, struct recorder **ret,
                           struct err *err);
/* The same onto what is open already, such as standard error, which stays open. */
struct recorder *recorder_beside(int fd, const struct record_rule *rules, size_t n_rules);
/* A fault is recorded with status 0 and its text in "note". After a line that could not be written nothing more is. */
void recorder_add(struct recorder *r, const struct wire_request *request, const struct wire_reply *reply);
/* The reason why lines are missing, if any are. */
must_use int recorder_error(struct recorder *r, struct err *err);
void recorder_close(struct recorder *r);

#endif
