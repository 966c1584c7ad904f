/* Knows how long-running operations are followed: what each answer says, where to ask next, when to stop. Must not know
 * what the operation does. Polling URLs are signed; they are used byte for byte, and only on
 * Resource Manager's host. */
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "arm.h"
#include "internal.h"

enum {
    PROVISIONING_POLL_MS = 5 * SECOND_MS,
    RETRY_AFTER_MAX_S = 3600,
    FLOOR_FIRST_MS = 5 * SECOND_MS,
    FLOOR_MOST_MS = 15 * SECOND_MS,
    ODD_POLLS_MAX = 10
};

/* For so long after a write that was taken, a 404 may come from a replica that has not heard of it
 * (Azure/azure-sdk-for-net 44147, hashicorp/go-azure-sdk 740). */
#define LATE_MS (2 * (int64_t)MINUTE_MS)

/* --- one answer --------------------------------------------------------------------------------------------------- */

static const char *header_find(const struct wire_header *headers, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (str_eq_nocase(headers[i].name, name))
            return headers[i].value;
    return NULL;
}

static int64_t wait_bounded(int64_t ms)
{
    return ms > RETRY_AFTER_MAX_S * SECOND_MS ? RETRY_AFTER_MAX_S * SECOND_MS : ms;
}

static int64_t wait_of(const struct wire_header *headers, size_t n)
{
    const char *s = header_find(headers, n, "Retry-After");
    size_t digits = s ? strspn(s, "0123456789") : 0;

    return digits == 0 || digits > 9 || s[digits] ? AZURE_POLL_MS
                                                  : wait_bounded((int64_t)strtoul(s, NULL, 10) * SECOND_MS);
}

/* Every word but these means that the operation is still running. */
static enum arm_progress progress_of(const char *word)
{
    /* A managed HSM in normal use may call itself Activated. */
    if (str_eq_nocase(word, "Succeeded") || str_eq_nocase(word, "Activated"))
        return ARM_SUCCEEDED;
    if (str_eq_nocase(word, "Failed") || str_eq_nocase(word, "Canceled") || str_eq_nocase(word, "Cancelled"))
        return ARM_FAILED;
    return ARM_RUNNING;
}

static int parse_body(struct arena *a, const char *body, size_t len, struct value **ret, struct err *err)
{
    size_t blanks = 0;

    *ret = NULL;
    while (blanks < len && strchr(" \t\r\n", body[blanks]))
        blanks++;
    if (blanks == len)
        return 0;
    if (json_parse_once(a, body, len, ret, err) < 0) {
        err->class = ERR_PROTOCOL;
        return err_note(err, "the status of a running operation");
    }
    return 0;
}

/* A Location says by its status code how far it is; a body that says Failed is believed all the same. */
static enum arm_progress judge_location(int status, const struct value *body)
{
    if (status == 202)
        return ARM_RUNNING;
    return value_get(body, "error") && progress_of(value_str_at(body, "status")) == ARM_FAILED ? ARM_FAILED
                                                                                               : ARM_SUCCEEDED;
}

static int judge_status(int status, const struct value *body, enum arm_progress *ret, struct err *err)
{
    const char *word = value_str_at(body, "status");

    if (status == 204 || (status == 202 && !word)) {
        *ret = status == 204 ? ARM_SUCCEEDED : ARM_RUNNING;
        return 0;
    }
    /* Some services show the resource instead of a status. */
    if (!word)
        word = value_str_at(body, "properties.provisioningState");
    if (!word)
        return err_set(err, ERR_PROTOCOL, "an operation's status was answered with %d, but without a status in it",
                       status);
    *ret = progress_of(word);
    return 0;
}

int arm_judge_answer(struct arena *a, const struct arm_polled *polled, struct arm_answer *ret, struct err *err)
{
    struct arm_answer answer = {.wait_ms = wait_of(polled->headers, polled->n_headers)};
    const char *next =
        header_find(polled->headers, polled->n_headers, polled->async ? "Azure-AsyncOperation" : "Location");
    int status = polled->status;

    if (status >= 400) {
        azure_error_from(a, &(struct azure_asked){.audience = AUDIENCE_ARM, .url = polled->url}, status,
                         polled->body, polled->body_len, "following an operation", err);
        return -(int)err->class;
    }
    if (status < 200 || status >= 300)
        return err_set(err, ERR_PROTOCOL, "following an operation: Azure answered %d", status);
    TRY(parse_body(a, polled->body, polled->body_len, &answer.body, err));
    if (polled->async)
        TRY(judge_status(status, answer.body, &answer.progress, err));
    else
        answer.progress = judge_location(status, answer.body);
    /* 204 carries headers of an operation still; the code decides. */
    if (answer.progress == ARM_RUNNING)
        answer.next_url = url_followed(a, next ? next : polled->url);
    *ret = answer;
    return 0;
}

/* --- to the end --------------------------------------------------------------------------------------------------- */

static int failed(struct arena *a, const struct value *body, struct err *err)
{
    const char *text = body ? json_string(a, body, JSON_COMPACT) : "";
    const char *word = value_str_at(body, "status");

    if (!value_get(body, "error")) {
        err_set(err, ERR_BLOCKED, "the operation ended with %s, and without a reason", word ? word : "a failure");
        return -(int)err->class;
    }
    /* The poll itself went well; what failed is judged by its code alone. */
    azure_error_from(a, &(struct azure_asked){.anyone = true}, 0, text, strlen(text), "the operation failed", err);
    if (err->class == ERR_PROTOCOL)
        err->class = ERR_BLOCKED;
    return -(int)err->class;
}

static int poll(struct azure *az, struct call *c, struct arena *a, const char *url, bool async, struct arm_answer *ret,
                struct err *err)
{
    struct http_response response cleanup(http_response_release) = {0};
    struct http_request request = {.method = HTTP_GET, .url = url};

    if (!url_same_host(azure_cloud(az)->arm, url)) {
        err_set(err, ERR_PROTOCOL, "an answer sends us to %.120s to ask how far an operation is", url);
        return err_advise(err, "that is not %s, so no token is sent there; look at the resource itself",
                          azure_cloud(az)->arm);
    }
    TRY(azure_send(az, c, a, AUDIENCE_ARM, &request, "following an operation", &response, err));
    if (response.status == 429 || response.status >= 500)
        return azure_error_of(a, AUDIENCE_ARM, url, &response, "following an operation", err);
    if (arm_judge_answer(a,
                         &(struct arm_polled){.url = url,
                                              .async = async,
                                              .status = response.status,
                                              .headers = response.headers,
                                              .n_headers = response.n_headers,
                                              .body = response.body.bytes,
                                              .body_len = response.body.len},
                         ret, err) < 0) {
        err->http_status = response.status;
        return -(int)err->class;
    }
    if (http_retry_after_ms(&response) >= 0)
        ret->wait_ms = wait_bounded(http_retry_after_ms(&response));
    return 0;
}

/* A service that says "0 seconds" would be asked as fast as the network allows, until it throttles everybody. */
static int64_t wait_at_least(int64_t told_ms, int64_t *floor_ms)
{
    int64_t wait_ms = told_ms < *floor_ms ? *floor_ms : told_ms;

    if (told_ms < *floor_ms)
        *floor_ms = 2 * *floor_ms > FLOOR_MOST_MS ? FLOOR_MOST_MS : 2 * *floor_ms;
    return wait_ms;
}

/* One address is kept from poll to poll, however many there are: in an arena of its own, which
 * the next one replaces. */
struct polling {
    struct arena *kept;
    const char *url;
    bool async;
    int64_t late_until_ms; /* a 404 before that may come from a replica that has not heard of it */
    int odd;               /* answers, one behind the other, that said nothing */
};

static void polling_release(struct polling *p)
{
    arena_free(p->kept);
}

static void poll_next(struct polling *p, const char *url)
{
    struct arena *fresh = arena_new();

    p->url = arena_strdup(fresh, url);
    arena_free(p->kept);
    p->kept = fresh;
}

/* Waits, asks once, and says what the answer means. What it leaves in `a` is the body of an
 * operation that has ended. */
static int poll_once(struct azure *az, struct call *c, struct arena *a, struct polling *p, struct arm_answer *answer,
                     struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct arm_answer seen = {0};

    if (poll(az, c, scratch, p->url, p->async, &seen, err) < 0) {
        /* The operation goes on, whether we can ask or not; the caller's bound ends it. */
        bool odd = azure_is_odd(err) && p->odd++ < ODD_POLLS_MAX;
        bool passes = err->class == ERR_THROTTLED || err->class == ERR_TRANSIENT || odd;

        if (!passes && (err->class != ERR_NOT_FOUND || call_span_ms(c) > p->late_until_ms))
            return -(int)err->class;
        answer->wait_ms = passes ? err->retry_after_ms : 0;
        return 0;
    }
    p->odd = 0;
    if (seen.next_url)
        poll_next(p, seen.next_url);
    *answer = (struct arm_answer){.progress = seen.progress, .wait_ms = seen.wait_ms};
    if (seen.progress != ARM_RUNNING)
        answer->body = seen.body ? value_copy(a, seen.body) : NULL;
    return 0;
}

int arm_follow(struct azure *az, struct call *c, struct arena *a, const struct arm_operation *op, int64_t bound_ms,
               struct value **ret, struct err *err)
{
    struct polling p cleanup(polling_release) = {.url = op->async_url ? op->async_url : op->location,
                                                 .async = op->async_url != NULL,
                                                 .late_until_ms = call_span_ms(c) + LATE_MS};
    struct arm_answer answer = {.wait_ms = op->retry_after_ms >= 0 ? op->retry_after_ms : AZURE_POLL_MS,
                                .body = op->body};
    int64_t end_ms = call_span_ms(c) + bound_ms, floor_ms = FLOOR_FIRST_MS;

    /* 200 with a Location is a finished answer; only 201 and 202 begin an operation by it. A 201 whose Location is no
     * more than a path names what was made. */
    if (op->status == 204 || (op->status == 200 && !op->async_url) || (op->status == 201 && p.url && p.url[0] == '/'))
        p.url = NULL;
    answer.progress = p.url ? ARM_RUNNING : ARM_SUCCEEDED;
    while (answer.progress == ARM_RUNNING) {
        int64_t wait_ms = wait_at_least(answer.wait_ms, &floor_ms);

        if (call_span_ms(c) + wait_ms > end_ms) {
            err_set(err, ERR_BLOCKED, "the operation is still running after %s", duration_format(a, bound_ms));
            return err_advise(err, "it goes on in Azure; run again later");
        }
        TRY(call_sleep_ms(c, wait_ms, "a long-running operation", err));
        TRY(poll_once(az, c, a, &p, &answer, err));
    }
    if (answer.progress == ARM_FAILED)
        return failed(a, answer.body, err);
    if (ret)
        *ret = answer.body;
    return 0;
}

int arm_settle(struct azure *az, struct call *c, struct arena *a, const struct arm_making *making, struct value **ret,
               struct err *err)
{
    int64_t begun_ms = call_span_ms(c), end_ms = begun_ms + making->bound_ms;
    const char *id = making->id;

    for (;;) {
        struct arena *scratch cleanup(arena_freep) = arena_new();
        struct value *live = NULL;
        const char *state;

        if (arm_get(az, c, scratch, id, making->api, &live, err) < 0) {
            if (err->class != ERR_NOT_FOUND || call_span_ms(c) - begun_ms > LATE_MS)
                return -(int)err->class;
            TRY(call_sleep_ms(c, PROVISIONING_POLL_MS, "a resource that was just written to be seen", err));
            continue;
        }
        state = value_str_at(live, "properties.provisioningState");
        if (!state || progress_of(state) == ARM_SUCCEEDED) {
            if (ret)
                *ret = value_copy(a, live);
            return 0;
        }
        if (progress_of(state) == ARM_FAILED)
            return err_set(err, ERR_BLOCKED, "%s was written, but its provisioning ended with %s", arm_id_name(id),
                           state);
        if (call_span_ms(c) + PROVISIONING_POLL_MS > end_ms)
            return err_set(err, ERR_BLOCKED, "%s is still %s; it goes on in Azure; run again later", arm_id_name(id),
                           state);
        TRY(call_sleep_ms(c, PROVISIONING_POLL_MS, "a resource in the making", err));
    }
}

int arm_finish(struct azure *az, struct call *c, struct arena *a, const struct arm_operation *op,
               const struct arm_making *making, struct value **ret, struct err *err)
{
    /* If the service has forgotten the operation, the resource itself shows how it ended. */
    if (arm_follow(az, c, a, op, making->bound_ms, NULL, err) < 0 && err->class != ERR_NOT_FOUND)
        return err_note(err, "writing %s", arm_id_name(making->id));
    return arm_settle(az, c, a, making, ret, err);
}

/* A PUT or a PATCH says what is to be so, and may be said twice. */
static int write_through(struct azure *az, struct call *c, struct arena *a, enum http_method method,
                         const struct arm_making *making, const struct value *body, struct value **ret,
                         struct err *err)
{
    struct arm_sending sending = {
        .method = method, .path = making->id, .api = making->api, .body = body, .repeat = ARM_REPEATABLE};
    struct arm_operation op;

    TRY(arm_send(az, c, a, &sending, &op, err));
    return arm_finish(az, c, a, &op, making, ret, err);
}

int arm_put(struct azure *az, struct call *c, struct arena *a, const struct arm_making *making,
            const struct value *body, struct value **ret, struct err *err)
{
    return write_through(az, c, a, HTTP_PUT, making, body, ret, err);
}

int arm_patch(struct azure *az, struct call *c, struct arena *a, const struct arm_making *making,
              const struct value *body, struct value **ret, struct err *err)
{
    return write_through(az, c, a, HTTP_PATCH, making, body, ret, err);
}
