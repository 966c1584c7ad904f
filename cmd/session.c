/* Knows in which order the parts of a run are put together and taken apart. Must not know what a
 * command does with them. */
#include "session_parts.h"

#include <stdlib.h>
#include <string.h>

#include "../reconciler/base/file.h"
#include "../reconciler/model/policy_fields.h"
#include "../reconciler/run/skew.h"
#include "history.h"
#include "operator.h"
#include "output.h"

/* --- manifests ---------------------------------------------------------------------------------------------------- */

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
        TRY(session_key_urls_check(s, NULL));
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

void session_mark(const struct session *s, struct value *answer)
{
    int64_t skew_ms = s->sched ? sched_skew_ms(s->sched) : 0;

    if (s->simulated)
        value_set_bool(s->arena, answer, "simulated", true);
    if (llabs(skew_ms) > SKEW_WARN_MS)
        value_set_int(s->arena, answer, "clockAheadSeconds",
                      (skew_ms + (skew_ms < 0 ? -HALF_SECOND_MS : HALF_SECOND_MS)) / SECOND_MS);
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

/* One sign-in reads both of them. */
static bool reads_both(const struct document *one, const struct document *other)
{
    return session_declared_cloud(one) == session_declared_cloud(other) &&
           str_eq_nocase(value_str_at(one->spec, "tenant"), value_str_at(other->spec, "tenant"));
}

/* The subscriptions that are declared in the cloud and the tenant of `first`. */
static void declared_subscriptions(const struct session *s, const struct document *first, struct discovery_request *r)
{
    const struct desired *d = s->estate.desired;
    const char **ids = arena_array(s->arena, const char *, d->count + 1);

    r->subscriptions = ids;
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "Azure") && reads_both(d->documents[i], first))
            ids[r->n_subscriptions++] = value_str_at(d->documents[i]->spec, "subscription");
}

/* Names what is declared and was not searched: a person would take silence for "nothing there". */
static const struct value *unsearched(const struct session *s, const struct document *first)
{
    const struct desired *d = s->estate.desired;
    struct value *notes = value_list(s->arena);

    for (size_t i = 0; first && i < d->count; i++) {
        const struct document *doc = d->documents[i];
        const char *cloud = value_str_at(doc->spec, "cloud"), *tenant = value_str_at(doc->spec, "tenant");
        struct value *note;

        if (!str_eq(doc->kind, "Azure") || reads_both(doc, first))
            continue;
        note = value_map(s->arena);
        value_set_string(s->arena, note, "about", doc->address);
        value_set_string(s->arena, note, "text",
                         arena_printf(s->arena,
                                      "not searched: it is of tenant %s in %s, and this sign-in is of that of %s; give "
                                      "its document alone, signed in there, to search it",
                                      tenant ? tenant : "(none named)", cloud ? cloud : "AzurePublic", first->address));
        value_push(s->arena, notes, note);
    }
    return notes;
}

/* Ahead of what was found; where nothing was, the error is told after it. */
static void unsearched_tell(struct session *s, const struct value *notes, int rc, struct discovery *ret)
{
    for (size_t i = 0; i < value_count(notes); i++)
        if (rc < 0)
            talk("%s", discovery_note(s->arena, value_item(notes, i)));
        else
            value_push(s->arena, ret->notes, value_copy(s->arena, value_item(notes, i)));
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
    TRY(session_operators_cloud_read(s, &operators));
    azure = s->estate.desired ? session_first_azure(s) : NULL;
    if (azure) {
        declared = session_declared_cloud(azure);
        declared_subscriptions(s, azure, &request);
    }
    TRY(session_link_open(s, HTTP_READ_ONLY, declared, operators));
    TRY(session_tenants_check(s, s->estate.desired, &s->err));
    d.azure = azure_new(s->http, operators ? operators : declared, &s->credential,
                        azure ? value_str_at(azure->spec, "tenant") : NULL,
                        azure ? value_str_at(azure->spec, "subscription") : NULL, NULL);
    azure_use_versions(d.azure, azure ? azure->spec : NULL);
    if (azure)
        azure_declared_by(d.azure, session_said_where(s->arena, azure));
    d.rc = session_sign_in(s, d.azure);
    if (d.rc == 0)
        session_run(s, discover_task, &d);
    azure_free(d.azure);
    unsearched_tell(s, unsearched(s, azure), d.rc, ret);
    TRY(d.rc);
    for (size_t i = 0; i < value_count(ret->notes); i++)
        talk("%s", discovery_note(s->arena, value_item(ret->notes, i)));
    return 0;
}

int session_adopt(struct session *s, const struct value *documents)
{
    const struct cloud *operators;

    TRY(session_operators_cloud_read(s, &operators));
    if (s->estate.policy)
        policy_free(s->estate.policy);
    s->estate = (struct estate){0};
    load_documents(s->arena, s->options, s->schemas, documents, &s->estate, &s->diags);
    if (s->diags.n_errors)
        return err_set(&s->err, ERR_INVALID, "what was found makes no valid documents");
    session_handles_make(s, operators);
    session_engine_set(s);
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

/* --- running ------------------------------------------------------------------------------------------------------ */

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

int session_look_near(struct session *s, struct arena *a, struct look *ret, struct err *err)
{
    s->settings.near = !policy_fields_of_facts(s->estate.pinned ? s->estate.pinned : s->estate.documents, s->arena);
    return session_look(s, a, ret, err);
}
