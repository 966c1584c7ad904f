/* Knows when a list is cheaper than single reads, and when it may be believed. Must not know what a body means. */
#include "bulk.h"

#include <string.h>

#include "../../reconciler/base/text.h"
#include "internal.h"
#include "members.h"
#include "shared.h"

enum {
    SINGLE_MAX = 3,     /* so many single reads are never worth a list: it has a page at least, and may be denied */
    PAGES_PER_WANTED = 2 /* a page for every two things that are wanted is the most that a list may cost */
};

/* What is listed by subscription in the shape of the single read. */
static const struct listed {
    const char *type, *query;
    enum azure_api api;
    const char *has;    /* an item without this is no body that the single read would give */
    bool machines;      /* expected with every machine, under another query */
} listed[] = {
    {"Microsoft.Compute/virtualMachines", NULL, API_COMPUTE, "properties.storageProfile.osDisk", false},
    {"Microsoft.Compute/diskEncryptionSets", NULL, API_DISK, "properties.encryptionType", false},
    {"Microsoft.KeyVault/vaults", NULL, API_KEYVAULT, "properties.vaultUri", false},
    {"Microsoft.Storage/storageAccounts", NULL, API_STORAGE, "properties.primaryEndpoints", false},
    {"Microsoft.Compute/virtualMachines", "statusOnly=true", API_COMPUTE, "properties.instanceView", true},
};

/* Those of a subscription, at every scope in it and above it. */
static const struct listed assignments = {"Microsoft.Authorization/roleAssignments", NULL, API_AUTHORIZATION, NULL,
                                          false};

/* One list that may take the place of single reads. */
struct list {
    const struct listed *row;
    const char *subscription;
    struct index *expected; /* ids */
    size_t wanted, pages, single;
    bool refused;
    struct index *missing; /* by group: how many of it the list lacks */
};

struct bulk {
    struct arena *arena;
    bool looking;
    int64_t begun_ms; /* when the first read of the look was made; -1: none was yet */
    struct index *by_name; /* lists by subscription, type and query */
    struct list **lists;
    size_t count;
};

static void bulk_free(void *what)
{
    struct bulk *b = what;

    arena_free(b->arena);
}

static struct bulk *bulk_new(struct azure *az)
{
    struct arena *a = arena_new();
    struct bulk *b = arena_new_of(a, struct bulk);

    *b = (struct bulk){.arena = a, .by_name = index_new(a, INDEX_NOCASE)};
    azure_keep(az, KEPT_BULK, b, bulk_free);
    return b;
}

static struct bulk *bulk_of(struct azure *az)
{
    struct bulk *b = azure_kept(az, KEPT_BULK);

    return b ? b : bulk_new(az);
}

void bulk_begin(struct azure *az)
{
    struct bulk *b = bulk_new(az);

    b->looking = true;
    b->begun_ms = -1;
}

void bulk_end(struct azure *az)
{
    bulk_of(az)->looking = false;
}

/* --- what is expected --------------------------------------------------------------------------------------------- */

/* Whether the id is that of a resource of the type itself, and of which subscription. */
static char *subscription_of(struct arena *a, const struct listed *row, const char *id)
{
    const char *at = id ? str_find_nocase(id, row->type) : NULL, *name = at ? at + strlen(row->type) : "";

    return *name == '/' && name[1] && !strchr(name + 1, '/') ? arm_id_part(a, id, "subscriptions") : NULL;
}

static char *list_name(struct arena *a, const struct listed *row, const char *subscription)
{
    return arena_printf(a, "%s|%s|%s", subscription, row->type, row->query ? row->query : "");
}

static struct list *list_of(const struct bulk *b, struct arena *a, const struct listed *row, const char *id)
{
    char *subscription = subscription_of(a, row, id);

    return subscription ? index_get(b->by_name, list_name(a, row, subscription)) : NULL;
}

static struct list *list_new(struct bulk *b, const struct listed *row, char *subscription)
{
    struct list *l = arena_new_of(b->arena, struct list);

    *l = (struct list){.row = row, .subscription = subscription, .expected = index_new(b->arena, INDEX_NOCASE),
                       .missing = index_new(b->arena, INDEX_NOCASE)};
    index_put(b->by_name, list_name(b->arena, row, subscription), l);
    arena_push(b->arena, b->lists, b->count, l);
    return l;
}

static void count_expected(struct bulk *b, struct list *l, const char *id)
{
    if (index_find(l->expected, id))
        return;
    index_put(l->expected, arena_strdup(b->arena, id), l);
    l->wanted++;
}

void bulk_expect(struct azure *az, const char *id)
{
    struct bulk *b = bulk_of(az);

    for (size_t i = 0; id && i < COUNT(listed); i++) {
        struct arena *scratch cleanup(arena_freep) = arena_new();
        struct list *l = list_of(b, scratch, &listed[i], id);

        if (!subscription_of(scratch, &listed[i], id))
            continue;
        l = l ? l : list_new(b, &listed[i], subscription_of(b->arena, &listed[i], id));
        count_expected(b, l, id);
    }
}

void bulk_expect_assignments(struct azure *az, const char *scope)
{
    struct bulk *b = bulk_of(az);
    char *subscription = scope ? arm_id_part(b->arena, scope, "subscriptions") : NULL;
    struct list *l = subscription ? index_get(b->by_name, list_name(b->arena, &assignments, subscription)) : NULL;

    if (subscription)
        count_expected(b, l ? l : list_new(b, &assignments, subscription), scope);
}

/* --- reading ------------------------------------------------------------------------------------------------------ */

static void put_id(struct arena *a, struct index *x, const struct value *item)
{
    index_put(x, arm_id_bare(a, value_str_at(item, "id")), item);
}

struct looked_up {
    const struct value *item; /* NULL: it is to be read by itself */
    bool absent;              /* the list has come to its end without it */
};

/* What the list holds of it; `ret` stays as it is where that cannot be told. */
static int look_up(struct azure *az, struct call *c, struct arena *a, struct list *l, const char *id,
                   struct looked_up *ret, struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    const char *path = arena_printf(scratch, "/subscriptions/%s/providers/%s", l->subscription, l->row->type);
    const char *key = arena_printf(scratch, "%s?%s", path, l->row->query ? l->row->query : "");
    struct arm_wanted wanted = {.path = path, .api = l->row->api, .query = l->row->query, .key = key,
                                .since_ms = bulk_of(az)->begun_ms};
    struct named_list list = {.names = put_id, .bound.pages = l->wanted / PAGES_PER_WANTED};
    const struct value *found;

    if (arm_list_named(az, c, a, &wanted, &list, err) < 0) {
        /* Whoever may not list may still read: each for itself, from here on. */
        l->refused = err->class != ERR_CANCELLED;
        return l->refused ? 0 : -(int)err->class;
    }
    l->pages = list.bound.read;
    found = index_get(list.items, arm_id_bare(scratch, id));
    ret->absent = list.bound.whole && !found;
    if (value_at(found, l->row->has) && (l->row->machines || members_check(id, found, id, err) == 0))
        ret->item = found;
    return 0;
}

/* The caller reads everything of that type in the group: what its list lacks is not there. */
static bool sees_group(struct azure *az, struct call *c, const struct list *l, const char *group, struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    const char *path = arena_printf(scratch, "%s/providers/Microsoft.Authorization/permissions", group);
    const struct value *permissions;

    return arm_list_shared(
               az, c, scratch,
               &(struct arm_wanted){.path = path, .api = API_AUTHORIZATION, .since_ms = bulk_of(az)->begun_ms},
               &permissions, err) == 0 &&
           arm_permits(permissions, arena_printf(scratch, "%s/read", l->row->type), false);
}

/* Is it absent for certain? The first few of a group are read: asking for permissions costs a read too. */
static bool surely_absent(struct azure *az, struct call *c, struct list *l, const char *id, struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    const char *group = arm_id_parent(scratch, arm_id_bare(scratch, id), 4);
    size_t *missing = index_get(l->missing, group);

    if (!missing) {
        missing = arena_new_of(bulk_of(az)->arena, size_t);
        index_put(l->missing, arena_strdup(bulk_of(az)->arena, group), missing);
    }
    return ++*missing > SINGLE_MAX && sees_group(az, c, l, group, err);
}

/* *ret: the item; NULL: it is to be read by itself. ERR_NOT_FOUND: it is absent. */
static int from_list(struct azure *az, struct call *c, struct arena *a, const struct listed *row, const char *id,
                     const struct value **ret, struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct bulk *b = bulk_of(az);
    struct list *l = b->looking ? list_of(b, scratch, row, id) : NULL;
    struct looked_up looked = {0};

    *ret = NULL;
    if (!l)
        return 0;
    b->begun_ms = b->begun_ms < 0 ? call_span_ms(c) : b->begun_ms;
    if (l->wanted > SINGLE_MAX && !l->refused)
        TRY(look_up(az, c, a, l, id, &looked, err));
    *ret = looked.item;
    if (*ret)
        return 0;
    if (looked.absent && !row->machines && surely_absent(az, c, l, id, err)) {
        err_set(err, ERR_NOT_FOUND, "%s %s is not in the list of its subscription, of which all can be seen",
                arm_id_name(row->type), arm_id_name(id));
        err->http_status = 404;
        return -(int)err->class;
    }
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    l->single++;
    return 0;
}

static const struct listed *row_of(const char *id, enum azure_api api)
{
    for (size_t i = 0; i < COUNT(listed); i++)
        if (!listed[i].machines && listed[i].api == api && str_find_nocase(id, listed[i].type))
            return &listed[i];
    return NULL;
}

int bulk_get(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
             const struct value **ret, struct err *err)
{
    const struct listed *row = wanted->path ? row_of(wanted->path, wanted->api) : NULL;
    const struct value *found = NULL;

    *err = (struct err){0};
    if (row)
        TRY(from_list(az, c, a, row, wanted->path, &found, err));
    if (!found)
        return arm_get_shared(az, c, a, wanted, ret, err);
    *ret = found;
    return 0;
}

int bulk_instance_view(struct azure *az, struct call *c, struct arena *a, const char *vm_id, int64_t since_ms,
                       const struct value **ret, struct err *err)
{
    const struct value *found = NULL;

    *err = (struct err){0};
    for (size_t i = 0; i < COUNT(listed); i++)
        if (listed[i].machines)
            TRY(from_list(az, c, a, &listed[i], vm_id, &found, err));
    if (!found)
        return arm_view_shared(az, c, a,
                               &(struct arm_wanted){.path = arena_printf(a, "%s/instanceView", vm_id),
                                                    .api = API_COMPUTE,
                                                    .since_ms = since_ms},
                               ret, err);
    *ret = value_at(found, "properties.instanceView");
    return 0;
}

/* --- role assignments --------------------------------------------------------------------------------------------- */

/* What stands above all subscriptions reaches into this one, or it would not be in its list. */
#define ABOVE "/"

static void put_scope(struct arena *a, struct index *x, const struct value *item)
{
    const char *scope = value_str_at(item, "properties.scope");

    (void)a;
    if (scope)
        index_put(x, str_starts_nocase(scope, "/subscriptions/") ? scope : ABOVE, item);
}

static void push_all(struct arena *a, struct value *to, const struct index *items, const char *scope)
{
    for (const struct index_entry *at = index_find(items, scope); at; at = at->next)
        value_push(a, to, at->thing);
}

int bulk_assignments(struct azure *az, struct call *c, struct arena *a, const char *scope, struct value **ret,
                     struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct bulk *b = bulk_of(az);
    char *subscription = arm_id_part(scratch, scope, "subscriptions"), *path;
    struct list *l = b->looking && subscription
                         ? index_get(b->by_name, list_name(scratch, &assignments, subscription))
                         : NULL;
    struct named_list list = {.names = put_scope, .bound.pages = l ? l->wanted / PAGES_PER_WANTED : 0};

    *ret = NULL;
    if (!l || l->wanted <= SINGLE_MAX || l->refused)
        return 0;
    b->begun_ms = b->begun_ms < 0 ? call_span_ms(c) : b->begun_ms;
    path = arena_printf(scratch, "/subscriptions/%s/providers/%s", l->subscription, l->row->type);
    /* Under a key of its own, since it may be a part of the list. */
    if (arm_list_named(az, c, a,
                       &(struct arm_wanted){.path = path,
                                            .api = l->row->api,
                                            .key = arena_printf(scratch, "%s by scope", path),
                                            .since_ms = b->begun_ms},
                       &list, err) < 0) {
        l->refused = err->class != ERR_CANCELLED;
        return l->refused ? 0 : -(int)err->class;
    }
    l->pages = list.bound.read;
    /* A part of them says nothing about a scope. */
    l->refused = !list.bound.whole;
    if (l->refused)
        return 0;
    *ret = value_list(a);
    for (char *at = arena_strdup(scratch, arm_id_bare(scratch, scope)); at && *at == '/'; *strrchr(at, '/') = '\0')
        push_all(a, *ret, list.items, at);
    push_all(a, *ret, list.items, ABOVE);
    return 0;
}

/* --- told --------------------------------------------------------------------------------------------------------- */

struct value *bulk_told(const struct azure *az, struct arena *a)
{
    const struct bulk *b = azure_kept(az, KEPT_BULK);
    struct value *told = value_list(a);

    for (size_t i = 0; b && i < b->count; i++) {
        const struct list *l = b->lists[i];
        struct value *one = value_map(a);

        value_set_string(a, one, "subscription", l->subscription);
        value_set_string(a, one, "type", l->row->type);
        value_set_string(a, one, "query", l->row->query);
        value_set_int(a, one, "wanted", (int64_t)l->wanted);
        value_set_string(a, one, "way", l->pages ? "list" : "single");
        value_set_bool(a, one, "refused", l->refused);
        value_set_int(a, one, "pages", (int64_t)l->pages);
        value_set_int(a, one, "single", (int64_t)l->single);
        value_push(a, told, one);
    }
    return told;
}
