/* Knows how a peer in the same process is asked, and that its answer takes time on the scheduler's clock. Must not know
 * what the peer is. */
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>

/* An answer that comes too late is lost, as on a network. */
static void peer_time_out(const struct wire_request *request, struct wire_reply *reply, int64_t *delay_ms)
{
    if (request->timeout_ms <= 0 || *delay_ms <= request->timeout_ms)
        return;
    wire_reply_release(reply);
    *reply = (struct wire_reply){.fault = WIRE_LOST};
    snprintf(reply->text, sizeof(reply->text), "no answer within %lld ms", (long long)request->timeout_ms);
    *delay_ms = request->timeout_ms;
}

static int peer_exchange(void *self, struct call *c, struct arena *a, const struct wire_request *request,
                         struct wire_reply *ret, struct err *err)
{
    const struct wire_peer *peer = self;
    struct wire_reply reply cleanup(wire_reply_release) = {0};
    int64_t delay_ms = 0;

    if (call_cancelled(c))
        return err_set(err, ERR_CANCELLED, "cancelled");
    peer->answer(peer->self, call_span_ms(c), a, request, &reply, &delay_ms);
    peer_time_out(request, &reply, &delay_ms);
    if (delay_ms > 0)
        TRY(call_sleep_ms(c, delay_ms, request->url, err));
    if (reply.fault == WIRE_OK && request->max_body && reply.body.len > request->max_body) {
        wire_reply_release(&reply);
        reply = (struct wire_reply){.fault = WIRE_TOO_LARGE, .text = "the answer is too large"};
    }
    *ret = reply;
    reply = (struct wire_reply){0};
    return 0;
}

struct wire *wire_peer_new(const struct wire_peer *peer)
{
    struct wire *w = xcalloc(1, sizeof(*w));
    struct wire_peer *copy = xmalloc(sizeof(*copy));

    *copy = *peer;
    *w = (struct wire){.self = copy, .exchange = peer_exchange, .free = free};
    return w;
}
