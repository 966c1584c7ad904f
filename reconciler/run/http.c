/* Knows when a request is sent again: the one owner of repetition. One attempt is sending.c's, who may send now
 * admission.c's, what may be sent at all the gate's (gate.c). Must not know what a URL means to Azure, nor how bytes
 * travel. */
#include "http.h"

#include "sending.h"

#include <stdlib.h>
#include <string.h>

enum {
    IN_FLIGHT_DEFAULT = 64,
    BACK_OFF_FIRST_MS = 1 * SECOND_MS,
    BACK_OFF_MOST_MS = 60 * SECOND_MS,
    ODD_ANSWERS_MAX = 4,
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
    h->admission.in_flight_max = options->in_flight_max ? options->in_flight_max : IN_FLIGHT_DEFAULT;
    h->buckets = buckets_new();
    patience_complete(&h->options.patience);
    if (!h->options.user_agent)
        h->options.user_agent = "reinstate";
    return h;
}

void http_free(struct http *h)
{
    if (!h)
        return;
    admission_release(&h->admission);
    buckets_free(h->buckets);
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
    struct http_response dated = *r;

    if (dated.date_ms == TIME_NONE)
        dated.date_ms = call_now_ms(x->call);
    return http_retry_after_ms(&dated);
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
    if (x->refused_by)
        bucket_close(x->refused_by, call_span_ms(x->call) + ms);
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
    return x->may_have_been_taken ? sending_fail_unknown(x, reply->text, err)
                                  : fail_unreachable(x, reply, attempt_no, err);
}

static void response_take(struct wire_reply *reply, struct http_response *ret)
{
    *ret = (struct http_response){
        .status = reply->status, .headers = reply->headers, .n_headers = reply->n_headers, .body = reply->body};
    memcpy(ret->address, reply->address, sizeof(ret->address));
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
    TRY(sending_attempt(x, &reply, err));
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

/* ERR_THROTTLED, while what an advisory request draws on rests. */
static int advisory_pass(const struct sending *x, struct err *err)
{
    for (size_t i = 0; x->request->advisory && i < x->n_buckets; i++)
        if (bucket_rests(x->buckets[i], x->begun_ms)) {
            err_set(err, ERR_THROTTLED, "a moment ago the service was asked too much to answer this");
            return err_advise(err, "it is asked again in some minutes");
        }
    return 0;
}

/* What this request has waited for is gone for the next; some is always left for a single try. */
static void patience_spent(const struct sending *x, int64_t own_ms)
{
    int64_t spent_ms = call_span_ms(x->call) - x->begun_ms;

    if (own_ms > 0)
        call_set_patience(x->call, own_ms > spent_ms ? own_ms - spent_ms : 1);
}

int http_send(struct http *h, struct call *c, struct arena *a, const struct http_request *request,
              struct http_response *ret, struct err *err)
{
    struct sending x = {
        .http = h, .call = c, .arena = a, .request = request, .begun_ms = call_span_ms(c), .end_ms = INT64_MAX};
    int64_t wait_ms = 0, own_ms = call_patience(c);

    if (own_ms > 0)
        x.end_ms = x.begun_ms + own_ms;

    TRY((request->this_machine ? target_parse_local : target_parse)(a, request->url, &x.target, err));
    TRY(gate_pass(&h->gate, c, request->method, request->guarded, &x.target, &x.permit, err));
    x.step = h->options.mode == HTTP_WRITING ? call_context(c) : NULL;
    x.scope = admission_scope(&h->admission, request->scope ? request->scope : x.target.host);
    x.ticket = buckets_ticket(h->buckets);
    for (; x.n_buckets < request->n_draws && x.n_buckets < DRAWS_MAX; x.n_buckets++)
        x.buckets[x.n_buckets] = buckets_of(h->buckets, &request->draws[x.n_buckets], x.begun_ms);
    TRY(advisory_pass(&x, err));
    TRY(sending_headers(&x, err));
    for (int attempt_no = 1;; attempt_no++) {
        struct arena *scratch cleanup(arena_freep) = arena_new();

        x.scratch = scratch;
        if (round_trip(&x, attempt_no, ret, &wait_ms, err) < 0) {
            patience_spent(&x, own_ms);
            return -(int)err->class;
        }
        if (wait_ms < 0) {
            if (request->advisory && ret->status == 429 && x.n_buckets)
                bucket_rest(x.buckets[0], call_span_ms(c));
            patience_spent(&x, own_ms);
            return 0;
        }
        TRY(sending_pause(&x, wait_ms, arena_printf(scratch, "%s is asked again", x.target.host), err));
    }
}

int http_ask_again(struct http *h, struct call *c, struct http_again *again, bool *ret, struct err *err)
{
    struct sending x = {
        .http = h, .call = c, .begun_ms = again->begun_ms, .end_ms = INT64_MAX};
    int64_t own_ms = call_patience(c), ms = back_off(h, ++again->times);

    *ret = false;
    x.attempts = again->times + 1;
    if (again->times == 1)
        again->begun_ms = x.begun_ms = call_span_ms(c);
    if (own_ms > 0)
        x.end_ms = call_span_ms(c) + own_ms;
    x.step = h->options.mode == HTTP_WRITING ? call_context(c) : NULL;
    if (again->times >= ODD_ANSWERS_MAX || patience_ends(&x, false, ms))
        return 0;
    TRY(sending_pause(&x, ms, "an answer that says nothing", err));
    if (own_ms > 0)
        call_set_patience(c, own_ms - ms > 1 ? own_ms - ms : 1);
    *ret = true;
    return 0;
}
