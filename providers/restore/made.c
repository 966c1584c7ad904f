/* Knows what a job has made, by time and name, and what its disks stand on. Must not know whose the job is. */
#include "made.h"

#include <string.h>

/* Clocks differ, and the list of a group lags. */
#define SLACK_MS (5 * (int64_t)MINUTE_MS)

static bool counts(const char *type)
{
    static const char *const types[] = {"Microsoft.Compute/disks", "Microsoft.Compute/virtualMachines",
                                        "Microsoft.Network/networkInterfaces"};

    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq_nocase(type, types[i]))
            return true;
    return false;
}

static bool named_after(const char *name, const char *vm)
{
    size_t n = vm ? strlen(vm) : 0;

    return n && str_starts_nocase(name, vm) && (name[n] == '\0' || name[n] == '-' || name[n] == '_');
}

static bool made_during(const struct value *item, const struct value *job)
{
    int64_t made = time_parse(value_str_at(item, "createdTime")), start = time_parse(value_str_at(job, "start")),
            end = time_parse(value_str_at(job, "end"));

    return made != TIME_NONE && made >= start && (end == TIME_NONE || made <= end + SLACK_MS);
}

/* `used`: also what a VM uses by now. */
static struct value *made_of(struct arena *a, const char *vm, const struct document *rvm, const struct value *items,
                             const struct value *job, bool used)
{
    struct value *made = value_list(a);

    for (size_t i = 0; job && i < value_count(items); i++) {
        const struct value *item = value_item(items, i);
        const char *name = value_str_at(item, "name"), *type = value_str_at(item, "type");
        struct value *one;

        if (!name || !counts(type) || (value_get(item, "managedBy") && !used) || !made_during(item, job) ||
            (!named_after(name, vm) && !named_after(name, value_str_at(rvm->spec, "target.name"))))
            continue;
        one = value_map(a);
        value_set_string(a, one, "id", value_str_at(item, "id"));
        value_set_string(a, one, "type", type);
        value_set_string(a, one, "created", value_str_at(item, "createdTime"));
        value_push(a, made, one);
    }
    return made;
}

struct value *job_made(struct arena *a, const char *vm, const struct document *rvm, const struct value *items,
                       const struct value *job)
{
    return made_of(a, vm, rvm, items, job, false);
}

static bool is_disk(const struct value *made)
{
    return str_eq_nocase(value_str_at(made, "type"), "Microsoft.Compute/disks");
}

static int look_at_disk(struct call *c, const struct observer *o, struct azure *az, const char *id, struct value **ret,
                        struct err *err)
{
    struct value *live;

    if (arm_get(az, c, o->arena, id, API_DISK, &live, err) < 0)
        return facts_from_error(o->arena, arena_printf(o->arena, "reading disk %s", arm_id_name(id)), err, ret);
    *ret = facts_new(o->arena, "present");
    value_set_string(o->arena, *ret, "set",
                     value_str_at(live, "properties.securityProfile.secureVMDiskEncryptionSetId"));
    value_set_bool(o->arena, *ret, "os", value_str_at(live, "properties.osType") != NULL);
    return 0;
}

int made_disks_observe(struct call *c, const struct observer *o, struct azure *az, const char *vm,
                       const struct value *jobs, struct value *place, struct err *err)
{
    const struct value *items = value_at(place, "resources.items");
    struct value *disks = value_list(o->arena), *one;

    for (size_t i = 0; items && i < value_count(jobs); i++) {
        const struct value *job = value_item(jobs, i);
        const struct value *made = str_eq(value_str_at(job, "state"), "completed")
                                       ? made_of(o->arena, vm, o->document, items, job, true)
                                       : NULL;

        for (size_t k = 0; k < value_count(made); k++) {
            const char *id = value_str_at(value_item(made, k), "id");

            if (!is_disk(value_item(made, k)))
                continue;
            TRY(look_at_disk(c, o, az, id, &one, err));
            value_set_string(o->arena, one, "job", value_str_at(job, "job"));
            value_set_string(o->arena, one, "id", id);
            value_push(o->arena, disks, one);
        }
    }
    value_set(o->arena, place, "disks", disks);
    return 0;
}

/* The next disk of that job that is not known to be gone; *at starts as 0; NULL at the end. */
static const struct value *disk_next(const struct value *place, const char *job, size_t *at)
{
    const struct value *disks = value_get(place, "disks");

    while (*at < value_count(disks)) {
        const struct value *disk = value_item(disks, (*at)++);

        if (str_eq_nocase(value_str_at(disk, "job"), job) && !str_eq(value_str_at(disk, "state"), "absent"))
            return disk;
    }
    return NULL;
}

enum made_disks made_disks_stand(struct arena *a, const struct value *place, const char *job, const char *set_id,
                                 const char **ret)
{
    enum made_disks found = MADE_GONE;
    const struct value *disk;
    size_t at = 0;

    if (str_eq(value_str_at(place, "group.state"), "absent"))
        return MADE_GONE;
    *ret = value_str_at(place, "resources.why") ? value_str_at(place, "resources.why")
                                                : "the target group was not looked into";
    if (!value_at(place, "resources.items"))
        return MADE_UNSEEN;
    while ((disk = disk_next(place, job, &at))) {
        const char *set = value_str_at(disk, "set"), *id = value_str_at(disk, "id");

        found = found == MADE_GONE ? MADE_THERE : found;
        if (!str_eq(value_str_at(disk, "state"), "present")) {
            *ret = value_str_at(disk, "why");
            return MADE_UNSEEN;
        }
        if (!set_id || !value_bool_at(disk, "os", false) || arm_id_equal(set ? set : "", set_id))
            continue;
        found = MADE_DIFFER;
        *ret = arena_printf(a, "disk %s is on %s%s, and declared is %s", arm_id_name(id), set ? "set " : "no set",
                            set ? set : "", set_id);
    }
    return found;
}

bool made_disks_on(const struct value *place, const char *job, const char *set_id)
{
    const struct value *disk;
    bool found = false;
    size_t at = 0;

    while ((disk = disk_next(place, job, &at))) {
        const char *set = value_str_at(disk, "set");

        if (!str_eq(value_str_at(disk, "state"), "present"))
            return false;
        if (!value_bool_at(disk, "os", false))
            continue;
        if (!arm_id_equal(set ? set : "", set_id))
            return false;
        found = true;
    }
    return found;
}
