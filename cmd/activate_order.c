/* Knows what an order reads like, where it was put, and what is done next. Must not know how its point was chosen. */
#include "activate_order.h"

#include <string.h>
#include <unistd.h>

#include "../reconciler/base/file.h"
#include "../reconciler/format/manifest.h"
#include "call.h"
#include "load_files.h"
#include "output.h"

#define WINDOW_MS (48 * (int64_t)HOUR_MS)

/* What stands in the file that is going to be replaced. */
static const struct value *replaced(const struct session *s)
{
    struct value *docs = value_list(s->arena);
    struct diags ignored;

    diags_init(&ignored, s->arena);
    if (s->options->out && file_is_there(s->options->out))
        manifest_read_file(s->arena, s->options->out, &manifest_default_limits, docs, &ignored);
    return docs;
}

static bool name_taken(const struct desired *d, const struct value *older, const char *name)
{
    for (size_t i = 0; i < value_count(older); i++)
        if (str_eq(value_str_at(value_item(older, i), "metadata.name"), name))
            return true;
    return desired_find(d, "Activation", name) != NULL;
}

/* A second order of a day must not be taken for the first, nor for the one it replaces: jobs and claims are told apart
 * by its name. */
static const char *order_name(struct arena *a, const struct desired *d, const struct value *older,
                              const struct ordered *all, size_t count, int64_t now_ms)
{
    const char *day = arena_strndup(a, time_format(a, now_ms), strlen("2026-11-23")),
               *base = count == 1 ? arena_printf(a, "restore-%.70s-%s", all[0].machine, day)
                                  : arena_printf(a, "restore-%zu-vms-%s", count, day),
               *name = base;

    for (int i = 2; name_taken(d, older, name); i++)
        name = arena_printf(a, "%s-%d", base, i);
    return name;
}

static void replaced_tell(const struct session *s, const struct value *older)
{
    for (size_t i = 0; i < value_count(older); i++) {
        const struct value *one = value_item(older, i);
        const char *until = value_str_at(one, "spec.notAfter");

        if (str_eq(value_str_at(one, "kind"), "Activation"))
            talk("%s held Activation/%s%s%s: this order takes its place; what it has begun at Azure runs on.",
                 s->options->out, value_str_at(one, "metadata.name"), until ? ", until " : "", until ? until : "");
    }
}

struct value *order_document(struct session *s, const struct desired *d, const struct ordered *all, size_t count,
                             int64_t now_ms)
{
    struct arena *a = s->arena;
    struct value *doc = value_map(a), *spec = value_map(a), *restores = value_list(a);
    const struct value *older = replaced(s);

    replaced_tell(s, older);
    now_ms = now_ms / SECOND_MS * SECOND_MS;
    value_set_string(a, doc, "apiVersion", "reinstate/v1");
    value_set_string(a, doc, "kind", "Activation");
    value_set_string(a, value_set(a, doc, "metadata", value_map(a)), "name",
                     order_name(a, d, older, all, count, now_ms));
    for (size_t i = 0; i < count; i++) {
        struct value *restore = value_map(a);

        value_set_string(a, restore, "virtualMachine", all[i].machine);
        value_set_string(a, restore, "recoveryPoint", all[i].point);
        value_push(a, restores, restore);
    }
    value_set(a, spec, "restores", restores);
    value_set_string(a, spec, "exports", "allowed");
    value_set_string(a, spec, "notBefore", time_format(a, now_ms));
    value_set_string(a, spec, "notAfter", time_format(a, now_ms + WINDOW_MS));
    value_set_string(a, spec, "purpose", s->options->purpose ? s->options->purpose : "recovery");
    value_set(a, doc, "spec", spec);
    return doc;
}

/* --- the last lines ----------------------------------------------------------------------------------------------- */

/* Whether the file lies where this call's own -f finds it. */
static bool found_by_call(struct arena *a, const struct options *o)
{
    const char *slash = strrchr(o->out, '/'),
               *folder = slash ? arena_strndup(a, o->out, (size_t)(slash - o->out)) : ".";
    bool manifest = str_ends_nocase(o->out, ".yaml") || str_ends_nocase(o->out, ".yml");

    for (size_t i = 0; i < o->paths.count; i++)
        if (load_same_file(o->paths.items[i], o->out) || (manifest && load_same_file(o->paths.items[i], folder)))
            return true;
    return false;
}

static bool carried_out(const struct value *list)
{
    for (size_t i = 0; i < value_count(list); i++) {
        const char *fate = value_str_at(value_item(list, i), "order.fate");

        if (fate && !str_eq(fate, "carried-out"))
            return false;
    }
    return true;
}

void order_close(const struct session *s, const struct value *doc, const struct value *list)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    const struct options *o = s->options;
    const char *until = value_str_at(doc, "spec.notAfter"), *names = "";

    for (size_t i = 0; i < o->operands.count; i++)
        names = arena_printf(a, "%s %s", names, call_quoted(a, o->operands.items[i]));
    if (!carried_out(list))
        talk("%s%sas things stand apply would not carry this order out in full: see above.", o->out ? o->out : "",
             o->out ? " is written; " : "");
    else if (o->out)
        talk("%s is written. To carry it out, once, until %s: reinstate apply -f ...%s", o->out, until,
             found_by_call(a, o) ? "" : arena_printf(a, " -f %s", call_quoted(a, o->out)));
    else if (isatty(STDOUT_FILENO))
        talk("To give this order: reinstate activate -f ...%s%s%s%s --out order.yaml", names,
             o->point ? arena_printf(a, " --point %s", call_quoted(a, o->point)) : "", o->newest ? " --newest" : "",
             o->purpose ? arena_printf(a, " --purpose %s", o->purpose) : "");
    else
        talk("Put this among the manifests; apply then carries it out once, until %s.", until);
}
