/* doctor: who we are, what answers, which rights the commands need for these manifests and which of them lack. Reads
 * only; exit 2 when something lacks or cannot be seen. */
#include <stdlib.h>

#include "../providers/doctor/doctor.h"
#include "../providers/doctor/roles.h"
#include "../providers/forecast/forecast.h"
#include "../providers/forecast/impact.h"
#include "call.h"
#include "commands.h"
#include "doctor_show.h"
#include "output.h"
#include "session.h"

struct examining {
    struct session *session;
    struct doctor doctor;
    struct kinds single;      /* the kinds, without bulk reads */
    struct look look;
    struct value *extras;
    int rc;
};

/* --- what would be due ---------------------------------------------------------------------------------------------
 */

/* The facts as they would be with all documents of these kinds taken away so. */
static struct view taken(const struct view *v, enum impact_act act, bool purged,
                         const char *const *kinds)
{
    struct view then = *v;

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *doc = v->desired->documents[i];
        struct impact_target target;
        struct err ignored;

        for (const char *const *kind = kinds; *kind; kind++)
            if (str_eq(doc->kind, *kind) && impact_target_find(&then, act, doc->address, &target, &ignored) == 0)
                then = impact_view(&then, &target, purged);
    }
    return then;
}

static void add_steps(struct examining *x, const struct view *v)
{
    struct session *s = x->session;
    struct view ordered;

    engine_suppose(&s->engine, s->arena, v, SUPPOSE_LOSS, NULL, &ordered);
    needs_add_steps(x->doctor.needs, s->engine.provider, ordered.steps);
}

/* A role that is made today has to do on the worst day: as things stand, with keys disabled, deleted or gone for good,
 * without sets, and with the stores themselves deleted. */
static void steps_foreseen(struct examining *x)
{
    static const char *const keys[] = {"Key", NULL}, *const sets[] = {"Key", "DiskEncryptionSet", NULL},
                      *const stores[] = {"KeyVault", "ManagedHsm", NULL};
    static const struct {
        enum impact_act act;
        bool purged;
        const char *const *kinds;
    } losses[] = {{IMPACT_DISABLE, false, keys},
                  {IMPACT_DELETE, false, keys},
                  {IMPACT_DELETE, true, sets},
                  {IMPACT_DELETE, false, stores}};

    add_steps(x, &x->look.view);
    for (size_t i = 0; i < COUNT(losses); i++) {
        struct view then = taken(&x->look.view, losses[i].act, losses[i].purged, losses[i].kinds);

        add_steps(x, &then);
    }
}

/* --- looking ------------------------------------------------------------------------------------------------------ */

static void reads_note(struct examining *x, unsigned commands)
{
    for (size_t i = 0; i < x->doctor.n_connections; i++)
        if (x->doctor.connections[i])
            needs_add_reads(x->doctor.needs, x->doctor.connections[i], commands);
}

static int look(struct examining *x, struct call *c, bool far, unsigned commands)
{
    struct session *s = x->session;
    int rc;

    s->settings.far = far;
    rc = engine_look(c, &s->engine, s->arena, s->estate.desired, &x->look, &s->err);
    reads_note(x, commands);
    return rc;
}

/* What only a forecast asks comes last, so that nothing is told to be needed by it alone that others need too. */
static int looks(struct examining *x, struct call *c)
{
    if (x->doctor.commands != FOR_FORECAST)
        TRY(look(x, c, false, FOR_ALL));
    TRY(look(x, c, true, FOR_FORECAST | FOR_APPLY | FOR_WATCH));
    TRY(forecast_observe(c, x->session->engine.provider, &x->look.view, &x->extras, &x->session->err));
    reads_note(x, FOR_FORECAST);
    return 0;
}

static void examine_task(struct call *c, void *arg)
{
    struct examining *x = arg;
    struct err err = {0};
    int rc;

    x->rc = looks(x, c);
    if (x->rc == 0)
        steps_foreseen(x);
    rc = doctor_ask(&x->doctor, c, x->rc == 0 ? &x->look.view : NULL, x->extras, &err);
    if (rc < 0 && x->rc == 0)
        x->session->err = err;
    x->rc = x->rc < 0 ? x->rc : rc;
}

/* --- telling ------------------------------------------------------------------------------------------------------ */

/* Azure has refused a read, and further reads and steps hang on its answer: whoever takes the list of rights for whole
 * meets the next refusal in the night. */
static const char *open_words(const struct needs *n, unsigned commands)
{
    for (size_t i = 0; i < n->count; i++)
        if (!n->items[i]->acting && (n->items[i]->commands & commands) && n->items[i]->state != OWN_HELD &&
            need_counts(n->items[i]))
            return "A read was refused, and what is read after it is not among these rights yet. Give what lacks, "
                   "then ask again.";
    return NULL;
}

static void show_commands(struct examining *x)
{
    struct session *s = x->session;
    struct text t cleanup(text_release) = {0};
    const struct value *me = value_item(x->doctor.who, 0);
    const char *type = value_str_at(me, "type");
    struct assignee who = {.object_id = value_str_at(me, "objectId"),
                           .type = str_eq(type, "app")    ? "ServicePrincipal"
                                   : str_eq(type, "user") ? "User"
                                                          : NULL};
    const char *command = "";

    for (size_t i = 0; s->options->needed_for && need_for_names[i]; i++)
        if (s->options->needed_for & 1u << i)
            command = arena_printf(s->arena, " --command %s", need_for_names[i]);
    text_init(&t, TEXT_CEILING);
    who.object_id = who.object_id ? who.object_id : "OBJECT-ID";
    role_commands(&t, x->doctor.needs, x->doctor.commands, &who,
                  arena_printf(s->arena, "reinstate doctor -f ...%s --role", command));
    output_text(&t);
}

static int show_role(struct examining *x)
{
    struct session *s = x->session;
    enum role_part part = (enum role_part)(s->options->role - 1);
    const struct value *role = role_definition(x->doctor.needs, x->doctor.commands, part);

    if (role) {
        output_json(role);
        return 0;
    }
    return err_set(&s->err, ERR_INVALID, "nothing of the part \"%s\" is needed", role_part_names[part]);
}

/* A role lives in one tenant, and cannot be given in another. */
static int one_tenant(const struct doctor *d, struct err *err)
{
    const char *first = NULL;

    for (size_t i = 0; i < d->n_connections; i++) {
        const char *tenant = d->connections[i] ? value_str_at(d->desired->documents[i]->spec, "tenant") : NULL;

        if (first && tenant && !str_eq_nocase(first, tenant)) {
            err_set(err, ERR_INVALID, "the Azure documents are of several tenants, and a role lives in one");
            return err_advise(err, "give the documents of each tenant by themselves");
        }
        first = first ? first : tenant;
    }
    return 0;
}

/* A role that was made of half a look must not pass for a whole one. */
static int show_roles(struct examining *x)
{
    struct session *s = x->session;
    const char *open = open_words(x->doctor.needs, x->doctor.commands);

    if (x->rc < 0 || one_tenant(&x->doctor, &s->err) < 0 || (s->options->role && show_role(x) < 0))
        return session_failed(s);
    if (s->options->assign)
        show_commands(x);
    if (open)
        talk("%s", open);
    return open ? EXIT_DIFFERENCES : EXIT_DECLARED;
}

static int answer(struct examining *x)
{
    struct session *s = x->session;
    struct text t cleanup(text_release) = {0};
    struct report_style style = output_style(stdout);
    struct page page = {.out = &t, .style = &style, .arena = s->arena};
    struct value *v = output_envelope(s->arena, s->options);
    struct doctor_count count;
    int code;

    session_mark(s, v);
    doctor_to_value(&x->doctor, sched_skew_ms(s->sched), v, &count);
    value_set_string(s->arena, v, "open", open_words(x->doctor.needs, x->doctor.commands));
    code = x->rc < 0 ? EXIT_ERROR : count.lacking || count.unseen ? EXIT_DIFFERENCES : EXIT_DECLARED;
    if (x->rc < 0)
        value_set_string(s->arena, v, "error", s->err.text);
    value_set_int(s->arena, v, "exitCode", code);
    text_init(&t, TEXT_CEILING);
    if (s->options->output == OUTPUT_MARKDOWN)
        doctor_markdown(&t, v);
    else
        doctor_show(&page, v);
    if (s->options->output == OUTPUT_JSON)
        output_json(v);
    else
        output_text(&t);
    if (x->rc < 0)
        talk("No look could be made: %s", s->err.text);
    session_label(s);
    return code;
}

/* A proxy answers in the place of whom it is asked for. */
static bool proxied(void)
{
    static const char *const names[] = {"HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"};

    for (size_t i = 0; i < COUNT(names); i++)
        if (getenv(names[i]) && *getenv(names[i]))
            return true;
    return false;
}

int command_doctor(const struct options *o)
{
    struct session s cleanup(session_close);
    struct examining x = {.session = &s};

    if (session_load(&s, o) < 0 || session_connect(&s, HTTP_READ_ONLY) < 0)
        return session_failed(&s);
    /* One list in place of many reads would tell the right to read a subscription, and not what each thing takes. */
    x.single = *s.engine.kinds;
    x.single.look = NULL;
    s.engine.kinds = &x.single;
    x.doctor =
        (struct doctor){.arena = s.arena,
                        .connections = s.connections.items,
                        .n_connections = s.connections.count,
                        .desired = s.estate.desired,
                        .signed_in_by = s.sim ? "the simulated Azure" : credential_kind_name(s.credential.kind),
                        .proxied = proxied(),
                        .commands = o->needed_for ? o->needed_for : FOR_ALL,
                        .needs = needs_new(s.arena)};
    session_run(&s, examine_task, &x);
    return o->role || o->assign ? show_roles(&x) : answer(&x);
}
