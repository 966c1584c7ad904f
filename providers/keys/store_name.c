/* Knows how a store's name is looked for, and what stands against a store because of it. Must not
 * recover or make one. */
#include "store_name.h"

const char *store_deleted_id(const struct value *deleted)
{
    const char *vault = value_str_at(deleted, "properties.vaultId");

    return vault ? vault : value_str_at(deleted, "properties.mhsmId");
}

/* --- observing ---------------------------------------------------------------------------------------------------- */

int store_home_observe(struct call *c, const struct observer *o, const char *store_id, struct value *facts,
                       struct err *err)
{
    const char *group = store_id ? arm_id_parent(o->arena, store_id, 4) : NULL;
    struct value *live, *home;

    if (!group)
        return 0;
    if (arm_get(kind_azure(o->provider, o->document), c, o->arena, group, API_RESOURCES, &live, err) == 0)
        home = facts_new(o->arena, "present");
    else
        TRY(facts_from_error(o->arena, "reading the resource group of the store", err, &home));
    value_set(o->arena, facts, "home", home);
    return 0;
}

/* A subscription, and the document by whose connection it is asked. */
struct named {
    const char *subscription;
    const struct document *by;
};

static void name_one(const struct observer *o, struct named **all, size_t *count, const char *subscription,
                     const struct document *by)
{
    struct named one = {subscription, by};

    if (!subscription || !kind_azure(o->provider, by))
        return;
    for (size_t i = 0; i < *count; i++)
        if (str_eq_nocase((*all)[i].subscription, subscription))
            return;
    arena_push(o->arena, *all, *count, one);
}

/* Every subscription that the manifests name, the store's own first. */
static struct named *all_named(const struct observer *o, size_t *ret_count)
{
    const struct desired *d = o->view->desired;
    struct named *all = NULL;

    *ret_count = 0;
    name_one(o, &all, ret_count, kind_subscription(o->document), o->document);
    for (size_t i = 0; i < d->count; i++) {
        const struct document *doc = d->documents[i];

        if (!doc->connection)
            continue;
        name_one(o, &all, ret_count, kind_subscription(doc), doc);
        for (size_t k = 0; k < doc->n_references; k++)
            if (doc->references[k].id)
                name_one(o, &all, ret_count, arm_id_part(o->arena, doc->references[k].id, "subscriptions"), doc);
    }
    return all;
}

static const struct value *by_name(const struct value *list, const char *name)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str_at(value_item(list, i), "name"), name))
            return value_item(list, i);
    return NULL;
}

struct search {
    const char *name;
    struct value *unlisted; /* which lists may not be read */
};

/* *ret: the one of that name on a list of the subscription; NULL: it is not there, or we may not list. */
static int find_in(struct call *c, const struct observer *o, const struct named *where, const char *list,
                   const struct search *search, const struct value **ret, struct err *err)
{
    const char *path =
        arena_printf(o->arena, "/subscriptions/%s/providers/Microsoft.KeyVault/%s", where->subscription, list);
    struct value *all, *missed;

    *ret = NULL;
    if (arm_list(kind_azure(o->provider, where->by), c, o->arena, path, API_KEYVAULT, &all, err) == 0) {
        *ret = by_name(all, search->name);
        return 0;
    }
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    missed = value_map(o->arena);
    value_set_string(o->arena, missed, "subscription", where->subscription);
    value_set_string(o->arena, missed, "list", list);
    value_set_string(o->arena, missed, "why", err->text);
    value_push(o->arena, search->unlisted, missed);
    return 0;
}

static void keep_taken(const struct observer *o, const struct value *live, struct value *facts)
{
    struct value *taken = value_map(o->arena);

    value_set_string(o->arena, taken, "id", value_str_at(live, "id"));
    value_set_string(o->arena, taken, "location", value_str_at(live, "location"));
    value_set(o->arena, facts, "taken", taken);
}

int store_name_observe(struct call *c, const struct observer *o, const struct store_words *words, const char *store_id,
                       struct value *facts, struct err *err)
{
    struct search search = {.name = arm_id_name(store_id), .unlisted = value_list(o->arena)};
    size_t n;
    const struct named *all = all_named(o, &n);
    const struct value *found = NULL;

    for (size_t i = 0; i < n && !found; i++) {
        TRY(find_in(c, o, &all[i], words->deleted_type, &search, &found, err));
        if (found) {
            value_set_string(o->arena, facts, "state", "deleted");
            value_set(o->arena, facts, "deleted", value_copy(o->arena, found));
            break;
        }
        TRY(find_in(c, o, &all[i], words->live_type, &search, &found, err));
        if (found)
            keep_taken(o, found, facts);
    }
    if (value_count(search.unlisted))
        value_set(o->arena, facts, "unlisted", search.unlisted);
    return 0;
}

/* --- what stands against it --------------------------------------------------------------------------------------- */

/* "group G, region R, subscription S" */
static const char *place_of(const struct view *v, const char *id, const char *region)
{
    return arena_printf(v->arena, "group %s in subscription %s%s%s", arm_id_part(v->arena, id, "resourceGroups"),
                        arm_id_part(v->arena, id, "subscriptions"), region ? ", region " : "", region ? region : "");
}

static const char *recover_command(const struct view *v, const struct document *store, const char *id,
                                   const char *region)
{
    return arena_printf(v->arena, "az keyvault recover --%s %s --resource-group %s --location %s --subscription %s",
                        key_store_is_hsm(store) ? "hsm-name" : "name", arm_id_name(id),
                        arm_id_part(v->arena, id, "resourceGroups"), region ? region : "REGION",
                        arm_id_part(v->arena, id, "subscriptions"));
}

static const char *group_command(const struct view *v, const char *id, const char *region)
{
    return arena_printf(v->arena, "az group create --subscription %s --name %s --location %s",
                        arm_id_part(v->arena, id, "subscriptions"), arm_id_part(v->arena, id, "resourceGroups"),
                        region ? region : "REGION");
}

static const char *held_by_live(const struct view *v, const struct document *store, const struct value *taken,
                                const char **ret_next)
{
    const char *id = value_str_at(taken, "id");

    *ret_next = "declare its group and subscription, or another name; a store's name is the only one of its cloud";
    return arena_printf(v->arena, "the name %s is that of a %s of %s, which is not the one declared (%s)",
                        arm_id_name(id), key_store_word(store), place_of(v, id, value_str_at(taken, "location")),
                        place_of(v, value_str_at(view_facts(v, store), "id"), NULL));
}

static const char *held_by_deleted(const struct view *v, const struct document *store, const struct value *deleted,
                                   const char **ret_next)
{
    const char *was = store_deleted_id(deleted), *until = value_str_at(deleted, "properties.scheduledPurgeDate");
    const char *region = value_str_at(deleted, "properties.location"), *wanted = value_str_at(store->spec, "location");
    const char *id = value_str_at(view_facts(v, store), "id"), *command = recover_command(v, store, was, region);
    bool moved =
        region && wanted &&
        !diff_same(value_string(v->arena, region), value_string(v->arena, wanted), DIFF_LOCATION | DIFF_NOCASE);
    bool homeless = str_eq(value_str_at(view_facts(v, store), "home.state"), "absent");

    if (!moved && arm_id_equal(was, id))
        return NULL;
    *ret_next =
        arena_printf(v->arena, "a person decides: recover it there (%s%s%s) and declare it so, or declare another name",
                     homeless ? group_command(v, was, region) : "", homeless ? ", then " : "", command);
    return arena_printf(v->arena, "the name %s is held %s%s by a deleted %s of %s; it would come back there, not in %s",
                        arm_id_name(id), until ? "until " : "for as long as it is kept", until ? until : "",
                        key_store_word(store), place_of(v, was, region),
                        moved && arm_id_equal(was, id) ? wanted : place_of(v, id, wanted));
}

const char *store_held_up(const struct view *v, const struct document *store, const char **ret_next)
{
    const struct value *facts = view_facts(v, store), *deleted = value_get(facts, "deleted"),
                       *taken = value_get(facts, "taken");
    const char *id = value_str_at(facts, "id"), *region = value_str_at(deleted, "properties.location"), *held;
    const char *until = value_str_at(deleted, "properties.scheduledPurgeDate");

    if (taken && !str_eq(view_state(v, store), "present"))
        return held_by_live(v, store, taken, ret_next);
    held = store_deleted_id(deleted) ? held_by_deleted(v, store, deleted, ret_next) : NULL;
    if (held || !str_eq(value_str_at(facts, "home.state"), "absent"))
        return held;
    *ret_next = arena_printf(v->arena, "make the group again: %s",
                             group_command(v, id, region ? region : kind_location(store)));
    if (!deleted)
        return arena_printf(v->arena, "the %s is absent, and so is its resource group %s, which is not made here",
                            key_store_word(store), arm_id_part(v->arena, id, "resourceGroups"));
    return arena_printf(v->arena, "the %s is soft-deleted%s%s, and its %s, where it would come back, does not exist",
                        key_store_word(store), until ? " and purged at " : "", until ? until : "",
                        arena_printf(v->arena, "resource %s", place_of(v, id, region)));
}

void store_name_notes(const struct view *v, const struct document *store, struct steps *out, struct step *step)
{
    const struct value *unlisted = value_get(view_facts(v, store), "unlisted");

    for (size_t i = 0; i < value_count(unlisted); i++)
        step_note(out, step, "whether the name is held in subscription %s cannot be seen (%s): %s",
                  value_str_at(value_item(unlisted, i), "subscription"), value_str_at(value_item(unlisted, i), "list"),
                  value_str_at(value_item(unlisted, i), "why"));
}
