/* Azure Resource Manager: ids, reads, writes, long-running operations, errors by code. */
#ifndef REINSTATE_ARM_H
#define REINSTATE_ARM_H

#include "azure.h"
#include "versions.h"

/* --- ids ---------------------------------------------------------------------------------------------------------- */

char *arm_id(struct arena *a, const char *subscription, const char *group, const char *provider_type, const char *name);
/* arm_id(a, sub, "rg", "Microsoft.KeyVault/vaults", "kv"); group NULL: subscription level;
 * provider_type NULL: the group itself */
char *arm_id_part(struct arena *a, const char *id,
                  const char *segment); /* the segment after "resourceGroups", …; case folded; NULL */
const char *arm_id_name(const char *id);                                 /* last segment */
char *arm_id_parent(struct arena *a, const char *id, size_t segments);   /* cut off so many segments */
const char *arm_id_bare(struct arena *a, const char *id); /* without a trailing slash, which makes no other id */
bool arm_id_equal(const char *x, const char *y);                         /* case folded, a trailing slash ignored */

/* --- calls. All may suspend; bodies come back in `a`. ----------------------------------------------------------------
 * Errors: the class of the error table (azure_errors) by code, then by status; err->code holds the service's code, the
 * text says what was asked of what and what would help. 404 is ERR_NOT_FOUND, 401 is tried once more with a new token,
 * then ERR_DENIED. */
/* A resource by its id. ERR_PROTOCOL when the body does not bear the name that was asked for:
 * nothing is concluded from it. */
must_use int arm_get(struct azure *az, struct call *c, struct arena *a, const char *id, enum azure_api api,
                     struct value **ret, struct err *err);
/* What hangs on a resource and bears no id of its own, or the id of something else: an instance
 * view, a default provider. */
must_use int arm_get_view(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api,
                          struct value **ret, struct err *err);
/* What is to be read. */
struct arm_wanted {
    const char *path; /* an id, or what hangs on one */
    enum azure_api api;
    const char *query; /* of a list ("$filter=…"), already encoded; NULL: none */
    /* Where others may have read it (shared.h): not before that moment, and under that name; NULL: its path. */
    int64_t since_ms;
    const char *key;
    bool despite_writes; /* our own writes since then do not matter */
};
/* How much of a list is read. */
struct list_bound {
    size_t pages;   /* at most; 0: all, up to the ceiling */
    size_t read;    /* out: how many pages were read */
    bool whole;     /* out: the list has come to its end */
};
/* GET of any ARM path ("…/backupJobs"), every page followed verbatim, at most 1,000 pages and 64 MB in all; *ret is a
 * list of the items. */
must_use int arm_list(struct azure *az, struct call *c, struct arena *a, const char *path, enum azure_api api,
                      struct value **ret, struct err *err);
/* The same with the query. */
must_use int arm_list_where(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                            struct value **ret, struct err *err);

struct arm_operation {
    int status;
    struct value *body;               /* of the first answer; NULL when empty */
    const char *async_url, *location; /* as sent, with what no address may hold encoded; NULL when not sent */
    int64_t retry_after_ms;           /* -1 when not sent */
    const char *request_id;           /* x-ms-request-id or NULL */
    size_t bytes;                     /* of the first answer's body */
};

/* Whoever does not say that a request may be repeated gets one that is sent once: a second trigger would be a second
 * restore. ARM_ADVISES: a POST that changes nothing and only sharpens a judgement; what was read before it still holds
 * (shared.h). */
enum arm_repeat { ARM_ONCE, ARM_REPEATABLE, ARM_ADVISES };
/* What is sent, and to what. */
struct arm_sending {
    enum http_method method;
    const char *path;
    enum azure_api api;
    const struct value *body; /* NULL: none */
    enum arm_repeat repeat;
};
/* Sends PUT, POST or PATCH and returns the first answer (200, 201, 202, 204). */
must_use int arm_send(struct azure *az, struct call *c, struct arena *a, const struct arm_sending *sending,
                      struct arm_operation *ret, struct err *err);
/* Follows an operation to its end (Azure-AsyncOperation first, then Location; new URLs on each answer; 30 s where no
 * Retry-After is sent, and never less than five seconds, growing; bound in milliseconds). A poll that answers 404 is
 * repeated for two minutes, one that is throttled or finds nobody there until the bound. Polls leave nothing in `a` but
 * the last body. *ret (may be NULL) is the final status body. A failed operation is an error of the class
 * its code has. */
must_use int arm_follow(struct azure *az, struct call *c, struct arena *a, const struct arm_operation *op,
                        int64_t bound_ms, struct value **ret, struct err *err);
/* GETs the resource until it is no longer in the making (properties.provisioningState): a service without async headers
 * shows the end there only, and a write of somebody else has no other sign. A 404 is read again for two minutes. *ret
 * may be NULL. */
/* A resource that is being made or changed. */
struct arm_making {
    const char *id;
    enum azure_api api;
    int64_t bound_ms; /* how long it may take */
};
must_use int arm_settle(struct azure *az, struct call *c, struct arena *a, const struct arm_making *making,
                        struct value **ret, struct err *err);
/* Follows an operation on the resource and then settles it: one that cannot be found any more is
 * judged by the resource itself. */
must_use int arm_finish(struct azure *az, struct call *c, struct arena *a, const struct arm_operation *op,
                        const struct arm_making *making, struct value **ret, struct err *err);
/* PUT, follow to the end, GET: the resource as it is then. A PUT that is answered without async headers
 * is followed by properties.provisioningState. */
must_use int arm_put(struct azure *az, struct call *c, struct arena *a, const struct arm_making *making,
                     const struct value *body, struct value **ret, struct err *err);
/* The same of a PATCH. */
must_use int arm_patch(struct azure *az, struct call *c, struct arena *a, const struct arm_making *making,
                       const struct value *body, struct value **ret, struct err *err);

/* One recorded or received answer of a long-running operation, judged; pure, so that recordings can
 * be driven through it. */
enum arm_progress { ARM_RUNNING, ARM_SUCCEEDED, ARM_FAILED };
struct arm_answer {
    enum arm_progress progress;
    const char *next_url; /* to poll next; the same */
    int64_t wait_ms;
    struct value *body; /* parsed, or NULL */
};
struct arm_polled {
    const char *url;
    bool async; /* it was the address of Azure-AsyncOperation, not a Location */
    int status;
    const struct wire_header *headers;
    size_t n_headers;
    const char *body;
    size_t body_len;
};
must_use int arm_judge_answer(struct arena *a, const struct arm_polled *polled, struct arm_answer *ret,
                              struct err *err);

/* --- errors ------------------------------------------------------------------------------------------------------- */

/* What helps against an error of the catalogue (error_codes.c). */
enum azure_cure {
    CURE_REPEAT,      /* the request, as it is */
    CURE_WAIT,
    CURE_KEY,         /* it must be recovered or restored */
    CURE_PERMISSION,
    CURE_SET,         /* the disk encryption set is at fault */
    CURE_REQUEST,     /* it must be changed */
    CURE_ENVIRONMENT,
    CURE_PERSON,
    CURE_COUNT
};

struct azure_error {
    const char *code;
    enum err_class class;
    enum azure_cure cure;
    const char *meaning, *action, *source;
};
const struct azure_error *azure_error_find(const char *code); /* case folded; NULL when unknown */
/* The same, but where a code stands for several causes (OperationNotAllowed, Conflict) the text decides: another
 * operation is in progress, a quota is used up, or neither: then a person looks. */
const struct azure_error *azure_error_meant(const char *code, const char *text);
/* The error that is known by words of its message only; NULL. */
const struct azure_error *azure_error_in_text(const char *text);
char azure_cure_letter(enum azure_cure cure); /* as reports show it: "R" */
const char *azure_cure_words(enum azure_cure cure);
extern const struct azure_error azure_errors[];
extern const size_t azure_n_errors;

/* Who may call something absent: audiences, and in Resource Manager the part of the asked id behind its last
 * "/providers/". A code of another service in an answer comes from something that stands between. */
struct azure_asked {
    bool anyone; /* the words of an operation that has ended: whoever failed in it speaks */
    enum audience audience;
    const char *url;
};
/* Pure: does the asked service use this code for "there is no such thing"? */
bool azure_says_absent(const struct azure_asked *asked, const char *code);

/* Reads an error body of ARM, Key Vault, Graph or Entra ({"error":{code,message,innererror}},
 * {"error":"…","error_description":"…"}), or the bare text, into err: class, code, text. `what` says what was being
 * done ("read disk encryption set des-payroll"). */
int azure_error_from(struct arena *a, const struct azure_asked *asked, int status, const char *body, size_t len,
                     const char *what, struct err *err);

/* May suspend. Our own rights at a scope: a list of {actions, notActions, dataActions, notDataActions}. */
must_use int arm_permissions(struct azure *az, struct call *c, struct arena *a, const char *scope, struct value **ret,
                             struct err *err);
/* Pure: does such a list allow the action? (wildcards, case folded) */
bool arm_permits(const struct value *permissions, const char *action, bool data);

#endif
