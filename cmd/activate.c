/* activate: a VM's recovery points with the forecast for each, and the order that would restore it, with the exact
 * point filled in. Prints only: an order is given by putting it among the manifests and applying them. */
#include <stdlib.h>
#include <string.h>

#include "activate_order.h"
#include "commands.h"
#include "output.h"
#include "selection.h"
#include "session.h"
#include "../providers/forecast/forecast.h"
#include "../providers/forecast/ordered_path.h"
#include "../providers/backup/points.h"
#include "../providers/keys/original.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/manifest.h"

/* One VM to restore, and from which point. */
struct choice {
    const struct document *vm, *source;
    const struct value *facts;   /* of the source */
    const struct value **points; /* newest first */
    size_t n_points;
    const struct value *point;
};

struct choices {
    struct choice *items;
    size_t count;
};

static bool point_in_vault(const struct value *point)
{
    return str_eq(value_str_at(point, "vault"), "valid");
}

static int64_t point_time(const struct value *point)
{
    const char *time = value_str_at(point, "time");

    return time ? time_parse(time) : TIME_NONE;
}

static const char *point_id(const struct value *point)
{
    return value_str_at(point, "id");
}

/* --- which VMs ---------------------------------------------------------------------------------------------------- */

static int vm_named(struct session *s, const char *name, const struct document **ret_vm, struct err *err)
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

static void choice_add(struct session *s, struct choices *all, const struct document *vm)
{
    struct choice choice = {.vm = vm, .source = document_target(vm, "spec.from")};

    for (size_t i = 0; i < all->count; i++)
        if (all->items[i].vm == vm)
            return;
    arena_push(s->arena, all->items, all->count, choice);
}

/* Those named; without names all that have the labels; without those all. */
static int vms_choose(struct session *s, struct choices *all, struct err *err)
{
    const struct options *o = s->options;
    const struct desired *d = s->estate.desired;
    const struct selection *selection;
    const struct document *vm;

    TRY(selection_read(s->arena, o, &selection, err));
    for (size_t i = 0; i < o->operands.count; i++) {
        TRY(vm_named(s, o->operands.items[i], &vm, err));
        choice_add(s, all, vm);
    }
    for (size_t i = 0; !o->operands.count && i < d->count; i++)
        if (str_eq(d->documents[i]->kind, "RestoredVirtualMachine") && selection_means(selection, d->documents[i]))
            choice_add(s, all, d->documents[i]);
    if (!all->count && !selection)
        return err_set(err, ERR_INVALID, "the manifests have no RestoredVirtualMachine");
    if (!all->count)
        return err_set(err, ERR_INVALID, "no RestoredVirtualMachine %s", selection_words(s->arena, o));
    if (o->point && all->count > 1)
        return err_set(err, ERR_INVALID, "--point is a point of one VM, and %zu are meant", all->count);
    return 0;
}

/* --- which points ------------------------------------------------------------------------------------------------- */

static int newest_first(const void *x, const void *y)
{
    int64_t one = point_time(*(const struct value *const *)x), other = point_time(*(const struct value *const *)y);

    return one < other   ? 1
           : one > other ? -1
                         : strcmp(point_id(*(const struct value *const *)x), point_id(*(const struct value *const *)y));
}

static int points_sort(struct session *s, struct choice *choice, const struct look *look, struct err *err)
{
    const struct value *points;

    choice->facts = view_facts(&look->view, choice->source);
    if (value_str_at(choice->facts, "why"))
        return err_set(err, ERR_DENIED, "the recovery points of %s could not be read: %s", choice->source->name,
                       value_str_at(choice->facts, "why"));
    points = value_get(choice->facts, "points");
    choice->points = arena_array(s->arena, const struct value *, value_count(points) + 1);
    for (size_t i = 0; i < value_count(points); i++)
        if (point_id(value_item(points, i)))
            choice->points[choice->n_points++] = value_item(points, i);
    qsort(choice->points, choice->n_points, sizeof(*choice->points), newest_first);
    return 0;
}

static const struct value *newest_point(const struct choice *choice, bool in_vault)
{
    for (size_t i = 0; i < choice->n_points; i++)
        if ((!in_vault || point_in_vault(choice->points[i])) && !value_bool_at(choice->points[i], "softDeleted", false))
            return choice->points[i];
    return NULL;
}

static const struct value *point_named(const struct choice *choice, const char *id)
{
    for (size_t i = 0; i < choice->n_points; i++)
        if (str_eq(point_id(choice->points[i]), id))
            return choice->points[i];
    return NULL;
}

static const char *tier_words(struct arena *a, const struct value *point)
{
    bool snapshot = str_eq(value_str_at(point, "snapshot"), "valid");

    const char *words = !snapshot               ? protected_vm_tier_words(a, point)
                        : point_in_vault(point) ? "vault tier and snapshot"
                                                : "snapshot only: a lost key cannot be exported from it";

    return arena_printf(a, "%s%s", words, protected_vm_threat_words(a, point));
}

/* Why a point had better not be ordered, though it may be; NULL: nothing is known against it. */
static const char *point_doubt(struct arena *a, const struct look *look, const struct choice *choice,
                               const struct value *point)
{
    const struct document *set = document_target(choice->vm, "spec.diskEncryptionSet"),
                          *key = set ? document_target(set, "spec.key") : NULL;
    const char *version = key ? value_str_at(key->spec, "version") : NULL;
    int64_t made_ms = version && point_time(point) != TIME_NONE
                          ? key_made_after(&look->view, key, NULL, version, point_time(point))
                          : TIME_NONE;

    if (value_get(point, "threat"))
        return arena_printf(a, "Azure marks it as %s: signs of malware", value_str_at(point, "threat"));
    if (value_bool_at(point, "softDeleted", false))
        return "it is soft-deleted, and nothing is restored from it as it is";
    return made_ms == TIME_NONE ? NULL
                                : arena_printf(a,
                                               "it is older than version %s of %s, which was created %s and "
                                               "cannot have wrapped its disk",
                                               version, key->address, time_format(a, made_ms));
}

/* The newest of which nothing such is known, in the vault tier where that is asked for. */
static const struct value *point_beyond_doubt(struct arena *a, const struct look *look, const struct choice *choice,
                                              bool in_vault)
{
    for (size_t i = 0; i < choice->n_points; i++)
        if ((!in_vault || point_in_vault(choice->points[i])) && !point_doubt(a, look, choice, choice->points[i]))
            return choice->points[i];
    return NULL;
}

static int no_point(const struct options *o, const struct choice *choice, struct err *err)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, sizeof(err->text) / 2);
    for (size_t i = 0; i < choice->n_points; i++)
        text_say(&t, "%s%s of %s", i ? ", " : "", point_id(choice->points[i]),
                 value_str_at(choice->points[i], "time") ? value_str_at(choice->points[i], "time") : "unknown time");
    if (o->point)
        err_set(err, ERR_NOT_FOUND, "there is no recovery point %s of %s", o->point, choice->source->name);
    else
        err_set(err, ERR_NOT_FOUND, "there is no recovery point%s of %s", o->newest ? "" : " with a vault tier",
                choice->source->name);
    if (!o->newest && !o->point && choice->n_points)
        return err_advise(err, "give --newest, or --point with one of: %s", text_str(&t));
    return choice->n_points ? err_advise(err, "there are: %s", text_str(&t)) : -(int)err->class;
}

static int point_choose(const struct options *o, struct choice *choice, struct err *err)
{
    choice->point = o->point ? point_named(choice, o->point) : newest_point(choice, !o->newest);
    return choice->point ? 0 : no_point(o, choice, err);
}

/* --- the list ----------------------------------------------------------------------------------------------------- */

static struct value *point_value(struct arena *a, const struct look *look, const struct choice *choice,
                                 const struct value *point, const struct view *ordered)
{
    struct forecast_options options = forecast_options_default;
    struct forecast f;
    const struct original_key *key;
    struct value *v = value_map(a);

    /* The same conclusions as forecast reads: of the order that is printed, where it names this point. */
    options.ordered = ordered;
    f = forecast_at(&look->view, &options, choice->source, choice->vm, point);
    key = &f.outlook.situation->original;
    value_set_string(a, v, "recoveryPoint", point_id(point));
    value_set_string(a, v, "time", value_str_at(point, "time"));
    if (point_time(point) != TIME_NONE)
        value_set_int(a, v, "ageSeconds", (look->view.now_ms - point_time(point)) / SECOND_MS);
    value_set_string(a, v, "tiers", tier_words(a, point));
    value_set_bool(a, v, "softDeleted", value_bool_at(point, "softDeleted", false));
    value_set_string(a, v, "expires", value_str_at(point, "expires"));
    value_set_bool(a, v, "chosen", point == choice->point);
    value_set_string(a, v, "scenario", f.scenario);
    value_set_string(a, v, "outcome", dx_outcome_words(f.prediction.outcome));
    value_set_string(a, v, "state", f.state);
    value_set_string(a, v, "restorable", restorable_word(f.restorable));
    value_set_string(a, v, "path", f.path);
    if (protected_vm_point_key(point) != POINT_KEY_PLATFORM) {
        value_set_string(a, v, "keyVersion", key->version);
        value_set_string(a, v, "evidence", key->conflict ? key->conflict : key->words);
    }
    return v;
}

/* What becomes of the order that is printed, as plan and apply would have it. */
static struct value *fate_value(struct session *s, const struct look *look, const struct view *ordered,
                                const struct choice *choice)
{
    struct foretold_order f = order_foretell(&look->view, ordered, choice->vm);
    struct value *v = value_map(s->arena);

    value_set_string(s->arena, v, "fate", order_fate_word(f.fate));
    value_set_string(s->arena, v, "by", f.by);
    value_set_string(s->arena, v, "reason", f.reason);
    value_set_string(s->arena, v, "next", f.next);
    value_set_string(s->arena, v, "unknown", f.unknown);
    value_set_string(s->arena, v, "exports", f.exports);
    value_set_string(s->arena, v, "doubt", point_doubt(s->arena, look, choice, choice->point));
    if (value_get(v, "doubt"))
        value_set_string(s->arena, v, "instead",
                         point_id(point_beyond_doubt(s->arena, look, choice, point_in_vault(choice->point))));
    return v;
}

static void fate_tell(const char *name, const struct value *v)
{
    const char *fate = value_str_at(v, "fate"), *reason = value_str_at(v, "reason"), *next = value_str_at(v, "next"),
               *unknown = value_str_at(v, "unknown"), *exports = value_str_at(v, "exports"),
               *doubt = value_str_at(v, "doubt"), *instead = value_str_at(v, "instead");

    if (doubt && instead)
        talk("%s: look at the point that this order names: %s. The newest point without that warning is %s: --point %s",
             name, doubt, instead, instead);
    else if (doubt)
        talk("%s: look at the point that this order names: %s. No point of the machine is without that warning.", name,
             doubt);

    if (exports)
        talk("%s: this order exports the key anew, by a restore that fails: %s.", name, exports);
    if (unknown)
        talk("%s: no document says how this restore ends: %s.", name, unknown);
    if (!reason)
        return;
    talk("%s: %s: %s%s%s.", name,
         str_eq(fate, "blocked")   ? "this order would be blocked"
         : str_eq(fate, "nothing") ? "this order would restore nothing"
                                   : "this order would stand beside another one",
         reason, next ? "; " : "", next ? next : "");
}

static struct value *list_of(struct session *s, const struct look *look, const struct choices *all)
{
    const char **asked = arena_array(s->arena, const char *, look->view.desired->count + 1);
    struct arena *a = s->arena;
    struct value *list = value_list(a);
    struct view ordered;

    for (size_t i = 0; i < all->count; i++)
        asked[all->items[i].vm->index] = point_id(all->items[i].point);
    engine_suppose(&s->engine, a, &look->view, SUPPOSE_NOW, asked, &ordered);

    for (size_t i = 0; i < all->count; i++) {
        struct value *vm = value_map(a), *points = value_list(a);

        value_set_string(a, vm, "virtualMachine", all->items[i].vm->name);
        value_set_string(a, vm, "from", all->items[i].source->name);
        for (size_t k = 0; k < all->items[i].n_points; k++)
            value_push(a, points, point_value(a, look, &all->items[i], all->items[i].points[k], &ordered));
        value_set(a, vm, "points", points);
        if (all->items[i].point)
            value_set(a, vm, "order", fate_value(s, look, &ordered, &all->items[i]));
        value_push(a, list, vm);
    }
    return list;
}

static void point_write(struct text *t, struct arena *a, const struct value *p)
{
    const char *scenario = value_str_at(p, "scenario"), *path = value_str_at(p, "path"),
               *key = value_str_at(p, "keyVersion"), *evidence = value_str_at(p, "evidence"),
               *time = value_str_at(p, "time"), *expires = value_str_at(p, "expires");
    int64_t age = value_int_at(p, "ageSeconds", -1);

    text_say(t, "%s %s  %s%s%s, %s%s%s%s\n", value_bool_at(p, "chosen", false) ? " ->" : "   ",
             value_str_at(p, "recoveryPoint"), time ? time : "of an unknown time", age >= 0 ? ", " : "",
             age >= 0 ? arena_printf(a, "%s old", duration_format(a, age / 60 * 60 * SECOND_MS)) : "",
             value_str_at(p, "tiers"), value_bool_at(p, "softDeleted", false) ? ", soft-deleted" : "",
             expires ? ", kept until " : "", expires ? expires : "");
    text_say(t, "      %s%s%s: %s\n", scenario ? scenario : "", scenario ? " " : "", value_str_at(p, "outcome"),
             value_str_at(p, "state"));
    if (path)
        text_say(t, "      path: %s\n", path);
    if (evidence)
        text_say(t, "      key version: %s (%s)\n", key ? key : "unknown", evidence);
}

static void list_write(struct text *t, struct arena *a, const struct value *list)
{
    for (size_t i = 0; i < value_count(list); i++) {
        const struct value *vm = value_item(list, i), *points = value_get(vm, "points");

        text_say(t, "%s, from %s: %zu recovery point%s\n", value_str_at(vm, "virtualMachine"), value_str_at(vm, "from"),
                 value_count(points), value_count(points) == 1 ? "" : "s");
        for (size_t k = 0; k < value_count(points); k++)
            point_write(t, a, value_item(points, k));
    }
}

/* --- the order ---------------------------------------------------------------------------------------------------- */

static struct value *order_of(struct session *s, const struct look *look, const struct choices *all, int64_t begun_ms)
{
    struct ordered *chosen = arena_array(s->arena, struct ordered, all->count + 1);

    for (size_t i = 0; i < all->count; i++)
        chosen[i] = (struct ordered){all->items[i].vm->name, point_id(all->items[i].point)};
    return order_document(s, look->view.desired, chosen, all->count, begun_ms);
}

/* Standard error has what went into the choice: standard output is the order alone. */
static void choice_tell(const struct choices *all, const struct value *list, struct arena *a)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    list_write(&t, a, list);
    output_aside(&t);
    for (size_t i = 0; i < all->count; i++) {
        const struct choice *c = &all->items[i];
        const struct value *newest = newest_point(c, false);

        talk("%s: recovery point %s of %s, %s.", c->vm->name, point_id(c->point), protected_vm_point_time(c->point),
             tier_words(a, c->point));
        if (newest && newest != c->point)
            talk("%s: a newer one is %s of %s, %s.", c->vm->name, point_id(newest), protected_vm_point_time(newest),
                 tier_words(a, newest));
    }
}

/* *ret_begun_ms: Azure's time when its first look began. */
static int choose(struct session *s, struct choices *all, struct look *look, int64_t *ret_begun_ms)
{
    int64_t begun;

    TRY(session_load(s, s->options));
    TRY(session_may_keep(s, s->options->list ? NULL : s->options->out));
    TRY(vms_choose(s, all, &s->err));
    TRY(session_connect(s, HTTP_READ_ONLY));
    begun = sched_span_ms(s->sched);
    TRY(session_look_far(s, s->arena, look, &s->err));
    *ret_begun_ms = sched_now_ms(s->sched) - (sched_span_ms(s->sched) - begun);
    for (size_t i = 0; i < all->count; i++) {
        TRY(points_sort(s, &all->items[i], look, &s->err));
        if (!s->options->list)
            TRY(point_choose(s->options, &all->items[i], &s->err));
    }
    return 0;
}

/* Written beside an order that is in force it is a fault of the manifests: apply would not begin, and watch would only
 * look on. */
static bool stands_beside(const struct value *list)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq(value_str_at(value_item(list, i), "order.fate"), order_fate_word(FATE_GIVEN)))
            return true;
    return false;
}

int command_activate(const struct options *o)
{
    struct session s cleanup(session_close) = {.options = o};
    struct text t cleanup(text_release) = {0};
    struct value *doc = NULL, *answer, *list;
    struct choices all = {0};
    bool refused;
    int64_t begun_ms;
    struct look look;

    if (choose(&s, &all, &look, &begun_ms) < 0)
        return session_failed(&s);
    list = list_of(&s, &look, &all);
    refused = o->out && !o->list && !o->force && stands_beside(list);
    text_init(&t, TEXT_CEILING);
    answer = output_envelope(s.arena, o);
    if (o->list) {
        list_write(&t, s.arena, list);
    } else {
        /* No later than the next command begins: it may look at the same simulated moment again. */
        doc = order_of(&s, &look, &all, begun_ms);
        manifest_write(&t, doc);
        if (o->out && !refused && file_replace(o->out, text_str(&t), t.len, &s.err) < 0)
            return session_failed(&s);
        if (o->out)
            text_clear(&t);
        value_set(s.arena, answer, "activation", doc);
        choice_tell(&all, o->point || o->newest ? NULL : list, s.arena);
    }
    value_set(s.arena, answer, "virtualMachines", list);
    (o->list ? output_either : output_document)(o, answer, &t);
    for (size_t i = 0; doc && i < value_count(list); i++)
        fate_tell(value_str_at(value_item(list, i), "virtualMachine"), value_get(value_item(list, i), "order"));
    if (refused)
        talk("%s is not written: a second order for a machine is a fault of the manifests; --force writes it.", o->out);
    else if (doc)
        order_close(&s, doc, list);
    session_label(&s);
    return refused ? EXIT_BLOCKED : EXIT_DECLARED;
}
