/* Knows how many requests are sent at once (admission), when again (retries, throttle scopes), and what is written down
 * about them; what may be sent at all is the gate's (gate.c). The one owner of repetition. Must not know what a URL
 * means to Azure, nor how bytes travel. */
#include "http.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    IN_FLIGHT_DEFAULT = 64,
    TIMEOUT_DEFAULT_MS = 60 * SECOND_MS,
    BODY_DEFAULT = 16 * 1024 * 1024,
    BACK_OFF_FIRST_MS = 1 * SECOND_MS,
    BACK_OFF_MOST_MS = 60 * SECOND_MS,
    TELL_FROM_MS = 5 * SECOND_MS,
    HEADERS_MAX = 64,
};

struct scope {
    struct scope *next;
    char *name;
    int64_t until_ms;
};

/* A task in the queue for a place; lives on that task's stack. */
struct queued {
    struct queued *next;
    struct call *call;
    bool granted;
};

struct http {
    struct sched *sched;
    struct http_options options;
    struct gate gate;
    size_t in_flight, sent;
    struct queued *queue_first, *queue_last;
    struct scope *scopes;
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

static void patience_complete(struct http_patience *p)
{
    p->asked_ms = p->asked_ms > 0 ? p->asked_ms : 15 * MINUTE_MS;
    p->unasked_ms = p->unasked_ms > 0 ? p->unasked_ms : 30 * SECOND_MS;
    p->step_ms = p->step_ms > 0 ? p->step_ms : 45 * MINUTE_MS;
    p->run_ms = p->run_ms > 0 ? p->run_ms : 2 * HOUR_MS;
}

struct http *http_new(struct sched *s, const struct http_options *options)
{
    struct http *h = xcalloc(1, sizeof(*h));

    h->sched = s;
    h->options = *options;
    h->gate = (struct gate){options->mode, options->safe_posts, options->n_safe_posts};
    if (!h->options.in_flight_max)
        h->options.in_flight_max = IN_FLIGHT_DEFAULT;
    patience_complete(&h->options.patience);
    if (!h->options.user_agent)
        h->options.user_agent = "reinstate";
    return h;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    assert(!h->in_flight && !h->queue_first);
    for (struct scope *s = h->scopes, *next; s; s = next) {
        next = s->next;
        free(s->name);
        free(s);
    }
    free(h);
}

size_t http_requests_sent(const struct http *h)
{
    return h->sent;
}

void http_patience_renew(struct http *h)
{
    h->waited_ms = 0;
}

void http_response_release(struct http_response *r)
{
    secret_release(&r->body);
}

const char *http_response_header(const struct http_response *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return NULL;
}

/* --- reading answers ---------------------------------------------------------------------------------------------- */

/* Up to nine digits; -1 when there is none. */
static int64_t seconds_parse(const char *s, const char **ret_end)
{
    int64_t n = 0;
    size_t digits = 0;

    for (; isdigit((unsigned char)s[digits]) && digits < 9; digits++)
        n = 10 * n + (s[digits] - '0');
    *ret_end = s + digits;
    return digits && !isdigit((unsigned char)**ret_end) ? n : -1;
}

static int64_t retry_after(const struct http_response *r, int64_t now_ms)
{
    const char *value = http_response_header(r, "Retry-After"), *end;
    const char *ms_value = http_response_header(r, "retry-after-ms") ?: http_response_header(r, "x-ms-retry-after-ms");
    int64_t seconds, date, ms = ms_value ? seconds_parse(ms_value, &end) : -1;

    /* Some services are more exact in a header of their own. */
    if (ms >= 0 && !*end)
        return ms;
    if (!value)
        return -1;
    seconds = seconds_parse(value, &end);
    if (seconds >= 0 && !*end)
        return seconds * SECOND_MS;
    date = time_parse_http(value);
    if (date == TIME_NONE || now_ms == TIME_NONE)
        return -1;
    return date > now_ms ? date - now_ms : 0;
}

/* The services' "… try again after '324' seconds." in a body of JSON, where the quotes may be written as \u0027. */
static int64_t wait_in_words(const char *p)
{
    const char *end;
    int64_t number, unit;

    for (;;) {
        if (str_starts_nocase(p, "\\u0027") || str_starts_nocase(p, "\\u0022"))
            p += 6;
        else if (*p && strchr(" '\"\\", *p))
            p++;
        else
            break;
    }
    number = seconds_parse(p, &end);
    while (*end && strchr(" '\"\\", *end))
        end++;
    if (str_starts_nocase(end, "u0027") || str_starts_nocase(end, "u0022"))
        end += 5;
    while (*end == ' ')
        end++;
    unit = str_starts_nocase(end, "sec")    ? SECOND_MS
           : str_starts_nocase(end, "min")  ? MINUTE_MS
           : str_starts_nocase(end, "hour") ? HOUR_MS
                                            : 0;
    return number >= 0 && unit ? number * unit : -1;
}

static int64_t retry_after_in_text(const struct http_response *r)
{
    static const char *const words[] = {"try again after", "try again in", "retry after", "retry in"};
    int64_t ms = -1;

    for (size_t i = 0; r->body.len && ms < 0 && i < COUNT(words); i++) {
        const char *p = str_find_nocase(r->body.bytes, words[i]);

        ms = p ? wait_in_words(p + strlen(words[i])) : -1;
    }
    return ms;
}

/* Asked by who gets the answer when patience has ended: the service may say it in words alone. */
int64_t http_retry_after_ms(const struct http_response *r)
{
    int64_t ms = retry_after(r, r->date_ms);

    return ms < 0 && r->status == 429 ? retry_after_in_text(r) : ms;
}

/* --- admission and throttles -------------------------------------------------------------------------------------- */

static struct scope *scope_of(struct http *h, const char *name)
{
    struct scope *s = h->scopes;

    while (s && !str_eq_nocase(s->name, name))
        s = s->next;
    if (s)
        return s;
    s = xcalloc(1, sizeof(*s));
    *s = (struct scope){.next = h->scopes, .name = xstrdup(name)};
    h->scopes = s;
    return s;
}

static int pause(struct sending *x, int64_t ms, const char *why, struct err *err)
{
    struct http *h = x->http;

    if (ms > TELL_FROM_MS && h->options.waiting)
        h->options.waiting(h->options.ctx, why, ms);
    return call_sleep_ms(x->call, ms, why, err);
}

static void place_leave(struct http *h)
{
    struct queued *q = h->queue_first;

    if (!q) {
        h->in_flight--;
        return;
    }
    /* The place is handed straight to the first in the queue, so that no later request overtakes it. */
    h->queue_first = q->next;
    if (!q->next)
        h->queue_last = NULL;
    q->granted = true;
    call_wake(q->call);
}

static void queue_remove(struct http *h, struct queued *q)
{
    struct queued **at = &h->queue_first, *before = NULL;

    while (*at != q) {
        before = *at;
        at = &(*at)->next;
    }
    *at = q->next;
    if (h->queue_last == q)
        h->queue_last = before;
}

static int place_take(struct http *h, struct call *c, struct err *err)
{
    struct queued q = {.call = c};
    int rc;

    if (h->in_flight < h->options.in_flight_max) {
        h->in_flight++;
        return 0;
    }
    *(h->queue_last ? &h->queue_last->next : &h->queue_first) = &q;
    h->queue_last = &q;
    rc = call_park(c, "a place among the requests in flight", err);
    if (rc == 0)
        return 0;
    if (q.granted)
        place_leave(h);
    else
        queue_remove(h, &q);
    return rc;
}

/* Sleepers hold no place; a throttle that came while queueing counts as well. */
static int admit(struct sending *x, struct err *err)
{
    for (;;) {
        int64_t left = x->scope->until_ms - call_span_ms(x->call);

        if (left > 0) {
            TRY(pause(x, left, arena_printf(x->scratch, "throttled: %s", x->scope->name), err));
            continue;
        }
        TRY(place_take(x->http, x->call, err));
        if (x->scope->until_ms <= call_span_ms(x->call))
            return 0;
        place_leave(x->http);
    }
}

/* --- what is sent ------------------------------------------------------------------------------------------------- */

/* A version 4 UUID from the scheduler's own chance, so that a run under a seed can be repeated. */
static void request_id_make(struct sched *s, char ret[UUID_TEXT])
{
    unsigned long long high = sched_random(s, UINT64_MAX), low = sched_random(s, UINT64_MAX);

    high = (high & ~0xf000ull) | 0x4000ull;
    low = (low & ~(3ull << 62)) | (2ull << 62);
    snprintf(ret, UUID_TEXT, "%08llx-%04llx-%04llx-%04llx-%012llx", high >> 32, high >> 16 & 0xffff, high & 0xffff,
             low >> 48, low & 0xffffffffffffull);
}

static void header_add(struct sending *x, const char *name, const char *value)
{
    x->headers[x->n_headers++] = (struct wire_header){name, value};
}

/* Authorization comes last: what is recorded is the list without it. The request id is put in at each attempt. */
static int headers_make(struct sending *x, struct err *err)
{
    const struct http_request *r = x->request;
    bool accepts = false;

    if (r->n_headers > HEADERS_MAX)
        return err_set(err, ERR_INVALID, "a request with %zu headers", r->n_headers);
    x->headers = arena_array(x->arena, struct wire_header, r->n_headers + 5);
    header_add(x, "x-ms-client-request-id", NULL);
    header_add(x, "User-Agent", x->http->options.user_agent);
    for (size_t i = 0; i < r->n_headers; i++) {
        header_add(x, r->headers[i].name, r->headers[i].value);
        accepts = accepts || str_eq_nocase(r->headers[i].name, "Accept");
    }
    if (!accepts)
        header_add(x, "Accept", "application/json");
    if (r->body && r->content_type)
        header_add(x, "Content-Type", r->content_type);
    if (r->authorization)
        header_add(x, "Authorization", r->authorization);
    for (size_t i = 1; i < x->n_headers; i++)
        if (gate_has_control(x->headers[i].name) || gate_has_control(x->headers[i].value))
            return err_set(err, ERR_INVALID, "the header %s of a request to %s holds a control character",
                           x->headers[i].name, x->target.host);
    return 0;
}

static struct wire_request wire_request_of(const struct sending *x)
{
    const struct http_request *r = x->request;
    size_t from = r->headers_signed ? 1 : 0;        /* the request id is the first */

    return (struct wire_request){
        .method = http_method_name(r->method),
        .url = r->url,
        .headers = x->headers + from,
        .n_headers = x->n_headers - from,
        .body = r->body,
        .body_len = r->body ? r->body_len : 0,
        .max_body = r->max_body ? r->max_body : BODY_DEFAULT,
        .timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : TIMEOUT_DEFAULT_MS,
        .fresh_connection = x->fresh_connection,
    };
}

static struct value *journal_line(const struct sending *x, const char *event)
{
    struct arena *a = x->scratch;
    struct value *line = value_map(a);

    value_set_string(a, line, "event", event);
    value_set_string(a, line, "at", time_format(a, call_now_ms(x->call)));
    value_set_string(a, line, "step", x->permit->step);
    value_set_string(a, line, "method", http_method_name(x->request->method));
    value_set_string(a, line, "url", x->target.shown);
    value_set_string(a, line, "request_id", x->headers[0].value);
    return line;
}

static void journal_answer(const struct sending *x, const struct wire_reply *reply)
{
    struct value *line = journal_line(x, "answer");
    const char *correlation = wire_reply_header(reply, "x-ms-correlation-request-id");
    struct err ignored;

    if (reply->fault == WIRE_OK)
        value_set_int(x->scratch, line, "status", reply->status);
    else
        value_set_string(x->scratch, line, "fault", reply->text);
    value_set_string(x->scratch, line, "correlation",
                     correlation ? correlation : wire_reply_header(reply, "x-ms-request-id"));
    /* The write has happened; a journal that failed here refuses the line before the next one. */
    if (journal_append(x->http->options.journal, line, &ignored) < 0)
        return;
}

static void record(const struct sending *x, const struct wire_request *request, const struct wire_reply *reply)
{
    const struct http_options *o = &x->http->options;
    struct wire_request shown = *request;

    if (!o->record)
        return;
    if (x->request->authorization)
        shown.n_headers--;
    shown.secret_answer = x->request->guarded;
    o->record(o->ctx, &shown, reply);
}

static int fail_unknown(const struct sending *x, const char *why, struct err *err)
{
    err_set(err, ERR_UNKNOWN_OUTCOME, "%s %s was sent, and no answer tells its outcome: %s",
            http_method_name(x->request->method), x->target.shown, why);
    return err_advise(err, "It may have taken effect: look before it is sent again (request id %s)",
                      x->headers[0].value);
}

/* The last look before a request leaves: tasks that share a permit share its budget, and the journal comes first. */
static int send_begin(struct sending *x, struct err *err)
{
    if (x->permit && !x->permit->budget && x->may_have_been_taken)
        return fail_unknown(x, "the step has used up the writes it may send", err);
    if (x->permit && !x->permit->budget)
        return err_set(err, ERR_BLOCKED, "%s %s was refused: step %s has used up the writes it may send",
                       http_method_name(x->request->method), x->target.shown, x->permit->step);
    request_id_make(x->http->sched, x->id);
    x->headers[0].value = x->id;
    if (!x->permit)
        return 0;
    TRY(journal_append(x->http->options.journal, journal_line(x, "request"), err));
    x->permit->budget--;
    return 0;
}

/* A refusal, be it a proxy's, may repeat what it refuses. */
static void mask_echo(const struct http_request *r, struct wire_reply *reply)
{
    const char *credential = r->authorization ? strchr(r->authorization, ' ') : NULL, *signature;

    if (reply->fault != WIRE_OK || reply->status < 300)
        return;
    /* "Bearer TOKEN" or "SharedKey ACCOUNT:SIGNATURE". */
    signature = credential ? strchr(credential, ':') : NULL;
    credential = signature ? signature : credential;
    if (credential)
        secret_mask(&reply->body, credential + 1, strlen(credential + 1));
    for (size_t i = 0; i < r->n_secrets; i++)
        secret_mask(&reply->body, r->secrets[i].bytes, r->secrets[i].len);
}

/* One exchange in its place: written down, sent, answered, written down. */
static bool may_have_been_taken(int rc, const struct wire_reply *reply)
{
    if (rc < 0 || reply->fault == WIRE_LOST || reply->fault == WIRE_TOO_LARGE)
        return true;
    return reply->fault == WIRE_OK && (reply->status < 300 || reply->status >= 500);
}

/* Not from a redirection: whoever answers in Azure's place has a clock of its own. */
static void hear_date(const struct sending *x, const struct wire_reply *reply, int64_t sent_ms)
{
    const char *date = wire_reply_header(reply, "Date");

    if (reply->fault == WIRE_OK && date && (reply->status < 300 || reply->status >= 400))
        sched_hear(x->http->sched, x->target.host, time_parse_http(date), sent_ms, call_span_ms(x->call));
}

static int attempt(struct sending *x, struct wire_reply *ret, struct err *err)
{
    struct http *h = x->http;
    struct wire_request request;
    int64_t sent_ms;
    int rc;

    TRY(admit(x, err));
    rc = send_begin(x, err);
    if (rc < 0) {
        place_leave(h);
        return rc;
    }
    request = wire_request_of(x);
    h->sent++;
    sent_ms = call_span_ms(x->call);
    rc = h->options.wire->exchange(h->options.wire->self, x->call, x->scratch, &request, ret, err);
    place_leave(h);
    if (x->permit && may_have_been_taken(rc, ret))
        x->permit->taken++;
    TRY(rc);
    hear_date(x, ret, sent_ms);
    mask_echo(x->request, ret);
    if (x->permit)
        journal_answer(x, ret);
    record(x, &request, ret);
    return 0;
}

/* --- what an answer means ----------------------------------------------------------------------------------------- */

static int redirected(const struct sending *x, int status, const char *location, struct err *err)
{
    struct target to;
    struct err ignored;
    const char *host = location && target_parse(x->arena, location, &to, &ignored) == 0 ? to.host : "an unnamed place";

    err_set(err, ERR_PROTOCOL, "%s %s was answered with %d, a redirection to %s, which is not followed",
            http_method_name(x->request->method), x->target.shown, status, host);
    err->http_status = status;
    return err_advise(err, "Check the endpoint, and whether a proxy or portal on the way answers in Azure's place");
}

static bool is_passing(int status)
{
    return status == 408 || status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* How long to wait before the next attempt; told by the server, or doubling with half of it left to chance. */
static int64_t back_off(struct http *h, int attempt_no)
{
    int64_t most = BACK_OFF_FIRST_MS;

    for (int i = 1; i < attempt_no && most < BACK_OFF_MOST_MS; i++)
        most *= 2;
    if (most > BACK_OFF_MOST_MS)
        most = BACK_OFF_MOST_MS;
    return most / 2 + (int64_t)sched_random(h->sched, (uint64_t)(most / 2) + 1);
}

static int64_t told_wait(const struct sending *x, const struct http_response *r)
{
    int64_t ms = retry_after(r, r->date_ms != TIME_NONE ? r->date_ms : call_now_ms(x->call));

    return ms < 0 && r->status == 429 ? retry_after_in_text(r) : ms;
}

/* How far the run's waits reach beyond those that other tasks wait for already. */
static int64_t wait_alone_ms(const struct http *h, int64_t now_ms, int64_t ms)
{
    int64_t from = h->waiting_until_ms > now_ms ? h->waiting_until_ms : now_ms;

    return now_ms + ms > from ? now_ms + ms - from : 0;
}

/* May this wait begin? Request, step and run each have a time that they wait at most. What was waited on the service's
 * word does not count among the rest. */
static bool patience_ends(struct sending *x, bool asked, int64_t ms)
{
    struct http *h = x->http;
    const struct http_patience *most = &h->options.patience;
    int64_t now_ms = call_span_ms(x->call), alone_ms = wait_alone_ms(h, now_ms, ms);

    if (now_ms + ms > x->end_ms)
        return true;
    if (h->options.never_repeat || h->waited_ms + alone_ms > most->run_ms ||
        (x->step && x->step->waited_ms + ms > most->step_ms))
        return true;
    if (asked ? x->asked_ms + ms > most->asked_ms
              : x->attempts > 1 && now_ms + ms - x->begun_ms - x->asked_ms > most->unasked_ms)
        return true;
    x->asked_ms += asked ? ms : 0;
    h->waited_ms += alone_ms;
    h->waiting_until_ms = now_ms + ms > h->waiting_until_ms ? now_ms + ms : h->waiting_until_ms;
    if (x->step)
        x->step->waited_ms += ms;
    return false;
}

/* A wait of at least 0 says: repeat after it. -1: this answer is the result. */
static int64_t wait_after_answer(struct sending *x, const struct http_response *r, int attempt_no)
{
    int64_t ms;
    bool told;

    if (!is_passing(r->status))
        return -1;
    ms = told_wait(x, r);
    told = ms >= 0 || r->status == 429;
    /* "0 seconds", obeyed, would use up all attempts within the same throttle. */
    if (ms >= 0 && ms < BACK_OFF_FIRST_MS) {
        ms = back_off(x->http, attempt_no);
        ms = ms < BACK_OFF_FIRST_MS ? BACK_OFF_FIRST_MS : ms;
    }
    if (ms < 0)
        ms = back_off(x->http, attempt_no);
    /* A throttled request did not take effect, so it is not counted against what the step may send. */
    if (x->permit && r->status == 429)
        x->permit->budget++;
    if (patience_ends(x, told, ms) || (x->permit && !x->permit->budget))
        return -1;
    if (r->status == 429 && call_span_ms(x->call) + ms > x->scope->until_ms)
        x->scope->until_ms = call_span_ms(x->call) + ms;
    return x->request->once && r->status != 429 ? -1 : ms;
}

static int fail_unreachable(const struct sending *x, const struct wire_reply *reply, int attempts, struct err *err)
{
    err_set(err, ERR_TRANSIENT, "%s cannot be reached (%s %s): %s, %d time%s", x->target.host,
            http_method_name(x->request->method), x->target.shown, reply->text, attempts, attempts == 1 ? "" : "s");
    return err_advise(err, "Check the name, the network, its firewall and HTTPS_PROXY");
}

/* `last`: nothing more will be tried. 0: try again after a back-off. */
static int judge_fault(struct sending *x, const struct wire_reply *reply, bool last, int attempt_no, struct err *err)
{
    const char *name = http_method_name(x->request->method);

    switch (reply->fault) {
    case WIRE_TLS:
        err_set(err, ERR_DENIED, "%s %s: no trustworthy connection: %s", name, x->target.shown, reply->text);
        return -ERR_DENIED;
    case WIRE_TOO_LARGE:
        err_set(err, ERR_PROTOCOL, "%s %s: the answer was refused: %s", name, x->target.shown, reply->text);
        return x->permit ? err_advise(err, "The write itself was sent and may have taken effect") : -ERR_PROTOCOL;
    case WIRE_LOST:
        x->may_have_been_taken = x->may_have_been_taken || x->permit || x->request->once;
        x->fresh_connection = true;
        last = last || x->request->once;
        break;
    default:
        break;
    }
    if (!last)
        return 0;
    return x->may_have_been_taken ? fail_unknown(x, reply->text, err) : fail_unreachable(x, reply, attempt_no, err);
}

static void response_take(struct wire_reply *reply, struct http_response *ret)
{
    *ret = (struct http_response){
        .status = reply->status, .headers = reply->headers, .n_headers = reply->n_headers, .body = reply->body};
    ret->date_ms = time_parse_http(http_response_header(ret, "Date"));
    reply->body = (struct secret){0};
}

/* The result outlives its attempt. */
static void response_keep(struct arena *a, struct http_response *response, struct http_response *ret)
{
    *ret = *response;
    response->body = (struct secret){0};
    ret->headers = arena_array(a, struct wire_header, response->n_headers);
    for (size_t i = 0; i < response->n_headers; i++)
        ret->headers[i] = (struct wire_header){arena_strdup(a, response->headers[i].name),
                                               arena_strdup(a, response->headers[i].value)};
}

/* One attempt and what follows from it: *ret_wait_ms is -1 when `ret` is the result, else the wait
 * before the next one. */
static int round_trip(struct sending *x, int attempt_no, struct http_response *ret, int64_t *ret_wait_ms,
                      struct err *err)
{
    struct wire_reply reply cleanup(wire_reply_release) = {0};
    struct http_response response cleanup(http_response_release) = {0};

    x->attempts++;
    TRY(attempt(x, &reply, err));
    if (reply.fault != WIRE_OK) {
        int64_t ms = back_off(x->http, attempt_no);
        bool last = patience_ends(x, false, ms) || (x->permit && !x->permit->budget);

        TRY(judge_fault(x, &reply, last, attempt_no, err));
        *ret_wait_ms = ms;
        return 0;
    }
    response_take(&reply, &response);
    if (response.status >= 300 && response.status < 400)
        return redirected(x, response.status, http_response_header(&response, "Location"), err);
    *ret_wait_ms = wait_after_answer(x, &response, attempt_no);
    if (*ret_wait_ms >= 0) {
        x->may_have_been_taken = x->may_have_been_taken || (x->permit && response.status != 429);
        return 0;
    }
    response_keep(x->arena, &response, ret);
    return 0;
}

int http_send(struct http *h, struct call *c, struct arena *a, const struct http_request *request,
              struct http_response *ret, struct err *err)
{
    struct sending x = {
        .http = h, .call = c, .arena = a, .request = request, .begun_ms = call_span_ms(c), .end_ms = INT64_MAX};
    int64_t wait_ms = 0, own_ms = call_patience(c);

    if (own_ms > 0)
        x.end_ms = x.begun_ms + own_ms;

    TRY(target_parse(a, request->url, &x.target, err));
    TRY(gate_pass(&h->gate, c, request->method, request->guarded, &x.target, &x.permit, err));
    x.step = h->options.mode == HTTP_WRITING ? call_context(c) : NULL;
    x.scope = scope_of(h, request->scope ? request->scope : x.target.host);
    TRY(headers_make(&x, err));
    for (int attempt_no = 1;; attempt_no++) {
        struct arena *scratch cleanup(arena_freep) = arena_new();

        x.scratch = scratch;
        TRY(round_trip(&x, attempt_no, ret, &wait_ms, err));
        if (wait_ms < 0) {
            /* What this request has waited for is gone for the next; some is always left for a single try. */
            if (own_ms > 0)
                call_set_patience(c,
                                  own_ms > call_span_ms(c) - x.begun_ms ? own_ms - (call_span_ms(c) - x.begun_ms) : 1);
            return 0;
        }
        TRY(pause(&x, wait_ms, arena_printf(scratch, "%s is asked again", x.target.host), err));
    }
}
