/* Knows how somebody else's doings are played against a simulated Azure: signed in as one of its principals, through
 * the same door as every client. Must not know what the requests mean. */
#include "play.h"

#include <string.h>

#include "../providers/sim/sim.h"
#include "../reconciler/format/crypt.h"
#include "../reconciler/format/json.h"
#include "commands.h"
#include "load.h"
#include "output.h"
#include "peer.h"

enum { AFTERMATH_MS = 10 * MINUTE_MS };

struct playing {
    struct arena *arena;
    const struct options *options;
    struct schemas *schemas;
    struct diags diags;
    struct err err;
    struct sim *sim;
    int64_t now_ms;
    const struct cloud *cloud;
    struct credential credential;
    struct secret token;
};

static void playing_close(struct playing *p)
{
    credential_release(&p->credential);
    secret_release(&p->token);
    if (p->sim)
        sim_free(p->sim);
    schemas_freep(&p->schemas);
    arena_freep(&p->arena);
}

static void send(struct playing *p, const char *method, const char *url, const char *type, const char *body,
                 struct sim_answer *ret)
{
    struct sim_header headers[] = {{"Content-Type", type}, {"Authorization", p->token.bytes ? p->token.bytes : ""}};
    struct sim_call call = {.method = method,
                            .url = url,
                            .headers = headers,
                            .n_headers = p->token.len ? 2 : 1,
                            .body = body,
                            .body_len = body ? strlen(body) : 0};

    sim_handle(p->sim, p->now_ms, p->arena, &call, ret);
}

static int sign_in(struct playing *p)
{
    struct text form cleanup(text_release) = {.ceiling = 16384};
    const char *token,
        *url = arena_printf(p->arena, "%s/%s/oauth2/v2.0/token", p->cloud->authority, p->credential.tenant);
    struct sim_answer answer = {0};
    size_t len;
    int rc;

    text_printf(&form, "grant_type=client_credentials&client_id=%s&client_secret=", p->credential.client_id);
    text_add_percent(&form, p->credential.client_secret.bytes);
    text_add(&form, "&scope=");
    text_add_percent(&form, arena_printf(p->arena, "%s.default", p->cloud->arm_audience));
    send(p, "POST", url, "application/x-www-form-urlencoded", text_str(&form), &answer);
    secret_wipe(form.s, form.len);
    rc = json_cut(text_str(&answer.body), answer.body.len, "access_token", &token, &len, &p->err);
    if (rc == 0) {
        secret_set(&p->token, "Bearer ", 7);
        secret_append(&p->token, token, len);
    } else {
        rc = err_set(&p->err, ERR_DENIED, "the simulated sign-in failed: %s", text_str(&answer.body));
    }
    if (answer.body.s)
        secret_wipe(answer.body.s, answer.body.len);
    text_release(&answer.body);
    return rc;
}

static int play_request(struct playing *p, const struct value *request)
{
    const char *method = value_str_at(request, "method"), *path = value_str_at(request, "path");
    const struct value *body = value_get(request, "body");
    struct sim_answer answer = {0};
    int rc = 0;

    send(p, method, arena_printf(p->arena, "%s%s", p->cloud->arm, path), "application/json",
         body ? json_string(p->arena, body, JSON_COMPACT) : NULL, &answer);
    talk("%s %s: %d", method, path, answer.status);
    if (answer.fault != SIM_ANSWERED || answer.status >= 400)
        rc = err_set(&p->err, ERR_CONFLICT, "%s %s was answered with %d: %.500s", method, path, answer.status,
                     text_str(&answer.body));
    text_release(&answer.body);
    return rc;
}

static int play_all(struct playing *p)
{
    const struct options *o = p->options;
    const struct value *scenario, *world;
    struct sim_options options = {.world_out = o->world_out};

    TRY(load_schemas(&p->schemas, &p->err));
    world = load_world(p->arena, p->schemas, o->world, &p->diags);
    scenario = load_single(p->arena, o->play, &p->diags);
    if (scenario)
        schema_check(p->schemas, "scenario.json", scenario, &p->diags);
    if (!world || p->diags.n_errors)
        return err_set(&p->err, ERR_INVALID, "the world or the scenario has faults");
    options.world = world;
    options.endpoints = peer_endpoints(p->cloud);
    p->sim = sim_new(&options, &p->diags);
    if (!p->sim)
        return err_set(&p->err, ERR_INVALID, "the world contradicts itself");
    p->now_ms = sim_start_ms(p->sim);
    TRY(peer_credential(world, value_str_at(scenario, "as"), &p->credential, &p->err));
    TRY(sign_in(p));
    for (size_t i = 0; i < value_count(value_get(scenario, "requests")); i++)
        TRY(play_request(p, value_item(value_get(scenario, "requests"), i)));
    /* What was begun comes to its end before anybody looks: deletions take a while. */
    p->now_ms += AFTERMATH_MS;
    sim_leave(p->sim, p->now_ms);
    return 0;
}

int play(const struct options *o)
{
    struct playing p cleanup(playing_close) = {
        .arena = arena_new(), .options = o, .cloud = cloud_builtin("AzurePublic")};

    diags_init(&p.diags, p.arena);
    if (play_all(&p) < 0)
        return output_failure(o, &p.diags, &p.err);
    return EXIT_DECLARED;
}
