/* Knows both sides of the in-process wire: what the simulator answers and what a transport would have made of it. Must
 * not know what is asked. */
#include "peer.h"

#include <stdio.h>
#include <string.h>

static struct wire_header *headers_to_wire(struct arena *a, const struct sim_header *from, size_t n)
{
    struct wire_header *to = arena_array(a, struct wire_header, n + 1);

    for (size_t i = 0; i < n; i++)
        to[i] = (struct wire_header){.name = from[i].name, .value = from[i].value};
    return to;
}

static void lost(struct wire_reply *ret, enum wire_fault fault, const char *text)
{
    ret->fault = fault;
    snprintf(ret->text, sizeof(ret->text), "%s", text);
}

void peer_reply(struct arena *a, const struct sim_answer *answer, size_t max_body, struct wire_reply *ret)
{
    memset(ret, 0, sizeof(*ret));
    secret_init(&ret->body);
    if (answer->fault == SIM_RESET) {
        lost(ret, WIRE_LOST, "the connection was reset");
    } else if (answer->fault == SIM_STALL) {
        lost(ret, WIRE_LOST, "no answer in time");
    } else if (answer->cut_after < answer->body.len) {
        lost(ret, WIRE_LOST, "the answer was cut half way");
    } else if (answer->body.len > max_body) {
        lost(ret, WIRE_TOO_LARGE, "the answer is too large");
    } else {
        ret->status = answer->status;
        ret->headers = headers_to_wire(a, answer->headers, answer->n_headers);
        ret->n_headers = answer->n_headers;
        if (answer->body.len)
            secret_set(&ret->body, answer->body.s, answer->body.len);
    }
}

struct wire_request peer_request(struct arena *a, const struct sim_call *call)
{
    return (struct wire_request){
        .method = call->method, .url = call->url, .headers = headers_to_wire(a, call->headers, call->n_headers),
        .n_headers = call->n_headers, .body = call->body, .body_len = call->body_len,
    };
}

static void answer(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request,
                   struct wire_reply *ret, int64_t *ret_delay_ms)
{
    struct sim_header *headers = arena_array(a, struct sim_header, request->n_headers + 1);
    struct sim_call call = {
        .method = request->method, .url = request->url, .headers = headers, .n_headers = request->n_headers,
        .body = request->body, .body_len = request->body_len,
    };
    struct sim_answer got = {.cut_after = SIZE_MAX};

    for (size_t i = 0; i < request->n_headers; i++)
        headers[i] = (struct sim_header){.name = request->headers[i].name, .value = request->headers[i].value};
    /* Of a body the wire tells the length, which a signature covers. */
    if (request->body)
        headers[call.n_headers++] =
            (struct sim_header){.name = "Content-Length", .value = arena_printf(a, "%zu", request->body_len)};
    text_init(&got.body, TEXT_CEILING);
    sim_handle(self, now_ms, a, &call, &got);
    peer_reply(a, &got, request->max_body, ret);
    *ret_delay_ms = got.delay_ms;
    if (got.fault == SIM_STALL || (request->timeout_ms > 0 && got.delay_ms > request->timeout_ms)) {
        secret_release(&ret->body);
        peer_reply(a, &(struct sim_answer){.fault = SIM_STALL}, 0, ret);
        *ret_delay_ms = request->timeout_ms;
    }
    /* The body may hold a token or a key. */
    if (got.body.s)
        secret_wipe(got.body.s, got.body.len);
    text_release(&got.body);
}

struct wire *peer_wire_new(struct sim *sim)
{
    return wire_peer_new(&(struct wire_peer){.self = sim, .answer = answer});
}

struct sim_endpoints peer_endpoints(const struct cloud *c)
{
    return (struct sim_endpoints){
        .authority = c->authority, .arm = c->arm, .graph = c->graph,
        .vault_suffix = c->vault_suffix, .hsm_suffix = c->hsm_suffix, .blob_suffix = c->blob_suffix,
        .arm_audience = c->arm_audience, .vault_audience = c->vault_audience, .hsm_audience = c->hsm_audience,
        .storage_audience = c->storage_audience, .graph_audience = c->graph,
    };
}

int peer_credential(const struct value *world, const char *name, struct credential *ret, struct err *err)
{
    const struct value *principals = value_at(world, "spec.principals");

    for (size_t i = 0; i < value_count(principals); i++) {
        const struct value *p = value_item(principals, i);
        const char *secret = value_str_at(p, "secret"), *app = value_str_at(p, "appId");

        if (name ? !str_eq(name, value_str_at(p, "name")) : !secret)
            continue;
        if (!secret || !app)
            return err_set(err, ERR_INVALID, "principal %s of the world has no appId and secret to sign in with",
                           name ? name : "");
        memset(ret, 0, sizeof(*ret));
        ret->kind = CREDENTIAL_CLIENT_SECRET;
        snprintf(ret->tenant, sizeof(ret->tenant), "%s",
                 value_str_at(world, "spec.tenant") ? value_str_at(world, "spec.tenant") : "");
        snprintf(ret->client_id, sizeof(ret->client_id), "%s", app);
        secret_init(&ret->client_secret);
        secret_set(&ret->client_secret, secret, strlen(secret));
        for (size_t k = 0; k < AUDIENCE_COUNT; k++)
            secret_init(&ret->tokens[k]);
        return 0;
    }
    if (name)
        return err_set(err, ERR_INVALID, "the world has no principal named %s", name);
    return err_set(err, ERR_INVALID, "the world has no principal with a secret to sign in with");
}
