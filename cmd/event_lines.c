/* Knows the form of an event as a line of JSON. Must not know how any of it comes about. */
#include "event_lines.h"

#include "output.h"

static void set_seconds(struct arena *a, struct value *v, const char *key, int64_t ms)
{
    if (ms >= 0)
        value_set_int(a, v, key, ms / SECOND_MS);
}

static void set_time(struct arena *a, struct value *v, const char *key, int64_t ms)
{
    if (ms >= 0)
        value_set_string(a, v, key, time_format(a, ms / SECOND_MS * SECOND_MS));
}

static void step_set(struct arena *a, struct value *v, const struct event *event)
{
    const struct step *step = event->step;

    value_set_string(a, v, "step", step->id);
    value_set_string(a, v, "document", step->document ? step->document->address : NULL);
    value_set_string(a, v, "action", action_name(step->action));
    value_set_string(a, v, "scenario", step->scenario);
    if (event->number) {
        value_set_int(a, v, "number", (int64_t)event->number);
        value_set_int(a, v, "of", (int64_t)event->of);
    }
    if (event->what == ENGINE_STEP_STARTS) {
        value_set_string(a, v, "reason", step->reason);
        value_set_string(a, v, "foretold", step->foretold);
    }
}

static void heard(void *ctx, const struct event *event)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *v = output_envelope(a, ctx);

    value_set_string(a, v, "event", event_name(event));
    set_time(a, v, "at", event->at_ms);
    if (event->step)
        step_set(a, v, event);
    value_set_string(a, v, "job", event->job);
    value_set_string(a, v, "subject", event->subject);
    value_set_string(a, v, "from", event->from);
    value_set_string(a, v, "to", event->to);
    value_set_string(a, v, "message", event->line && *event->line ? event->line : NULL);
    set_seconds(a, v, "elapsedSeconds", event->elapsed_ms);
    set_seconds(a, v, "estimatedSeconds", event->estimate_ms);
    /* What is over is not expected to end. */
    if (event->kind != EVENT_STEP || event->what <= ENGINE_STEP_UNTIL)
        set_time(a, v, "stepEndsAt", event->step_ends_ms);
    set_time(a, v, "runEndsAt", event->run_ends_ms);
    output_json_line(v);
    output_flush();
}

void event_lines_begin(struct events *e, const struct options *o)
{
    if (output_lines(o))
        events_listen(e, heard, (void *)o);
}
