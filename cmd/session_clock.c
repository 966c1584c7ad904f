/* Knows what time a session goes by, and whether this machine's clock is near enough for writes. Must not know what is
 * written. */
#include "session_parts.h"

#include "../reconciler/run/skew.h"

int session_may_write(const struct session *s, struct err *err)
{
    const char *ca = s->cloud->ca_file;

    if (skew_check(sched_skew_ms(s->sched), err) == 0)
        return 0;
    return err_advise(err,
                      "compare the two, set the clock and run again:\n    date -u; curl -sI %s%s%s%s | grep -i ^date",
                      ca ? "--cacert '" : "", ca ? ca : "", ca ? "' " : "", s->cloud->arm);
}

struct probe {
    struct http *http;
    const char *url;
    int64_t date_ms;
};

static void probe_task(struct call *c, void *arg)
{
    struct probe *p = arg;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct http_request request = {.method = HTTP_GET, .url = p->url};
    struct http_response response cleanup(http_response_release) = {0};
    struct err err;

    if (http_send(p->http, c, a, &request, &response, &err) == 0)
        p->date_ms = response.date_ms;
}

/* A simulated cloud has a clock of its own that has moved on since its file was written: it is asked
 * what time it is. */
static int64_t cloud_time(const struct cloud *cloud)
{
    struct sched *sched = sched_new(&(struct sched_options){.time = SCHED_REAL, .speed = 1});
    struct wire *wire = wire_curl_new(sched, session_authorities(cloud), 1);
    struct http *http =
        http_new(sched, &(struct http_options){.wire = wire, .mode = HTTP_READ_ONLY, .never_repeat = true});
    struct probe probe = {.http = http, .url = cloud->arm, .date_ms = TIME_NONE};

    sched_main(sched, probe_task, &probe);
    http_free(http);
    wire_free(wire);
    sched_free(sched);
    return probe.date_ms == TIME_NONE ? cloud->clock_start_ms : probe.date_ms;
}

void session_clock_set(struct session *s, const struct cloud *operators)
{
    struct sched_options options = {.time = SCHED_REAL, .speed = 1};

    if (s->sim) {
        options = (struct sched_options){.time = SCHED_VIRTUAL,
                                         .start_ms = sim_start_ms(s->sim),
                                         .speed = s->options->pace,
                                         .ahead_ms = s->ahead_ms,
                                         .seed = 1};
    } else if (operators && operators->clock_start_ms != TIME_NONE) {
        options.start_ms = cloud_time(operators);
        options.speed = operators->clock_speed;
        options.ahead_ms = operators->clock_ahead_ms;
        s->simulated = s->options->cloud;
    }
    s->clock_factor = options.speed;
    s->sched = sched_new(&options);
}
