/* activate: prints the order that would restore a VM, with the exact recovery point filled in. Prints only: an order is
 * given by putting it among the manifests and applying them. */
#include <string.h>

#include "commands.h"
#include "output.h"
#include "session.h"
#include "../reconciler/format/manifest.h"

#define WINDOW_MS (48 * (int64_t)HOUR_MS)

static bool point_in_vault(const struct value *point)
{
    return str_eq(value_str_at(point, "vault"), "valid");
}

static int64_t point_time(const struct value *point)
{
    const char *time = value_str_at(point, "time");

    return time ? time_parse(time) : TIME_NONE;
}

static const struct value *newest_point(const struct value *points, bool in_vault)
{
    const struct value *best = NULL;

    for (size_t i = 0; i < value_count(points); i++) {
        const struct value *p = value_item(points, i);

        if ((in_vault && !point_in_vault(p)) || value_bool_at(p, "softDeleted", false))
            continue;
        if (!best || point_time(p) > point_time(best))
            best = p;
    }
    return best;
}

static const struct value *point_named(const struct value *points, const char *id)
{
    for (size_t i = 0; i < value_count(points); i++)
        if (str_eq(value_str_at(value_item(points, i), "id"), id))
            return value_item(points, i);
    return NULL;
}

static const char *tier_words(const struct value *point)
{
    return point_in_vault(point) ? "in the vault tier" : "not in the vault tier: a lost key cannot be exported from it";
}

static int no_point(const struct options *o, const struct value *points, struct err *err)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, sizeof(err->text) / 2);
    for (size_t i = 0; i < value_count(points); i++)
        text_printf(&t, "%s%s of %s", i ? ", " : "", value_str_at(value_item(points, i), "id"),
                    value_str_at(value_item(points, i), "time") ? value_str_at(value_item(points, i), "time") : "unknown time");
    if (o->point)
        err_set(err, ERR_NOT_FOUND, "there is no recovery point %s", o->point);
    else
        err_set(err, ERR_NOT_FOUND, "there is no recovery point%s", o->newest ? "" : " with a vault tier");
    if (!o->newest && !o->point && value_count(points))
        return err_advise(err, "give --newest, or --point with one of: %s", text_str(&t));
    return value_count(points) ? err_advise(err, "there are: %s", text_str(&t)) : -(int)err->class;
}

static int point_choose(const struct options *o, const struct value *facts, const struct value **ret, struct err *err)
{
    const struct value *points = value_get(facts, "points"), *newest = newest_point(points, false);

    if (value_str_at(facts, "why"))
        return err_set(err, ERR_DENIED, "the recovery points could not be read: %s", value_str_at(facts, "why"));
    *ret = o->point ? point_named(points, o->point) : newest_point(points, !o->newest);
    if (!*ret)
        return no_point(o, points, err);
    talk("Recovery point %s of %s, %s.", value_str_at(*ret, "id"), value_str_at(*ret, "time"), tier_words(*ret));
    if (newest && newest != *ret)
        talk("A newer one is %s of %s, %s.", value_str_at(newest, "id"), value_str_at(newest, "time"), tier_words(newest));
    return 0;
}

static struct value *activation(struct arena *a, const char *vm, const struct value *point, int64_t now_ms)
{
    struct value *doc = value_map(a), *spec = value_map(a), *restores = value_list(a), *restore = value_map(a);
    char *day = arena_strndup(a, time_format(a, now_ms), strlen("2026-11-23"));

    now_ms = now_ms / SECOND_MS * SECOND_MS;
    value_set_string(a, doc, "apiVersion", "reinstate/v1");
    value_set_string(a, doc, "kind", "Activation");
    value_set_string(a, value_set(a, doc, "metadata", value_map(a)), "name", arena_printf(a, "restore-%s-%s", vm, day));
    value_set_string(a, restore, "virtualMachine", vm);
    value_set_string(a, restore, "recoveryPoint", value_str_at(point, "id"));
    value_push(a, restores, restore);
    value_set(a, spec, "restores", restores);
    value_set_string(a, spec, "exports", "allowed");
    value_set_string(a, spec, "notBefore", time_format(a, now_ms));
    value_set_string(a, spec, "notAfter", time_format(a, now_ms + WINDOW_MS));
    value_set_string(a, spec, "purpose", "recovery");
    value_set(a, doc, "spec", spec);
    return doc;
}

static int vm_find(struct session *s, const char *name, const struct document **ret_vm, struct err *err)
{
    const struct desired *d = s->estate.desired;
    const char **names = arena_array(s->arena, const char *, d->count + 1), *near;
    size_t n = 0;

    *ret_vm = desired_find(d, "RestoredVirtualMachine", name);
    if (*ret_vm)
        return 0;
    for (size_t i = 0; i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "RestoredVirtualMachine"))
            names[n++] = d->documents[i]->name;
    near = did_you_mean(name, names);
    err_set(err, ERR_INVALID, "the manifests have no RestoredVirtualMachine %s", name);
    return near ? err_advise(err, "did you mean %s?", near) : -(int)err->class;
}

int command_activate(const struct options *o)
{
    struct session s cleanup(session_close);
    struct text t cleanup(text_release) = {0};
    const struct document *vm, *source;
    const struct value *point;
    struct value *doc, *answer;
    struct look look;

    if (session_load(&s, o) < 0 || vm_find(&s, o->operands.items[0], &vm, &s.err) < 0 || session_connect(&s, HTTP_READ_ONLY) < 0 ||
        session_look(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    source = document_target(vm, "spec.from");
    if (point_choose(o, view_facts(&look.view, source), &point, &s.err) < 0)
        return session_failed(&s);
    doc = activation(s.arena, vm->name, point, sched_now_ms(s.sched));
    text_init(&t, TEXT_CEILING);
    manifest_write(&t, doc);
    answer = output_envelope(s.arena, o);
    value_set(s.arena, answer, "activation", doc);
    output_either(o, answer, &t);
    talk("Put this among the manifests; apply then carries it out once, until %s.", value_str_at(doc, "spec.notAfter"));
    session_label(&s);
    return EXIT_DECLARED;
}
