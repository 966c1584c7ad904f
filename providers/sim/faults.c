/* Knows the fault script: which request a fault meets, how often it was met, what it does. Must not know services. */
#include "internal.h"

#include <string.h>

/* How often each fault was met so far: kept in the state, so that a fault fires once although the client was killed. */
static struct value *counts(struct sim *s, size_t n)
{
    struct value *list = state_list(s, "faultMatches");

    while (value_count(list) < n)
        value_push(s->arena, list, value_int(s->arena, 0));
    return list;
}

static bool concerns(const struct value *on, const struct sim_request *r, int64_t write_no)
{
    const char *method = value_str_at(on, "method"), *path = value_str_at(on, "path"), *host = value_str_at(on, "host");
    int64_t write = value_int_at(on, "write", 0);

    if (method && !str_eq_nocase(method, r->method))
        return false;
    if (path && !str_find_nocase(r->path, path))
        return false;
    if (host && !str_find_nocase(r->host, host))
        return false;
    return !write || write == write_no;
}

static int64_t seconds_of(const struct value *v)
{
    int64_t ms;

    if (value_is(v, VALUE_INT))
        return v->i;
    ms = value_str(v) ? duration_parse(value_str(v)) : -1;
    return ms < 0 ? -1 : ms / SECOND_MS;
}

static int64_t duration_of(const struct value *v)
{
    int64_t ms = value_str(v) ? duration_parse(value_str(v)) : -1;

    return value_is(v, VALUE_INT) ? v->i : ms < 0 ? 0 : ms;
}

static const char *code_of(int64_t status)
{
    static const struct { int64_t status; const char *code;
    } usual[] = {
        {400, "BadRequest"},         {401, "AuthenticationFailed"}, {403, "Forbidden"},       {404, "ResourceNotFound"},
        {409, "Conflict"},           {412, "PreconditionFailed"},   {429, "TooManyRequests"}, {502, "BadGateway"},
        {503, "ServiceUnavailable"}, {504, "GatewayTimeout"},
    };

    for (size_t i = 0; i < COUNT(usual); i++)
        if (usual[i].status == status)
            return usual[i].code;
    return "InternalServerError";
}

static void take(const struct value *todo, struct fault_act *ret)
{
    const char *word = value_str(todo), *reset = value_str_at(todo, "reset"), *code = value_str_at(todo, "code");
    const struct value *stall = value_get(todo, "stall");

    ret->kill_before = str_eq(word, "kill-before");
    ret->kill_after = str_eq(word, "kill-after");
    ret->interrupt_after = str_eq(word, "interrupt-after");
    ret->stop_after = str_eq(word, "stop-after");
    ret->status = (int)value_int_at(todo, "status", 0);
    ret->code = code ? code : code_of(ret->status);
    ret->message = value_str_at(todo, "message");
    if (!ret->message)
        ret->message = "The fault script of this simulated world says so.";
    ret->body = value_str_at(todo, "body");
    ret->headers = value_get(todo, "headers");
    ret->retry_after_s = seconds_of(value_get(todo, "retryAfter"));
    ret->reset_before = str_eq(reset, "before");
    ret->reset_after = str_eq(reset, "after");
    /* A stalled request was taken and carried out; only its answer never comes. */
    ret->stall = stall && !(value_is(stall, VALUE_BOOL) && !stall->b);
    ret->asleep_ms = duration_of(value_get(todo, "asleep"));
    ret->delay_ms = duration_of(value_get(todo, "delay"));
    if (ret->stall)
        ret->delay_ms += value_str(stall) ? duration_of(stall) : MINUTE_MS;
    if (value_get(todo, "truncate"))
        ret->cut_after = (size_t)value_int_at(todo, "truncate", 0);
}

bool faults_match(struct sim *s, const struct sim_request *r, int64_t write_no, struct fault_act *ret)
{
    struct value *all = state_list(s, "faults"), *met = counts(s, value_count(all));
    bool fired = false;

    for (size_t i = 0; i < value_count(all); i++) {
        const struct value *v = value_item(all, i), *on = value_get(v, "on");
        int64_t nth = value_int_at(v, "nth", value_int_at(on, "nth", 1)), times;

        if (!concerns(on, r, write_no))
            continue;
        times = ++value_item(met, i)->i;
        state_noted(s);
        if (!fired && (value_bool_at(v, "every", false) ? times >= nth : times == nth)) {
            take(value_get(v, "do"), ret);
            fired = true;
        }
    }
    return fired;
}
