/* Knows how a session gets its clouds, credentials and connections. Must not know what is asked for. */
#include "session_parts.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../providers/azure/redact.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/json.h"
#include "../reconciler/model/policy_fields.h"
#include "../reconciler/run/helper.h"
#include "../reconciler/run/skew.h"
#include "call.h"
#include "commands.h"
#include "event_lines.h"
#include "history.h"
#include "operator.h"
#include "output.h"
#include "peer.h"
#include "../providers/access/preflight.h"

enum { CONNECTIONS = 16 };

/* --- the cloud ---------------------------------------------------------------------------------------------------- */

static const struct cloud *operators_cloud(struct session *s)
{
    const struct value *file = load_single(s->arena, s->options->cloud, &s->diags);

    if (!file)
        return NULL;
    schema_check(s->schemas, "cloud.json", file, &s->diags);
    return s->diags.n_errors ? NULL : cloud_read(s->arena, file, &s->diags);
}

const struct document *session_first_azure(const struct session *s)
{
    const struct desired *d = s->estate.desired;

    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "Azure"))
            return d->documents[i];
    return NULL;
}

/* --- who we are --------------------------------------------------------------------------------------------------- */

static const char *environment(const char *name)
{
    return getenv(name);
}

/* The process began with the secrets in its environment, where they would stay: on the first stack, in a core file, for
 * every child. Their names remain, their values have been read. */
static void environment_scrub(void)
{
    for (char **at = environ; *at; at++) {
        char *value = *at + strcspn(*at, "=");

        if (!*value)
            continue;
        *value = '\0';
        if (credential_variable_is_secret(*at))
            secret_wipe(value + 1, strlen(value + 1));
        *value = '=';
    }
}

/* A `kill` fault of the world: the machine is gone at this instant, nothing is cleaned up. */
static void killed(void *ctx)
{
    (void)ctx;
    raise(SIGKILL);
    abort();
}

/* Somebody presses Ctrl-C, or closes the lid: at a moment that the world's clock tells, so that it can be told again.
 */
static void disturbed(void *ctx, bool stop)
{
    (void)ctx;
    raise(stop ? SIGSTOP : SIGINT);
}

static int64_t client_skew(const struct value *world)
{
    const char *skew = value_str_at(world, "spec.behaviour.clientSkew");

    return skew ? time_shift_parse(skew) : 0;
}

static int simulate(struct session *s, const struct cloud *cloud)
{
    const struct value *world = load_world(s->arena, s->schemas, s->options->world, &s->diags);
    struct sim_options options = {
        .world = world, .endpoints = peer_endpoints(cloud), .world_out = s->options->world_out, .kill = killed,
        .disturb = disturbed};

    if (!world)
        return err_set(&s->err, ERR_INVALID, "the world has faults");
    s->sim = sim_new(&options, &s->diags);
    if (!s->sim || s->diags.n_errors)
        return err_set(&s->err, ERR_INVALID, "the world contradicts itself");
    s->simulated = s->options->world;
    call_world_moves();
    s->ahead_ms = client_skew(world);
    TRY(peer_credential(world, s->options->as, &s->credential, &s->err));
    s->has_credential = true;
    return 0;
}

/* --- connections -------------------------------------------------------------------------------------------------- */

/* A query may hold a signature, and tells little. */
static void request_told(const struct wire_request *request, const struct wire_reply *reply)
{
    const char *url = strstr(request->url, "://") ? strstr(request->url, "://") + 3 : request->url;

    if (reply->status)
        talk("%s %.*s %d", request->method, (int)strcspn(url, "?"), url, reply->status);
    else
        talk("%s %.*s no answer: %s", request->method, (int)strcspn(url, "?"), url, reply->text);
}

static void recorded(void *ctx, const struct wire_request *request, const struct wire_reply *reply)
{
    struct session *s = ctx;

    if (s->recorder)
        recorder_add(s->recorder, request, reply);
    if (s->options->verbose || s->debug)
        progress_clear(s->progress);
    if (s->options->verbose)
        request_told(request, reply);
    if (s->debug)
        recorder_add(s->debug, request, reply);
}

static void waited(void *ctx, const char *why, int64_t ms)
{
    struct session *s = ctx;
    struct arena *a cleanup(arena_freep) = arena_new();

    events_note(s->events, "waiting %s: %s", duration_format(a, ms), why);
}

static int files_open(struct session *s, enum http_mode mode)
{
    const char *journal = s->options->journal ? s->options->journal : "reinstate.journal";

    if (s->options->record)
        TRY(recorder_open(s->options->record, azure_record_rules, azure_n_record_rules, &s->recorder, &s->err));
    if (s->options->debug)
        s->debug = recorder_beside(STDERR_FILENO, azure_record_rules, azure_n_record_rules);
    if (mode == HTTP_WRITING && !str_eq(journal, "none"))
        TRY(journal_open(journal, &s->journal, &s->err));
    return 0;
}

static void http_begin(struct session *s, enum http_mode mode)
{
    struct http_options options = {
        .wire = s->wire,
        .mode = mode,
        .safe_posts = azure_safe_posts,
        .n_safe_posts = azure_n_safe_posts,
        .journal = s->journal,
        .record = s->recorder || s->debug || s->options->verbose ? recorded : NULL,
        .waiting = waited,
        .ctx = s,
        .user_agent = "reinstate/" REINSTATE_VERSION,
    };

    s->http = http_new(s->sched, &options);
}

const char *session_said_where(struct arena *a, const struct document *doc)
{
    return doc->origin.file
               ? arena_printf(a, "%s (%s:%d:%d)", doc->address, doc->origin.file, doc->origin.line, doc->origin.column)
               : doc->address;
}

void session_handles_make(struct session *s, const struct cloud *operators)
{
    const struct desired *d = s->estate.desired;

    s->handles = arena_array(s->arena, struct azure *, d->count + 1);
    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];
        const struct cloud *cloud = operators ? operators : session_declared_cloud(doc);

        if (!str_eq(doc->kind, "Azure"))
            continue;
        s->handles[i] = azure_new(s->http, cloud, &s->credential, value_str_at(doc->spec, "tenant"),
                                  value_str_at(doc->spec, "subscription"), value_str_at(doc->spec, "location"));
        azure_use_versions(s->handles[i], doc->spec);
        azure_declared_by(s->handles[i], session_said_where(s->arena, doc));
    }
    s->connections = (struct azure_connections){.items = s->handles, .count = d->count};
}

int session_tenants_check(const struct session *s, const struct desired *d, struct err *err)
{
    const char *own = s->credential.tenant;

    for (size_t i = 0; d && !s->sim && credential_is_of_tenant(&s->credential) && i < d->count; i++) {
        const struct document *doc = d->documents[i];
        const struct value *tenant = str_eq(doc->kind, "Azure") ? value_get(doc->spec, "tenant") : NULL;

        if (!value_str(tenant) || str_eq_nocase(value_str(tenant), own) || strchr(own, '.') ||
            credential_may_go_to(&s->credential, value_str(tenant)))
            continue;
        err_set(err, ERR_DENIED, "%s_TENANT_ID is %s, and %s is of tenant %s (%s:%d): the secret is not sent there",
                s->credential.variables, own, doc->address, value_str(tenant),
                doc->origin.file ? doc->origin.file : "(no file)",
                value_origin(tenant)->line ? value_origin(tenant)->line : doc->origin.line);
        return err_advise(err,
                          "sign in to the tenant that is meant, correct spec.tenant, or where both tenants know the "
                          "application allow it: %s=%s",
                          str_eq(s->credential.variables, "ARM") ? "ARM_AUXILIARY_TENANT_IDS"
                                                                 : "AZURE_ADDITIONALLY_ALLOWED_TENANTS",
                          value_str(tenant));
    }
    return 0;
}

static const struct value *take_overs(const struct session *s)
{
    const struct approvals *given = &s->options->take_overs;
    struct value *map = value_map(s->arena);

    for (size_t i = 0; i < given->count; i++)
        value_set_string(s->arena, map, given->items[i].rule, given->items[i].name);
    return map;
}

void session_engine_set(struct session *s)
{
    s->settings = settings_default;
    if (s->options->settle_ms >= 0)
        s->settings.settle_ms = s->options->settle_ms;
    if (s->options->export_lookback_ms >= 0)
        s->settings.export_lookback_ms = s->options->export_lookback_ms;
    s->settings.article = policy_article(s->estate.policy);
    s->settings.claims_required = policy_claims_required(s->estate.policy);
    s->settings.take_over = take_overs(s);
    s->settings.changed = session_changed;
    s->settings.documents = s;
    s->engine = (struct engine){
        .kinds = &all_kinds,
        .settings = &s->settings,
        .provider = &s->connections,
        .policy = s->estate.policy,
        .pinned = s->estate.pinned,
        .approvals = s->options->approvals.items,
        .n_approvals = s->options->approvals.count,
        .journal = s->journal,
        .preflight = rights_preflight,
    };
}

int session_link_open(struct session *s, enum http_mode mode, const struct cloud *declared,
                      const struct cloud *operators)
{
    int rc = 0;

    if (s->options->world)
        TRY(simulate(s, declared));
    else
        rc = credential_find(&(struct surroundings){.variable = environment}, s->options->credential, &s->credential,
                             &s->err);
    environment_scrub();
    TRY(rc);
    s->has_credential = true;
    if (credential_needs_helper(&s->credential))
        s->credential.helper = s->helper = helper_start(NULL);
    s->cloud = operators ? operators : declared;
    s->operators = operators;
    TRY(files_open(s, mode));
    session_clock_set(s, operators);
    s->events = events_new(s->sched);
    s->progress = progress_new(s->events, s->options->quiet);
    events_listen(s->events, session_heed, s->events);
    event_lines_begin(s->events, s->options);
    s->wire =
        s->sim ? peer_wire_new(s->sim) : wire_curl_new(s->sched, session_authorities(operators), CONNECTIONS);
    http_begin(s, mode);
    return 0;
}

struct signing_in {
    struct azure *azure;
    struct err *err;
    int rc;
};

static void sign_in_task(struct call *c, void *arg)
{
    struct signing_in *x = arg;
    const char *ignored;

    x->rc = azure_authorization(x->azure, c, AUDIENCE_ARM, &ignored, x->err);
}

int session_sign_in(struct session *s, struct azure *azure)
{
    struct signing_in x = {.azure = azure, .err = &s->err};

    if (!credential_is_found_by_asking(&s->credential))
        return 0;
    session_run(s, sign_in_task, &x);
    if (x.rc == 0)
        talk("Signed in by %s.", credential_kind_name(s->credential.kind));
    return x.rc;
}

int session_operators_cloud_read(struct session *s, const struct cloud **ret)
{
    /* What there is to say about the manifests has been said. */
    diags_init(&s->diags, s->arena);
    *ret = operator_has_file(s->options) ? operators_cloud(s) : NULL;
    return s->diags.n_errors ? err_set(&s->err, ERR_INVALID, "the cloud file has faults") : 0;
}

int session_connect(struct session *s, enum http_mode mode)
{
    const struct document *azure = session_first_azure(s);
    const struct cloud *operators, *named;

    TRY(operator_cloud(s->options, s->estate.desired, &named, &s->err));
    TRY(session_operators_cloud_read(s, &operators));
    if (operators)
        TRY(session_key_urls_check(s, operators));
    if (!azure)
        return err_set(&s->err, ERR_INVALID,
                       "no Azure document among the manifests: it says which subscription is meant");
    TRY(session_link_open(s, mode, session_declared_cloud(azure), operators));
    TRY(session_tenants_check(s, s->estate.desired, &s->err));
    session_handles_make(s, operators);
    session_engine_set(s);
    TRY(session_sign_in(s, s->handles[azure->index]));
    return history_open(s, s->handles[azure->index], mode);
}
