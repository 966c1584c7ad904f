/* sim: serves a simulated Azure until it is told to stop, and writes down for clients how to reach it. */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "../providers/azure/redact.h"
#include "../providers/sim/server.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/json.h"
#include "../reconciler/run/record.h"
#include "commands.h"
#include "load.h"
#include "output.h"
#include "peer.h"
#include "play.h"

enum { SIGNAL_LOOK_MS = 100 };

struct serving {
    struct arena *arena;
    const struct options *options;
    struct schemas *schemas;
    struct diags diags;
    struct err err;
    struct recorder *recorder;
    struct sim_server *server;
    const struct value *world;
};

static void serving_close(struct serving *s)
{
    if (s->server)
        server_stop(s->server);
    output_recorder_close(s->recorder);
    schemas_freep(&s->schemas);
    arena_freep(&s->arena);
}

static void observed(void *ctx, const struct sim_call *call, const struct sim_answer *answer)
{
    struct serving *s = ctx;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct wire_request request = peer_request(a, call);
    struct wire_reply reply;

    peer_reply(a, answer, SIZE_MAX, &reply);
    recorder_add(s->recorder, &request, &reply);
    wire_reply_release(&reply);
}

/* --- what clients need to know ------------------------------------------------------------------------------------ */

static struct value *cloud_value(const struct serving *s, const char *ca_file)
{
    const struct sim_endpoints *ep = server_endpoints(s->server);
    struct value *v = value_map(s->arena), *clock = value_map(s->arena);

    value_set_string(s->arena, v, "base", "AzurePublic");
    value_set_string(s->arena, v, "name", "Simulated");
    value_set_string(s->arena, v, "authority", ep->authority);
    value_set_string(s->arena, v, "arm", ep->arm);
    value_set_string(s->arena, v, "armAudience", ep->arm_audience);
    value_set_string(s->arena, v, "vaultSuffix", ep->vault_suffix);
    value_set_string(s->arena, v, "vaultAudience", ep->vault_audience);
    value_set_string(s->arena, v, "hsmSuffix", ep->hsm_suffix);
    value_set_string(s->arena, v, "hsmAudience", ep->hsm_audience);
    value_set_string(s->arena, v, "blobSuffix", ep->blob_suffix);
    value_set_string(s->arena, v, "storageAudience", ep->storage_audience);
    value_set_string(s->arena, v, "graph", ep->graph);
    value_set_string(s->arena, v, "caFile", ca_file);
    value_set_string(s->arena, clock, "start", time_format(s->arena, server_start_ms(s->server)));
    /* Spans are real where the world's clock stands: a client that sleeps must wake again. */
    value_set(s->arena, clock, "speed", value_real(s->arena, s->options->speed > 0 ? s->options->speed : 1));
    value_set_string(s->arena, clock, "ahead", value_str_at(s->world, "spec.behaviour.clientSkew"));
    value_set(s->arena, v, "clock", clock);
    return v;
}

/* The authority lies beside the cloud file, and is named absolutely: clients start anywhere. */
static int cloud_write(struct serving *s, struct err *err)
{
    const char *path = s->options->write_cloud, *ca_file = arena_printf(s->arena, "%s.ca.pem", path),
               *pem = server_ca_pem(s->server);
    struct text t cleanup(text_release) = {0};
    char *absolute;

    TRY(file_replace(ca_file, pem, strlen(pem), err));
    absolute = realpath(ca_file, NULL);
    if (!absolute)
        return err_set(err, ERR_INVALID, "%s cannot be found again: %s", ca_file, strerror(errno));
    text_init(&t, TEXT_CEILING);
    json_write(&t, cloud_value(s, absolute), JSON_INDENTED);
    text_add_char(&t, '\n');
    free(absolute);
    return file_replace(path, text_str(&t), t.len, err);
}

/* --- serving ------------------------------------------------------------------------------------------------------ */

static int serve(struct serving *s)
{
    const struct options *o = s->options;
    struct sim_server_options options = {
        .world_out = o->world_out, .port = (uint16_t)o->port, .speed = o->speed, .ctx = s};

    TRY(load_schemas(&s->schemas, &s->err));
    options.world = load_world(s->arena, s->schemas, o->world, &s->diags);
    s->world = options.world;
    if (!options.world)
        return err_set(&s->err, ERR_INVALID, "the world has faults");
    if (o->record)
        TRY(recorder_open(o->record, azure_record_rules, azure_n_record_rules, &s->recorder, &s->err));
    options.observed = s->recorder ? observed : NULL;
    TRY(server_start(&options, &s->diags, &s->server, &s->err));
    return o->write_cloud ? cloud_write(s, &s->err) : 0;
}

static void announce(const struct serving *s)
{
    struct text t cleanup(text_release) = {0};
    struct value *v = output_envelope(s->arena, s->options);

    text_init(&t, TEXT_CEILING);
    text_say(&t, "%s\n", server_endpoints(s->server)->arm);
    value_set_string(s->arena, v, "url", server_endpoints(s->server)->arm);
    value_set_int(s->arena, v, "port", server_port(s->server));
    output_either(s->options, v, &t);
    output_flush();
}

int command_sim(const struct options *o)
{
    struct serving s cleanup(serving_close) = {.arena = arena_new(), .options = o};

    diags_init(&s.diags, s.arena);
    if (o->play)
        return play(o);
    interrupts_catch(true, NULL);
    if (serve(&s) < 0)
        return output_failure(o, &s.diags, &s.err);
    talk("Simulated Azure from %s; an interrupt ends it.", o->world);
    if (server_plain_port(s.server))
        talk("This machine's identities: AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:%u",
             server_plain_port(s.server));
    announce(&s);
    while (!interrupts_seen())
        poll(NULL, 0, SIGNAL_LOOK_MS);
    return EXIT_DECLARED;
}
