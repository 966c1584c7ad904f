/* What the files of this folder share and nobody else needs. */
#ifndef REINSTATE_AZURE_INTERNAL_H
#define REINSTATE_AZURE_INTERNAL_H

#include "arm.h"

/* Of one list: how many pages, and how much they may hold together. A list without an end would take all memory. */
enum { AZURE_PAGES_MAX = 1000, AZURE_LIST_BYTES_MAX = 64 * 1024 * 1024, AZURE_POLL_MS = 30 * SECOND_MS };

enum err_class azure_status_class(int status);

/* True when both URLs have the same scheme, host and port (443 when none is written). A token goes nowhere else. */
bool url_same_host(const char *x, const char *y);
/* True when the URL is https and its host is NAME + suffix; the suffix may carry a port. */
bool url_under_suffix(const char *url, const char *suffix);
/* Appends a path as it must go on the wire: ';', '/' and what is encoded already stay, blanks and
 * the like are encoded. */
/* What may not stand in an address but stands in one that Azure gave (blanks, quotes) is encoded; the
 * rest stays as it came. */
char *url_mended(struct arena *a, const char *url);
void url_add_path(struct text *url, const char *path);
/* The address of an operation: byte for byte as it came, since it may be signed, unless it holds what none may. */
char *url_followed(struct arena *a, const char *url);
/* Whether two segments of paths name the same, one of them perhaps percent-encoded; letter case is folded. */
bool url_same_name(const char *x, const char *y);

/* May suspend. Sends with a token of the audience; a 401 is tried once more with a new one, then ERR_DENIED. Any other
 * status is an answer. `request->authorization` is filled in here. */
must_use int azure_send(struct azure *az, struct call *c, struct arena *a, enum audience audience,
                        struct http_request *request, const char *what, struct http_response *ret, struct err *err);
/* The same, and an answer of 400 or more is an error; `ret` is the parsed body, NULL when empty. */
must_use int azure_send_json(struct azure *az, struct call *c, struct arena *a, enum audience audience,
                             struct http_request *request, const char *what, struct http_response *response,
                             struct value **ret, struct err *err);
/* Before page number `page` is asked for: an error that names the ceiling which the list has passed. */
must_use int azure_list_ceiling(const char *what, size_t page, size_t bytes, struct err *err);
/* azure_error_from, and Retry-After and the request id with it. */
int azure_error_of(struct arena *a, enum audience audience, const char *url, const struct http_response *response,
                   const char *what, struct err *err);
/* After a refusal that is about the tenant or the subscription: which document names them. */
void azure_blame(const struct azure *az, struct err *err);
/* ERR_PROTOCOL of an answer that came, and says nothing of what was asked (`response` NULL: of one that was read well).
 * Returns -class. */
int azure_odd(const struct http_response *response, struct err *err, const char *fmt, ...) printf_like(3, 4);
bool azure_is_odd(const struct err *err);
/* May suspend. True, after a pause: `err` is of such an answer to a read, which is worth to be asked for once more.
 * False: `err` stands, or is ERR_CANCELLED. */
bool azure_ask_again(struct azure *az, struct call *c, struct http_again *again, struct err *err);
/* The parsed body; NULL when it is empty. */
must_use int azure_body(struct arena *a, const struct http_response *response, const char *what, struct value **ret,
                        struct err *err);

/* May suspend. Pages of {"value": […], "nextLink": url}; a link is followed verbatim, on the first host only. */
must_use int azure_list(struct azure *az, struct call *c, struct arena *a, enum audience audience, const char *url,
                        const char *what, struct value **ret, struct err *err);
must_use int azure_list_bound(struct azure *az, struct call *c, struct arena *a, enum audience audience,
                              const char *url, const char *what, struct list_bound *bound, struct value **ret,
                              struct err *err);

/* As arm_list_where, so much of it. */
must_use int arm_list_some(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                           struct list_bound *bound, struct value **ret, struct err *err);

/* Throws the token away if it still is the one that was used (another task may have renewed it). False when no other
 * can be had, because the operator gave this one. */
bool azure_forget_used(struct azure *az, enum audience audience, const struct secret *used);

/* The credential that this connection signs in with. */
struct credential *azure_credential(const struct azure *az);
enum { OBJECT_ID_ROOM = 64 };
/* Where the object id of our own token is kept; "" before it was read. */
char *azure_kept_object_id(struct azure *az);

/* The next token of this audience carries these claims (JSON): Azure has refused one without them. */
void azure_claims_asked(struct azure *az, enum audience audience, const char *claims);
/* The JSON of a claims challenge (WWW-Authenticate with claims="…"); NULL: it is none. Pure. */
const char *azure_claims_of(struct arena *a, const char *challenge);
/* Is the store that challenges of the tenant and cloud that we are signed in to? No further token is sent to one that
 * is not. */
must_use int azure_check_issuer(const struct azure *az, const char *challenge, const char *url, struct err *err);

/* Object ids of service principals by application id, kept with the connection. */
const char *azure_cached_principal(const struct azure *az, const char *app_id);
void azure_cache_principal(struct azure *az, const char *app_id, const char *object_id);

/* What others keep with a connection, each in its place: they make it when they need it, and the connection releases
 * it. It knows none of them, for they ask over it. */
enum azure_kept { KEPT_SHARED, KEPT_BULK, KEPT_READS, KEPT_COUNT };
void *azure_kept(const struct azure *az, enum azure_kept which); /* NULL: nothing yet */
/* In place of what was kept there, which is released. */
void azure_keep(struct azure *az, enum azure_kept which, void *what, void (*release)(void *what));
/* Something was written: what was read before it does not hold any more. And how often that was so, counted from 1. */
void azure_written(struct azure *az);
size_t azure_writes(const struct azure *az);

/* Counts what is asked. */
void reads_note(struct azure *az, enum audience audience, const struct http_request *request);
/* What was counted; `from` and `limits` are lists that are added to. */
struct reads_sum {
    struct value *from, *limits;
    size_t requests;
    double seconds; /* what it takes at least */
};
void reads_add(const struct azure *az, struct arena *a, struct reads_sum *sum);
/* What asked.c keeps with it: each answer is noted there; err NULL: it was a success. */
struct asked;
struct asked *azure_rights_ledger(const struct azure *az);
struct asked *asked_new(void);
void asked_free(struct asked *asked);     /* NULL is fine */
void asked_answered(struct asked *asked, enum audience audience, const struct http_request *request,
                    const struct err *err);
/* How many jobs are being followed at this moment. */
size_t *azure_followed(struct azure *az);

/* Is what the challenge asks a token for the service we speak to? Pure. */
must_use int azure_check_challenge(const char *challenge, const char *url, const char *audience, struct err *err);

struct blob_place;
/* The URL of a blob, or with a NULL name of its container. A token goes to this cloud's storage only. */
must_use int blob_url(const struct azure *az, struct arena *a, const struct blob_place *place, bool with_token,
                      char **ret, struct err *err);

/* May suspend. To the blob service, signed with the account's key, or with a NULL key by a bearer token. */
must_use int blob_send(struct azure *az, struct call *c, struct arena *a, const struct blob_place *place,
                       const struct secret *account_key, struct http_request *request, const char *what,
                       struct http_response *ret, struct err *err);

/* Appends base64url without padding; no copy is left behind. */
void secret_add_base64url(struct secret *s, const void *bytes, size_t len);
/* Appends percent-encoded; no copy is left behind. */
void secret_add_percent(struct secret *s, const char *bytes, size_t len);

enum { HOST_MAX = 300 };

/* Host and port of an https URL, without the port that is the default; the length, or 0 when it is none. */
size_t url_host(const char *url, const char **ret);

#endif
