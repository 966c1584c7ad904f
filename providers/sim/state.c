/* Knows how the world is kept: one mutable value tree, its resources, lists, operations and repeatable identifiers.
 * Must not know any service's rules. */
#include "internal.h"

#include <stdio.h>
#include <string.h>

#include "../../reconciler/format/crypt.h"

static const char guid_space[] = "6d1f1f0e-6a0b-5c7e-9f3a-2b8e4c9d7a51";

/* Lists that the World document names; any other is kept below spec.state. */
static const char *const world_lists[] = {
    "principals",
    "resources",
    "roleAssignments",
    "roleDefinitions",
    "keys",
    "backups",
    "jobs",
    "blobs",
    "operations",
    "deletedVaults",
    "faults",
    "features",
    "hsmRoleAssignments",
    "hsmRoleDefinitions",
    "containers",
    "backupPolicies",
    "resourceGuards",
    "locks",
    "quotas",
};

void state_changed(struct sim *s)
{
    s->dirty = true;
    found_forget(s);
}

void state_noted(struct sim *s)
{
    s->dirty = true;
}

void state_due(int64_t *due_ms, int64_t at_ms)
{
    if (at_ms < *due_ms)
        *due_ms = at_ms;
}

struct value *state_map(struct sim *s)
{
    struct value *map = value_get(s->spec, "state");

    return value_is(map, VALUE_MAP) ? map : value_set(s->arena, s->spec, "state", value_map(s->arena));
}

struct value *state_list(struct sim *s, const char *name)
{
    struct value *home = s->spec, *list;
    bool named = false;

    for (size_t i = 0; i < COUNT(world_lists); i++)
        named |= str_eq(world_lists[i], name);
    if (!named)
        home = state_map(s);
    list = value_get(home, name);
    return value_is(list, VALUE_LIST) ? list : value_set(s->arena, home, name, value_list(s->arena));
}

struct value *state_push(struct sim *s, const char *list, const struct value *item)
{
    struct value *copy = value_copy(s->arena, item);

    value_push(s->arena, state_list(s, list), copy);
    state_noted(s);
    return copy;
}

void list_remove(struct value *list, size_t at)
{
    size_t behind = list->list.count - at - 1;

    memmove(&list->list.items[at], &list->list.items[at + 1], behind * sizeof(list->list.items[0]));
    list->list.count--;
}

/* --- resources ---------------------------------------------------------------------------------------------------- */

struct value *resource_store(struct sim *s, const char *id, const struct value *body)
{
    struct value *all = state_list(s, "resources"), *copy = value_copy(s->arena, body);
    const struct value *before = resource_find(s, id);

    if (!value_get(copy, "id"))
        value_set_string(s->arena, copy, "id", id);
    state_noted(s);
    for (size_t i = 0; before && i < value_count(all); i++)
        if (value_item(all, i) == before) {
            value_set_string(s->arena, copy, "madeAt", value_str_at(before, "madeAt"));
            state_changed(s);
            return all->list.items[i] = copy;
        }
    if (behaviour_ms(s, "readLag", 0))
        value_set_string(s->arena, copy, "madeAt", time_format(s->arena, s->now_ms));
    value_push(s->arena, all, copy);
    return copy;
}

bool resource_remove(struct sim *s, const char *id)
{
    struct value *all = state_list(s, "resources");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_eq_nocase(value_str_at(value_item(all, i), "id"), id)) {
            list_remove(all, i);
            state_changed(s);
            return true;
        }
    return false;
}

const char *resource_type(struct arena *a, const char *id)
{
    const char *at = id, *last = NULL;
    struct text type;
    char *ret;

    while (at && (at = str_find_nocase(at, "/providers/")) != NULL)
        last = at += strlen("/providers/");
    if (!last)
        return str_find_nocase(id, "/resourceGroups/") ? "Microsoft.Resources/resourceGroups"
                                                       : "Microsoft.Resources/subscriptions";
    text_init(&type, 4096);
    /* namespace/type/name[/type/name…]: the namespace and every second part behind it. */
    for (size_t part = 0; *last; part++) {
        size_t n = strcspn(last, "/");

        if (part == 0 || part % 2 == 1) {
            if (part)
                text_add_char(&type, '/');
            text_add_n(&type, last, n);
        }
        last += n + (last[n] == '/');
    }
    ret = arena_strdup(a, text_str(&type));
    text_release(&type);
    return ret;
}

/* Is `id` below `scope`? An empty scope holds everything. */
static bool below(const char *id, const char *scope)
{
    size_t n = strlen(scope);

    while (n && scope[n - 1] == '/')
        n--;
    return n == 0 || ((scope[n] ? strncasecmp(id, scope, n) == 0 : str_starts_nocase(id, scope)) && id[n] == '/');
}

struct value *resource_next(struct sim *s, const char *scope, const char *type, size_t *at)
{
    struct value *all = state_list(s, "resources");

    while ((*at = resource_place(s, type, *at)) < value_count(all)) {
        struct value *v = value_item(all, (*at)++);
        const char *id = value_str_at(v, "id");

        if (id && below(id, scope))
            return v;
    }
    return NULL;
}

bool group_exists(struct sim *s, const char *subscription, const char *group)
{
    char id[512];

    if (snprintf(id, sizeof(id), "/subscriptions/%s/resourceGroups/%s", subscription, group) >= (int)sizeof(id))
        return false;
    return resource_find(s, id) != NULL;
}

char *new_guid(struct sim *s)
{
    struct value *map = state_map(s);
    int64_t serial = value_int_at(map, "serial", 0);
    char name[64], guid[UUID_TEXT];

    do {
        snprintf(name, sizeof(name), "%llu|%lld", (unsigned long long)s->seed, (long long)++serial);
        crypt_uuid5(guid_space, name, guid);
    } while (job_find(s, guid)); /* a world may begin with jobs that another run of this simulator made */
    value_set_int(s->arena, map, "serial", serial);
    state_noted(s);
    return arena_strdup(s->arena, guid);
}

/* --- settings ----------------------------------------------------------------------------------------------------- */

const char *behaviour(const struct sim *s, const char *name, const char *otherwise)
{
    const char *text = value_str(value_get(value_get(s->spec, "behaviour"), name));

    return text ? text : otherwise;
}

int64_t behaviour_ms(const struct sim *s, const char *name, int64_t otherwise)
{
    const struct value *v = value_get(value_get(s->spec, "behaviour"), name);
    const char *text = value_str(v);
    long long n;
    char unit[3] = "";
    int64_t ms;

    if (value_is(v, VALUE_INT))
        return v->i < 0 ? otherwise : v->i;
    /* Latencies are shorter than the manifest language's shortest unit. */
    if (text && sscanf(text, "%9lld%2s", &n, unit) == 2 && str_eq(unit, "ms") && n >= 0)
        return n;
    ms = text ? duration_parse(text) : -1;
    return ms < 0 ? otherwise : ms;
}

/* --- long-running operations -------------------------------------------------------------------------------------- */

const char *operation_new(struct sim *s, const char *kind, const char *subject, int64_t ends_ms,
                          const struct value *output, const struct value *error)
{
    struct value *op = value_map(s->arena);
    char *id = new_guid(s);

    value_set_string(s->arena, op, "id", id);
    value_set_string(s->arena, op, "kind", kind);
    value_set_string(s->arena, op, "subject", subject);
    value_set_string(s->arena, op, "started", time_format(s->arena, s->now_ms));
    value_set_string(s->arena, op, "ends", time_format(s->arena, ends_ms));
    value_set_string(s->arena, op, "status", "InProgress");
    if (output)
        value_set(s->arena, op, "output", value_copy(s->arena, output));
    if (error)
        value_set(s->arena, op, "error", value_copy(s->arena, error));
    value_push(s->arena, state_list(s, "operations"), op);
    state_due(&s->operations_due_ms, ends_ms + DAY_MS + 1);
    state_noted(s);
    return id;
}

const char *operation_to_end(struct sim *s, const char *kind, const char *subject, const struct value *output)
{
    int64_t ends_ms = s->now_ms + behaviour_ms(s, "operationDuration", 20 * SECOND_MS);

    state_due(&s->operations_due_ms, ends_ms);
    return operation_new(s, kind, subject, ends_ms, output, NULL);
}

void operations_forget(struct sim *s)
{
    struct value *all = state_list(s, "operations");

    for (size_t i = value_count(all); i-- > 0;) {
        int64_t ends = time_parse(value_str_at(value_item(all, i), "ends"));

        if (ends == TIME_NONE)
            continue;
        if (ends + DAY_MS >= s->now_ms) {
            state_due(&s->operations_due_ms, ends + DAY_MS + 1);
            continue;
        }
        list_remove(all, i);
        state_changed(s);
    }
}

char *signed_tail(struct sim *s, struct arena *a)
{
    enum { CERTIFICATE = 2660, SIGNATURE = 342 };
    struct text t;
    unsigned char bytes[32];
    char label[64], *ret;
    /* 100 ns since the year 1, as .NET counts. */
    int64_t ticks = (s->now_ms + 62135596800000) * 10000 + (int64_t)(s->n_exchanges % 10000);

    text_init(&t, 8192);
    text_printf(&t, "&t=%lld&c=", (long long)ticks);
    snprintf(label, sizeof(label), "signing certificate");
    for (size_t i = 0, from = t.len; t.len - from < CERTIFICATE; i++) {
        crypt_derive(label, s->seed + i, bytes);
        crypt_base64_encode(&t, bytes, 30, BASE64_URL);
    }
    text_add(&t, "&s=");
    snprintf(label, sizeof(label), "signature %lld %llu", (long long)ticks, (unsigned long long)s->n_exchanges);
    for (size_t i = 0, from = t.len; t.len - from < SIGNATURE; i++) {
        crypt_derive(label, s->seed + i, bytes);
        crypt_base64_encode(&t, bytes, 30, BASE64_URL);
    }
    text_add(&t, "&h=");
    crypt_derive("hash", (uint64_t)ticks, bytes);
    crypt_base64_encode(&t, bytes, 32, BASE64_URL);
    ret = arena_strdup(a, text_str(&t));
    text_release(&t);
    return ret;
}

/* --- ids ---------------------------------------------------------------------------------------------------------- */

const char *world_id_part(struct arena *a, const char *id, const char *behind)
{
    const char *at = id ? str_find_nocase(id, behind) : NULL;

    return at ? arena_strndup(a, at + strlen(behind), strcspn(at + strlen(behind), "/")) : "";
}

const char *world_id_name(const char *id)
{
    const char *slash = id ? strrchr(id, '/') : NULL;

    return slash ? slash + 1 : "";
}

bool scope_covers(const char *scope, const char *of)
{
    size_t n = scope ? strlen(scope) : 0;

    while (n && scope[n - 1] == '/')
        n--;
    return scope && (n == 0 || ((scope[n] ? strncasecmp(scope, of, n) == 0 : str_starts_nocase(of, scope)) &&
                                (of[n] == '/' || !of[n])));
}

int64_t sim_start_ms(const struct sim *s)
{
    return time_parse(value_str_at(s->spec, "now"));
}
