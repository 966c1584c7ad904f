/* Knows one attempt of a request: its headers, its place, what is written down before and after it, what of the answer
 * is masked. Must not know whether it is repeated. */
#include "sending.h"

#include <stdio.h>
#include <string.h>

enum {
    TIMEOUT_DEFAULT_MS = 60 * SECOND_MS,
    TIMEOUT_LEAST_MS = 4 * SECOND_MS, /* however little patience is left */
    BODY_DEFAULT = 16 * 1024 * 1024,
    TELL_FROM_MS = 5 * SECOND_MS,
    HEADERS_MAX = 64,
    MASK_FROM = 16,   /* so much of a credential's beginning tells it, in a refusal */
    MASK_SURELY = 64, /* and in an answer that is none */
};

/* --- waiting ---------------------------------------------------------------------------------------------------------
 */

int sending_pause(struct sending *x, int64_t ms, const char *why, struct err *err)
{
    struct http *h = x->http;

    if (ms > TELL_FROM_MS && h->options.waiting)
        h->options.waiting(h->options.ctx, why, ms);
    return call_sleep_ms(x->call, ms, why, err);
}

static void promises_forgo(struct sending *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        bucket_forgo(x->buckets[i]);
}

/* What a service foreseeably allows is waited for like a place, and costs no patience. */
static int promises_await(struct sending *x, struct err *err)
{
    int64_t begun_ms = call_span_ms(x->call), waited_ms;
    const struct http_options *o = &x->http->options;

    for (size_t i = 0; i < x->n_buckets; i++) {
        struct bucket *b = x->buckets[i];
        int64_t ms = bucket_worth_telling_ms(b, call_span_ms(x->call), TELL_FROM_MS);
        int rc;

        if (ms && o->waiting)
            o->waiting(o->ctx, arena_printf(x->scratch, "as fast as is allowed: %s", bucket_name(b)), ms);
        rc = bucket_wait(b, x->call, x->ticket, err);
        if (rc < 0) {
            promises_forgo(x, i);
            return rc;
        }
    }
    waited_ms = call_span_ms(x->call) - begun_ms;
    x->begun_ms += waited_ms;
    x->end_ms += x->end_ms == INT64_MAX ? 0 : waited_ms;
    return 0;
}

static bool tokens_take(struct sending *x)
{
    for (size_t i = 0; i < x->n_buckets; i++)
        if (!bucket_holds(x->buckets[i], call_span_ms(x->call)))
            return false;
    for (size_t i = 0; i < x->n_buckets; i++)
        bucket_take(x->buckets[i]);
    return true;
}

/* Of a refusal that does not say what is left, the narrowest allowance is the cause. NULL: there was no answer. */
static void tokens_answered(struct sending *x, const struct wire_reply *reply)
{
    x->refused_by = NULL;
    for (size_t i = 0; i < x->n_buckets; i++) {
        const struct allowance *of = bucket_of(x->buckets[i]);
        int64_t left = reply && of->left ? allowance_left(of, wire_reply_header(reply, of->left)) : -1;
        bool refused = reply && reply->status == 429 && (left == 0 || (left < 0 && i == 0));

        bucket_hear(x->buckets[i], left, refused, call_span_ms(x->call));
        x->refused_by = refused ? x->buckets[i] : x->refused_by;
    }
}

/* Sleepers hold no place; what came while queueing counts as well. */
static int admit(struct sending *x, struct err *err)
{
    for (;;) {
        int64_t left = x->scope->until_ms - call_span_ms(x->call);
        int rc;

        if (left > 0) {
            TRY(sending_pause(x, left, arena_printf(x->scratch, "throttled: %s", x->scope->name), err));
            continue;
        }
        TRY(promises_await(x, err));
        rc = admission_take(&x->http->admission, x->call, err);
        if (rc == 0 && x->scope->until_ms <= call_span_ms(x->call) && tokens_take(x))
            return 0;
        promises_forgo(x, x->n_buckets);
        TRY(rc);
        admission_leave(&x->http->admission);
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
int sending_headers(struct sending *x, struct err *err)
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

/* An attempt that hangs must not outlast the patience of who asks. */
static int64_t attempt_timeout_ms(const struct sending *x)
{
    int64_t ms = x->request->timeout_ms > 0 ? x->request->timeout_ms : TIMEOUT_DEFAULT_MS,
            left_ms = x->end_ms == INT64_MAX ? ms : x->end_ms - call_span_ms(x->call);

    left_ms = left_ms > TIMEOUT_LEAST_MS ? left_ms : TIMEOUT_LEAST_MS;
    return left_ms < ms ? left_ms : ms;
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
        .timeout_ms = attempt_timeout_ms(x),
        .fresh_connection = x->fresh_connection,
        .this_machine = r->this_machine,
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
    shown.secret_answer = x->request->guarded || x->request->secret_answer;
    o->record(o->ctx, &shown, reply);
}

int sending_fail_unknown(const struct sending *x, const char *why, struct err *err)
{
    err_set(err, ERR_UNKNOWN_OUTCOME, "%s %s was sent, and no answer tells its outcome: %s",
            http_method_name(x->request->method), x->target.shown, why);
    return err_advise(err, "It may have taken effect: look before it is sent again (request id %s)",
                      x->headers[0].value);
}

/* Waits for a place, a throttle or a token are over, and so is any sleep of this machine's. */
static int not_late(const struct sending *x, struct err *err)
{
    if (!x->permit || !x->permit->late_ms || x->may_have_been_taken || call_span_ms(x->call) <= x->permit->late_ms)
        return 0;
    err_set(err, ERR_CONFLICT, "%s %s was not sent: what it rests on was seen more than %s ago",
            http_method_name(x->request->method), x->target.shown, duration_format(x->scratch, LOOK_HOLDS_MS));
    snprintf(err->code, sizeof(err->code), LATE);
    return err_advise(err, "look again: plan");
}

/* The last look before a request leaves: tasks that share a permit share its budget, and the journal comes first. */
static int send_begin(struct sending *x, struct err *err)
{
    if (x->permit && !x->permit->budget && x->may_have_been_taken)
        return sending_fail_unknown(x, "the step has used up the writes it may send", err);
    if (x->permit && !x->permit->budget)
        return err_set(err, ERR_BLOCKED, "%s %s was refused: step %s has used up the writes it may send",
                       http_method_name(x->request->method), x->target.shown, x->permit->step);
    TRY(not_late(x, err));
    request_id_make(x->http->sched, x->id);
    x->headers[0].value = x->id;
    if (!x->permit)
        return 0;
    TRY(journal_append(x->http->options.journal, journal_line(x, "request"), err));
    x->permit->budget--;
    return 0;
}

/* An answer, be it a proxy's, may repeat what it was sent, in its body and in any header. */
static void mask_one(struct arena *a, const char *secret, size_t len, bool wanted, struct wire_reply *reply)
{
    bool refused = reply->status >= 300;

    /* What was asked for may begin like a credential (all tokens do, and so do all backups of keys) and must arrive
     * whole; a short secret may stand in it by chance. A token that was asked for with a token of the same issuer may
     * share more with it than any other. */
    if (refused || (len >= MASK_FROM && !wanted))
        secret_mask(&reply->body, secret, len, refused ? MASK_FROM : MASK_SURELY);
    for (size_t i = 0; len >= MASK_FROM && i < reply->n_headers; i++) {
        struct secret value = {.bytes = arena_strdup(a, reply->headers[i].value),
                               .len = strlen(reply->headers[i].value)};

        secret_mask(&value, secret, len, MASK_FROM);
        reply->headers[i].value = value.bytes;
    }
}

static void mask_echo(struct arena *a, const struct http_request *r, struct wire_reply *reply)
{
    const char *credential = r->authorization ? strchr(r->authorization, ' ') : NULL, *signature;

    if (reply->fault != WIRE_OK)
        return;
    /* "Bearer TOKEN" or "SharedKey ACCOUNT:SIGNATURE". */
    signature = credential ? strchr(credential, ':') : NULL;
    credential = signature ? signature : credential;
    if (credential)
        mask_one(a, credential + 1, strlen(credential + 1), r->secret_answer, reply);
    for (size_t i = 0; i < r->n_secrets; i++)
        mask_one(a, r->secrets[i].bytes, r->secrets[i].len, r->secret_answer, reply);
}

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

    /* This machine's own clock is the one that is to be judged. */
    if (x->request->this_machine)
        return;
    if (reply->fault == WIRE_OK && date && (reply->status < 300 || reply->status >= 400))
        sched_hear(x->http->sched, x->target.host, time_parse_http(date), sent_ms, call_span_ms(x->call));
}

int sending_attempt(struct sending *x, struct wire_reply *ret, struct err *err)
{
    struct http *h = x->http;
    struct wire_request request;
    int64_t sent_ms;
    int rc;

    TRY(admit(x, err));
    rc = send_begin(x, err);
    if (rc < 0) {
        tokens_answered(x, NULL);
        admission_leave(&h->admission);
        return rc;
    }
    request = wire_request_of(x);
    h->sent++;
    sent_ms = call_span_ms(x->call);
    rc = h->options.wire->exchange(h->options.wire->self, x->call, x->scratch, &request, ret, err);
    admission_leave(&h->admission);
    tokens_answered(x, rc == 0 && ret->fault == WIRE_OK ? ret : NULL);
    if (x->permit && may_have_been_taken(rc, ret))
        x->permit->taken++;
    TRY(rc);
    hear_date(x, ret, sent_ms);
    mask_echo(x->scratch, x->request, ret);
    if (x->permit)
        journal_answer(x, ret);
    record(x, &request, ret);
    return 0;
}
