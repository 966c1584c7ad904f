/* Knows what is asked in which order, and what of it counts as lacking or unseen. Must not know how it is told. */
#include "doctor.h"

#include <stdlib.h>

#include "../../reconciler/run/skew.h"

const char *const need_for_names[] = {"plan", "forecast", "apply", "watch", NULL};

/* --- who we are --------------------------------------------------------------------------------------------------- */

static void set_if(struct arena *a, struct value *v, const char *name, const char *text)
{
    value_set_string(a, v, name, text && *text ? text : NULL);
}

static int who_ask(struct doctor *d, struct call *c, const struct document *doc, struct azure *az, struct err *err)
{
    struct arena *a = d->arena;
    struct value *v = value_map(a);
    const char *declared = value_str_at(doc->spec, "tenant");
    struct azure_who who;
    bool elsewhere;

    value_set_string(a, v, "azure", doc->address);
    value_set_string(a, v, "by", d->signed_in_by);
    value_push(a, d->who, v);
    if (azure_who(az, c, &who, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        value_set_string(a, v, "state", "lacking");
        value_set_string(a, v, "why", err->text);
        return 0;
    }
    elsewhere = declared && *who.tenant && !str_eq_nocase(declared, who.tenant);
    set_if(a, v, "objectId", who.object_id);
    set_if(a, v, "applicationId", who.application_id);
    set_if(a, v, "tenant", who.tenant);
    set_if(a, v, "type", who.type);
    set_if(a, v, "name", who.name);
    value_set_string(a, v, "state", elsewhere ? "lacking" : *who.object_id ? "ok" : "unseen");
    if (elsewhere)
        value_set_string(a, v, "why", arena_printf(a, "the token is of another tenant than %s declares", doc->address));
    else if (!*who.object_id)
        value_set_string(a, v, "why", "the token does not say who we are");
    return 0;
}

/* --- asked -------------------------------------------------------------------------------------------------------- */

int doctor_ask(struct doctor *d, struct call *c, const struct view *v, const struct value *extras, struct err *err)
{
    d->who = value_list(d->arena);
    d->ground = (struct ground){value_list(d->arena), value_list(d->arena), value_list(d->arena)};
    for (size_t i = 0; i < d->n_connections; i++)
        if (d->connections[i])
            TRY(who_ask(d, c, d->desired->documents[i], d->connections[i], err));
    needs_place(d->needs);
    TRY(needs_judge(d->needs, c, err));
    /* The preflight of a plan asks the same. */
    for (size_t i = 0; i < d->n_connections; i++)
        if (d->connections[i])
            needs_add_reads(d->needs, d->connections[i], FOR_ALL & ~(unsigned)FOR_FORECAST);
    needs_place(d->needs);
    needs_sort(d->needs);
    TRY(endpoints_ask(c, d->needs, &(struct reach){d->connections, d->n_connections, d->proxied}, &d->endpoints,
                      &d->n_endpoints, err));
    return v ? ground_look(d->needs, c, v, extras, &d->ground, err) : 0;
}

/* --- told --------------------------------------------------------------------------------------------------------- */

static const char *counted(struct doctor_count *n, const char *state)
{
    n->lacking += str_eq(state, "lacking");
    n->unseen += str_eq(state, "unseen");
    return state;
}

static struct value *need_value(struct arena *a, const struct need *one, struct doctor_count *n)
{
    static const char *const states[] = {"unseen", "ok", "lacking"};
    static const char *const ways[] = {"role", "access-policy", "hsm-role", "unknown"};
    struct value *v = value_map(a), *commands = value_list(a);

    value_set_string(a, v, "action", one->action);
    value_set_string(a, v, "scope", one->scope);
    value_set_bool(a, v, "data", one->data);
    value_set_bool(a, v, "acting", one->acting);
    for (size_t i = 0; need_for_names[i]; i++)
        if (one->commands & 1u << i)
            value_push(a, commands, value_string(a, need_for_names[i]));
    value_set(a, v, "commands", commands);
    value_set_string(a, v, "state", need_counts(one) ? counted(n, states[one->state]) : states[one->state]);
    value_set_string(a, v, "why", one->state == OWN_HELD && !one->acting ? NULL : one->why);
    value_set_string(a, v, "by", one->by);
    value_set_string(a, v, "role", one->role);
    value_set_string(a, v, "instead", one->instead);
    value_set_string(a, v, "way", ways[one->way]);
    if (one->wish)
        value_set_bool(a, v, "wish", true);
    if (one->unlisted)
        value_set_bool(a, v, "unlisted", true);
    return v;
}

static struct value *endpoint_value(struct arena *a, const struct endpoint *e, struct doctor_count *n)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "what", e->what);
    value_set_string(a, v, "address", e->address);
    value_set_string(a, v, "state", counted(n, e->fault ? "lacking" : "ok"));
    if (e->status)
        value_set_int(a, v, "status", e->status);
    value_set_int(a, v, "milliseconds", e->took_ms);
    value_set_string(a, v, "from", e->from);
    value_set_string(a, v, "why", e->fault);
    value_set_string(a, v, "fix", e->fix);
    return v;
}

static struct value *clock_value(struct arena *a, int64_t skew_ms, struct doctor_count *n)
{
    struct value *v = value_map(a);
    bool off = llabs(skew_ms) > SKEW_WARN_MS;

    value_set_string(a, v, "state", counted(n, off ? "lacking" : "ok"));
    value_set_int(a, v, "aheadSeconds", skew_ms / SECOND_MS);
    if (off)
        value_set_string(a, v, "why", arena_printf(a, "this machine's clock is %s", skew_words(a, skew_ms)));
    value_set_string(a, v, "fix", off ? "set the clock; times of orders and jobs go by Azure's meanwhile" : NULL);
    return v;
}

static void count_all(const struct value *list, struct doctor_count *n)
{
    for (size_t i = 0; i < value_count(list); i++)
        counted(n, value_str_at(value_item(list, i), "state"));
}

/* The table of clouds, or the operator's file, against what the cloud says of itself. */
static struct value *clouds_value(const struct doctor *d, struct doctor_count *n)
{
    struct arena *a = d->arena;
    struct value *list = value_list(a);

    for (size_t i = 0; i < d->n_endpoints; i++) {
        const struct endpoint *e = &d->endpoints[i];
        const struct cloud *cloud = azure_cloud(e->azure);
        struct value *differs = e->metadata ? cloud_differs(a, cloud, e->metadata) : NULL, *v;

        if (!differs)
            continue;
        v = value_map(a);
        value_set_string(a, v, "name", cloud->name);
        value_set_string(a, v, "state", counted(n, value_count(differs) ? "lacking" : "ok"));
        value_set(a, v, "differs", differs);
        value_push(a, list, v);
    }
    return list;
}

void doctor_to_value(const struct doctor *d, int64_t skew_ms, struct value *ret, struct doctor_count *ret_count)
{
    struct arena *a = d->arena;
    struct value *endpoints = value_list(a), *rights = value_list(a), *commands = value_list(a);
    struct doctor_count n = {0};

    for (size_t i = 0; need_for_names[i]; i++)
        if (d->commands & 1u << i)
            value_push(a, commands, value_string(a, need_for_names[i]));
    value_set(a, ret, "commands", commands);
    count_all(d->who, &n);
    value_set(a, ret, "who", d->who);
    value_set(a, ret, "clock", clock_value(a, skew_ms, &n));
    for (size_t i = 0; i < d->n_endpoints; i++)
        value_push(a, endpoints, endpoint_value(a, &d->endpoints[i], &n));
    value_set(a, ret, "endpoints", endpoints);
    value_set(a, ret, "clouds", clouds_value(d, &n));
    for (size_t i = 0; i < d->needs->count; i++)
        if (d->needs->items[i]->commands & d->commands)
            value_push(a, rights, need_value(a, d->needs->items[i], &n));
    value_set(a, ret, "rights", rights);
    count_all(d->ground.features, &n);
    count_all(d->ground.providers, &n);
    count_all(d->ground.quotas, &n);
    value_set(a, ret, "features", d->ground.features);
    value_set(a, ret, "providers", d->ground.providers);
    value_set(a, ret, "quotas", d->ground.quotas);
    value_set_int(a, ret, "lacking", (int64_t)n.lacking);
    value_set_int(a, ret, "unseen", (int64_t)n.unseen);
    *ret_count = n;
}
