/* Knows how one command of a runbook is put together, whatever it does, and whether one of them triggers a job. Must
 * not know any kind. */
#include "commands.h"

#include <string.h>

struct value *making_add(struct making *m, enum runbook_verb verb)
{
    struct runbook_command command = {.verb = verb, .with = value_map(m->a)};

    arena_push(m->a, m->items, m->count, command);
    return (struct value *)command.with;
}

void making_set(struct making *m, struct value *with, const char *key, const char *s)
{
    value_set_string(m->a, with, key, s);
}

/* At a path of names with dots. */
static void set_at(struct arena *a, struct value *map, const char *path, struct value *v)
{
    const char *dot = strchr(path, '.');
    const char *name = dot ? arena_strndup(a, path, (size_t)(dot - path)) : path;
    struct value *below = dot ? (struct value *)value_get(map, name) : NULL;

    if (!dot)
        value_set(a, map, name, v);
    else
        set_at(a, below ? below : value_set_map(a, map, name), dot + 1, v);
}

void making_was(struct making *m, struct value *with)
{
    struct value *was = value_map(m->a);

    for (size_t i = 0; i < m->step->n_changes; i++) {
        const char *path = m->step->changes[i].path;
        const struct value *before = m->step->changes[i].before;

        if (value_at(value_get(with, "body"), path))
            set_at(m->a, was, path, before ? value_copy(m->a, before) : value_null(m->a));
    }
    if (value_count(was))
        value_set(m->a, with, "was", was);
}

const char *making_api(const struct making *m, enum azure_api api)
{
    return azure_api_declared(m->doc->connection ? m->doc->connection->spec : NULL, api);
}

const struct value *making_changed(const struct making *m, const char *path)
{
    const struct step *step = m->step;

    for (size_t i = 0; i < step->n_changes; i++)
        if (str_eq(step->changes[i].path, path) && !value_is(step->changes[i].after, VALUE_UNKNOWN))
            return step->changes[i].after;
    return NULL;
}

bool any_job(const struct runbook *rb)
{
    for (size_t i = 0; i < rb->count; i++)
        for (size_t k = 0; k < rb->entries[i].n_commands; k++)
            if (value_get(rb->entries[i].commands[k].with, "jobType"))
                return true;
    return false;
}
