/* Knows which kind carries a step out with which commands, with every id filled in. The bodies are those that the kinds
 * send. Must not know a shell, and must not decide whether a step is due. */
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
    return azure_api_declared(m->doc->azure ? m->doc->azure->spec : NULL, api);
}

const struct value *making_changed(const struct making *m, const char *path)
{
    const struct step *step = m->step;

    for (size_t i = 0; i < step->n_changes; i++)
        if (str_eq(step->changes[i].path, path) && !value_is(step->changes[i].after, VALUE_UNKNOWN))
            return step->changes[i].after;
    return NULL;
}

static const struct {
    const char *kind;
    void (*make)(struct making *m);
} makers[] = {
    {"KeyVault", making_store},
    {"ManagedHsm", making_store},
    {"Key", making_key},
    {"DiskEncryptionSet", making_encryption_set},
    {"KeyAccess", making_grant},
    {"KeyVaultAccessPolicy", making_grant},
    {"RoleAssignment", making_grant},
    {"ManagedHsmRoleAssignment", making_grant},
    {"ProtectedVirtualMachine", making_protected_vm},
    {"RestoredVirtualMachine", making_restored_vm},
};

const struct runbook_command *runbook_commands(const struct view *v, const struct step *step, void *provider,
                                               size_t *ret_count, const char **ret_why)
{
    struct making m = {.v = v, .a = v->arena, .step = step, .doc = step->document, .provider = provider};

    for (size_t i = 0; i < COUNT(makers); i++)
        if (str_eq(makers[i].kind, m.doc->kind))
            makers[i].make(&m);
    *ret_count = m.count;
    if (!m.count)
        *ret_why = m.why ? m.why
                         : arena_printf(m.a, "no command is known for it: do by hand what the step says%s%s",
                                        step->scope ? ", on " : "", step->scope ? step->scope : "");
    return m.items;
}
