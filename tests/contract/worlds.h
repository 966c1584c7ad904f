/* The worlds in which each kind is tried, and how one is run. */
#ifndef REINSTATE_WORLDS_H
#define REINSTATE_WORLDS_H

/* --- worlds ------------------------------------------------------------------------------------------------------- */

static void setting_load(struct setting *s)
{
    struct options o = {0};
    const char *paths[1] = {s->folder};
    struct diags diags;

    s->arena = arena_new();
    diags_init(&diags, s->arena);
    o.paths.items = paths;
    o.paths.count = 1;
    load_estate(s->arena, &o, schemas, &s->estate, &diags);
    s->world = diags.n_errors
                   ? NULL
                   : load_world(s->arena, schemas, arena_printf(s->arena, "%s/world.yaml", s->folder), &diags);
    for (size_t i = 0; i < diags.count; i++)
        if (diags.items[i].severity == SEVERITY_ERROR)
            fprintf(stderr, "%s\n", diag_format(s->arena, &diags.items[i]));
    if (!s->world)
        exit(2);
}

static void setting_release(struct setting *s)
{
    policy_free(s->estate.policy);
    arena_free(s->arena);
}

static const struct value *list_of(const struct value *world, const char *name)
{
    return value_get(value_get(world, "spec"), name);
}

static size_t jobs_of(const struct value *world, const char *type)
{
    const struct value *jobs = list_of(world, "jobs");
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++)
        n += str_eq(value_str_at(value_item(jobs, i), "properties.extendedInfo.propertyBag.Job Type"), type);
    return n;
}

static size_t operations_of(const struct value *world, const char *operation)
{
    const struct value *jobs = list_of(world, "jobs");
    size_t n = 0;

    for (size_t i = 0; i < value_count(jobs); i++)
        n += str_eq(value_str_at(value_item(jobs, i), "properties.operation"), operation);
    return n;
}

static void check_jobs(const struct setting *s, const char *when, const struct value *world)
{
    CHECK_ROW(when, jobs_of(world, "Recover disks") == s->exports);
    CHECK_ROW(when, jobs_of(world, "Recover VM to an alternate location") == s->restores);
    CHECK_ROW(when, jobs_of(world, "Replace disks") == s->replacements);
    CHECK_ROW(when, operations_of(world, "ConfigureBackup") == s->protections);
}

static size_t writes_of(const struct value *world)
{
    return (size_t)value_int_at(world, "spec.state.writes", 0);
}

static const struct value *resource_of(const struct value *world, const char *suffix)
{
    const struct value *all = list_of(world, "resources");

    for (size_t i = 0; i < value_count(all); i++)
        if (str_ends_nocase(value_str_at(value_item(all, i), "id"), suffix))
            return value_item(all, i);
    return NULL;
}

static const char *json_of(struct arena *a, const struct value *v)
{
    return v ? json_string(a, v, JSON_COMPACT) : "";
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Two restores that run at a time may end in either order. */
static const char *lines_sorted(struct arena *a, const char *text)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const char **lines = NULL;
    size_t n = 0;

    for (size_t len; *text; text += len + (text[len] == '\n')) {
        len = strcspn(text, "\n");
        arena_push(a, lines, n, arena_strndup(a, text, len));
    }
    qsort(lines, n, sizeof(*lines), by_text);
    for (size_t i = 0; i < n; i++)
        text_printf(&t, "%s\n", lines[i]);
    return arena_strdup(a, text_str(&t));
}

static void resource_end(struct arena *a, const struct value *resource, struct text *t)
{
    const char *id = value_str_at(resource, "id"), *made_up = str_find_nocase(id, "-osdisk-");

    made_up = made_up ? made_up : str_find_nocase(id, "-nic-");
    text_printf(t, "%.*s %s %s, %zu policies, purge protection %d\n",
                (int)(made_up ? (size_t)(made_up - id) : strlen(id)), id,
                json_of(a, value_at(resource, "properties.activeKey")), json_of(a, value_get(resource, "tags")),
                value_count(value_at(resource, "properties.accessPolicies")),
                value_bool_at(resource, "properties.enablePurgeProtection", false));
}

/* What matters of a world in lines: names that Azure makes up (of disks, of network interfaces, of a set's identity)
 * are left out. */
static const char *world_end(struct arena *a, const struct value *world)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    const struct value *resources = list_of(world, "resources"), *keys = list_of(world, "keys");
    const struct value *backups = list_of(world, "backups"), *blobs = list_of(world, "blobs");

    for (size_t i = 0; i < value_count(resources); i++)
        resource_end(a, value_item(resources, i), &t);
    for (size_t i = 0; i < value_count(keys); i++)
        text_printf(&t, "key %s %s, %zu versions, enabled %d\n", value_str_at(value_item(keys, i), "name"),
                    value_str_at(value_item(keys, i), "state"), value_count(value_get(value_item(keys, i), "versions")),
                    value_bool_at(value_item(keys, i), "versions.0.enabled", true));
    for (size_t i = 0; i < value_count(backups); i++)
        text_printf(&t, "backup of %s: %s\n", json_of(a, value_get(value_item(backups, i), "source")),
                    json_of(a, value_get(value_item(backups, i), "protection")));
    for (size_t i = 0; i < value_count(blobs); i++)
        if (str_ends_nocase(value_str_at(value_item(blobs, i), "name"), ".keybackup"))
            text_printf(&t, "blob %s\n", value_str_at(value_item(blobs, i), "name"));
    text_printf(&t, "%zu role assignments, %zu local ones, %zu exports, %zu restores\n",
                value_count(list_of(world, "roleAssignments")), value_count(list_of(world, "hsmRoleAssignments")),
                jobs_of(world, "Recover disks"), jobs_of(world, "Recover VM to an alternate location"));
    return lines_sorted(a, text_str(&t));
}

static const struct value *world_with_fault(struct arena *a, const struct value *world, const struct value *todo,
                                            size_t nth)
{
    struct value *copy = value_copy(a, world), *fault = value_map(a), *on = value_map(a), *faults = value_list(a);

    value_set_string(a, on, "path", "/");
    value_set(a, fault, "on", on);
    value_set_int(a, fault, "nth", (int64_t)nth);
    value_set(a, fault, "do", value_copy(a, todo));
    value_push(a, faults, fault);
    value_set(a, value_get(copy, "spec"), "faults", faults);
    return copy;
}

static size_t writing_steps(const struct plan *plan, const char *kind)
{
    size_t n = 0;

    for (size_t i = 0; i < plan->steps.count; i++)
        n += action_writes(plan->steps.items[i]->action) && str_eq(plan->steps.items[i]->document->kind, kind);
    return n;
}

#endif
