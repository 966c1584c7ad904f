/* A run of the engine in this process, on a simulated Azure, that can be struck at any request: what the contract tests
 * hold in their hands. One rig is one life of the program; the next one begins with the world that this
 * one has left. */
#ifndef REINSTATE_TEST_RIG_H
#define REINSTATE_TEST_RIG_H

#include "../../cmd/load.h"
#include "../../cmd/peer.h"
#include "../../providers/kinds/registry.h"
#include "../../reconciler/format/json.h"
#include "../../providers/access/preflight.h"

enum { REQUESTS_MAX = 4096 };

enum stop { STOP_NEVER, STOP_ANSWER_IN_FLIGHT, STOP_ANSWER_SEEN };

struct rig_options {
    enum http_mode mode;
    bool never_repeat;      /* every failure reaches the kinds */
    enum stop stop;         /* when everything is cancelled at request number `at` */
    size_t at;
};

struct rig {
    struct arena *arena;
    struct rig_options options;
    struct sched *sched;
    struct sim *sim;
    struct wire *peer, tap;
    struct http *http;
    struct credential credential;
    struct azure **handles;
    size_t n_handles;
    struct azure_connections connections;
    struct settings settings;
    struct engine engine;
    size_t requests;
    bool writes[REQUESTS_MAX]; /* by the number of the request, from 1; a token is none */
    struct arena *keep;        /* where `sent` is kept; NULL: it is not */
    struct value *sent;        /* what was no GET: {method, uri, request_body, status}, as --record writes it */
};

static inline void rig_keep(struct rig *r, const struct sim_call *call, const struct sim_answer *answer)
{
    struct value *sent = value_map(r->keep), *body = NULL;
    struct err ignored;

    value_set_string(r->keep, sent, "method", call->method);
    value_set_string(r->keep, sent, "uri", call->url);
    value_set_int(r->keep, sent, "status", answer->status);
    if (call->body_len && json_parse(r->keep, call->body, call->body_len, &body, &ignored) == 0)
        value_set(r->keep, sent, "request_body", body);
    value_push(r->keep, r->sent, sent);
}

/* The effect has taken place, the answer is on its way: the worst instant to be cancelled at. */
static inline void rig_observed(void *ctx, const struct sim_call *call, const struct sim_answer *answer)
{
    struct rig *r = ctx;

    if (r->keep && !str_eq(call->method, "GET"))
        rig_keep(r, call, answer);
    if (++r->requests < REQUESTS_MAX)
        r->writes[r->requests] = !str_eq(call->method, "GET") && !str_ends_nocase(call->url, "/oauth2/v2.0/token");
    if (r->options.stop == STOP_ANSWER_IN_FLIGHT && r->requests == r->options.at)
        sched_cancel_all(r->sched);
}

static inline int rig_exchange(void *self, struct call *c, struct arena *a, const struct wire_request *request,
                               struct wire_reply *ret, struct err *err)
{
    struct rig *r = self;
    int rc = r->peer->exchange(r->peer->self, c, a, request, ret, err);

    if (r->options.stop == STOP_ANSWER_SEEN && r->requests >= r->options.at)
        sched_cancel_all(r->sched);
    return rc;
}

static inline void rig_connect(struct rig *r, const struct desired *d)
{
    struct http_options options = {
        .wire = &r->tap,
        .mode = r->options.mode,
        .never_repeat = r->options.never_repeat,
        .safe_posts = azure_safe_posts,
        .n_safe_posts = azure_n_safe_posts,
    };

    r->http = http_new(r->sched, &options);
    r->handles = arena_array(r->arena, struct azure *, d->count + 1);
    r->n_handles = d->count;
    for (size_t i = 0; i < d->count; i++) {
        const struct value *spec = d->documents[i]->spec;

        if (!str_eq(d->documents[i]->kind, "Azure"))
            continue;
        r->handles[i] = azure_new(r->http, cloud_builtin("AzurePublic"), &r->credential, value_str_at(spec, "tenant"),
                                  value_str_at(spec, "subscription"), value_str_at(spec, "location"));
        azure_use_versions(r->handles[i], spec);
    }
    r->connections = (struct azure_connections){.items = r->handles, .count = d->count};
}

/* One operator of this rig's Azure: signed in, connected, with an engine. */
static inline void rig_operator(struct rig *r, const struct value *world, const struct estate *estate)
{
    static const struct approval approvals[] = {
        {"built-in/purge-protection", "the tests"}, {"built-in/enable", "the tests"},
        {"built-in/recover", "the tests"},          {"built-in/replace", "the tests"},
        {"built-in/escrow", "the tests"},           {"built-in/escrow-elsewhere", "the tests"},
    };
    struct err err;

    if (peer_credential(world, NULL, &r->credential, &err) < 0) {
        fprintf(stderr, "nobody can sign in: %s\n", err.text);
        exit(2);
    }
    r->tap = (struct wire){.self = r, .exchange = rig_exchange};
    rig_connect(r, estate->desired);
    r->settings = settings_default;
    r->engine = (struct engine){
        .kinds = &all_kinds,
        .settings = &r->settings,
        .provider = &r->connections,
        .policy = estate->policy,
        .approvals = approvals,
        .n_approvals = COUNT(approvals),
        .preflight = rights_preflight,
    };
}

static inline struct rig *rig_new(const struct value *world, const struct estate *estate, struct rig_options how)
{
    const char *skew = value_str_at(world, "spec.behaviour.clientSkew");
    struct rig *r = xcalloc(1, sizeof(*r));
    struct sim_options sim = {
        .world = world, .endpoints = peer_endpoints(cloud_builtin("AzurePublic")), .observed = rig_observed, .ctx = r,
    };
    struct diags diags;

    r->arena = arena_new();
    r->options = how;
    diags_init(&diags, r->arena);
    r->sim = sim_new(&sim, &diags);
    if (!r->sim || diags.n_errors) {
        fprintf(stderr, "the world contradicts itself: %s\n", diags.n_errors ? diags.items[0].what : "");
        exit(2);
    }
    r->sched = sched_new(&(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = sim_start_ms(r->sim),
                                                 .ahead_ms = skew ? time_shift_parse(skew) : 0, .seed = 1});
    r->peer = peer_wire_new(r->sim);
    rig_operator(r, world, estate);
    return r;
}

/* A second operator beside this one: the same Azure, the same time, nothing else in common. */
static inline struct rig *rig_beside(struct rig *first, const struct value *world, const struct estate *estate)
{
    struct rig *r = xcalloc(1, sizeof(*r));

    r->arena = arena_new();
    r->options = first->options;
    r->sim = first->sim;
    r->sched = first->sched;
    r->peer = first->peer;
    rig_operator(r, world, estate);
    return r;
}

static inline void rig_leave(struct rig *r)
{
    for (size_t i = 0; i < r->n_handles; i++)
        if (r->handles[i])
            azure_free(r->handles[i]);
    http_free(r->http);
    credential_release(&r->credential);
    arena_free(r->arena);
    free(r);
}

/* The world as it is when this life ends, in `a`. */
static inline const struct value *rig_end(struct rig *r, struct arena *a)
{
    const struct value *world;
    struct sched *sched = r->sched;
    struct sim *sim = r->sim;
    struct wire *peer = r->peer;

    sim_leave(sim, sched_now_ms(sched));
    world = sim_world(a, sim);
    rig_leave(r);
    wire_free(peer);
    sched_free(sched);
    sim_free(sim);
    return world;
}

/* --- one pass ----------------------------------------------------------------------------------------------------- */

struct pass {
    struct rig *rig;
    struct arena *arena;
    const struct desired *desired;
    bool only_look, twice;          /* twice: the same plan is carried out again, stale as it is by then */
    struct look look;
    struct outcome outcome, second;
    bool looked, acted;
    struct err err;
};

static inline struct pass *pass_new(struct arena *a, struct rig *r, const struct desired *d, bool only_look)
{
    struct pass *p = arena_new_of(a, struct pass);

    *p = (struct pass){.rig = r, .arena = a, .desired = d, .only_look = only_look};
    return p;
}

static inline void pass_task(struct call *c, void *arg)
{
    struct pass *p = arg;

    p->looked = engine_look(c, &p->rig->engine, p->arena, p->desired, &p->look, &p->err) == 0;
    if (!p->looked || p->only_look)
        return;
    p->acted = engine_act(c, &p->rig->engine, p->arena, &p->look, &p->outcome, &p->err) == 0;
    if (p->acted && p->twice)
        p->acted = engine_act(c, &p->rig->engine, p->arena, &p->look, &p->second, &p->err) == 0;
}

static inline void pass_run(struct pass *p)
{
    sched_main(p->rig->sched, pass_task, p);
}

#endif
