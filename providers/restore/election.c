/* Knows which backup of a key pays for an export. Must not do anything about it. */
#include "election.h"

#include "../documents/concluded.h"
#include "../keys/standing.h"
#include "../keys/original.h"
#include "../keys/refused.h"
#include "../keys/sources.h"
#include "../azure/key_id.h"
#include "../azure/vault.h"
#include "../backup/points.h"
#include "../backup/claim.h"
#include "../backup/order.h"
#include "obstacles.h"

static const struct value *point_find(const struct value *facts, const char *id)
{
    const struct value *points = value_get(facts, "points");

    for (size_t i = 0; i < value_count(points); i++)
        if (str_eq(value_str_at(value_item(points, i), "id"), id))
            return value_item(points, i);
    return NULL;
}

struct job_match export_match(const struct view *v, const struct document *pvm, const struct document *rvm,
                              const struct order *order)
{
    struct job_match match = protected_vm_match(v, pvm);

    match.type = RESTORE_DISKS;
    match.point_ms = time_parse(value_str_at(point_find(view_facts(v, pvm), order->point), "time"));
    match.target_group = rvm ? value_str_at(rvm->spec, "target.resourceGroup") : NULL;
    match.since_ms = order->since_ms;
    if (rvm && order->activation)
        match.own = claim_job_of(value_at(view_facts(v, rvm), "place.claims.pass"), order->activation->name);
    return match;
}

/* The job of an order's pass that is in `state`, even if the order is no longer in force; NULL: none. While one runs no
 * other VM exports the same key. One that completed shows that this backup needs another key. */
static const struct value *pass_job(const struct view *v, const struct document *pvm, const struct document *rvm,
                                    const struct order *order, const char *state)
{
    struct job_match match = export_match(v, pvm, rvm, order);
    const struct value *jobs;

    if (order->state == ORDER_NONE || match.point_ms == TIME_NONE)
        return NULL;
    jobs = jobs_matching(v->arena, value_get(view_facts(v, pvm), "jobs"), &match);
    for (size_t i = 0; i < value_count(jobs); i++)
        if (str_eq(value_str_at(value_item(jobs, i), "state"), state))
            return value_item(jobs, i);
    return NULL;
}

/* A copy holds the versions that were there when its point was taken: one of an older point may lack the version
 * needed, and would take the key's name all the same. It will do where evidence says that no version came between. */
static bool holds_versions(const struct view *v, const struct document *pvm, const struct key_need *need,
                           const struct document *key, const struct value *export)
{
    int64_t at = time_parse(value_str_at(export, "point")), wanted_ms = key_copy_wanted_since(v, key);
    struct value *point;
    struct original_key then;

    if (wanted_ms == TIME_NONE || (at != TIME_NONE && at + 2 * SECOND_MS > wanted_ms))
        return true;
    if (at == TIME_NONE || !need->version)
        return false;
    point = value_map(v->arena);
    value_set_string(v->arena, point, "time", time_format(v->arena, at));
    then = original_key_of(v, pvm, key, point);
    return (then.evidence == KEY_EVIDENCE_HISTORY || then.evidence == KEY_EVIDENCE_SET) &&
           str_eq_nocase(then.version, need->version);
}

/* What is ordered of a machine, beside a point of it: none of its points, that very one, an earlier one, or later ones
 * only. */
enum point_ordered { POINT_NONE, POINT_ITSELF, POINT_EARLIER, POINT_LATER };

static enum point_ordered point_ordered(const struct view *v, const struct document *pvm, const struct value *export)
{
    enum point_ordered found = POINT_NONE;
    int64_t at_ms = time_parse(value_str_at(export, "point"));
    const struct document *rvm;
    size_t at = 0;

    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        struct order order = order_for(v, rvm);
        int64_t point_ms = time_parse(
            value_str_at(order.state == ORDER_NONE ? NULL : point_find(view_facts(v, pvm), order.point), "time"));

        if (point_ms == TIME_NONE)
            continue;
        if (job_point_fit(export, point_ms) == TIME_FITS)
            return POINT_ITSELF;
        if (at_ms == TIME_NONE || at_ms <= point_ms)
            found = found ? found : POINT_LATER;
        else
            found = POINT_EARLIER;
    }
    return found;
}

static bool another_revoked(const struct view *v, const struct document *key)
{
    for (size_t i = 0; i < v->desired->count; i++)
        if (v->desired->documents[i] != key && str_eq(v->desired->documents[i]->kind, "Key") &&
            key_revoked(v, v->desired->documents[i]))
            return true;
    return false;
}

/* A copy is of the key that its point carries. One of a later point than the ordered one holds what that one needs,
 * unless the machine may have been put on another key in between: where such a key is known, and where one is given up
 * that must not come back, only the ordered point itself will do. Of an earlier one only evidence says that it carries
 * this key. */
static bool of_this_key(const struct view *v, const struct document *key, const struct document *pvm,
                        const struct value *export)
{
    int64_t at_ms = time_parse(value_str_at(export, "point"));
    struct key_carried carried = key_carried_by(v, key, pvm, at_ms);
    enum point_ordered ordered = point_ordered(v, pvm, export);

    if (carried.carries == KEY_CARRIES_UNKNOWN)
        return ordered == POINT_ITSELF && !carried.revoked;
    return carried.carries == KEY_CARRIES_SHOWN ||
           (carried.carries == KEY_CARRIES_DECLARED && (ordered == POINT_NONE || ordered == POINT_ITSELF ||
                                                        (ordered == POINT_EARLIER && !another_revoked(v, key))));
}

bool export_will_do(const struct view *v, const struct document *key, const struct document *pvm,
                    const struct value *export)
{
    struct key_need need = key_needed(v, key);

    return holds_versions(v, pvm, &need, key, export) && of_this_key(v, key, pvm, export) &&
           !key_refusal_of(v, key, key_export_told_by(v->arena, export));
}

/* Of those that are late enough the one of the latest point: it holds the most. */
static const struct value *usable_export(const struct view *v, const struct document *key, const struct document *pvm,
                                         const struct value *tried)
{
    const struct value *exports = value_at(view_facts(v, pvm), "exports"), *best = NULL;

    for (size_t i = 0; i < value_count(exports); i++) {
        const struct value *one = value_item(exports, i);

        if (!job_of_id(tried, value_str_at(one, "job")) && export_will_do(v, key, pvm, one) &&
            (!best || time_parse(value_str_at(one, "point")) > time_parse(value_str_at(best, "point"))))
            best = one;
    }
    return best;
}

const struct value *export_spare(const struct view *v, const struct export_election *e, const struct value *tried)
{
    return e->export ? usable_export(v, e->key, e->protected_vm, tried) : NULL;
}

/* --- election ----------------------------------------------------------------------------------------------------- */

/* The machine's key is declared, is another one of that name, and claims this backup for its own: by a version that
 * contradicts, or by naming the machine as its source. A copy of it would take this key's name for good. */
static bool is_of_another(const struct view *v, const struct document *key, const struct situation *s)
{
    const struct document *other = s->original_key;
    const char *version = value_str_at(key->spec, "version"),
               *others = other ? value_str_at(other->spec, "version") : NULL;

    if (!other || str_eq_nocase(key_store_of(v->arena, key), key_store_of(v->arena, other)))
        return false;
    if (version && others && !str_eq_nocase(version, others))
        return true;
    return key_backup_is(other, s->pvm);
}

/* Whether the ordered point is wrapped with this key, as far as is known: a pass of another point would complete, or
 * export another key. The store is not compared if it is gone too, because the key then comes back in another one. */
static bool carries(const struct view *v, const struct document *key, const struct document *rvm)
{
    const struct situation *s = situation_of(v, rvm);
    const struct value *facts = view_facts(v, key);
    struct key_id original;

    if (s->original_key == key)
        return true;
    if (is_of_another(v, key, s))
        return false;
    if (!s->original_url || !key_id_parse(v->arena, s->original_url, &original))
        return !s->key || s->key == key;
    if (!str_eq_nocase(original.name, value_str_at(facts, "name")))
        return false;
    return key_url_is(s->original_url, value_str_at(facts, "base"), original.name) || !s->original_key ||
           !str_eq(view_state(v, s->original_key), "present");
}

/* Asked of every candidate once, as if its order paid for the pass. */
static bool hinder(const struct view *v, struct export_election *e)
{
    const struct ruling *refusal = view_refusal(v, e->protected_vm, ACTION_EXPORT_KEY);
    size_t n = 0;
    const struct obstacle *found = restore_obstacles_of(v, situation_of(v, e->restored_vm), true, &n);

    for (size_t i = 0; i < n && !e->obstacle; i++)
        if (obstacle_for_export(&found[i]))
            e->obstacle = &found[i];
    if (e->protected_vm->withheld || e->restored_vm->withheld)
        e->hindrance = "it, or what it is a part of, is suspended or observed only";
    else if (refusal)
        e->hindrance = arena_printf(v->arena, "policy %s denies its pass%s%s", refusal->rule,
                                    refusal->message ? ": " : "", refusal->message ? refusal->message : "");
    else if (e->obstacle)
        e->hindrance = e->obstacle->reason;
    return e->hindrance != NULL;
}

/* Whether a pass from this point may export the key. Not if the point is known to carry another one, nor if it may
 * carry one that is revoked: that would bring back what a person has taken away. */
static bool may_carry(const struct view *v, struct export_election *e, const struct value *point)
{
    struct key_carried carried = key_carried_by(v, e->key, e->protected_vm, time_parse(value_str_at(point, "time")));

    if (carried.carries != KEY_CARRIES_OTHER && !(carried.carries == KEY_CARRIES_UNKNOWN && carried.revoked))
        return true;
    e->carried = carried;
    return false;
}

/* How good a VM is as exporter of a key, the best last. */
enum exporter_rank { RANK_NO_ORDER, RANK_ORDER, RANK_USELESS, RANK_HINDERED, RANK_READY, RANK_RUNNING, RANK_EXPORTED };

/* What a pass from this point would export holds the version that is needed of the key. */
static bool exports_enough(const struct view *v, const struct export_election *e, const struct value *point)
{
    struct key_need need = key_needed(v, e->key);
    struct value *exported = value_map(v->arena);

    if (e->running || !value_str_at(point, "time"))
        return true;
    value_set_string(v->arena, exported, "point", value_str_at(point, "time"));
    return holds_versions(v, e->protected_vm, &need, e->key, exported);
}

/* The best found so far. Of two that are ready the later point wins: a declared version holds for both, and only the
 * later copy is sure to have what was made in between. */
struct exporter_best {
    enum exporter_rank rank;
    int64_t point_ms;
};

static int64_t exporter_point_ms(const struct view *v, const struct export_election *e)
{
    return e->protected_vm
               ? time_parse(value_str_at(point_find(view_facts(v, e->protected_vm), e->order.point), "time"))
               : TIME_NONE;
}

static bool exporter_beats(const struct exporter_best *best, enum exporter_rank rank, int64_t point_ms)
{
    return rank > best->rank || (rank == RANK_READY && best->rank == RANK_READY && point_ms != TIME_NONE &&
                                 best->point_ms != TIME_NONE && point_ms > best->point_ms);
}

/* `best`: what another VM is already. What hinders a VM takes long to find, so it is looked for only if the VM could
 * still win. */
static enum exporter_rank order_weigh_as_exporter(const struct view *v, struct export_election *e,
                                                  struct exporter_best best)
{
    const struct value *point = point_find(view_facts(v, e->protected_vm), e->order.point);
    bool vault = e->order.state == ORDER_IN_FORCE && e->order.exports && str_eq(value_str_at(point, "vault"), "valid");

    e->running = pass_job(v, e->protected_vm, e->restored_vm, &e->order, "running") != NULL;
    if (!e->running && !vault)
        return e->order.state == ORDER_NONE ? RANK_NO_ORDER : RANK_ORDER;
    if (!exporter_beats(&best, e->running ? RANK_RUNNING : RANK_READY, exporter_point_ms(v, e)))
        return RANK_NO_ORDER;
    if (!e->running && !may_carry(v, e, point)) {
        e->useless = true;
        return RANK_USELESS;
    }
    if (!carries(v, e->key, e->restored_vm) || !exports_enough(v, e, point)) {
        if (carries(v, e->key, e->restored_vm))
            e->carried.words = arena_printf(v->arena,
                                            "it is of %s, and of %s another point is ordered that may need "
                                            "a newer version: an older copy would take the name without it",
                                            value_str_at(point, "time"), e->key->address);
        e->running = false;
        e->useless = true;
        return RANK_USELESS;
    }
    if (e->running)
        return RANK_RUNNING;
    e->completed = pass_job(v, e->protected_vm, e->restored_vm, &e->order, "completed");
    e->useless = e->completed != NULL;
    return e->useless ? RANK_USELESS : hinder(v, e) ? RANK_HINDERED : RANK_READY;
}

/* Where a protected VM stands as exporter of a key, by the best of its declared restores. */
static enum exporter_rank exporter_weigh(const struct view *v, struct export_election *ret, struct exporter_best enough)
{
    const struct document *rvm;
    struct exporter_best best = {.rank = RANK_NO_ORDER, .point_ms = TIME_NONE};
    size_t at = 0;

    while ((rvm = referrer_next(ret->protected_vm, "RestoredVirtualMachine", &at))) {
        struct export_election e = {
            .key = ret->key, .protected_vm = ret->protected_vm, .restored_vm = rvm, .order = order_for(v, rvm)};
        enum exporter_rank rank = order_weigh_as_exporter(v, &e, enough.rank > best.rank ? enough : best);

        if (!exporter_beats(&best, rank, exporter_point_ms(v, &e)) && ret->restored_vm)
            continue;
        best = (struct exporter_best){.rank = rank, .point_ms = exporter_point_ms(v, &e)};
        *ret = e;
    }
    ret->export = usable_export(v, ret->key, ret->protected_vm, NULL);
    /* This backup exported its own key, which is not the lost one: the export is of no use here. */
    if (ret->export && ret->order.state == ORDER_IN_FORCE && !carries(v, ret->key, ret->restored_vm))
        ret->export = NULL;
    return ret->export ? RANK_EXPORTED : best.rank;
}

static struct export_election elect(const struct view *v, const struct document *key)
{
    struct export_election best = {.key = key};
    struct exporter_best best_so_far = {.rank = RANK_NO_ORDER, .point_ms = TIME_NONE};
    const struct document *pvm;
    size_t at = 0;

    while ((pvm = key_backup_next(key, &at))) {
        struct export_election e = {.key = key, .protected_vm = pvm};
        enum exporter_rank rank = exporter_weigh(v, &e, best_so_far);
        int64_t point_ms = exporter_point_ms(v, &e);

        if (exporter_beats(&best_so_far, rank, point_ms) || !best.protected_vm) {
            best = e;
            best_so_far = (struct exporter_best){.rank = rank, .point_ms = point_ms};
        }
    }
    return best;
}

void export_note_others(const struct view *v, const struct export_election *elected, struct steps *out,
                        struct step *step)
{
    const struct document *key = elected->key, *pvm, *rvm;
    size_t of = 0;

    while ((pvm = key_backup_next(key, &of))) {
        size_t at = 0;

        while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
            struct export_election e = {
                .key = key, .protected_vm = pvm, .restored_vm = rvm, .order = order_for(v, rvm)};

            if (rvm != elected->restored_vm &&
                order_weigh_as_exporter(v, &e, (struct exporter_best){.point_ms = TIME_NONE}) == RANK_HINDERED)
                step_note(out, step, "%s is not asked for it: %s", pvm->address, e.hindrance);
        }
    }
}

struct export_election export_elect(const struct view *v, const struct document *key)
{
    struct concluded_parts *own = concluded_parts(v, key);
    struct view seen = concluded_from(v);
    struct export_election *election;

    if (!own)
        return elect(v, key);
    if (!own->election) {
        election = arena_new_of(v->arena, struct export_election);
        *election = elect(&seen, key);
        own->election = election;
    }
    return *own->election;
}
