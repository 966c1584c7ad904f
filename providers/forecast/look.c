/* Knows what a forecast reads that nothing else needs, and asks for each thing once. Sends reads only, and must not
 * judge what it has read.
 *
 * Extras, by group and key (keys in lower case); each holds state, and why when it is unseen:
 *   features, locks, usages           as platform.h has them; what a restored VM's facts hold is not asked again
 *   attestation  SUBSCRIPTION/REGION  uri
 *   sets         set id               users
 *   validations  item id              results; state "like": not asked, as `like` restores of its shape were, and none
 *                                     was objected to */
#include "forecast.h"

#include "questions.h"
#include "../documents/found.h"
#include "../restore/platform.h"
#include "../backup/points.h"
#include "../restore/requests.h"
#include "../../reconciler/format/json.h"

/* So many restores of one shape are asked about before an answer is taken for that of all of them. */
enum { SHAPE_SAMPLE = 3 };

/* Restores that ask Azure Backup for the same, but for machine and point, with everything they hang on in the same
 * state. */
struct shape {
    size_t asked;
    bool objected;
    const struct value *unseen; /* of one that was not answered */
};

struct question {
    const char *group, *key;
    const struct document *about; /* whose connection is used */
    const struct document *rvm;   /* of a validation */
    const char *id;               /* what is read */
    const struct view *view;
    void *provider;
    struct shape *shape;          /* of a validation; NULL: it has none */
    bool spared;                  /* others of its shape are asked first */
    struct value *answer;
    struct err err;
    bool failed;
};

struct questions {
    struct question *items;
    size_t count;
    struct index *asked; /* "GROUP|KEY" */
    struct index *shapes;
};

/* --- asking one --------------------------------------------------------------------------------------------------- */

static int ask_list(struct call *c, struct question *q, struct azure *az, enum azure_api api, const char *member,
                    struct err *err)
{
    struct arena *a = q->view->arena;
    struct value *items;

    TRY(arm_list(az, c, a, q->id, api, &items, err));
    q->answer = facts_new(a, "present");
    value_set(a, q->answer, member, items);
    return 0;
}

static int ask_validation(struct call *c, struct question *q, struct azure *az, struct err *err)
{
    struct arena *a = q->view->arena;
    const struct situation *s = situation_at(q->view, q->about, q->rvm, NULL);
    struct restore_request request = restored_vm_request(q->view, s);
    struct value *results;

    request.point = value_str_at(s->point, "id");
    /* A set that is only to be made would be objected to for that alone. */
    if (!str_eq(view_state(q->view, s->des), "present"))
        request.des_id = NULL;
    TRY(backup_validate_restore(az, c, a, q->id, &request, &results, err));
    q->answer = facts_new(a, "present");
    value_set(a, q->answer, "results", results);
    return 0;
}

static int ask(struct call *c, struct question *q, struct err *err)
{
    struct azure *az = kind_azure(q->provider, q->about);

    if (str_eq(q->group, "features") || str_eq(q->group, "locks") || str_eq(q->group, "usages") ||
        str_eq(q->group, "attestation"))
        return platform_ask(c, az, q->view, q->group, q->id, &q->answer, err);
    if (str_eq(q->group, "sets"))
        return ask_list(c, q, az, API_DISK, "users", err);
    return ask_validation(c, q, az, err);
}

/* An answer that cannot be had is noted and the forecast goes on; only cancelling ends it. */
static void ask_task(struct call *c, void *arg)
{
    struct question *q = arg;
    struct arena *a = q->view->arena;

    if (ask(c, q, &q->err) == 0)
        return;
    q->failed = q->err.class == ERR_CANCELLED;
    q->answer = facts_new(a, q->err.class == ERR_NOT_FOUND ? "absent" : "unseen");
    facts_unseen_because(a, q->answer, &q->err);
}

/* --- what is asked ------------------------------------------------------------------------------------------------ */

static struct question *add(struct questions *all, const struct view *v, void *provider, const char *group,
                            const char *key, const struct document *about, const char *id)
{
    struct question q = {.group = group,
                         .key = key ? str_lower(v->arena, key) : NULL,
                         .about = about,
                         .id = id,
                         .view = v,
                         .provider = provider};
    const char *name;

    if (!key || !id)
        return NULL;
    name = arena_printf(v->arena, "%s|%s", group, key);
    if (index_find(all->asked, name))
        return NULL;
    index_put(all->asked, name, group);
    arena_push(v->arena, all->items, all->count, q);
    return &all->items[all->count - 1];
}

/* What was read with the restored VMs is not read again. */
static void add_platform(struct questions *all, const struct view *v, void *provider, const char *group,
                         const char *key, const struct document *pvm)
{
    const struct value *known = platform_fact(v, group, key);
    struct question *q = add(all, v, provider, group, key, pvm, key);

    if (q && known)
        q->answer = value_copy(v->arena, known);
}

static void add_subscription(struct questions *all, const struct view *v, void *provider, const struct document *pvm)
{
    struct arena *a = v->arena;
    const char *own = value_str_at(pvm->spec, "source.subscription"),
               *subscription = own ? own : kind_subscription(pvm);
    const char *region = protected_vm_region(v, pvm), *place;

    add_platform(all, v, provider, "features", arena_printf(a, "%s/" PLATFORM_NEEDED, subscription), pvm);
    add_platform(all, v, provider, "features", arena_printf(a, "%s/" PLATFORM_FORBIDDEN, subscription), pvm);
    add_platform(all, v, provider, "locks", subscription, pvm);
    if (!region)
        return;
    place = arena_printf(a, "%s/%s", subscription, region);
    add_platform(all, v, provider, "usages", place, pvm);
    add_platform(all, v, provider, "attestation", place, pvm);
}

/* What a restore asks for, but for machine and point, and the state of what it hangs on. */
static struct shape *shape_of(struct questions *all, const struct view *v, const struct situation *s)
{
    struct arena *a = v->arena;
    struct restore_request r = restored_vm_request(v, s);
    const char *texts[] = {value_str_at(view_facts(v, s->pvm), "vaultId"), r.region, r.storage_account_id,
                           r.target_group_id, r.subnet_id, r.des_id, r.zone, dx_facts_words(a, &s->now),
                           dx_facts_words(a, &s->named), view_state(v, s->doc)};
    struct text name cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct shape *shape;

    text_printf(&name, "%d", (int)r.type);
    json_write(&name, r.disk_luns, JSON_COMPACT);
    for (size_t i = 0; i < COUNT(texts); i++)
        text_printf(&name, "|%s", texts[i] ? texts[i] : "");
    shape = index_get(all->shapes, text_str(&name));
    if (!shape) {
        shape = arena_new_of(a, struct shape);
        index_put(all->shapes, arena_strdup(a, text_str(&name)), shape);
    }
    return shape;
}

/* With an order in force Azure has been asked already. A check is a POST, of which a subscription allows ten a second:
 * a thousand restores that differ only in the machine are not asked about one by one. */
static void add_validation(struct questions *all, const struct view *v, void *provider, const struct document *pvm,
                           const struct document *rvm)
{
    const char *item = value_str_at(view_facts(v, pvm), "itemId");
    const struct situation *s = situation_at(v, pvm, rvm, NULL);
    struct question *q = NULL;

    if (s->point && !str_eq(value_str_at(view_facts(v, rvm), "validation.state"), "asked"))
        q = add(all, v, provider, "validations", item, pvm, item);
    if (!q)
        return;
    q->rvm = rvm;
    q->shape = rvm ? shape_of(all, v, s) : NULL;
    q->spared = q->shape && q->shape->asked >= SHAPE_SAMPLE;
    if (q->shape && !q->spared)
        q->shape->asked++;
}

static void add_set(struct questions *all, const struct view *v, void *provider, const struct document *pvm)
{
    const char *id = value_str_at(view_facts(v, pvm), "source.set.live.id");

    /* A declared set has been asked already. */
    if (id && !set_document_at(v, id))
        add(all, v, provider, "sets", id, pvm, arena_printf(v->arena, "%s/associatedResources", id));
}

static struct questions questions_of(const struct view *v, void *provider)
{
    struct questions all = {.asked = index_new(v->arena, INDEX_NOCASE), .shapes = index_new(v->arena, INDEX_NOCASE)};

    for (size_t i = 0; i < v->desired->count; i++) {
        const struct document *pvm = v->desired->documents[i], *rvm;
        size_t at = 0;

        if (!str_eq(pvm->kind, "ProtectedVirtualMachine"))
            continue;
        add_subscription(&all, v, provider, pvm);
        add_set(&all, v, provider, pvm);
        while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at)))
            add_validation(&all, v, provider, pvm, rvm);
    }
    return all;
}

static int ask_all(struct call *c, struct questions *all, bool spared, struct err *err)
{
    struct group *g = group_new(call_sched(c), "forecast");
    int rc;

    for (size_t i = 0; i < all->count; i++)
        if (!all->items[i].answer && all->items[i].spared == spared)
            group_spawn(g, all->items[i].id, ask_task, &all->items[i]);
    rc = group_wait(c, g, err);
    group_free(g);
    return rc;
}

/* Where one restore of a shape is objected to, all of the shape are asked about. What keeps Azure Backup from answering
 * one would keep it from answering the others. */
static void spare(struct questions *all, const struct view *v)
{
    for (size_t i = 0; i < all->count; i++) {
        struct question *q = &all->items[i];

        if (!q->shape || q->spared)
            continue;
        q->shape->objected = q->shape->objected || value_count(value_get(q->answer, "results"));
        if (!str_eq(value_str_at(q->answer, "state"), "present"))
            q->shape->unseen = q->answer;
    }
    for (size_t i = 0; i < all->count; i++) {
        struct question *q = &all->items[i];

        if (!q->spared || q->shape->objected)
            continue;
        q->answer = q->shape->unseen ? value_copy(v->arena, q->shape->unseen) : facts_new(v->arena, "like");
        value_set_int(v->arena, q->answer, "like", (int64_t)q->shape->asked);
    }
}

int forecast_observe(struct call *c, void *provider, const struct view *v, struct value **ret, struct err *err)
{
    struct questions all = questions_of(v, provider);
    struct value *extras = value_map(v->arena);

    TRY(ask_all(c, &all, false, err));
    spare(&all, v);
    TRY(ask_all(c, &all, true, err));
    for (size_t i = 0; i < all.count; i++) {
        const struct question *q = &all.items[i];

        if (q->failed) {
            *err = q->err;
            return -(int)err->class;
        }
        if (!value_get(extras, q->group))
            value_set(v->arena, extras, q->group, value_map(v->arena));
        value_add(v->arena, value_get(extras, q->group), q->key, q->answer);
    }
    *ret = extras;
    return 0;
}
