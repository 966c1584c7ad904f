/* Knows a store of keys as a resource, whichever kind it is. Must not know keys, permission
 * models or security domains. */
#include "store.h"

#include "key_facts.h"
#include "../azure/bulk.h"
#include "../azure/defaults.h"
#include "../backup/order.h"
#include "store_name.h"
#include "revived.h"

/* Asked for by its name in its own region first: that takes the least right and is the rule. */
static int observe_deleted_here(struct call *c, const struct observer *o, const struct store_words *words,
                                const char *store_id, struct value *facts, struct err *err)
{
    const char *location = kind_location(o->document);
    struct value *deleted;
    char *id;

    if (!location)
        return 0;
    id = arena_printf(o->arena, "/subscriptions/%s/providers/Microsoft.KeyVault/locations/%s/%s/%s",
                      kind_subscription(o->document), location, words->deleted_type, arm_id_name(store_id));
    if (arm_get(kind_azure(o->provider, o->document), c, o->arena, id, API_KEYVAULT, &deleted, err) < 0) {
        /* Without the right to look among deleted stores an absent one may be a deleted one. */
        if (err->http_status == 403) {
            value_set_string(o->arena, facts, "state", "unseen");
            value_set(
                o->arena, facts, "why",
                value_format(o->arena, "whether the %s is soft-deleted cannot be seen: %s", words->noun, err->text));
            return 0;
        }
        return err->class == ERR_NOT_FOUND ? 0 : -(int)err->class;
    }
    value_set_string(o->arena, facts, "state", "deleted");
    value_set(o->arena, facts, "deleted", deleted);
    return 0;
}

static int observe_absent(struct call *c, const struct observer *o, const struct store_words *words,
                          const char *store_id, struct value *facts, struct err *err)
{
    const char *was;

    TRY(observe_deleted_here(c, o, words, store_id, facts, err));
    if (str_eq(value_str_at(facts, "state"), "absent"))
        TRY(store_name_observe(c, o, words, store_id, facts, err));
    was = store_deleted_id(value_get(facts, "deleted"));
    return store_home_observe(c, o, was ? was : store_id, facts, err);
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

int store_observe(struct call *c, const struct observer *o, const struct store_words *words, struct value **ret,
                  struct err *err)
{
    struct azure *az = kind_azure(o->provider, o->document);
    const char *id = key_store_of(o->arena, o->document);
    const struct value *live;
    struct value *facts;

    if (bulk_get(az, c, o->arena, &(struct arm_wanted){.path = id, .api = API_KEYVAULT, .since_ms = call_span_ms(c)},
                 &live, err) < 0) {
        TRY(facts_from_error(o->arena, arena_printf(o->arena, "reading the %s", words->noun), err, &facts));
        if (str_eq(value_str_at(facts, "state"), "absent"))
            TRY(observe_absent(c, o, words, id, facts, err));
    } else {
        facts = facts_new(o->arena, "present");
        value_link(o->arena, facts, "live", live);
        value_set_bool(o->arena, facts, "settling", in_the_making(value_str_at(live, "properties.provisioningState")));
    }
    value_set_string(o->arena, facts, "id", id);
    value_set_string(o->arena, facts, "base", key_store_base(o->arena, azure_cloud(az), o->document));
    *ret = facts;
    return 0;
}

bool store_block_held(const struct view *v, const struct document *doc, const char *suffix, struct steps *out)
{
    const char *next, *held = store_held_up(v, doc, &next);

    if (held)
        steps_block(out, doc, suffix, next, "%s", held);
    return held != NULL;
}

void store_recover(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words)
{
    const struct value *facts = view_facts(v, doc);
    const char *purge = value_str_at(facts, "deleted.properties.scheduledPurgeDate"), *id = value_str_at(facts, "id");
    const struct document *key;
    struct value *detail;
    struct step *step;
    size_t at = 0;

    if (store_block_held(v, doc, "recover", out))
        return;
    step = steps_add(out, doc, ACTION_RECOVER, NULL, "the %s is soft-deleted; %s; with it every key in it is unusable",
                     words->noun, purge_words(v->arena, time_parse(purge)));
    step->scope = id;
    step->scenario = words->scenario;
    /* It comes back in its own region; a request that names another one is refused. */
    detail = value_map(v->arena);
    value_set_string(v->arena, detail, "location", value_str_at(facts, "deleted.properties.location"));
    step->detail = detail;
    if (value_at(facts, "deleted.properties.purgeProtectionEnabled"))
        step_change(out, step, "properties.enablePurgeProtection", NULL,
                    value_at(facts, "deleted.properties.purgeProtectionEnabled"), "as it was when it was deleted");
    step->precondition = arena_printf(v->arena, "the %s is listed among the deleted ones", words->noun);
    step->postcondition = arena_printf(v->arena, "the %s answers a GET", words->noun);
    step->estimate_ms = 2 * MINUTE_MS;
    step->estimate_source = words->source;
    step->foretold = words->lost;
    store_note_revived(v, doc, out, step);
    step_writes(out, step, "PUT", "%s", id);
    step_right(out, step, arm_id_parent(v->arena, id, 4), words->write_action, false, words->role);
    while ((key = referrer_next(doc, "Key", &at)))
        order_cover(v, key, out, step);
}

bool store_settle(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words)
{
    const struct value *facts = view_facts(v, doc);
    struct step *step;

    if (!value_bool_at(facts, "settling", false))
        return false;
    step = steps_add(out, doc, ACTION_WAIT, NULL, "the %s is still in the making (%s), so nothing in it can be reached",
                     words->noun, value_str_at(facts, "live.properties.provisioningState"));
    step->scope = value_str_at(facts, "id");
    step->estimate_ms = 2 * MINUTE_MS;
    step->estimate_source = words->source;
    return true;
}

#define TYPE_VAULT "Microsoft.KeyVault/vaults"
#define TYPE_HSM "Microsoft.KeyVault/managedHSMs"

void store_assert(const struct view *v, const struct document *doc, struct steps *out,
                  const struct store_assertion *all, size_t n)
{
    const struct value *live = value_get(view_facts(v, doc), "live");

    for (size_t i = 0; i < n; i++) {
        const struct value *want = value_at(doc->spec, all[i].field);
        const struct value *have =
            azure_effective(v->arena, key_store_is_hsm(doc) ? TYPE_HSM : TYPE_VAULT, live, all[i].live_path);
        struct step *step;

        if (!want || diff_same(want, have, DIFF_LOCATION | DIFF_NOCASE))
            continue;
        step = steps_finding(out, doc, all[i].field, all[i].advice,
                             have ? "%s is not as declared; it is asserted, not enforced"
                                  : "%s is declared, and Azure does not show it: it cannot be compared", all[i].field);
        step_change(out, step, arena_printf(v->arena, "live.%s", all[i].live_path), have, want, NULL);
    }
}

bool store_unprotected(const struct view *v, const struct document *store)
{
    const struct value *facts = view_facts(v, store), *live = value_get(facts, "live");
    const struct value *have = live ? azure_effective(v->arena, key_store_is_hsm(store) ? TYPE_HSM : TYPE_VAULT, live,
                                                      "properties.enablePurgeProtection")
                                    : value_at(facts, "deleted.properties.purgeProtectionEnabled");

    return value_is(have, VALUE_BOOL) && !have->b;
}

void store_protect(const struct view *v, const struct document *doc, struct steps *out, const struct store_words *words)
{
    const struct value *facts = view_facts(v, doc);
    const struct value *have = azure_effective(v->arena, key_store_is_hsm(doc) ? TYPE_HSM : TYPE_VAULT,
                                               value_get(facts, "live"), "properties.enablePurgeProtection");
    const struct value *want = value_get(doc->spec, "purgeProtection");
    bool on = value_is(have, VALUE_BOOL) && have->b;
    struct step *step;

    if (value_is(want, VALUE_BOOL) && !want->b && on) {
        step = steps_finding(out, doc, "purgeProtection",
                             "it is never turned off again, and confidential VM keys need it: declare "
                             "purgeProtection: true",
                             "purgeProtection is not as declared");
        step_change(out, step, "live.properties.enablePurgeProtection", have, want, NULL);
    }
    if (!value_bool_at(doc->spec, "purgeProtection", false) || on)
        return;
    step =
        steps_add(out, doc, ACTION_UPDATE, NULL,
                  "purge protection is off: a deleted key could be purged at once, and confidential VM keys need it");
    step->scope = value_str_at(facts, "id");
    step_change(out, step, "properties.enablePurgeProtection", have, value_bool(v->arena, true),
                "cannot be turned off again");
    step_writes(out, step, "PATCH", "%s", step->scope);
    step_right(out, step, step->scope, words->write_action, false, words->role);
}

struct value *store_protect_body(struct arena *a)
{
    struct value *body = value_map(a);

    value_set_bool(a, value_set(a, body, "properties", value_map(a)), "enablePurgeProtection", true);
    return body;
}

int store_act(struct call *c, const struct actor *actor, const struct store_words *words, const struct value *body,
              struct err *err)
{
    struct azure *az = kind_azure(actor->provider, actor->step->document);
    const struct step *step = actor->step;
    struct arm_making making = {
        .id = step->scope, .api = API_KEYVAULT, .bound_ms = actor->view->settings->poll_bound_ms};

    if (step->action == ACTION_WAIT)
        return arm_settle(az, c, actor->arena, &making, NULL, err);
    if (step->action == ACTION_UPDATE)
        return arm_patch(az, c, actor->arena, &making, body, NULL, err);
    actor_say(actor, "%s %s %s", step->action == ACTION_RECOVER ? "recovering" : "creating", words->noun,
              arm_id_name(step->scope));
    return arm_put(az, c, actor->arena, &making, body, NULL, err);
}

const char *store_step_location(const struct step *step)
{
    const char *own = value_str_at(step->detail, "location");

    return own ? own : kind_location(step->document);
}

void store_deadlines(const struct view *v, const struct document *doc, struct arena *a, const struct store_words *words,
                     struct deadline **items, size_t *count)
{
    int64_t at = time_parse(value_str_at(view_facts(v, doc), "deleted.properties.scheduledPurgeDate"));
    struct deadline d = {.at_ms = at,
                         .what = arena_printf(a, "%s %s is purged, with every key in it", words->noun, doc->name)};

    if (at != TIME_NONE)
        arena_push(a, *items, *count, d);
}
