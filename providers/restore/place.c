/* Looks at the place where a VM would come back, and asks Azure Backup what it thinks of the request. Reads only; must
 * not judge what is seen: obstacles.c does. */
#include "place.h"

#include "../azure/bulk.h"
#include "../azure/shared.h"
#include "claims.h"
#include "../backup/order.h"
#include "jobs.h"
#include "made.h"
#include "requests.h"
#include "obstacles.h"

/* --- what is there ------------------------------------------------------------------------------------------------ */

/* Fifty VMs that come back into one group ask for its parts once. */
static int look_at(struct call *c, const struct observer *o, struct value *place, const char *which, const char *id,
                   enum azure_api api, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const struct value *live;
    struct value *facts;

    if (!id)
        return 0;
    if (bulk_get(az, c, o->arena,
                 &(struct arm_wanted){.path = id, .api = api, .since_ms = call_span_ms(c) - SHARED_FRESH_MS}, &live,
                 err) < 0) {
        TRY(facts_from_error(o->arena, arena_printf(o->arena, "reading %s", arm_id_name(id)), err, &facts));
    } else {
        facts = facts_new(o->arena, "present");
        value_link(o->arena, facts, "live", live);
    }
    value_set(o->arena, place, which, facts);
    return 0;
}

static int look_into(struct call *c, const struct observer *o, struct azure *az, struct value *place, const char *group,
                     struct err *err)
{
    const struct value *items;
    struct value *facts;

    if (group_resources(c, az, o->arena, group, &items, err) < 0) {
        TRY(facts_from_error(o->arena, "listing what is in the target group", err, &facts));
    } else {
        facts = facts_new(o->arena, "present");
        value_link(o->arena, facts, "items", items);
    }
    value_set(o->arena, place, "resources", facts);
    return 0;
}

/* Of all jobs that may be this order's: on which set the disks stand tells whose they are. */
static int look_at_disks(struct call *c, const struct observer *o, struct azure *az, const struct situation *s,
                         struct value *place, struct err *err)
{
    struct job_match any = s->match;

    /* Whose claim names a job is seen in this very look. */
    any.own = s->order.activation ? claim_job_of(value_at(place, "claims.restore"), s->order.activation->name) : NULL;
    any.others = NULL;
    return made_disks_observe(c, o, az, s->match.vm,
                              jobs_matching(o->arena, value_get(view_facts(o->view, s->pvm), "jobs"), &any), place,
                              err);
}

static bool failed_into(const struct view *v, const struct document *doc)
{
    const struct value *jobs = value_get(view_facts(v, document_target(doc, "spec.from")), "jobs");

    for (size_t i = 0; i < value_count(jobs); i++)
        if (!str_eq(value_str_at(value_item(jobs, i), "state"), "completed") && !job_lasts(value_item(jobs, i)) &&
            str_eq_nocase(value_str_at(value_item(jobs, i), "targetGroup"),
                          value_str_at(doc->spec, "target.resourceGroup")))
            return true;
    return false;
}

/* --- what Azure says to the request ------------------------------------------------------------------------------- */

/* A set that is still to be made cannot be judged; Azure is asked when it is there, before the restore is triggered. */
static bool can_be_asked(const struct view *v, const struct situation *s, const struct value *facts)
{
    if (!s->point || restored_vm_job(s->jobs, "running") || restored_vm_job(s->jobs, "completed"))
        return false;
    if (situation_type(s->doc) == RESTORE_NEW_VM && str_eq(value_str_at(facts, "state"), "present"))
        return false;
    return s->given == DX_GIVEN_NOTHING || !s->des || str_eq(view_state(v, s->des), "present");
}

static int ask(struct call *c, const struct observer *o, struct azure *az, const struct situation *s,
               struct value *facts, struct err *err)
{
    const char *item = value_str_at(view_facts(o->view, s->pvm), "itemId");
    struct restore_request request = restored_vm_request(o->view, s);
    struct value *asked, *results;

    if (!item || !can_be_asked(o->view, s, facts)) {
        asked = facts_new(o->arena, "later");
    } else if (backup_validate_restore(az, c, o->arena, item, &request, &results, err) < 0) {
        /* If Azure Backup cannot be asked, the restore may still be made: a check that fails must not
         * hold up a recovery. */
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        asked = facts_new(o->arena, "unseen");
        value_set_string(o->arena, asked, "why", err->text);
    } else {
        asked = facts_new(o->arena, "asked");
        value_set(o->arena, asked, "results", results);
    }
    value_set(o->arena, facts, "validation", asked);
    return 0;
}

int restore_place_observe(struct call *c, const struct observer *o, struct azure *az, struct value *facts,
                          struct err *err)
{
    const struct document *doc = o->document;
    const char *group = arm_id_parent(o->arena, restored_vm_id(o->arena, doc), 4);
    const char *subnet = reference_id(o->arena, doc, "spec.target.subnet", NULL);
    struct value *place = value_set(o->arena, facts, "place", value_map(o->arena));
    bool far = o->view->settings->far, disks = situation_type(doc) == RESTORE_DISKS;
    enum order_state order;
    const struct situation *s;

    TRY(look_at(c, o, place, "group", group, API_RESOURCES, err));
    TRY(look_at(c, o, place, "staging", reference_id(o->arena, doc, "spec.target.stagingAccount", NULL),
                API_STORAGE, err));
    if (situation_type(doc) == RESTORE_NEW_VM && subnet)
        TRY(look_at(c, o, place, "network", arm_id_parent(o->arena, subnet, 2), API_NETWORK, err));
    if (!str_eq(view_state(o->view, document_target(doc, "spec.from")), "present"))
        return 0;
    order = order_for(o->view, doc).state;
    /* What only an order needs is seen beforehand by those who tell what an order would meet. The situation of a
     * machine that nobody orders is concluded when all is seen, and not before. */
    s = far || disks || (order != ORDER_NONE && order != ORDER_FUTURE) ? situation_of(o->view, doc) : NULL;
    if (far || (order != ORDER_NONE && order != ORDER_FUTURE))
        TRY(claims_observe(c, o, az, s, place, err));
    if (str_eq(value_str_at(place, "group.state"), "present") &&
        (far || order == ORDER_IN_FORCE || failed_into(o->view, doc) || (disks && order == ORDER_EXPIRED)))
        TRY(look_into(c, o, az, place, group, err));
    if (disks)
        TRY(look_at_disks(c, o, az, s, place, err));
    return order == ORDER_IN_FORCE ? ask(c, o, az, s, facts, err) : 0;
}

int restore_validate(struct call *c, const struct actor *actor, struct azure *az, const char *item_id,
                     const struct restore_request *request, bool keys_expected, struct err *err)
{
    struct value *results;
    size_t against = 0;

    if (backup_validate_restore(az, c, actor->arena, item_id, request, &results, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        actor_say(actor, "Azure Backup could not be asked about the request first: %s", err->text);
        return 0;
    }
    for (size_t i = 0; i < value_count(results); i++) {
        const struct value *r = value_item(results, i);
        const char *code = value_str_at(r, "code");

        if (keys_expected && restore_objects_to_key(code)) {
            actor_say(actor, "Azure Backup foresees %s, as expected", code);
            continue;
        }
        if (against++ == 0)
            err_set(err, ERR_BLOCKED, "Azure Backup objects to the restore, nothing was triggered: %s: %s",
                    code ? code : "no code", value_str_at(r, "message"));
        else
            err_note(err, "%s", code ? code : "no code");
        err_advise(err, "%s", restore_objection_advice(actor->arena, r));
    }
    if (!against && !value_count(results))
        actor_say(actor, "Azure Backup has no objection to the request, which is no proof");
    return against ? -(int)ERR_BLOCKED : 0;
}
