/* Knows a store of keys as a resource, whichever kind it is. Must not know keys, permission models or security domains. */
#include "store.h"
#include "../azure/defaults.h"
#include "../backup/order.h"

/* Where a deleted store was is where it comes back. */
static const char *deleted_id(const struct value *deleted)
{
    const char *vault = value_str_at(deleted, "properties.vaultId");

    return vault ? vault : value_str_at(deleted, "properties.mhsmId");
}

/* A store comes back into its group, which is not made for it. */
static int observe_home(struct call *c, const struct observer *o, struct azure *az, const struct value *deleted, struct value *facts,
                        struct err *err)
{
    const char *id = deleted_id(deleted), *group = id ? arm_id_parent(o->arena, id, 4) : NULL;
    struct value *live, *home;

    if (!group)
        return 0;
    if (arm_get(az, c, o->arena, group, API_RESOURCES, &live, err) == 0)
        home = facts_new(o->arena, "present");
    else
        TRY(facts_from_error(o->arena, "reading the group of the deleted store", err, &home));
    value_set(o->arena, facts, "home", home);
    return 0;
}

static int observe_deleted(struct call *c, const struct observer *o, const struct store_words *words, const char *store_id,
                           struct value *facts, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const char *location = kind_location(o->document);
    struct value *deleted;
    char *id;

    if (!location)
        return 0;
    id = arena_printf(o->arena, "/subscriptions/%s/providers/Microsoft.KeyVault/locations/%s/%s/%s", kind_subscription(o->document),
                      location, words->deleted_type, arm_id_name(store_id));
    if (arm_get(az, c, o->arena, id, API_KEYVAULT, &deleted, err) < 0) {
        /* Without the right to look among deleted stores an absent one may be a deleted one. */
        if (err->http_status == 403) {
            value_set_string(o->arena, facts, "state", "unseen");
            value_set(o->arena, facts, "why",
                      value_format(o->arena, "whether the %s is soft-deleted cannot be seen: %s", words->noun, err->text));
            return 0;
        }
        return err->class == ERR_NOT_FOUND ? 0 : -(int)err->class;
    }
    value_set_string(o->arena, facts, "state", "deleted");
    value_set(o->arena, facts, "deleted", deleted);
    return observe_home(c, o, az, deleted, facts, err);
}

/* The words of a vault and of a managed HSM for being on the way; all others end it. */
static bool in_the_making(const char *state)
{
    static const char *const words[] = {"RegisteringDns", "Provisioning", "Updating", "Restoring"};

    for (size_t i = 0; state && i < COUNT(words); i++)
        if (str_eq_nocase(state, words[i]))
            return true;
    return false;
}

int store_observe(struct call *c, const struct observer *o, const struct store_words *words, struct value **ret, struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const char *id = key_store_of(o->arena, o->document);
    struct value *facts, *live;

    if (arm_get(az, c, o->arena, id, API_KEYVAULT, &live, err) < 0) {
        TRY(facts_from_error(o->arena, arena_printf(o->arena, "reading the %s", words->noun), err, &facts));
        if (str_eq(value_str_at(facts, "state"), "absent"))
            TRY(observe_deleted(c, o, words, id, facts, err));
    } else {
        facts = facts_new(o->arena, "present");
        value_set(o->arena, facts, "live", live);
        value_set_bool(o->arena, facts, "settling", in_the_making(value_str_at(live, "properties.provisioningState")));
    }
    value_set_string(o->arena, facts, "id", id);
    value_set_string(o->arena, facts, "base", key_store_base(o->arena, azure_cloud(az), o->document));
    *ret = facts;
    return 0;
}

bool store_deleted_elsewhere(const struct view *v, const struct document *store)
{
    const struct value *facts = view_facts(v, store);
    const char *was = deleted_id(value_get(facts, "deleted"));

    return was && !arm_id_equal(was, value_str_at(facts, "id"));
}

/* It holds the name, and would come back where it was, not where it is declared. true: a step was added. */
static bool block_foreign(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words)
{
    const struct value *facts = view_facts(v, doc), *deleted = value_get(facts, "deleted");
    const char *was = deleted_id(deleted), *id = value_str_at(facts, "id"), *until = value_str_at(deleted, "properties.scheduledPurgeDate");
    const char *held = until ? arena_printf(v->arena, "until %s", until) : "for as long as it is kept";
    const char *region = value_str_at(deleted, "properties.location"), *wanted = value_str_at(doc->spec, "location");

    if (store_deleted_elsewhere(v, doc)) {
        steps_block(out, doc, "recover",
                    arena_printf(v->arena, "a person decides: recover it there (az keyvault recover --name %s), or declare another name",
                                 arm_id_name(was)),
                    "the name %s is held %s by a deleted %s of group %s in subscription %s; it would come back there, not in group %s",
                    arm_id_name(id), held, words->noun, arm_id_part(v->arena, was, "resourceGroups"),
                    arm_id_part(v->arena, was, "subscriptions"), arm_id_part(v->arena, id, "resourceGroups"));
        return true;
    }
    if (region && wanted && !diff_same(value_string(v->arena, region), value_string(v->arena, wanted), DIFF_LOCATION | DIFF_NOCASE)) {
        steps_block(out, doc, "recover", "a person decides: declare its own region, or another name",
                    "the name %s is held %s by a deleted %s in %s; it would come back there, not in %s", arm_id_name(id), held, words->noun,
                    region, wanted);
        return true;
    }
    if (str_eq(value_str_at(facts, "home.state"), "absent")) {
        steps_block(out, doc, "recover",
                    arena_printf(v->arena, "make the group again: az group create --subscription %s --name %s --location %s",
                                 arm_id_part(v->arena, id, "subscriptions"), arm_id_part(v->arena, id, "resourceGroups"),
                                 region ? region : "REGION"),
                    "the %s is soft-deleted, and its resource group %s, where it would come back, does not exist", words->noun,
                    arm_id_part(v->arena, id, "resourceGroups"));
        return true;
    }
    return false;
}

void store_recover(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words)
{
    const struct value *facts = view_facts(v, doc);
    const char *purge = value_str_at(facts, "deleted.properties.scheduledPurgeDate"), *id = value_str_at(facts, "id");
    const struct document *key;
    struct step *step;
    size_t at = 0;

    if (block_foreign(v, doc, out, words))
        return;
    step = steps_add(out, doc, ACTION_RECOVER, NULL, "the %s is soft-deleted%s%s; with it every key in it is unusable", words->noun,
                     purge ? " and is purged at " : "", purge ? purge : "");
    step->scope = id;
    step->scenario = words->scenario;
    if (value_at(facts, "deleted.properties.purgeProtectionEnabled"))
        step_change(out, step, "properties.enablePurgeProtection", NULL, value_at(facts, "deleted.properties.purgeProtectionEnabled"),
                    "as it was when it was deleted");
    step->precondition = arena_printf(v->arena, "the %s is listed among the deleted ones", words->noun);
    step->postcondition = arena_printf(v->arena, "the %s answers a GET", words->noun);
    step->estimate_ms = 2 * MINUTE_MS;
    step->estimate_source = words->source;
    step->foretold = words->lost;
    step_writes(out, step, "PUT", "%s", id);
    step_right(out, step, arm_id_parent(v->arena, id, 4), words->write_action, false, words->role);
    while ((key = referrer_next(doc, "Key", &at)))
        if (!value_get(step->detail, "orderedBy"))
            order_cover(v, key, step);
}

bool store_settle(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words)
{
    const struct value *facts = view_facts(v, doc);
    struct step *step;

    if (!value_bool_at(facts, "settling", false))
        return false;
    step = steps_add(out, doc, ACTION_WAIT, NULL, "the %s is still in the making (%s), so nothing in it can be reached", words->noun,
                     value_str_at(facts, "live.properties.provisioningState"));
    step->scope = value_str_at(facts, "id");
    step->estimate_ms = 2 * MINUTE_MS;
    step->estimate_source = words->source;
    return true;
}

#define TYPE_VAULT "Microsoft.KeyVault/vaults"
#define TYPE_HSM "Microsoft.KeyVault/managedHSMs"

void store_assert(const struct view *v, const struct document *doc, struct steps *out, const struct store_assertion *all, size_t n)
{
    const struct value *live = value_get(view_facts(v, doc), "live");

    for (size_t i = 0; i < n; i++) {
        const struct value *want = value_at(doc->spec, all[i].field);
        const struct value *have = azure_effective(v->arena, key_store_is_hsm(doc) ? TYPE_HSM : TYPE_VAULT, live, all[i].live_path);
        struct step *step;

        if (!want || diff_same(want, have, DIFF_LOCATION | DIFF_NOCASE))
            continue;
        step = steps_finding(out, doc, all[i].field, all[i].advice,
                             have ? "%s is not as declared; it is asserted, not enforced"
                                  : "%s is declared, and Azure does not show it: it cannot be compared", all[i].field);
        step_change(out, step, arena_printf(v->arena, "live.%s", all[i].live_path), have, want, NULL);
    }
}

void store_protect(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words)
{
    const struct value *facts = view_facts(v, doc), *have = value_at(facts, "live.properties.enablePurgeProtection");
    struct step *step;

    if (!value_bool_at(doc->spec, "purgeProtection", false) || (value_is(have, VALUE_BOOL) && have->b))
        return;
    step = steps_add(out, doc, ACTION_UPDATE, NULL,
                     "purge protection is off: a deleted key could be purged at once, and confidential VM keys need it");
    step->scope = value_str_at(facts, "id");
    step_change(out, step, "properties.enablePurgeProtection", have, value_bool(v->arena, true), "cannot be turned off again");
    step_writes(out, step, "PATCH", "%s", step->scope);
    step_right(out, step, step->scope, words->write_action, false, words->role);
}

struct value *store_protect_body(struct arena *a)
{
    struct value *body = value_map(a);

    value_set_bool(a, value_set(a, body, "properties", value_map(a)), "enablePurgeProtection", true);
    return body;
}

int store_act(struct call *c, const struct actor *actor, const struct store_words *words, const struct value *body, struct err *err)
{
    struct azure *az = kind_azure(actor->provider, actor->step->document);
    const struct step *step = actor->step;
    int64_t bound_ms = actor->view->settings->poll_bound_ms;
    struct arm_operation op;

    if (step->action == ACTION_WAIT)
        return arm_settle(az, c, actor->arena, step->scope, API_KEYVAULT, bound_ms, NULL, err);
    if (step->action != ACTION_UPDATE) {
        actor_say(actor, "%s %s %s", step->action == ACTION_RECOVER ? "recovering" : "creating", words->noun, arm_id_name(step->scope));
        return arm_put(az, c, actor->arena, step->scope, API_KEYVAULT, body, bound_ms, NULL, err);
    }
    TRY(arm_send(az, c, actor->arena, HTTP_PATCH, step->scope, API_KEYVAULT, body, ARM_REPEATABLE, &op, err));
    return arm_finish(az, c, actor->arena, &op, step->scope, API_KEYVAULT, bound_ms, NULL, err);
}

void store_deadlines(const struct view *v, const struct document *doc, struct arena *a, const struct store_words *words,
                     struct deadline **items, size_t *count)
{
    int64_t at = time_parse(value_str_at(view_facts(v, doc), "deleted.properties.scheduledPurgeDate"));
    struct deadline d = {.at_ms = at, .what = arena_printf(a, "%s %s is purged, with every key in it", words->noun, doc->name)};

    if (at != TIME_NONE)
        arena_push(a, *items, *count, d);
}
