/* A service that lets only so much pass, on a virtual clock: token buckets, one for each subscription in the address,
 * that may or may not tell what is left. And a crowd that asks it. */
#ifndef REINSTATE_LIMITED_PEER_H
#define REINSTATE_LIMITED_PEER_H
#include "harness.h"

#include "../../reconciler/run/http.h"

enum { LIMITED_MAX = 64, PLACES = 256 };

struct limits {
    double left, most, per_second; /* of each bucket: at first, at most, and so many more in each second */
    int64_t latency_ms;
    const char *header; /* that tells what is left; NULL: none does */
    int retry_after_s;
};

struct limited {
    struct limits is;
    struct {
        bool known;
        double left;
        int64_t at_ms;
    } of[LIMITED_MAX];
    size_t served, refused;
};

/* https://arm.example/NUMBER/… */
static void limited_answer(void *self, int64_t now_ms, struct arena *a, const struct wire_request *request,
                           struct wire_reply *ret, int64_t *ret_delay_ms)
{
    struct limited *p = self;
    size_t i = (size_t)strtoul(strchr(request->url + strlen("https://"), '/') + 1, NULL, 10) % LIMITED_MAX;
    struct wire_header told = {p->is.header, NULL};
    bool passes;

    p->of[i].left =
        p->of[i].known ? p->of[i].left + (double)(now_ms - p->of[i].at_ms) / SECOND_MS * p->is.per_second : p->is.left;
    p->of[i].left = p->of[i].left > p->is.most ? p->is.most : p->of[i].left;
    p->of[i].known = true;
    p->of[i].at_ms = now_ms;
    passes = p->of[i].left >= 1;
    p->of[i].left -= passes ? 1 : 0;
    p->served += passes;
    p->refused += !passes;
    *ret = (struct wire_reply){.fault = WIRE_OK, .status = passes ? 200 : 429};
    secret_init(&ret->body);
    secret_set(&ret->body, "{}", 2);
    told.value = arena_printf(a, "%d", (int)p->of[i].left);
    if (p->is.header)
        arena_push(a, ret->headers, ret->n_headers, told);
    told = (struct wire_header){"Retry-After", arena_printf(a, "%d", p->is.retry_after_s)};
    if (!passes)
        arena_push(a, ret->headers, ret->n_headers, told);
    *ret_delay_ms = p->is.latency_ms;
}

/* `count` reads, dealt out to `subscriptions`, all wanted at once. */
struct asking {
    struct limited *peer;
    const struct allowance *of;
    size_t count, subscriptions;
    int64_t own_patience_ms; /* of each; 0: as usual */
    int64_t cancel_ms;       /* 0: never */
    /* What came of it. */
    struct http *http;
    size_t begun, done, failed, out_of_turn, last;
    int64_t took_ms;
};

static void one_asks(struct call *c, void *arg)
{
    struct asking *all = arg;
    struct arena *a cleanup(arena_freep) = arena_new();
    size_t me = all->begun++, of = me % all->subscriptions;
    struct draw draw = {all->of, arena_printf(a, "%zu", of)};
    struct http_request request = {.method = HTTP_GET, .scope = draw.whose, .draws = &draw, .n_draws = all->of ? 1 : 0};
    struct http_response response cleanup(http_response_release) = {0};
    struct err err;

    request.url = arena_printf(a, "https://arm.example/%zu/%zu", of, me);
    call_set_patience(c, all->own_patience_ms);
    if (http_send(all->http, c, a, &request, &response, &err) == 0 && response.status == 200)
        all->done++;
    else
        all->failed++;
    all->out_of_turn += me < all->last;
    all->last = me;
}

static void all_ask(struct call *c, void *arg)
{
    struct asking *all = arg;
    struct group *g = group_new(call_sched(c), "asking");
    int64_t begun_ms = call_span_ms(c);
    struct err err;

    for (size_t i = 0; i < all->count; i++)
        group_spawn(g, "one", one_asks, all);
    if (all->cancel_ms && call_sleep_ms(c, all->cancel_ms, "the end", &err) == 0)
        group_cancel(g);
    if (group_wait(c, g, &err) < 0)
        all->failed = all->count;
    group_free(g);
    all->took_ms = call_span_ms(c) - begun_ms;
}

static inline void ask(struct asking *all)
{
    struct sched *s = sched_new(&(struct sched_options){.time = SCHED_VIRTUAL, .start_ms = 1795402800000, .seed = 11});
    struct wire *wire = wire_peer_new(&(struct wire_peer){.self = all->peer, .answer = limited_answer});

    all->http = http_new(s, &(struct http_options){.wire = wire, .mode = HTTP_READ_ONLY, .in_flight_max = PLACES});
    sched_main(s, all_ask, all);
    http_free(all->http);
    wire_free(wire);
    sched_free(s);
}

#endif
