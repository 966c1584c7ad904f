/* Knows how things of the world are found at the same cost in a world of any size. Must not know what they are. An
 * index is made anew when the world has changed. */
#include "internal.h"

#include <stdlib.h>

/* Where in the list of resources those of one type stand. */
struct places {
    size_t *at;
    size_t count;
};

/* What is found of one list of the world. */
struct part {
    struct arena *arena;
    const struct value *list; /* that it was made from, of so many items */
    size_t count;
    struct index *by_name, *by_type, *by_set; /* by_set: disks, by what encrypts them */
};

enum { OF_RESOURCES, OF_BACKUPS, OF_PRINCIPALS, OF_IDENTITIES, OF_JOBS, OF_OPERATIONS, OF_BLOBS, OF_COUNT };

struct found {
    struct part parts[OF_COUNT];
};

/* Managed identities have a list of their own: a reader of the world never writes them. */
static const char *const lists[OF_COUNT] = {"resources", "backups",    "principals", "identities",
                                             "jobs",      "operations", "blobs"};

static void put_resource(struct part *p, struct value *v, size_t at)
{
    const char *type = value_str_at(v, "type");
    struct places *places = type ? index_get(p->by_type, type) : NULL;

    index_put(p->by_name, value_str_at(v, "id"), v);
    if (str_eq_nocase(type, "Microsoft.Compute/disks")) {
        const char *vm = value_str_at(v, "properties.securityProfile.secureVMDiskEncryptionSetId"),
                   *set = value_str_at(v, "properties.encryption.diskEncryptionSetId");

        index_put(p->by_set, vm, v);
        index_put(p->by_set, str_eq_nocase(vm, set) ? NULL : set, v);
    }
    if (type && !places) {
        places = arena_new_of(p->arena, struct places);
        index_put(p->by_type, type, places);
    }
    if (places)
        arena_push(p->arena, places->at, places->count, at);
}

/* "VAULT-ID|GROUP;NAME" of the machine that is backed up. */
static const char *item_name(struct arena *a, const char *vault, const char *group, const char *machine)
{
    return vault && group && machine ? arena_printf(a, "%s|%s;%s", vault, group, machine) : NULL;
}

static void put(struct part *p, size_t of, struct value *v, size_t at)
{
    if (of == OF_RESOURCES) {
        put_resource(p, v, at);
    } else if (of == OF_BACKUPS) {
        index_put(p->by_name,
                  item_name(p->arena, value_str_at(v, "vault"), value_str_at(v, "source.resourceGroup"),
                            value_str_at(v, "source.name")),
                  v);
    } else if (of >= OF_JOBS) {
        index_put(p->by_name, value_str_at(v, of == OF_OPERATIONS ? "id" : "name"), v);
    } else {
        index_put(p->by_name, value_str_at(v, "objectId"), v);
        /* An identity is known by its id alone. */
        index_put(p->by_name, of == OF_PRINCIPALS ? value_str_at(v, "name") : NULL, v);
        index_put(p->by_name, of == OF_PRINCIPALS ? value_str_at(v, "wellKnown") : NULL, v);
    }
}

void found_forget(struct sim *s)
{
    for (size_t i = 0; s->found && i < OF_COUNT; i++) {
        arena_free(s->found->parts[i].arena);
        s->found->parts[i] = (struct part){0};
    }
}

void found_free(struct sim *s)
{
    found_forget(s);
    free(s->found);
    s->found = NULL;
}

/* No list is made by being asked for: a world that is only read stays as it was written. What was added since is
 * added here. */
static const struct part *part_of(struct sim *s, size_t of)
{
    const struct value *list = value_get(of == OF_IDENTITIES ? value_get(s->spec, "state") : s->spec, lists[of]);
    size_t count = value_count(list);
    struct part *p;

    if (!s->found)
        s->found = xcalloc(1, sizeof(*s->found));
    p = &s->found->parts[of];
    if (!p->arena || p->list != list || p->count > count) {
        arena_free(p->arena);
        *p = (struct part){.arena = arena_new(), .list = list};
        p->by_name = index_new(p->arena, INDEX_NOCASE);
        p->by_type = index_new(p->arena, INDEX_NOCASE);
        p->by_set = index_new(p->arena, INDEX_NOCASE);
    }
    for (; p->count < count; p->count++)
        put(p, of, value_item(list, p->count), p->count);
    return p;
}

struct value *principal_find(struct sim *s, const char *ref)
{
    for (size_t of = OF_PRINCIPALS; ref && of <= OF_IDENTITIES; of++)
        for (const struct index_entry *e = index_find(part_of(s, of)->by_name, ref); e; e = e->next)
            if (str_eq_nocase(value_str_at(e->thing, "objectId"), ref) || str_eq(value_str_at(e->thing, "name"), ref) ||
                str_eq(value_str_at(e->thing, "wellKnown"), ref))
                return e->thing;
    return NULL;
}

struct value *resource_find(struct sim *s, const char *id)
{
    return id ? index_get(part_of(s, OF_RESOURCES)->by_name, id) : NULL;
}

struct value *job_find(struct sim *s, const char *name)
{
    return name ? index_get(part_of(s, OF_JOBS)->by_name, name) : NULL;
}

struct value *operation_find(struct sim *s, const char *id)
{
    return id ? index_get(part_of(s, OF_OPERATIONS)->by_name, id) : NULL;
}

const struct index_entry *blobs_named(struct sim *s, const char *name)
{
    return name ? index_find(part_of(s, OF_BLOBS)->by_name, name) : NULL;
}

const struct index_entry *resource_users(struct sim *s, const char *set_id)
{
    return index_find(part_of(s, OF_RESOURCES)->by_set, set_id);
}

size_t resource_place(struct sim *s, const char *type, size_t from)
{
    const struct places *places = index_get(part_of(s, OF_RESOURCES)->by_type, type);
    size_t low = 0, high = places ? places->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (places->at[middle] < from)
            low = middle + 1;
        else
            high = middle;
    }
    return places && low < places->count ? places->at[low] : SIZE_MAX;
}

struct value *backup_find(struct sim *s, struct arena *a, const char *vault, const char *group, const char *machine)
{
    return index_get(part_of(s, OF_BACKUPS)->by_name, item_name(a, vault, group, machine));
}
