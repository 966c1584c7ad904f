/* Knows which steps of a KeyAccess, or of a grant spelled out, a restore waits for. Must not know how they are made. */
#include "access_needed.h"

#include <string.h>

#include "../access/grants.h"
#include "../access/rights.h"
#include "../access/seen.h"

int64_t access_principal_of(const struct view *v, const struct document *access, const struct step *step)
{
    const struct value *principals = value_get(view_facts(v, access), "principals");
    const char *label = strchr(step_verb(step), '.');

    for (size_t i = 0; label && i < value_count(principals); i++)
        if (str_eq(value_str_at(value_item(principals, i), "label"), label + 1))
            return (int64_t)i;
    return -1;
}

/* The disk will be wrapped by another set than that of the i-th principal. A restore whose set nobody knows may be made
 * with any. */
static bool of_another_set(const struct view *v, const struct situation *s, const struct document *access, size_t i)
{
    const char *set = s->des_id ? s->des_id : s->original_des;

    return set && situation_of_another_set(v, access, i, set);
}

/* The object id is that of one who uses the key for this restore. Who is seen nowhere may be any of them. */
static bool may_be_a_user(const struct view *v, const struct situation *s, const char *object_id)
{
    const struct value *set = view_facts(v, s->des), *further = value_get(set, "further");
    bool unknown = false;

    for (enum key_user user = KEY_USER_DES; user < KEY_USER_COUNT; user++) {
        const char *seen = user == KEY_USER_DES && !set ? NULL : user_seen(v, user, set);

        if (str_eq_nocase(seen, object_id))
            return true;
        unknown = unknown || (!seen && (user != KEY_USER_DES || !s->des));
    }
    for (size_t i = 0; i < value_count(further); i++)
        if (str_eq_nocase(value_str(value_item(further, i)), object_id))
            return true;
    return unknown;
}

/* A single grant counts if it is to one who uses the key for this restore. Roles that have nothing to do with keys, and
 * people who use the store for something else, hold it up for nothing. */
static bool single_speaks_of_it(const struct view *v, const struct situation *s, const struct document *grant)
{
    const struct value *principal = value_get(grant->spec, "principal");
    const char *object_id = value_str_at(principal ? principal : grant->spec, "objectId");

    if (str_eq(grant->kind, "RoleAssignment") && !grant_is_of_keys(v, grant))
        return false;
    return object_id ? may_be_a_user(v, s, object_id) : !of_another_set(v, s, grant, 0);
}

static bool speaks_of_it(const struct view *v, const struct situation *s, const struct document *access)
{
    size_t n = value_count(value_get(access->spec, "principals"));

    if (grant_is_single(access))
        return single_speaks_of_it(v, s, access);
    for (size_t i = 0; i < n; i++)
        if (!of_another_set(v, s, access, i))
            return true;
    return !n;
}

static bool needs_step(const struct view *v, const struct situation *s, const struct step *step)
{
    int64_t i = access_principal_of(v, step->document, step);

    return !step->aside && (i < 0 || !of_another_set(v, s, step->document, (size_t)i));
}

enum prospect access_prospect_for(const struct view *v, const struct situation *s, const struct document *access,
                                  const struct step **ret_block)
{
    enum prospect found = PROSPECT_SATISFIED;
    const struct index_entry *at = NULL;
    const struct step *step;

    if (!speaks_of_it(v, s, access))
        return found;
    while ((step = steps_next(v->steps, access, &at))) {
        if (!needs_step(v, s, step))
            continue;
        /* A role on a whole group that cannot be read is no reason: the rights may be held further down. */
        if (step->action == ACTION_BLOCKED && grant_is_wide(access))
            continue;
        if (step->action == ACTION_BLOCKED && ret_block)
            *ret_block = step;
        if (step->action == ACTION_BLOCKED)
            return PROSPECT_BLOCKED;
        if (step_pends(step))
            found = PROSPECT_PENDING;
    }
    return found;
}

/* A grant that the restore needs was made so lately that it may not act yet. */
static bool acts_later(const struct view *v, const struct situation *s, const struct document *access)
{
    const struct value *facts = view_facts(v, access), *principals = value_get(facts, "principals");
    const char *model = value_str_at(facts, "model");
    int64_t delay = str_eq(model, "local-rbac")   ? v->settings->hsm_role_delay_ms
                    : str_eq(model, "azure-rbac") ? v->settings->role_delay_ms
                                                  : v->settings->policy_delay_ms;

    for (size_t i = 0; i < value_count(principals); i++) {
        int64_t since = time_parse(value_str_at(value_item(principals, i), "since"));

        if (since != TIME_NONE && since + delay > v->now_ms && !of_another_set(v, s, access, i))
            return true;
    }
    return false;
}

/* The grants that the wait is for may be another document's. One that is for grants to other sets alone is none of the
 * restore's. */
static void need_wait(const struct view *v, const struct situation *s, struct steps *out, struct step *step,
                      const struct step *wait)
{
    bool own = !wait->n_needs || acts_later(v, s, wait->document);

    for (size_t i = 0; i < wait->n_needs; i++) {
        const struct step *grant = steps_find(v->steps, wait->needs[i]);

        if (!grant || !needs_step(v, s, grant))
            continue;
        own = true;
        step_need(out, step, grant->id);
    }
    if (own)
        step_need(out, step, wait->id);
}

void access_need(const struct view *v, const struct situation *s, struct steps *out, struct step *step,
                 const struct document *access)
{
    const struct index_entry *at = NULL;
    const struct step *its;

    if (!speaks_of_it(v, s, access))
        return;
    step_look(out, step, access);
    while ((its = steps_next(v->steps, access, &at))) {
        if (!needs_step(v, s, its) || (!step_pends(its) && (its->action != ACTION_BLOCKED || grant_is_wide(access))))
            continue;
        if (its->action == ACTION_WAIT)
            need_wait(v, s, out, step, its);
        else
            step_need(out, step, its->id);
    }
}
