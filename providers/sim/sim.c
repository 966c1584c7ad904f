/* Knows how a request becomes an answer: taken apart, authenticated, counted, sent through the fault script to the
 * service of its host, written down. Must not know what any service does. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"
#include "../../reconciler/format/json.h"

enum { STATE_SLACK = 16 * 1024 * 1024 };

/* --- requests, taken apart ---------------------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static const char *percent_decode(struct arena *a, const char *s, size_t n, bool plus_is_blank)
{
    char *ret = arena_alloc(a, n + 1);
    size_t len = 0;

    for (size_t i = 0; i < n; i++) {
        int hi, lo;

        if (s[i] == '%' && n - i > 2 && (hi = hex_digit(s[i + 1])) >= 0 && (lo = hex_digit(s[i + 2])) >= 0) {
            ret[len++] = (char)(hi * 16 + lo);
            i += 2;
        } else {
            ret[len++] = s[i] == '+' && plus_is_blank ? ' ' : s[i];
        }
    }
    return ret;
}

static bool split_path(struct sim_request *r)
{
    for (const char *at = r->path; *at;) {
        size_t n = strcspn(at, "/");

        if (n) {
            if (r->n_segments == SEGMENTS_MAX)
                return false;
            r->segments[r->n_segments++] = percent_decode(r->arena, at, n, false);
        }
        at += n + (at[n] == '/');
    }
    return true;
}

static bool split_query(struct sim_request *r, const char *query)
{
    for (const char *at = query; *at;) {
        size_t n = strcspn(at, "&"), name = strcspn(at, "=&");

        if (n) {
            if (r->n_query == QUERY_MAX)
                return false;
            r->query_names[r->n_query] = percent_decode(r->arena, at, name, true);
            r->query_values[r->n_query++] = name < n ? percent_decode(r->arena, at + name + 1, n - name - 1, true) : "";
        }
        at += n + (at[n] == '&');
    }
    return true;
}

static bool request_parse(struct sim_request *r, const struct sim_call *call, struct arena *a)
{
    const char *authority = str_starts_nocase(call->url, "https://") ? call->url + strlen("https://") : NULL, *path,
               *query;
    struct value *json = NULL;
    struct err ignored;
    size_t host;

    *r = (struct sim_request){.arena = a,
                              .method = call->method,
                              .url = call->url,
                              .headers = call->headers,
                              .n_headers = call->n_headers,
                              .body = call->body,
                              .body_len = call->body_len};
    if (!authority)
        return false;
    host = strcspn(authority, "/?#");
    r->host = str_lower(a, arena_strndup(a, authority, host));
    if (str_ends_nocase(r->host, ":443"))
        r->host = arena_strndup(a, r->host, host - strlen(":443"));
    path = authority + host;
    query = path + strcspn(path, "?#");
    while (path[0] == '/' && path[1] == '/')
        path++;
    r->path = path < query ? arena_strndup(a, path, (size_t)(query - path)) : "/";
    if (!split_path(r) || (*query == '?' && !split_query(r, arena_strndup(a, query + 1, strcspn(query + 1, "#")))))
        return false;
    if (call->body_len && (call->body[0] == '{' || call->body[0] == '[' || (unsigned char)call->body[0] == 0xEF) &&
        json_parse(a, call->body, call->body_len, &json, &ignored) == 0)
        r->json = json;
    return true;
}

/* --- one exchange ------------------------------------------------------------------------------------------------- */

static const char *host_of(const char *endpoint)
{
    return str_starts_nocase(endpoint, "https://") ? endpoint + strlen("https://") : endpoint;
}

static service *service_of(const struct sim *s, const char *host)
{
    if (str_eq_nocase(host, host_of(s->ep.authority)))
        return entra_answer;
    if (str_eq(host, METADATA_HOST))
        return metadata_answer;
    if (s->ep.oidc && str_eq_nocase(host, host_of(s->ep.oidc)))
        return oidc_answer;
    if (str_eq_nocase(host, host_of(s->ep.arm)))
        return arm_answer;
    if (str_eq_nocase(host, host_of(s->ep.graph)))
        return graph_answer;
    if (str_ends_nocase(host, s->ep.vault_suffix) || str_ends_nocase(host, s->ep.hsm_suffix))
        return keys_answer;
    return str_ends_nocase(host, s->ep.blob_suffix) || blob_account_at(s, host) ? blob_answer : NULL;
}

/* Requests that change nothing although their method could: token, Resource Graph, validation, discovery. */
static bool is_write(const struct sim *s, const struct sim_request *r)
{
    const char *last = request_segment(r, r->n_segments ? r->n_segments - 1 : 0);
    service *answer = service_of(s, r->host);

    if (request_is(r, "GET") || request_is(r, "HEAD") || request_is(r, "OPTIONS"))
        return false;
    if (answer == entra_answer || answer == oidc_answer ||
        str_find_nocase(r->path, "/Microsoft.ResourceGraph/"))
        return false;
    return !(str_find_nocase(last, "validate") || str_starts_nocase(last, "refresh"));
}

static void answer_fault_status(const struct sim_request *r, struct sim_answer *out, const struct fault_act *act)
{
    if (act->status >= 400)
        answer_arm_error(r->arena, out, act->status, false, act->code, "%s", act->message);
    else
        answer_empty(out, act->status);
    if (act->retry_after_s >= 0)
        answer_header(r->arena, out, "Retry-After", "%lld", (long long)act->retry_after_s);
}

/* What Azure's front doors put on every answer. */
static void answer_common(struct sim *s, const struct sim_request *r, struct sim_answer *out)
{
    const char *client_id = request_header(r, "x-ms-client-request-id");
    char name[80], id[UUID_TEXT];

    snprintf(name, sizeof(name), "%llu|%lld|%llu", (unsigned long long)s->seed, (long long)s->now_ms,
             (unsigned long long)s->n_exchanges);
    crypt_uuid5("b9c4b1a5-5d0e-5d0b-8d55-31d4e1d6a6f2", name, id);
    answer_header(r->arena, out, "x-ms-request-id", "%s", id);
    if (service_of(s, r->host) != blob_answer) {
        crypt_uuid5("1f1a0a1e-6a0f-5a71-b7d5-0a4b8a9c7c11", name, id);
        answer_header(r->arena, out, "x-ms-correlation-request-id", "%s", id);
    }
    answer_header(r->arena, out, "Date", "%s", time_format_http(r->arena, s->now_ms));
    if (client_id && strlen(client_id) <= 64)
        answer_header(r->arena, out, "x-ms-client-request-id", "%s", client_id);
}

/* The state's memory only grows while it is changed; now and then it is copied and the old arena dropped. */
static void state_compact(struct sim *s)
{
    struct arena *fresh;

    if (arena_bytes(s->arena) < 2 * s->arena_floor + STATE_SLACK)
        return;
    found_forget(s);
    fresh = arena_new();
    s->spec = value_copy(fresh, s->spec);
    s->metadata = value_copy(fresh, s->metadata);
    arena_free(s->arena);
    s->arena = fresh;
    s->arena_floor = arena_bytes(fresh);
}

static int64_t count_write(struct sim *s)
{
    struct value *map = state_map(s);
    int64_t n = value_int_at(map, "writes", 0) + 1;

    value_set_int(s->arena, map, "writes", n);
    state_noted(s);
    return n;
}

static void kill_client(struct sim *s, struct sim_answer *out)
{
    world_write_out(s);
    if (s->kill)
        s->kill(s->ctx);
    out->fault = SIM_RESET;
}

static void exchange(struct sim *s, struct sim_request *r, struct sim_answer *out)
{
    struct fault_act act = {.retry_after_s = -1, .cut_after = SIZE_MAX};
    service *answer = service_of(s, r->host);

    token_check(s, r);
    if (faults_match(s, r, is_write(s, r) ? count_write(s) : 0, &act))
        out->delay_ms += act.delay_ms;
    if (act.kill_before) {
        kill_client(s, out);
        return;
    }
    /* A name that does not resolve, or a connection lost on the way there: nothing was done. */
    if (!answer || act.reset_before) {
        out->fault = SIM_RESET;
        return;
    }
    if (act.status)
        answer_fault_status(r, out, &act);
    else if (answer == arm_answer || answer == keys_answer)
        spelt_answer(s, r, out, answer);
    else
        answer(s, r, out);
    if (act.body && out->fault == SIM_ANSWERED) {
        text_clear(&out->body);
        text_add(&out->body, act.body);
    }
    for (size_t i = 0; i < value_count(act.headers); i++)
        answer_header(r->arena, out, act.headers->map.members[i].key, "%s",
                      value_str(act.headers->map.members[i].value));
    out->cut_after = act.cut_after;
    /* Whoever judges the simulator by its record must be able to tell its own answers from scripted ones. */
    if (act.status || act.body || act.cut_after != SIZE_MAX)
        answer_header(r->arena, out, "x-reinstate-fault", "scripted");
    if (act.reset_after)
        out->fault = SIM_RESET;
    if (act.stall)
        out->fault = SIM_STALL;
    s->slept_ms += act.asleep_ms;
    if (act.kill_after)
        kill_client(s, out);
    if ((act.interrupt_after || act.stop_after) && s->disturb)
        s->disturb(s->ctx, act.stop_after);
}

static void advance(struct sim *s, int64_t now_ms)
{
    if (now_ms > s->now_ms)
        s->now_ms = now_ms;
    keyvault_advance(s);
    compute_advance(s);
    backup_advance(s);
}

void sim_leave(struct sim *s, int64_t now_ms)
{
    advance(s, now_ms + s->slept_ms);
    world_write_out(s);
}

void sim_handle(struct sim *s, int64_t now_ms, struct arena *a, const struct sim_call *call, struct sim_answer *ret)
{
    struct sim_request r;

    *ret = (struct sim_answer){.status = 500, .cut_after = SIZE_MAX, .delay_ms = behaviour_ms(s, "latency", 40)};
    text_init(&ret->body, TEXT_CEILING);
    s->n_exchanges++;
    state_compact(s);
    advance(s, now_ms + s->slept_ms);
    if (request_parse(&r, call, a))
        exchange(s, &r, ret);
    else
        answer_arm_error(a, ret, 400, true, "InvalidRequestUri", "The request's address cannot be understood.");
    if (s->dirty)
        world_write_out(s);
    answer_common(s, &r, ret);
    if (s->observed)
        s->observed(s->ctx, call, ret);
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static struct sim_endpoints endpoints_copy(struct arena *a, const struct sim_endpoints *ep)
{
    return (struct sim_endpoints){
        .authority = arena_strdup(a, ep->authority),
        .arm = arena_strdup(a, ep->arm),
        .graph = arena_strdup(a, ep->graph),
        .oidc = ep->oidc ? arena_strdup(a, ep->oidc) : NULL,
        .vault_suffix = arena_strdup(a, ep->vault_suffix),
        .hsm_suffix = arena_strdup(a, ep->hsm_suffix),
        .blob_suffix = arena_strdup(a, ep->blob_suffix),
        .arm_audience = arena_strdup(a, ep->arm_audience),
        .vault_audience = arena_strdup(a, ep->vault_audience),
        .hsm_audience = arena_strdup(a, ep->hsm_audience),
        .storage_audience = arena_strdup(a, ep->storage_audience),
        .graph_audience = arena_strdup(a, ep->graph_audience),
    };
}

struct sim *sim_new(const struct sim_options *options, struct diags *diags)
{
    struct sim *s = xcalloc(1, sizeof(*s));
    size_t before = diags->n_errors;

    s->own = arena_new();
    s->arena = arena_new();
    s->ep = endpoints_copy(s->own, &options->endpoints);
    s->world_out = arena_strdup(s->own, options->world_out);
    s->kill = options->kill;
    s->disturb = options->disturb;
    s->observed = options->observed;
    s->ctx = options->ctx;
    s->metadata = value_copy(s->arena, value_get(options->world, "metadata"));
    s->spec = value_copy(s->arena, value_get(options->world, "spec"));
    world_complete(s, diags);
    if (diags->n_errors > before) {
        sim_free(s);
        return NULL;
    }
    s->arena_floor = arena_bytes(s->arena);
    return s;
}

void sim_free(struct sim *s)
{
    if (!s)
        return;
    found_free(s);
    arena_free(s->arena);
    arena_free(s->own);
    free(s);
}
