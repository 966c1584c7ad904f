/* Knows which version a Key document stands for: the one that the ordered points need. Must not know how the evidence
 * of one point is weighed. */
#include "original.h"

#include "../documents/concluded.h"

#include "../backup/points.h"
#include "../backup/order.h"

static bool ordered(enum order_state state)
{
    return state == ORDER_IN_FORCE || state == ORDER_FUTURE;
}

/* Adds the version that one ordered restore needs of this key to those already known. */
static void need_join(const struct view *v, const struct document *key, const struct document *rvm,
                      struct key_need *need, const char **ret_whose)
{
    const struct document *pvm = document_target(rvm, "spec.from");
    struct order order = order_for(v, rvm);
    const struct value *point = ordered(order.state) ? protected_vm_point(v, pvm, order.point) : NULL;
    const char *declared = value_str_at(key->spec, "version");
    struct original_key o;
    int64_t at_ms;

    if (!point)
        return;
    o = original_key_of(v, pvm, key, point);
    if (o.conflict && !need->conflict)
        need->conflict = arena_printf(v->arena, "for point %s of %s, %s", order.point, pvm->name, o.conflict);
    if (o.beside && !need->beside)
        need->beside = arena_printf(v->arena, "for point %s of %s, %s", order.point, pvm->name, o.beside);
    at_ms = time_parse(value_str_at(point, "time"));
    /* Points that need one version are as good as each other, so the earliest does; else the latest needs the most. */
    if (need->point_ms == TIME_NONE || (o.version ? at_ms < need->point_ms : at_ms > need->point_ms))
        need->point_ms = at_ms;
    if (!o.version)
        return;
    if (declared && !str_eq_nocase(declared, o.version) && !need->beside)
        need->beside = arena_printf(v->arena, "for point %s of %s, %s says version %s", order.point, pvm->name, o.words,
                                    o.version);
    if (!need->version) {
        need->version = o.version;
        need->evidence = o.evidence;
        need->words = o.words;
        *ret_whose = arena_printf(v->arena, "point %s of %s", order.point, pvm->name);
    } else if (!str_eq_nocase(need->version, o.version)) {
        need->conflict =
            arena_printf(v->arena, "%s needs version %s (%s), and point %s of %s needs %s (%s)", *ret_whose,
                         need->version, need->words, order.point, pvm->name, o.version, o.words);
    }
}

static struct key_need need_find(const struct view *v, const struct document *key)
{
    const char *declared = value_str_at(key->spec, "version"), *whose = NULL;
    struct key_need need = {.words = "no ordered point tells it", .point_ms = TIME_NONE};
    const struct document *des, *rvm;
    size_t at = 0;

    while ((des = referrer_next(key, "DiskEncryptionSet", &at))) {
        size_t at_vm = 0;

        while ((rvm = referrer_next(des, "RestoredVirtualMachine", &at_vm)))
            need_join(v, key, rvm, &need, &whose);
    }
    if (declared) {
        need.version = declared;
        need.evidence = KEY_EVIDENCE_DECLARED;
        need.words = "declared";
    } else if (need.conflict) {
        need.version = NULL;
        need.evidence = KEY_EVIDENCE_NONE;
    }
    return need;
}

struct key_need key_needed(const struct view *v, const struct document *key)
{
    struct concluded_parts *own = concluded_parts(v, key);
    struct view seen = concluded_from(v);
    struct key_need *need;

    if (!own)
        return need_find(v, key);
    if (!own->need) {
        need = arena_new_of(v->arena, struct key_need);
        *need = need_find(&seen, key);
        own->need = need;
    }
    return *own->need;
}

static int64_t newest_point_of_sources(const struct view *v, const struct document *key)
{
    int64_t newest_ms = TIME_NONE;

    for (size_t i = 0; i < key->n_references; i++) {
        const struct document *pvm = key->references[i].target;
        const struct value *point =
            pvm && str_eq(pvm->kind, "ProtectedVirtualMachine") ? protected_vm_newest_point(v, pvm) : NULL;
        int64_t at_ms = time_parse(value_str_at(point, "time"));

        if (at_ms != TIME_NONE && (newest_ms == TIME_NONE || at_ms > newest_ms))
            newest_ms = at_ms;
    }
    return newest_ms;
}

int64_t key_copy_wanted_since(const struct view *v, const struct document *key)
{
    int64_t ordered_ms = key_needed(v, key).point_ms;

    return ordered_ms != TIME_NONE ? ordered_ms : newest_point_of_sources(v, key);
}

/* The version that a point of that time can have been wrapped with, for people. */
static const char *fitting_words(const struct view *v, const struct document *key, int64_t point_ms)
{
    const struct value *fits = version_at(value_get(view_facts(v, key), "versions"), point_ms);

    return fits ? arena_printf(v->arena, "the newest version not later than the point is %s, created %s",
                               value_str_at(fits, "version"),
                               time_format(v->arena, value_int_at(fits, "created", 0) * SECOND_MS))
                : "no version of the key is as old as the point";
}

const char *key_too_young_for(const struct view *v, const struct document *key, const struct document *rvm)
{
    const struct document *pvm = document_target(rvm, "spec.from");
    const char *version = value_str_at(key->spec, "version");
    struct order order = order_for(v, rvm);
    const struct value *point = ordered(order.state) ? protected_vm_point(v, pvm, order.point) : NULL;
    int64_t point_ms = time_parse(value_str_at(point, "time")), made_ms;

    if (!version || point_ms == TIME_NONE)
        return NULL;
    made_ms = key_made_after(v, key, NULL, version, point_ms);
    return made_ms == TIME_NONE
               ? NULL
               : arena_printf(v->arena, "version %s was created %s, and the ordered point %s of %s is of %s; %s",
                              version, time_format(v->arena, made_ms), order.point, pvm->name,
                              time_format(v->arena, point_ms), fitting_words(v, key, point_ms));
}

const char *key_too_young(const struct view *v, const struct document *key, const struct document *set)
{
    const struct document *des, *rvm;
    const char *why = NULL, *its;
    size_t at = 0;

    while ((des = referrer_next(key, "DiskEncryptionSet", &at))) {
        size_t at_vm = 0;

        while ((!set || des == set) && (rvm = referrer_next(des, "RestoredVirtualMachine", &at_vm))) {
            if (!ordered(order_for(v, rvm).state))
                continue;
            if (!(its = key_too_young_for(v, key, rvm)))
                return NULL;
            why = why ? why : its;
        }
    }
    return why;
}
