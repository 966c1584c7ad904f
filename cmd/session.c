/* Knows in which order the parts of a run are put together and taken apart. Must not know what a
 * command does with them. */
#include "session.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../providers/azure/redact.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/json.h"
#include "../reconciler/model/policy_fields.h"
#include "../reconciler/run/skew.h"
#include "call.h"
#include "commands.h"
#include "history.h"
#include "operator.h"
#include "output.h"
#include "peer.h"
#include "../providers/access/preflight.h"

enum { CONNECTIONS = 16, TICK_MS = 200, HALF_SECOND_MS = SECOND_MS / 2 };

/* --- manifests ---------------------------------------------------------------------------------------------------- */

static const struct cloud *declared_cloud(const struct document *azure)
{
    const char *name = value_str_at(azure->spec, "cloud");

    return cloud_builtin(name ? name : "AzurePublic");
}

/* A key that no document declares is named by its URL: its host must be a key vault of the cloud in use. */
static int key_urls_check(struct session *s, const struct cloud *operators)
{
    const struct desired *d = s->estate.desired;
    struct key_url ignored;
    struct err err;

    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];

        for (size_t k = 0; k < doc->n_references; k++) {
            const struct reference *r = &doc->references[k];
            const struct cloud *cloud = operators ? operators : doc->azure ? declared_cloud(doc->azure) : NULL;

            if (r->url && cloud && cloud_parse_key_url(s->arena, cloud, r->url, &ignored, &err) < 0)
                diags_add(&s->diags, SEVERITY_ERROR, &r->origin, NULL, "%s: %s", r->path, err.text);
        }
    }
    return s->diags.n_errors ? err_set(&s->err, ERR_INVALID, "the manifests have faults") : 0;
}

static void session_begin(struct session *s, const struct options *o)
{
    memset(s, 0, sizeof(*s));
    s->arena = arena_new();
    s->options = o;
    diags_init(&s->diags, s->arena);
}

int session_load(struct session *s, const struct options *o)
{
    session_begin(s, o);
    TRY(load_schemas(&s->schemas, &s->err));
    load_estate(s->arena, o, s->schemas, &s->estate, &s->diags);
    if (s->diags.n_errors)
        return err_set(&s->err, ERR_INVALID, "the manifests have faults");
    if (!operator_has_file(o))
        TRY(key_urls_check(s, NULL));
    output_diags(o, &s->diags);
    return 0;
}

int session_may_keep(struct session *s, const char *path)
{
    if (!path || s->options->force || !file_is_there(path))
        return 0;
    err_set(&s->err, ERR_INVALID, "%s is there already; nothing was written", path);
    return err_advise(&s->err, "name another file, or give --force");
}

int session_failed(struct session *s)
{
    return output_failure(s->options, &s->diags, &s->err);
}

void session_label(const struct session *s)
{
    if (s->simulated)
        talk("Simulated Azure (%s): a rehearsal, not proof.", s->simulated);
}

/* --- this machine's clock ----------------------------------------------------------------------------------------- */

static void skew_tell(struct session *s)
{
    int64_t skew_ms = sched_skew_ms(s->sched);
    struct arena *a cleanup(arena_freep) = NULL;

    if (s->skew_told || llabs(skew_ms) <= SKEW_WARN_MS)
        return;
    s->skew_told = true;
    a = arena_new();
    talk("This machine's clock is %s. All times are judged by Azure's clock; set this one right before other tools go "
         "wrong by it.",
         skew_words(a, skew_ms));
}

int session_may_write(const struct session *s, struct err *err)
{
    const char *ca = s->cloud->ca_file;

    if (skew_check(sched_skew_ms(s->sched), err) == 0)
        return 0;
    return err_advise(err,
                      "compare the two, set the clock and run again:\n    date -u; curl -sI %s%s%s%s | grep -i ^date",
                      ca ? "--cacert '" : "", ca ? ca : "", ca ? "' " : "", s->cloud->arm);
}

void session_mark(const struct session *s, struct value *answer)
{
    int64_t skew_ms = s->sched ? sched_skew_ms(s->sched) : 0;

    if (s->simulated)
        value_set_bool(s->arena, answer, "simulated", true);
    if (llabs(skew_ms) > SKEW_WARN_MS)
        value_set_int(s->arena, answer, "clockAheadSeconds",
                      (skew_ms + (skew_ms < 0 ? -HALF_SECOND_MS : HALF_SECOND_MS)) / SECOND_MS);
}

/* --- the cloud ---------------------------------------------------------------------------------------------------- */

static const struct cloud *operators_cloud(struct session *s)
{
    const struct value *file = load_single(s->arena, s->options->cloud, &s->diags);

    if (!file)
        return NULL;
    schema_check(s->schemas, "cloud.json", file, &s->diags);
    return s->diags.n_errors ? NULL : cloud_read(s->arena, file, &s->diags);
}

static const struct document *first_azure(const struct session *s)
{
    const struct desired *d = s->estate.desired;

    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "Azure"))
            return d->documents[i];
    return NULL;
}

/* --- the time ----------------------------------------------------------------------------------------------------- */

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
    struct wire *wire = wire_curl_new(sched, cloud->ca_file, 1);
    struct http *http =
        http_new(sched, &(struct http_options){.wire = wire, .mode = HTTP_READ_ONLY, .never_repeat = true});
    struct probe probe = {.http = http, .url = cloud->arm, .date_ms = TIME_NONE};

    sched_main(sched, probe_task, &probe);
    http_free(http);
    wire_free(wire);
    sched_free(sched);
    return probe.date_ms == TIME_NONE ? cloud->clock_start_ms : probe.date_ms;
}

static void clock_set(struct session *s, const struct cloud *operators)
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

/* --- who we are --------------------------------------------------------------------------------------------------- */

static const char *environment(const char *name)
{
    return getenv(name);
}

/* The process began with the secrets in its environment, where they would stay: on the first stack, in a core file, for
 * every child. Their names remain, their values have been read. */
static void environment_scrub(void)
{
    for (char **at = environ; *at; at++)
        if (str_starts(*at, "AZURE_CLIENT_SECRET=") || str_starts(*at, "REINSTATE_TOKEN_")) {
            char *value = *at + strcspn(*at, "=");

            secret_wipe(value, strlen(value));
        }
}

/* A `kill` fault of the world: the machine is gone at this instant, nothing is cleaned up. */
static void killed(void *ctx)
{
    (void)ctx;
    raise(SIGKILL);
    abort();
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
        .world = world, .endpoints = peer_endpoints(cloud), .world_out = s->options->world_out, .kill = killed};

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

static void recorded(void *ctx, const struct wire_request *request, const struct wire_reply *reply)
{
    struct session *s = ctx;

    recorder_add(s->recorder, request, reply);
}

static void waited(void *ctx, const char *why, int64_t ms)
{
    struct session *s = ctx;
    struct arena *a cleanup(arena_freep) = arena_new();

    progress_note(s->progress, "waiting %s: %s", duration_format(a, ms), why);
}

static int files_open(struct session *s, enum http_mode mode)
{
    const char *journal = s->options->journal ? s->options->journal : "reinstate.journal";

    if (s->options->record)
        TRY(recorder_open(s->options->record, azure_record_rules, azure_n_record_rules, &s->recorder, &s->err));
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
        .record = s->recorder ? recorded : NULL,
        .waiting = waited,
        .ctx = s,
        .user_agent = "reinstate/" REINSTATE_VERSION,
    };

    s->http = http_new(s->sched, &options);
}

static const char *said_where(struct arena *a, const struct document *doc)
{
    return doc->origin.file
               ? arena_printf(a, "%s (%s:%d:%d)", doc->address, doc->origin.file, doc->origin.line, doc->origin.column)
               : doc->address;
}

static void handles_make(struct session *s, const struct cloud *operators)
{
    const struct desired *d = s->estate.desired;

    s->handles = arena_array(s->arena, struct azure *, d->count + 1);
    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];
        const struct cloud *cloud = operators ? operators : declared_cloud(doc);

        if (!str_eq(doc->kind, "Azure"))
            continue;
        s->handles[i] = azure_new(s->http, cloud, &s->credential, value_str_at(doc->spec, "tenant"),
                                  value_str_at(doc->spec, "subscription"), value_str_at(doc->spec, "location"));
        azure_use_versions(s->handles[i], doc->spec);
        azure_declared_by(s->handles[i], said_where(s->arena, doc));
    }
    s->connections = (struct azure_connections){.items = s->handles, .count = d->count};
}

/* A manifest alone must not decide where a secret goes. What is given as a domain's name cannot be compared. */
static int tenants_check(const struct session *s, const struct desired *d, struct err *err)
{
    const char *own = s->credential.tenant;

    for (size_t i = 0; d && !s->sim && s->credential.kind == CREDENTIAL_CLIENT_SECRET && i < d->count; i++) {
        const struct document *doc = d->documents[i];
        const struct value *tenant = str_eq(doc->kind, "Azure") ? value_get(doc->spec, "tenant") : NULL;

        if (!value_str(tenant) || str_eq_nocase(value_str(tenant), own) || strchr(own, '.'))
            continue;
        err_set(err, ERR_DENIED, "AZURE_TENANT_ID is %s, and %s is of tenant %s (%s:%d): the secret is not sent there",
                own, doc->address, value_str(tenant), doc->origin.file ? doc->origin.file : "(no file)",
                tenant->origin.line ? tenant->origin.line : doc->origin.line);
        return err_advise(err, "sign in to the tenant that is meant, or correct spec.tenant");
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

static void engine_set(struct session *s)
{
    s->settings = settings_default;
    if (s->options->settle_ms >= 0)
        s->settings.settle_ms = s->options->settle_ms;
    if (s->options->export_lookback_ms >= 0)
        s->settings.export_lookback_ms = s->options->export_lookback_ms;
    s->settings.article = policy_article(s->estate.policy);
    s->settings.claims_required = policy_claims_required(s->estate.policy);
    s->settings.take_over = take_overs(s);
    s->engine = (struct engine){
        .kinds = &all_kinds, .settings = &s->settings, .provider = &s->connections, .policy = s->estate.policy,
        .pinned = s->estate.pinned,
        .approvals = s->options->approvals.items, .n_approvals = s->options->approvals.count, .journal = s->journal,
        .preflight = rights_preflight,
    };
}

/* Credential, clock, wire and client, for whatever is asked over them. `declared`: the cloud, unless the operator's
 * file says another. */
static int link_open(struct session *s, enum http_mode mode, const struct cloud *declared,
                     const struct cloud *operators)
{
    int rc = 0;

    if (s->options->world)
        TRY(simulate(s, declared));
    else
        rc = credential_from_environment(environment, &s->credential, &s->err);
    environment_scrub();
    TRY(rc);
    s->has_credential = true;
    s->cloud = operators ? operators : declared;
    s->operators = operators;
    TRY(files_open(s, mode));
    clock_set(s, operators);
    s->progress = progress_new(s->sched);
    s->wire =
        s->sim ? peer_wire_new(s->sim) : wire_curl_new(s->sched, operators ? operators->ca_file : NULL, CONNECTIONS);
    http_begin(s, mode);
    return 0;
}

static int operators_cloud_read(struct session *s, const struct cloud **ret)
{
    /* What there is to say about the manifests has been said. */
    diags_init(&s->diags, s->arena);
    *ret = operator_has_file(s->options) ? operators_cloud(s) : NULL;
    return s->diags.n_errors ? err_set(&s->err, ERR_INVALID, "the cloud file has faults") : 0;
}

int session_connect(struct session *s, enum http_mode mode)
{
    const struct document *azure = first_azure(s);
    const struct cloud *operators, *named;

    TRY(operator_cloud(s->options, s->estate.desired, &named, &s->err));
    TRY(operators_cloud_read(s, &operators));
    if (operators)
        TRY(key_urls_check(s, operators));
    if (!azure)
        return err_set(&s->err, ERR_INVALID,
                       "no Azure document among the manifests: it says which subscription is meant");
    TRY(link_open(s, mode, declared_cloud(azure), operators));
    TRY(tenants_check(s, s->estate.desired, &s->err));
    handles_make(s, operators);
    engine_set(s);
    return history_open(s, s->handles[azure->index], mode);
}

/* --- an estate that nobody has declared --------------------------------------------------------------------------- */

struct discovering {
    struct session *session;
    const struct discovery_request *request;
    struct discovery *ret;
    struct azure *azure;
    int rc;
};

static void discover_task(struct call *c, void *arg)
{
    struct discovering *d = arg;

    d->rc = discover_estate(d->azure, c, d->session->arena, d->request, d->ret, &d->session->err);
}

int session_discover(struct session *s, const struct options *o, struct discovery_request request,
                     struct discovery *ret)
{
    struct discovering d = {.session = s, .request = &request, .ret = ret};
    const struct cloud *operators, *declared;
    const struct document *azure = NULL;

    if (o->paths.count)
        TRY(session_load(s, o));
    else
        session_begin(s, o);
    if (!s->schemas)
        TRY(load_schemas(&s->schemas, &s->err));
    TRY(operator_cloud(s->options, s->estate.desired, &declared, &s->err));
    TRY(operators_cloud_read(s, &operators));
    azure = s->estate.desired ? first_azure(s) : NULL;
    if (azure) {
        declared = declared_cloud(azure);
        request.subscription = value_str_at(azure->spec, "subscription");
    }
    TRY(link_open(s, HTTP_READ_ONLY, declared, operators));
    TRY(tenants_check(s, s->estate.desired, &s->err));
    d.azure = azure_new(s->http, operators ? operators : declared, &s->credential,
                        azure ? value_str_at(azure->spec, "tenant") : NULL, request.subscription, NULL);
    azure_use_versions(d.azure, azure ? azure->spec : NULL);
    if (azure)
        azure_declared_by(d.azure, said_where(s->arena, azure));
    session_run(s, discover_task, &d);
    azure_free(d.azure);
    TRY(d.rc);
    for (size_t i = 0; i < value_count(ret->notes); i++)
        talk("%s", discovery_note(s->arena, value_item(ret->notes, i)));
    return 0;
}

int session_adopt(struct session *s, const struct value *documents)
{
    const struct cloud *operators;

    TRY(operators_cloud_read(s, &operators));
    if (s->estate.policy)
        policy_free(s->estate.policy);
    s->estate = (struct estate){0};
    load_documents(s->arena, s->options, s->schemas, documents, &s->estate, &s->diags);
    if (s->diags.n_errors)
        return err_set(&s->err, ERR_INVALID, "what was found makes no valid documents");
    handles_make(s, operators);
    engine_set(s);
    return 0;
}

int session_open(struct session *s, const struct options *o)
{
    struct discovery_request request = {0};
    struct discovery found;

    if (!o->discover) {
        TRY(session_load(s, o));
        return session_connect(s, HTTP_READ_ONLY);
    }
    if (o->discover[0] == '/')
        request.vault_id = o->discover;
    else
        request.vault_name = o->discover;
    TRY(session_discover(s, o, request, &found));
    return session_adopt(s, found.documents);
}

/* --- read anew ---------------------------------------------------------------------------------------------------- */

bool session_rereadable(const struct options *o)
{
    bool all = !o->policy || file_is_lasting(o->policy);

    for (size_t i = 0; i < o->paths.count; i++)
        all = all && file_is_lasting(o->paths.items[i]);
    return all;
}

/* The next document that says what is wanted: a world or a history may change at any moment. */
static const struct value *next_wanted(const struct value *docs, size_t *at)
{
    while (*at < value_count(docs)) {
        const struct value *doc = value_item(docs, (*at)++);
        const char *kind = value_str_at(doc, "kind");

        if (!str_eq(kind, "World") && !str_eq(kind, "History"))
            return doc;
    }
    return NULL;
}

static bool same_documents(const struct value *before, const struct value *now)
{
    size_t i = 0, k = 0;
    const struct value *x, *y;

    do {
        x = next_wanted(before, &i);
        y = next_wanted(now, &k);
    } while (x && y && value_equal(x, y));
    return !x && !y;
}

static void estate_take(struct session *s, struct arena *a, const struct estate *fresh)
{
    const struct value *history = s->connections.history;
    size_t approvals = s->engine.n_approvals;

    for (size_t i = 0; i < s->estate.desired->count; i++)
        if (s->handles[i])
            azure_free(s->handles[i]);
    policy_free(s->estate.policy);
    arena_free(s->estate_arena);
    s->estate = *fresh;
    s->estate_arena = a;
    handles_make(s, s->operators);
    engine_set(s);
    s->connections.history = history;
    s->engine.n_approvals = approvals;
    if (s->history)
        s->history->azure = s->handles[first_azure(s)->index];
}

/* Token and wire were made for one cloud. */
static void same_cloud(const struct session *s, const struct estate *fresh, struct diags *diags)
{
    const struct desired *d = fresh->desired;
    bool named = false;
    struct err err;

    if (tenants_check(s, d, &err) < 0)
        diags_add(diags, SEVERITY_ERROR, &(struct origin){0}, NULL, "%s", err.text);
    for (size_t i = 0; i < d->count; i++) {
        if (!str_eq(d->documents[i]->kind, "Azure"))
            continue;
        named = true;
        if (!s->operators && declared_cloud(d->documents[i]) != s->cloud)
            diags_add(diags, SEVERITY_ERROR, &d->documents[i]->origin, "end this run, and begin another",
                      "a run cannot go on in another cloud");
    }
    if (!named)
        diags_add(diags, SEVERITY_ERROR, &(struct origin){0}, NULL, "no Azure document is left among the manifests");
}

enum reread session_reread(struct session *s, bool take)
{
    struct arena *a = arena_new();
    struct estate fresh = {0};
    struct diags diags;
    enum reread ret = DOCUMENTS_SAME;

    diags_init(&diags, a);
    if (session_rereadable(s->options))
        load_estate(a, s->options, s->schemas, &fresh, &diags);
    if (fresh.desired && !diags.n_errors)
        same_cloud(s, &fresh, &diags);
    if (diags.n_errors)
        ret = DOCUMENTS_BROKEN;
    else if (fresh.desired && (!same_documents(s->estate.documents, fresh.documents) ||
                               !same_documents(s->estate.pinned, fresh.pinned)))
        ret = DOCUMENTS_CHANGED;
    if (take && ret != DOCUMENTS_SAME)
        output_diags(s->options, &diags);
    if (take && ret == DOCUMENTS_CHANGED) {
        estate_take(s, a, &fresh);
        return ret;
    }
    if (fresh.policy)
        policy_free(fresh.policy);
    arena_free(a);
    return ret;
}

static void journal_end(struct session *s)
{
    const char *path = s->options->journal ? s->options->journal : "reinstate.journal";
    struct err err;

    if (!s->journal)
        return;
    if (journal_error(s->journal, &err) < 0 && output_counted(EXIT_DECLARED) == EXIT_DECLARED)
        output_lack("%s", err.text);
    if (journal_added(s->journal))
        talk("The journal's head is %s; keep it, and reinstate journal verify --head %s %s finds whatever is changed "
             "later.",
             journal_head(s->journal), journal_head(s->journal), path);
    journal_close(s->journal);
}

void session_close(struct session *s)
{
    /* Time that has passed since the last change is no change, but a run that goes on from here must
     * not begin before it. */
    if (s->sim && s->sched)
        sim_leave(s->sim, sched_span_ms(s->sched));
    for (size_t i = 0; s->handles && i < s->estate.desired->count; i++)
        if (s->handles[i])
            azure_free(s->handles[i]);
    if (s->http)
        http_free(s->http);
    if (s->has_credential)
        credential_release(&s->credential);
    if (s->wire)
        wire_free(s->wire);
    progress_free(s->progress);
    if (s->sched)
        sched_free(s->sched);
    if (s->sim)
        sim_free(s->sim);
    output_recorder_close(s->recorder);
    journal_end(s);
    if (s->estate.policy)
        policy_free(s->estate.policy);
    schemas_freep(&s->schemas);
    arena_free(s->estate_arena);
    arena_freep(&s->arena);
}

/* --- running ------------------------------------------------------------------------------------------------------ */

struct turn {
    struct session *session;
    task_fn *fn;
    void *arg;
    int64_t tick_ms;                 /* of the run's own clock */
    bool done;
};

/* Looks five times a second at what a signal handler may only note down, and keeps the screen fresh. */
static void companion_task(struct call *c, void *arg)
{
    struct turn *t = arg;
    struct err err;

    while (!t->done && call_sleep_ms(c, t->tick_ms, "signals", &err) == 0) {
        if (interrupts_seen() == 1)
            progress_interrupted(t->session->progress);
        if (interrupts_seen() >= 2)
            sched_cancel_all(t->session->sched);
        if (dump_wanted())
            sched_dump(t->session->sched);
        progress_tick(t->session->progress);
    }
}

static void turn_task(struct call *c, void *arg)
{
    struct turn *t = arg;
    struct group *g = group_new(call_sched(c), "companion");
    struct err err;

    group_spawn(g, "companion", companion_task, t);
    t->fn(c, t->arg);
    t->done = true;
    group_cancel(g);
    /* It can only say that we were cancelled, which fn has heard too. */
    if (group_wait(c, g, &err) < 0)
        progress_tick(t->session->progress);
    group_free(g);
}

void session_run(struct session *s, task_fn *fn, void *arg)
{
    struct turn turn = {.session = s, .fn = fn, .arg = arg};

    /* A clock that jumps leaves no moment in between: there a second interrupt ends the process (main.c). */
    if (s->clock_factor <= 0) {
        sched_main(s->sched, fn, arg);
    } else {
        turn.tick_ms = (int64_t)(TICK_MS * s->clock_factor) + 1;
        sched_main(s->sched, turn_task, &turn);
    }
    skew_tell(s);
}

struct looking {
    struct session *session;
    struct arena *arena;
    struct look *look;
    struct err *err;
    int rc;
};

static void look_task(struct call *c, void *arg)
{
    struct looking *l = arg;

    l->rc = history_read(l->session, c, l->err);
    if (l->rc == 0)
        l->rc = engine_look(c, &l->session->engine, l->arena, l->session->estate.desired, l->look, l->err);
}

static const struct value *facts_of(const void *ctx, const struct document *doc)
{
    return view_facts(ctx, doc);
}

/* Once a session: a run looks often, and a rule that looks at nothing does so at every look. */
static void fields_tell(struct session *s, const struct look *look)
{
    struct diags missed;

    if (s->fields_told)
        return;
    s->fields_told = true;
    diags_init(&missed, s->arena);
    policy_fields_missed(s->estate.pinned ? s->estate.pinned : s->estate.documents, s->estate.desired, facts_of,
                         &look->view, &missed);
    output_diags(s->options, &missed);
}

int session_look(struct session *s, struct arena *a, struct look *ret, struct err *err)
{
    struct looking l = {.session = s, .arena = a, .look = ret, .err = err};

    session_run(s, look_task, &l);
    if (l.rc != 0)
        return l.rc;
    history_learn(s, ret);
    fields_tell(s, ret);
    return l.rc;
}

struct minding {
    struct session *session;
    const struct plan *plan;
    struct value *gaps;
};

static void mind_task(struct call *c, void *arg)
{
    struct minding *m = arg;
    const struct engine *e = &m->session->engine;
    struct err err = {0};

    if (e->preflight(c, e->provider, m->session->arena, m->plan, m->gaps, &err) < 0 && err.class != ERR_CANCELLED)
        value_push(m->session->arena, m->gaps,
                   value_format(m->session->arena, "whether we hold all rights cannot be seen: %s", err.text));
}

struct value *session_gaps(struct session *s, const struct plan *plan)
{
    struct minding m = {.session = s, .plan = plan, .gaps = value_list(s->arena)};

    if (plan->n_changes > plan->n_blocked)
        session_run(s, mind_task, &m);
    return m.gaps;
}

int session_look_far(struct session *s, struct arena *a, struct look *ret, struct err *err)
{
    s->settings.far = true;
    return session_look(s, a, ret, err);
}
